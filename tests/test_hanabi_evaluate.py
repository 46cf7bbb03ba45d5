"""`python -m rl.evaluate` on Hanabi runs: untrained networks in checkpoints as rl.train writes them."""

import json
from pathlib import Path

import mlflow
import numpy as np
import pytest
import torch

from envs.hanabi import make_hanabi
from rl.checkpoint import CHECKPOINTS, save_checkpoint
from rl.config import PPORun
from rl.evaluate import evaluate_policy, main
from rl.networks import make_network
from rl.policy import NetworkPolicy
from rl.weights import module_arrays
from runs.tracking import RunTracker
from schemas.errors import UserError

SMALL = ("--games", "40")


@pytest.fixture
def workdir(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def checkpoint(run, seeds=(1, 2, 3), env="hanabi-mini", prior="none", name=None, obs_size=None, **changes):
    """Write a run of untrained networks; weights follow from the seed. `changes`: of its config."""
    game = make_hanabi(env, 1)
    config = PPORun(env=env).model_dump(mode="json") | changes
    config["prior"]["method"] = prior
    info = {"config": config, "run_name": name or f"{env} {prior}", "run_id": run, "prior": None}
    prefers_first = np.tile(np.log(np.linspace(2, 1, len(game.game.actions)) / 100), (len(game.game.observations), 1))
    table = {} if prior == "none" else {"log_prior": prefers_first.astype(np.float32)}
    save_checkpoint(CHECKPOINTS / run, table, info)
    spec = {"kind": "mlp", "obs_size": obs_size or game.obs_size, "private_size": game.private_size, "hidden": 16}
    spec |= {"outputs": len(game.game.actions) + 1, "layers": 1}
    for seed in seeds:
        torch.manual_seed(seed)
        arrays = module_arrays("network", make_network(**spec))
        save_checkpoint(CHECKPOINTS / run / f"seed-{seed}", arrays, info | {"seed": seed, "steps": 0, "network": spec})


def evaluate(*argv):
    main([*argv, *SMALL, "--summary", "s.json"])
    return json.loads(Path("s.json").read_text())


def test_groups_matrices_bots_and_figures(workdir, capsys):
    checkpoint("plain")
    checkpoint("told", seeds=(1, 2), prior="convention")
    found = evaluate("plain", "told", "--partner", "color", "random", "--figures", "pictures")
    shown = capsys.readouterr().out
    assert [group["name"] for group in found["groups"]] == ["hanabi-mini none", "hanabi-mini convention"]
    assert [len(group["seeds"]) for group in found["groups"]] == [3, 2]
    assert np.shape(found["cross_play"]["scores"]) == (5, 5)
    # Seeds 1 and 2 of both runs have the same weights, so that cross-play between them is their self-play.
    scores = np.array(found["cross_play"]["scores"])
    assert scores[0, 3] == scores[0, 0] == scores[3, 3]
    assert [(entry["first"], entry["second"]) for entry in found["cross_play"]["groups"]] == [
        ("hanabi-mini none", "hanabi-mini none"),
        ("hanabi-mini none", "hanabi-mini convention"),
        ("hanabi-mini convention", "hanabi-mini convention"),
    ]
    plain, told = (group["statistics"] for group in found["groups"])
    assert {"response_color", "response_rank", "hint_color", "agreement_color", "kl_rank", "both_known"} <= set(plain)
    assert "kl_own" not in plain
    assert told["kl_own"]["value"] > 0
    seed = found["groups"][0]["seeds"][0]
    assert np.isclose(np.sum(seed["action_matrix"], axis=1), 1).any()
    assert seed["statistics"]["score"]["value"] == scores[0, 0]
    assert set(seed["partners"]) == {"color", "random"}
    assert found["groups"][0]["partners"]["color"]["score"] != found["groups"][0]["partners"]["random"]["score"]
    assert {file.name for file in Path("pictures").iterdir()} == {"actions.png", "knowledge.png", "cross_play.png"}
    for words in ("hanabi-mini none (3 seeds)", "with the bot random", "score of 9", "seeds of hanabi-mini convention"):
        assert words in shown
    assert evaluate("plain", "told", "--partner", "color", "random") == found
    assert evaluate("plain", "told", "--sample")["cross_play"] != found["cross_play"]


def test_one_seed_has_intervals_over_games_and_no_cross_play(workdir, capsys):
    checkpoint("plain")
    found = evaluate(str(CHECKPOINTS / "plain" / "seed-2"))
    assert found["groups"][0]["seeds"][0]["seed"] == 2
    assert found["groups"][0]["statistics"] == found["groups"][0]["seeds"][0]["statistics"]
    assert found["cross_play"]["groups"] == []
    assert "cross-play" not in capsys.readouterr().out


def test_runs_of_one_configuration_are_one_group_and_others_are_told_apart(workdir):
    checkpoint("a", seeds=(1, 2))
    checkpoint("b", seeds=(3,), seed=3)
    checkpoint("c", seeds=(1,), steps=5)
    found = evaluate("a", "b", "c")
    names = {group["name"]: [seed["seed"] for seed in group["seeds"]] for group in found["groups"]}
    assert names == {"hanabi-mini none": [1, 2, 3], "hanabi-mini none #2": [1]}


def test_a_lost_prior_is_noted(workdir, capsys):
    checkpoint("told", seeds=(1,), prior="convention")
    (CHECKPOINTS / "told" / "state.safetensors").unlink()
    found = evaluate(str(CHECKPOINTS / "told" / "seed-1"))
    assert "agreement_own" not in found["groups"][0]["statistics"]
    (note,) = found["notes"]
    assert "told does not hold its own prior" in note
    assert f"note: {note}" in capsys.readouterr().out


def test_q_values_have_no_divergence(workdir):
    checkpoint("q", seeds=(1,), algo="q")
    statistics = evaluate("q")["groups"][0]["statistics"]
    assert "agreement_color" in statistics
    assert not [name for name in statistics if name.startswith("kl_")]


def test_results_are_added_to_the_run(workdir):
    uri = "sqlite:///runs/mlflow.db"
    tracker = RunTracker(uri, "hanabi-mini", "plain", [1, 2])
    tracker.finish("KILLED")
    checkpoint(tracker.run_id, seeds=(1, 2))
    found = evaluate(tracker.run_id, "--log", "--partner", "color")
    client = mlflow.MlflowClient(f"sqlite:///{Path('runs/mlflow.db').resolve()}")
    assert client.get_run(tracker.run_id).info.status == "KILLED"
    files = {file.path for file in client.list_artifacts(tracker.run_id, "evaluation")}
    names = ("summary.json", "evaluation.txt", "actions.png", "knowledge.png", "cross_play.png")
    assert files == {f"evaluation/{name}" for name in names}
    for seed, entry in zip((1, 2), found["groups"][0]["seeds"], strict=True):
        metrics = client.get_run(tracker.children[seed]).data.metrics
        assert metrics["evaluation/score"] == entry["statistics"]["score"]["value"]
        assert metrics["evaluation/color/score"] == entry["partners"]["color"]["score"]["value"]


def test_the_entry_of_a_trained_seed():
    torch.manual_seed(0)
    game = make_hanabi("hanabi-mini", 1)
    network = make_network("mlp", game.obs_size, game.private_size, len(game.game.actions) + 1, 16, 1)
    entry = evaluate_policy("hanabi-mini", NetworkPolicy(network), 7)
    assert (entry["seed"], entry["max_score"]) == (7, 9.0)
    assert 0 <= entry["score"] <= 9
    assert 0 <= entry["bomb"] <= 1


def test_bad_input_is_one_line(workdir):
    checkpoint("mini")
    checkpoint("small", env="hanabi-small")
    checkpoint("narrow", seeds=(1,), obs_size=100)
    checkpoint("broken", seeds=(1,))
    checkpoint("young", seeds=())
    (CHECKPOINTS / "broken" / "seed-1" / "state.safetensors").write_bytes(b"junk")
    Path("bad.toml").write_text("name = 3")
    bad = [
        (["mini", "small"], "mini plays hanabi-mini and .*small plays hanabi-small; only runs of one game"),
        (["narrow"], "its network reads 100 features, hanabi-mini shows 278"),
        (["broken"], r"broken/seed-1/state.safetensors cannot be read"),
        (["young"], "young holds no network"),
        (["gone"], "RUN: no checkpoint of a run 'gone'; known are"),
        (["mini", "mini"], "mini/seed-1 is the same seed of the same configuration"),
        (["mini", "--partner", "hanabi"], "--partner: 'hanabi'; known are random, color, rank, or"),
        (["mini", "--partner", "gone.toml"], "--partner: cannot read 'gone.toml'"),
        (["mini", "--partner", "bad.toml"], "bad.toml: name = 3"),
        (["mini", "--figure", "x.png"], "--figure: .* --figures DIR"),
        (["mini", "--games", "1"], "--games 1: Input should be greater than or equal to 2"),
        (["mini", "--games", "2", "--figures", "/proc/none"], "cannot write /proc/none"),
        (["mini", "--games", "2", "--log"], "does not exist; train a run first"),
        ([], "RUN: name at least one"),
    ]
    for argv, complaint in bad:
        with pytest.raises(UserError, match=complaint) as error:
            main(argv)
        assert "\n" not in str(error.value)
