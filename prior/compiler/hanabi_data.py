"""Random Hanabi instructions with their programs: the shapes that a text may have."""

from collections.abc import Sequence
from typing import Any

from prior.compiler import hanabi_events
from prior.compiler import sentences as s
from prior.compiler.framing import joined
from prior.compiler.hanabi_draw import (
    COLORS,
    Case,
    answer,
    any_event,
    any_move,
    any_otherwise,
    any_response,
    apart,
    cases,
    program,
)
from prior.compiler.hanabi_short import short
from prior.compiler.sentences import Answer
from prior.compiler.writer import Writer, gerund, sentence
from schemas.convention import BY_HINT, Convention, Do, Response, When


def _event(when: When) -> s.Event:
    return lambda w, noun: hanabi_events.event(w, when, noun)


def instruction(w: Writer) -> tuple[str, Convention]:
    """Draw an instruction and the program that it means."""
    kind = w.choose(("rules", "always", "unless", "only", "global", "equal", "short"), [63, 10, 8, 3, 4, 3, 9])
    if kind == "short":
        return short(w)
    return {"rules": _rules, "always": _always, "unless": _unless, "only": _only, "global": _global, "equal": _equal}[
        kind
    ](w)  # fmt: skip


def _classic(w: Writer) -> tuple[list[Case], Response]:
    """The shape of the conventions that people agree on first: act on a kind of hint, else give hints."""
    kinds = ["hint_color", "hint_rank"]
    kind = w.choose([*kinds, *kinds, "hint"])
    do = w.choose(("play", "discard"), [0.75, 0.25])
    found = [(When(happened=kind), Response(then=(Do(action=do, cards="hinted"),)))]
    if kind != "hint" and w.chance(0.2):
        kinds.remove(kind)
        other = Do(action="discard" if do == "play" else "play", cards="hinted")
        found.append((When(happened=kinds[0]), Response(then=(other,))))
    return found, Response(then=(Do(action=w.choose(("hint_color", "hint_rank"))),)) if w.chance(0.85) else Response()


def _rules(w: Writer) -> tuple[str, Convention]:
    count = int(w.choose([1, 2, 3, 4], [0.55, 0.31, 0.12, 0.02]))
    found = cases(w, count)
    last = any_otherwise(w) if w.chance(0.68) else Response()
    if w.chance(0.2):
        found, last = _classic(w)
        count = len(found)
    meant = program(found, last)
    told = found if _ordered(found) else _shuffled(w, found)
    parts = [_rule_text(w, case, found) for case in told]
    if last.then or last.never:
        clear = bool(told[0][1].then or last.never)  # a ban beside a default of moves may be no exception to it
        if clear and w.chance(0.16) and count == 1:
            return joined(w, [], s.else_first(w, answer(last), parts[0])), meant
        if clear and w.chance(0.1):
            parts = [s.else_first(w, answer(last), parts[0]), *parts[1:]]
        else:
            examples = _examples(w, found) if w.chance(0.2) else ""
            text = (
                _contrasted(w, last, False, lambda v, a: s.otherwise(v, a, examples))
                if w.chance(0.06)
                else s.otherwise(w, answer(last), examples)
            )
            parts.append(text)
    return joined(w, parts), meant


def _ordered(found: Sequence[Case]) -> bool:
    kinds = [when.happened for when, _ in found]
    return len(set(kinds)) < len(kinds)


def _shuffled(w: Writer, found: list[Case]) -> list[Case]:
    return [found[i] for i in w.rng.permutation(len(found))]


def _examples(w: Writer, found: Sequence[Case]) -> str:
    """Give examples of events that no rule is about."""
    free = [k for k in ("discard", "play", "hint_color", "hint_rank") if k not in {c[0].happened for c in found}]
    if "hint" in {c[0].happened for c in found}:
        free = [k for k in free if not k.startswith("hint")]
    if not free:
        return ""
    kinds = [free[i] for i in w.rng.permutation(len(free))[: int(w.rng.integers(1, 3))]]
    return w.choose((" or ", " or ", ", ")).join(hanabi_events.event(w, When(happened=kind), True) for kind in kinds)


def _rule_text(w: Writer, case: Case, found: Sequence[Case]) -> str:
    when, response = case
    said = answer(response, hinted=when.is_hint)
    event = _event(when)
    rest = [other for other, _ in found if other.happened == when.happened and other != when]
    if when == When(happened=when.happened) and rest and (rest[0].color or rest[0].rank):
        noun = "color" if when.happened == "hint_color" else w.say("(rank|number)")
        event = lambda v, n: v.say(("any other {k} (hint|)", "a hint of (another|a different) {k}") if n else ("{p} #hint (another|a different|any other) {k}", "it is (another|any other) {k}"), k=noun)  # fmt: skip # noqa: E731
    if w.chance(0.05):
        return _contrasted(w, response, when.is_hint, lambda v, a: s.rule(v, event, a))
    if w.chance(0.03) and not _ordered(found):
        wrong = any_response(w, when.is_hint, never=0)
        if response.then and apart(wrong, response):
            return s.corrected(
                w, s.rule(w, _event(when), answer(wrong, hinted=when.is_hint)), s.rule(w, _event(when), said)
            )
    text = s.rule(w, event, said)
    if (
        w.chance(0.04)
        and when == When(happened=when.happened)
        and not rest
        and response.then == (Do(action="play", cards="hinted"),)
    ):
        text = f"{sentence(text)} {_instance(w, when)}"
    return text


def _instance(w: Writer, when: When) -> str:
    value = When(happened="hint_color", color=w.choose(COLORS)) if when.happened == "hint_color" else When(happened="hint_rank", rank=int(w.rng.integers(1, 6)))  # fmt: skip
    card = w.choose(("A", "B", "C", "D"))
    return w.say("(For example|E.g.|For instance|Say|So), (if|when) {c} (and it is card {k}|on card {k}|for {ap} card {k}), {a} should play card {k}", c=hanabi_events.event(w, value, False), k=card)  # fmt: skip


def _contrasted(w: Writer, response: Response, hinted: bool, say: Any) -> str:
    """Say a rule with an answer that is turned down in favor of the right one."""
    wrong = response
    if response.never:
        return str(say(w, answer(response, hinted=hinted)))
    while wrong.never or not apart(wrong, response):
        wrong = any_response(w, hinted, never=0)
    good, bad = answer(response, hinted=hinted), answer(wrong, hinted=hinted)
    style = w.rng.random()
    if style < 0.5:

        def both(v: Writer) -> str:
            base, no = good.base(v), bad.base(v)
            return v.say(("{x}, not {n}", "{x} instead of {ing}", "{x} rather than {n}", "{x} (and|but) (do not|don't) {n}", "{x} - not {n}", "~{x} in place of {ing}"), x=base, n=no, ing=gerund(no))  # fmt: skip

        return str(say(w, Answer((both,))))
    text = str(say(w, good))
    return w.say(("(Many|Some|Most) (people|players|bots) {x} (here|). (Not|But not) {ao}(:|.) {t}", "(Others|Beginners|A few friends of mine) {x}, but that is (wrong|not for us|not what we do). {t}",
                  "It is tempting to {x}, but no: {t}", "I used to {x}. Not any more: {t}", "{t}. So (never|don't) {x} (then|in that case)", "{t}. Forget about {ing} (then|in that case)", "~Whoever taught you to {x} was wrong. {t}"),
                 x=bad.base(w), ing=gerund(bad.base(w)), t=text)  # fmt: skip


def _always(w: Writer) -> tuple[str, Convention]:
    response = any_response(w, False, never=0.25)
    said, wrong = answer(response), any_response(w, False, never=0)
    draw = w.rng.random()
    clear = bool(response.then) and not wrong.never and apart(wrong, response)
    if draw < 0.12 and clear:
        return joined(w, [s.rejected(w, said, answer(wrong))]), program([], response)
    if draw < 0.24 and clear:
        return joined(w, [s.corrected(w, answer(wrong).clause(w), said.clause(w))]), program([], response)
    if draw < 0.32:
        case = cases(w, 1)[0]
        while case[1] == response:
            case = cases(w, 1)[0]
        wrong_rule = s.rule(w, _event(case[0]), answer(case[1], hinted=case[0].is_hint))
        retract = w.say(
            "{r}. (No, forget that rule|Scratch that whole rule|Forget the rule|Never mind that rule)(:|. Instead,) whatever {p} #do, {i}",
            r=wrong_rule.rstrip("."),
            i=said.imperative(w),
        )
        return joined(w, [retract]), program([], response)
    late = (
        "{r}"
        if said.negative
        else "{r} (always|all the time|every turn|no matter what|whatever happens|whatever {p} #do|every time|in every case|each turn)"
    )
    if w.chance(0.12) and response.then and not response.never:
        base = said.base(w)
        text = w.say(("only {x}", "only ever {x}", "(do|) nothing but {x}", "{ing} is all {a} should do", "all {a} @do is {x}", "nothing else than {x}", "{x} and nothing else", "{x} (at once|right away|immediately|every single turn|from start to finish|throughout)", "~solely {x}"), x=base, ing=gerund(base))  # fmt: skip
        return joined(w, [text]), program([], response)
    text = w.say(("{r}", "{r}", "{r}", late, "(Whatever happens|No matter what {p} #do|Every turn|In any case|Always|On every move|All I ask is this|Every time), {r}",
                  "{i}, (whatever {p} #do|always|no matter what)", "~{r}, come what may"), r=said.clause(w), i=said.imperative(w))  # fmt: skip
    return joined(w, [text]), program([], response)


def _unless(w: Writer) -> tuple[str, Convention]:
    when = any_event(w)
    last = any_otherwise(w) if w.chance(0.9) else any_response(w, False, never=1)
    with_then = w.chance(0.45)
    response = any_response(w, when.is_hint) if with_then else Response()
    if response == last:
        return _unless(w)
    text = s.unless(w, _event(when), answer(last), answer(response, hinted=when.is_hint) if with_then else None)
    return joined(w, [text]), program([(when, response)], last)


def _only(w: Writer) -> tuple[str, Convention]:
    when = any_event(w, detail=0.15)
    do = any_move(w, when.is_hint)
    while do.action == "hint_playable" or do.cards in BY_HINT:  # without a hint there are no hinted cards to spare
        do = any_move(w, when.is_hint)
    response = Response(then=(do,))
    text = s.only(w, _event(when), answer(response, hinted=when.is_hint))
    return joined(w, [text]), program([(when, response)], Response(never=(do,)))


def _global(w: Writer) -> tuple[str, Convention]:
    """A rule and something that is never done."""
    found = cases(w, 1 if w.chance(0.75) else 2)
    ban = Do(action=w.choose(("play", "discard", "hint_color", "hint_rank")))
    if any(r.never or not apart(r, Response(then=(ban,))) for _, r in found):
        return _global(w)
    parts = [_rule_text(w, case, found) for case in found]
    clause = sentence(answer(Response(never=(ban,))).clause(w))  # of its own: it goes for every rule
    parts.insert(int(w.rng.integers(0, len(parts) + 1)), clause)
    return joined(w, parts), program(found, Response(never=(ban,)))


def _equal(w: Writer) -> tuple[str, Convention]:
    """Two events with one answer: when they discard or play; the same goes for ranks."""
    one, two = (case[0] for case in cases(w, 2))
    if two.is_hint and two != When(happened=two.happened):  # "on my first card", said last, would hold for both
        one, two = two, one
    hinted = one.is_hint and two.is_hint
    response = any_response(w, hinted)
    said = answer(response, hinted=one.is_hint or two.is_hint)
    last = any_otherwise(w) if w.chance(0.5) else Response()
    if w.chance(0.5):
        event: s.Event = lambda v, n: f"{hanabi_events.event(v, one, n)} or {hanabi_events.event(v, two, n)}"  # noqa: E731
        parts = [s.rule(w, event, said)]
    else:
        parts = [s.rule(w, _event(one), said), w.say(("the same (goes for|applies to|after|holds for|is true of) {n}", "do the same (after|for|on|when it is) {n}", "likewise (for|after) {n}", "(ditto|same) for {n}", "~so too for {n}"), n=hanabi_events.event(w, two, True))]  # fmt: skip
    if last.then or last.never:
        parts.append(s.otherwise(w, answer(last)))
    return joined(w, parts), program([(one, response), (two, response)], last)
