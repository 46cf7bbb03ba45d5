"""What happens to scores after the model: null calibration, sharpness beta, smoothing epsilon. Pure functions."""

import numpy as np
from numpy.typing import NDArray


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
