"""The parameters of Hanabi, and how the state of a batch of games is laid out.

Rules and limits are those of the Hanabi Learning Environment, HLE (Bard et al., "The Hanabi Challenge", 2020). Moves
have its numbers: discards, plays, color hints and rank hints; hints by the seat of the hinted player first.
A card is an integer, color * ranks + rank. Hands run from the oldest card, 0, to the newest.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.errors import UserError

DISCARD, PLAY, REVEAL_COLOR, REVEAL_RANK = range(4)
OBSERVATION_TYPES = ("minimal", "card_knowledge", "seer")  # in HLE's numbers 0, 1, 2
MASK_BITS = 8  # cards of a hand that the mask of a hint can name
COLOR_LETTERS = "RYGWB"
MAX_TOKENS = 10_000  # every token is a feature of the observation

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
    """The rules as plain integers, and where the parts of a game and of the lookup table begin.

    Kernels take a game as one row of bytes, its counters, and one lookup table: every further array that is handed
    from function to function would have its references counted, which costs more than the move itself.
    """

    players: int
    colors: int
    ranks: int
    cards: int  # kinds of cards
    hand: int
    information: int
    lives: int
    deck: int
    moves: int
    knowledge: int  # features of what is known of one card
    observation: int  # features of an observation
    minimal: int
    random_start: int
    keep_score: int
    # Parts of a game, uint8[game].
    deck_at: int
    hands_at: int
    held_at: int
    known_at: int
    fireworks_at: int
    discarded_at: int
    pile_at: int
    game: int
    # Parts of the lookup table, uint8.
    color_of: int  # [cards]
    rank_of: int  # [cards]
    first_copy: int  # [cards] place of the first copy in the sorted deck
    move_kind: int  # [moves] DISCARD, PLAY, REVEAL_COLOR, REVEAL_RANK
    move_offset: int  # [moves] seats from the player to the one who is hinted; 0 if no hint
    move_index: int  # [moves] card position, color or rank
    fresh: int  # [cards, knowledge] what is known of a card when it is drawn
    compatible: int  # [moves, 2, knowledge] what stays possible of a card that a hint does not name, or names


class Table(NamedTuple):
    """The state of B games, one array a component; the first seven are views of the packed `games`."""

    deck: NDArray[np.uint8]  # [B, deck] cards in the order in which they are dealt
    hands: NDArray[np.uint8]  # [B, players, hand] cards, oldest first
    held: NDArray[np.uint8]  # [B, players] number of cards in a hand
    known: NDArray[np.uint8]  # [B, players, hand, knowledge] as encoded: possible cards, hinted color, hinted rank
    fireworks: NDArray[np.uint8]  # [B, colors] number of cards played
    discarded: NDArray[np.uint8]  # [B, deck] as encoded: a 1 for every discarded copy, by card
    pile: NDArray[np.uint8]  # [B, deck] discarded cards, in the order of discarding
    games: NDArray[np.uint8]  # [B, game] all of the above
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
            ("max_information_tokens", 0, MAX_TOKENS),
            ("max_life_tokens", 1, MAX_TOKENS),
        ):
            value = getattr(self, name)
            if type(value) is not int or value < low or (high is not None and value > high):
                allowed = f"at least {low}" if high is None else f"from {low} to {high}"
                raise UserError(f"{name}: {value!r}; a whole number {allowed} is needed")
        for name in ("random_start_player", "keep_score"):
            if not isinstance(getattr(self, name), bool):
                raise UserError(f"{name}: {getattr(self, name)!r}; True or False is needed")
        if self.observation_type not in OBSERVATION_TYPES:
            raise UserError(f"observation_type: {self.observation_type!r}; known are {', '.join(OBSERVATION_TYPES)}")
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
    def private_size(self) -> int:
        """Features at the front of an observation that show the partners' hands, which they cannot see."""
        return (self.players - 1) * self.hand_size * self.max_score

    @property
    def max_score(self) -> int:
        """Score of a perfect game."""
        return self.colors * self.ranks

    @property
    def sorted_deck(self) -> NDArray[np.uint8]:
        """All cards of the deck in ascending order, uint8[deck_size]."""
        copies = [self.copies(rank) for _ in range(self.colors) for rank in range(self.ranks)]
        return np.repeat(np.arange(self.max_score, dtype=np.uint8), copies)

    def deck(self, cards: Sequence[int | str | Sequence[int]]) -> NDArray[np.uint8]:
        """Return a deck, uint8[deck_size], that begins with these cards; the rest of the deck follows in order.

        A card is its number (color * ranks + rank), a name as HLE writes it (R1), or a pair (color, rank) from 0.
        Raises UserError if a card is not in the deck as often as it is listed.
        """
        left = [int(card) for card in self.sorted_deck]
        chosen = []
        for place, card in enumerate(cards):
            number = self._card_number(card)
            if number not in left:
                raise UserError(f"deck: card {place}, {card!r}, is not in the deck, or not as often as it is listed")
            left.remove(number)
            chosen.append(number)
        return np.array(chosen + left, np.uint8)

    def _card_number(self, card: int | str | Sequence[int]) -> int:
        """Return the number of a card, -1 if it is none of this game."""
        if isinstance(card, int | np.integer) and not isinstance(card, bool):
            return int(card)
        if isinstance(card, str):
            if len(card) != 2 or card[0] not in COLOR_LETTERS or card[1] not in "12345":
                return -1
            card = COLOR_LETTERS.index(card[0]), int(card[1]) - 1
        pair = tuple(card) if isinstance(card, Sequence) else ()
        if len(pair) != 2 or not all(isinstance(part, int | np.integer) for part in pair):
            return -1
        color, rank = int(pair[0]), int(pair[1])  # type: ignore[call-overload]
        inside = 0 <= color < self.colors and 0 <= rank < self.ranks
        return color * self.ranks + rank if inside else -1

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

    def lookup(self) -> dict[str, NDArray[np.uint8]]:
        """Return the parts of the kernels' lookup table by their names in `Sizes`."""
        cards, seer = self.max_score, self.observation_type == "seer"
        color_of, rank_of = np.divmod(np.arange(cards), self.ranks)
        kind, offset, index = np.array(self.moves()).T
        hinted = np.zeros((cards, self.colors + self.ranks), np.uint8)
        hinted[np.arange(cards), color_of] = hinted[np.arange(cards), self.colors + rank_of] = 1
        named = np.where((kind == REVEAL_COLOR)[:, None], color_of, rank_of) == index[:, None]
        compatible = np.ones((self.num_moves, 2, cards + self.colors + self.ranks), np.uint8)
        compatible[:, 0, :cards], compatible[:, 1, :cards] = ~named, named
        unknown = np.hstack([np.ones((cards, cards), np.uint8), np.zeros_like(hinted)])
        parts = {
            "color_of": color_of,
            "rank_of": rank_of,
            "first_copy": np.searchsorted(self.sorted_deck, np.arange(cards)),
            "move_kind": kind,
            "move_offset": offset,
            "move_index": index,
            "fresh": np.hstack([np.eye(cards, dtype=np.uint8), hinted]) if seer else unknown,
            "compatible": compatible,
        }
        return {name: part.astype(np.uint8) for name, part in parts.items()}

    def game_parts(self) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the parts of a game by their names in `Table`, in the order of packing."""
        knowledge = self.max_score + self.colors + self.ranks
        return {
            "deck": (self.deck_size,),
            "hands": (self.players, self.hand_size),
            "held": (self.players,),
            "known": (self.players, self.hand_size, knowledge),
            "fireworks": (self.colors,),
            "discarded": (self.deck_size,),
            "pile": (self.deck_size,),
        }

    def sizes(self, observation: int) -> Sizes:
        """Return the rules as kernels take them; `observation`: features of an observation."""
        starts, size = _starts({name: math.prod(shape) for name, shape in self.game_parts().items()})
        tables, _ = _starts({name: part.size for name, part in self.lookup().items()})
        return Sizes(
            players=self.players,
            colors=self.colors,
            ranks=self.ranks,
            cards=self.max_score,
            hand=self.hand_size,
            information=self.max_information_tokens,
            lives=self.max_life_tokens,
            deck=self.deck_size,
            moves=self.num_moves,
            knowledge=self.max_score + self.colors + self.ranks,
            observation=observation,
            minimal=int(self.observation_type == "minimal"),
            random_start=int(self.random_start_player),
            keep_score=int(self.keep_score),
            **{f"{name}_at": start for name, start in starts.items()},
            game=size,
            **tables,
        )

    def new_table(self, num_envs: int) -> Table:
        """Allocate the state of `num_envs` games; `start` fills it."""
        shapes = self.game_parts()
        starts, size = _starts({name: math.prod(shape) for name, shape in shapes.items()})
        games = np.zeros((num_envs, size), np.uint8)
        return Table(
            **{
                name: games[:, starts[name] : starts[name] + math.prod(shape)].reshape(num_envs, *shape)
                for name, shape in shapes.items()
            },
            games=games,
            counters=np.zeros((num_envs, NUM_COUNTERS), np.int32),
            rng=np.zeros((num_envs, 1), np.uint64),
        )


def _starts(lengths: dict[str, int]) -> tuple[dict[str, int], int]:
    """Lay parts end to end: where each begins, and the length of all."""
    ends = list(itertools.accumulate(lengths.values()))
    return dict(zip(lengths, [0, *ends], strict=False)), ends[-1]
