"""How a prior is asked for: the section that training and inspection share, in TOML files and on the command line."""

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import tyro
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from schemas.distribution import Normalization

Method = Literal["structured", "likelihood", "yes-no", "verbalized", "convention", "file", "uniform", "none"]
Scoring = Literal["auto", "prompt-logprobs", "top-logprobs", "samples"]
Calibration = Literal["none", "null", "null-observation", "null-instruction", "batch"]
Level = Literal["last-move", "hand", "full"]
Coarse = Literal["full", "top-1", "top-3", "binary"]


class Section(BaseModel):
    """Base of every config section: frozen, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ServerConfig(Section):
    """An OpenAI-compatible server, and what may be asked of it. The API key itself is never part of a config."""

    base_url: str | None = Field(None, description="address of the server, for instance http://127.0.0.1:8000/v1")
    api_key_env: str | None = Field(
        None,
        pattern=r"^[A-Za-z_]\w*$",
        description="environment variable that holds the API key; OPENAI_API_KEY for https, none on this machine",
    )
    scoring: Scoring = Field(
        "auto", description="how a server scores: auto asks it once; only prompt-logprobs is exact"
    )
    samples: Annotated[int, tyro.conf.arg(name="score-samples")] = Field(
        20, ge=1, description="answers drawn for a row when scoring by samples"
    )
    concurrency: int = Field(8, ge=1, le=256, description="requests at once")
    timeout: float = Field(60.0, gt=0, description="seconds to wait for an answer")
    attempts: int = Field(5, ge=1, le=20, description="times that a request is sent before it is an error")
    token_budget: int | None = Field(None, ge=1, description="stop when the server has counted this many tokens")
    price_in: float | None = Field(None, ge=0, description="price of a million prompt tokens")
    price_out: float | None = Field(None, ge=0, description="price of a million written tokens")
    cost_budget: float | None = Field(None, gt=0, description="stop at this cost, in the unit of the prices")

    @field_validator("base_url")
    @classmethod
    def _an_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("no address; http://HOST:PORT/v1 or https://HOST/v1 is needed")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("an address without user, password, ? and #; the key goes into --api-key-env's variable")
        return value

    @field_validator("cost_budget")
    @classmethod
    def _has_prices(cls, value: float | None, info: ValidationInfo) -> float | None:
        if value is not None and None in (info.data.get("price_in"), info.data.get("price_out")):
            raise ValueError("a cost needs both prices; give --price-in and --price-out")
        return value


class PriorConfig(Section):
    """Instruction, method and language model of a prior."""

    method: Annotated[Method, tyro.conf.arg(name="prior")] = Field(
        "structured", description="how the language model is asked for a prior; none trains without one"
    )
    backend: Literal["transformers", "openai", "vllm", "scripted"] = Field(
        "transformers", description="what runs the model"
    )
    model: str | None = Field(
        None, description="embedded name, hub id, folder or .gguf file; a script for the scripted backend"
    )
    device: str = Field("cpu", description="where transformers runs the model: cpu, cuda, cuda:1")
    dtype: Literal["float32", "bfloat16"] = Field("float32", description="of weights; bfloat16 moves log-probs by 0.2")
    memory_gb: float = Field(0.5, gt=0, description="memory of one batch of prompts (caches and logits)")
    table: Path | None = Field(None, description="for --prior file: a table that prior.table exported (.json, .csv)")
    convention: Path | None = Field(
        None, description="for --prior convention: rules as TOML; without it the instruction is compiled to rules"
    )
    confirm: bool = Field(False, description="for --prior convention: show the compiled rules in words, and ask")
    yes: bool = Field(False, description="answer yes to --confirm")
    compiled: bool = Field(
        False, description="for --prior structured: mix in what the instruction compiles to, by its probability"
    )
    instruction: str | None = Field(None, description="how to play, in words; the game has a default")
    level: Level = Field(
        "last-move",
        description="what the model is told (Hanabi): the last move; also what I know of my hand; all that I see",
    )
    texts_per_update: int = Field(
        16, ge=1, description="levels hand and full: new texts asked about between two updates, at most"
    )
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
    server: Annotated[ServerConfig, tyro.conf.arg(name="")] = ServerConfig()

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
