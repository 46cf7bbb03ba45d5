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
from envs.hanabi_batch import checked_actions, checked_decks, checked_step, illegal_move, new_step
from envs.hanabi_encoding import (
    encode,
    encode_hand,
    hint_ranks,
    last_move_key,
    legal_moves,
    observation_size,
)
from envs.hanabi_kernels import apply_move, copy, score, shuffle, start
from envs.hanabi_rules import DONE, INFORMATION, LIVES, PLAYER, HanabiRules
from envs.language import hanabi_game
from envs.rng import stream
from schemas.errors import UserError

_MIN_SLICE = 256  # games; below that, handing a slice to a thread costs more than it saves
_SLICES_A_THREAD = 4


@kernel
def _show(s, lookup, games, counters, legal_now, masks, first, last, step):  # type: ignore[no-untyped-def]
    """Write observation, legal moves, key and player of games first..last-1 into `step`, the arrays of a Step.

    `legal_now`, bool[B, A], keeps the legal moves for the check of the next step, where no caller can change them.
    """
    obs, legal, key, player, _, _ = step
    num_masks = masks.max() + 1
    for i in range(first, last):
        game, c = games[i], counters[i]
        encode(s, lookup, game, c, c[PLAYER], obs[i])
        legal_moves(s, lookup, game, c, legal_now[i])
        copy(legal[i], 0, legal_now[i], 0, s.moves)
        key[i] = last_move_key(s, c, masks, num_masks)
        player[i] = c[PLAYER]


@kernel
def _step(s, lookup, games, counters, legal_now, masks, rng, cards, actions, autoreset, first, last, step):  # type: ignore[no-untyped-def]
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
        legal_moves(s, lookup, game, c, legal_now[i])
        copy(legal[i], 0, legal_now[i], 0, s.moves)
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
def _first_illegal(counters, legal_now, actions):  # type: ignore[no-untyped-def]
    """Return the first game whose move is not legal, -1 if there is none. Ended games take any move."""
    for i in range(actions.shape[0]):
        inside = 0 <= actions[i] < legal_now.shape[1]
        if not counters[i, DONE] and not (inside and legal_now[i, actions[i]]):
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


class Hanabi:
    """A batch of Hanabi games (see envs.base.BatchedEnv); rewards are changes of the score, as in HLE's rl_env."""

    def __init__(
        self,
        num_envs: int,
        rules: HanabiRules | None = None,
        *,
        autoreset: bool = True,
        num_threads: int = 1,
        first_stream: int = 0,
        game: Game | None = None,
    ) -> None:
        """`first_stream` numbers the streams of randomness from there: one batch may be spread over processes."""
        for name, value in (("num_envs", num_envs), ("num_threads", num_threads)):
            if value < 1:
                raise UserError(f"{name}: {value}; at least 1 is needed")
        self.rules = rules or HanabiRules()
        self.game = game or hanabi_game(self.rules)
        self.num_envs, self.num_players = num_envs, self.rules.players
        self.obs_size, self.private_size = observation_size(self.rules), self.rules.private_size
        self.autoreset, self._first_stream = autoreset, first_stream
        self._sizes = self.rules.sizes(self.obs_size)
        self._lookup = np.concatenate([part.ravel() for part in self.rules.lookup().values()])
        self._cards = self.rules.sorted_deck
        self._masks = hint_ranks(self.rules.hand_size)
        self.table = self.rules.new_table(num_envs)
        self._legal = np.zeros((num_envs, self.rules.num_moves), np.bool_)
        self._started = False
        threads = min(num_threads, num_envs // (2 * _MIN_SLICE)) or 1
        slices = min(threads * _SLICES_A_THREAD, num_envs // _MIN_SLICE) if threads > 1 else 1
        self._slices = list(itertools.pairwise(num_envs * k // slices for k in range(slices + 1)))
        self._helpers = threads - 1
        self._pool = ThreadPoolExecutor(self._helpers) if self._helpers else None

    def reset(self, seed: int, decks: NDArray[np.integer] | None = None) -> Step:
        """Start all games anew; `decks`, int[B, deck_size] in dealing order, are those of the first games.

        Raises UserError if a deck is not an order of the game's cards.
        """
        if decks is not None:
            self.table.deck[:] = checked_decks(self.rules, self.num_envs, decks)
        for i in range(self.num_envs):
            self.table.rng[i] = stream(seed, self._first_stream + i)
        games, counters = self.table.games, self.table.counters
        _start_all(self._sizes, self._lookup, games, counters, self.table.rng, self._cards, decks is None)
        return self._now()

    def step(self, actions: NDArray[np.integer], out: Step | None = None) -> Step:
        """Make one move a game, into the arrays of `out` if given (which must be as a step returned them).

        Raises UserError, before any game has moved, naming the first game whose move is not legal.
        """
        if not self._started:
            raise UserError("step: the games have not begun; call reset first")
        actions = checked_actions(self.num_envs, actions)
        wrong = _first_illegal(self.table.counters, self._legal, actions)
        if wrong >= 0:
            raise illegal_move(self.game, wrong, int(actions[wrong]), self._legal[wrong])
        sizes = (self.rules, self.num_envs, self.obs_size)
        step = new_step(*sizes) if out is None else checked_step(*sizes, out)
        dealing = (self._masks, self.table.rng, self._cards)
        self._run(_step, *dealing, actions, self.autoreset, into=step)
        return step

    def state(self) -> dict[str, NDArray[Any]]:
        """Return copies of everything that changes, for a checkpoint."""
        table = self.table
        return {"games": table.games.copy(), "counters": table.counters.copy(), "rng": table.rng.copy()}

    def restore(self, state: dict[str, NDArray[Any]]) -> Step:
        """Go on from what `state` returned; shows the games as they stood, with reward 0.

        Raises UserError if it is the state of other rules or of another number of games.
        """
        for name in ("games", "counters", "rng"):
            mine = getattr(self.table, name)
            if state[name].shape != mine.shape or state[name].dtype != mine.dtype:
                raise UserError(
                    f"state[{name!r}]: {state[name].dtype} of shape {state[name].shape}; "
                    f"expected {mine.dtype} of shape {mine.shape}"
                )
        for name in ("games", "counters", "rng"):
            getattr(self.table, name)[:] = state[name]
        return self._now()

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
        parts = (self.table.games, self.table.counters, self.table.rng, self._legal)
        return sum(part.nbytes for part in parts) // self.num_envs

    def _now(self) -> Step:
        """Show the games as they stand."""
        self._started = True
        out = new_step(self.rules, self.num_envs, self.obs_size)
        out.done[:] = self.table.counters[:, DONE] != 0
        self._run(_show, self._masks, into=out)
        return out

    def _run(self, kernel: Callable[..., Any], *arguments: Any, into: Step) -> None:
        """Run a kernel on every slice of the games.

        This thread and its helpers take slices until none is left, so that a helper that wakes up late, or whose
        core is busy, holds nobody up: one that has not begun by the end is not waited for.
        """
        state = (self._sizes, self._lookup, self.table.games, self.table.counters, self._legal)
        slices, step = iter(self._slices), tuple(into)

        def work() -> None:
            for first, last in slices:
                kernel(*state, *arguments, first, last, step)

        tasks = [self._pool.submit(work) for _ in range(self._helpers)] if self._pool else []
        work()
        for task in tasks:
            if not task.cancel():
                task.result()
