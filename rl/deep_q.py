"""InstructQ with a network: replay Q-learning in self-play that acts and bootstraps on Q + lambda * log prior.

Hu & Sadigh (ICML 2023), Section 4.2. All seats share one network, each learns its own value (independent learners):
a player's next state is what it sees at its own next turn, and the rewards of everybody's moves in between are
summed. With `vdn` the sum of all seats' values is learned instead; a player who waits has one move, so that its
value is the state's (Sunehag et al., 2018). Around this are dueling heads (Wang et al., 2016), double Q (van Hasselt
et al., 2016), n-step targets, a rate of exploration for every game (Horgan et al., 2018), prioritized replay, and
sequences with burn-in for the recurrent net (Kapturowski et al., 2019).
"""

import copy
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from envs.base import BatchedEnv, Step
from rl.checkpoint import Arrays, part
from rl.config import DeepQRun
from rl.log_prior import LogPrior
from rl.networks import make_network
from rl.policy import NetworkPolicy
from rl.regularizer import prior_rows, regularized_scores, schedule
from rl.replay import Draw, Replay, n_step_returns
from rl.rollout import Scores, own_hand
from rl.weights import module_arrays, optimizer_arrays, restore_module, restore_optimizer
from schemas.errors import UserError

Metrics = dict[str, float]


class Targets(NamedTuple):
    """What an update aims at, for L own moves in each of N sequences."""

    value: Tensor  # float32[L, N]
    learned: Tensor  # bool[L, N] False where the memory is still being filled


class DeepQ:
    """One seed of InstructQ, of plain Q-learning if `prior` is None."""

    def __init__(self, config: DeepQRun, env: BatchedEnv, prior: LogPrior | None, seed: int) -> None:
        self.config, self.env, self.seed, self.steps, self.updates = config, env, seed, 0, 0
        q, self._actions = config.q, len(env.game.actions)
        if q.vdn and config.net != "mlp":
            raise UserError(f"--vdn: the recurrent net remembers own moves only; use --net mlp, not {config.net}")
        self._encode: Any = getattr(env, "encode", None)  # what the players see who are not to act
        if q.vdn and self._encode is None:
            raise UserError("--vdn: this engine shows the player to act only; use --engine numba")
        self.device = torch.device(config.prior.device)
        self._prior = prior
        self._random = torch.Generator().manual_seed(seed)
        torch.manual_seed(seed)
        hand = own_hand(env).shape[1] if q.aux else 0
        if q.aux and not hand:
            raise UserError(f"--aux {q.aux:g}: there are no hidden hands to predict in {env.game.name}; leave it at 0")
        self._spec: dict[str, Any] = {
            "kind": config.net,
            "obs_size": env.obs_size,
            "private_size": env.private_size,
            "outputs": self._actions + 1 + hand,
            "hidden": q.hidden,
            "layers": q.layers,
        }
        self.network = make_network(**self._spec).to(self.device)
        self.target = copy.deepcopy(self.network).requires_grad_(False)
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=q.lr, eps=q.adam_eps, fused=True)
        self._horizon = q.n_step * env.num_players  # moves until a target bootstraps
        self._length = q.sequence if config.net == "publ-lstm" else 1  # own moves of a drawn sequence
        self._span = (self._length - 1) * env.num_players + self._horizon + 1  # rows that it needs
        rows = max(self._span, q.replay_size // env.num_envs)
        self.replay = Replay(rows, env, views=env.num_players if q.vdn else 1, hand_size=hand)
        place = torch.arange(env.num_envs) / max(1, env.num_envs - 1)
        self._explore = q.explore ** (1 + q.explore_alpha * place)[:, None]
        self._memory = torch.zeros(env.num_envs, env.num_players, self.network.state_size, device=self.device)
        self._fresh = np.ones((env.num_envs, env.num_players), np.bool_)  # seats that have not moved in their game
        self._scores = Scores(env.num_envs)
        self._seen: list[tuple[NDArray[np.uint8], NDArray[np.int32]]] = []  # since the prior was refreshed
        self._log_prior = self._prior_tensor()
        self._seconds = {"time/env": 0.0, "time/prior": 0.0}  # of this round
        self._now: Step = env.reset(seed)

    @property
    def lam(self) -> float:
        """Weight of the log prior at this point of the training."""
        q = self.config.q
        return schedule(q.lam, q.lam_end, q.lam_schedule, self.done)

    @property
    def done(self) -> float:
        """Share of the training that is done, 0 to 1."""
        return min(1.0, self.steps / self.config.steps)

    def train(self, until: int) -> Iterator[Metrics]:
        """Train until `until` moves have been made; yields the metrics of every rollout and its updates."""
        q = self.config.q
        while self.steps < until:
            clock = [time.perf_counter()]
            for _ in range(q.rollout):
                self._move()
            clock.append(time.perf_counter())
            learned = self._refresh()
            if q.anneal_lr:
                self.optimizer.param_groups[0]["lr"] = q.lr * (1 - 0.9 * self.done)
            totals: Counter[str] = Counter()
            if self.steps > q.warmup and self.replay.count >= self._span:
                for _ in range(q.updates):
                    totals.update(self._update())
            clock.append(time.perf_counter())
            metrics = {f"train/{name}": total / q.updates for name, total in totals.items()}
            if self._prior is not None:
                metrics |= {"train/lambda": self.lam} | learned
            collect, learn = np.diff(clock)
            yield metrics | self._scores.take() | self._seconds | {"time/collect": collect, "time/learn": learn}
            self._seconds = dict.fromkeys(self._seconds, 0.0)

    def _refresh(self) -> Metrics:
        """Let the prior learn about what was seen since the last time."""
        if self._prior is None:
            return {}
        clock = time.perf_counter()
        obs, obs_key = (np.stack(parts) for parts in zip(*self._seen, strict=True))
        self._seen.clear()
        learned = self._prior.refresh(obs, obs_key)
        self._log_prior = self._prior_tensor()
        self._seconds["time/prior"] += time.perf_counter() - clock
        return learned

    def _prior_tensor(self) -> Tensor | None:
        return None if self._prior is None else self._tensor(self._prior.log_probs)

    @torch.no_grad()
    def _move(self) -> None:
        """Make one move in every game, and keep it."""
        env, step = self.env, self._now
        games = np.arange(env.num_envs)
        legal = torch.from_numpy(step.legal).to(self.device)
        with self._autocast():
            obs = self._input(step.obs)
            if self.network.state_size:
                player = torch.from_numpy(step.player).long()
                out, memory = self.network.step(obs, self._memory[games, player])
                self._memory[games, player] = memory
            else:
                out = self.network(obs)
        scores = self._regularized(self._q(out, legal), step.obs, step.obs_key, legal).cpu()
        noise = torch.rand(scores.shape, generator=self._random).masked_fill_(~torch.from_numpy(step.legal), -1)
        explores = torch.rand(len(games), 1, generator=self._random) < self._explore
        action = torch.where(explores, noise, scores).argmax(-1).numpy()
        views = [step.obs, *(self._encode(k) for k in range(1, self.replay.views))]
        hand = {"hand": own_hand(env)} if self.config.q.aux else {}
        start = self._fresh[games, step.player]
        if self._prior is not None:
            self._seen.append((step.obs.copy(), step.obs_key.copy()))
        clock = time.perf_counter()
        now = env.step(action)
        self._seconds["time/env"] += time.perf_counter() - clock
        self.replay.add(
            obs=np.stack(views, axis=1), legal=step.legal, obs_key=step.obs_key, action=action, start=start,
            reward=now.reward, done=now.done, **hand,
        )  # fmt: skip
        self._fresh[games, step.player] = False
        self._fresh[now.done] = True
        if self.network.state_size:
            self._memory[torch.from_numpy(now.done)] = 0
        self._scores.add(now)
        self._now = now
        self.steps += env.num_envs

    def _update(self) -> Metrics:
        """Take one gradient step."""
        q = self.config.q
        draw = self.replay.draw(-(-q.batch_size // self._length), self._span, q.priority, self._random)
        row = draw.row + np.arange(self._length)[:, None] * self.env.num_players
        legal = self._tensor(self.replay.take("legal", row, draw.game))
        action = self._tensor(self.replay.take("action", row, draw.game)).long()
        out, targets = self._outputs(draw)
        chosen = self._q(out[..., 0, :], legal).gather(-1, action[..., None])[..., 0]
        chosen = chosen + out[..., 1:, self._actions].sum(-1)  # the values of those who wait
        error = (targets.value - chosen) * targets.learned
        weight = self._tensor(draw.weight) / targets.learned.sum().clamp(min=1)
        loss = (torch.nn.functional.huber_loss(error, torch.zeros_like(error), reduction="none") * weight).sum()
        parts = {"loss": loss, "q": chosen.mean(), "target": targets.value.mean()}
        if q.aux:
            hand = self._tensor(self.replay.take("hand", row, draw.game))
            parts["hand_loss"] = self._hand_loss(out[..., 0, self._actions + 1 :], hand)
            loss = loss + q.aux * parts["hand_loss"]
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        parts["grad_norm"] = torch.nn.utils.clip_grad_norm_(self.network.parameters(), q.max_grad_norm)
        self._check_finite(parts | {"targets": targets.value})
        self.optimizer.step()
        self.updates += 1
        if self.updates % q.target_every == 0:
            self.target.load_state_dict(self.network.state_dict())
        if q.priority:
            size = error.detach().abs()
            mean = size.sum(0) / targets.learned.sum(0).clamp(min=1)
            self.replay.prioritize(draw, (0.9 * size.amax(0) + 0.1 * mean).cpu().numpy())
        return {name: part.item() for name, part in parts.items()}

    def _outputs(self, draw: Draw) -> tuple[Tensor, Targets]:
        """Run the networks on drawn sequences.

        Returns the outputs for the moves made, float32[L, N, views, outputs], and the targets: r + gamma * Q'(o', a')
        with a' the best by Q + lambda * log prior. The prior chooses a', it is never added to a value.
        """
        q, replay, players = self.config.q, self.replay, self.env.num_players
        own = np.arange(self._length)[:, None] * players
        with self._autocast():
            if self.network.state_size:
                row = draw.row + np.arange(self._length + q.n_step)[:, None] * players
                seen = replay.take("obs", row, draw.game)[:, :, 0]
                obs = self._input(seen)
                starts = self._tensor(replay.take("start", row, draw.game))
                empty = torch.zeros(len(draw.row), self.network.state_size, device=self.device)
                out = self.network.unroll(obs, empty, starts)[:, :, None]
                with torch.no_grad():
                    late = self.target.unroll(obs, empty, starts)[q.n_step :, :, None]
                out, online, seen = out[: self._length], out[q.n_step :].detach(), seen[q.n_step :]
                filled = torch.arange(self._length, device=self.device)[:, None] >= q.burn_in
                learned = filled | (starts[: self._length].cumsum(0) > 0)
            else:
                out = self.network(self._input(replay.take("obs", draw.row + own, draw.game)))
                with torch.no_grad():
                    seen = replay.take("obs", draw.row + own + self._horizon, draw.game)
                    obs = self._input(seen)
                    online, late = self.network(obs), self.target(obs)
                seen = seen[:, :, 0]
                learned = torch.ones(out.shape[:2], dtype=torch.bool, device=self.device)
        with torch.no_grad():
            row = draw.row + own + self._horizon
            legal = self._tensor(replay.take("legal", row, draw.game))
            key = replay.take("obs_key", row, draw.game)
            best = self._regularized(self._q(online[..., 0, :], legal), seen, key, legal).argmax(-1, keepdim=True)
            value = self._q(late[..., 0, :], legal).gather(-1, best)[..., 0] + late[..., 1:, self._actions].sum(-1)
            row = draw.row + np.arange(self._span - 1)[:, None]
            reward, done = (replay.take(name, row, draw.game) for name in ("reward", "done"))
            reward, discount = n_step_returns(reward, done, q.gamma, self._horizon, players)
            return out, Targets(self._tensor(reward) + self._tensor(discount) * value, learned)

    def _q(self, out: Tensor, legal: Tensor) -> Tensor:
        """Dueling: Q of every action, float32[..., A], from advantages and the state's value."""
        advantage = out[..., : self._actions]
        mean = (advantage * legal).sum(-1, keepdim=True) / legal.sum(-1, keepdim=True)
        return out[..., self._actions, None] + advantage - mean

    def _regularized(self, q: Tensor, obs: NDArray[Any], obs_key: NDArray[np.int32], legal: Tensor) -> Tensor:
        """Q + lambda * log prior, float32[..., A], -inf where not legal; `obs`, 0 or 1 [..., D], is what is seen."""
        if self._prior is None or self._log_prior is None or not self.lam:
            return q.masked_fill(~legal, -torch.inf)
        clock = time.perf_counter()
        rows = self._tensor(self._prior.rows(obs.view(np.uint8), obs_key))
        scores = regularized_scores(q, prior_rows(self._log_prior, rows), legal, self.lam)
        self._seconds["time/prior"] += time.perf_counter() - clock
        return scores

    def _hand_loss(self, logits: Tensor, hand: Tensor) -> Tensor:
        """Cross-entropy, in nats a card, of predicting one's own cards; both [..., hand_size * kinds of cards]."""
        env: Any = self.env
        logits, hand = (x.unflatten(-1, (env.rules.hand_size, env.rules.max_score)) for x in (logits, hand))
        return -(torch.log_softmax(logits, -1) * hand).sum() / hand.sum()

    def _check_finite(self, parts: dict[str, Tensor]) -> None:
        """Stop before a broken update. Raises UserError naming what is not finite."""
        if torch.isfinite(parts["loss"]) and torch.isfinite(parts["grad_norm"]):
            return
        named = dict(self.network.named_parameters(prefix="network"))
        gradients = {f"gradient of {name}": p.grad for name, p in named.items() if p.grad is not None}
        broken = next(name for name, x in (named | parts | gradients).items() if not torch.isfinite(x).all())
        raise UserError(f"training stopped after {self.steps} moves: {broken} is not finite; a lower --lr may help")

    def _input(self, obs: NDArray[np.uint8]) -> Tensor:
        return self._tensor(obs).to(torch.bfloat16 if self.config.q.precision == "bfloat16" else torch.float32)

    def _tensor(self, array: NDArray[Any]) -> Tensor:
        return torch.from_numpy(array).to(self.device)

    def _autocast(self) -> Any:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.config.q.precision == "bfloat16")

    def state(self) -> tuple[Arrays, dict[str, Any]]:
        """Return everything that training continues from: arrays, and JSON-able counters."""
        replay, q = self.replay, self.config.q
        arrays: Arrays = {f"env.{name}": array for name, array in self.env.state().items()}
        arrays |= {f"replay.{name}": array for name, array in replay.arrays.items()}
        arrays |= module_arrays("network", self.network) | module_arrays("target", self.target)
        arrays |= optimizer_arrays(self.optimizer)
        own = {"fresh": self._fresh, "memory": self._memory.cpu().numpy(), "running": self._scores.running}
        arrays |= {name: array.copy() for name, array in own.items()}
        arrays["random"] = self._random.get_state().numpy()
        info = {"steps": self.steps, "updates": self.updates, "network": self._spec}
        info |= {"replay_count": replay.count, "replay_highest": replay.highest}
        if self._prior is not None:  # the policy needs it
            arrays |= {"log_prior": self._prior.log_probs}
            arrays |= {f"prior.{name}": array for name, array in self._prior.state().items()}
            info["lam"] = schedule(q.lam, q.lam_end, q.lam_schedule, 1.0)
        return arrays, info

    def restore(self, arrays: Arrays, info: dict[str, Any]) -> None:
        """Continue from what `state` returned, bit by bit."""
        restore_module("network", self.network, arrays)
        restore_module("target", self.target, arrays)
        restore_optimizer(self.optimizer, arrays)
        self.replay.restore(part("replay", arrays), info["replay_count"], info["replay_highest"])
        self._fresh[:], self._scores.running[:] = arrays["fresh"], arrays["running"]
        self._memory = self._tensor(arrays["memory"])
        self._now = self.env.restore(part("env", arrays))
        if self._prior is not None:
            self._prior.restore(part("prior", arrays))
            self._log_prior = self._prior_tensor()
        self._random.set_state(torch.from_numpy(arrays["random"]))
        self.steps, self.updates = info["steps"], info["updates"]

    def start_from(self, arrays: Arrays, source: str) -> None:
        """Begin with the network of a checkpoint. Raises UserError naming `source` if it is another network."""
        restore_module("network", self.network, arrays, source)
        self.target.load_state_dict(self.network.state_dict())

    def policy(self) -> NetworkPolicy:
        """Return the greedy policy; the prior stays, with the lambda that the training ends with."""
        q = self.config.q
        return NetworkPolicy(self.network, prior=self._prior, lam=schedule(q.lam, q.lam_end, q.lam_schedule, 1.0))
