"""The prior at the levels hand and full: keys, what is asked when, exact continuation, the command line."""

import json
import logging
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rl.train
import rl.train_deep
import rl.train_setup
from envs.base import make_game
from envs.hanabi import make_hanabi, preset
from envs.hanabi_texts import HanabiTexts
from envs.hanabi_view import view, view_text
from prior.backends.scripted import ScriptedBackend
from prior.base import Prior
from prior.lazy import LazyPriorTable
from rl.checkpoint import load_checkpoint, save_checkpoint
from rl.config import DeepQRun, PPORun
from rl.deep_q import DeepQ
from rl.distributed import World
from rl.ppo import PPO
from rl.weights import load_policy
from schemas.config import PriorConfig
from schemas.errors import UserError


def moments(name, games, moves, seed):
    """Random games: (obs uint8[moves, games, D], obs_key int32[moves, games], what the engine says of each)."""
    env, rng = make_hanabi(name, games), np.random.default_rng(seed)
    step, obs, keys, views = env.reset(seed), [], [], []
    for _ in range(moves):
        obs.append(step.obs.copy())
        keys.append(step.obs_key.copy())
        views += [view(env, i, int(step.obs_key[i])) for i in range(games)]
        step = env.step(np.where(step.legal, rng.random(step.legal.shape), -1).argmax(1))
    return np.array(obs), np.array(keys), views


def lazy(name="hanabi-mini", **changes):
    """Return a lazy table with the scripted model `hash`, and the listed table of last moves that it begins with."""
    config = PriorConfig(**{"level": "hand", "backend": "scripted", "model": "hash", "instruction": "play", **changes})
    game = make_game(name)
    listed = Prior(config.model_copy(update={"level": "last-move"}), game).table().log_probs
    return LazyPriorTable(config, game, listed, "play"), listed


@pytest.fixture
def asked(monkeypatch):
    """Every prompt that the scripted model is asked."""
    prompts, score = [], ScriptedBackend.score
    monkeypatch.setattr(ScriptedBackend, "score", lambda self, p, c: prompts.extend(p) or score(self, p, c))
    return prompts


@settings(max_examples=8, deadline=None)
@given(
    st.sampled_from(["hanabi", "hanabi-mini", "hanabi-small", "hanabi-very-small"]),
    st.sampled_from(["last-move", "hand", "full"]),
    st.integers(0, 1000),
)
def test_keys_are_equal_exactly_if_texts_are(name, level, seed):
    obs, obs_key, views = moments(name, 8, 30, seed)
    texts = HanabiTexts(preset(name), level)
    keys = texts.keys(obs, obs_key).ravel().tolist()
    written = [texts.text(o, int(k)) for o, k in zip(obs.reshape(len(keys), -1), obs_key.ravel(), strict=True)]
    assert written == [view_text(seen, level) for seen in views]  # what the state of the engine says
    assert len(set(keys)) == len(set(written)) == len(set(zip(keys, written, strict=True)))
    if level != "full" and name == "hanabi-very-small":
        assert len(set(keys)) < len(keys)


@pytest.mark.parametrize("texts_per_update", [1, 7, 10_000])
def test_the_most_frequent_unknown_texts_are_asked_and_the_rest_is_counted(texts_per_update, cache, asked):
    table, listed = lazy(texts_per_update=texts_per_update)
    obs, obs_key, views = moments("hanabi-mini", 8, 30, 1)
    texts = [view_text(seen, "hand") for seen in views]
    del asked[:]
    known = set()
    for update in range(3):
        unknown = Counter(text for text in texts if text not in known)
        chosen = dict(unknown.most_common(texts_per_update))  # in the order of appearance among equals
        known |= set(chosen)
        metrics = table.refresh(obs, obs_key)
        assert metrics["train/prior_coarse_share"] == pytest.approx(sum(text not in known for text in texts) / 240)
        assert metrics["train/prior_texts"] == len(known) == len(asked)
        assert update or all(prompt.endswith(f"{t}\nCall: ") for prompt, t in zip(asked, chosen, strict=True))
        rows = table.rows(obs, obs_key).ravel()
        assert [row >= len(listed) for row in rows] == [text in known for text in texts]
        coarse = rows < len(listed)
        assert (rows[coarse] == obs_key.ravel()[coarse]).all()


def test_a_full_text_that_is_not_known_has_the_row_of_its_hand_and_else_of_its_last_move(cache):
    table, listed = lazy(level="full", texts_per_update=20)
    obs, obs_key, views = moments("hanabi-mini", 8, 30, 1)
    metrics = table.refresh(obs, obs_key)
    rows = table.rows(obs, obs_key).ravel()
    by_level = {level: [view_text(seen, level) for seen in views] for level in ("hand", "full")}
    asked = {level: [t for t, _ in Counter(texts).most_common(10)] for level, texts in by_level.items()}
    known = {level: np.array([t in asked[level] for t in texts]) for level, texts in by_level.items()}
    prior = Prior(PriorConfig(backend="scripted", model="hash"), make_game("hanabi-mini"))

    def row(level, i):
        legal = np.ones((1, len(prior.game.actions)), np.bool_)
        return prior.finish(prior.method.scores("play", [by_level[level][i]], legal), legal, None)[0]

    for i in np.flatnonzero(known["full"])[:5]:
        np.testing.assert_allclose(table.log_probs[rows[i]], row("full", i), rtol=1e-6)
    hand_only = np.flatnonzero(known["hand"] & ~known["full"])
    assert len(hand_only)
    for i in hand_only[:5]:
        np.testing.assert_allclose(table.log_probs[rows[i]], row("hand", i), rtol=1e-6)
    neither = ~known["hand"] & ~known["full"]
    assert neither.any() and (rows[neither] == obs_key.ravel()[neither]).all() and (rows[~neither] >= len(listed)).all()
    assert metrics["train/prior_coarse_share"] == pytest.approx((~known["full"]).mean())
    assert metrics["train/prior_last_move_share"] == pytest.approx(neither.mean())


def test_a_row_is_what_the_model_says_of_its_text(cache):
    table, _ = lazy(texts_per_update=5, epsilon=0.1, beta=2.0)
    obs, obs_key, views = moments("hanabi-mini", 4, 20, 2)
    table.refresh(obs, obs_key)
    rows = table.rows(obs, obs_key).ravel()
    prior = Prior(PriorConfig(backend="scripted", model="hash", epsilon=0.1, beta=2.0), make_game("hanabi-mini"))
    fine = np.flatnonzero(rows >= len(prior.game.observations))
    assert len(fine) >= 5
    for i in fine:
        legal = np.ones((1, len(prior.game.actions)), np.bool_)
        raw = prior.method.scores("play", [view_text(views[i], "hand")], legal)
        np.testing.assert_allclose(table.log_probs[rows[i]], prior.finish(raw, legal, None)[0], rtol=1e-6)


@pytest.mark.parametrize("calibration", ["none", "null", "null-observation", "null-instruction"])
@pytest.mark.parametrize("method", ["structured", "yes-no"])
def test_last_moves_that_are_asked_lazily_get_their_rows_of_the_listed_table(method, calibration, cache):
    table, listed = lazy(level="last-move", method=method, calibration=calibration, texts_per_update=1000)
    obs, obs_key, _ = moments("hanabi-mini", 8, 30, 3)
    table.refresh(obs, obs_key)
    rows = table.rows(obs, obs_key)
    assert (rows >= len(listed)).all()
    np.testing.assert_allclose(table.log_probs[rows], listed[obs_key], rtol=1e-6)


def test_where_the_prior_has_no_say_nothing_is_asked_or_counted(cache):
    table, _ = lazy()
    obs, obs_key, _ = moments("hanabi-mini", 2, 10, 0)
    silent = np.full_like(obs_key, -1)
    assert table.refresh(obs, silent) == {"train/prior_coarse_share": 0.0, "train/prior_texts": 0.0}
    table.refresh(obs, obs_key)
    assert (table.rows(obs, silent) == -1).all()


def test_answers_on_disk_are_not_asked_again(cache, asked, caplog):
    obs, obs_key, _ = moments("hanabi-mini", 8, 30, 4)
    first, _ = lazy(texts_per_update=10)
    first.refresh(obs, obs_key)
    first.refresh(obs, obs_key)
    del asked[:]
    second, _ = lazy(texts_per_update=20)  # other batches of the same texts
    second.refresh(obs, obs_key)
    assert not asked
    assert np.array_equal(first.log_probs[first.rows(obs, obs_key)], second.log_probs[second.rows(obs, obs_key)])
    broken = sorted(cache.glob("tables/*/*/meta.json"))
    broken[0].write_text("{")
    (broken[1].parent / json.loads(broken[1].read_text())["rows_file"]).write_bytes(b"?")
    third, _ = lazy(texts_per_update=20)
    with caplog.at_level(logging.WARNING):
        third.refresh(obs, obs_key)
    assert len(asked) == 20 and caplog.text.count("corrupt") >= 2
    assert np.array_equal(second.log_probs, third.log_probs)


@pytest.mark.filterwarnings("ignore:invalid value")
def test_a_failure_names_the_text(cache, monkeypatch):
    table, _ = lazy()
    score = ScriptedBackend.score

    def broken(self, prompts, candidates):
        rows = score(self, prompts, candidates)
        rows[-1][0].logprobs[:] = np.nan
        return rows

    monkeypatch.setattr(ScriptedBackend, "score", broken)
    obs, obs_key, _ = moments("hanabi-mini", 2, 10, 0)
    with pytest.raises(UserError, match=r"no finite probabilities for observation '.*My cards: A") as error:
        table.refresh(obs, obs_key)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("level", "engine", "algo"),
    [("hand", "numba", "ppo"), ("full", "numba", "ppo"), ("hand", "hle", "ppo"), ("full", "numba", "q")],
)
def test_a_restored_learner_continues_bit_by_bit(level, engine, algo, cache):
    def learner():
        env = make_hanabi("hanabi-mini", 8, engine=engine)
        table, _ = lazy(level=level, texts_per_update=9)
        sizes = {"num_envs": 8, "rollout": 8, "hidden": 16, "layers": 1}
        if algo == "ppo":
            config = PPORun(algo="ppo", env="hanabi-mini", steps=2000, ppo=sizes | {"minibatches": 2})
            return PPO(config, env, table, 1)
        q = sizes | {"warmup": 64, "batch_size": 32, "replay_size": 1000, "n_step": 1}
        return DeepQ(DeepQRun(algo="q", net="mlp", env="hanabi-mini", steps=2000, q=q), env, table, 1)

    def plain(metrics):
        return [{name: value for name, value in m.items() if "time" not in name} for m in metrics]

    whole = learner()
    before = plain(whole.train(3 * 64))
    arrays, info = whole.state()
    after = plain(whole.train(6 * 64))
    again = learner()
    again.restore(arrays, info)
    assert plain(again.train(6 * 64)) == after
    texts = [m["train/prior_texts"] for m in before + after]
    assert texts == sorted(texts) and texts[0] == 9 and texts[-1] > 27
    assert all(0 < m["train/prior_coarse_share"] < 1 for m in before + after)


@pytest.mark.parametrize("net", ["mlp", "publ-lstm"])
def test_instructq_obeys_the_rows_of_texts_and_its_checkpoint_plays_the_same(net, cache, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    flags = ["--algo", "q", "--net", net, "--env", "hanabi-mini", "--backend", "scripted", "--model", "hash"]
    flags += ["--level", "hand", "--num-envs", "16", "--hidden", "8", "--layers", "1", "--warmup", "64"]
    rl.train.main([*flags, "--lam", "1000", "--lam-end", "1000", "--steps", "1024", "--texts-per-update", "30"])
    (folder,) = (tmp_path / "runs/checkpoints").glob("*/seed-1")
    policy, info = load_policy(folder)
    assert info["lam"] == 1000
    arrays, _ = load_checkpoint(folder)
    listed = len(make_game("hanabi-mini").observations)
    obs, obs_key, _ = moments("hanabi-mini", 4, 30, 5)
    known = policy.prior.rows(obs, obs_key) >= listed
    assert known.any()
    env = make_hanabi("hanabi-mini", 40, autoreset=False)
    step, seat = env.reset(1), policy.sit(40, 0)
    fine = 0
    for _ in range(20):
        action = seat.act(step, np.arange(40))
        rows = policy.prior.rows(step.obs, step.obs_key)
        fine += int((rows >= listed).sum())
        prior = np.where(step.legal, arrays["log_prior"][rows], -np.inf)
        assert (np.take_along_axis(prior, action[:, None], 1)[:, 0] >= prior.max(1) - 0.01).all()
        step = env.step(action)
    assert fine


FLAGS = [
    *("--algo", "ppo", "--env", "hanabi-mini", "--backend", "scripted", "--model", "hash", "--level", "hand"),
    *("--num-envs", "32", "--rollout", "16", "--hidden", "16", "--minibatches", "2", "--steps", "4096"),
    *("--texts-per-update", "20"),
]


def test_the_command_line_trains_and_resumes_as_if_nothing_had_happened(cache, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    flags = [*FLAGS, "--seeds", "2", "--checkpoint-every", "2048"]
    rl.train.main([*flags, "--summary", "summary.json"])
    assert "level hand: up to 20 new texts" in capsys.readouterr().out
    run = json.loads((tmp_path / "summary.json").read_text())["mlflow_run_id"]

    def interrupted(folder, arrays, info):
        save_checkpoint(folder, arrays, info)
        if folder.name == "seed-2":
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(rl.train_deep, "save_checkpoint", interrupted)
        rl.train.main(flags)
    (other,) = (folder for folder in (tmp_path / "runs/checkpoints").iterdir() if folder.name != run)
    assert load_checkpoint(other / "seed-2")[1]["steps"] == 2048
    rl.train.main(["--resume", other.name])
    straight, info = load_checkpoint(other.parent / run / "seed-2")
    resumed, _ = load_checkpoint(other / "seed-2")
    assert info["steps"] == 4096 and len(straight["prior.keys"]) == 8 * 20
    assert all(np.array_equal(straight[name], resumed[name]) for name in straight)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--env", "say-select"], "--level hand: say-select has one level only; hanabi, "),
        (["--env", "say-select", "--algo", "q", "--net", "table"], "--level hand: say-select has one level only"),
        (["--prior", "uniform"], "--level hand: the prior uniform reads no such texts; structured, yes-no"),
        (["--prior", "convention", "--convention", "color.toml"], "--level hand: the prior convention reads no such"),
        (["--prior", "file", "--table", "t.json"], "--level hand: the prior file reads no such texts"),
        (["--prior", "none"], "--level hand: the prior none reads no such texts"),
        (["--prior", "yes-no", "--calibration", "batch"], "--level hand: --calibration batch needs the mean over all"),
        (["--compiled"], "--level hand: --compiled mixes with programs, which know last moves only"),
        (["--noise", "0.1"], "--level hand: --noise 0.1 is drawn for a table"),
        (["--texts-per-update", "0"], "--texts-per-update 0"),
        (["--level", "everything"], "--level"),
    ],
)
def test_bad_input_is_one_line(flags, message, cache, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as error:
        rl.train.main([*(("--level", "hand") if "--algo" in flags else FLAGS), *flags])
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_table_of_a_level_that_cannot_be_listed_is_refused(cache):
    with pytest.raises(UserError, match="--level full: its texts are too many to list, so there is no table of them"):
        Prior(PriorConfig(level="full", backend="scripted"), make_game("hanabi-mini")).table()


def test_several_processes_are_refused(monkeypatch):
    monkeypatch.setattr(World, "join", classmethod(lambda cls, device: cls(0, 2)))
    monkeypatch.setattr(World, "leave", lambda self: None)
    with pytest.raises(UserError, match="--level hand: texts are asked for by one process"):
        rl.train_setup.prepare(PPORun(prior=PriorConfig(level="hand")))
