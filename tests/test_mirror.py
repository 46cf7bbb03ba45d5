"""Mirrored wordings: what a swap changes, what it leaves alone, and that it undoes itself."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prior.compiler.evalsets import Case
from prior.compiler.mirror import SWAPS, mirrored
from prior.compiler.written import wordings
from schemas.errors import UserError
from schemas.program import read, write

HINTS, ENDS, ACTS = SWAPS["hanabi"]
(DIRECTION,) = SWAPS["say-select"]


@pytest.mark.parametrize(
    ("swap", "text", "program", "other_text", "other_program"),
    [
        (HINTS, "Colors: play. Values: hint a color.", "if color play those if rank hint color else free .",
         "Ranks: play. Suits: hint a rank.", "if color hint rank if rank play those else free ."),
        (ENDS, "Hinted? The LEFTMOST gets played.", "if hint play left else free .",
         "Hinted? The RIGHTMOST gets played.", "if hint play right else free ."),
        (ACTS, "After a discard I play my oldest.", "if discarded play oldest else free .",
         "After a play I discard my oldest.", "if played discard oldest else free ."),
        (DIRECTION, "Two above mine.", "else plus two .", "Two below mine.", "else minus two ."),
    ],
)  # fmt: skip
def test_a_swap_changes_text_and_program_alike(swap, text, program, other_text, other_program):
    game = "say-select" if swap is DIRECTION else "hanabi"
    assert swap.applies(text, program)
    assert (swap.text(text), swap.program(game, program)) == (other_text, other_program)


@pytest.mark.parametrize(
    ("swap", "text", "program"),
    [
        (HINTS, "Play what I paint, discard what I number.", "if color play those if rank discard those else free ."),
        (HINTS, "A red hint: play. Else colors: bin.", "if color red play those if color discard those else free ."),
        (HINTS, "A color hint on a number of cards: play them.", "if color play those else free ."),
        (ENDS, "Play my first card, the leftmost.", "else play oldest ."),
        (ENDS, "All right, the leftmost.", "if hint play left else free ."),
        (ACTS, "Discard them after a color; bin my oldest otherwise.", "if color discard those else discard oldest ."),
        (DIRECTION, "Above 3 quit, otherwise copy.", "if four five quit else same ."),
        (DIRECTION, "One up: for 2 take 3, for 3 take 4.", "else plus one ."),
    ],
)  # fmt: skip
def test_what_might_mean_something_else_is_left_alone(swap, text, program):
    assert not swap.applies(text, program)


@given(st.integers(0, 2**32 - 1), st.sampled_from(["hanabi", "say-select"]))
@settings(max_examples=200, deadline=None)
def test_a_swap_gives_a_program_and_undoes_itself(seed, game):
    rng = np.random.default_rng(seed)
    options = wordings(game, False)
    text, program = options[rng.integers(len(options))].draw(rng)
    assert write(read(game, mirrored(game, text, program, rng)[1]))
    for swap in SWAPS[game]:
        if not swap.applies(text, program):
            continue
        try:
            other = swap.program(game, program)
        except UserError:
            continue
        assert swap.text(swap.text(text)) == text
        assert swap.text(text) != text
        again = read(game, swap.program(game, other))
        if program.startswith("unclear"):
            assert write(again) == program
        else:
            assert Case(game=game, instruction=text, programs=(program,)).accepts(again)
