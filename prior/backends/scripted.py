"""The scripted backend: a deterministic stand-in for a language model, for tests and as a control.

Scripts: `copy` repeats the last number of the prompt with probability 0.9, whatever the instruction says (what a
small model does); `follow` understands Say-Select's control instructions (what a prior should do); `uniform`;
`hash` gives arbitrary but fixed probabilities; `fail` raises on observations that mention 3.
"""

import hashlib
import re
from collections.abc import Callable, Sequence
from typing import Self

import numpy as np
from pydantic import BaseModel

from prior.backends.base import CandidateScore
from schemas.config import PriorConfig
from schemas.errors import ModelError
from schemas.finite import finite_values

DEFAULT_SCRIPT = "copy"
_SURE = 0.9


def _prefer(wanted: Sequence[str], candidates: Sequence[str]) -> list[float]:
    """Give 0.9 to the candidates that contain a wanted number, the rest to the others, quitting least."""
    hit = [any(re.search(rf"\b{number}\b", c) for number in wanted) for c in candidates]
    if not any(hit) or all(hit):
        return [1 / len(candidates)] * len(candidates)
    return [_SURE / sum(hit) if h else (1 - _SURE) / (len(hit) - sum(hit)) for h in hit]


def _copy(prompt: str, candidates: Sequence[str]) -> list[float]:
    return _prefer(re.findall(r"\d+", prompt)[-1:], candidates)


def _follow(prompt: str, candidates: Sequence[str]) -> list[float]:
    question = prompt.rsplit("Instruction:", 1)[-1]
    always = re.search(r"always select (\d)", question)
    numbers = re.findall(r"\d+", question)[-1:]
    if always:
        return _prefer([always.group(1)], candidates)
    if not numbers or "partner" not in question.split("Observation:")[0]:
        return [1 / len(candidates)] * len(candidates)
    if "never" in question:
        return _prefer([str(n) for n in range(1, 6) if str(n) != numbers[0]], candidates)
    if "one higher" in question:
        return _prefer([str(int(numbers[0]) % 5 + 1)], candidates)
    return _prefer(numbers, candidates)


def _uniform(prompt: str, candidates: Sequence[str]) -> list[float]:
    return [1 / len(candidates)] * len(candidates)


def _hash(prompt: str, candidates: Sequence[str]) -> list[float]:
    words = [hashlib.sha256(f"{prompt}\0{c}".encode()).digest()[:4] for c in candidates]
    weights = np.array([1 + int.from_bytes(word, "big") for word in words], dtype=np.float64)
    return list(weights / weights.sum())


def _fail(prompt: str, candidates: Sequence[str]) -> list[float]:
    if "said 3" in prompt:
        raise ModelError("the scripted model fails on this prompt, as it was told to")
    return _copy(prompt, candidates)


_SCRIPTS: dict[str, Callable[[str, Sequence[str]], list[float]]] = {
    "copy": _copy,
    "follow": _follow,
    "uniform": _uniform,
    "hash": _hash,
    "fail": _fail,
}


class ScriptedBackend:
    """Scores by a rule; a candidate counts as one token."""

    name = "scripted"
    chunk_size = 64
    exact = True

    def __init__(self, model: str | None = None) -> None:
        self.script = model or DEFAULT_SCRIPT
        if self.script not in _SCRIPTS:
            raise ModelError(f"--model: unknown script {self.script!r}; known are {', '.join(_SCRIPTS)}")

    @classmethod
    def from_config(cls, config: PriorConfig) -> Self:
        """Build from the config's model name."""
        return cls(config.model)

    @property
    def identity(self) -> dict[str, str]:
        """The script, and the version of its rules."""
        return {"backend": self.name, "model": self.script, "revision": "1"}

    def score(self, prompts: Sequence[str], candidates: Sequence[str]) -> list[list[CandidateScore]]:
        """Score candidates by the script."""
        return [
            [
                CandidateScore((candidate,), np.log([p]))
                for candidate, p in zip(candidates, _SCRIPTS[self.script](prompt, candidates), strict=True)
            ]
            for prompt in prompts
        ]

    def generate(self, prompt: str, schema: type[BaseModel], n: int = 1, seed: int = 0) -> list[BaseModel]:
        """Write n objects of a finite schema: the likeliest one, or samples."""
        values = finite_values(schema)
        weights = np.array(_SCRIPTS[self.script](prompt, [v.model_dump_json() for v in values]))
        if n == 1:
            return [values[int(weights.argmax())]]
        return [values[i] for i in np.random.default_rng(seed).choice(len(values), size=n, p=weights)]
