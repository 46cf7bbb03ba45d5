"""`python -m prior.compiler.evaluate`: how often the compiler is right, set by set, beside a bag-of-n-grams control.

Right means: it executes to the same prior over all observations as the program that is meant, or both refuse; a
program that it is not confident of counts as a refusal, but for `likeliest right`, which takes the likeliest reading
whatever its probability. Sets are the hand-written ones (eval/*.toml), texts of held-out templates and words of the
grammar (`held_out`), and held-out wordings of written/*.toml (`wordings`).
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tyro
from pydantic import Field, field_validator

from prior.compiler.compile import ADAPTER, Compiled, Compiler
from prior.compiler.data import pair
from prior.compiler.evalsets import DEV, SETS, Case, read_set
from prior.compiler.ngrams import NearestNgrams
from schemas.command_line import parse, run_main, write_summary
from schemas.config import Section
from schemas.errors import UserError
from schemas.program import read, write

_DRAWN = {"held_out": 0.0, "wordings": 1.0}  # sets that are drawn, and their share of written wordings
_KNOWN = (*SETS, DEV, *_DRAWN)
_FIRST = 2_000_000  # first seed of the drawn texts; early stopping looks at others


class EvaluateConfig(Section):
    """What to measure."""

    adapter: Path = Field(ADAPTER, description="adapter of the compiler")
    sets: tyro.conf.UseAppendAction[tuple[str, ...]] = Field((), description=f"of {', '.join(_KNOWN)}; all but {DEV}")
    held_out: int = Field(300, ge=1, description="texts of each set that is drawn")
    ngrams: int = Field(8000, ge=0, description="training texts of the n-grams control; 0 leaves it out")
    part: int = Field(1, ge=1, description="take every k-th instruction of a set only")
    summary: Path | None = Field(None, description="write the results as JSON, with what failed")

    @field_validator("sets")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if name not in _KNOWN:
                raise ValueError(f"{name!r} is none of {', '.join(_KNOWN)}")
        return names


def cases_of(name: str, held_out: int) -> tuple[Case, ...]:
    """Return a hand-written set, or texts drawn from held-out templates or wordings."""
    if name not in _DRAWN:
        return read_set(name)
    pairs = (pair(_FIRST + i, held_out=True, written=_DRAWN[name]) for i in range(held_out))
    return tuple(Case(game=p.game, instruction=p.instruction or " ", programs=(p.program,)) for p in pairs)


def evaluate(config: EvaluateConfig) -> dict[str, Any]:
    """Print a table, and what failed of the sets that may be read; returns the summary, which has all of it."""
    compiler = Compiler(config.adapter)
    control = NearestNgrams([pair(i) for i in range(config.ngrams)]) if config.ngrams else None
    summary: dict[str, Any] = {"adapter": str(config.adapter), "sets": {}}
    print(
        "set                     n  likeliest right  right  confident  right if confident  refused  "
        "wrong and confident  n-grams  s each"
    )
    for name in config.sets or (*SETS, *_DRAWN):
        start = time.perf_counter()
        cases = cases_of(name, config.held_out)[:: config.part]
        rows = [judge(case, compiler.compile(case.game, case.instruction, explain=False)) for case in cases]
        each = (time.perf_counter() - start) / len(cases)
        grams = None if control is None else _share(_ngrams_right(control, case) for case in cases)
        confident = [row for row in rows if row["understood"]]
        result = {
            "n": len(rows),
            "likeliest_right": _share(row["likeliest_right"] for row in rows),
            "right": _share(row["right"] for row in rows),
            "confident": _share(row["understood"] for row in rows),
            "right_if_confident": _share(row["right"] for row in confident),
            "refused": _share(not row["understood"] for row in rows),
            "wrong_and_confident": sum(not row["right"] for row in confident),
            "ngrams_right": grams,
            "seconds_each": each,
            "failures": [row for row in rows if not row["right"]],
        }
        summary["sets"][name] = result
        shown = "      -" if grams is None else f"{grams:7.1%}"
        print(
            f"{name:20} {len(rows):4}  {result['likeliest_right']:15.1%}  {result['right']:5.1%}  "
            f"{result['confident']:9.1%}  {result['right_if_confident']:18.1%}  {result['refused']:7.1%}  "
            f"{result['wrong_and_confident']:19}  {shown}  {each:6.2f}",
            flush=True,
        )
    for name, result in summary["sets"].items():
        print(f"\n{name}: {len(result['failures'])} failures")
        for row in result["failures"] if name in (DEV, *_DRAWN) else ():  # who reads the others cannot measure by them
            print(f"  [{row['game']}] {row['instruction']}")
            print(f"    meant {row['meant']}  got {row['got']}  ({row['probability']:.2f})")
    return summary


def judge(case: Case, compiled: Compiled) -> dict[str, Any]:
    """Compare an outcome with what is meant. A refusal is right for what is to be refused, and wrong for the rest."""
    best = compiled.readings[0]
    return {
        "game": case.game,
        "instruction": case.instruction,
        "meant": " | ".join(case.programs),
        "got": write(best.meaning),
        "probability": best.probability,
        "understood": compiled.understood,
        "right": case.refused if not compiled.understood else _accepts(case, best.meaning),
        "likeliest_right": _accepts(case, best.meaning),
    }


def _accepts(case: Case, meaning: Any) -> bool:
    try:
        return case.accepts(meaning)
    except UserError:
        return False


def _ngrams_right(control: NearestNgrams, case: Case) -> bool:
    return _accepts(case, read(case.game, control.answer(case.game, case.instruction)))


def _share(flags: Any) -> float:
    values = [bool(flag) for flag in flags]
    return sum(values) / len(values) if values else 1.0


def main(argv: Sequence[str]) -> None:
    """Entry point."""
    config = parse(EvaluateConfig, argv, "Measure the instruction compiler.")
    summary = evaluate(config)
    if config.summary:
        write_summary(config.summary, summary)


if __name__ == "__main__":
    run_main(main)
