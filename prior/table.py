"""A method's answers for every observation of a game, on disk: content-addressed, atomic, checked, resumable.

An entry is a directory named by the sha256 of everything that the answers depend on. meta.json (text, diffable)
names the rows file and its checksum; the rows are safetensors. `python -m prior.table export|import FILE` writes a
prior as JSON or CSV, and checks such a file against its game. Stored are raw scores, one row an observation and one
for the null observation: calibration, beta and epsilon are applied when a table is read, so that turning those knobs
never asks the model again.
"""

import json
import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from prior.cache import cache_dir, locked, sha256, write_atomic

FORMAT = 1
CHUNK = 64  # observations asked at once, unless a backend wants fewer
_SAVING = 20  # between two saves, at least this many times as long as a save takes: large tables cost 5% more
_log = logging.getLogger("instructrl")

Ask = Callable[[list[int]], NDArray[np.float64]]  # row numbers -> scores [len, num_actions]
Progress = Callable[[int, int], None]  # rows done, rows in all


def raw_table(
    identity: dict[str, Any],
    num_rows: int,
    num_actions: int,
    ask: Ask,
    progress: Progress | None = None,
    chunk_size: int = CHUNK,
    group: Path | None = None,
) -> NDArray[np.float64]:
    """Return all rows, float64[num_rows, num_actions], from disk where they are there, else asked and stored.

    Rows that were finished before a kill are not asked again. A second process that wants the same table waits and
    then reads it. An entry that fails its checksum is rebuilt, with a warning. What `ask` raises goes through.
    `group`: the folder that the entry is put into, if not that of all tables.
    """
    folder = (group or cache_dir() / "tables") / _key(identity)
    with locked(folder):
        rows, done = _read(folder, num_rows, num_actions)
        todo = np.flatnonzero(~done)
        due = time.monotonic()
        try:
            for first in range(0, len(todo), chunk_size):
                chunk = todo[first : first + chunk_size]
                rows[chunk] = ask(chunk.tolist())
                done[chunk] = True
                if (start := time.monotonic()) >= due:
                    _write(folder, identity, rows, done)
                    saved = time.monotonic()
                    due = saved + _SAVING * (saved - start)
                if progress:
                    progress(int(done.sum()), num_rows)
        finally:
            if len(todo):
                _write(folder, identity, rows, done)
    return rows


class Answers:
    """Raw scores of texts that come up one batch after the other: each batch is a table, all of them in one folder.

    A text that is on disk or was asked before is not asked again, whichever batch it came with.
    """

    def __init__(self, identity: dict[str, Any], num_actions: int, chunk_size: int = CHUNK) -> None:
        self._identity, self._num_actions, self._chunk_size = identity, num_actions, chunk_size
        self._folder = cache_dir() / "tables" / _key(identity)
        self._known: dict[str, NDArray[np.float64]] = {}
        for file in sorted(self._folder.glob("*/meta.json")):
            try:
                texts = list(json.loads(file.read_bytes())["texts"])
            except (OSError, ValueError, KeyError, TypeError):
                _log.warning("prior answers %s in the cache are corrupt; they will be asked for again", file.parent)
                continue
            rows, done = _read(file.parent, len(texts), num_actions)
            self._known |= {text: row for text, row, ok in zip(texts, rows, done, strict=True) if ok}

    def scores(self, texts: list[str], ask: Callable[[list[str]], NDArray[np.float64]]) -> NDArray[np.float64]:
        """Return the rows of different texts, float64[len, num_actions], asking for those that are not there."""
        new = [text for text in texts if text not in self._known]
        if new:
            rows = raw_table(
                self._identity | {"texts": new},
                len(new),
                self._num_actions,
                lambda chunk: ask([new[row] for row in chunk]),
                chunk_size=self._chunk_size,
                group=self._folder,
            )
            self._known |= dict(zip(new, rows, strict=True))
        return np.array([self._known[text] for text in texts])


def _key(identity: dict[str, Any]) -> str:
    return sha256(json.dumps({"format": FORMAT, **identity}, sort_keys=True).encode())


def _read(folder: Path, num_rows: int, num_actions: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    empty = np.zeros((num_rows, num_actions)), np.zeros(num_rows, np.bool_)
    meta_file = folder / "meta.json"
    if not meta_file.exists():
        return empty
    try:
        meta = json.loads(meta_file.read_bytes())
        data = (folder / str(meta["rows_file"])).read_bytes()
        if sha256(data) != meta["rows_sha256"]:
            raise ValueError("checksum does not match")
        arrays = load(data)
        rows, done = arrays["scores"], arrays["done"].astype(np.bool_)
        if rows.shape != (num_rows, num_actions) or done.shape != (num_rows,):
            raise ValueError(f"shape {rows.shape} instead of {(num_rows, num_actions)}")
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        reason = " ".join(str(error).split())
        _log.warning("prior table %s in the cache is corrupt (%s); rebuilding it", folder.name[:12], reason)
        return empty
    return rows, done


def _write(folder: Path, identity: dict[str, Any], rows: NDArray[np.float64], done: NDArray[np.bool_]) -> None:
    """Store rows under a name of their own, then point meta.json at them: one of the two states is always whole."""
    data = save({"scores": rows, "done": done.astype(np.uint8)})
    digest = sha256(data)
    rows_file = f"rows-{digest[:16]}.safetensors"
    write_atomic(folder / rows_file, data)
    meta = {
        "format": FORMAT,
        **identity,
        "rows_file": rows_file,
        "rows_sha256": digest,
        "rows_done": int(done.sum()),
        "rows": len(done),
    }
    write_atomic(folder / "meta.json", json.dumps(meta, indent=1, sort_keys=True).encode())
    for old in folder.glob("rows-*.safetensors"):
        if old.name != rows_file:
            old.unlink(missing_ok=True)


def main(argv: Sequence[str]) -> None:
    """Export a prior to a file, or check a file and show what it holds."""
    from envs.base import make_game
    from prior.base import Prior
    from prior.files import export_text, import_table
    from schemas.command_line import parse, write_text
    from schemas.config import TableConfig

    config = parse(TableConfig, argv, "Export a prior as JSON or CSV, or check such a file against its game.")
    game = make_game(config.env)
    if config.action == "export":
        table = Prior(config.prior, game).table()
        write_text("FILE", config.file, export_text(game, table.probs, table.metadata, config.file.suffix))
        print(f"{len(game.observations)} observations x {len(game.actions)} actions written to {config.file}")
    else:
        probs, _ = import_table(game, config.file)
        print(f"{config.file}: a whole prior for {game.name}, {probs.shape[0]} observations x {probs.shape[1]} actions")
    print(f"train with it: python -m rl.train --env {game.name} --prior file --table {config.file} --epsilon 0")


if __name__ == "__main__":
    from schemas.command_line import run_main

    run_main(main)
