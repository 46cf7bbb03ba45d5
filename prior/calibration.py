"""What happens to scores after the model: null calibration, sharpness beta, smoothing epsilon. Pure functions."""

import numpy as np
from numpy.typing import NDArray

from schemas.config import Coarse


def calibrated(
    scores: NDArray[np.float64], null_scores: NDArray[np.float64], legal: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Subtract what the model answers to a null input, and renormalize: log p(a | x) - log p(a | null).

    `scores` float64[N, A] log-probabilities, `null_scores` float64[A] or [N, A], `legal` bool[N, A]. The contextual
    calibration of Zhao et al., "Calibrate before use" (ICML 2021), in log space.
    """
    shifted = np.full_like(scores, -np.inf)
    np.subtract(scores, np.broadcast_to(null_scores, scores.shape), out=shifted, where=legal)
    return normalized(shifted)


def coarsened(scores: NDArray[np.float64], legal: NDArray[np.bool_], coarse: Coarse) -> NDArray[np.float64]:
    """Keep less of a prior, float64[N, A]: how coarse may it be?

    top-k keeps the k most probable actions (ties with the k-th too). binary is the paper's 0/1 logit: 1 for actions
    of at least average probability, else 0; beta then says how much that 1 weighs.
    """
    if coarse == "full":
        return scores
    if coarse == "binary":
        logits = (scores >= -np.log(legal.sum(axis=1, keepdims=True)) - 1e-9).astype(np.float64)
        return normalized(np.where(legal, logits, -np.inf))
    k = min(int(coarse.removeprefix("top-")), scores.shape[1])
    kth = np.sort(scores, axis=1)[:, -k][:, None]
    return normalized(np.where(scores >= kth - 1e-9, scores, -np.inf))


def flipped(scores: NDArray[np.float64], legal: NDArray[np.bool_], share: float, seed: int) -> NDArray[np.float64]:
    """Flip a share of the entries, float64[N, A]: the paper's robustness test (Section 5.2) for any prior.

    A flipped entry is mirrored between the least and the most probable legal action of its row, so that in a 0/1
    prior a yes becomes a no and the other way round. Which entries flip depends on `seed` and the shape alone.
    """
    if share == 0:
        return scores
    hit = (np.random.default_rng(seed).random(scores.shape) < share) & legal
    p = np.exp(scores)
    high = np.where(legal, p, -np.inf).max(axis=1, keepdims=True)
    low = np.where(legal, p, np.inf).min(axis=1, keepdims=True)
    mirrored = np.where(hit, high + low - p, p)
    with np.errstate(divide="ignore"):
        return normalized(np.where(legal, np.log(np.maximum(mirrored, 0.0)), -np.inf))


def sharpened(
    scores: NDArray[np.float64], legal: NDArray[np.bool_], beta: float, epsilon: float
) -> NDArray[np.float64]:
    """Return log of (1 - epsilon) * softmax(beta * scores) + epsilon * uniform over legal actions, float64[N, A].

    `scores` float64[N, A], -inf only where not legal. Raises ValueError if a legal action ends with probability 0
    while epsilon > 0, or if any entry is NaN.
    """
    powered = np.full_like(scores, -np.inf)
    np.multiply(scores, beta, out=powered, where=legal)
    with np.errstate(divide="ignore"):
        uniform = np.where(legal, -np.log(legal.sum(axis=1, keepdims=True)), -np.inf)
        mixed = np.logaddexp(np.log1p(-epsilon) + normalized(powered), np.log(epsilon) + uniform)
    if np.isnan(mixed).any():
        raise ValueError("scores: NaN in a prior")
    return normalized(np.where(legal, mixed, -np.inf))


def normalized(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shift rows so that their exponentials sum to 1."""
    return scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)
