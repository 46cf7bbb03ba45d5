"""The openai backend against a server process with a real model: exact where it says so, and no wrong row ever."""

import contextlib
import itertools
import json
import random
import subprocess
import sys
import time
import urllib.request

import numpy as np
import pytest
from pydantic import BaseModel, ValidationError

from envs.base import make_game
from prior.backends.base import make_backend
from prior.backends.openai import OpenAIBackend
from prior.backends.prompt_logprobs import read_echo
from prior.backends.server_answers import label_logprobs, listed_tokens, written_text
from prior.backends.transformers import TransformersBackend
from prior.backends.transport import BadAnswerError, NotOfferedError
from prior.base import Prior
from prior.scoring import log_distribution
from prior.table import raw_table
from schemas.command_line import parse
from schemas.config import PriorConfig, ServerConfig
from schemas.errors import ModelError, UserError
from schemas.tools import Call, call_model
from tests.test_scoring import CANDIDATES, PROMPTS
from tests.tiny import save_tiny_model

GAME = make_game("say-select")
EXACT, LABELS, SAMPLES = "prompt-logprobs", "top-logprobs", "samples"
LEGAL = np.ones(len(CANDIDATES), bool)
_names = itertools.count()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_tiny_model(tmp_path_factory.mktemp("model"), "llama")


@pytest.fixture(scope="module")
def port(folder):
    command = [sys.executable, "-m", "tests.server", str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield int(process.stdout.readline())
        process.stdin.close()


@pytest.fixture
def server(port):
    """Make a backend whose server has the given troubles."""

    def make(*troubles, model="tiny", path="/v1", **settings):
        head = f"/{','.join(troubles)}/{next(_names)}" if troubles else ""
        settings = {"attempts": 3, "timeout": 20.0} | settings
        config = ServerConfig(base_url=f"http://127.0.0.1:{port}{head}{path}", **settings)
        return OpenAIBackend(model, config, backoff=0.01)

    return make


def requests(port, backend, kind=""):
    name = backend.transport.base_url.split(f"{port}/")[1].removesuffix("/v1")
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/counts") as answer:
        return json.load(answer).get(name + kind, 0)


def rows(scores):
    return np.exp([log_distribution(row, LEGAL) for row in scores])


# What the server offers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("troubles", [(), ("start-mark",), ("vllm", "no-echo"), ("vllm", "generated-only")])
def test_exact_mode_equals_the_local_model(server, folder, troubles):
    backend = server(*troubles)
    assert backend.exact
    local = TransformersBackend(str(folder)).score(PROMPTS[:3], CANDIDATES)
    remote = backend.score(PROMPTS[:3], CANDIDATES)
    for here, there in zip(local, remote, strict=True):
        for a, b in zip(here, there, strict=True):
            assert len(a.tokens) == len(b.tokens)  # the same cut: a merge across the prompt's end is the candidate's
            assert np.abs(a.logprobs - b.logprobs).max() < 1e-4
    for normalization in ("global", "local", "mean"):
        for here, there in zip(local, remote, strict=True):
            found = log_distribution(there, LEGAL, normalization)
            assert np.allclose(log_distribution(here, LEGAL, normalization), found, atol=1e-4)


def test_characters_that_tokens_split_may_stand_in_the_prompt_and_not_in_an_action(server, folder):
    prompt = "Observation: “rouge”, said Zoë — 🎲.\nCall: "
    (row,) = server(scoring=EXACT).score([prompt], CANDIDATES)
    (local,) = TransformersBackend(str(folder)).score([prompt], CANDIDATES)
    for a, b in zip(local, row, strict=True):
        assert np.abs(a.logprobs - b.logprobs).max() < 1e-4
    with pytest.raises(ModelError, match="character of several tokens"):
        server(scoring=EXACT).score([prompt], ["é", "a"])
    with pytest.raises(ModelError, match="it is empty"):
        server(scoring=EXACT).score([""], CANDIDATES)


@pytest.mark.parametrize(
    ("troubles", "scoring"),
    [
        ((), EXACT),
        (("no-echo",), LABELS),
        (("generated-only",), LABELS),
        (("shifted",), LABELS),
        (("no-logprobs",), LABELS),
        (("no-completions",), LABELS),
        (("no-echo", "no-chat"), LABELS),
        (("no-completions", "no-top"), SAMPLES),
    ],
)
def test_the_way_of_scoring_is_probed_once_and_part_of_the_identity(server, port, troubles, scoring):
    backend = server(*(troubles or ("none",)))
    identity = backend.identity
    assert identity["scoring"] == scoring
    assert identity["server"] == f"127.0.0.1:{port}"
    assert (identity["model"], identity["revision"]) == ("tiny", "server")
    assert backend.exact == (scoring == EXACT)
    sent = requests(port, backend)
    assert backend.identity == identity
    assert requests(port, backend) == sent <= 7


def test_nothing_is_sent_before_it_is_needed(server, port):
    backend = server("none", scoring=SAMPLES)
    assert not backend.exact
    assert backend.score([], CANDIDATES) == []
    assert requests(port, backend) == 0


def test_labels_are_the_model_conditioned_on_a_letter(server):
    for troubles in (("obedient", "no-echo"), ("obedient", "no-echo", "no-chat")):
        backend = server(*troubles)
        found = rows(backend.score(PROMPTS[:2], CANDIDATES))
        assert np.allclose(found.sum(axis=1), 1)
        assert found.max() > 0.3
        assert np.ptp(found, axis=1).min() > 0.1
        assert not backend.exact


def test_a_model_that_names_no_letter_is_an_error_not_a_row(server, port):
    backend = server("no-echo", scoring=LABELS)
    with pytest.raises(ModelError, match=r"on the letters A to E, so it did not answer.*My partner said 1"):
        backend.score(PROMPTS[:1], CANDIDATES)
    assert requests(port, backend, "/real") == 1  # asking again would not change it
    with pytest.raises(ModelError, match=r"sum to .* more than 1"):
        server("heavy-top", scoring=LABELS).score(PROMPTS[:1], CANDIDATES)
    with pytest.raises(ModelError, match="at most 26 actions"):
        server(scoring=LABELS).score(PROMPTS[:1], [str(i) for i in range(30)])


@pytest.mark.parametrize("by", ["json_schema", "tool"])
def test_samples_are_counted_and_smoothed(server, by):
    backend = server("no-schema" if by == "tool" else "none", scoring=SAMPLES, samples=25)
    found = rows(backend.score(PROMPTS[:1], CANDIDATES))[0]
    assert backend.identity["structured_by"] == by
    counts = found * 26 - 1 / len(CANDIDATES)
    assert np.allclose(counts, counts.round(), atol=1e-6)
    assert round(counts.sum()) == 25
    assert found.min() > 0
    assert found.max() > 0.3
    again = rows(server("none", scoring=SAMPLES, samples=25).score(PROMPTS[:1], CANDIDATES))[0]
    assert np.allclose(found, again)  # seeds are sent


def test_a_table_of_a_game_is_labelled(server, cache):
    for troubles, exact in ((("none",), True), (("obedient", "no-echo"), False)):
        backend = server(*troubles)
        prior = Prior(PriorConfig(backend="openai", model="tiny", server=backend.transport.config), GAME)
        table = prior.table()
        assert np.abs(table.probs.sum(axis=1) - 1).max() < 1e-6
        assert table.metadata["exact"] is exact
        assert table.metadata["scoring"] == (EXACT if exact else LABELS)


# Writing -------------------------------------------------------------------------------------------------------------


class Weather(BaseModel):
    rain: bool
    wind: bool | None


@pytest.mark.parametrize("troubles", [("none",), ("no-schema",), ("schema-500",), ("new-limit",)])
def test_objects_are_written_and_validated(server, troubles):
    backend = server(*troubles)
    (one,) = backend.generate(PROMPTS[0], Weather)
    assert isinstance(one, Weather)
    calls = [Call(name="select", arguments={"ball": k}) for k in (1, 2)] + [Call(name="quit")]
    schema = call_model(calls)
    drawn = backend.generate(PROMPTS[0], schema, n=6, seed=3)
    assert len(drawn) == 6
    assert {c.model_dump()["name"] for c in drawn} <= {"select", "quit"}
    assert drawn == server(*troubles).generate(PROMPTS[0], schema, n=6, seed=3)


@pytest.mark.parametrize("trouble", ["illegal", "prose", "cut-off", "no-structure", "no-choices"])
def test_objects_that_do_not_meet_the_schema_are_errors(server, trouble):
    with pytest.raises(ModelError, match=r"query|probe of structured output"):
        server(trouble).generate(PROMPTS[0], Weather)


# Misbehaviour --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "trouble", ["busy-once", "broken-once", "malformed-once", "truncated-once", "html-once", "positive-once"]
)
def test_passing_troubles_are_retried(server, folder, port, trouble):
    backend, start = server(trouble, scoring=EXACT, concurrency=1), time.monotonic()
    found = rows(backend.score(PROMPTS[:1], CANDIDATES))
    assert np.allclose(found, rows(TransformersBackend(str(folder)).score(PROMPTS[:1], CANDIDATES)), atol=1e-4)
    assert requests(port, backend, "/real") == len(CANDIDATES) + 1
    if trouble == "busy-once":
        assert time.monotonic() - start >= 0.4  # Retry-After is honoured


def test_an_illegal_answer_is_asked_again(server):
    drawn = server("illegal-often", scoring=SAMPLES, samples=8, attempts=15).score(PROMPTS[:1], CANDIDATES)
    counts = rows(drawn)[0] * 9 - 1 / len(CANDIDATES)
    assert round(counts.sum()) == 8


QUERY = "My partner said 1"


@pytest.mark.parametrize(
    ("scoring", "trouble", "message"),
    [
        (EXACT, "busy", r"HTTP 429 \(slow down\) \(2 attempts\)"),
        (EXACT, "busy-for-hours", "asks to wait 7200 s"),
        (EXACT, "broken", r"HTTP 500 \(out of memory\)"),
        (EXACT, "hang", r"no answer within 0.3 s \(2 attempts\)"),
        (EXACT, "malformed", "not JSON"),
        (EXACT, "truncated", "connection broke"),
        (EXACT, "html", "not JSON"),
        (EXACT, "list", "no JSON object"),
        (EXACT, "redirect", "HTTP 302; the address usually ends in /v1"),
        (EXACT, "key", r"HTTP 401 \(Incorrect API key\); is the key in OPENAI_API_KEY valid"),
        (EXACT, "no-choices", "no choices"),
        (EXACT, "positive", "log-probability 0.7; it must be <= 0"),
        (EXACT, "nan", "log-probability nan"),
        (EXACT, "missing-value", "log-probability None"),
        (EXACT, "other-texts", "do not join to the text that was sent"),
        (LABELS, "malformed", "not JSON"),
        (SAMPLES, "illegal", r"the answer 'explode\(\)' is not among the actions"),
        (SAMPLES, "prose", "not the JSON object that was asked for"),
    ],
)
def test_lasting_troubles_are_errors_naming_the_query(server, scoring, trouble, message):
    backend = server(trouble, scoring=scoring, attempts=2, timeout=0.3 if trouble == "hang" else 20.0, samples=2)
    with pytest.raises(ModelError, match=message) as caught:
        backend.score(PROMPTS[:1], CANDIDATES)
    assert QUERY in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("trouble", ["broken", "positive", "malformed", "other-texts"])
def test_a_probe_that_fails_never_chooses_a_worse_way(server, trouble):
    with pytest.raises(ModelError, match="probe of prompt-logprobs"):
        _ = server(f"always-{trouble}").scoring


@pytest.mark.parametrize(
    ("scoring", "trouble", "message"),
    [
        (EXACT, "generated-only", "generated tokens only"),
        (EXACT, "no-logprobs", "no log-probabilities of the prompt"),
        (EXACT, "no-echo", "Only no echo is supported"),
        (EXACT, "shifted", "are wrong: it gives .* when it reads it and .* when it writes it"),
        (LABELS, "no-top", "logprobs are not available"),
        (SAMPLES, "no-structure", "tools are not implemented"),
    ],
)
def test_a_way_that_is_demanded_and_not_offered_is_an_error(server, scoring, trouble, message):
    troubles = (trouble, "no-completions") if scoring == LABELS else (trouble,)
    with pytest.raises(ModelError, match=message):
        server(*troubles, scoring=scoring).score(PROMPTS[:1], CANDIDATES)


def test_a_wrong_address_and_a_server_that_is_not_there(server):
    with pytest.raises(ModelError, match=r"/v2/models: HTTP 404 .*usually ends in /v1"):
        server(model=None, path="/v2").score(PROMPTS[:1], CANDIDATES)
    with pytest.raises(ModelError, match=r"HTTP 404 .*usually ends in /v1"):
        server(path="/v2").score(PROMPTS[:1], CANDIDATES)
    nowhere = OpenAIBackend("tiny", ServerConfig(base_url="http://127.0.0.1:9/v1", attempts=2), backoff=0.01)
    with pytest.raises(ModelError, match=r"127.0.0.1:9/v1/completions: cannot connect .*\(2 attempts\)"):
        nowhere.score(PROMPTS[:1], CANDIDATES)
    with pytest.raises(ModelError, match="--base-url: missing"):
        make_backend(PriorConfig(backend="openai"))


def test_the_model_may_be_left_out_where_there_is_one(server):
    assert server(model=None).identity["model"] == "tiny"
    with pytest.raises(ModelError, match="tiny, other"):
        _ = server("two-models", model=None).identity
    assert server(model="/disk/models/a.gguf", scoring=EXACT).identity["model"] == "a.gguf"
    assert server(model="owner/name", scoring=EXACT).identity["model"] == "owner/name"


JUNK = [None, 1, "x", [], {}, True, -1.0, float("nan"), [None, {"1": {"logprob": -1}}], {"a": -1.0}]
KEYS = ["choices", "logprobs", "tokens", "token_logprobs", "message", "content", "tool_calls", "function", "arguments"]
KEYS += ["top_logprobs", "prompt_logprobs", "token", "logprob", "finish_reason"]


def junk(rng, depth):
    """A JSON value of the words that answers are made of, in no order that means anything."""
    if depth == 0 or rng.random() < 0.25:
        return rng.choice(JUNK)
    if rng.random() < 0.4:
        return [junk(rng, depth - 1) for _ in range(rng.randint(0, 3))]
    return {key: junk(rng, depth - 1) for key in rng.sample(KEYS, 5)}


def test_answers_of_any_shape_are_bad_answers_and_not_crashes():
    rng = random.Random(0)
    readers = [lambda a: read_echo(a, "xx"), lambda a: label_logprobs(a, "AB"), listed_tokens, written_text]
    for _ in range(10_000):
        answer = {"choices": [junk(rng, 5)] if rng.random() < 0.9 else junk(rng, 3)}
        for read in readers:
            with contextlib.suppress(BadAnswerError, NotOfferedError):
                read(answer)


# Keys and budgets ----------------------------------------------------------------------------------------------------


def test_keys_come_from_the_environment_only(server, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    remote = OpenAIBackend("m", ServerConfig(base_url="https://models.invalid/v1", attempts=1))
    with pytest.raises(ModelError, match="variable OPENAI_API_KEY is not set"):
        _ = remote.scoring
    with pytest.raises(ModelError, match="variable TINY_KEY is not set"):
        _ = server("always-key", api_key_env="TINY_KEY").scoring
    monkeypatch.setenv("TINY_KEY", "right")
    assert server("always-key", api_key_env="TINY_KEY").scoring == EXACT
    monkeypatch.setenv("TINY_KEY", "s3cret\n-wrong")
    with pytest.raises(ModelError, match="no API key") as caught:
        _ = server("always-key", api_key_env="TINY_KEY").scoring
    assert "s3cret" not in str(caught.value)
    monkeypatch.setenv("OPENAI_API_KEY", "right")
    with pytest.raises(ModelError, match="HTTP 401"):  # this machine's servers get no key that was not meant for them
        _ = server("always-key").scoring


def test_a_spent_budget_stops_and_finished_rows_stay(server, cache):
    def table(backend, asked):
        def ask(rows_wanted):
            asked.extend(rows_wanted)
            prompts = [f"Observation: My partner said {row}.\nCall: " for row in rows_wanted]
            return np.array([log_distribution(row, LEGAL) for row in backend.score(prompts, CANDIDATES)])

        return raw_table({"budget": 1}, 12, len(CANDIDATES), ask, chunk_size=backend.chunk_size)

    first, second = [], []
    with pytest.raises(ModelError, match=r"--token-budget: .* tokens spent of 3000 .* start again"):
        table(server(scoring=EXACT, token_budget=3_000), first)
    finished = table(server(scoring=EXACT), second)
    assert len(second) in (4, 8)
    assert np.allclose(np.exp(finished).sum(axis=1), 1)
    costly = server(scoring=EXACT, cost_budget=0.001, price_in=10.0, price_out=10.0, concurrency=1)
    with pytest.raises(ModelError, match=r"--cost-budget: .* spent of 0.001"):
        costly.score(PROMPTS[:1], CANDIDATES)
    assert costly.transport.budget.cost < 0.004
    with pytest.raises(ModelError, match="reports no token usage"):
        server("no-usage", scoring=EXACT, token_budget=5).score(PROMPTS[:1], CANDIDATES)
    assert np.allclose(rows(server("no-usage", scoring=EXACT).score(PROMPTS[:1], CANDIDATES)).sum(axis=1), 1)


def test_flags_of_the_server_and_what_they_refuse():
    argv = ["--backend", "openai", "--base-url", "https://models.invalid/v1", "--token-budget", "1000"]
    config = parse(PriorConfig, [*argv, "--price-in", "1", "--price-out", "2", "--cost-budget", "3"], "")
    assert (config.server.token_budget, config.server.cost_budget) == (1000, 3.0)
    for flags, message in (
        (["--base-url", "models.invalid/v1"], "--base-url models.invalid/v1: no address"),
        (["--base-url", "https://me:key@models.invalid/v1"], "without user, password"),
        (["--cost-budget", "3"], "a cost needs both prices"),
        (["--timeout", "0"], "greater than 0"),
    ):
        with pytest.raises((UserError, ValidationError), match=message):
            parse(PriorConfig, flags, "")
