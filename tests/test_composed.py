"""Wordings put together: what was written is in the text, its rules are in the program, and nothing else is."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prior.compiler import composed as module
from prior.compiler.composed import composed
from prior.compiler.written import Wording, wordings
from schemas.program import Game, read, write

GAMES: tuple[Game, ...] = ("hanabi", "say-select")


@settings(deadline=None)
@given(seed=st.integers(0, 10**6), game=st.sampled_from(GAMES))
def test_a_composed_text_is_short_and_its_program_is_written_as_all_are(seed: int, game: Game) -> None:
    text, program = composed(game, np.random.default_rng(seed))
    assert 0 < len(text) <= 330
    assert not re.search(r"<[AB]>", text)
    assert write(read(game, program)) == program
    assert not program.startswith("unclear")
    assert (text, program) == composed(game, np.random.default_rng(seed))


def _only(monkeypatch: pytest.MonkeyPatch, kind: str, *options: Wording) -> None:
    for name in ("_single_rules", "_defaults", "_programs", "_small_talk"):
        monkeypatch.setattr(module, name, lambda *game, name=name: tuple(w for w in options if _is(w, name)))
    shares = {"rules": (1.0, 0.0, 0.0), "otherwise": (1.0, 1.0, 0.0), "talk": (0.0, 0.0, 1.0), "taken": (0.0, 0.0, 0.0)}
    monkeypatch.setattr(module, "mirrored", lambda _game, text, program, _rng: (text, program))
    for name, value in zip(("_RULES", "_OTHERWISE", "_TALK"), shares[kind], strict=True):
        monkeypatch.setattr(module, name, value)


def _is(wording: Wording, name: str) -> bool:
    if wording.program == "unclear empty .":
        return name == "_small_talk"
    if name == "_single_rules":
        return wording.program.endswith("else free .")
    if name == "_defaults":
        return wording.program.startswith("else")
    return name == "_programs"


COLOR = Wording("hanabi", "Shown a tint, play what it is about.", "if color play those else free .")
RANK = Wording("hanabi", "A digit bins them", "if rank discard those else free .")
HINT = Wording("hanabi", "Clued at all, toss the eldest.", "if hint discard oldest else free .")
OLDEST = Wording("hanabi", "Toss the eldest.", "else discard oldest .")
TALK = Wording("hanabi", "Lovely weather today", "unclear empty .")


def test_two_rules_that_cannot_meet_are_both_in_text_and_program(monkeypatch: pytest.MonkeyPatch) -> None:
    _only(monkeypatch, "rules", COLOR, RANK)
    text, program = composed("hanabi", np.random.default_rng(0))
    assert program == "if color play those if rank discard those else free ."
    assert "A digit bins them." in text
    assert "Shown a tint, play what it is about." in text


def test_rules_that_one_event_may_meet_are_never_joined() -> None:
    assert module._meet("hanabi", [COLOR.program, HINT.program])
    assert module._meet("hanabi", [COLOR.program, COLOR.program])
    assert not module._meet("hanabi", [COLOR.program, RANK.program])
    assert module._meet("say-select", ["if one quit else free .", "if one two same else free ."])


def test_a_default_follows_the_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    _only(monkeypatch, "otherwise", COLOR, RANK, OLDEST)
    found = [composed("hanabi", np.random.default_rng(seed)) for seed in range(20)]
    assert {program for _, program in found} <= {
        f"{rules}else discard oldest ."
        for rules in ("if color play those ", "if rank discard those ", "if color play those if rank discard those ")
    }
    assert all(text.endswith("Toss the eldest.") for text, _ in found)


def test_what_is_taken_back_is_not_in_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    _only(monkeypatch, "taken", COLOR, OLDEST)
    for seed in range(20):
        text, program = composed("hanabi", np.random.default_rng(seed))
        assert program in (COLOR.program, OLDEST.program)
        assert text.count("<") == 0


def test_talk_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    _only(monkeypatch, "talk", RANK, TALK)
    text, program = composed("hanabi", np.random.default_rng(0))
    assert program == RANK.program
    assert "Lovely weather today." in text


def test_only_wordings_of_training_are_used() -> None:
    known = {wording.text for game in GAMES for wording in wordings(game, True)}
    for game in GAMES:
        assert not known & {w.text for w in (*module._programs(game), *module._small_talk())}
