"""Configuration of a training run: Pydantic sections, read from a TOML file and then from flags."""

from typing import Annotated, Literal

import tyro
from pydantic import Field

from schemas.config import PriorConfig, Section

DEFAULT_TRACKING_URI = "sqlite:///runs/mlflow.db"


class TabularQConfig(Section):
    """Hyperparameters of tabular InstructQ; the defaults are those published for Say-Select."""

    lam: float = Field(0.25, ge=0, allow_inf_nan=False, description="lambda: weight of Bob's log prior")
    lam_alice: float = Field(0.0, ge=0, allow_inf_nan=False, description="the same for Alice; 0 is vanilla")
    lr: float = Field(0.02, gt=0, allow_inf_nan=False, description="Adam's learning rate on table entries")
    adam_eps: float = Field(1e-5, gt=0, allow_inf_nan=False, description="Adam's epsilon")
    gamma: float = Field(1.0, gt=0, le=1, description="discount")
    explore: float = Field(0.15, ge=0, le=1, description="share of random moves in training (eps-greedy)")
    replay_size: int = Field(1000, ge=10, description="episodes kept for replay")
    batch_size: int = Field(64, ge=1, description="episodes drawn for an update")
    eval_every: int = Field(100, ge=1, description="episodes between evaluations over all layouts")


class TrackingConfig(Section):
    """Where a run's evidence goes."""

    tracking_uri: str = Field(DEFAULT_TRACKING_URI, description="MLflow store")
    experiment: str = Field("say-select", min_length=1, description="MLflow experiment")
    run_name: str | None = Field(None, description="name of the run in MLflow; made from the config when left out")


class RunConfig(Section):
    """One training run of several seeds."""

    env: str = Field("say-select", description="game: say-select")
    algo: Literal["q"] = Field("q", description="learner: q is tabular InstructQ")
    seed: int = Field(1, ge=0, description="first seed")
    seeds: int = Field(10, ge=1, description="number of seeds, trained side by side")
    steps: int = Field(50_000, ge=1, description="training budget a seed: episodes")
    checkpoint_every: int = Field(10_000, ge=1, description="episodes between checkpoints")
    prior: Annotated[PriorConfig, tyro.conf.arg(name="")] = PriorConfig()
    q: Annotated[TabularQConfig, tyro.conf.arg(name="")] = TabularQConfig()
    tracking: Annotated[TrackingConfig, tyro.conf.arg(name="")] = TrackingConfig()
