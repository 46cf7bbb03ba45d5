"""Tabular InstructQ: ours against a straightforward Python loop of the same algorithm, on one core, in one run.

    python -m benchmarks.bench_say_select

Both take the same decisions (tests/test_tabular_q.py checks it). Prints episodes per CPU second of each, the median
ratio over alternating repeats, and the CPU time of 10 seeds x 50,000 episodes.
"""

import os
import statistics
import time

import numpy as np

from benchmarks.plain_q import PlainQ, initial_values
from rl.config import TabularQConfig
from rl.tabular_q import TabularQ

PLAIN_EPISODES, OUR_EPISODES, REPEATS = 400, 20_000, 5


def prior():
    table = np.full((5, 6), 0.04)
    table[np.arange(5), np.arange(5)] = 0.8
    return np.log(table / table.sum(axis=1, keepdims=True))


def cpu(work) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    start = time.perf_counter()
    list(TabularQ(TabularQConfig(), prior(), [1]).train(200))
    print(f"first 200 episodes, numba kernels loaded or compiled: {time.perf_counter() - start:.2f} s")
    ours, plain = [], []
    for repeat in range(REPEATS):
        learner = TabularQ(TabularQConfig(), prior(), [repeat])
        loop = PlainQ(repeat, 0.25, prior(), initial_values(learner.arrays["q"][0]))
        plain.append(PLAIN_EPISODES / cpu(lambda loop=loop: loop.train(PLAIN_EPISODES)))
        ours.append(OUR_EPISODES / cpu(lambda learner=learner: list(learner.train(OUR_EPISODES))))
    ratio = statistics.median(a / b for a, b in zip(ours, plain, strict=True))
    print(f"plain Python loop: {statistics.median(plain):10,.0f} episodes/s")
    print(
        f"rl.tabular_q:      {statistics.median(ours):10,.0f} episodes/s   ratio {ratio:,.0f}x (medians of {REPEATS})"
    )
    learner = TabularQ(TabularQConfig(), prior(), list(range(1, 11)))
    seconds = cpu(lambda: list(learner.train(50_000)))
    print(f"10 seeds x 50,000 episodes: {seconds:.1f} s of CPU time on one core")


if __name__ == "__main__":
    main()
