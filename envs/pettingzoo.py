"""Say-Select and Hanabi as PettingZoo environments, in which agents act one after the other (AEC).

    env = make_aec("hanabi-mini", players=2)
    env.reset(seed=7)
    for agent in env.agent_iter():
        seen, reward, terminated, truncated, info = env.last()
        env.step(None if terminated else env.action_space(agent).sample(seen["action_mask"]))

They run on a batch of one game of our engines. PettingZoo is an optional dependency: importing this module without
it raises UserError that says how to install it.
"""

import operator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.base import Step
from envs.hanabi import PRESETS, make_hanabi_game, preset
from envs.hanabi_batch import illegal_move
from envs.hanabi_engine import Hanabi
from envs.hanabi_view import view, view_text
from envs.say_select import ALICE, MAX_MOVES, NUM_BALLS, SaySelect
from schemas.errors import UserError

try:
    from gymnasium import spaces
    from pettingzoo import AECEnv
except ModuleNotFoundError as error:
    raise UserError(
        f"pettingzoo: {error.name} is not installed; pip install 'instructrl[pettingzoo]' brings it"
    ) from None

NAMES = ("say-select", *PRESETS)
Seen = dict[str, NDArray[Any]]  # observation: uint8[D], action_mask: int8[A]


def make_aec(name: str, players: int = 2, render_mode: str | None = None) -> "OneGame":
    """Return a game as an AEC environment; `render_mode` None or "ansi".

    Raises UserError naming what is known if the name, the number of players or the render mode is not.
    """
    if name == "say-select":
        if players != 2:
            raise UserError(f"players: {players}; say-select has 2")
        return SaySelectAEC(SaySelect(1, autoreset=False), name, render_mode)
    if name not in PRESETS:
        raise UserError(f"name: unknown game {name!r}; known are {', '.join(NAMES)}")
    game = make_hanabi_game(name, players)
    return HanabiAEC(Hanabi(1, preset(name, players), autoreset=False, game=game), name, render_mode)


class OneGame(AECEnv[str, Seen, int]):
    """One game of a batched engine. Agents are player_0, player_1 and so on, in the order of their seats.

    Observations are a dict of `observation`, uint8[D] of zeros and ones, and `action_mask`, int8[A], which is all
    zero for who is not to act and after the end. Rewards are shared: every agent gets that of every move. Games
    end by their own rules alone, so that terminations are all set together and truncations never.
    """

    def __init__(self, engine: SaySelect | Hanabi, name: str, render_mode: str | None) -> None:
        super().__init__()
        modes: list[str] = ["ansi"]
        if render_mode is not None and render_mode not in modes:
            raise UserError(f"render_mode: {render_mode!r}; known are None, 'ansi'")
        self.metadata = {
            "name": f"{name.replace('-', '_')}_v0",
            "render_modes": modes,
            "is_parallelizable": False,
        }
        self.render_mode = render_mode
        self.engine = engine
        self.possible_agents = [f"player_{seat}" for seat in range(engine.num_players)]
        self.agents: list[str] = []
        moves = len(engine.game.actions)
        self.action_spaces = {agent: spaces.Discrete(moves) for agent in self.possible_agents}
        self.observation_spaces = {
            agent: spaces.Dict(
                {
                    "observation": spaces.Box(0, 1, (engine.obs_size,), np.uint8),
                    "action_mask": spaces.Box(0, 1, (moves,), np.int8),
                }
            )
            for agent in self.possible_agents
        }
        self._seeds = np.random.default_rng()
        self._shown: Step | None = None

    def observation_space(self, agent: str) -> spaces.Dict:
        """Return the space of an agent's observations, the same object at every call."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Discrete:
        """Return the space of an agent's moves, the same object at every call."""
        return self.action_spaces[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        """Start a new game; `options` are ignored.

        The game of a seed is that of a batch of one with this seed. Without a seed, games differ; those that follow
        a seeded one are reproducible too, as is usual in PettingZoo. Raises UserError if the seed is negative.
        """
        if seed is None:
            seed = int(self._seeds.integers(2**63))
        elif operator.index(seed) < 0:
            raise UserError(f"seed: {seed}; a whole number at least 0 is needed")
        else:
            seed = operator.index(seed)
            self._seeds = np.random.default_rng(seed)
        self._shown = self.engine.reset(seed)
        self.agents = list(self.possible_agents)
        self.rewards = dict.fromkeys(self.agents, 0.0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0.0)
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, False)
        self.infos: dict[str, dict[str, Any]] = {agent: {} for agent in self.agents}
        self.agent_selection = self.possible_agents[self._player()]
        # What PettingZoo remembers of the order in which ended agents step; the last game may have left some.
        self._skip_agent_selection = None

    def step(self, action: int | None) -> None:
        """Make the move of the agent to act; None once it has terminated.

        Raises UserError if the move is not legal, naming it and the legal ones in words; nothing has changed then.
        """
        self._step_now()
        if not self.agents:
            raise UserError("step: the game is over; call reset first")
        agent = self.agent_selection
        if self.terminations[agent]:
            if action is not None:
                raise UserError(f"step: {action}; the game is over, and {agent} can only step with None")
            self._was_dead_step(action)
            return
        move = self._checked(agent, action)
        shown = self._shown = self.engine.step(np.array([move]))
        self._cumulative_rewards[agent] = 0.0
        self.rewards = dict.fromkeys(self.agents, float(shown.reward[0]))
        self.terminations = dict.fromkeys(self.agents, bool(shown.done[0]))
        self._accumulate_rewards()
        self.agent_selection = self.possible_agents[self._player()]
        self._deads_step_first()

    def observe(self, agent: str) -> Seen:
        """Return what an agent sees, to act or not. Raises UserError naming the agents if there is no such agent."""
        shown = self._step_now()
        if agent not in self.possible_agents:
            raise UserError(f"agent: {agent!r}; known are {', '.join(self.possible_agents)}")
        offset = self.possible_agents.index(agent) - self._player()
        to_act = offset == 0 and not shown.done[0]
        mask = shown.legal[0].astype(np.int8) if to_act else np.zeros(shown.legal.shape[1], np.int8)
        return {"observation": self.engine.encode(offset)[0], "action_mask": mask}

    def render(self) -> str | None:
        """Return the game in words as the player to act sees it; None without a render mode."""
        if self.render_mode is None:
            return None
        shown = self._step_now()
        if shown.done[0]:
            return f"{self._words()}\nThe game is over."
        return f"{self.possible_agents[self._player()]} is to act and sees:\n{self._words()}"

    def close(self) -> None:
        """Do nothing: there is nothing to release."""

    def _words(self) -> str:
        """Tell what the player to act sees."""
        raise NotImplementedError

    def _illegal(self, agent: str, move: int, legal: NDArray[np.bool_]) -> UserError:
        return illegal_move(self.engine.game, f"{agent}'s action", move, legal)

    def _step_now(self) -> Step:
        """Return the last step. Raises UserError before the first reset."""
        if self._shown is None:
            raise UserError("the game has not begun; call reset first")
        return self._shown

    def _player(self) -> int:
        return int(self._step_now().player[0])

    def _checked(self, agent: str, action: Any) -> int:
        """Return a legal move as int. Raises UserError if it is none."""
        try:
            move = operator.index(action)
        except TypeError:
            raise UserError(f"{agent}'s action: {action!r}; the number of a move is needed") from None
        legal = self._step_now().legal[0]
        if not (0 <= move < len(legal) and legal[move]):
            raise self._illegal(agent, move, legal)
        return move


class HanabiAEC(OneGame):
    """A game of Hanabi; the observation is HLE's canonical one, the moves have HLE's numbers."""

    engine: Hanabi

    def _words(self) -> str:
        seen = view(self.engine, 0, int(self._step_now().obs_key[0]))
        return f"{view_text(seen)}\nScore: {self.engine.scores[0]} of {self.engine.rules.max_score}."


class SaySelectAEC(OneGame):
    """A game of Say-Select: player_0 is Alice, who says a number, and player_1 Bob, who selects a ball or quits.

    Both have six moves; the sixth, quit, is never legal for Alice.
    """

    engine: SaySelect

    def _words(self) -> str:
        layout, said, selected, left = map(int, self.engine.board[0])
        if self._player() == ALICE:
            good = [str(ball + 1) for ball in range(NUM_BALLS) if layout >> ball & 1]
            lines = [f"I am Alice. Balls that give +1: {', '.join(good) or 'none'}."]
            lines.append(f"My partner selected ball {selected} last." if selected else "Nothing is selected yet.")
        else:
            mine = f"I selected ball {selected} last." if selected else "I have selected nothing yet."
            lines = [f"I am Bob. {mine}"]
            lines.append(f"My partner said {said}.")
        return "\n".join([*lines, f"{left} of {MAX_MOVES} moves are left."])

    def _illegal(self, agent: str, move: int, legal: NDArray[np.bool_]) -> UserError:
        if self._player() != ALICE:
            return super()._illegal(agent, move, legal)
        words = ", ".join(f"{k} say {k + 1}" for k in range(NUM_BALLS))
        return UserError(f"{agent}'s action: {move} is not legal; legal are {words}")
