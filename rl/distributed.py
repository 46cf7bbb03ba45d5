"""Data-parallel training over processes: `torchrun --nproc-per-node N -m rl.train ...`.

Every process plays its share of the games and computes its share of each minibatch; gradients are summed. Random
numbers are drawn for the whole batch everywhere, so that the result does not depend on the number of processes (up
to the order of floating-point sums).
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray
from torch import Tensor

from schemas.errors import UserError


@dataclass(frozen=True)
class World:
    """This process among its peers: number `rank` of `size`."""

    rank: int = 0
    size: int = 1

    @classmethod
    def join(cls, device: str) -> "World":
        """Meet the other processes that torchrun started, if it did; NCCL on GPUs, gloo on CPUs."""
        size = int(os.environ.get("WORLD_SIZE", "1"))
        if size == 1:
            return cls()
        if device.startswith("cuda"):
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))  # the GPU that "cuda" means in this process
        dist.init_process_group("nccl" if device.startswith("cuda") else "gloo")
        return cls(dist.get_rank(), size)

    def share(self, name: str, total: int) -> int:
        """Return the part of `total` that falls to one process. Raises UserError if they cannot be equal."""
        if total % self.size:
            raise UserError(f"{name} {total}: it must be a multiple of the {self.size} processes")
        return total // self.size

    def mine(self, total: Tensor) -> Tensor:
        """Return this process's slice of a tensor [N, ...] that is drawn for all."""
        part = len(total) // self.size
        return total[self.rank * part : (self.rank + 1) * part]

    def sum(self, tensor: Tensor) -> Tensor:
        """Return the sum of a tensor over all processes."""
        if self.size > 1:
            dist.all_reduce(tensor)
        return tensor

    def sum_gradients(self, parameters: Iterable[Tensor]) -> None:
        """Sum the gradients of all processes, in one message."""
        if self.size == 1:
            return
        grads = [p.grad for p in parameters if p.grad is not None]
        flat = self.sum(torch.cat([grad.flatten() for grad in grads]))
        for grad, part in zip(grads, flat.split([grad.numel() for grad in grads]), strict=True):
            grad.copy_(part.view_as(grad))

    def gather(self, own: NDArray[Any]) -> NDArray[Any]:
        """Return the arrays [n, ...] of all processes as one copy, [N, ...], in the order of ranks."""
        if self.size == 1:
            return own.copy()
        raw = torch.from_numpy(np.frombuffer(own.tobytes(), np.uint8).copy())  # gloo does not take every type
        device = torch.device("cuda") if dist.get_backend() == "nccl" else torch.device("cpu")
        parts = [torch.empty_like(raw, device=device) for _ in range(self.size)]
        dist.all_gather(parts, raw.to(device))
        return np.concatenate([np.frombuffer(p.cpu().numpy().tobytes(), own.dtype) for p in parts]).reshape(
            self.size * len(own), *own.shape[1:]
        )

    def wait(self) -> None:
        """Wait for the other processes: one that leaves before they do may crash on its way out."""
        if self.size > 1:
            dist.barrier()

    def leave(self) -> None:
        """Part from the other processes."""
        if self.size > 1:
            dist.destroy_process_group()
