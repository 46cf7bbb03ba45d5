"""Networks and optimizers as arrays, for checkpoints; a checkpoint as a policy."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from envs.hanabi import preset
from envs.hanabi_texts import TextRows
from rl.checkpoint import Arrays, load_checkpoint, part
from rl.log_prior import FixedPrior
from rl.networks import make_network
from rl.policy import NetworkPolicy
from schemas.errors import UserError


def module_arrays(prefix: str, module: nn.Module) -> Arrays:
    """Return copies of a module's tensors by name, `prefix`.NAME."""
    return {f"{prefix}.{name}": tensor.detach().cpu().numpy().copy() for name, tensor in module.state_dict().items()}


def restore_module(prefix: str, module: nn.Module, arrays: Arrays, source: str = "checkpoint") -> None:
    """Put tensors back into a module.

    Raises UserError naming `source` and the first tensor that is missing or has another shape.
    """
    found = part(prefix, arrays)
    for name, tensor in module.state_dict().items():
        shape = found[name].shape if name in found else None
        if shape != tuple(tensor.shape):
            have = f"has shape {shape}" if shape else "is missing"
            raise UserError(f"{source}: {prefix}.{name} {have}, but this network needs {tuple(tensor.shape)}")
        if not np.isfinite(found[name]).all():
            raise UserError(f"{source}: {prefix}.{name} holds a NaN or an infinity")
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


def load_policy(folder: Path, *, sample: bool = False) -> tuple[NetworkPolicy, dict[str, Any]]:
    """Read a trained network as a policy, and what the checkpoint says of it (with "config", the run's).

    Raises StoreError if there is no whole checkpoint, UserError if it is not one of a network.
    """
    arrays, info = load_checkpoint(folder)
    if "network" not in info:
        raise UserError(f"checkpoint: {folder} holds no network")
    network = make_network(**info["network"])
    restore_module("network", network, arrays)
    if not info.get("lam"):
        return NetworkPolicy(network, sample=sample), info
    texts = None
    if known := part("prior", arrays):
        texts = TextRows(preset(info["config"]["env"]), info["config"]["prior"]["level"])
        texts.keys, texts.places = known["keys"], known["places"]
    prior = FixedPrior(arrays["log_prior"], texts)
    return NetworkPolicy(network, sample=sample, prior=prior, lam=info["lam"]), info
