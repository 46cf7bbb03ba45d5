"""`python -m prior.compiler.train`: fine-tune the compiler on synthetic pairs; resumable, stops early.

A checkpoint holds the trained parameters, their moving average, the optimizer's moments and the step (safetensors).
What is measured on held-out texts and written as the adapter, if it is the best so far, is the moving average.
"""

import json
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from pydantic import Field
from safetensors import safe_open
from safetensors.torch import save_file
from torch.utils.data import DataLoader, Dataset

from prior.compiler.batch import Batch, batch, gradients_by_graphs, gradients_in_threads
from prior.compiler.data import Pair, pair
from prior.compiler.model import CompilerModel, read_adapter, save_adapter
from schemas.command_line import parse, run_main
from schemas.config import Section
from schemas.errors import ModelError

Parameters = dict[str, torch.Tensor]
_MULTIPLE = 16  # of the shapes of batches on a GPU
_WAIT = 300  # seconds for an update's pairs, after which something is wrong


class TrainConfig(Section):
    """How to fine-tune."""

    out: Path = Field(Path("runs/compiler"), description="folder of the checkpoint and the adapter")
    init_from: Path | None = Field(None, description="adapter to begin with, where there is no checkpoint yet")
    steps: int = Field(2600, ge=1, description="updates; over the last 85% of them the learning rate falls to zero")
    batch_size: int = Field(16, ge=1, description="pairs an update")
    parts: int = Field(4, ge=1, description="parts of an update, by length: less padding; 1 is fastest on a GPU")
    threads: int = Field(1, ge=1, description="parts computed at once: on two cores, 2 is faster than 1")
    workers: int = Field(0, ge=0, description="processes that draw the pairs; 0: none beside the training")
    learning_rate: float = Field(1.5e-3, gt=0, description="peak")
    rank: int = Field(8, ge=1, description="rank of the adapters")
    dropout: float = Field(0.0, ge=0, lt=1, description="of the inputs of the adapters")
    smoothing: float = Field(0.02, ge=0, lt=1, description="share of the target spread over the other legal words")
    average: float = Field(0.995, ge=0, lt=1, description="decay of the moving average of the parameters, an update")
    seed: int = Field(0, ge=0, description="of the parameters and the pairs")
    dtype: str = Field("bfloat16", description="of the base model in training")
    device: str = Field("cpu", description="cpu or cuda")
    every: int = Field(100, ge=1, description="updates between two measurements on held-out templates")
    held_out: int = Field(100, ge=1, description="pairs of such a measurement")
    patience: int = Field(100, ge=1, description="measurements without a better one before training stops")


class Updates(Dataset[list[Batch]]):
    """The pairs of each update, in parts of similar length: less padding, and yet a mixed update."""

    def __init__(self, model: CompilerModel, config: TrainConfig) -> None:
        self._model, self._config = model, config

    def __getitem__(self, step: int) -> list[Batch]:
        number = self._config.batch_size
        first = self._config.seed * 100_000_000 + step * number
        pairs = sorted((pair(first + i) for i in range(number)), key=lambda p: len(p.instruction + p.program))
        size = -(-number // self._config.parts)
        multiple = _MULTIPLE if self._config.device == "cuda" else 1
        return [batch(self._model, pairs[k : k + size], multiple=multiple) for k in range(0, len(pairs), size)]


@torch.inference_mode()
def measure(model: CompilerModel, pairs: Sequence[Pair], smoothing: float) -> tuple[float, float]:
    """Return loss and share of programs that greedy decoding gets right."""
    ordered = sorted(pairs, key=lambda p: len(p.instruction))
    device = str(model.head.weight.device)
    groups = [batch(model, ordered[i : i + 32]).to(device) for i in range(0, len(ordered), 32)]
    loss = sum(float(g.loss(model, smoothing)) * len(g.tokens) for g in groups) / len(pairs)
    return loss, float(torch.cat([g.right(model) for g in groups]).float().mean())


def train(config: TrainConfig) -> None:
    """Train from the checkpoint in config.out, if there is one, to the end."""
    torch.manual_seed(config.seed)
    on_gpu = config.device == "cuda"
    model = _model(config, on_gpu)
    parameters = model.trained()
    optimizer = torch.optim.AdamW(parameters.values(), lr=config.learning_rate, weight_decay=0.01)
    checkpoint = config.out / "checkpoint.safetensors"
    state = {"step": 0, "best": math.inf, "bad": 0}
    if config.init_from is not None and not checkpoint.exists():
        _begin_with(config.init_from, parameters)
    average = {name: value.detach().clone() for name, value in parameters.items()}
    if checkpoint.exists():
        state = _resume(checkpoint, parameters, average, optimizer)
        print(f"resuming at step {state['step']}")
    held_out = [pair(i, held_out=True) for i in range(config.held_out)]
    start, losses = time.time(), []
    steps = range(int(state["step"]), config.steps)
    updates = DataLoader(
        Updates(model, config),
        batch_size=None,
        sampler=steps,
        num_workers=config.workers,
        pin_memory=on_gpu,
        timeout=_WAIT if config.workers else 0,
    )
    gradients = (
        gradients_by_graphs(model, config.smoothing)
        if on_gpu
        else gradients_in_threads(model, config.smoothing, config.threads)
    )
    values = list(parameters.values())
    slopes = [torch.zeros_like(value) for value in values]
    for value, slope in zip(values, slopes, strict=True):
        value.grad = slope
    for step, parts in zip(steps, updates, strict=True):
        if state["bad"] >= config.patience:
            break
        model.train()
        for group in optimizer.param_groups:
            group["lr"] = config.learning_rate * _rate(step, config.steps)
        torch._foreach_zero_(slopes)
        losses.append(torch.zeros((), device=config.device))
        for part, (loss, found) in zip(parts, gradients(parts), strict=True):
            share = len(part.tokens) / config.batch_size
            losses[-1] += loss * share
            torch._foreach_add_(slopes, list(found), alpha=share)
        torch.nn.utils.clip_grad_norm_(values, 1.0)
        optimizer.step()
        state["step"] += 1
        decay = min(config.average, step / (step + 10))
        torch._foreach_lerp_(list(average.values()), [value.detach() for value in values], 1 - decay)
        if state["step"] % config.every == 0 or state["step"] == config.steps:
            mean, losses = float(sum(losses)) / len(losses), []
            model.eval()
            with _swapped(parameters, average), torch.compiler.set_stance("force_eager"):
                loss, right = measure(model, held_out, config.smoothing)
                state["bad"] = 0 if loss < state["best"] else state["bad"] + 1
                if loss < state["best"]:
                    state["best"] = loss
                    notes = {"step": str(state["step"]), "held_out_right": f"{right:.3f}"}
                    save_adapter(model, config.out / "adapter.safetensors", notes)
            print(
                f"step {state['step']:5}  loss {mean:.3f}  held-out loss {loss:.3f}  right {right:.3f}  "
                f"{time.time() - start:.0f} s",
                flush=True,
            )
            _save(checkpoint, parameters, average, optimizer, state)


def _model(config: TrainConfig, on_gpu: bool) -> CompilerModel:
    dtype = getattr(torch, config.dtype)
    attention = "sdpa" if on_gpu else "eager"
    model = CompilerModel(rank=config.rank, dropout=config.dropout, dtype=dtype, attention=attention)
    model.to(config.device)
    if on_gpu:
        for layer in model.body.layers:
            layer.compile(dynamic=True)  # fused kernels: on an H200 1.6 times the texts a second
    return model


@contextmanager
def _swapped(parameters: Parameters, average: Parameters) -> Iterator[None]:
    """Let parameters and averages change places for a while."""

    def swap() -> None:
        for name, value in parameters.items():
            value.data, average[name] = average[name], value.data

    swap()
    try:
        yield
    finally:
        swap()


def _begin_with(file: Path, parameters: Parameters) -> None:
    tensors = read_adapter(file)[0]
    shapes = [{name: tuple(value.shape) for name, value in found.items()} for found in (tensors, parameters)]
    if shapes[0] != shapes[1]:
        raise ModelError(f"--init-from {file}: an adapter of another model, other program words or another --rank")
    with torch.no_grad():
        for name, value in tensors.items():
            parameters[name].copy_(value)


def _rate(step: int, steps: int) -> float:
    """Warm-up, then a plateau, then a straight line to zero (at a constant rate held-out loss rises)."""
    return min((step + 1) / 50, 1.0, (steps - step) / (0.85 * steps))


def _save(
    file: Path, parameters: Parameters, average: Parameters, optimizer: torch.optim.Optimizer, state: dict[str, float]
) -> None:
    tensors = {}
    for name, value in parameters.items():
        tensors[name] = value.detach().cpu().contiguous()
        tensors[f"{name}/average"] = average[name].cpu().contiguous()
        for key in ("exp_avg", "exp_avg_sq"):
            tensors[f"{name}/{key}"] = optimizer.state[value][key].cpu().contiguous()
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    save_file(tensors, part, metadata={"state": json.dumps(state)})
    part.replace(file)


def _resume(
    file: Path, parameters: Parameters, average: Parameters, optimizer: torch.optim.Optimizer
) -> dict[str, float]:
    with safe_open(file, "pt") as stored, torch.no_grad():
        state: dict[str, float] = json.loads(stored.metadata()["state"])
        for name, value in parameters.items():
            value.copy_(stored.get_tensor(name))
            average[name].copy_(stored.get_tensor(f"{name}/average"))
            optimizer.state[value] = {"step": torch.tensor(float(state["step"]))} | {
                key: stored.get_tensor(f"{name}/{key}").to(value.device) for key in ("exp_avg", "exp_avg_sq")
            }
    return state


def main(argv: Sequence[str]) -> None:
    """Entry point."""
    train(parse(TrainConfig, argv, "Fine-tune the instruction compiler on synthetic pairs."))


if __name__ == "__main__":
    run_main(main)
