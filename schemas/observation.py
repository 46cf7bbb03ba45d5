"""What a free utterance may mean in a game: the finite schema that it is parsed into, or "not understood".

The observation model of a game is a Pydantic model whose fields are Literals; `said: None` is the explicit
outcome "not understood", so that no wording can smuggle a value in that the game does not have.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class SaySelectObservation(BaseModel):
    """What Bob heard in Say-Select: the number that his partner settled on, or nothing that can be understood."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    said: Literal[1, 2, 3, 4, 5] | None = Field(
        description="the number that the partner settled on; null if the partner named none from 1 to 5"
    )


class ParsedUtterance(BaseModel):
    """Outcome of parsing one utterance; `observation` is None exactly when it was not understood.

    `confidence` is that of the outcome, 1/2 to 1, made of the model's exact probabilities (prior.utterance says how).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    utterance: str
    understood: bool
    observation: dict[str, int | str] | None
    confidence: float = Field(ge=0, le=1)
