"""Training state on disk: one safetensors file whose header carries the counters, replaced atomically.

A kill at any moment leaves the previous checkpoint or the new one, never a mixture; what it holds is everything that
training continues from, so that a resumed run ends bit by bit where an uninterrupted one ends.
"""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save
from torch import nn

from rl.networks import make_network
from rl.policy import NetworkPolicy
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
    data = save({k: np.ascontiguousarray(v) for k, v in arrays.items()}, metadata={"info": json.dumps(info)})
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


def module_arrays(prefix: str, module: nn.Module) -> Arrays:
    """Return copies of a module's tensors by name, `prefix`.NAME."""
    return {f"{prefix}.{name}": tensor.detach().cpu().numpy().copy() for name, tensor in module.state_dict().items()}


def restore_module(prefix: str, module: nn.Module, arrays: Arrays) -> None:
    """Put tensors back into a module. Raises UserError naming the first one that is missing or has another shape."""
    found = part(prefix, arrays)
    for name, tensor in module.state_dict().items():
        shape = found[name].shape if name in found else None
        if shape != tuple(tensor.shape):
            have = f"has shape {shape}" if shape else "is missing"
            raise UserError(f"checkpoint: {prefix}.{name} {have}, but this network needs {tuple(tensor.shape)}")
    module.load_state_dict({name: torch.from_numpy(found[name]) for name in module.state_dict()})


def optimizer_arrays(optimizer: torch.optim.Optimizer) -> Arrays:
    """Return copies of an optimizer's state, optimizer.PARAMETER.NAME."""
    state = optimizer.state_dict()["state"]
    return {
        f"optimizer.{i}.{name}": tensor.detach().cpu().numpy().copy()
        for i, entry in state.items()
        for name, tensor in entry.items()
    }


def restore_optimizer(optimizer: torch.optim.Optimizer, arrays: Arrays) -> None:
    """Put back what `optimizer_arrays` returned; learning rates stay as they are."""
    state: dict[int, dict[str, Any]] = {}
    for key, array in part("optimizer", arrays).items():
        index, _, name = key.partition(".")
        state.setdefault(int(index), {})[name] = torch.from_numpy(array)
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def part(prefix: str, arrays: Arrays) -> Arrays:
    """Return the arrays named `prefix`.NAME, by NAME."""
    return {key.removeprefix(f"{prefix}."): array for key, array in arrays.items() if key.startswith(f"{prefix}.")}


def seed_folders(run: Path) -> list[Path]:
    """Return the folders of a deep run's seeds, by seed; the folder itself if it is one of them."""
    found = sorted(run.glob("seed-*"), key=lambda folder: int(folder.name.removeprefix("seed-")))
    return [folder for folder in found if (folder / FILE).is_file()] or [run]


def load_policy(folder: Path, *, sample: bool = False) -> tuple[NetworkPolicy, dict[str, Any]]:
    """Read a trained network as a policy, and what the checkpoint says of it (with "config", the run's).

    Raises StoreError if there is no whole checkpoint, UserError if it is not one of a network.
    """
    arrays, info = load_checkpoint(folder)
    if "network" not in info:
        raise UserError(f"checkpoint: {folder} holds no network")
    network = make_network(**info["network"])
    restore_module("network", network, arrays)
    log_prior = torch.from_numpy(arrays["log_prior"]) if info.get("lam") else None
    return NetworkPolicy(network, sample=sample, log_prior=log_prior, lam=info.get("lam", 0.0)), info
