"""Compile an instruction with a model of any backend: it fills the schema of a convention, and its samples vote."""

from collections import Counter
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from prior.backends.base import Backend
from prior.compiler.compile import Compiled, Reading, fingerprint
from schemas.convention import Convention
from schemas.program import Game, Program, Reason
from schemas.say_select import NumberConvention

_QUESTION = """{game}
Turn the instruction of a player into rules. The first rule whose condition holds decides; `otherwise` decides where
none does. Write only what the instruction says: what it leaves open stays empty. If it says nothing about what to do,
contradicts itself, or asks for something that the rules cannot say, give the reason in `refusal` (empty, conflict or
beyond) and no convention.

Instruction: {instruction}"""
_GAMES: dict[Game, str] = {
    "hanabi": (
        "In Hanabi a player answers the last move of the partner. Cards are named from the oldest (A) to the newest "
        "(E), or by the last hint (hinted, leftmost_hinted, rightmost_hinted, unhinted)."
    ),
    "say-select": "In Say-Select the partner says a number from 1 to 5, and the player selects a ball or quits.",
}


class HanabiAnswer(BaseModel):
    """A convention of Hanabi, or why there is none."""

    model_config = ConfigDict(extra="forbid")

    refusal: Reason | None = Field(description="why the instruction has no rules; null if it has")
    convention: Convention | None = Field(description="the rules; null if the instruction has none")


class NumberAnswer(BaseModel):
    """A convention of Say-Select, or why there is none."""

    model_config = ConfigDict(extra="forbid")

    refusal: Reason | None = Field(description="why the instruction has no rules; null if it has")
    convention: NumberConvention | None = Field(description="the rules; null if the instruction has none")


def compile_by_votes(backend: Backend, game: Game, instruction: str, samples: int) -> Compiled:
    """Ask for `samples` answers; a reading's probability is its share of them, equal being what executes equally."""
    prompt = _QUESTION.format(game=_GAMES[game], instruction=instruction)
    schema: type[BaseModel] = HanabiAnswer if game == "hanabi" else NumberAnswer
    answers: list[Any] = backend.generate(prompt, schema, max(2, samples))
    meanings: dict[Any, Program | Reason] = {}
    votes: Counter[Any] = Counter()
    for answer in answers:
        meaning: Program | Reason = answer.refusal or answer.convention or "empty"
        key = fingerprint(meaning)
        if key is None:
            meaning, key = "conflict", "conflict"
        meanings.setdefault(key, meaning)
        votes[key] += 1
    readings = tuple(Reading(meanings[key], count / len(answers)) for key, count in votes.most_common())
    return Compiled(game, instruction, readings)
