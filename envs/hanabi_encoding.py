"""What a player of Hanabi sees, as features: bit for bit the canonical observation encoding of HLE.

Sections, in order: the other players' cards (one-hot) and whose hand misses one; deck, fireworks, information and
life tokens; discards; the last move; what is known of every card (left out of the `minimal` observation type). All
players are counted from the observer on. Source: canonical_encoders.cc of the Hanabi Learning Environment.
"""

import itertools

import numpy as np
from numpy.typing import NDArray

from envs.compiled import kernel
from envs.hanabi_kernels import copy, fill, seat
from envs.hanabi_rules import (
    DEALT,
    DISCARD,
    INFORMATION,
    LAST_CARD,
    LAST_MASK,
    LAST_MOVE,
    LAST_PLAYER,
    LAST_SCORED,
    LAST_TOKEN,
    LIVES,
    MASK_BITS,
    PLAY,
    PLAYER,
    REVEAL_COLOR,
    REVEAL_RANK,
    HanabiRules,
)


def observation_sections(rules: HanabiRules) -> dict[str, slice]:
    """Return where the sections of an observation stand, by name and in order.

    The observer's own cards are the first of `knowledge`: for every card, oldest first, which cards it may be, the
    hinted color, the hinted rank.
    """
    players, hand, cards = rules.players, rules.hand_size, rules.max_score
    lengths = {
        "hands": (players - 1) * hand * cards,
        "missing": players,
        "deck": rules.deck_size - players * hand,
        "fireworks": cards,
        "information": rules.max_information_tokens,
        "lives": rules.max_life_tokens,
        "discards": rules.deck_size,
        "last_move": 2 * players + 4 + rules.colors + rules.ranks + 2 * hand + cards + 2,
        "knowledge": 0
        if rules.observation_type == "minimal"
        else players * hand * (cards + rules.colors + rules.ranks),
    }
    ends = itertools.accumulate(lengths.values())
    return {name: slice(end - length, end) for (name, length), end in zip(lengths.items(), ends, strict=True)}


def observation_size(rules: HanabiRules) -> int:
    """Return the number of features of an observation."""
    return observation_sections(rules)["knowledge"].stop


def hint_ranks(hand_size: int) -> NDArray[np.int32]:
    """Number the sets of hinted cards: int32[256], from bit mask to its place in the order of the keys.

    One card first, then two, and so on, each in lexicographic order. In hands of more than eight cards a hint may
    name none of the eight that the mask can hold: there the empty set comes first.
    """
    cards = min(hand_size, MASK_BITS)
    subsets = [[k for k in range(cards) if mask >> k & 1] for mask in range(1 << cards)]
    if hand_size <= MASK_BITS:
        subsets.remove([])
    table = np.full(1 << MASK_BITS, -1, np.int32)
    for place, subset in enumerate(sorted(subsets, key=lambda s: (len(s), s))):
        table[sum(1 << k for k in subset)] = place
    return table


@kernel
def _encode_last_move(s, lookup, c, observer, out, at):  # type: ignore[no-untyped-def]
    if c[LAST_PLAYER] < 0:
        return
    move = c[LAST_MOVE]
    kind, offset = lookup[s.move_kind + move], lookup[s.move_offset + move]
    index = lookup[s.move_index + move]
    mover = seat(s, c[LAST_PLAYER], s.players - observer)
    out[at + mover] = 1
    at += s.players
    # The features count play before discard, the move numbers the other way round.
    out[at + (1 if kind == DISCARD else 0 if kind == PLAY else kind)] = 1
    at += 4
    if offset > 0:
        out[at + seat(s, mover, offset)] = 1
    at += s.players
    if kind == REVEAL_COLOR:
        out[at + index] = 1
    at += s.colors
    if kind == REVEAL_RANK:
        out[at + index] = 1
    at += s.ranks
    for k in range(min(s.hand, MASK_BITS)):
        out[at + k] = (c[LAST_MASK] >> k) & 1
    at += s.hand
    if offset == 0:
        out[at + index] = 1
        out[at + s.hand + c[LAST_CARD]] = 1
    at += s.hand + s.cards
    if kind == PLAY:
        out[at] = c[LAST_SCORED]
        out[at + 1] = c[LAST_TOKEN]


@kernel
def encode(s, lookup, game, c, observer, out):  # type: ignore[no-untyped-def]
    """Write what player `observer` sees into `out`, uint8[observation]."""
    hand_known = s.hand * s.knowledge
    known_at = s.observation - (0 if s.minimal else s.players * hand_known)
    fill(out, 0, known_at, 0)
    at = 0
    for offset in range(1, s.players):
        player = seat(s, observer, offset)
        for slot in range(game[s.held_at + player]):
            out[at + slot * s.cards + game[s.hands_at + player * s.hand + slot]] = 1
        at += s.hand * s.cards
    for offset in range(s.players):
        out[at + offset] = game[s.held_at + seat(s, observer, offset)] < s.hand
    at += s.players

    fill(out, at, s.deck - c[DEALT], 1)
    at += s.deck - s.players * s.hand
    for color in range(s.colors):
        played = game[s.fireworks_at + color]
        if played > 0:
            out[at + played - 1] = 1
        at += s.ranks
    fill(out, at, c[INFORMATION], 1)
    at += s.information
    fill(out, at, c[LIVES], 1)
    at += s.lives
    copy(out, at, game, s.discarded_at, s.deck)
    at += s.deck
    _encode_last_move(s, lookup, c, observer, out, at)
    if not s.minimal:
        for offset in range(s.players):
            known = s.known_at + seat(s, observer, offset) * hand_known
            copy(out, known_at + offset * hand_known, game, known, hand_known)


@kernel
def encode_hand(s, game, player, out):  # type: ignore[no-untyped-def]
    """Write the true cards of a hand, one-hot, into `out`, uint8[hand * colors * ranks]; a missing card is all 0."""
    fill(out, 0, s.hand * s.cards, 0)
    for slot in range(game[s.held_at + player]):
        out[slot * s.cards + game[s.hands_at + player * s.hand + slot]] = 1


@kernel
def legal_moves(s, lookup, game, c, out):  # type: ignore[no-untyped-def]
    """Write the legal moves of the player to act into `out`, bool[moves]."""
    held = game[s.held_at + c[PLAYER]]
    fill(out, 0, s.moves, False)
    fill(out, 0, held if c[INFORMATION] < s.information else 0, True)
    fill(out, s.hand, held, True)
    if c[INFORMATION] <= 0:
        return
    by_color = 2 * s.hand
    by_rank = by_color + (s.players - 1) * s.colors
    for offset in range(1, s.players):
        target = seat(s, c[PLAYER], offset)
        for slot in range(game[s.held_at + target]):
            card = game[s.hands_at + target * s.hand + slot]
            out[by_color + lookup[s.color_of + card]] = True
            out[by_rank + lookup[s.rank_of + card]] = True
        by_color += s.colors
        by_rank += s.ranks


@kernel
def last_move_key(s, c, masks, num_masks):  # type: ignore[no-untyped-def]
    """Return the row of the last move among the observations of the language.

    Nothing, discards, plays, color hints and rank hints stand in the order of the moves; every hint has a row for
    each set of cards that it may name. `masks`: int32[256] from `hint_ranks`, which has `num_masks` sets.
    """
    if c[LAST_PLAYER] < 0:
        return 0
    if c[LAST_MOVE] < 2 * s.hand:
        return 1 + c[LAST_MOVE]
    return 1 + 2 * s.hand + (c[LAST_MOVE] - 2 * s.hand) * num_masks + masks[c[LAST_MASK]]
