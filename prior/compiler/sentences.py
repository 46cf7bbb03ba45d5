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
        if self.turns and len(parts) == 2:
            text = self._in_turns(w, *parts)
        elif len(parts) > 1:
            verbs = [part.split()[0] for part in parts]
            if len(set(verbs)) == 1 and w.chance(0.5):
                parts = [parts[0], *(part.partition(" ")[2] or part for part in parts[1:])]
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
            return w.say("{t}(,|) (but never|but do not|but not|and never|but don't) {n}", t=text, n=banned)
        return text

    def _in_turns(self, w: Writer, first: str, second: str) -> str:
        (verb, _, x), (other, _, y) = first.partition(" "), second.partition(" ")
        frames = [f for f in _TURNS if verb == other or "{V}" not in f]
        short = verb == other and " " not in x + y
        between = {"X": x, "Y": y} if short else {"X": gerund(first), "Y": gerund(second)}
        return w.say(frames, V=verb, x=x, y=y, first=first, second=second, **between)

    def clause(self, w: Writer) -> str:
        """Say it as a sentence without its stop: I should play them; never discard."""
        base = self.base(w)
        if self.negative:
            return w.say([f for f in _NEVER if "{ing}" not in f or len(self.never) == 1], x=base, ing=gerund(base))
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
            _NEVER[1:4] if self.negative else ("{x}", "{x}", "{x}", "please {x}", "always {x}", "just {x}"),
            x=base,
            ing=gerund(base),
        )


_TURNS = (
    "alternate between {X} and {Y}", "{V} {x} and {y} (in turn|alternately|by turns)", "switch (back and forth|) between {X} and {Y}",
    "{first} and {second} (in turn|alternately|by turns)", "take turns between {X} and {Y}", "{first} one time and {second} the next",
    "{first}, then {second}, then {first} again(, and so on|)", "go back and forth between {X} and {Y}", "~rotate between {X} and {Y}",
)  # fmt: skip
_NEVER = (
    "{ing} is (a no-no|a no go|not an option|not what we do|not done here|the one thing to avoid)", "(by no means|in no case|at no time|on no account) {x}", "whatever {a} @do, (don't|do not|never) {x}",
    "{p} (#want|#ask) {ao} (never|not) to {x}", "keep from {ing}", "(never once|never ever) {x}", "{a} @have no business {ing}", "{a} (should|must) stop short of {ing}", "no more {ing}",
    "never {x}", "(do not|don't|do not|don't) (ever|) {x}", "avoid {ing}", "(refrain from|stay away from|steer clear of|~abstain from) {ing}",
    "{a} (must|should|may|can|will) (never|not) {x}", "{a} (must|should) not {x}", "{a} (must not|may not|shouldn't|mustn't|can't|won't) {x}",
    "{ing} is (forbidden|not allowed|off limits|out of the question|a mistake|never right)", "under no circumstances {x}",
    "no {ing}", "{a} @be not (allowed|supposed) to {x}", "(rule out|skip) {ing}", "anything (but|except) {ing} (is fine|is ok|will do|goes)",
    "~{ing} is (taboo|banned)",
)  # fmt: skip
_DO = (
    "{a} @have to {x}", "{a} @need to {x}", "{a} @be to {x}", "{a} had better {x}", "(kindly|simply|now|happily|you know what, just) {x}", "what {a} should do is {x}", "all {a} @have to do is {x}",
    "{ap} (job|task|turn|reaction|duty|part) is to {x}", "that is {ap} cue to {x}", "(it|this) means {a} (should|must) {x}", "(we|the two of us) agreed to {x}", "{a} (should|must) (instead|definitely|surely|now) {x}", "what {p} #want from {ao} is to {x}", "the rule is to {x}",
    "{a} should {x}", "{a} should {x}", "{a} (must|will|may|can|ought to|shall|might|could) {x}",
    "{a} (should|must|will|can) (always|just|simply|immediately|then|) {x}", "{x}", "{x}", "please {x}", "(always|just|simply|go ahead and|be sure to|make sure to|try to) {x}",
    "the (right|best|correct|expected|agreed) (move|thing|response|reaction|answer) is to {x}", "it is (best|right|time) to {x}",
    "{a} @be (supposed|expected|allowed|free) to {x}", "{p} (#want|#expect) {ao} to {x}", "the (plan|idea|deal|agreement) is to {x}",
    "let's {x}", "~{a} would do well to {x}", "~by all means {x}",
)  # fmt: skip
_DO_ING = (
    "the (answer|response|reaction) is {ing}", "{ing} is (called for|the plan|required|{ap} job|the way to go|the thing to do)", "{a} @end up {ing}", "(think|go with) {ing}",
    "{a} (should|must|will) (respond|react|answer|reply) by {ing}", "{ing} is (right|best|what to do|the move|fine|expected|a must)", "(respond|react|answer|reply) by {ing}",
    "~{ing} is in order",
)  # fmt: skip
_DO_FINITE = ("{a} {fin}", "{a} (always|then|just|simply|) {fin}", "{a} {fin}")
_IF = "(If|If|If|When|When|Whenever|Once|As soon as|Every time|Each time|Any time|In case|~Provided|~Assuming)"
_if = "(if|if|when|whenever|as soon as|every time|in case|once|~provided|~assuming)"
_AFTER = "(After|After|On|Upon|Following|In response to|In reply to|Given|Right after|~In the wake of)"
_BOTH = (
    "(Say|Imagine|Picture this:|Let's say) {c}: {r}", "What if {c}? (Then|In that case|Well,|Answer:|Easy:|) {r}", "Sometimes {c}. (Then|When that happens|In such a case|In this situation|At that point)(,|) {r}", "{c}, and {r}", "{c}... {r}",
    "Did it happen that {c}? (Yes: |Then |){r}", "{r}, that is, (when|if) {c}", "The moment {c}, {r}", "{c} > {r}", "IF {c} THEN {r}", "the (time|moment) to act is when {c}: {r}", "(Should it be|Were it so) that {c}, {r}", "(Look|Watch|Wait) for this: {c}. Then {r}", "(Now|So) when {c}, (that's when|then) {r}", "Seeing that {c}, {r}",
    _IF + " {c}, {r}", _IF + " {c}, {r}", _IF + " {c}(,|) then {r}", _IF + " {c} {r}", "{r} " + _if + " {c}", "{r} " + _if + " {c}",
    "Suppose {c}(.|: then|, then) {r}", "In the (event|case) that {c}, {r}", "{c}? {r}", "{c}: {r}", "{c} -> {r}", "{c} => {r}", "{c}, so {r}",
    "(My|Our|The) (rule|convention|agreement|plan) (is|says) that " + _if + " {c}, {r}", "{r} in case {c}",
    "if {c} {r}", "{r} (each|every) time {c}", "~Say {c}. Then {r}",
)  # fmt: skip
_QUANTIFIED = ("every", "each", "whatever", "whichever", "no matter", "either")  # nouns that not all frames can take
_FACTS = ("{c}, and {r}", "{c}, so {r}", "Seeing that {c}, {r}", "{c}: {r}", "{c}... {r}")
_NOUN = (
    "What to do after {n}? {i}", "How to (respond|react|reply) to {n}? {i}", "{n} >> {i}", "{n} ==> {i}", "{n} .. {i}", "{n} (stands for|is code for|translates (to|as)|signals|is {ap} cue for|asks for|indicates|amounts to) {ing}",
    "(Following|Seeing|Facing|Getting|Faced with) {n}, {i}", "As (for|to|regards) {n}, {i}", "(There may be|Now and then there is|Imagine|Suppose there is) {n}. (Then|In that case) {i}", "{n}, then {i}", "{n}! {i}", "{i} <- {n}", "{i} (for|given|whenever there is|when there is|in case of|in the face of) {n}",
    "{n}: (that means|this means|it means|meaning|i.e.) {i}", "{n} (makes|has) {ao} {base}", "{n} is a (nudge|prompt) {inf}", "(about|re|regarding) {n}: {i}", "{n} should (always |)(make|have) {ao} {base}", "(Reward|Return|Honor|Follow up) {n} by {ing}", "(Got|Heard|Received) {n}? {i}", "{i} once (there is|there was) {n}",
    _AFTER + " {n}, {r}", _AFTER + " {n}, {r}", "{r} (after|after|on|upon|in response to|following|in reply to) {n}", "{n}: {i}", "{n} -> {i}", "{n} = {i}",
    "{n} - {i}", "{n} (means|is a signal|tells {ao}|is a sign|asks {ao}|is a request|wants {ao}|invites {ao}) {inf}",
    "{n} (means|means that|says|says that) {a} should {base}", "In the (event|case) of {n}, {r}", "(Treat|Take|Read|See|Understand|Interpret) {n} as (an order|an invitation|a request|a signal|a command) {inf}",
    "The (answer|reply|reaction|response) to {n} is {inf}", "{n} calls for {ing}", "With {n}, {r}", "{n}, {i}", "{n}? {i}", "{n}; {i}", "For {n}(,|:) {i}",
    "{n} means {ing}", "{n} is for {ing}", "(For|On|At) {n}, {i}", "{n} leads to {ing}", "{n} is (answered|followed) by {ing}", "Answer {n} by {ing}", "In response to {n} {r}", "~Meet {n} by {ing}", "~{n} obliges {ao} {inf}",
)  # fmt: skip
_ELSE = (
    "(The rest|All the rest|Anything else|Everything else|Other|Others|Default|Any other case|Remaining cases|Rest)(:| ->| =|,| means) {i}", "(Any other time|Elsewhere|In other cases|Otherwise though|Beyond that|Besides that|Without that|Short of that|Aside from that|If it is something else), {r}",
    "And (if not|otherwise|in all other cases|for everything else)? {r}", "(No|Nope|Not the case|None of that|None of these|Something else|Anything different)? {r}", "(Did|Does) (none|nothing) of (this|that|the kind) happen? {r}", "(by default|as a fallback|in general) {r}", "{r} for (everything|anything) else",
    "{r} if (not|none of that happens|nothing of the sort happened|it is anything else|no rule fits)", "{r} the rest of the time", "(Fallback|Plan B|Standard move|Default move): {i}", "{r} on (all|any) other turns", "In (turns|rounds|moments) without (that|this|such a thing), {r}", "as for (everything else|the rest|all other cases), {r}", "All else(:|,) {i}",
    "(Otherwise|Otherwise|Otherwise|Else|If not|Failing that|Other than that|Apart from that|~In default of that), {r}", "(otherwise|else|if not) {r}", "{r} otherwise",
    "In (all other cases|any other case|every other situation|other situations), {r}", "{r} in (all other cases|any other case|every other case|other situations)",
    "If (anything|something) else happens, {r}", "If {p} #do (anything|something) else, {r}", "(The rest of the time|At all other times|For the rest), {r}",
    "(If none of this|When none of that|When nothing of the kind|Where no rule) (applies|happens|holds), {r}", "After (anything|everything|any move|all) else, {r}", "Everything else: {i}", "Else: {i}", "Anything else, {i}", "Otherwise: {i}",
    "When (that|this) (is not the case|does not happen|isn't so), {r}", "With no such (move|thing), {r}", "In the remaining cases {r}", "~Barring that, {r}", "~Whatever else {p} #do, {r}",
)  # fmt: skip
_ELSE_EXAMPLES = (
    "If (anything else|something different|any other thing) happens, (for instance|for example|say|like|such as|e.g.) {x}, (then |){r}", "In (other|all other) (cases|situations), (such as|like|for instance|e.g.|be it) {x}, {r}",
    "{r} (in other cases|otherwise|when it is something else), (like|such as|for example|say|for instance) {x}", "(After|On) (anything|any move) else - {x}, (for example|for instance|say|whatever) - {r}", "Whatever else {p} #do, (be it|whether it is|for example|even) {x}, {r}",
    "When {p} #do (another thing|anything different), (maybe|perhaps|for example|let's say) {x}, {r}", "Otherwise, (say|for example|for instance) after {x}, {r}", "(Failing that|If not|Apart from that|In any other case), (in particular|especially|among others|including) after {x}, {r}", "~Barring that, notably after {x}, {r}",
)  # fmt: skip
_FIRST_ELSE = (
    ("(By default|Normally|Usually|Generally|In general|As a rule|Ordinarily), {r}.", "(But|However|The exception:|Exception:) "),
    ("{r}.", "(The exception:|Except that|But|However,|One exception:) "),
    ("{r}, ", "(but|except that|though|yet) "),
    ("(As a default,|In principle|Standard:|Default:|{ap} usual move:|Basic rule:) {i}.", "(However|But|Exception:) "),
    ("{r}.", "(There is one exception:|With one exception:|But note:|That changes as follows:|Different only here:) "),
    ("{ap} default is {inf}.", "(But|Though) "),
    ("~As a baseline, {r}.", "But "),
)  # fmt: skip
_UNLESS = (
    "{r} as long as it is not the case that {c}", "{r} - except (when|if) {c}", "If {c}, (forget it|all bets are off|do as {a} @like|anything goes|{a} @be free); otherwise {r}", "{i} except right after {n}",
    "Unless {c}, {r}", "{r} unless {c}", "{r}(,| always) except (when|if) {c}", "{r}(,|) except after {n}",
    "Always {i}, except (when|if) {c}", "Without {n}, {r}", "(Except|Other than|Apart from|Excepting|Excluding|Bar) (right |)after {n}, {r}", "(Except for|But for|With the exception of|Not counting) (the |)turns after {n}, {r}",
    "(At any time|Always) but after {n}, {r}", "(Outside|Leaving aside) (the |)turns after {n}, {r}", "~Save after {n}, {r}",
)  # fmt: skip
_UNLESS_THEN = (
    "{r}, (but|however) (when|if) {c}, {r2}", "(Normally|Usually|By default|As a rule|Generally), {r}; after {n} (though|however|, by contrast|instead), {r2}", "{r}. What if {c}? Then {r2}", "{r}. (After|On) {n}, (however|though|by exception), {r2}", "{r}, (exception:|the exception being) after {n}: {r2}",
    "Unless {c}, {r}. If (so|that happens|it happens|{c}), {r2}", "{r} unless {c}, in which case {r2}", "{r} unless {c}; then {r2}", "{r}, except after {n}: then {r2}",
    "{r} except (when|if) {c} (-|;|.|,) then {r2}", "Without {n}, {r}; with (it|one), {r2}", "{r}. Not so after {n}: {r2}",
)  # fmt: skip
_ONLY = ("{r} only (if|when) {c}", "only {b} (when|if) {c}", "{a} (may|can|should|must) {b} only (when|if) {c}", "{b} only after {n}", "only after {n} {a} may {b}",
         "{ing} is (allowed|fine) only (when|if) {c}", "~{b} solely (when|if) {c}")  # fmt: skip
_REJECTED = (
    "(My brother|My last partner|Everyone|The old me|The other team) would {xb}(.|;|,) (but|not us,|not me,) {r}", "(No|Stop|Enough) {ing}(!|.|,|;) {r}", "{ing} is (out|over|old news|what others do|a bad habit)(.|;|:) {r}", "{r} as opposed to {ing}",
    "(Yesterday|Last game|In the last round|Before) we agreed to {xb}. (Now|Today|This time|From now on)(,|:|) {r}", "(Most|Some) people {xb}(, we don't|. That is not our way|, which is wrong|. Not us)(.|:|;) {r}", "(You|Someone) might {xb} here, but (no|don't)(:|,) {r}", "the point is not to {xb} but to {xb2}",
    "{xb}? (Wrong|Nope|Bad idea|Certainly not|No way)(.|!|,|:) {r}", "whatever you heard about {ing}, {r}", "don't {xb} but {i}", "{p} #do not want {ao} to {xb}(.|;|, I want this:) {r}",
    "(A lot of people|Many players|Some people|Most bots|Beginners|Others|My brother and his friends) {x}(, but|;) (we|I) (don't|do not): {r}", "Instead of {ing}, {r}", "{r} instead of {ing}", "{r} rather than {xb}", "Do not {xb}, {i}", "Don't {xb}; {i}",
    "Not {ing}: {r}", "{r}, (do not|don't) {xb}", "It may be tempting to {xb}, but {r}", "You might expect that {a} should {xb}. No: {r}",
    "(Forget|Never mind|Ignore) what (I|they|others) said about {ing}(: |. |; ){r}", "I used to {xb}. (Now|From now on|These days) {r}", "(Where|While) (other teams|most people) {xb}, {r}", "{i}, not {xb}", "Rather than {ing}, {r}",
    "Most {xb} here. {a} (should|must) not; {r}", "~Resist the urge to {xb}: {r}", "~Contrary to those who {xb}, {r}",
)  # fmt: skip
_CORRECTED = (
    "{wrong}. (Er|Uh|Um|Argh|Nah|Hold on|Oh wait|Hang on|My mistake|My bad|Let me correct that)(,|:|...|.) {right}", "{wrong} (oops|wait|scratch that|no no|nvm|sry|I mean) {right}", "{wrong} (-|--|,) (I mean|I meant|make that|or better|that is wrong,|wait no,|no no,|no:) {right}",
    "(Earlier|Before|Last time|Yesterday) (I said|I wrote|the rule was|we had)(:|,) {wrong}. (That is void|That is over|Forget it|This no longer holds|Not any longer|Ignore it)(.|:) (Now|Instead|Today|From now on|)(,|:|) {right}", "{wrong}. (That was a typo|That's wrong|That was a test|Kidding|Just kidding|Delete that|Undo that)(.|!|:) {right}", "Correction to '{wrong}': {right}", "Not '{wrong}' (but|, instead) '{right}'",
    "{wrong}. (No|Wait|Oops|Sorry|Hmm), (scratch|strike|ignore|forget|cancel) that(:|.|,) {right}", "{wrong}. (Actually|On second thought|No|Correction|I mean|Sorry|Rather)(,|:) {right}", "{wrong} - (no|sorry|wait), {right}", "{wrong}... (no wait|sorry|I meant|or rather)(,|:) {right}",
    "First I thought: {wrong}. But (it is better|now it is|I changed my mind): {right}", "{wrong}? No(!|.|,) {right}", "I said: {wrong}. I was wrong. {right}", "{wrong} is what I said (last time|yesterday), (but|now|but now) {right}",
    "~{wrong}. I take that back: {right}", "~Strike the old rule '{wrong}' and use this: {right}",
)  # fmt: skip
Event = Callable[[Writer, bool], str]


def rule(w: Writer, event: Event, answer: Answer, *, fact: bool = True) -> str:
    """Say one rule; `fact`: its event may be told as one that has happened, which can also be a mere reason."""
    if w.chance(0.62):
        return w.say([f for f in _BOTH if fact or f not in _FACTS], c=event(w, False), r=answer.clause(w))
    base, noun = answer.base(w), event(w, True)
    out = ["{ing}", "{base}"] if answer.negative else ["{ing}"] * base.startswith("either")
    if noun.startswith(_QUANTIFIED):
        out += ["there is", "there was"]
    return w.say(
        [f for f in _NOUN if not any(part in f for part in out)],
        n=noun,
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
        return w.say("(otherwise|else|in any other case)(,|:|) {x}", x=answer.noun(w))
    return w.say(_ELSE, r=answer.clause(w), i=answer.imperative(w))


def unless(w: Writer, event: Event, answer: Answer, then: Answer | None) -> str:
    """Say an exception first or last: do this unless that happens, in which case do `then`."""
    slots = {"c": event(w, False), "n": event(w, True), "r": answer.clause(w), "i": answer.imperative(w)}
    out = ["Always"] if answer.negative and then is None else []
    if slots["n"].startswith(_QUANTIFIED):
        out.append("Without")
    frames = [f for f in (_UNLESS if then is None else _UNLESS_THEN) if not f.startswith(tuple(out))]
    return w.say(frames, r2=then.clause(w) if then is not None else "", **slots)


def only(w: Writer, event: Event, answer: Answer) -> str:
    """Say that something is done after this event and never after another."""
    base = answer.base(w)
    return w.say(_ONLY, c=event(w, False), n=event(w, True), r=answer.clause(w), b=base, ing=gerund(base))


def rejected(w: Writer, answer: Answer, wrong: Answer) -> str:
    """Say an answer as the opposite of another that is turned down."""
    base = wrong.base(w)
    frames = [f for f in _REJECTED if not answer.negative or "{xb2}" not in f]
    return w.say(
        frames, r=answer.clause(w), i=answer.imperative(w), x=base, xb=base, xb2=answer.base(w), ing=gerund(base)
    )


def corrected(w: Writer, wrong: str, right: str) -> str:
    """Say something, take it back, and say what is meant."""
    return w.say(_CORRECTED, wrong=wrong.rstrip("."), right=right)


def else_first(w: Writer, answer: Answer, rest: str) -> str:
    """Say the default before its exceptions."""
    frames = [f for f in _FIRST_ELSE if not f[0].startswith("~")]
    head, link = w.choose(frames)
    first = w.say(head, r=answer.clause(w), i=answer.imperative(w), inf=w.say(answer.infinitive(w)))
    return f"{first[:1].upper()}{first[1:]} {w.say(link)} {rest}"
