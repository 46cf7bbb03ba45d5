"""Prove that the fast Hanabi engine plays HLE's game: over 10,000 games side by side, everything compared.

python -m benchmarks.prove_hanabi [--games 10000] [--jobs 2]; exit code 1 if anything differs.
"""

import argparse
import itertools
import math
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from tests.hanabi_compare import CONFIGURATIONS, POLICIES, Comparison, differences

BATCH = 12


def play(configuration: str, policy: str, seed: int) -> Comparison:
    """Play one batch of games."""
    return differences(CONFIGURATIONS[configuration], POLICIES[policy], BATCH, seed)


def main() -> None:
    """Play all configurations with all policies and print the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--games", type=int, default=10_000, help="at least so many games in all")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    batches = math.ceil(options.games / BATCH / len(CONFIGURATIONS) / len(POLICIES))
    tasks = list(itertools.product(CONFIGURATIONS, POLICIES, range(options.seed, options.seed + batches)))
    began, total, rows = time.perf_counter(), Comparison(), dict.fromkeys(CONFIGURATIONS, Comparison())
    with ProcessPoolExecutor(options.jobs) as pool:
        for (name, _, _), result in zip(tasks, pool.map(play, *zip(*tasks, strict=True)), strict=True):
            rows[name] += result
            total += result
    heads = ("games", "moves", "compared", "bombs", "perfect", "last round", "differences")
    print(f"{'configuration':28}" + "".join(f"{head:>13}" for head in heads))
    for name, row in [*rows.items(), ("all", total)]:
        counts = (row.games, row.moves, row.compared, row.bombs, row.perfect, row.last_rounds, len(row.found))
        print(f"{name:28}" + "".join(f"{count:>13,}" for count in counts))
    print(f"{len(CONFIGURATIONS)} configurations, policies {', '.join(POLICIES)}: "
          f"{len(total.found)} differences in {total.games:,} games, {time.perf_counter() - began:.0f} s")  # fmt: skip
    for line in total.found[:10]:
        print(line)
    sys.exit(1 if total.found else 0)


if __name__ == "__main__":
    main()
