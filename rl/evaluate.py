"""What trained partners do. Of Say-Select: scores over all layouts, the human-policy check, convention tables.

`python -m rl.evaluate RUN...` evaluates runs by id or checkpoint folder, alone and with each other (cross-play); runs
of Hanabi also with bots (see rl.evaluate_hanabi).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import tyro
from numpy.typing import NDArray
from pydantic import Field

from envs.say_select import LAYOUTS, MAX_MOVES, QUIT, SaySelect, human_policy
from rl.checkpoint import find_checkpoint, load_checkpoint, load_info, seed_folders
from schemas.command_line import parse, run_main, write_summary
from schemas.config import Section
from schemas.errors import UserError

if TYPE_CHECKING:
    from rl.policy import Policy

Array = NDArray[np.int64]


def adherence(bob: Array) -> NDArray[np.float64]:
    """Share of the 30 (previous, last) pairs that can occur in which Bob acts as a human expects; float64[seeds].

    `bob`: int64[seeds, 6, 6] as TabularQ.greedy_policies returns it. 1.0 is the human policy.
    """
    return (bob[:, :, 1:] == human_policy()).mean(axis=(1, 2))


def play_all_layouts(alice: Array, bob: Array) -> Array:
    """Play greedy Alice, int64[32, 6], with greedy Bob, int64[6, 6], on all 25 layouts; returns scores int64[25]."""
    env = SaySelect(len(LAYOUTS), autoreset=False)
    step = env.reset(0, LAYOUTS)
    scores = np.zeros(len(LAYOUTS), np.int64)
    while not step.done.all():
        layout, said, selected, _ = env.board.T
        step = env.step(np.where(step.player == 0, alice[layout, selected], bob[selected, said]))
        scores += step.reward.astype(np.int64)
    return scores


def max_scores() -> Array:
    """Best possible score of each layout: its number of +1 balls."""
    return np.array([int(layout).bit_count() for layout in LAYOUTS])


def self_play(alice: Array, bob: Array) -> NDArray[np.float64]:
    """Mean of score / max score over all layouts, float64[seeds], for policies stacked over seeds."""
    return np.array([(play_all_layouts(a, b) / max_scores()).mean() for a, b in zip(alice, bob, strict=True)])


def cross_play(alice: Array, bob: Array) -> NDArray[np.float64]:
    """Every Alice with every Bob: float64[seeds, seeds]."""
    return np.array([[(play_all_layouts(a, b) / max_scores()).mean() for b in bob] for a in alice])


def convention_text(table: Array) -> str:
    """Write one Bob, int64[6, 6], as the paper does: a row for each previous selection, 0 for quit."""
    rows = ["".join("0" if action == QUIT else str(action + 1) for action in row[1:]) for row in table]
    return "/".join(rows)


def seed_results(seeds: Sequence[int], alice: Array, bob: Array) -> list[dict[str, Any]]:
    """One summary entry a seed."""
    scores, agree = self_play(alice, bob), adherence(bob)
    return [
        {
            "seed": seed,
            "score": float(scores[i]),
            "max_score": 1.0,
            "human_policy": bool(agree[i] == 1.0),
            "adherence": float(agree[i]),
            "convention": convention_text(bob[i]),
        }
        for i, seed in enumerate(seeds)
    ]


def evaluate_policy(env: str, policy: "Policy", seed: int) -> dict[str, Any]:
    """Evaluate a policy at the end of its training: the entry of its seed in the summary of the run."""
    if env == "say-select":
        alice, bob = greedy_tables(policy)
        return seed_results([seed], alice[None], bob[None])[0]
    from rl.evaluate_hanabi import self_play_entry

    return self_play_entry(env, policy, seed)


def greedy_tables(policy: "Policy") -> tuple[Array, Array]:
    """Ask a policy without memory for its moves in all moments of Say-Select.

    Returns Alice's, int64[32 layouts, 6 last selections], and Bob's, int64[6 own last selections, 6 numbers said];
    index 0 stands for none.
    """
    tables = []
    for player, shape in ((0, (32, 6)), (1, (6, 6))):
        first, second = (index.ravel() for index in np.indices(shape))
        env = SaySelect(len(first))
        none, left = np.zeros_like(first), np.full_like(first, MAX_MOVES - player)
        board = (first, none, second, left) if player == 0 else (none, second, first, left)
        step = env.restore({"board": np.stack(board, axis=1), "rng": np.zeros((len(first), 1), np.uint64)})
        tables.append(policy.sit(len(first), 0).act(step, np.arange(len(first))).reshape(shape))
    return tables[0], tables[1]


class HanabiOptions(Section):
    """How Hanabi runs are evaluated."""

    games: int = Field(1000, ge=2, le=1_000_000, description="Hanabi: games a pair of partners")
    seed: int = Field(0, ge=0, description="Hanabi: seed of the decks, of draws and of bootstrap intervals")
    sample: bool = Field(False, description="Hanabi: draw moves from the policy; the best move is taken otherwise")
    partner: tuple[str, ...] = Field(
        (), description="Hanabi: bots to play with: random, color, rank, or a convention's file (TOML)"
    )
    figures: Path | None = Field(None, description="Hanabi: draw the figures as PNG into this folder")
    log: bool = Field(False, description="Hanabi: add results and figures to the MLflow runs of the checkpoints")


class EvaluateConfig(Section):
    """Which checkpoints to evaluate, and how."""

    runs: tyro.conf.Positional[tuple[str, ...]] = Field(
        description="run ids or checkpoint folders, as rl.train prints them"
    )
    figure: Path | None = Field(None, description="Say-Select: draw the conventions as PNG")
    summary: Path | None = Field(None, description="write the results as JSON")
    hanabi: Annotated[HanabiOptions, tyro.conf.arg(name="")] = HanabiOptions()


def main(argv: Sequence[str]) -> None:
    """Entry point."""
    config = parse(EvaluateConfig, argv, "Evaluate trained partners, alone, with each other, and with bots.")
    if not config.runs:
        raise UserError("RUN: name at least one checkpoint folder")
    folders = [find_checkpoint(run, "RUN") for run in config.runs]
    envs = [load_info(folder)["config"]["env"] for folder in folders]
    for folder, env in zip(folders, envs, strict=True):
        if env != envs[0]:
            raise UserError(
                f"RUN: {folders[0]} plays {envs[0]} and {folder} plays {env}; only runs of one game can play together"
            )
    if envs[0] == "say-select":
        _say_select(config, folders)
    else:
        _hanabi(config, folders)


def _hanabi(config: EvaluateConfig, folders: Sequence[Path]) -> None:
    from rl.evaluate_hanabi import evaluate, summary
    from runs import evaluation

    options = config.hanabi
    if config.figure:
        raise UserError("--figure: it draws what Say-Select's players do; for Hanabi --figures DIR draws several")
    results = evaluate(folders, options)
    print("\n".join(evaluation.lines(results)))
    if config.summary:
        write_summary(config.summary, summary(results))
    if options.figures:
        for file in evaluation.draw(results, options.figures):
            print(f"figure: {file}")
    if options.log:
        evaluation.log(results)


def _say_select(config: EvaluateConfig, folders: Sequence[Path]) -> None:
    given = [name for name, value in config.hanabi if value != getattr(HanabiOptions(), name)]
    if given:
        raise UserError(f"--{given[0]}: it is for Hanabi; Say-Select is played greedily over all its layouts")
    results, titles, alices, bobs = [], [], [], []
    for folder in folders:
        seeds, alice, bob, info = _say_select_players(folder)
        found = seed_results(seeds, alice, bob)
        print(f"{folder}: {info}")
        for entry in found:
            human = "human policy" if entry["human_policy"] else f"adherence {entry['adherence']:.0%}"
            print(f"  seed {entry['seed']:4}  score {entry['score']:.3f}  {entry['convention']}  {human}")
        results.append({"run": str(folder), "seeds": found})
        titles += [f"{info.partition(',')[0]}, seed {seed}" for seed in seeds]
        alices.append(alice)
        bobs.append(bob)
    alice, bob = np.concatenate(alices), np.concatenate(bobs)
    matrix = cross_play(alice, bob)
    if len(alice) > 1:
        others = matrix[~np.eye(len(matrix), dtype=bool)]
        print(f"self-play {np.diag(matrix).mean():.3f}, cross-play {others.mean():.3f} (all Alices x all other Bobs)")
    if config.figure:
        from runs.figures import convention_figure

        convention_figure(config.figure, bob[:, :, 1:], titles)
        print(f"figure: {config.figure}")
    if config.summary:
        write_summary(config.summary, {"runs": results, "cross_play": matrix.tolist()})


def _say_select_players(folder: Path) -> tuple[list[int], Array, Array, str]:
    """Load the players of a run: seeds, Alices int64[seeds, 32, 6], Bobs int64[seeds, 6, 6], and its name and age."""
    info = load_info(folder)
    if info["config"]["net"] == "table":
        from rl.tabular_q import TabularQ

        learner, info = TabularQ.restore(*load_checkpoint(folder))
        return learner.seeds, *learner.greedy_policies(), f"{info['run_name']}, {learner.episodes} episodes"
    if info["config"]["net"] != "mlp":
        raise UserError(f"RUN: {folder}: a network with memory has no table of moves; --net mlp and table have")
    from rl.weights import load_policy

    loaded = [load_policy(seed) for seed in seed_folders(folder)]
    tables = [greedy_tables(policy) for policy, _ in loaded]
    alice, bob = (np.stack(part) for part in zip(*tables, strict=True))
    return [info["seed"] for _, info in loaded], alice, bob, f"{info['run_name']}, {loaded[0][1]['steps']} moves"


if __name__ == "__main__":
    run_main(main)
