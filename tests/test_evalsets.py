"""The hand-written instructions: each has programs that run, and none is written twice."""

import numpy as np
import pytest

from prior.compiler import evalsets, evaluate
from prior.compiler.evalsets import SETS, read_set
from schemas import program
from schemas.errors import UserError
from schemas.program import read

CASES = [(name, case) for name in SETS for case in read_set(name)]
LEAST = {"messy": 110, "say_select_controls": 80, "multi_rule": 80, "contrast": 60, "refuse": 70, "plain": 40}


def plain(text):
    return " ".join(text.lower().split())


@pytest.mark.parametrize("name", SETS)
def test_sets_are_as_large_as_announced_and_every_program_says_something(name):
    cases = [case for found, case in CASES if found == name]
    assert len(cases) >= LEAST[name]
    for case in cases:
        assert case.refused == (name == "refuse"), case.instruction
        if case.refused:
            continue
        for k, table in enumerate(case.tables):
            assert np.allclose(table.sum(1), 1)
            assert not np.allclose(table, table[0, 0]), f"{case.instruction!r} rules nothing out"
            assert not any(np.array_equal(table, other) for other in case.tables[:k]), (
                f"{case.instruction!r}: twice the same"
            )


def test_instructions_are_distinct_and_not_those_of_the_schema():
    texts = [plain(case.instruction) for _, case in CASES]
    assert len(set(texts)) == len(texts)
    documented = plain(program.__doc__)
    assert [text for text in texts if len(text.split()) > 3 and text in documented] == []


def test_an_answer_is_right_if_it_executes_equally():
    case = evalsets.Case(game="hanabi", instruction="Color: play.", programs=("if color play those else free .",))
    assert case.accepts(read("hanabi", "if color play those if color discard any else free ."))
    assert not case.accepts(read("hanabi", "if color play any else free ."))
    assert not case.accepts(read("say-select", "else same ."))
    assert not case.accepts("beyond")


def test_a_second_reading_is_right_and_refusals_need_no_reason():
    numbers = evalsets.Case(game="say-select", instruction="Not mine.", programs=("else never same .", "else above ."))
    assert numbers.accepts(read("say-select", "else above .")) and not numbers.accepts("empty")
    refusal = evalsets.Case(game="say-select", instruction="Win.", programs=("unclear empty .",))
    assert refusal.accepts("beyond") and not refusal.accepts(read("say-select", "else same ."))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[hanabi]\n"Play it." = "else play those ."\n', "'Play it.': .*'those' after 'else play'"),
        ('[hanabi]\n"Play it." = "else play any never play any ."\n', "'Play it.': .* no move"),
        ('[hanabi]\n"Play it." = ["else play any .", "unclear empty ."]\n', "'Play it.': .*not both"),
        ('[hanabi]\n"Play it." = []\n', "'Play it.': programs"),
        ('[chess]\n"Castle." = "else free ."\n', "chess"),
    ],
)
def test_a_wrong_file_names_the_instruction(text, message, tmp_path, monkeypatch):
    (tmp_path / "plain.toml").write_text(text)
    monkeypatch.setattr(evalsets, "FOLDER", tmp_path)
    with pytest.raises(UserError, match=message):
        read_set("plain")


def test_an_unknown_set_lists_the_known_ones():
    with pytest.raises(UserError, match=r"--sets .*'tidy' is none of messy, say_select_controls,.*, held_out"):
        evaluate.main(["--sets", "plain", "--sets", "tidy"])
