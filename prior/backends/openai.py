"""The openai backend: any server with OpenAI's HTTP interface (vLLM, llama.cpp, Ollama, transformers serve, OpenAI).

Servers differ in what they tell, so there are three ways to score, chosen by --scoring or by asking the server once:

prompt-logprobs  the log-probability of every token of prompt + candidate, one request a candidate. Exact.
top-logprobs     candidates are listed as letters, and one token is generated; its k most probable alternatives are
                 shown. Approximate: it is another question, and a letter outside the k gets a floor: the smaller of
                 the k-th log-probability and an equal share of what the k leave over.
samples          n answers held to the candidates by the server's structured output or a forced tool call, counted.
                 Approximate, smoothed by a symmetric Dirichlet prior of weight 1 in all: (count + 1/A) / (n + 1).

The way is part of `identity`, and so of a table's key and of a run's record; `exact` follows from it.
"""

import json
import logging
import threading
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import PurePath
from typing import Any, Self, TypeVar

import numpy as np
from pydantic import BaseModel, ValidationError

from prior import prompts as wording
from prior.backends.base import CandidateScore
from prior.backends.prompt_logprobs import Echo, cut, read_echo
from prior.backends.server_answers import json_schema, label_logprobs, listed_tokens, written_text
from prior.backends.server_probe import not_offered, prompt_fields
from prior.backends.transport import BadAnswerError, NotOfferedError, Read, RefusedError, Transport, name_query
from schemas.config import PriorConfig, Scoring, ServerConfig
from schemas.errors import ModelError

_log = logging.getLogger("instructrl")
_MOST_TOKENS = 512  # of a structured answer
_TOP = 20  # the most that OpenAI and vLLM give by default
_QUESTION, _CHOICES = "The days of the week are Monday, Tuesday,", ("Wednesday", "purple")  # of probes
Answer = TypeVar("Answer")
Row = list[CandidateScore]


class OpenAIBackend:
    """A language model behind an OpenAI-compatible HTTP server. Nothing is sent before something is asked."""

    name = "openai"
    chunk_size = 4  # what a spent budget or a lost connection can waste

    def __init__(self, model: str | None, server: ServerConfig, backoff: float = 0.5) -> None:
        self.transport, self._server = Transport(server, backoff), server
        self._model = model
        self._scoring: Scoring = server.scoring
        self._prompt_fields: dict[str, Any] | None = None
        self._labels_by_chat: bool | None = None
        self._schema_by: str | None = None
        self._limit_name = "max_tokens"
        self._lock = threading.RLock()

    @classmethod
    def from_config(cls, config: PriorConfig) -> Self:
        """Build from the config's model name and its server section."""
        return cls(config.model, config.server)

    @property
    def model(self) -> str:
        """The model's name at the server; without --model, the only one that it has."""
        with self._lock:
            if self._model is None:
                listed = self.transport.get("/models").get("data")
                names = [str(m.get("id")) for m in listed if isinstance(m, dict)] if isinstance(listed, list) else []
                if len(names) != 1:
                    known = ", ".join(names[:10]) or "none that it lists"
                    raise ModelError(f"--model: the server at {self.transport.host} has several or none: {known}")
                self._model = names[0]
            return self._model

    @property
    def exact(self) -> bool:
        """Whether scores are the model's own probabilities; with --scoring auto this asks the server, once."""
        return self.scoring == "prompt-logprobs"

    @property
    def identity(self) -> dict[str, str]:
        """Server and model (without paths of the server's disk), the way of scoring, and the wording around prompts.

        A server does not tell the revision of its model: a table is as old as the day it was built.
        """
        local_file = self.model.startswith(("/", "\\")) or self.model.endswith(".gguf")
        identity = {
            "backend": self.name,
            "model": PurePath(self.model.replace("\\", "/")).name if local_file else self.model,
            "revision": "server",
            "server": self.transport.host,
            "scoring": self.scoring,
        }
        if self.scoring == "samples":
            identity |= {"samples": str(self._server.samples), "structured_by": self.structured_by}
        if self.scoring != "prompt-logprobs":
            identity["wording"] = wording.SERVER_VERSION
        return identity

    # What the server offers ------------------------------------------------------------------------------------------

    @property
    def scoring(self) -> Scoring:
        """The way of scoring; `auto` is settled by asking the server, best way first."""
        with self._lock:
            if self._scoring == "auto":
                self._scoring = self._offered()
            return self._scoring

    def _offered(self) -> Scoring:
        host, reason = self.transport.host, not_offered(self._prompt_request)
        if not reason:
            _log.info("%s scores by prompt-logprobs (exact)", host)
            return "prompt-logprobs"
        if not not_offered(self._ask_labels_by_chat):
            _log.warning("%s scores by top-logprobs (approximate): %s", host, reason)
            return "top-logprobs"
        by = self.structured_by  # raises where the server cannot do this either
        _log.warning("%s scores by samples (approximate, %s): %s", host, by, reason)
        return "samples"

    def _ask_labels_by_chat(self) -> bool:
        """Whether letters are asked for by chat or, of a model without a chat template, by completion."""
        with self._lock:
            if self._labels_by_chat is None:
                question = wording.choose_label(_QUESTION, _CHOICES)
                reasons = {
                    chat: not_offered(
                        partial(self._label_answer, chat, question, "probe of top-logprobs", listed_tokens)
                    )
                    for chat in (True, False)
                }
                offered = [chat for chat, reason in reasons.items() if not reason]
                if not offered:
                    raise NotOfferedError(reasons[True])
                self._labels_by_chat = offered[0]
            return self._labels_by_chat

    def _prompt_request(self) -> dict[str, Any]:
        """The fields that ask for prompt log-probabilities; before the first use these are verified."""
        with self._lock:
            if self._prompt_fields is None:
                self._prompt_fields = prompt_fields(self)
            return self._prompt_fields

    @property
    def structured_by(self) -> str:
        """How answers are held to a schema: `json_schema`, or `tool` where the server refuses that. Asked once."""
        with self._lock:
            if self._schema_by is None:
                if not_offered(lambda: self._probe_structured("json_schema")):
                    self._probe_structured("tool")
                    _log.warning("%s refuses json_schema; using a forced tool call", self.transport.host)
                    self._schema_by = "tool"
                else:
                    self._schema_by = "json_schema"
            return self._schema_by

    def _probe_structured(self, by: str) -> None:
        schema, question = _choice_schema(_CHOICES), wording.choose_text(_QUESTION, _CHOICES)
        self._structured(by, question, schema, 0, 0.0, "probe of structured output", written_text)

    # Scoring ---------------------------------------------------------------------------------------------------------

    def score(self, prompts: Sequence[str], candidates: Sequence[str]) -> list[Row]:
        """Score candidates (see Backend), several requests at once.

        Raises ModelError naming the query where the server fails, misbehaves or refuses, or a budget is spent.
        """
        if not prompts:
            return []
        ways = {"prompt-logprobs": self._score_prompts, "top-logprobs": self._score_labels}
        scoring = self.scoring
        try:
            return ways.get(scoring, self._score_samples)(prompts, candidates)
        except NotOfferedError as error:
            known = "auto finds out what a server offers"
            raise ModelError(f"--scoring: {scoring}: {error}; {known}; {name_query(prompts[0])}") from None

    def _score_prompts(self, prompts: Sequence[str], candidates: Sequence[str]) -> list[Row]:
        pairs = [(prompt, candidate) for prompt in prompts for candidate in candidates]
        fields = self._prompt_request()
        echoes = self.transport.map(lambda pair: self.echo("".join(pair), name_query(*pair), fields), pairs)
        size = len(candidates)
        rows = [echoes[size * i : size * (i + 1)] for i in range(len(prompts))]
        return [cut(prompt, candidates, row) for prompt, row in zip(prompts, rows, strict=True)]

    def echo(self, text: str, query: str, fields: dict[str, Any]) -> Echo:
        """Return the prompt log-probabilities of a text; `fields` make the server give them."""
        body = {"model": self.model, "prompt": text, "max_tokens": 1, "temperature": 1.0} | fields
        return self.transport.post("/completions", body, query, lambda answer: read_echo(answer, text))

    def _score_labels(self, prompts: Sequence[str], candidates: Sequence[str]) -> list[Row]:
        if len(candidates) > len(wording.LABELS):
            raise ModelError(
                f"--scoring: top-logprobs takes at most {len(wording.LABELS)} actions, not {len(candidates)}; "
                "choose prompt-logprobs or samples"
            )
        labels, by_chat = wording.LABELS[: len(candidates)], self._ask_labels_by_chat()

        def row(prompt: str) -> Row:
            question, query = wording.choose_label(prompt, candidates), name_query(prompt)
            values = self._label_answer(by_chat, question, query, lambda answer: label_logprobs(answer, labels))
            return [CandidateScore((label,), np.array([values[label]])) for label in labels]

        return self.transport.map(row, prompts)

    def _label_answer(self, by_chat: bool, question: str, query: str, read: Read[Answer]) -> Answer:
        body: dict[str, Any] = {"model": self.model, "max_tokens": 1, "temperature": 1.0}
        if by_chat:
            body |= {"messages": [{"role": "user", "content": question}], "logprobs": True, "top_logprobs": _TOP}
            return self._chat(body, query, read)
        body |= {"prompt": question + "\nAnswer:", "logprobs": _TOP}
        return self.transport.post("/completions", body, query, read)

    def _score_samples(self, prompts: Sequence[str], candidates: Sequence[str]) -> list[Row]:
        texts = [candidate.strip() for candidate in candidates]
        if len(set(texts)) < len(texts):
            raise ModelError("actions: two of them differ in spaces only, which samples cannot tell apart")
        schema, count = _choice_schema(texts), self._server.samples
        draws = [(prompt, seed) for prompt in prompts for seed in range(count)]
        by = self.structured_by  # settled before the threads start

        def draw(query: tuple[str, int]) -> str:
            prompt, seed = query

            def read(answer: dict[str, Any]) -> str:
                return _legal_choice(written_text(answer), texts)

            question = wording.choose_text(prompt, candidates)
            return self._structured(by, question, schema, seed, 1.0, name_query(prompt), read)

        drawn = self.transport.map(draw, draws)
        rows = [Counter(drawn[count * i : count * (i + 1)]) for i in range(len(prompts))]
        weight = 1 / len(texts)
        return [
            [CandidateScore((text,), np.log([(row[text] + weight) / (count + 1)])) for text in texts] for row in rows
        ]

    # Writing ---------------------------------------------------------------------------------------------------------

    def generate(self, prompt: str, schema: type[BaseModel], n: int = 1, seed: int = 0) -> list[BaseModel]:
        """Write n objects held to the schema by the server; each is validated here again (see Backend)."""
        wanted, wrapped = json_schema(schema)
        by = self.structured_by  # settled before the threads start

        def write(number: int) -> BaseModel:
            def read(answer: dict[str, Any]) -> BaseModel:
                text = written_text(answer)
                try:
                    if wrapped:
                        text = json.dumps(json.loads(text)["answer"])
                    return schema.model_validate_json(text)
                except (ValidationError, ValueError, KeyError, TypeError):
                    raise BadAnswerError(f"the answer does not meet the schema: {text[:80]!r}") from None

            temperature = 0.0 if n == 1 else 1.0
            return self._structured(by, prompt, wanted, seed + number, temperature, name_query(prompt), read)

        return self.transport.map(write, range(n))

    def _structured(
        self,
        by: str,
        question: str,
        schema: dict[str, Any],
        seed: int,
        temperature: float,
        query: str,
        read: Read[Answer],
    ) -> Answer:
        body: dict[str, Any] = {
            "model": self.model,
            "messages": [{"role": "user", "content": question}],
            "temperature": temperature,
            "seed": seed,
            self._limit_name: _MOST_TOKENS,
        }
        if by == "tool":
            function = {"name": "answer", "description": "Give the answer.", "parameters": schema}
            body["tools"] = [{"type": "function", "function": function}]
            body["tool_choice"] = {"type": "function", "function": {"name": "answer"}}
        else:
            wanted = {"name": "answer", "strict": True, "schema": schema}
            body["response_format"] = {"type": "json_schema", "json_schema": wanted}
        return self._chat(body, query, read)

    def _chat(self, body: dict[str, Any], query: str, read: Read[Answer]) -> Answer:
        try:
            return self.transport.post("/chat/completions", body, query, read)
        except RefusedError as refused:  # OpenAI's newer models know the limit by its newer name only
            if "max_completion_tokens" not in str(refused) or "max_tokens" not in body:
                raise
            self._limit_name = "max_completion_tokens"
            renamed = {self._limit_name if key == "max_tokens" else key: value for key, value in body.items()}
            return self.transport.post("/chat/completions", renamed, query, read)


def _choice_schema(texts: Sequence[str]) -> dict[str, Any]:
    choice = {"type": "string", "enum": list(texts)}
    return {"type": "object", "properties": {"choice": choice}, "required": ["choice"], "additionalProperties": False}


def _legal_choice(text: str, legal: Sequence[str]) -> str:
    try:
        choice = json.loads(text)["choice"]
    except (ValueError, KeyError, TypeError):
        raise BadAnswerError(f"the answer is not the JSON object that was asked for: {text[:80]!r}") from None
    if not isinstance(choice, str) or choice.strip() not in legal:
        raise BadAnswerError(f"the answer {str(choice)[:80]!r} is not among the actions")
    return choice.strip()
