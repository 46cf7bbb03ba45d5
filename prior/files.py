"""Prior tables as JSON and CSV: they survive a model's retirement, and can be edited and compared by hand."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.base import Game
from schemas.errors import StoreError, UserError

_TOLERANCE = 1e-3  # of a row's sum: numbers typed by hand


def export_text(game: Game, probs: NDArray[np.float64], metadata: dict[str, Any], suffix: str) -> str:
    """Return the table, float64[N, A], as text in the format of a file name's suffix (.json or .csv)."""
    _check_suffix(Path(f"table{suffix}"))
    if suffix == ".json":
        rows = {
            o.key: dict(zip(game.action_names, row, strict=True))
            for o, row in zip(game.observations, probs.tolist(), strict=True)
        }
        return json.dumps({"metadata": metadata, "probabilities": rows}, indent=1) + "\n"
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["observation", *game.action_names])
    writer.writerows([o.key, *(repr(p) for p in row)] for o, row in zip(game.observations, probs.tolist(), strict=True))
    return text.getvalue()


def import_table(game: Game, file: Path) -> tuple[NDArray[np.float64], dict[str, Any]]:
    """Read a table for a game; returns probabilities float64[N, A], rows summing to 1, and its metadata.

    Raises UserError naming file, observation and action for whatever is missing, unknown, illegal or no probability;
    StoreError if the file cannot be read.
    """
    rows, metadata = _read(file)
    made_for = metadata.get("game", game.name)
    if made_for != game.name:
        raise UserError(f"{file}: a table of {made_for}, not of {game.name}")
    unknown = [key for key in rows if key not in game.index]
    missing = [observation.key for observation in game.observations if observation.key not in rows]
    if missing:
        raise UserError(f"{file}: {len(missing)} observations of {game.name} are missing, first {missing[0]!r}")
    if unknown:
        raise UserError(f"{file}: {unknown[0]!r} is no observation of {game.name}")
    probs = np.zeros((len(game.observations), len(game.actions)))
    columns = {name: i for i, name in enumerate(game.action_names)}
    for key, row in rows.items():
        for name, value in row.items():
            where = f"{file}: observation {key!r}, action {name!r}"
            if name not in columns:
                raise UserError(f"{where}: no action of {game.name}; known are {', '.join(columns)}")
            if not isinstance(value, float) or not np.isfinite(value) or value < 0:
                raise UserError(f"{where}: {value!r}; a number from 0 to 1 is needed")
            if value > 0 and not game.legal[game.index[key], columns[name]]:
                raise UserError(f"{where}: it is not legal there, but has probability {value:g}")
            probs[game.index[key], columns[name]] = value
        total = probs[game.index[key]].sum()
        if abs(total - 1) > _TOLERANCE:
            raise UserError(f"{file}: observation {key!r}: its probabilities sum to {total:.6g}, not to 1")
    return probs / probs.sum(axis=1, keepdims=True), metadata


def _read(file: Path) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    _check_suffix(file)
    try:
        text = file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(f"--table: cannot read {file} ({getattr(error, 'strerror', None) or 'no text'})") from None
    try:
        if file.suffix == ".json":
            data = json.loads(text)
            rows = {
                str(key): {str(a): _number(p) for a, p in row.items()} for key, row in data["probabilities"].items()
            }
            return rows, dict(data.get("metadata", {}))
        header, *lines = list(csv.reader(io.StringIO(text)))
        rows = {line[0]: {a: _number(p) for a, p in zip(header[1:], line[1:], strict=True)} for line in lines if line}
    except (ValueError, KeyError, AttributeError, TypeError, csv.Error) as error:
        raise UserError(f"{file}: not a prior table ({' '.join(str(error).split())})") from None
    return rows, {}


def _number(value: Any) -> Any:
    """A float where there is one; anything else stays, to be named in an error."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return value


def _check_suffix(file: Path) -> None:
    if file.suffix not in (".json", ".csv"):
        raise UserError(f"--table: {file.name} ends neither in .json nor in .csv")
