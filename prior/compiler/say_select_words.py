"""How Say-Select is spoken of: numbers heard as clauses and nouns, picks as verb phrases. See writer."""

from prior.compiler import sentences as s
from prior.compiler.sentences import Answer
from prior.compiler.writer import Writer
from schemas.say_select import Pick, Said, Selection

NUMBERS = ("(1|one)", "(2|two)", "(3|three)", "(4|four)", "(5|five)")
SELECT = ("select", "name", "get", "answer with", "lock in", "click on", "choose", "respond with", "press", "select", "pick", "pick", "choose", "choose", "take", "go for", "grab", "play", "pick out", "opt for", "go with", "~settle on",
           "~click")  # fmt: skip
_THEIR = (
    "(the number|the ball|the value|what) (that was |)(announced|called out|mentioned|stated|heard)", "{pp} (last |)(number|call|announcement|guess|pick|value|word)", "the (heard|announced|given|called) (number|value|ball)", "the number from {po}", "the number {they} (told|gave|sent) {ao}", "the number {p} (#tell|#give|#send) {ao}", "the number {a} @be (told|given)",
    "{p}'s number", "{p}'s number", "the number (that|) {p} (#say|said|#name|#call|#announce)", "the (number|one) {they} said", "what {p} (#say|said)", "whatever {p} (#say|said)", "{pp} number",
    "the number {a} @hear", "the (last|) number (said|called|named|announced)", "what was (said|called|named)", "{pp} (choice|call|pick|word)", "the ball {p} (#name|#mention)", "~the number spoken",
)  # fmt: skip
_MINE = (
    "my number",
    "the number (that|) I (say|said|call|name)",
    "what I (say|said|tell you)",
    "whatever I (say|call|name)",
    "the one I (say|name|mention)",
    "mine",
)
_SAME = (
    "(take|trust|accept|use) {their} as it is", "{v} whichever (number|ball|one) {p} (#say|#name|#call|#mention)", "stick (to|with) {their}", "(listen to|trust) {po} and {v} {their}", "be {pp} (echo|copy|shadow|copycat)", "(repeat|copy|reproduce|duplicate|return) {their}", "agree with {their}",
    "{v} the same", "say {their} (back|again|as well|too)", "{v} {their} (too|as well|also|likewise)", "{v} (exactly|precisely) (the|that) (number|ball) {p} (#say|said|#call)", "{v} the (number|ball) {p} #tell {ao}", "{v} what {a} (@hear|@be told)",
    "{v} the same (number|ball|one|thing) (as {p}|that {p} (#say|said|#name)|)", "{v} {their}", "{v} (exactly|) {their}", "copy {po}", "repeat {their}", "follow {po}", "match {their}", "do (exactly|just|) (what|as) {p} #say",
    "echo {po}", "imitate {po}", "{v} the (very|) (number|ball) that (was|is) (said|named|called)", "{v} the (identical|matching) (number|ball)", "{v} the ball with {their}", "obey {po}", "use {their}", "go along with {po}", "agree with {po}", "~parrot {po}", "~take {po} at {pp} word",
)  # fmt: skip
_SHIFT = (
    "{v} {their} + {k}", "{v} {their} (increased|raised) by {k}", "{v} {k} (higher|greater|more|larger) than {their}", "{v} the (number|ball) that is {k} (above|after|past|beyond) {their}", "(move|jump|step|climb|shift) {k} (up|higher|upwards) from {their}", "put {k} on top of {their}", "make it {k} (higher|more|bigger)", "(tack|throw) {k} onto {their}", "{v} {their} and {k} more", "overshoot {their} by {k}", "exceed {their} by {k}",
    "{v} (the number that is|the ball that is|the number|) {k} (higher|more|greater|larger|bigger) than {their}", "{v} a (number|ball) that is {k} (higher|greater|larger)", "add {k} to {their}", "{v} {their} plus {k}",
    "{v} {k} more than {p} (#say|said)", "{v} {k} above {their}", "go {k} (up|higher) from {their}", "increase {their} by {k}", "{v} {k} higher", "put {k} on top", "raise {their} by {k}", "count {k} up from {their}", "~bump {their} up by {k}",
)  # fmt: skip
_DOWN = (
    "{v} {their} - {k}", "{v} {their} (decreased|lowered|reduced) by {k}", "{v} {k} (lower|smaller|less) than {their}", "{v} the (number|ball) that is {k} (below|before|under) {their}", "(move|jump|step|drop|shift) {k} (down|lower|downwards) from {their}", "make it {k} (lower|less|smaller)", "lower {their} by {k}", "{v} {their} less {k}", "undershoot {their} by {k}", "deduct {k} from {their}", "drop {k} from {their}",
    "{v} (the number that is|the ball that is|the number|) {k} (lower|less|smaller) than {their}", "{v} a (number|ball) that is {k} (lower|smaller)", "subtract {k} from {their}", "{v} {their} minus {k}",
    "{v} {k} less than {p} (#say|said)", "{v} {k} below {their}", "go {k} (down|lower) from {their}", "decrease {their} by {k}", "{v} {k} lower", "go {k} down", "take {k} off {their}", "reduce {their} by {k}", "count {k} down from {their}", "~knock {k} off {their}",
)  # fmt: skip
_PHRASES: dict[str, tuple[str, ...]] = {
    "same": _SAME,
    "opposite": (
        "{v} (6|six) - {their}", "count from the other end", "{v} the (number|ball) that (adds up to|makes|gives|sums to) (6|six) (with|together with) {their}", "{v} the mirrored (number|ball|one)", "{v} {their} mirrored", "{v} the (inverse|flipped number|flip side|counterpart at the other end)", "{v} the number that mirrors {their}",
        "{v} the opposite (number|ball|) (of {their}|)", "{v} the opposite of {their}", "mirror {their} (around 3|)", "do the opposite of {their}", "{v} (six|6) minus {their}",
        "{v} the number (at|on) the (other|opposite) (end|side)", "{v} the (reverse|mirror image|mirrored number) (of {their}|)", "invert {their}", "subtract {their} from 6", "{v} the contrary of {their}", "flip {their} around", "~{v} the complement to six",
    ),
    "higher": (
        "{v} (something|anything|a number|any number) that (beats|tops|exceeds|is above|is over) {their}", "(top|beat|surpass|overbid|go beyond) {their}", "{v} (one|any) of the (higher|larger|bigger) (numbers|balls)", "{v} upwards of {their}", "go above {their}", "{v} something (bigger|greater|larger)", "aim above {their}",
        "{v} (a number|any number|some ball|anything|something) (higher|bigger|greater|larger) than {their}", "{v} (something|anything) (above|over) {their}", "{v} (any|a) (higher|larger|bigger|greater) (number|ball)", "{v} (something|anything) higher", "exceed {their}", "go higher (than {po}|)", "{v} (a|any) number above {their}", "~outbid {po}",
    ),
    "lower": (
        "{v} (something|anything|a number|any number) that is (below|under|smaller than|less than) {their}", "(underbid|go beneath|go under|keep below|stay beneath) {their}", "{v} (one|any) of the (lower|smaller) (numbers|balls)", "go below {their}", "{v} something (smaller|less)", "aim below {their}",
        "{v} (a number|any number|some ball|anything|something) (lower|smaller) than {their}", "{v} (something|anything) (below|under) {their}", "{v} (any|a) (lower|smaller) (number|ball)", "{v} (something|anything) (lower|smaller)", "stay (under|below) {their}", "go lower (than {po}|)", "{v} (a|any) number below {their}", "~undercut {po}",
    ),
    "any": ("{v} (any|whichever|whatever) (number|ball) {a} @like", "{v} (one of the five|any of the (balls|numbers))", "{v} (no matter which|whichever) (number|ball)", "{v} any (number|ball)", "{v} (a|some|any) (random|) (number|ball)", "{v} (any|whatever|whichever) (number|ball) {a} @like", "{v} one of the (balls|numbers)", "keep (selecting|picking) (balls|numbers)", "~{v} a ball, any ball"),
    "quit": ("quit (right there|here|)", "(drop|opt|back|cash) out", "(abort|close|exit|abandon) the game", "call off the game", "hit quit", "(choose|select|press|pick) quit", "stop right there", "put an end to (it|the game)", "bail out", "stop selecting", "be out", "leave the table", "quit", "quit", "quit (the game|)", "stop (playing|the game|)", "end the game", "end (it|things)", "leave (the game|)", "finish the game", "give up", "exit", "walk away", "be done", "terminate the game", "~bow out", "~call it a day"),
}  # fmt: skip
_NEXT_UP = (
    "{v} the next (higher |bigger |larger |)(number|ball|one) (up|) (from|after) {their}",
    "{v} the next (higher|bigger|larger) (number|ball|one)",
    "{v} the next (number|ball|one) (up|after it|after that)",
    "{v} the number (right |just |)(after|above) {their}",
    "{v} the successor of {their}",
    "go one (up|higher)",
    "add (1|one)",
    "~{v} the number that follows {their}",
)
_NEXT_DOWN = (
    "{v} the next (lower|smaller) (number|ball|one) (than {their}|)",
    "{v} the (number|ball|one) that precedes {their}",
    "{v} the number (right |just |)(before|below) {their}",
    "{v} the next (number|ball|one) down (from {their}|)",
    "{v} the predecessor of {their}",
    "go one (down|lower)",
    "subtract (1|one)",
    "~{v} the number just under it",
)
EQUAL = (  # said of numbers, not of what to do
    "{pp} (number|choice|pick|ball|call) (is|=|becomes|equals) {ap} (number|choice|pick|ball)",
    "{ap} (number|pick|ball) (=|:=|is) {pp} (number|call)",
    "{pp} number, {ap} number",
    "what(ever|) {p} (#say|#call) (goes|is what {a} @take|is what {a} @pick)",
    "same (number|ball|one)( as {p}|), (always|please|every time|ok?)",
    "(1 on 1, 2 on 2|1 for 1, 2 for 2|1 -> 1, 2 -> 2), (and so on|etc.|and so forth)",
    "no (change|difference) between {their} and {ap} number",
    "{their} is (the one|the ball|the number) (to take|to pick|{a} (should|must|) {v}|for {ao}|{a} want)",
    "{their} is {ap} (number|choice|pick|ball) too",
    "{their} is {ap} (number|choice|pick|ball)",
    "{ap} (number|ball|pick|choice) (is|should be|must be|equals) {their}",
    "{ap} (number|choice) (is|should be|must be) the same as {their}",
    "the ball {p} #name is the one {a} @{v}",
    "both (of us|) (say|pick|have) the same number",
    "{ap} pick equals {pp} call",
    "~{their} determines {ap} ball",
)
_FIXED = (
    "{v} {n}",
    "{v} {n}",
    "{v} (number|ball|the number|the ball|ball number) {n}",
    "{v} (the |)(ball|number) {n}",
    "say {n}",
    "stick (to|with) {n}",
    "make it {n}",
    "{v} nothing (but|except|other than) {n}",
    "settle for {n}",
    "~plump for {n}",
)
_ALONE = {  # where no condition or other pick stands beside it
    "same": ("{v} {their}, (unchanged|nothing more, nothing less|no more and no less|full stop|that's it)",),
    "opposite": (
        "(mirror|reflect|reverse|turn around|swap over) the scale: (5 for 1|1 becomes 5), (4 for 2|2 becomes 4) and so on",
        "count from the other end: 1 is 5, 2 is 4",
        "{v} the number that mirrors {their} (1-5, 2-4, 3-3)",
        "turn 1 into 5, 5 into 1, 2 into 4, 4 into 2, and leave 3 as it is",
        "mirror {their} (so that 1 becomes 5|, 5 for 1 and 4 for 2)",
        "{v} (5 for 1, 4 for 2 and so on|5 when it is 1, 4 when it is 2, and so on)",
    ),
    "number": (
        "{v} {n}, (whatever the number|nothing else|no other)",
        "{v} {n}, {n} and (only|again) {n}",
        "{v} {n} (forever|regardless|throughout|without exception|each and every time|from start to end)",
        "{v} {n} and ignore (the number|{their}|{po}|what {p} #say)",
        "keep (selecting|picking|choosing|taking|to) {n}",
        "{v} {n} (regardless of|independent of|irrespective of) {their}",
    ),
}


def their(w: Writer) -> str:
    """Name the number that my partner said."""
    return w.say(_MINE if w.voice.p == "I" and w.chance(0.6) else _THEIR)


def pick(w: Writer, what: Pick, *, negative: bool = False, alone: bool = False) -> str:
    """Say a pick as a verb phrase; `alone`: it is all that the text asks for."""
    slots = {"v": w.pick(SELECT), "their": their(w)}
    if what.action == "number" and what.number:
        options = _FIXED[:4] if negative else _FIXED + (_ALONE["number"] if alone else ())
        return w.say(options, n=w.say(NUMBERS[what.number - 1]), **slots)
    if what.by in (1, -1) and w.chance(0.25):
        up = what.by == 1
        return w.say(_NEXT_UP if up else _NEXT_DOWN, **slots)
    if what.by:
        return w.say(_SHIFT if what.by > 0 else _DOWN, k=w.say(NUMBERS[abs(what.by) - 1]), **slots)
    action = "any" if what.action == "number" else what.action
    return w.say(_PHRASES[action] + (_ALONE.get(action, ()) if alone else ()), **slots)


_CLAUSES = (
    "{p} (#announce|#state|#shout|#come up with|#go with|#pick|#select) {n}", "{n} (comes up|comes|is mentioned|is announced|is heard|was the call|was the number)", "the (call|message|word|announcement) (is|was) {n}", "(what|the number) {a} @hear is {n}", "{a} @be told {n}", "{a} @get {n}", "{p} (just|) (gave|told) {ao} {n}",
    "{p} (#say|#say|#call|#name|#announce|#tell {ao}|#mention|#choose|~#utter) {n}", "{p} (said|called|named|announced) {n}", "{a} @hear {n}", "the number is {n}", "it is {n}", "{p}'s number is {n}", "{pp} number is {n}", "(the number said|what {p} #say) is {n}", "(|a ){n} is (said|called|named|announced)", "{p} #give {ao} {n}",
)  # fmt: skip
_NOUNS = ("{n}", "a {n}", "number {n}", "(hearing|a call of) {n}", "{n} from {po}", "(getting|the number) {n}")
CLASSES = {
    (1, 3, 5): "(an odd number|something odd|any odd number|1, 3 or 5)", (2, 4): "(an even number|something even|any even number|2 or 4)",
    (4, 5): "(a high number|a number above 3|4 or 5|a number of at least 4|something higher than 3|4 or more)", (1, 2): "(a low number|a number below 3|1 or 2|something under 3|at most 2|2 or less|a number less than 3)",
    (3, 4, 5): "(a number of at least 3|3 or more|3 or higher|3, 4 or 5|something above 2|more than 2|a number greater than 2)", (1, 2, 3): "(at most 3|3 or less|3 or lower|1, 2 or 3|a number up to 3|something below 4|a number smaller than 4)",
    (2, 3, 4, 5): "(anything but 1|a number above 1|more than 1|something other than 1|2 or more)", (1, 2, 3, 4): "(anything but 5|a number below 5|less than 5|something other than 5|4 or less)", (1, 2, 4, 5): "(anything but 3|any number except 3|something other than 3)",
}  # fmt: skip
_REPEATED = (
    "{p} (#say|#call) (it|a number) twice in a row", "{pp} number is the same as (last time|the one before)", "two (equal|identical) (numbers|calls) come in a row", "{p} #repeat (what was said just before|the last number)", "the (call|number) stays the same", "{a} @hear one number two times running",
    "{p} (#say|#repeat|#call) the same number (twice|again|two times|a second time) (in a row|)", "{p} #repeat (a number|{their}|the number|)", "the (same|) number (is|gets) repeated", "{a} @hear the same number (twice|again)", "the (number|call) is the same as (before|last time|the previous one)",
    "a number (comes|is said|is called) (twice|a second time|again)", "{p} (said|named) a number twice", "the number does not change", "{p} (#say|said) what {they} said (right before|last time)", "~{p} #harp on the same number",
)  # fmt: skip
_REPEATED_NOUNS = (
    "a repeat",
    "a repeated number",
    "the same number twice (in a row|)",
    "a repetition",
    "hearing (a number twice|the same number again)",
)


def said(w: Writer, when: Said, noun: bool) -> str:
    """Say what my partner said, as a clause or as a noun."""
    if when.repeated and len(when.numbers) == 5:
        return w.say(_REPEATED_NOUNS if noun else _REPEATED, their=their(w))
    if when.numbers in CLASSES and w.chance(0.8):
        n = w.say(CLASSES[when.numbers])
    else:
        parts = [w.say(NUMBERS[k - 1]) for k in when.numbers]
        n = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} or {parts[-1]}"
    if when.repeated:
        return (
            w.say(("{p} (#say|#call) {n} (twice|again|two times) (in a row|)", "{n} (is|gets) repeated"), n=n)
            if not noun
            else w.say("(a second {k}|{k} twice) in a row", k=str(when.numbers[0]))
        )
    if noun and " " in n:
        return n
    return w.say(_NOUNS if noun else _CLAUSES, n=n).replace("a a ", "a ").replace("a an ", "an ").replace("a an", "an")


def answer(part: Selection, *, alone: bool = False) -> Answer:
    """Put the words to a selection; `alone`: it is all that the text asks for."""
    alone = alone and len(part.then) == 1 and not part.never
    then: list[s.Say] = [lambda w, x=x: pick(w, x, alone=alone) for x in part.then]  # type: ignore[misc]
    never: list[s.Say] = [lambda w, x=x: pick(w, x, negative=True) for x in part.never]  # type: ignore[misc]
    if part.never == (Pick(action="same"),) and not part.then:
        return Answer((), tuple(never))
    return Answer(tuple(then), tuple(never), part.alternate)
