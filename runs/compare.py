"""`python -m runs.compare [RUN...]`: runs side by side, seeds aggregated with 95% confidence intervals."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tyro
from pydantic import Field

from runs.figures import learning_curves
from runs.tracking import open_store
from schemas.command_line import parse, run_main, write_summary
from schemas.config import Section
from schemas.errors import UserError

_METRICS = (
    *("final/score", "final/human_policy", "final/adherence"),
    *("final/perfect", "final/response_color", "final/response_rank", "final/hint_color"),
)
_RATES = ("final/human_policy",)


class CompareConfig(Section):
    """Which runs to compare."""

    runs: tyro.conf.Positional[tuple[str, ...]] = Field(
        (), description="MLflow run ids (or their beginnings) or run names; all finished runs when left out"
    )
    tracking_uri: str = Field("sqlite:///runs/mlflow.db", description="MLflow store")
    experiment: str = Field("say-select", description="MLflow experiment")
    summary: Path | None = Field(None, description="write the comparison as JSON")
    figure: Path | None = Field(None, description="draw how a metric went in training as PNG")
    curve: str = Field("train/score", min_length=1, description="the metric of the figure")


def mean_interval(values: Sequence[float], *, rate: bool = False) -> tuple[float, float, float]:
    """Return mean and the 95% confidence interval of the mean over seeds.

    A rate (values 0 or 1) gets Wilson's interval, which does not collapse when all seeds agree; other values get the
    percentile bootstrap with 10,000 resamples.
    """
    data = np.asarray(values, dtype=np.float64)
    mean, n = float(data.mean()), len(data)
    if rate:
        z = 1.959963984540054
        center = (mean + z * z / (2 * n)) / (1 + z * z / n)
        half = z * math.sqrt(mean * (1 - mean) / n + z * z / (4 * n * n)) / (1 + z * z / n)
        return mean, max(0.0, center - half), min(1.0, center + half)
    resampled = np.random.default_rng(0).choice(data, (10_000, n)).mean(axis=1)
    low, high = np.percentile(resampled, [2.5, 97.5])
    return mean, float(low), float(high)


def compare(config: CompareConfig) -> list[dict[str, Any]]:
    """Return one entry a run: what it was, and mean and interval of each metric over its seeds."""
    client = open_store(config.tracking_uri)
    experiment = client.get_experiment_by_name(config.experiment)
    if experiment is None:
        names = ", ".join(e.name for e in client.search_experiments())
        raise UserError(f"--experiment: no experiment {config.experiment!r} in {config.tracking_uri}; it has {names}")
    found = client.search_runs([experiment.experiment_id], max_results=50_000)
    parents = [run for run in found if "mlflow.parentRunId" not in run.data.tags]
    children: dict[str, list[Any]] = {}
    for run in found:
        children.setdefault(run.data.tags.get("mlflow.parentRunId", ""), []).append(run)
    if config.runs:
        chosen = []
        for name in config.runs:
            hits = [run for run in parents if run.info.run_id.startswith(name) or run.info.run_name == name]
            if not hits:
                known = ", ".join(f"{run.info.run_id[:8]} ({run.info.run_name})" for run in parents[:8])
                raise UserError(
                    f"RUN: no run {name!r} in experiment {config.experiment}; known are {known or 'none'}; "
                    "--experiment names another"
                )
            chosen += hits
    else:
        chosen = [run for run in parents if run.info.status == "FINISHED"]
    entries = []
    for run in chosen:
        seeds = children.get(run.info.run_id, [])
        values = {m: [s.data.metrics[m] for s in seeds if m in s.data.metrics] for m in _METRICS}
        entries.append(
            {
                "run_id": run.info.run_id,
                "name": run.info.run_name,
                "status": run.info.status,
                "prior": run.data.tags.get("prior", ""),
                "model": run.data.tags.get("model", ""),
                "seeds": len(seeds),
                "seed_runs": [seed.info.run_id for seed in seeds],
                "metrics": {m: mean_interval(v, rate=m in _RATES) if v else None for m, v in values.items()},
            }
        )
    return entries


def draw_curves(config: CompareConfig, entries: Sequence[dict[str, Any]], file: Path) -> None:
    """Draw `config.curve` over steps, a line a run: the mean of its seeds, and their range.

    A run without that metric is named and left out. Raises UserError naming the metrics that there are if all are.
    """
    client = open_store(config.tracking_uri)
    curves: list[tuple[str, Any, Any]] = []
    known: set[str] = set()
    for entry in entries:
        histories = [client.get_metric_history(run, config.curve) for run in entry["seed_runs"]]
        histories = [history for history in histories if history]
        if not histories:
            known |= {name for run in entry["seed_runs"] for name in client.get_run(run).data.metrics}
            print(f"--curve {config.curve}: {entry['name']} ({entry['run_id'][:8]}) has no such metric, and no line")
            continue
        # a run that was resumed may hold the same step twice
        points = [np.array(sorted({m.step: m.value for m in history}.items())) for history in histories]
        steps = np.unique(np.concatenate([one[:, 0] for one in points]))
        steps = steps[(steps >= max(one[0, 0] for one in points)) & (steps <= min(one[-1, 0] for one in points))]
        same = sum(other["name"] == entry["name"] for other in entries) > 1
        name = f"{entry['name']} ({entry['run_id'][:8]})" if same else entry["name"]
        curves.append((name, steps, np.stack([np.interp(steps, *one.T) for one in points])))
    if not curves:
        raise UserError(
            f"--curve {config.curve}: no run has such a metric; they have {', '.join(sorted(known)) or 'none'}"
        )
    learning_curves(file, curves, config.curve)


def main(argv: Sequence[str]) -> None:
    """Entry point."""
    config = parse(CompareConfig, argv, "Compare tracked runs: seeds aggregated, means with 95% confidence intervals.")
    entries = compare(config)
    if not entries:
        raise UserError(f"no finished run in experiment {config.experiment} of {config.tracking_uri}; train one first")
    width = max(len(entry["name"]) for entry in entries)
    shown = [m for m in _METRICS if any(entry["metrics"][m] for entry in entries)]
    print(f"{'run':8}  {'name':{width}}  seeds  " + "  ".join(f"{m.removeprefix('final/'):>20}" for m in shown))
    for entry in entries:
        cells = []
        for metric in shown:
            value = entry["metrics"][metric]
            cells.append("-" if value is None else "{:.3f} [{:.3f}, {:.3f}]".format(*value))
        line = "  ".join(f"{cell:>20}" for cell in cells)
        print(f"{entry['run_id'][:8]}  {entry['name']:{width}}  {entry['seeds']:5}  {line}")
    if config.figure:
        draw_curves(config, entries, config.figure)
    if config.summary:
        write_summary(config.summary, {"runs": entries})


if __name__ == "__main__":
    run_main(main)
