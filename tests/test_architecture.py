"""The import rules of the design: schemas stand alone; learners know neither priors nor MLflow."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = {"schemas", "prior", "envs", "rl", "runs"}
BRINGS_TOGETHER = {"train.py", "train_common.py", "train_tabular.py", "train_deep.py", "train_setup.py", "evaluate.py"}


def imported(file):
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def files(room):
    return sorted((ROOT / room).rglob("*.py"))


@pytest.mark.parametrize("file", files("schemas"), ids=lambda f: f.name)
def test_schemas_import_no_other_room_and_no_model(file):
    assert not set(imported(file)) & (ROOMS - {"schemas"} | {"torch", "transformers", "mlflow"})


@pytest.mark.parametrize("file", files("rl"), ids=lambda f: f.name)
def test_learners_import_neither_priors_nor_mlflow(file):
    allowed = {"prior", "runs"} if file.name in BRINGS_TOGETHER else set()
    assert not set(imported(file)) & ({"prior", "mlflow", "runs"} - allowed)


@pytest.mark.parametrize("file", files("envs") + files("prior"), ids=lambda f: f"{f.parent.name}/{f.name}")
def test_games_and_priors_do_not_know_learners(file):
    assert "rl" not in set(imported(file))
    if file.parent.name == "envs":
        assert "prior" not in set(imported(file))


@pytest.mark.parametrize("file", [f for room in ROOMS for f in files(room)], ids=lambda f: f"{f.parent.name}/{f.name}")
def test_no_pickle(file):
    assert not set(imported(file)) & {"pickle", "joblib", "dill"}
