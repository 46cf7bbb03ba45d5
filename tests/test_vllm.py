"""The vllm backend through a stand-in for vLLM with the parts of its interface that are used, on a real tiny model."""

import json
import math
import sys
import types
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch

from prior.backends.base import make_backend
from prior.backends.transformers import TransformersBackend
from prior.backends.vllm import VllmBackend
from schemas.config import PriorConfig
from schemas.errors import ModelError
from schemas.tools import Call, call_model
from tests.test_scoring import CANDIDATES, PROMPTS
from tests.tiny import save_tiny_model


@dataclass
class SamplingParams:
    n: int = 1
    seed: int | None = None
    temperature: float = 1.0
    max_tokens: int = 16
    prompt_logprobs: int | None = None
    detokenize: bool = True
    structured_outputs: object = None


@dataclass
class StructuredOutputsParams:
    json: dict = field(default_factory=dict)


class LLM:
    """Answers as vLLM does: the first token of a prompt has no log-probability, the others list themselves."""

    spoil = ""

    def __init__(self, model, logprobs_mode, seed):
        self.net, self.tokenizer = TransformersBackend(model).load()

    def get_tokenizer(self):
        return self.tokenizer

    def generate(self, prompts, settings, use_tqdm):
        return [self._written(settings) if isinstance(p, str) else self._read(p["prompt_token_ids"]) for p in prompts]

    def _read(self, ids):
        with torch.no_grad():
            logs = torch.log_softmax(self.net(torch.tensor([ids])).logits[0], dim=-1)
        listed = [{t: types.SimpleNamespace(logprob=float(logs[i, t]), rank=1)} for i, t in enumerate(ids[1:])]
        if self.spoil == "nan":
            listed[-1][ids[-1]].logprob = math.nan
        if self.spoil == "other":
            listed[-1] = {0: listed[-1][ids[-1]]}
        if self.spoil == "short":
            listed = listed[:-1]
        return types.SimpleNamespace(prompt_logprobs=None if self.spoil == "none" else [None, *listed], outputs=[])

    def _written(self, settings):
        assert settings.structured_outputs.json
        text = json.dumps({"name": "fly" if self.spoil == "illegal" else "quit", "arguments": {}})
        return types.SimpleNamespace(outputs=[types.SimpleNamespace(text=text)] * settings.n)


@pytest.fixture
def backend(tmp_path, monkeypatch):
    module, inner = types.ModuleType("vllm"), types.ModuleType("vllm.sampling_params")
    module.LLM, module.SamplingParams = LLM, SamplingParams
    module.sampling_params, inner.StructuredOutputsParams = inner, StructuredOutputsParams
    monkeypatch.setitem(sys.modules, "vllm", module)
    monkeypatch.setitem(sys.modules, "vllm.sampling_params", inner)
    monkeypatch.setattr(LLM, "spoil", "")
    return VllmBackend(str(save_tiny_model(tmp_path, "llama")))


def test_scores_equal_the_transformers_backend(backend):
    local = TransformersBackend(backend.model_name).score(PROMPTS, CANDIDATES)
    found = backend.score(PROMPTS, CANDIDATES)
    for here, there in zip(local, found, strict=True):
        for a, b in zip(here, there, strict=True):
            assert a.tokens == b.tokens
            assert np.abs(a.logprobs - b.logprobs).max() < 1e-4
    assert backend.score([], CANDIDATES) == []
    assert backend.identity["revision"] == TransformersBackend(backend.model_name).identity["revision"]


@pytest.mark.parametrize("spoil", ["nan", "other", "short", "none"])
def test_what_is_no_log_probability_is_an_error_naming_the_query(backend, monkeypatch, spoil):
    monkeypatch.setattr(LLM, "spoil", spoil)
    with pytest.raises(ModelError, match=r"vllm: .*My partner said 1"):
        backend.score(PROMPTS[:1], CANDIDATES)


def test_objects_are_written_and_validated(backend, monkeypatch):
    schema = call_model([Call(name="quit")])
    assert len(backend.generate("x", schema, n=3)) == 3
    monkeypatch.setattr(LLM, "spoil", "illegal")
    with pytest.raises(ModelError, match="does not meet the schema"):
        backend.generate("x", schema)


def test_without_vllm_one_line_says_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "vllm", None)
    backend = make_backend(PriorConfig(backend="vllm", model=str(save_tiny_model(tmp_path, "llama"))))
    with pytest.raises(ModelError, match=r"vllm cannot be imported .*pip install 'vllm") as caught:
        backend.score(PROMPTS, CANDIDATES)
    assert "\n" not in str(caught.value)
