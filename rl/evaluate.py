"""What the trained partners do: scores over all layouts, the human-policy check, convention tables.

`python -m rl.evaluate RUN...` evaluates runs by id or checkpoint folder, alone and with each other (cross-play).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tyro
from numpy.typing import NDArray
from pydantic import Field

from envs.say_select import LAYOUTS, MAX_MOVES, QUIT, SaySelect, human_policy
from rl.checkpoint import find_checkpoint, load_checkpoint
from rl.policy import Policy
from schemas.command_line import parse, run_main, write_summary
from schemas.config import Section
from schemas.errors import UserError

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


def evaluate_policy(env: str, policy: Policy, seed: int) -> dict[str, Any]:
    """Evaluate a policy at the end of its training: the entry of its seed in the summary of the run."""
    if env == "say-select":
        alice, bob = greedy_tables(policy)
        return seed_results([seed], alice[None], bob[None])[0]
    from envs.hanabi import preset
    from envs.hanabi_engine import Hanabi

    games = Hanabi(1000, preset(env), autoreset=False)
    step = games.reset(seed)
    seats = [policy.sit(1000, k) for k in range(2)]
    while not step.done.all():
        action = np.zeros(1000, np.int64)
        for k in range(2):
            rows = np.flatnonzero(~step.done & (step.player == k))
            if len(rows):
                action[rows] = seats[k].act(step, rows)
        step = games.step(action)
    return {"seed": seed, "score": float(games.scores.mean()), "max_score": float(games.rules.max_score)}


def greedy_tables(policy: Policy) -> tuple[Array, Array]:
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


class EvaluateConfig(Section):
    """Which checkpoints to evaluate."""

    runs: tyro.conf.Positional[tuple[str, ...]] = Field(
        description="run ids or checkpoint folders, as rl.train prints them"
    )
    figure: Path | None = Field(None, description="draw the conventions as PNG")
    summary: Path | None = Field(None, description="write the results as JSON")


def main(argv: Sequence[str]) -> None:
    """Entry point."""
    config = parse(EvaluateConfig, argv, "Evaluate trained partners over all layouts, alone and with each other.")
    if not config.runs:
        raise UserError("RUN: name at least one checkpoint folder")
    from rl.tabular_q import TabularQ

    results, titles, alices, bobs = [], [], [], []
    for run in config.runs:
        folder = find_checkpoint(run, "RUN")
        learner, info = TabularQ.restore(*load_checkpoint(folder))
        alice, bob = learner.greedy_policies()
        found = seed_results(learner.seeds, alice, bob)
        print(f"{folder}: {info['run_name']}, {learner.episodes} episodes")
        for entry in found:
            human = "human policy" if entry["human_policy"] else f"adherence {entry['adherence']:.0%}"
            print(f"  seed {entry['seed']:4}  score {entry['score']:.3f}  {entry['convention']}  {human}")
        results.append({"run": str(folder), "seeds": found})
        titles += [f"{info['run_name']}, seed {seed}" for seed in learner.seeds]
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


if __name__ == "__main__":
    run_main(main)
