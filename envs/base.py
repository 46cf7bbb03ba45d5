"""The interface that every game meets, in two halves: its language (`Game`) and its batched rules (`BatchedEnv`).

Priors read only a `Game`: the actions as function calls, the distinguishable observations with their texts, and
which actions each observation allows. Learners read only a `BatchedEnv`; the two meet in `Step.obs_key`, the row
of the observation in `Game.observations` and so in the table of the prior.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from schemas.errors import UserError
from schemas.tools import Call, Tool


@dataclass(frozen=True)
class Action:
    """One action of a game: the function call that names it, and how a person would say it."""

    call: Call
    text: str

    @property
    def name(self) -> str:
        """The call as code, for instance select(ball=3)."""
        return str(self.call)


@dataclass(frozen=True)
class Observation:
    """What the prior sees of one moment: a stable key, the text for the model, the fields that the text states."""

    key: str
    text: str
    fields: dict[str, int | str]


@dataclass(frozen=True)
class Control:
    """An instruction whose meaning the game knows: for each observation, the actions that obey it."""

    instruction: str
    obeys: Callable[[Observation], frozenset[str]]


@dataclass(frozen=True)
class Game:
    """The language of a game: everything about it that a prior may know."""

    name: str
    tools: tuple[Tool, ...]
    actions: tuple[Action, ...]
    observations: tuple[Observation, ...]
    legal: NDArray[np.bool_]  # [num_observations, num_actions]
    observation_model: type[BaseModel]
    null_observation: str  # content-free text, for calibration
    default_instruction: str
    controls: tuple[Control, ...] = ()
    index: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "index", {obs.key: row for row, obs in enumerate(self.observations)})

    @property
    def action_names(self) -> list[str]:
        """Names of all actions, in the order of the columns of every table."""
        return [action.name for action in self.actions]

    def intended(self, instruction: str) -> Control | None:
        """Return the control whose wording `instruction` repeats, up to case, spaces and a final stop."""
        return next((c for c in self.controls if _plain(c.instruction) == _plain(instruction)), None)


class Step(NamedTuple):
    """What a batch of environments shows after a reset or a step; B environments, D features, A actions."""

    obs: NDArray[np.uint8]  # [B, D] features of the player to act
    legal: NDArray[np.bool_]  # [B, A]
    obs_key: NDArray[np.int32]  # [B] row in Game.observations; -1 where the prior has no say
    player: NDArray[np.int32]  # [B] player to act
    reward: NDArray[np.float32]  # [B] shared reward of the last move
    done: NDArray[np.bool_]  # [B] the last move ended the episode


class BatchedEnv(Protocol):
    """Rules of a game, stepped for B environments at once; every move of a player is one step.

    Every environment has a stream of randomness of its own, so that its episodes depend on the seed and its index
    alone. With `autoreset` the step that ends an episode already shows the first observation of the next one;
    without it, an ended environment stays as it is (reward 0, done) until the next reset.
    """

    game: Game
    num_envs: int
    num_players: int
    obs_size: int
    private_size: int  # features at the front of an observation that show what a partner cannot see

    def reset(self, seed: int) -> Step:
        """Start all environments anew."""
        ...

    def step(self, actions: NDArray[np.integer]) -> Step:
        """Apply one action, int[B], in every environment."""
        ...

    def state(self) -> dict[str, NDArray[Any]]:
        """Return copies of everything that changes, for a checkpoint; arrays are [B, ...]."""
        ...

    def restore(self, state: dict[str, NDArray[Any]]) -> Step:
        """Go on from what `state` returned; shows the games as they stood, with reward 0."""
        ...


def make_game(name: str) -> Game:
    """Return the language of the named game; raises UserError with the known names."""
    if name == "say-select":
        from envs import say_select

        return say_select.GAME
    from envs.hanabi import PRESETS, make_hanabi_game

    if name not in PRESETS:
        raise UserError(f"--env: unknown game {name!r}; known are {', '.join(['say-select', *PRESETS])}")
    return make_hanabi_game(name)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split()).rstrip(".!")
