"""The paper's prior for Hanabi (Section 5.2): one yes/no question for each pair of observation and action."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from envs.base import Game
from prior import prompts
from prior.backends.base import Backend
from prior.calibration import normalized
from prior.scoring import log_distribution
from schemas.config import PriorConfig


class YesNo:
    """Raw scores are log-odds of yes against no; an action's score is log P(yes), as far as that can be trusted.

    Small models say yes, or no, to everything. Batch calibration (Zhou et al., ICLR 2024) subtracts the mean log-odds
    of all questions, so that half of them count as yes; without it the bias stays. The paper thresholded the answers
    to 0/1: `--coarse binary` does, on the calibrated odds.
    """

    version = prompts.YES_NO_VERSION

    def __init__(self, game: Game, backend: Backend, config: PriorConfig) -> None:
        self._game, self.backend, self._config = game, backend, config

    def scores(self, instruction: str, texts: Sequence[str], legal: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return log P(yes) - log P(no), float64[N, A], -inf where not legal."""
        actions = [action.text for action in self._game.actions]
        questions = [prompts.yes_no(instruction, text, action) for text in texts for action in actions]
        both = np.ones(2, dtype=np.bool_)
        rows = self.backend.score(questions, [" Yes", " No"])
        logs = np.array([log_distribution(row, both, self._config.normalization) for row in rows])
        return np.where(legal, (logs[:, 0] - logs[:, 1]).reshape(len(texts), len(actions)), -np.inf)

    def finish(self, raw: NDArray[np.float64], legal: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Turn log-odds into log-probabilities over legal actions, float64[N, A]."""
        odds = raw - raw[legal].mean() if self._config.calibration == "batch" else raw
        if self._config.coarse == "binary":
            return normalized(np.where(legal, (odds > 0).astype(np.float64), -np.inf))
        return normalized(np.where(legal, -np.logaddexp(0.0, -np.where(legal, odds, 0.0)), -np.inf))
