"""Training of tabular InstructQ: all seeds of a run side by side, evaluated over all layouts as they learn."""

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from envs.base import make_game
from rl.checkpoint import CHECKPOINTS, Arrays, save_checkpoint
from rl.config import TabularRun
from rl.evaluate import adherence, seed_results
from rl.tabular_q import TabularQ
from rl.train_common import Progress, describe, open_tracker, prior_table, summary_head
from runs import figures
from runs.tracking import RunTracker
from schemas.command_line import write_summary
from schemas.errors import UserError


def train(config: TabularRun) -> dict[str, Any]:
    """Train a new run; returns the summary."""
    _check_steps(config)
    game = make_game(config.env)
    if game.name != "say-select":
        raise UserError(f"--env {config.env}: --algo q is tabular and plays say-select only")
    table = prior_table(config, game)
    seeds = list(range(config.seed, config.seed + config.seeds))
    run_name = config.tracking.run_name or _run_name(config)
    tracker = open_tracker(config, run_name, seeds)
    learner = TabularQ(config.q, None if table is None else table.log_probs, seeds)
    info = {
        "config": config.model_dump(mode="json"),
        "run_name": run_name,
        "run_id": tracker.run_id,
        "prior": None if table is None else table.metadata,
        "train_seconds": 0.0,
    }
    save_checkpoint(CHECKPOINTS / tracker.run_id, learner.arrays, info)
    describe(tracker, config, table)
    return _run(config, learner, tracker, info)


def resume(folder: Path, arrays: Arrays, info: dict[str, Any], steps: int | None) -> dict[str, Any]:
    """Continue the run of a checkpoint up to `steps`, if given, else to its own budget; returns the summary."""
    learner, info = TabularQ.restore(arrays, info)
    config = TabularRun.model_validate(info["config"])
    if steps is not None and steps != config.steps:
        if steps < learner.episodes:
            raise UserError(f"--steps {steps}: the run has trained {learner.episodes} episodes already")
        config = config.model_copy(update={"steps": steps})
        _check_steps(config)
        info["config"] = config.model_dump(mode="json")
    tracker = open_tracker(config, info["run_name"], learner.seeds, info["run_id"])
    if steps is not None:
        tracker.tag("steps", str(steps))  # MLflow's params cannot be changed
    print(f"resuming {info['run_name']} ({tracker.run_id}) at episode {learner.episodes}")
    return _run(config, learner, tracker, info)


def _check_steps(config: TabularRun) -> None:
    if config.steps % config.q.eval_every:
        raise UserError(f"--steps {config.steps}: a multiple of eval_every = {config.q.eval_every} is needed")


def _run(config: TabularRun, learner: TabularQ, tracker: RunTracker, info: dict[str, Any]) -> dict[str, Any]:
    folder = CHECKPOINTS / tracker.run_id
    print(f"run {tracker.run_id}, checkpoints in {folder}")
    try:
        _train_loop(config, learner, tracker, info, folder)
        summary = _finish(config, learner, tracker, info)
    except KeyboardInterrupt:
        tracker.finish("KILLED")
        print(f"\ninterrupted; continue with: python -m rl.train --resume {tracker.run_id}", file=sys.stderr)
        raise
    except BaseException:
        tracker.finish("FAILED")
        raise
    return summary


def _train_loop(config: TabularRun, learner: TabularQ, tracker: RunTracker, info: dict[str, Any], folder: Path) -> None:
    saved, clock = learner.episodes, time.perf_counter()
    with Progress(config.steps, learner.episodes, "episode", len(learner.seeds)) as progress:
        for metrics in learner.train(config.steps):
            agree = adherence(learner.greedy_policies()[1])
            for i, seed in enumerate(learner.seeds):
                row = metrics[i].mean(axis=0)
                values = dict(zip(TabularQ.METRICS, row, strict=True)) | {
                    "eval/best_score": learner.arrays["best_score"][i, 0],
                    "eval/adherence": agree[i],
                }
                for name, value in values.items():
                    tracker.metric(name, value, learner.episodes, seed)
            tracker.metric("eval/score", metrics[:, :, 1].mean(), learner.episodes)
            tracker.metric("eval/human_policy_rate", (agree == 1).mean(), learner.episodes)
            progress.update(learner.episodes, f"score {metrics[:, -1, 1].mean():.3f}, human {(agree == 1).sum()}")
            if learner.episodes - saved >= config.checkpoint_every or learner.episodes == config.steps:
                saved, now = learner.episodes, time.perf_counter()
                info["train_seconds"] += now - clock
                clock = now
                tracker.flush()
                save_checkpoint(folder, learner.arrays, info)


def _finish(config: TabularRun, learner: TabularQ, tracker: RunTracker, info: dict[str, Any]) -> dict[str, Any]:
    """Evaluate, print, log the evidence; returns the summary."""
    alice, bob = learner.greedy_policies()
    results = seed_results(learner.seeds, alice, bob)
    scores = np.array([entry["score"] for entry in results])
    human = np.array([entry["human_policy"] for entry in results])
    summary = {
        **summary_head(config, info, config.q.lam),
        "seeds": results,
        "human_policy_rate": float(human.mean()),
        "mean_score": float(scores.mean()),
        "train_seconds": info["train_seconds"],
        "steps": learner.episodes,
        "moves": int(learner.arrays["counters"][:, 1].sum()),
        "mlflow_run_id": tracker.run_id,
    }
    lines = [
        f"seed {entry['seed']:4}  score {entry['score']:.3f} of 1  {entry['convention']}  "
        + ("human policy" if entry["human_policy"] else f"adherence {entry['adherence']:.0%}")
        for entry in results
    ]
    lines.append(
        f"mean score {scores.mean():.4f} of 1, human policy in {human.sum()} of {len(human)} seeds, "
        f"trained in {info['train_seconds']:.1f} s"
    )
    print("\n".join(lines))
    for entry in results:
        for name in ("score", "adherence", "human_policy"):
            tracker.metric(f"final/{name}", entry[name], learner.episodes, entry["seed"])
    tracker.metric("final/score", scores.mean(), learner.episodes)
    tracker.metric("final/human_policy_rate", human.mean(), learner.episodes)
    tracker.metric("final/adherence", float(np.mean([e["adherence"] for e in results])), learner.episodes)
    tracker.metric("time/train_seconds", info["train_seconds"], learner.episodes)
    with TemporaryDirectory() as temporary:
        file = Path(temporary) / "conventions.png"
        titles = [f"seed {entry['seed']}, score {entry['score']:.2f}" for entry in results]
        figures.convention_figure(file, bob[:, :, 1:], titles)
        tracker.artifact(file)
        write_summary(Path(temporary) / "summary.json", summary)
        tracker.artifact(Path(temporary) / "summary.json")
        tracker.text("\n".join(lines) + "\n", "conventions.txt")
        local = CHECKPOINTS / tracker.run_id / "conventions.png"
        local.write_bytes(file.read_bytes())
    print(f"conventions: {local}")
    tracker.finish()
    uri = config.tracking.tracking_uri
    print(f"compare: python -m runs.compare {tracker.run_id}, or mlflow ui --backend-store-uri {uri}")
    return summary


def _run_name(config: TabularRun) -> str:
    prior = "plain-q" if config.prior.method == "none" else f"{config.prior.method} lam={config.q.lam:g}"
    return f"{config.env} {prior}"
