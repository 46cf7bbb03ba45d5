"""Exact probabilities of a finite set of strings: pure functions of the tokens' log-probabilities.

global   log P(string), renormalized over the legal strings. The model's own distribution, conditioned on legality.
local    the product of token steps, each renormalized over the legal tokens: what masked sampling draws from. It can
         be far from global, because an early token is chosen before its rare continuations are seen.
mean     log P(string) / tokens, renormalized: removes the penalty on long strings, at the price of exactness.
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from prior.backends.base import CandidateScore
from schemas.distribution import Normalization
from schemas.errors import UserError


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
