"""The rules of Hanabi as numba kernels on one game: deal, which moves are legal, make a move.

They follow the Hanabi Learning Environment (HLE) move for move. Three of its habits matter. A card is drawn even
after the move that ends the game. The last round begins when the deck is empty, which may be before the first move.
The mask of hinted cards has eight bits, so that in hands of more than eight cards the newest are left out of it.

In all kernels `s` is a `Sizes`, `lookup` its table (uint8), `game` one row of `Table.games` (uint8), `c` one row of
`Table.counters` (int32); see envs.hanabi_rules.
"""

from numba import uint64

from envs.compiled import kernel
from envs.hanabi_rules import (
    DEALT,
    DISCARD,
    DISCARDS,
    DONE,
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
    TURNS_LEFT,
)
from envs.rng import below


@kernel
def shuffle(deck, rng):  # type: ignore[no-untyped-def]
    """Shuffle uint8[deck] in place (Fisher-Yates) with the stream `rng`, uint64[1]."""
    for last in range(deck.shape[0] - 1, 0, -1):
        other = below(rng, last + 1)
        card = deck[last]
        deck[last] = deck[other]
        deck[other] = card


@kernel
def fill(out, at, count, value):  # type: ignore[no-untyped-def]
    """Set `count` bytes of `out` from index `at` on. Unsigned indices let the compiler write many at a time."""
    place = uint64(at)
    for k in range(uint64(count)):
        out[place + k] = value


@kernel
def copy(out, at, source, first, count):  # type: ignore[no-untyped-def]
    """Copy `count` bytes of `source` from index `first` on to `out` from index `at` on."""
    place, origin = uint64(at), uint64(first)
    for k in range(uint64(count)):
        out[place + k] = source[origin + k]


@kernel
def seat(s, player, offset):  # type: ignore[no-untyped-def]
    """Return the player `offset` seats (at most a round) after `player`."""
    other = player + offset
    return other - s.players if other >= s.players else other


@kernel
def score(s, game, c):  # type: ignore[no-untyped-def]
    """Return the score: cards played, or 0 without lives (unless the score is kept)."""
    if c[LIVES] <= 0 and not s.keep_score:
        return 0
    total = 0
    for color in range(s.colors):
        total += game[s.fireworks_at + color]
    return total


@kernel
def _draw(s, lookup, game, c, player):  # type: ignore[no-untyped-def]
    card = game[s.deck_at + c[DEALT]]
    slot = game[s.held_at + player]
    c[DEALT] += 1
    game[s.held_at + player] += 1
    game[s.hands_at + player * s.hand + slot] = card
    known = s.known_at + (player * s.hand + slot) * s.knowledge
    fresh = s.fresh + card * s.knowledge
    copy(game, known, lookup, fresh, s.knowledge)


@kernel
def start(s, lookup, game, c, rng):  # type: ignore[no-untyped-def]
    """Begin a game with the deck that stands in it; the stream draws the first player where that is random."""
    for k in range(c.shape[0]):
        c[k] = 0
    c[INFORMATION] = s.information
    c[LIVES] = s.lives
    c[TURNS_LEFT] = s.players
    c[LAST_PLAYER] = -1
    if s.random_start:
        c[PLAYER] = below(rng, s.players)
    fill(game, s.fireworks_at, s.colors, 0)
    fill(game, s.discarded_at, s.deck, 0)
    for player in range(s.players):
        game[s.held_at + player] = 0
        for _ in range(s.hand):
            _draw(s, lookup, game, c, player)


@kernel
def _take(s, game, player, slot):  # type: ignore[no-untyped-def]
    """Remove a card from a hand; the newer ones move up."""
    last = game[s.held_at + player] - 1
    hand = s.hands_at + player * s.hand
    for k in range(slot, last):
        game[hand + k] = game[hand + k + 1]
    known = s.known_at + (player * s.hand + slot) * s.knowledge
    rest = (last - slot) * s.knowledge
    copy(game, known, game, known + s.knowledge, rest)
    fill(game, known + rest, s.knowledge, 0)
    game[s.held_at + player] = last


@kernel
def _put_on_pile(s, lookup, game, c, card):  # type: ignore[no-untyped-def]
    game[s.pile_at + c[DISCARDS]] = card
    c[DISCARDS] += 1
    place = s.discarded_at + lookup[s.first_copy + card]
    while game[place]:
        place += 1
    game[place] = 1


@kernel
def _play_or_discard(s, lookup, game, c, kind, slot):  # type: ignore[no-untyped-def]
    player = c[PLAYER]
    card = game[s.hands_at + player * s.hand + slot]
    fireworks = s.fireworks_at + lookup[s.color_of + card]
    rank = lookup[s.rank_of + card]
    wins_token = kind == DISCARD
    c[LAST_CARD] = card
    _take(s, game, player, slot)
    if kind == PLAY and game[fireworks] == rank:
        game[fireworks] += 1
        c[LAST_SCORED] = 1
        wins_token = rank == s.ranks - 1
    else:
        if kind == PLAY:
            c[LIVES] -= 1
        _put_on_pile(s, lookup, game, c, card)
    if wins_token and c[INFORMATION] < s.information:
        c[INFORMATION] += 1
        c[LAST_TOKEN] = 1
    if c[DEALT] < s.deck:
        _draw(s, lookup, game, c, player)


@kernel
def _hint(s, lookup, game, c, move):  # type: ignore[no-untyped-def]
    """Mark what a hint says of every card of the hinted hand, and which cards it names."""
    c[INFORMATION] -= 1
    target = seat(s, c[PLAYER], lookup[s.move_offset + move])
    by_color = lookup[s.move_kind + move] == REVEAL_COLOR
    value = lookup[s.move_index + move]
    value_of = s.color_of if by_color else s.rank_of
    bit = s.cards + (value if by_color else s.colors + value)
    mask = 0
    for slot in range(game[s.held_at + target]):
        known = s.known_at + (target * s.hand + slot) * s.knowledge
        named = lookup[value_of + game[s.hands_at + target * s.hand + slot]] == value
        compatible = uint64(s.compatible + (2 * move + (1 if named else 0)) * s.knowledge)
        first = uint64(known)
        for k in range(uint64(s.knowledge)):
            game[first + k] &= lookup[compatible + k]
        if named:
            game[known + bit] = 1
            if slot < MASK_BITS:
                mask |= 1 << slot
    c[LAST_MASK] = mask


@kernel
def apply_move(s, lookup, game, c, move):  # type: ignore[no-untyped-def]
    """Make a legal move: act, draw, pass the turn. Returns the reward, the change of the score."""
    before = score(s, game, c)
    if c[DEALT] == s.deck:
        c[TURNS_LEFT] -= 1
    c[LAST_PLAYER] = c[PLAYER]
    c[LAST_MOVE] = move
    c[LAST_MASK] = 0
    c[LAST_SCORED] = 0
    c[LAST_TOKEN] = 0
    if lookup[s.move_offset + move] == 0:
        _play_or_discard(s, lookup, game, c, lookup[s.move_kind + move], lookup[s.move_index + move])
    else:
        _hint(s, lookup, game, c, move)
    c[PLAYER] = seat(s, c[PLAYER], 1)
    after = score(s, game, c)
    c[DONE] = c[LIVES] <= 0 or after == s.cards or c[TURNS_LEFT] <= 0
    return after - before
