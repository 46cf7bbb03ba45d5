"""The compiler's network: the embedded language model, low-rank adapters in its layers, a head over program words.

The model reads `GAME: INSTRUCTION` and writes the program word by word (schemas.program). Every program word is one
token of the model. The head scores only these words, and the softmax goes over the words that the grammar allows
next, in training as in decoding: the product over a program's words is its exact probability among all programs.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from prior.backends.models import DEFAULT_MODEL, find_model, repair
from schemas.errors import ModelError
from schemas.program import Game, next_words, vocabulary

_TITLES: dict[Game, str] = {"hanabi": "Hanabi", "say-select": "Numbers"}
_ADAPTED = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


class LowRank(nn.Module):
    """A frozen linear layer plus a trained update of low rank (LoRA, Hu et al. 2022): x W' + (x A') B' * scale.

    In training a share `dropout` of the update's inputs is set to zero.
    """

    def __init__(self, base: nn.Linear, rank: int, scale: float, dropout: float) -> None:
        super().__init__()
        self.base, self.scale, self.dropout = base, scale, dropout
        self.a = nn.Parameter(torch.randn(rank, base.in_features) / base.in_features**0.5)
        self.b = nn.Parameter(torch.zeros(base.out_features, rank))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Apply the layer to x[..., in_features]."""
        dropped = nn.functional.dropout(x, self.dropout, self.training)
        return self.base(x) + dropped @ self.a.to(x.dtype).T @ (self.b * self.scale).to(x.dtype).T


class CompilerModel(nn.Module):
    """Base model, adapters and head. `dtype`: of the base model's weights; the trained parameters are float32.

    `attention`: transformers' name of the kernel. Plain attention is the default: for texts of some 50 tokens the
    fused kernel takes longer on a CPU.
    """

    def __init__(
        self,
        base: str = DEFAULT_MODEL,
        *,
        rank: int = 8,
        dropout: float = 0.0,
        dtype: torch.dtype = torch.float32,
        attention: str = "eager",
    ) -> None:
        super().__init__()
        from transformers import AutoModelForCausalLM, AutoTokenizer
        from transformers.utils import logging

        logging.disable_progress_bar()
        folder = find_model(base)
        repair(folder)
        self.tokenizer = AutoTokenizer.from_pretrained(folder.path, local_files_only=True)
        model = AutoModelForCausalLM.from_pretrained(
            folder.path, dtype=dtype, local_files_only=True, attn_implementation=attention
        )
        self.words = vocabulary()
        self.index = {word: i for i, word in enumerate(self.words)}
        tokens = [self.tokenizer(f" {word}", add_special_tokens=False).input_ids for word in self.words]
        wrong = [word for word, ids in zip(self.words, tokens, strict=True) if len(ids) != 1]
        if wrong:
            raise ModelError(
                f"--model: {base} splits the program words {', '.join(wrong)}; the compiler needs one token each"
            )
        self.word_tokens = torch.tensor([ids[0] for ids in tokens])
        self.body = model.model.requires_grad_(False)
        self.head = nn.Linear(model.config.hidden_size, len(self.words))
        with torch.no_grad():
            self.head.weight.copy_(model.get_input_embeddings().weight[self.word_tokens].float())
            self.head.bias.zero_()
        for module in list(self.body.modules()):
            for name in _ADAPTED:
                if isinstance(getattr(module, name, None), nn.Linear):
                    setattr(module, name, LowRank(getattr(module, name), rank, 2.0, dropout))
        self.base, self.rank = {"model": base, "revision": folder.revision}, rank

    def prompt(self, game: Game, instruction: str) -> list[int]:
        """Tokens that the program is written after."""
        text = f"{_TITLES[game]}: {' '.join(instruction.split())}\nProgram:"
        return list(self.tokenizer(text, add_special_tokens=False).input_ids)

    def legal(self, game: Game, words: Sequence[str]) -> torch.Tensor:
        """Which words may follow the beginning of a program, bool[num_words]."""
        mask = torch.zeros(len(self.words), dtype=torch.bool)
        mask[[self.index[word] for word in next_words(game, words)]] = True
        return mask

    def trained(self) -> dict[str, torch.Tensor]:
        """Return the adapters and the head: all that training changes."""
        return {name: value for name, value in self.named_parameters() if value.requires_grad}


def save_adapter(model: CompilerModel, file: Path, notes: dict[str, str]) -> None:
    """Write adapters and head as bfloat16, with the base model's name and revision and `notes` as metadata."""
    file.parent.mkdir(parents=True, exist_ok=True)
    tensors = {name: value.detach().cpu().bfloat16().contiguous() for name, value in model.trained().items()}
    words = " ".join(model.words)
    save_file(tensors, file, metadata={**model.base, "rank": str(model.rank), "words": words, **notes})


def read_adapter(file: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """Read an adapter's tensors, float32, and its notes. Raises ModelError if there is no such file."""
    try:
        with safe_open(file, "pt") as stored:
            return {name: stored.get_tensor(name).float() for name in stored.keys()}, stored.metadata()  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise ModelError(f"compiler: {file} cannot be read ({' '.join(str(error).split())[:120]})") from None


def load_adapter(file: Path, *, dtype: torch.dtype = torch.float32) -> CompilerModel:
    """Build the model of an adapter, with the adapters merged into its layers.

    Raises ModelError if there is no such file, or if it was made for another base model or other program words.
    """
    tensors, notes = read_adapter(file)
    model = CompilerModel(notes["model"], rank=int(notes["rank"]), dtype=dtype)
    if notes["words"] != " ".join(model.words) or notes["revision"] != model.base["revision"]:
        raise ModelError(f"compiler: {file} was made for another base model or other program words; train it again")
    model.load_state_dict(tensors, strict=False)
    for module in list(model.body.modules()):
        for name in _ADAPTED:
            layer = getattr(module, name, None)
            if isinstance(layer, LowRank):
                with torch.no_grad():
                    layer.base.weight += (layer.b @ layer.a * layer.scale).to(dtype)
                setattr(module, name, layer.base)
    return model.eval().requires_grad_(False)
