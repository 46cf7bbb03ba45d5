"""Many games of Hanabi at once between any policies, and the record of what happened in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.hanabi_engine import Hanabi
from envs.hanabi_rules import HanabiRules
from rl.policy import Policy
from schemas.errors import UserError

NO_CARD, UNKNOWN, COLOR_KNOWN, RANK_KNOWN, BOTH_KNOWN = range(-1, 4)


@dataclass(frozen=True)
class Games:
    """N games of up to T moves; what stands after a game's end (`alive` False) means nothing.

    Partner k, in the order of `play`, sits in seat (k + n) % players of game n: partners take turns at beginning.
    """

    rules: HanabiRules
    player: NDArray[np.int8]  # [T, N] seat to act
    action: NDArray[np.int16]  # [T, N] move in HLE's order
    obs_key: NDArray[np.int32]  # [T, N] the last move as the player saw it: row in Game.observations
    legal: NDArray[np.bool_]  # [T, N, A]
    knowledge: NDArray[np.int8]  # [T, N] what hints had named of the played card: UNKNOWN.. BOTH_KNOWN; NO_CARD if none
    reward: NDArray[np.float32]  # [T, N] of the move
    log_probs: NDArray[np.float32]  # [T, N, A] the player's, where the seat has them; else nan
    alive: NDArray[np.bool_]  # [T, N] the move was made
    scores: NDArray[np.int64]  # [N]
    lives: NDArray[np.int64]  # [N] left at the end

    @property
    def partner(self) -> NDArray[np.int64]:
        """Index of the partner who moved, int64[T, N]."""
        return (self.player - np.arange(self.player.shape[1])) % self.rules.players

    @property
    def lives_lost(self) -> NDArray[np.int64]:
        """Life tokens lost in every game, int64[N]."""
        return self.rules.max_life_tokens - self.lives


def play(env: Hanabi, partners: Sequence[Policy], seed: int) -> Games:
    """Play every game of `env` to its end; for self-play name a policy once for every seat.

    `seed` decides decks and draws: the same seed, policies and number of games give the same record.
    Raises UserError if `env` resets by itself, or if there is not one partner a seat.
    """
    if env.autoreset:
        raise UserError("env: it resets by itself; a record of whole games needs autoreset=False")
    if len(partners) != env.num_players:
        raise UserError(f"partners: {len(partners)} of them; one for each of the {env.num_players} seats is needed")
    step = env.reset(seed)
    seeds = np.random.SeedSequence(seed).generate_state(len(partners))
    seats = [policy.sit(env.num_envs, int(draw)) for policy, draw in zip(partners, seeds, strict=True)]
    games = np.arange(env.num_envs)
    moves: list[dict[str, NDArray[Any]]] = []
    while not step.done.all():
        alive = ~step.done
        partner = (step.player - games) % env.num_players
        action = np.zeros(env.num_envs, np.int64)
        log_probs = np.full(step.legal.shape, np.nan, np.float32)
        for k, seat in enumerate(seats):
            rows = np.flatnonzero(alive & (partner == k))
            if not len(rows):
                continue
            action[rows] = seat.act(step, rows)
            if seat.log_probs is not None:
                log_probs[rows] = seat.log_probs
        knowledge = _knowledge(env, step.player, action)
        before, step = step, env.step(action)
        moves.append(
            {
                "player": before.player.astype(np.int8),
                "action": action.astype(np.int16),
                "obs_key": before.obs_key,
                "legal": before.legal,
                "knowledge": knowledge,
                "reward": step.reward,
                "log_probs": log_probs,
                "alive": alive,
            }
        )
    record = {name: np.stack([move[name] for move in moves]) for name in moves[0]}
    return Games(rules=env.rules, scores=env.scores, lives=env.life_tokens.astype(np.int64), **record)


def _knowledge(env: Hanabi, player: NDArray[np.int32], action: NDArray[np.int64]) -> NDArray[np.int8]:
    """Tell what hints have named of the card that is about to be played, int8[N]; NO_CARD where none is."""
    rules = env.rules
    card = action - rules.hand_size  # plays come after the discards
    plays = (card >= 0) & (card < rules.hand_size)
    known = env.table.known[np.arange(env.num_envs), player, np.where(plays, card, 0), rules.max_score :]
    color, rank = known[:, : rules.colors].any(1), known[:, rules.colors :].any(1)
    return np.where(plays, color * COLOR_KNOWN + rank * RANK_KNOWN, NO_CARD).astype(np.int8)
