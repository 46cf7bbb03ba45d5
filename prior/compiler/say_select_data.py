"""Random Say-Select instructions with their programs."""

from prior.compiler import sentences as s
from prior.compiler.framing import joined
from prior.compiler.say_select_draw import any_said, any_selection, apart, overlap, program
from prior.compiler.say_select_short import short
from prior.compiler.say_select_words import EQUAL, SELECT, answer, said, their
from prior.compiler.sentences import Answer
from prior.compiler.writer import Writer, sentence
from schemas.say_select import NumberConvention, Pick, Said, Selection

_TRIES = 200


def _event(when: Said) -> s.Event:
    return lambda w, noun: said(w, when, noun)


def instruction(w: Writer) -> tuple[str, NumberConvention]:
    """Draw an instruction and the program that it means. Raises LookupError if the program has no contrast to draw."""
    kind = w.choose(("always", "rules", "unless", "short"), [0.42, 0.33, 0.13, 0.12])
    if kind == "short":
        return short(w)
    if kind == "always":
        return _always(w)
    last = any_selection(w)
    if kind == "unless":
        when = any_said(w)
        part = any_selection(w, never=0.05) if w.chance(0.55) else Selection()
        text = s.unless(w, _event(when), answer(last), answer(part) if part.then or part.never else None)
        return joined(w, [text]), program([(when, part)], last)
    cases: list[tuple[Said, Selection]] = []
    count = int(w.choose([1, 2, 3, 4, 5], [0.5, 0.3, 0.1, 0.05, 0.05]))
    taken: set[int] = set()
    while len(cases) < count:
        when = any_said(w) if count < 3 else Said.model_validate({"numbers": (int(w.rng.integers(1, 6)),)})
        if any(c[0].repeated for c in cases) if when.repeated else taken & set(when.numbers):
            when = Said.model_validate({"numbers": (int(w.rng.integers(1, 6)),)})
        if taken & set(when.numbers) and not when.repeated:
            continue
        if not when.repeated:
            taken |= set(when.numbers)
        cases.append((when, any_selection(w, never=0.06)))
    with_else = w.chance(0.75 if count < 5 else 0.0)
    order = [cases[i] for i in w.rng.permutation(count)]
    order.sort(key=lambda case: not case[0].repeated)  # they may meet the others: the first decides
    parts = []
    for when, part in order:
        text = s.rule(w, _event(when), answer(part))
        if part.then and w.chance(0.03):
            text = s.corrected(w, s.rule(w, _event(when), answer(_other(w, part))), text)
        parts.append(text)
    if not with_else:
        return joined(w, parts), program(cases, Selection())
    clear = count == 1 and bool(part.then or not overlap(part, last))  # a ban that the default keeps is no exception
    if clear and w.chance(0.25):
        return joined(w, [], s.else_first(w, answer(last), parts[0])), program(cases, last)
    if clear and w.chance(0.12):  # copy me, and stop once I say a number twice
        link = w.choose((", but ", "; ", ", except that "))
        return joined(w, [answer(last).clause(w) + link + parts[0][:1].lower() + parts[0][1:]]), program(cases, last)
    parts.append(s.otherwise(w, answer(last)))
    return joined(w, parts), program(cases, last)


def _other(w: Writer, part: Selection) -> Selection:
    """Draw an answer that is taken back for `part`. Raises LookupError if none is found, as for `opposite or quit`."""
    for _ in range(_TRIES):
        wrong = any_selection(w, never=0)
        if len(wrong.then) == 1 and not wrong.never and apart(part, wrong):
            return wrong
    raise LookupError(f"no answer is apart from {part}")


_ALWAYS = (
    "{r}, (irrespective of|independent of|regardless of|no matter) what {p} #say", "(Upon hearing|For) (a|any|every) number: {i}", "(Any|Every) number (means|leads to|calls for) the same: {i}", "(At each step|From now on|Throughout the game|On all turns|For every call), {r}", "{p} #say a number; what now? {i}", "When {p} #speak, {r}", "(Goal|Task|Job|Rule|Strategy|Plan)(:| =) {i}",
    "{r}", "{r}", "{r}", "{r}", "{i}", "{r} (always|every time|no matter what|all the time|each turn)", "(Always|Every time|Each turn|Whatever happens|In all cases|On every turn), {r}", "(Whatever|No matter what) (number |){p} #say, {r}", "(When|Whenever|If|Once) {p} #say (a|any) number, {r}", "{r} (when|whenever|after) {p} #say (a number|something)",
    "(After|On hearing|Given) a number, {r}", "{p} #say a number; {r}", "{p} #say a number and {r}", "~{r}, come what may",
)  # fmt: skip
_DIFFERENT = (
    "{v} a number (unequal to|distinct from|different from|that differs from|that isn't|unlike|not equal to) {their}", "{v} (anything|whatever|any ball|any number) (as long as it is not|so long as it isn't|that is not) {their}", "{v} one of the other (four|numbers|balls)", "(avoid|dodge|skip|leave out|exclude|stay away from|keep clear of) {their}", "do not {v} {their} but another (one|number|ball)", "{v} (any|some|one) of the (remaining|other) (four|numbers|balls)", "make sure (it|the number|{ap} number) is not {their}", "leave {their} (alone|for someone else)", "disagree with {their}",
    "{v} (a different|another|some other|any other) (number|ball) (than|from) {their}", "{v} (anything|any number|any ball|a number|something) (but|except|other than) {their}", "{v} (a different|another|some other|any other) (number|ball|one)", "{v} something (else|different)", "(differ|deviate) from {their}",
    "{v} a number that is not {their}", "{v} one that {p} did not say", "avoid {their}", "avoid the number (said|named|that was said)", "{v} (anything|something) (else|different) (from|than) {their}", "~shun {their}",
)  # fmt: skip


def _always(w: Writer) -> tuple[str, NumberConvention]:
    part = any_selection(w, never=0.22)
    meant = program([], part)
    right = answer(part, alone=True)
    if part.never == (Pick(action="same"),) and not part.then and w.chance(0.5):
        right = Answer((lambda v: v.say(_DIFFERENT, v=v.pick(SELECT), their=their(v)),))
    if part.then == (Pick(action="same"),) and not part.never and w.chance(0.15):
        verb = w.choose(("select", "choose", "take", "pick"))
        return joined(w, [w.say(w.pick(EQUAL).replace("{v}", verb), their=their(w))]), meant
    if not right.negative and w.chance(0.08):
        base = right.base(w)
        text = w.say(("only {x}", "only ever {x}", "nothing but {x}", "{x} and nothing else", "{x} (at once|right away|immediately|now)", "~solely {x}"), x=base)  # fmt: skip
        return joined(w, [text]), meant
    draw = w.rng.random()
    if draw < 0.08 and part.then:
        return joined(w, [s.rejected(w, right, answer(_other(w, part)))]), meant
    if draw < 0.14 and part.then:
        return joined(w, [s.corrected(w, answer(_other(w, part)).clause(w), right.clause(w))]), meant
    if draw < 0.19 and len(part.then) == 1 and not part.never:
        base = right.base(w)
        wrong = _other(w, part)  # a ban that meets the answer at some number would be a conflict
        tail = "(, not|, and not) {x}" if overlap(part, wrong) else "(, not|, and not|. (Never|Don't)|, never) {x}"
        tail = w.say(tail, x=answer(wrong).base(w))
        return joined(w, [base + tail]), meant
    if draw < 0.24 and len(part.then) == 1 and part.then[0].action in ("same", "opposite", "shift"):
        k = int(w.rng.integers(1, 6))
        become = {"same": k, "opposite": 6 - k}.get(part.then[0].action, (k + (part.then[0].by or 0) - 1) % 5 + 1)
        example = w.say(
            "(For example|E.g.|For instance|So|Say), (if|when) {p} #say {k}, {a} (should|) {v} {n}",
            k=str(k),
            n=str(become),
            v=w.pick(SELECT[:6]),
        )
        return joined(w, [f"{sentence(right.clause(w))} {example}"]), meant
    if draw < 0.30 and part.then and not w.chance(0.3):
        case = s.rule(w, _event(any_said(w)), answer(_other(w, part)))
        return joined(
            w,
            [
                w.say(
                    "{r}. (No, forget that rule|Scratch that whole rule|Never mind that rule)(:|. Instead,) whatever {p} #say, {i}",
                    r=case,
                    i=right.imperative(w),
                )
            ],
        ), meant
    frames = [f for f in _ALWAYS if "every time" not in f or not right.negative]  # "don't quit every time" is not never
    return joined(w, [w.say(frames, r=right.clause(w), i=right.imperative(w))]), meant
