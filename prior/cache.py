"""The user's cache directory, and writing to it so that a kill at any moment leaves whole files or none."""

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from schemas.errors import StoreError


def cache_dir() -> Path:
    """Return INSTRUCTRL_CACHE, or the platform's cache directory for instructrl."""
    return Path(os.environ.get("INSTRUCTRL_CACHE") or platformdirs.user_cache_dir("instructrl"))


def write_atomic(path: Path, data: bytes) -> None:
    """Write a file so that readers see the old content or the new, also across a crash. Raises StoreError."""
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise StoreError(f"cannot write {path} ({error.strerror})") from None
        raise


@contextmanager
def locked(directory: Path, parameter: str = "INSTRUCTRL_CACHE") -> Iterator[None]:
    """Hold the lock of a directory, made if needed; other processes wait. A killed holder frees it."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        file = (directory / ".lock").open("w")
    except OSError as error:
        raise StoreError(
            f"{parameter}: cannot write to {directory} ({error.strerror}); set it to a folder that you may write"
        ) from None
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def sha256(data: bytes) -> str:
    """Return the hex digest of bytes."""
    return hashlib.sha256(data).hexdigest()


def sha256_files(paths: list[Path]) -> str:
    """Return one hex digest over names and contents, in the order given."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.name.encode() + b"\0")
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
