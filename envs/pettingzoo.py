"""Every game as a PettingZoo AEC environment with action masks: `make_aec("hanabi")`.

One game of our batched engines (num_envs = 1, no autoreset) behind the field's common interface; the rules are not
written again here. The game is cooperative: every agent gets every reward.
"""

from typing import Any

import numpy as np

from envs.base import make_game
from envs.say_select import SaySelect
from schemas.errors import UserError

try:
    from gymnasium import spaces
    from pettingzoo import AECEnv
except ImportError:
    raise UserError("envs.pettingzoo: PettingZoo is not installed; pip install 'instructrl[pettingzoo]'") from None

_MAX_SEED = 2**63


class GameAEC(AECEnv):
    """One game. Observations are dicts of `observation`, uint8[D], and `action_mask`, int8[A].

    The mask is all 0 for an agent that is not to act, as in PettingZoo's own card games. `reset(seed=None)` draws a
    seed from the system; the same seed gives the same game. An illegal move raises UserError.
    """

    def __init__(self, name: str, players: int = 2, render_mode: str | None = None) -> None:
        super().__init__()
        self.metadata = {"name": f"{name}_v0", "render_modes": ["ansi"], "is_parallelizable": False}
        if render_mode not in (None, "ansi"):
            raise UserError(f"render_mode: {render_mode!r}; known are None, 'ansi'")
        self.render_mode = render_mode
        self._env: Any = _engine(name, players)
        self.possible_agents = [f"player_{i}" for i in range(self._env.num_players)]
        self.agents: list[str] = []
        self._seat = {agent: i for i, agent in enumerate(self.possible_agents)}
        num_actions = len(self._env.game.actions)
        observation = spaces.Dict(
            {
                "observation": spaces.Box(0, 1, (self._env.obs_size,), np.uint8),
                "action_mask": spaces.Box(0, 1, (num_actions,), np.int8),
            }
        )
        self.observation_spaces = {agent: observation for agent in self.possible_agents}
        self.action_spaces = {agent: spaces.Discrete(num_actions) for agent in self.possible_agents}
        self._last_move = ""

    def observation_space(self, agent: str) -> Any:
        """Return the agent's observation space, always the same object."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Any:
        """Return the agent's action space, always the same object."""
        return self.action_spaces[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        """Start a new game."""
        if seed is None:
            seed = int(np.random.SeedSequence().generate_state(1, np.uint64)[0] % _MAX_SEED)
        self._step = self._env.reset(seed)
        self._last_move = ""
        self.agents = list(self.possible_agents)
        self.rewards = dict.fromkeys(self.agents, 0.0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0.0)
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, False)
        self.infos: dict[str, dict[str, Any]] = {agent: {} for agent in self.agents}
        self.agent_selection = self.possible_agents[int(self._step.player[0])]

    def observe(self, agent: str) -> dict[str, Any]:
        """Return what an agent sees now, whether or not it is to act."""
        to_act = int(self._step.player[0])
        offset = (self._seat[agent] - to_act) % len(self.possible_agents)
        acts = offset == 0 and not self._step.done[0]
        mask = self._step.legal[0].astype(np.int8) if acts else np.zeros_like(self._step.legal[0], np.int8)
        return {"observation": self._env.encode(offset)[0].copy(), "action_mask": mask}

    def step(self, action: int | None) -> None:
        """Play the selected agent's move; None when the game is over."""
        agent = self.agent_selection
        if self.terminations[agent] or self.truncations[agent]:
            self._was_dead_step(action)
            return
        self._cumulative_rewards[agent] = 0.0
        self._step = self._env.step(np.array([action]))
        self._last_move = f"{agent}: {self._env.game.actions[int(action or 0)].text}"
        self.rewards = dict.fromkeys(self.agents, float(self._step.reward[0]))
        if self._step.done[0]:
            self.terminations = dict.fromkeys(self.agents, True)
            self.agent_selection = self.agents[(self._seat[agent] + 1) % len(self.agents)]
        else:
            self.agent_selection = self.possible_agents[int(self._step.player[0])]
        self._accumulate_rewards()

    def render(self) -> str | None:
        """Return the last move in words with render_mode "ansi"; nothing otherwise."""
        return self._last_move if self.render_mode == "ansi" else None

    def close(self) -> None:
        """Nothing is held open."""


def make_aec(name: str, players: int = 2, render_mode: str | None = None) -> GameAEC:
    """Return a game by name: say-select (two players) or a Hanabi preset. Raises UserError naming the known games."""
    return GameAEC(name, players, render_mode)


def _engine(name: str, players: int) -> Any:
    make_game(name)  # names the known games if this is none
    if name == "say-select":
        if players != 2:
            raise UserError(f"players: {players}; say-select is for 2")
        return SaySelect(1, autoreset=False)
    from envs.hanabi import make_hanabi

    return make_hanabi(name, 1, players=players, autoreset=False)
