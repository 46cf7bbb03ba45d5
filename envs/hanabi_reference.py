"""The same batched interface over the Hanabi Learning Environment itself: the oracle, slow and sure.

HLE deals from its own generator, and its interface has no way to name a card to deal. It does hand out the moves of
its history, deals among them, and takes them back: `deal_moves` collects one deal of every card, and with them the
decks of the fast engine are dealt in HLE, card by card. Both engines draw decks from the same streams, so that a
seed means the same games in both.
"""

import functools
from typing import Any

import numpy as np
from hanabi_learning_environment import pyhanabi
from numpy.typing import NDArray

from envs.base import Game, Step
from envs.hanabi_batch import checked_actions, checked_decks, illegal_move, new_step
from envs.hanabi_kernels import shuffle
from envs.hanabi_rules import HanabiRules
from envs.language import hanabi_game
from envs.rng import below, stream
from schemas.errors import UserError


@functools.cache
def deal_moves() -> dict[tuple[int, int], Any]:
    """Return a deal move of HLE for every (color, rank)."""
    everything = pyhanabi.HanabiGame({"players": 2, "hand_size": 25})  # deals its whole deck at the start
    state = everything.new_initial_state()
    while state.cur_player() == pyhanabi.CHANCE_PLAYER_ID:
        state.deal_random_card()
    deals = [item.move() for item in state.move_history()]
    return {(move.color(), move.rank()): move for move in deals}


def deck_of(state: Any, rules: HanabiRules) -> NDArray[np.uint8]:
    """Return a deck, uint8[deck_size], that deals what HLE has dealt in `state` so far; the rest stands sorted."""
    deals = [item.move() for item in state.move_history() if item.move().type() == pyhanabi.HanabiMoveType.DEAL]
    return rules.deck([(move.color(), move.rank()) for move in deals])


class HanabiReference:
    """A batch of Hanabi games played by HLE (see envs.base.BatchedEnv and envs.hanabi_engine.Hanabi)."""

    def __init__(
        self,
        num_envs: int,
        rules: HanabiRules | None = None,
        *,
        autoreset: bool = True,
        first_stream: int = 0,
        game: Game | None = None,
    ) -> None:
        if num_envs < 1:
            raise UserError(f"num_envs: {num_envs}; at least 1 is needed")
        self.rules = rules or HanabiRules()
        self.game = game or hanabi_game(self.rules)
        self.num_envs, self.num_players = num_envs, self.rules.players
        self.autoreset, self._first_stream = autoreset, first_stream
        self.hle_game = pyhanabi.HanabiGame(self.rules.hle_parameters())
        self._encoder = pyhanabi.ObservationEncoder(self.hle_game)
        self._moves = [self.hle_game.get_move(uid) for uid in range(self.rules.num_moves)]
        self.obs_size, self.private_size = int(self._encoder.shape()[0]), self.rules.private_size
        self._rng = np.zeros((num_envs, 1), np.uint64)
        self._decks = np.zeros((num_envs, self.rules.deck_size), np.uint8)
        self.states: list[Any] = [None] * num_envs

    def reset(self, seed: int, decks: NDArray[np.integer] | None = None) -> Step:
        """Start all games anew; `decks`, int[B, deck_size] in dealing order, are those of the first games."""
        if decks is not None:
            decks = checked_decks(self.rules, self.num_envs, decks)
        for i in range(self.num_envs):
            self._rng[i] = stream(seed, self._first_stream + i)
            self._start(i, None if decks is None else decks[i])
        return self._show(np.zeros(self.num_envs, np.float32), np.zeros(self.num_envs, np.bool_))

    def step(self, actions: NDArray[np.integer]) -> Step:
        """Make one move a game. Raises UserError naming the first game whose move is not legal."""
        if self.states[0] is None:
            raise UserError("step: the games have not begun; call reset first")
        actions = checked_actions(self.num_envs, actions)
        for i, action in enumerate(actions):
            legal = self._legal(i)
            if not self.states[i].is_terminal() and not (0 <= action < len(legal) and legal[action]):
                raise illegal_move(self.game, i, int(action), legal)
        reward = np.zeros(self.num_envs, np.float32)
        done = np.zeros(self.num_envs, np.bool_)
        for i, state in enumerate(self.states):
            if not state.is_terminal():
                before = self.score(i)
                state.apply_move(self._moves[actions[i]])
                self._deal(i)
                reward[i] = self.score(i) - before
            done[i] = state.is_terminal()
            if done[i] and self.autoreset:
                self._start(i, None)
        return self._show(reward, done)

    def state(self) -> dict[str, NDArray[Any]]:
        """Return decks, generators and the moves so far, int16[B, L] padded with -1: HLE's games cannot be copied."""
        told = [
            [self.hle_game.get_move_uid(i.move()) for i in s.move_history() if i.player() >= 0] for s in self.states
        ]
        moves = np.full((self.num_envs, max(map(len, told))), -1, np.int16)
        for row, game in zip(moves, told, strict=True):
            row[: len(game)] = game
        first = np.array([self._first(env) for env in range(self.num_envs)], np.int8)
        return {"rng": self._rng.copy(), "decks": self._decks.copy(), "moves": moves, "first": first}

    def restore(self, state: dict[str, NDArray[Any]]) -> Step:
        """Go on from what `state` returned: every game is played again up to where it stood."""
        self._rng[:], self._decks[:] = state["rng"], state["decks"]
        for i, moves in enumerate(state["moves"]):
            self._begin(i, int(state["first"][i]))
            for move in moves[moves >= 0]:
                self.states[i].apply_move(self._moves[move])
                self._deal(i)
        done = np.array([game.is_terminal() for game in self.states])
        return self._show(np.zeros(self.num_envs, np.float32), done)

    def score(self, env: int) -> int:
        """Score of a game so far: HLE's, or the cards played if the rules keep it when the lives run out."""
        state = self.states[env]
        return int(sum(state.fireworks()) if self.rules.keep_score else state.score())

    def observe(self, env: int, player: int) -> NDArray[np.uint8]:
        """Return what a player sees of a game, uint8[D]."""
        return np.array(self._encoder.encode(self.states[env].observation(player)), np.uint8)

    def _start(self, env: int, deck: NDArray[np.uint8] | None) -> None:
        """Begin a game; without a deck the stream of the game shuffles one, then draws the first player."""
        if deck is None:
            deck = self.rules.sorted_deck
            shuffle(deck, self._rng[env])
        self._decks[env] = deck
        self._begin(env, below(self._rng[env], self.rules.players) if self.rules.random_start_player else 0)

    def _begin(self, env: int, first: int) -> None:
        """Deal the hands of a game in which player `first` moves first."""
        while True:  # HLE draws the first player by itself: try until it is the right one
            self.states[env] = self.hle_game.new_initial_state()
            self._deal(env)
            if self.states[env].cur_player() == first:
                return

    def _first(self, env: int) -> int:
        """Return the player who moved first, or is to."""
        moved = (item.player() for item in self.states[env].move_history() if item.player() >= 0)
        return int(next(moved, self.states[env].cur_player()))

    def _deal(self, env: int) -> None:
        """Deal from the deck while it is chance's turn."""
        state = self.states[env]
        while state.cur_player() == pyhanabi.CHANCE_PLAYER_ID:
            color, rank = divmod(int(self._decks[env, self.rules.deck_size - state.deck_size()]), self.rules.ranks)
            state.apply_move(deal_moves()[color, rank])

    def _legal(self, env: int) -> NDArray[np.bool_]:
        legal = np.zeros(self.rules.num_moves, np.bool_)
        legal[[self.hle_game.get_move_uid(move) for move in self.states[env].legal_moves()]] = True
        return legal

    def _show(self, reward: NDArray[np.float32], done: NDArray[np.bool_]) -> Step:
        step = new_step(self.rules, self.num_envs, self.obs_size)._replace(reward=reward, done=done)
        for i, state in enumerate(self.states):
            step.player[i] = state.cur_player()
            step.obs[i] = self.observe(i, state.cur_player())
            step.legal[i] = self._legal(i)
            step.obs_key[i] = self.game.index[self._key(i)]
        return step

    def _key(self, env: int) -> str:
        """Return the last move as HLE's observation writes it, without what it did to the board."""
        state = self.states[env]
        for item in state.observation(state.cur_player()).last_moves():
            if item.move().type() != pyhanabi.HanabiMoveType.DEAL:
                head, _, tail = str(item).partition(" by player ")
                hinted = f" reveal {tail.rpartition(' reveal ')[2]}" if " reveal " in tail else ">"
                return f"{head} by player {tail[0]}{hinted}"
        return "[null]"
