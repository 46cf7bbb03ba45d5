"""From rules to sentences: conditions and answers in many frames and orders, with contrast, correction and ellipsis.

The frames know no game. A rule is an event, which can be said as a clause or as a noun, and an answer, said as a verb
phrase; `phrases` of a game say both.
"""

from collections.abc import Callable
from dataclasses import dataclass

from prior.compiler.writer import Writer, gerund, third_person

Say = Callable[[Writer], str]


@dataclass(frozen=True)
class Answer:
    """What to do, and what never: verb phrases, said anew each time."""

    then: tuple[Say, ...] = ()
    never: tuple[Say, ...] = ()
    turns: bool = False
    noun: Say | None = None  # for an ellipsis: "otherwise, a color hint"

    @property
    def negative(self) -> bool:
        """Whether it only forbids."""
        return not self.then

    def base(self, w: Writer) -> str:
        """Say it as a verb phrase: play them or discard your oldest card."""
        parts = [say(w) for say in (self.then or self.never)]
        if len(parts) > 1:
            verbs = [part.split()[0] for part in parts]
            if len(set(verbs)) == 1 and w.chance(0.5):
                parts = [parts[0], *(part.partition(" ")[2] or part for part in parts[1:])]
            if self.turns:
                turns = [p.removeprefix(verbs[0]).strip() or p for p in parts]
                return w.say(_TURNS, X=turns[0], Y=turns[1], V=verbs[0], first=parts[0], second=parts[1])
            joined = ", ".join(parts[:-1])
            text = (
                w.say("(either |){x} or {y}", x=joined, y=parts[-1])
                if not self.negative
                else f"{joined} or {parts[-1]}"
            )
        else:
            text = parts[0]
        if self.then and self.never:
            banned = " or ".join(say(w) for say in self.never)
            return w.say("{t}(,|) (but never|but do not|, but not|and never|but don't) {n}", t=text, n=banned)
        return text

    def clause(self, w: Writer) -> str:
        """Say it as a sentence without its stop: I should play them; never discard."""
        base = self.base(w)
        if self.negative:
            return w.say(_NEVER, x=base, ing=gerund(base))
        first, _, rest = base.partition(" ")
        plain = first not in ("either",) and " or " not in base
        agreed = f"{third_person(first)} {rest}" if w.voice.actor_third else base
        options = (
            list(_DO)
            + ([] if not plain else list(_DO_ING))
            + ([] if w.voice.actor_third and not plain else list(_DO_FINITE))
        )
        return w.say(options, x=base, ing=gerund(base), fin=agreed)

    def infinitive(self, w: Writer) -> str:
        """Say it with to: to play them; not to discard."""
        return ("(not|never) to " if self.negative else "to ") + self.base(w)

    def imperative(self, w: Writer) -> str:
        """Say it as an order."""
        base = self.base(w)
        return w.say(
            _NEVER[:4] if self.negative else ("{x}", "{x}", "{x}", "please {x}", "always {x}", "just {x}"),
            x=base,
            ing=gerund(base),
        )


_TURNS = (
    "alternate between {X} and {Y}", "{V} {X} and {Y} (in turn|alternately|by turns)", "switch (back and forth|) between {X} and {Y}",
    "{first} and {second} (in turn|alternately|by turns)", "take turns between {X} and {Y}", "{first} one time and {second} the next",
    "{first}, then {second}, then {X} again(, and so on|)", "go back and forth between {X} and {Y}", "~rotate between {X} and {Y}",
)  # fmt: skip
_NEVER = (
    "never {x}", "(do not|don't|do not|don't) (ever|) {x}", "avoid {ing}", "(refrain from|stay away from|steer clear of|~abstain from) {ing}",
    "{a} (must|should|may|can|will) (never|not) {x}", "{a} (must|should) not {x}", "{a} (must not|may not|shouldn't|mustn't|can't|won't) {x}",
    "{ing} is (forbidden|not allowed|off limits|out of the question|a mistake|never right)", "under no circumstances {x}",
    "no {ing}", "{a} @be not (allowed|supposed) to {x}", "(rule out|skip) {ing}", "anything (but|except) {ing} (is fine|is ok|will do|goes)",
    "~{ing} is (taboo|banned)",
)  # fmt: skip
_DO = (
    "{a} should {x}", "{a} should {x}", "{a} (must|will|may|can|ought to|shall|might|could) {x}",
    "{a} (should|must|will|can) (always|just|simply|immediately|then|) {x}", "{x}", "{x}", "please {x}", "(always|just|simply|then|go ahead and|be sure to|make sure to|try to) {x}",
    "the (right|best|correct|expected|agreed) (move|thing|response|reaction|answer) is to {x}", "it is (best|right|time) to {x}",
    "{a} @be (supposed|expected|allowed|free) to {x}", "{p} (#want|#expect) {ao} to {x}", "the (plan|idea|deal|agreement) is to {x}",
    "let's {x}", "~{a} would do well to {x}", "~by all means {x}",
)  # fmt: skip
_DO_ING = (
    "{a} (should|must|will) (respond|react|answer|reply) by {ing}", "{ing} is (right|best|what to do|the move|fine|expected|a must)", "(respond|react|answer|reply) by {ing}",
    "~{ing} is in order",
)  # fmt: skip
_DO_FINITE = ("{a} {fin}", "{a} (always|then|just|simply|) {fin}", "{a} {fin}")
_IF = "(If|If|If|When|When|Whenever|Once|As soon as|Every time|Each time|Any time|In case|~Provided|~Assuming)"
_if = "(if|if|when|whenever|as soon as|every time|in case|once|~provided|~assuming)"
_AFTER = "(After|After|On|Upon|Following|In response to|In reply to|Given|Right after|~In the wake of)"
_BOTH = (
    _IF + " {c}, {r}", _IF + " {c}, {r}", _IF + " {c}(,|) then {r}", _IF + " {c} {r}", "{r} " + _if + " {c}", "{r} " + _if + " {c}",
    "Suppose {c}(.|: then|, then) {r}", "In the (event|case) that {c}, {r}", "{c}? {r}", "{c}: {r}", "{c} -> {r}", "{c} => {r}", "{c}, so {r}",
    "(My|Our|The) (rule|convention|agreement|plan) (is|says) that " + _if + " {c}, {r}", "{r} in case {c}",
    "if {c} {r}", "{r} (each|every) time {c}", "~Say {c}. Then {r}",
)  # fmt: skip
_NOUN = (
    _AFTER + " {n}, {r}", _AFTER + " {n}, {r}", "{r} (after|after|on|upon|in response to|following|in reply to) {n}", "{n}: {i}", "{n} -> {i}", "{n} = {i}",
    "{n} - {i}", "{n} (means|is a signal|tells {ao}|is a sign|asks {ao}|is a request|wants {ao}|invites {ao}|is for {ao}) {inf}",
    "{n} (means|means that|says|says that) {a} should {base}", "In the (event|case) of {n}, {r}", "(Treat|Take|Read|See|Understand|Interpret) {n} as (an order|an invitation|a request|a signal|a command) {inf}",
    "The (answer|reply|reaction|response) to {n} is {inf}", "{n} calls for {ing}", "With {n}, {r}", "{n}, {i}", "{n}? {i}", "{n}; {i}", "For {n}(,|:) {i}",
    "{n} means {ing}", "{n} is for {ing}", "(For|On|At) {n}, {i}", "{n} leads to {ing}", "{n} is (answered|followed) by {ing}", "Answer {n} by {ing}", "In response to {n} {r}", "~Meet {n} by {ing}", "~{n} obliges {ao} {inf}",
)  # fmt: skip
_ELSE = (
    "(Otherwise|Otherwise|Otherwise|Else|If not|Failing that|Other than that|Apart from that|~In default of that), {r}", "(otherwise|else|or else|if not) {r}", "{r} otherwise",
    "In (all other cases|any other case|every other situation|other situations), {r}", "{r} in (all other cases|any other case|every other case|other situations)",
    "If (anything|something) else happens, {r}", "If {p} #do (anything|something) else, {r}", "(The rest of the time|Most other times|At all other times|For the rest), {r}",
    "(If none of this|When none of that|When nothing of the kind|Where no rule) (applies|happens|holds), {r}", "After (anything|everything|any move|all) else, {r}", "Everything else: {i}", "Else: {i}", "Anything else, {i}", "Otherwise: {i}",
    "When (that|this) (is not the case|does not happen|isn't so), {r}", "With no such (move|thing), {r}", "In the remaining cases {r}", "~Barring that, {r}", "~Whatever else {p} #do, {r}",
)  # fmt: skip
_ELSE_EXAMPLES = (
    "If (anything else|something different|any other thing) happens, (for instance|for example|say|like|such as|e.g.) {x}, (then |){r}", "In (other|all other) (cases|situations), (such as|like|for instance|e.g.|be it) {x}, {r}",
    "{r} (in other cases|otherwise|when it is something else), (like|such as|for example|say|for instance) {x}", "(After|On) (anything|any move) else - {x}, (for example|for instance|say|whatever) - {r}", "Whatever else {p} #do, (be it|whether it is|for example|even) {x}, {r}",
    "When {p} #do (another thing|anything different), (maybe|perhaps|for example|let's say) {x}, {r}", "Otherwise, (so|that is|for instance) after {x}, {r}", "~Barring that, notably after {x}, {r}",
)  # fmt: skip
_FIRST_ELSE = (
    ("(By default|Normally|Usually|Generally|In general|As a rule|Ordinarily), {r}.", "(But|However|Only|The exception:|Exception:) "),
    ("{r}.", "(The exception:|Except that|But|However,|One exception:|Only) "),
    ("{r}, ", "(but|except that|though|yet) "),
    ("My default is {inf}.", "(But|Though) "),
    ("~As a baseline, {r}.", "But "),
)  # fmt: skip
_UNLESS = (
    "Unless {c}, {r}", "{r} unless {c}", "{r}(,| always) except (when|if) {c}", "{r}, except after {n}", "{r} (except|but not) after {n}",
    "Always {i}, (except|but not) (when|if) {c}", "Without {n}, {r}", "~Save after {n}, {r}",
)  # fmt: skip
_UNLESS_THEN = (
    "Unless {c}, {r}. If (so|that happens|it happens|{c}), {r2}", "{r} unless {c}, in which case {r2}", "{r} unless {c}; then {r2}", "{r}, except after {n}: then {r2}",
    "{r} except (when|if) {c} (-|;|.|,) then {r2}", "Without {n}, {r}; with (it|one), {r2}", "{r}. Not so after {n}: {r2}",
)  # fmt: skip
_ONLY = ("{r} only (if|when) {c}", "only {b} (when|if) {c}", "{a} (may|can|should|must) {b} only (when|if) {c}", "{b} only after {n}", "only after {n} {a} may {b}",
         "{ing} is (allowed|fine) only (when|if) {c}", "never {b} unless {c}", "(don't|do not) {b} unless {c}", "(don't|do not) {b} except after {n}", "~{b} solely (when|if) {c}")  # fmt: skip
_REJECTED = (
    "(A lot of people|Many players|Some people|Most bots|Beginners|Others|My brother and his friends) {x}(, but|;) (we|I) (don't|do not): {r}", "Instead of {ing}, {r}", "{r} instead of {ing}", "{r} rather than {xb}", "Do not {xb}, {i}", "Don't {xb}; {i}",
    "Not {ing}: {r}", "{r}, (do not|don't) {xb}", "It may be tempting to {xb}, but {r}", "You might expect that {a} should {xb}. No: {r}",
    "(Forget|Never mind|Ignore) what (I|they|others) said about {ing}(: |. |; ){r}", "I used to {xb}. (Now|From now on|These days) {r}", "(Where|While) (others|most people) {xb}, {r}", "{i}, not {xb}", "Rather than {ing}, {r}",
    "Most {xb} here. {a} (should|must) not; {r}", "~Resist the urge to {xb}: {r}", "~Contrary to those who {xb}, {r}",
)  # fmt: skip
_CORRECTED = (
    "{wrong}. (No|Wait|Oops|Sorry|Hmm), (scratch|strike|ignore|forget|cancel) that(:|.|,) {right}", "{wrong}. (Actually|On second thought|No|Correction|I mean|Sorry|Rather)(,|:) {right}", "{wrong} - (no|sorry|wait), {right}", "{wrong}... (no wait|sorry|I meant|or rather)(,|:) {right}",
    "First I thought: {wrong}. But (it is better|now it is|I changed my mind): {right}", "{wrong}? No(!|.|,) {right}", "I said: {wrong}. I was wrong. {right}", "{wrong} is what I said (last time|yesterday), (but|now|but now) {right}",
    "~{wrong}. I take that back: {right}", "~Strike the old rule '{wrong}' and use this: {right}",
)  # fmt: skip
Event = Callable[[Writer, bool], str]


def rule(w: Writer, event: Event, answer: Answer) -> str:
    """Say one rule."""
    if w.chance(0.62):
        return w.say(_BOTH, c=event(w, False), r=answer.clause(w))
    base = answer.base(w)
    if answer.negative:
        frame = w.pick([f for f in _NOUN if "{ing}" not in f and "{base}" not in f])
    else:
        frame = w.pick([f for f in _NOUN if "{ing}" not in f or not base.startswith("either")])
    return w.say(
        frame,
        n=event(w, True),
        r=answer.clause(w),
        i=answer.imperative(w),
        base=base,
        ing=gerund(base),
        inf=w.say(answer.infinitive(w)),
    )


def otherwise(w: Writer, answer: Answer, examples: str = "") -> str:
    """Say what happens in all other cases, of which some may be named."""
    if examples:
        return w.say(_ELSE_EXAMPLES, r=answer.clause(w), x=examples)
    if answer.noun is not None and w.chance(0.12):
        return w.say("(otherwise|else|if not|in any other case|or else)(,|:|) {x}", x=answer.noun(w))
    return w.say(_ELSE, r=answer.clause(w), i=answer.imperative(w))


def unless(w: Writer, event: Event, answer: Answer, then: Answer | None) -> str:
    """Say an exception first or last: do this unless that happens, in which case do `then`."""
    slots = {"c": event(w, False), "n": event(w, True), "r": answer.clause(w), "i": answer.imperative(w)}
    return w.say(_UNLESS, **slots) if then is None else w.say(_UNLESS_THEN, r2=then.clause(w), **slots)


def only(w: Writer, event: Event, answer: Answer) -> str:
    """Say that something is done after this event and never after another."""
    base = answer.base(w)
    return w.say(_ONLY, c=event(w, False), n=event(w, True), r=answer.clause(w), b=base, ing=gerund(base))


def rejected(w: Writer, answer: Answer, wrong: Answer) -> str:
    """Say an answer as the opposite of another that is turned down."""
    base = wrong.base(w)
    return w.say(_REJECTED, r=answer.clause(w), i=answer.imperative(w), x=base, xb=base, ing=gerund(base))


def corrected(w: Writer, wrong: str, right: str) -> str:
    """Say something, take it back, and say what is meant."""
    return w.say(_CORRECTED, wrong=wrong.rstrip("."), right=right)


def else_first(w: Writer, answer: Answer, rest: str) -> str:
    """Say the default before its exceptions."""
    frames = [f for f in _FIRST_ELSE if not f[0].startswith("~")]
    head, link = w.choose(frames)
    first = w.say(head, r=answer.clause(w), inf=w.say(answer.infinitive(w)))
    return f"{first[:1].upper()}{first[1:]} {w.say(link)} {rest}"
