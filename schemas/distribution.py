"""A probability for every legal action and for nothing else."""

import math
from collections.abc import Sequence
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Normalization = Literal["global", "local", "mean"]


class Agreement(BaseModel):
    """How far the other normalizations are from global: total variation distances, and whether the top is the same."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    local: float = Field(ge=0)
    mean: float = Field(ge=0)
    same_top: bool


class ActionDistribution(BaseModel):
    """Probabilities over named legal actions.

    `legal` lists the actions that may be taken; `probabilities` names a subset of them (an action left out has
    probability 0). Raises pydantic's ValidationError (a ValueError) when a name is not legal or stands twice in
    `legal`, when a probability is negative or not finite, or when the sum is off 1 by more than 1e-6.

    `mass` is the probability that the unconstrained model gives all legal strings together: how far the constraint
    overrides it (1: not at all). `agreement` compares the normalizations. Both are None where they were not computed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    legal: tuple[str, ...]
    probabilities: dict[str, float]
    normalization: Normalization = "global"
    mass: float | None = None
    agreement: Agreement | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(set(self.legal)) != len(self.legal):
            raise ValueError(f"legal: an action is listed twice in {list(self.legal)}")
        illegal = [name for name in self.probabilities if name not in self.legal]
        if illegal:
            raise ValueError(f"probabilities: {illegal[0]!r} is not legal; legal are {', '.join(self.legal)}")
        for name, value in self.probabilities.items():
            if not math.isfinite(value) or value < 0:
                raise ValueError(f"probabilities: {name!r} has {value}; a finite number >= 0 is needed")
        total = math.fsum(self.probabilities.values())
        if abs(total - 1) > 1e-6:
            raise ValueError(f"probabilities: they sum to {total:.9g}, not to 1")
        return self

    def row(self, actions: Sequence[str]) -> list[float]:
        """Return one probability for each of `actions`, in their order, 0 where an action is not legal."""
        missing = [name for name in self.legal if name not in actions]
        if missing:
            raise ValueError(f"actions: {missing[0]!r} is legal but not among {', '.join(actions)}")
        return [self.probabilities.get(name, 0.0) for name in actions]

    @property
    def top(self) -> str:
        """The most probable action; the first in `legal` when several tie."""
        return max(self.legal, key=lambda name: self.probabilities.get(name, 0.0))

    @property
    def entropy(self) -> float:
        """Entropy in nats."""
        return -math.fsum(p * math.log(p) for p in self.probabilities.values() if p > 0)
