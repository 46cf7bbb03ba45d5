"""The order in which a program's rules are written: one for all orders that execute equally."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any, get_args

from schemas.convention import MAX_HAND, Color, When
from schemas.phrases import EVENTS, Words
from schemas.say_select import Said

Group = tuple[Words, list[Any]]  # a response in words, and the conditions that it answers


def grouped(rules: Sequence[Group]) -> list[Group]:
    """Join neighbors with the same response."""
    return [
        (response, [when for _, conditions in same for when in conditions])
        for response, same in groupby(rules, key=lambda rule: rule[0])
    ]


def ordered(groups: Sequence[Group]) -> list[Group]:
    """Sort by condition what may change places without changing the program: the first in order of all equal ones."""
    left, found = list(groups), []
    while left:
        free = [k for k, (_, own) in enumerate(left) if all(apart(a, b) for _, o in left[:k] for a in own for b in o)]
        found.append(left.pop(min(free, key=lambda k: min(_sort_key(when) for when in left[k][1]))))
    return found


def _sort_key(when: When | Said) -> tuple[int, ...]:
    """Return what rules are sorted by: kind of event, value, number of cards; or the numbers said."""
    if isinstance(when, Said):
        return (*when.numbers, int(when.repeated))
    color = get_args(Color).index(when.color) + 1 if when.color else 0
    return (list(EVENTS.values()).index(when.happened), color, when.rank or 0, when.fewest, when.most or MAX_HAND)


def apart(a: When | Said, b: When | Said) -> bool:
    """Tell whether it is certain that no observation meets both conditions."""
    if isinstance(a, Said) or isinstance(b, Said):
        return isinstance(a, Said) and isinstance(b, Said) and not set(a.numbers) & set(b.numbers)
    if "anything" in (a.happened, b.happened):
        return False
    if a.is_hint and b.is_hint:
        counts = (a.most or MAX_HAND) < b.fewest or (b.most or MAX_HAND) < a.fewest
        kinds = "hint" not in (a.happened, b.happened) and a.happened != b.happened
        values = any(x and y and x != y for x, y in ((a.color, b.color), (a.rank, b.rank)))
        return counts or kinds or values
    return a.happened != b.happened
