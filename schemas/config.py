"""How a prior is asked for: the section that training and inspection share, in TOML files and on the command line."""

from pathlib import Path
from typing import Annotated, Literal

import tyro
from pydantic import BaseModel, ConfigDict, Field, field_validator

from schemas.distribution import Normalization

Method = Literal["structured", "likelihood", "yes-no", "verbalized", "convention", "file", "uniform", "none"]
Calibration = Literal["none", "null", "null-observation", "null-instruction", "batch"]
Coarse = Literal["full", "top-1", "top-3", "binary"]


class Section(BaseModel):
    """Base of every config section: frozen, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PriorConfig(Section):
    """Instruction, method and language model of a prior."""

    method: Annotated[Method, tyro.conf.arg(name="prior")] = Field(
        "structured", description="how the language model is asked for a prior; none trains without one"
    )
    backend: Literal["transformers", "scripted"] = Field("transformers", description="what runs the model")
    model: str | None = Field(
        None, description="embedded name, hub id, folder or .gguf file; a script for the scripted backend"
    )
    device: str = Field("cpu", description="where transformers runs the model: cpu, cuda, cuda:1")
    dtype: Literal["float32", "bfloat16"] = Field("float32", description="of weights; bfloat16 moves log-probs by 0.2")
    memory_gb: float = Field(0.5, gt=0, description="memory of one batch of prompts (caches and logits)")
    table: Path | None = Field(None, description="for --prior file: a table that prior.table exported (.json, .csv)")
    convention: Path | None = Field(None, description="for --prior convention: rules as TOML (Hanabi)")
    instruction: str | None = Field(None, description="how to play, in words; the game has a default")
    template: Literal["raw", "chat", "tools"] = Field(
        "raw", description="structured only: few-shot text, the same as chat messages, or the model's own tool calls"
    )
    normalization: Normalization = Field(
        "global", description="whole-string probability (exact), token by token, or mean per token"
    )
    calibration: Calibration = Field(
        "none",
        description="subtract what the model answers without instruction, observation, or either; "
        "batch (yes-no only) subtracts its mean over all questions",
    )
    coarse: Coarse = Field(
        "full", description="how much of the prior to keep: all, its top actions, or yes/no for each (p above average)"
    )
    noise: float = Field(0.0, ge=0, le=1, description="share of entries to flip, a test of robustness")
    noise_seed: int = Field(0, ge=0, description="seed of that")
    beta: float = Field(1.0, gt=0, le=1000, description="sharpness: prior ~ p^beta")
    epsilon: float = Field(
        0.15,
        ge=0,
        le=1,
        description="share of a uniform prior mixed in, so that no legal action is ruled out",
    )

    @field_validator("instruction")
    @classmethod
    def _not_empty(cls, value: str | None) -> str | None:
        if value is not None and not value.strip():
            raise ValueError("an empty instruction; say how to play, or leave it out for the game's default")
        return value


class TableConfig(Section):
    """What to export or import."""

    action: tyro.conf.Positional[Literal["export", "import"]]
    file: tyro.conf.Positional[Path] = Field(description="table, .json or .csv")
    env: str = Field("say-select", description="game: say-select, hanabi, hanabi-small, hanabi-very-small, hanabi-mini")
    prior: Annotated[PriorConfig, tyro.conf.arg(name="")] = PriorConfig()
