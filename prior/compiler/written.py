"""Instructions that people wrote for training, with alternatives and slots (written/*.toml), beside the grammar's.

A file maps, for each game, a program (schemas.program) to wordings of it. In a wording `(a|b|)` is one of these. Slots
stand in wordings and programs alike: {color} and {color2} are two colors; {n} and {m} two numbers (words in a program,
words or digits in a wording), {ns} and {ms} their plurals, {nth} and {mth} their ordinals; {card} and {card2} in a
program are the cards of {nth} and {mth}. One wording in ten is held out from training.
"""

import re
import tomllib
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from envs.convention import number_prior
from schemas.errors import UserError
from schemas.program import Game, read, write
from schemas.say_select import NumberConvention

FOLDER = Path(__file__).parent / "written"
_COLORS = ("red", "yellow", "green", "white", "blue")
_NUMBERS = ("one", "two", "three", "four", "five")
_PLURALS = ("ones", "twos", "threes", "fours", "fives")
_ORDINALS = ("first", "second", "third", "fourth", "fifth")
_SHORT_ORDINALS = ("1st", "2nd", "3rd", "4th", "5th")
_TRIES = 50


@dataclass(frozen=True)
class Wording:
    """A wording and its program, both with slots."""

    game: Game
    text: str
    program: str

    @property
    def held_out(self) -> bool:
        """Whether training never sees it."""
        return zlib.crc32(self.text.encode()) % 10 == 0

    def draw(self, rng: np.random.Generator) -> tuple[str, str]:
        """Return a text without alternatives and slots, and its program in the form that is always written.

        Raises UserError if no values of the slots make a program.
        """
        for attempt in range(_TRIES):
            n, m = (int(i) for i in rng.choice(5, 2, replace=False))
            color, other = (_COLORS[i] for i in rng.choice(5, 2, replace=False))
            in_program = {"n": _NUMBERS[n], "m": _NUMBERS[m], "card": "ABCDE"[n], "card2": "ABCDE"[m]}
            try:
                meaning = read(self.game, self.program.format(color=color, color2=other, **in_program))
                if isinstance(meaning, NumberConvention):
                    number_prior(meaning)  # some values leave no ball, as 5 does for `above`
            except UserError:
                if "{" not in self.program or attempt == _TRIES - 1:
                    raise
                continue
            break
        digits, short = rng.random() < 0.6, rng.random() < 0.4
        numbers = tuple("12345") if digits else _NUMBERS
        plurals = tuple(f"{k}s" for k in range(1, 6)) if digits else _PLURALS
        ordinals = _SHORT_ORDINALS if short else _ORDINALS
        text = self.text
        while alternatives := re.search(r"\(([^()]*\|[^()]*)\)", text):
            options = alternatives[1].split("|")
            text = text[: alternatives.start()] + options[rng.integers(len(options))] + text[alternatives.end() :]
        slots = {"color": color, "color2": other, "n": numbers[n], "m": numbers[m], "ns": plurals[n], "ms": plurals[m]}
        text = text.format(**slots, nth=ordinals[n], mth=ordinals[m])
        text = re.sub(r" +([,.;:?!])", r"\1", re.sub(r" +", " ", text)).strip()
        return text, write(meaning)


@cache
def wordings(game: Game, held_out: bool) -> tuple[Wording, ...]:
    """All wordings of a game, those of training or those held out."""
    found = []
    for file in sorted(FOLDER.glob("*.toml")):
        for program, texts in tomllib.loads(file.read_text(encoding="utf-8")).get(game, {}).items():
            found += [Wording(game, text, program) for text in texts]
    return tuple(wording for wording in found if wording.held_out == held_out)
