"""Run a convention: from its rules to a probability for every move after every last move, at once."""

import numpy as np
from numpy.typing import NDArray

from envs.hanabi_rules import DISCARD, PLAY, REVEAL_COLOR, REVEAL_RANK, HanabiRules
from envs.language import COLORS, Event, event_text, events
from envs.language import card_names as names_of
from schemas.convention import BY_HINT, Convention, Do, Response, When, position_index
from schemas.errors import UserError

_KINDS = {"discard": DISCARD, "play": PLAY, "hint_color": REVEAL_COLOR, "hint_rank": REVEAL_RANK}


def convention_prior(convention: Convention, rules: HanabiRules) -> NDArray[np.float64]:
    """Return the convention as probabilities float64[num_observations, num_actions].

    Rows and columns stand as in envs.language.hanabi_game. All moves that the convention allows are equally likely,
    all others have probability 0. `hint_playable` allows every hint, as the last move does not show what is playable.
    Raises UserError if a position is not in a hand of these rules, or if a rule
    leaves no move at all.
    """
    seen = events(rules)
    table = np.zeros((len(seen), rules.num_moves))
    try:
        for row, event in enumerate(seen):
            allowed = _allowed(_response(convention, event, rules), event, rules)
            if not allowed.any():
                text = event_text(event, rules.players, names_of(rules.hand_size))
                raise UserError(f"convention {convention.name!r}: it leaves no move after {text!r}")
            table[row] = allowed / allowed.sum()
    except ValueError as error:  # a position that the hand does not have
        raise UserError(f"convention {convention.name!r}: {error}") from None
    return table


def holds(when: When, event: Event, rules: HanabiRules) -> bool:
    """Tell whether an event meets a condition. Only hints about my own cards count as hints to me."""
    if when.happened == "anything":
        return True
    if event.kind.startswith("hint"):
        if not event.to_me or when.happened not in ("hint", event.kind):
            return False
        value = COLORS[event.value] if event.kind == "hint_color" else event.value + 1
        if value not in (when.color or when.rank or value,):
            return False
        if not when.fewest <= len(event.cards) <= (when.most or len(event.cards)):
            return False
        return when.card is None or position_index(when.card, rules.hand_size) in event.cards
    if when.happened != event.kind:
        return False
    return when.card is None or position_index(when.card, rules.hand_size) == event.value


def _response(convention: Convention, event: Event, rules: HanabiRules) -> Response:
    return next((rule for rule in convention.rules if holds(rule.when, event, rules)), convention.otherwise)


def _allowed(response: Response, event: Event, rules: HanabiRules) -> NDArray[np.bool_]:
    moves = rules.moves()
    wanted = np.array([not response.then or _any_of(response.then, m, event, rules) for m in moves])
    banned = np.array([_any_of(response.never, m, event, rules) for m in moves])
    return wanted & ~banned


def _any_of(patterns: tuple[Do, ...], move: tuple[int, int, int], event: Event, rules: HanabiRules) -> bool:
    """Tell whether a move (kind, seats to the hinted player, index) fits one of the patterns."""
    kind, _, index = move
    for do in patterns:
        if do.action == "hint_playable":  # no observation of a convention shows what is playable: every hint may be it
            if kind in (REVEAL_COLOR, REVEAL_RANK):
                return True
            continue
        if kind != _KINDS[do.action]:
            continue
        if kind == REVEAL_COLOR and COLORS[index] == (do.color or COLORS[index]):
            return True
        if kind == REVEAL_RANK and index + 1 == (do.rank or index + 1):
            return True
        if kind in (PLAY, DISCARD) and index in _cards(do.cards, event, rules):
            return True
    return False


def _cards(cards: str, event: Event, rules: HanabiRules) -> tuple[int, ...]:
    """Return the indices of my cards that a pattern names."""
    if cards == "any":
        return tuple(range(rules.hand_size))
    if cards in BY_HINT:
        chosen = {"hinted": slice(None), "leftmost_hinted": slice(1), "rightmost_hinted": slice(-1, None)}
        return event.cards[chosen[cards]]
    return (position_index(cards, rules.hand_size),)
