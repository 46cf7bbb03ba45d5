"""A writer of random sentences: alternatives, who speaks to whom, agreement of verbs, slips of the pen.

A template may hold `(a|b|)` (one of these), `{slot}` (filled by name, or by the voice), `#verb` (agrees with the
partner) and `@verb` (agrees with the acting player). A line or an alternative that begins with `~` is held out: the
training data never has it, and the held-out set has at least one of them in every text.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_IRREGULAR = {"be": "is", "have": "has", "do": "does", "go": "goes"}
_OWN = {"they's": "their", "I's": "my", "you's": "your", "she's": "her", "he's": "his"}
_POSSESSIVE = re.compile(r"\b(?:they|I|you|she|he)'s\b")
_GERUNDS = {"be": "being", "get": "getting", "put": "putting", "let": "letting", "quit": "quitting", "stop": "stopping",
            "tell": "telling", "bin": "binning", "stay": "staying", "play": "playing", "swap": "swapping",
            "drop": "dropping", "scrap": "scrapping", "tip": "tipping", "flip": "flipping", "grab": "grabbing",
            "overbid": "overbidding", "underbid": "underbidding", "swim": "swimming", "begin": "beginning",
            "top": "topping", "run": "running",
            "hit": "hitting", "pin": "pinning", "chuck": "chucking", "add": "adding"}  # fmt: skip


@dataclass(frozen=True)
class Voice:
    """Who is who: the partner (p, pronoun they, object po, possessive pp) and the acting player (a, ao, ap)."""

    p: str
    they: str
    po: str
    pp: str
    a: str
    ao: str
    ap: str
    partner_third: bool  # the partner's verb takes an s
    actor_third: bool = False


def _voices() -> list[Voice]:
    found = []
    for p, they, po, pp in (
        ("my partner", "they", "my partner", "their"), ("my partner", "he", "him", "his"),
        ("my partner", "she", "her", "her"), ("my teammate", "they", "them", "their"),
        ("the other player", "they", "them", "their"), ("partner", "they", "partner", "their"),
        ("she", "she", "her", "her"), ("he", "he", "him", "his"), ("my friend", "she", "her", "her"),
        ("Alice", "she", "her", "her"), ("my colleague", "she", "her", "her"), ("my buddy", "he", "him", "his"),
        ("the person I play with", "they", "them", "their"), ("someone", "they", "them", "their"),
        ("my co-player", "they", "them", "their"), ("my wife", "she", "her", "her"), ("my mate", "he", "him", "his"),
        ("the human", "they", "them", "their"),
        ("~my companion", "they", "them", "their"),
    ):  # fmt: skip
        found.append(Voice(p, they, po, pp, "I", "me", "my", True))
    found += [Voice("they", "they", "them", "their", "I", "me", "my", False)] * 2
    found += [Voice("I", "I", "me", "my", "you", "you", "your", False)] * 5
    for p in (
        "your partner",
        "your teammate",
        "the other player",
        "the human player",
        "your friend",
        "your buddy",
        "someone",
        "the other",
    ):
        found.append(Voice(p, "they", "them", "their", "you", "you", "your", True))
    found.append(Voice("they", "they", "them", "their", "you", "you", "your", False))
    found.append(Voice("Alice", "she", "her", "her", "Bob", "him", "his", True, True))
    found.append(Voice("Ann", "she", "her", "her", "Ben", "him", "his", True, True))
    found.append(Voice("the user", "they", "them", "their", "the bot", "it", "its", True, True))
    found.append(Voice("player one", "he", "him", "his", "player two", "her", "her", True, True))
    found.append(Voice("I", "I", "me", "my", "the assistant", "it", "its", False, True))
    found.append(Voice("you", "you", "you", "your", "I", "me", "my", False))
    found.append(Voice("the partner", "they", "them", "their", "the agent", "it", "its", True, True))
    found.append(Voice("our partner", "they", "them", "their", "we", "us", "our", True))
    return found


VOICES = _voices()


class Writer:
    """Expands templates with one voice; counts the held-out templates that it used."""

    def __init__(self, rng: np.random.Generator, held_out: bool = False) -> None:
        self.rng, self._held_out, self.held_out_used = rng, held_out, 0
        self.voice = VOICES[0]
        self.voice = self.choose([v for v in VOICES if held_out or not v.p.startswith("~")])
        self.voice = Voice(**{**vars(self.voice), "p": self.voice.p.lstrip("~")})

    def chance(self, p: float) -> bool:
        """Return True with probability p."""
        return bool(self.rng.random() < p)

    def choose(self, items: Sequence, p: Sequence[float] | None = None):  # type: ignore[type-arg, no-untyped-def]
        """Return one of the items, all equally likely unless weights are given."""
        if p is None:
            return items[int(self.rng.random() * len(items))]
        rest = self.rng.random() * sum(p)
        for item, weight in zip(items, p, strict=True):
            rest -= weight
            if rest < 0:
                return item
        return items[-1]

    def pick(self, options: Sequence[str]) -> str:
        """Return one of the templates; held-out ones never in training, and often otherwise."""
        ours = [o for o in options if not o.startswith("~")]
        theirs = [o[1:] for o in options if o.startswith("~")]
        if theirs and self._held_out and (not ours or self.chance(0.25)):
            self.held_out_used += 1
            return str(self.choose(theirs))
        return str(self.choose(ours or theirs))

    def say(self, template: str | Sequence[str], **slots: str) -> str:
        """Expand a template, or one of several."""
        text = template if isinstance(template, str) else self.pick(template)
        slots = {**{k: v for k, v in vars(self.voice).items() if isinstance(v, str)}, **slots}
        while True:
            inner = re.search(r"\(([^()]*)\)", text)
            if not inner:
                break
            text = text[: inner.start()] + self.pick(inner[1].split("|")) + text[inner.end() :]
        text = re.sub(r"\{(\w+)\}", lambda m: slots[m[1]], text)
        text = re.sub(r"([#@])(\w+)", self._agree, text)
        text = _POSSESSIVE.sub(lambda m: _OWN[m[0]], text)
        return re.sub(r" +([,.;:?!])", r"\1", re.sub(r"\s+", " ", text)).strip()

    def _agree(self, match: re.Match[str]) -> str:
        verb = match[2]
        third = self.voice.partner_third if match[1] == "#" else self.voice.actor_third
        if third:
            return third_person(verb)
        subject = self.voice.p if match[1] == "#" else self.voice.a
        return ("am" if subject == "I" else "are") if verb == "be" else verb


def third_person(verb: str) -> str:
    """Write a verb with the s of the third person."""
    if verb in _IRREGULAR:
        return _IRREGULAR[verb]
    return verb + ("es" if verb.endswith(("s", "sh", "ch", "x", "o")) else "s")


def gerund(phrase: str) -> str:
    """Write a phrase that begins with a verb with its ing form: playing the hinted cards."""
    first, _, rest = phrase.partition(" ")
    stem = first[:-1] if first.endswith("e") and not first.endswith("ee") else first
    return f"{_GERUNDS.get(first, stem + 'ing')} {rest}".strip()


def sentence(text: str) -> str:
    """Begin with a capital letter and end with a stop."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text[-1:] in ".!?:" else ".")


_CHAT = {"please": "pls", "you": "u", "your": "ur", "because": "cuz", "partner": "pard", "are": "r", "and": "&",
         "with": "w/", "something": "smth", "whatever": "whatevr", "about": "abt", "before": "b4"}  # fmt: skip


def slips(text: str, rng: np.random.Generator) -> str:
    """Write a text as people type: typing errors, missing capitals and stops, abbreviations, quotation marks."""
    text = _style(text, rng)
    draw = rng.random()
    if draw < 0.10:
        text = text.lower()
    elif draw < 0.12:
        text = text.upper()
    if rng.random() < 0.08:
        text = re.sub(r"[,.;]|!(?!=)", "", text)  # "1: 5" needs its colon
    elif rng.random() < 0.05:
        text = text.replace(". ", ", ")
    if rng.random() < 0.06:
        text = text.replace("'", "")
    if rng.random() < 0.05:
        text = " ".join(_CHAT.get(word, word) for word in text.split())
    if rng.random() < 0.10:
        words = text.split()
        for at in rng.integers(0, max(1, len(words)), rng.integers(1, 4)):
            if words and len(words[at]) > 4 and words[at].isalpha():
                words[at] = _typo(words[at], rng)
        text = " ".join(words)
    if rng.random() < 0.06:
        text = re.sub(r"\b(color|rank|play|discard|hint)\b", r"'\1'", text)
    if rng.random() < 0.03:
        text = f'"{text}"'
    return text


def _style(text: str, rng: np.random.Generator) -> str:
    """Write without articles, with capitals for what matters, or with exclamation marks, now and then."""
    if rng.random() < 0.05:
        text = re.sub(r"\b(?:the|a|an) (?!(?:one|two|three|four|five)\b)(?=[a-z])", "", text)
    if rng.random() < 0.05:
        text = re.sub(r"\b(?:never|not|always|only|don't)\b", lambda m: m[0].upper(), text)
    if rng.random() < 0.03:
        text = re.sub(r"[.]+$", rng.integers(1, 4) * "!", text)
    return text


def _typo(word: str, rng: np.random.Generator) -> str:
    at = int(rng.integers(1, len(word) - 1))
    kind = rng.integers(4)
    if kind == 0:
        return word[:at] + word[at + 1 :]
    if kind == 1:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if kind == 2:
        return word[:at] + word[at] + word[at:]
    return word[:at] + chr(ord("a") + int(rng.integers(26))) + word[at + 1 :]
