"""Replay of self-play: the last moves of a batch of games, as bits, in arrays made once.

All games move together, so that the replay is a ring of rows, one row a move in every game. Players move in turn:
every P-th row of a game is one seat's own sequence, and where a game ends, the next such row is the first own move of
some seat in the next game. Single moves, n-step targets and sequences for recurrent nets are all rows of that kind.
"""

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from envs.base import BatchedEnv


class Draw(NamedTuple):
    """Where drawn sequences begin, and the weights that correct for unequal chances of being drawn."""

    row: NDArray[np.int64]  # [N]
    game: NDArray[np.int64]  # [N]
    weight: NDArray[np.float32]  # [N] 1 for the rarest


class Replay:
    """The last `rows` moves in each of B games; observations and legal moves are packed, 8 to a byte."""

    def __init__(self, rows: int, env: BatchedEnv, *, views: int = 1, hand_size: int = 0) -> None:
        self.rows, self.games, self.views = rows, env.num_envs, views
        self.bits = {"obs": env.obs_size, "legal": len(env.game.actions), "hand": hand_size}
        shape = (rows, env.num_envs)
        self.arrays: dict[str, NDArray[Any]] = {
            "obs": np.zeros((*shape, views, -(-env.obs_size // 8)), np.uint8),
            "legal": np.zeros((*shape, -(-self.bits["legal"] // 8)), np.uint8),
            "hand": np.zeros((*shape, -(-hand_size // 8)), np.uint8),
            "obs_key": np.zeros(shape, np.int32),
            "action": np.zeros(shape, np.uint8),
            "reward": np.zeros(shape, np.float32),
            "done": np.zeros(shape, np.bool_),
            "start": np.zeros(shape, np.bool_),  # the player's first move of a game
            "priority": np.zeros(shape, np.float32),
        }
        self.count = 0  # rows ever written
        self.highest = 1.0  # priority of what has never been drawn

    def add(self, **move: NDArray[Any]) -> None:
        """Write one move in every game: obs [B, V, D], legal [B, A], hand [B, H], the others [B]."""
        row = self.count % self.rows
        for name, value in move.items():
            self.arrays[name][row] = np.packbits(value, axis=-1) if name in self.bits else value
        self.arrays["priority"][row] = self.highest
        self.count += 1

    def draw(self, count: int, length: int, alpha: float, random: torch.Generator) -> Draw:
        """Draw `count` sequences of `length` rows that are all there, by priority^alpha; weights as of beta = 0.5.

        Source: Schaul et al., "Prioritized Experience Replay" (2016), Section 3.4.
        """
        kept = min(self.count, self.rows)
        begin, choices = self.count - kept, kept - length + 1
        if alpha == 0:
            flat = torch.randint(choices * self.games, (count,), generator=random).numpy()
            weight = np.ones(count, np.float32)
        else:
            rows = (begin + np.arange(choices)) % self.rows
            chance = self.arrays["priority"][rows].ravel() ** np.float32(alpha)
            total = np.cumsum(chance, dtype=np.float64)
            flat = np.searchsorted(total, torch.rand(count, generator=random).double().numpy() * total[-1], "right")
            flat = np.minimum(flat, len(total) - 1)
            weight = chance[flat] ** np.float32(-0.5)
            weight /= weight.max()
        return Draw((begin + flat // self.games) % self.rows, flat % self.games, weight)

    def take(self, name: str, row: NDArray[np.int64], game: NDArray[np.int64]) -> NDArray[Any]:
        """Read one array at rows (which wrap around) and games of one broadcast shape; bits come back as bool."""
        found = self.arrays[name][row % self.rows, game]
        if name not in self.bits:
            return found
        return np.unpackbits(found, axis=-1, count=self.bits[name]).view(np.bool_)

    def prioritize(self, draw: Draw, error: NDArray[np.float32]) -> None:
        """Set the priorities of what was drawn to its |TD error|, float32[N]."""
        self.arrays["priority"][draw.row, draw.game] = error + np.float32(1e-3)
        self.highest = max(self.highest, float(error.max()))

    def restore(self, arrays: dict[str, NDArray[Any]], count: int, highest: float) -> None:
        """Go on from the arrays, count and highest priority of another replay of the same shape."""
        for name, array in self.arrays.items():
            array[:] = arrays[name]
        self.count, self.highest = count, highest


def n_step_returns(
    reward: NDArray[np.float32], done: NDArray[np.bool_], gamma: float, horizon: int, stride: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Sum the discounted rewards of `horizon` moves, from every `stride`-th move on.

    `reward` and `done`, [W, N], are those of consecutive moves of all players. Returns (sums, discounts), float32
    [(W - horizon) // stride + 1, N]; the discount is that of the value after those moves, 0 if the game has ended.
    """
    last = len(reward) - horizon + 1
    total = np.zeros_like(reward[:last:stride])
    discount = np.ones_like(total)
    for k in range(horizon):
        total += discount * reward[k : k + last : stride]
        discount *= np.float32(gamma) * ~done[k : k + last : stride]
    return total, discount
