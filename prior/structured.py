"""The structured prior: the probability that the model writes each legal function call, scored as a whole string."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from envs.base import Game
from prior import prompts
from prior.backends.base import Backend
from prior.scoring import log_distribution
from schemas.config import PriorConfig
from schemas.errors import UserError
from schemas.tools import Call


class Structured:
    """Function calling with exact scores; the default method."""

    version: str

    def __init__(self, game: Game, backend: Backend, config: PriorConfig) -> None:
        self._game, self.backend, self._config = game, backend, config
        self.version = f"{prompts.STRUCTURED_VERSION}/{config.template}"
        self.candidates = [action.call.json_text() for action in game.actions]
        if config.template != "raw" and not hasattr(backend, "chat_text"):
            raise UserError(
                f"--template {config.template}: backend {backend.name} has no chat templates; transformers has"
            )

    def prompt(self, instruction: str, observation: str) -> str:
        """Return the prompt that the calls are scored after."""
        if self._config.template == "raw":
            return prompts.structured(self._game, instruction, observation)
        return self._chat(instruction, observation, None)

    def _chat(self, instruction: str, observation: str, call: Call | None) -> str:
        """Render the question as chat messages and, with `call`, the assistant's tool call after it."""
        tools = None
        messages = prompts.structured_messages(self._game, instruction, observation)
        if self._config.template == "tools":
            tools = [tool.json_tool() for tool in self._game.tools]
            messages = messages[-1:]
        if call is not None:
            function = {"name": call.name, "arguments": call.arguments}
            messages = [*messages, {"role": "assistant", "tool_calls": [{"type": "function", "function": function}]}]
        return str(self.backend.chat_text(messages, tools, answer=call is None))  # type: ignore[attr-defined]

    def answers(self) -> list[str]:
        """Return the text of each action's call as the model would write it after the prompt."""
        if self._config.template != "tools":
            return self.candidates
        prompt = self._chat("", "", None)
        texts = [self._chat("", "", action.call) for action in self._game.actions]
        if not all(text.startswith(prompt) and len(text) > len(prompt) for text in texts):
            raise UserError("--template tools: the model's template does not append tool calls; use --template chat")
        return [text.removeprefix(prompt) for text in texts]

    def scores(self, instruction: str, texts: Sequence[str], legal: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return log-probabilities float64[N, A], -inf where not legal; `instruction` may be empty (the null)."""
        rows = self.backend.score([self.prompt(instruction, text) for text in texts], self.answers())
        kind = self._config.normalization
        return np.array([log_distribution(row, ok, kind) for row, ok in zip(rows, legal, strict=True)])

    def finish(self, raw: NDArray[np.float64], legal: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Scores are log-probabilities already."""
        return raw
