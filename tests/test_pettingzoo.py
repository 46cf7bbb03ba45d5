"""PettingZoo's own conformance tests on every game, and that the interface tells the truth about ours."""

import numpy as np
import pytest
from pettingzoo.test import api_test, seed_test

from envs.pettingzoo import make_aec
from envs.say_select import SaySelect
from schemas.errors import UserError

GAMES = [
    ("say-select", 2),
    ("hanabi", 2),
    ("hanabi", 5),
    ("hanabi-small", 2),
    ("hanabi-very-small", 3),
    ("hanabi-mini", 2),
]


@pytest.mark.filterwarnings("ignore")  # api_test warns of what it does not check
@pytest.mark.parametrize(("name", "players"), GAMES)
def test_pettingzoo_accepts_every_game(name, players):
    api_test(make_aec(name, players), num_cycles=100)
    seed_test(lambda: make_aec(name, players), num_cycles=50)


def test_every_agent_gets_every_reward_and_only_the_acting_one_may_move():
    env, ours = make_aec("say-select", render_mode="ansi"), SaySelect(1, autoreset=False)
    env.reset(seed=3)
    step = ours.reset(3)
    rng, total, expected = np.random.default_rng(0), 0.0, 0.0
    for agent in env.agent_iter():
        observation, _, terminated, _, _ = env.last()
        if terminated:
            env.step(None)
            continue
        assert np.array_equal(observation["observation"], step.obs[0])
        other = env.possible_agents[1 - env.possible_agents.index(agent)]
        assert env.observe(other)["action_mask"].sum() == 0
        action = int(rng.choice(np.flatnonzero(observation["action_mask"])))
        env.step(action)
        assert agent in env.render()
        step = ours.step(np.array([action]))
        expected += float(step.reward[0])
        assert len(set(env.rewards.values())) == 1
        total += env.rewards[agent]
    assert total == expected


def test_bad_games_are_named():
    with pytest.raises(UserError, match="unknown game 'chess'"):
        make_aec("chess")
    with pytest.raises(UserError, match="players: 3; say-select is for 2"):
        make_aec("say-select", 3)
    with pytest.raises(UserError, match="render_mode"):
        make_aec("hanabi", render_mode="human")
