"""Tabular InstructQ on Say-Select as a straightforward Python loop: the yardstick of speed, and of correctness.

Written from the description of the algorithm alone, with dictionaries for tables and one episode at a time; it shares
no code with rl.tabular_q. It draws its random numbers in the same order from the same generator (SplitMix64), so that
both must agree, decision for decision.
"""

import itertools
import math
from typing import Any

import numpy as np

MASK = (1 << 64) - 1
NUM_BALLS, MAX_MOVES, QUIT = 5, 10, 5
LAYOUTS = [frozenset(good) for count in (1, 2, 3) for good in itertools.combinations(range(NUM_BALLS), count)]


class SplitMix64:
    """The generator, in Python integers."""

    def __init__(self, seed: int, index: int) -> None:
        self.state = self._mix(self._mix((seed * 0x632BE59BD9B4E019 + index) & MASK))

    @staticmethod
    def _mix(z: int) -> int:
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def word(self) -> int:
        """Return 64 random bits."""
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        return self._mix(self.state)

    def below(self, n: int) -> int:
        """Return an integer from 0 to n - 1."""
        return ((self.word() >> 32) * n) >> 32

    def unit(self) -> float:
        """Return a number from [0, 1)."""
        return (self.word() >> 11) / 9007199254740992


class PlainQ:
    """One seed. `initial` maps (player, observation, action) to the first value of a table entry."""

    def __init__(self, seed: int, lam: float, log_prior: Any, initial: dict[Any, float]) -> None:
        self.random = SplitMix64(seed, 0)
        self.lam, self.log_prior = lam, log_prior
        self.q = dict(initial)
        self.adam: dict[Any, list[float]] = {}
        self.replay: list[list[Any]] = []

    def combined(self, entry: Any) -> float:
        """Q + lambda * log prior of an entry."""
        player, seen, action = entry
        if player == "bob" and self.log_prior is not None and action != "wait":
            return self.q[entry] + self.lam * float(self.log_prior[seen[1] - 1][action])
        return self.q[entry]

    def greedy(self, player: str, seen: Any, waiting: bool) -> Any:
        """Best entry of an observation."""
        if waiting:
            return (player, seen, "wait")
        actions = range(NUM_BALLS if player == "alice" else NUM_BALLS + 1)
        return max(((player, seen, a) for a in actions), key=self.combined)

    def play(self, layout: frozenset[int], explore: float) -> tuple[list[Any], float]:
        """Play an episode; returns its transitions and score / best score."""
        good, said, selected, steps, score = set(layout), 0, 0, [], 0
        for move in range(MAX_MOVES):
            alice = move % 2 == 0
            seen_a = (frozenset(good), selected if alice else said, alice)
            seen_b = (selected, said, not alice)
            entry_a = self.greedy("alice", seen_a, not alice)
            entry_b = self.greedy("bob", seen_b, alice)
            if explore > 0 and self.random.unit() < explore:
                action = self.random.below(NUM_BALLS if alice else NUM_BALLS + 1)
                if alice:
                    entry_a = ("alice", seen_a, action)
                else:
                    entry_b = ("bob", seen_b, action)
            action = entry_a[2] if alice else entry_b[2]
            reward, over = 0, move == MAX_MOVES - 1
            if alice:
                said = action + 1
            elif action == QUIT:
                over = True
            else:
                selected = action + 1
                reward = 1 if action in good else -1
                good.discard(action)
            after = None
            if not over:
                after = (
                    (frozenset(good), said if alice else selected, not alice),
                    (selected, said, alice),
                    alice,
                )
            steps.append((entry_a, entry_b, reward, after))
            score += reward
            if over:
                break
        return steps, score / len(layout)

    def learn(self) -> None:
        """One update from 64 episodes."""
        gradients: dict[Any, list[float]] = {}
        for _ in range(64):
            for entry_a, entry_b, reward, after in self.replay[self.random.below(len(self.replay))]:
                target = float(reward)
                if after is not None:
                    seen_a, seen_b, bob_next = after
                    target += self.q[self.greedy("alice", seen_a, bob_next)]
                    target += self.q[self.greedy("bob", seen_b, not bob_next)]
                error = target - (self.q[entry_a] + self.q[entry_b])
                gradients.setdefault(entry_a, []).append(error)
                gradients.setdefault(entry_b, []).append(error)
        steps = {}
        for entry, errors in gradients.items():
            g = sum(errors) / len(errors)
            state = self.adam.setdefault(entry, [0.0, 0.0, 0])
            state[0] = 0.9 * state[0] + 0.1 * g
            state[1] = 0.999 * state[1] + 0.001 * g * g
            state[2] += 1
            mean, square = state[0] / (1 - 0.9 ** state[2]), state[1] / (1 - 0.999 ** state[2])
            steps[entry] = 0.02 * mean / (math.sqrt(square) + 1e-5)
        for entry, step in steps.items():
            self.q[entry] += step

    def train(self, episodes: int) -> None:
        """Play and learn."""
        for episode in range(episodes):
            count = 1 + self.random.below(3)
            layouts = [layout for layout in LAYOUTS if len(layout) == count]
            steps, _ = self.play(layouts[self.random.below(len(layouts))], 0.15)
            if len(self.replay) < 1000:
                self.replay.append(steps)
            else:
                self.replay[episode % 1000] = steps
            if len(self.replay) > 64:
                self.learn()


def initial_values(q: Any) -> dict[Any, float]:
    """Read the first values out of a learner's flat table (rl.tabular_q: Alice, her no-op, Bob, his no-op)."""
    values, position = {}, 0
    layouts = [frozenset(b for b in range(NUM_BALLS) if mask >> b & 1) for mask in range(32)]
    pairs = list(itertools.product(range(6), range(6)))
    for good, last in itertools.product(layouts, range(6)):
        for action in range(NUM_BALLS):
            values["alice", (good, last, True), action] = float(q[position + action])
        position += NUM_BALLS
    for good, last in itertools.product(layouts, range(6)):
        values["alice", (good, last, False), "wait"] = float(q[position])
        position += 1
    for selected, said in pairs:
        for action in range(NUM_BALLS + 1):
            values["bob", (selected, said, True), action] = float(q[position + action])
        position += NUM_BALLS + 1
    for selected, said in pairs:
        values["bob", (selected, said, False), "wait"] = float(q[position])
        position += 1
    assert position == len(np.ravel(q))
    return values
