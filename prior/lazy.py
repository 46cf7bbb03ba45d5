"""The prior at the levels whose texts cannot be listed: the model is asked for what comes up in training.

Between two updates it is asked for the texts that came up most often and are not known yet, so many at most; a moment
whose text is not known has the row of the nearest coarser level that knows it (full, hand, last move), and how many
such moments there are is counted.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.base import Game
from envs.hanabi import PRESETS, preset
from envs.hanabi_texts import TextRows
from prior.base import Prior
from prior.table import Answers
from schemas.config import PriorConfig
from schemas.errors import UserError

METHODS = ("structured", "yes-no", "verbalized")


def check_level(config: PriorConfig, game: Game) -> None:
    """Raise UserError unless a prior can be asked at the level that `config` names."""
    flag = f"--level {config.level}"
    if config.level == "last-move":
        return
    if game.name not in PRESETS:
        raise UserError(f"{flag}: {game.name} has one level only; {', '.join(PRESETS)} have more")
    if config.method not in METHODS:
        raise UserError(f"{flag}: the prior {config.method} reads no such texts; {', '.join(METHODS)} do")
    if config.compiled:
        raise UserError(f"{flag}: --compiled mixes with programs, which know last moves only; use --level last-move")
    if config.calibration == "batch":
        raise UserError(f"{flag}: --calibration batch needs the mean over all texts, which are too many to list")
    if config.noise:
        raise UserError(f"{flag}: --noise {config.noise:g} is drawn for a table; use --level last-move")


class LazyPriorTable:
    """Rows of log-probabilities that grow: first those of all last moves, then those of texts as they come up.

    `log_probs` float32[N, A]; at the beginning the table of last moves, `listed`, whose `instruction` is asked about.
    """

    def __init__(self, config: PriorConfig, game: Game, listed: NDArray[np.float32], instruction: str) -> None:
        check_level(config, game)
        self.log_probs = listed
        self._prior, self._instruction, self._listed = Prior(config, game), instruction, len(listed)
        self._known = TextRows(preset(game.name), config.level)
        self._answers: dict[str, Answers] = {}  # by instruction

    def rows(self, obs: NDArray[np.uint8], obs_key: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return the row of every observation, uint8[..., D], after the last moves `obs_key`, int32[...].

        Rows are int32[...], and -1 where the prior has no say.
        """
        return self._known.rows(obs, obs_key)

    def refresh(self, obs: NDArray[np.uint8], obs_key: NDArray[np.int32]) -> dict[str, float]:
        """Ask for texts of the observations that are not known, the most frequent first; returns metrics.

        Each level may ask for its share of `texts_per_update`, and for what the coarser one has left.
        """
        obs, obs_key = obs.reshape(-1, obs.shape[-1]), obs_key.reshape(-1)
        budget, said = self._prior.config.texts_per_update, max(1, int((obs_key >= 0).sum()))
        for i, texts in enumerate(self._known.levels):
            keys = texts.keys(obs, obs_key)
            unknown = np.flatnonzero((self._known.find(keys, obs_key) < self._listed) & (obs_key >= 0))
            _, first, count = np.unique(keys[unknown], return_index=True, return_counts=True)
            chosen = np.lexsort((first, -count))[: -(-budget // (len(self._known.levels) - i))]
            moments = unknown[first[chosen]]
            if len(moments):
                self._add(keys[moments], [texts.text(obs[m], int(obs_key[m])) for m in moments])
            budget -= len(moments)
            coarse = (len(unknown) - count[chosen].sum()) / said
        metrics = {"train/prior_coarse_share": float(coarse), "train/prior_texts": float(len(self._known.keys))}
        if len(self._known.levels) > 1:
            listed = (self.rows(obs, obs_key) < self._listed) & (obs_key >= 0)
            metrics["train/prior_last_move_share"] = float(listed.sum() / said)
        return metrics

    def _add(self, keys: NDArray[np.uint64], texts: list[str]) -> None:
        legal = np.ones((len(texts), self.log_probs.shape[1]), np.bool_)  # the learner masks what is not
        calibration = self._prior.config.calibration
        null = None
        if calibration == "null-instruction":
            null = self._raw("", texts)
        elif calibration != "none":
            null = self._raw("" if calibration == "null" else self._instruction, [self._prior.game.null_observation])
        added = self._prior.finish(self._raw(self._instruction, texts), legal, null)
        places = np.arange(len(self.log_probs), len(self.log_probs) + len(texts), dtype=np.int32)
        self.log_probs = np.concatenate([self.log_probs, added])
        self._known.add(keys, places)

    def _raw(self, instruction: str, texts: list[str]) -> NDArray[np.float64]:
        prior, num_actions = self._prior, self.log_probs.shape[1]

        def ask(new: list[str]) -> NDArray[np.float64]:
            return prior.ask(instruction, new, [repr(text) for text in new], np.ones((len(new), num_actions), np.bool_))

        if instruction not in self._answers:
            backend = prior.method.backend
            assert backend is not None  # see METHODS
            self._answers[instruction] = Answers(prior.question(instruction), num_actions, backend.chunk_size)
        return self._answers[instruction].scores(texts, ask)

    def state(self) -> dict[str, NDArray[Any]]:
        """Return what has been learned from the model, for a checkpoint."""
        return {
            "keys": self._known.keys,
            "places": self._known.places,
            "log_probs": self.log_probs[self._listed :],
        }

    def restore(self, state: dict[str, NDArray[Any]]) -> None:
        """Go on from what `state` returned."""
        self.log_probs = np.concatenate([self.log_probs[: self._listed], state["log_probs"]])
        self._known.keys, self._known.places = state["keys"], state["places"]
