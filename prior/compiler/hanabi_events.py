"""How events of Hanabi are spoken of: as clauses and as nouns. See writer for the templates."""

from prior.compiler.hanabi_words import HINT, HINTS, KIND, NUMBER_WORDS, PLAY, PLURALS, THROW, position
from prior.compiler.writer import Writer, gerund
from schemas.convention import When

_HINT_CLAUSES = (
    "{p} (#signal|#state|#share|#declare|#call out|#call|#specify|#identify) (a|the) {K} (of {cards}|)",
    "{p} (#single|#pick) out {cards} by {K}",
    "{p} (#hand|#send|#offer|#drop|#provide) {ao} (a|some) {K} (info|information|{H})",
    "{p} #describe {cards} by {K}",
    "{ap} cards are (described|identified|clued|hinted|named) by {K}",
    "{a} @get (some|) {K} (info|information)",
    "{p} #cue (a|) {K}",
    "what {p} #give is a {K} {H}",
    "{p} #talk (to {ao} |)about (a {K}|{K}s)",
    "{p} (#mark|#touch) {cards} by {K}",
    "{a} @have (just |)(been given|received|been told|heard|gotten) a {K}( {H}|)",
    "some of {ap} cards (are|were|have been) (hinted|named|clued|touched) by {K}",
    "the {K} of {cards} (is|was|has been|gets) (named|told|hinted|revealed|pointed out|given away)",
    "{p} #say (what|which) {K} {ap} cards have",
    "it (is|was) a {K} {H}",
    "a {H} (of|by) {K} (comes|came|comes in|is given)",
    "{p} #go for {K}",
    "{p} #tell {ao} (the|a|about the|about a) {K} (of|on) {cards}",
    "{p} #tell {ao} (a|the|about a|something about) {K}",
    "{p} #give {ao} a {K} {H}",
    "{p} #give {ao} a {H} (about|on|of) (|the |a ){K}",
    "{p} #hint (|a |the |at a ){K} (to {ao}|)",
    "{p} (#hint|#clue) {ao} (about a|a|with a|on) {K}",
    "{p} (#reveal|#name|#indicate|#mention|#announce|#show {ao}|#point out|#say|~#disclose|~#communicate) (the|a) {K} (of {cards}|)",
    "{p} #use a {K} {H}",
    "{p} #hint {cards} (by|with a) {K}",
    "{p} (told|#have told) {ao} (the|a) {K} (of {cards}|)",
    "{p} (gave|#have given|just gave) {ao} a {K} {H}",
    "{p} (just|) (hinted|clued) (a|) {K}",
    "{p} (#point|#refer) to {cards} by {K}",
    "{a} (@get|@receive|@be given|~@am handed) a {K} {H}",
    "{a} @be told (a|the|about a) {K} (of {cards}|)",
    "{a} @hear (a|about a|the) {K} (from {po}|)",
    "{a} @learn (a|the) {K} (of {cards}|)",
    "there (is|was|has been) a {K} {H} (for {ao}|to {ao}|about {cards}|)",
    "(a|the) {K} {H} (comes|arrives|comes in|is given|was given|has been given|~turns up) (from {po}|)",
    "the (last|previous|latest) move was a {K} {H}",
    "the {H} is (about|on|for) (a |the |){K}",
    "{cards} (get|got) (hinted|clued) by {K}",
    "{ap} cards (get|receive|got) a {K} {H}",
    "(a|the) {K} (is|was|gets) (hinted|clued|mentioned|told|given|revealed)",
    "~{p} #let {ao} know (a|the) {K} (of {cards}|)",
    "~{p}'s move is a {K} {H}",
    "~{a} @find out (a|the) {K} from {po}",
    "~{p} #inform {ao} of (a|the) {K}",
)
_HINT_NOUNS = (
    "{K} info", "a {K} cue", "a {H} (by|with a|that names a|that is about|telling a) {K}", "{p}'s {K} {H}", "{K} {Hs}", "(the|this) {K} {H}", "being (hinted|clued) (by|about a|on) {K}", "cards (hinted|clued|named) by {K}", "(a|any) {H} naming a {K}",
    "a {K} {H}", "a {K} {H}", "a {H} (about|on|of) {K}", "{K} {Hs}", "(being|getting) told (a|the) {K}",
    "any {K} {H}", "(getting|receiving) a {K} {H}", "a {K} {H} (from {po}|to {ao}|about {cards})",
    "{Hs} about {K}", "{po} telling {ao} a {K}", "every {K} {H}", "{K}", "{K}s", "(a|any) {K}", "(hearing|getting) a {K}", "~{K} information", "~each {K} {H}",
)  # fmt: skip
_ANY_CLAUSES = (
    "{p} #point (something|cards|{cards}) out to {ao}", "{p} #give {ao} (some|any) (info|information)( about {ap} hand|)", "{ap} hand (is|gets|was) (hinted|clued|touched by a {H})", "{p} (#drop|#offer|#provide|#issue) (a|any) {H}", "a {H} (was|is|has been) (made|given) (to {ao}|)", "{p} #hint, (color or rank|whichever|no matter what|either kind)", "{a} @have been (hinted|clued|given a {H})",
    "{p} #give {ao} a {H}", "{p} #give {ao} any (kind of|sort of|) {H}", "{p} #hint (something|anything|to {ao}|{ao})",
    "{p} #clue {cards}", "{p} (#tell|#say) (|{ao} )(something|anything) about {cards}", "{a} (@get|@receive) a {H}",
    "{a} @get a {H} (of any kind|of either kind|, whatever it is about)", "{p} (just|) hinted (something|)",
    "{a} @be (hinted|given a {H})", "there (is|was) a {H} (for {ao}|)", "{p} #hint {cards}",
    "{p} #hint a color or a rank", "{p} #tell {ao} the (color or the rank|color or number|rank or color) of {cards}",
    "(any|a) {H} (comes|comes in|is given|arrives)", "{p} (#point|pointed) at {cards} (with a {H}|)",
    "{a} @hear a {H}, (color or rank|no matter which kind|of either type)", "{p} gave {ao} a {H}",
    "~{p} #clue {ao} in", "~{p} #spend a {H} on {ao}",
)  # fmt: skip
_ANY_NOUNS = ("a {H}", "(whatever|whichever|no matter which) {H}", "a {H}, (color or rank|of whichever kind|any kind)", "a {H} (for|about) {ap} (cards|hand)", "information (about|on) {ap} cards", "any {H}", "a {H} (of any kind|of either kind|from {po}|to {ao})", "{Hs}", "a color or rank {H}",
              "any (kind|type|sort) of {H}", "(getting|receiving) a {H}", "either kind of {H}",
              "being hinted", "every {H}", "~each {H}")  # fmt: skip
_COLOR_CLAUSES = (
    "{p} #hint {V}", "{p} (#clue|#give|#say|#call|#hint) {V}", "{p} #tell {ao} (which|that some) (|of {ap} )cards are {V}",
    "{p} #tell {ao} (that|) (a card|something) (in {ap} hand|) is {V}", "{p} #give {ao} a {V} {H}",
    "{p} #hint the color {V}", "{a} @get a {V} {H}", "{a} @be told {V}", "{a} @be told (about|of) {V} cards",
    "the hinted color is {V}", "the (color|hint|clue) is {V}", "{p} #tell {ao} about {ap} {V} cards",
    "{p} #point out {ap} {V} cards", "~{p} #name {V} as the color",
)  # fmt: skip
_COLOR_NOUNS = ("a {V} {H}", "{V} {Hs}", "a {H} about {V} cards", "the color {V}", "a {H} of {V}", "any {V} {H}", "{V}")
_RANK_CLAUSES = (
    "{p} #hint {Vs}", "{p} #hint (the (rank|number) |){V}", "{p} (#clue|#give|#call) {Vs}", "{p} #say {V}",
    "{p} #tell {ao} (which|that some) (|of {ap} )cards are {Vs}", "{p} #tell {ao} (that|) a card is a {V}",
    "{p} #give {ao} a {V} {H}", "{p} #give a rank {V} {H}", "{a} @get a {V} {H}", "{a} @be told (about |){Vs}",
    "the hinted (rank|number) is {V}", "the (rank|number) is {V}", "{p} #tell {ao} about {ap} {Vs}",
    "{p} #point out {ap} {Vs}", "~{p} #name {V} as the rank",
)  # fmt: skip
_RANK_NOUNS = ("a {V} {H}", "a rank {V} {H}", "{Hs} about {Vs}", "a {H} (about|on) {Vs}", "the (rank|number) {V}",
               "a number {V} {H}", "{Hs} of {Vs}")  # fmt: skip
_DETAIL_CLAUSES = (
    "{p} #give {ao} {hint} (about|that touches|touching|on|that names|for) {N}", "{hint} (touches|names|is about|covers|marks|points at) {N}",
    "{a} @get {hint} (about|on|touching|that touches|for) {N}", "{p} #touch {N} with {hint}",
    "{p}'s {tip} (touches|names|is about) {N}", "~{N} (gets|get) touched by {hint}",
)  # fmt: skip
_DETAIL_NOUNS = ("{hint} (about|on|touching|that touches|of|naming|for) {N}", "~{hint} concerning {N}")
_TOLD = ("{p} #tell {ao} the {K} of {N}", "{p} (#reveal|#hint) the {K} of {N}", "{a} @learn the {K} of {N}")
_NOTHING = (
    "{a} @be the first to move", "the game is (fresh|just starting|at its very beginning)", "{a} @open the game", "there has been no move (yet|so far|before)", "{a} @have the (first|opening) turn", "it all begins",
    "nothing has happened (yet|so far)", "it is (the first|the very first|{ap} first) (turn|move) (of the game|)", "nobody has moved yet",
    "{p} #have not moved yet", "the game (starts|begins|has just begun)", "{a} @go first", "{a} @make the (first|opening) move",
    "{a} @start the game", "no move has been made (yet|)", "~there is no previous move",
)  # fmt: skip
_NOTHING_NOUNS = (
    "the start of the game",
    "the (beginning|opening) (of the game|)",
    "the (start|beginning) of (a|every|the) game",
)
_PARTNER_DISCARDS = (
    "{p} (#junk|#sacrifice|#ditch|#remove|#let go of) {X}", "{p} (#decide|#choose) to discard {X}", "a discard of {X} (by {po} |)happens", "{p} (threw|tossed|dumped|ditched) {X}", "{X} (lands|ends up|goes) (in|into|on) the (discard pile|trash)", "what {p} (did|#do) is discard {X}",
    "{p} #discard {X}", "{p} (just|) discarded {X}", "{p} (#throw|threw) {X} away", "{p} #get rid of {X}", "{p} (#toss|#dump) {X}",
    "{X} (gets|was) (discarded|thrown away) by {po}", "{p} #have discarded {X}", "{p}'s (last|) move (was|is) discarding {X}",
    "~{p} #bin {X}",
)  # fmt: skip
_PARTNER_PLAYS = (
    "{p} #lay {X} out", "{p} (#decide|#choose) to play {X}", "{p} put {X} (down|out)", "what {p} (did|#do) is play {X}", "{X} (goes|went) (on the table|onto a stack|to the fireworks)", 
    "{p} #play {X}", "{p} (just|) played {X}", "{p} #put {X} (down|on the table)", "{X} (gets|was) played by {po}",
    "{p} #have played {X}", "{p}'s (last|) move (was|is) playing {X}", "~{p} #lay {X} down",
)  # fmt: skip


def counted(w: Writer, when: When) -> str:
    """Say how many cards a hint names."""
    n, m = when.fewest, when.most
    noun = "(card|of {ap} cards)" if (m or n) == 1 else "(cards|of {ap} cards)"
    number = {k: f"({v[1:-1]})" for k, v in NUMBER_WORDS.items()}
    if m == n:
        options = ["exactly {n} {noun}", "just {n} {noun}", "only {n} {noun}", "precisely {n} {noun}"]
        if n == 1:
            options += ["a single card", "one single card", "only one card", "one card only"]
        if n == 5:
            options += ["all of {ap} cards", "{ap} (whole|entire) hand", "all five cards"]
    elif m is None:
        options = ["at least {n} {noun}", "{n} or more {noun}", "no fewer than {n} {noun}", "more than {less} {noun}"]
        if n == 2:
            options += ["several cards", "multiple cards", "more than one card", "several of {ap} cards"]
    else:
        options = ["at most {n} {noun}", "no more than {n} {noun}", "up to {n} {noun}", "fewer than {more} {noun}"]
    k = n if m in (None, n) else m
    pool = {"n": number[k], "less": number.get(k - 1, "zero"), "more": number.get(k + 1, "six")}
    text = w.pick(options)
    for key, value in pool.items():
        text = text.replace("{" + key + "}", value)
    return w.say(text.replace("{noun}", noun))


_DONE = {"play": "played", "discard": "(discarded|thrown away|binned|trashed)"}
_CARDS_OF = (  # rules whose cards tell the event: play cards hinted by color
    "{v} (the |any |all |all the |every |)(card|cards) (that are |that were |I get |)(hinted|clued|named|told) by {K}", "{v} (the |any |)cards whose {K} (was|is|has been|was just|gets) (hinted|told|revealed|given|named)", "{v} {K}-(hinted|clued) cards",
    "{v} (the |any |)cards (of {ap} hand |)(that |){p} (#hint|#name|#point out|#clue) by {K}", "{v} what {p} (#hint|#name|#indicate|hinted) by {K}", "(the |)cards (hinted|clued|named) by {K} (are|should be|must be|get|will be|are to be|have to be) {done}", "{K} {Hs} (get|are|should be|are to be) {done}",
    "(anything|everything|whatever is|whatever {p} #name) (hinted|clued|touched) by {K} (is|should be|must be|gets|will be) {done}", "{v} after {K} {Hs}", "{v} (the |)cards that {K} {Hs} (touch|name|point at)", "(the |)cards {p} (#hint|#name|#clue) by {K} (are|should be|get|must be|are meant to be) {done}",
    "{v} (each|every|any) card (touched|named|hit) by a {K} {H}", "use {K} {Hs} (to {v} cards|for {ing} cards)", "{K} {Hs} are for {ing}", "{a} @{v0} (the |any |)cards hinted by {K}", "~cards with a {K} {H} ought to be {done}",
)  # fmt: skip
_CARDS_OF_ANY = (
    "{v} (the |any |all |every |)(hinted|clued|touched|named) (card|cards)", "(hinted|clued) cards (are|should be|must be|get|will be) {done}", "{v} (whatever|what|anything that) (is|gets|was) (hinted|clued)", "{v} (the |any |)cards (that |){p} (#hint|#name|#clue|#point at)",
    "(any|every|each) (hinted|clued|touched) card (is|should be|must be|gets) {done}", "{p}'s {Hs} (are|get|should be) {done}", "{Hs} are for {ing}", "~whatever {p} #hint ought to be {done}",
)  # fmt: skip


def cards_of(w: Writer, when: When, action: str) -> str:
    """Say a rule about hinted cards without a condition: cards hinted by color are played."""
    verb = w.pick(PLAY if action == "play" else THROW)
    options = _CARDS_OF_ANY if when.happened == "hint" else _CARDS_OF
    slots = {
        "K": w.say(KIND.get(when.happened, "")),
        "H": w.say(HINT),
        "Hs": w.say(HINTS),
        "done": w.say(_DONE[action]),
    }
    verb0 = verb if " " not in verb else action
    text = w.pick(options).replace("{v0}", verb0)
    return w.say(text, v=verb, ing=gerund(verb), **slots)


def event(w: Writer, when: When, noun: bool) -> str:
    """Say what happened, as a clause (my partner hints a color) or as a noun (a color hint)."""
    if when.happened == "nothing":
        return w.say(_NOTHING_NOUNS if noun else _NOTHING)
    if when.happened in ("discard", "play"):
        return _moved(w, when, noun)
    slots = {"H": w.say(HINT), "Hs": w.say(HINTS), "cards": w.say("(one of |any of |) {ap} (card|cards)")}
    slots["cards"] = w.say(
        "(a card from {ap} hand|one of {ap} cards|{ap} cards|cards in {ap} hand|one or more cards|a card)"
    )
    slots["K"] = w.say(KIND.get(when.happened, ""))
    if slots["K"] == "number":  # "the number of my cards" is how many
        slots["cards"] = w.say("(a card from {ap} hand|one of {ap} cards|a card)")
    clauses: tuple[str, ...]
    nouns: tuple[str, ...]
    if when.color or when.rank:
        clauses, nouns = (_COLOR_CLAUSES, _COLOR_NOUNS) if when.color else (_RANK_CLAUSES, _RANK_NOUNS)
        slots["V"] = when.color or w.say(NUMBER_WORDS[when.rank or 1])
        slots["Vs"] = w.say(PLURALS[when.rank or 1])
    elif when.happened == "hint":
        clauses, nouns = _ANY_CLAUSES, _ANY_NOUNS
    else:
        clauses, nouns = _HINT_CLAUSES, _HINT_NOUNS
    plain = when.fewest == 1 and when.most is None
    if plain and when.card is None:
        return w.say(nouns if noun else clauses, **slots)
    slots["N"] = counted(w, when) if when.card is None else position(w, when.card, w.voice.ap)
    if not plain and when.card is not None:
        slots["N"] = f"{counted(w, when)}, {position(w, when.card, w.voice.ap)} among them"
    value = slots.get("V") or slots["K"]
    slots["hint"] = w.say("(a|) {value} {H}" if value else "a {H}", value=value, **slots).removeprefix("a a")
    if not slots["hint"].startswith("a "):
        slots["hint"] = "a " + slots["hint"]
    slots["tip"] = slots["hint"].removeprefix("a ")
    if slots["K"] and "V" not in slots and not noun and w.chance(0.4):
        return w.say(_TOLD, **slots)
    return w.say(_DETAIL_NOUNS if noun else _DETAIL_CLAUSES, **slots)


def _moved(w: Writer, when: When, noun: bool) -> str:
    which = position(w, when.card, w.voice.pp) if when.card else w.say("(a card|a card|something|one of {pp} cards)")
    if when.happened == "discard":
        if noun and when.card is None:
            return w.say(
                "(a discard|a discard by {po}|any discard|{pp} throwing a card out|a card discarded by {po}|a discarded card|{po} discarding|discards|{po} throwing a card away|{pp} discard)"
            )
        return w.say("{po} discarding {X}" if noun else _PARTNER_DISCARDS, X=which)
    if noun and when.card is None:
        return w.say(
            "(a play|a play by {po}|any play|a card being played|a played card|{pp} play|{po} playing a card|plays|a card played by {po}|{po} playing)"
        )
    return w.say("{po} playing {X}" if noun else _PARTNER_PLAYS, X=which)
