"""Command lines: a TOML file, then flags, into a Pydantic model; every bad input is one line and exit code 2."""

import contextlib
import difflib
import io
import json
import os
import re
import sys
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import tyro
from pydantic import BaseModel, ValidationError

from schemas.errors import StoreError, UserError

Model = TypeVar("Model", bound=BaseModel)


def parse(model: type[Model], argv: Sequence[str], description: str) -> Model:
    """Parse flags over the TOML file that --config names, if any. Raises UserError; --help prints and exits."""
    argv, default = list(argv), None
    for i, word in enumerate(argv):
        if word == "--config" or word.startswith("--config="):
            value = word.partition("=")[2] or (argv[i + 1] if i + 1 < len(argv) else "")
            argv = argv[:i] + argv[i + (1 if "=" in word else 2) :]
            default = read_toml(model, value)
            break
    helping = bool({"-h", "--help"} & set(argv))
    if helping:
        description += " --config FILE reads a TOML file first; flags override it."
    complaint = io.StringIO()
    width = os.environ.get("COLUMNS")
    try:
        if not helping:
            os.environ["COLUMNS"] = "4000"  # tyro breaks its messages into lines; one line is wanted
        with contextlib.redirect_stderr(complaint):
            if default is None:
                return tyro.cli(model, args=argv, description=description)
            return tyro.cli(model, args=argv, default=default, description=description)
    except ValidationError as error:  # tyro reports its own model's in words, and lets those of sections through
        first = error.errors(include_url=False)[0]
        message = first["msg"].removeprefix("Value error, ")
        whole = isinstance(first["input"], dict | BaseModel)  # a rule about several of a section's values names them
        raise UserError(message if whole else f"{_flag(first['loc'][-1:])} {first['input']}: {message}") from None
    except SystemExit as stop:
        if stop.code in (0, None):
            raise
        raise UserError(_one_line(complaint.getvalue(), _flags(model))) from None
    finally:
        if width is None:
            os.environ.pop("COLUMNS", None)
        else:
            os.environ["COLUMNS"] = width


def read_toml(model: type[Model], file: str, parameter: str = "--config") -> Model:
    """Read a config file. Raises UserError naming file, key, value and rule."""
    try:
        data = tomllib.loads(Path(file).read_text())
    except OSError as error:
        raise UserError(f"{parameter}: cannot read {file!r} ({error.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{file}: not valid TOML ({error})") from None
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise UserError(f"{file}: {explain(error, model)}") from None


def explain(error: ValidationError, model: type[BaseModel]) -> str:
    """Put the first failure of a validation into one line: key, value, rule; for an unknown key, the known ones."""
    first = error.errors(include_url=False)[0]
    key = ".".join(map(str, first["loc"]))
    if not key:  # a rule about the whole
        return str(first["msg"].removeprefix("Value error, "))
    if first["type"] != "extra_forbidden":
        return f"{key} = {first['input']!r}: {first['msg'].removeprefix('Value error, ')}"
    section: type[BaseModel] = model
    for part in first["loc"][:-1]:
        inner = section.model_fields[str(part)].annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            section = inner
    return f"unknown key {key}; known are {', '.join(section.model_fields)}"


def write_summary(file: Path, summary: dict[str, Any]) -> None:
    """Write the results of a main as JSON. Raises StoreError if the file cannot be written."""
    write_text("--summary", file, json.dumps(summary, indent=1, allow_nan=False) + "\n")


def write_text(parameter: str, file: Path, text: str) -> None:
    """Write a text file, its folder made if needed. Raises StoreError naming the parameter."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    except OSError as error:
        raise StoreError(f"{parameter}: cannot write {file} ({error.strerror})") from None


def run_main(main: Callable[[Sequence[str]], None]) -> None:
    """Run a `python -m` main: UserError becomes one line and exit code 2, Ctrl-C a word and exit code 130."""
    try:
        main(sys.argv[1:])
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except MemoryError as error:
        print(f"error: not enough memory ({' '.join(str(error).split()) or 'no details'})", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:  # the reader of our output has gone, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)


def _flag(location: Sequence[object]) -> str:
    return "--" + ".".join(map(str, location)).replace("_", "-")


def _flags(model: type[BaseModel]) -> list[str]:
    """All flags of a model and its sections."""
    flags = ["--config"]
    for name, info in model.model_fields.items():
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            flags += _flags(info.annotation)
        else:
            names = [mark.name for mark in info.metadata if getattr(mark, "name", None)]
            flags.append(_flag(names or [name]))
    return flags


def _one_line(complaint: str, flags: Sequence[str]) -> str:
    """Reduce tyro's boxed message to its first sentence, and its quotation of pydantic to flag, value and rule."""
    lines = [re.sub(r"[│╭╮╰╯]", "", line).strip() for line in complaint.splitlines()]
    body: list[str] = []
    for line in lines:
        if re.fullmatch(r"─.*─", line):
            if body:
                break  # the first rule after the text ends it; what follows is help
            continue
        if line:
            body.append(line)
    text = " ".join(body) or "the command line cannot be read"
    rule = re.search(r"validation errors? for \w+ (\S+) (.*?) \[type=\w+, input_value=(.*?), input_type", text)
    if rule:
        return f"{_flag([rule.group(1)])} {rule.group(3)}: {rule.group(2).removeprefix('Value error, ')}"
    unknown = re.search(r"Unrecognized options: (.+)", text)
    if unknown:
        word = next((w for w in unknown.group(1).split(", ") if w.startswith("-")), unknown.group(1).split(", ")[0])
        close = difflib.get_close_matches(word, flags, n=3)
        kind = "flag" if word.startswith("-") else "argument"
        return f"unknown {kind} {word}; " + (f"did you mean {' or '.join(close)}?" if close else "--help lists them")
    return text
