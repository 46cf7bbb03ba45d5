import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import rl.train
from envs.hanabi import make_hanabi
from envs.say_select import SaySelect
from rl.checkpoint import load_checkpoint, save_checkpoint
from rl.config import DeepQRun
from rl.deep_q import DeepQ
from rl.log_prior import FixedPrior
from rl.replay import Replay, n_step_returns
from schemas.errors import UserError

SMALL = {
    "num_envs": 8,
    "rollout": 4,
    "updates": 2,
    "batch_size": 32,
    "hidden": 16,
    "warmup": 64,
    "replay_size": 800,
    "n_step": 1,
}


def learner(env_name="hanabi-very-small", log_prior=None, seed=3, net="mlp", steps=10_000, **q):
    config = DeepQRun.model_validate({"env": env_name, "net": net, "steps": steps, "q": SMALL | q})
    env = SaySelect(config.q.num_envs) if env_name == "say-select" else make_hanabi(env_name, config.q.num_envs)
    return DeepQ(config, env, None if log_prior is None else FixedPrior(log_prior), seed)


def train(learner, until):
    return list(learner.train(until))


def tensors(learner):
    arrays, info = learner.state()
    return {name: array.copy() for name, array in arrays.items()}, info


def test_n_step_returns_by_hand():
    # Two players in turn; the game ends with the fourth move, and the fifth is the first of the next game.
    reward = np.array([1, 0, 2, 4, 8, 16, 32], np.float32)[:, None]
    done = np.array([0, 0, 0, 1, 0, 0, 0], np.bool_)[:, None]
    total, discount = n_step_returns(reward, done, gamma=0.5, horizon=2, stride=2)
    assert total.ravel().tolist() == [1.0, 2 + 2.0, 8 + 8.0]  # both players' rewards until the own next turn
    assert discount.ravel().tolist() == [0.25, 0.0, 0.25]  # the end cuts the future off
    total, discount = n_step_returns(reward, done, gamma=0.5, horizon=4, stride=2)
    assert total.ravel().tolist() == [1 + 0.5 + 0.5, 4.0]  # nothing of the next game leaks in
    assert discount.ravel().tolist() == [0.0, 0.0]


@given(st.integers(1, 30), st.integers(1, 12), st.integers(1, 4), st.sampled_from([0.0, 0.5]), st.integers(0, 2**31))
def test_replay_keeps_the_last_moves_and_draws_only_whole_sequences(moves, rows, length, alpha, seed):
    env = SaySelect(3)
    replay, rng = Replay(rows, env), np.random.default_rng(seed)
    obs = rng.integers(0, 2, (moves, 3, 1, env.obs_size)).astype(np.uint8)
    for t in range(moves):
        fill = {"obs_key": np.full(3, t), "action": np.arange(3), "legal": rng.random((3, 6)) < 0.5}
        replay.add(obs=obs[t], reward=np.ones(3), done=np.zeros(3, bool), start=np.zeros(3, bool), **fill)
    kept = min(moves, rows)
    if kept < length:
        return
    draw = replay.draw(40, length, alpha, torch.Generator().manual_seed(seed % 1000))
    row = draw.row + np.arange(length)[:, None]
    when = replay.take("obs_key", row, draw.game)
    assert (np.diff(when, axis=0) == 1).all()  # consecutive moves, also where the ring closes
    assert when.min() >= moves - kept and when.max() < moves
    assert np.array_equal(replay.take("obs", row, draw.game), obs[when, draw.game].astype(bool))
    assert np.array_equal(replay.take("action", row, draw.game), np.broadcast_to(draw.game, row.shape))


def test_priorities_decide_how_often_a_move_is_drawn():
    replay = Replay(4, SaySelect(1))
    replay.count = 4
    replay.arrays["priority"][:, 0] = [0, 1, 9, 100]  # the last row is no beginning of a sequence of two
    draw = replay.draw(4000, 2, 0.5, torch.Generator().manual_seed(1))
    share = np.bincount(draw.row, minlength=4) / 4000
    assert share == pytest.approx([0, 1 / 4, 3 / 4, 0], abs=0.03)
    assert draw.weight.max() == 1
    assert draw.weight[draw.row == 2] == pytest.approx(3**-0.5)
    replay.prioritize(draw, np.where(draw.row == 1, 0, 4).astype(np.float32))
    assert replay.arrays["priority"][1, 0] < 0.01 and replay.highest == 4


class Fixed(torch.nn.Module):
    """Says the same of every observation."""

    state_size = 0

    def __init__(self, outputs):
        super().__init__()
        self.outputs = torch.nn.Parameter(torch.tensor(outputs))

    def forward(self, obs):
        return self.outputs.expand(*obs.shape[:-1], -1)


def test_the_prior_picks_the_action_of_the_target_but_is_not_in_its_value():
    log_prior = np.full((5, 6), -9.0, np.float32)
    log_prior[:, 2] = 0.0  # always ball 3
    for prior, bob_value in ((None, 4 + 3 - 1), (log_prior, 4 + 1 - 1)):
        q = learner("say-select", prior, lam=1.0, gamma=0.5, precision="float32", warmup=10**9, explore=1.0)
        train(q, 320)
        q.network = Fixed([0.0, 3, 1, 0, 0, 2, 4])  # advantages of six moves, value; it would pick the second
        q.target = Fixed([0.0, 3, 1, 0, 0, 2, 4])
        draw = q.replay.draw(64, q._span, 0.0, torch.Generator().manual_seed(0))
        _, targets = q._outputs(draw)
        reward = [q.replay.take("reward", draw.row + k, draw.game) for k in (0, 1)]
        done = [q.replay.take("done", draw.row + k, draw.game) for k in (0, 1)]
        alice = q.replay.take("obs_key", draw.row, draw.game) == -1  # then it is Alice again who moves next
        # Dueling: value + advantage - mean over the legal moves; Alice has five, whose mean is 0.8, Bob six: 1.
        value = np.where(alice, 4 + 3 - 0.8, bob_value)
        expected = reward[0] + ~done[0] * (0.5 * reward[1] + 0.25 * ~done[1] * value)
        usable = alice | ~done[0]  # after Bob has ended a game, the next row is Alice's
        assert targets.value[0].numpy()[usable] == pytest.approx(expected[usable])
        assert usable.sum() > 20 and (~done[0] & ~alice).any()


def test_double_q_picks_with_one_network_and_values_with_the_other():
    q = learner("say-select", gamma=1.0, precision="float32", warmup=10**9, explore=1.0, explore_alpha=0)
    train(q, 320)
    q.network, q.target = Fixed([9.0, 0, 0, 0, 0, 0, 0]), Fixed([-5.0, 0, 0, 0, 0, 0, 0])
    draw = q.replay.draw(64, q._span, 0.0, torch.Generator().manual_seed(0))
    _, targets = q._outputs(draw)
    row = draw.row + np.arange(2)[:, None]
    going = ~q.replay.take("done", row, draw.game).any(0) & (q.replay.take("obs_key", draw.row, draw.game) == -1)
    reward = q.replay.take("reward", row, draw.game).sum(0)
    assert going.any()
    assert targets.value[0].numpy()[going] == pytest.approx(reward[going] - 5 + 1)  # the mean of the advantages is -1


def test_drawn_sequences_remember_what_was_remembered_in_play():
    """Unrolled over a drawn sequence, the net says at every counted move what it said when the move was made."""
    q = learner(net="publ-lstm", sequence=6, burn_in=6, explore=1e-30, warmup=10**9, precision="float32")
    train(q, 1200)
    draw = q.replay.draw(200, q._span, 0.0, torch.Generator().manual_seed(0))
    out, targets = q._outputs(draw)
    row = draw.row + np.arange(6)[:, None] * 2
    legal = torch.from_numpy(q.replay.take("legal", row, draw.game))
    greedy = q._q(out[:, :, 0], legal).masked_fill(~legal, -torch.inf).argmax(-1).numpy()
    counted = targets.learned.numpy()
    assert np.array_equal(greedy[counted], q.replay.take("action", row, draw.game)[counted])
    assert 0 < counted.mean() < 1 and not counted[0].all()
    starts = q.replay.take("start", row, draw.game)
    assert (starts.sum(0) > 1).any()  # games end within a sequence, and the next one begins with empty memory


VARIANTS = {
    "plain": {},
    "recurrent": {"net": "publ-lstm", "sequence": 5, "burn_in": 2, "n_step": 2},
    "everything": {"vdn": True, "aux": 0.5, "priority": 0.6, "n_step": 2},
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_restored_learner_ends_where_an_uninterrupted_one_ends(variant, tmp_path):
    whole, first, second = (learner(**VARIANTS[variant]) for _ in range(3))
    train(whole, 1600)
    train(first, 800)
    save_checkpoint(tmp_path, *first.state())
    second.restore(*load_checkpoint(tmp_path))
    train(second, 1600)
    (expected, info), (got, other) = tensors(whole), tensors(second)
    assert info == other and expected.keys() == got.keys() and whole.updates > 20
    for name, array in expected.items():
        assert np.array_equal(array, got[name], equal_nan=True), name


def test_the_seed_decides_everything():
    runs = [tensors(q)[0] for q in (learner(seed=1), learner(seed=1), learner(seed=2)) if train(q, 640)]
    same = [all(np.array_equal(runs[0][name], other[name]) for name in runs[0]) for other in runs[1:]]
    assert same == [True, False]


QUICK = {
    "num_envs": 128, "rollout": 8, "updates": 6, "batch_size": 256, "hidden": 64, "lr": 3e-3, "target_every": 25,
    "explore": 0.2, "replay_size": 30_000, "n_step": 2,
}  # fmt: skip


def late_score(metrics):
    return np.mean([m["train/score"] for m in metrics[-10:] if "train/score" in m])


@pytest.mark.parametrize("variant", VARIANTS)
def test_learns_hanabi_with_one_color(variant):
    metrics = train(learner(**QUICK | VARIANTS[variant], steps=60_000), 60_000)
    assert metrics[0]["train/score"] < 0.2  # the single life is soon lost
    assert late_score(metrics) > 0.35


def test_learns_a_code_for_the_balls():
    """Without a code Say-Select pays nothing at best; with a perfect one, 2 a game."""
    q = learner("say-select", **QUICK | {"vdn": True, "gamma": 1.0, "batch_size": 512}, steps=60_000)
    assert late_score(train(q, 60_000)) > 0.3


def test_follows_the_prior_at_test_time():
    log_prior = np.log(np.full((5, 6), 0.02, np.float32))
    log_prior[np.arange(5), np.arange(5)] = math.log(0.9)  # select what was said
    q = learner("say-select", log_prior, lam=0.3, lam_end=0.2)
    assert q.policy().lam == 0.2
    env = SaySelect(50)
    env.reset(0)
    step = env.step(np.arange(50) % 5)
    seat = q.policy().sit(50, 0)
    assert np.array_equal(seat.act(step, np.arange(50)), np.arange(50) % 5)


def test_what_is_not_finite_is_named():
    q = learner()
    train(q, 320)
    with torch.no_grad():
        q.network.body[2].weight[0, 0] = torch.nan
    with pytest.raises(UserError, match=r"after \d+ moves: network\.body\.2\.weight is not finite"):
        train(q, 640)


def test_only_hidden_hands_can_be_predicted():
    with pytest.raises(UserError, match="--aux"):
        learner("say-select", aux=0.1)


def test_the_command_trains_resumes_and_begins_from_another_run(tmp_path, monkeypatch, cache):
    monkeypatch.chdir(tmp_path)
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in SMALL.items()]
    command = ["--algo", "q", "--net", "mlp", "--env", "hanabi-very-small", "--no-anneal-lr", *flags]
    rl.train.main([*command, "--steps", "1600", "--prior", "uniform"])
    rl.train.main([*command, "--steps", "800", "--prior", "uniform"])
    whole, resumed = sorted(Path("runs/checkpoints").glob("*"), key=lambda folder: folder.stat().st_ctime)
    rl.train.main(["--resume", resumed.name, "--steps", "1600"])
    (expected, info), (got, _) = (load_checkpoint(folder / "seed-1") for folder in (whole, resumed))
    assert info["steps"] == 1600
    assert all(np.array_equal(array, got[name]) for name, array in expected.items() if name.startswith("replay"))
    rl.train.main([*command, "--steps", "400", "--prior", "none", "--init-from", whole.name])


def test_waiting_players_need_a_net_without_memory():
    with pytest.raises(UserError, match="--vdn"):
        learner(net="publ-lstm", vdn=True)
