"""Every recipe is one that the training command takes, and those of the full game train."""

import json
import tomllib
from pathlib import Path

import pytest

import rl.evaluate
import rl.train
from schemas.command_line import read_toml

ROOT = Path(__file__).resolve().parents[1]
RECIPES = sorted((ROOT / "runs/recipes").glob("*.toml"))
SMALL = {
    "ppo": ["--rollout", "8", "--minibatches", "2", "--steps", "128"],
    "q": ["--rollout", "4", "--batch-size", "64", "--warmup", "300", "--replay-size", "2000", "--steps", "512"],
}


def recipe(file):
    given = tomllib.loads(file.read_text())
    return given, read_toml(rl.train.run_class(given.get("algo"), given.get("net"), given.get("env")), file)


@pytest.mark.parametrize("file", RECIPES, ids=lambda file: file.stem)
def test_a_recipe_is_what_its_name_says(file):
    given, config = recipe(file)
    assert file.stem.startswith(config.env.replace("-", "_"))
    assert config.tracking.run_name
    if config.env != "say-select":
        arm = file.stem.rpartition("_")[2]
        plain = arm in ("plain", "control")
        assert plain == (config.prior.method == "none")
        assert plain or Path(given["prior"]["convention"]).stem == f"hanabi_{arm}"
        assert plain or (ROOT / given["prior"]["convention"]).is_file()


def test_both_games_have_a_recipe_for_every_learner_and_arm():
    games = [(env, algo) for env in ("hanabi", "hanabi_mini") for algo in ("ppo", "q")]
    assert {f"{env}_{algo}_{arm}" for env, algo in games for arm in ("plain", "color", "rank")} <= {
        file.stem for file in RECIPES
    }


@pytest.mark.parametrize("name", ["hanabi_ppo_color", "hanabi_q_rank"])
def test_a_recipe_of_the_full_game_trains(name, tmp_path, monkeypatch):
    given, _ = recipe(ROOT / f"runs/recipes/{name}.toml")
    monkeypatch.chdir(tmp_path)
    text = (ROOT / f"runs/recipes/{name}.toml").read_text().replace('"runs/recipes/', f'"{ROOT}/runs/recipes/')
    (tmp_path / "recipe.toml").write_text(text)
    flags = [*SMALL[given["algo"]], "--num-envs", "16", "--hidden", "16", "--summary", "summary.json"]
    rl.train.main(["--config", "recipe.toml", *flags])
    (entry,) = json.loads((tmp_path / "summary.json").read_text())["seeds"]
    assert entry["max_score"] == 25 and 0 <= entry["score"] <= 25


def test_the_partner_that_is_kept_plays_the_full_game(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rl.evaluate.main([str(ROOT / "runs/pretrained/hanabi_full_color"), "--games", "50", "--summary", "summary.json"])
    (group,) = json.loads((tmp_path / "summary.json").read_text())["groups"]
    assert group["name"] == "full InstructPPO color" and group["statistics"]["score"]["value"] > 17
