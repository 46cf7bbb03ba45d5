"""The structured prior: the probability that the model writes each legal function call, scored as a whole string."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from envs.base import Game
from prior import prompts
from prior.backends.base import Backend
from prior.scoring import log_distribution
from schemas.config import PriorConfig


class Structured:
    """Function calling with exact scores; the default method."""

    version = prompts.STRUCTURED_VERSION

    def __init__(self, game: Game, backend: Backend, config: PriorConfig) -> None:
        self._game, self.backend, self._normalization = game, backend, config.normalization
        self.candidates = [action.call.json_text() for action in game.actions]

    def prompt(self, instruction: str, observation: str) -> str:
        """Return the prompt that the calls are scored after."""
        return prompts.structured(self._game, instruction, observation)

    def scores(self, instruction: str, texts: Sequence[str], legal: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return log-probabilities float64[N, A], -inf where not legal; `instruction` may be empty (the null)."""
        rows = self.backend.score([self.prompt(instruction, text) for text in texts], self.candidates)
        return np.array([log_distribution(r, ok, self._normalization) for r, ok in zip(rows, legal, strict=True)])

    def finish(self, raw: NDArray[np.float64], legal: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Scores are log-probabilities already."""
        return raw
