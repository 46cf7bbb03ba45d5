"""Tabular InstructQ on Say-Select, all seeds at once (Hu & Sadigh 2023, Section 4 and Algorithm 1).

Both players act eps-greedily on Q + lambda * log prior, each with its own lambda. The joint value is the VDN sum
Q_Alice + Q_Bob; a player who is not to act contributes the value of a no-op in what they see. The target is
r + gamma * sum of Q(o', a') with a' = argmax(Q + lambda * log prior): the prior picks a', and is never added to the
target's value. One update an episode: 64 episodes drawn from the replay, the gradient of every table entry averaged
over its visits, Adam on the entries visited.

All entries of both players' tables lie in one vector, and so do the greedy values ("slots") that targets read:
a transition is then four small integers and a reward, and the update is a walk over integers.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from envs.rng import below, stream, unit
from envs.say_select import (
    ALICE,
    LAYOUTS,
    MAX_MOVES,
    NUM_ACTIONS,
    NUM_BALLS,
    alice_sees,
    apply_move,
    bob_sees,
    draw_layout,
    start,
    to_act,
)
from rl.config import TabularQConfig
from schemas.errors import StoreError

_SEEN_A, _SEEN_B = 32 * (NUM_BALLS + 1), (NUM_BALLS + 1) ** 2
# Entries of the table: Alice's actions, Alice's no-op, Bob's actions, Bob's no-op.
_IDLE_A = _SEEN_A * NUM_BALLS
_ACT_B = _IDLE_A + _SEEN_A
_IDLE_B = _ACT_B + _SEEN_B * NUM_ACTIONS
NUM_ENTRIES = _IDLE_B + _SEEN_B
# Slots of greedy values, in the same order; the last one stands for "the episode is over".
_SLOT_IDLE_A = _SEEN_A
_SLOT_ACT_B = 2 * _SEEN_A
_SLOT_IDLE_B = _SLOT_ACT_B + _SEEN_B
_SLOT_END = _SLOT_IDLE_B + _SEEN_B


@njit(cache=True, nogil=True)
def _refresh(entry, q, bias, greedy, value):  # type: ignore[no-untyped-def]
    """Recompute the greedy action and the slot of the observation that `entry` belongs to."""
    if entry < _IDLE_A:
        seen, first, count, slot = entry // NUM_BALLS, entry - entry % NUM_BALLS, NUM_BALLS, 0
    elif entry < _ACT_B:
        value[_SLOT_IDLE_A + entry - _IDLE_A] = q[entry]
        return
    elif entry < _IDLE_B:
        seen = (entry - _ACT_B) // NUM_ACTIONS
        first, count, slot = _ACT_B + seen * NUM_ACTIONS, NUM_ACTIONS, _SLOT_ACT_B
    else:
        value[_SLOT_IDLE_B + entry - _IDLE_B] = q[entry]
        return
    best = first
    for e in range(first + 1, first + count):
        if q[e] + bias[e] > q[best] + bias[best]:
            best = e
    greedy[slot + seen] = best - first
    value[slot + seen] = q[best]


@njit(cache=True, nogil=True)
def _refresh_all(q, bias, greedy, value):  # type: ignore[no-untyped-def]
    for entry in range(NUM_ENTRIES):
        _refresh(entry, q, bias, greedy, value)
    value[_SLOT_END] = 0.0


@njit(cache=True, nogil=True)
def _play(state, rng, explore, greedy, entries, slots, rewards):  # type: ignore[no-untyped-def]
    """Play one episode from `state`, writing its transitions; returns their number."""
    t = 0
    while state[3] > 0:
        a, b = alice_sees(state), bob_sees(state)
        alice = to_act(state) == ALICE
        if alice:
            action = greedy[a]
        else:
            a = state[0] * (NUM_BALLS + 1) + state[1]  # waiting, Alice sees the number she said
            action = greedy[_SLOT_ACT_B + b]
        if explore > 0.0 and unit(rng) < explore:
            action = below(rng, NUM_BALLS if alice else NUM_ACTIONS)
        entries[t, 0] = a * NUM_BALLS + action if alice else _IDLE_A + a
        entries[t, 1] = _IDLE_B + b if alice else _ACT_B + b * NUM_ACTIONS + action
        rewards[t] = apply_move(state, action)
        if state[3] == 0:
            slots[t, 0] = slots[t, 1] = _SLOT_END
        elif alice:  # Bob is next
            slots[t, 0] = _SLOT_IDLE_A + state[0] * (NUM_BALLS + 1) + state[1]
            slots[t, 1] = _SLOT_ACT_B + bob_sees(state)
        else:
            slots[t, 0] = alice_sees(state)
            slots[t, 1] = _SLOT_IDLE_B + bob_sees(state)
        t += 1
    return t


@njit(cache=True, nogil=True)
def _score(greedy):  # type: ignore[no-untyped-def]
    """Mean of score / best possible score of the greedy players over the 25 layouts."""
    state = np.zeros(4, np.int64)
    total = 0.0
    for layout in LAYOUTS:
        start(state, layout)
        good = 0
        for ball in range(NUM_BALLS):
            good += (layout >> ball) & 1
        score = 0
        while state[3] > 0:
            slot = alice_sees(state) if to_act(state) == ALICE else _SLOT_ACT_B + bob_sees(state)
            action = greedy[slot]
            score += apply_move(state, action)
        total += score / good
    return total / len(LAYOUTS)


@njit(cache=True, nogil=True)
def _update(rng, replay, size, batch, lr, gamma, adam_eps, q, bias, greedy, value, adam, work):  # type: ignore[no-untyped-def]
    """One update from `batch` episodes of the replay; returns the mean squared TD error."""
    entries, slots, rewards, lengths = replay
    mean, square, decay1, decay2 = adam
    gradient, visits, touched = work
    num_touched, squared, steps = 0, 0.0, 0
    for _ in range(batch):
        episode = below(rng, size)
        for t in range(lengths[episode]):
            ea, eb = entries[episode, t, 0], entries[episode, t, 1]
            target = rewards[episode, t] + gamma * (value[slots[episode, t, 0]] + value[slots[episode, t, 1]])
            error = target - (q[ea] + q[eb])
            squared += error * error
            steps += 1
            for e in (ea, eb):
                if visits[e] == 0:
                    touched[num_touched] = e
                    num_touched += 1
                visits[e] += 1
                gradient[e] += error
    for i in range(num_touched):
        e = touched[i]
        g = gradient[e] / visits[e]
        gradient[e], visits[e] = 0.0, 0
        mean[e] = 0.9 * mean[e] + 0.1 * g
        square[e] = 0.999 * square[e] + 0.001 * g * g
        decay1[e] *= 0.9
        decay2[e] *= 0.999
        q[e] += lr * (mean[e] / (1 - decay1[e])) / (np.sqrt(square[e] / (1 - decay2[e])) + adam_eps)
    for i in range(num_touched):
        _refresh(touched[i], q, bias, greedy, value)
    return squared / steps


@njit(cache=True, nogil=True)
def _train(rng, counters, q, bias, adam, replay, best_q, best_score, hyper, eval_every, metrics):  # type: ignore[no-untyped-def]
    """Train one seed for len(metrics) * eval_every episodes; a row of metrics for each evaluation."""
    entries, slots, rewards, lengths = replay
    capacity, batch = len(lengths), np.int64(hyper[4])
    lr, gamma, explore, adam_eps = hyper[0], hyper[1], hyper[2], hyper[3]
    greedy = np.zeros(_SLOT_END, np.int64)
    value = np.zeros(_SLOT_END + 1)
    work = (np.zeros(NUM_ENTRIES), np.zeros(NUM_ENTRIES, np.int64), np.zeros(NUM_ENTRIES, np.int64))
    state = np.zeros(4, np.int64)
    _refresh_all(q, bias, greedy, value)
    for row in range(len(metrics)):
        train_score, loss = 0.0, 0.0
        for _ in range(eval_every):
            start(state, draw_layout(rng))
            good = 0
            for ball in range(NUM_BALLS):
                good += (state[0] >> ball) & 1
            place = counters[0] % capacity
            length = _play(state, rng, explore, greedy, entries[place], slots[place], rewards[place])
            lengths[place] = length
            train_score += rewards[place, :length].sum() / good
            counters[0] += 1
            counters[1] += length
            size = min(counters[0], capacity)
            if size > min(batch, capacity // 10):
                loss = _update(rng, replay, size, batch, lr, gamma, adam_eps, q, bias, greedy, value, adam, work)
        score = _score(greedy)
        if score >= best_score[0]:
            best_score[0] = score
            best_q[:] = q
        metrics[row, 0], metrics[row, 1], metrics[row, 2] = train_score / eval_every, score, loss


class TabularQ:
    """InstructQ for `seeds`, one table each; the whole training state is in `arrays`.

    `log_prior`: float[5, 6], log-probabilities of Bob's actions given the number said (rows of the game's prior
    table), or None for plain Q-learning. Bob's regularizer is config.lam * log_prior. Alice's (config.lam_alice)
    applies the same instruction to her numbers, given Bob's last selection; before he selected anything it is
    silent. Results depend on seed and config alone, not on the number of seeds or threads.
    """

    METRICS = ("train/score", "eval/score", "losses/td_loss")

    def __init__(self, config: TabularQConfig, log_prior: NDArray[Any] | None, seeds: list[int]) -> None:
        self.config = config
        self.seeds = seeds
        self._bias = _regularizer(config, log_prior)
        count, size = len(seeds), config.replay_size
        draw = np.stack([np.random.default_rng([seed, 1]).uniform(-0.01, 0.01, NUM_ENTRIES) for seed in seeds])
        self.arrays: dict[str, NDArray[np.generic]] = {
            "rng": np.stack([stream(seed, 0) for seed in seeds]),
            "counters": np.zeros((count, 2), np.int64),  # episodes, moves
            "q": draw,
            "adam_mean": np.zeros((count, NUM_ENTRIES)),
            "adam_square": np.zeros((count, NUM_ENTRIES)),
            "adam_decay1": np.ones((count, NUM_ENTRIES)),
            "adam_decay2": np.ones((count, NUM_ENTRIES)),
            "replay_entries": np.zeros((count, size, MAX_MOVES, 2), np.int16),
            "replay_slots": np.zeros((count, size, MAX_MOVES, 2), np.int16),
            "replay_rewards": np.zeros((count, size, MAX_MOVES), np.int8),
            "replay_lengths": np.zeros((count, size), np.int8),
            "best_q": draw.copy(),
            "best_score": np.full((count, 1), -np.inf),
        }
        if log_prior is not None:
            self.arrays["log_prior"] = np.asarray(log_prior, np.float32)

    @classmethod
    def restore(cls, arrays: dict[str, NDArray[np.generic]], info: dict[str, Any]) -> tuple["TabularQ", dict[str, Any]]:
        """Rebuild a learner from a checkpoint's (arrays, info); returns it with the info."""
        config = info["config"]
        log_prior = arrays.get("log_prior")
        seeds = list(range(config["seed"], config["seed"] + config["seeds"]))
        learner = cls(TabularQConfig.model_validate(config["q"]), log_prior, seeds)
        expected = {name: array.shape for name, array in learner.arrays.items()}
        if expected != {name: array.shape for name, array in arrays.items()}:
            raise StoreError("checkpoint: its arrays are not those of a tabular learner with this config")
        learner.arrays = arrays
        return learner, info

    @property
    def episodes(self) -> int:
        """Episodes that every seed has trained."""
        return int(self.arrays["counters"][0, 0])

    def train(self, episodes: int, *, chunk: int = 1000) -> Iterator[NDArray[np.float64]]:
        """Train every seed up to `episodes` in all, on all cores; yields after each chunk.

        Yields float64[seeds, evaluations of the chunk, len(METRICS)]. Raises ValueError unless the budget is a
        multiple of config.eval_every.
        """
        every = self.config.eval_every
        if episodes % every:
            raise ValueError(f"steps: {episodes} is not a multiple of eval_every = {every}")
        rows = max(1, chunk // every)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            while self.episodes < episodes:
                count = min(rows, (episodes - self.episodes) // every)
                yield np.stack(list(pool.map(lambda i, n=count: self._train_seed(i, n), range(len(self.seeds)))))

    def _train_seed(self, i: int, rows: int) -> NDArray[np.float64]:
        c, a = self.config, {name: array[i] for name, array in self.arrays.items() if name != "log_prior"}
        metrics = np.zeros((rows, len(self.METRICS)))
        _train(
            a["rng"],
            a["counters"],
            a["q"],
            self._bias,
            (a["adam_mean"], a["adam_square"], a["adam_decay1"], a["adam_decay2"]),
            (a["replay_entries"], a["replay_slots"], a["replay_rewards"], a["replay_lengths"]),
            a["best_q"],
            a["best_score"],
            np.array([c.lr, c.gamma, c.explore, c.adam_eps, c.batch_size]),
            c.eval_every,
            metrics,
        )
        return metrics

    def greedy_policies(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Greedy actions on Q + lambda * log prior of the best checkpoint of every seed.

        Returns Alice's, int64[seeds, 32 layouts, 6 last selections], and Bob's, int64[seeds, 6 own last
        selections, 6 numbers said]; index 0 stands for none.
        """
        greedy, value = np.zeros(_SLOT_END, np.int64), np.zeros(_SLOT_END + 1)
        alice, bob = [], []
        for q in self.arrays["best_q"]:
            _refresh_all(q, self._bias, greedy, value)
            alice.append(greedy[:_SEEN_A].reshape(32, NUM_BALLS + 1).copy())
            bob.append(greedy[_SLOT_ACT_B:_SLOT_IDLE_B].reshape(NUM_BALLS + 1, NUM_BALLS + 1).copy())
        return np.stack(alice), np.stack(bob)


def _regularizer(config: TabularQConfig, log_prior: NDArray[Any] | None) -> NDArray[np.float64]:
    """lambda * log prior for every table entry, float64[NUM_ENTRIES]; 0 where a player is vanilla or waits."""
    bias = np.zeros(NUM_ENTRIES)
    if log_prior is None:
        return bias
    table = np.asarray(log_prior, np.float64)
    if config.lam > 0:
        bob = bias[_ACT_B:_IDLE_B].reshape(NUM_BALLS + 1, NUM_BALLS + 1, NUM_ACTIONS)
        bob[:, 1:] = config.lam * table
    if config.lam_alice > 0:
        numbers = table[:, :NUM_BALLS]
        numbers = numbers - np.logaddexp.reduce(numbers, axis=1, keepdims=True)
        bias[:_IDLE_A].reshape(32, NUM_BALLS + 1, NUM_BALLS)[:, 1:] = config.lam_alice * numbers
    return bias
