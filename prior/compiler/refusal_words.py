"""What no program says: virtues, small talk, hidden conditions, moves that do not exist, chances, other games."""

SALAD = (
    "banana", "river", "window", "guitar", "mountain", "coffee", "pencil", "engine", "winter", "lemon", "castle",
    "doctor", "tiger", "market", "summer", "bridge", "garden", "rocket", "turtle", "blanket", "silver", "candle",
    "forest", "jacket", "island", "kitchen", "ladder", "magnet", "needle", "orange", "planet", "rabbit", "saddle",
    "ticket", "violin", "wallet", "yogurt", "zebra", "anchor", "basket", "camera", "desert", "elbow", "feather",
    "ginger", "hammer", "insect", "jungle", "kettle", "lantern", "mirror", "napkin", "ocean", "pepper", "quartz",
    "ribbon", "spider", "temple", "umbrella", "valley", "walnut", "sing", "dance", "jump", "swim", "cook", "paint",
    "write", "read", "drive", "climb", "whisper", "laugh", "cry", "sleep", "run", "travel", "build", "clean", "wash",
    "fold", "bake", "fix", "push", "purple", "heavy", "quick", "lazy", "silent", "bright", "gentle", "hollow",
    "rusty", "frozen", "honest", "polite", "angry", "curious", "proud", "weather", "music", "soup", "cheese", "bread",
    "salt", "shoe", "clock", "train", "boat", "horse", "dog", "cat", "bird", "fish", "tree", "flower", "cloud",
    "stone", "sand", "fire", "smoke", "glass", "paper", "metal", "wood", "cotton", "sugar", "tea", "milk", "honey",
    "apple", "grape",
)  # fmt: skip
VIRTUES = (
    "(just|please|always|try to|) (play well|play nicely|be nice|be kind|be careful|have fun|win|do your best|play smart|be a good partner|play to win|do well|be clever|cooperate|work together|be friendly|stay calm|focus|think|play it safe|be brave|take risks|make good moves|play like a pro|surprise me|be predictable)",
    "(I|we) (should|must|will|want to) (play well|cooperate|win|do {ap} best|be careful|be smart|have fun|score high|be good|help each other|trust each other|be on the same page)", "do (the right thing|whatever is best|what seems best|what you think is right|your thing|something clever|it|as you please|what you want)",
    "(follow|use) (the|our|my) (convention|rule|instructions|plan|strategy)", "(play|act) (like|as) (a human|an expert|we always do|usual|last time|you normally do)", "(it is|it's) (important|essential) to (cooperate|play well|communicate|win)", "(make|let's make) a good team", "(maximize|increase) (the|our) (score|reward)", "you know what to do",
    "I should {x} .", "help {po}", "be helpful", "let's get (a perfect score|25 points|all the points)", "anything goes", "whatever", "do anything", "no rules today", "~behave yourself", "~let us excel",
)  # fmt: skip
TALK = (
    "(hello|hi|hey|good morning|good evening)( there|)( partner|!|)", "how are you( today|)?", "what (should|shall) (I|we) do?", "what is (your|the) (name|plan|rule|best move|score|time|capital of France)?", "(can|could) you (help me|explain the rules|play)?", "who (goes|starts) first?", "why do (people|you) {x}?", "do you like {x}?", "(thanks|thank you|bye|see you|ok|okay|yes|no|maybe|sure|hmm|never mind|test|N/A|none|null|nothing)",
    "this game is about {x} and {x}", "{x} is {x}", "(the|a) {x} {x} (the|a) {x}", "I (like|love|hate|saw|bought|lost) (a|the|my) {x}", "(yesterday|today|tomorrow) (I|we) (saw|ate|bought) a {x}", "once upon a time there was a {x}", "there are five (colors|numbers|cards|balls|ranks)", "my partner is (nice|a {x}|very good|happy)", "(the|my) {x} is (red|blue|yellow|green|white|one|two)", "colors and numbers", "cards", "(color|rank|play|discard|number|hint|select|ball)s?", "if", "otherwise", "I should", "my partner", "~is anybody {x} here?",
)  # fmt: skip
HIDDEN: dict[str, tuple[str, ...]] = {
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
UNSAYABLE: dict[str, tuple[str, ...]] = {
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
CHANCE = (
    "(half (of |)the time|with probability (0.3|0.5|one third|70%|1/4)|(30|70|80|90) percent of the time|sometimes|every (second|third|fourth) turn|now and then|occasionally|at random|two times out of three|once (a|every) game|(with|at) a chance of (20%|one in five))",
)
OTHER_GAMES = (
    "(open|start) with (e4|d4|the Sicilian|a knight)", "(castle|develop the knights|take the queen) (early|if possible|)", "(fold|raise|call|bluff|check) (weak hands|with aces|before the flop|)", "(always|) (draw|hit) on sixteen", "(buy|build) (hotels|houses|railroads)", "(attack|defend) the (base|flag|tower|left flank)", "(drive|turn) (left|right|faster) (at the corner|)", "pass the ball to {x}", "(shoot|dribble|tackle|score a goal)", "(vote for|accuse) the {x}", "(cook|boil|fry) the {x} for (five|ten) minutes", "translate {x} into French", "write (a poem|an essay|code) about {x}", "summarize the text", "ignore (all|the) previous instructions (and {x}|)",
    "(turn|switch) (on|off) the {x}", "place a stone in the corner", "connect four (in a row|)", "guess the word {x}", "move {x} steps forward", "~roll the dice and move {x}",
)  # fmt: skip
