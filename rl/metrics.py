"""What partners did in a record of games: scores, knowledge, adherence to conventions, and how sure the numbers are.

A statistic is kept as a pair of sums for every game, what was counted and out of how many, so that any of them is a
ratio of totals and has the same bootstrap interval over games.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from envs.hanabi_rules import HanabiRules
from envs.language import Event, events
from rl.play import BOTH_KNOWN, COLOR_KNOWN, NO_CARD, RANK_KNOWN, UNKNOWN, Games
from rl.regularizer import kl_divergence, masked_log_softmax

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
RESAMPLES = 1000
_TIE = 1e-6  # nats: moves of a prior that are as good as its best one


class Ratio(NamedTuple):
    """A statistic of N games: the sum of `counted` over the sum of `total`."""

    counted: Floats  # [N]
    total: Floats  # [N]


class Estimate(NamedTuple):
    """A value and its 95% interval; nan where there was nothing to count, or too little for an interval."""

    value: float
    low: float
    high: float

    def json(self) -> dict[str, float | None]:
        """Return the numbers by name, null for nan and infinity."""
        return {name: float(x) if np.isfinite(x) else None for name, x in self._asdict().items()}


def statistics(
    games: Games, priors: Mapping[str, NDArray[np.floating]] | None = None, partner: int | None = None
) -> dict[str, Ratio]:
    """Count what happened, in the moves of one `partner` or of all.

    `priors`: log-probabilities [K, A] by name, indexed by obs_key. Returned are

    - score, perfect, bomb (the lives ran out), moves (in a game, of everyone);
    - unknown, color_known, rank_known, both_known: shares of the played cards by what hints had named of them;
    - response_color, response_rank: how often the move after a hint of that kind plays one of the hinted cards;
    - hint_color: share of colors among the hints given;
    - agreement_NAME: share of the states in which the prior prefers some legal moves to others where the move is one
      of those it likes best;
    - kl_NAME: KL(pi || prior) in nats over the states whose log-probabilities the record has, both over legal moves.
    """
    made = games.alive if partner is None else games.alive & (games.partner == partner)
    hints = _Hints.of(games.rules)
    action, hand = games.action.astype(np.int64), games.rules.hand_size
    after_color, after_rank = hints.color[games.obs_key], hints.rank[games.obs_key]
    slot = action - hand
    plays = (slot >= 0) & (slot < hand)
    obeys = plays & (hints.mask[games.obs_key] >> np.clip(slot, 0, hand - 1) & 1 > 0)
    hints_color = (action >= 2 * hand) & (action < 2 * hand + games.rules.colors)
    gives_hint = action >= 2 * hand
    ones = np.ones(len(games.scores))
    shares = {"unknown": UNKNOWN, "color_known": COLOR_KNOWN, "rank_known": RANK_KNOWN, "both_known": BOTH_KNOWN}
    found = {
        "score": Ratio(games.scores.astype(np.float64), ones),
        "perfect": Ratio((games.scores == games.rules.max_score).astype(np.float64), ones),
        "bomb": Ratio((games.lives == 0).astype(np.float64), ones),
        "moves": Ratio(games.alive.sum(0).astype(np.float64), ones),
        **{name: _share(games.knowledge == k, made & (games.knowledge != NO_CARD)) for name, k in shares.items()},
        "response_color": _share(obeys, made & after_color),
        "response_rank": _share(obeys, made & after_rank),
        "hint_color": _share(hints_color, made & gives_hint),
    }
    known = made & ~np.isnan(games.log_probs).any(-1)
    for name, prior in (priors or {}).items():
        found[f"agreement_{name}"] = _agreement(games, made, prior)
        if known.any():
            found[f"kl_{name}"] = _divergence(games, known, prior)
    return found


def estimates(found: Mapping[str, Ratio], seed: int = 0, resamples: int = RESAMPLES) -> dict[str, Estimate]:
    """Return every statistic with its 95% interval: the percentile bootstrap over games."""
    counts, totals = (np.stack(part, axis=1) for part in zip(*found.values(), strict=True))  # [N, statistics]
    games = len(counts)
    picked = np.random.default_rng(seed).integers(0, games, (resamples, games))
    rows = picked + np.arange(resamples)[:, None] * games
    weights = np.bincount(rows.ravel(), minlength=resamples * games).reshape(resamples, games).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        values = counts.sum(0) / totals.sum(0)
        resampled = (weights @ counts) / (weights @ totals)
    return {name: _estimate(value, draws) for name, value, draws in zip(found, values, resampled.T, strict=True)}


def over_seeds(values: Sequence[float], seed: int = 0, resamples: int = RESAMPLES) -> Estimate:
    """Return the mean over seeds with its interval, the percentile bootstrap over seeds; one seed has none."""
    data = np.asarray(values, np.float64)
    data = data[np.isfinite(data)]
    if not len(data):
        return Estimate(np.nan, np.nan, np.nan)
    if len(data) == 1:
        return Estimate(float(data[0]), np.nan, np.nan)
    return _estimate(data.mean(), np.random.default_rng(seed).choice(data, (resamples, len(data))).mean(1))


def action_counts(games: Games, partner: int | None = None) -> NDArray[np.int64]:
    """Count answers, int64[A, A]: how often move b (columns) came right after move a (rows), by b's maker."""
    answered = games.alive[1:] if partner is None else games.alive[1:] & (games.partner[1:] == partner)
    moves = games.rules.num_moves
    pairs = games.action[:-1].astype(np.int64) * moves + games.action[1:]
    return np.bincount(pairs[answered], minlength=moves * moves).reshape(moves, moves)


def action_matrix(counts: NDArray[np.int64]) -> Floats:
    """Return P(a_{t+1} | a_t), float[A, A]: rows sum to 1; nan after moves that were never made."""
    with np.errstate(invalid="ignore"):
        return counts / counts.sum(1, keepdims=True)


class _Hints(NamedTuple):
    """What the last move of every row of Game.observations was."""

    color: Bools  # [K] a color hint to me
    rank: Bools  # [K] a rank hint to me
    mask: NDArray[np.int64]  # [K] the hinted cards of mine, as bits

    @classmethod
    def of(cls, rules: HanabiRules) -> "_Hints":
        seen: tuple[Event, ...] = events(rules)
        return cls(
            np.array([e.to_me and e.kind == "hint_color" for e in seen]),
            np.array([e.to_me and e.kind == "hint_rank" for e in seen]),
            np.array([sum(1 << card for card in e.cards) if e.to_me else 0 for e in seen]),
        )


def _share(what: Bools, among: Bools) -> Ratio:
    """Count `what` among the moves `among`, bool[T, N] each."""
    return Ratio((what & among).sum(0).astype(np.float64), among.sum(0).astype(np.float64))


def _agreement(games: Games, made: Bools, prior: NDArray[np.floating]) -> Ratio:
    said = np.where(games.legal, prior[games.obs_key], -np.inf)
    best = games.legal & (said >= said.max(-1, keepdims=True) - _TIE)
    prefers = (best != games.legal).any(-1)
    agrees = np.take_along_axis(best, games.action.astype(np.int64)[..., None], -1)[..., 0]
    return _share(agrees, made & prefers)


def _divergence(games: Games, known: Bools, prior: NDArray[np.floating]) -> Ratio:
    legal = torch.from_numpy(games.legal[known])
    log_prior = masked_log_softmax(torch.from_numpy(prior[games.obs_key[known]]), legal)
    summed = np.zeros(known.shape)
    summed[known] = kl_divergence(torch.from_numpy(games.log_probs[known]), log_prior, legal).numpy()
    return Ratio(summed.sum(0), known.sum(0).astype(np.float64))


def _estimate(value: float, draws: Floats) -> Estimate:
    draws = draws[np.isfinite(draws)]
    if not len(draws):
        return Estimate(float(value), np.nan, np.nan)
    low, high = np.percentile(draws, [2.5, 97.5])
    return Estimate(float(value), float(low), float(high))
