"""Recorded games of Hanabi, from HLE itself, replayed through the engine; and records that cannot be."""

import numpy as np
import pytest
from hanabi_learning_environment import pyhanabi

from envs.hanabi_rules import HanabiRules
from envs.replay import replay
from schemas.errors import UserError

SMALL = HanabiRules(colors=2, hand_size=2, max_information_tokens=3)


def record(rules, rng):
    """Let HLE play a random game: the cards as it dealt them, by name, and everything it showed."""
    game = pyhanabi.HanabiGame(rules.hle_parameters())
    encoder, state = pyhanabi.ObservationEncoder(game), game.new_initial_state()
    moves, obs, scores, players = [], [], [], []
    while True:
        while state.cur_player() == pyhanabi.CHANCE_PLAYER_ID:
            state.deal_random_card()
        obs.append([encoder.encode(state.observation(p)) for p in range(rules.players)])
        scores.append(state.score())
        players.append(state.cur_player())
        if state.is_terminal():
            break
        uids = [game.get_move_uid(move) for move in state.legal_moves()]
        moves.append(int(rng.choice(uids)))
        state.apply_move(game.get_move(moves[-1]))
    deals = [h.move() for h in state.move_history() if h.move().type() == pyhanabi.HanabiMoveType.DEAL]
    deck = [f"{'RYGWB'[move.color()]}{move.rank() + 1}" for move in deals]
    return deck, moves, obs, scores, players


@pytest.mark.parametrize(
    "rules",
    [
        HanabiRules(),
        HanabiRules(players=5),
        SMALL,
        HanabiRules(players=3, colors=3, ranks=3, hand_size=5),
        HanabiRules(players=4, random_start_player=True),
    ],
)
def test_replays_what_hle_has_recorded(rules):
    rng = np.random.default_rng(0)
    for _ in range(5):
        deck, moves, obs, scores, players = record(rules, rng)
        game = replay(rules, deck, moves, start_player=players[0])
        assert game.obs.tolist() == obs
        assert game.score.tolist() == scores and game.player.tolist() == players
        assert game.reward.tolist() == np.diff(scores).tolist()
        assert game.done and len(game.legal) == len(moves) + 1


def test_cards_may_be_numbers_and_a_record_may_be_unfinished():
    names = ["R1", "R1", "Y1", "R2"]
    by_name, by_number = replay(SMALL, names, [2, 3]), replay(SMALL, [0, 0, 5, 1], [2, 3])
    assert np.array_equal(by_name.obs, by_number.obs)
    assert by_name.reward.tolist() == [1, 1] and by_name.score.tolist() == [0, 1, 2] and not by_name.done
    nothing = replay(SMALL, [], [])
    assert len(nothing.obs) == 1 and nothing.reward.shape == (0,)


@pytest.mark.parametrize(
    ("deck", "moves", "start", "message"),
    [
        (["B1"], [], 0, "deck: card 0, 'B1', is not in the deck"),
        (["R1"], [2, 0], 0, r"moves\[1\]: 0 \(discard my card A\) is not legal; legal are 2"),
        (["R1"], [99], 0, r"moves\[0\]: 99, no move of the game, is not legal; legal are 2 play\(card=A\)"),
        (["R1"], ["play A"], 0, r"moves\[0\]: 'play A'; the uid of a move, from 0 to 10, is needed"),
        (["R1", "R1", "R1", "R1"], [], 0, "deck: card 3"),
        (["R5", "R4", "Y5", "Y4"], [2, 2, 2, 2], 0, r"moves\[3\]: 2; the game is over after 3 moves and 4 are listed"),
        ([], [], 1, "start_player: 1; these rules let player 0 begin"),
    ],
)
def test_records_that_cannot_be(deck, moves, start, message):
    with pytest.raises(UserError, match=message):
        replay(SMALL, deck, moves, start)
