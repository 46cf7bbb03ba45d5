"""Instructions that no program says: empty of content, contradictory, or beyond what a program can say."""

from typing import Any

from prior.compiler import hanabi_draw, hanabi_events, say_select_draw, say_select_words
from prior.compiler import sentences as s
from prior.compiler.framing import aside, joined
from prior.compiler.refusal_words import CHANCE, HIDDEN, OTHER_GAMES, SALAD, TALK, UNSAYABLE, VIRTUES
from prior.compiler.sentences import Answer
from prior.compiler.writer import Writer, gerund, sentence
from schemas.program import Game, Reason
from schemas.say_select import Selection

_BOTH_AT_ONCE = (
    "always {x}(.| and|;|,) always {y}", "only ever {x}(.| and|;|, but) only ever {y}", "{x} every turn. Also, {y} every turn", "every time {x}, every time {y}", "{x} without exception(, and|;|.) {y} without exception", "nothing but {gx}(, and|;|. Also) nothing but {gy}", "each turn {x}(, and|. And) on every turn {y}",
)  # fmt: skip
_YES_AND_NO = (
    "{x} and (never|do not|don't) {y}", "{x} but (never|do not|don't) {y}", "{gx} is (required|a must|mandatory) and {gy} is (forbidden|not allowed)", "(you must|we must|I must) both {x} and not {y}", "{x}, and at the same time (do not|don't) {y}", "{p} #want {ao} to {x}. {p} #do not want {ao} to {y}", "(never|don't) {x}, (always|but always) {y}", "{x}. (Never|Don't ever) {y}",
)  # fmt: skip


def refusal(w: Writer, game: Game) -> tuple[str, Reason]:
    """Draw an instruction that must be refused, and why."""
    kind = w.choose(("empty", "conflict", "beyond"), [0.26, 0.18, 0.56])
    if kind == "empty":
        return _empty(w), "empty"
    if kind == "conflict":
        return _conflict(w, game), "conflict"
    return _beyond(w, game), "beyond"


def _word(w: Writer) -> str:
    return str(w.choose(SALAD))


def _empty(w: Writer) -> str:
    draw = w.rng.random()
    if draw < 0.45:
        text = " ".join(sentence(w.say(VIRTUES, x=_word(w))) for _ in range(int(w.choose([1, 1, 1, 2]))))
    elif draw < 0.7:
        text = w.say(TALK, x=_word(w))
    elif draw < 0.78:
        text = " ".join(_word(w) for _ in range(int(w.rng.integers(1, 9))))
    elif draw < 0.88:
        letters = "abcdefghijklmnopqrstuvwxyz"
        home = "asdfjklqwerzxcv" if w.chance(0.5) else letters
        text = " ".join(
            "".join(w.choose(home) for _ in range(int(w.rng.integers(2, 8)))) for _ in range(int(w.rng.integers(1, 6)))
        )
    elif draw < 0.92:
        text = w.choose(
            (
                "",
                ".",
                "???",
                "!!!",
                "...",
                "-",
                "123",
                "42",
                "0",
                ":)",
                "1 2 3 4 5",
                "<instruction>",
                "{}",
                "TODO",
                "lorem ipsum dolor sit amet",
            )
        )
    else:
        text = " ".join(aside(w) for _ in range(int(w.rng.integers(1, 3))))
    return text


def _event(w: Writer, game: Game) -> s.Event:
    if game == "hanabi":
        when = hanabi_draw.any_event(w, detail=0.15)
        return lambda v, noun: str(hanabi_events.event(v, when, noun))
    heard = say_select_draw.any_said(w)
    return lambda v, noun: str(say_select_words.said(v, heard, noun))


def _answer(w: Writer, game: Game, never: float = 0.05) -> tuple[Any, Answer]:
    if game == "hanabi":
        response = hanabi_draw.any_response(w, False, never=never)
        return response, hanabi_draw.answer(response)
    selection = say_select_draw.any_selection(w, never=never)
    return selection, say_select_words.answer(selection)


def _conflict(w: Writer, game: Game) -> str:
    part, first = _answer(w, game, 0)
    while len(part.then) != 1 or part.never or getattr(part.then[0], "action", "") == "hint_playable":
        part, first = _answer(w, game, 0)
    never = Answer((), first.then)
    event = _event(w, game)
    draw = w.rng.random()
    if draw < 0.3:
        texts = [first.clause(w), never.clause(w)]
        if w.chance(0.4):
            texts.reverse()
        return w.say("{x}(.| and|,| but|;) {y}", x=texts[0], y=texts[1])
    if draw < 0.5:
        return joined(w, [s.rule(w, event, first), s.rule(w, event, never)])
    if draw < 0.6:
        x, y = first.base(w), first.base(w)
        return w.say(_YES_AND_NO, x=x, y=y, gx=gerund(x), gy=gerund(y))
    other, second = _answer(w, game, 0)
    while set(other.then) & set(part.then) or not other.then or other.never or _overlap(other, part):
        other, second = _answer(w, game, 0)
    if draw < 0.85:
        return joined(w, [s.rule(w, event, first), s.rule(w, event, second)])
    x, y = first.base(w), second.base(w)
    return w.say(_BOTH_AT_ONCE, x=x, y=y, gx=gerund(x), gy=gerund(y))


def _overlap(one: Any, two: Any) -> bool:
    """Tell whether two answers may be meant together: any hint and a color hint, the same number and a higher one."""
    if isinstance(one, Selection):
        return say_select_draw.overlap(one, two)
    kinds = [{do.action for do in part.then} for part in (one, two)]
    return bool(kinds[0] & kinds[1]) or any("hint_playable" in k for k in kinds)


def _beyond(w: Writer, game: Game) -> str:
    x = {"x": _word(w)}
    hidden: s.Event = lambda v, noun: v.say("the case that {c}", c=v.say(HIDDEN[game], x=_word(v))) if noun else v.say(HIDDEN[game], x=_word(v))  # fmt: skip # noqa: E731
    strange = Answer((lambda v: v.say(UNSAYABLE[game], x=_word(v)),))
    _, good = _answer(w, game)
    event = _event(w, game)
    draw = w.rng.random()
    if draw < 0.24:
        parts = [s.rule(w, hidden, good, fact=False)]
    elif draw < 0.36:
        parts = [s.rule(w, event, strange)]
    elif draw < 0.44:
        parts = [strange.clause(w)]
    elif draw < 0.62:  # a rule that can be said, beside one that cannot
        bad = s.rule(w, hidden, good, fact=False) if w.chance(0.6) else s.rule(w, _event(w, game), strange)
        parts = [s.rule(w, event, _answer(w, game)[1]), bad]
        parts = parts[:: 1 if w.chance(0.6) else -1]
    elif draw < 0.68:
        parts = [s.rule(w, event, good), s.otherwise(w, strange)]
    elif draw < 0.74:
        parts = [w.say(("{r} {k}", "{k}, {r}", "{k} {r}"), r=good.clause(w), k=w.say(CHANCE))]
    elif draw < 0.80:
        parts = [
            w.say(
                "{e}(, and | and )(if |when |){c}",
                e=w.say("(if|when) {c}", c=event(w, False)),
                c=w.say(HIDDEN[game], **x),
            )
            + ", "
            + good.clause(w)
        ]
    elif draw < 0.88:
        parts = [w.say(OTHER_GAMES, **x)]
    elif draw < 0.94:
        verb = w.say("(should|must|will|has to)")
        parts = [
            w.say("{p} {v} {x}", v=verb, x=good.base(w))
            if w.voice.p not in ("I", "you", "Alice", "someone") and w.voice.a in ("I", "we")
            else strange.clause(w)
        ]
    else:
        parts = [s.rule(w, event, good), s.otherwise(w, Answer((lambda v: _word(v) + " the " + _word(v),)))]
    if w.chance(0.12):
        parts.append(s.otherwise(w, _answer(w, game)[1]))
    return joined(w, parts)
