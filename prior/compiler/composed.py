"""Written wordings put together: two rules in a row, a rule that is taken back for another, a rule amid small talk.

What people write in one breath is more varied than what one wording holds. Every text made here has one meaning by
construction: rules are joined only if no event can meet two of them and if neither speaks of what is left over, and
what is taken back, or said by others, is quoted whole.
"""

import re
from functools import cache
from itertools import combinations
from typing import Any, get_args

import numpy as np

from prior.compiler.mirror import mirrored
from prior.compiler.written import Wording, wordings
from schemas.errors import UserError
from schemas.program import Game, read, write
from schemas.rule_order import apart

_RULES, _OTHERWISE, _TALK = 0.55, 0.22, 0.2  # of the texts made here (otherwise: among rules); the rest is taken back
_LONGEST = 330  # characters
_NEXT = ("And", "And then:", "Also,", "Also:", "Next:", "Second,", "Besides:", "Plus:", "One more thing:", "Oh and",
         "2)", "Rule two:", "", "", "", "", "", "")  # fmt: skip
_REST = ("Otherwise: ", "In all other cases: ", "Else: ", "Everything else: ", "For the rest: ", "Any other time: ",
         "If none of that applies: ", "When that does not apply: ", "Default: ", "Failing that: ",
         "otherwise, ")  # fmt: skip
_TAKEN_BACK = (
    "<A> Scratch that. <B>", "<A> No wait, forget that. <B>", "<A> Hm, no. Ignore that. New plan: <B>",
    "<A> ...Sorry, wrong game. <B>", "<A> That was the old rule; it is gone. Now: <B>", "<A> Just kidding! <B>",
    "Last time: \"<A>\" This time: <B>", "Other teams say: \"<A>\" We don't. With us it goes: <B>",
    "My old partner went by this: \"<A>\" You go by this: <B>", "\"<A>\" is what my brother plays. Me: <B>",
    "<B> (And not: \"<A>\")", "<B> Whoever told you \"<A>\" was wrong.", "Delete the rule \"<A>\" Add the rule \"<B>\"",
    "Draft 1: <A> Draft 2, which replaces it: <B>", "You may have read \"<A>\" Forget it. What counts is: <B>",
    "I used to tell people: \"<A>\" These days I tell them: <B>", "not \"<A>\" but \"<B>\"",
    "<A> ugh no, all wrong, lets do this instead: <B>", "<A> Correction, the whole rule should be: <B>",
)  # fmt: skip
_LEFT_OVER = re.compile(
    r"\b(only|nothing (else|more)|all|everything|anything|whatever|otherwise|else|rest|remain\w*|no other|other times?|"
    r"the one rule|single|sole|solely|just (that|this|one)|alone|never mind|free|up to you|both|first|last|"
    r"rules?|every (turn|time|move)|again|too|apart|except|unless|no matter|regardless|constant\w*|forever|each|game|"
    r"always|never ever|invariabl\w*|permanent\w*|what if|instead|not .* but|but|who knows|"
    r"no (idea|advice|deal|plans?|opinion|orders|further)|"
    r"agreed|settled|discussed|will see|figure out|undecided|tbd|idc|idk|dunno|leave (it|those|that)|do as|own|others?|"
    r"whole|in between|matter|wishes|that's it|whether|irrespective|difference|ever|considered|open|undefined|mind|"
    r"have a plan|entire|nothing special|(mean|say|trigger)s? nothing|relax|improvise|wing it|habit|ignore|"
    r"beyond that|nothing in particular|after that|theory|any other (kind|move|moment|case|turn))\b",
    re.IGNORECASE,
)
_PEOPLE = {
    "I": re.compile(r"\b(i|me|my|mine|we|us|our|im|ill)\b", re.IGNORECASE),
    "you": re.compile(r"\b(you|u|ur|your|yours)\b", re.IGNORECASE),
    "they": re.compile(
        r"\b(she|he|her|him|his|hers|partner\w*|(team)?mate|buddy|friend|someone|alice|ann|human|user)\b", re.IGNORECASE
    ),
    "agent": re.compile(r"\b(agent|bot|assistant|ai|bob|ben|player\w*)\b", re.IGNORECASE),
}
_THEIR_MOVE = re.compile(r"\b(?:if|when|whenever|once|after|time|soon as|should|case) (i|you|u)\b", re.IGNORECASE)
_ORDER = re.compile(
    r"(^|[.:;,!?>→=]\s*|\b(please|and|so|then) )(don'?t |do not |never )?(play|discard|hint|bin|toss|throw|put|lay|"
    r"clue|give|tell|chuck|ditch|quit|take|pick|select|copy|leave|treat|act|let|use|go|choose|say|add|subtract)\b",
    re.IGNORECASE,
)
_EVENT = re.compile(r"\b(if|after|when) ((a|you|they|i|i've|no) )?(hint|play|discard|clue)", re.IGNORECASE)
_UNCLEAR = "unclear"
_NUMBER = re.compile(r"\d|\b(?:one|two|three|four|five|six)s?\b", re.IGNORECASE)
_NO_TALK = re.compile(
    r"\b(hint|clue|colou?r|rank|play|card|discard|ball|number|quit|rule|whatever|any\w*|free|nothing|no|not|never|"
    r"opposite|ignore|forget|disregard|don't|dont|instead|but|if|when|how|you want|decide|prefer\w*|choice)s?\b|n't|\{",
    re.IGNORECASE,
)


def composed(game: Game, rng: np.random.Generator) -> tuple[str, str]:
    """Return a text of training wordings of a game, and its program."""
    while True:
        kind = rng.random()
        if kind < _RULES:
            text, program = _rules(game, rng, otherwise=kind < _OTHERWISE)
        elif kind < _RULES + _TALK:
            text, program = _amid_talk(game, rng)
        else:
            text, program = _taken_back(game, rng)
        if len(text) <= _LONGEST:
            return text, program


def _rules(game: Game, rng: np.random.Generator, *, otherwise: bool) -> tuple[str, str]:
    while True:
        count = 1 if otherwise and rng.random() < 0.6 else 2
        drawn = [_draw(game, _single_rules(game), rng) for _ in range(count)]
        default = [_draw(game, _defaults(game), rng)] if otherwise else []
        if _meet(game, [program for _, program in drawn]) or not _same_voice([text for text, _ in drawn + default]):
            continue
        texts = [_sentence(drawn[0][0])]
        texts += [f"{_choose(_NEXT, rng)} {_sentence(text)}".strip() for text, _ in drawn[1:]]
        texts += [_choose(_REST, rng) + _sentence(text) for text, _ in default]
        rules = " ".join(program.removesuffix("else free .") for _, program in drawn)
        otherwise_program = default[0][1] if default else "else free ."
        try:
            return " ".join(texts), write(read(game, f"{rules} {otherwise_program}"))
        except UserError:  # together they are no program
            continue


def _amid_talk(game: Game, rng: np.random.Generator) -> tuple[str, str]:
    text, program = _draw(game, _programs(game), rng)
    parts = [_sentence(text)]
    for _ in range(1 + int(rng.random() < 0.3)):
        remark = _small_talk()[rng.integers(len(_small_talk()))].draw(rng)[0]
        parts.insert(int(rng.integers(len(parts) + 1)), _sentence(remark))
    return " ".join(parts), program


def _taken_back(game: Game, rng: np.random.Generator) -> tuple[str, str]:
    (wrong, _), (right, program) = (_draw(game, _programs(game), rng) for _ in range(2))
    return _choose(_TAKEN_BACK, rng).replace("<A>", _sentence(wrong)).replace("<B>", _sentence(right)), program


def _draw(game: Game, options: tuple[Wording, ...], rng: np.random.Generator) -> tuple[str, str]:
    return mirrored(game, *options[rng.integers(len(options))].draw(rng), rng)


def _choose(options: tuple[str, ...], rng: np.random.Generator) -> str:
    return options[rng.integers(len(options))]


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?", ")", '"')) else f"{text}."


def _meet(game: Game, programs: list[str]) -> bool:
    """Tell whether one event may meet the conditions of two rules, or, in Say-Select, two rules are written as one."""
    rules: list[Any] = [rule for program in programs for rule in read(game, program).rules]  # type: ignore[union-attr]
    return not all(apart(a.when, b.when) for a, b in combinations(rules, 2)) or (
        game == "say-select" and any(a.model_copy(update={"when": b.when}) == b for a, b in combinations(rules, 2))
    )


def _same_voice(texts: list[str]) -> bool:
    """Tell whether all texts surely have the same people in the same parts; otherwise `I` may be two in one text."""
    voices = [voice for voice in map(_voice, texts) if voice]
    return len(voices) < 2 or (len(set(voices)) == 1 and voices[0] != _UNCLEAR)


def _voice(text: str) -> str:
    """Say who is named, and, of I and you, whose move is answered; nothing if nobody is."""
    named = " ".join(who for who, words in _PEOPLE.items() if words.search(text))
    if not named:
        return "you" if _ORDER.search(text) else ""
    moves = {found[1][0].lower() for found in _THEIR_MOVE.finditer(text)}
    if named == "I you":
        return f"{named}: {moves.pop()}" if len(moves) == 1 else _UNCLEAR
    unclear = named == "I" or "I you" in named or ("I" in named and "i" in moves)
    return _UNCLEAR if unclear else named


@cache
def _single_rules(game: Game) -> tuple[Wording, ...]:
    """Return wordings of one rule that leaves the rest open, and says nothing of the rest."""
    return tuple(
        wording
        for wording in _programs(game)
        if wording.program.count("if ") == 1
        and wording.program.endswith("else free .")
        and not _LEFT_OVER.search(wording.text)
    )


@cache
def _defaults(game: Game) -> tuple[Wording, ...]:
    """Return wordings of what to do without any condition, or an example or event that a rule might contradict."""
    return tuple(
        w
        for w in _programs(game)
        if w.program.startswith("else")
        and not _LEFT_OVER.search(w.text)
        and not _EVENT.search(w.text)
        and len(_NUMBER.findall(w.text)) < 2
    )


@cache
def _programs(game: Game) -> tuple[Wording, ...]:
    return tuple(w for w in wordings(game, False) if not w.program.startswith("unclear"))


@cache
def _small_talk() -> tuple[Wording, ...]:
    """Return remarks without content of both games, of some words, and without a word that a rule may have."""
    return tuple(
        wording
        for game in get_args(Game)
        for wording in wordings(game, False)
        if wording.program == "unclear empty ." and len(wording.text.split()) > 2 and not _NO_TALK.search(wording.text)
    )
