"""What can sit at a table: policies, their seats, and the trained network as one of them."""

from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from envs.base import Step
from rl.log_prior import LogPrior
from rl.networks import Network
from rl.regularizer import masked_log_softmax, prior_rows, regularized_scores


class Seat(Protocol):
    """One seat of a policy in a batch of games, with its memory of each of them.

    `log_probs`: the distribution behind the last `act`, float32[N, A], -inf where not legal; None where there is none.
    """

    log_probs: NDArray[np.float32] | None

    def act(self, step: Step, rows: NDArray[np.intp]) -> NDArray[np.int64]:
        """Choose a move in the games `rows`, int[N], where this seat is to act; returns int64[N]."""
        ...


class Policy(Protocol):
    """A way of playing a game, for any seat."""

    def sit(self, num_envs: int, seed: int) -> Seat:
        """Take a seat in a batch of new games; `seed` decides what is drawn at random."""
        ...


class NetworkPolicy:
    """A trained network: greedy, or sampling.

    Scores are the network's first A outputs (logits, or advantages, which rank moves as Q does), plus
    lam * log prior where one is given (InstructQ keeps its prior at test time; InstructPPO needs none).
    """

    def __init__(
        self, network: Network, *, sample: bool = False, prior: LogPrior | None = None, lam: float = 0.0
    ) -> None:
        self.network, self.sample, self.prior, self.lam = network.eval(), sample, prior, lam

    def sit(self, num_envs: int, seed: int) -> "NetworkSeat":
        """Take a seat with empty memory."""
        return NetworkSeat(self, num_envs, seed)


class NetworkSeat:
    """A seat of a NetworkPolicy."""

    def __init__(self, policy: NetworkPolicy, num_envs: int, seed: int) -> None:
        self._policy = policy
        self.log_probs: NDArray[np.float32] | None = None
        self._device = next(policy.network.parameters()).device
        self._state = torch.zeros(num_envs, policy.network.state_size, device=self._device)
        self._random = torch.Generator().manual_seed(seed)

    @torch.inference_mode()
    def act(self, step: Step, rows: NDArray[np.intp]) -> NDArray[np.int64]:
        """Choose moves (see Seat)."""
        policy, where = self._policy, torch.from_numpy(rows)
        obs = torch.from_numpy(step.obs[rows]).float().to(self._device)
        out, self._state[where] = policy.network.step(obs, self._state[where])
        legal = torch.from_numpy(step.legal[rows])
        scores = out[:, : legal.shape[1]].cpu()
        if policy.prior is not None and policy.lam:
            chosen = policy.prior.rows(step.obs[rows], step.obs_key[rows])
            log_prior = prior_rows(torch.from_numpy(policy.prior.log_probs), torch.from_numpy(chosen))
            scores = regularized_scores(scores, log_prior, legal, policy.lam)
        log_probs = masked_log_softmax(scores, legal)
        self.log_probs = log_probs.numpy()
        if policy.sample:
            noise = torch.empty_like(scores).exponential_(generator=self._random).log()
            scores = log_probs - noise  # Gumbel's trick: the argmax is a draw
        return scores.masked_fill(~legal, -torch.inf).argmax(-1).numpy()
