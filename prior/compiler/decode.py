"""Exact decoding: the most probable programs of an instruction, by beam search over the program grammar.

A step runs all open beginnings of programs as one batch over a shared cache. The softmax goes over the words that the
grammar allows, so that probabilities of all programs sum to 1 and what is not looked at is known: beginnings below
FLOOR are dropped, and their mass is reported as unexplored.
"""

import math
from dataclasses import dataclass

import torch
from transformers import DynamicCache

from prior.compiler.model import CompilerModel
from schemas.program import Game

FLOOR = 0.004  # least probability of a beginning that is followed further
WIDTH = 8  # beginnings followed at once
_MAX_WORDS = 80


@dataclass(frozen=True)
class Written:
    """A program as text, and its exact probability."""

    text: str
    probability: float


@torch.inference_mode()
def programs(model: CompilerModel, game: Game, instruction: str) -> list[Written]:
    """Return the programs found, most probable first."""
    prompt = torch.tensor([model.prompt(game, instruction)])
    cache = DynamicCache()
    open_: list[tuple[float, list[str]]] = [(0.0, [])]
    done: list[Written] = []
    tokens = prompt
    while open_:
        hidden = model.body(input_ids=tokens, cache=cache, use_cache=True).last_hidden_state[:, -1]
        legal = torch.stack([model.legal(game, words) for _, words in open_])
        scores = torch.log_softmax(model.head(hidden.float()).masked_fill(~legal, -torch.inf), -1).double()
        scores += torch.tensor([score for score, _ in open_], dtype=torch.float64)[:, None]
        grown: list[tuple[float, int, str]] = []
        for row, (_, words) in enumerate(open_):
            for index in (scores[row] > math.log(FLOOR)).nonzero()[:, 0].tolist():
                word, score = model.words[index], float(scores[row, index])
                if word == ".":
                    done.append(Written(" ".join([*words, word]), math.exp(score)))
                elif len(words) < _MAX_WORDS:
                    grown.append((score, row, word))
        grown = sorted(grown, reverse=True)[:WIDTH]
        if not grown:
            break
        cache.batch_select_indices(torch.tensor([row for _, row, _ in grown]))
        tokens = torch.tensor([[int(model.word_tokens[model.index[word]])] for _, _, word in grown])
        open_ = [(score, [*open_[row][1], word]) for score, row, word in grown]
    return sorted(done, key=lambda written: -written.probability)


@torch.inference_mode()
def log_probability(model: CompilerModel, game: Game, instructions: list[str], program: str) -> torch.Tensor:
    """Return the log-probability of every word of one program after each instruction, float[instructions, words]."""
    words = program.split()
    tail = [int(model.word_tokens[model.index[word]]) for word in words[:-1]]
    rows = [model.prompt(game, text) + tail for text in instructions]
    width = max(map(len, rows))
    hidden = model.body(input_ids=torch.tensor([row + [0] * (width - len(row)) for row in rows]), use_cache=False)
    legal = torch.stack([model.legal(game, words[:i]) for i in range(len(words))])
    targets = torch.tensor([model.index[word] for word in words])
    found = []
    for row, states in zip(rows, hidden.last_hidden_state, strict=True):
        logits = model.head(states[len(row) - len(words) : len(row)].float()).masked_fill(~legal, -torch.inf)
        found.append(torch.log_softmax(logits, -1).gather(1, targets[:, None])[:, 0])
    return torch.stack(found)
