"""Self-play on the batched engine: the moves of all games between two updates, in arrays made once."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from envs.base import BatchedEnv, Step


@dataclass
class Rollout:
    """T moves in each of B games. Arrays are reused by the next rollout."""

    obs: NDArray[np.uint8]  # [T, B, D]
    hand: NDArray[np.uint8]  # [T, B, H] true cards of the player to act; H = 0 where nobody asks for them
    legal: NDArray[np.bool_]  # [T, B, A]
    obs_key: NDArray[np.int32]  # [T, B]
    player: NDArray[np.int32]  # [T, B]
    starts: NDArray[np.bool_]  # [T, B] the player's first move of a game
    action: NDArray[np.int64]  # [T, B]
    log_pi: NDArray[np.float32]  # [T, B] log-probability of the action when it was drawn
    value: NDArray[np.float32]  # [T + 1, B]
    reward: NDArray[np.float32]  # [T, B]
    done: NDArray[np.bool_]  # [T, B]
    memory: Tensor  # [B * P, S] of every seat, before the first move

    @classmethod
    def empty(cls, length: int, env: BatchedEnv, hand_size: int, state_size: int, device: torch.device) -> "Rollout":
        """Allocate; what is large is pinned if it has to travel to a GPU."""
        shape, pin = (length, env.num_envs), device.type == "cuda"
        return cls(
            obs=torch.empty(*shape, env.obs_size, dtype=torch.uint8, pin_memory=pin).numpy(),
            hand=torch.empty(*shape, hand_size, dtype=torch.uint8, pin_memory=pin).numpy(),
            legal=torch.empty(*shape, len(env.game.actions), dtype=torch.bool, pin_memory=pin).numpy(),
            obs_key=np.empty(shape, np.int32),
            player=np.empty(shape, np.int32),
            starts=np.empty(shape, np.bool_),
            action=np.empty(shape, np.int64),
            log_pi=np.empty(shape, np.float32),
            value=np.empty((length + 1, env.num_envs), np.float32),
            reward=np.empty(shape, np.float32),
            done=np.empty(shape, np.bool_),
            memory=torch.zeros(env.num_envs * env.num_players, state_size, device=device),
        )

    def advantages(self, gamma: float, lam: float) -> NDArray[np.float32]:
        """Generalized advantage estimates, float32[T, B] (Schulman et al., 2016, Eq. 16).

        Moves of all players form one sequence with one shared reward.
        """
        out, advantage = np.empty_like(self.reward), np.zeros(self.reward.shape[1], np.float32)
        for t in reversed(range(len(self.reward))):
            going = np.float32(gamma) * ~self.done[t]
            delta = self.reward[t] + going * self.value[t + 1] - self.value[t]
            advantage = delta + np.float32(lam) * going * advantage
            out[t] = advantage
        return out

    def seat_sequences(self, num_players: int) -> NDArray[np.int64]:
        """Indices into the T * B moves, one column for every game and seat in time's order, int64[L, B * P].

        Columns are padded with -1 at their end; L is the length of the longest.
        """
        length, games = self.player.shape
        owner = np.arange(games) * num_players + self.player  # [T, B] column of every move
        order = np.argsort(owner.ravel(), kind="stable")
        owner_sorted = owner.ravel()[order]
        counts = np.bincount(owner_sorted, minlength=games * num_players)
        first = np.cumsum(counts) - counts
        out = np.full((int(counts.max()), games * num_players), -1, np.int64)
        out[np.arange(length * games) - first[owner_sorted], owner_sorted] = order
        return out


class Scores:
    """Scores of the games that end: a running sum for every game, and what has ended since it was last asked."""

    def __init__(self, num_envs: int) -> None:
        self.running = np.zeros(num_envs, np.float32)
        self._ended: list[NDArray[np.float32]] = []

    def add(self, step: Step) -> None:
        """Count a step."""
        self.running += step.reward
        if step.done.any():
            self._ended.append(self.running[step.done].copy())
            self.running[step.done] = 0

    def take(self) -> dict[str, float]:
        """Return mean score and number of the games that have ended, and forget them."""
        ended = np.concatenate(self._ended) if self._ended else np.zeros(0, np.float32)
        self._ended = []
        return {"train/score": float(ended.mean())} if len(ended) else {}


def own_hand(env: BatchedEnv) -> NDArray[np.uint8]:
    """Return the true cards of the player to act, uint8[B, H]; H is 0 for games without hidden hands."""
    hand: Any = getattr(env, "own_hand", None)
    return np.zeros((env.num_envs, 0), np.uint8) if hand is None else hand()
