"""The compiler's data: a text has one program, held-out words stay out, and changed texts keep their meaning."""

import re

import numpy as np
import pytest

from prior.compiler import hanabi_events, say_select_data, sentences
from prior.compiler.compile import fingerprint
from prior.compiler.composed import _same_voice
from prior.compiler.data import Pair, _names_actor, pair
from prior.compiler.evalsets import DEV, SETS, read_set
from prior.compiler.hanabi_words import banned
from prior.compiler.mirror import SWAPS
from prior.compiler.ngrams import NearestNgrams
from prior.compiler.writer import VOICES, Writer, gerund, slips, third_person
from prior.compiler.written import Wording, wordings
from schemas.convention import Do, When
from schemas.errors import UserError
from schemas.program import read, write


def test_every_pair_is_a_program_that_executes():
    games, refused = set(), 0
    for seed in range(400):
        item = pair(seed)
        meaning = read(item.game, item.program)
        assert fingerprint(meaning) is not None, item
        assert write(meaning) == item.program
        games.add(item.game)
        refused += isinstance(meaning, str)
    assert games == {"hanabi", "say-select"} and 40 < refused < 150


def test_an_answer_without_a_contrast_is_not_searched_for_ever():
    """Every answer may be meant by `opposite or quit` at some number; drawing another once hung the training."""
    selections = [read("say-select", f"else {text} .").otherwise for text in ("same or above", "opposite or quit")]
    found = say_select_data._other(Writer(np.random.default_rng(0), False), selections[0])
    assert found.then and not set(found.then) & set(selections[0].then)
    with pytest.raises(LookupError, match="apart"):
        say_select_data._other(Writer(np.random.default_rng(0), False), selections[1])


def test_pairs_depend_on_their_seed_alone_and_hardly_repeat():
    assert [pair(k) for k in (3, 1, 2)] == [pair(3), pair(1), pair(2)]
    texts = {pair(k).instruction for k in range(400)}
    assert len(texts) > 380


def test_held_out_words_are_never_in_training():
    words = re.compile(r"\b(hue|digit|parrot|bow out|parr|chuck|abstain)\b")
    assert not any(words.search(pair(k, written=0).instruction.lower()) for k in range(600))
    assert any(words.search(pair(k, held_out=True, written=0).instruction.lower()) for k in range(100))


def test_the_wording_of_the_paper_is_not_in_training():
    published = "if my partner tells me the color of some of my cards i should play those specific cards"
    grams = {tuple(published.split()[k : k + 7]) for k in range(len(published.split()) - 6)}
    for seed in range(1500):
        words = re.findall(r"[a-z]+", pair(seed).instruction.lower())
        assert not grams & {tuple(words[k : k + 7]) for k in range(len(words) - 6)}


def test_written_wordings_keep_their_meaning_whatever_is_chosen():
    rng = np.random.default_rng(0)
    wording = Wording("hanabi", "(Green|Any) {color} or {ns}: {nth}(!|)", "if color {color} play {card} else free .")
    for _ in range(50):
        text, program = wording.draw(rng)
        words = text.removesuffix("!").split()
        place = {"1": "A", "f": "A", "2": "B", "s": "B", "3": "C", "t": "C", "4": "D", "5": "E"}
        letter = {"fourth": "D", "fifth": "E"}.get(words[-1]) or place[words[-1][0]]
        color = words[1].strip(":")
        assert words[0] in ("Green", "Any") and program == f"if color {color} play {letter} else free ."
    with pytest.raises(UserError, match="program"):
        Wording("say-select", "a", "if color play those else free .").draw(rng)


@pytest.mark.parametrize("game", ["hanabi", "say-select"])
def test_every_written_wording_has_a_program_that_executes(game):
    rng = np.random.default_rng(0)
    ours, theirs = wordings(game, held_out=False), wordings(game, held_out=True)
    assert len(ours) > 5 * len(theirs) > 100 and not {w.text for w in ours} & {w.text for w in theirs}
    sealed = [_threes(case.instruction) for name in (*SETS, DEV) for case in read_set(name)]
    for wording in (*ours, *theirs):
        text, program = wording.draw(rng)
        assert text and not re.search(r"\{\w+\}|\([^()]*\|", text), wording
        assert fingerprint(read(game, program)) is not None, wording
        said = _threes(text)
        assert not said or all(len(said & other) <= 0.9 * max(4, min(len(said), len(other))) for other in sealed)


def _threes(text):
    words = re.findall(r"[a-z0-9]+", text.lower())
    return {tuple(words[k : k + 3]) for k in range(len(words) - 2)}


def test_words():
    w = Writer(np.random.default_rng(0))
    assert w.say("(a|a) {x}, b", x="(kept)") == "a (kept), b"
    assert [third_person(v) for v in ("tell", "discard", "pass", "be", "go")] == [
        "tells",
        "discards",
        "passes",
        "is",
        "goes",
    ]
    assert gerund("give them a hint") == "giving them a hint" and gerund("put it down") == "putting it down"
    rng = np.random.default_rng(1)
    assert {len(slips("Play the hinted cards.", rng)) for _ in range(200)} > {22}


def test_the_control_finds_its_own_training_texts():
    pairs = [pair(k) for k in range(60)]
    control = NearestNgrams(pairs)
    item = max(pairs, key=lambda p: len(p.instruction))
    assert control.answer(item.game, item.instruction) == item.program


def test_a_hint_keeps_its_kind_where_its_cards_are_told():
    w = Writer(np.random.default_rng(0))
    kinds = {"hint_color": "colou?r|suit", "hint_rank": "rank|number|value", "hint": "hint|clue|cue"}
    for kind, words in kinds.items():
        for detail in ({"fewest": 2}, {"card": "oldest"}):
            for noun in (False, True) * 40:
                assert re.search(words, hanabi_events.event(w, When(happened=kind, **detail), noun))


def test_a_hidden_condition_is_never_told_as_a_fact():
    assert set(sentences._FACTS) < set(sentences._BOTH)
    w, answer = Writer(np.random.default_rng(0)), sentences.Answer((lambda v: "hint a rank",))
    texts = [
        sentences.rule(w, lambda v, noun: "the case that it rains" if noun else "it rains", answer, fact=False)
        for _ in range(300)
    ]
    assert not [t for t in texts if re.search("it rains, (so|and) |Seeing that it rains", t)]


def test_a_ban_bans_the_whole():
    w = Writer(np.random.default_rng(0))
    texts = [banned(w, Do(action="play", cards=cards)) for cards in ("hinted", "any") * 100]
    assert not [t for t in texts if re.search(r"\b(all|each|every|only|just|exactly|some|something)\b", t)]


def test_what_is_said_of_a_third_person_names_it():
    w = Writer(np.random.default_rng(0))
    w.voice = next(voice for voice in VOICES if voice.a == "Bob")
    texts = ["After a hint, discard a card in his hand.", "Bob plays those, BOB must."]
    assert [_names_actor(Pair("hanabi", text, "else free ."), w) for text in texts] == [False, True]


def test_a_mirror_turns_only_what_the_program_says():
    (direction,) = SWAPS["say-select"]
    assert direction.applies("Go up by one.", "else plus one .")
    assert not direction.applies("Never give up: no quitting.", "else never quit .")
    assert not direction.applies("Take 6 minus it.", "else opposite .")
    ends = SWAPS["hanabi"][1]
    assert ends.applies("Play the leftmost of them.", "if hint play left else free .")
    assert not ends.applies("I have one life left: never play.", "else never play any .")


@pytest.mark.parametrize(
    ("texts", "joined"),
    [
        (["When I hint a color you play those.", "If I discard, you hint a rank."], True),
        (["A color hint: play those.", "Discard your oldest after a discard."], True),
        (["When I hint a color you play those.", "When you discard I hint a rank."], False),
        (["Right after I discard, point out a playable card.", "Clued a color I play those."], False),
        (["If my partner discards, I play.", "Discard the oldest after a rank."], False),
    ],
)
def test_rules_are_joined_only_if_i_is_one_person(texts, joined):
    assert _same_voice(texts) is joined
