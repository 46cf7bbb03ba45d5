"""Random Say-Select programs: conditions, picks and what they are joined to."""

from collections.abc import Sequence

from envs.convention import number_prior
from prior.compiler.say_select_words import CLASSES
from prior.compiler.writer import Writer
from schemas.say_select import NumberConvention, Pick, Said, Selection, SelectionRule


def number_pick(k: int) -> Pick:
    """Return the pick of one number."""
    return Pick.model_validate({"action": "number", "number": k})


def any_pick(w: Writer) -> Pick:
    """Draw a pick."""
    kind = w.choose(
        ("same", "opposite", "shift", "higher", "lower", "any", "number", "quit"),
        [0.24, 0.09, 0.22, 0.05, 0.05, 0.03, 0.2, 0.12],
    )
    if kind == "shift":
        return Pick(action="shift", by=int(w.choose([1, 2, 3, 4, -1, -2, -3, -4], [5, 3, 1.5, 0.7, 5, 3, 1.5, 0.7])))
    if kind == "number":
        return number_pick(int(w.rng.integers(1, 6)))
    return Pick(action="number") if kind == "any" else Pick(action=kind)


def any_selection(w: Writer, *, never: float = 0.1) -> Selection:
    """Draw a selection."""
    if w.chance(never):
        banned = w.choose(("same", "quit", "number", "shift"), [0.5, 0.25, 0.2, 0.05])
        if banned == "number":
            return Selection(never=(number_pick(int(w.rng.integers(1, 6))),))
        return Selection(never=(Pick(action=banned) if banned != "shift" else any_shift(w),))
    if w.chance(0.06):
        first, second = any_pick(w), any_pick(w)
        if first == second or "any" in (first.action, second.action):
            return any_selection(w)
        turns = "quit" not in (first.action, second.action) and w.chance(0.6)
        return Selection(then=(first, second), alternate=turns)
    if w.chance(0.04):
        return Selection(then=(Pick(action="number"),), never=(any_pick_but(w),))
    return Selection(then=(any_pick(w),))


def any_shift(w: Writer) -> Pick:
    """Draw a shift by one or two."""
    return Pick(action="shift", by=int(w.choose([1, -1, 2, -2])))


def any_pick_but(w: Writer) -> Pick:
    """Draw what a free choice may leave out."""
    return Pick(action="same") if w.chance(0.4) else number_pick(int(w.rng.integers(1, 6)))


def any_said(w: Writer) -> Said:
    """Draw a condition on the number."""
    draw = w.rng.random()
    if draw < 0.5:
        return Said.model_validate({"numbers": (int(w.rng.integers(1, 6)),)})
    if draw < 0.75:
        return Said.model_validate({"numbers": w.choose(list(CLASSES))})
    if draw < 0.9:
        return Said(repeated=True)
    if draw < 0.93:
        return Said.model_validate({"numbers": (int(w.rng.integers(1, 6)),), "repeated": True})
    return Said.model_validate(
        {"numbers": tuple(int(k) + 1 for k in sorted(w.rng.permutation(5)[: int(w.choose([2, 2, 3]))]))}
    )


def overlap(one: Selection, two: Selection) -> bool:
    """Tell whether two answers may be meant together: the same number and a higher or equal one."""
    allowed = [number_prior(program([], part)) > 0 for part in (one, two)]
    said = ~(allowed[0].all(axis=1) | allowed[1].all(axis=1))  # above 5 is no number: nothing is said there
    return bool((allowed[0] & allowed[1])[said].any())


def apart(one: Selection, two: Selection) -> bool:
    """Tell whether one answer takes back the other; two ways to count do, though they may meet at some number."""
    counted = {pick.action for part in (one, two) for pick in part.then} <= {"same", "opposite", "shift"}
    shared = [(pick.by or 0) % 5 if pick.action != "opposite" else -1 for part in (one, two) for pick in part.then]
    return len(set(shared)) == len(shared) if counted else not overlap(one, two)


def program(cases: Sequence[tuple[Said, Selection]], otherwise: Selection) -> NumberConvention:
    """Order rules as programs have them: by the smallest number, repeated ones first."""
    ordered = sorted(cases, key=lambda case: (not case[0].repeated, case[0].numbers))
    rules = tuple(SelectionRule(when=when, **dict(part)) for when, part in ordered)
    return NumberConvention(name="generated", rules=rules, otherwise=otherwise)
