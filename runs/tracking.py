"""RunTracker: evidence of a run in MLflow, buffered, a parent run with one child a seed."""

import logging
import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from prior.cache import locked
from schemas.errors import StoreError

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("DO_NOT_TRACK", "true")

PACKAGES = (
    "torch",
    "transformers",
    "outlines",
    "pydantic",
    "mlflow",
    "numba",
    "numpy",
    "hanabi-learning-environment",
)
_BATCH = 1000  # MLflow's limit for one log_batch
_PARAM_LENGTH = 6000


class RunTracker:
    """One run of several seeds. Metrics are buffered and written in batches; `finish` or an error closes the run."""

    def __init__(self, uri: str, experiment: str, run_name: str, seeds: Sequence[int], resume: str | None = None):
        """Open the store and the parent run, or continue the parent run with id `resume`.

        Raises StoreError, in one line, if the store cannot be opened or written.
        """
        self._errors = _store_errors()
        self._buffer: dict[str, list[Any]] = {}
        try:
            with _creating(uri):
                self._client = _client(uri)
                self._experiment = self._experiment_id(uri, experiment)
            if resume:
                self.run_id = resume
                self._client.update_run(resume, status="RUNNING")
                self.children = self._find_children(seeds)
            else:
                self.run_id = self._create(run_name, {})
                self.children = {
                    seed: self._create(
                        f"{run_name} seed {seed}", {"mlflow.parentRunId": self.run_id, "seed": str(seed)}
                    )
                    for seed in seeds
                }
        except self._errors as error:
            raise StoreError(f"--tracking-uri: cannot use the MLflow store {uri} ({_reason(error)})") from None

    def _experiment_id(self, uri: str, name: str) -> str:
        found = self._client.get_experiment_by_name(name)
        if found is None:
            location = _artifact_location(uri)
            return self._client.create_experiment(name, artifact_location=location)
        return found.experiment_id

    def _create(self, name: str, tags: dict[str, str]) -> str:
        run = self._client.create_run(self._experiment, run_name=name, tags=tags)
        return str(run.info.run_id)

    def _find_children(self, seeds: Sequence[int]) -> dict[int, str]:
        children = _children(self._client, self.run_id)
        for seed in seeds:
            self._client.update_run(children[seed], status="RUNNING")
        return children

    def describe(self, params: dict[str, Any], tags: dict[str, str]) -> None:
        """Log the configuration (flat) and tags on parent and children, with commit and package versions."""
        from mlflow.entities import Param, RunTag

        tags = {**tags, "git_commit": git_commit(), **{f"version.{name}": version(name) for name in PACKAGES}}
        with self._writing():
            for run_id in [self.run_id, *self.children.values()]:
                self._client.log_batch(
                    run_id,
                    params=[Param(key, str(value)[:_PARAM_LENGTH]) for key, value in params.items()],
                    tags=[RunTag(key, value) for key, value in tags.items()],
                )

    def metric(self, name: str, value: float, step: int, seed: int | None = None) -> None:
        """Buffer one value, for the seed's run or the parent."""
        from mlflow.entities import Metric

        run_id = self.run_id if seed is None else self.children[seed]
        self._buffer.setdefault(run_id, []).append(Metric(name, float(value), int(time.time() * 1000), step))

    def tag(self, name: str, value: str) -> None:
        """Set a tag of the parent run."""
        with self._writing():
            self._client.set_tag(self.run_id, name, value)

    def flush(self) -> None:
        """Write buffered metrics. Raises StoreError if the store has become unwritable."""
        with self._writing():
            for run_id, metrics in self._buffer.items():
                for first in range(0, len(metrics), _BATCH):
                    self._client.log_batch(run_id, metrics=metrics[first : first + _BATCH])
        self._buffer.clear()

    def artifact(self, file: Path) -> None:
        """Log a file with the parent run."""
        with self._writing():
            self._client.log_artifact(self.run_id, str(file))

    def text(self, content: str, name: str) -> None:
        """Log a text as a file of the parent run."""
        with self._writing():
            self._client.log_text(self.run_id, content, name)

    def finish(self, status: str = "FINISHED") -> None:
        """Flush, and close the runs with an MLflow status."""
        self.flush()
        with self._writing():
            for run_id in [*self.children.values(), self.run_id]:
                self._client.set_terminated(run_id, status)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Turn a store's failures into StoreError."""
        try:
            yield
        except self._errors as error:
            raise StoreError(
                f"MLflow: the store cannot be written ({_reason(error)}); to go on later: --resume {self.run_id}"
            ) from None


def open_store(uri: str) -> Any:
    """Return an MLflow client for reading. Raises StoreError if there is no such store."""
    if uri.startswith("sqlite:///") and not Path(uri.removeprefix("sqlite:///")).is_file():
        raise StoreError(f"--tracking-uri: {uri} does not exist; train a run first")
    try:
        client = _client(uri)
        client.search_experiments(max_results=1)
    except _store_errors() as error:
        raise StoreError(f"--tracking-uri: cannot read the MLflow store {uri} ({_reason(error)})") from None
    return client


def add_evidence(
    uri: str, run_id: str, metrics: Mapping[int, Mapping[str, float]], files: Sequence[Path], folder: str
) -> None:
    """Add to a run that has been trained: metrics by seed, and files in a folder of the parent's artifacts.

    The status of the run stays as it is. Raises StoreError if the store cannot be read or written.
    """
    from mlflow.entities import Metric

    client, now = open_store(uri), int(time.time() * 1000)
    try:
        children = _children(client, run_id)
        for seed, values in metrics.items():
            client.log_batch(children[seed], metrics=[Metric(name, value, now, 0) for name, value in values.items()])
        for file in files:
            client.log_artifact(run_id, str(file), folder)
    except _store_errors() as error:
        raise StoreError(f"MLflow: {uri} takes no evidence for run {run_id} ({_reason(error)})") from None
    except KeyError as error:
        raise StoreError(f"MLflow: run {run_id} in {uri} has no seed {error}") from None


def _children(client: Any, run_id: str) -> dict[int, str]:
    """Return the runs of a run's seeds."""
    found = client.search_runs(
        [client.get_run(run_id).info.experiment_id],
        filter_string=f"tags.`mlflow.parentRunId` = '{run_id}'",
        max_results=10_000,
    )
    return {int(run.data.tags["seed"]): str(run.info.run_id) for run in found}


def _client(uri: str) -> Any:
    import mlflow

    for name in ("mlflow", "mlflow.store.db.utils", "alembic"):  # their migration notes are not for our users
        logging.getLogger(name).setLevel(logging.ERROR)
    if uri.startswith("sqlite:///"):  # MLflow keeps stores by name, and would take one of another directory for it
        uri = f"sqlite:///{Path(uri.removeprefix('sqlite:///')).resolve()}"
    return mlflow.MlflowClient(tracking_uri=uri)


def _store_errors() -> tuple[type[Exception], ...]:
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    return MlflowException, SQLAlchemyError, OSError


def git_commit() -> str:
    """Return the commit of the source tree, with "+changes" if it differs from it; "unknown" outside git."""
    root = Path(__file__).parent
    try:
        commit = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, check=True
        ).stdout.strip()
        status = subprocess.run(
            ["git", "status", "--porcelain", "-uno"], cwd=root, capture_output=True, text=True, check=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return commit + ("+changes" if status else "")


@contextmanager
def _creating(uri: str) -> Iterator[None]:
    """Make the folder of a sqlite file, and let one process at a time create tables and experiments in it."""
    if uri.startswith("sqlite:///"):
        file = Path(uri.removeprefix("sqlite:///"))
        if file.is_dir() or (file.exists() and not os.access(file, os.W_OK)):
            raise OSError(f"{file} cannot be written")
        with locked(file.parent, "--tracking-uri"):
            yield
        return
    if not urlparse(uri).scheme:
        raise OSError("a store is sqlite:///FILE or http://SERVER")
    yield


def _artifact_location(uri: str) -> str | None:
    """Artifacts lie beside the sqlite file; a server decides for itself."""
    if not uri.startswith("sqlite:///"):
        return None
    return (Path(uri.removeprefix("sqlite:///")).parent / "artifacts").resolve().as_uri()


def _reason(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
