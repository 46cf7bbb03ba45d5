"""`python -m rl.train`: config -> game, prior table, learner, tracker -> a run with its evidence."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import numpy as np
import tyro
from pydantic import Field
from tqdm import tqdm

from envs.base import make_game
from prior.base import Prior, PriorTable
from prior.cache import locked
from rl.checkpoint import CHECKPOINTS, find_checkpoint, load_checkpoint, save_checkpoint
from rl.config import TabularRun
from rl.evaluate import adherence, seed_results
from rl.tabular_q import TabularQ
from runs import figures
from runs.tracking import RunTracker
from schemas.command_line import parse, run_main, write_summary
from schemas.errors import UserError


class TrainConfig(TabularRun):
    """A run, and what the command line adds to it."""

    resume: Annotated[str | None, tyro.conf.arg(metavar="RUN")] = Field(
        None, description="continue a run from its last checkpoint: MLflow run id or checkpoint folder"
    )
    summary: Path | None = Field(None, description="write the results as JSON")


def train(config: TabularRun) -> dict[str, Any]:
    """Train a new run; returns the summary."""
    _check_steps(config)
    game = make_game(config.env)
    if game.name != "say-select":
        raise UserError(f"--env {config.env}: --algo q is tabular and plays say-select only")
    table = None
    if config.prior.method != "none":
        table = Prior(config.prior, game).table(progress=_prior_progress)
        _print_prior(table)
    tracking = config.tracking
    seeds = list(range(config.seed, config.seed + config.seeds))
    run_name = tracking.run_name or _run_name(config)
    tracker = RunTracker(tracking.tracking_uri, tracking.experiment or config.env, run_name, seeds)
    learner = TabularQ(config.q, None if table is None else table.log_probs, seeds)
    info = {
        "config": config.model_dump(mode="json", exclude={"resume", "summary"}),
        "run_name": run_name,
        "run_id": tracker.run_id,
        "prior": None if table is None else table.metadata,
        "train_seconds": 0.0,
    }
    save_checkpoint(CHECKPOINTS / tracker.run_id, learner.arrays, info)
    tracker.describe(_flat(config.model_dump(mode="json")), _tags(config, table))
    with TemporaryDirectory() as folder:
        _log_prior(tracker, config, table, Path(folder))
    return _run(config, learner, tracker, info)


def resume(run: str, steps: int | None) -> dict[str, Any]:
    """Continue a run from its last checkpoint, up to `steps` if given, else to its own budget; returns the summary."""
    folder = find_checkpoint(run, "--resume")
    with locked(folder, "--resume"):  # a second resume of the same run waits, and finds it finished
        learner, info = TabularQ.restore(*load_checkpoint(folder))
        config = TabularRun.model_validate(info["config"])
        if steps is not None and steps != config.steps:
            if steps < learner.episodes:
                raise UserError(f"--steps {steps}: the run has trained {learner.episodes} episodes already")
            config = config.model_copy(update={"steps": steps})
            _check_steps(config)
            info["config"] = config.model_dump(mode="json")
        tracking = config.tracking
        tracker = RunTracker(
            tracking.tracking_uri,
            tracking.experiment or config.env,
            info["run_name"],
            learner.seeds,
            resume=info["run_id"],
        )
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
    with Progress(config.steps, learner.episodes, len(learner.seeds)) as progress:
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
    meta = info["prior"] or {"backend": "none", "model": "", "instruction": ""}
    scores = np.array([entry["score"] for entry in results])
    human = np.array([entry["human_policy"] for entry in results])
    summary = {
        "env": config.env,
        "algo": config.algo,
        "prior": config.prior.method,
        "backend": meta["backend"],
        "model": meta["model"],
        "instruction": meta["instruction"],
        "lam": config.q.lam if info["prior"] else 0.0,
        "beta": config.prior.beta,
        "epsilon": config.prior.epsilon,
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


def _log_prior(tracker: RunTracker, config: TabularRun, table: PriorTable | None, folder: Path) -> None:
    write_summary(folder / "config.json", config.model_dump(mode="json"))
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


def _tags(config: TabularRun, table: PriorTable | None) -> dict[str, str]:
    meta: dict[str, Any] = {"instruction": "", "model": "", "exact": ""} if table is None else table.metadata
    names = ("instruction", "model", "exact")
    return {"env": config.env, "algo": config.algo, "prior": config.prior.method} | {n: str(meta[n]) for n in names}


def _flat(data: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in data.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return flat


def _run_name(config: TabularRun) -> str:
    prior = "plain-q" if config.prior.method == "none" else f"{config.prior.method} lam={config.q.lam:g}"
    return f"{config.env} {prior}"


def _print_prior(table: PriorTable) -> None:
    meta = table.metadata
    print(f"prior: {meta['method']}, {meta['backend']} {meta['model']}, instruction: {table.instruction}")


def _prior_progress(done: int, total: int) -> None:
    print(f"prior table: {done} of {total} observations", flush=True)


class Progress:
    """Episodes done: a bar with rate and ETA on a terminal, about ten plain lines elsewhere."""

    def __init__(self, total: int, done: int, seeds: int) -> None:
        self._total, self._seeds, self._start, self._first = total, seeds, time.perf_counter(), done
        self._next = done
        self._bar = tqdm(total=total, initial=done, unit="ep", unit_scale=True) if sys.stderr.isatty() else None

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar:
            self._bar.close()

    def update(self, done: int, note: str) -> None:
        """Show that every seed has trained `done` episodes."""
        if self._bar:
            self._bar.set_postfix_str(note, refresh=False)
            self._bar.update(done - self._bar.n)
        elif done >= self._next:
            self._next = done + self._total // 10
            rate = (done - self._first) / max(1e-9, time.perf_counter() - self._start)
            left = (self._total - done) / max(rate, 1e-9)
            print(
                f"episode {done} of {self._total} x {self._seeds} seeds, {rate * self._seeds:,.0f} episodes/s, "
                f"{left:.0f} s left, {note}",
                flush=True,
            )


def main(argv: Sequence[str]) -> None:
    """Entry point."""
    config = parse(TrainConfig, argv, "Train partners that follow an instruction, several seeds at once.")
    if config.resume is not None:
        flags = [word.partition("=")[0] for word in argv if word.startswith("--")]
        other = [flag for flag in flags if flag not in ("--resume", "--summary", "--steps")]
        if other:
            raise UserError(f"--resume: the run keeps its own config; leave out {', '.join(other)}")
        summary = resume(config.resume, config.steps if "--steps" in flags else None)
    else:
        summary = train(config)
    if config.summary:
        write_summary(config.summary, summary)


if __name__ == "__main__":
    run_main(main)
