"""`python -m prior.inspect --chat`: refine an instruction line by line; each line shows how the program changes."""

import difflib
from collections.abc import Callable

from prior.compiler.compile import Compiled, rule_parts
from schemas.program import write

_HELP = "Say how to play; add to it line by line. `undo` takes the last line back, an empty line or `done` ends."


def chat(compile_: Callable[[str], Compiled], instruction: str = "") -> str:
    """Read lines from standard input until the end; returns the instruction that was settled on.

    A line that leaves the whole without a program is dropped, and what stands is kept.
    """
    print(_HELP)
    lines: list[str] = []
    shown: list[str] = []
    waiting = [instruction] if instruction else []
    while True:
        try:
            line = waiting.pop() if waiting else input("> ").strip()
        except EOFError:
            line = "done"
        if line in ("", "done"):
            return " ".join(lines)
        said = lines[:-1] if line == "undo" else [*lines, line]
        if not said:
            lines, shown = [], []
            print("  nothing is agreed")
            continue
        compiled = compile_(" ".join(said))
        print("  " + compiled.text().replace("\n", "\n  "))
        if not compiled.understood or compiled.program is None:
            print("  kept as it was; say it in other words")
            continue
        rules = [part for part, _ in rule_parts(compiled.program, write(compiled.program))]
        for change in difflib.ndiff(shown, rules):
            if not change.startswith("?"):
                print("  " + change)
        lines, shown = said, rules
