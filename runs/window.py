"""`python -m runs.window`: the window of lambda. How often is the human policy reached, over lambda x epsilon?

Too little pull (small lambda, or a prior made weak by epsilon) leaves Bob's code to chance; too much (lambda times
the log-ratio of selecting to quitting above the reward of 1) and he never quits.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro
from pydantic import Field

from envs.base import make_game
from prior.base import Prior
from rl.config import TabularQConfig
from rl.evaluate import seed_results
from rl.tabular_q import TabularQ
from runs.figures import rate_heatmap
from schemas.command_line import parse, run_main, write_summary
from schemas.config import PriorConfig, Section

_Lambda = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_Epsilon = Annotated[float, Field(ge=0, le=1)]


class WindowConfig(Section):
    """Grid and budget."""

    prior: Annotated[PriorConfig, tyro.conf.arg(name="")] = PriorConfig()
    lams: tuple[_Lambda, ...] = Field(
        (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.6), description="columns: values of lambda"
    )
    epsilons: tuple[_Epsilon, ...] = Field((0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5), description="rows: smoothing")
    seeds: int = Field(30, ge=1, description="seeds a cell")
    steps: int = Field(50_000, ge=100, multiple_of=100, description="episodes a seed")
    figure: Path = Field(Path("runs/inspect/window.png"), description="where the heatmap goes")
    summary: Path | None = Field(None, description="write the rates as JSON")


def main(argv: Sequence[str]) -> None:
    """Entry point."""
    config = parse(WindowConfig, argv, "Map the human-policy rate over lambda x epsilon on Say-Select.")
    rates = np.zeros((len(config.epsilons), len(config.lams)))
    scores = np.zeros_like(rates)
    start = time.perf_counter()
    for i, epsilon in enumerate(config.epsilons):
        prior = config.prior.model_copy(update={"epsilon": epsilon})
        table = Prior(prior, make_game("say-select")).table()
        for j, lam in enumerate(config.lams):
            learner = TabularQ(TabularQConfig(lam=lam), table.log_probs, list(range(1, config.seeds + 1)))
            for _ in learner.train(config.steps, chunk=config.steps):
                pass
            found = seed_results(learner.seeds, *learner.greedy_policies())
            rates[i, j] = np.mean([entry["human_policy"] for entry in found])
            scores[i, j] = np.mean([entry["score"] for entry in found])
            done = i * len(config.lams) + j + 1
            left = (time.perf_counter() - start) / done * (rates.size - done)
            print(
                f"epsilon {epsilon:g}, lambda {lam:g}: human policy {rates[i, j]:.0%}, score {scores[i, j]:.3f}", end=""
            )
            print(f" ({done} of {rates.size}, {left:.0f} s left)", flush=True)
    if config.summary:
        write_summary(
            config.summary,
            {
                "prior": config.prior.model_dump(),
                "lams": config.lams,
                "epsilons": config.epsilons,
                "seeds": config.seeds,
                "steps": config.steps,
                "human_policy_rate": rates.tolist(),
                "mean_score": scores.tolist(),
            },
        )
    labels = ("epsilon (smoothing of the prior)", "lambda", f"human policy, {config.seeds} seeds a cell")
    rate_heatmap(config.figure, config.epsilons, config.lams, rates, labels)
    print(f"figure: {config.figure}")


if __name__ == "__main__":
    run_main(main)
