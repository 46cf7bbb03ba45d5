"""Pairs as padded tensors, their loss, and its gradient: in threads on a CPU, by replayed CUDA graphs on a GPU."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import torch

from prior.compiler.data import Pair
from prior.compiler.model import CompilerModel

Gradient = tuple[torch.Tensor, tuple[torch.Tensor, ...]]


class Batch(NamedTuple):
    """Pairs, a row each, and what their programs say, a column a word."""

    tokens: torch.Tensor  # int64[rows, width]: prompt and program words, padded
    place: torch.Tensor  # int64[rows, words]: the token after which the word comes
    targets: torch.Tensor  # int64[rows, words]: the word
    legal: torch.Tensor  # bool[rows, words, num_words]: the words that might stand there
    written: torch.Tensor  # bool[rows, words]: whether the row's program has so many words

    def log_probs(self, model: CompilerModel) -> torch.Tensor:
        """Log-probabilities of the words, float32[rows, words, num_words], -inf where not legal."""
        mask = None
        if self.tokens.is_cuda:  # transformers would look at the positions first, which no CUDA graph can
            width = self.tokens.shape[1]
            mask = torch.ones(width, width, dtype=torch.bool, device=self.tokens.device).tril()[None, None]
        hidden = model.body(input_ids=self.tokens, attention_mask=mask, use_cache=False).last_hidden_state
        at = hidden.gather(1, self.place[..., None].expand(-1, -1, hidden.shape[-1]))
        return torch.log_softmax(model.head(at.float()).masked_fill(~self.legal, -torch.inf), -1)

    def loss(self, model: CompilerModel, smoothing: float) -> torch.Tensor:
        """Mean over the pairs of the negative log-probability of a program."""
        log_probs = self.log_probs(model)
        right = log_probs.gather(2, self.targets[..., None])[..., 0]
        spread = log_probs.masked_fill(~self.legal, 0).sum(2) / self.legal.sum(2)
        words = (1 - smoothing) * right + smoothing * spread
        return -words.where(self.written, 0.0).sum() / len(self.tokens)

    def right(self, model: CompilerModel) -> torch.Tensor:
        """Whether each row's program is what greedy decoding writes, bool[rows]."""
        return ((self.log_probs(model).argmax(2) == self.targets) | ~self.written).all(1)

    def gradient(self, model: CompilerModel, smoothing: float) -> Gradient:
        """Loss, and its gradient by each of `model.trained()`."""
        loss = self.loss(model, smoothing)
        return loss.detach(), torch.autograd.grad(loss, tuple(model.trained().values()))

    def to(self, device: str) -> "Batch":
        """Copy to a device."""
        return Batch(*(tensor.to(device) for tensor in self))


def batch(model: CompilerModel, pairs: Sequence[Pair], *, multiple: int = 1) -> Batch:
    """Build a batch; width and number of words are multiples of `multiple`: few shapes, so few CUDA graphs."""
    prompts = [model.prompt(pair.game, pair.instruction) for pair in pairs]
    programs = [pair.program.split() for pair in pairs]

    def size(longest: int) -> int:
        return -(-longest // multiple) * multiple

    width = size(max(len(prompt) + len(words) - 1 for prompt, words in zip(prompts, programs, strict=True)))
    shape = len(pairs), size(max(map(len, programs)))
    tokens = torch.zeros(len(pairs), width, dtype=torch.long)
    place, targets = torch.zeros(shape, dtype=torch.long), torch.zeros(shape, dtype=torch.long)
    written = torch.zeros(shape, dtype=torch.bool)
    legal = torch.ones(*shape, len(model.words), dtype=torch.bool)  # of padding too: no word there has no softmax
    for row, (pair, prompt, words) in enumerate(zip(pairs, prompts, programs, strict=True)):
        count = len(words)
        indices = torch.tensor([model.index[word] for word in words])
        tokens[row, : len(prompt)] = torch.tensor(prompt)
        tokens[row, len(prompt) : len(prompt) + count - 1] = model.word_tokens[indices[:-1]]
        place[row, :count] = torch.arange(count) + len(prompt) - 1
        targets[row, :count], written[row, :count] = indices, True
        legal[row, :count] = torch.stack([model.legal(pair.game, words[:i]) for i in range(count)])
    return Batch(tokens, place, targets, legal, written)


def gradients_in_threads(
    model: CompilerModel, smoothing: float, threads: int
) -> Callable[[Sequence[Batch]], Iterator[Gradient]]:
    """Compute `threads` batches at once, each on its share of the cores."""
    cores = max(1, torch.get_num_threads() // threads)
    pool = ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(cores,))
    return lambda parts: pool.map(lambda part: part.gradient(model, smoothing), parts)


def gradients_by_graphs(model: CompilerModel, smoothing: float) -> Callable[[Sequence[Batch]], Iterator[Gradient]]:
    """Replay one CUDA graph a shape: to launch the thousands of small kernels singly takes longer than they run.

    What is yielded is overwritten by the next batch of the same shape.
    """
    graphs: dict[torch.Size, tuple[torch.cuda.CUDAGraph, Batch, Gradient]] = {}
    pool = torch.cuda.graph_pool_handle()

    def capture(part: Batch) -> tuple[torch.cuda.CUDAGraph, Batch, Gradient]:
        inputs, graph, stream = part.to("cuda"), torch.cuda.CUDAGraph(), torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):  # libraries choose and load their kernels outside the graph
            inputs.gradient(model, smoothing)
        torch.cuda.current_stream().wait_stream(stream)
        with torch.cuda.graph(graph, pool=pool, capture_error_mode="thread_local"):
            outputs = inputs.gradient(model, smoothing)
        return graph, inputs, outputs

    def gradients(parts: Sequence[Batch]) -> Iterator[Gradient]:
        for part in parts:
            if part.legal.shape + part.tokens.shape not in graphs:
                graphs[part.legal.shape + part.tokens.shape] = capture(part)
            graph, inputs, outputs = graphs[part.legal.shape + part.tokens.shape]
            for kept, new in zip(inputs, part, strict=True):
                kept.copy_(new, non_blocking=True)
            graph.replay()
            yield outputs

    return gradients
