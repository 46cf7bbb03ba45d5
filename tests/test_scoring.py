"""Exactness: the tree of candidates with a shared cache, against every string scored alone in float64."""

import itertools
from enum import Enum
from typing import Annotated, Literal

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from envs.base import make_game
from prior.backends.base import CandidateScore
from prior.backends.transformers import TransformersBackend, token_tree
from prior.base import Prior
from prior.calibration import sharpened
from prior.scoring import choices, distribution, log_distribution
from schemas.config import PriorConfig
from schemas.errors import ModelError, UserError
from schemas.tools import Tool
from tests.tiny import save_tiny_model

CANDIDATES = [
    *(f'{{"name": "select", "arguments": {{"ball": {k}}}}}' for k in range(1, 4)),
    '{"name": "quit", "arguments": {}}',
    '{"name": "selection"}',
]
PROMPTS = [
    "Functions: select(ball), quit()\nInstruction: select the same.\nObservation: My partner said 1.\nCall: ",
    "Functions: select(ball), quit()\nInstruction: select the same.\nObservation: My partner said 2, I think.\nCall: ",
    "Functions: select(ball), quit()\nInstruction: select the same.\nObservation:",
    "x",
]


@pytest.fixture(scope="module", params=["llama", "gpt2", "gemma3"])
def backend(request, tmp_path_factory):
    return TransformersBackend(str(save_tiny_model(tmp_path_factory.mktemp("model"), request.param)))


def brute_force(backend, prompt, candidates):
    """Log-probability of each candidate after the tokens that it shares with the prompt, one forward pass each."""
    model, tokenizer = backend.load()
    exact = model.double()
    alone = tokenizer(prompt).input_ids
    full = [tokenizer(prompt + candidate).input_ids for candidate in candidates]
    cut = sum(1 for _ in itertools.takewhile(lambda column: len(set(column)) == 1, zip(alone, *full, strict=False)))
    totals = []
    with torch.no_grad():
        for ids in full:
            logs = torch.log_softmax(exact(torch.tensor([ids])).logits[0], dim=-1)
            totals.append(sum(float(logs[t - 1, ids[t]]) for t in range(cut, len(ids))))
    model.float()
    return np.array(totals)


def test_tree_scores_equal_brute_force(backend):
    together = backend.score(PROMPTS, CANDIDATES)
    for prompt, row in zip(PROMPTS, together, strict=True):
        expected = brute_force(backend, prompt, CANDIDATES)
        found = np.array([score.logprobs.sum() for score in row])
        assert np.abs(found - expected).max() < 1e-4  # sums of some forty float32 terms
        legal = np.ones(len(CANDIDATES), bool)
        probabilities = np.exp(log_distribution(row, legal))
        expected = np.exp(expected - np.logaddexp.reduce(expected))
        assert np.abs(probabilities - expected).max() < 1e-5
        assert probabilities.max() > 0.3  # the models are sharp enough for a mistake to show


class Mood(Enum):
    calm = "calm"
    calmer = "calmer"


class Nested(BaseModel):
    mood: Mood
    sure: bool
    steps: Annotated[int, Field(ge=9, le=11)] | None


SHAPES = [
    Literal["red", "green", "redder"],
    Annotated[int, Field(ge=1, le=12)],
    Nested,
    [Tool(name="go", description="", parameters={"to": ("left", "right"), "far": (True, False)})],
]


@pytest.mark.parametrize("shape", SHAPES, ids=["literal", "integers", "model", "tools"])
def test_a_distribution_is_exact_for_every_shape_of_schema(backend, shape):
    names, texts = choices(shape)
    found = distribution(backend, PROMPTS[0], shape)
    logs = brute_force(backend, PROMPTS[0], texts)
    assert np.abs(np.exp(logs - np.logaddexp.reduce(logs)) - found.row(names)).max() < 1e-5
    assert found.mass == pytest.approx(np.exp(logs).sum(), rel=1e-3)
    assert 0 < found.mass <= 1
    local = distribution(backend, PROMPTS[0], shape, "local")
    assert found.agreement.local == pytest.approx(np.abs(np.array(local.row(names)) - found.row(names)).sum() / 2)
    if isinstance(shape, list):
        reordered = distribution(backend, PROMPTS[0], [tool.json_tool() for tool in shape])
        assert reordered.probabilities == pytest.approx(found.probabilities, abs=1e-6)


def test_the_order_of_candidates_and_prompts_does_not_matter(backend):
    row = [s.logprobs.sum() for s in backend.score(PROMPTS[:1], CANDIDATES)[0]]
    mixed = backend.score(PROMPTS[::-1], CANDIDATES[::-1])[-1]
    assert np.allclose(row, [s.logprobs.sum() for s in mixed][::-1], atol=1e-4)


def test_an_empty_prompt_is_refused(tmp_path):
    backend = TransformersBackend(str(save_tiny_model(tmp_path, "llama")))
    with pytest.raises(ModelError, match="prompt: it is empty"):
        backend.score([""], CANDIDATES)
    assert backend.score([], CANDIDATES) == []


def made_scores(tokens, logs):
    return [CandidateScore(t, np.array(lp)) for t, lp in zip(tokens, logs, strict=True)]


def test_local_is_the_walk_of_a_masked_decoder_and_differs_from_global():
    # Two strings begin with x, whose continuations the model finds unlikely; y is likely and short.
    scores = made_scores([(1, 3), (1, 4), (2,)], [np.log([0.8, 0.01]), np.log([0.8, 0.03]), np.log([0.1])])
    legal = np.ones(3, bool)
    local = np.exp(log_distribution(scores, legal, "local"))
    assert np.allclose(local, [0.8 / 0.9 * 0.25, 0.8 / 0.9 * 0.75, 0.1 / 0.9])
    assert np.allclose(np.exp(log_distribution(scores, legal, "global")), np.array([0.008, 0.024, 0.1]) / 0.132)
    mean = np.array([np.sqrt(0.008), np.sqrt(0.024), 0.1])
    assert np.allclose(np.exp(log_distribution(scores, legal, "mean")), mean / mean.sum())


@given(
    st.lists(st.floats(-30, -0.01), min_size=2, max_size=8),
    st.sampled_from(["global", "local", "mean"]),
    st.integers(1, 255),
)
def test_support_is_the_legal_set_and_masking_is_conditioning(logs, normalization, mask):
    scores = made_scores([(i,) for i in range(len(logs))], [[lp] for lp in logs])
    legal = np.array([bool(mask >> i & 1) for i in range(len(logs))])
    if not legal.any():
        with pytest.raises(UserError, match="no action is legal"):
            log_distribution(scores, legal, normalization)
        return
    p = np.exp(log_distribution(scores, legal, normalization))
    assert (p[~legal] == 0).all()
    assert abs(p.sum() - 1) < 1e-9
    full = np.exp(log_distribution(scores, np.ones(len(logs), bool), normalization))
    assert np.allclose(p[legal], full[legal] / full[legal].sum())
    assert np.allclose(p, np.exp(log_distribution(scores, legal)))  # one token a value: all normalizations agree


def random_case(rng):
    """A random schema as a set of prefix-free token strings with a random model's scores, and a random legal set."""
    strings = {(*rng.integers(0, 4, rng.integers(0, 5)).tolist(), 9) for _ in range(rng.integers(1, 12))}
    steps = {}
    scores = []
    for string in sorted(strings):
        logs = []
        for depth, token in enumerate(string):
            if string[:depth] not in steps:
                logits = rng.normal(0, 10 ** rng.uniform(-1, 2), 10)
                steps[string[:depth]] = logits - np.logaddexp.reduce(logits)
            logs.append(steps[string[:depth]][token])
        scores.append(CandidateScore(string, np.array(logs)))
    legal = rng.random(len(scores)) < rng.uniform(0.1, 1)
    legal[rng.integers(len(scores))] = True
    return scores, legal


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_ten_thousand_random_schemas_give_distributions_over_legal_values(seed):
    rng = np.random.default_rng(seed)
    for _ in range(100):
        scores, legal = random_case(rng)
        beta, epsilon = 10 ** rng.uniform(-2, 2), rng.choice([0.0, 1e-6, 0.1, 1.0])
        for normalization in ("global", "local", "mean"):
            logs = log_distribution(scores, legal, normalization)
            for final in (logs, sharpened(logs[None], legal[None], beta, epsilon)[0]):
                p = np.exp(final)
                assert not np.isnan(p).any()
                assert (p[~legal] == 0).all()
                assert abs(p.sum() - 1) < 1e-9


def test_prefixes_and_twins_are_refused():
    with pytest.raises(UserError, match="beginning of another"):
        log_distribution(made_scores([(1,), (1, 2)], [[-1.0], [-1.0, -1.0]]), np.ones(2, bool))
    with pytest.raises(UserError, match="same tokens"):
        log_distribution(made_scores([(1,), (1,)], [[-1.0], [-1.0]]), np.ones(2, bool))


def test_a_tree_holds_every_path_once():
    tails = [tuple(t) for t in itertools.product((1, 2), (3, 4))]
    parents, tokens, paths = token_tree(tails)
    assert len(parents) == 6
    assert [tuple(tokens[n] for n in path) for path in paths] == tails


CHATML = (
    "{% for m in messages %}<|{{ m.role }}|>{{ m.content or '' }}"
    "{% for c in m.tool_calls or [] %}<tool_call>{{ c.function | tojson }}</tool_call>{% endfor %}\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def test_chat_templates_are_used_where_there_are_any(tmp_path, cache):
    folder = save_tiny_model(tmp_path / "model", "llama")
    game = make_game("say-select")

    def prior(template):
        return Prior(PriorConfig(model=str(folder), template=template, epsilon=0.0), game)

    with pytest.raises(ModelError, match="has no chat template; use --template raw"):
        prior("chat").table()
    (folder / "chat_template.jinja").write_text(CHATML)
    with pytest.raises(ModelError, match=r"--template tools: the chat template of .* takes none"):
        prior("tools").table()
    (folder / "chat_template.jinja").write_text(
        "{# takes tools #}{% if tools %}{{ tools | tojson }}{% endif %}" + CHATML
    )
    tools, chat, raw = prior("tools"), prior("chat"), prior("raw")
    assert tools.method.answers()[2].startswith('<tool_call>{"name": "select", "arguments": {"ball": 3}}</tool_call>')
    assert tools.method.prompt("Same.", "My partner said 1.").endswith("<|assistant|>")
    assert chat.method.prompt("Same.", "x").count("<|user|>") == 4
    for made in (tools, chat):
        assert np.allclose(made.table().probs.sum(axis=1), 1)
        assert not np.allclose(made.table().log_probs, raw.table().log_probs, atol=0.01)
    with pytest.raises(UserError, match="backend scripted has no chat templates"):
        Prior(PriorConfig(backend="scripted", template="chat"), game)


def test_a_prompt_beyond_the_context_window_is_refused(backend):
    with pytest.raises(ModelError, match=r"prompt: \d+ tokens with the answer, but .* takes 1024"):
        backend.score(["x" * 1200], CANDIDATES)


def test_results_do_not_depend_on_the_memory_budget(backend):
    small = TransformersBackend(backend.model_name, memory_gb=1e-6)
    rows = zip(small.score(PROMPTS, CANDIDATES), backend.score(PROMPTS, CANDIDATES), strict=True)
    assert all(np.allclose(a.logprobs, b.logprobs, atol=1e-4) for x, y in rows for a, b in zip(x, y, strict=True))


def test_cuda_is_asked_for_only_where_it_is(backend):
    if not torch.cuda.is_available():
        with pytest.raises(ModelError, match="--device cuda: this machine's torch sees no CUDA device"):
            TransformersBackend(backend.model_name, device="cuda").load()
