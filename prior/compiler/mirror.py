"""Mirrored wordings: two opposite notions change places in a text and in its program, for more and harder pairs.

"If you hear a color, play those cards" also says what "if you hear a rank, play those cards" means. A swap is made only
where the text has no word that might take part in another way, and where every notion of the program has a word in the
text: what is left is as right as what it was made from.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from schemas.errors import UserError
from schemas.program import Game, read, write

_CHANCE = 0.5


@dataclass(frozen=True)
class Swap:
    """Words that change places (in both directions), in texts and in programs."""

    words: Mapping[str, str]
    notions: Mapping[str, tuple[str, str]]  # program word -> what it becomes, and a pattern of words that mean it
    blocked: str  # pattern of texts that are left alone
    blocked_programs: str = "$^"
    idle: bool = True  # whether it applies to programs without any of the notions

    @cached_property
    def _table(self) -> dict[str, str]:
        return {**self.words, **{b: a for a, b in self.words.items()}}

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(rf"\b({'|'.join(self._table)})\b", re.IGNORECASE)

    def applies(self, text: str, program: str) -> bool:
        """Whether the swap changes the text, and surely the program in the same way."""
        if not self._pattern.search(text) or re.search(self.blocked, text, re.IGNORECASE):
            return False
        if re.search(self.blocked_programs, program):
            return False
        used = [meant for word, (_, meant) in self.notions.items() if word in program.split()]
        return (self.idle or bool(used)) and all(re.search(rf"\b({meant})\b", text, re.IGNORECASE) for meant in used)

    def text(self, text: str) -> str:
        """Swap the words of a text; capitals stay where they are."""
        return self._pattern.sub(lambda found: _capitals(found[0], self._table[found[0].lower()]), text)

    def program(self, game: Game, program: str) -> str:
        """Swap the words of a program, in the form that is always written. Raises UserError if there is none."""
        words = [self.notions[word][0] if word in self.notions else word for word in program.split()]
        return write(read(game, " ".join(words)))


_COLORS = "colors?|colours?|suits?"
_RANKS = "ranks?|numbers?|values?"
_PLAY, _DISCARD = "play|plays|played|playing", "discard|discards|discarded|discarding"
_UP, _DOWN = "higher|above|up|plus|add|adding|bigger", "lower|below|down|minus|subtract|subtracting|smaller"
_ORDER = "first|second|third|fourth|fifth|last|middle|1st|2nd|3rd|4th|5th"

_HINTS = Swap(
    words={"color": "rank", "colors": "ranks", "colour": "number", "colours": "numbers", "suit": "value",
           "suits": "values"},
    notions={"color": ("rank", _COLORS), "rank": ("color", _RANKS)},
    blocked=r"\d|\bnumber of|same (color|colour|suit|number|rank|value)|\b(red|yellow|green|white|blue|hues?|shades?|"
    r"tints?|paint\w*|tinted|colou?red|colou?ring|numbered|valued|ranked|figures?|digits?|numerals?|counts?|hued|"
    r"pips?|twos?|threes?|fours?|fives?|ones|i value|multi\w*|rainbow)\b",
    blocked_programs=r"\b(red|yellow|green|white|blue|one|two|three|four|five)\b",
)  # fmt: skip
_ENDS = Swap(
    words={"left": "right", "leftmost": "rightmost", "oldest": "newest", "older": "newer"},
    notions={"left": ("right", "left|leftmost"), "right": ("left", "right|rightmost"),
             "oldest": ("newest", "oldest|older|left|leftmost"), "newest": ("oldest", "newest|newer|right|rightmost"),
             "A": ("E", "oldest|older|left|leftmost"), "E": ("A", "newest|newer|right|rightmost")},
    blocked=rf"\b({_ORDER}|dr[ae]wn?|recent\w*|latest|fresh\w*|longest|ancient|young\w*|old|new|elder\w*|eldest|"
    r"(all|that's|thats|is|be|are|alone) right|right (away|after|now|then|before|there|back)|right[,.?!]|all right|"
    r"(is|are|was|were|be|what's|that's|being|clues?|hints?|tokens?) left|"
    r"left (out|alone|over|behind|untouched|off)|has left|rights|right (reply|response|answer|move|thing|card))\b",
    blocked_programs=r"\b[BCD]\b",
    idle=False,
)  # fmt: skip
_ACTS = Swap(
    words={"play": "discard", "plays": "discards", "played": "discarded", "playing": "discarding"},
    notions={"play": ("discard", _PLAY), "discard": ("play", _DISCARD), "played": ("discarded", _PLAY),
             "discarded": ("played", _DISCARD)},
    blocked=r"\b(toss\w*|trash\w*|bins?|binn\w+|throw\w*|thrown|threw|chuck\w*|ditch\w*|dump\w*|scrap\w*|lay\w*|laid|"
    r"puts?|putting|drop\w*|use[ds]?|using|commit\w*|burn\w*|rid|keep\w*|kept|hold\w*|held|tables?|piles?|down|away|"
    r"waste|stacks?|fireworks?|moves?|games?|playable|safe\w*|out|well|together|do|does|did|go|goes|went|banks?|"
    r"slam\w*|get|gets|save\w*|let|spend|lose|loses|sacrific\w*|pitch\w*|shed\w*|remove\w*|swap\w*|turn\w*|junk|garbage|rubbish|useless|worthless|"
    r"dead|duds?|condemn\w*)\b",
    blocked_programs=r"\bsafe\b",
)  # fmt: skip
_DIRECTION = Swap(
    words={"higher": "lower", "above": "below", "up": "down", "plus": "minus", "add": "subtract",
           "adding": "subtracting", "bigger": "smaller"},
    notions={"plus": ("minus", _UP), "minus": ("plus", _DOWN), "above": ("below", _UP), "below": ("above", _DOWN)},
    blocked=r"->|→|=|\b(to|n|and|or|from|on|so|then) (up|down|higher|lower|above|below)\b|\b(up|down) (to|from)\b|"
    r"\d.*\d.*\d|\b(larger|great\w*|less|more|next|previous|after|before|beyond|under|over|high|low|max\w*|top|"
    r"min|minimum|bottom|increas\w*|decreas\w*|exceed\w*|end up|give up|grown|back up|sum|count\w*|preced\w*|succ\w*|"
    r"steps?|one from|five|six|room|climb\w*|ascend\w*|descend\w*|raise\w*|largest|smallest|highest|lowest|"
    r"becomes?|wrap\w*|around|giv\w+ up|gave up|chin up|for grabs|put down|mix\w*|short|shy|bump\w*|"
    r"([67]|seven),? (plus|minus))\b",
    blocked_programs=r"\b(if|never|or) (one|two|three|four|five)\b",
    idle=False,
)  # fmt: skip
SWAPS: dict[Game, tuple[Swap, ...]] = {"hanabi": (_HINTS, _ENDS, _ACTS), "say-select": (_DIRECTION,)}


def mirrored(game: Game, text: str, program: str, rng: np.random.Generator) -> tuple[str, str]:
    """Make each swap that applies with probability 1/2; returns a text and its program."""
    for swap in SWAPS[game]:
        if rng.random() < _CHANCE and swap.applies(text, program):
            try:
                text, program = swap.text(text), swap.program(game, program)
            except UserError:  # the other notion has no such form
                continue
    return text, program


def _capitals(like: str, word: str) -> str:
    if like.isupper():
        return word.upper()
    return word.capitalize() if like[0].isupper() else word
