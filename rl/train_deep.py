"""Training of the learners with a network: one seed after the other, each with checkpoints of its own.

A run's folder holds the config and the prior (state.safetensors), and seed-N/state.safetensors for every seed: its
networks and all that its training continues from.
"""

import sys
import time
from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.base import make_game
from rl.checkpoint import CHECKPOINTS, Arrays, load_checkpoint, save_checkpoint, seed_folders
from rl.config import DeepQRun, PPORun
from rl.deep_q import DeepQ
from rl.distributed import World
from rl.evaluate import evaluate_policy
from rl.ppo import PPO
from rl.train_common import Progress, describe, held, open_tracker, prior_table, summary_head
from rl.train_setup import initial, make_learner, prepare
from runs.tracking import RunTracker
from schemas.command_line import write_summary
from schemas.errors import StoreError, UserError

_LOG_EVERY = 1.0  # seconds between metrics; an update on a small net takes less


def train(config: PPORun | DeepQRun) -> dict[str, Any]:
    """Train a new run; returns the summary, which is empty in all but the first of several processes."""
    game = make_game(config.env)
    if config.env == "say-select" and config.net == "publ-lstm":
        raise UserError("--net publ-lstm: say-select's players see both last words, and need no memory; use mlp")
    if isinstance(config, DeepQRun) and config.q.warmup >= config.steps:
        raise UserError(f"--steps {config.steps}: all are warm-up (--warmup {config.q.warmup}), nothing is learned")
    world = prepare(config)
    seeds = list(range(config.seed, config.seed + config.seeds))
    table = prior_table(config, game)
    log_prior = None if table is None else table.log_probs
    if isinstance(config, PPORun) and log_prior is not None and not np.isfinite(log_prior[game.legal]).all():
        raise UserError(
            f"--epsilon {config.prior.epsilon:g}: the prior of some legal moves is 0, and KL(pi || prior) infinite; "
            "PPO needs an epsilon above 0"
        )
    run_name = config.tracking.run_name or _run_name(config)
    info: dict[str, Any] = {"run_name": run_name, "prior": None if table is None else table.metadata}
    info["config"] = config.model_dump(mode="json")
    first = make_learner(config, world, log_prior, seeds[0], info)  # what is wrong shows before there is a run
    if config.init_from is not None:
        first.start_from(initial(config.init_from, seeds[0]), f"--init-from {config.init_from}")
    del first
    if world.rank:
        return _run(config, world, None, log_prior, seeds, info)
    tracker = open_tracker(config, run_name, seeds)
    info["run_id"] = tracker.run_id
    folder = CHECKPOINTS / tracker.run_id
    with held(folder, str(CHECKPOINTS)):
        save_checkpoint(folder, {} if log_prior is None else {"log_prior": log_prior}, info)
        describe(tracker, config, table)
        return _run(config, world, tracker, log_prior, seeds, info)


def resume(folder: Path, arrays: Arrays, info: dict[str, Any], steps: int | None) -> dict[str, Any]:
    """Continue the run of a checkpoint up to `steps`, if given, else to its own budget; returns the summary."""
    if "run_id" not in info or "seed" in info:
        raise UserError(
            f"--resume: {folder} is not the folder of a run" + (", but of a seed" if "seed" in info else "")
        )
    kind = PPORun if info["config"]["algo"] == "ppo" else DeepQRun
    config: PPORun | DeepQRun = kind.model_validate(info["config"])
    if steps is not None and steps != config.steps:
        config = config.model_copy(update={"steps": steps})
        info["config"] = config.model_dump(mode="json")
    game = make_game(config.env)
    log_prior, shape = arrays.get("log_prior"), game.legal.shape
    if info["prior"] is not None and (log_prior is None or log_prior.shape != shape):
        have = "is missing" if log_prior is None else f"has shape {log_prior.shape}"
        raise StoreError(f"checkpoint: {folder}: log_prior {have}, but {config.env} needs {shape}")
    world = prepare(config)
    seeds = list(range(config.seed, config.seed + config.seeds))
    if world.rank:
        return _run(config, world, None, log_prior, seeds, info)
    tracker = open_tracker(config, info["run_name"], seeds, info["run_id"])
    if steps is not None:
        tracker.tag("steps", str(steps))  # MLflow's params cannot be changed
        save_checkpoint(folder, arrays, info)
    print(f"resuming {info['run_name']} ({tracker.run_id})")
    return _run(config, world, tracker, log_prior, seeds, info)


def _run(
    config: PPORun | DeepQRun,
    world: World,
    tracker: RunTracker | None,
    log_prior: NDArray[np.float32] | None,
    seeds: list[int],
    info: dict[str, Any],
) -> dict[str, Any]:
    folder = CHECKPOINTS / info["run_id"] if "run_id" in info else None  # all processes resume, the first writes
    if tracker:
        print(f"run {tracker.run_id}, checkpoints in {folder}")
    results = []
    try:
        for seed in seeds:
            learner = make_learner(config, world, log_prior, seed, info)
            _train_seed(config, learner, tracker, folder, info)
            if tracker:
                results.append(_result(config, learner, tracker))
        summary = _finish(config, tracker, results, info) if tracker else {}
        world.wait()
        return summary
    except KeyboardInterrupt:
        if tracker:
            tracker.finish("KILLED")
            print(f"\ninterrupted; continue with: python -m rl.train --resume {tracker.run_id}", file=sys.stderr)
        raise
    except BaseException:
        if tracker:
            tracker.finish("FAILED")
        raise
    finally:
        world.leave()


def _train_seed(
    config: PPORun | DeepQRun,
    learner: PPO | DeepQ,
    tracker: RunTracker | None,
    folder: Path | None,
    info: dict[str, Any],
) -> None:
    """Train one seed to the budget, from its checkpoint if it has one."""
    where = folder / f"seed-{learner.seed}" if folder else None
    seconds = 0.0
    if where and where.is_dir():
        seconds = _restored(learner, where)
    elif config.init_from is not None:
        learner.start_from(initial(config.init_from, learner.seed), f"--init-from {config.init_from}")
    due, clock = learner.steps + config.checkpoint_every, time.perf_counter()
    begin = clock
    log = _Log(tracker, learner.seed)
    with Progress(config.steps, learner.steps, "move") as progress:
        for metrics in learner.train(config.steps):
            note = log.add(metrics, learner.steps)
            if note and tracker:
                progress.update(learner.steps, f"seed {learner.seed}, {note}")
            if learner.steps >= due or learner.steps >= config.steps:
                due += config.checkpoint_every
                now = time.perf_counter()
                seconds, clock = seconds + now - clock, now
                arrays, state = learner.state()
                if tracker and where:
                    _check_finite(arrays, learner.steps)
                    tracker.flush()
                    save_checkpoint(where, arrays, info | state | {"seed": learner.seed, "train_seconds": seconds})
    if tracker and learner.steps and time.perf_counter() - begin > _LOG_EVERY:
        tracker.metric("time/train_seconds", seconds, learner.steps, learner.seed)


def _restored(learner: PPO | DeepQ, folder: Path) -> float:
    """Continue from a checkpoint; returns its seconds of training. Raises StoreError if it lacks something."""
    arrays, saved = load_checkpoint(folder)
    try:
        learner.restore(arrays, saved)
        return float(saved["train_seconds"])
    except (KeyError, IndexError, ValueError, RuntimeError, TypeError) as error:
        raise StoreError(f"checkpoint: {folder} is not whole ({type(error).__name__}: {error})") from None


def _check_finite(arrays: Arrays, steps: int) -> None:
    for name, array in arrays.items():
        if name.startswith(("network.", "critic.", "optimizer.")) and not np.isfinite(array).all():
            raise UserError(
                f"training stopped at step {steps}: {name} holds a NaN or an infinity; not saved, checkpoints stay as "
                "they were; a lower --lr may help"
            )


class _Log:
    """Metrics of updates, averaged over a second or so and sent to the tracker."""

    def __init__(self, tracker: RunTracker | None, seed: int) -> None:
        self._tracker, self._seed = tracker, seed
        self._values: defaultdict[str, list[float]] = defaultdict(list)
        self._clock, self._steps = time.perf_counter(), -1

    def add(self, metrics: dict[str, float], steps: int) -> str:
        """Take the metrics of one update; returns a note for the screen when a second is over, else ""."""
        for name, value in metrics.items():
            self._values[name].append(value)
        now = time.perf_counter()
        if now - self._clock < _LOG_EVERY and self._steps >= 0:
            return ""
        means = {name: float(np.mean(values)) for name, values in self._values.items()}
        if self._tracker:
            for name, value in means.items():
                if name.startswith("train/"):
                    self._tracker.metric(name, value, steps, self._seed)
            if self._steps >= 0:
                rate = (steps - self._steps) / (now - self._clock)
                self._tracker.metric("time/moves_per_second", rate, steps, self._seed)
                for name in ("collect", "learn", "env", "prior"):
                    share = sum(self._values[f"time/{name}"]) / (now - self._clock)
                    self._tracker.metric(f"time/{name}_share", share, steps, self._seed)
        self._values.clear()
        self._clock, self._steps = now, steps
        shown = {"score": "train/score", "lambda": "train/lambda", "KL(pi|prior)": "train/kl_prior"}
        return (
            ", ".join(f"{label} {means[name]:.3g}" for label, name in shown.items() if name in means) or "no game over"
        )


def _result(config: PPORun | DeepQRun, learner: PPO | DeepQ, tracker: RunTracker) -> dict[str, Any]:
    """Evaluate one seed; returns its entry in the summary."""
    entry = evaluate_policy(config.env, learner.policy(), learner.seed)
    print(
        "  ".join(
            f"{name} {value:.3f}" if isinstance(value, float) else f"{name} {value}" for name, value in entry.items()
        )
    )
    for name, value in entry.items():
        if isinstance(value, int | float) and name != "seed":
            tracker.metric(f"final/{name}", value, learner.steps, learner.seed)
    return entry


def _finish(
    config: PPORun | DeepQRun, tracker: RunTracker, results: list[dict[str, Any]], info: dict[str, Any]
) -> dict[str, Any]:
    """Print and log what all seeds came to; returns the summary."""
    folder = CHECKPOINTS / tracker.run_id
    seconds = sum(load_checkpoint(part)[1]["train_seconds"] for part in seed_folders(folder))
    scores = np.array([entry["score"] for entry in results])
    summary = {
        **summary_head(config, info, config.learner.lam),
        "net": config.net,
        "seeds": results,
        "mean_score": float(scores.mean()),
        "train_seconds": seconds,
        "steps": config.steps,
        "mlflow_run_id": tracker.run_id,
    }
    line = f"mean score {scores.mean():.3f} of {results[0]['max_score']:g} over {len(scores)} seeds, {seconds:.0f} s"
    if config.env == "say-select":
        human = [entry["human_policy"] for entry in results]
        summary["human_policy_rate"] = float(np.mean(human))
        tracker.metric("final/human_policy_rate", summary["human_policy_rate"], config.steps)
        tracker.metric("final/adherence", float(np.mean([entry["adherence"] for entry in results])), config.steps)
        line += f", human policy in {sum(human)} seeds"
    print(line)
    tracker.metric("final/score", scores.mean(), config.steps)
    tracker.metric("time/train_seconds", seconds, config.steps)
    with TemporaryDirectory() as temporary:
        write_summary(Path(temporary) / "summary.json", summary)
        tracker.artifact(Path(temporary) / "summary.json")
    tracker.finish()
    print(f"look closer: python -m rl.evaluate {tracker.run_id}")
    return summary


def _run_name(config: PPORun | DeepQRun) -> str:
    prior = "plain" if config.prior.method == "none" else f"{config.prior.method} lam={config.learner.lam:g}"
    return f"{config.env} {config.algo} {prior}"
