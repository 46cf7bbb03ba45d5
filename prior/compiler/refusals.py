"""Instructions that no program says: empty of content, contradictory, or beyond what a program can say."""

from typing import Any

from prior.compiler import sentences as s
from prior.compiler.sentences import Answer
from prior.compiler.writer import Writer, sentence
from schemas.program import Game, Reason

_VIRTUES = (
    "(just|please|always|try to|) (play well|play nicely|be nice|be kind|be careful|have fun|win|do your best|play smart|be a good partner|play to win|do well|be clever|cooperate|work together|be friendly|stay calm|focus|think|play it safe|be brave|take risks|make good moves|play like a pro|surprise me|be predictable)",
    "(I|we) (should|must|will|want to) (play well|cooperate|win|do {ap} best|be careful|be smart|have fun|score high|be good|help each other|trust each other|be on the same page)", "do (the right thing|whatever is best|what seems best|what you think is right|your thing|something clever|it|as you please|what you want)",
    "(follow|use) (the|our|my) (convention|rule|instructions|plan|strategy)", "(play|act) (like|as) (a human|an expert|we always do|usual|last time|you normally do)", "(it is|it's) (important|essential) to (cooperate|play well|communicate|win)", "(make|let's make) a good team", "(maximize|increase) (the|our) (score|reward)", "you know what to do",
    "I should {x} .", "help {po}", "be helpful", "let's get (a perfect score|25 points|all the points)", "anything goes", "whatever", "do anything", "no rules today", "~behave yourself", "~let us excel",
)  # fmt: skip
_TALK = (
    "(hello|hi|hey|good morning|good evening)( there|)( partner|!|)", "how are you( today|)?", "what (should|shall) (I|we) do?", "what is (your|the) (name|plan|rule|best move|score|time|capital of France)?", "(can|could) you (help me|explain the rules|play)?", "who (goes|starts) first?", "why do (people|you) {x}?", "do you like {x}?", "(thanks|thank you|bye|see you|ok|okay|yes|no|maybe|sure|hmm|never mind|test|N/A|none|null|nothing)",
    "this game is about {x} and {x}", "{x} is {x}", "(the|a) {x} {x} (the|a) {x}", "I (like|love|hate|saw|bought|lost) (a|the|my) {x}", "(yesterday|today|tomorrow) (I|we) (saw|ate|bought) a {x}", "once upon a time there was a {x}", "there are five (colors|numbers|cards|balls|ranks)", "my partner is (nice|a {x}|very good|happy)", "(the|my) {x} is (red|blue|yellow|green|white|one|two)", "colors and numbers", "cards", "(color|rank|play|discard|number|hint|select|ball)s?", "if", "otherwise", "I should", "my partner", "~is anybody {x} here?",
)  # fmt: skip
_SALAD = [
    "banana",
    "river",
    "window",
    "guitar",
    "mountain",
    "coffee",
    "pencil",
    "engine",
    "winter",
    "lemon",
    "castle",
    "doctor",
    "tiger",
    "market",
    "summer",
    "bridge",
    "garden",
    "rocket",
    "turtle",
    "blanket",
    "silver",
    "candle",
    "forest",
    "jacket",
    "island",
    "kitchen",
    "ladder",
    "magnet",
    "needle",
    "orange",
    "planet",
    "rabbit",
    "saddle",
    "ticket",
    "violin",
    "wallet",
    "yogurt",
    "zebra",
    "anchor",
    "basket",
    "camera",
    "desert",
    "elbow",
    "feather",
    "ginger",
    "hammer",
    "insect",
    "jungle",
    "kettle",
    "lantern",
    "mirror",
    "napkin",
    "ocean",
    "pepper",
    "quartz",
    "ribbon",
    "spider",
    "temple",
    "umbrella",
    "valley",
    "walnut",
    "sing",
    "dance",
    "jump",
    "swim",
    "cook",
    "paint",
    "write",
    "read",
    "drive",
    "climb",
    "whisper",
    "laugh",
    "cry",
    "sleep",
    "run",
    "travel",
    "build",
    "clean",
    "wash",
    "fold",
    "bake",
    "fix",
    "push",
    "purple",
    "heavy",
    "quick",
    "lazy",
    "silent",
    "bright",
    "gentle",
    "hollow",
    "rusty",
    "frozen",
    "honest",
    "polite",
    "angry",
    "curious",
    "proud",
    "weather",
    "music",
    "soup",
    "cheese",
    "bread",
    "salt",
    "shoe",
    "clock",
    "train",
    "boat",
    "horse",
    "dog",
    "cat",
    "bird",
    "fish",
    "tree",
    "flower",
    "cloud",
    "stone",
    "sand",
    "fire",
    "smoke",
    "glass",
    "paper",
    "metal",
    "wood",
    "cotton",
    "sugar",
    "tea",
    "milk",
    "honey",
    "apple",
    "grape",
]
_HIDDEN: dict[str, tuple[str, ...]] = {
    "hanabi": (
        "(we have|there are|there remain) (fewer than three|no|only two|less than four|at least three|eight|two or more) (hint tokens|clue tokens|information tokens|lives|tokens|clues|hints) (left|)", "(we are|we're) (out of|low on|running out of) (clues|hints|tokens|lives|cards)", "the deck is (empty|nearly empty|almost out)", "(a card|the card|one|it) is (surely |known to be |)(playable|useless|dangerous|critical|safe|dead)",
        "{p} #have a (playable card|five|red card|useless hand)", "the (red|blue|green|white|yellow) (firework|stack|pile) (is at|shows) (1|2|3|4)", "{a} @know (both|the) (color and (the |)rank|which card is playable|my hand|a card fully)", "the score is (above|below|at least) (10|15|20)", "it is (my third|the fifth|the last|the tenth) (turn|round)", "{p} (#hesitate|#smile|#sigh|#look nervous|#take long|#be tired|#be in a hurry)",
        "{p} hinted (color|rank) (two turns ago|twice in a row|before that|last game)", "the (last two|previous three) moves were (hints|plays|discards)", "the discard pile (has|holds|contains) (a five|two red cards|many cards)", "it is (raining|sunny|late|Monday)", "the game is (nearly over|going badly|almost lost)", "{a} @have (no|two) (known|playable|hinted) cards", "{p} #misplay", "{p}'s card (was|is) (not |)playable", "a (bomb|misplay|strike) (happens|occurs)", "{p} #have not been hinted (yet|for a while)", "{p} (#x|#see a) {x}".replace("#x", "#like"), "~the clock runs low on {x}",
    ),
    "say-select": (
        "the (ball|last ball|selected ball) (is|was) (good|positive|worth a point|bad|negative|red)", "(my|the) (last|previous) (pick|choice|selection) (was|is) (right|wrong|good|rewarded|punished)", "{a} @have (already |)(won|lost|scored) (a point|two points|something)", "(the|our) (score|total|reward) is (positive|negative|above 2|zero)", "it is the (third|fifth|last|second) (round|turn)", "{p} (#hesitate|#smile|#shout|#whisper|#sound unsure|#look away|#wait)",
        "there (is|are) (one ball|two balls|no good balls) left", "{p} (said|named) (it|that|two|five) two (turns|rounds) ago", "the (sum|average) of the last two numbers is (even|odd|4|6)", "{a} (picked|selected) (it|three|the same) (before|already|last time)", "time runs out", "it is (raining|late|Monday)", "{p} #know the answer", "the number is (7|8|9|10|12|20|prime|a square|negative|zero|above 5|0|6)", "~the {x} runs dry",
    ),
}  # fmt: skip
_UNSAYABLE: dict[str, tuple[str, ...]] = {
    "hanabi": (
        "hint {pp} (newest|oldest|first|third|leftmost) card", "play the card {p} hinted (two turns ago|before|earlier|last game)", "play (the|a) card that (completes|continues|fits on) (the red|a|any) (stack|firework|pile)", "discard (a|the) (useless|dead|duplicate|known|unneeded|worthless) card", "discard a card that has (already been played|been seen twice)", "(pass|do nothing|wait|skip {ap} turn|think twice|resign|stop playing)",
        "swap (two cards|{ap} cards|hands)", "(show|reveal) {ap} (own |)(hand|cards)", "(sing|dance|clap|bow|laugh|{x}|smile|apologize|cough)", "play the (highest|lowest|best|safest) card ({a} @know|in {ap} hand|)", "hint (as many cards as possible|the most cards|whatever touches more cards|the rarest color|the most useful thing|something new)", "(save|protect|keep) (the |)(fives|critical cards|ones|red cards)", "hint (the same|a different) (color|rank|thing) (as {p}|{they} hinted|again|back to {po})",
        "play (a|the) (playable|safe|good) card", "play {ap} (red|blue|5|ones|green cards)", "discard {ap} (red|blue|5s|ones|white cards)", "finesse {po}", "bluff", "hint the next playable card (on the right|of the deck|after mine)", "draw (a card|two cards)", "ask {po} (for a hint|what to do|to {x})", "{x} the {x}", "take back {ap} move", "do (the same|what {p} did|the opposite)", "copy {po}", "hint (purple|orange|black|pink|6s|sevens|zeros)", "roll a die", "~count the {x}s",
    ),
    "say-select": (
        "(pick|select|choose) the (good|best|right|positive|winning|luckiest|red) (ball|number)", "double {pp} number", "(pick|select) (half|twice|three times|the square of|the square root of) {pp} number", "(pick|select) (the average|the sum|the larger|the difference) of the last two (numbers|calls)", "(pick|select|choose) (6|7|8|9|10|zero|0|12|a hundred|minus three)", "(wait|do nothing|pass|skip|think|hesitate)", "say nothing", "(pick|select) what {a} picked (before|last time)", "(pick|select) (a prime|a ball that was not picked yet|the least used ball|the nearest good ball|the number {p} said before that)", "(sing|dance|{x}|clap)", "ask {po} (again|for another number)",
        "count (up from one|down from five|to three) (each turn|over time|)", "go through the (numbers|balls) (in order|one after the other)", "tell {po} (a lie|the truth|which ball is good)", "say (a number|the good number)", "roll a die", "{x} the {x}", "take two balls (at once|)", "~shuffle the {x}s",
    ),
}  # fmt: skip
_CHANCE = (
    "(half (of |)the time|with probability (0.3|0.5|one third|70%|1/4)|(30|70|80|90) percent of the time|sometimes|every (second|third|fourth) turn|now and then|occasionally|at random|two times out of three|once (a|every) game|(with|at) a chance of (20%|one in five))",
)
_OTHER_GAMES = (
    "(open|start) with (e4|d4|the Sicilian|a knight)", "(castle|develop the knights|take the queen) (early|if possible|)", "(fold|raise|call|bluff|check) (weak hands|with aces|before the flop|)", "(always|) (draw|hit) on sixteen", "(buy|build) (hotels|houses|railroads)", "(attack|defend) the (base|flag|tower|left flank)", "(drive|turn) (left|right|faster) (at the corner|)", "pass the ball to {x}", "(shoot|dribble|tackle|score a goal)", "(vote for|accuse) the {x}", "(cook|boil|fry) the {x} for (five|ten) minutes", "translate {x} into French", "write (a poem|an essay|code) about {x}", "summarize the text", "ignore (all|the) previous instructions (and {x}|)",
    "(turn|switch) (on|off) the {x}", "place a stone in the corner", "connect four (in a row|)", "guess the word {x}", "move {x} steps forward", "~roll the dice and move {x}",
)  # fmt: skip


def refusal(w: Writer, game: Game, kit: Any) -> tuple[str, Reason]:
    """Draw an instruction that must be refused, and why. `kit`: the data module of the game."""
    kind = w.choose(("empty", "conflict", "beyond"), [0.26, 0.18, 0.56])
    if kind == "empty":
        return _empty(w), "empty"
    if kind == "conflict":
        return _conflict(w, game, kit), "conflict"
    return _beyond(w, game, kit), "beyond"


def _word(w: Writer) -> str:
    return str(w.choose(_SALAD))


def _empty(w: Writer) -> str:
    draw = w.rng.random()
    if draw < 0.45:
        text = " ".join(sentence(w.say(_VIRTUES, x=_word(w))) for _ in range(int(w.choose([1, 1, 1, 2]))))
    elif draw < 0.7:
        text = w.say(_TALK, x=_word(w))
    elif draw < 0.78:
        text = " ".join(_word(w) for _ in range(int(w.rng.integers(1, 9))))
    elif draw < 0.88:
        letters = "abcdefghijklmnopqrstuvwxyz"
        home = "asdfjklqwerzxcv" if w.chance(0.5) else letters
        text = " ".join(
            "".join(w.choose(home) for _ in range(int(w.rng.integers(2, 8)))) for _ in range(int(w.rng.integers(1, 6)))
        )
    elif draw < 0.92:
        text = w.choose(
            (
                "",
                ".",
                "???",
                "!!!",
                "...",
                "-",
                "123",
                "42",
                "0",
                ":)",
                "1 2 3 4 5",
                "<instruction>",
                "{}",
                "TODO",
                "lorem ipsum dolor sit amet",
            )
        )
    else:
        text = " ".join(s.aside(w) for _ in range(int(w.rng.integers(1, 3))))
    return text


def _event(w: Writer, game: Game, kit: Any) -> s.Event:
    if game == "hanabi":
        when = kit.any_event(w, detail=0.15)
        return lambda v, noun: str(kit.words.event(v, when, noun))
    heard = kit.any_said(w)
    return lambda v, noun: str(kit.said(v, heard, noun))


def _answer(w: Writer, game: Game, kit: Any, never: float = 0.05) -> tuple[Any, Answer]:
    part = kit.any_response(w, False, never=never) if game == "hanabi" else kit.any_selection(w, never=never)
    return part, kit.answer(part)


def _conflict(w: Writer, game: Game, kit: Any) -> str:
    part, first = _answer(w, game, kit, 0)
    while len(part.then) != 1 or part.never or getattr(part.then[0], "action", "") == "hint_playable":
        part, first = _answer(w, game, kit, 0)
    never = Answer((), first.then)
    event = _event(w, game, kit)
    draw = w.rng.random()
    if draw < 0.3:
        texts = [first.clause(w), never.clause(w)]
        if w.chance(0.4):
            texts.reverse()
        return w.say("{x}(.| and|,| but|;) {y}", x=texts[0], y=texts[1])
    if draw < 0.5:
        return s.joined(w, [s.rule(w, event, first), s.rule(w, event, never)])
    if draw < 0.6:
        return w.say("{x} and (never|do not|don't) {y}", x=first.base(w), y=first.base(w))
    other, second = _answer(w, game, kit, 0)
    while set(other.then) & set(part.then) or not other.then or other.never or _overlap(other, part):
        other, second = _answer(w, game, kit, 0)
    if draw < 0.85:
        return s.joined(w, [s.rule(w, event, first), s.rule(w, event, second)])
    return w.say("always {x}(.| and|;|,) always {y}", x=first.base(w), y=second.base(w))


def _overlap(one: Any, two: Any) -> bool:
    """Tell whether two answers may be meant together: any hint and a color hint."""
    return bool({x.action for x in one.then} & {y.action for y in two.then})


def _beyond(w: Writer, game: Game, kit: Any) -> str:
    x = {"x": _word(w)}
    hidden: s.Event = lambda v, noun: v.say("the case that {c}", c=v.say(_HIDDEN[game], x=_word(v))) if noun else v.say(_HIDDEN[game], x=_word(v))  # fmt: skip # noqa: E731
    strange = Answer((lambda v: v.say(_UNSAYABLE[game], x=_word(v)),))
    _, good = _answer(w, game, kit)
    event = _event(w, game, kit)
    draw = w.rng.random()
    if draw < 0.24:
        parts = [s.rule(w, hidden, good)]
    elif draw < 0.36:
        parts = [s.rule(w, event, strange)]
    elif draw < 0.44:
        parts = [strange.clause(w)]
    elif draw < 0.62:  # a rule that can be said, beside one that cannot
        bad = s.rule(w, hidden, good) if w.chance(0.6) else s.rule(w, _event(w, game, kit), strange)
        parts = [s.rule(w, event, _answer(w, game, kit)[1]), bad]
        parts = parts[:: 1 if w.chance(0.6) else -1]
    elif draw < 0.68:
        parts = [s.rule(w, event, good), s.otherwise(w, strange)]
    elif draw < 0.74:
        parts = [w.say(("{r} {k}", "{k}, {r}", "{k} {r}"), r=good.clause(w), k=w.say(_CHANCE))]
    elif draw < 0.80:
        parts = [
            w.say("{e}(, | and ){c}", e=w.say("(if|when) {c}", c=event(w, False)), c=w.say(_HIDDEN[game], **x))
            + ", "
            + good.clause(w)
        ]
    elif draw < 0.88:
        parts = [w.say(_OTHER_GAMES, **x)]
    elif draw < 0.94:
        verb = w.say("(should|must|will|has to)")
        parts = [
            w.say("{p} {v} {x}", v=verb, x=good.base(w))
            if w.voice.p not in ("I", "one of us") and w.voice.a in ("I", "we")
            else strange.clause(w)
        ]
    else:
        parts = [s.rule(w, event, good), s.otherwise(w, Answer((lambda v: _word(v) + " the " + _word(v),)))]
    if w.chance(0.12):
        parts.append(s.otherwise(w, _answer(w, game, kit)[1]))
    return s.joined(w, parts)
