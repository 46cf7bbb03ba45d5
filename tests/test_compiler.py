"""The compiler: decoding is exact, refusals stay refusals, and training resumes."""

import json

import numpy as np
import pytest

from envs.base import make_game
from envs.say_select import GAME
from prior.base import Prior
from prior.compiler.chat import chat
from prior.compiler.compile import (
    Compiled,
    Compiler,
    NotUnderstoodError,
    Reading,
    clauses_of,
    fingerprint,
    rule_parts,
)
from prior.convention import FromConvention, execute
from prior.inspect import main as inspect_main
from schemas.config import PriorConfig
from schemas.errors import ModelError, UserError
from schemas.program import next_words, read, write


def compiled(game, *readings):
    found = tuple(Reading(read(game, text), p) for text, p in readings)
    return Compiled(game, "an instruction", found)


def test_what_is_understood_and_what_is_said_of_the_rest():
    good = compiled("say-select", ("else same .", 0.9), ("else never same .", 0.05))
    assert good.understood and "runner-up (0.05)" in good.text()
    for unsure in (
        compiled("say-select", ("else same .", 0.4), ("unclear empty .", 0.35)),
        compiled("say-select", ("unclear empty .", 0.7), ("else same .", 0.3)),
    ):
        assert not unsure.understood
        message = str(NotUnderstoodError(unsure))
        assert "not understood" in message and "closest reading: Always, I select the same number." in message
        assert "\n" not in message


def test_parts_of_a_program():
    text = "if color play those if discarded or played free else hint rank ."
    parts = rule_parts(read("hanabi", text), text)
    assert [said for said, _ in parts] == ["if color play those", "if discarded or played free", "else hint rank"]
    assert [text.split()[where][0] for _, where in parts] == ["if", "if", "else"]


def test_chat_shows_what_changes_and_keeps_what_stands(monkeypatch, capsys):
    known = {
        "a": [("if color play those else free .", 0.9)],
        "a b": [("if color play those else discard oldest .", 0.9)],
        "a b c": [("unclear empty .", 0.9)],
    }
    lines = iter(["a", "b", "c", "undo", "done"])
    monkeypatch.setattr("builtins.input", lambda _: next(lines))
    assert chat(lambda text: compiled("hanabi", *known[text])) == "a"
    out = capsys.readouterr().out
    assert "+ else discard oldest" in out and "kept as it was" in out and "- else discard oldest" in out


def test_compiled_mixes_programs_with_the_models_own_calls_by_probability(cache, monkeypatch):
    readings = compiled("say-select", ("else same .", 0.6), ("else never same .", 0.1), ("unclear empty .", 0.2))
    asked = []
    monkeypatch.setattr(Compiler, "identity", {"model": "stub", "revision": "0"})
    monkeypatch.setattr(
        Compiler, "compile", lambda self, game, instruction, *, explain: asked.append(instruction) or readings
    )
    settings = {"backend": "scripted", "model": "hash", "epsilon": 0, "instruction": "Copy me."}
    own, mixed = (
        np.exp(Prior(PriorConfig(**settings, compiled=flag), GAME).table().log_probs) for flag in (False, True)
    )
    programs = [execute(read("say-select", text), GAME) for text in ("else same .", "else never same .")]
    np.testing.assert_allclose(mixed, 0.6 * programs[0] + 0.1 * programs[1] + 0.3 * own, atol=1e-6)
    assert asked == ["Copy me."] and not np.allclose(mixed, own, atol=0.1)
    null = [Prior(PriorConfig(**settings, compiled=flag), GAME).table("").log_probs for flag in (False, True)]
    np.testing.assert_allclose(*null)


@pytest.fixture(scope="module")
def compiler():
    return Compiler()


def test_probabilities_are_exact_and_sum_to_one(compiler):
    from prior.compiler.decode import log_probability, programs

    text = "Play the cards I hint by colour, else hint a rank."
    found = programs(compiler.model, "hanabi", text)
    assert 0.5 < sum(item.probability for item in found) <= 1 + 1e-6
    best = found[0]
    scored = float(log_probability(compiler.model, "hanabi", [text], best.text)[0].sum())
    assert np.isclose(np.exp(scored), best.probability, rtol=2e-3)
    words = best.text.split()
    assert all(word in next_words("hanabi", words[:i]) for i, word in enumerate(words))


def test_plain_instructions_are_understood_and_nonsense_is_not(compiler):
    result = compiler.compile("say-select", "I should select the same number as my partner.")
    assert result.understood and fingerprint(result.program) == fingerprint(read("say-select", "else same ."))
    for nonsense in ("", "???", "asdf qwer zxcv", "Play well."):
        assert not compiler.compile("hanabi", nonsense).understood
    with pytest.raises(UserError, match="--instruction: 2000 characters; at most 1200"):
        compiler.compile("hanabi", "a" * 2000)


def test_the_convention_prior_compiles_its_instruction(compiler, tmp_path, capsys, monkeypatch):
    config = PriorConfig(method="convention", instruction="Always select 4.", epsilon=0.0)
    table = Prior(config, GAME).table()
    assert np.allclose(table.probs[:, 3], 1) and table.metadata["backend"] == "compiler"
    assert "always" in capsys.readouterr().out.lower()
    asks = config.model_copy(update={"confirm": True})
    monkeypatch.setattr("builtins.input", lambda _: "n")
    with pytest.raises(UserError, match="turned down"):
        Prior(asks, GAME).table()
    assert np.allclose(Prior(asks.model_copy(update={"yes": True}), GAME).table().probs[:, 3], 1)
    nonsense = config.model_copy(update={"instruction": "be nice to each other"})
    with pytest.raises(NotUnderstoodError, match="not understood"):
        Prior(nonsense, GAME).table()


def test_inspect_tells_whether_it_was_understood(compiler, tmp_path):
    for text, understood in (("Always select 4.", True), ("flurb gnorp zanta", False)):
        file = tmp_path / "s.json"
        argv = ["--prior", "convention", "--instruction", text, "--epsilon", "0", "--summary", str(file)]
        inspect_main([*argv, "--figure", str(tmp_path / "f.png")])
        data = json.loads(file.read_text())
        assert data["understood"] is understood and data["readings"]
        top = max(data["probabilities"][0])
        assert top == pytest.approx(1 if understood else 1 / 6, abs=1e-4)


def test_votes_of_a_server_become_probabilities():
    from prior.compiler.by_server import HanabiAnswer, compile_by_votes

    rule = {"when": {"happened": "hint_color"}, "then": [{"action": "play", "cards": "hinted"}]}
    said = {"refusal": None, "convention": {"name": "x", "rules": [rule]}}
    none = {"refusal": "beyond", "convention": None}

    class Backend:
        def generate(self, prompt, schema, n=1, seed=0):
            assert schema is HanabiAnswer and "colours" in prompt
            return [schema.model_validate(said if k % 4 else none) for k in range(n)]

    result = compile_by_votes(Backend(), "hanabi", "play colours", 8)
    assert result.understood and result.readings[0].probability == 0.75
    assert write(result.program) == "if color play those else free ."


def test_a_file_of_say_select(tmp_path):
    file = tmp_path / "c.toml"
    file.write_text('name = "up"\n[otherwise]\nthen = [{action = "shift", by = 1}]\n')
    table = Prior(PriorConfig(method="convention", convention=file, epsilon=0.0), GAME).table()
    assert np.array_equal(table.probs.argmax(1), [1, 2, 3, 4, 0])
    assert FromConvention(make_game("hanabi"), PriorConfig(method="convention")).kind == "hanabi"


def test_training_resumes_where_it_stopped(tmp_path, monkeypatch):
    import torch
    from safetensors.torch import save_file

    from prior.compiler import train as module
    from prior.compiler.model import read_adapter

    class Small(torch.nn.Module):
        """A stand-in for the language model: a table of words, a mean, a head."""

        def __init__(self, rank, dropout, dtype, attention):
            super().__init__()
            from schemas.program import vocabulary

            self.words = vocabulary()
            self.index = {word: i for i, word in enumerate(self.words)}
            self.word_tokens = torch.arange(len(self.words)) + 300
            self.table = torch.nn.Embedding(400, 8)
            self.head = torch.nn.Linear(8, len(self.words))
            self.base, self.rank = {"model": "small", "revision": "0"}, rank

        def prompt(self, game, instruction):
            return [min(ord(c), 299) for c in instruction] or [32]

        def legal(self, game, words):
            mask = torch.zeros(len(self.words), dtype=torch.bool)
            mask[[self.index[word] for word in next_words(game, words)]] = True
            return mask

        def body(self, input_ids, attention_mask, use_cache):
            from types import SimpleNamespace

            return SimpleNamespace(last_hidden_state=self.table(input_ids).cumsum(1))

        def trained(self):
            return dict(self.named_parameters())

    monkeypatch.setattr(module, "CompilerModel", Small)
    monkeypatch.setattr(module, "_rate", lambda step, steps: 1.0)  # the schedule depends on the number of steps

    def run(folder, steps, **changes):
        settings = {"batch_size": 8, "every": 2, "held_out": 8, "learning_rate": 1e-2} | changes
        module.train(module.TrainConfig(out=folder, steps=steps, **settings))

    run(tmp_path / "one", 4)
    run(tmp_path / "two", 2)
    run(tmp_path / "two", 4, workers=1)  # the pairs of an update do not depend on who draws them
    one, two = ((tmp_path / name / "checkpoint.safetensors").read_bytes() for name in ("one", "two"))
    assert one == two
    adapter = tmp_path / "one/adapter.safetensors"
    run(tmp_path / "three", 1, init_from=adapter, learning_rate=1e-12)
    begun, given = read_adapter(tmp_path / "three/adapter.safetensors")[0], read_adapter(adapter)[0]
    assert all(torch.equal(begun[name], given[name]) for name in given)
    with pytest.raises(ModelError, match="cannot be read"):
        run(tmp_path / "four", 1, init_from=tmp_path / "gone")
    save_file({"head.bias": torch.zeros(3)}, tmp_path / "other", metadata={})
    with pytest.raises(ModelError, match="an adapter of another model"):
        run(tmp_path / "four", 1, init_from=tmp_path / "other")


def test_clauses_are_few_and_lose_nothing():
    assert clauses_of("Colors: play. Ranks: discard. Rest: hint color.") == [
        "Colors: play. ",
        "Ranks: discard. ",
        "Rest: hint color.",
    ]
    long = "".join(f"Well, number {k} is said, so do nothing. " for k in range(30))
    assert len(clauses_of(long)) == 8 and "".join(clauses_of(long)) == long
