"""Conventions: what they say, what they allow, and the two of the paper against their definition."""

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from envs.convention import convention_prior
from envs.hanabi_rules import HanabiRules
from envs.language import hanabi_game
from schemas.command_line import read_toml
from schemas.convention import Convention
from schemas.errors import UserError

RECIPES = Path(__file__).parent.parent / "runs" / "recipes" / "conventions"
GAME = hanabi_game(HanabiRules())


def convention(when, then, otherwise=(), **more):
    return Convention.model_validate(
        {"name": "test", "rules": [{"when": when, "then": then}], "otherwise": {"then": otherwise}, **more}
    )


def allowed(program, key, rules=None):
    rules = rules or HanabiRules()
    game = hanabi_game(rules)
    row = convention_prior(program, rules)[game.index[key]]
    return [name for name, p in zip(game.action_names, row, strict=True) if p > 0]


@pytest.mark.parametrize(("kind", "letter"), [("color", "color"), ("rank", "rank")])
def test_paper_conventions_are_right_in_6420_of_6420_pairs(kind, letter):
    program = read_toml(Convention, str(RECIPES / f"hanabi_{kind}.toml"))
    table = convention_prior(program, HanabiRules())
    right = 0
    for row, observation in enumerate(GAME.observations):
        hinted = f"+1 {letter} " in observation.key
        cards = observation.key.partition("reveal ")[2].rstrip(">").split(",") if hinted else []
        for column in range(20):
            if hinted:
                meant = 5 <= column < 10 and str(column - 5) in cards
            else:
                meant = column in (range(10, 15) if kind == "color" else range(15, 20))
            right += meant == (table[row, column] > 0)
    assert right == table.size == 6420
    assert np.allclose(table.sum(1), 1)
    control = GAME.intended(program.instruction)
    for observation, row in zip(GAME.observations, table, strict=True):
        names = {name for name, p in zip(GAME.action_names, row, strict=True) if p > 0}
        assert names == control.obeys(observation)


def test_words():
    program = read_toml(Convention, str(RECIPES / "hanabi_color.toml"))
    assert program.words() == (
        "If my partner hints the color of some of my cards, I play the hinted cards. Otherwise, I hint color."
    )
    program = convention(
        {"happened": "hint_rank", "rank": 5, "fewest": 2, "card": "newest"},
        [{"action": "discard", "cards": "leftmost_hinted"}, {"action": "play", "cards": "A"}],
    )
    assert program.words() == (
        "If my partner hints the rank 5 of 2 or more of my cards, my newest card among them, I discard the leftmost "
        "hinted card or play my card A. Otherwise, I do anything."
    )


def test_first_rule_that_holds_decides():
    program = Convention.model_validate(
        {
            "name": "two",
            "rules": [
                {"when": {"happened": "hint", "most": 1}, "then": [{"action": "play", "cards": "hinted"}]},
                {"when": {"happened": "hint"}, "never": [{"action": "play"}, {"action": "hint_rank"}]},
                {"when": {"happened": "discard", "card": "1st"}, "then": [{"action": "hint_color", "color": "red"}]},
            ],
            "otherwise": {"then": [{"action": "discard", "cards": "newest"}]},
        }
    )  # fmt: skip
    assert allowed(program, "<(Reveal player +1 rank 3) by player 1 reveal 2>") == ["play(card=C)"]
    many = allowed(program, "<(Reveal player +1 rank 3) by player 1 reveal 2,4>")
    assert {name.split("(")[0] for name in many} == {"discard", "hint_color"} and len(many) == 10
    assert allowed(program, "<(Discard 0) by player 1>") == ["hint_color(color=red)"]
    assert allowed(program, "<(Discard 1) by player 1>") == ["discard(card=E)"]
    assert allowed(program, "[null]") == ["discard(card=E)"]


def test_hints_to_others_are_not_hints_to_me():
    program = convention({"happened": "hint"}, [{"action": "play", "cards": "rightmost_hinted"}],
                         [{"action": "hint_rank", "rank": 2}])  # fmt: skip
    rules = HanabiRules(players=3)
    mine, other = (f"<(Reveal player +{k} color R) by player 2 reveal 0,3>" for k in (1, 2))
    assert allowed(program, mine, rules) == ["play(card=D)"]
    assert allowed(program, other, rules) == ["hint_rank(player=1, rank=2)", "hint_rank(player=2, rank=2)"]


def test_hint_playable_allows_every_hint_and_says_so():
    program = convention(
        {"happened": "hint"},
        [{"action": "play", "cards": "hinted"}],
        [{"action": "hint_playable"}, {"action": "discard", "cards": "oldest"}],
    )
    hints = [name for name in GAME.action_names if name.startswith("hint")]
    assert allowed(program, "[null]") == ["discard(card=A)", *hints] and len(hints) == 10
    assert program.words().endswith(
        "Otherwise, I give any hint (a playable card is meant, but the last move does not show which are) "
        "or discard my oldest card."
    )
    rule = {"when": {"happened": "hint"}, "never": [{"action": "hint_playable"}]}
    with pytest.raises(ValidationError, match="never: hint_playable cannot be forbidden"):
        Convention.model_validate({"name": "test", "rules": [rule]})


@pytest.mark.parametrize(
    ("when", "then", "message"),
    [
        ({"happened": "hint"}, {"action": "play", "cards": "F"}, "no card position 'F' in a hand of 5"),
        ({"happened": "hint"}, {"action": "play", "cards": "middle"}, "no card position 'middle'"),
        ({"happened": "hint"}, {"action": "play", "cards": "2st"}, "no card position '2st'"),
        ({"happened": "play", "card": "6th"}, {"action": "play"}, "no card position '6th' in a hand of 5"),
        ({"happened": "play"}, {"action": "play", "cards": "hinted"}, "hinted needs a rule about a hint"),
        ({"happened": "hint_rank", "color": "red"}, {"action": "play"}, "color: only hint_color has one"),
        ({"happened": "hint"}, {"action": "hint_rank", "cards": "A"}, "chooses no card of mine"),
        ({"happened": "hint"}, {"action": "hint_playable", "rank": 1}, "rank: hint_playable has none; hint_rank does"),
        ({"happened": "hint"}, {"action": "hint_playable", "cards": "A"}, "chooses no card of mine"),
        ({"happened": "hint", "fewest": 3, "most": 2}, {"action": "play"}, "most: 2 is less than fewest"),
    ],
)
def test_refused(when, then, message):
    with pytest.raises(ValidationError, match=message):
        convention(when, [then])


def test_position_beyond_the_hand_of_the_game():
    program = convention({"happened": "hint"}, [{"action": "play", "cards": "E"}])
    with pytest.raises(UserError, match="convention 'test': no card position 'E' in a hand of 2"):
        convention_prior(program, HanabiRules(hand_size=2))


@pytest.mark.parametrize(
    ("when", "then", "message"),
    [
        (
            {"happened": "hint_color", "color": "blue"},
            {"action": "play"},
            "color blue; the colors of this game are red, y",
        ),
        ({"happened": "play"}, {"action": "hint_rank", "rank": 5}, "rank 5; the ranks of this game end at 3"),
    ],
)
def test_a_color_or_rank_that_the_game_does_not_have(when, then, message):
    with pytest.raises(UserError, match=f"convention 'test': {message}"):
        convention_prior(convention(when, [then]), HanabiRules(colors=3, ranks=3))


def test_no_move_left():
    rule = {"when": {"happened": "play"}, "then": [{"action": "play"}], "never": [{"action": "play"}]}
    program = Convention.model_validate({"name": "none", "rules": [rule]})
    with pytest.raises(UserError, match=r"leaves no move after .My partner played their card A\."):
        convention_prior(program, HanabiRules())
