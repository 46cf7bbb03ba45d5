"""Short forms of Hanabi: tables of events, answers in kind, what a kind of hint says about cards."""

from prior.compiler import hanabi_events
from prior.compiler.framing import joined, listed
from prior.compiler.hanabi_draw import Case, answer, any_otherwise, program
from prior.compiler.hanabi_words import HINT, HINTS, KIND
from prior.compiler.writer import Writer
from schemas.convention import Convention, Do, Response, When

_PLAY_THOSE = Response(then=(Do(action="play", cards="hinted"),))
_THROW_THOSE = Response(then=(Do(action="discard", cards="hinted"),))
_PLAYED = ("play", "play them", "play those", "cards to play", "play what I show", "play the hinted cards", "a play", "put them down", "playable", "good cards, play them", "play it", "please play")  # fmt: skip
_THROWN = ("discard", "discard them", "trash", "throw those away", "cards to discard", "garbage", "bin them", "toss", "discard it", "junk, get rid of them", "dump the hinted cards", "useless, discard them")  # fmt: skip
_TOLD = {"hint_color": ("color", "color {H}", "{H} color", "give color", "{K} {H}", "hint {K}", "hint {K}s", "tell {K}"), "hint_rank": ("rank", "rank {H}", "{H} rank", "give rank", "{K} {H}", "hint {K}", "hint {K}s", "tell {K}")}  # fmt: skip
_SUBJECTS = ("{K}", "{K}s", "{K} {H}", "{K} {Hs}", "{K} info", "a {K} {H}", "hinted {K}", "by {K}", "{K} told", "when {K}", "if {K}", "on {K}")  # fmt: skip
_REST = "(rest|else|otherwise|other|anything else|everything else|default|nothing of that|the rest)"
_DITTO = "(ditto|same|same thing|the same|likewise|same again|also|too|idem)"
_GOOD = ("{c} {be} (good|playable|safe|wanted|welcome|worth playing), so play (it|them)", "{c} (should|must|can) go (on the table|onto the fireworks|straight down)", "I want {c} (played|on the table|put down)", "{c} {belong} on the table", "{c} {be} (to be played|for playing|ready to play: play them)")  # fmt: skip
_BAD = ("{c} {be} (trash|garbage|junk|useless|worthless|rubbish), so (discard|toss|bin|dump) (it|them)", "{c} (should|must|can) go (in the trash|to the discard pile|in the bin)", "I want {c} (discarded|gone|thrown out)", "{c} {belong} (in the trash|on the discard pile)", "{c} {be} (to be discarded|for discarding)")  # fmt: skip
_TAGGED = ("(the |all |any |)cards (that |){p} {t} by {K}", "(the |all |any |)cards (that get |){t2} by {K}", "what(ever|) is {t2} by {K}", "{K}-{t2} cards")  # fmt: skip
_IN_KIND = {
    "same": ("(answer|return|meet|repay|reply to) a {K} {H} (with|by) a {K} {H}, and a {J} {H} (with|by) a {J} {H}", "(answer|reply to) {K} by {K} and {J} by {J}", "{K} for {K}, {J} for {J}", "(give|hint) the same kind (of {H} |)back: {K} after {K}, {J} after {J}", "(return|answer) each {H} by (a {H}|one) of the same kind", "if {p} #hint {K}, hint {K}; if {J}, {J}", "(copy|mirror) the kind of {H} {a} @get"),
    "other": ("(answer|return|meet|reply to) a {K} {H} (with|by) a {J} {H}, and a {J} {H} (with|by) a {K} {H}", "(answer|reply to) {K} by {J} and {J} by {K}", "{J} for {K}, {K} for {J}", "(return|answer) each {H} by (a {H}|one) of the other kind", "if {p} #hint {K}, hint {J}; if {J}, {K}", "give the (other|opposite) kind of {H}: {J} after {K}, {K} after {J}"),
    "hint": ("(answer|return|meet|repay|reply to) (a|any|every|each) {H} (with|by) a {H}", "a {H} for a {H}", "{H} me and I {H} back" , "(one {H}|a {H}) deserves another"),
    "move": ("(answer|meet|follow) a discard (with|by) a discard and a play (with|by) a play", "(discard|throw one away) when {p} #discard, play (a card |)when {p} #play", "a play for a play, a discard for a discard"),
}  # fmt: skip


def short(w: Writer) -> tuple[str, Convention]:
    """Draw a short instruction and the program that it means."""
    return w.choose((_table, _tagged, _in_kind), [0.6, 0.25, 0.15])(w)


def _say(w: Writer, templates: tuple[str, ...], kind: str, **more: str) -> str:
    return w.say(templates, K=w.say(KIND[kind]), H=w.say(HINT), Hs=w.say(HINTS), **more)


def _rest(w: Writer, both: bool) -> str:
    """Name what is left; where `both` kinds of hint have a rule, also as no hint."""
    return f"no {w.say(HINT)}" if both and w.chance(0.1) else w.say(_REST)


def _two(w: Writer) -> list[str]:
    return ["hint_color", "hint_rank"][:: 1 if w.chance(0.5) else -1]


def _table(w: Writer) -> tuple[str, Convention]:
    """Name events and answers in a few words each: color: play. rank: ditto. rest: hint color."""
    kinds = _two(w)[: 1 if w.chance(0.35) else 2]
    colon = w.choose((": ", ": ", " - ", " -> ", " = ", " => ", "? ", " means ", "... "))
    found: list[Case] = []
    parts = []
    for kind in kinds:
        if found and w.chance(0.3):
            response, text = found[0][1], w.say(_DITTO)
        elif w.chance(0.15):
            told = w.choose(("hint_color", "hint_rank"))
            response, text = Response(then=(Do(action=told),)), _say(w, _TOLD[told][1:4] + _TOLD[told][5:], told)
        else:
            play = w.chance(0.62)
            response, text = (_PLAY_THOSE, w.say(_PLAYED)) if play else (_THROW_THOSE, w.say(_THROWN))
        found.append((When(happened=kind), response))
        parts.append(_say(w, _SUBJECTS, kind) + colon + text)
    if w.chance(0.12):
        moved = w.choose(("discard", "play"))
        rest = any_otherwise(w)
        found.append((When(happened=moved), rest))
        parts.append(hanabi_events.event(w, When(happened=moved), True) + colon + answer(rest).imperative(w))
    last = Response()
    if w.chance(0.65):
        told = w.choose(("hint_color", "hint_rank"))
        last = Response(then=(Do(action=told),)) if w.chance(0.75) else any_otherwise(w)
        said = _say(w, _TOLD[told], told) if last.then == (Do(action=told),) else answer(last).imperative(w)
        parts.append(_rest(w, len(kinds) == 2) + colon + said)
    return joined(w, [listed(w, parts)]), program(found, last)


def _tagged(w: Writer) -> tuple[str, Convention]:
    """Say what a kind of hint tells about cards: cards hinted by color are trash, so bin them."""
    found, parts = [], []
    play = w.chance(0.6)
    for kind in _two(w)[: 1 if w.chance(0.55) else 2]:
        t, t2 = w.choose((("#hint", "hinted"), ("#clue", "clued"), ("#name", "named"), ("#point out", "pointed out")))
        tagged = _TAGGED if t2 != "pointed out" else _TAGGED[:3]
        cards = _say(w, tagged, kind, t=t, t2=t2)
        one = cards.startswith("what")
        verbs = {"be": "is" if one else "are", "belong": "belongs" if one else "belong"}
        parts.append(w.say(_GOOD if play else _BAD, c=cards, **verbs))
        found.append((When(happened=kind), _PLAY_THOSE if play else _THROW_THOSE))
        play = not play
    last = any_otherwise(w) if w.chance(0.5) else Response()
    if last.then or last.never:
        parts.append(_rest(w, len(found) == 2) + w.say("(:|,| ->) ") + " " + answer(last).imperative(w))
    return joined(w, parts), program(found, last)


def _in_kind(w: Writer) -> tuple[str, Convention]:
    """Answer like with like: a color hint with a color hint, a discard with a discard."""
    style = w.choose(("same", "other", "hint", "move"), [3, 2, 1.5, 1])
    one, two = _two(w)
    text = _say(w, _IN_KIND[style], one, J=w.say(KIND[two]))
    moves = {kind: Response(then=(Do(action=kind),)) for kind in ("discard", "play", "hint_color", "hint_rank")}
    found = {
        "same": [(one, moves[one]), (two, moves[two])],
        "other": [(one, moves[two]), (two, moves[one])],
        "hint": [("hint", Response(then=(Do(action="hint_color"), Do(action="hint_rank"))))],
        "move": [("discard", moves["discard"]), ("play", moves["play"])],
    }[style]
    last = any_otherwise(w) if w.chance(0.4) else Response()
    parts = [text]
    if last.then or last.never:
        parts.append(_rest(w, style != "move") + w.say("(:|,| ->)") + " " + answer(last).imperative(w))
    return joined(w, parts), program([(When(happened=kind), response) for kind, response in found], last)
