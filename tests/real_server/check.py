"""Check the openai backend against a server that others wrote, running on this machine with the embedded model.

`make test-server` starts llama-cpp-python's server twice: as it is, and with a start token before every prompt. As it
is, its prompt log-probabilities are shifted by one token, which the backend has to notice; with a start token they are
right, and have to agree with the transformers backend up to llama.cpp's own arithmetic on quantized weights.
"""

import argparse
import importlib.util
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from envs.base import make_game
from prior.backends.models import EMBEDDED
from prior.backends.openai import OpenAIBackend
from prior.backends.transformers import TransformersBackend
from prior.scoring import log_distribution
from prior.structured import Structured
from schemas.config import ServerConfig
from schemas.tools import call_model

MODEL = "smollm2-135m"
GAME = make_game("say-select")
LEGAL = np.ones(len(GAME.actions), bool)


def model_file() -> Path:
    package, name = EMBEDDED[MODEL]
    spec = importlib.util.find_spec(package)
    return next(Path(spec.submodule_search_locations[0]).glob(name))


class Server:
    """llama-cpp-python's server as a process of its own."""

    def __init__(self, python, *flags):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        command = [python, "-m", "llama_cpp.server", "--model", model_file(), "--port", str(self.port), *flags]
        settings = ["--host", "127.0.0.1", "--model_alias", MODEL, "--logits_all", "true", "--n_ctx", "1024"]
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        self.process = subprocess.Popen(
            [*map(str, command), *settings], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def __enter__(self):
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            if self.process.poll() is not None:
                sys.exit("the server stopped while starting; is llama-cpp-python[server] installed there?")
            time.sleep(0.2)
        sys.exit("the server did not start within a minute")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def backend(self, **settings):
        config = ServerConfig(base_url=f"http://127.0.0.1:{self.port}/v1", concurrency=1, **settings)
        return OpenAIBackend(None, config)


def score(backend, rows):
    method = Structured(GAME, backend, "global")
    prompts = [method.prompt(GAME.default_instruction, o.text) for o in GAME.observations[:rows]]
    start = time.perf_counter()
    found = backend.score(prompts, method.candidates)
    seconds = time.perf_counter() - start
    probs = np.exp([log_distribution(row, LEGAL) for row in found])
    assert np.isfinite(probs).all()
    assert np.allclose(probs.sum(axis=1), 1)
    return found, probs, seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--server-python", default=sys.executable, help="interpreter that has llama-cpp-python[server]")
    parser.add_argument("--rows", type=int, default=1, help="observations; 70 s each")
    args = parser.parse_args()
    report = {"rows": args.rows, "actions": len(GAME.actions)}

    local = TransformersBackend(MODEL)
    local.load()[1].add_bos_token = True
    here, local_probs, local_seconds = score(local, args.rows)
    with Server(args.server_python, "--kv_overrides", "tokenizer.ggml.add_bos_token=bool:true") as server:
        backend = server.backend()
        assert backend.identity["scoring"] == "prompt-logprobs", backend.identity
        there, probs, seconds = score(backend, args.rows)
        pairs = [(a, b) for row, other in zip(here, there, strict=True) for a, b in zip(row, other, strict=True)]
        assert all(len(a.tokens) == len(b.tokens) for a, b in pairs)
        report["exact"] = {
            "max_token_difference_nats": max(float(np.abs(a.logprobs - b.logprobs).max()) for a, b in pairs),
            "max_probability_difference": float(np.abs(probs - local_probs).max()),
            "same_top_action": float((probs.argmax(1) == local_probs.argmax(1)).mean()),
            "pairs_a_second": len(pairs) / seconds,
            "pairs_a_second_transformers": len(pairs) / local_seconds,
            "prompt_tokens": backend.transport.budget.prompt_tokens,
        }
    with Server(args.server_python) as server:
        backend = server.backend()
        assert backend.identity["scoring"] == "top-logprobs", "shifted log-probabilities were believed"
        report["as_it_is"] = dict(backend.identity)
        for scoring in ("top-logprobs", "samples"):
            backend = server.backend(scoring=scoring, samples=5)
            try:
                _, probs, seconds = score(backend, min(2, args.rows))
                report[scoring] = {"probabilities": probs.round(3).tolist(), "seconds": seconds}
            except Exception as error:  # a small model may not answer the question: an error, never a row
                report[scoring] = {"error": str(error)}
        schema = call_model([action.call for action in GAME.actions])
        try:
            written = backend.generate("My partner said 3. Select the same ball.", schema, n=2)
            report["written"] = [object_.model_dump() for object_ in written]
        except Exception as error:
            report["written"] = {"error": str(error)}
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
