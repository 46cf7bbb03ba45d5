"""Say-Select (Hu & Sadigh, ICML 2023, Section 5.1): Alice says a number, Bob selects a ball or quits.

Five balls; one to three of them give +1, the others -1, and a taken +1 ball turns to -1. Alice sees the balls and
Bob's last move; Bob sees the last two moves, his own selection and the number just said. The reward is shared, the
episode ends when Bob quits or after ten moves. Nothing tells Bob which balls are good but Alice's numbers, so any
one-to-one code is optimal; only one of them is what a human would expect.

A state is int64[4]: bit mask of the +1 balls, Alice's last number, Bob's last selection (both 0 for none, else
1 to 5) and the moves left. The numba functions at the top are the only copy of the rules; the batched environment
and the tabular learner call the same ones.
"""

import itertools
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from envs.base import Action, Control, Game, Observation, Step
from envs.rng import below, stream
from schemas.errors import UserError
from schemas.observation import SaySelectObservation
from schemas.tools import Tool

NUM_BALLS = 5
MAX_MOVES = 10
MAX_GOOD = 3
QUIT = NUM_BALLS
NUM_ACTIONS = NUM_BALLS + 1  # Bob's; Alice's are the first five, as numbers to say
ALICE, BOB = 0, 1
OBS_SIZE = 1 + NUM_BALLS + 2 * (NUM_BALLS + 1)

LAYOUTS: NDArray[np.int64] = np.array(
    [
        sum(1 << ball for ball in good)
        for count in range(1, MAX_GOOD + 1)
        for good in itertools.combinations(range(NUM_BALLS), count)
    ],
    dtype=np.int64,
)  # [25] every layout as a bit mask, fewest +1 balls first
_FIRST_LAYOUT = np.array([0, 0, 5, 15, 25], dtype=np.int64)  # slice of LAYOUTS with k good balls


@njit(cache=True, nogil=True)
def start(state, layout):  # type: ignore[no-untyped-def]
    """Begin an episode in `state` with the given bit mask of +1 balls."""
    state[0] = layout
    state[1] = 0
    state[2] = 0
    state[3] = MAX_MOVES


@njit(cache=True, nogil=True)
def draw_layout(rng):  # type: ignore[no-untyped-def]
    """Draw how many balls are good (1 to 3, uniform), then which (uniform). `rng`: uint64[1]."""
    count = 1 + below(rng, MAX_GOOD)
    first = _FIRST_LAYOUT[count]
    return LAYOUTS[first + below(rng, _FIRST_LAYOUT[count + 1] - first)]


@njit(cache=True, nogil=True)
def to_act(state):  # type: ignore[no-untyped-def]
    """Return the player to act: Alice on even moves, Bob on odd ones."""
    return (MAX_MOVES - state[3]) % 2


@njit(cache=True, nogil=True)
def apply_move(state, action):  # type: ignore[no-untyped-def]
    """Apply a legal move of the player to act, in place; returns the reward. The episode is over at state[3] == 0."""
    player = to_act(state)
    state[3] -= 1
    if player == ALICE:
        state[1] = action + 1
        return 0
    if action == QUIT:
        state[3] = 0
        return 0
    state[2] = action + 1
    bit = 1 << action
    reward = 1 if state[0] & bit else -1
    state[0] &= ~bit
    return reward


@njit(cache=True, nogil=True)
def alice_sees(state):  # type: ignore[no-untyped-def]
    """Index of what Alice sees, 0 to 191: the balls and Bob's last selection."""
    return state[0] * (NUM_BALLS + 1) + state[2]


@njit(cache=True, nogil=True)
def bob_sees(state):  # type: ignore[no-untyped-def]
    """Index of what Bob sees, 0 to 35: his own last selection and the number last said."""
    return state[2] * (NUM_BALLS + 1) + state[1]


@njit(cache=True, nogil=True)
def _step_batch(state, rng, actions, reward, done, autoreset):  # type: ignore[no-untyped-def]
    for i in range(state.shape[0]):
        reward[i] = 0
        if state[i, 3] > 0:
            reward[i] = apply_move(state[i], actions[i])
        done[i] = state[i, 3] == 0
        if done[i] and autoreset:
            start(state[i], draw_layout(rng[i]))


def human_policy() -> NDArray[np.int64]:
    """Bob as a human expects him, int64[6 own last selections, 5 numbers said]: the number; QUIT on a repeat."""
    table = np.tile(np.arange(NUM_BALLS), (NUM_BALLS + 1, 1))
    table[np.arange(1, NUM_BALLS + 1), np.arange(NUM_BALLS)] = QUIT
    return table


class SaySelect:
    """A batch of Say-Select games, for instance seeds x episodes of them (see envs.base.BatchedEnv)."""

    num_players = 2
    obs_size = OBS_SIZE
    private_size = 0

    def __init__(self, num_envs: int, *, autoreset: bool = True) -> None:
        if num_envs < 1:
            raise UserError(f"num_envs: {num_envs}; at least 1 is needed")
        self.game = GAME
        self.num_envs = num_envs
        self.autoreset = autoreset
        self.board = np.zeros((num_envs, 4), dtype=np.int64)  # layout, last number, last selection, moves left
        self._rng = np.zeros((num_envs, 1), dtype=np.uint64)

    def reset(self, seed: int, layouts: NDArray[np.int64] | None = None) -> Step:
        """Start all episodes anew; `layouts` (bit masks, int64[B]) fixes the balls of the first episodes."""
        if layouts is not None and (layouts.shape != (self.num_envs,) or not np.isin(layouts, LAYOUTS).all()):
            raise UserError(f"layouts: {self.num_envs} bit masks with 1 to {MAX_GOOD} bits of {NUM_BALLS} are needed")
        for i in range(self.num_envs):
            self._rng[i] = stream(seed, i)
            start(self.board[i], draw_layout(self._rng[i]) if layouts is None else layouts[i])
        return self._show(np.zeros(self.num_envs, np.float32), np.zeros(self.num_envs, np.bool_))

    def step(self, actions: NDArray[np.integer]) -> Step:
        """Apply one move a game. Raises UserError naming the first game whose move is not legal."""
        actions = np.asarray(actions)
        if actions.shape != (self.num_envs,):
            raise UserError(f"actions: shape {actions.shape}; expected ({self.num_envs},)")
        player = (MAX_MOVES - self.board[:, 3]) % 2
        wrong = (actions < 0) | (actions >= np.where(player == ALICE, NUM_BALLS, NUM_ACTIONS))
        if wrong.any():
            i = int(np.argmax(wrong))
            legal = "0 to 4 (numbers to say)" if player[i] == ALICE else "0 to 4 (balls) and 5 (quit)"
            raise UserError(f"actions[{i}]: {actions[i]} is not legal; legal are {legal}")
        reward = np.zeros(self.num_envs, np.float32)
        done = np.zeros(self.num_envs, np.bool_)
        _step_batch(self.board, self._rng, actions.astype(np.int64), reward, done, self.autoreset)
        return self._show(reward, done)

    def state(self) -> dict[str, NDArray[Any]]:
        """Return copies of everything that changes, for a checkpoint."""
        return {"board": self.board.copy(), "rng": self._rng.copy()}

    def restore(self, state: dict[str, NDArray[Any]]) -> Step:
        """Go on from what `state` returned; shows the games as they stood, with reward 0."""
        self.board[:], self._rng[:] = state["board"], state["rng"]
        return self._show(np.zeros(self.num_envs, np.float32), self.board[:, 3] == 0)

    def encode(self, offset: int = 0) -> NDArray[np.uint8]:
        """Return what the player `offset` seats after the one to act sees, uint8[B, OBS_SIZE].

        Who is not to act sees no less than at the own turn before: Alice the balls and Bob's last move, Bob his own
        and the number that he heard last.
        """
        layout, said, selected, left = self.board.T
        observer = (MAX_MOVES - left + offset) % 2
        alice = observer == ALICE
        obs = np.zeros((self.num_envs, OBS_SIZE), np.uint8)
        obs[:, 0] = observer
        obs[:, 1 : 1 + NUM_BALLS] = ((layout[:, None] >> np.arange(NUM_BALLS)) & 1) * alice[:, None]
        rows = np.arange(self.num_envs)
        obs[rows, 1 + NUM_BALLS + selected] = 1
        obs[rows, 2 + 2 * NUM_BALLS + said] = ~alice
        return obs

    def _show(self, reward: NDArray[np.float32], done: NDArray[np.bool_]) -> Step:
        said, left = self.board[:, 1], self.board[:, 3]
        player = (MAX_MOVES - left) % 2
        alice = player == ALICE
        legal = np.ones((self.num_envs, NUM_ACTIONS), np.bool_)
        legal[alice, QUIT] = False
        key = np.where(alice, -1, said - 1).astype(np.int32)
        return Step(self.encode(), legal, key, player.astype(np.int32), reward, done)


_TOOLS = (
    Tool(
        name="select",
        description="Select a ball and take its reward.",
        parameters={"ball": tuple(range(1, NUM_BALLS + 1))},
    ),
    Tool(name="quit", description="End the game."),
)


def _select(ball: int) -> frozenset[str]:
    return frozenset({f"select(ball={ball})"})


def _said(observation: Observation) -> int:
    return int(observation.fields["said"])


_INSTRUCTION = "I should select the same number as my partner"
_CONTROLS = (
    Control(f"{_INSTRUCTION}.", lambda o: _select(_said(o))),
    Control("I should always select 4.", lambda o: _select(4)),
    Control(
        "I should never select my partner's number.",
        lambda o: frozenset(a for tool in _TOOLS for a in map(str, tool.calls())) - _select(_said(o)),
    ),
    Control("I should select one higher than my partner's number.", lambda o: _select(_said(o) % NUM_BALLS + 1)),
)

GAME = Game(
    name="say-select",
    tools=_TOOLS,
    actions=tuple(
        Action(call, f"select ball {call.arguments['ball']}" if call.arguments else "quit")
        for tool in _TOOLS
        for call in tool.calls()
    ),
    observations=tuple(
        Observation(f"said={said}", f"My partner said {said}.", {"said": said}) for said in range(1, NUM_BALLS + 1)
    ),
    legal=np.ones((NUM_BALLS, NUM_ACTIONS), dtype=np.bool_),
    observation_model=SaySelectObservation,
    null_observation="N/A",
    default_instruction=f"{_INSTRUCTION}.",
    controls=_CONTROLS,
)
