"""A batch of Hanabi games in numba: HLE's rules and observations at a million moves a second on one core.

The kernels are serial and hold no lock; with several threads each steps a slice of the games. Numba's own parallel
loops are not used: they collapse when another process holds one of the cores. Every game has a stream of randomness
of its own, so that neither threads nor the size of the batch change any game.
"""

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.base import Game, Step
from envs.compiled import kernel
from envs.hanabi_encoding import (
    encode,
    encode_hand,
    hint_ranks,
    last_move_key,
    legal_moves,
    observation_size,
)
from envs.hanabi_kernels import apply_move, is_legal, score, shuffle, start
from envs.hanabi_rules import DONE, INFORMATION, LIVES, PLAYER, HanabiRules
from envs.language import hanabi_game
from envs.rng import stream
from schemas.errors import UserError

_MIN_SLICE = 128  # games a thread; below that, handing the slice over costs more than it saves


@kernel
def _show(s, lookup, games, counters, masks, first, last, step):  # type: ignore[no-untyped-def]
    """Write observation, legal moves, key and player of games first..last-1 into `step`, the arrays of a Step."""
    obs, legal, key, player, _, _ = step
    num_masks = masks.max() + 1
    for i in range(first, last):
        game, c = games[i], counters[i]
        encode(s, lookup, game, c, c[PLAYER], obs[i])
        legal_moves(s, lookup, game, c, legal[i])
        key[i] = last_move_key(s, c, masks, num_masks)
        player[i] = c[PLAYER]


@kernel
def _step(s, lookup, games, counters, masks, rng, cards, actions, autoreset, first, last, step):  # type: ignore[no-untyped-def]
    """Make one move in each of the games first..last-1 and show them. `cards`: uint8[deck], the sorted deck."""
    obs, legal, key, player, reward, done = step
    num_masks = masks.max() + 1
    for i in range(first, last):
        game, c = games[i], counters[i]
        reward[i] = 0
        if not c[DONE]:
            reward[i] = apply_move(s, lookup, game, c, actions[i])
        done[i] = c[DONE] != 0
        if done[i] and autoreset:
            _new_game(s, lookup, game, c, rng[i], cards)
        encode(s, lookup, game, c, c[PLAYER], obs[i])
        legal_moves(s, lookup, game, c, legal[i])
        key[i] = last_move_key(s, c, masks, num_masks)
        player[i] = c[PLAYER]


@kernel
def _new_game(s, lookup, game, c, rng, cards):  # type: ignore[no-untyped-def]
    """Shuffle the sorted deck `cards`, uint8[deck], and deal."""
    deck = game[s.deck_at : s.deck_at + s.deck]
    for k in range(s.deck):
        deck[k] = cards[k]
    shuffle(deck, rng)
    start(s, lookup, game, c, rng)


@kernel
def _start_all(s, lookup, games, counters, rng, cards, shuffled):  # type: ignore[no-untyped-def]
    for i in range(games.shape[0]):
        if shuffled:
            _new_game(s, lookup, games[i], counters[i], rng[i], cards)
        else:
            start(s, lookup, games[i], counters[i], rng[i])


@kernel
def _first_illegal(s, lookup, games, counters, actions, first, last):  # type: ignore[no-untyped-def]
    """Return the first of the games first..last-1 whose move is not legal, -1 if there is none.

    Ended games take any move.
    """
    for i in range(first, last):
        if not counters[i, DONE] and not is_legal(s, lookup, games[i], counters[i], actions[i]):
            return i
    return -1


@kernel
def _encode_all(s, lookup, games, counters, observers, out):  # type: ignore[no-untyped-def]
    for i in range(out.shape[0]):
        encode(s, lookup, games[i], counters[i], observers[i], out[i])


@kernel
def _encode_hands(s, games, players, out):  # type: ignore[no-untyped-def]
    for i in range(out.shape[0]):
        encode_hand(s, games[i], players[i], out[i])


@kernel
def _scores(s, games, counters, out):  # type: ignore[no-untyped-def]
    for i in range(out.shape[0]):
        out[i] = score(s, games[i], counters[i])


def checked_decks(rules: HanabiRules, num_envs: int, decks: NDArray[np.integer]) -> NDArray[np.uint8]:
    """Return decks as uint8[num_envs, deck_size]. Raises UserError unless each is an order of the game's cards."""
    decks = np.asarray(decks)
    shape = (num_envs, rules.deck_size)
    if decks.shape != shape or decks.dtype.kind not in "iu":
        raise UserError(f"decks: {decks.dtype} of shape {decks.shape}; expected integers of shape {shape}")
    wrong = (np.sort(decks, axis=1) != rules.sorted_deck).any(axis=1)
    if wrong.any():
        raise UserError(
            f"decks[{int(wrong.argmax())}]: not an order of the deck's {rules.deck_size} cards "
            f"(color * {rules.ranks} + rank, each as often as the rules say)"
        )
    return decks.astype(np.uint8)


def checked_actions(num_envs: int, actions: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return actions as int64[num_envs]. Raises UserError saying what was expected and what came."""
    actions = np.asarray(actions)
    if actions.shape != (num_envs,) or actions.dtype.kind not in "iu":
        raise UserError(f"actions: {actions.dtype} of shape {actions.shape}; expected integers of shape ({num_envs},)")
    return actions.astype(np.int64, copy=False)


def illegal_move(game: Game, env: int, action: int, legal: NDArray[np.bool_]) -> UserError:
    """Build the error for an illegal move, in words; `legal`: bool[A] of that environment."""
    allowed = ", ".join(f"{move} {game.actions[move].name}" for move in np.flatnonzero(legal))
    known = 0 <= action < len(game.actions)
    words = f"{action} ({game.actions[action].text})" if known else f"{action}, no move of the game,"
    return UserError(f"actions[{env}]: {words} is not legal; legal are {allowed}")


def new_step(rules: HanabiRules, num_envs: int, obs_size: int) -> Step:
    """Allocate what a batch shows."""
    return Step(
        obs=np.empty((num_envs, obs_size), np.uint8),
        legal=np.empty((num_envs, rules.num_moves), np.bool_),
        obs_key=np.empty(num_envs, np.int32),
        player=np.empty(num_envs, np.int32),
        reward=np.zeros(num_envs, np.float32),
        done=np.zeros(num_envs, np.bool_),
    )


class Hanabi:
    """A batch of Hanabi games (see envs.base.BatchedEnv); rewards are changes of the score, as in HLE's rl_env."""

    def __init__(
        self,
        num_envs: int,
        rules: HanabiRules | None = None,
        *,
        autoreset: bool = True,
        num_threads: int = 1,
        game: Game | None = None,
    ) -> None:
        for name, value in (("num_envs", num_envs), ("num_threads", num_threads)):
            if value < 1:
                raise UserError(f"{name}: {value}; at least 1 is needed")
        self.rules = rules or HanabiRules()
        self.game = game or hanabi_game(self.rules)
        self.num_envs, self.num_players = num_envs, self.rules.players
        self.obs_size = observation_size(self.rules)
        self.autoreset = autoreset
        self._sizes = self.rules.sizes(self.obs_size)
        self._lookup = np.concatenate([part.ravel() for part in self.rules.lookup().values()])
        self._cards = self.rules.sorted_deck
        self._masks = hint_ranks(self.rules.hand_size)
        self.table = self.rules.new_table(num_envs)
        slices = max(1, min(num_threads, num_envs // _MIN_SLICE))
        bounds = [num_envs * k // slices for k in range(slices + 1)]
        self._slices = list(itertools.pairwise(bounds))
        self._pool = ThreadPoolExecutor(slices - 1) if slices > 1 else None

    def reset(self, seed: int, decks: NDArray[np.integer] | None = None) -> Step:
        """Start all games anew; `decks`, int[B, deck_size] in dealing order, are those of the first games.

        Raises UserError if a deck is not an order of the game's cards.
        """
        if decks is not None:
            self.table.deck[:] = checked_decks(self.rules, self.num_envs, decks)
        for i in range(self.num_envs):
            self.table.rng[i] = stream(seed, i)
        games, counters = self.table.games, self.table.counters
        _start_all(self._sizes, self._lookup, games, counters, self.table.rng, self._cards, decks is None)
        out = new_step(self.rules, self.num_envs, self.obs_size)
        self._run(lambda a, b: _show(self._sizes, self._lookup, games, counters, self._masks, a, b, tuple(out)))
        return out

    def step(self, actions: NDArray[np.integer], out: Step | None = None) -> Step:
        """Make one move a game, into the arrays of `out` if given (which must be as a step returned them).

        Raises UserError, before any game has moved, naming the first game whose move is not legal.
        """
        actions = checked_actions(self.num_envs, actions)
        games, counters = self.table.games, self.table.counters
        state = (self._sizes, self._lookup, games, counters)
        wrong = [i for i in self._run(lambda a, b: _first_illegal(*state, actions, a, b)) if i >= 0]
        if wrong:
            legal = np.empty(self.rules.num_moves, np.bool_)
            legal_moves(self._sizes, self._lookup, games[wrong[0]], counters[wrong[0]], legal)
            raise illegal_move(self.game, wrong[0], int(actions[wrong[0]]), legal)
        step = out or new_step(self.rules, self.num_envs, self.obs_size)
        dealing = (self._masks, self.table.rng, self._cards)
        self._run(lambda a, b: _step(*state, *dealing, actions, self.autoreset, a, b, tuple(step)))
        return step

    def encode(self, offset: int = 0) -> NDArray[np.uint8]:
        """Return what the player `offset` seats after the one to act sees, uint8[B, D]."""
        out = np.empty((self.num_envs, self.obs_size), np.uint8)
        observers = (self.player + offset) % self.num_players
        _encode_all(self._sizes, self._lookup, self.table.games, self.table.counters, observers, out)
        return out

    def own_hand(self) -> NDArray[np.uint8]:
        """Return the true cards of the player to act, one-hot, uint8[B, hand_size * colors * ranks].

        They are hidden from the player: a target for auxiliary learning, not an observation.
        """
        out = np.empty((self.num_envs, self.rules.hand_size * self.rules.max_score), np.uint8)
        _encode_hands(self._sizes, self.table.games, self.player.copy(), out)
        return out

    @property
    def player(self) -> NDArray[np.int32]:
        """Player to act, int32[B]."""
        return self.table.counters[:, PLAYER]

    @property
    def scores(self) -> NDArray[np.int64]:
        """Score of every game so far, int64[B]."""
        out = np.empty(self.num_envs, np.int64)
        _scores(self._sizes, self.table.games, self.table.counters, out)
        return out

    @property
    def information_tokens(self) -> NDArray[np.int32]:
        """Information tokens left, int32[B]."""
        return self.table.counters[:, INFORMATION]

    @property
    def life_tokens(self) -> NDArray[np.int32]:
        """Life tokens left, int32[B]."""
        return self.table.counters[:, LIVES]

    @property
    def bytes_per_env(self) -> int:
        """Memory of one game's state, without what a step returns."""
        parts = (self.table.games, self.table.counters, self.table.rng)
        return sum(part.nbytes for part in parts) // self.num_envs

    def _run(self, kernel: Callable[[int, int], Any]) -> list[Any]:
        """Run a kernel on every slice of the games, the first on this thread; returns what each returned."""
        (first, last), *others = self._slices
        waiting = [self._pool.submit(kernel, a, b) for a, b in others] if self._pool else []
        return [kernel(first, last), *(task.result() for task in waiting)]
