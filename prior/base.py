"""A prior: instruction + observation -> log-probabilities over legal actions, from a method and a backend."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from envs.base import Game
from prior.backends.base import Backend, make_backend
from prior.calibration import calibrated, coarsened, flipped, sharpened
from prior.files import import_table
from prior.table import Progress, raw_table
from schemas.config import PriorConfig
from schemas.errors import ModelError, UserError


class Method(Protocol):
    """A way of asking: scores for texts under an instruction, which may be empty (the null instruction)."""

    @property
    def version(self) -> str:
        """Name and version of the prompt template."""
        ...

    @property
    def backend(self) -> Backend | None:
        """The language model, if the method asks one."""
        ...

    def scores(self, instruction: str, texts: Sequence[str], legal: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Ask the model: raw scores float64[N, A] as they are stored, -inf exactly where `legal` is False."""
        ...

    def finish(self, raw: NDArray[np.float64], legal: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Turn raw scores of all observations into log-probabilities over legal actions, float64[N, A]."""
        ...


NO_MODEL = {"backend": "none", "model": "", "revision": ""}


class Uniform:
    """Every legal action is equally likely: the control that knows nothing."""

    version = "uniform/1"
    backend = None
    identity = NO_MODEL

    def scores(self, instruction: str, texts: Sequence[str], legal: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return log(1 / number of legal actions)."""
        return np.where(legal, -np.log(legal.sum(axis=1, keepdims=True)), -np.inf)

    def finish(self, raw: NDArray[np.float64], legal: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Scores are log-probabilities already."""
        return raw


class FromFile:
    """A table that was exported, or written by hand."""

    version = "file/1"
    backend = None
    identity = NO_MODEL

    def __init__(self, game: Game, file: Path | None) -> None:
        if file is None:
            raise UserError("--prior file: name the table with --table FILE (.json or .csv)")
        self._probs, self.metadata = import_table(game, file)
        self.instruction = str(self.metadata.get("instruction", ""))

    def scores(self, instruction: str, texts: Sequence[str], legal: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the file's log-probabilities; the null observation, which no file has, is uniform."""
        with np.errstate(divide="ignore"):
            return np.vstack([np.log(self._probs), Uniform().scores(instruction, texts[-1:], legal[-1:])])

    def finish(self, raw: NDArray[np.float64], legal: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Scores are log-probabilities already."""
        return raw


@dataclass(frozen=True)
class PriorTable:
    """The prior of every observation of a game: what a learner reads, by row index.

    `log_probs` float32[num_observations, num_actions]: -inf where not legal, rows sum to 1 within 1e-6.
    """

    game: Game
    instruction: str
    log_probs: NDArray[np.float32]
    metadata: dict[str, Any]

    @property
    def probs(self) -> NDArray[np.float64]:
        """Probabilities, float64[num_observations, num_actions]; 0 where not legal."""
        return np.exp(self.log_probs.astype(np.float64))


class Prior:
    """A configured prior for one game; the language model is loaded when the first row is asked for."""

    def __init__(self, config: PriorConfig, game: Game) -> None:
        self.config, self.game = config, game
        self.method = _make_method(config, game)

    @property
    def exact(self) -> bool:
        """Whether the probabilities are the model's own and not an estimate."""
        if self.method.backend is None:
            return True
        return self.method.backend.exact and self.config.method != "verbalized"

    @property
    def identity(self) -> dict[str, str]:
        """Backend, model and revision; empty strings for a prior without a model."""
        return (self.method.backend or self.method).identity  # type: ignore[union-attr]

    @property
    def instruction(self) -> str:
        """What the prior follows: what was said, or what its file says that it was made from, or the game's default."""
        return self.config.instruction or getattr(self.method, "instruction", "") or self.game.default_instruction

    def table(self, instruction: str | None = None, progress: Progress | None = None) -> PriorTable:
        """Return the prior of every observation, precomputed and cached.

        `instruction` overrides the config's; the empty string is the null instruction.
        """
        if instruction is None:
            instruction = self.instruction
        config = self.config
        if config.level != "last-move":
            raise UserError(
                f"--level {config.level}: its texts are too many to list, so there is no table of them; "
                "rl.train asks for them as they come up"
            )
        rows = self._raw(instruction, progress)
        null = rows[-1:] if config.calibration == "null-observation" else None
        if config.calibration in ("null", "null-instruction"):
            null = self._raw("", None)
            null = null[-1:] if config.calibration == "null" else null[:-1]
        log_probs = self.finish(rows[:-1], self.game.legal, null)
        metadata = {
            "game": self.game.name,
            "instruction": instruction,
            "method": config.method,
            "template": self.method.version,
            **self.identity,
            "normalization": config.normalization,
            "calibration": config.calibration,
            "beta": config.beta,
            "epsilon": config.epsilon,
            "coarse": config.coarse,
            "noise": config.noise,
            "exact": self.exact,
        }
        return PriorTable(self.game, instruction, log_probs, metadata)

    def finish(
        self, raw: NDArray[np.float64], legal: NDArray[np.bool_], null: NDArray[np.float64] | None
    ) -> NDArray[np.float32]:
        """Turn raw scores, float64[N, A], into log-probabilities, float32[N, A].

        `null`: raw scores to calibrate by, if any: [N, A] of the same texts without instruction, or [1, A] of the
        null observation.
        """
        config = self.config
        scores = self.method.finish(raw, legal)
        if null is not None:
            without = legal if config.calibration == "null-instruction" else np.ones(null.shape, np.bool_)
            scores = calibrated(scores, self.method.finish(null, without), legal)
        if (config.method, config.coarse) != ("yes-no", "binary"):  # which thresholds the odds themselves
            scores = coarsened(scores, legal, config.coarse)
        scores = flipped(scores, legal, config.noise, config.noise_seed)
        return sharpened(scores, legal, config.beta, config.epsilon).astype(np.float32)

    def _raw(self, instruction: str, progress: Progress | None) -> NDArray[np.float64]:
        """Raw scores of every observation and, in the last row, of the null observation."""
        game = self.game
        texts = [observation.text for observation in game.observations] + [game.null_observation]
        keys = [observation.key for observation in game.observations] + ["<null>"]
        legal = np.vstack([game.legal, np.ones((1, len(game.actions)), np.bool_)])
        if self.method.backend is None:
            return self.method.scores(instruction, texts, legal)

        def ask(rows: list[int]) -> NDArray[np.float64]:
            return self.ask(instruction, [texts[row] for row in rows], [keys[row] for row in rows], legal[rows])

        identity = self.question(instruction) | {"texts": texts, "legal": legal.astype(int).tolist()}
        return raw_table(identity, len(texts), len(game.actions), ask, progress, self.method.backend.chunk_size)

    def ask(
        self, instruction: str, texts: Sequence[str], names: Sequence[str], legal: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Ask the model now: raw scores float64[N, A]. Raises ModelError naming an observation without an answer."""
        found = self.method.scores(instruction, texts, legal)
        broken = ~np.isfinite(np.where(legal, found, 0.0)).all(axis=1)
        if broken.any():
            name = names[int(broken.argmax())]
            raise ModelError(f"prior: the model gave no finite probabilities for observation {name}")
        return found

    def question(self, instruction: str) -> dict[str, Any]:
        """Return what an answer depends on, beside the text: the key of its place on disk."""
        return {
            **self.identity,
            "method": self.config.method,
            "template": self.method.version,
            "normalization": self.config.normalization,
            "instruction": instruction,
            "game": self.game.name,
            "actions": self.game.action_names,
        }


def _make_method(config: PriorConfig, game: Game) -> Method:
    from prior.likelihood import Likelihood
    from prior.structured import Structured
    from prior.verbalized import Verbalized
    from prior.yes_no import YesNo

    asking: dict[str, Callable[[Game, Backend, PriorConfig], Method]] = {
        "structured": Structured,
        "likelihood": Likelihood,
        "yes-no": YesNo,
        "verbalized": Verbalized,
    }
    if config.calibration == "batch" and config.method != "yes-no":
        raise UserError(f"--calibration batch: it calibrates yes-no questions, not the {config.method} prior")
    if config.compiled and config.method != "structured":
        raise UserError(f"--compiled: the structured prior is mixed with a program, not the {config.method} prior")
    if config.compiled:
        from prior.compiler.mixture import Mixture

        return Mixture(game, Structured(game, make_backend(config), config))
    if config.method in asking:
        return asking[config.method](game, make_backend(config), config)
    if config.method in ("file", "convention"):
        if config.calibration != "none":
            raise UserError(f"--calibration {config.calibration}: a prior from a file has no null answers to subtract")
        if config.method == "file":
            return FromFile(game, config.table)
        from prior.convention import FromConvention

        return FromConvention(game, config)
    if config.method == "uniform":
        return Uniform()
    known = ", ".join([*asking, "convention", "file", "uniform"])
    raise UserError(f"--prior: none means no prior, so there is nothing to show; choose {known}")
