"""What a training run with networks is made of: processes and device, games, prior, learner, first network."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from envs.base import BatchedEnv, make_game
from envs.say_select import SaySelect
from prior.lazy import LazyPriorTable
from rl.checkpoint import Arrays, find_checkpoint, load_checkpoint, seed_folders
from rl.config import DeepQRun, PPORun
from rl.deep_q import DeepQ
from rl.distributed import World
from rl.log_prior import FixedPrior, LogPrior
from rl.ppo import PPO
from schemas.errors import ModelError, UserError


def prepare(config: PPORun | DeepQRun) -> World:
    """Set torch up, and meet the other processes if there are any."""
    device = config.prior.device
    try:
        kind = torch.device(device).type
    except RuntimeError:
        kind = ""
    if kind not in ("cpu", "cuda"):
        raise UserError(f"--device {device}: no device; cpu, cuda, cuda:1 and so on")
    if kind == "cuda" and not torch.cuda.is_available():
        raise ModelError(f"--device {device}: this machine's torch sees no CUDA device; use --device cpu")
    flag = f"--level {config.prior.level}"
    torch.set_num_threads(config.threads)
    world = World.join(device)
    if world.size > 1 and config.prior.level != "last-move":
        world.leave()
        raise UserError(f"{flag}: texts are asked for by one process; leave torchrun out")
    return world


def make_env(config: PPORun | DeepQRun, world: World) -> BatchedEnv:
    """Return this process's share of the games. Raises UserError if the engine does not play them."""
    games = world.share("--num-envs", config.learner.num_envs)
    if config.env == "say-select":
        if world.size > 1:
            raise UserError("--env say-select: it is trained by one process")
        if config.engine != "numba":
            raise UserError(f"--engine {config.engine}: it plays Hanabi, not say-select")
        return SaySelect(games)
    from envs.hanabi import make_hanabi

    threads = 1 if config.engine == "hle" else config.threads  # HLE takes one only; torch takes all
    return make_hanabi(config.env, games, engine=config.engine, num_threads=threads, first_stream=world.rank * games)


def make_prior(
    config: PPORun | DeepQRun, log_prior: NDArray[np.float32] | None, info: dict[str, Any]
) -> LogPrior | None:
    """Return the prior of a learner at its beginning; `log_prior` is the table of all last moves."""
    if log_prior is None:
        return None
    if config.prior.level == "last-move":
        return FixedPrior(log_prior)
    return LazyPriorTable(config.prior, make_game(config.env), log_prior, info["prior"]["instruction"])


def make_learner(
    config: PPORun | DeepQRun, world: World, log_prior: NDArray[np.float32] | None, seed: int, info: dict[str, Any]
) -> PPO | DeepQ:
    """Return the learner of one seed, at its beginning. Raises UserError if several processes would train InstructQ."""
    env = make_env(config, world)
    if isinstance(config, DeepQRun) and world.size > 1:
        raise UserError("--algo q: it is trained by one process; torchrun is for ppo")
    prior = make_prior(config, log_prior, info)
    if isinstance(config, PPORun):
        return PPO(config, env, prior, seed, world)
    return DeepQ(config, env, prior, seed)


def initial(run: str, seed: int) -> Arrays:
    """Read the checkpoint that --init-from names: of the same seed if it has it, else its first."""
    folders = seed_folders(find_checkpoint(run, "--init-from"))
    chosen = next((folder for folder in folders if folder.name == f"seed-{seed}"), folders[0])
    arrays, info = load_checkpoint(chosen)
    if "network" not in info:
        raise UserError(f"--init-from {run}: it holds no network")
    print(f"seed {seed} begins with {chosen}, {info['steps']:,} moves old")
    return arrays
