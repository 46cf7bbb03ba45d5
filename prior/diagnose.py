"""Measures of a prior that need no training: does it move when it should, hold still when it should, and decide?"""

import time
from collections.abc import Sequence
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from envs.base import Control, Game
from prior.base import Prior, PriorTable
from schemas.config import Method, PriorConfig
from schemas.errors import UserError

_AMBIGUOUS = 0.1  # the second best is as good as the best within this much probability


def top_accuracy(table: PriorTable, control: Control) -> float:
    """Share of observations whose most probable action obeys the control; those that it leaves open do not count."""
    hits = []
    for row, observation in enumerate(table.game.observations):
        obeys = control.obeys(observation)
        if obeys:
            hits.append(table.game.action_names[int(table.log_probs[row].argmax())] in obeys)
    return float(np.mean(hits))


def kl_rows(p: NDArray[np.float64], q: NDArray[np.float64]) -> NDArray[np.float64]:
    """KL(p || q) of each row in nats, float64[N]; infinite where q rules out what p allows."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(p > 0, p * (np.log(p) - np.log(q)), 0.0).sum(axis=1)


def mean_kl(p: NDArray[np.float64], q: NDArray[np.float64]) -> float:
    """Mean of KL(p || q) over rows, in nats."""
    return float(kl_rows(p, q).mean())


def entropies(probs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Entropy of each row in nats."""
    return -np.where(probs > 0, probs * np.log(np.where(probs > 0, probs, 1.0)), 0.0).sum(axis=1)


def ambiguous(game: Game, probs: NDArray[np.float64]) -> list[dict[str, Any]]:
    """List the observations in which the prior hesitates: the two best actions within 0.1 of each other."""
    found = []
    for row, observation in enumerate(game.observations):
        first, second = np.argsort(-probs[row], kind="stable")[:2]
        if probs[row, first] - probs[row, second] < _AMBIGUOUS:
            names = game.action_names
            found.append(
                {
                    "key": observation.key,
                    "text": observation.text,
                    "between": [names[first], names[second]],
                    "probabilities": [float(probs[row, first]), float(probs[row, second])],
                }
            )
    return found


def paraphrase_spread(prior: Prior, wordings: Sequence[str]) -> NDArray[np.float64]:
    """Mean KL over observations between the priors of every two wordings, float64[W, W]; near 0 is robust."""
    tables = [prior.table(wording).probs for wording in wordings]
    return np.array([[mean_kl(p, q) for q in tables] for p in tables])


def compare_styles(config: PriorConfig, game: Game) -> list[dict[str, Any]]:
    """Ask in every style that the game and backend support: accuracy, entropy, strings scored and seconds of each.

    Seconds are those of asking now: next to nothing where the table is in the cache.
    """
    instruction = config.instruction or game.default_instruction
    known = game.intended(instruction)
    rows = []
    for method in get_args(Method):
        if method in ("none", "uniform", "file", "convention"):
            continue
        calibration = "batch" if method == "yes-no" else "none"
        start = time.perf_counter()
        try:
            prior = Prior(config.model_copy(update={"method": method, "calibration": calibration}), game)
            table = prior.table()
        except UserError as error:
            rows.append({"method": method, "failed": str(error)})
            continue
        questions = (len(game.observations) + 1) * (1 if method == "verbalized" else len(game.actions))
        rows.append(
            {
                "method": method,
                "exact": prior.exact,
                "top1_accuracy": top_accuracy(table, known) if known else None,
                "entropy": float(entropies(table.probs).mean()),
                "strings": questions * (2 if method == "yes-no" else 1),
                "seconds": time.perf_counter() - start,
            }
        )
    return rows
