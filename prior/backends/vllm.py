"""The vllm backend: vLLM in this process, without a server; exact scores from the log-probabilities of the prompt.

vLLM pins a torch of its own, so it is not among this package's extras: install it in an environment of its own (see
docs/backends.md), or run its server and use the openai backend.
"""

import logging
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Self

import numpy as np
from pydantic import BaseModel, ValidationError

from prior.backends.base import CandidateScore
from prior.backends.models import DEFAULT_MODEL, ModelFolder, find_model
from prior.backends.transformers import Tokens, split
from prior.backends.transport import name_query
from schemas.config import PriorConfig
from schemas.errors import ModelError

_log = logging.getLogger("instructrl")
_INSTALL = "pip install 'vllm>=0.12' in an environment of its own, or run its server and use --backend openai"
_MOST_TOKENS = 512  # of a generated object


class VllmBackend:
    """A causal language model run by vLLM."""

    name = "vllm"
    exact = True
    chunk_size = 256  # vLLM batches what it is given; the larger, the faster

    def __init__(self, model: str | None = None) -> None:
        self.model_name = model or DEFAULT_MODEL
        self._engine: Any = None

    @classmethod
    def from_config(cls, config: PriorConfig) -> Self:
        """Build from the config's model name."""
        return cls(config.model)

    @cached_property
    def folder(self) -> ModelFolder:
        """Where the model lies; looked up once."""
        return find_model(self.model_name)

    @property
    def identity(self) -> dict[str, str]:
        """Backend, model as the user named it, and the digest of its files."""
        return {"backend": self.name, "model": self.model_name, "revision": self.folder.revision}

    def load(self) -> Any:
        """Return vLLM's engine, started once. Raises ModelError without vLLM, or when it cannot run the model."""
        if self._engine is None:
            vllm = _vllm()
            try:
                self._engine = vllm.LLM(model=str(self.folder.path), logprobs_mode="raw_logprobs", seed=0)
            except Exception as error:  # the engine raises many types, from CUDA's to its own
                reason = " ".join(str(error).split())[:160]
                raise ModelError(f"--model: vLLM cannot run {self.model_name} ({reason})") from None
        return self._engine

    def score(self, prompts: Sequence[str], candidates: Sequence[str]) -> list[list[CandidateScore]]:
        """Score candidates exactly (see Backend): each is one sequence whose tokens' log-probabilities are read.

        Raises ModelError naming the query when the engine's answer is not one finite log-probability a token.
        """
        if not prompts:
            return []
        engine, vllm = self.load(), _vllm()
        tokenizer = engine.get_tokenizer()
        pieces = [split(tokenizer, prompt, candidates) for prompt in prompts]
        wanted = [(context, tail) for context, tails in pieces for tail in tails]
        # One token has to be generated; prompt_logprobs=0 lists each token of the prompt and no alternatives.
        settings = vllm.SamplingParams(max_tokens=1, temperature=0.0, prompt_logprobs=0, detokenize=False)
        inputs = [{"prompt_token_ids": list(context + tail)} for context, tail in wanted]
        outputs = engine.generate(inputs, settings, use_tqdm=False)
        if len(outputs) != len(wanted):
            raise ModelError(f"vllm: {len(outputs)} answers to {len(wanted)} sequences")
        size, rows = len(candidates), []
        for number, prompt in enumerate(prompts):
            part = zip(candidates, wanted[number * size :], outputs[number * size :], strict=False)
            rows.append([_read(output, *tokens, name_query(prompt, c)) for c, tokens, output in part])
        return rows

    def generate(self, prompt: str, schema: type[BaseModel], n: int = 1, seed: int = 0) -> list[BaseModel]:
        """Write n objects under the schema's grammar; each is validated here again (see Backend)."""
        engine, vllm = self.load(), _vllm()
        settings = vllm.SamplingParams(
            n=n,
            seed=seed,
            temperature=0.0 if n == 1 else 1.0,
            max_tokens=_MOST_TOKENS,
            structured_outputs=vllm.sampling_params.StructuredOutputsParams(json=schema.model_json_schema()),
        )
        (output,) = engine.generate([prompt], settings, use_tqdm=False)
        texts = [written.text for written in output.outputs]
        if len(texts) != n:
            raise ModelError(f"vllm: {len(texts)} objects instead of {n}; {name_query(prompt)}")
        try:
            return [schema.model_validate_json(text) for text in texts]
        except ValidationError:
            raise ModelError(f"vllm: an answer does not meet the schema; {name_query(prompt)}") from None


def _vllm() -> Any:
    try:
        import vllm
        import vllm.sampling_params
    except ImportError as error:
        raise ModelError(
            f"--backend: vllm cannot be imported ({' '.join(str(error).split())[:80]}); {_INSTALL}"
        ) from None
    return vllm


def _read(output: Any, context: Tokens, tail: Tokens, query: str) -> CandidateScore:
    listed = output.prompt_logprobs
    if listed is None or len(listed) != len(context) + len(tail):
        raise ModelError(f"vllm: {len(listed or [])} log-probabilities of {len(context) + len(tail)} tokens; {query}")
    values = []
    for token, entry in zip(tail, listed[len(context) :], strict=True):
        value = entry[token].logprob if entry and token in entry else None
        if value is None or not np.isfinite(value) or value > 1e-4:
            raise ModelError(f"vllm: token {token} has the log-probability {value}; it must be <= 0; {query}")
        values.append(min(float(value), 0.0))
    return CandidateScore(tail, np.array(values, dtype=np.float64))
