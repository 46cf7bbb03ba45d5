"""What a server offers, found out by asking, once; and whether its prompt log-probabilities are what they claim.

A server can give finite, plausible numbers that are not log-probabilities of the tokens beside them: llama-cpp-python
0.3 shifts them by one token for models without a start token. So before prompt log-probabilities are believed, some
are compared with what the same server says about generated tokens, which every client sees and which are right.
"""

import logging
from collections.abc import Callable
from typing import Any, Protocol

from prior.backends.prompt_logprobs import Echo
from prior.backends.server_answers import listed_tokens
from prior.backends.transport import NotOfferedError, Read, RefusedError, Transport

_log = logging.getLogger("instructrl")
_NOT_OFFERED = {400, 404, 405, 415, 422, 500, 501}  # statuses that say that a feature or path is missing
_TEXT = "The days of the week are Monday, Tuesday,"
_COMPARED = 3  # tokens
_TOLERANCE = 0.3  # nats; half-precision servers differ by 0.1 between reading and writing a token
ECHO: dict[str, Any] = {"echo": True, "logprobs": 1}
LISTED: dict[str, Any] = {"prompt_logprobs": 0}
_NAME = "probe of prompt-logprobs"


class Completions(Protocol):
    """What the probe needs of a backend."""

    transport: Transport

    @property
    def model(self) -> str:
        """The model's name at the server."""
        ...

    def echo(self, text: str, query: str, fields: dict[str, Any]) -> Echo:
        """Return the prompt log-probabilities of a text."""
        ...


def not_offered(ask: Callable[[], object]) -> str:
    """Return why the server does not offer what `ask` asks for; empty when it does. Other failures go through."""
    try:
        ask()
    except NotOfferedError as error:
        return str(error)
    except RefusedError as refused:
        if refused.status not in _NOT_OFFERED:
            raise
        return str(refused)
    return ""


def prompt_fields(backend: Completions) -> dict[str, Any]:
    """Return the request fields that make the server give prompt log-probabilities, verified.

    Raises NotOfferedError with the reason when there are none, or when they contradict what the server generates.
    """
    reasons = []
    for fields in (ECHO, LISTED):
        reason = not_offered(lambda fields=fields: backend.echo(_TEXT, _NAME, fields))  # type: ignore[misc]
        if not reason:
            _verify(backend, fields)
            return fields
        reasons.append(reason)
    raise NotOfferedError(reasons[0])


def _verify(backend: Completions, fields: dict[str, Any]) -> None:
    body = {"model": backend.model, "prompt": _TEXT, "max_tokens": 1, "temperature": 1.0, "logprobs": 5}
    read: Read[list[tuple[str, float]]] = listed_tokens
    expected = backend.transport.post("/completions", body, _NAME, read)
    compared = 0
    for token, value in sorted(expected, key=lambda entry: -entry[1]):
        if not token.strip() or not token.isascii() or compared == _COMPARED:
            continue
        echo = backend.echo(_TEXT + token, _NAME, fields)
        last = echo.logprobs[-1]
        if echo.texts[-1] != token or last is None:
            continue  # read together, the text splits into other tokens: nothing to compare
        compared += 1
        if abs(last - value) > _TOLERANCE:
            raise NotOfferedError(
                f"the server's prompt log-probabilities are wrong: it gives {token!r} {last:.2f} when it reads it and "
                f"{value:.2f} when it writes it"
            )
    if not compared:
        raise NotOfferedError("the server's prompt log-probabilities cannot be verified")
