"""The convention prior: a program of rules, executed over all observations at once.

The program is read from a file, or compiled from the instruction: by the trained compiler, or by the model of another
backend, whose samples vote. What is not understood is an error; nothing falls back.
"""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from envs.base import Game
from envs.convention import convention_prior, number_prior
from envs.hanabi import PRESETS, preset
from prior.backends.base import make_backend
from prior.compiler.by_server import compile_by_votes
from prior.compiler.compile import Compiled, Compiler, NotUnderstoodError
from schemas import program
from schemas.command_line import read_toml
from schemas.config import PriorConfig
from schemas.convention import Convention
from schemas.errors import UserError
from schemas.program import Program
from schemas.say_select import NumberConvention


class FromConvention:
    """All moves that the convention allows are equally likely; epsilon smooths what it rules out."""

    version = "convention/2"
    backend = None

    def __init__(self, game: Game, config: PriorConfig) -> None:
        self._game, self._config = game, config
        self.kind = game_kind(game)
        self.compiled: Compiled | None = None
        self._read = None if config.convention is None else _read(self.kind, config.convention)

    @property
    def instruction(self) -> str:
        """What a file's convention says in words; empty if it is compiled from an instruction."""
        return "" if self._read is None else self._read.instruction or self._read.words()

    @cached_property
    def _compiler(self) -> Compiler:
        return Compiler()

    @property
    def identity(self) -> dict[str, str]:
        """What compiled the instruction: the compiler's model and adapter, or the backend; empty for a file."""
        if self._read is not None:
            return {"backend": "none", "model": "", "revision": ""}
        if self._config.backend == "transformers":
            return self._compiler.identity
        return make_backend(self._config).identity

    def compile(self, instruction: str) -> Compiled:
        """Compile an instruction, understood or not."""
        if self._config.backend == "transformers":
            return self._compiler.compile(self.kind, instruction)
        backend = make_backend(self._config)
        return compile_by_votes(backend, self.kind, instruction, self._config.server.samples)

    def scores(self, instruction: str, texts: Sequence[str], legal: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the convention's log-probabilities; the null observation and the null instruction are uniform.

        Raises NotUnderstoodError if the instruction has no program, UserError if the user does not confirm it.
        """
        if self._read is not None:
            meant = self._read
        elif not instruction:
            return np.full((len(texts), legal.shape[1]), -np.log(legal.shape[1]))
        else:
            meant = self._confirmed(instruction)
        with np.errstate(divide="ignore"):
            rows = np.log(execute(meant, self._game))
        return np.vstack([rows, np.full((1, rows.shape[1]), -np.log(rows.shape[1]))])

    def finish(self, raw: NDArray[np.float64], legal: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Scores are log-probabilities already."""
        return raw

    def _confirmed(self, instruction: str) -> Program:
        self.compiled = compiled = self.compile(instruction)
        meant = compiled.program
        if not compiled.understood or meant is None:
            raise NotUnderstoodError(compiled)
        print(compiled.text())
        if self._config.confirm and not self._config.yes:
            try:
                answer = input("Use this program? [y/N] ")
            except EOFError:
                raise UserError("--confirm: there is nobody to ask; --yes takes the program as it is") from None
            if answer.strip().lower() not in ("y", "yes"):
                raise UserError("--confirm: the program was turned down; say the instruction in other words")
        return meant


def game_kind(game: Game) -> program.Game:
    """Return the game whose programs these are. Raises UserError if there are none."""
    if game.name in PRESETS:
        return "hanabi"
    if game.name == "say-select":
        return "say-select"
    raise UserError(f"--prior convention: conventions are for {', '.join(PRESETS)}, say-select, not for {game.name}")


def execute(meant: Program, game: Game) -> NDArray[np.float64]:
    """Return a program as probabilities float64[num_observations, num_actions]. Raises UserError if it does not fit."""
    return convention_prior(meant, preset(game.name)) if isinstance(meant, Convention) else number_prior(meant)


def _read(kind: program.Game, file: Path) -> Program:
    if kind == "hanabi":
        return read_toml(Convention, str(file), "--convention")
    return read_toml(NumberConvention, str(file), "--convention")
