"""Short forms of Say-Select: tables of numbers, notation, swaps, turns, and corrections inside one sentence."""

from prior.compiler.framing import joined, listed
from prior.compiler.say_select_draw import number_pick, program
from prior.compiler.say_select_words import SELECT, their
from prior.compiler.writer import Writer
from schemas.say_select import NumberConvention, Pick, Said, Selection

_WORDS = ("one", "two", "three", "four", "five")  # fmt: skip
_ARROW = "(->|=>|:|=|means|to|becomes|gives)"
_KEEP = "(otherwise|else|the rest|all others|anything else|the others|remaining numbers)(:| ->|,) (same|unchanged|copy|keep it|the same number|as said)"
_UP = ("n+{k}", "n -> n+{k}", "x => x + {k}", "number + {k}", "{their} + {k}", "(just|always|) +{k}", "+{k} (please|always|every time)", "plus {k}", "{ap} (pick|number) = {pp} (call|number) + {k}", "(same|their number) but {k} (up|higher|more)", "{k} (up|higher|more)(, always|, please|)", "f(x) = x+{k}", "{ap} (pick|number) is (always |){k} (more|higher|greater) than {pp} (one|call|number)", "{their}, but {k} (higher|more)")  # fmt: skip
_DOWN = ("n-{k}", "n -> n-{k}", "x => x - {k}", "number - {k}", "{their} - {k}", "(just|always|) -{k}", "-{k} (please|always|every time)", "minus {k}", "{ap} (pick|number) = {pp} (call|number) - {k}", "(same|their number) but {k} (down|lower|less)", "{k} (down|lower|less)(, always|, please|)", "f(x) = x-{k}", "{ap} (pick|number) is (always |){k} (less|lower|smaller) than {pp} (one|call|number)", "{their}, but {k} (lower|less)")  # fmt: skip
_FIXED = ("{n}(.|!|, always| every time| forever| no matter what|, please| all the way| and only {n})", "number {n} (it is|for {ao}|always|every time)", "{ap} (number|choice|ball|pick) is (always |){n}", "{n} is (the|{ap}) (only |)(number|ball) (to pick|to take|for {ao}|of choice)", "(always|only|just) {n}", "my favorite is {n}, so {v} it", "nothing but {n}", "{n}, whatever {p} #say", "only (number|ball) {n} (counts|will do|is allowed|, ever)", "for any number, {n}", "{n} {n} {n}, nothing else")  # fmt: skip
_TURNS = ("{x}, {y}, {x}, {y}(, and so on| etc.|...)", "(first|once) {x}, then {y}, then {x}(,| and) so on", "{x} on odd turns(,| and) {y} on even (turns|ones)", "{x} now, {y} next(, then {x} again|, and back again)", "one turn {x}, the next turn {y}", "(ping-pong|toggle|swap|cycle|zigzag|go to and fro) between {x} and {y}", "every other turn {x}, {y} in between", "alternate: {x}, {y}", "{x} and {y} take turns", "alternate {x} and {y}")  # fmt: skip
_DIFFERENT = ("(not|never|anything but|never ever|any number but) {their}", "{ap} number (must|should|may|can) (never|not) (be|equal) {their}", "{ap} (number|pick) (!=|<>|is not|differs from) {pp} (number|call)", "(different|another|some other) (number|ball)(,| than {their}|) (please|always|every time)", "{their} is (off limits|taboo for {ao}|forbidden|the one to avoid|the only one {a} must not take)", "if {p} #say (1|2|3|4|5), {v} anything (else|other than that), and so on")  # fmt: skip
_OPPOSITE = ("6-n", "n -> 6 - n", "x => 6-x", "(mirror|flip|invert) it", "opposite (number|ball|)(, please|, always|!|)", "{ap} number and {pp} number (add up|sum) to (six|6)", "(low|small) for (high|big) and (high|big) for (low|small): 1-5, 2-4, 3-3", "6 minus {their}", "the (two|numbers) must (total|sum to|make) 6")  # fmt: skip
_SAME = ("same", "ditto", "copy", "n -> n", "x = x", "same (number|ball|one)(!|, always|, please|)", "{ap} (pick|number) = {pp} (call|number)", "{their}, (nothing else|unchanged|as is)", "whatever {p} #say (goes|it is)", "match", "me too")  # fmt: skip
_QUIT = ("quit", "quit (now|at once|straight away|no matter what)", "game over", "no game today, just quit", "stop(!| now| immediately)", "end it", "(hit|press|choose) quit (always|every time|now|)")  # fmt: skip
_INNER = ("{k} {w}(,| -|...) (no|wait|sorry|no wait|I mean|er)(,|) {k2} {w2} than {their}", "{v} {k} {w} than {their}(,| -|...) (no|wait|sorry|I mean|correction)(,|:|) {k2} {w2}", "not {k} {w}(,| but|:|;) {k2} {w2} than {their}", "{v} {k2} {w2} than {their}, not {k} {w}")  # fmt: skip


def short(w: Writer) -> tuple[str, NumberConvention]:
    """Draw a short instruction and the program that it means."""
    return w.choose((_plain, _table, _swap, _inner), [0.6, 0.2, 0.1, 0.1])(w)


def _plain(w: Writer) -> tuple[str, NumberConvention]:
    slots = {"v": w.choose(SELECT[:8]), "their": their(w)}
    kind = w.choose(("shift", "fixed", "turns", "never", "opposite", "same", "quit"), [5, 4, 3, 4, 3, 3, 1.5])
    k, other = (int(n) + 1 for n in w.rng.permutation(5)[:2])
    if kind == "shift":
        by = int(w.choose([1, 2, 3, -1, -2, -3], [4, 2, 1, 4, 2, 1]))
        text = w.say(_UP if by > 0 else _DOWN, k=_figure(w, abs(by)), **slots)
        return joined(w, [text]), program([], Selection(then=(Pick(action="shift", by=by),)))
    if kind == "fixed":
        return joined(w, [w.say(_FIXED, n=_figure(w, k), **slots)]), program([], Selection(then=(number_pick(k),)))
    if kind == "turns":
        text = w.say(_TURNS, x=_figure(w, k), y=_figure(w, other), **slots)
        return joined(w, [text]), program([], Selection(then=(number_pick(k), number_pick(other)), alternate=True))
    if kind == "never":
        return joined(w, [w.say(_DIFFERENT, **slots)]), program([], Selection(never=(Pick(action="same"),)))
    templates = {"opposite": _OPPOSITE, "same": _SAME, "quit": _QUIT}[kind]
    return joined(w, [w.say(templates, **slots)]), program([], Selection(then=(Pick(action=kind),)))


def _table(w: Writer) -> tuple[str, NumberConvention]:
    """Say what becomes of some numbers: 1 -> 5, 2 -> 4, otherwise the same."""
    count = int(w.choose([2, 3, 4, 5], [3, 2, 1, 2]))
    heard = sorted(int(n) + 1 for n in w.rng.permutation(5)[:count])
    chosen = [int(w.rng.integers(1, 6)) for _ in heard]
    arrow = w.say(_ARROW)
    parts = [f"{_figure(w, n)} {arrow} {_figure(w, m)}".replace(" :", ":") for n, m in zip(heard, chosen, strict=True)]
    keep = count < 5 and w.chance(0.5)
    if keep:
        parts.append(w.say(_KEEP))
    last = Selection(then=(Pick(action="same"),)) if keep else Selection()
    cases = [(_heard(n), Selection(then=(number_pick(m),))) for n, m in zip(heard, chosen, strict=True)]
    return joined(w, [listed(w, parts)]), program(cases, last)


def _swap(w: Writer) -> tuple[str, NumberConvention]:
    one, two = sorted(int(n) + 1 for n in w.rng.permutation(5)[:2])
    text = w.say("(swap|exchange|interchange|trade|switch) {x} and {y}", x=_figure(w, one), y=_figure(w, two))
    keep = w.chance(0.6)
    if keep:
        text += w.say("(,|;|.|, and) " + _KEEP)
    cases = [(_heard(one), Selection(then=(number_pick(two),))), (_heard(two), Selection(then=(number_pick(one),)))]
    return joined(w, [text]), program(cases, Selection(then=(Pick(action="same"),)) if keep else Selection())


def _inner(w: Writer) -> tuple[str, NumberConvention]:
    """Correct one word of a sentence: one more - no, one less than what I say."""
    wrong, right = 0, 0
    while wrong == right:
        wrong, right = (int(w.choose([1, 2, 3, -1, -2, -3], [3, 2, 1, 3, 2, 1])) for _ in range(2))
    up, down = "(more|higher)", "(less|lower)"
    text = w.say(
        _INNER,
        k=_figure(w, abs(wrong)),
        k2=_figure(w, abs(right)),
        w=w.say(up if wrong > 0 else down),
        w2=w.say(up if right > 0 else down),
        v=w.choose(SELECT[:8]),
        their=their(w),
    )
    return joined(w, [text]), program([], Selection(then=(Pick(action="shift", by=right),)))


def _heard(number: int) -> Said:
    return Said.model_validate({"numbers": (number,)})


def _figure(w: Writer, number: int) -> str:
    return str(number) if w.chance(0.6) else _WORDS[number - 1]
