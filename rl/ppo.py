"""InstructPPO: clipped policy optimization in self-play, with lambda * KL(pi || prior) in the loss.

The instruction's prior takes the place of the entropy bonus (Hu & Sadigh, ICML 2023, Section 4.3); without a prior
this is PPO (Schulman et al., 2017). All seats share one network. The prior is not needed at test time.
"""

import itertools
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from envs.base import BatchedEnv, Step
from rl.checkpoint import Arrays, part
from rl.config import PPORun
from rl.distributed import World
from rl.log_prior import LogPrior
from rl.networks import MLP, make_network
from rl.policy import NetworkPolicy
from rl.regularizer import entropy, kl_divergence, masked_log_softmax, schedule
from rl.rollout import Rollout, Scores, own_hand
from rl.weights import module_arrays, optimizer_arrays, restore_module, restore_optimizer
from schemas.errors import UserError

Metrics = dict[str, float]


class PPO:
    """One seed of (Instruct)PPO, without a prior if `prior` is None.

    `env` holds this process's share of the games; `world` knows the other processes.
    """

    def __init__(
        self,
        config: PPORun,
        env: BatchedEnv,
        prior: LogPrior | None,
        seed: int,
        world: World = World(),  # noqa: B008 (frozen)
    ) -> None:
        self.config, self.env, self.seed, self.steps, self.world = config, env, seed, 0, world
        ppo, actions = config.ppo, len(env.game.actions)
        self.device = torch.device(config.prior.device)
        self._prior = prior
        self._dtype = getattr(torch, ppo.precision)
        self._random = torch.Generator().manual_seed(seed)
        torch.manual_seed(seed)
        hand = own_hand(env).shape[1] if ppo.critic == "hand" else 0
        if ppo.critic == "hand" and not hand:
            raise UserError(f"--critic hand: {env.game.name} has no hidden hand that it could see; use observation")
        self._spec: dict[str, Any] = {
            "kind": config.net,
            "obs_size": env.obs_size,
            "private_size": env.private_size,
            "outputs": actions + 1,
            "hidden": ppo.hidden,
            "layers": ppo.layers,
        }
        self.network = make_network(**self._spec).to(self.device)
        self.critic = MLP(env.obs_size + hand, 1, ppo.hidden, ppo.layers).to(self.device) if hand else None
        parameters = itertools.chain(self.network.parameters(), self.critic.parameters() if self.critic else ())
        self._parameters = list(parameters)
        self.optimizer = torch.optim.Adam(self._parameters, lr=ppo.lr, eps=ppo.adam_eps, fused=True)
        self._rollout = Rollout.empty(ppo.rollout, env, hand, self.network.state_size, self.device)
        self._memory = torch.zeros(env.num_envs, env.num_players, self.network.state_size, device=self.device)
        self._fresh = np.ones((env.num_envs, env.num_players), np.bool_)  # seats that have not moved in their game
        self._scores, self._env_seconds = Scores(env.num_envs), 0.0
        self._now: Step = env.reset(seed)

    def train(self, until: int) -> Iterator[Metrics]:
        """Train until `until` moves have been made; yields the metrics of every update."""
        ppo = self.config.ppo
        while self.steps < until:
            clock, self._env_seconds = [time.perf_counter()], 0.0
            self._collect()
            clock.append(time.perf_counter())
            done = min(1.0, self.steps / self.config.steps)
            lam = schedule(ppo.lam, ppo.lam_end, ppo.lam_schedule, done)
            if ppo.anneal_lr:
                self.optimizer.param_groups[0]["lr"] = ppo.lr * (1 - 0.9 * done)
            metrics = self._update(lam)
            clock.append(time.perf_counter())
            self.steps += self._rollout.action.size * self.world.size
            collect, learn = np.diff(clock)
            if self._prior is not None:
                metrics["train/lambda"] = lam
            seconds = {"time/collect": float(collect), "time/learn": float(learn), "time/env": self._env_seconds}
            yield metrics | self._scores.take() | seconds

    @torch.no_grad()
    def _collect(self) -> None:
        """Play `rollout` moves in every game."""
        data, env, step = self._rollout, self.env, self._now
        data.memory = self._memory.flatten(0, 1).clone()
        games = np.arange(env.num_envs)
        for t in range(len(data.action)):
            data.obs[t], data.legal[t], data.obs_key[t], data.player[t] = (
                step.obs,
                step.legal,
                step.obs_key,
                step.player,
            )
            if self.critic is not None:
                data.hand[t] = own_hand(env)
            data.starts[t] = self._fresh[games, step.player]
            out = self._act(step)
            log_pi = masked_log_softmax(out[:, :-1], torch.from_numpy(step.legal).to(self.device))
            action = (log_pi - self._noise(log_pi.shape)).argmax(-1)  # Gumbel's trick: the argmax is a draw from pi
            data.action[t] = action.cpu().numpy()
            data.log_pi[t] = log_pi.gather(1, action[:, None])[:, 0].cpu().numpy()
            if self.critic is None:
                data.value[t] = out[:, -1].cpu().numpy()
            clock = time.perf_counter()
            step = env.step(data.action[t])
            self._env_seconds += time.perf_counter() - clock
            data.reward[t], data.done[t] = step.reward, step.done
            self._fresh[games, data.player[t]] = False
            self._fresh[step.done] = True
            if self.network.state_size:
                self._memory[torch.from_numpy(step.done)] = 0
            self._scores.add(step)
        self._now = step
        if self.critic is None:
            memory = self._memory.clone()
            data.value[-1] = self._act(step)[:, -1].cpu().numpy()
            self._memory = memory
        else:
            for t in range(len(data.action)):
                data.value[t] = self._value(data.obs[t], data.hand[t])
            data.value[-1] = self._value(step.obs, own_hand(env))

    def _noise(self, shape: torch.Size) -> Tensor:
        """Draw log-exponential noise, float32[B, A], as a share of what all processes draw."""
        noise = torch.empty(shape[0] * self.world.size, *shape[1:]).exponential_(generator=self._random)
        return self.world.mine(noise).log_().to(self.device)

    def _act(self, step: Step) -> Tensor:
        """Run the network on what the players to act see; their memory moves on."""
        obs = torch.from_numpy(step.obs).to(self.device).to(self._dtype)
        with self._autocast():
            if not self.network.state_size:
                return self.network(obs)
            games, player = torch.arange(len(obs)), torch.from_numpy(step.player).long()
            out, self._memory[games, player] = self.network.step(obs, self._memory[games, player])
            return out

    def _value(self, obs: NDArray[np.uint8], hand: NDArray[np.uint8]) -> NDArray[np.float32]:
        assert self.critic is not None
        with self._autocast():
            seen = torch.from_numpy(np.concatenate([obs, hand], axis=-1)).to(self.device).to(self._dtype)
            return self.critic(seen)[..., 0].cpu().numpy()

    def _update(self, lam: float) -> Metrics:
        """Take the gradient steps on the rollout."""
        ppo, data, world = self.config.ppo, self._rollout, self.world
        advantage = data.advantages(ppo.gamma, ppo.gae_lambda)
        target = advantage + data.value[:-1]
        flat = {
            name: torch.from_numpy(part).to(self.device, non_blocking=True).flatten(0, 1)
            for name, part in {
                "obs": data.obs, "hand": data.hand, "legal": data.legal, "action": data.action, "starts": data.starts,
                "log_pi": data.log_pi, "advantage": self._normalized(advantage), "target": target,
            }.items()
        }  # fmt: skip
        clock = time.perf_counter()
        learned = {}
        if self._prior is not None:
            learned = self._prior.refresh(data.obs, data.obs_key)
            rows = torch.from_numpy(self._prior.rows(data.obs, data.obs_key)).to(self.device).flatten().long()
            flat["says"] = rows >= 0  # the prior has no say elsewhere
            log_probs = torch.from_numpy(self._prior.log_probs).to(self.device)
            flat["log_prior"] = masked_log_softmax(log_probs[rows], flat["legal"])
        prior_seconds = time.perf_counter() - clock
        sequences = torch.from_numpy(self._sequences()).to(self.device)  # [L, N]
        own = sequences.shape[1]
        sums = []
        for _ in range(ppo.epochs):
            order = torch.randperm(own * world.size, generator=self._random).to(self.device)
            for drawn in order.chunk(ppo.minibatches):
                chosen = drawn[drawn // own == world.rank] - world.rank * own
                loss, parts = self._loss(flat, sequences[:, chosen], data.memory, chosen, lam)
                self.optimizer.zero_grad(set_to_none=True)
                loss.backward()
                world.sum_gradients(self._parameters)
                parts["grad_norm"] = torch.nn.utils.clip_grad_norm_(self._parameters, ppo.max_grad_norm) / world.size
                self.optimizer.step()
                sums.append(torch.stack([value.detach() for value in parts.values()]))
        values = world.sum(torch.stack(sums)).cpu().numpy()
        wrong = np.argwhere(~np.isfinite(values))
        if len(wrong):
            name = list(parts)[wrong[0, 1]]
            raise UserError(
                f"training stopped at step {self.steps}: {name} is {values[tuple(wrong[0])]}; checkpoints stay as "
                "they were; a lower --lr may help"
            )
        metrics = {f"train/{name}": float(value) for name, value in zip(parts, values.mean(axis=0), strict=True)}
        explained = 1 - float(np.var(target - data.value[:-1]) / (np.var(target) + 1e-8))
        return metrics | learned | {"train/explained_variance": explained, "time/prior": prior_seconds}

    def _normalized(self, advantage: NDArray[np.float32]) -> NDArray[np.float32]:
        """Shift and scale to mean 0 and deviation 1 over all processes."""
        own = torch.tensor([advantage.sum(dtype=float), np.square(advantage, dtype=float).sum()], device=self.device)
        mean, square = (self.world.sum(own) / (advantage.size * self.world.size)).tolist()
        return (advantage - np.float32(mean)) / np.float32(max(square - mean**2, 0) ** 0.5 + 1e-8)

    def _sequences(self) -> NDArray[np.int64]:
        """Indices into the T * B moves, int64[L, N], -1 for none: what is drawn together, game by game.

        With memory a column holds the moves of one seat in one game; without, every move stands alone.
        """
        if self.network.state_size:
            return self._rollout.seat_sequences(self.env.num_players)
        shape = self._rollout.action.shape
        return np.arange(self._rollout.action.size).reshape(shape).T.reshape(1, -1)

    def _loss(
        self, flat: dict[str, Tensor], sequences: Tensor, memory: Tensor, columns: Tensor, lam: float
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Loss of the moves that `sequences`, int64[L, n] with -1 for none, point to; and its parts.

        All are means over the minibatch of all processes, of which this process adds its share.
        """
        ppo = self.config.ppo
        real = sequences >= 0
        rows = sequences[real]
        count = self.world.sum(real.sum()).clamp(min=1)  # the columns of some seats may be empty
        with self._autocast():
            obs = flat["obs"][rows]
            if self.network.state_size:
                index = sequences.clamp(min=0)
                out = self.network.unroll(flat["obs"][index].to(self._dtype), memory[columns], flat["starts"][index])[
                    real
                ]
            else:
                out = self.network(obs.to(self._dtype))
            if self.critic is None:
                value = out[:, -1]
            else:
                value = self.critic(torch.cat([obs, flat["hand"][rows]], dim=1).to(self._dtype))[:, 0]
        legal = flat["legal"][rows]
        log_pi = masked_log_softmax(out[:, :-1], legal)
        change = log_pi.gather(1, flat["action"][rows][:, None])[:, 0] - flat["log_pi"][rows]
        ratio, advantage = change.exp(), flat["advantage"][rows]
        clipped = ratio.clamp(1 - ppo.clip, 1 + ppo.clip)
        parts = {
            "policy_loss": -torch.min(ratio * advantage, clipped * advantage).sum() / count,
            "value_loss": (value - flat["target"][rows]).square().sum() / (2 * count),
            "entropy": entropy(log_pi, legal).sum() / count,
            "approx_kl": (ratio - 1 - change).detach().sum() / count,
            "clipped": ((ratio - 1).abs() > ppo.clip).sum() / count,
        }
        loss = parts["policy_loss"] + ppo.value_weight * parts["value_loss"]
        if self._prior is None:
            return loss - ppo.entropy * parts["entropy"], parts
        kl = kl_divergence(log_pi, flat["log_prior"][rows], legal)
        parts["kl_prior"] = (kl * flat["says"][rows]).sum() / count
        return loss + lam * parts["kl_prior"], parts

    def state(self) -> tuple[Arrays, dict[str, Any]]:
        """Return everything that training continues from: arrays, and JSON-able counters.

        With several processes each must call it; all get the state of the whole.
        """
        world = self.world
        own = {f"env.{name}": array for name, array in self.env.state().items()}
        own |= {"fresh": self._fresh, "memory": self._memory.cpu().numpy(), "running": self._scores.running}
        arrays = {name: world.gather(array) for name, array in own.items()}
        arrays |= module_arrays("network", self.network) | optimizer_arrays(self.optimizer)
        if self.critic is not None:
            arrays |= module_arrays("critic", self.critic)
        if self._prior is not None:
            arrays |= {f"prior.{name}": array for name, array in self._prior.state().items()}
        arrays["random"] = self._random.get_state().numpy()
        return arrays, {"steps": self.steps, "network": self._spec}

    def restore(self, arrays: Arrays, info: dict[str, Any]) -> None:
        """Continue from what `state` returned, bit by bit."""
        world = self.world
        self.start_from(arrays, "checkpoint")
        restore_optimizer(self.optimizer, arrays)
        own = {name: world.mine(torch.from_numpy(arrays[name])) for name in ("fresh", "memory", "running")}
        self._fresh[:], self._scores.running[:] = own["fresh"].numpy(), own["running"].numpy()
        self._memory = own["memory"].to(self.device)
        self._now = self.env.restore(
            {name: world.mine(torch.from_numpy(array)).numpy() for name, array in part("env", arrays).items()}
        )
        if self._prior is not None:
            self._prior.restore(part("prior", arrays))
        self._random.set_state(torch.from_numpy(arrays["random"]))
        self.steps = info["steps"]

    def start_from(self, arrays: Arrays, source: str) -> None:
        """Begin with the networks of a checkpoint. Raises UserError naming `source` if they are other networks."""
        restore_module("network", self.network, arrays, source)
        if self.critic is not None:
            restore_module("critic", self.critic, arrays, source)

    def _autocast(self) -> Any:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.config.ppo.precision == "bfloat16")

    def policy(self, *, sample: bool = False) -> NetworkPolicy:
        """Return the trained network as a policy."""
        return NetworkPolicy(self.network, sample=sample)
