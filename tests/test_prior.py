import json
import logging
import multiprocessing
import os
import re
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs.base import make_game
from prior.base import Prior
from prior.calibration import calibrated, coarsened, flipped, normalized, sharpened
from prior.compare import main as compare_main
from prior.diagnose import ambiguous, compare_styles, mean_kl, paraphrase_spread, top_accuracy
from prior.inspect import main as inspect_main
from prior.table import main as table_main
from prior.table import raw_table
from prior.yes_no import YesNo
from schemas.config import PriorConfig
from schemas.errors import ModelError, UserError

GAME = make_game("say-select")


def scripted(script="copy", **settings):
    return Prior(PriorConfig(backend="scripted", model=script, **settings), GAME)


@given(
    st.lists(st.lists(st.floats(-40, 0), min_size=4, max_size=4), min_size=1, max_size=5),
    st.floats(0.1, 5),
    st.floats(0.001, 1),
    st.integers(1, 15),
)
def test_sharpening_keeps_the_support_and_bounds_the_logarithms(rows, beta, epsilon, mask):
    legal = np.tile([bool(mask >> i & 1) for i in range(4)], (len(rows), 1))
    scores = normalized(np.where(legal, np.array(rows), -np.inf))
    out = sharpened(scores, legal, beta, epsilon)
    assert np.allclose(np.exp(out).sum(axis=1), 1, atol=1e-9)
    assert (np.isfinite(out) == legal).all()
    assert out[legal].min() >= np.log(epsilon / legal[0].sum()) - 1e-9
    order = [3, 1, 0, 2]
    assert np.allclose(sharpened(scores[:, order], legal[:, order], beta, epsilon), out[:, order])


def test_calibration_removes_what_the_null_says():
    legal = np.ones((1, 3), bool)
    null = np.log([0.6, 0.3, 0.1])
    assert np.allclose(np.exp(calibrated(null[None], null, legal)), 1 / 3)


def test_a_table_meets_the_contract_and_beta_and_epsilon_apply(cache):
    table = scripted(epsilon=0.12).table()
    assert table.log_probs.dtype == np.float32
    assert np.abs(table.probs.sum(axis=1) - 1).max() < 1e-6
    assert table.probs[2].argmax() == 2
    assert np.isclose(table.probs[2, 2], 0.88 * 0.9 + 0.02, atol=1e-6)
    assert scripted(beta=3.0).table().probs[2, 2] > scripted().table().probs[2, 2]
    flat = Prior(PriorConfig(method="uniform"), GAME).table()
    assert np.allclose(flat.probs, 1 / 6)


def test_a_failing_model_is_an_error_never_a_uniform_row(cache):
    with pytest.raises(ModelError, match="fails on this prompt"):
        scripted("fail").table()
    with pytest.raises(ModelError, match="unknown script 'nope'; known are copy"):
        scripted("nope")
    with pytest.raises(UserError, match="none means no prior"):
        Prior(PriorConfig(method="none"), GAME)


def test_controls_tell_a_follower_from_a_copier(cache):
    for script, follows in (("copy", False), ("follow", True)):
        prior = scripted(script)
        told = [(control, prior.table(control.instruction)) for control in GAME.controls]
        accuracy = [top_accuracy(table, control) for control, table in told]
        assert accuracy[0] == 1.0
        assert all(a == 1.0 for a in accuracy[1:]) == follows
        moved = [mean_kl(told[0][1].probs, table.probs) for _, table in told[1:]]
        assert all(m > 0.5 for m in moved) == follows
        null = prior.table("")
        assert (top_accuracy(null, GAME.controls[0]) == 1.0) == (not follows)


class Asked:
    """An `ask` that counts, and fails at a given row."""

    def __init__(self, fail_at=None):
        self.rows, self.fail_at = [], fail_at

    def __call__(self, rows):
        if self.fail_at is not None and max(rows) >= self.fail_at:
            raise ModelError("stop")
        self.rows += rows
        return np.array([[row, -row] for row in rows], dtype=np.float64)


EXPECTED = np.array([[row, -row] for row in range(200)], dtype=np.float64)


def test_finished_rows_are_never_asked_again(cache):
    first, second, third = Asked(fail_at=130), Asked(), Asked()
    with pytest.raises(ModelError):
        raw_table({"a": 1}, 200, 2, first)
    assert np.array_equal(raw_table({"a": 1}, 200, 2, second), EXPECTED)
    assert sorted(first.rows + second.rows) == list(range(200))
    assert np.array_equal(raw_table({"a": 1}, 200, 2, third), EXPECTED)
    assert third.rows == []
    raw_table({"a": 2}, 200, 2, third)
    assert len(third.rows) == 200  # another identity is another table


@pytest.mark.parametrize("damage", ["flip", "truncate", "meta", "missing"])
def test_a_corrupt_entry_is_rebuilt_with_a_warning(cache, caplog, damage):
    raw_table({"a": 1}, 200, 2, Asked())
    (meta,) = cache.glob("tables/*/meta.json")
    (rows,) = cache.glob("tables/*/rows-*.safetensors")
    data = bytearray(rows.read_bytes())
    if damage == "flip":
        data[-9] ^= 1
        rows.write_bytes(data)
    elif damage == "truncate":
        rows.write_bytes(data[:100])
    elif damage == "meta":
        meta.write_text("{")
    else:
        rows.unlink()
    again = Asked()
    with caplog.at_level(logging.WARNING):
        assert np.array_equal(raw_table({"a": 1}, 200, 2, again), EXPECTED)
    assert len(again.rows) == 200
    assert "corrupt" in caplog.text
    assert "rebuilding" in caplog.text


def _build_slowly(log, delay):
    def ask(rows):
        time.sleep(delay)
        with log.open("a") as file:
            file.writelines(f"{row}\n" for row in rows)
        return np.array([[row, -row] for row in rows], dtype=np.float64)

    raw_table({"slow": 1}, 200, 2, ask)


def test_kill_9_and_two_builders_at_once(cache, tmp_path):
    context = multiprocessing.get_context("fork")
    log = tmp_path / "asked.txt"
    victim = context.Process(target=_build_slowly, args=(log, 0.3))
    victim.start()
    while not log.exists() or len(log.read_text().split()) < 128:
        time.sleep(0.01)
    os.kill(victim.pid, signal.SIGKILL)
    victim.join()
    assert json.loads(next(cache.glob("tables/*/meta.json")).read_text())["rows_done"] >= 64
    builders = [context.Process(target=_build_slowly, args=(log, 0.05)) for _ in range(2)]
    for builder in builders:
        builder.start()
    for builder in builders:
        builder.join()
        assert builder.exitcode == 0
    asked = [int(row) for row in log.read_text().split()]
    assert set(asked) == set(range(200))
    assert len(asked) <= 328  # what the kill caught unsaved may be asked twice, nothing else
    untouched = Asked()
    assert np.array_equal(raw_table({"slow": 1}, 200, 2, untouched), EXPECTED)
    assert untouched.rows == []


def test_inspect_writes_its_summary_and_figure(cache, tmp_path, capsys):
    summary, figure = tmp_path / "s.json", tmp_path / "p.png"
    argv = ["--backend", "scripted", "--summary", str(summary), "--figure", str(figure), "--samples", "50"]
    inspect_main(argv)
    shown = capsys.readouterr().out
    assert "a habit, not obedience" in shown
    data = json.loads(summary.read_text())
    assert data["actions"] == GAME.action_names
    assert [o["key"] for o in data["observations"]] == [f"said={k}" for k in range(1, 6)]
    assert np.allclose(np.sum(data["probabilities"], axis=1), 1)
    assert data["exact"] is True
    assert data["top1_accuracy"] == 1.0
    assert data["null_instruction"]["top1_accuracy"] == 1.0
    assert [c["top1_accuracy"] for c in data["controls"]] == [0.2, 0.0, 0.0]
    assert np.argmax(data["sampled"][1]) == 1
    assert figure.read_bytes().startswith(b"\x89PNG")


def test_a_table_survives_export_and_import(cache, tmp_path):
    told = scripted("hash").table()
    for name in ("t.json", "t.csv"):
        file = tmp_path / name
        table_main(["export", str(file), "--backend", "scripted", "--model", "hash"])
        table_main(["import", str(file)])
        again = Prior(PriorConfig(method="file", table=file, epsilon=0.0), GAME).table()
        assert np.allclose(again.probs, told.probs, atol=1e-6)
    data = json.loads((tmp_path / "t.json").read_text())
    probabilities = data["probabilities"]
    broken = {
        "1 observations of say-select are missing, first 'said=2'": {
            k: v for k, v in probabilities.items() if "2" not in k
        },
        "'said=9' is no observation": {**probabilities, "said=9": probabilities["said=1"]},
        "action 'fly()': no action of say-select": {**probabilities, "said=1": {"fly()": 1.0}},
        "a number from 0 to 1 is needed": {**probabilities, "said=1": {"quit()": "much"}},
        "its probabilities sum to 0.5": {**probabilities, "said=1": {"quit()": 0.5}},
    }
    for complaint, rows in broken.items():
        (tmp_path / "b.json").write_text(json.dumps({"probabilities": rows}))
        with pytest.raises(UserError, match=re.escape(complaint)):
            table_main(["import", str(tmp_path / "b.json")])
    (tmp_path / "other.json").write_text(json.dumps(data | {"metadata": {"game": "hanabi"}}))
    with pytest.raises(UserError, match="a table of hanabi, not of say-select"):
        table_main(["import", str(tmp_path / "other.json")])
    with pytest.raises(UserError, match="--prior file: name the table"):
        Prior(PriorConfig(method="file"), GAME)
    with pytest.raises(UserError, match=r"ends neither in .json nor in .csv"):
        table_main(["import", str(tmp_path / "t.txt")])


def test_compare_names_what_moved(cache, tmp_path, capsys):
    table_main(["export", str(tmp_path / "a.json"), "--backend", "scripted"])
    (tmp_path / "b.toml").write_text(
        'env = "say-select"\n[prior]\nbackend = "scripted"\nmodel = "follow"\n'
        'instruction = "I should always select 4."\n'
    )
    summary = tmp_path / "s.json"
    figure = ["--figure", str(tmp_path / "c.png")]
    compare_main([str(tmp_path / "a.json"), str(tmp_path / "b.toml"), "--summary", str(summary), *figure])
    data = json.loads(summary.read_text())
    assert data["flipped"] == 4
    assert data["kl"][3] == pytest.approx(0, abs=1e-6)
    assert min(data["kl"][:3]) > 1
    assert "said=1: KL" in capsys.readouterr().out


def test_diagnostics_of_a_follower_and_of_a_guesser(cache, tmp_path, capsys):
    spread = paraphrase_spread(scripted("follow"), [c.instruction for c in GAME.controls])
    assert np.diag(spread) == pytest.approx(0)
    assert spread[~np.eye(len(spread), dtype=bool)].min() > 0.5
    assert ambiguous(GAME, scripted("copy").table().probs) == []
    assert len(ambiguous(GAME, Prior(PriorConfig(method="uniform"), GAME).table().probs)) == 5
    styles = {row["method"]: row for row in compare_styles(PriorConfig(backend="scripted"), GAME)}
    assert set(styles) == {"structured", "likelihood", "yes-no", "verbalized"}
    assert styles["structured"]["top1_accuracy"] == 1.0
    assert not styles["verbalized"].get("exact", False)


def test_coarse_and_noisy_priors():
    legal = np.ones((2, 4), bool)
    scores = np.log([[0.5, 0.3, 0.15, 0.05], [0.1, 0.2, 0.3, 0.4]])
    assert np.allclose(np.exp(coarsened(scores, legal, "top-1")), [[1, 0, 0, 0], [0, 0, 0, 1]])
    assert np.allclose(np.exp(coarsened(scores, legal, "top-3"))[0], [0.5 / 0.95, 0.3 / 0.95, 0.15 / 0.95, 0])
    binary = np.exp(coarsened(scores, legal, "binary"))
    assert np.allclose(binary[0] / binary[0, 2], [np.e, np.e, 1, 1])
    assert coarsened(scores, legal, "full") is scores
    assert np.allclose(np.exp(flipped(scores, legal, 1.0, 0))[1], [0.4, 0.3, 0.2, 0.1])
    assert flipped(scores, legal, 0.0, 0) is scores
    some = [(flipped(np.log(binary), legal, 0.5, seed) != np.log(binary)).any() for seed in range(20)]
    assert any(some)
    assert np.array_equal(flipped(scores, legal, 0.5, 3), flipped(scores, legal, 0.5, 3))


def test_yes_no_is_calibrated_and_thresholded(cache):
    plain = scripted("copy", method="yes-no")
    assert np.allclose(plain.table().probs, 1 / 6)  # the script copies numbers, and " Yes" is none
    with pytest.raises(UserError, match="--calibration batch: it calibrates yes-no questions"):
        scripted("copy", calibration="batch")
    config = PriorConfig(method="yes-no", calibration="batch", coarse="binary")
    odds = np.array([[5.0, 1.0, 3.0], [4.0, 2.0, 6.0]])
    found = np.exp(YesNo(GAME, scripted().method.backend, config).finish(odds, np.ones((2, 3), bool)))
    assert np.allclose(found[0] / found[0, 1], [np.e, 1, 1])  # above the mean odds of 3.5, and not
    assert np.allclose(found[1] / found[1, 1], [np.e, 1, np.e])


def test_a_large_table_streams_in_chunks_and_little_of_it_is_saving(cache):
    sizes = []

    def ask(rows):
        sizes.append(len(rows))
        return np.repeat(np.array(rows, dtype=np.float64)[:, None], 20, axis=1)

    table = raw_table({"large": 1}, 100_000, 20, ask)
    assert np.array_equal(table[:, 7], np.arange(100_000))
    assert max(sizes) <= 64


def test_a_convention_is_a_prior_for_hanabi(cache, tmp_path, capsys):
    recipes = Path(__file__).parents[1] / "runs" / "recipes" / "conventions"
    for kind, right in (("color", 0), ("rank", 1)):
        file = recipes / f"hanabi_{kind}.toml"
        summary, figure = tmp_path / f"{kind}.json", tmp_path / "h.png"
        argv = ["--env", "hanabi", "--prior", "convention", "--convention", str(file), "--epsilon", "0"]
        inspect_main([*argv, "--summary", str(summary), "--figure", str(figure)])
        data = json.loads(summary.read_text())
        assert len(data["observations"]) == 321
        table = Prior(PriorConfig(method="convention", convention=file, epsilon=0.0), make_game("hanabi")).table()
        assert top_accuracy(table, table.game.controls[right]) == 1.0
        assert top_accuracy(table, table.game.controls[1 - right]) < 0.5
    assert "and 281 more observations" in capsys.readouterr().out
    with pytest.raises(UserError, match=r"hanabi_rank.toml: .*rules\.0"):
        Prior(PriorConfig(method="convention", convention=file), GAME)
    with pytest.raises(UserError, match="--convention: cannot read"):
        Prior(PriorConfig(method="convention", convention=tmp_path / "gone.toml"), make_game("hanabi"))
