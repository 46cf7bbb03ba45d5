"""Prompt log-probabilities as servers return them: read, checked against what was sent, cut where the prompt ends."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from prior.backends.base import CandidateScore
from prior.backends.transport import BadAnswerError, NotOfferedError, first
from schemas.errors import ModelError

_ROUNDING = 1e-4  # nats above 0 that float16 and server-side sums may produce
# A token that is a part of a character: servers show it as a replacement character or as bytes.
_PART_OF_CHARACTER = re.compile(r"bytes:(\\x[0-9a-f]{2})+|.*\ufffd.*", re.DOTALL)


@dataclass(frozen=True)
class Echo:
    """The tokens of a text that was sent: what identifies each, its characters, its log-probability (nats)."""

    names: tuple[int | str, ...]
    texts: tuple[str, ...]
    logprobs: tuple[float | None, ...]  # None for the first token, which nothing predicts


def read_echo(answer: dict[str, Any], sent: str) -> Echo:
    """Read /completions' answer to `sent`, as `echo` (OpenAI's way) or `prompt_logprobs` (vLLM's) gives it.

    Raises NotOfferedError when only generated tokens have log-probabilities, BadAnswerError when what came back cannot
    be the log-probabilities of `sent`: token texts that do not join to it, a value above 0, or one that is no number.
    """
    choice = first(answer.get("choices", []), "choices")
    if not isinstance(choice, dict):
        raise BadAnswerError("the answer's choice is no object")
    listed = choice.get("prompt_logprobs") or answer.get("prompt_logprobs")
    echo = _from_listed(listed) if listed else _from_echo(choice.get("logprobs"), sent)
    if not _joins(echo.texts, sent):
        raise BadAnswerError("the tokens of the answer do not join to the text that was sent")
    for text, value in list(zip(echo.texts, echo.logprobs, strict=True))[1:]:
        if value is None or not np.isfinite(value) or value > _ROUNDING:
            raise BadAnswerError(f"the answer gives token {text!r} the log-probability {value}; it must be <= 0")
    return echo


def _from_echo(logprobs: Any, sent: str) -> Echo:
    if not isinstance(logprobs, dict) or not isinstance(logprobs.get("tokens"), list):
        raise NotOfferedError("the server gives no log-probabilities of the prompt")
    texts, values = logprobs["tokens"], logprobs.get("token_logprobs")
    if not isinstance(values, list) or len(values) != len(texts) or not all(isinstance(t, str) for t in texts):
        raise BadAnswerError("the answer's tokens and log-probabilities do not match in number")
    if len(texts) <= 1 < len(sent):
        raise NotOfferedError("the server gives log-probabilities of generated tokens only, not of the prompt")
    # One token may follow that was generated, because not every server accepts max_tokens = 0; its text may be empty.
    end = len(texts) - 1 if _joins(texts[:-1], sent) else len(texts)
    return Echo(tuple(texts[:end]), tuple(texts[:end]), tuple(_number(value) for value in values[:end]))


def _from_listed(listed: Any) -> Echo:
    if not isinstance(listed, list):
        raise BadAnswerError("prompt_logprobs is not a list")
    names: list[int | str] = []
    texts: list[str] = []
    values: list[float | None] = []
    for position, entry in enumerate(listed):
        if entry is None and position == 0:
            names, texts, values = [""], [""], [None]
            continue
        if not isinstance(entry, dict) or len(entry) != 1:
            raise BadAnswerError(f"prompt_logprobs: position {position} does not hold exactly the token that was sent")
        ((token, detail),) = entry.items()
        if not token.isdecimal() or not isinstance(detail, dict):
            raise BadAnswerError(f"prompt_logprobs: position {position} does not map a token's number to its value")
        names.append(int(token))
        texts.append(str(detail.get("decoded_token") or ""))
        values.append(_number(detail.get("logprob")))
    return Echo(tuple(names), tuple(texts), tuple(values))


def _number(value: Any) -> float | None:
    return None if value is None or isinstance(value, bool | str | list | dict) else float(value)


def _joins(texts: Sequence[str], sent: str) -> bool:
    """Whether token texts are those of `sent`. Free are a start mark, and characters that tokens split."""
    whole = "".join(texts)
    if whole in (sent, " " + sent):
        return True
    if not texts:
        return False
    for some in (texts, texts[1:]):
        parts = ["\0" if _PART_OF_CHARACTER.fullmatch(text) else re.escape(text) for text in some]
        if re.fullmatch(re.sub("\0+", ".+", "".join(parts)), sent, re.DOTALL):
            return True
    # vLLM leaves the first token out: what is listed must be the end of what was sent.
    return texts[0] == "" and len(whole) > 0 and sent.endswith(whole)


def cut(prompt: str, candidates: Sequence[str], echoes: Sequence[Echo]) -> list[CandidateScore]:
    """Return the tokens of each candidate: all after those that every echo begins with and that lie in the prompt.

    A token that merges the prompt's end with a candidate's beginning belongs to the candidate. Raises ModelError if
    no token is left to predict the candidates from, or if a candidate's token is a part of a character: two tokens
    could then not be told apart.
    """
    shared = 0
    for column in zip(*(echo.names for echo in echoes), strict=False):
        if len(set(column)) > 1:
            break
        shared += 1
    lengths = [len("".join(echo.texts[shared:])) for echo in echoes]
    while shared and any(n < len(c) for n, c in zip(lengths, candidates, strict=True)):
        shared -= 1
        lengths = [n + len(echo.texts[shared]) for n, echo in zip(lengths, echoes, strict=True)]
    scores = []
    for candidate, echo in zip(candidates, echoes, strict=True):
        values, texts = echo.logprobs[shared:], echo.texts[shared:]
        if shared == 0 or any(value is None for value in values):
            raise ModelError("prompt: it is empty or one token with the action, which leaves nothing to predict from")
        if any(_PART_OF_CHARACTER.fullmatch(text) for text in texts):
            raise ModelError(f"actions: {candidate!r} has a character of several tokens, which a server cannot name")
        if not (prompt + candidate).endswith("".join(texts)):
            raise ModelError(f"actions: the server's tokens of {candidate!r} cannot be told from those of the prompt")
        logprobs = np.minimum(np.array(values, dtype=np.float64), 0.0)
        scores.append(CandidateScore(echo.names[shared:], logprobs))
    return scores
