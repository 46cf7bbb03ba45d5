"""Measure the Hanabi engine beside HLE, in one run: python -m benchmarks.bench_hanabi

Hanabi Full, two players, random legal play, the acting player's observation encoded at every move. Each row is the
median of several rounds; the contenders take turns, so that other load on the machine hits all of them.
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
from hanabi_learning_environment import pyhanabi, rl_env
from numba import njit, uint64

from envs.hanabi_engine import Hanabi
from envs.hanabi_rules import HanabiRules

SECOND_START = """
import time
began = time.perf_counter()
import numpy as np
from envs.hanabi_engine import Hanabi
env = Hanabi(64)
shown = env.reset(0)
env.step(shown.legal.argmax(1))
print(time.perf_counter() - began)
"""


@njit(cache=True, nogil=True)
def random_legal(legal, state, out):
    """Draw a legal move for every game; `state`: uint64[1] of a linear congruential generator."""
    for i in range(legal.shape[0]):
        count = 0
        for k in range(legal.shape[1]):
            count += legal[i, k]
        state[0] = state[0] * uint64(6364136223846793005) + uint64(1442695040888963407)
        skip = ((state[0] >> uint64(33)) * uint64(count)) >> uint64(31)
        for k in range(legal.shape[1]):
            if legal[i, k]:
                if skip == 0:
                    out[i] = k
                    break
                skip -= uint64(1)


class Ours:
    """The fast engine; time spent in `step` alone is kept apart, for the comparison of threads."""

    def __init__(self, num_envs: int, num_threads: int) -> None:
        self.env = Hanabi(num_envs, num_threads=num_threads)
        self.shown = self.env.reset(0)
        self.state, self.actions = np.ones(1, np.uint64), np.zeros(num_envs, np.int64)
        self.seconds_of_steps = 0.0

    def run(self, seconds: float) -> float:
        """Return moves a second of random play, the drawing of moves included."""
        moves, self.seconds_of_steps = 0, 0.0
        began = time.perf_counter()
        while time.perf_counter() - began < seconds:
            random_legal(self.shown.legal, self.state, self.actions)
            stepping = time.perf_counter()
            self.env.step(self.actions, self.shown)
            self.seconds_of_steps += time.perf_counter() - stepping
            moves += self.env.num_envs
        self.step_rate = moves / self.seconds_of_steps
        return moves / (time.perf_counter() - began)


def run_rl_env(seconds: float) -> float:
    """Return moves a second of HLE's rl_env, which encodes what every player sees."""
    env, rng, moves = rl_env.make("Hanabi-Full", 2), np.random.default_rng(0), 0
    began = time.perf_counter()
    while time.perf_counter() - began < seconds:
        seen, done = env.reset(), False
        while not done:
            legal = seen["player_observations"][seen["current_player"]]["legal_moves_as_int"]
            seen, _, done, _ = env.step(int(legal[rng.integers(len(legal))]))
            moves += 1
    return moves / (time.perf_counter() - began)


def run_pyhanabi(seconds: float) -> float:
    """Return moves a second of HLE's low-level API with its encoder, for the acting player only."""
    game = pyhanabi.HanabiGame(HanabiRules().hle_parameters())
    encoder, rng, moves = pyhanabi.ObservationEncoder(game), np.random.default_rng(0), 0
    began = time.perf_counter()
    while time.perf_counter() - began < seconds:
        state = game.new_initial_state()
        while not state.is_terminal():
            if state.cur_player() == pyhanabi.CHANCE_PLAYER_ID:
                state.deal_random_card()
                continue
            encoder.encode(state.observation(state.cur_player()))
            legal = state.legal_moves()
            state.apply_move(legal[rng.integers(len(legal))])
            moves += 1
    return moves / (time.perf_counter() - began)


def second_start() -> float:
    """Return seconds from the first import to the first step of a new process, kernels in the disk cache."""
    done = subprocess.run([sys.executable, "-c", SECOND_START], capture_output=True, text=True, check=True)
    return float(done.stdout)


def main() -> None:
    """Print all rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--num-envs", type=int, default=8192)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.7, help="of each contender in a round")
    options = parser.parse_args()
    one, two = Ours(options.num_envs, 1), Ours(options.num_envs, 2)
    contenders: dict[str, Callable[[float], float]] = {
        "instructrl, one thread": one.run,
        "instructrl, two threads": two.run,
        "HLE rl_env (encodes both players)": run_rl_env,
        "HLE pyhanabi + encoder": run_pyhanabi,
    }
    rates: dict[str, list[float]] = {name: [] for name in contenders}
    threads = []
    for run in contenders.values():
        run(0.05)
    for _ in range(options.rounds):
        for name, run in contenders.items():
            rates[name].append(run(options.seconds))
        threads.append(two.step_rate / one.step_rate)
    ours = statistics.median(rates["instructrl, one thread"])
    print(f"Hanabi Full, 2 players, {options.num_envs} environments, median of {options.rounds} rounds")
    for name, values in rates.items():
        rate = statistics.median(values)
        print(f"  {name:36}{rate:>14,.0f} moves/s   one thread of ours is {ours / rate:8.2f}x")
    print(f"  two threads : one thread, steps only  {statistics.median(threads):.2f}x "
          f"(best round {max(threads):.2f}x)")  # fmt: skip
    print(f"  memory of one environment             {one.env.bytes_per_env:,} bytes of state, "
          f"{sum(part.nbytes for part in one.shown) // options.num_envs:,} more of what a step returns")  # fmt: skip
    second_start()
    starts = [second_start() for _ in range(3)]
    print(f"  second start, import to first step    {statistics.median(starts):.2f} s")


if __name__ == "__main__":
    main()
