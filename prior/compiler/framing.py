"""What stands around the rules of a text: openers, asides, lists, and how sentences are joined."""

from prior.compiler.writer import Writer, sentence

_OPENERS = (
    "(You are|Imagine you are|Act as|Play the role of) (my partner|a player|the second player|Bob|an assistant) in (this|a|our) game.", "(Instructions|Note to self|Reminder|Task|To do|Protocol|TL;DR|FYI|PS)(:| -)", "(Alright|Right|Well|Okay|Ok so|Hm|Basically|Look|Yo|Hello|Good evening)(,|:)", "I have (an idea|a proposal|a plan|one request):", "(Quick|One) (rule|reminder|request|thing)(:| -)", "(Could|Can|Would) you (do this|try this|play like this) (for me|please|today|)?", "Let's (agree on|try|do) (this|the following|something simple):", "As (we|I) (discussed|said|told you|explained) (before|yesterday|already|)(:|,)", "(What|Here is what) I (want|would like|mean|propose)(:| is this:)", "(Nobody told me, but|In case you forgot:|To be clear:|Long story short:|For the record:|Just so we are clear:)",
    "(Here is|Here's) (how we play|our convention|the plan|my rule|what to do|the deal):", "(Our|My|The) (convention|rule|rules|plan|agreement|strategy) (is simple|for today|):", "Listen:", "OK, (so |)",
    "Remember(:|,)", "Rules:", "So,", "Please (remember|note):", "I (want|would like) us to play like this:", "Let me explain.", "Just do this:", "Pay attention:", "Hey,", "Hi (there|)!", "We agreed on this:", "Important:", "Note:",
    "~Dear partner,", "~In a nutshell:", "~Here goes:",
)  # fmt: skip
_ASIDES = (
    "(Nothing else|No other rule) matters.", "(Does that|Do you think this|Will this) (work|make sense) (for you|)?", "(We|You and I) (can|will) (win|do) this.", "(The cards|The numbers|Colors) look (nice|pretty) (today|).", "I am (new|rather new|a bit slow) at this (game|).", "(Let's go|Here we go|Go team|Ready)!", "(Sorry|Excuse me) for (my English|the long message|being so brief).", "(I think|I believe|They say) (it is|this is) (a good|the best|an old|a common) (plan|convention|idea).", "(Anyway|Cool|Great|Perfect)(.|!)", "We (lost|won|tied) (last time|yesterday|the last game).", "(Ask|Tell) me if (it|this|anything) is unclear.", "(My brother|My neighbor|An old book) taught me (this|that|so).", "(It|This) (always|usually) (works|helps).", "The game has (five|several) colors(, as you know|).", "(Simple|Easy), (right|isn't it)?", "Do not overthink it.", "lol", "ok? ok.",
    "Thanks!", "Good luck!", "Have fun.", "That's all.", "That is (the whole rule|it|everything).", "We have played together for years.", "I like blue (best|more than red).", "It's that simple.", "Simple as that.",
    "We need 25 points.", "The goal is to win (together|).", "I learned this from my sister.", "Don't worry about (the score|making mistakes).", "Take your time.", "I know it sounds strange.", "This works well for us.", "It saves time.",
    "(Coffee|Dinner|Tea) is at six.", "My cat is watching.", "I had a long day.", "Is that clear?", "OK?", "Got it?", "(Trust me|Believe me).", "No matter what the score is.", "Keep it up.", "Nothing more.", "This is our third game today.",
    "~Cheers.", "~That will do nicely.", "~The weather is lovely.",
)  # fmt: skip


def joined(w: Writer, parts: list[str], first_else: str | None = None) -> str:
    """Put the sentences of rules into one text, with openers and asides now and then."""
    if first_else is not None:
        text = first_else
    elif w.chance(0.25) and all(len(p) < 90 and "." not in p for p in parts):
        link = w.choose(("; ", ", and ", ", ", "; ", " and ", " - ", ", but "))
        text = sentence(link.join(part.rstrip(".") for part in parts))
    elif len(parts) > 1 and w.chance(0.09):
        text = _numbered(w, [sentence(part) for part in parts])
    else:
        links = (
            "(And |Also, |Next, |Moreover, |Besides, |But |In addition, |Plus, |Also |And then: |On the other hand, |And another thing: |While we are at it, |~Furthermore, |)",
        )
        text = " ".join(sentence((w.say(links) + " " if i and w.chance(0.25) else "") + p) for i, p in enumerate(parts))
    return framed(w, text, 1.0)


def framed(w: Writer, text: str, share: float = 0.5) -> str:
    """Put an opener or an aside around a text now and then."""
    if w.chance(0.14 * share):
        text = f"{w.say(_OPENERS)} {text}"
    if w.chance(0.10 * share):
        text = f"{text} {aside(w)}"
    if w.chance(0.04 * share):
        text = f"{aside(w)} {text}"
    return text


def aside(w: Writer) -> str:
    """Say something that is no rule."""
    return w.say(_ASIDES)


def listed(w: Writer, parts: list[str]) -> str:
    """Put the lines of a table into one text."""
    if len(parts) > 1 and w.chance(0.15):
        return _numbered(w, parts)
    return w.choose((". ", ". ", ", ", "; ", " / ", "\n", ", and ", " | ")).join(parts)


def _numbered(w: Writer, parts: list[str]) -> str:
    mark = w.choose(("{}. ", "{}) ", "({}) ", "- ", "* ", "rule {}: ", "#{} "))
    return w.choose(("\n", "\n", " ")).join(mark.format(i + 1) + part for i, part in enumerate(parts))
