"""Throughput of InstructPPO: moves collected and learned from a second, side by side with two peers.

python -m benchmarks.bench_ppo --threads 2 --repeats 5

All rows train 2 x 512 units on the Full encoding with the same games, moves, epochs and minibatches: ours on the fast
engine, with and without a prior; ours on HLE; and a plain PPO in the style of CleanRL's single file (eager, float32,
torch.distributions) on a dummy environment that costs nothing, so that only its learner is measured.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import nn
from torch.distributions import Categorical

from envs.hanabi import make_hanabi
from rl.config import PPORun
from rl.log_prior import FixedPrior
from rl.ppo import PPO

OBS, ACTIONS, HIDDEN = 658, 20, 512


def plain_ppo(num_envs: int, rollout: int, epochs: int, minibatches: int) -> Iterator[None]:
    """Yield after every update of a PPO written as most single files write it, on random observations."""
    trunk = nn.Sequential(nn.Linear(OBS, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU())
    actor, critic = nn.Linear(HIDDEN, ACTIONS), nn.Linear(HIDDEN, 1)
    parameters = [*trunk.parameters(), *actor.parameters(), *critic.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=3e-4, eps=1e-5)
    random = torch.Generator().manual_seed(0)
    shown = (torch.rand(64, num_envs, OBS, generator=random) < 0.2).float()  # the dummy environment's observations
    legal = torch.rand(64, num_envs, ACTIONS, generator=random) < 0.7
    legal[..., 0] = True

    def policy(obs: torch.Tensor, mask: torch.Tensor) -> tuple[Categorical, torch.Tensor]:
        x = trunk(obs)
        return Categorical(logits=actor(x).masked_fill(~mask, -1e8)), critic(x)[..., 0]

    shape = (rollout, num_envs)
    obs, masks = torch.zeros(*shape, OBS), torch.zeros(*shape, ACTIONS, dtype=torch.bool)
    actions, logprobs, rewards, values = (torch.zeros(shape) for _ in range(4))
    while True:
        for t in range(rollout):
            obs[t], masks[t] = shown[t % 64], legal[t % 64]
            with torch.no_grad():
                pi, values[t] = policy(obs[t], masks[t])
                action = pi.sample()
            actions[t], logprobs[t], rewards[t] = action, pi.log_prob(action), 0.01
        with torch.no_grad():
            advantages, last, following = torch.zeros(shape), torch.zeros(num_envs), values[-1]
            for t in reversed(range(rollout)):
                last = rewards[t] + 0.99 * following - values[t] + 0.99 * 0.95 * last
                advantages[t], following = last, values[t]
        returns = (advantages + values).flatten()
        flat = [x.flatten(0, 1) for x in (obs, masks, actions, logprobs, advantages)]
        for _ in range(epochs):
            for rows in torch.randperm(rollout * num_envs).chunk(minibatches):
                b_obs, b_mask, b_action, b_logprob, b_advantage = (x[rows] for x in flat)
                pi, value = policy(b_obs, b_mask)
                ratio = (pi.log_prob(b_action) - b_logprob).exp()
                b_advantage = (b_advantage - b_advantage.mean()) / (b_advantage.std() + 1e-8)
                loss = -torch.min(ratio * b_advantage, ratio.clamp(0.8, 1.2) * b_advantage).mean()
                loss = loss + 0.5 * (value - returns[rows]).square().mean() - 0.01 * pi.entropy().mean()
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(parameters, 0.5)
                optimizer.step()
        yield None


def ours(engine: str, prior: bool, args: argparse.Namespace, shares: list[dict[str, float]]) -> Iterator[None]:
    """Yield after every update of our PPO; `shares` collects its own clocks."""
    ppo = {name: getattr(args, name) for name in ("num_envs", "rollout", "epochs", "minibatches", "precision")}
    config = PPORun(algo="ppo", env="hanabi", prior={"device": args.device}, ppo={**ppo, "hidden": HIDDEN})
    env = make_hanabi("hanabi", args.num_envs, engine=engine, num_threads=1 if engine == "hle" else args.threads)  # type: ignore[arg-type]
    table = np.log(np.random.default_rng(0).dirichlet(np.ones(ACTIONS), len(env.game.observations)))
    for metrics in PPO(config, env, FixedPrior(table.astype(np.float32)) if prior else None, 0).train(1 << 60):
        shares.append(metrics)
        yield None


def measure(rows: dict[str, Callable[[], Iterator[None]]], moves: int, repeats: int) -> dict[str, list[float]]:
    """Return moves a second of every row, updates taken in turns."""
    running = {name: start() for name, start in rows.items()}
    for update in running.values():
        next(update)  # compilation, first allocations
    found: dict[str, list[float]] = {name: [] for name in rows}
    for _ in range(repeats):
        for name, update in running.items():
            begin = time.perf_counter()
            next(update)
            found[name].append(moves / (time.perf_counter() - begin))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--num-envs", type=int, default=256)
    parser.add_argument("--rollout", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--minibatches", type=int, default=4)
    parser.add_argument("--precision", default="bfloat16")
    parser.add_argument("--device", default="cpu", help="of our learner; the peer's stays on the CPU")
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    shares: list[dict[str, float]] = []
    rows: dict[str, Callable[[], Iterator[None]]] = {
        "ours, with a prior": lambda: ours("numba", True, args, shares),
        "ours, without": lambda: ours("numba", False, args, []),
        "ours, on HLE": lambda: ours("hle", False, args, []),
        "CleanRL style, dummy env": lambda: plain_ppo(args.num_envs, args.rollout, args.epochs, args.minibatches),
    }
    found = measure(rows, args.num_envs * args.rollout, args.repeats)
    best = statistics.median(found["ours, with a prior"])
    print(f"{'':26}{'moves/s':>10}{'range':>20}{'ours is':>9}")
    for name, rates in found.items():
        middle = statistics.median(rates)
        print(f"{name:26}{middle:10,.0f}{f'{min(rates):,.0f} to {max(rates):,.0f}':>20}{best / middle:8.2f}x")
    clocks = {
        name: statistics.median(m[f"time/{name}"] for m in shares[1:]) for name in ("env", "prior", "collect", "learn")
    }
    whole = clocks["collect"] + clocks["learn"]
    print("of our time: " + ", ".join(f"{name} {seconds / whole:.1%}" for name, seconds in clocks.items()))


if __name__ == "__main__":
    main()
