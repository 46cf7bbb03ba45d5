"""Training end to end: the command, its evidence in MLflow, kill -9 and resume."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import mlflow
import pytest

import rl.train
from rl.evaluate import main as evaluate_main
from runs.compare import main as compare_main
from runs.compare import mean_interval
from schemas.errors import UserError

ROOT = Path(__file__).parents[1]
SCRIPTED = ["--prior", "structured", "--backend", "scripted"]


@pytest.fixture
def workdir(tmp_path, monkeypatch, cache):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def store():
    return mlflow.MlflowClient(f"sqlite:///{Path('runs/mlflow.db').resolve()}")


def train(*flags, summary="s.json"):
    rl.train.main([*SCRIPTED, "--summary", summary, *flags])
    return json.loads(Path(summary).read_text())


def command(*flags, **settings):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-m", "rl.train", *SCRIPTED, *flags], env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, **settings,
    )  # fmt: skip


def test_a_run_leaves_its_evidence(workdir, capsys):
    summary = train("--seeds", "2", "--steps", "20000", "--seed", "4")
    shown = capsys.readouterr().out
    assert "human policy in" in shown
    assert [entry["seed"] for entry in summary["seeds"]] == [4, 5]
    assert {"env", "algo", "prior", "backend", "model", "instruction", "lam", "beta", "train_seconds", "steps"} <= set(
        summary
    )
    client = store()
    parent = client.get_run(summary["mlflow_run_id"])
    assert parent.info.status == "FINISHED"
    assert parent.data.params["q.lam"] == "0.25"
    assert parent.data.tags["instruction"] == "I should select the same number as my partner."
    assert "version.torch" in parent.data.tags
    artifacts = {file.path for file in client.list_artifacts(summary["mlflow_run_id"])}
    expected = {"instruction.txt", "prior.json", "prior.png", "config.json", "conventions.png", "conventions.txt"}
    assert expected | {"summary.json"} <= artifacts
    experiment = client.get_experiment_by_name("say-select")
    children = client.search_runs(
        [experiment.experiment_id], f"tags.`mlflow.parentRunId` = '{summary['mlflow_run_id']}'"
    )
    assert len(children) == 2
    for child in children:
        steps = [m.step for m in client.get_metric_history(child.info.run_id, "eval/score")]
        assert steps == list(range(1000, 20001, 1000))
    compare_main([])
    assert summary["mlflow_run_id"][:8] in capsys.readouterr().out
    with pytest.raises(UserError, match="no run 'nope'"):
        compare_main(["nope"])
    compare_main(["--figure", "curves.png", "--curve", "eval/score"])
    assert (workdir / "curves.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(UserError, match=r"--curve train/nope: no run has such a metric; they have eval/.*score"):
        compare_main(["--figure", "curves.png", "--curve", "train/nope"])


def test_a_network_reports_the_human_policy_too(workdir, capsys):
    tiny = [
        "--num-envs",
        "8",
        "--rollout",
        "4",
        "--hidden",
        "8",
        "--replay-size",
        "800",
        "--steps",
        "64",
        "--warmup",
        "63",
    ]
    summary = train("--net", "mlp", "--env", "say-select", "--seeds", "2", "--lam", "100", *tiny)
    assert "human policy in 0 seeds" in capsys.readouterr().out
    metrics = store().get_run(summary["mlflow_run_id"]).data.metrics
    assert summary["human_policy_rate"] == metrics["final/human_policy_rate"] == 0
    assert metrics["final/adherence"] == pytest.approx(25 / 30)  # Bob always obeys, also where he should quit


def test_kill_9_then_resume_ends_as_if_nothing_had_happened(workdir):
    flags = ("--seeds", "4", "--steps", "200000", "--checkpoint-every", "5000")
    process = command(*flags, cwd=workdir)
    checkpoints = workdir / "runs" / "checkpoints"
    deadline = time.monotonic() + 300
    seen: set[int] = set()
    while len(seen) < 4 and time.monotonic() < deadline:  # the first is written before any training
        seen |= {file.stat().st_mtime_ns for file in checkpoints.glob("*/state.safetensors")}
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    (folder,) = checkpoints.iterdir()
    rl.train.main(["--resume", folder.name, "--summary", "resumed.json"])
    resumed = json.loads(Path("resumed.json").read_text())
    assert resumed["mlflow_run_id"] == folder.name
    assert store().get_run(folder.name).info.status == "FINISHED"
    assert resumed["seeds"] == train(*flags)["seeds"]
    with pytest.raises(UserError, match=r"--resume: the run keeps its own config; leave out --lam"):
        rl.train.main(["--resume", folder.name, "--lam", "0.25"])
    with pytest.raises(UserError, match="no checkpoint of a run 'gone'; known are"):
        rl.train.main(["--resume", "gone"])
    with pytest.raises(UserError, match="no checkpoint of a run ''"):
        rl.train.main(["--resume", ""])


def test_a_finished_run_can_be_extended_but_not_shortened(workdir):
    run = train("--seeds", "1", "--steps", "1000")["mlflow_run_id"]
    with pytest.raises(UserError, match="--steps 1050: a multiple"):
        rl.train.main(["--resume", run, "--steps", "1050"])
    with pytest.raises(UserError, match="--steps 500: the run has trained 1000 episodes already"):
        rl.train.main(["--resume", run, "--steps", "500"])
    rl.train.main(["--resume", run, "--steps", "50000", "--summary", "more.json"])
    more = json.loads(Path("more.json").read_text())
    assert more["steps"] == 50000
    assert more["seeds"] == train("--seeds", "1")["seeds"]
    evaluate_main([run, "--summary", "e.json"])
    assert json.loads(Path("e.json").read_text())["runs"][0]["seeds"] == more["seeds"]


def test_two_first_runs_at_once_share_a_new_store(workdir):
    flags = ("--seeds", "1", "--steps", "100")
    both = [command(*flags, cwd=workdir) for _ in range(2)]
    for process in both:
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
    (experiment,) = [e for e in store().search_experiments() if e.name == "say-select"]
    assert len(store().search_runs([experiment.experiment_id])) == 4


def test_prior_none_is_plain_q(workdir):
    summary = train("--prior", "none", "--seeds", "1", "--steps", "200")
    assert (summary["prior"], summary["backend"], summary["lam"]) == ("none", "none", 0.0)


BAD = [
    (["--env", "chess"], "--env: unknown game 'chess'; known are say-select"),
    (["--prior", "magic"], "invalid choice 'magic' for argument '--prior'. Expected one of"),
    (["--backend", "magic"], "invalid choice 'magic' for argument '--backend'"),
    (["--lambda", "3"], "unknown flag --lambda; did you mean --lam"),
    (["--lam", "-1"], "--lam -1.0: Input should be greater than or equal to 0"),
    (["--lam", "nan"], "--lam nan: Input should be"),
    (["--steps", "150"], "--steps 150: a multiple of eval_every = 100 is needed"),
    (["--instruction", "  "], "an empty instruction"),
    (["--backend", "transformers", "--model", "./gone"], "--model: ./gone does not exist"),
    (["--backend", "transformers", "--model", "gone.gguf"], "--model: gone.gguf does not exist"),
    (["--backend", "transformers", "--model", "."], "is not a model folder; it has no config.json"),
    (["--backend", "transformers", "--model", "someone/no-such-model"], "is not in the hub's local cache"),
    (["--backend", "transformers", "--model", "broken.gguf"], "cannot be read as a GGUF model"),
    (["--backend", "transformers", "--model", "gpt5"], "--model: unknown model 'gpt5'; known are smollm2-135m"),
    (["--config", "gone.toml"], "--config: cannot read 'gone.toml'"),
    (["--config", "typo.toml"], "typo.toml: unknown key prior.methd; known are method, backend"),
    (["--config", "value.toml"], "value.toml: q.lam = -3: Input should be greater than or equal to 0"),
    (["--config", "syntax.toml"], "syntax.toml: not valid TOML"),
    (["--tracking-uri", "sqlite:////proc/none/mlflow.db", "--steps", "100"], "--tracking-uri: cannot write to /proc"),
    (["--tracking-uri", "sqlite:///broken.db", "--steps", "100"], "--tracking-uri: cannot use"),
    (["--resume", "gone"], "--resume: no checkpoint of a run 'gone'; runs/checkpoints has none"),
]


@pytest.mark.parametrize(("flags", "complaint"), BAD, ids=[" ".join(flags) for flags, _ in BAD])
def test_bad_input_is_one_line(workdir, flags, complaint):
    Path("typo.toml").write_text('[prior]\nmethd = "structured"\n')
    Path("value.toml").write_text("[q]\nlam = -3\n")
    Path("syntax.toml").write_text("q = [\n")
    Path("broken.db").write_bytes(b"this is no database" * 100)
    Path("broken.gguf").write_bytes(b"GGUF" + bytes(100))
    first = [] if "--config" in flags or "--resume" in flags else SCRIPTED
    with pytest.raises(UserError) as caught:
        rl.train.main([*first, *flags])
    message = str(caught.value)
    assert complaint in message
    assert "\n" not in message


def test_a_user_sees_one_line_and_exit_code_2(workdir):
    process = command("--lam", "-1", cwd=workdir)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert (out, err) == ("", "error: --lam -1.0: Input should be greater than or equal to 0\n")
    assert not (workdir / "runs").exists()


def test_intervals():
    mean, low, high = mean_interval([1.0] * 10, rate=True)
    assert (mean, high) == (1.0, pytest.approx(1.0))
    assert low == pytest.approx(0.7225, abs=1e-3)  # Wilson, 10 of 10
    mean, low, high = mean_interval([0.0, 0.25, 0.5, 0.75, 1.0])
    assert low < mean == 0.5 < high
