"""The rules of Hanabi, as numba kernels over a batch of games: deal, which moves are legal, apply a move.

They are those of the Hanabi Learning Environment, HLE (Bard et al., "The Hanabi Challenge", 2020), move for move:
its parameters and their limits, its move numbers, its order of dealing, its end of the game. Three of its habits
matter. A card is drawn even after the move that ends the game. The last round begins when the deck is empty, which
may be before the first move. The mask of hinted cards has eight bits, so that in hands of more than eight cards the
newest are left out of it.

A card is an integer, color * ranks + rank. Hands run from the oldest card, 0, to the newest.
"""

from dataclasses import dataclass, fields
from typing import Literal, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from envs.rng import below
from schemas.errors import UserError

DISCARD, PLAY, REVEAL_COLOR, REVEAL_RANK = range(4)
OBSERVATION_TYPES = ("minimal", "card_knowledge", "seer")  # in HLE's numbers 0, 1, 2
MASK_BITS = 8

# Columns of Table.counters.
(
    DEALT,  # cards taken from the deck
    DISCARDS,  # length of the discard pile
    INFORMATION,
    LIVES,
    TURNS_LEFT,  # moves left once the deck is empty
    PLAYER,  # to act
    DONE,
    LAST_PLAYER,  # who made the last move; -1 before the first
    LAST_MOVE,  # its number
    LAST_MASK,  # cards that it hinted, as bits
    LAST_CARD,  # card that it played or discarded
    LAST_SCORED,  # the played card went on the fireworks
    LAST_TOKEN,  # the move won an information token back
    NUM_COUNTERS,
) = range(14)


class Sizes(NamedTuple):
    """The rules as numbers and tables, the form in which kernels take them.

    The tables replace divisions, which would take most of the time of a move.
    """

    players: int
    colors: int
    ranks: int
    hand: int
    information: int
    lives: int
    deck: int
    moves: int
    observation: int  # features of an observation
    knowledge: int  # features of what is known of one card
    minimal: int
    random_start: int
    keep_score: int
    color_of: NDArray[np.uint8]  # [cards]
    rank_of: NDArray[np.uint8]  # [cards]
    first_copy: NDArray[np.uint8]  # [cards] place of the first copy in the sorted deck
    move_kind: NDArray[np.uint8]  # [moves] DISCARD, PLAY, REVEAL_COLOR, REVEAL_RANK
    move_offset: NDArray[np.uint8]  # [moves] seats from the player to the one who is hinted; 0 if no hint
    move_index: NDArray[np.uint8]  # [moves] card position, color or rank
    fresh: NDArray[np.uint8]  # [cards, knowledge] what is known of a card when it is drawn
    compatible: NDArray[np.uint8]  # [moves, 2, knowledge] what remains possible of a card not named or named by a hint


class Table(NamedTuple):
    """The state of B games, one array a component."""

    deck: NDArray[np.uint8]  # [B, deck] cards in the order in which they are dealt
    hands: NDArray[np.uint8]  # [B, players, hand] cards, oldest first
    held: NDArray[np.uint8]  # [B, players] number of cards in a hand
    known: NDArray[np.uint8]  # [B, players, hand * knowledge] as encoded: possible cards, hinted color, hinted rank
    fireworks: NDArray[np.uint8]  # [B, colors] number of cards played
    discarded: NDArray[np.uint8]  # [B, deck] as encoded: a 1 for every discarded copy, by card
    pile: NDArray[np.uint8]  # [B, deck] discarded cards, in the order of discarding
    counters: NDArray[np.int32]  # [B, NUM_COUNTERS]
    rng: NDArray[np.uint64]  # [B, 1] stream of every game


@dataclass(frozen=True)
class HanabiRules:
    """Parameters of a game, named and limited as in HLE. Raises UserError naming the one that is out of its limits.

    `hand_size` 0 stands for the rule book's: 5 cards, 4 with four or more players. `keep_score` keeps the score when
    the lives run out; HLE, and this class by default, then count 0, so that the last reward takes all back.
    """

    players: int = 2
    colors: int = 5
    ranks: int = 5
    hand_size: int = 0
    max_information_tokens: int = 8
    max_life_tokens: int = 3
    observation_type: Literal["minimal", "card_knowledge", "seer"] = "card_knowledge"
    random_start_player: bool = False
    keep_score: bool = False

    def __post_init__(self) -> None:
        for name, low, high in (
            ("players", 2, 5),
            ("colors", 1, 5),
            ("ranks", 1, 5),
            ("hand_size", 0, None),
            ("max_information_tokens", 0, None),
            ("max_life_tokens", 1, None),
        ):
            value = getattr(self, name)
            if not isinstance(value, int) or value < low or (high is not None and value > high):
                allowed = f"at least {low}" if high is None else f"from {low} to {high}"
                raise UserError(f"{name}: {value!r}; a whole number {allowed} is needed")
        if self.observation_type not in OBSERVATION_TYPES:
            raise UserError(
                f"observation_type: {self.observation_type!r}; known are {', '.join(OBSERVATION_TYPES)}"
            )
        if self.hand_size == 0:
            object.__setattr__(self, "hand_size", 5 if self.players < 4 else 4)
        if self.hand_size * self.players > self.deck_size:
            raise UserError(
                f"hand_size: {self.hand_size}; {self.players} hands need {self.hand_size * self.players} cards "
                f"and the deck has {self.deck_size}"
            )

    def copies(self, rank: int) -> int:
        """Return how many cards of a rank (from 0) every color has: 3 of the lowest, 1 of the highest, else 2."""
        if rank == 0:
            return 3
        return 1 if rank == self.ranks - 1 else 2

    @property
    def deck_size(self) -> int:
        """Number of cards in the deck before dealing."""
        return self.colors * sum(map(self.copies, range(self.ranks)))

    @property
    def num_moves(self) -> int:
        """Number of moves, legal or not."""
        return 2 * self.hand_size + (self.players - 1) * (self.colors + self.ranks)

    @property
    def max_score(self) -> int:
        """Score of a perfect game."""
        return self.colors * self.ranks

    @property
    def sorted_deck(self) -> NDArray[np.uint8]:
        """All cards of the deck in ascending order, uint8[deck_size]."""
        copies = [self.copies(rank) for _ in range(self.colors) for rank in range(self.ranks)]
        return np.repeat(np.arange(self.max_score, dtype=np.uint8), copies)

    def hle_parameters(self) -> dict[str, int]:
        """Return the same rules as HLE's HanabiGame takes them."""
        names = [f.name for f in fields(self) if f.name not in ("observation_type", "keep_score")]
        return {name: int(getattr(self, name)) for name in names} | {
            "observation_type": OBSERVATION_TYPES.index(self.observation_type)
        }

    def moves(self) -> list[tuple[int, int, int]]:
        """List all moves as kind, seats to the hinted player (0 if no hint), and card position, color or rank."""
        others = range(1, self.players)
        return [
            *((kind, 0, card) for kind in (DISCARD, PLAY) for card in range(self.hand_size)),
            *((REVEAL_COLOR, offset, color) for offset in others for color in range(self.colors)),
            *((REVEAL_RANK, offset, rank) for offset in others for rank in range(self.ranks)),
        ]

    def sizes(self, observation: int) -> Sizes:
        """Return the rules as kernels take them; `observation`: features of an observation."""
        cards, seer = self.max_score, self.observation_type == "seer"
        color_of, rank_of = np.divmod(np.arange(cards), self.ranks)
        kind, offset, index = np.array(self.moves()).T
        hinted = np.zeros((cards, self.colors + self.ranks), np.uint8)
        hinted[np.arange(cards), color_of] = hinted[np.arange(cards), self.colors + rank_of] = 1
        named = np.where(
            (kind == REVEAL_COLOR)[:, None],
            color_of == index[:, None],
            rank_of == index[:, None],
        )
        compatible = np.ones((self.num_moves, 2, cards + self.colors + self.ranks), np.uint8)
        compatible[:, 0, :cards], compatible[:, 1, :cards] = ~named, named
        return Sizes(
            players=self.players,
            colors=self.colors,
            ranks=self.ranks,
            hand=self.hand_size,
            information=self.max_information_tokens,
            lives=self.max_life_tokens,
            deck=self.deck_size,
            moves=self.num_moves,
            observation=observation,
            knowledge=cards + self.colors + self.ranks,
            minimal=int(self.observation_type == "minimal"),
            random_start=int(self.random_start_player),
            keep_score=int(self.keep_score),
            color_of=color_of.astype(np.uint8),
            rank_of=rank_of.astype(np.uint8),
            first_copy=np.searchsorted(self.sorted_deck, np.arange(cards)).astype(np.uint8),
            move_kind=kind.astype(np.uint8),
            move_offset=offset.astype(np.uint8),
            move_index=index.astype(np.uint8),
            fresh=np.hstack([np.eye(cards, dtype=np.uint8), hinted])
            if seer
            else np.hstack([np.ones((cards, cards), np.uint8), np.zeros_like(hinted)]),
            compatible=compatible,
        )


def new_table(sizes: Sizes, num_envs: int) -> Table:
    """Allocate the state of `num_envs` games; `start` fills it."""
    return Table(
        deck=np.zeros((num_envs, sizes.deck), np.uint8),
        hands=np.zeros((num_envs, sizes.players, sizes.hand), np.uint8),
        held=np.zeros((num_envs, sizes.players), np.uint8),
        known=np.zeros((num_envs, sizes.players, sizes.hand * sizes.knowledge), np.uint8),
        fireworks=np.zeros((num_envs, sizes.colors), np.uint8),
        discarded=np.zeros((num_envs, sizes.deck), np.uint8),
        pile=np.zeros((num_envs, sizes.deck), np.uint8),
        counters=np.zeros((num_envs, NUM_COUNTERS), np.int32),
        rng=np.zeros((num_envs, 1), np.uint64),
    )


@njit(cache=True, nogil=True)
def shuffle(deck, rng):  # type: ignore[no-untyped-def]
    """Shuffle uint8[deck] in place (Fisher-Yates) with the stream `rng`, uint64[1]."""
    for last in range(deck.shape[0] - 1, 0, -1):
        other = below(rng, last + 1)
        card = deck[last]
        deck[last] = deck[other]
        deck[other] = card


@njit(cache=True, nogil=True, inline="always")
def seat(s, player, offset):  # type: ignore[no-untyped-def]
    """Return the player `offset` seats (less than a round) after `player`."""
    other = player + offset
    return other - s.players if other >= s.players else other


@njit(cache=True, nogil=True)
def score(s, t, i):  # type: ignore[no-untyped-def]
    """Return the score of game `i`: cards played, or 0 without lives (unless the score is kept)."""
    if t.counters[i, LIVES] <= 0 and not s.keep_score:
        return 0
    total = 0
    for color in range(s.colors):
        total += t.fireworks[i, color]
    return total


@njit(cache=True, nogil=True)
def _draw(s, t, i, player):  # type: ignore[no-untyped-def]
    card = t.deck[i, t.counters[i, DEALT]]
    slot = t.held[i, player]
    t.counters[i, DEALT] += 1
    t.held[i, player] += 1
    t.hands[i, player, slot] = card
    known = t.known[i, player, slot * s.knowledge : (slot + 1) * s.knowledge]
    fresh = s.fresh[card]
    for k in range(known.shape[0]):
        known[k] = fresh[k]


@njit(cache=True, nogil=True)
def start(s, t, i):  # type: ignore[no-untyped-def]
    """Begin a game with the deck that stands in the table; its stream draws the first player where that is random."""
    counters = t.counters[i]
    counters[:] = 0
    counters[INFORMATION] = s.information
    counters[LIVES] = s.lives
    counters[TURNS_LEFT] = s.players
    counters[LAST_PLAYER] = -1
    if s.random_start:
        counters[PLAYER] = below(t.rng[i], s.players)
    t.fireworks[i, :] = 0
    t.discarded[i, :] = 0
    t.held[i, :] = 0
    for player in range(s.players):
        for _ in range(s.hand):
            _draw(s, t, i, player)


@njit(cache=True, nogil=True)
def is_legal(s, t, i, move):  # type: ignore[no-untyped-def]
    """Tell whether the player to act in game `i` may make move number `move`, which may be any integer."""
    if move < 0 or move >= s.moves:
        return False
    counters = t.counters[i]
    kind, offset, index = s.move_kind[move], s.move_offset[move], s.move_index[move]
    if offset == 0:
        if kind == DISCARD and counters[INFORMATION] >= s.information:
            return False
        return index < t.held[i, counters[PLAYER]]
    if counters[INFORMATION] <= 0:
        return False
    target = seat(s, counters[PLAYER], offset)
    value_of = s.color_of if kind == REVEAL_COLOR else s.rank_of
    for slot in range(t.held[i, target]):
        if value_of[t.hands[i, target, slot]] == index:
            return True
    return False


@njit(cache=True, nogil=True)
def _take(s, t, i, player, slot):  # type: ignore[no-untyped-def]
    """Remove a card from a hand; the newer ones move up."""
    last = t.held[i, player] - 1
    for k in range(slot, last):
        t.hands[i, player, k] = t.hands[i, player, k + 1]
    known = t.known[i, player, slot * s.knowledge : (last + 1) * s.knowledge]
    rest = known.shape[0] - s.knowledge
    for k in range(rest):
        known[k] = known[k + s.knowledge]
    known[rest:] = 0
    t.held[i, player] = last


@njit(cache=True, nogil=True)
def _put_on_pile(s, t, i, card):  # type: ignore[no-untyped-def]
    counters = t.counters[i]
    t.pile[i, counters[DISCARDS]] = card
    counters[DISCARDS] += 1
    place = s.first_copy[card]
    while t.discarded[i, place]:
        place += 1
    t.discarded[i, place] = 1


@njit(cache=True, nogil=True)
def _hint(s, t, i, target, move):  # type: ignore[no-untyped-def]
    """Mark what a hint says of every card of a hand; returns the mask of the cards that it names."""
    by_color = s.move_kind[move] == REVEAL_COLOR
    value_of = s.color_of if by_color else s.rank_of
    value = s.move_index[move]
    bit = s.colors * s.ranks + (value if by_color else s.colors + value)
    mask = 0
    for slot in range(t.held[i, target]):
        known = t.known[i, target, slot * s.knowledge : (slot + 1) * s.knowledge]
        named = value_of[t.hands[i, target, slot]] == value
        compatible = s.compatible[move, 1 if named else 0]
        for k in range(known.shape[0]):
            known[k] &= compatible[k]
        if named:
            known[bit] = 1
            if slot < MASK_BITS:
                mask |= 1 << slot
    return mask


@njit(cache=True, nogil=True)
def _play_or_discard(s, t, i, player, kind, slot):  # type: ignore[no-untyped-def]
    counters = t.counters[i]
    card = t.hands[i, player, slot]
    color, rank = s.color_of[card], s.rank_of[card]
    wins_token = kind == DISCARD
    counters[LAST_CARD] = card
    _take(s, t, i, player, slot)
    if kind == PLAY and t.fireworks[i, color] == rank:
        t.fireworks[i, color] += 1
        counters[LAST_SCORED] = 1
        wins_token = rank == s.ranks - 1
    else:
        if kind == PLAY:
            counters[LIVES] -= 1
        _put_on_pile(s, t, i, card)
    if wins_token and counters[INFORMATION] < s.information:
        counters[INFORMATION] += 1
        counters[LAST_TOKEN] = 1
    if counters[DEALT] < s.deck:
        _draw(s, t, i, player)


@njit(cache=True, nogil=True)
def apply_move(s, t, i, move):  # type: ignore[no-untyped-def]
    """Make a legal move in game `i`: act, draw, pass the turn. Returns the reward, the change of the score."""
    counters = t.counters[i]
    player = counters[PLAYER]
    before = score(s, t, i)
    if counters[DEALT] == s.deck:
        counters[TURNS_LEFT] -= 1
    counters[LAST_PLAYER] = player
    counters[LAST_MOVE] = move
    counters[LAST_MASK] = 0
    counters[LAST_SCORED] = 0
    counters[LAST_TOKEN] = 0
    if s.move_offset[move] == 0:
        _play_or_discard(s, t, i, player, s.move_kind[move], s.move_index[move])
    else:
        counters[INFORMATION] -= 1
        counters[LAST_MASK] = _hint(s, t, i, seat(s, player, s.move_offset[move]), move)
    counters[PLAYER] = seat(s, player, 1)
    after = score(s, t, i)
    complete = after == s.colors * s.ranks
    counters[DONE] = counters[LIVES] <= 0 or complete or counters[TURNS_LEFT] <= 0
    return after - before
