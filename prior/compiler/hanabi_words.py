"""How Hanabi is spoken of: cards and positions, and moves as verb phrases. See writer for the templates."""

import re

from prior.compiler.writer import Writer
from schemas.convention import BY_HINT, Do

KIND = {
    "hint_color": "(color|color|color|colour|colour|suit|~hue)",
    "hint_rank": "(rank|rank|rank|number|number|value|~digit)",
}
NUMBER_WORDS = {1: "(1|one)", 2: "(2|two)", 3: "(3|three)", 4: "(4|four)", 5: "(5|five)"}
PLURALS = {1: "(1s|ones)", 2: "(2s|twos)", 3: "(3s|threes)", 4: "(4s|fours)", 5: "(5s|fives)"}
HINT = "(hint|clue|hint|clue|hint|cue|~tip)"
HINTS = "(hints|clues|hints|cues|~tips)"
HINTED = "(hinted|hinted|clued|named|indicated|touched|marked|pointed-out|selected|mentioned|~flagged)"
THROW = ("discard", "discard", "discard", "junk", "sacrifice", "let go of", "remove", "throw away", "get rid of", "dump", "toss", "throw out", "ditch", "bin",
          "~trash", "~scrap", "~chuck")  # fmt: skip
PLAY = ("play", "play", "play", "play", "lay out", "put down", "lay down", "~lay")

_PART = re.compile(r"\b(?:exactly|just|only|each|every(?:thing)?|all|exclusively|specifically|precisely)\b")
_ORDINALS = {
    "A": ("card A", "the first card", "the card in (slot|position) (1|A)", "1st card", "position A"),
    "B": ("card B", "the second card", "the card in (slot|position) (2|B)", "the 2nd card", "the second oldest card",
          "the second card from the left", "position B"),
    "C": ("card C", "the third card", "the middle card", "the card in (slot|position) (3|C)", "the 3rd card",
          "the card in the middle"),
    "D": ("card D", "the fourth card", "the card in (slot|position) (4|D)", "the 4th card", "the second newest card",
          "the second card from the right"),
    "E": ("card E", "the fifth card", "the card in (slot|position) (5|E)", "the 5th card", "position E"),
    "oldest": ("the oldest card", "the oldest", "the oldest one", "the leftmost card", "the first card",
               "the card (held|kept) (the |)longest", "the card furthest left", "the (eldest|longest held) card", "the leftmost one", "~the most ancient card"),
    "newest": ("the newest card", "the newest", "the newest one", "the rightmost card", "the last card", "the (most recent|latest) card",
               "the card drawn last", "the (freshest|youngest) card", "the card furthest right", "the card (drawn|picked up) most recently", "the rightmost one", "the card picked up last", "~the most recently drawn card"),
}  # fmt: skip


def position(w: Writer, card: str, whose: str, *, bare: bool = True) -> str:
    """Name a card by its position: my newest card, the second card in their hand; `bare`: the oldest one is no other."""
    text = w.say([o for o in _ORDINALS[card] if bare or not o.endswith((" one", " oldest", " newest"))])
    if not text.startswith("the ") or not whose or (w.chance(0.35) and not text.endswith(" one")):  # which one?
        return w.say(f"{text}(| | of {whose} hand| in {whose} hand)") if whose and w.chance(0.3) else text
    return f"{whose} {text.removeprefix('the ')}"


def move(w: Writer, do: Do, *, bare: bool = True) -> str:
    """Say a move as a verb phrase: play the hinted cards, give a color hint; `bare`: "play" alone means any card."""
    if do.action.startswith("hint"):
        return _hint(w, do)
    verb = w.pick(PLAY if do.action == "play" else THROW)
    if do.cards == "any":
        if bare and verb in ("play", "discard") and w.chance(0.3):
            return verb
        return w.say("{verb} (a card|any card|some card|something|one of {ap} cards|a card in {ap} hand)", verb=verb)
    cards = chosen(w, do.cards, bare=bare)
    first, _, particle = verb.partition(" ")
    if particle in ("away", "out", "down") and cards in ("it", "them", "these", "those"):
        return f"{first} {cards} {particle}"
    return f"{verb} {cards}"


def banned(w: Writer, do: Do, *, bare: bool = True) -> str:
    """Say a move that is never made, without words that would ban a part of it: not all of them, not some card."""
    text = move(w, do, bare=bare)
    while _PART.search(text):
        text = move(w, do, bare=bare)
    return re.sub(r"\bsome(?=thing\b|\b)", "any", text)


def chosen(w: Writer, cards: str, *, bare: bool = True) -> str:
    """Name the cards of a move; `bare`: "the oldest one" is not one of some cards that were hinted."""
    return w.say(
        {
            "hinted": (
                "(exactly|just|only|all|) (those|these) cards", "(those|these) (cards|ones|)", "them", "the {hinted} (cards|ones|card)",
                "(what|whatever|everything that) (was|is|got|gets) {hinted}", "it", "the card (or cards|) that (was|were) {hinted}",
                "the cards (that|) the (hint|clue) (touches|names|was about|pointed at|refers to)", "one of the {hinted} cards",
                "the cards (in question|concerned)", "what (was|has been) (pointed out|pointed at|singled out)",
                "any card that was {hinted}", "(precisely|specifically|exclusively) (those|these) (cards|ones)", "all {hinted} cards", "(each|every) {hinted} card", "every card (that|) the {H} (covers|touches|names|is about)",
                "the cards (that|) it (points at|refers to|is about|touches|concerns)", "the (cards|ones) meant (by it|)", "what(ever|) it (touches|points at|names)", "exactly what {p} (hinted|clued|told {ao} about)", "'em", "the cards {p} (told {ao} about|pointed at|meant|named|hinted)",
                "~the cards at issue", "~the relevant cards", "~what the (hint|clue) was for",
            ),
            "leftmost_hinted": (
                "the (leftmost|oldest|left-most) ({hinted} card|one of them|hinted one)", "the (leftmost|first|oldest|left-most) of (them|those|these)",
                "the {hinted} card (furthest|farthest|most) (to the |)left", "{its} leftmost card",
                "~whichever {hinted} card is (leftmost|oldest)",
            ),
            "rightmost_hinted": (
                "the (rightmost|newest|right-most) ({hinted} card|one of them|hinted one)", "the (rightmost|last|newest|right-most) of (them|those|these)",
                "the {hinted} card (furthest|farthest|most) (to the |)right", "{its} rightmost card",
                "~whichever {hinted} card is (rightmost|newest)",
            ),
            "unhinted": (
                "(a card|something|one|any card) that (was|is) not {hinted}", "one of {ap} other cards", "something (else|) the {H} (did not|didn't) (touch|cover|name|point at)", "a card other than the {hinted} ones", "(some|any) card (outside|not part of) the {H}", "one of the (other|remaining|untouched|unhinted) cards",
                "a card (that|) the (hint|clue) (did not touch|does not name|left out)", "an (unhinted|untouched) card",
                "(a|any|one) card that was(n't| not) {hinted}", "one of the cards that were not {hinted}", "any other card",
                "~a card left out by the (hint|clue)",
            ),
        }.get(cards, ("{place}",)),
        hinted=w.say(HINTED),
        H=w.say(HINT),
        its="the hint's" if w.voice.actor_third else "its",
        place="" if cards in BY_HINT else position(w, cards, w.voice.ap, bare=bare),
    )  # fmt: skip


def _hint(w: Writer, do: Do) -> str:
    slots = {"H": w.say(HINT), "K": w.say(KIND.get(do.action, "")), "to": w.say("(||to {po}|for {po}|back)")}
    if do.action == "hint_playable":
        return w.say(
            ("(hint|clue|point out|indicate) (a playable card|something playable|a card that (can|could) be played (now|right away|))",
             "give a {H} (about|on) a playable card", "tell {po} about a (playable card|card that {they} can play)",
             "hint a card that is ready to play", "~make sure the {H} touches a playable card"), **slots)  # fmt: skip
    if do.color:
        return w.say(
            ("hint (the color |){V} {to}", "clue {V} {to}", "give (a|the) {V} {H} {to}", "tell {po} (about|which are) {pp} {V} cards",
             "tell {po} which (of {pp} |)cards are {V}", "use a {V} {H}", "point out {pp} {V} cards", "~name {V} as the color"),
            V=do.color, **slots)  # fmt: skip
    if do.rank:
        return w.say(
            ("hint (the rank |the number |rank |){V} {to}", "hint {Vs} {to}", "clue {Vs} {to}", "give (a|the) {V} {H} {to}",
             "tell {po} about {pp} {Vs}", "tell {po} which (of {pp} |)cards are {Vs}", "point out {pp} {Vs}",
             "~name {V} as the rank"),
            V=w.say(NUMBER_WORDS[do.rank]), Vs=w.say(PLURALS[do.rank]), **slots)  # fmt: skip
    return w.say(
        ("hint (a|any|some|) {K} {to}", "hint {K} {to}", "give (a|any|some kind of) {K} {H} {to}", "give (a|) {K} {H} {to}",
         "tell {po} (a|some|about a|something about) {K}", "clue {K} {to}", "(use|make|choose|go for|pick) a {K} {H}",
         "hint {po} (a|about a|about) {K}", "hint by {K}", "give {po} a {K} {H}", "say a {K}", "hint {K}s {to}",
         "inform {po} (about|of) (a|some|the) {K}", "tell {po} the {K} of (a card|something|some cards)",
         "(reveal|name|mention|indicate|show) a {K} {to}", "stick to {K} {Hs}", "(tell|give) {po} {K} info", "(call|call out|signal|announce|share|state|declare) a {K}", "{H} {po} on {K}", "(go|answer) with a {K} {H}", "(provide|issue|drop) a {K} {H}", "{H} {pp} {K}s", "let the {H} be (a|about) {K}", "(point at|single out|point out) cards by {K}", "do a {K} {H}", "(describe|identify) (some of {pp} |)cards by {K}", "give {po} (some|) {K} information",
         "tell {po} something about the {K}s of {pp} cards", "~let {po} know (a|some) {K}", "~offer (a|some) {K} {H}",
         "~send a {K} {H} {to}"), Hs=w.say(HINTS), **slots)  # fmt: skip


def any_hint(w: Writer) -> str:
    """Say that any hint is given, of either kind."""
    return w.say(
        ("(drop|offer|provide|issue|throw in) (a|some|any) {H}", "(hint|clue) whatever {a} @like", "hint either (color or rank|rank or color)", "let {po} know something about {pp} hand", "give {po} (information|info)", "hint (something|anything|)", "give (a|any|some) {H}", "give {po} (a|any|some) {H}", "hint", "hint (a color or a rank|color or rank|rank or color)",
         "give (a color or a rank|either kind of) {H}", "tell {po} (something|anything) about {pp} cards", "clue (something|anything)",
         "use a {H} (of either kind|)", "make a {H}", "give whatever {H} (is available|{a} @like)", "hint back", "~spend a {H}"),
        H=w.say(HINT))  # fmt: skip
