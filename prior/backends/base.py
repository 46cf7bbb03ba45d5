"""What a language-model backend can do, and the registry: a new backend is one file here and one line in BACKENDS."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from schemas.config import PriorConfig


@dataclass(frozen=True)
class CandidateScore:
    """Log-probabilities (nats) of the tokens of one candidate, given the prompt and the tokens before."""

    tokens: tuple[int | str, ...]
    logprobs: NDArray[np.float64]  # [len(tokens)]


class Backend(Protocol):
    """A language model. `identity` names everything that its answers depend on; it is part of a table's key.

    `exact` says whether `score` returns the model's own probabilities or an estimate. `chunk_size` is the number of
    prompts scored between two saves of a table: many where batches are fast, few where answers are paid for.
    """

    name: str
    chunk_size: int

    @property
    def exact(self) -> bool:
        """Whether scores are exact."""
        ...

    @classmethod
    def from_config(cls, config: PriorConfig) -> Self:
        """Build the backend from what it needs of the config."""
        ...

    @property
    def identity(self) -> dict[str, str]:
        """Return backend, model and revision."""
        ...

    def score(self, prompts: Sequence[str], candidates: Sequence[str]) -> list[list[CandidateScore]]:
        """Score every candidate as a continuation of every prompt: one list of scores a prompt."""
        ...

    def generate(self, prompt: str, schema: type[BaseModel], n: int = 1, seed: int = 0) -> list[BaseModel]:
        """Write n objects of the schema, validated. n = 1 is greedy; more are sampled at temperature 1."""
        ...


BACKENDS = {
    "transformers": "prior.backends.transformers:TransformersBackend",
    "openai": "prior.backends.openai:OpenAIBackend",
    "vllm": "prior.backends.vllm:VllmBackend",
    "scripted": "prior.backends.scripted:ScriptedBackend",
}


def make_backend(config: PriorConfig) -> Backend:
    """Build the backend that the config names. Models are loaded at first use."""
    module, _, name = BACKENDS[config.backend].partition(":")
    backend: Backend = getattr(import_module(module), name).from_config(config)
    return backend
