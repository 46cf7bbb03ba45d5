"""Our games as PettingZoo environments: PettingZoo's own tests, seeds, masks, shared rewards, words and errors."""

import sys

import numpy as np
import pytest

pytest.importorskip("pettingzoo")

from pettingzoo.test import api_test, seed_test

from envs.hanabi import make_hanabi
from envs.pettingzoo import make_aec
from envs.say_select import SaySelect
from schemas.errors import UserError

HANABI = [(name, players) for name in ("hanabi", "hanabi-small", "hanabi-very-small") for players in (2, 3, 4, 5)]
HANABI += [("hanabi-mini", 2), ("hanabi-mini", 3)]  # its 18 cards do not fill four hands of 5
GAMES = [("say-select", 2), *HANABI]


def play(env, rng, seed=None):
    """Play a random game; returns what every agent saw at every move, the moves and the rewards."""
    env.reset(seed=seed)
    seen, moves, rewards = [], [], []
    while not any(env.terminations.values()):
        seen.append({agent: env.observe(agent) for agent in env.agents})
        moves.append(int(rng.choice(np.flatnonzero(env.last()[0]["action_mask"]))))
        env.step(moves[-1])
        rewards.append(dict(env.rewards))
    return seen, moves, rewards


# Two of PettingZoo's warnings are by its own design: a masked observation is no bare Box (its card games are on a
# list by name), and after the end no move is legal.
@pytest.mark.filterwarnings("ignore:Observation is not a NumPy array")
@pytest.mark.filterwarnings("ignore:Observation space for each agent probably should be")
@pytest.mark.filterwarnings("ignore:Action mask numpy array is all zeros")
@pytest.mark.filterwarnings("error")  # the marks above, which are applied later, make the exceptions
@pytest.mark.parametrize(("name", "players"), GAMES)
def test_pettingzoos_own_tests(name, players):
    api_test(make_aec(name, players), num_cycles=200)
    seed_test(lambda: make_aec(name, players), num_cycles=50)


@pytest.mark.parametrize(("name", "players"), GAMES)
def test_every_agent_sees_its_own_side_and_all_share_the_reward(name, players):
    env, rng = make_aec(name, players), np.random.default_rng(0)
    batch = SaySelect(1, autoreset=False) if name == "say-select" else None
    batch = batch or make_hanabi(name, 1, players=players, autoreset=False)
    for seed in range(3):
        seen, moves, rewards = play(env, rng, seed)
        shown = batch.reset(seed)
        for views, move, reward in zip(seen, moves, rewards, strict=True):
            acting = int(shown.player[0])
            for seat, (agent, view) in enumerate(views.items()):
                assert env.observation_space(agent).contains(view)
                assert np.array_equal(view["observation"], batch.encode(seat - acting)[0])
                assert np.array_equal(view["action_mask"], shown.legal[0] * (seat == acting))
            assert np.array_equal(views[f"player_{acting}"]["observation"], shown.obs[0])
            shown = batch.step(np.array([move]))
            assert set(reward.values()) == {float(shown.reward[0])}
        assert shown.done[0] and not any(env.truncations.values())
        assert env.agents and all(not env.observe(agent)["action_mask"].any() for agent in env.agents)
        for _ in range(players):
            env.step(None)
        assert env.agents == []


def test_returns_add_up_for_every_agent():
    env, rng = make_aec("hanabi-small", 3), np.random.default_rng(3)
    for seed in range(20):
        env.reset(seed=seed)
        total, true = dict.fromkeys(env.agents, 0.0), 0.0
        for agent in env.agent_iter():
            seen, reward, terminated, _, _ = env.last()
            total[agent] += reward
            env.step(None if terminated else int(rng.choice(np.flatnonzero(seen["action_mask"]))))
            if not terminated:
                true += env.rewards[env.agents[0]]
        assert set(total.values()) == {true}


def test_bob_off_turn_sees_no_balls():
    env = make_aec("say-select")
    for seed in range(5):
        env.reset(seed=seed)
        assert not env.observe("player_1")["observation"][1:6].any()
        assert env.observe("player_0")["observation"][1:6].any()


@pytest.mark.parametrize("name", ["say-select", "hanabi"])
def test_seeds(name):
    def first(env, seed=None):
        env.reset(seed=seed)
        return env.engine.board.tolist() if name == "say-select" else env.engine.table.deck.tolist()

    one, two = make_aec(name), make_aec(name)
    assert first(one, 7) == first(two, 7)
    assert [first(one) for _ in range(8)] == [first(two) for _ in range(8)]  # follow the seeded game
    starts = [str(first(make_aec(name))) for _ in range(12)]
    starts += [str(first(one, seed)) for seed in range(12)]
    assert len(set(starts)) > 8
    assert len({str(first(one)) for _ in range(12)}) > 3


def test_words():
    env = make_aec("say-select")
    env.reset(seed=1)
    assert env.render() is None
    env = make_aec("say-select", render_mode="ansi")
    env.reset(seed=1)
    assert env.render().startswith("player_0 is to act and sees:\nI am Alice. Balls that give +1: ")
    env.step(2)
    assert env.render() == (
        "player_1 is to act and sees:\nI am Bob. I have selected nothing yet.\nMy partner said 3.\n"
        "9 of 10 moves are left."
    )
    env.step(5)
    assert env.render().endswith("The game is over.")
    env = make_aec("hanabi-small", render_mode="ansi")
    env.reset(seed=1)
    text = env.render()
    assert text.startswith(
        "player_0 is to act and sees:\nMy partner has not moved yet.\nMy cards: A unknown; B unknown."
    )
    assert text.endswith("Score: 0 of 10.")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("chess",), "name: unknown game 'chess'; known are say-select, hanabi, "),
        (("say-select", 3), "players: 3; say-select has 2"),
        (("hanabi", 6), "players: 6; a whole number from 2 to 5 is needed"),
        (("hanabi-mini", 4), "hand_size: 5; 4 hands need 20 cards and the deck has 18"),
        (("hanabi", 2, "human"), "render_mode: 'human'; known are None, 'ansi'"),
    ],
)
def test_refused_games(arguments, message):
    with pytest.raises(UserError, match=message):
        make_aec(*arguments)


def test_refused_moves():
    env = make_aec("say-select")
    with pytest.raises(UserError, match="has not begun; call reset first"):
        env.step(0)
    with pytest.raises(UserError, match="seed: -1"):
        env.reset(seed=-1)
    env.reset(seed=0)
    with pytest.raises(UserError, match="player_0's action: 5 is not legal; legal are 0 say 1, 1 say 2"):
        env.step(5)
    with pytest.raises(UserError, match="player_0's action: None; the number of a move is needed"):
        env.step(None)
    with pytest.raises(UserError, match="agent: 'bob'; known are player_0, player_1"):
        env.observe("bob")
    env.step(0)
    env.step(5)
    with pytest.raises(UserError, match="the game is over, and player_0 can only step with None"):
        env.step(0)
    env.step(None)
    env.step(None)
    with pytest.raises(UserError, match="the game is over; call reset first"):
        env.step(None)
    env = make_aec("hanabi-small")
    env.reset(seed=0)
    before = env.observe("player_0")["observation"]
    with pytest.raises(UserError, match=r"player_0's action: 0 \(discard my card A\) is not legal; legal are 2 play"):
        env.step(0)
    assert np.array_equal(env.observe("player_0")["observation"], before)


def test_without_pettingzoo_the_error_says_how_to_install_it(monkeypatch):
    monkeypatch.delitem(sys.modules, "envs.pettingzoo")
    monkeypatch.setitem(sys.modules, "pettingzoo", None)
    with pytest.raises(
        UserError, match=r"pettingzoo is not installed; pip install 'instructrl\[pettingzoo\]'"
    ) as error:
        __import__("envs.pettingzoo")
    assert "\n" not in str(error.value)
