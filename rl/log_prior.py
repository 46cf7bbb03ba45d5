"""What a learner asks of a prior: the row of log-probabilities for every moment. Learners know no language model."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from envs.hanabi_texts import TextRows
from rl.checkpoint import Arrays


class LogPrior(Protocol):
    """Log-probabilities of actions by row; the rows may grow in number, those that are there stay.

    `log_probs`: float32[N, A].
    """

    log_probs: NDArray[np.float32]

    def rows(self, obs: NDArray[np.uint8], obs_key: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return the rows of observations, uint8[..., D], with the env's `obs_key`, int32[...]: int32[...].

        A row is -1 where the prior has no say.
        """
        ...

    def refresh(self, obs: NDArray[np.uint8], obs_key: NDArray[np.int32]) -> dict[str, float]:
        """Between updates: learn about what was seen since the last time; returns metrics."""
        ...

    def state(self) -> Arrays:
        """Return everything that changes, for a checkpoint."""
        ...

    def restore(self, state: Arrays) -> None:
        """Continue from what `state` returned."""
        ...


class FixedPrior:
    """A table that stays as it is: of listed observations, whose rows are the env's keys, or with an index of texts."""

    def __init__(self, log_probs: NDArray[np.float32], texts: TextRows | None = None) -> None:
        self.log_probs, self._texts = log_probs, texts

    def rows(self, obs: NDArray[np.uint8], obs_key: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return the rows of observations: `obs_key`, unless there is an index."""
        return obs_key if self._texts is None else self._texts.rows(obs, obs_key)

    def refresh(self, obs: NDArray[np.uint8], obs_key: NDArray[np.int32]) -> dict[str, float]:
        """Do nothing: the table stays as it is."""
        return {}

    def state(self) -> Arrays:
        """Return nothing: the table stays as it is."""
        return {}

    def restore(self, state: Arrays) -> None:
        """Do nothing."""
