"""Programs as text: the compact form of a convention that a small language model writes, word by word.

A program is `[if CONDITION RESPONSE]... else RESPONSE .` or a refusal, `unclear REASON .`. The first `if` whose
condition holds decides, so particular ones stand before general ones, and `else` decides what no `if` does.
`else free` says nothing: what an instruction leaves open is not ruled out. Every word is one choice among those that
`next_words` lists; the same parser reads programs and lists the choices, so that the two cannot disagree.

Hanabi
  CONDITION  EVENT [or EVENT]...: nothing (nobody has moved yet), discarded, played, color, rank, hint (either kind,
             to me), anything (the first move too). An event may say more, in this order:
               its value       color red, rank five
               how many cards  hint exactly one, hint least two, hint most three (cards that it named)
               a card          played on newest, hint on oldest (that card is among the hinted ones)
  RESPONSE   free | MOVE [or MOVE]... [never MOVE [or MOVE]...] | never MOVE [or MOVE]...
  MOVE       play CARD, discard CARD, hint color [VALUE], hint rank [VALUE], hint safe (a playable card)
  CARD       any, those (the hinted cards), left, right (the leftmost, rightmost of them), others (the unhinted
             cards), oldest, newest, A to E (A is the oldest, first or leftmost card of the hand; E the newest)
Say-Select
  CONDITION  NUMBER... [repeat] | repeat: she says one of these numbers; repeat: the same one as the time before. A
             response that begins with a number follows `then`: if one two then five else same (read without it too,
             where the number is not larger than the last one of the condition)
  RESPONSE   free | PICK [or PICK]... [turns] [never PICK...] | never PICK [or PICK]...; turns: they alternate
  PICK       same, opposite (6 minus it), plus K, minus K (counted around: one higher than 5 is 1), above, below (any
             higher, any lower number), any (any number), one to five, quit
Refusals     unclear empty (no content: "play well", "", "asdf"), unclear conflict (contradicts itself),
             unclear beyond (content that no program says: what a hand holds, another game, the partner's moves)

How instructions are written as programs, so that two people write the same one:
- Only what is said. "If they hint a color, play those cards" alone is `if color play those else free .`
- "Do X" without a condition is `else X .`; "do X when Y" is `if Y X else free .`; "otherwise Z" is the else.
- "Never discard" besides rules: it goes to every response that would allow a discard: those that name moves other
  than discards are left as they are, `free` becomes `never discard any`.
- "Select another number than theirs" is `never same`: quitting is not ruled out. "Any number" does rule it out.
- "Unless Y, do X" is `if Y free else X .`; "only after Y do X" is `if Y X else never X .`
- "May", "can", "should", "must" and "please" make no difference. Nobody says a probability.
- "Hint" alone is `hint color or hint rank`; "hint back" the same. Moves and events of a list stand in the order above.
- One rule a kind of event and at most MAX_RULES rules; equal rules join by `or`: `if discarded or played`. Rules that
  cannot meet stand in the order of their events above, then of their values.
- A position alone is one of my own hand, after a hint too. Of the hinted ones the oldest is `left`, newest `right`.
- First, leftmost and oldest card are the same; so are last, newest, rightmost.
- Contradictions of moves ("discard and never discard") are `unclear conflict`; so are two rules that give different
  answers to exactly the same event. "Normally X, but after Y do Z" is no contradiction: `if Y Z else X .`
- Equal is what executes equally (envs.convention): `else never quit .` and `else any .` are the same program.

Hanabi examples
  When they tell me a color, I play the cards they pointed at, else I give color hints.
                                                  if color play those else hint color .
  Rank hint: discard them. Color hint: play them.  if color play those if rank discard those else free .
  After any hint, play its leftmost card; otherwise discard my oldest.  if hint play left else discard oldest .
  Always throw away the newest card.               else discard newest .
  Never play after a rank hint.                    if rank never play any else free .
  If my partner discards, hint; if they play, discard the first card.
                                                  if discarded hint color or hint rank if played discard A else free .
  Unless someone hints to me, I hint fives.        if hint free else hint rank five .
  A red hint means play, any other color means discard, and hint otherwise.
                                if color red play those if color discard those else hint color or hint rank .
  If exactly one card is hinted, play it.          if hint exactly one play those else free .
  Don't discard after my partner discards. When it is my first move, hint a rank.
                                                  if nothing hint rank if discarded never discard any else free .
  Hint ranks. Actually no, hint colors.            else hint color .
  After a hint, discard a card they did not name.  if hint discard others else free .
  A color hint of two cards or more: play the rightmost one; of one card: discard it.
                                  if color exactly one discard those if color least two play right else free .
  If they play their newest card, play anything but your newest.
                                                  if played on newest play any never play newest else free .
  Hint something playable, whatever happens.       else hint safe .
  Play well and have fun.                          unclear empty .
  Play what was hinted, and never play such cards.  unclear conflict .
  Discard when we have fewer than three tokens.    unclear beyond .
  Hint the card that completes the red stack.      unclear beyond .
Say-Select examples
  Pick whatever number I say.                      else same .
  Anything but my number, please.                  else never same .
  Take two more than what you hear.                else plus two .
  Stick to 4.                                      else four .
  If she says 1 or 2, quit. Otherwise mirror her (5 for 1).  if one two quit else opposite .
  Copy me, and stop once I say a number twice.     if repeat quit else same .
  Alternate between 1 and 5.                       else one or five turns .
  On a 1 pick 5, on a 5 pick 1.                    if one then five if five then one else free .
  Odd numbers: same. Even: one lower.              if one three five same else minus one .
  Select the ball that is good.                    unclear beyond .
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Literal, cast

from schemas import phrases
from schemas.convention import Convention, Do, Part, Response, When, position_index
from schemas.errors import UserError
from schemas.phrases import COUNTS, EVENTS, PLACES, Phrases, Words
from schemas.rule_order import grouped, ordered
from schemas.say_select import NumberConvention, Pick, Said, Selection

Program = Convention | NumberConvention
Game = phrases.Game
Reason = Literal["empty", "conflict", "beyond"]

REASONS: dict[str, str] = {
    "empty": "it says nothing about what to do",
    "conflict": "it contradicts itself",
    "beyond": "it asks for something that no rule of this game can say",
}
MAX_RULES = 5
MAX_MOVES = 4
END = "."


class _More(Exception):
    """A program that could go on: the words that may come next."""

    def __init__(self, words: Iterable[str]) -> None:
        self.words = tuple(dict.fromkeys(words))


class _Reader:
    """Words of a program, read one choice after the other; `lenient` also reads what is never written."""

    def __init__(self, words: Sequence[str], *, lenient: bool = False) -> None:
        self._words, self._at, self.lenient = words, 0, lenient

    def peek(self, allowed: Iterable[str]) -> str:
        """Return the next word, which must be an allowed one, without taking it."""
        if self._at == len(self._words):
            raise _More(allowed)
        word, known = self._words[self._at], list(dict.fromkeys(allowed))
        if word not in known:
            told = " ".join(self._words[: self._at])
            raise UserError(f"program: {word!r} after {told!r}; possible are {', '.join(known)}")
        return word

    def take(self, *allowed: str) -> str:
        """Take the next word, which must be an allowed one."""
        word = self.peek(allowed)
        self._at += 1
        return word

    def list(self, tree: Phrases, follow: Words, most: int, several: Words = ()) -> tuple[Any, ...]:
        """Read up to `most` phrases in rising order, joined by `or`; what may `follow`, `several` after two or more."""
        items: list[Any] = []
        number = -1
        while True:
            node = tree
            while True:
                complete = node.number > number
                larger = complete and len(items) + 1 < most and tree.last > node.number
                after = (*(("or",) if larger else ()), *(several if items else ()), *follow)
                ends = after if complete else ()
                inner = [word for word, child in node.children.items() if child.last > number]
                if self.peek((*inner, *ends)) not in inner:
                    break
                node = node.children[self.take(*inner)]
            items.append(node.item)
            number = node.number
            if self.peek(ends) != "or":
                return tuple(items)
            self.take("or")

    def finish(self) -> None:
        """Take the final stop. Raises UserError if words are left."""
        self.take(END)
        if self._at < len(self._words):
            raise UserError(f"program: {' '.join(self._words[self._at :])!r} after the final {END!r}")


def read(game: Game, text: str) -> Program | Reason:
    """Read a program, or the reason of a refusal. Raises UserError naming the first word that cannot stand there."""
    try:
        return _read(game, _Reader(text.split(), lenient=True))
    except _More as more:
        raise UserError(f"program: {text!r} ends too early; possible are {', '.join(more.words)}") from None


def next_words(game: Game, words: Sequence[str]) -> Words:
    """List the words that may follow the beginning of a program; none after its end."""
    try:
        _read(game, _Reader(words))
    except _More as more:
        return more.words
    return ()


@cache
def vocabulary() -> Words:
    """List every word that occurs in programs."""
    tables = (phrases.events(), phrases.moves(), phrases.picks(), phrases.said())
    words = [word for table in tables for phrase in table.values() for word in phrase]
    return tuple(
        dict.fromkeys(["if", "else", "or", "never", "free", "turns", "then", *words, "unclear", *REASONS, END])
    )


def write(program: Program | Reason) -> str:
    """Write a program or the reason of a refusal; `read` reads it back to what executes equally.

    Rules that cannot meet in one observation stand in the order of their conditions. Raises UserError for what the
    text cannot say: more than MAX_RULES rules, a hand of more than five cards.
    """
    if isinstance(program, str):
        return f"unclear {program} {END}"
    words: list[str] = []
    rules = [(_response_words(rule, program), [rule.when]) for rule in program.rules]
    for response, whens in grouped(ordered(grouped(rules))):
        conditions = [_condition(when, program) for when in whens]
        most = 1
        if isinstance(program, Convention):  # equal answers to several events join into one rule
            conditions, most = sorted(set(conditions)), len(EVENTS)
        then = ["then"] if response[0] in COUNTS else []
        for first in range(0, len(conditions), most):
            words += ["if", *_joined(conditions[first : first + most]), *then, *response]
    text = " ".join([*words, "else", *_response_words(program.otherwise, program), END])
    if words.count("if") > MAX_RULES:
        raise UserError(f"program: {words.count('if')} rules; at most {MAX_RULES} can be written")
    return text


def game_of(program: Program) -> Game:
    """Tell the game of a program."""
    return "hanabi" if isinstance(program, Convention) else "say-select"


def _condition(when: When | Said, program: Program) -> tuple[int, Words]:
    if isinstance(when, Said):
        return _entry(phrases.said, when)
    if when.card is None or isinstance(program, NumberConvention):
        return _entry(phrases.events, when)
    return _entry(phrases.events, when.model_copy(update={"card": _place(when.card, program.hand_size)}))


def _response_words(response: Response | Selection, program: Program) -> Words:
    words: list[str] = []
    for name in ("then", "never"):
        entries = [_action(action, program) for action in getattr(response, name)]
        if entries:
            words += [*(["never"] if name == "never" else []), *_joined(entries)]
        if name == "then" and isinstance(response, Selection) and response.alternate:
            words.append("turns")
    return tuple(words) or ("free",)


def _action(action: Do | Pick, program: Program) -> tuple[int, Words]:
    if isinstance(action, Pick):
        return _entry(phrases.picks, action)
    if action.cards in phrases.CARDS.values() or isinstance(program, NumberConvention):
        return _entry(phrases.moves, action)
    return _entry(phrases.moves, action.model_copy(update={"cards": _place(action.cards, program.hand_size)}))


def _place(card: str, hand_size: int) -> str:
    """Write a position as one of PLACES where it is one."""
    return card if card in PLACES else chr(ord("A") + position_index(card, hand_size))


def _entry(table: Callable[[], Mapping[Any, Words]], item: Part) -> tuple[int, Words]:
    """Return the number of an item and its phrase. Raises UserError if it has none."""
    if item not in _numbered(table):
        raise UserError(f"program: no words for {item!r}")
    return _numbered(table)[item]


@cache
def _numbered(table: Callable[[], Mapping[Any, Words]]) -> dict[Any, tuple[int, Words]]:
    return {item: (number, phrase) for number, (item, phrase) in enumerate(table().items())}


def _joined(entries: Iterable[tuple[int, Words]]) -> list[str]:
    words: list[str] = []
    for _, phrase in sorted(set(entries)):
        words += [*(["or"] if words else []), *phrase]
    return words


def _read(game: Game, reader: _Reader) -> Program | Reason:
    if reader.peek(("if", "else", "unclear")) == "unclear":
        reader.take("unclear")
        reason = reader.take(*REASONS)
        reader.finish()
        return cast(Reason, reason)
    rules: list[tuple[Any, Response | Selection]] = []
    count, empty = 0, True
    while reader.take(*(("if",) if count < MAX_RULES else ()), "else") == "if":
        most = len(EVENTS) if game == "hanabi" else 1
        actions = phrases.actions_of(game, True, False).children
        begins = [word for word in ("free", "never", *actions) if reader.lenient or word not in COUNTS]
        conditions = reader.list(
            phrases.conditions_of(game), (*begins, *(["then"] if game == "say-select" else [])), most
        )
        numbered = reader.peek((*begins, "then")) == "then"
        if numbered:
            reader.take("then")
            reader.peek(COUNTS)
        hinted = all(getattr(condition, "is_hint", False) for condition in conditions)
        count += 1
        response = _read_response(game, reader, hinted, ("if", "else") if count < MAX_RULES else ("else",))
        rules += [(condition, response) for condition in conditions]
        empty = empty and not response.then and not response.never
    otherwise = _read_response(game, reader, False, (END,), free=not empty)
    reader.finish()
    rows = [{"when": when, **dict(response)} for when, response in rules]
    kind = Convention if game == "hanabi" else NumberConvention
    return kind.model_validate({"name": "compiled", "rules": rows, "otherwise": dict(otherwise)})


def _read_response(
    game: Game, reader: _Reader, hinted: bool, follow: Words, *, free: bool = True
) -> Response | Selection:
    kind = Response if game == "hanabi" else Selection
    moves, banned = phrases.actions_of(game, hinted, False), phrases.actions_of(game, hinted, True)
    first = reader.peek((*(("free",) if free else ()), "never", *moves.children))
    if first == "free":
        reader.take("free")
        return kind()
    found: dict[str, Any] = {}
    if first != "never":
        turns = ("turns",) if game == "say-select" else ()
        found["then"] = reader.list(moves, ("never", *follow), MAX_MOVES, turns)
        if len(found["then"]) > 1 and reader.peek((*turns, "never", *follow)) == "turns":
            found["alternate"] = reader.take("turns") == "turns"
    if reader.peek(("never", *follow)) == "never":
        reader.take("never")
        found["never"] = reader.list(banned, follow, MAX_MOVES)
    return kind.model_validate(found)
