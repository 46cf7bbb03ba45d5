"""HTTP to a model server: retries with backoff, timeouts, a token and a cost budget, and errors that name the query.

Retried are 429, 408, 5xx, timeouts, broken connections, bodies that are no JSON, and answers that `read` finds bad;
everything else is final. A failed request never becomes a value: after the last attempt it is a ModelError.
"""

import email.utils
import json
import logging
import os
import random
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx2

from schemas.config import ServerConfig
from schemas.errors import ModelError

_log = logging.getLogger("instructrl")
_LONGEST_BACKOFF = 30.0  # seconds
_LONGEST_RETRY_AFTER = 300.0  # seconds; a server that asks for more is reported instead of waited for
_DEFAULT_KEY = "OPENAI_API_KEY"
_RETRIED = {408, 425, 429}

Answer = TypeVar("Answer")
Item = TypeVar("Item")
Read = Callable[[dict[str, Any]], Answer]


class BadAnswerError(ValueError):
    """An answer that arrived whole and cannot be used: not what was asked for, or not possible."""


class FinalAnswerError(BadAnswerError):
    """A bad answer that asking again would not change."""


class NotOfferedError(Exception):
    """An answer without what was asked for: the server lacks the feature. Asking again would not help."""


class RefusedError(ModelError):
    """The server understood the request and will not do it; `status` is the HTTP status."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Budget:
    """Tokens and money spent, shared by all threads. Requests in flight when it runs out are still paid for."""

    def __init__(self, config: ServerConfig) -> None:
        self._config, self._lock = config, threading.Lock()
        self.prompt_tokens = self.completion_tokens = self.requests = 0

    @property
    def cost(self) -> float:
        """Money spent, in the unit of the prices."""
        config = self._config
        return (
            self.prompt_tokens * (config.price_in or 0) + self.completion_tokens * (config.price_out or 0)
        ) / 1_000_000

    def check(self) -> None:
        """Raise ModelError if no further request may be sent."""
        config, tokens = self._config, self.prompt_tokens + self.completion_tokens
        if config.token_budget is not None and tokens >= config.token_budget:
            raise ModelError(
                f"--token-budget: {tokens} tokens spent of {config.token_budget} in {self.requests} requests; "
                "saved rows stay, start again to go on"
            )
        if config.cost_budget is not None and self.cost >= config.cost_budget:
            raise ModelError(
                f"--cost-budget: {self.cost:.4g} spent of {config.cost_budget:g} in {self.requests} requests; "
                "saved rows stay, start again to go on"
            )

    def spend(self, usage: object) -> None:
        """Count one answer's usage. Raises ModelError if a budget is set and the server does not report any."""
        counts = usage if isinstance(usage, dict) else {}
        prompt, completion = counts.get("prompt_tokens"), counts.get("completion_tokens", 0)
        if not isinstance(prompt, int) or not isinstance(completion or 0, int):
            if self._config.token_budget is not None or self._config.cost_budget is not None:
                raise ModelError("--token-budget: the server reports no token usage, so no budget can be kept")
            prompt = completion = 0
        with self._lock:
            self.requests += 1
            self.prompt_tokens += prompt
            self.completion_tokens += completion or 0


class Transport:
    """Requests to one server. Nothing is sent, and no key read, before the first request.

    `backoff` is the first wait in seconds; it doubles with every attempt.
    """

    def __init__(self, config: ServerConfig, backoff: float = 0.5) -> None:
        if not config.base_url:
            raise ModelError("--base-url: missing; name the server, for instance http://127.0.0.1:8000/v1")
        self.config, self.budget, self._backoff = config, Budget(config), backoff
        self.base_url = config.base_url.rstrip("/")
        self.host = urlsplit(self.base_url).netloc
        self._client: httpx2.Client | None = None
        self._lock = threading.Lock()

    def map(self, work: Callable[[Item], Answer], items: Iterable[Item]) -> list[Answer]:
        """Apply `work` to all items, `concurrency` at once, in order; the first failure cancels what is waiting."""
        with ThreadPoolExecutor(self.config.concurrency) as pool:
            futures = [pool.submit(work, item) for item in items]
            try:
                return [future.result() for future in futures]
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def get(self, path: str) -> dict[str, Any]:
        """Read a resource of the server."""
        return self._ask("GET", path, None, f"GET {path}", lambda answer: answer)

    def post(self, path: str, body: dict[str, Any], query: str, read: Read[Answer]) -> Answer:
        """Send a request and return `read(answer)`; `query` names it in errors.

        A `seed` in the body changes with every attempt, or a bad answer would only be repeated. Raises RefusedError
        where the server will not do it, ModelError where it fails, misbehaves, or the budget is spent.
        """
        return self._ask("POST", path, body, query, read)

    def _ask(self, method: str, path: str, body: dict[str, Any] | None, query: str, read: Read[Answer]) -> Answer:
        trouble, attempts, attempt = "", self.config.attempts, 0
        for attempt in range(attempts):
            if attempt and body and "seed" in body:
                body = body | {"seed": body["seed"] + 1_000_003}
            self.budget.check()
            wait = min(self._backoff * 2**attempt, _LONGEST_BACKOFF) * random.uniform(0.5, 1)
            try:
                response = self._connected().request(method, self.base_url + path, json=body)
                if response.status_code == 200:
                    return self._read(response, read)
                if response.status_code < 500 and response.status_code not in _RETRIED:
                    raise self._refused(response, path, query)
                trouble = f"HTTP {response.status_code} {_reason(response)}".rstrip()
                if _unsupported(response):
                    raise RefusedError(f"--base-url: {self.base_url}{path}: {trouble}; {query}", response.status_code)
                wait = max(wait, self._retry_after(response, query))
            except httpx2.TimeoutException:
                trouble = f"no answer within {self.config.timeout:g} s"
            except httpx2.ConnectError as error:
                trouble = f"cannot connect ({_short(str(error), 80)})"
            except (httpx2.TransportError, httpx2.DecodingError) as error:
                trouble = f"the connection broke ({_short(str(error), 80)})"
            except BadAnswerError as error:
                trouble = str(error)
                if isinstance(error, FinalAnswerError):
                    break
            if attempt + 1 < attempts:
                _log.info("%s%s: %s; waiting %.1f s", self.base_url, path, trouble, wait)
                time.sleep(wait)
        times = f" ({attempt + 1} attempts)" if attempt else ""
        raise ModelError(f"--base-url: {self.base_url}{path}: {trouble}{times}; {query}")

    def _read(self, response: httpx2.Response, read: Read[Answer]) -> Answer:
        try:
            answer = json.loads(response.content)
        except ValueError:
            raise BadAnswerError("the answer is not JSON") from None
        if not isinstance(answer, dict):
            raise BadAnswerError("the answer is no JSON object")
        if response.request.method == "POST":
            self.budget.spend(answer.get("usage"))
        return read(answer)

    def _connected(self) -> httpx2.Client:
        with self._lock:
            if self._client is None:
                key = self._key()
                self._client = httpx2.Client(
                    timeout=self.config.timeout,
                    headers={"Authorization": f"Bearer {key}"} if key else {},
                    follow_redirects=False,  # a key must not travel to where a redirect points
                    verify=self.base_url.startswith("https://"),  # reading certificates takes a while; http has none
                    trust_env=not self._loopback(),  # a proxy cannot reach this machine's own servers
                    limits=httpx2.Limits(max_connections=self.config.concurrency),
                )
            return self._client

    def _key(self) -> str | None:
        """Return the API key; servers on this machine and plain http get one only if its variable is named."""
        remote = self.base_url.startswith("https://") and not self._loopback()
        variable = self.config.api_key_env or (_DEFAULT_KEY if remote else None)
        if variable is None:
            return None
        key = os.environ.get(variable, "").strip()
        if not key:
            raise ModelError(f"--api-key-env: the environment variable {variable} is not set; {self.host} needs a key")
        if not key.isascii() or not key.isprintable():
            raise ModelError(f"--api-key-env: the value of {variable} is no API key; it has characters no header takes")
        return key

    def _loopback(self) -> bool:
        host = urlsplit(self.base_url).hostname or ""
        return host in ("localhost", "::1") or host.startswith("127.")

    def _refused(self, response: httpx2.Response, path: str, query: str) -> RefusedError:
        status, hint = response.status_code, ""
        if status in (401, 403):
            variable = self.config.api_key_env or _DEFAULT_KEY
            hint = f"; is the key in {variable} valid? --api-key-env names the variable"
        elif status in (404, 405) or 300 <= status < 400:
            hint = "; the address usually ends in /v1, and --model must be one that the server has"
        message = f"--base-url: {self.base_url}{path}: HTTP {status} {_reason(response)}".rstrip()
        return RefusedError(f"{message}{hint}; {query}", status)

    def _retry_after(self, response: httpx2.Response, query: str) -> float:
        seconds = _seconds(response.headers.get("retry-after", ""))
        if seconds > _LONGEST_RETRY_AFTER:
            raise ModelError(f"--base-url: {self.host} asks to wait {seconds:.0f} s; try again later; {query}")
        return seconds


def _seconds(header: str) -> float:
    """Read Retry-After: seconds or an HTTP date; 0 when there is none or it cannot be read."""
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(header).timestamp() - time.time())
    except ValueError:
        return 0.0


def _unsupported(response: httpx2.Response) -> bool:
    """Whether a 5xx says that the server lacks the feature: some report that as an error of their own."""
    words = _reason(response).lower()
    told = ("not support", "unsupported", "only no echo", "validation error")  # the last: llama-cpp-python
    return response.status_code == 501 or any(part in words for part in told)


def _reason(response: httpx2.Response) -> str:
    """The server's own words in one short line; never a header."""
    try:
        answer = json.loads(response.content)
        error = answer.get("error", answer.get("detail", answer.get("message", ""))) if isinstance(answer, dict) else ""
        text = error.get("message", "") if isinstance(error, dict) else error
    except ValueError:
        text = ""
    return f"({_short(str(text), 160)})" if text else ""


def _short(text: str, length: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1] + "…"


def name_query(prompt: str, candidate: str | None = None) -> str:
    """Name a query by the end of its prompt, for errors."""
    end = " ".join(prompt.split())
    name = f"query {'…' + end[-80:] if len(end) > 80 else end!r}"
    return name if candidate is None else f"{name} with {candidate.strip()!r}"


def first(items: Sequence[Any], what: str) -> Any:
    """Return the first item; raises BadAnswerError when there is none."""
    if not isinstance(items, list) or not items:
        raise BadAnswerError(f"the answer has no {what}")
    return items[0]
