"""The paper's prior for Say-Select (Section 5.1): the likelihood of each number as the continuation of a sentence."""

from envs.base import Game
from prior import prompts
from prior.backends.base import Backend
from prior.structured import Structured
from schemas.config import PriorConfig
from schemas.errors import UserError


class Likelihood(Structured):
    """ " 1" to " 5", and " 0" for quitting, after the paper's prompt, as its GPT-J was asked."""

    def __init__(self, game: Game, backend: Backend, config: PriorConfig) -> None:
        if game.name != "say-select":
            raise UserError(f"--prior: likelihood is the paper's method for say-select; {game.name} is not supported")
        if config.template != "raw":
            raise UserError(f"--template {config.template}: the likelihood prior completes a sentence; use raw")
        super().__init__(game, backend, config)
        self.version = prompts.LIKELIHOOD_VERSION
        self.candidates = [f" {action.call.arguments.get('ball', 0)}" for action in game.actions]

    def prompt(self, instruction: str, observation: str) -> str:
        """Return the paper's prompt; it says of the partner "selected", not "said"."""
        return prompts.likelihood(instruction, observation.replace("My partner said", "My partner selected"))
