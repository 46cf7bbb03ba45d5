"""The rules, against a second implementation (benchmarks.plain_q) and their own laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.plain_q import LAYOUTS as PLAIN_LAYOUTS
from envs.base import make_game
from envs.say_select import GAME, LAYOUTS, QUIT, SaySelect, human_policy
from rl.evaluate import adherence, cross_play, play_all_layouts, self_play
from schemas.errors import UserError


def played_by_hand(good, moves):
    """Scores of each move, by the rules as facts state them."""
    rewards, good = [], set(good)
    for t, move in enumerate(moves):
        if t % 2 == 0:
            rewards.append(0)
        elif move == QUIT:
            return [*rewards, 0]
        else:
            rewards.append(1 if move in good else -1)
            good.discard(move)
    return rewards


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 24), st.lists(st.integers(0, 5), min_size=10, max_size=10))
def test_rewards_and_endings_are_those_of_the_rules(layout, moves):
    moves = [move % 5 if t % 2 == 0 else move for t, move in enumerate(moves)]
    env = SaySelect(1, autoreset=False)
    env.reset(0, LAYOUTS[[layout]])
    good = {b for b in range(5) if LAYOUTS[layout] >> b & 1}
    expected = played_by_hand(good, moves)
    for t, reward in enumerate(expected):
        step = env.step(np.array(moves[t : t + 1]))
        assert step.reward[0] == reward
        assert step.done[0] == (t == len(expected) - 1)
    assert env.step(np.array([0])).reward[0] == 0  # an ended game stays as it is


def test_what_each_player_sees():
    env = SaySelect(1)
    step = env.reset(3, np.array([0b00110]))
    assert step.player[0] == 0
    assert step.obs_key[0] == -1
    assert step.legal[0].tolist() == [True] * 5 + [False]
    assert step.obs[0, 1:6].tolist() == [0, 1, 1, 0, 0]
    step = env.step(np.array([2]))
    assert (step.player[0], step.obs_key[0]) == (1, GAME.index["said=3"])
    assert step.obs[0, 1:6].tolist() == [0] * 5  # Bob does not see the balls
    assert step.legal[0].all()
    step = env.step(np.array([2]))
    assert step.reward[0] == 1
    assert step.obs[0, 1:6].tolist() == [0, 1, 0, 0, 0]  # the taken ball turned


def test_trajectories_depend_on_seed_and_index_alone():
    def run(size, picks):
        env, rng = SaySelect(size), [np.random.default_rng(i) for i in range(size)]
        env.reset(7)
        out = []
        for _ in range(60):
            player = (10 - env.board[:, 3]) % 2
            actions = np.array([r.integers(5 + p) for r, p in zip(rng, player, strict=True)])
            step = env.step(actions)
            out.append(np.concatenate([step.obs, step.reward[:, None], step.done[:, None]], axis=1)[picks])
        return np.stack(out)

    assert np.array_equal(run(3, [0, 1, 2]), run(9, [0, 1, 2]))
    assert not np.array_equal(run(3, [0]), run(3, [1]))


def test_layouts_are_the_25_and_drawn_by_count_first():
    assert [frozenset(b for b in range(5) if m >> b & 1) for m in LAYOUTS.tolist()] == PLAIN_LAYOUTS
    env = SaySelect(30_000)
    env.reset(0)
    count = np.array([int(m).bit_count() for m in env.board[:, 0]])
    assert np.abs(np.bincount(count, minlength=4)[1:] / 30_000 - 1 / 3).max() < 0.01


def test_illegal_moves_and_shapes_are_named():
    env = SaySelect(2)
    env.reset(0)
    with pytest.raises(UserError, match=r"actions\[1\]: 5 is not legal"):
        env.step(np.array([0, 5]))
    with pytest.raises(UserError, match=r"expected \(2,\)"):
        env.step(np.array([0]))
    with pytest.raises(UserError, match="unknown game 'chess'"):
        make_game("chess")


def test_the_human_policy_with_a_telling_alice_is_optimal():
    bob = np.zeros((6, 6), np.int64)
    bob[:, 1:] = human_policy()
    alice = np.zeros((32, 6), np.int64)
    for mask in range(32):
        for last in range(6):
            alice[mask, last] = (mask & -mask).bit_length() - 1 if mask else max(last - 1, 0)
    assert self_play(alice[None], bob[None])[0] == 1.0
    assert adherence(bob[None])[0] == 1.0
    shifted = bob.copy()
    shifted[:, 1:] = np.where(bob[:, 1:] == QUIT, QUIT, (bob[:, 1:] + 1) % 5)
    assert play_all_layouts(alice, shifted).mean() < 0.5
    assert adherence(shifted[None])[0] == pytest.approx(5 / 30)
    assert cross_play(np.stack([alice, alice]), np.stack([bob, shifted])).shape == (2, 2)
