"""A small OpenAI-compatible server with a real model, and with every way of going wrong that clients have to survive.

`python -m tests.server MODEL_FOLDER` prints its port and serves until its input closes. The path chooses the manners:
/v1/... behaves; /TROUBLE,TROUBLE/NAME/v1/... misbehaves, with a count of its own for every NAME. Lacking features are
lacking always; misbehaviour spares the client's probes (which are about weekdays), unless it begins with `always-`, and
ends after one request if it ends with `-once`. Scoring here is the plain way, one forward pass a text, and shares no
code with the package.
"""

import contextlib
import itertools
import json
import math
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

SLOW_DOWN = b'{"error": {"message": "slow down"}}'
REPLIES = {
    "busy": (429, SLOW_DOWN, {"Retry-After": "0.4"}),
    "busy-for-hours": (429, SLOW_DOWN, {"Retry-After": "7200"}),
    "broken": (500, b'{"error": {"message": "out of memory"}}', {}),
    "hang": (200, b"{}", {}),
    "malformed": (200, b'{"choices": [{"text": ', {}),
    "truncated": (200, b'{"choices": [', {}),
    "html": (200, b"<html>It works!</html>", {}),
    "list": (200, b"[]", {}),
    "redirect": (302, b"{}", {"Location": "http://127.0.0.1:9/"}),
    "key": (401, b'{"error": {"message": "Incorrect API key"}}', {}),
    "no-choices": (200, b'{"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1}}', {}),
}
LABELS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Model:
    """Log-probabilities by one forward pass a text."""

    def __init__(self, folder):
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.net = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        self.lock = threading.Lock()

    def logs(self, text):
        ids = self.tokenizer(text, add_special_tokens=False).input_ids
        with self.lock, torch.inference_mode():
            return ids, torch.log_softmax(self.net(torch.tensor([ids])).logits[0].double(), dim=-1)

    def text(self, token):
        return self.tokenizer.decode([token])

    def score(self, prompt, answer):
        ids, logs = self.logs(prompt + answer)
        start = len(self.tokenizer(prompt, add_special_tokens=False).input_ids)
        return sum(float(logs[t - 1, ids[t]]) for t in range(start, len(ids)))


def values(schema, definitions):
    """Every value of a finite JSON schema."""
    if "$ref" in schema:
        return values(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return [v for part in schema[key] for v in values(part, definitions)]
    if "const" in schema:
        return [schema["const"]]
    if "enum" in schema:
        return schema["enum"]
    if schema["type"] == "object":
        columns = [values(part, definitions) for part in schema.get("properties", {}).values()]
        return [dict(zip(schema.get("properties", {}), row, strict=True)) for row in itertools.product(*columns)]
    return {"null": [None], "boolean": [False, True]}[schema["type"]]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or each answer waits 40 ms between its headers and its body
    model: Model
    counts: ClassVar[Counter] = Counter()

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.path_parts()
        if self.path.endswith("/v1/models"):
            names = ["tiny", "other"] if "two-models" in self.troubles else ["tiny"]
            self.reply(200, {"data": [{"id": name} for name in names]})
        elif self.path.startswith("/counts"):
            self.reply(200, dict(self.counts))
        else:
            self.reply(404, {"error": {"message": "no such path"}})

    def do_POST(self):
        self.path_parts()
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        real = "Monday" not in json.dumps(body)
        self.counts[self.name] += 1
        self.counts[self.name + "/real"] += real
        first = self.counts[self.name + "/real"] == 1
        self.number = self.counts[self.name]
        self.bad = {t.removeprefix("always-") for t in self.troubles if real or t.startswith("always-")}
        self.bad = {t.removesuffix("-once") for t in self.bad if first or not t.endswith("-once")}
        if self.early_trouble():
            return
        if self.path.endswith("/v1/completions"):
            status, answer = self.complete(body)
        elif self.path.endswith("/v1/chat/completions"):
            status, answer = self.chat(body)
        else:
            status, answer = 404, {"error": {"message": "no such path"}}
        self.reply(status, answer)

    def path_parts(self):
        head = self.path.split("/v1")[0].strip("/").split("/")
        self.troubles = head[0].split(",") if head[0] else []
        self.name = "/".join(head)

    def early_trouble(self):
        """Troubles of the transport."""
        if "key" in self.bad and self.headers.get("Authorization") == "Bearer right":
            self.bad.remove("key")
        for kind in self.bad & set(REPLIES):
            if kind == "hang":
                time.sleep(2)
            status, data, headers = REPLIES[kind]
            with contextlib.suppress(BrokenPipeError):
                self.send(status, data, length=5000 if kind == "truncated" else None, headers=headers)
            self.close_connection = True
            return True
        return False

    def complete(self, body):
        if "no-completions" in self.troubles:
            return 404, {"error": {"message": "this model is for chat"}}
        if "no-echo" in self.troubles and body.get("echo"):
            return 400, {"error": {"message": "Only no echo is supported"}}
        prompt, echo = body["prompt"], body.get("echo")
        ids, logs = self.model.logs(prompt)
        if "prompt_logprobs" in body:
            if "vllm" not in self.troubles:
                return 400, {"error": {"message": "unknown field prompt_logprobs"}}
            listed = [None] + [
                {str(t): {"logprob": float(logs[i, t]), "rank": 1, "decoded_token": self.model.text(t)}}
                for i, t in enumerate(ids[1:])
            ]
            return 200, {"choices": [{"text": "x", "prompt_logprobs": listed}], "usage": usage(ids)}
        follow = int(logs[-1].argmax())
        sent = [(t, None if i == 0 else float(logs[i - 1, t])) for i, t in enumerate(ids)] if echo else []
        rows = [(self.model.text(t), value) for t, value in [*sent, (follow, float(logs[-1, follow]))]]
        last = len(rows) - 2
        if "positive" in self.bad:
            rows[last] = (rows[last][0], 0.7)
        if "nan" in self.bad:
            rows[last] = (rows[last][0], math.nan)
        if "other-texts" in self.bad:
            rows[last] = ("?", rows[last][1])
        if "shifted" in self.troubles and echo:  # as llama-cpp-python 0.3 does for models without a start token
            rows = [(text, float(logs[i, t])) for i, (t, (text, _)) in enumerate(zip(ids, rows, strict=False))]
            rows[0] = (rows[0][0], None)
        if "generated-only" in self.troubles:
            rows = rows[-1:]
        if "missing-value" in self.bad:
            rows[last] = (rows[last][0], None)
        if "start-mark" in self.troubles:
            rows = [("<s>", None), *((t, -1.0 if v is None else v) for t, v in rows)]
        logprobs = {"tokens": [t for t, _ in rows], "token_logprobs": [v for _, v in rows]}
        logprobs["top_logprobs"] = [self.top(logs[-1], body.get("logprobs") or 1)]
        if "no-logprobs" in self.troubles:
            logprobs = None
        return 200, {"choices": [{"text": prompt, "logprobs": logprobs}], "usage": usage(ids)}

    def top(self, log, count):
        """The most probable next tokens; a model that is `obedient` answers a question for a letter with one."""
        log = log.clone()
        if "obedient" in self.troubles:
            for label in LABELS:
                log[self.model.tokenizer(label).input_ids[0]] += 60
            log = torch.log_softmax(log, dim=-1)
        best = torch.topk(log, count)
        return {self.model.text(int(t)): float(v) for v, t in zip(best.values, best.indices, strict=True)}

    def chat(self, body):
        if "no-chat" in self.troubles:
            return 404, {"error": {"message": "this model has no chat template"}}
        question = body["messages"][0]["content"] + "\n"
        if "max_tokens" in body and "new-limit" in self.troubles:
            return 400, {"error": {"message": "max_tokens is not supported, use max_completion_tokens"}}
        if body.get("logprobs"):
            if "no-top" in self.troubles:
                return 400, {"error": {"message": "logprobs are not available"}}
            ids, logs = self.model.logs(question)
            top = self.top(logs[-1], body["top_logprobs"])
            if "heavy-top" in self.bad:
                top = dict.fromkeys(top, -0.1)
            listed = [{"token": t, "logprob": v} for t, v in top.items()]
            content = [{"token": listed[0]["token"], "logprob": listed[0]["logprob"], "top_logprobs": listed}]
            message = {"role": "assistant", "content": listed[0]["token"]}
            choice = {"message": message, "logprobs": {"content": content}, "finish_reason": "length"}
            return 200, {"choices": [choice], "usage": usage(ids)}
        form, tools = body.get("response_format"), body.get("tools")
        if form and "schema-500" in self.troubles:  # as llama-cpp-python refuses what it does not know
            return 500, {"error": {"message": "1 validation error: Input should be 'text' or 'json_object'"}}
        if form and ("no-schema" in self.troubles or "no-structure" in self.troubles):
            return 400, {"error": {"message": "response_format is not implemented"}}
        if tools and "no-structure" in self.troubles:
            return 422, {"error": {"message": "tools are not implemented"}}
        schema = form["json_schema"]["schema"] if form else tools[0]["function"]["parameters"]
        text = self.written(question, schema, body)
        finish = "length" if "cut-off" in self.bad else "stop"
        message = {"role": "assistant", "content": text}
        if tools:
            call = {"type": "function", "function": {"name": "answer", "arguments": text}}
            message = {"role": "assistant", "content": None, "tool_calls": [call]}
        ids = self.model.tokenizer(question).input_ids
        return 200, {"choices": [{"message": message, "finish_reason": finish}], "usage": usage(ids, len(text))}

    def written(self, question, schema, body):
        """A value of the schema, drawn by the model's probability of its JSON (greedy at temperature 0)."""
        if "illegal" in self.bad or ("illegal-often" in self.bad and self.number % 2):
            return json.dumps({"choice": "explode()", "answer": "explode()"})
        if "prose" in self.bad:
            return "I would rather not say."
        texts = [json.dumps(value) for value in values(schema, schema.get("$defs", {}))]
        scores = np.array([self.model.score(question, text) / 20 for text in texts])
        weights = np.exp(scores - np.logaddexp.reduce(scores))
        if body.get("temperature", 1.0) == 0:
            return texts[int(weights.argmax())]
        return texts[np.random.default_rng(body["seed"]).choice(len(texts), p=weights / weights.sum())]

    def reply(self, status, answer, headers=None):
        if "no-usage" in self.troubles:
            answer.pop("usage", None)
        self.send(status, json.dumps(answer).encode(), headers=headers)

    def send(self, status, data, length=None, headers=None):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(length or len(data)))
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(data)


def usage(ids, written=1):
    return {"prompt_tokens": len(ids), "completion_tokens": written, "total_tokens": len(ids) + written}


def main():
    torch.set_num_threads(1)
    Handler.model = Model(sys.argv[1])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()  # the parent's end closes, whatever way the parent ends


if __name__ == "__main__":
    main()
