"""Cross-play: how well partners play with partners that they were not trained with (Hu & Sadigh, 2023, Section 5)."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from envs.hanabi_engine import Hanabi
from rl.metrics import RESAMPLES, Estimate
from rl.play import Games, play
from rl.policy import Policy

Floats = NDArray[np.float64]


class CrossPlay(NamedTuple):
    """How two groups of seeds, or the seeds of one group, play with each other."""

    score: Estimate  # mean over all pairs of different policies
    self_play: Estimate  # mean score of the policies with themselves
    ratio: Estimate  # score / self_play


def score_matrix(
    env: Hanabi,
    policies: Sequence[Policy],
    seed: int,
    own: Callable[[int, Games], None],
    progress: Callable[[int, int], None] | None = None,
) -> Floats:
    """Play everyone with everyone on the same decks; mean scores float64[P, P], symmetric, self-play on the diagonal.

    Partners change seats in every second game, so that a pair is played once. `own` gets the games of every policy
    with itself; `progress` the pairs done, and in all.
    """
    scores = np.zeros((len(policies), len(policies)))
    pairs = [(i, j) for i in range(len(policies)) for j in range(i, len(policies))]
    for done, (i, j) in enumerate(pairs, start=1):
        games = play(env, [policies[i], policies[j]], seed)
        scores[i, j] = scores[j, i] = games.scores.mean()
        if i == j:
            own(i, games)
        if progress:
            progress(done, len(pairs))
    return scores


def between(scores: Floats, first: Sequence[int], second: Sequence[int], seed: int = 0) -> CrossPlay:
    """Summarize the pairs of a policy in `first` with another one in `second`; the same list twice for one group.

    Pairs share seeds and are not independent: the 95% intervals are the percentile bootstrap over seeds, with all
    pairs among the drawn ones; a seed drawn twice is no pair with itself. There is none where seeds make one pair.
    """
    a, b = np.array(first), np.array(second)
    one_group = list(first) == list(second)
    value = _summary(scores, a[None], b[None])[:, 0]
    if (len(a) if one_group else max(len(a), len(b))) < (3 if one_group else 2):
        return CrossPlay(*(Estimate(float(x), np.nan, np.nan) for x in value))
    rng = np.random.default_rng(seed)
    drawn_a = rng.choice(a, (RESAMPLES, len(a)))
    drawn_b = drawn_a if one_group else rng.choice(b, (RESAMPLES, len(b)))
    draws = _summary(scores, drawn_a, drawn_b)
    low, high = np.nanpercentile(draws, [2.5, 97.5], axis=1)
    return CrossPlay(*(Estimate(*map(float, numbers)) for numbers in zip(value, low, high, strict=True)))


def _summary(scores: Floats, a: NDArray[np.int64], b: NDArray[np.int64]) -> Floats:
    """Cross-play, self-play and their ratio, float[3, R], of R draws of policies int[R, n] and int[R, m]."""
    pairs = scores[a[:, :, None], b[:, None, :]]
    different = a[:, :, None] != b[:, None, :]
    own = np.diag(scores)
    with np.errstate(invalid="ignore", divide="ignore"):
        cross = (pairs * different).sum((1, 2)) / different.sum((1, 2))
        self_play = (own[a].mean(1) + own[b].mean(1)) / 2
        return np.stack([cross, self_play, cross / self_play])
