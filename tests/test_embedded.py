"""The embedded model itself: SmolLM2-135M from its PyPI package, converted into the user's cache once."""

import json
from pathlib import Path

import numpy as np
import pytest

from envs.base import make_game
from prior.backends.transformers import TransformersBackend
from prior.base import Prior
from prior.diagnose import top_accuracy
from prior.utterance import parse_utterances
from schemas.config import PriorConfig
from schemas.errors import UserError
from schemas.tools import call_model

GAME = make_game("say-select")
UTTERANCES = json.loads((Path(__file__).parent / "data" / "utterances.json").read_text())


@pytest.fixture(scope="module")
def backend():
    return TransformersBackend()


def test_the_structured_prior_selects_the_same_number():
    table = Prior(PriorConfig(), GAME).table()
    assert top_accuracy(table, GAME.controls[0]) == 1.0
    same = table.probs[np.arange(5), np.arange(5)]
    assert same.min() > 0.6
    assert table.probs[:, 5].max() < 0.1
    assert table.metadata["exact"]
    assert table.metadata["backend"] == "transformers"


def test_the_likelihood_prior_is_the_papers():
    prior = Prior(PriorConfig(method="likelihood", epsilon=0.0), GAME)
    prompt = "I should select the same number as my partner. My partner selected 3. So I should select"
    assert prior.method.prompt(GAME.default_instruction, GAME.observations[2].text) == prompt
    scores = prior.method.backend.score([prompt], [" 1", " 2", " 3", " 4", " 5", " 0"])[0]
    logs = np.array([s.logprobs.sum() for s in scores])
    assert np.allclose(prior.table().probs[2], np.exp(logs) / np.exp(logs).sum(), atol=1e-4)


def test_utterances_are_parsed_or_refused(backend):
    understood = UTTERANCES["understood"]
    parsed = parse_utterances(backend, GAME, [text for text, _ in understood])
    right = [p.observation == {"said": said} for p, (_, said) in zip(parsed, understood, strict=True)]
    assert sum(right) >= 95
    refused = parse_utterances(backend, GAME, UTTERANCES["not_understood"])
    assert sum(not p.understood for p in refused) >= 18
    assert all(0.5 <= p.confidence <= 1 for p in [*parsed, *refused])
    with pytest.raises(UserError, match="empty utterance"):
        parse_utterances(backend, GAME, [" "])


def test_outlines_writes_only_legal_calls(backend):
    legal = [action.call for action in GAME.actions[:2]]  # only balls 1 and 2
    prompt = Prior(PriorConfig(), GAME).method.prompt("I should select the same number.", "My partner said 5.")
    calls = backend.generate(prompt, call_model(legal), n=3, seed=1)
    assert all(call.model_dump()["arguments"]["ball"] in (1, 2) for call in calls)
