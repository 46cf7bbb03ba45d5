"""The structured prior mixed with the compiled programs, by posterior weight."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from envs.base import Game
from prior.compiler.compile import Compiler
from prior.convention import execute, game_kind
from prior.structured import Structured


class Mixture:
    """Sum over what the instruction may mean: P(program) times the program, and the model's own calls for the rest.

    The rest is the probability of a refusal and of what decoding did not explore, so that an instruction that is not
    understood leaves the structured prior as it is.
    """

    def __init__(self, game: Game, structured: Structured) -> None:
        self._game, self._structured, self.backend = game, structured, structured.backend
        self._compiler = Compiler()
        self.version = f"{structured.version}+compiled/{self._compiler.identity['revision']}"
        self._rows = {observation.text: row for row, observation in enumerate(game.observations)}

    def prompt(self, instruction: str, observation: str) -> str:
        """Return the prompt of the structured part."""
        return self._structured.prompt(instruction, observation)

    def scores(self, instruction: str, texts: Sequence[str], legal: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return log-probabilities float64[N, A]; the null observation and the null instruction are the model's."""
        own = self._structured.scores(instruction, texts, legal)
        if not instruction:
            return own
        compiled = self._compiler.compile(game_kind(self._game), instruction, explain=False)
        known = [row for row, text in enumerate(texts) if text in self._rows]
        at = [self._rows[texts[row]] for row in known]
        mixed = np.exp(own)
        rest = 1.0
        total = np.zeros_like(mixed[known])
        for reading in compiled.readings:
            if not isinstance(reading.meaning, str):
                total += reading.probability * execute(reading.meaning, self._game)[at]
                rest -= reading.probability
        mixed[known] = total + max(rest, 0.0) * mixed[known]
        with np.errstate(divide="ignore"):
            return np.log(mixed)

    def finish(self, raw: NDArray[np.float64], legal: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Scores are log-probabilities already."""
        return raw
