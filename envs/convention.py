"""Run a convention: from its rules to a probability for every action after every observation, at once."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from envs.hanabi_rules import DISCARD, PLAY, REVEAL_COLOR, REVEAL_RANK, HanabiRules
from envs.language import COLORS, Event, event_text, events
from envs.language import card_names as names_of
from envs.say_select import NUM_ACTIONS, NUM_BALLS, QUIT
from schemas.convention import BY_HINT, Convention, Do, Response, When, position_index
from schemas.errors import UserError
from schemas.say_select import NUMBERS, NumberConvention, Pick

_KINDS = {"discard": DISCARD, "play": PLAY, "hint_color": REVEAL_COLOR, "hint_rank": REVEAL_RANK}


def convention_prior(convention: Convention, rules: HanabiRules) -> NDArray[np.float64]:
    """Return the convention as probabilities float64[num_observations, num_actions].

    Rows and columns stand as in envs.language.hanabi_game. All moves that the convention allows are equally likely,
    all others have probability 0. `hint_playable` allows every hint, as the last move does not show what is playable.
    Raises UserError if a position is not in a hand of these rules, or if a rule leaves no move after any event.
    """
    _check_values(convention, rules)
    seen = events(rules)
    texts = [event_text(event, rules.players, names_of(rules.hand_size)) for event in seen]
    try:
        met = np.array([[holds(rule.when, event, rules) for event in seen] for rule in convention.rules], bool)
        moves = [
            np.array([_allowed(response, event, rules) for event in seen])
            for response in (*convention.rules, convention.otherwise)
        ]
    except ValueError as error:  # a position that the hand does not have
        raise UserError(f"convention {convention.name!r}: {error}") from None
    return _first_that_holds(convention.name, texts, met.reshape(-1, len(seen)), moves)


def _check_values(convention: Convention, rules: HanabiRules) -> None:
    """Raise UserError if a rule names a color or rank that the game does not have."""
    parts: list[When | Do] = [do for r in (*convention.rules, convention.otherwise) for do in (*r.then, *r.never)]
    for part in [*parts, *(rule.when for rule in convention.rules)]:
        if part.color is not None and part.color not in COLORS[: rules.colors]:
            known = ", ".join(COLORS[: rules.colors])
            raise UserError(f"convention {convention.name!r}: color {part.color}; the colors of this game are {known}")
        if part.rank is not None and part.rank > rules.ranks:
            raise UserError(
                f"convention {convention.name!r}: rank {part.rank}; the ranks of this game end at {rules.ranks}"
            )


def number_prior(convention: NumberConvention) -> NDArray[np.float64]:
    """Return a convention of Say-Select as probabilities float64[5 numbers said, 6 actions], 5 balls and quit.

    All picks that the convention allows are equally likely. A number said a second time looks like any other, so a
    rule about it adds its picks to those of the rules after it. Raises UserError if a rule leaves no pick at all.
    """
    texts = [f"my partner said {said}" for said in NUMBERS]
    met = np.array([[said in rule.when.numbers for said in NUMBERS] for rule in convention.rules], bool)
    moves = [
        np.array([_picked(part.then, said, True) & ~_picked(part.never, said, False) for said in NUMBERS])
        for part in (*convention.rules, convention.otherwise)
    ]
    unseen = [rule.when.repeated for rule in convention.rules]
    return _first_that_holds(convention.name, texts, met.reshape(-1, len(NUMBERS)), moves, unseen)


def _first_that_holds(
    name: str,
    texts: Sequence[str],
    met: NDArray[np.bool_],
    moves: Sequence[NDArray[np.bool_]],
    unseen: Sequence[bool] | None = None,
) -> NDArray[np.float64]:
    """Let the first rule decide that is met, bool[rules, events], and has moves there, bool[events, actions].

    The last of `moves` are those of `otherwise`, which leaves the player free where it has none. What is `unseen`
    may or may not be met: its moves are added. Raises UserError if a rule that is met has no moves after any event.
    """
    for rule, wanted in zip(met, moves[:-1], strict=True):
        if rule.any() and not wanted[rule].any():
            raise UserError(f"convention {name!r}: it leaves no move after {texts[int(rule.argmax())]!r}")
    open_ = np.ones(len(texts), bool)  # events that no rule has decided yet
    allowed = np.zeros_like(moves[-1])
    for rule, wanted, hidden in zip(met, moves[:-1], unseen or [False] * len(met), strict=True):
        decides = open_ & rule & wanted.any(axis=1)
        allowed |= decides[:, None] & wanted
        if not hidden:
            open_ &= ~decides
    if open_.any() and not moves[-1][open_].any():
        raise UserError(f"convention {name!r}: it leaves no move after {texts[int(open_.argmax())]!r}")
    rest = moves[-1] | ~moves[-1].any(axis=1, keepdims=True)
    allowed |= open_[:, None] & rest
    return allowed / allowed.sum(axis=1, keepdims=True)


def _picked(picks: tuple[Pick, ...], said: int, empty: bool) -> NDArray[np.bool_]:
    """Tell which of the six actions one of the picks means, bool[6]; `empty` for all if there are none."""
    chosen = np.full(NUM_ACTIONS, empty and not picks)
    balls = np.arange(1, NUM_BALLS + 1)
    for pick in picks:
        if pick.action == "quit":
            chosen[QUIT] = True
            continue
        chosen[:NUM_BALLS] |= {
            "same": balls == said,
            "opposite": balls == NUM_BALLS + 1 - said,
            "shift": balls == (said + (pick.by or 0) - 1) % NUM_BALLS + 1,
            "higher": balls > said,
            "lower": balls < said,
            "number": balls == (pick.number or balls),
        }[pick.action]
    return chosen


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
        if cards == "unhinted":
            return tuple(card for card in range(rules.hand_size) if card not in event.cards)
        chosen = {"hinted": slice(None), "leftmost_hinted": slice(1), "rightmost_hinted": slice(-1, None)}
        return event.cards[chosen[cards]]
    return (position_index(cards, rules.hand_size),)
