"""The decorator of the Hanabi kernels: compiled once, cached on disk, holding no lock."""

import functools
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba import njit


@functools.cache
def sources_digest() -> str:
    """Return the SHA-256 of all files that kernels are made of."""
    folder = Path(__file__).parent
    digest = hashlib.sha256()
    for file in sorted([*folder.glob("hanabi_*.py"), folder / "rng.py"]):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile with numba, inlined into other kernels.

    Numba renews its cache only when the file of the function itself has changed, and would go on running an old copy
    of what it has inlined from other files. The digest of them all joins the stamp that it compares. The stamp is
    not part of numba's interface: should it move, what is left is numba's own, weaker check.
    """
    compiled = njit(cache=True, nogil=True, forceinline=True)(function)
    file: Any = getattr(compiled._cache, "_cache_file", None)
    if hasattr(file, "_source_stamp"):
        file._source_stamp = (file._source_stamp, sources_digest())
    return compiled
