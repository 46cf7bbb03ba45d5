"""What all training runs share: the prior's table, the tracker with the run's description, progress on the screen."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tqdm import tqdm

from envs.base import Game
from prior.base import Prior, PriorTable
from prior.cache import locked
from prior.lazy import check_level
from rl.config import RunConfig
from runs import figures
from runs.tracking import RunTracker
from schemas.command_line import write_summary


@contextmanager
def held(folder: Path, parameter: str) -> Iterator[None]:
    """Keep a run for this process; another that would train it waits. Of torchrun's processes the first holds it."""
    with nullcontext() if int(os.environ.get("RANK", "0")) else locked(folder, parameter):
        yield


def prior_table(config: RunConfig, game: Game) -> PriorTable | None:
    """Build or read the table of the configured prior, and say which it is; None for --prior none.

    At the levels whose texts cannot be listed it is the table of last moves, with which every moment begins.
    """
    check_level(config.prior, game)
    if config.prior.method == "none":
        return None
    table = Prior(config.prior.model_copy(update={"level": "last-move"}), game).table(progress=_prior_progress)
    meta = table.metadata
    print(f"prior: {meta['method']}, {meta['backend']} {meta['model']}, instruction: {table.instruction}")
    if config.prior.level != "last-move":
        print(
            f"level {config.prior.level}: up to {config.prior.texts_per_update} new texts are asked about after every "
            "rollout; till then a moment has the prior of its last move (train/prior_coarse_share)"
        )
    return table


def open_tracker(config: RunConfig, run_name: str, seeds: list[int], resume: str | None = None) -> RunTracker:
    """Open the run in MLflow, or the run `resume` again."""
    tracking = config.tracking
    return RunTracker(tracking.tracking_uri, tracking.experiment or config.env, run_name, seeds, resume)


def describe(tracker: RunTracker, config: RunConfig, table: PriorTable | None) -> None:
    """Log configuration, tags, and the prior as JSON and heatmap."""
    data = config.model_dump(mode="json")
    meta: dict[str, Any] = {"instruction": "", "model": "", "exact": ""} if table is None else table.metadata
    tags = {"env": config.env, "algo": data["algo"], "prior": config.prior.method}
    tracker.describe(_flat(data), tags | {name: str(meta[name]) for name in ("instruction", "model", "exact")})
    with TemporaryDirectory() as folder:
        _log_prior(tracker, data, table, Path(folder))


def summary_head(config: RunConfig, info: dict[str, Any], lam: float) -> dict[str, Any]:
    """Say what a run was: the beginning of its summary. `info` is its checkpoint's, `lam` counts with a prior only."""
    meta = info["prior"] or {"backend": "none", "model": "", "instruction": ""}
    return {
        "env": config.env,
        "algo": info["config"]["algo"],
        "prior": config.prior.method,
        "backend": meta["backend"],
        "model": meta["model"],
        "instruction": meta["instruction"],
        "lam": lam if info["prior"] else 0.0,
        "beta": config.prior.beta,
        "epsilon": config.prior.epsilon,
    }


def _log_prior(tracker: RunTracker, config: dict[str, Any], table: PriorTable | None, folder: Path) -> None:
    write_summary(folder / "config.json", config)
    tracker.artifact(folder / "config.json")
    if table is None:
        return
    game = table.game
    tracker.text(table.instruction + "\n", "instruction.txt")
    rows = {
        o.key: dict(zip(game.action_names, p, strict=True)) for o, p in zip(game.observations, table.probs, strict=True)
    }
    write_summary(folder / "prior.json", {"metadata": table.metadata, "probabilities": rows})
    title = f"{table.metadata['method']} prior: {table.instruction}"
    figures.prior_heatmap(
        folder / "prior.png", [o.key for o in game.observations], game.action_names, table.probs, title
    )
    for name in ("prior.json", "prior.png"):
        tracker.artifact(folder / name)


def _flat(data: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in data.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return flat


def _prior_progress(done: int, total: int) -> None:
    print(f"prior table: {done} of {total} observations", flush=True)


class Progress:
    """Steps done: a bar with rate and ETA on a terminal, about ten plain lines elsewhere.

    `unit` names a step (episode, move), `seeds` is how many are trained side by side.
    """

    def __init__(self, total: int, done: int, unit: str, seeds: int = 1) -> None:
        self._total, self._unit, self._seeds, self._start, self._first = total, unit, seeds, time.perf_counter(), done
        self._next = done
        self._bar = tqdm(total=total, initial=done, unit=unit, unit_scale=True) if sys.stderr.isatty() else None

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar:
            self._bar.close()

    def update(self, done: int, note: str) -> None:
        """Show that every seed has trained `done` steps."""
        if self._bar:
            self._bar.set_postfix_str(note, refresh=False)
            self._bar.update(done - self._bar.n)
        elif done >= self._next:
            self._next = done + self._total // 10
            rate = (done - self._first) / max(1e-9, time.perf_counter() - self._start)
            left = max(0, self._total - done) / max(rate, 1e-9)
            seeds = f" x {self._seeds} seeds" if self._seeds > 1 else ""
            print(
                f"{self._unit} {done:,} of {self._total:,}{seeds}, {rate * self._seeds:,.0f} {self._unit}s/s, "
                f"{left:.0f} s left, {note}",
                flush=True,
            )
