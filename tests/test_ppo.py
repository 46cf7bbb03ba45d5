"""InstructPPO: advantages, sequences, exact continuation, processes, and that instructions turn what is learned."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

import rl.train
from envs.convention import convention_prior
from envs.hanabi import make_hanabi, preset
from rl.checkpoint import load_checkpoint, save_checkpoint
from rl.config import PPORun
from rl.log_prior import FixedPrior
from rl.ppo import PPO
from rl.rollout import Rollout
from schemas.command_line import read_toml
from schemas.convention import Convention
from schemas.errors import StoreError, UserError

ROOT = Path(__file__).parents[1]
COLOR = ROOT / "runs/recipes/conventions/hanabi_color.toml"
SMALL = {"num_envs": 32, "rollout": 16, "hidden": 16, "layers": 1, "minibatches": 2}


def learner(seed=1, engine="numba", log_prior=None, env="hanabi-mini", **changes):
    run = {key: changes.pop(key) for key in ("net", "steps") if key in changes}
    config = PPORun(algo="ppo", env=env, ppo={**SMALL, **changes}, **run)
    prior = None if log_prior is None else FixedPrior(log_prior)
    return PPO(config, make_hanabi(env, config.ppo.num_envs, engine=engine), prior, seed)


def color_prior(env="hanabi-mini", epsilon=0.1):
    probs = convention_prior(read_toml(Convention, str(COLOR)), preset(env))
    return np.log((1 - epsilon) * probs + epsilon / probs.shape[1]).astype(np.float32)


def weights(ppo):
    return {name: value.clone() for name, value in ppo.network.state_dict().items()}


def test_advantages_are_discounted_sums_of_surprises():
    env = make_hanabi("hanabi-very-small", 3)
    rollout = Rollout.empty(6, env, 0, 0, torch.device("cpu"))
    random = np.random.default_rng(0)
    rollout.reward[:], rollout.value[:] = random.normal(size=(6, 3)), random.normal(size=(7, 3))
    rollout.done[:] = random.random((6, 3)) < 0.3
    found = rollout.advantages(0.9, 0.8)
    for b in range(3):
        for t in range(6):
            expected, weight = 0.0, 1.0
            for k in range(t, 6):
                going = 0.0 if rollout.done[k, b] else 0.9
                expected += weight * (rollout.reward[k, b] + going * rollout.value[k + 1, b] - rollout.value[k, b])
                weight *= going * 0.8
            assert found[t, b] == pytest.approx(expected, abs=1e-5)


def test_seat_sequences_hold_every_move_once_in_order():
    env = make_hanabi("hanabi-mini", 4)
    rollout = Rollout.empty(9, env, 0, 0, torch.device("cpu"))
    rollout.player[:] = np.random.default_rng(1).integers(0, 2, (9, 4))
    sequences = rollout.seat_sequences(2)
    assert sorted(sequences[sequences >= 0]) == list(range(36))
    for column, moves in enumerate(sequences.T):
        own = moves[moves >= 0]
        assert (np.diff(own) > 0).all()
        assert (own % 4 == column // 2).all()
        assert (rollout.player.ravel()[own] == column % 2).all()


@pytest.mark.parametrize(
    ("engine", "changes"),
    [("numba", {}), ("numba", {"critic": "hand"}), ("numba", {"net": "publ-lstm"}), ("hle", {"num_envs": 4})],
)
def test_a_restored_learner_continues_bit_by_bit(engine, changes):
    prior = color_prior()
    whole = learner(engine=engine, log_prior=prior, steps=10_000, **changes)
    size = whole._rollout.action.size
    list(whole.train(2 * size))
    arrays, info = whole.state()
    metrics = list(whole.train(4 * size))
    again = learner(engine=engine, log_prior=prior, steps=10_000, **changes)
    again.restore(arrays, info)
    for a, b in zip(metrics, again.train(4 * size), strict=True):
        assert {k: v for k, v in a.items() if "time" not in k} == {k: v for k, v in b.items() if "time" not in k}
    assert all(torch.equal(a, b) for a, b in zip(weights(whole).values(), weights(again).values(), strict=True))


def test_engines_train_the_same_network():
    nets = []
    for engine in ("numba", "hle"):
        ppo = learner(engine=engine, num_envs=6, precision="float32")
        list(ppo.train(300))
        nets.append(weights(ppo))
    assert all(torch.equal(nets[0][name], nets[1][name]) for name in nets[0])


def test_the_instruction_turns_what_is_learned():
    """After some thousand moves with a strong prior a hinted color is played; without the prior it is not."""
    shares = []
    for prior in (color_prior(), None):
        ppo = learner(log_prior=prior, lam=1.0, num_envs=128, rollout=32, hidden=64, lr=3e-3, steps=120_000)
        list(ppo.train(120_000))
        env = make_hanabi("hanabi-mini", 500)
        step, seat = env.reset(3), ppo.policy().sit(500, 0)
        obeyed = total = 0
        for _ in range(20):
            action = seat.act(step, np.arange(500))
            for key, move in zip(step.obs_key, action, strict=True):
                if env.game.observations[key].key.startswith("<(Reveal player +1 color"):
                    total += 1
                    obeyed += 5 <= move < 10
            step = env.step(action)
        shares.append(obeyed / max(1, total))
    assert shares[0] > 0.9
    assert shares[1] < 0.7


def test_a_loss_that_is_no_number_stops_the_training():
    ppo = learner(lr=1e30, max_grad_norm=1e30, precision="float32")
    with pytest.raises(UserError, match=r"training stopped at step \d+: \w+ is (nan|-?inf)"):
        list(ppo.train(100_000))


def command(*flags, cwd, module=("-m", "rl.train")):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    words = [sys.executable, *module, *flags]
    return subprocess.Popen(words, cwd=cwd, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


FLAGS = (
    *("--algo", "ppo", "--env", "hanabi-mini"),
    *("--prior", "convention", "--convention", str(COLOR), "--num-envs", "32", "--rollout", "16", "--hidden", "16"),
    *("--minibatches", "2", "--steps", "200000", "--checkpoint-every", "2000"),
)


def test_kill_9_then_resume_ends_as_if_nothing_had_happened(tmp_path, monkeypatch, cache):
    monkeypatch.chdir(tmp_path)
    process = command(*FLAGS, cwd=tmp_path)
    seen: set[int] = set()
    deadline = time.monotonic() + 300
    while len(seen) < 3 and time.monotonic() < deadline:
        seen |= {file.stat().st_mtime_ns for file in tmp_path.glob("runs/checkpoints/*/seed-1/state.safetensors")}
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    (folder,) = (tmp_path / "runs" / "checkpoints").iterdir()
    before = load_checkpoint(folder / "seed-1")[1]["steps"]
    assert 0 < before < 200_000
    rl.train.main(["--resume", folder.name])
    rl.train.main([*FLAGS])
    (other,) = (path for path in folder.parent.iterdir() if path != folder)
    (resumed, a), (straight, b) = load_checkpoint(folder / "seed-1"), load_checkpoint(other / "seed-1")
    assert a["steps"] == b["steps"] >= 200_000
    assert all(np.array_equal(resumed[name], straight[name]) for name in straight)


def test_two_processes_learn_what_one_learns(tmp_path, cache):
    """The same total batch: equal up to the order of floating-point sums."""
    flags = (*FLAGS[:-4], "--steps", "4096", "--checkpoint-every", "512", "--precision", "float32")
    found = []
    for processes in (1, 2):
        folder = tmp_path / str(processes)
        folder.mkdir()
        torchrun = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes), "-m", "rl.train")
        process = command(*flags, cwd=folder, module=torchrun)
        _, complaint = process.communicate(timeout=300)
        assert process.returncode == 0, complaint[-2000:]
        (file,) = folder.glob("runs/checkpoints/*/seed-1")
        found.append(load_checkpoint(file))
    (one, a), (two, b) = found
    assert a["steps"] == b["steps"] == 4096
    for name in one:
        if name.startswith(("network", "env")):
            np.testing.assert_allclose(one[name], two[name], atol=2e-4, err_msg=name)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--net", "table"], "--net table: ppo needs a network"),
        (["--env", "chess"], "--env: unknown game 'chess'"),
        (["--device", "cuda:0"], "sees no CUDA device"),
        (["--device", "toaster"], "--device toaster: no device"),
        (["--init-from", "gone"], "--init-from: no checkpoint of a run 'gone'"),
        (["--engine", "hle", "--env", "say-select"], "--engine hle: it plays Hanabi"),
        (["--critic", "hand", "--env", "say-select"], "--critic hand: say-select has no hidden hand"),
        (["--hidden", "0"], "--hidden 0"),
        (["--env", "say-select", "--net", "publ-lstm"], "--net publ-lstm: say-select's players"),
        (["--prior", "convention", "--convention", str(COLOR), "--epsilon", "0"], "--epsilon 0: the prior of some"),
        (["--lam-schedule", "halving", "--lam", "0", "--lam-end", "0.1"], "lam_end = 0.1 is more than lam = 0"),
        (
            ["--config", str(ROOT / "runs/recipes/hanabi_mini_q_plain.toml")],
            "--algo ppo: the file of --config is for q",
        ),
        (["--lr", "inf"], "finite"),
    ],
)
def test_bad_input_is_one_line(flags, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as error:
        rl.train.main(["--algo", "ppo", "--prior", "none", "--steps", "1000", *flags])
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "runs").exists()  # no run was begun


def test_a_network_of_another_size_is_refused(tmp_path, monkeypatch, cache):
    monkeypatch.chdir(tmp_path)
    tiny = ["--algo", "ppo", "--prior", "none", "--num-envs", "8", "--rollout", "8", "--steps", "64", "--hidden", "8"]
    rl.train.main([*tiny, "--env", "hanabi-mini"])
    (folder,) = (tmp_path / "runs" / "checkpoints").iterdir()
    with pytest.raises(UserError, match="is not the folder of a run, but of a seed"):
        rl.train.main(["--resume", str(folder / "seed-1")])
    for other in (["--env", "hanabi"], ["--env", "hanabi-mini", "--hidden", "16"], ["--net", "publ-lstm"]):
        with pytest.raises(UserError, match=r"--init-from .*: network\.\S+ (has shape|is missing)"):
            rl.train.main([*tiny, *other, "--init-from", folder.name])
    assert len(list(folder.parent.iterdir())) == 1  # no run was begun


@pytest.mark.parametrize(
    ("part", "change", "message"),
    [
        ("seed-1", lambda arrays, info: arrays.pop("random"), "seed-1 is not whole .KeyError: 'random'"),
        ("seed-1", lambda arrays, info: info.pop("steps"), "seed-1 is not whole .KeyError: 'steps'"),
        (
            "seed-1",
            lambda arrays, info: arrays["network.body.0.bias"].fill(np.nan),
            "network.body.0.bias holds a NaN",
        ),
        (".", lambda arrays, info: arrays.update(log_prior=arrays["log_prior"][:50]), "log_prior has shape .50, "),
        (".", lambda arrays, info: arrays.pop("log_prior"), "log_prior is missing"),
    ],
)
def test_a_checkpoint_that_lacks_something_is_refused(part, change, message, tmp_path, monkeypatch, cache):
    monkeypatch.chdir(tmp_path)
    flags = ["--prior", "convention", "--convention", str(COLOR), "--env", "hanabi-mini", "--hidden", "8"]
    rl.train.main(["--algo", "ppo", *flags, "--num-envs", "8", "--rollout", "8", "--steps", "64"])
    (folder,) = (tmp_path / "runs" / "checkpoints").iterdir()
    arrays, info = load_checkpoint(folder / part)
    change(arrays, info)
    save_checkpoint(folder / part, arrays, info)
    with pytest.raises((UserError, StoreError), match=message):
        rl.train.main(["--resume", folder.name, "--steps", "128"])


def test_a_run_says_what_its_convention_file_says(tmp_path, monkeypatch, cache, capsys):
    monkeypatch.chdir(tmp_path)
    rank = ROOT / "runs/recipes/conventions/hanabi_rank.toml"
    flags = ["--prior", "convention", "--convention", str(rank), "--env", "hanabi-mini", "--hidden", "8"]
    rl.train.main(["--algo", "ppo", *flags, "--num-envs", "8", "--rollout", "8", "--steps", "64"])
    assert "instruction: If my partner hints the rank" in capsys.readouterr().out
