"""`python -m prior.compare A B`: what changes in the prior when the model, the method or the wording does."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tyro
from numpy.typing import NDArray
from pydantic import Field

from envs.base import Game, make_game
from prior.base import Prior
from prior.diagnose import kl_rows
from prior.files import import_table
from prior.inspect import InspectConfig
from schemas.command_line import parse, read_toml, run_main, write_summary
from schemas.config import Section
from schemas.errors import UserError


class CompareConfig(Section):
    """Two priors for one game."""

    a: tyro.conf.Positional[Path] = Field(description="a table (.json, .csv) or a config of prior.inspect (.toml)")
    b: tyro.conf.Positional[Path] = Field(description="the other one")
    env: str = Field("say-select", description="game of tables; configs name their own")
    top: int = Field(10, ge=1, description="how many of the most changed observations to list")
    figure: Path = Field(Path("runs/inspect/compare.png"), description="where the heatmap of differences goes")
    summary: Path | None = Field(None, description="write the results as JSON")


def load_prior(file: Path, env: str) -> tuple[Game, NDArray[np.float64], str]:
    """Return game, probabilities float64[N, A] and a label, from a table or from a config that is asked now."""
    if file.suffix != ".toml":
        game = make_game(env)
        return game, import_table(game, file)[0], file.name
    config = read_toml(InspectConfig, str(file))
    game = make_game(config.env)
    table = Prior(config.prior, game).table()
    return game, table.probs, f"{table.metadata['method']} {table.metadata['model']}".strip()


def compare(config: CompareConfig) -> dict[str, Any]:
    """Print and return per-observation KL, total variation and flipped top actions."""
    game, p, name_p = load_prior(config.a, config.env)
    other, q, name_q = load_prior(config.b, config.env)
    if game.name != other.name:
        raise UserError(f"B: {config.b} is for {other.name}, A for {game.name}; priors of one game are needed")
    kl, distance = kl_rows(p, q), np.abs(p - q).sum(axis=1) / 2
    top_p, top_q = p.argmax(axis=1), q.argmax(axis=1)
    flipped = top_p != top_q
    names = game.action_names
    print(f"A: {name_p} ({config.a})\nB: {name_q} ({config.b})")
    print(f"{game.name}: {len(kl)} observations, top action flipped in {flipped.sum()}, ", end="")
    print(f"KL(A || B) mean {kl.mean():.3f} max {kl.max():.3f} nats, total variation mean {distance.mean():.3f}")
    for row in np.argsort(-distance, kind="stable")[: config.top]:
        change = f"{names[top_p[row]]} -> {names[top_q[row]]}" if flipped[row] else f"{names[top_p[row]]} in both"
        print(f"  {game.observations[row].key}: KL {kl[row]:.3f}, total variation {distance[row]:.3f}, {change}")
    from runs.figures import difference_heatmap

    keys = [observation.key for observation in game.observations]
    difference_heatmap(config.figure, keys, names, p - q, f"A - B: {name_p} - {name_q}")
    print(f"heatmap: {config.figure}")
    return {
        "env": game.name,
        "a": str(config.a),
        "b": str(config.b),
        "observations": keys,
        "kl": [float(value) if np.isfinite(value) else None for value in kl],
        "total_variation": distance.tolist(),
        "top_a": [names[i] for i in top_p],
        "top_b": [names[i] for i in top_q],
        "flipped": int(flipped.sum()),
    }


def main(argv: Sequence[str]) -> None:
    """Entry point."""
    config = parse(CompareConfig, argv, "Compare two priors for one game.")
    summary = compare(config)
    if config.summary:
        write_summary(config.summary, summary)


if __name__ == "__main__":
    run_main(main)
