"""`python -m rl.train`: config -> game, prior table, learner, tracker -> a run with its evidence."""

import itertools
import tomllib
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from rl.checkpoint import find_checkpoint, load_checkpoint
from rl.config import DeepQRun, PPORun, RunConfig, TabularRun
from schemas.command_line import parse, run_main, write_summary
from schemas.errors import UserError


def run_class(algo: object, net: object, env: object) -> type[RunConfig]:
    """Return the config class, and with it the learner, that `algo`, `net` and `env` (None if not given) ask for.

    Raises UserError naming the known ones.
    """
    if algo not in (None, "q", "ppo"):
        raise UserError(f"--algo {algo}: unknown; known are q, ppo")
    if net not in (None, "table", "mlp", "publ-lstm"):
        raise UserError(f"--net {net}: unknown; known are table, mlp, publ-lstm")
    if algo == "ppo":
        if net == "table":
            raise UserError("--net table: ppo needs a network; mlp or publ-lstm")
        return PPORun
    if net in ("mlp", "publ-lstm") or (net is None and env not in (None, "say-select")):
        return DeepQRun
    return TabularRun


def train(config: RunConfig) -> dict[str, Any]:
    """Train a new run; returns the summary."""
    if isinstance(config, TabularRun):
        from rl import train_tabular

        return train_tabular.train(config)
    from rl import train_deep  # torch takes its time to load

    assert isinstance(config, PPORun | DeepQRun)
    return train_deep.train(config)


def resume(run: str, steps: int | None) -> dict[str, Any]:
    """Continue a run from its last checkpoint, up to `steps` if given, else to its own budget; returns the summary."""
    from rl.train_common import held

    folder = find_checkpoint(run, "--resume")
    with held(folder, "--resume"):
        arrays, info = load_checkpoint(folder)
        kind = run_class(info["config"].get("algo"), info["config"].get("net"), info["config"].get("env"))
        module = import_module("rl.train_tabular" if kind is TabularRun else "rl.train_deep")
        return module.resume(folder, arrays, info, steps)


def main(argv: Sequence[str]) -> None:
    """Entry point."""
    kind = run_class(*(_given(argv, name) for name in ("algo", "net", "env")))
    stored, asked = _stored(argv).get("algo"), _given(argv, "algo")
    if stored is not None and stored != asked:
        raise UserError(f"--algo {asked}: the file of --config is for {stored}, whose hyperparameters are others")
    config = parse(kind, argv, "Train partners that follow an instruction.")
    if config.resume is not None:
        flags = [word.partition("=")[0] for word in argv if word.startswith("--")]
        other = [flag for flag in flags if flag not in ("--resume", "--summary", "--steps")]
        if other:
            raise UserError(f"--resume: the run keeps its own config; leave out {', '.join(other)}")
        summary = resume(config.resume, config.steps if "--steps" in flags else None)
    else:
        summary = train(config)
    if config.summary and summary:
        write_summary(config.summary, summary)


def _given(argv: Sequence[str], name: str) -> object:
    """Return what the flags, or else the file of --config, say of a key; None if neither does or can be read."""
    values = _words(argv)
    if f"--{name}" in values:
        return values[f"--{name}"]
    return _stored(argv).get(name)


def _stored(argv: Sequence[str]) -> dict[str, Any]:
    """Read the file of --config; empty if there is none or it cannot be read, of which `parse` says what is wrong."""
    try:
        return tomllib.loads(Path(_words(argv)["--config"]).read_text())
    except (KeyError, OSError, ValueError):
        return {}


def _words(argv: Sequence[str]) -> dict[str, str]:
    words = [part for word in argv for part in (word.split("=", 1) if word.startswith("--") else [word])]
    return dict(itertools.pairwise(words))


if __name__ == "__main__":
    run_main(main)
