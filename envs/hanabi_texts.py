"""What a player of Hanabi can be told at a level of `hanabi_view`, read from the features that a learner sees.

The texts of `hand` and `full` are too many to list. A text is made from the features and the last move alone, so
these also name it: two moments have the same key exactly if their texts are the same (up to collisions of a 64-bit
hash: 3e-8 among a million texts).
"""

import numpy as np
from numba import uint64
from numpy.typing import NDArray

from envs.compiled import kernel
from envs.hanabi_encoding import observation_sections
from envs.hanabi_rules import HanabiRules
from envs.hanabi_view import read_view, view_text
from envs.language import events
from envs.rng import mix
from schemas.config import Level


class HanabiTexts:
    """Keys and texts of observations at a level; rules must show the players' knowledge of their cards."""

    def __init__(self, rules: HanabiRules, level: Level) -> None:
        self.rules, self.level, self._events = rules, level, events(rules)
        sections = observation_sections(rules)
        known, last_move = sections["knowledge"], sections["last_move"]
        spans = {
            "last-move": [],
            "hand": [(known.start, known.start + (known.stop - known.start) // rules.players)],
            "full": [(0, last_move.start), (last_move.stop, known.stop)],  # a text does not tell what a move did
        }
        self._spans = np.array(spans[level], np.int64).reshape(-1, 2)

    def keys(self, obs: NDArray[np.uint8], obs_key: NDArray[np.int32]) -> NDArray[np.uint64]:
        """Name the texts of observations, uint8[..., D], after the last moves `obs_key`, int32[...]: uint64[...]."""
        out = np.empty(obs_key.shape, np.uint64)
        _hash(obs.reshape(-1, obs.shape[-1]), obs_key.reshape(-1), self._spans, out.reshape(-1))
        return out

    def text(self, obs: NDArray[np.uint8], obs_key: int) -> str:
        """Put one observation, uint8[D], into words."""
        return view_text(read_view(self.rules, obs, self._events[obs_key]), self.level)


class TextRows:
    """Rows of a table that grows with the texts that come up; what is not in it has its last move's row.

    `keys`, uint64[M], sorted, and their rows `places`, int32[M], are all that changes.
    """

    def __init__(self, rules: HanabiRules, level: Level) -> None:
        # from the coarsest: a text that is not known has the row of a coarser one
        self.levels = [HanabiTexts(rules, part) for part in (("hand", "full") if level == "full" else (level,))]
        self.keys, self.places = np.zeros(0, np.uint64), np.zeros(0, np.int32)

    def rows(self, obs: NDArray[np.uint8], obs_key: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return the row of every observation, uint8[..., D], after the last moves `obs_key`, int32[...].

        Rows are int32[...], and -1 where `obs_key` is.
        """
        rows = obs_key
        for texts in self.levels:
            rows = self.find(texts.keys(obs, obs_key), rows)
        return rows

    def find(self, keys: NDArray[np.uint64], coarser: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return the rows of keys, and what is in `coarser`, int32 of the same shape, for those that are not known."""
        if not len(self.keys):
            return coarser
        place = np.searchsorted(self.keys, keys).clip(max=len(self.keys) - 1)
        return np.where((self.keys[place] == keys) & (coarser >= 0), self.places[place], coarser)

    def add(self, keys: NDArray[np.uint64], places: NDArray[np.int32]) -> None:
        """Learn the rows of new keys."""
        keys, places = np.append(self.keys, keys), np.append(self.places, places)
        order = np.argsort(keys)
        self.keys, self.places = keys[order], places[order]


@kernel
def _hash(obs, obs_key, spans, out):  # type: ignore[no-untyped-def]
    """Hash the features of `spans`, int64[S, 2], which are all 0 or 1: 64 of them make a word."""
    for i in range(obs.shape[0]):
        digest = mix(uint64(obs_key[i]))
        word, filled = uint64(0), 0
        for k in range(spans.shape[0]):
            for feature in range(spans[k, 0], spans[k, 1]):
                word = (word << uint64(1)) | uint64(obs[i, feature])
                filled += 1
                if filled == 64:
                    digest = mix(digest ^ word)
                    word, filled = uint64(0), 0
        out[i] = mix(digest ^ word)
