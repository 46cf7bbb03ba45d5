"""The words of Hanabi: moves as function calls, and the last move as a key, an event and a text.

A key is written as HLE writes a history item, with players counted from the one who reads it, and without what the
move did to the board: `<(Reveal player +1 color R) by player 1 reveal 0,2>`, `<(Play 0) by player 1>`, `[null]`
before the first move. Keys, events and texts map to each other one to one.
"""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from envs.base import Action, Control, Game, Observation
from envs.hanabi_rules import COLOR_LETTERS, MASK_BITS, HanabiRules
from schemas.errors import UserError
from schemas.tools import Call, Tool

Naming = Literal["letters", "ordinals", "age"]
Kind = Literal["nothing", "discard", "play", "hint_color", "hint_rank"]

COLORS = ("red", "yellow", "green", "white", "blue")
NO_MOVE = "[null]"
_KEY = re.compile(
    r"<\((?:(?P<act>Discard|Play) (?P<card>\d+)"
    r"|Reveal player \+(?P<offset>\d+) (?:color (?P<color>[RYGWB])|rank (?P<rank>[1-5])))\)"
    r" by player (?P<mover>\d+)(?: reveal (?P<hinted>\d+(?:,\d+)*))?>"
)


@dataclass(frozen=True)
class Event:
    """The last move as its reader sees it; players are counted from the reader, cards from the oldest (0).

    `value` is the position of the card, or the color or rank (from 0) that was hinted; `target` the player who was
    hinted (0 is the reader), `cards` the positions of the cards that the hint named.
    """

    kind: Kind
    mover: int = 0
    value: int = 0
    target: int = 0
    cards: tuple[int, ...] = ()

    @property
    def to_me(self) -> bool:
        """Whether this is a hint about the reader's cards."""
        return self.kind in ("hint_color", "hint_rank") and self.target == 0


def events(rules: HanabiRules) -> tuple[Event, ...]:
    """List every last move that the player to act can see, in the order of `Step.obs_key`.

    The last move is always that of the player just before; nothing, discards, plays, color hints, rank hints.
    """
    mover = rules.players - 1
    positions = range(min(rules.hand_size, MASK_BITS))
    fewest = 1 if rules.hand_size <= MASK_BITS else 0  # the mask of a hint does not reach cards beyond the eighth
    named = [
        subset for count in range(fewest, len(positions) + 1) for subset in itertools.combinations(positions, count)
    ]
    acts: tuple[Kind, ...] = ("discard", "play")
    moves = [Event(kind, mover, card) for kind in acts for card in range(rules.hand_size)]
    hints: tuple[tuple[Kind, int], ...] = (("hint_color", rules.colors), ("hint_rank", rules.ranks))
    told = [
        Event(kind, mover, value, (mover + offset) % rules.players, cards)
        for kind, values in hints
        for offset in range(1, rules.players)
        for value in range(values)
        for cards in named
    ]
    return (Event("nothing"), *moves, *told)


def key_of(event: Event, players: int) -> str:
    """Write an event as its key."""
    if event.kind == "nothing":
        return NO_MOVE
    if event.kind in ("discard", "play"):
        return f"<({event.kind.capitalize()} {event.value}) by player {event.mover}>"
    offset = (event.target - event.mover) % players
    what = f"color {COLOR_LETTERS[event.value]}" if event.kind == "hint_color" else f"rank {event.value + 1}"
    reveal = f" reveal {','.join(map(str, event.cards))}" if event.cards else ""
    return f"<(Reveal player +{offset} {what}) by player {event.mover}{reveal}>"


def event_of(key: str, players: int) -> Event:
    """Read a key. Raises UserError if it is none that `key_of` writes."""
    event = _parsed(key, players)
    if event is None or key_of(event, players) != key:
        raise UserError(f"key: {key!r} is no last move of a game of {players} players")
    return event


def _parsed(key: str, players: int) -> Event | None:
    """Read the parts of a key; None if they are not those of a move that another player can have made."""
    if key == NO_MOVE:
        return Event("nothing")
    found = _KEY.fullmatch(key)
    if found is None:
        return None
    hint, mover = found["act"] is None, int(found["mover"])
    cards = list(map(int, found["hinted"].split(","))) if found["hinted"] else []
    if not 1 <= mover < players or (cards and not hint) or cards != sorted(set(cards)):
        return None
    if not hint:
        return Event("discard" if found["act"] == "Discard" else "play", mover, int(found["card"]))
    if not 1 <= int(found["offset"]) < players:
        return None
    target = (mover + int(found["offset"])) % players
    if found["color"]:
        return Event("hint_color", mover, COLOR_LETTERS.index(found["color"]), target, tuple(cards))
    return Event("hint_rank", mover, int(found["rank"]) - 1, target, tuple(cards))


def card_names(hand_size: int, naming: Naming = "letters") -> tuple[str, ...]:
    """Name the positions of a hand from the oldest card on: A, B, ...; 1st, 2nd, ...; or oldest, 2nd, ..., newest."""
    if naming == "letters":
        return tuple(chr(ord("A") + k) for k in range(hand_size))
    suffixes = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd"}
    ordinals = [f"{k}{suffixes.get(k, 'th')}" for k in range(1, hand_size + 1)]
    if naming == "ordinals":
        return tuple(ordinals)
    return ("newest",) if hand_size == 1 else ("oldest", *ordinals[1:-1], "newest")


def tools(rules: HanabiRules, naming: Naming = "letters") -> tuple[Tool, ...]:
    """Return the moves as functions; their calls, listed in turn, stand in the order of HLE's move numbers.

    With more than two players a hint also says which player it is for, counted from the one who gives it.
    """
    cards = card_names(rules.hand_size, naming)
    others = tuple(range(1, rules.players))
    who = {"player": others} if rules.players > 2 else {}
    target = "the player that many seats after me" if who else "my partner"
    return (
        Tool(
            name="discard",
            description="Discard one of my cards and win an information token back.",
            parameters={"card": cards},
        ),
        Tool(name="play", description="Play one of my cards on the fireworks.", parameters={"card": cards}),
        Tool(
            name="hint_color",
            description=f"Tell {target} which of their cards have this color.",
            parameters={**who, "color": COLORS[: rules.colors]},
        ),
        Tool(
            name="hint_rank",
            description=f"Tell {target} which of their cards have this rank.",
            parameters={**who, "rank": tuple(range(1, rules.ranks + 1))},
        ),
    )


def move_text(call: Call) -> str:
    """Say a move as its player would."""
    arguments = call.arguments
    if call.name in ("play", "discard"):
        return f"{call.name} {_my_cards([str(arguments['card'])], 'my')}"
    to = _person(int(arguments["player"])) if "player" in arguments else "my partner"
    if call.name == "hint_color":
        return f"hint the color {arguments['color']} to {to}"
    return f"hint the rank {arguments['rank']} to {to}"


def event_text(event: Event, players: int, names: Sequence[str]) -> str:
    """Say the last move as its reader would; `names`: the names of the card positions."""
    if event.kind == "nothing":
        return "Nobody has moved yet." if players > 2 else "My partner has not moved yet."
    mover = "The player before me" if players > 2 else "My partner"
    if event.kind in ("discard", "play"):
        return f"{mover} {event.kind}ed their {_my_cards([names[event.value]], '')}."
    whose = "my" if event.target == 0 else "the"
    cards = _my_cards([names[k] for k in event.cards], whose)
    if event.target:
        cards += f" of {_person(event.target)}"
    what, value = ("color", COLORS[event.value]) if event.kind == "hint_color" else ("rank", event.value + 1)
    return f"{mover} hinted the {what} of {cards}: {value}."


def event_of_text(text: str, rules: HanabiRules, naming: Naming = "letters") -> Event:
    """Read a text that `event_text` wrote. Raises UserError if it wrote none such for these rules."""
    names = card_names(rules.hand_size, naming)
    found = next((e for e in events(rules) if event_text(e, rules.players, names) == text), None)
    if found is None:
        raise UserError(f"text: {text!r} tells of no last move of this game")
    return found


def hanabi_game(rules: HanabiRules, name: str = "hanabi", naming: Naming = "letters") -> Game:
    """Build the language of a game of Hanabi; observations are last moves.

    Every move counts as possible after every event: tokens and hands, which decide what is legal, are not part of
    the observation, and the environment masks what is not legal at the moment.
    """
    names = card_names(rules.hand_size, naming)
    functions = tools(rules, naming)
    actions = tuple(Action(call, move_text(call)) for tool in functions for call in tool.calls())
    observations = tuple(
        Observation(key_of(e, rules.players), event_text(e, rules.players, names), _fields(e, names))
        for e in events(rules)
    )
    color, rank = (
        Control(f"If my partner hints the {a} of some of my cards, I should play those cards. "
                f"Otherwise, I should hint {a}.", _obeys(a, actions))
        for a in ("color", "rank")
    )  # fmt: skip
    return Game(
        name=name,
        tools=functions,
        actions=actions,
        observations=observations,
        legal=np.ones((len(observations), len(actions)), np.bool_),
        observation_model=HanabiUtterance,
        null_observation="N/A",
        default_instruction=color.instruction,
        controls=(color, rank),
    )


class HanabiUtterance(BaseModel):
    """What a partner may have done, as told in free words; null if the words tell of no move."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    event: Literal["discard", "play", "hint_color", "hint_rank"] | None = Field(
        description="what the partner did; null if that cannot be understood"
    )


def _obeys(kind: str, actions: Sequence[Action]):  # type: ignore[no-untyped-def]
    """Return the rule of the paper's conventions: play what a hint of this kind names, else give such a hint."""

    def allowed(observation: Observation) -> frozenset[str]:
        if observation.fields["event"] == f"hint_{kind}" and observation.fields["to"] == "me":
            cards = str(observation.fields["cards"]).split(",")
            return frozenset(f"play(card={card})" for card in cards)
        return frozenset(action.name for action in actions if action.call.name == f"hint_{kind}")

    return allowed


def _fields(event: Event, names: Sequence[str]) -> dict[str, int | str]:
    """State an event as named values."""
    if event.kind == "nothing":
        return {"event": "nothing"}
    if event.kind in ("discard", "play"):
        return {"event": event.kind, "card": names[event.value]}
    what: dict[str, int | str] = (
        {"color": COLORS[event.value]} if event.kind == "hint_color" else {"rank": event.value + 1}
    )
    to: int | str = "me" if event.target == 0 else event.target
    return {"event": event.kind, "to": to, **what, "cards": ",".join(names[k] for k in event.cards)}


def _person(seats: int) -> str:
    return "the next player" if seats == 1 else f"the player {seats} seats after me"


def _my_cards(names: Sequence[str], whose: str) -> str:
    """Name cards: my card A; my cards A and C; my oldest card; without names, some of my cards."""
    if not names:
        return f"some of {whose} cards"
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    noun = "card" if len(names) == 1 else "cards"
    phrase = f"{noun} {listed}" if all(name.isupper() for name in names) else f"{listed} {noun}"
    return f"{whose} {phrase}".strip()
