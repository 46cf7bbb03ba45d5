"""Tiny, randomly initialized language models saved to a folder, as a user's own model would be."""

from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoModelForCausalLM, Gemma3TextConfig, GPT2Config, LlamaConfig, PreTrainedTokenizerFast


def tokenizer() -> PreTrainedTokenizerFast:
    """Bytes, plus a few merges, so that a candidate is several tokens and merges cross its beginning."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = [("s", "e"), ("l", "e"), ("se", "le"), ("c", "t"), ('"', ":"), ("Ġ", "{"), ("{", '"')]
    words = [*alphabet, *("".join(pair) for pair in merges), "<s>"]
    made = Tokenizer(models.BPE(vocab={word: i for i, word in enumerate(words)}, merges=merges))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    made.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=made, eos_token="<s>", pad_token="<s>")


def save_tiny_model(folder: Path, family: str, seed: int = 0) -> Path:
    """Save a model of the family (llama, gpt2 or gemma3) with weights from the seed; returns the folder."""
    words = tokenizer()
    size = len(words)
    config = {
        "llama": LlamaConfig(
            vocab_size=size, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, max_position_embeddings=1024,
        ),
        "gpt2": GPT2Config(vocab_size=size, n_embd=32, n_layer=2, n_head=4, n_positions=1024),
        "gemma3": Gemma3TextConfig(
            vocab_size=size, hidden_size=32, intermediate_size=48, num_hidden_layers=6, num_attention_heads=4,
            num_key_value_heads=2, head_dim=8, sliding_window=24, max_position_embeddings=1024,
        ),
    }[family]  # fmt: skip
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3.0)  # far from uniform, or any scoring would look right
    model.save_pretrained(folder)
    words.save_pretrained(folder)
    return folder
