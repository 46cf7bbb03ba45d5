"""What both Hanabi engines share: checked input, errors in words, and the arrays of a step."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.base import Game, Step
from envs.hanabi_rules import HanabiRules
from schemas.errors import UserError


def checked_decks(rules: HanabiRules, num_envs: int, decks: NDArray[np.integer]) -> NDArray[np.uint8]:
    """Return decks as uint8[num_envs, deck_size]. Raises UserError unless each is an order of the game's cards."""
    decks = np.asarray(decks)
    shape = (num_envs, rules.deck_size)
    if decks.shape != shape or decks.dtype.kind not in "iu":
        raise UserError(f"decks: {decks.dtype} of shape {decks.shape}; expected integers of shape {shape}")
    wrong = (np.sort(decks, axis=1) != rules.sorted_deck).any(axis=1)
    if wrong.any():
        raise UserError(
            f"decks[{int(wrong.argmax())}]: not an order of the deck's {rules.deck_size} cards "
            f"(color * {rules.ranks} + rank, each as often as the rules say)"
        )
    return decks.astype(np.uint8)


def checked_actions(num_envs: int, actions: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return actions as int64[num_envs]. Raises UserError saying what was expected and what came."""
    actions = np.asarray(actions)
    if actions.shape != (num_envs,) or actions.dtype.kind not in "iu":
        raise UserError(f"actions: {actions.dtype} of shape {actions.shape}; expected integers of shape ({num_envs},)")
    return actions.astype(np.int64, copy=False)


def illegal_move(game: Game, where: int | str, action: int, legal: NDArray[np.bool_]) -> UserError:
    """Build the error for an illegal move: where it stands, the move in words, and the legal ones.

    `where` is the index of the game in a batch, or the name of the move if it is not one of a batch.
    """
    allowed = ", ".join(f"{move} {game.actions[move].name}" for move in np.flatnonzero(legal))
    known = 0 <= action < len(game.actions)
    words = f"{action} ({game.actions[action].text})" if known else f"{action}, no move of the game,"
    place = where if isinstance(where, str) else f"actions[{where}]"
    return UserError(f"{place}: {words} is not legal; legal are {allowed}")


def new_step(rules: HanabiRules, num_envs: int, obs_size: int) -> Step:
    """Allocate what a batch shows."""
    return Step(
        obs=np.empty((num_envs, obs_size), np.uint8),
        legal=np.empty((num_envs, rules.num_moves), np.bool_),
        obs_key=np.empty(num_envs, np.int32),
        player=np.empty(num_envs, np.int32),
        reward=np.zeros(num_envs, np.float32),
        done=np.zeros(num_envs, np.bool_),
    )


def checked_step(rules: HanabiRules, num_envs: int, obs_size: int, out: Step) -> Step:
    """Return `out` if a step may write into it. Raises UserError naming the array that does not fit.

    The kernels do not check bounds, so that a wrong shape would overwrite other memory.
    """
    shapes: dict[str, tuple[int, ...]] = {"obs": (num_envs, obs_size), "legal": (num_envs, rules.num_moves)}
    types: dict[str, type] = {"obs": np.uint8, "legal": np.bool_, "reward": np.float32, "done": np.bool_}
    parts: dict[str, NDArray[Any]] = out._asdict()
    for name, part in parts.items():
        shape, dtype = shapes.get(name, (num_envs,)), np.dtype(types.get(name, np.int32))
        if part.shape != shape or part.dtype != dtype or not part.flags.c_contiguous:
            raise UserError(f"out.{name}: {part.dtype} of shape {part.shape}; expected contiguous {dtype} of {shape}")
    return out
