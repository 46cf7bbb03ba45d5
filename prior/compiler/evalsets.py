"""Instructions written by hand with the programs that they mean (eval/*.toml), held out from all training.

Each file maps, for every game, an instruction to its program in the text form of schemas.program, or to several where
the sentence can fairly be read in several ways, the likeliest first. An answer is right if it executes to the same
prior over all observations as one of them. What is to be refused may be refused for any reason.
"""

from functools import cache
from pathlib import Path
from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, RootModel, ValidationError, model_validator

from envs.convention import convention_prior, number_prior
from envs.hanabi_rules import HanabiRules
from schemas.command_line import explain, read_toml
from schemas.convention import Convention
from schemas.errors import UserError
from schemas.program import Game, Program, Reason, read

FOLDER = Path(__file__).parent / "eval"
SETS = ("messy", "say_select_controls", "multi_rule", "contrast", "refuse", "plain")
DEV = "dev"  # used for tuning


class Case(BaseModel):
    """One instruction and the programs, or refusals, that are right for it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    game: Game
    instruction: str
    programs: tuple[str, ...] = Field(min_length=1, description="the text of each right program, the likeliest first")

    @model_validator(mode="after")
    def _check(self) -> Self:
        try:
            refusals = {table is None for table in self.tables}
        except UserError as error:
            raise ValueError(str(error)) from None
        if len(refusals) > 1:
            raise ValueError("an instruction is refused or has programs, not both")
        return self

    @property
    def tables(self) -> tuple[NDArray[np.float64] | None, ...]:
        """Its programs, executed: float64[num_observations, num_actions] each; None for a refusal."""
        return tuple(_executed(self.game, text) for text in self.programs)

    @property
    def refused(self) -> bool:
        """Whether no program says what the instruction asks for."""
        return self.tables[0] is None

    def accepts(self, answer: Program | Reason) -> bool:
        """Tell whether an answer is right. Raises UserError if it leaves no move after some event."""
        table = execute(answer)
        if table is None:
            return self.refused
        return any(known is not None and np.array_equal(table, known) for known in self.tables)


def execute(answer: Program | Reason) -> NDArray[np.float64] | None:
    """Execute a program over all observations, float64[num_observations, num_actions]; None for a refusal.

    Raises UserError if the program leaves no move after some event.
    """
    if isinstance(answer, str):
        return None
    return convention_prior(answer, HanabiRules()) if isinstance(answer, Convention) else number_prior(answer)


@cache
def _executed(game: Game, text: str) -> NDArray[np.float64] | None:
    return execute(read(game, text))


def _several(programs: object) -> object:
    return (programs,) if isinstance(programs, str) else programs


class _File(RootModel[dict[Game, dict[str, Annotated[tuple[str, ...], BeforeValidator(_several)]]]]):
    """Games, their instructions and one program or several for each."""


def read_set(name: str) -> tuple[Case, ...]:
    """Read one of SETS, or DEV. Raises UserError naming the instruction whose program is wrong."""
    file, cases = FOLDER / f"{name}.toml", []
    for game, instructions in read_toml(_File, str(file)).root.items():
        for instruction, programs in instructions.items():
            try:
                cases.append(Case(game=game, instruction=instruction, programs=programs))
            except ValidationError as error:
                raise UserError(f"{file}: {instruction!r}: {explain(error, Case)}") from None
    return tuple(cases)
