"""Training state on disk: one safetensors file whose header carries the counters, replaced atomically.

A kill at any moment leaves the previous checkpoint or the new one, never a mixture; what it holds is everything that
training continues from, so that a resumed run ends bit by bit where an uninterrupted one ends.
"""

import json
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from schemas.errors import StoreError, UserError

Arrays = dict[str, NDArray[Any]]

FILE = "state.safetensors"
CHECKPOINTS = Path("runs/checkpoints")


def find_checkpoint(run: str, parameter: str) -> Path:
    """Return the checkpoint folder of a run id, or the folder itself. Raises UserError with the known runs."""
    folder = Path(run) if (Path(run) / FILE).is_file() else CHECKPOINTS / run
    if not run or not folder.is_dir():
        known = sorted(path.name for path in CHECKPOINTS.glob("*")) if CHECKPOINTS.is_dir() else []
        hint = f"; known are {', '.join(known[-5:])}" if known else f"; {CHECKPOINTS} has none"
        raise UserError(f"{parameter}: no checkpoint of a run {run!r}{hint}")
    return folder


def save_checkpoint(folder: Path, arrays: Arrays, info: dict[str, Any]) -> None:
    """Write `arrays` and the JSON-able `info`. Raises StoreError if the folder cannot be written."""
    data = save({k: np.asarray(v, order="C") for k, v in arrays.items()}, metadata={"info": json.dumps(info)})
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=folder, prefix=".state")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(folder / FILE)
    except OSError as error:
        raise StoreError(f"checkpoint: cannot write to {folder} ({error.strerror})") from None


def load_checkpoint(folder: Path) -> tuple[Arrays, dict[str, Any]]:
    """Read (arrays, info). Raises StoreError if there is no whole checkpoint in `folder`."""
    with _opened(folder) as state:
        arrays = {name: state.get_tensor(name) for name in state.keys()}  # noqa: SIM118 (not a dict)
        return arrays, json.loads(state.metadata()["info"])


def load_info(folder: Path) -> dict[str, Any]:
    """Read what `load_checkpoint` does, without the arrays."""
    with _opened(folder) as state:
        return dict(json.loads(state.metadata()["info"]))


@contextmanager
def _opened(folder: Path) -> Iterator[Any]:
    """Open the checkpoint in a folder; failures, also of reading it, become StoreError."""
    file = folder / FILE
    try:
        with safe_open(file, framework="numpy") as state:
            yield state
    except FileNotFoundError:
        raise StoreError(f"checkpoint: {folder} has none") from None
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise StoreError(f"checkpoint: {file} cannot be read ({' '.join(str(error).split())})") from None


def part(prefix: str, arrays: Arrays) -> Arrays:
    """Return the arrays named `prefix`.NAME, by NAME."""
    return {key.removeprefix(f"{prefix}."): array for key, array in arrays.items() if key.startswith(f"{prefix}.")}


def seed_folders(run: Path) -> list[Path]:
    """Return the folders of a deep run's seeds, by seed; the folder itself if it is one of them."""
    found = [folder for folder in run.glob("seed-*") if re.fullmatch(r"seed-\d+", folder.name)]
    found.sort(key=lambda folder: int(folder.name.removeprefix("seed-")))
    return [folder for folder in found if (folder / FILE).is_file()] or [run]
