"""Synthetic pairs for the compiler: instructions of both games and the text of the program that each means.

Some of them come from a grammar (hanabi_data, say_select_data, refusals), most are wordings that were written one by
one (written/*.toml). Every pair is drawn from one seed of its own, so that a data set is a range of numbers and
training may go on for ever. `held_out` draws texts that training never uses a template, a word or the wording of.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from envs.convention import number_prior
from prior.compiler import hanabi_data, say_select_data
from prior.compiler.composed import composed
from prior.compiler.framing import framed
from prior.compiler.mirror import mirrored
from prior.compiler.refusals import refusal
from prior.compiler.writer import Writer, slips
from prior.compiler.written import Wording, wordings
from schemas.errors import UserError
from schemas.program import Game, write
from schemas.say_select import NumberConvention

_WRITTEN = 0.7
_COMPOSED, _WRITTEN_REFUSED = 0.2, 0.08  # of the written ones in training; refusals beside those drawn like all others
_REFUSED = 0.22
_HANABI = 0.66
_SHORT, _LONG = 130, 0.35  # of longer texts this share is kept: they cost much, and people write short ones


@dataclass(frozen=True)
class Pair:
    """An instruction and the program that it means, as text."""

    game: Game
    instruction: str
    program: str


def pair(seed: int, *, held_out: bool = False, written: float = _WRITTEN) -> Pair:
    """Draw the pair of one seed; with probability `written` a written wording."""
    rng = np.random.default_rng([seed, int(held_out)])
    if rng.random() < written:
        return _written(rng, held_out)
    while True:
        try:
            found, writer = _draw(rng, held_out)
        except LookupError:  # a program without a contrast, where one was to be told
            continue
        size = len(found.instruction)
        wanted = (writer.held_out_used or not held_out) and _names_actor(found, writer)
        if wanted and size < 700 and (size < _SHORT or rng.random() < _LONG):
            return found


def _names_actor(found: Pair, writer: Writer) -> bool:
    """Tell whether a text about Bob's cards names Bob: "his" alone would be the partner's."""
    return not writer.voice.actor_third or writer.voice.a.lower() in found.instruction.lower()


def _written(rng: np.random.Generator, held_out: bool) -> Pair:
    game: Game = "hanabi" if rng.random() < _HANABI else "say-select"
    if not held_out and rng.random() < _COMPOSED:
        text, program = composed(game, rng)
    else:
        refused = not held_out and rng.random() < _WRITTEN_REFUSED
        options = _refusals(game) if refused else wordings(game, held_out)
        text, program = options[rng.integers(len(options))].draw(rng)
        if not held_out:
            text, program = mirrored(game, text, program, rng)
    return Pair(game, slips(framed(Writer(rng, held_out), text), rng), program)


@cache
def _refusals(game: Game) -> tuple[Wording, ...]:
    return tuple(wording for wording in wordings(game, False) if wording.program.startswith("unclear"))


def _draw(rng: np.random.Generator, held_out: bool) -> tuple[Pair, Writer]:
    game: Game = "hanabi" if rng.random() < _HANABI else "say-select"
    other: Game = "say-select" if game == "hanabi" else "hanabi"
    writer = Writer(rng, held_out)
    if rng.random() >= _REFUSED:
        if game == "hanabi":
            text, program = hanabi_data.instruction(writer)
            return Pair(game, slips(text, rng), write(program)), writer
        text, numbers = say_select_data.instruction(writer)
        if _executes(numbers):
            return Pair(game, slips(text, rng), write(numbers)), writer
        return _draw(rng, held_out)
    if rng.random() < 0.07:  # the rules of the other game
        text, _ = (hanabi_data if other == "hanabi" else say_select_data).instruction(writer)
        return Pair(game, slips(text, rng), write("beyond")), writer
    text, reason = refusal(writer, game)
    return Pair(game, slips(text, rng), write(reason)), writer


def _executes(numbers: NumberConvention) -> bool:
    """Tell whether no rule is impossible, as one below 1 is."""
    try:
        number_prior(numbers)
    except UserError:
        return False
    return True
