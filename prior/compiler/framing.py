"""What stands around the rules of a text: openers, asides, lists, and how sentences are joined."""

from prior.compiler.writer import Writer, sentence

_OPENERS = (
    "(Here is|Here's) (how we play|our convention|the plan|my rule|what to do|the deal):", "(Our|My|The) (convention|rule|rules|plan|agreement|strategy) (is simple|for today|):", "Listen:", "OK, (so |)",
    "Remember(:|,)", "Rules:", "So,", "Please (remember|note):", "I (want|would like) us to play like this:", "Let me explain.", "Just do this:", "Pay attention:", "Hey,", "Hi (there|)!", "We agreed on this:", "Important:", "Note:",
    "~Dear partner,", "~In a nutshell:", "~Here goes:",
)  # fmt: skip
_ASIDES = (
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
    elif len(parts) > 1 and w.chance(0.05):
        text = "\n".join(f"{i + 1}. {sentence(p)}" for i, p in enumerate(parts))
    else:
        links = ("(And |Also, |Second, |Next, |Moreover, |Besides, |But |~Furthermore, |)",)
        text = " ".join(sentence((w.say(links) + " " if i and w.chance(0.25) else "") + p) for i, p in enumerate(parts))
    if w.chance(0.14):
        text = f"{w.say(_OPENERS)} {text}"
    if w.chance(0.10):
        text = f"{text} {aside(w)}"
    if w.chance(0.04):
        text = f"{aside(w)} {text}"
    return text


def aside(w: Writer) -> str:
    """Say something that is no rule."""
    return w.say(_ASIDES)
