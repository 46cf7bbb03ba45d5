"""The phrases of programs: every condition, move and selection in words, and the trees that they are read along."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from itertools import combinations, product
from typing import Any, Literal, get_args

from schemas.convention import BY_HINT, Color, Do, Happened, When
from schemas.say_select import NUMBERS, Pick, Said

Game = Literal["hanabi", "say-select"]
Words = tuple[str, ...]
COUNTS = ("one", "two", "three", "four", "five")
EVENTS: dict[str, Happened] = {
    "nothing": "nothing",
    "discarded": "discard",
    "played": "play",
    "color": "hint_color",
    "rank": "hint_rank",
    "hint": "hint",
    "anything": "anything",
}
PLACES = ("oldest", "newest", "A", "B", "C", "D", "E")
CARDS = dict(zip(("any", "those", "left", "right", "others", *PLACES), ("any", *BY_HINT, *PLACES), strict=True))


@dataclass
class Phrases:
    """A tree of phrases, each for one item; a phrase may begin another. `last` is the highest number below a node."""

    children: dict[str, "Phrases"] = field(default_factory=dict)
    item: Any = None
    number: int = -1
    last: int = -1


def _phrases(items: Iterable[tuple[Words, Any]]) -> Phrases:
    root = Phrases()
    for number, (words, item) in enumerate(items):
        node = root
        for word in words:
            node.last = max(node.last, number)
            node = node.children.setdefault(word, Phrases())
        node.item, node.number, node.last = item, number, max(node.last, number)
    return root


@cache
def events() -> dict[When, Words]:
    """Every condition of Hanabi and its phrase, in the order in which `or` joins them."""
    bounds: list[tuple[Words, dict[str, Any]]] = [((), {})]
    bounds += [(("exactly", COUNTS[n - 1]), {"fewest": n, "most": n}) for n in NUMBERS]
    bounds += [(("least", COUNTS[n - 1]), {"fewest": n}) for n in NUMBERS[1:]]
    bounds += [(("most", COUNTS[n - 1]), {"most": n}) for n in NUMBERS[1:]]
    places: list[tuple[Words, dict[str, Any]]] = [((), {}), *((("on", card), {"card": card}) for card in PLACES)]
    none: list[tuple[Words, dict[str, Any]]] = [((), {})]
    found: dict[When, Words] = {}
    for word, happened in EVENTS.items():
        values = {
            "hint_color": [*none, *(((color,), {"color": color}) for color in get_args(Color))],
            "hint_rank": [*none, *(((COUNTS[n - 1],), {"rank": n}) for n in NUMBERS)],
        }.get(happened, none)
        counts = bounds if happened.startswith("hint") else none
        cards = places if happened not in ("nothing", "anything") else none
        for (w1, value), (w2, count), (w3, card) in product(values, counts, cards):
            found[When(happened=happened, **value, **count, **card)] = (word, *w1, *w2, *w3)
    return found


@cache
def moves() -> dict[Do, Words]:
    """Every move of Hanabi and its phrase, in the order in which `or` joins them."""
    found: dict[Do, Words] = {}
    kinds: tuple[Literal["play", "discard"], ...] = ("play", "discard")
    for kind, (word, cards) in product(kinds, CARDS.items()):
        found[Do(action=kind, cards=cards)] = (kind, word)
    found[Do(action="hint_color")] = ("hint", "color")
    found |= {Do(action="hint_color", color=color): ("hint", "color", color) for color in get_args(Color)}
    found[Do(action="hint_rank")] = ("hint", "rank")
    found |= {Do(action="hint_rank", rank=n): ("hint", "rank", COUNTS[n - 1]) for n in NUMBERS}
    found[Do(action="hint_playable")] = ("hint", "safe")
    return found


@cache
def picks() -> dict[Pick, Words]:
    """Every selection of Say-Select and its phrase."""
    found: dict[Pick, Words] = {Pick(action="same"): ("same",), Pick(action="opposite"): ("opposite",)}
    found |= {Pick(action="shift", by=n): ("plus", COUNTS[n - 1]) for n in NUMBERS[:4]}
    found |= {Pick(action="shift", by=-n): ("minus", COUNTS[n - 1]) for n in NUMBERS[:4]}
    found |= {Pick(action="higher"): ("above",), Pick(action="lower"): ("below",), Pick(action="number"): ("any",)}
    found |= {Pick(action="number", number=n): (COUNTS[n - 1],) for n in NUMBERS}
    return found | {Pick(action="quit"): ("quit",)}


@cache
def said() -> dict[Said, Words]:
    """Every condition of Say-Select and its phrase."""
    found: dict[Said, Words] = {Said(repeated=True): ("repeat",)}
    for count in NUMBERS:
        for numbers in combinations(NUMBERS, count):
            words = tuple(COUNTS[n - 1] for n in numbers)
            found[Said(numbers=numbers)] = words
            if count < len(NUMBERS):  # all five of them are said by `repeat` alone
                found[Said(numbers=numbers, repeated=True)] = (*words, "repeat")
    return found


@cache
def conditions_of(game: Game) -> Phrases:
    """All conditions of a game, as a tree."""
    table: dict[Any, Words] = {**events()} if game == "hanabi" else {**said()}
    return _phrases((words, item) for item, words in table.items())


@cache
def actions_of(game: Game, hinted: bool, never: bool) -> Phrases:
    """Actions that a response may name: hinted cards need a hint, and a playable card is never forbidden."""
    if game == "say-select":
        return _phrases((words, pick) for pick, words in picks().items())
    return _phrases(
        (words, do)
        for do, words in moves().items()
        if (hinted or do.cards not in BY_HINT) and not (never and do.action == "hint_playable")
    )
