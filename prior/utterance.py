"""A free utterance, parsed into the game's observation schema or refused.

Every object that the schema allows is scored exactly, so no wording can leave the action space, and the confidence
is made of the model's own probabilities. Two prompts with their examples in opposite orders are averaged.
"""

from collections.abc import Sequence

import numpy as np

from envs.base import Game
from prior.backends.base import Backend
from prior.prompts import UTTERANCES, utterance
from prior.scoring import choices, log_distribution
from schemas.errors import UserError
from schemas.finite import finite_values
from schemas.observation import ParsedUtterance


def parse_utterances(backend: Backend, game: Game, texts: Sequence[str]) -> list[ParsedUtterance]:
    """Parse each text. Raises UserError if the game takes no utterances, or a text is empty.

    With p the probability of the best reading among the readings, and q the odds of "none of these" against all
    readings, the confidence is p^2 / (p^2 + q), understood from 1/2 up: a reading has to stand out among the others
    and against silence. The square was chosen on 150 utterances and 38 refusals that the tests do not contain.
    """
    if game.name not in UTTERANCES:
        raise UserError(f"--utterance: {game.name} takes no utterances; {', '.join(UTTERANCES)} does")
    empty = [text for text in texts if not text.strip()]
    if empty:
        raise UserError("--utterance: an empty utterance; say what your partner said")
    objects = finite_values(game.observation_model)
    _, candidates = choices(game.observation_model)
    nothing = np.array([all(v is None for v in value.model_dump().values()) for value in objects])
    every = np.ones(len(objects), dtype=np.bool_)
    orders = zip(*(utterance(UTTERANCES[game.name], _tidy(text)) for text in texts), strict=True)
    # One call an order: prompts of one order share their examples, and so the backend's cache.
    logs = np.mean(
        [[log_distribution(row, every) for row in backend.score(order, candidates)] for order in orders],
        axis=0,
    )
    parsed = []
    for text, log in zip(texts, logs, strict=True):
        readings = np.where(nothing, -np.inf, log)
        best = int(readings.argmax())
        any_reading = np.logaddexp.reduce(readings)
        doubt = np.logaddexp.reduce(log[nothing]) - any_reading - 2 * (readings[best] - any_reading)
        confidence = float(1 / (1 + np.exp(doubt)))
        understood = confidence >= 0.5
        parsed.append(
            ParsedUtterance(
                utterance=text,
                understood=understood,
                observation=objects[best].model_dump() if understood else None,
                confidence=confidence if understood else 1 - confidence,
            )
        )
    return parsed


def _tidy(text: str) -> str:
    """One line of spaces; capitals throughout are a way of shouting, and tokens that small models hardly know."""
    line = " ".join(text.split())
    return line.lower() if line.isupper() else line
