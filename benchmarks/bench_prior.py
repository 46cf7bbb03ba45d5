"""The prior table of Say-Select with the embedded model: ours against one forward pass a pair, in one run.

    python -m benchmarks.bench_prior

Prints the pairs (observation, action) a second of both, their largest difference in log-probability, and the time of
a table from scratch (model converted before) and from the cache, each in a process of its own.
"""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from envs.base import make_game
from prior.backends.transformers import TransformersBackend
from prior.structured import Structured
from schemas.config import PriorConfig

TABLE = (
    "import time; start = time.perf_counter(); from envs.base import make_game; from prior.base import Prior; "
    "from schemas.config import PriorConfig; loaded = time.perf_counter(); "
    "Prior(PriorConfig(), make_game('say-select')).table(); end = time.perf_counter(); "
    "print(f'{end - loaded:.2f} s ({loaded - start:.2f} s of imports before)')"
)


def one_by_one(backend, prompts, candidates):
    import torch

    model, tokenizer = backend.load()
    rows = []
    for prompt in prompts:
        start = len(tokenizer(prompt).input_ids)
        row = []
        for candidate in candidates:
            ids = torch.tensor([tokenizer(prompt + candidate).input_ids])
            with torch.inference_mode():
                logs = torch.log_softmax(model(ids).logits[0], dim=-1)
            row.append(sum(float(logs[t - 1, ids[0, t]]) for t in range(start, ids.shape[1])))
        rows.append(row)
    return np.array(rows)


def hanabi() -> None:
    """Rows of the Hanabi table, one thread: pairs a second of both ways on the real prompt, and peak memory."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    game = make_game("hanabi")
    backend = TransformersBackend()
    method = Structured(game, backend, PriorConfig())
    prompts = [method.prompt(game.default_instruction, o.text) for o in game.observations]
    backend.score(prompts[:1], method.candidates)
    ours, plain = [], []
    for first in (0, 100, 200):
        chosen = prompts[first : first + 96]
        start = time.perf_counter()
        backend.score(chosen, method.candidates)
        ours.append(len(chosen) * len(method.candidates) / (time.perf_counter() - start))
        start = time.perf_counter()
        one_by_one(backend, chosen[:1], method.candidates[:10])
        plain.append(10 / (time.perf_counter() - start))
    ratio = statistics.median(a / b for a, b in zip(ours, plain, strict=True))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)
    print(f"hanabi, one thread, one forward a pair: {statistics.median(plain):6.1f} pairs/s")
    print(
        f"hanabi, one thread, tree, shared cache: {statistics.median(ours):6.1f} pairs/s   ratio {ratio:.1f}x (median)"
    )
    print(f"peak memory of this process: {memory:.1f} GiB")
    torch.set_num_threads(threads)


def main() -> None:
    hanabi()
    game = make_game("say-select")
    backend = TransformersBackend()
    method = Structured(game, backend, PriorConfig())
    prompts = [method.prompt(game.default_instruction, o.text) for o in game.observations]
    backend.score(prompts[:1], method.candidates)
    start = time.perf_counter()
    rows = backend.score(prompts, method.candidates)
    ours = time.perf_counter() - start
    start = time.perf_counter()
    plain = one_by_one(backend, prompts, method.candidates)
    theirs = time.perf_counter() - start
    found = np.array([[score.logprobs.sum() for score in row] for row in rows])
    # Where prompt and candidate share a merged token the two cut at different places: compare distributions.
    gap = np.abs(normal(found) - normal(plain)).max()
    pairs = found.size
    print(f"one forward a pair: {pairs / theirs:6.1f} pairs/s")
    print(f"tree, shared cache: {pairs / ours:6.1f} pairs/s   ratio {theirs / ours:.1f}x, largest difference {gap:.1e}")
    with tempfile.TemporaryDirectory() as cache:
        from prior.cache import cache_dir

        (Path(cache) / "models").symlink_to(cache_dir() / "models")
        environment = {**os.environ, "INSTRUCTRL_CACHE": cache}
        for label in ("cold, model converted", "from the cache"):
            run = subprocess.run(
                [sys.executable, "-c", TABLE], env=environment, capture_output=True, text=True, check=True
            )
            print(f"table, {label}: {run.stdout.strip()}")


def normal(logs):
    return logs - np.logaddexp.reduce(logs, axis=1, keepdims=True)


if __name__ == "__main__":
    main()
