"""The text of programs: what is written is read back, and every list of next words leads to a program."""

import contextlib
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envs.convention import convention_prior, number_prior
from envs.hanabi_rules import HanabiRules
from envs.language import hanabi_game
from schemas import program as module
from schemas.convention import Convention
from schemas.errors import UserError
from schemas.program import next_words, read, vocabulary, write

RULES = HanabiRules(ranks=3)
GAMES = ("hanabi", "say-select")


@st.composite
def programs(draw):
    """Walk from choice to choice, as a decoder does; the end is taken as soon as it is offered and a coin says so."""
    game, words = draw(st.sampled_from(GAMES)), []
    while options := next_words(game, words):
        words.append(draw(st.sampled_from(options)))
    return game, " ".join(words)


@settings(max_examples=60, deadline=None)
@given(programs())
def test_every_walk_is_a_program_that_is_read_back(walk):
    game, text = walk
    program = read(game, text)
    assert set(text.split()) <= set(vocabulary())
    try:
        again = read(game, write(program))
    except UserError as error:  # equal rules of Say-Select stay apart, and unequal ones of Hanabi may be cut
        assert "rules" in str(error)
        return
    assert write(again) == write(program)
    if not isinstance(program, str):
        with contextlib.suppress(UserError):  # the walk forbids all that it asks for
            assert np.array_equal(run(game, program), run(game, again))


def run(game, program, rules=RULES):
    return convention_prior(program, rules) if game == "hanabi" else number_prior(program)


def examples():
    """Examples of the docstring: an instruction, then two spaces or more and a program."""
    _, hanabi, numbers = re.split(r"^(?:Hanabi|Say-Select) examples$", module.__doc__, flags=re.MULTILINE)
    for game, part in (("hanabi", hanabi), ("say-select", numbers)):
        yield from (
            (game, found[1]) for found in re.finditer(r"\s{2,}((?:if|else|unclear) .* \.)$", part, re.MULTILINE)
        )


@pytest.mark.parametrize(("game", "text"), list(examples()))
def test_examples_of_the_docstring(game, text):
    program = read(game, text)
    assert write(program) == text
    if not isinstance(program, str):
        assert np.allclose(run(game, program, HanabiRules()).sum(1), 1)


def test_there_are_examples_of_both_games():
    games = [game for game, _ in examples()]
    assert games.count("hanabi") >= 15 and games.count("say-select") >= 8


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("if color play those", "ends too early; possible are or, never, if, else"),
        ("else play those .", "'those' after 'else play'; possible are any, oldest"),
        ("if color or color play any else free .", "'play' after 'if color or color'; possible are .*red, yellow"),
        ("else hint color . .", "after the final '.'"),
        ("if hint free else free .", "'free' after 'if hint free else'"),
        ("if hint never hint safe else free .", "'safe' after"),
        (" ".join(["if hint play any"] * 6) + " else free .", "'if' after .* possible are .*else"),
    ],
)
def test_what_is_no_program(text, message):
    with pytest.raises(UserError, match=message):
        read("hanabi", text)


def test_programs_beyond_the_text_are_refused():
    when = {"happened": "hint", "fewest": 2, "most": 4}
    rules = [{"when": when, "then": [{"action": "play", "cards": "7th"}]}]
    program = Convention.model_validate({"name": "long", "hand_size": 7, "rules": rules})
    with pytest.raises(UserError, match="no words for"):
        write(program)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("else same .", ["1", "2", "3", "4", "5"]),
        ("else never same .", ["2345q", "1345q", "1245q", "1235q", "1234q"]),
        ("else plus one .", ["2", "3", "4", "5", "1"]),
        ("else minus two .", ["4", "5", "1", "2", "3"]),
        ("if one five quit else opposite .", ["q", "4", "3", "2", "q"]),
        ("if repeat quit else same .", ["1q", "2q", "3q", "4q", "5q"]),
        ("if four five above else two or three turns .", ["23", "23", "23", "5", "23"]),
        ("else below .", ["12345q", "1", "12", "123", "1234"]),
    ],
)
def test_number_programs_execute_as_they_read(text, rows):
    table = number_prior(read("say-select", text))
    assert ["".join("12345q"[i] for i in np.flatnonzero(row)) for row in table] == rows


def test_unhinted_cards_and_a_hint_of_all():
    program = read("hanabi", "if hint discard others else hint rank .")
    game = hanabi_game(HanabiRules())
    table = convention_prior(program, HanabiRules())
    some = table[game.index["<(Reveal player +1 color R) by player 1 reveal 0,2>"]]
    everything = table[game.index["<(Reveal player +1 color R) by player 1 reveal 0,1,2,3,4>"]]
    assert np.flatnonzero(some).tolist() == [1, 3, 4] and np.flatnonzero(everything).tolist() == [15, 16, 17, 18, 19]


@pytest.mark.parametrize(
    ("game", "one", "other"),
    [
        ("hanabi", "if color play those if discarded hint rank else free .",
         "if discarded hint rank if color play those else free ."),
        ("hanabi", "if rank four play left if rank two play right else free .",
         "if rank two play right if rank four play left else free ."),
        ("hanabi", "if hint least three play left if hint most two play right else free .",
         "if hint most two play right if hint least three play left else free ."),
        ("say-select", "if three quit if one five opposite else same .",
         "if one five opposite if three quit else same ."),
    ],
)  # fmt: skip
def test_rules_that_cannot_meet_are_written_in_one_order(game, one, other):
    assert write(read(game, one)) == write(read(game, other)) == other


@pytest.mark.parametrize(
    "text",
    [
        "if hint exactly one play those if color discard those else free .",
        "if rank five discard those if rank play those else free .",
        "if hint on newest play newest if color hint color else free .",
    ],
)
def test_rules_that_may_meet_keep_their_order(text):
    assert write(read("hanabi", text)) == text
