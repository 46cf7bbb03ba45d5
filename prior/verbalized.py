"""The verbalized prior: the model writes an integer weight for every action into a Pydantic object."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, create_model

from envs.base import Game
from prior import prompts
from prior.backends.base import Backend
from prior.calibration import normalized
from schemas.config import PriorConfig
from schemas.errors import ModelError

_Weight = Literal[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]


class Verbalized:
    """Weights generated under a schema with a field an action; never exact, and at chance for small models."""

    version = prompts.VERBALIZED_VERSION

    def __init__(self, game: Game, backend: Backend, config: PriorConfig) -> None:
        self._game, self.backend = game, backend

    def scores(self, instruction: str, texts: Sequence[str], legal: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return log of weight + 1/2, normalized over legal actions, float64[N, A].

        The half keeps an action that was given 0 possible (a Jeffreys prior on counts). Raises ModelError naming the
        observation if all its weights are 0: that is no answer, and must not become a uniform row.
        """
        rows = []
        for text, allowed in zip(texts, legal, strict=True):
            schema = self._schema(allowed)
            (written,) = self.backend.generate(prompts.verbalized(self._game, instruction, text), schema)
            weights = written.model_dump(by_alias=True)
            row = np.array([weights.get(name, 0) for name in self._game.action_names], dtype=np.float64)
            if not row[allowed].any():
                raise ModelError(f"prior: the model gave every action the weight 0 after {text!r}")
            rows.append(np.where(allowed, np.log(row + 0.5), -np.inf))
        return normalized(np.array(rows))

    def finish(self, raw: NDArray[np.float64], legal: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Scores are log-probabilities already."""
        return raw

    def _schema(self, legal: NDArray[np.bool_]) -> type[BaseModel]:
        fields: dict[str, Any] = {
            f"action_{i}": (_Weight, Field(alias=name))
            for i, (name, ok) in enumerate(zip(self._game.action_names, legal, strict=True))
            if ok
        }
        return create_model("Weights", __config__=ConfigDict(extra="forbid"), **fields)
