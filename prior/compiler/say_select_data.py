"""Random Say-Select instructions with their programs."""

from collections.abc import Sequence

from prior.compiler import sentences as s
from prior.compiler.sentences import Answer
from prior.compiler.writer import Writer, sentence
from schemas.say_select import NumberConvention, Pick, Said, Selection, SelectionRule

_NUMBERS = ("(1|one)", "(2|two)", "(3|three)", "(4|four)", "(5|five)")
_SELECT = ("select", "select", "pick", "pick", "choose", "choose", "take", "go for", "grab", "play", "pick out", "opt for", "go with", "~settle on",
           "~click")  # fmt: skip
_THEIR = (
    "{p}'s number", "{p}'s number", "the number (that|) {p} (#say|said|#name|#call|#announce)", "the (number|one) {they} said", "what {p} (#say|said)", "whatever {p} (#say|said)", "{pp} number",
    "the number {a} @hear", "the (last|) number (said|called|named|announced)", "what was (said|called|named)", "{pp} (choice|call|pick|word)", "the ball {p} (#name|#mention)", "~the number spoken",
)  # fmt: skip
_MINE = (
    "my number",
    "the number (that|) I (say|said|call|name)",
    "what I (say|said|tell you)",
    "whatever I (say|call|name)",
    "the one I (say|name|mention)",
    "mine",
)
_SAME = (
    "{v} the same (number|ball|one|thing) (as {p}|that {p} (#say|said|#name)|)", "{v} {their}", "{v} (exactly|just|) {their}", "copy {po}", "repeat {their}", "follow {po}", "mirror {po} exactly", "match {their}", "do (exactly|just|) (what|as) {p} #say",
    "echo {p}", "imitate {po}", "{v} the (very|) (number|ball) that (was|is) (said|named|called)", "{v} the (identical|matching) (number|ball)", "{v} the ball with {their}", "obey {po}", "use {their}", "go along with {po}", "agree with {po}", "~parrot {po}", "~take {po} at {pp} word",
)  # fmt: skip
_SHIFT = (
    "{v} (the number that is|the ball that is|the number|) {k} (higher|more|greater|above|up|larger|bigger) (than|from) {their}", "{v} (a|the) (number|ball) {k} (higher|greater|larger|up)", "add {k} to {their}", "{v} {their} plus {k}",
    "{v} {k} more than {p} (#say|said)", "{v} {k} above {their}", "go {k} (up|higher) from {their}", "increase {their} by {k}", "{v} {k} higher", "{v} +{k}", "raise {their} by {k}", "count {k} up from {their}", "~bump {their} up by {k}",
)  # fmt: skip
_DOWN = (
    "{v} (the number that is|the ball that is|the number|) {k} (lower|less|smaller|below|under) (than|from) {their}", "{v} (a|the) (number|ball) {k} (lower|smaller|less|down)", "subtract {k} from {their}", "{v} {their} minus {k}",
    "{v} {k} less than {p} (#say|said)", "{v} {k} below {their}", "go {k} (down|lower) from {their}", "decrease {their} by {k}", "{v} {k} lower", "{v} -{k}", "take {k} off {their}", "reduce {their} by {k}", "count {k} down from {their}", "~knock {k} off {their}",
)  # fmt: skip
_PHRASES: dict[str, tuple[str, ...]] = {
    "same": _SAME,
    "opposite": (
        "{v} the opposite (number|ball|) (of {their}|)", "{v} the opposite of {their}", "mirror {their} (so that 1 becomes 5|around 3|, 5 for 1 and 4 for 2)", "do the opposite of {their}", "{v} (six|6) minus {their}",
        "{v} the number (at|on) the (other|opposite) (end|side)", "{v} (5 for 1, 4 for 2 and so on|5 when it is 1, 4 when it is 2, and so on)", "{v} the (reverse|mirror image|mirrored number) (of {their}|)", "invert {their}", "subtract {their} from 6", "{v} the contrary of {their}", "flip {their} around", "~{v} the complement to six",
    ),
    "higher": (
        "{v} (a|any|some|anything) (number |ball |)(higher|bigger|greater|larger) than {their}", "{v} (something|anything) (above|over) {their}", "{v} (any|a) (higher|larger|bigger|greater) (number|ball)", "{v} (something|anything) higher", "exceed {their}", "go higher (than {po}|)", "{v} (a|any) number above {their}", "~outbid {po}",
    ),
    "lower": (
        "{v} (a|any|some|anything) (number |ball |)(lower|smaller|less) than {their}", "{v} (something|anything) (below|under) {their}", "{v} (any|a) (lower|smaller) (number|ball)", "{v} (something|anything) (lower|smaller)", "stay (under|below) {their}", "go lower (than {po}|)", "{v} (a|any) number below {their}", "~undercut {po}",
    ),
    "any": ("{v} any (number|ball)", "{v} (a|some|any) (random|) (number|ball)", "{v} (a|any|whatever|whichever) (number|ball) ({a} @like|at all|)", "{v} one of the (balls|numbers)", "{v} (anything|something)", "keep (selecting|picking) (balls|numbers)", "~{v} a ball, any ball"),
    "quit": ("quit", "quit", "quit (the game|)", "stop (playing|the game|)", "end the game", "end (it|things)", "leave (the game|)", "finish the game", "give up", "exit", "walk away", "be done", "terminate the game", "~bow out", "~call it a day"),
}  # fmt: skip
_NEXT_UP = (
    "{v} the next (higher |bigger |larger |)(number|ball|one) (up|) (from|after) {their}",
    "{v} the next (higher|bigger|larger) (number|ball|one)",
    "{v} the next (number|ball|one) (up|after it|after that)",
    "{v} the number (right |just |)(after|above) {their}",
    "{v} the successor of {their}",
    "go one (up|higher)",
    "add (1|one)",
    "~{v} the following number",
)
_NEXT_DOWN = (
    "{v} the next (lower|smaller) (number|ball|one) (than {their}|)",
    "{v} the (previous|preceding) (number|ball|one)",
    "{v} the number (right |just |)(before|below) {their}",
    "{v} the next (number|ball|one) down (from {their}|)",
    "{v} the predecessor of {their}",
    "go one (down|lower)",
    "subtract (1|one)",
    "~{v} the number just under it",
)
_EQUAL = (  # said of numbers, not of what to do
    "{their} is (the one|the ball|the number) (to take|to pick|{a} (should|must|) {v}|for {ao}|{a} want)",
    "{their} is {ap} (number|choice|pick|ball) too",
    "{their} is {ap} (number|choice|pick|ball)",
    "{ap} (number|ball|pick|choice) (is|should be|must be|equals) {their}",
    "{ap} (number|choice) (is|should be|must be) the same as {their}",
    "the ball {p} #name is the one {a} @{v}",
    "both (of us|) (say|pick|have) the same number",
    "{ap} pick equals {pp} call",
    "~{their} determines {ap} ball",
)
_FIXED = (
    "{v} {n}",
    "{v} {n}",
    "{v} (number|ball|the number|the ball|ball number) {n}",
    "{v} (the |)(ball|number) {n}",
    "say {n}",
    "{v} {n}, (whatever the number|nothing else|no other)",
    "stick (to|with) {n}",
    "~plump for {n}",
)


def _their(w: Writer) -> str:
    return w.say(_MINE if w.voice.p == "I" and w.chance(0.6) else _THEIR)


def pick(w: Writer, what: Pick, *, negative: bool = False) -> str:
    """Say a pick as a verb phrase."""
    slots = {"v": w.pick(_SELECT), "their": _their(w)}
    if what.action == "number" and what.number:
        options = _FIXED[:4] if negative else _FIXED
        return w.say(options, n=w.say(_NUMBERS[what.number - 1]), **slots)
    if what.by in (1, -1) and w.chance(0.25):
        up = what.by == 1
        return w.say(_NEXT_UP if up else _NEXT_DOWN, **slots)
    if what.by:
        return w.say(_SHIFT if what.by > 0 else _DOWN, k=w.say(_NUMBERS[abs(what.by) - 1]), **slots)
    return w.say(_PHRASES["any" if what.action == "number" else what.action], **slots)


_CLAUSES = (
    "{p} (#say|#say|#call|#name|#announce|#tell {ao}|#mention|#choose|~#utter) {n}", "{p} (said|called|named|announced) {n}", "{a} @hear {n}", "the number is {n}", "it is {n}", "{p}'s number is {n}", "{pp} number is {n}", "(the number said|what {p} #say) is {n}", "(|a ){n} is (said|called|named|announced)", "{p} #give {ao} {n}",
)  # fmt: skip
_NOUNS = ("{n}", "a {n}", "number {n}", "(hearing|a call of) {n}", "{n} from {p}")
_CLASSES = {
    (1, 3, 5): "(an odd number|something odd|any odd number|1, 3 or 5)", (2, 4): "(an even number|something even|any even number|2 or 4)",
    (4, 5): "(a high number|a number above 3|4 or 5|a number of at least 4|something higher than 3|4 or more)", (1, 2): "(a low number|a number below 3|1 or 2|something under 3|at most 2|2 or less|a number less than 3)",
    (3, 4, 5): "(a number of at least 3|3 or more|3 or higher|3, 4 or 5|something above 2|more than 2|a number greater than 2)", (1, 2, 3): "(at most 3|3 or less|3 or lower|1, 2 or 3|a number up to 3|something below 4|a number smaller than 4)",
    (2, 3, 4, 5): "(anything but 1|a number above 1|more than 1|something other than 1|2 or more)", (1, 2, 3, 4): "(anything but 5|a number below 5|less than 5|something other than 5|4 or less)", (1, 2, 4, 5): "(anything but 3|any number except 3|something other than 3)",
}  # fmt: skip
_REPEATED = (
    "{p} (#say|#repeat|#call) the same number (twice|again|two times|a second time) (in a row|)", "{p} #repeat (a number|{their}|the number|)", "the (same|) number (is|gets) repeated", "{a} @hear the same number (twice|again)", "the (number|call) is the same as (before|last time|the previous one)",
    "a number (comes|is said|is called) (twice|a second time|again)", "{p} (said|named) a number (twice|that {they} said before)", "the number does not change", "{p} (#say|said) what {they} said (before|last time)", "~{p} #harp on the same number",
)  # fmt: skip
_REPEATED_NOUNS = (
    "a repeat",
    "a repeated number",
    "the same number twice (in a row|)",
    "a repetition",
    "hearing (a number twice|the same number again)",
)


def said(w: Writer, when: Said, noun: bool) -> str:
    """Say what my partner said, as a clause or as a noun."""
    if when.repeated and len(when.numbers) == 5:
        return w.say(_REPEATED_NOUNS if noun else _REPEATED, their=_their(w))
    if when.numbers in _CLASSES and w.chance(0.8):
        n = w.say(_CLASSES[when.numbers])
    else:
        parts = [w.say(_NUMBERS[k - 1]) for k in when.numbers]
        n = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} or {parts[-1]}"
    if when.repeated:
        return (
            w.say(("{p} (#say|#call) {n} (twice|again|two times) (in a row|)", "{n} (is|gets) repeated"), n=n)
            if not noun
            else f"a second {n}"
        )
    if noun and " " in n:
        return n
    return w.say(_NOUNS if noun else _CLAUSES, n=n).replace("a a ", "a ").replace("a an ", "an ").replace("a an", "an")


def answer(part: Selection) -> Answer:
    """Put the words to a selection."""
    then: list[s.Say] = [lambda w, x=x: pick(w, x) for x in part.then]  # type: ignore[misc]
    never: list[s.Say] = [lambda w, x=x: pick(w, x, negative=True) for x in part.never]  # type: ignore[misc]
    if part.never == (Pick(action="same"),) and not part.then:
        return Answer((), tuple(never))
    return Answer(tuple(then), tuple(never), part.alternate)


def _number(k: int) -> Pick:
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
        return _number(int(w.rng.integers(1, 6)))
    return Pick(action="number") if kind == "any" else Pick(action=kind)


def any_selection(w: Writer, *, never: float = 0.1) -> Selection:
    """Draw a selection."""
    if w.chance(never):
        banned = w.choose(("same", "quit", "number", "shift"), [0.5, 0.25, 0.2, 0.05])
        if banned == "number":
            return Selection(never=(_number(int(w.rng.integers(1, 6))),))
        return Selection(never=(Pick(action=banned) if banned != "shift" else any_shift(w),))
    if w.chance(0.06):
        first, second = any_pick(w), any_pick(w)
        if first == second or "any" in (first.action, second.action):
            return any_selection(w)
        return Selection(then=(first, second), alternate=bool(w.chance(0.5)))
    if w.chance(0.04):
        return Selection(then=(Pick(action="number"),), never=(any_pick_but(w),))
    return Selection(then=(any_pick(w),))


def any_shift(w: Writer) -> Pick:
    """Draw a shift by one or two."""
    return Pick(action="shift", by=int(w.choose([1, -1, 2, -2])))


def any_pick_but(w: Writer) -> Pick:
    """Draw what a free choice may leave out."""
    return Pick(action="same") if w.chance(0.4) else _number(int(w.rng.integers(1, 6)))


def any_said(w: Writer) -> Said:
    """Draw a condition on the number."""
    draw = w.rng.random()
    if draw < 0.5:
        return Said.model_validate({"numbers": (int(w.rng.integers(1, 6)),)})
    if draw < 0.75:
        return Said.model_validate({"numbers": w.choose(list(_CLASSES))})
    if draw < 0.9:
        return Said(repeated=True)
    if draw < 0.93:
        return Said.model_validate({"numbers": (int(w.rng.integers(1, 6)),), "repeated": True})
    return Said.model_validate(
        {"numbers": tuple(int(k) + 1 for k in sorted(w.rng.permutation(5)[: int(w.choose([2, 2, 3]))]))}
    )


def program(cases: Sequence[tuple[Said, Selection]], otherwise: Selection) -> NumberConvention:
    """Order rules as programs have them: by the smallest number, repeated ones first."""
    ordered = sorted(cases, key=lambda case: (not case[0].repeated, case[0].numbers))
    rules = tuple(SelectionRule(when=when, **dict(part)) for when, part in ordered)
    return NumberConvention(name="generated", rules=rules, otherwise=otherwise)


def _event(when: Said) -> s.Event:
    return lambda w, noun: said(w, when, noun)


def instruction(w: Writer) -> tuple[str, NumberConvention]:
    """Draw an instruction and the program that it means."""
    kind = w.choose(("always", "rules", "unless"), [0.5, 0.36, 0.14])
    if kind == "always":
        return _always(w)
    last = any_selection(w)
    if kind == "unless":
        when = any_said(w)
        part = any_selection(w, never=0.05) if w.chance(0.55) else Selection()
        text = s.unless(w, _event(when), answer(last), answer(part) if part.then or part.never else None)
        return s.joined(w, [text]), program([(when, part)], last)
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
    parts = []
    for when, part in order:
        text = s.rule(w, _event(when), answer(part))
        if w.chance(0.03):
            text = s.corrected(w, s.rule(w, _event(when), answer(_other(w, part))), text)
        parts.append(text)
    if not with_else:
        return s.joined(w, parts), program(cases, Selection())
    if count == 1 and w.chance(0.25):
        return s.joined(w, [], s.else_first(w, answer(last), parts[0])), program(cases, last)
    if count == 1 and w.chance(0.12):  # copy me, and stop once I say a number twice
        link = w.choose((" and ", ", and ", ", but ", "; ", ", except that "))
        return s.joined(w, [answer(last).clause(w) + link + parts[0][:1].lower() + parts[0][1:]]), program(cases, last)
    parts.append(s.otherwise(w, answer(last)))
    return s.joined(w, parts), program(cases, last)


def _other(w: Writer, part: Selection) -> Selection:
    wrong = part
    while wrong.then == part.then or not wrong.then or set(wrong.then) & set(part.then):
        wrong = any_selection(w, never=0)
    return wrong


_ALWAYS = (
    "{r}", "{r}", "{r}", "{r}", "{i}", "{r} (always|every time|no matter what|all the time|each turn)", "(Always|Every time|Each turn|Whatever happens|In all cases|On every turn), {r}", "(Whatever|No matter what) (number |){p} #say, {r}", "(When|Whenever|If|Once) {p} #say (a|any) number, {r}", "{r} (when|whenever|after) {p} #say (a number|something)",
    "(After|On hearing|Given) a number, {r}", "{p} #say a number; {r}", "{p} #say a number and {r}", "~{r}, come what may",
)  # fmt: skip
_DIFFERENT = (
    "{v} (a different|another|some other|any other) (number|ball) (than|from) {their}", "{v} (anything|any number|any ball|a number|something) (but|except|other than) {their}", "{v} (a different|another|some other|any other) (number|ball|one)", "{v} something (else|different)", "(differ|deviate) from {their}",
    "{v} a number that is not {their}", "{v} one that {p} did not say", "avoid {their}", "avoid the number (said|named|that was said)", "{v} (anything|something) (else|different) (from|than) {their}", "~shun {their}",
)  # fmt: skip


def _always(w: Writer) -> tuple[str, NumberConvention]:
    part = any_selection(w, never=0.22)
    meant = program([], part)
    right = answer(part)
    if part.never == (Pick(action="same"),) and not part.then and w.chance(0.5):
        right = Answer((lambda v: v.say(_DIFFERENT, v=v.pick(_SELECT), their=_their(v)),))
    if part.then == (Pick(action="same"),) and not part.never and w.chance(0.15):
        verb = w.choose(_SELECT[:8]).split()[0]
        return s.joined(w, [w.say(w.pick(_EQUAL).replace("{v}", verb), their=_their(w))]), meant
    if not right.negative and w.chance(0.08):
        base = right.base(w)
        text = w.say(("only {x}", "only ever {x}", "nothing but {x}", "{x} and nothing else", "{x} (at once|right away|immediately|now)", "~solely {x}"), x=base)  # fmt: skip
        return s.joined(w, [text]), meant
    draw = w.rng.random()
    if draw < 0.08 and part.then:
        return s.joined(w, [s.rejected(w, right, answer(_other(w, part)))]), meant
    if draw < 0.14 and part.then:
        return s.joined(w, [s.corrected(w, answer(_other(w, part)).clause(w), right.clause(w))]), meant
    if draw < 0.19 and len(part.then) == 1 and not part.never:
        base = right.base(w)
        tail = w.say("(, not|, and not|. (Never|Don't)|, never) {x}", x=answer(_other(w, part)).base(w))
        return s.joined(w, [base + tail]), meant
    if draw < 0.24 and len(part.then) == 1 and part.then[0].action in ("same", "opposite", "shift"):
        k = int(w.rng.integers(1, 6))
        become = {"same": k, "opposite": 6 - k}.get(part.then[0].action, (k + (part.then[0].by or 0) - 1) % 5 + 1)
        example = w.say(
            "(For example|E.g.|For instance|So|Say), (if|when) {p} #say {k}, {a} (should|) {v} {n}",
            k=str(k),
            n=str(become),
            v=w.pick(_SELECT[:6]),
        )
        return s.joined(w, [f"{sentence(right.clause(w))} {example}"]), meant
    if draw < 0.30 and part.then and not w.chance(0.3):
        case = s.rule(w, _event(any_said(w)), answer(_other(w, part)))
        return s.joined(
            w,
            [
                w.say(
                    "{r}. (No, forget that|Scratch that|Never mind that rule)(:|,|. Instead) {i}",
                    r=case,
                    i=right.imperative(w),
                )
            ],
        ), meant
    frames = [f for f in _ALWAYS if "every time" not in f or not right.negative]  # "don't quit every time" is not never
    return s.joined(w, [w.say(frames, r=right.clause(w), i=right.imperative(w))]), meant
