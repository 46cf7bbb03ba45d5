"""Random Hanabi programs: events, responses and cases that exclude each other, with the words that they have."""

from collections.abc import Sequence
from typing import Any

from prior.compiler import hanabi_words
from prior.compiler import sentences as s
from prior.compiler.sentences import Answer
from prior.compiler.writer import Writer
from schemas.convention import BY_HINT, Convention, Do, Response, Rule, When

COLORS = ("red", "yellow", "green", "white", "blue")
_PLACES = ("oldest", "newest", "A", "B", "C", "D", "E", "oldest", "newest")
_KIND_ORDER = ("nothing", "discard", "play", "hint_color", "hint_rank", "hint")
Case = tuple[When, Response]


def answer(response: Response, *, hinted: bool = False) -> Answer:
    """Put the words to a response; after a hint, "play" alone would mean the hinted cards."""
    return Answer(
        _phrases(response.then, bare=not hinted),
        _phrases(response.never, say=hanabi_words.banned),
        noun=_noun(response),
    )


def _phrases(moves: Sequence[Do], *, bare: bool = True, say: Any = hanabi_words.move) -> tuple[s.Say, ...]:
    both = (Do(action="hint_color"), Do(action="hint_rank"))
    rest = tuple(do for do in moves if do not in both) if all(do in moves for do in both) else moves
    ordered = sorted(rest, key=lambda do: do.cards not in BY_HINT)  # "them" are the hinted cards: they come first
    said: list[s.Say] = [lambda w, do=do: say(w, do, bare=bare) for do in ordered]  # type: ignore[misc]
    return tuple(said) if len(rest) == len(moves) else (*said, hanabi_words.any_hint)


def _noun(response: Response) -> s.Say | None:
    if response.never or len(response.then) != 1:
        return None
    do = response.then[0]
    if do.action == "hint_color":
        return lambda w: w.say("(a |){v} (hint|clue)|{v}|{v} hints".join("()"), v=do.color or "color")
    if do.action == "hint_rank" and do.rank is None:
        return lambda w: w.say("((a |)rank (hint|clue)|rank|rank hints|a number (hint|clue))")
    if do.action == "discard" and do.cards == "any":
        return lambda w: "a discard"
    if do.action == "discard":
        place = "(a discard of {x}|{x} goes in the trash)"
        return lambda w: w.say(place, x=hanabi_words.position(w, do.cards, w.voice.ap))
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
        value = {"color": w.choose(COLORS)} if kind == "hint_color" else {"rank": int(w.rng.integers(1, 6))}
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


def apart(one: Response, two: Response) -> bool:
    """Tell whether no move of one answer may be meant by the other: a color hint and a red hint are not apart."""
    return all(_differ(a, b) for a in one.then for b in two.then)


def _differ(one: Do, two: Do) -> bool:
    if "hint_playable" in (one.action, two.action):
        return not (one.action.startswith("hint") and two.action.startswith("hint"))
    if one.action != two.action:
        return True
    if one.action.startswith("hint"):
        return (one.color or one.rank) not in (None, two.color or two.rank) and bool(two.color or two.rank)
    places = [{"oldest": "A", "newest": "E"}.get(do.cards, do.cards) for do in (one, two)]
    return places[0] != places[1] and all(place in _PLACES for place in places)


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
        return Do(action=kind, color=w.choose(COLORS) if w.chance(0.18) else None)
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
            split = [first, When(happened=kind, fewest=k + 1)]
        else:
            values = w.rng.permutation(5)[:2]
            one, two = (
                When(happened=kind, color=COLORS[v]) if kind == "hint_color" else When(happened=kind, rank=int(v) + 1)
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
    wide = {case[0].happened: case[1] for case in ordered if case[0] == When(happened=case[0].happened)}
    ordered = [c for c in ordered if c[0] == When(happened=c[0].happened) or wide.get(c[0].happened) != c[1]]
    first: dict[Response, int] = {}
    for i, (_, response) in enumerate(ordered):
        first.setdefault(response, i)
    ordered = sorted(ordered, key=lambda case: first[case[1]])
    rules = tuple(Rule(when=when, then=r.then, never=r.never) for when, r in ordered)
    return Convention(name="generated", rules=rules, otherwise=otherwise)


def any_otherwise(w: Writer) -> Response:
    """Draw what happens where no rule decides."""
    return any_response(w, False, never=0.06)
