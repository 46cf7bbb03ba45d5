"""The transformers backend: exact scores of a set of candidates with one forward pass a batch of prompts.

The prompts' common prefix (instruction and examples) is run once and its key-value cache shared. What remains of
each prompt stands left-padded in a batch, followed by the tree of all candidates' tokens; an attention mask lets a
node see its prompt and its ancestors only, so that one pass gives the logits after every prefix of every candidate.
"""

import copy
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from prior.backends.base import CandidateScore
from prior.backends.models import DEFAULT_MODEL, ModelFolder, find_model, repair
from schemas.config import PriorConfig
from schemas.errors import ModelError

Tokens = tuple[int, ...]


class TransformersBackend:
    """A causal language model run by transformers.

    `memory_gb` bounds a batch's caches and logits; above half a gigabyte page faults cost more than batching saves.
    """

    name = "transformers"
    chunk_size = 64
    exact = True

    def __init__(
        self, model: str | None = None, *, device: str = "cpu", dtype: str = "float32", memory_gb: float = 0.5
    ) -> None:
        self.model_name = model or DEFAULT_MODEL
        self._device, self._dtype, self._batch_bytes = device, dtype, int(memory_gb * (1 << 30))
        self._loaded: tuple[Any, Any] | None = None
        self._generators: dict[type[BaseModel], Any] = {}

    @classmethod
    def from_config(cls, config: PriorConfig) -> Self:
        """Build from the config's model, device, dtype and memory."""
        return cls(config.model, device=config.device, dtype=config.dtype, memory_gb=config.memory_gb)

    @cached_property
    def folder(self) -> ModelFolder:
        """Where the model lies; looked up once."""
        return find_model(self.model_name)

    @property
    def identity(self) -> dict[str, str]:
        """Backend, model as the user named it, the digest of its files, and the precision if it is not float32."""
        precision = "" if self._dtype == "float32" else f"-{self._dtype}"
        return {"backend": self.name, "model": self.model_name, "revision": self.folder.revision + precision}

    def load(self) -> tuple[Any, Any]:
        """Return (model, tokenizer), loaded once. Raises ModelError when the folder is not a causal model."""
        if self._loaded is None:
            import torch
            from transformers import AutoModelForCausalLM, AutoTokenizer
            from transformers.utils import logging

            logging.disable_progress_bar()
            repair(self.folder)
            if self._device.startswith("cuda") and not torch.cuda.is_available():
                raise ModelError(f"--device {self._device}: this machine's torch sees no CUDA device; use --device cpu")
            try:
                tokenizer = AutoTokenizer.from_pretrained(self.folder.path, local_files_only=True)
                model = AutoModelForCausalLM.from_pretrained(
                    self.folder.path, dtype=getattr(torch, self._dtype), local_files_only=True
                ).to(self._device)
            except Exception as error:  # loaders raise many types on a folder that is no language model
                reason = " ".join(str(error).split())[:160]
                raise ModelError(f"--model: {self.model_name} cannot be loaded ({reason})") from None
            self._loaded = model.eval(), tokenizer
        return self._loaded

    def chat_text(self, messages: list[dict[str, Any]], tools: list[dict[str, Any]] | None, *, answer: bool) -> str:
        """Render messages with the model's chat template; with `answer`, up to where the assistant begins.

        Raises ModelError if the model has no chat template, or one that does not take tools.
        """
        _, tokenizer = self.load()
        if not tokenizer.chat_template:
            raise ModelError(f"--template: {self.model_name} has no chat template; use --template raw")
        if tools and "tools" not in str(tokenizer.chat_template):
            raise ModelError(
                f"--template tools: the chat template of {self.model_name} takes none; use --template chat"
            )
        text = tokenizer.apply_chat_template(messages, tools=tools, add_generation_prompt=answer, tokenize=False)
        return str(text)

    def score(self, prompts: Sequence[str], candidates: Sequence[str]) -> list[list[CandidateScore]]:
        """Score candidates exactly (see Backend). The result does not depend on how prompts are batched (1e-4)."""
        import torch

        if not prompts:
            return []
        contexts, tails = zip(*(self._split(prompt, candidates) for prompt in prompts), strict=True)
        scores: list[list[CandidateScore]] = [[] for _ in prompts]
        with torch.inference_mode():
            # Prompts whose candidates are tokenized alike (normally all) share one tree.
            for tail in dict.fromkeys(tails):
                rows = [i for i, other in enumerate(tails) if other == tail]
                found = self._score_tree([contexts[i] for i in rows], tail)
                for i, logprobs in zip(rows, found, strict=True):
                    scores[i] = [CandidateScore(t, lp) for t, lp in zip(tail, logprobs, strict=True)]
        return scores

    def _split(self, prompt: str, candidates: Sequence[str]) -> tuple[Tokens, tuple[Tokens, ...]]:
        """Tokenize prompt and candidate together, and cut where the prompt ends or their tokens part."""
        context, tails = split(self.load()[1], prompt, candidates)
        self._check_length(len(context) + max(map(len, tails)))
        return context, tails

    def _check_length(self, tokens: int) -> None:
        model, _ = self.load()
        window = getattr(model.config.get_text_config(), "max_position_embeddings", None)
        if window is not None and tokens > window:
            raise ModelError(
                f"prompt: {tokens} tokens with the answer, but {self.model_name} takes {window}; "
                "shorten the instruction or use a model with a longer context"
            )

    def _score_tree(self, contexts: list[Tokens], tails: tuple[Tokens, ...]) -> list[list[NDArray[np.float64]]]:
        import torch
        from transformers import DynamicCache

        model, _ = self.load()
        parents, tokens, paths = token_tree(tails)
        inner = sorted(set(parents) - {-1})  # nodes with children; leaves need no forward pass
        place = {node: column for column, node in enumerate(inner)}
        depth = {-1: 0}
        for node, parent in enumerate(parents):
            depth[node] = depth[parent] + 1
        seen = torch.zeros(len(inner), len(inner), dtype=torch.bool)  # [node, ancestor or itself]
        for node in inner:
            walk = node
            while walk != -1:
                seen[place[node], place[walk]] = True
                walk = parents[walk]

        shared = common_prefix(contexts)[: min(map(len, contexts)) - 1]  # every row keeps a token of its own
        cache = DynamicCache()
        if shared:
            model(self._tensor([shared]), cache=cache, use_cache=True, logits_to_keep=1)
        vocabulary = model.get_output_embeddings().weight.shape[0]
        cached = sum(layer.keys.numel() + layer.values.numel() for layer in cache.layers) if shared else 0
        # Every row holds its copy of the shared cache (twice while it is extended), its logits and their logarithms.
        row_bytes = 2 * model.dtype.itemsize * (cached + vocabulary * (len(inner) + 1))
        rows_at_once = max(1, self._batch_bytes // row_bytes)
        results: list[list[NDArray[np.float64]]] = []
        for first in range(0, len(contexts), rows_at_once):
            batch = [c[len(shared) :] for c in contexts[first : first + rows_at_once]]
            width = max(map(len, batch))
            ids = torch.tensor([[0] * (width - len(c)) + list(c) + [tokens[n] for n in inner] for c in batch])
            pad = torch.tensor([width - len(c) for c in batch])
            column = torch.arange(width)
            positions = torch.cat(
                [
                    (len(shared) + column[None] - pad[:, None]).clamp(min=0),
                    (len(shared) + width - 1 - pad[:, None] + torch.tensor([depth[n] for n in inner]).long()),
                ],
                dim=1,
            )
            real = column[None] >= pad[:, None]  # [rows, width]
            visible = torch.zeros(len(batch), width + len(inner), len(shared) + width + len(inner), dtype=torch.bool)
            visible[:, :, : len(shared)] = True
            own = visible[:, :, len(shared) :]
            own[:, :width, :width] = torch.ones(width, width, dtype=torch.bool).tril() & real[:, None, :]
            own[:, width:, :width] = real[:, None, :]
            own[:, width:, width:] = seen
            own[:, range(width), range(width)] = True  # a padded query must see something, or it turns to NaN
            logits = model(
                ids.to(self._device),
                attention_mask=self._attention_mask(visible, positions, len(shared)),
                position_ids=positions.to(self._device),
                cache=_repeated(cache, len(batch)) if shared else None,
                use_cache=bool(shared),
                logits_to_keep=torch.arange(width - 1, width + len(inner), device=self._device),
            ).logits
            logprobs = torch.log_softmax(logits.float(), dim=-1)
            where = torch.tensor([place.get(parent, -1) + 1 for parent in parents])
            nodes = logprobs[:, where, torch.tensor(tokens)].double().cpu().numpy()
            results += [[row[list(path)] for path in paths] for row in nodes]
        return results

    def _tensor(self, values: Any) -> Any:
        import torch

        return torch.tensor(values, device=self._device)

    def _attention_mask(self, visible: Any, positions: Any, shared: int) -> Any:
        """Turn visibility, bool[rows, queries, keys], into what the model takes; sliding windows get their own."""
        import torch

        model, _ = self.load()
        config = model.config.get_text_config()
        low = torch.finfo(model.dtype).min

        def additive(allowed: Any) -> Any:
            return torch.zeros(allowed.shape, dtype=model.dtype).masked_fill(~allowed, low)[:, None].to(self._device)

        window = getattr(config, "sliding_window", None)
        layer_types = set(getattr(config, "layer_types", None) or [])
        if window is None or layer_types == {"full_attention"}:
            return additive(visible)
        keys = torch.cat([torch.arange(shared).expand(len(positions), -1), positions], dim=1)
        near = visible & (positions[:, :, None] - keys[:, None, :] < window)
        if "sliding_attention" in layer_types:
            return {"full_attention": additive(visible), "sliding_attention": additive(near)}
        return additive(near)

    def generate(self, prompt: str, schema: type[BaseModel], n: int = 1, seed: int = 0) -> list[BaseModel]:
        """Write n objects with outlines, which holds the model to the schema; each is validated here again."""
        import outlines
        import torch

        model, tokenizer = self.load()
        if schema not in self._generators:  # compiling a schema costs a quarter of a second
            plain = copy.copy(tokenizer)
            plain.chat_template = None  # outlines would wrap prompts in it; ours are complete
            self._generators[schema] = outlines.Generator(outlines.from_transformers(model, plain), schema)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            texts = [
                self._generators[schema](
                    prompt,
                    max_new_tokens=256,
                    do_sample=n > 1,
                    temperature=1.0,
                    pad_token_id=tokenizer.pad_token_id or tokenizer.eos_token_id,
                )
                for _ in range(n)
            ]
        return [schema.model_validate_json(text) for text in texts]


def split(tokenizer: Any, prompt: str, candidates: Sequence[str]) -> tuple[Tokens, tuple[Tokens, ...]]:
    """Tokenize prompt and candidate together, and cut where the prompt ends or their tokens part."""
    alone, *full = tokenizer([prompt, *(prompt + c for c in candidates)], add_special_tokens=False).input_ids
    start = [tokenizer.bos_token_id] if getattr(tokenizer, "add_bos_token", False) else []
    if alone[:1] == start:  # a chat template writes it itself
        start = []
    cut = len(common_prefix([alone, *full]))
    if start:
        full, cut = [start + f for f in full], cut + 1
    if cut == 0:
        raise ModelError("prompt: it is empty, and this model has no token to start from")
    return tuple(full[0][:cut]), tuple(tuple(f[cut:]) for f in full)


def common_prefix(sequences: Sequence[Sequence[int]]) -> list[int]:
    """Return the longest list of tokens that all sequences begin with."""
    prefix: list[int] = []
    for column in zip(*sequences, strict=False):
        if len(set(column)) > 1:
            break
        prefix.append(column[0])
    return prefix


def token_tree(tails: Sequence[Tokens]) -> tuple[list[int], list[int], list[list[int]]]:
    """Merge token sequences into a tree: parent (-1 at the root) and token of each node, and each tail's nodes."""
    nodes: dict[tuple[int, int], int] = {}
    paths = []
    for tail in tails:
        node, path = -1, []
        for token in tail:
            node = nodes.setdefault((node, token), len(nodes))
            path.append(node)
        paths.append(path)
    return [parent for parent, _ in nodes], [token for _, token in nodes], paths


def _repeated(cache: Any, rows: int) -> Any:
    from transformers import DynamicCache

    copy = DynamicCache()
    for number, layer in enumerate(cache.layers):
        copy.update(layer.keys.expand(rows, -1, -1, -1), layer.values.expand(rows, -1, -1, -1), number)
    return copy
