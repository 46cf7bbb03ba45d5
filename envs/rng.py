"""SplitMix64 for numba kernels: one 64-bit word of state a stream, so that a stream can be saved and resumed.

Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators" (OOPSLA 2014). Integers are drawn
with Lemire's multiply-shift on the upper 32 bits; its bias is below 2^-28 for the ranges of these games.
"""

import numpy as np
from numba import njit, uint64
from numpy.typing import NDArray

_GOLDEN = uint64(0x9E3779B97F4A7C15)
_MIX1 = uint64(0xBF58476D1CE4E5B9)
_MIX2 = uint64(0x94D049BB133111EB)


@njit(cache=True, nogil=True, inline="always")
def mix(word):  # type: ignore[no-untyped-def]
    """Scramble a uint64 into another: SplitMix64's output function."""
    z = uint64(word)
    z = (z ^ (z >> uint64(30))) * _MIX1
    z = (z ^ (z >> uint64(27))) * _MIX2
    return z ^ (z >> uint64(31))


@njit(cache=True, nogil=True, inline="always")
def next_word(state):  # type: ignore[no-untyped-def]
    """Advance a stream. `state`: uint64[1], changed in place. Returns 64 random bits."""
    state[0] = state[0] + _GOLDEN
    return mix(state[0])


@njit(cache=True, nogil=True, inline="always")
def below(state, n):  # type: ignore[no-untyped-def]
    """Draw an integer from 0 to n - 1; n < 2^32."""
    return np.int64(((next_word(state) >> uint64(32)) * uint64(n)) >> uint64(32))


@njit(cache=True, nogil=True, inline="always")
def unit(state):  # type: ignore[no-untyped-def]
    """Draw a float64 from [0, 1) with 53 random bits."""
    return np.float64(next_word(state) >> uint64(11)) * (1.0 / 9007199254740992.0)


@njit(cache=True)
def _scrambled_twice(word):  # type: ignore[no-untyped-def]
    word[0] = mix(mix(word[0]))


def stream(seed: int, index: int) -> NDArray[np.uint64]:
    """State of stream `index` of `seed`, uint64[1]. A stream does not depend on how many others there are."""
    word = np.array([(seed * 0x632BE59BD9B4E019 + index) & 0xFFFFFFFFFFFFFFFF], dtype=np.uint64)
    _scrambled_twice(word)
    return word
