"""The control: the program of the most similar training text, by its words and pairs of words; no language model."""

import re
import zlib
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from prior.compiler.data import Pair
from schemas.program import Game

_SIZE = 4096


class NearestNgrams:
    """Nearest neighbor under the cosine of hashed, idf-weighted uni- and bigrams."""

    def __init__(self, pairs: Sequence[Pair]) -> None:
        self._pairs = list(pairs)
        counts = np.stack([_counts(pair.instruction) for pair in pairs])
        self._idf = np.log(len(pairs) / (1 + (counts > 0).sum(axis=0)))
        self._rows = _unit(counts * self._idf)

    def answer(self, game: Game, instruction: str) -> str:
        """Return the program text of the nearest training pair of the game."""
        similarity = self._rows @ _unit(_counts(instruction) * self._idf)
        best = max((i for i, p in enumerate(self._pairs) if p.game == game), key=lambda i: similarity[i])
        return self._pairs[best].program


def _counts(text: str) -> NDArray[np.float32]:
    words = re.findall(r"[a-z]+|\d", text.lower())
    found = np.zeros(_SIZE, np.float32)
    for gram in [*words, *(f"{a} {b}" for a, b in pairwise(words))]:
        found[zlib.crc32(gram.encode()) % _SIZE] += 1
    return found


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-9), np.float32)
