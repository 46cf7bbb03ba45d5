"""The words of Hanabi: keys, texts and calls against HLE's move numbers, the viewer, the presets."""

import numpy as np
import pytest
from hanabi_learning_environment import pyhanabi

from envs.base import make_game
from envs.hanabi import PRESETS, ViewerConfig, make_hanabi, play, preset
from envs.hanabi_engine import Hanabi
from envs.hanabi_rules import HanabiRules
from envs.hanabi_view import view, view_text
from envs.language import card_names, event_of, event_of_text, event_text, events, hanabi_game, key_of
from schemas.errors import UserError
from schemas.finite import finite_values

RULES = {
    "two": HanabiRules(),
    "small": HanabiRules(colors=2, hand_size=2),
    "three": HanabiRules(players=3),
    "five": HanabiRules(players=5, colors=4),
    "hand 9": HanabiRules(hand_size=9, colors=2, ranks=5),
}


@pytest.mark.parametrize("name", RULES)
def test_keys_events_and_texts_map_one_to_one(name):
    rules = RULES[name]
    seen = events(rules)
    names = card_names(rules.hand_size)
    keys = [key_of(e, rules.players) for e in seen]
    texts = [event_text(e, rules.players, names) for e in seen]
    assert len(set(keys)) == len(set(texts)) == len(seen)
    assert [event_of(key, rules.players) for key in keys] == list(seen)
    for k in range(0, len(seen), max(1, len(seen) // 40)):
        assert event_of_text(texts[k], rules) == seen[k]


def test_321_last_moves_of_the_paper():
    game = make_game("hanabi")
    keys = [o.key for o in game.observations]
    assert len(keys) == 1 + 5 + 5 + 10 * 31 == 321
    assert keys[0] == "[null]" and keys[1] == "<(Discard 0) by player 1>" and keys[6] == "<(Play 0) by player 1>"
    assert game.index["<(Reveal player +1 color R) by player 1 reveal 0,2>"] == 17
    assert keys[-1] == "<(Reveal player +1 rank 5) by player 1 reveal 0,1,2,3,4>"
    assert game.observations[17].text == "My partner hinted the color of my cards A and C: red."
    assert game.observations[0].text == "My partner has not moved yet."


@pytest.mark.parametrize("name", RULES)
def test_calls_stand_in_the_order_of_hle(name):
    rules = RULES[name]
    hle = pyhanabi.HanabiGame(rules.hle_parameters())
    letters = card_names(rules.hand_size)
    wanted = []
    for uid in range(hle.max_moves()):
        move = hle.get_move(uid)
        who = f"player={move.target_offset()}, " if rules.players > 2 else ""
        colors = ("red", "yellow", "green", "white", "blue")
        wanted.append(
            {
                "PLAY": lambda m: f"play(card={letters[m.card_index()]})",
                "DISCARD": lambda m: f"discard(card={letters[m.card_index()]})",
                "REVEAL_COLOR": lambda m, w=who, c=colors: f"hint_color({w}color={c[m.color()]})",
                "REVEAL_RANK": lambda m, w=who: f"hint_rank({w}rank={m.rank() + 1})",
            }[move.type().name](move)
        )
    assert hanabi_game(rules).action_names == wanted


def test_names_of_positions():
    assert card_names(3) == ("A", "B", "C")
    assert card_names(4, "ordinals") == ("1st", "2nd", "3rd", "4th")
    assert card_names(3, "age") == ("oldest", "2nd", "newest")
    game = hanabi_game(HanabiRules(hand_size=3), naming="age")
    assert game.action_names[3] == "play(card=oldest)"
    assert game.actions[5].text == "play my newest card"


@pytest.mark.parametrize(
    "key",
    [
        "",
        "<(Play 0) by player 2>",
        "<(Play 0) by player 0>",
        "<(Play 007) by player 1>",
        "<(Play 0) by player 1 reveal 0>",
        "<(Reveal player +1 color X) by player 1>",
        "<(Reveal player +5 color R) by player 1 reveal 0>",
        "<(Reveal player +1 color R) by player 1 reveal 2,0>",
        "<(Reveal player +1 color R) by player 1 reveal 1,1>",
    ],
)
def test_unreadable_key(key):
    with pytest.raises(UserError, match="is no last move of a game of 2 players"):
        event_of(key, 2)


def test_unknown_game_lists_the_known_ones():
    with pytest.raises(UserError, match="'chess'; known are say-select, hanabi, hanabi-small, hanabi-very-small"):
        make_game("chess")


@pytest.mark.parametrize("name", PRESETS)
def test_presets_have_an_environment_that_shows_their_observations(name):
    game, env = make_game(name), make_hanabi(name, 4)
    assert [o.key for o in env.game.observations] == [o.key for o in game.observations]
    assert game.name == name and game.legal.shape == (len(game.observations), len(game.actions))
    shown = env.reset(0)
    for _ in range(20):
        shown = env.step(shown.legal.argmax(1))
        assert (shown.obs_key >= 0).all() and (shown.obs_key < len(game.observations)).all()


def test_presets_for_more_players_and_other_engines():
    assert preset("hanabi", players=4).hand_size == 4  # the rule book's
    assert preset("hanabi-mini", keep_score=True).max_score == 9
    fast, slow = (make_hanabi("hanabi-small", 2, players=3, engine=engine).reset(9) for engine in ("numba", "hle"))
    assert all(np.array_equal(a, b) for a, b in zip(fast, slow, strict=True))
    with pytest.raises(UserError, match="--engine: 'jax'; known are numba, hle"):
        make_hanabi("hanabi", 1, engine="jax")


def test_view_in_words_at_three_levels():
    rules = HanabiRules(colors=2, hand_size=2, max_information_tokens=3)
    env = Hanabi(1, rules)
    env.reset(0, rules.sorted_deck[None])  # red 1, red 1 for the first player; red 1, red 2 for the other
    shown = env.step(np.array([6]))  # rank 1
    seen = view(env, 0, int(shown.obs_key[0]))
    assert view_text(seen, "last-move") == "My partner hinted the rank of my card A: 1."
    assert view_text(seen, "hand").splitlines()[1] == "My cards: A rank 1; B not 1."
    assert view_text(seen, "full").splitlines()[2:] == [
        "My partner holds: A red 1 (for them unknown); B red 1 (for them unknown).",
        "Fireworks: red 0, yellow 0.",
        "2 of 3 information tokens, 3 of 3 lives, 16 cards in the deck.",
        "Discarded: nothing.",
    ]
    with pytest.raises(UserError, match="level: 'all'; known are last-move, hand, full"):
        view_text(seen, "all")


def test_viewer_tells_the_same_game_for_the_same_seed():
    lines = play(ViewerConfig(seed=7))
    assert lines == play(ViewerConfig(seed=7)) != play(ViewerConfig(seed=8))
    assert lines[0] == "Move 1, player 0 sees:" and lines[-1].startswith("The game ends after ")


def test_utterances_have_a_finite_schema():
    meanings = [value.event for value in finite_values(make_game("hanabi").observation_model)]
    assert meanings == ["discard", "play", "hint_color", "hint_rank", None]
