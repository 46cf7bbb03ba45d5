"""Exact probabilities of a finite set of strings: pure functions of the tokens' log-probabilities.

global   log P(string), renormalized over the legal strings. The model's own distribution, conditioned on legality.
local    the product of token steps, each renormalized over the legal tokens: what masked sampling draws from. It can
         be far from global, because an early token is chosen before its rare continuations are seen.
mean     log P(string) / tokens, renormalized: removes the penalty on long strings, at the price of exactness.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, TypeAdapter

from prior.backends.base import Backend, CandidateScore
from schemas.distribution import ActionDistribution, Agreement, Normalization
from schemas.errors import UserError
from schemas.finite import finite_values, tool_calls
from schemas.tools import Tool


def distribution(
    backend: Backend, prompt: str, schema: Any, normalization: Normalization = "global"
) -> ActionDistribution:
    """Return the model's probability of every value that a finite schema, or a list of tools, allows.

    `schema`: a Pydantic model or any type that is finite (Literal, Enum, bool, bounded int, unions, models of them),
    or a list of tools (schemas.tools.Tool, or mappings in OpenAI's format). Values are scored as the JSON text that
    continues `prompt`. The names in the result are the calls as code for tools, plain values for scalars, and the
    JSON text for objects. Raises UserError if the schema is not finite or two values read the same to the model.
    """
    names, texts = choices(schema)
    (scores,) = backend.score([prompt], texts)
    legal = np.ones(len(names), dtype=np.bool_)
    probabilities = {kind: np.exp(log_distribution(scores, legal, kind)) for kind in ("global", "local", "mean")}
    exact = probabilities["global"]
    agreement = Agreement(
        local=float(np.abs(probabilities["local"] - exact).sum() / 2),
        mean=float(np.abs(probabilities["mean"] - exact).sum() / 2),
        same_top=len({int(p.argmax()) for p in probabilities.values()}) == 1,
    )
    return ActionDistribution(
        legal=tuple(names),
        probabilities=dict(zip(names, probabilities[normalization].tolist(), strict=True)),
        normalization=normalization,
        mass=min(1.0, float(np.exp(np.logaddexp.reduce([score.logprobs.sum() for score in scores])))),
        agreement=agreement,
    )


def choices(schema: Any) -> tuple[list[str], list[str]]:
    """Return names and JSON texts of all values of a schema or list of tools (see distribution)."""
    if (
        isinstance(schema, Sequence)
        and not isinstance(schema, str)
        and all(isinstance(tool, Tool | Mapping) for tool in schema)
    ):
        calls = tool_calls(schema)
        return [str(call) for call in calls], [call.json_text() for call in calls]
    adapter = TypeAdapter(schema)
    values = finite_values(schema)
    texts = [json.dumps(adapter.dump_python(value, mode="json")) for value in values]
    names = [
        text if isinstance(value, BaseModel) else str(adapter.dump_python(value, mode="json"))
        for value, text in zip(values, texts, strict=True)
    ]
    # A bare 1 is the beginning of 10: a line break ends what no brace or quote ends.
    return names, [text if text[-1] in '}"]' else text + "\n" for text in texts]


def log_distribution(
    scores: Sequence[CandidateScore], legal: NDArray[np.bool_], normalization: Normalization = "global"
) -> NDArray[np.float64]:
    """Return log-probabilities float64[C] over the candidates, -inf where `legal`, bool[C], is False.

    Raises UserError if no candidate is legal, or if one is the beginning of another: a probability of the shorter
    would then include the longer.
    """
    kept = [i for i, ok in enumerate(legal) if ok]
    if not kept:
        raise UserError("legal: no action is legal; a prior needs at least one")
    _check_prefix_free([scores[i].tokens for i in kept])
    if normalization == "local":
        values = _local([scores[i] for i in kept])
    else:
        values = np.array([scores[i].logprobs.sum() for i in kept])
        if normalization == "mean":
            values /= [len(scores[i].tokens) for i in kept]
    out = np.full(len(legal), -np.inf)
    out[kept] = values - np.logaddexp.reduce(values)
    return out


def _check_prefix_free(sequences: Sequence[tuple[int | str, ...]]) -> None:
    known = set(sequences)
    if len(known) < len(sequences):
        raise UserError("actions: two of them are the same tokens to this model")
    for sequence in sequences:
        if any(sequence[:end] in known for end in range(len(sequence))):
            raise UserError("actions: one of them is the beginning of another; end each with a mark of its own")


def _local(scores: Sequence[CandidateScore]) -> NDArray[np.float64]:
    steps: dict[tuple[int | str, ...], dict[int | str, float]] = defaultdict(dict)
    for score in scores:
        for depth, token in enumerate(score.tokens):
            steps[score.tokens[:depth]][token] = float(score.logprobs[depth])
    total = {prefix: np.logaddexp.reduce(list(children.values())) for prefix, children in steps.items()}
    return np.array(
        [sum(steps[s.tokens[:d]][token] - total[s.tokens[:d]] for d, token in enumerate(s.tokens)) for s in scores]
    )
