"""Chat answers of OpenAI-compatible servers: what was written, and the log-probabilities of one generated token."""

import math
from typing import Any

import numpy as np
from pydantic import BaseModel

from prior.backends.transport import BadAnswerError, FinalAnswerError, NotOfferedError, first

_LEAST_MASS = 0.05  # a model that puts less than this on the labels did not answer the question
_ROUNDING = 1e-3


def written_text(answer: dict[str, Any]) -> str:
    """Return the text of the first choice, or the arguments of its first tool call.

    Raises BadAnswerError when there is none, or when it was cut off.
    """
    choice = first(answer.get("choices", []), "choices")
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(message, dict):
        raise BadAnswerError("the answer has no message")
    if choice.get("finish_reason") == "length":
        raise BadAnswerError("the answer was cut off at the token limit")
    calls = message.get("tool_calls")
    text = message.get("content")
    if calls:
        call = first(calls, "tool calls")
        function = call.get("function") if isinstance(call, dict) else None
        text = function.get("arguments") if isinstance(function, dict) else None
    if not isinstance(text, str) or not text.strip():
        raise BadAnswerError("the answer is empty")
    return text


def listed_tokens(answer: dict[str, Any]) -> list[tuple[str, float]]:
    """Return the most probable first tokens of an answer with their log-probabilities (nats).

    Raises NotOfferedError when the server lists none, BadAnswerError when they cannot be log-probabilities.
    """
    listed = _alternatives(first(answer.get("choices", []), "choices"))
    for token, value in listed:
        if not math.isfinite(value) or value > _ROUNDING:
            raise BadAnswerError(f"the answer gives token {token!r} the log-probability {value}; it must be <= 0")
    total = math.fsum(math.exp(value) for _, value in listed)
    if total > 1 + _ROUNDING:
        raise BadAnswerError(f"the probabilities of the listed tokens sum to {total:.3f}, more than 1")
    return listed


def label_logprobs(answer: dict[str, Any], labels: str, least_mass: float = _LEAST_MASS) -> dict[str, float]:
    """Return the log-probability (nats) of each label as the one generated token; spaces around it do not count.

    A label outside the listed tokens gets the floor: the smaller of the least listed log-probability and an equal
    share of the probability that the list leaves over. Raises as listed_tokens does, and FinalAnswerError
    when the labels hold less than `least_mass` together.
    """
    listed = listed_tokens(answer)
    total = math.fsum(math.exp(value) for _, value in listed)
    found: dict[str, float] = {}
    for token, value in listed:
        if token.strip() in labels and token.strip():
            found[token.strip()] = float(np.logaddexp(found.get(token.strip(), -np.inf), value))
    mass = math.fsum(math.exp(value) for value in found.values())
    if mass < least_mass:
        raise FinalAnswerError(
            f"the model puts {mass:.2%} on the letters {labels[0]} to {labels[-1]}, so it did not answer with one; "
            "choose --scoring samples or prompt-logprobs"
        )
    missing = [label for label in labels if label not in found]
    if missing:
        share = math.log(max(1 - total, 1e-9) / len(missing))
        floor = min(share, *(value for _, value in listed))
        found |= dict.fromkeys(missing, floor)
    return found


def _alternatives(choice: Any) -> list[tuple[str, float]]:
    """The most probable first tokens: chat's list of objects, or the dictionary of older completions."""
    logprobs = choice.get("logprobs") if isinstance(choice, dict) else None
    if not isinstance(logprobs, dict):
        raise NotOfferedError("the server gives no log-probabilities of generated tokens")
    tops: Any = logprobs.get("top_logprobs")
    if logprobs.get("content"):
        start = first(logprobs["content"], "tokens")
        tops = [start.get("top_logprobs") if isinstance(start, dict) else None]
    top = first(tops, "alternatives") if tops else None
    if not top:
        raise NotOfferedError("the server lists no alternatives to the generated token")
    if isinstance(top, dict):
        top = [{"token": token, "logprob": value} for token, value in top.items()]
    try:
        return [(str(entry["token"]), float(entry["logprob"])) for entry in top]
    except (TypeError, KeyError, ValueError):
        raise BadAnswerError("the answer's alternatives are not tokens with log-probabilities") from None


def json_schema(schema: type[BaseModel]) -> tuple[dict[str, Any], bool]:
    """Return a model's JSON schema, and whether it is wrapped as {"answer": ...}: servers want an object outermost."""
    plain = schema.model_json_schema()
    if plain.get("type") == "object":
        return plain, False
    definitions = plain.pop("$defs", None)
    wrapped: dict[str, Any] = {
        "type": "object",
        "properties": {"answer": plain},
        "required": ["answer"],
        "additionalProperties": False,
    }
    if definitions:
        wrapped["$defs"] = definitions
    return wrapped, True
