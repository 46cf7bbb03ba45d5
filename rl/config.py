"""Configuration of a training run: Pydantic sections, read from a TOML file and then from flags.

`RunConfig` is what all runs share; the learner, and with it the section of hyperparameters, follows from `algo` and
`net`.
"""

from pathlib import Path
from typing import Annotated, Literal, Self

import tyro
from pydantic import Field, model_validator

from schemas.config import PriorConfig, Section

DEFAULT_TRACKING_URI = "sqlite:///runs/mlflow.db"
Net = Literal["table", "mlp", "publ-lstm"]


class TabularQConfig(Section):
    """Hyperparameters of tabular InstructQ; the defaults are those published for Say-Select."""

    lam: float = Field(0.25, ge=0, description="lambda: weight of Bob's log prior")
    lam_alice: float = Field(0.0, ge=0, description="the same for Alice; 0 is vanilla")
    lr: float = Field(0.02, gt=0, description="Adam's learning rate on table entries")
    adam_eps: float = Field(1e-5, gt=0, description="Adam's epsilon")
    gamma: float = Field(1.0, gt=0, le=1, description="discount")
    explore: float = Field(0.15, ge=0, le=1, description="share of random moves in training (eps-greedy)")
    replay_size: int = Field(1000, ge=10, description="episodes kept for replay")
    batch_size: int = Field(64, ge=1, description="episodes drawn for an update")
    eval_every: int = Field(100, ge=1, description="episodes between evaluations over all layouts")


class DeepConfig(Section):
    """What both deep learners share: the schedule of lambda, the network, the size of a step."""

    lam: float = Field(0.1, ge=0, description="lambda at the start: weight of the prior")
    lam_end: float | None = Field(None, ge=0, description="lambda at the end; lam if left out")
    lam_schedule: Literal["linear", "halving"] = Field(
        "linear", description="how lambda goes from lam to lam_end: in a line, or by halving at even distances"
    )
    hidden: int = Field(256, ge=1, le=8192, description="units of a hidden layer")
    layers: int = Field(2, ge=1, le=8, description="hidden layers (mlp) or LSTM layers (publ-lstm)")
    lr: float = Field(4e-3, gt=0, description="Adam's learning rate")
    adam_eps: float = Field(1.5e-5, gt=0, description="Adam's epsilon")
    max_grad_norm: float = Field(1.0, gt=0, description="clip the gradient's norm to this")
    gamma: float = Field(0.99, gt=0, le=1, description="discount a move")
    precision: Literal["float32", "bfloat16"] = Field("bfloat16", description="of matrix products; the rest is float32")

    @model_validator(mode="after")
    def _check_schedule(self) -> Self:
        if self.lam_schedule == "halving" and self.lam_end is not None and self.lam_end > self.lam:
            raise ValueError(
                f"lam_end = {self.lam_end:g} is more than lam = {self.lam:g}; a halving schedule only falls"
            )
        return self


class PPOConfig(DeepConfig):
    """Hyperparameters of (Instruct)PPO."""

    num_envs: int = Field(1024, ge=1, description="games played at once")
    rollout: int = Field(32, ge=2, description="moves of each game between updates")
    epochs: int = Field(3, ge=1, description="passes over a rollout")
    minibatches: int = Field(8, ge=1, description="gradient steps a pass")
    clip: float = Field(0.2, gt=0, lt=1, description="bound of the probability ratio")
    gae_lambda: float = Field(0.95, ge=0, le=1, description="lambda of generalized advantage estimation")
    entropy: float = Field(0.01, ge=0, description="entropy bonus; used without a prior only")
    value_weight: float = Field(0.5, gt=0, description="weight of the value loss")
    anneal_lr: bool = Field(True, description="let the learning rate fall to a tenth, in a line")
    critic: Literal["hand", "observation"] = Field(
        "observation",
        description="what the critic sees: also the player's own cards (in training only), or the observation",
    )


class DeepQConfig(DeepConfig):
    """Hyperparameters of InstructQ with a network."""

    lam: float = Field(0.15, ge=0, description="lambda at the start: weight of the log prior")
    lr: float = Field(1e-3, gt=0, description="Adam's learning rate")
    anneal_lr: bool = Field(True, description="let the learning rate fall to a tenth, in a line")
    lam_schedule: Literal["linear", "halving"] = Field(
        "halving", description="how lambda goes from lam to lam_end: in a line, or by halving at even distances"
    )
    num_envs: int = Field(512, ge=1, description="games played at once")
    rollout: int = Field(16, ge=1, description="moves of each game between updates")
    updates: int = Field(8, ge=1, description="gradient steps then")
    batch_size: int = Field(2048, ge=1, description="moves drawn for a gradient step")
    n_step: int = Field(3, ge=1, description="own turns until a target bootstraps")
    target_every: int = Field(100, ge=1, description="gradient steps between copies into the target network")
    explore: float = Field(0.1, gt=0, le=1, description="share of random moves in the first game (eps-greedy)")
    explore_alpha: float = Field(7.0, ge=0, description="game i explores explore^(1 + alpha * i / (games - 1))")
    replay_size: int = Field(1_000_000, ge=1, description="moves kept for replay, of all games together")
    warmup: int = Field(50_000, ge=0, description="moves before the first gradient step")
    priority: float = Field(0.0, ge=0, le=1, description="draw by |TD error|^priority; 0 draws uniformly")
    vdn: bool = Field(False, description="learn the sum of all seats' values (mlp only), not each seat's own")
    aux: float = Field(0.0, ge=0, description="weight of the loss of predicting one's own hand")
    sequence: int = Field(16, ge=1, description="own moves of a drawn sequence (publ-lstm)")
    burn_in: int = Field(4, ge=0, description="own moves that fill the memory, before the loss counts (publ-lstm)")


class TrackingConfig(Section):
    """Where a run's evidence goes."""

    tracking_uri: str = Field(DEFAULT_TRACKING_URI, description="MLflow store")
    experiment: str | None = Field(None, min_length=1, description="MLflow experiment; the game's name if left out")
    run_name: str | None = Field(None, description="name of the run in MLflow; made from the config when left out")


class RunConfig(Section):
    """One training run of one or several seeds."""

    env: str = Field("say-select", description="game: say-select, hanabi, hanabi-small, -very-small, -mini")
    seed: int = Field(1, ge=0, description="first seed")
    steps: int = Field(50_000, ge=1, description="training budget a seed: episodes (table) or moves")
    checkpoint_every: int = Field(10_000, ge=1, description="steps between checkpoints")
    prior: Annotated[PriorConfig, tyro.conf.arg(name="")] = PriorConfig()
    tracking: Annotated[TrackingConfig, tyro.conf.arg(name="")] = TrackingConfig()
    resume: Annotated[str | None, tyro.conf.arg(metavar="RUN")] = Field(
        None, exclude=True, description="continue a run from its last checkpoint: MLflow run id or checkpoint folder"
    )
    summary: Path | None = Field(None, exclude=True, description="write the results as JSON")


class TabularRun(RunConfig):
    """Tabular InstructQ: all seeds at once, a step is an episode."""

    algo: Literal["q"] = Field("q", description="learner: q (InstructQ) or ppo (InstructPPO)")
    net: Literal["table"] = Field("table", description="table, mlp or publ-lstm")
    seeds: int = Field(10, ge=1, description="number of seeds, trained side by side")
    q: Annotated[TabularQConfig, tyro.conf.arg(name="")] = TabularQConfig()


class DeepRun(RunConfig):
    """A learner with a network: one seed after the other, a step is a move in one game."""

    env: str = Field("hanabi-mini", description="game: say-select, hanabi, hanabi-small, -very-small, -mini")
    net: Literal["mlp", "publ-lstm"] = Field("mlp", description="table, mlp or publ-lstm")
    seeds: int = Field(1, ge=1, description="number of seeds, trained one after the other")
    steps: int = Field(10_000_000, ge=1, description="training budget a seed: moves")
    checkpoint_every: int = Field(1_000_000, ge=1, description="moves between checkpoints")
    engine: Literal["numba", "hle"] = Field("numba", description="Hanabi's engine: the fast one, or HLE itself")
    threads: int = Field(1, ge=1, le=256, description="CPU threads, for the games and for torch")
    init_from: Annotated[str | None, tyro.conf.arg(metavar="RUN")] = Field(
        None, description="begin with the network of this run or checkpoint folder"
    )


class PPORun(DeepRun):
    """(Instruct)PPO in self-play."""

    algo: Literal["ppo"] = Field("ppo", description="learner: q (InstructQ) or ppo (InstructPPO)")
    ppo: Annotated[PPOConfig, tyro.conf.arg(name="")] = PPOConfig()

    @property
    def learner(self) -> PPOConfig:
        """The section of hyperparameters."""
        return self.ppo


class DeepQRun(DeepRun):
    """InstructQ with a network, in self-play."""

    algo: Literal["q"] = Field("q", description="learner: q (InstructQ) or ppo (InstructPPO)")
    q: Annotated[DeepQConfig, tyro.conf.arg(name="")] = DeepQConfig()

    @property
    def learner(self) -> DeepQConfig:
        """The section of hyperparameters."""
        return self.q
