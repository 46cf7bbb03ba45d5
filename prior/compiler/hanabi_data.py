"""Random Hanabi instructions with their programs."""

from collections.abc import Sequence
from typing import Any

from prior.compiler import hanabi_words as words
from prior.compiler import sentences as s
from prior.compiler.sentences import Answer
from prior.compiler.writer import Writer, gerund, sentence
from schemas.convention import Convention, Do, Response, Rule, When

_COLORS = ("red", "yellow", "green", "white", "blue")
_PLACES = ("oldest", "newest", "A", "B", "C", "D", "E", "oldest", "newest")
_KIND_ORDER = ("nothing", "discard", "play", "hint_color", "hint_rank", "hint")
Case = tuple[When, Response]


def answer(response: Response) -> Answer:
    """Put the words to a response."""
    return Answer(_phrases(response.then), _phrases(response.never), noun=_noun(response))


def _phrases(moves: Sequence[Do]) -> tuple[s.Say, ...]:
    both = (Do(action="hint_color"), Do(action="hint_rank"))
    rest = tuple(do for do in moves if do not in both) if all(do in moves for do in both) else moves
    said: list[s.Say] = [lambda w, do=do: words.move(w, do) for do in rest]  # type: ignore[misc]
    return tuple(said) if len(rest) == len(moves) else (*said, words.any_hint)


def _noun(response: Response) -> s.Say | None:
    if response.never or len(response.then) != 1:
        return None
    do = response.then[0]
    if do.action == "hint_color":
        return lambda w: w.say("(a |){v} (hint|clue)|{v}|{v} hints".join("()"), v=do.color or "color")
    if do.action == "hint_rank" and do.rank is None:
        return lambda w: w.say("((a |)rank (hint|clue)|rank|rank hints|a number (hint|clue))")
    if do.action == "discard":
        return lambda w: w.say("a discard") if do.cards == "any" else words.position(w, do.cards, w.voice.ap) + " goes"
    return None


def any_event(w: Writer, *, detail: float = 0.3) -> When:
    """Draw an event."""
    kind = w.choose(_KIND_ORDER, [0.04, 0.11, 0.11, 0.3, 0.3, 0.14])
    if not w.chance(detail) or kind == "nothing":
        return When(happened=kind)
    if kind in ("discard", "play"):
        return When(happened=kind, card=w.choose(_PLACES))
    draw = w.rng.random()
    if draw < 0.45 and kind != "hint":
        value = {"color": w.choose(_COLORS)} if kind == "hint_color" else {"rank": int(w.rng.integers(1, 6))}
        if w.chance(0.08):
            return When(happened=kind, **value, **_count(w))
        return When(happened=kind, **value)
    if draw < 0.8:
        return When(happened=kind, **_count(w))
    return When(happened=kind, card=w.choose(_PLACES))


def _count(w: Writer) -> dict[str, Any]:
    draw, n = w.rng.random(), int(w.choose([1, 2, 3, 4, 5], [4, 4, 2, 0.5, 0.7]))
    if draw < 0.5:
        return {"fewest": n, "most": n}
    if draw < 0.8:
        return {"fewest": max(2, n)}
    return {"most": max(2, min(n, 4))}


def any_response(w: Writer, hinted: bool, *, never: float = 0.08) -> Response:
    """Draw a response."""
    if w.chance(never):
        return Response(never=tuple(_distinct(w, lambda: _any_ban(w, hinted), 1 if w.chance(0.85) else 2)))
    if hinted and w.chance(0.03):
        kind = w.choose(("play", "discard"))
        out = w.choose(("leftmost_hinted", "rightmost_hinted", "newest", "oldest"))
        return Response(then=(Do(action=kind, cards="hinted"),), never=(Do(action=kind, cards=out),))
    if not hinted and w.chance(0.03):
        kind = w.choose(("play", "discard"))
        return Response(then=(Do(action=kind),), never=(Do(action=kind, cards=w.choose(_PLACES)),))
    if w.chance(0.06):
        return Response(then=(Do(action="hint_color"), Do(action="hint_rank")))
    return Response(then=tuple(_distinct(w, lambda: any_move(w, hinted), 1 if w.chance(0.92) else 2)))


def _distinct(w: Writer, draw: Any, count: int) -> list[Do]:
    found: dict[Do, None] = {}
    while len(found) < count:
        found[draw()] = None
    return list(found)


def _any_ban(w: Writer, hinted: bool) -> Do:
    kind = w.choose(("play", "discard", "hint_color", "hint_rank"), [3, 4, 1.5, 1.5])
    if kind in ("play", "discard"):
        options = ["any", "any", "any", *(["hinted", "hinted"] if hinted else []), w.choose(_PLACES)]
        return Do(action=kind, cards=w.choose(options))
    return Do(action=kind)


def any_move(w: Writer, hinted: bool) -> Do:
    """Draw a move."""
    if hinted and w.chance(0.62):
        kind = w.choose(("play", "discard"), [0.66, 0.34])
        cards = w.choose(("hinted", "leftmost_hinted", "rightmost_hinted", "unhinted"), [0.62, 0.14, 0.12, 0.12])
        return Do(action=kind, cards=cards)
    kind = w.choose(("hint_color", "hint_rank", "discard", "play", "hint_playable"), [0.3, 0.3, 0.24, 0.12, 0.04])
    if kind == "hint_color":
        return Do(action=kind, color=w.choose(_COLORS) if w.chance(0.18) else None)
    if kind == "hint_rank":
        return Do(action=kind, rank=int(w.rng.integers(1, 6)) if w.chance(0.18) else None)
    if kind == "hint_playable":
        return Do(action=kind)
    return Do(action=kind, cards="any" if w.chance(0.3) else w.choose(_PLACES))


def cases(w: Writer, count: int) -> list[Case]:
    """Draw rules about events that exclude each other, or a particular one before a general one."""
    found: list[Case] = []
    if count > 1 and w.chance(0.25):  # the same kind of hint, split by its value or count, with or without a rest
        kind = w.choose(("hint_color", "hint_rank", "hint"), [0.4, 0.4, 0.2])
        split: list[When]
        if kind == "hint" or w.chance(0.4):
            k = int(w.rng.integers(1, 4))
            first = When(happened=kind, fewest=1 if w.chance(0.5) else k, most=k)
            split = [first, When(happened=kind, fewest=k + 1) if w.chance(0.5) else When(happened=kind)]
        else:
            values = w.rng.permutation(5)[:2]
            one, two = (
                When(happened=kind, color=_COLORS[v]) if kind == "hint_color" else When(happened=kind, rank=int(v) + 1)
                for v in values
            )
            split = [one, two if w.chance(0.4) else When(happened=kind)]
        found = [(when, any_response(w, True)) for when in split]
    while len(found) < count:
        when = any_event(w)
        taken = {other.happened for other, _ in found}
        hints = {"hint_color", "hint_rank", "hint"}
        if when.happened in taken or ("hint" in {when.happened, *taken} and taken & hints and when.is_hint):
            continue
        found.append((when, any_response(w, when.is_hint)))
    return found if all(_possible(*case) for case in found) else cases(w, count)


def _possible(when: When, response: Response) -> bool:
    """Tell whether there are such cards: no unhinted one in a hinted hand, no other one among one."""
    cards = {do.cards for do in response.then}
    return not ("unhinted" in cards and when.fewest == 5) and not (response.then and response.never and when.most == 1)


def program(found: Sequence[Case], otherwise: Response) -> Convention:
    """Order rules as programs have them: by the kind of event, particular before general, equal responses together."""

    def key(case: Case) -> tuple[int, int]:
        plain = case[0] == When(happened=case[0].happened)
        return _KIND_ORDER.index(case[0].happened), int(plain)

    ordered = sorted(found, key=key)
    both = [case for case in ordered if case[0] in (When(happened="hint_color"), When(happened="hint_rank"))]
    if len(both) == 2 and both[0][1] == both[1][1]:
        ordered = [c for c in ordered if c not in both] + [(When(happened="hint"), both[0][1])]
        ordered.sort(key=key)
    first: dict[Response, int] = {}
    for i, (_, response) in enumerate(ordered):
        first.setdefault(response, i)
    ordered = sorted(ordered, key=lambda case: first[case[1]])
    rules = tuple(Rule(when=when, then=r.then, never=r.never) for when, r in ordered)
    return Convention(name="generated", rules=rules, otherwise=otherwise)


def _otherwise(w: Writer) -> Response:
    return any_response(w, False, never=0.06)


def _event(when: When) -> s.Event:
    return lambda w, noun: words.event(w, when, noun)


def instruction(w: Writer) -> tuple[str, Convention]:
    """Draw an instruction and the program that it means."""
    kind = w.choose(("rules", "always", "unless", "only", "global", "equal"), [0.70, 0.11, 0.09, 0.03, 0.04, 0.03])
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
    last = _otherwise(w) if w.chance(0.68) else Response()
    if w.chance(0.2):
        found, last = _classic(w)
        count = len(found)
    meant = program(found, last)
    parts = [_rule_text(w, case, found) for case in (found if _ordered(found) else _shuffled(w, found))]
    if last.then or last.never:
        if w.chance(0.16) and count == 1:
            return s.joined(w, [], s.else_first(w, answer(last), parts[0])), meant
        if w.chance(0.1):
            parts = [s.else_first(w, answer(last), parts[0]), *parts[1:]]
        else:
            examples = _examples(w, found) if w.chance(0.2) else ""
            text = (
                _contrasted(w, last, False, lambda v, a: s.otherwise(v, a, examples))
                if w.chance(0.06)
                else s.otherwise(w, answer(last), examples)
            )
            parts.append(text)
    return s.joined(w, parts), meant


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
    noun = bool(w.chance(0.5))
    count = int(w.rng.integers(1, 3))
    return w.choose((" or ", " or ", ", ")).join(
        words.event(w, When(happened=w.choose(free)), noun) for _ in range(count)
    )


def _rule_text(w: Writer, case: Case, found: Sequence[Case]) -> str:
    when, response = case
    if w.chance(0.05):
        return _contrasted(w, response, when.is_hint, lambda v, a: s.rule(v, _event(when), a))
    if w.chance(0.03) and not _ordered(found):
        wrong = s.rule(w, _event(when), answer(any_response(w, when.is_hint)))
        return s.corrected(w, wrong, s.rule(w, _event(when), answer(response)))
    rest = [other for other, _ in found if other.happened == when.happened and other != when]
    plain = when == When(happened=when.happened)
    if plain and rest and (rest[0].color or rest[0].rank):
        noun = "color" if when.happened == "hint_color" else w.say("(rank|number)")
        event: s.Event = lambda v, n: v.say(("any other {k} (hint|)", "a hint of (another|a different) {k}") if n else ("{p} #hint (another|a different|any other) {k}", "it is (another|any other) {k}"), k=noun)  # fmt: skip # noqa: E731
        return s.rule(w, event, answer(response))
    text = s.rule(w, _event(when), answer(response))
    if (
        w.chance(0.04)
        and when == When(happened=when.happened)
        and response.then == (Do(action="play", cards="hinted"),)
    ):
        text = f"{sentence(text)} {_instance(w, when)}"
    return text


def _instance(w: Writer, when: When) -> str:
    value = When(happened="hint_color", color=w.choose(_COLORS)) if when.happened == "hint_color" else When(happened="hint_rank", rank=int(w.rng.integers(1, 6)))  # fmt: skip
    card = w.choose(("A", "B", "C", "D"))
    return w.say("(For example|E.g.|For instance|Say|So), (if|when) {c} (and it is card {k}|on card {k}|for my card {k}), {a} should play card {k}", c=words.event(w, value, False), k=card)  # fmt: skip


def _contrasted(w: Writer, response: Response, hinted: bool, say: Any) -> str:
    """Say a rule with an answer that is turned down in favor of the right one."""
    wrong = response
    while wrong == response or wrong.never or set(wrong.then) & set(response.then):
        wrong = any_response(w, hinted, never=0)
    if response.never:
        return str(say(w, answer(response)))
    good, bad = answer(response), answer(wrong)
    style = w.rng.random()
    if style < 0.5:

        def both(v: Writer) -> str:
            base, no = good.base(v), bad.base(v)
            return v.say(("{x}, not {n}", "{x} instead of {ing}", "{x} rather than {n}", "{x} (and|but) (do not|don't) {n}", "{x} (not {n})".replace("(", "- ").replace(")", ""), "~{x} in place of {ing}"), x=base, n=no, ing=gerund(no))  # fmt: skip

        return str(say(w, Answer((both,))))
    text = str(say(w, good))
    return w.say(("(Many|Some|Most) (people|players|bots) {x} (here|then|there|in that case|). (Not|But not) {ao}(:|.) {t}", "(Others|Beginners|A few friends of mine) {x}, but that is (wrong|not for us|not what we do). {t}",
                  "It is tempting to {x}, but no: {t}", "I used to {x}. Not any more: {t}", "Do not {x}. {t}", "{t}. So (never|don't) {x} (then|in that case)", "Forget about {ing}. {t}", "~Whoever taught you to {x} was wrong. {t}"),
                 x=bad.base(w), ing=gerund(bad.base(w)), t=text)  # fmt: skip


def _always(w: Writer) -> tuple[str, Convention]:
    response = any_response(w, False, never=0.25)
    said, wrong = answer(response), any_response(w, False, never=0)
    draw = w.rng.random()
    if draw < 0.12 and wrong.then != response.then and response.then:
        return s.joined(w, [s.rejected(w, said, answer(wrong))]), program([], response)
    if draw < 0.24 and wrong.then != response.then:
        return s.joined(w, [s.corrected(w, answer(wrong).clause(w), said.clause(w))]), program([], response)
    if draw < 0.32:
        case = cases(w, 1)[0]
        wrong_rule = s.rule(w, _event(case[0]), answer(case[1]))
        retract = w.say(
            "{r}. (No, forget that rule|Scratch that|Forget it|Never mind that) (and just|: just|; always) {i}",
            r=wrong_rule.rstrip("."),
            i=said.imperative(w),
        )
        return s.joined(w, [retract]), program([], response)
    late = (
        "{r}"
        if said.negative
        else "{r} (always|all the time|every turn|no matter what|whatever happens|whatever {p} #do|every time|in every case|each turn)"
    )
    if w.chance(0.12) and not said.negative:
        base = said.base(w)
        text = w.say(("only {x}", "only ever {x}", "(do|) nothing but {x}", "{ing} is all {a} should do", "all {a} @do is {x}", "nothing else than {x}", "{x} and nothing else", "{x} (at once|right away|immediately|every single turn|from start to finish|throughout)", "~solely {x}"), x=base, ing=gerund(base))  # fmt: skip
        return s.joined(w, [text]), program([], response)
    text = w.say(("{r}", "{r}", "{r}", late, "(Whatever happens|No matter what {p} #do|Every turn|In any case|Always|On every move|All I ask is this|Every time), {r}",
                  "{i}, (whatever {p} #do|always|no matter what)", "~{r}, come what may"), r=said.clause(w), i=said.imperative(w))  # fmt: skip
    return s.joined(w, [text]), program([], response)


def _unless(w: Writer) -> tuple[str, Convention]:
    when = any_event(w)
    last = _otherwise(w)
    with_then = w.chance(0.45)
    response = any_response(w, when.is_hint) if with_then else Response()
    text = s.unless(w, _event(when), answer(last), answer(response) if with_then else None)
    return s.joined(w, [text]), program([(when, response)], last)


def _only(w: Writer) -> tuple[str, Convention]:
    when = any_event(w, detail=0.15)
    do = any_move(w, when.is_hint)
    while do.action == "hint_playable":
        do = any_move(w, when.is_hint)
    ban = Do(action=do.action) if do.cards in ("hinted", "leftmost_hinted", "rightmost_hinted", "unhinted") else do
    text = s.only(w, _event(when), answer(Response(then=(do,))))
    return s.joined(w, [text]), program([(when, Response(then=(do,)))], Response(never=(ban,)))


def _global(w: Writer) -> tuple[str, Convention]:
    """A rule and something that is never done."""
    found = cases(w, 1 if w.chance(0.75) else 2)
    ban = Do(action=w.choose(("play", "discard", "hint_color", "hint_rank")))
    if any(do.action == ban.action for _, r in found for do in r.then) or any(r.never for _, r in found):
        return _global(w)
    parts = [_rule_text(w, case, found) for case in found]
    clause = answer(Response(never=(ban,))).clause(w)
    parts.insert(int(w.rng.integers(0, len(parts) + 1)), clause)
    return s.joined(w, parts), program(found, Response(never=(ban,)))


def _equal(w: Writer) -> tuple[str, Convention]:
    """Two events with one answer: when they discard or play; the same goes for ranks."""
    one, two = (case[0] for case in cases(w, 2))
    hinted = one.is_hint and two.is_hint
    response = any_response(w, hinted)
    last = _otherwise(w) if w.chance(0.5) else Response()
    if w.chance(0.5):
        event: s.Event = lambda v, n: f"{words.event(v, one, n)} or {words.event(v, two, n)}"  # noqa: E731
        parts = [s.rule(w, event, answer(response))]
    else:
        parts = [s.rule(w, _event(one), answer(response)), w.say(("the same (goes for|applies to|after|holds for|is true of) {n}", "do the same (after|for|on|when it is) {n}", "likewise (for|after) {n}", "(ditto|same) for {n}", "~so too for {n}"), n=words.event(w, two, True))]  # fmt: skip
    if last.then or last.never:
        parts.append(s.otherwise(w, answer(last)))
    return s.joined(w, parts), program([(one, response), (two, response)], last)
