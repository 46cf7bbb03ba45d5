"""From an instruction to a program or a refusal: the reading, its runner-up, and the clauses that it came from."""

import re
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from envs.convention import convention_prior, number_prior
from envs.hanabi_rules import HanabiRules
from prior.cache import sha256_files
from schemas.convention import Convention
from schemas.errors import UserError
from schemas.program import REASONS, Game, Program, Reason, read

ADAPTER = Path(__file__).parent / "adapter.safetensors"
THRESHOLD = 0.7  # least probability of a program that is understood; set on held-out wordings (docs/compiler.md)
MAX_CHARACTERS = 1200
_CLAUSE = re.compile(r"(?:e\.g\.|i\.e\.|[^.,;!?\n])+[.,;!?\n]*\s*", re.IGNORECASE)
_MOST_CLAUSES, _LEAST_WORDS = 8, 2  # of an explanation: each clause costs a pass over the instruction without it
_MATTERS = 0.7  # nats by which leaving out a clause must lower a rule's probability for the rule to come from it


@dataclass(frozen=True)
class Reading:
    """One thing that an instruction may mean, and the probability that it means what executes like this."""

    meaning: Program | Reason
    probability: float

    def words(self) -> str:
        """Say it in plain words."""
        return f"not understood: {REASONS[self.meaning]}" if isinstance(self.meaning, str) else self.meaning.words()


@dataclass(frozen=True)
class Compiled:
    """What an instruction was compiled to; `readings` most probable first, refusals among them."""

    game: Game
    instruction: str
    readings: tuple[Reading, ...]
    sources: tuple[tuple[str, str], ...] = ()  # part of the program in words, and the clause that it came from
    unused: tuple[str, ...] = ()  # clauses that changed nothing

    @property
    def understood(self) -> bool:
        """Whether the most probable reading is a program, and probable enough."""
        best = self.readings[0]
        return not isinstance(best.meaning, str) and best.probability >= THRESHOLD

    @property
    def program(self) -> Program | None:
        """The most probable program, understood or not; None if none was found."""
        return next((r.meaning for r in self.readings if not isinstance(r.meaning, str)), None)

    @property
    def reason(self) -> str:
        """Why it was not understood."""
        best = self.readings[0]
        if isinstance(best.meaning, str):
            return REASONS[best.meaning]
        return f"its likeliest reading has a probability of {best.probability:.2f}, less than {THRESHOLD}"

    def text(self) -> str:
        """Say the outcome in some lines: program, probability, runner-up, clauses."""
        lines = []
        if self.understood:
            lines.append(f"understood (probability {self.readings[0].probability:.2f}): {self.readings[0].words()}")
            if len(self.readings) > 1:
                lines.append(f"runner-up ({self.readings[1].probability:.2f}): {self.readings[1].words()}")
        else:
            lines.append(f"not understood: {self.reason}")
            if self.program is not None:
                p = next(r.probability for r in self.readings if r.meaning is self.program)
                lines.append(f"closest reading ({p:.2f}): {self.program.words()}")
        lines += [f'  {part}  <- "{clause}"' for part, clause in self.sources]
        lines += [f'  no effect: "{clause}"' for clause in self.unused]
        return "\n".join(lines)


class NotUnderstoodError(UserError):
    """An instruction that has no program; `compiled` holds its closest reading."""

    def __init__(self, compiled: Compiled) -> None:
        self.compiled = compiled
        closest = compiled.program
        reading = f"; closest reading: {closest.words()}" if closest else ""
        super().__init__(f"--instruction {compiled.instruction!r}: not understood, {compiled.reason}{reading}")


class Compiler:
    """The trained compiler; its model is loaded when it is first used."""

    def __init__(self, adapter: Path = ADAPTER) -> None:
        self._adapter = adapter

    @cached_property
    def model(self) -> Any:
        """The model with its adapter merged in."""
        from prior.compiler.model import load_adapter

        return load_adapter(self._adapter)

    @cached_property
    def identity(self) -> dict[str, str]:
        """Backend, model and the digest of the adapter."""

        return {
            "backend": "compiler",
            "model": self.model.base["model"],
            "revision": sha256_files([self._adapter])[:16],
        }

    def compile(self, game: Game, instruction: str, *, explain: bool = True) -> Compiled:
        """Compile an instruction. Raises UserError if it is too long."""
        from prior.compiler.decode import programs

        if len(instruction) > MAX_CHARACTERS:
            raise UserError(f"--instruction: {len(instruction)} characters; at most {MAX_CHARACTERS} can be compiled")
        if not re.search(r"\w", instruction):
            return Compiled(game, instruction, (Reading("empty", 1.0),))
        written = programs(self.model, game, instruction)
        found: dict[Any, list[Any]] = {}
        for item in written:
            meaning = read(game, item.text)
            key = fingerprint(meaning)
            if key is None:  # it forbids all that it asks for
                meaning, key = "conflict", "conflict"
            found.setdefault(key, [meaning, 0.0, item.text])[1] += item.probability
        entries = sorted(found.values(), key=lambda e: -e[1])
        if not entries:
            return Compiled(game, instruction, (Reading("beyond", 1.0),))
        readings = tuple(Reading(meaning, p) for meaning, p, _ in entries)
        best = entries[0]
        if not explain or isinstance(best[0], str):
            return Compiled(game, instruction, readings)
        return Compiled(game, instruction, readings, *self._sources(game, instruction, best[0], best[2]))

    def _sources(
        self, game: Game, instruction: str, program: Program, text: str
    ) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
        """Find the clause that each rule came from: the one without which the rule loses most probability."""
        from prior.compiler.decode import log_probability

        clauses = clauses_of(instruction)
        parts = rule_parts(program, text)
        if len(clauses) < 2:
            return tuple((said, instruction.strip()) for said, _ in parts), ()
        without = ["".join(c for k, c in enumerate(clauses) if k != i) for i in range(len(clauses))]
        scores = log_probability(self.model, game, [instruction, *without], text)
        drop = (scores[0] - scores[1:]).numpy()  # [clauses, words]
        sources = []
        for said, where in parts:
            clause = drop[:, where].sum(axis=1)
            if clause.max() > _MATTERS:
                chosen = np.flatnonzero(clause > max(_MATTERS, 0.3 * clause.max()))
                sources.append((said, " ".join(clauses[k].strip() for k in chosen)))
        unused = tuple(clauses[k].strip() for k in np.flatnonzero(np.abs(drop).sum(axis=1) < _MATTERS))
        return tuple(sources), unused


def clauses_of(instruction: str) -> list[str]:
    """Split an instruction at its punctuation into at most _MOST_CLAUSES parts; the shortest neighbors are joined."""
    clauses = [c for c in _CLAUSE.findall(instruction) if re.search(r"\w", c)]
    while len(clauses) > 1:
        sizes = [len(first.split()) + len(second.split()) for first, second in pairwise(clauses)]
        short = [i for i, size in enumerate(sizes) if min(len(c.split()) for c in clauses[i : i + 2]) < _LEAST_WORDS]
        if not short and len(clauses) <= _MOST_CLAUSES:
            break
        at = min(short or range(len(sizes)), key=lambda i: sizes[i])
        clauses[at : at + 2] = [clauses[at] + clauses[at + 1]]
    return clauses


def rule_parts(program: Program, text: str) -> list[tuple[str, slice]]:
    """Split a program into its rules: each in words, and the place of its words in the text."""
    words = text.split()
    starts = [i for i, word in enumerate(words) if word in ("if", "else")]
    ends = [*starts[1:], len(words)]
    found = []
    for start, end in zip(starts, ends, strict=True):
        said = " ".join(words[start:end]).rstrip(". ")
        if said != "else free":
            found.append((said, slice(start, end)))
    return found


def fingerprint(meaning: Program | Reason) -> Any:
    """Return what is equal for programs that execute equally, and for equal refusals; None if no move is left."""
    if isinstance(meaning, str):
        return meaning
    try:
        if isinstance(meaning, Convention):
            return (convention_prior(meaning, _RULES) > 0).tobytes()
        return (number_prior(meaning) > 0).tobytes()
    except UserError:
        return None


_RULES = HanabiRules()
