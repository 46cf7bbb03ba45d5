"""The Hanabi engine against HLE, and what HLE has no word for: seeds, threads, decks, errors."""

import numpy as np
import pytest
from hanabi_learning_environment import rl_env
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from envs.hanabi_engine import Hanabi
from envs.hanabi_reference import HanabiReference, deck_of
from envs.hanabi_rules import HanabiRules
from schemas.errors import UserError
from tests.hanabi_compare import CONFIGURATIONS, POLICIES, Comparison, differences


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_same_as_hle(name, policy):
    result = differences(CONFIGURATIONS[name], POLICIES[policy], games=3, seed=len(name + policy))
    assert not result.found, result.found[:3]
    assert result.moves > 0


@st.composite
def any_rules(draw):
    players = draw(st.integers(2, 5))
    colors, ranks = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    deck = colors * (3 if ranks == 1 else 2 * ranks)
    if deck < players:
        colors = players
        deck = colors * (3 if ranks == 1 else 2 * ranks)
    return HanabiRules(
        players=players,
        colors=colors,
        ranks=ranks,
        hand_size=draw(st.integers(1, min(7, deck // players))),
        max_information_tokens=draw(st.integers(0, 10)),
        max_life_tokens=draw(st.integers(1, 20)),
        observation_type=draw(st.sampled_from(["minimal", "card_knowledge", "seer"])),
        random_start_player=draw(st.booleans()),
        keep_score=draw(st.booleans()),
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(any_rules(), st.sampled_from(list(POLICIES)), st.integers(0, 2**32))
def test_any_rules_same_as_hle(rules, policy, seed):
    result = differences(rules, POLICIES[policy], games=2, seed=seed)
    assert not result.found, result.found[:3]


def test_comparison_notices_a_flipped_bit():
    fast, slow = Hanabi(2, autoreset=False), HanabiReference(2, autoreset=False)
    shown, wanted = fast.reset(0), slow.reset(0)
    result = Comparison()
    result.add(fast, slow, shown, wanted, np.arange(2))
    assert not result.found
    fast.table.known[1, 0, 2, 27] ^= 1  # card C of the first player: hinted green
    result.add(fast, slow, shown, wanted, np.arange(2))
    assert {line.split(",")[0] for line in result.found} == {"encoding 1", "knowledge 1"}


def trajectory(env, seed, steps, policy_seed=0):
    """Observations, rewards and ends of `steps` random moves; each game draws its moves from a stream of its own."""
    rngs = [np.random.default_rng([policy_seed, i]) for i in range(env.num_envs)]
    shown, seen = env.reset(seed), []
    for _ in range(steps):
        seen.append(shown)
        moves = [rng.choice(np.flatnonzero(legal)) for rng, legal in zip(rngs, shown.legal, strict=True)]
        shown = env.step(np.array(moves))
    return [np.stack(parts) for parts in zip(*seen, shown, strict=True)]


def test_autoreset_same_as_hle():
    rules = HanabiRules(players=3, random_start_player=True)
    ours, theirs = (trajectory(engine(4, rules), 5, 60) for engine in (Hanabi, HanabiReference))
    assert all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))
    assert ours[5].sum() > 4  # ends


def test_neither_threads_nor_batch_size_change_a_game():
    small, large = trajectory(Hanabi(200), 3, 25), trajectory(Hanabi(1500, num_threads=3), 3, 25)
    assert all(np.array_equal(a, b[:, :200]) for a, b in zip(small, large, strict=True))
    assert not np.array_equal(small[0], trajectory(Hanabi(200), 4, 25)[0])


def test_step_into_given_arrays():
    a, b = Hanabi(8), Hanabi(8)
    shown, out = a.reset(1), b.reset(1)
    for _ in range(30):
        moves = shown.legal.argmax(1)
        shown, again = a.step(moves), b.step(moves, out)
        assert again is out
        assert all(np.array_equal(x, y) for x, y in zip(shown, out, strict=True))


def test_out_that_does_not_fit_is_refused():
    env = Hanabi(4)
    shown = env.reset(0)
    with pytest.raises(
        UserError, match=r"out\.obs: uint8 of shape \(2, 658\); expected contiguous uint8 of \(4, 658\)"
    ):
        env.step(shown.legal.argmax(1), shown._replace(obs=shown.obs[:2]))
    with pytest.raises(UserError, match=r"out\.reward: float64"):
        env.step(shown.legal.argmax(1), shown._replace(reward=np.zeros(4)))


@pytest.mark.parametrize("engine", [Hanabi, HanabiReference])
def test_step_before_reset(engine):
    with pytest.raises(UserError, match="call reset first"):
        engine(1).step(np.array([5]))


def test_goes_on_exactly_from_a_saved_state():
    env = Hanabi(16)
    shown = env.reset(2)
    for _ in range(25):
        shown = env.step(shown.legal.argmax(1))
    saved = env.state()
    ahead = [shown := env.step(shown.legal.argmax(1)) for _ in range(40)]
    other = Hanabi(16)
    shown = other.restore(saved)
    for wanted in ahead:
        shown = other.step(shown.legal.argmax(1))
        assert all(np.array_equal(a, b) for a, b in zip(shown, wanted, strict=True))
    with pytest.raises(UserError, match=r"state\['games'\]"):
        Hanabi(15).restore(saved)


def test_given_decks_are_dealt():
    rules = HanabiRules(colors=2, hand_size=2)
    deck = np.tile(rules.sorted_deck[::-1], (3, 1))
    env = Hanabi(3, rules)
    env.reset(0, deck)
    assert env.table.hands[1].tolist() == [[9, 8], [8, 7]]
    with pytest.raises(UserError, match=r"decks\[2\]: not an order of the deck's 20 cards"):
        env.reset(0, np.vstack([deck[:2], np.zeros_like(deck[:1])]))
    with pytest.raises(UserError, match=r"shape \(2, 20\); expected integers of shape \(3, 20\)"):
        env.reset(0, deck[:2])


def test_deck_from_names_pairs_and_numbers():
    rules = HanabiRules(colors=2, hand_size=2)
    deck = rules.deck(["Y5", (0, 2), 0])
    assert deck[:3].tolist() == [9, 2, 0] and sorted(deck) == list(rules.sorted_deck)
    for wrong in (["Y5", "Y5"], ["G1"], [(0, 5)], [10], ["R"]):
        with pytest.raises(UserError, match="deck: card"):
            rules.deck(wrong)


@pytest.mark.parametrize("name", ["Full", "Full-Minimal", "Small", "Very-Small"])
@pytest.mark.parametrize("players", [2, 3])
def test_replays_what_rl_env_has_recorded(name, players):
    hle, rng = rl_env.make(f"Hanabi-{name}", players), np.random.default_rng(players)
    rules = HanabiRules(
        players=players,
        colors=hle.game.num_colors(),
        hand_size=hle.game.hand_size(),
        max_information_tokens=hle.game.max_information_tokens(),
        max_life_tokens=hle.game.max_life_tokens(),
        observation_type="minimal" if "Minimal" in name else "card_knowledge",
    )
    env = Hanabi(1, rules, autoreset=False)
    for _ in range(5):
        seen, done, record = hle.reset(), False, []
        while not done:
            views = [view["vectorized"] for view in seen["player_observations"]]
            legal = seen["player_observations"][seen["current_player"]]["legal_moves_as_int"]
            move = int(rng.choice(legal))
            seen, reward, done, _ = hle.step(move)
            record.append((views, legal, move, reward, done))
        shown = env.reset(0, deck_of(hle.state, rules)[None])
        for turn, (views, legal, move, reward, done) in enumerate(record):
            for player in range(players):
                assert env.encode(player - turn)[0].tolist() == views[player]
            assert np.flatnonzero(shown.legal[0]).tolist() == legal
            shown = env.step(np.array([move]))
            assert shown.reward[0] == reward and shown.done[0] == done


@pytest.mark.parametrize(("keep", "reward", "score"), [(False, -1, 0), (True, 0, 1)])
def test_bomb_takes_the_score_back_unless_it_is_kept(keep, reward, score):
    rules = HanabiRules(colors=1, hand_size=2, max_life_tokens=1, keep_score=keep)
    env = Hanabi(1, rules, autoreset=False)
    env.reset(0, rules.sorted_deck[None])  # three 1s first
    play_oldest = np.array([2])
    assert env.step(play_oldest).reward == [1]
    shown = env.step(play_oldest)  # another 1 does not fit
    assert shown.done == [True] and shown.reward == [reward] and env.scores == [score]


def test_ended_game_stays_as_it_is():
    env = Hanabi(1, HanabiRules(max_life_tokens=1), autoreset=False)
    shown = env.reset(0)
    while not shown.done[0]:
        shown = env.step(np.array([5]))
    again = env.step(np.array([-7]))
    assert again.done[0] and again.reward[0] == 0
    assert np.array_equal(again.obs, shown.obs)


def test_illegal_move_names_game_move_and_legal_ones():
    env = Hanabi(3, HanabiRules(colors=1, hand_size=2, max_information_tokens=3))
    shown = env.reset(0)
    with pytest.raises(UserError) as error:
        env.step(np.array([2, 2, 1]))
    message = str(error.value)
    assert message.startswith(
        "actions[2]: 1 (discard my card B) is not legal; legal are 2 play(card=A), 3 play(card=B), "
    )
    assert "4 hint_color(color=red)" in message and "\n" not in message
    assert np.array_equal(env.encode(), shown.obs)  # no game has moved
    with pytest.raises(UserError, match=r"actions\[0\]: 99, no move of the game, is not legal"):
        env.step(np.array([99, 2, 2]))
    with pytest.raises(UserError, match=r"actions: int64 of shape \(2,\); expected integers of shape \(3,\)"):
        env.step(np.array([2, 2]))
    with pytest.raises(UserError, match="actions: float64 of shape"):
        env.step(np.array([2.0, 2.0, 2.0]))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"players": 1}, "players: 1; a whole number from 2 to 5"),
        ({"players": 6}, "players: 6; a whole number from 2 to 5"),
        ({"colors": 0}, "colors: 0; a whole number from 1 to 5"),
        ({"colors": 6}, "colors: 6; a whole number from 1 to 5"),
        ({"ranks": 6}, "ranks: 6; a whole number from 1 to 5"),
        ({"hand_size": 26}, "hand_size: 26; 2 hands need 52 cards and the deck has 50"),
        ({"hand_size": -1}, "hand_size: -1; a whole number at least 0"),
        ({"max_information_tokens": -1}, "max_information_tokens: -1; a whole number from 0 to 10000"),
        ({"max_life_tokens": 0}, "max_life_tokens: 0; a whole number from 1 to 10000"),
        ({"max_life_tokens": 2**40}, "max_life_tokens: 1099511627776; a whole number from 1 to 10000"),
        ({"random_start_player": 5}, "random_start_player: 5; True or False is needed"),
        ({"colors": True}, "colors: True; a whole number from 1 to 5"),
        ({"players": 5, "colors": 1}, "hand_size: 4; 5 hands need 20 cards and the deck has 10"),
        ({"observation_type": "all"}, "observation_type: 'all'; known are minimal, card_knowledge, seer"),
    ],
)
def test_refused_rules(parameters, message):
    with pytest.raises(UserError, match=message):
        HanabiRules(**parameters)


def test_observation_sizes_and_memory():
    sizes = {"full": 658, "small": 171, "very small": 106}
    assert {name: Hanabi(1, CONFIGURATIONS[name]).obs_size for name in sizes} == sizes
    for rules in CONFIGURATIONS.values():
        assert Hanabi(2, rules).bytes_per_env < 4096


@pytest.mark.parametrize("card", ["R²", (0, 1, 2), 1.0, None, True, "R9", (0, "1")])
def test_a_card_that_is_none_is_named(card):
    with pytest.raises(UserError, match=r"deck: card 0, .* is not in the deck"):
        HanabiRules().deck([card])
