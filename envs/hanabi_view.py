"""Everything that the player to act sees in Hanabi, as a structured observation and as text at three levels.

`last-move` tells only what happened last, as in the paper; `hand` adds what I know of my own cards; `full` adds the
fireworks, the tokens, the deck, the other hands and the discards. A view is read from the state of the engine, or
from the features that a learner sees.
"""

from collections import Counter
from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from envs.hanabi_encoding import observation_sections
from envs.hanabi_engine import Hanabi
from envs.hanabi_rules import DEALT, DISCARDS, INFORMATION, LIVES, PLAYER, HanabiRules
from envs.language import COLORS, Event, Naming, card_names, event_of, event_text
from schemas.config import Level
from schemas.errors import UserError

LEVELS: tuple[Level, ...] = get_args(Level)


@dataclass(frozen=True)
class CardKnowledge:
    """What hints have told of a card; colors and ranks from 0, None where none was hinted."""

    color: int | None
    rank: int | None
    colors: tuple[int, ...]  # still possible
    ranks: tuple[int, ...]  # still possible


@dataclass(frozen=True)
class View:
    """A structured observation of the player to act; cards are (color, rank) from 0, oldest first."""

    rules: HanabiRules
    event: Event
    own: tuple[CardKnowledge, ...]
    hands: tuple[tuple[tuple[int, int], ...], ...]  # of the others, by seat after me
    told: tuple[tuple[CardKnowledge, ...], ...]  # what the others know of their cards
    fireworks: tuple[int, ...]
    discards: tuple[tuple[int, int], ...]  # in the order of discarding
    information: int
    lives: int
    deck: int  # cards left


def view(env: Hanabi, index: int, key: int) -> View:
    """Read what the player to act sees of one game; `key`: its row of the last step's obs_key."""
    rules, table = env.rules, env.table
    counters = table.counters[index]
    seats = [(int(counters[PLAYER]) + offset) % rules.players for offset in range(rules.players)]
    knowledge = [
        tuple(_card_knowledge(rules, table.known[index, p, slot]) for slot in range(table.held[index, p]))
        for p in seats
    ]
    return View(
        rules=rules,
        event=event_of(env.game.observations[key].key, rules.players),
        own=knowledge[0],
        hands=tuple(_cards(rules, table.hands[index, p, : table.held[index, p]]) for p in seats[1:]),
        told=tuple(knowledge[1:]),
        fireworks=tuple(map(int, table.fireworks[index])),
        discards=_cards(rules, table.pile[index, : counters[DISCARDS]]),
        information=int(counters[INFORMATION]),
        lives=int(counters[LIVES]),
        deck=rules.deck_size - int(counters[DEALT]),
    )


def read_view(rules: HanabiRules, obs: NDArray[np.uint8], event: Event) -> View:
    """Read what an observation, uint8[D], shows after a last move.

    Discards, whose order it does not tell, are sorted. The observation type must not be `minimal`.
    """
    part = {name: obs[where] for name, where in observation_sections(rules).items()}
    cards = part["hands"].reshape(rules.players - 1, rules.hand_size, rules.max_score)
    known = part["knowledge"].reshape(rules.players, rules.hand_size, -1)
    knowledge = [tuple(_card_knowledge(rules, card) for card in hand if card.any()) for hand in known]
    played = part["fireworks"].reshape(rules.colors, rules.ranks)
    return View(
        rules=rules,
        event=event,
        own=knowledge[0],
        hands=tuple(_cards(rules, np.flatnonzero(hand) % rules.max_score) for hand in cards),
        told=tuple(knowledge[1:]),
        fireworks=tuple(int(one_hot.argmax()) + 1 if one_hot.any() else 0 for one_hot in played),
        discards=_cards(rules, rules.sorted_deck[part["discards"] > 0]),
        information=int(part["information"].sum()),
        lives=int(part["lives"].sum()),
        deck=int(part["deck"].sum()),
    )


def view_text(seen: View, level: Level = "full", naming: Naming = "letters") -> str:
    """Put a view into words. Raises UserError naming the levels if there is no such level."""
    if level not in LEVELS:
        raise UserError(f"level: {level!r}; known are {', '.join(LEVELS)}")
    rules, names = seen.rules, card_names(seen.rules.hand_size, naming)
    lines = [event_text(seen.event, rules.players, names)]
    if level != "last-move":
        known = [f"{name} {_known_words(rules, card)}" for name, card in zip(names, seen.own, strict=False)]
        lines.append(f"My cards: {'; '.join(known)}.")
    if level == "full":
        for seat, (hand, told) in enumerate(zip(seen.hands, seen.told, strict=True), start=1):
            who = "My partner" if rules.players == 2 else "The next player" if seat == 1 else f"Player {seat} seats on"
            cards = [
                f"{name} {card_words(*card)} (for them {_known_words(rules, knows)})"
                for name, card, knows in zip(names, hand, told, strict=False)
            ]
            lines.append(f"{who} holds: {'; '.join(cards)}.")
        played = ", ".join(f"{color} {n}" for color, n in zip(COLORS, seen.fireworks, strict=False))
        lines.append(f"Fireworks: {played}.")
        lines.append(
            f"{seen.information} of {rules.max_information_tokens} information tokens, {seen.lives} of "
            f"{rules.max_life_tokens} lives, {seen.deck} cards in the deck."
        )
        pile = [card_words(*card) + (f" x{n}" if n > 1 else "") for card, n in sorted(Counter(seen.discards).items())]
        lines.append(f"Discarded: {', '.join(pile) or 'nothing'}.")
    return "\n".join(lines)


def card_words(color: int, rank: int) -> str:
    """Name a card: red 1."""
    return f"{COLORS[color]} {rank + 1}"


def _cards(rules: HanabiRules, cards: NDArray[np.integer]) -> tuple[tuple[int, int], ...]:
    return tuple(divmod(int(card), rules.ranks) for card in cards)


def _card_knowledge(rules: HanabiRules, known: NDArray[np.uint8]) -> CardKnowledge:
    """Read the features of one card: possible cards, hinted color, hinted rank."""
    possible = known[: rules.max_score].reshape(rules.colors, rules.ranks)
    color = np.flatnonzero(known[rules.max_score :][: rules.colors])
    rank = np.flatnonzero(known[rules.max_score + rules.colors :])
    return CardKnowledge(
        color=int(color[0]) if len(color) else None,
        rank=int(rank[0]) if len(rank) else None,
        colors=tuple(map(int, np.flatnonzero(possible.any(1)))),
        ranks=tuple(map(int, np.flatnonzero(possible.any(0)))),
    )


def _known_words(rules: HanabiRules, card: CardKnowledge) -> str:
    """Say what hints have told: red 2; red, not 3 or 5; rank 2; not red; unknown."""
    hinted = [COLORS[card.color]] if card.color is not None else []
    if card.rank is not None:
        hinted.append(str(card.rank + 1) if hinted else f"rank {card.rank + 1}")
    excluded = []
    if card.color is None:
        excluded += [COLORS[c] for c in range(rules.colors) if c not in card.colors]
    if card.rank is None:
        excluded += [str(r + 1) for r in range(rules.ranks) if r not in card.ranks]
    parts = [" ".join(hinted), f"not {' or '.join(excluded)}" if excluded else ""]
    return ", ".join(filter(None, parts)) or "unknown"
