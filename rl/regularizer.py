"""The two regularizers of the paper and lambda's schedule: pure functions of scores or logits, prior and legal moves.

InstructQ acts and bootstraps on Q + lambda * log prior; InstructPPO adds lambda * KL(pi || prior) to its loss
(Hu & Sadigh, ICML 2023, Sections 4.2 and 4.3).
"""

from typing import Literal

import torch
from torch import Tensor


def masked_log_softmax(logits: Tensor, legal: Tensor) -> Tensor:
    """Log-probabilities over the legal actions, float32[..., A]; -inf where `legal`, bool[..., A], is False."""
    return torch.log_softmax(logits.float().masked_fill(~legal, -torch.inf), dim=-1)


def kl_divergence(log_pi: Tensor, log_prior: Tensor, legal: Tensor) -> Tensor:
    """KL(pi || prior) over the legal actions, in nats, float32[...].

    Both arguments are log-probabilities [..., A]; what they hold where `legal` is False does not matter.
    """
    log_pi, log_prior = (x.masked_fill(~legal, 0.0) for x in (log_pi, log_prior))
    return (log_pi.exp() * (log_pi - log_prior)).masked_fill(~legal, 0.0).sum(-1)


def entropy(log_pi: Tensor, legal: Tensor) -> Tensor:
    """Entropy of pi over the legal actions, in nats, float32[...]."""
    log_pi = log_pi.masked_fill(~legal, 0.0)
    return -(log_pi.exp() * log_pi).masked_fill(~legal, 0.0).sum(-1)


def regularized_scores(q: Tensor, log_prior: Tensor, legal: Tensor, lam: float) -> Tensor:
    """Q + lambda * log prior, float32[..., A], -inf where not legal: what InstructQ acts and bootstraps on."""
    scores = q + lam * log_prior.masked_fill(~legal, 0.0) if lam else q
    return scores.masked_fill(~legal, -torch.inf)


def prior_rows(log_prior: Tensor, obs_key: Tensor) -> Tensor:
    """Rows of a table of log-probabilities, float32[..., A], by obs_key, int[...]; 0 where the prior has no say (-1).

    A probability of 0 becomes e^-10000: such a move loses to every other, and where all legal moves are of that kind,
    Q decides among them.
    """
    rows = log_prior[obs_key.clamp(min=0).long()].clamp(min=-1e4)
    return rows.masked_fill((obs_key < 0)[..., None], 0.0)


def schedule(start: float, end: float | None, kind: Literal["linear", "halving"], done: float) -> float:
    """Lambda after the share `done`, 0 to 1, of the training.

    It goes from `start` to `end` (None: it stays) in a line, or halves after equal shares of the training, as the
    paper does, as often as `end` asks for (an `end` of 0 halves ten times).
    """
    done = min(max(done, 0.0), 1.0)
    if end is None or end == start:
        return start
    if kind == "linear":
        return start + (end - start) * done
    floor = end or start / 1024
    halvings = max(1, round(float(torch.log2(torch.tensor(start / floor)))))
    return max(floor, start * 0.5 ** int(done * (halvings + 1)))
