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
    """The rules as plain integers, the form in which kernels take them."""

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
    seer: int
    random_start: int
    keep_score: int


class Table(NamedTuple):
    """The state of B games, one array a component."""

    deck: NDArray[np.uint8]  # [B, deck] cards in the order in which they are dealt
    hands: NDArray[np.uint8]  # [B, players, hand] cards, oldest first
    held: NDArray[np.uint8]  # [B, players] number of cards in a hand
    known: NDArray[np.uint8]  # [B, players, hand, knowledge] as encoded: possible cards, hinted color, hinted rank
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

    def sizes(self, observation: int) -> Sizes:
        """Return the rules as kernels take them; `observation`: features of an observation."""
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
            knowledge=self.colors * self.ranks + self.colors + self.ranks,
            minimal=int(self.observation_type == "minimal"),
            seer=int(self.observation_type == "seer"),
            random_start=int(self.random_start_player),
            keep_score=int(self.keep_score),
        )


def new_table(sizes: Sizes, num_envs: int) -> Table:
    """Allocate the state of `num_envs` games; `start` fills it."""
    return Table(
        deck=np.zeros((num_envs, sizes.deck), np.uint8),
        hands=np.zeros((num_envs, sizes.players, sizes.hand), np.uint8),
        held=np.zeros((num_envs, sizes.players), np.uint8),
        known=np.zeros((num_envs, sizes.players, sizes.hand, sizes.knowledge), np.uint8),
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


@njit(cache=True, nogil=True)
def copies_before(s, card):  # type: ignore[no-untyped-def]
    """Return how many cards of the deck come before the first copy of `card` when sorted."""
    rank = card % s.ranks
    per_color = 3 if s.ranks == 1 else 2 * s.ranks
    return card // s.ranks * per_color + (0 if rank == 0 else 1 + 2 * rank)


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
    known = t.known[i, player, slot]
    cards = s.colors * s.ranks
    if s.seer:
        known[:] = 0
        known[card] = 1
        known[cards + card // s.ranks] = 1
        known[cards + s.colors + card % s.ranks] = 1
    else:
        known[:cards] = 1
        known[cards:] = 0


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
    if move < 2 * s.hand:
        if move < s.hand and counters[INFORMATION] >= s.information:
            return False
        return move % s.hand < t.held[i, counters[PLAYER]]
    if counters[INFORMATION] <= 0:
        return False
    hint = move - 2 * s.hand
    by_color = hint < (s.players - 1) * s.colors
    if not by_color:
        hint -= (s.players - 1) * s.colors
    values = s.colors if by_color else s.ranks
    target = (counters[PLAYER] + 1 + hint // values) % s.players
    for slot in range(t.held[i, target]):
        card = t.hands[i, target, slot]
        if (card // s.ranks if by_color else card % s.ranks) == hint % values:
            return True
    return False


@njit(cache=True, nogil=True)
def _take(s, t, i, player, slot):  # type: ignore[no-untyped-def]
    """Remove a card from a hand; the newer ones move up."""
    last = t.held[i, player] - 1
    for k in range(slot, last):
        t.hands[i, player, k] = t.hands[i, player, k + 1]
        t.known[i, player, k] = t.known[i, player, k + 1]
    t.known[i, player, last, :] = 0
    t.held[i, player] = last


@njit(cache=True, nogil=True)
def _put_on_pile(s, t, i, card):  # type: ignore[no-untyped-def]
    counters = t.counters[i]
    t.pile[i, counters[DISCARDS]] = card
    counters[DISCARDS] += 1
    place = copies_before(s, card)
    while t.discarded[i, place]:
        place += 1
    t.discarded[i, place] = 1


@njit(cache=True, nogil=True)
def _hint(s, t, i, target, by_color, value):  # type: ignore[no-untyped-def]
    """Mark what a hint says of every card of a hand; returns the mask of the cards that it names."""
    cards = s.colors * s.ranks
    mask = 0
    for slot in range(t.held[i, target]):
        card = t.hands[i, target, slot]
        known = t.known[i, target, slot]
        named = (card // s.ranks if by_color else card % s.ranks) == value
        if by_color:
            for color in range(s.colors):
                if (color == value) != named:
                    known[color * s.ranks : (color + 1) * s.ranks] = 0
        else:
            for rank in range(s.ranks):
                if (rank == value) != named:
                    for color in range(s.colors):
                        known[color * s.ranks + rank] = 0
        if named:
            known[cards + (value if by_color else s.colors + value)] = 1
            if slot < MASK_BITS:
                mask |= 1 << slot
    return mask


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
    if move < 2 * s.hand:
        slot = move % s.hand
        card = t.hands[i, player, slot]
        counters[LAST_CARD] = card
        _take(s, t, i, player, slot)
        wins_token = move < s.hand
        if move < s.hand:
            _put_on_pile(s, t, i, card)
        elif t.fireworks[i, card // s.ranks] == card % s.ranks:
            t.fireworks[i, card // s.ranks] += 1
            counters[LAST_SCORED] = 1
            wins_token = card % s.ranks == s.ranks - 1
        else:
            counters[LIVES] -= 1
            _put_on_pile(s, t, i, card)
        if wins_token and counters[INFORMATION] < s.information:
            counters[INFORMATION] += 1
            counters[LAST_TOKEN] = 1
        if counters[DEALT] < s.deck:
            _draw(s, t, i, player)
    else:
        counters[INFORMATION] -= 1
        hint = move - 2 * s.hand
        by_color = hint < (s.players - 1) * s.colors
        if not by_color:
            hint -= (s.players - 1) * s.colors
        values = s.colors if by_color else s.ranks
        target = (player + 1 + hint // values) % s.players
        counters[LAST_MASK] = _hint(s, t, i, target, by_color, hint % values)
    counters[PLAYER] = (player + 1) % s.players
    after = score(s, t, i)
    complete = after == s.colors * s.ranks
    counters[DONE] = counters[LIVES] <= 0 or complete or counters[TURNS_LEFT] <= 0
    return after - before
