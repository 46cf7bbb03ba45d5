"""Replay a recorded game of Hanabi: a deck and a list of moves, through the engine, with everything it shows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from envs.hanabi_batch import illegal_move
from envs.hanabi_engine import Hanabi
from envs.hanabi_rules import HanabiRules
from schemas.errors import UserError


@dataclass(frozen=True)
class Replay:
    """What a replayed game of T moves shows; row t of T + 1 is before move t, the last one after the last move."""

    obs: NDArray[np.uint8]  # [T + 1, players, D] what every player sees, by seat
    legal: NDArray[np.bool_]  # [T + 1, A]
    player: NDArray[np.int32]  # [T + 1] to act
    score: NDArray[np.int64]  # [T + 1]
    information_tokens: NDArray[np.int32]  # [T + 1]
    life_tokens: NDArray[np.int32]  # [T + 1]
    reward: NDArray[np.float32]  # [T] of each move
    done: bool  # the game is over after the last move


def replay(
    rules: HanabiRules, deck: Sequence[int | str | Sequence[int]], moves: Sequence[int], start_player: int = 0
) -> Replay:
    """Deal a deck and make the moves.

    `deck`: cards in the order of dealing, as HanabiRules.deck takes them (names, numbers or pairs): HLE deals the
    first player a whole hand, then the next one. If cards are missing at the end, the rest follows sorted. `moves`:
    HLE's move uids. `start_player` needs rules with `random_start_player` unless it is 0.
    Raises UserError naming the first card that is not in the deck, or the first move that is not legal or comes
    after the end.
    """
    if not 0 <= start_player < (rules.players if rules.random_start_player else 1):
        raise UserError(f"start_player: {start_player}; these rules let player 0 begin")
    env = Hanabi(1, rules, autoreset=False)
    deal = rules.deck(deck)[None]
    # The first player comes from the stream of the game: try seeds until it is the recorded one.
    seed = 0
    shown = env.reset(seed, deal)
    while shown.player[0] != start_player:
        seed += 1
        shown = env.reset(seed, deal)
    obs, reward = [_all_see(env)], []
    legal, player = [shown.legal[0]], [shown.player[0]]
    counts = [(env.scores[0], env.information_tokens[0], env.life_tokens[0])]
    for turn, move in enumerate(moves):
        if shown.done[0]:
            raise UserError(f"moves[{turn}]: {move}; the game is over after {turn} moves and {len(moves)} are listed")
        if isinstance(move, bool) or not isinstance(move, int | np.integer):
            raise UserError(f"moves[{turn}]: {move!r}; the uid of a move, from 0 to {rules.num_moves - 1}, is needed")
        if not (0 <= move < rules.num_moves and shown.legal[0, move]):
            raise illegal_move(env.game, f"moves[{turn}]", int(move), shown.legal[0])
        shown = env.step(np.array([move]))
        obs.append(_all_see(env))
        reward.append(shown.reward[0])
        legal.append(shown.legal[0])
        player.append(shown.player[0])
        counts.append((env.scores[0], env.information_tokens[0], env.life_tokens[0]))
    score, information, lives = np.array(counts).T
    return Replay(
        obs=np.stack(obs),
        legal=np.stack(legal),
        player=np.array(player, np.int32),
        score=score.astype(np.int64),
        information_tokens=information.astype(np.int32),
        life_tokens=lives.astype(np.int32),
        reward=np.array(reward, np.float32),
        done=bool(shown.done[0]),
    )


def _all_see(env: Hanabi) -> NDArray[np.uint8]:
    """Return what every player sees, uint8[players, D], by seat."""
    acting = int(env.player[0])
    return np.stack([env.encode(seat - acting)[0] for seat in range(env.num_players)])
