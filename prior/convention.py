"""The convention prior: a program of rules, executed over all observations at once; no model is asked."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from envs.base import Game
from envs.convention import convention_prior
from envs.hanabi import PRESETS, preset
from schemas.command_line import read_toml
from schemas.convention import Convention
from schemas.errors import UserError


class FromConvention:
    """All moves that the convention allows are equally likely; epsilon smooths what it rules out."""

    version = "convention/1"
    backend = None

    def __init__(self, game: Game, file: Path | None) -> None:
        if game.name not in PRESETS:
            raise UserError(f"--prior convention: conventions are for {', '.join(PRESETS)}, not for {game.name}")
        if file is None:
            raise UserError("--prior convention: name its file with --convention FILE (TOML)")
        self.convention = read_toml(Convention, str(file), "--convention")
        with np.errstate(divide="ignore"):
            self._scores = np.log(convention_prior(self.convention, preset(game.name)))

    def scores(self, instruction: str, texts: Sequence[str], legal: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the convention's log-probabilities; the null observation, of which it says nothing, is uniform."""
        return np.vstack([self._scores, np.full((1, self._scores.shape[1]), -np.log(self._scores.shape[1]))])

    def finish(self, raw: NDArray[np.float64], legal: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Scores are log-probabilities already."""
        return raw
