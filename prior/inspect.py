"""`python -m prior.inspect`: look at a prior before training on it, beside what it says when told something else."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import tyro
from numpy.typing import NDArray
from pydantic import Field

from envs.base import Control, Game, make_game
from prior.base import Prior, PriorTable
from prior.compiler.chat import chat
from prior.compiler.compile import Compiled, NotUnderstoodError
from prior.convention import FromConvention
from prior.diagnose import ambiguous, compare_styles, entropies, mean_kl, paraphrase_spread, top_accuracy
from prior.utterance import parse_utterances
from schemas.command_line import parse, run_main, write_summary
from schemas.config import PriorConfig, Section
from schemas.distribution import ActionDistribution
from schemas.errors import UserError
from schemas.program import write

_LISTED = 10  # ambiguous observations shown
_ROWS = 40  # rows of the table shown


class InspectConfig(Section):
    """What to look at."""

    env: str = Field("say-select", description="game: say-select, hanabi, hanabi-small, hanabi-very-small, hanabi-mini")
    prior: Annotated[PriorConfig, tyro.conf.arg(name="")] = PriorConfig()
    utterance: tyro.conf.UseAppendAction[tuple[str, ...]] = Field(
        (), description="show how a free utterance is parsed, and the prior that follows; may be repeated"
    )
    controls: bool = Field(True, description="measure the null instruction and the control instructions too")
    paraphrase: tyro.conf.UseAppendAction[tuple[str, ...]] = Field(
        (), description="another wording of the instruction, to measure how far the prior moves; may be repeated"
    )
    styles: bool = Field(False, description="also ask in every style (structured, likelihood, yes-no, verbalized)")
    samples: int = Field(0, ge=0, description="also sample this many calls an observation, by masked decoding")
    chat: bool = Field(False, description="settle the instruction of a convention prior line by line first")
    figure: Path = Field(Path("runs/inspect/prior.png"), description="where the heatmap goes")
    summary: Path | None = Field(None, description="write the results as JSON")


def inspect(config: InspectConfig) -> dict[str, Any]:
    """Print the prior and its controls, draw the heatmap; returns the summary."""
    start = time.perf_counter()
    game = make_game(config.env)
    if config.chat:
        config = config.model_copy(update={"prior": _settled(config.prior, game)})
    prior = Prior(config.prior, game)
    table, compiled = _table(prior)
    probs = table.probs
    for row in range(len(game.observations)):  # the contract, checked on what is shown
        legal = [name for name, ok in zip(game.action_names, game.legal[row], strict=True) if ok]
        ActionDistribution(
            legal=tuple(legal),
            probabilities={n: p for n, p in zip(game.action_names, probs[row].tolist(), strict=True) if n in legal},
        )
    known = game.intended(table.instruction)
    meta = table.metadata
    print(f"{game.name}: {meta['method']} prior, backend {meta['backend']} {meta['model']}, ", end="")
    print(f"{'exact' if prior.exact else 'approximate'}, {meta['normalization']} normalization")
    print(f"instruction: {table.instruction}\n")
    _print_table(game, probs, known)
    summary: dict[str, Any] = {
        "env": game.name,
        "instruction": table.instruction,
        "method": meta["method"],
        "backend": meta["backend"],
        "model": meta["model"],
        "actions": game.action_names,
        "observations": [{"key": o.key, "text": o.text} for o in game.observations],
        "probabilities": probs.tolist(),
        "exact": prior.exact,
        # A method that compiles nothing answers whatever it is told; only the controls tell whether it listened.
        "understood": compiled.understood if compiled else None,
        "settings": meta,
        "entropy": entropies(probs).tolist(),
        "top1_accuracy": top_accuracy(table, known) if known else None,
    }
    if compiled:
        summary["readings"] = [
            {"program": write(r.meaning), "words": r.words(), "probability": r.probability} for r in compiled.readings
        ]
    if config.controls and prior.method.backend is not None:  # nothing else would hear the other instructions
        summary |= _controls(prior, table, known)
    summary["ambiguous"] = _ambiguous(game, probs) if prior.method.backend else []
    if config.paraphrase:
        summary["paraphrases"] = _paraphrases(prior, table, config.paraphrase)
    if config.styles:
        summary["styles"] = _styles(config.prior, game)
    if config.samples:
        summary["sampled"] = _sampled(prior, table, config.samples)
    if config.utterance:
        summary["utterances"] = _utterances(prior, table, config.utterance)
    from runs.figures import prior_heatmap

    title = f"{meta['method']} prior, {meta['model']}: {table.instruction}"
    prior_heatmap(config.figure, [o.key for o in game.observations], game.action_names, probs, title)
    print(f"\nheatmap: {config.figure}")
    summary["seconds"] = time.perf_counter() - start
    return summary


def _table(prior: Prior) -> tuple[PriorTable, Compiled | None]:
    """Return the prior, and what its instruction was compiled to; uniform where that was not understood."""
    try:
        table = prior.table()
    except NotUnderstoodError as error:
        print(f"{error.compiled.text()}\nso the prior below is uniform; training on it is refused\n")
        return Prior(prior.config.model_copy(update={"method": "uniform"}), prior.game).table(), error.compiled
    return table, prior.method.compiled if isinstance(prior.method, FromConvention) else None


def _settled(config: PriorConfig, game: Game) -> PriorConfig:
    """Let the user refine the instruction line by line; returns the config with the one that was settled on."""
    if config.method != "convention" or config.convention:
        raise UserError("--chat: it settles the instruction that is compiled; use --prior convention without a file")
    instruction = chat(FromConvention(game, config).compile, config.instruction or "")
    if not instruction:
        raise UserError("--chat: no instruction was settled on")
    return config.model_copy(update={"instruction": instruction})


def _print_table(game: Game, probs: NDArray[np.float64], known: Control | None) -> None:
    names = game.action_names
    width = max(map(len, names)) + 1
    label = max(len(o.key) for o in game.observations)
    print(" " * label, *(name.rjust(width) for name in names), "  entropy  top-1")
    shown = list(zip(game.observations, probs, entropies(probs), strict=True))
    for observation, row, entropy in shown[:_ROWS]:
        top = names[int(row.argmax())]
        verdict = ""
        if known and known.obeys(observation):
            verdict = "as intended" if top in known.obeys(observation) else "NOT as intended"
        cells = (f"{p:.3f}".rjust(width) for p in row)
        print(observation.key.ljust(label), *cells, f"  {entropy:7.3f}  {top} {verdict}".rstrip())
    if len(shown) > _ROWS:
        print(f"and {len(shown) - _ROWS} more observations (all in --summary FILE and in the heatmap)")


def _controls(prior: Prior, table: PriorTable, known: Control | None) -> dict[str, Any]:
    """Ask again without the instruction and with others: a prior that does not move follows nothing."""
    game = table.game
    rows: list[dict[str, Any]] = []
    null = prior.table("")
    print("\nDoes it follow the instruction, or would it say the same anyway?")
    print(f"  {'instruction':58}  top-1 as intended  moved by (KL, nats)")
    if known:
        shown = f"{top_accuracy(table, known):.0%}"
        print(f"  {_short(table.instruction)}  {shown:>17}  {'-':>19}")
        null_accuracy = top_accuracy(null, known)
    else:
        print(f"  {_short(table.instruction)}  {'(not known here)':>17}  {'-':>19}")
        null_accuracy = None
    moved = mean_kl(table.probs, null.probs)
    shown = "-" if null_accuracy is None else f"{null_accuracy:.0%}"
    print(f"  {_short('(none: the null instruction)')}  {shown:>17}  {moved:19.3f}")
    for control in game.controls:
        if control is known:
            continue
        other = prior.table(control.instruction)
        accuracy, kl = top_accuracy(other, control), mean_kl(other.probs, table.probs)
        rows.append({"instruction": control.instruction, "top1_accuracy": accuracy, "kl": kl})
        print(f"  {_short(control.instruction)}  {accuracy:17.0%}  {kl:19.3f}")
    failed = [row for row in rows if row["top1_accuracy"] < 1]
    if null_accuracy == 1.0 and known:
        print("  Without any instruction it gives the same answers: they are a habit, not obedience.")
    if failed:
        print(f"  {len(failed)} of {len(rows)} control instructions are not followed; see docs/results.md.")
    else:
        print("  All control instructions are followed.")
    baseline = {"top1_accuracy": null_accuracy, "kl": moved, "probabilities": null.probs.tolist()}
    return {"null_instruction": baseline, "controls": rows}


def _short(text: str) -> str:
    return (text if len(text) <= 58 else text[:57] + "…").ljust(58)


def _ambiguous(game: Game, probs: NDArray[np.float64]) -> list[dict[str, Any]]:
    found = ambiguous(game, probs)
    if found:
        print(f"\nHesitates in {len(found)} of {len(game.observations)} observations:")
    for state in found[:_LISTED]:
        (first, second), (p, q) = state["between"], state["probabilities"]
        print(f"  {state['text']} -> {first} {p:.2f} or {second} {q:.2f}")
    if len(found) > _LISTED:
        print(f"  and {len(found) - _LISTED} more (--summary FILE lists them all)")
    return found


def _paraphrases(prior: Prior, table: PriorTable, wordings: Sequence[str]) -> dict[str, Any]:
    every = [table.instruction, *wordings]
    spread = paraphrase_spread(prior, every)
    mean = float(spread[~np.eye(len(every), dtype=bool)].mean())
    print(f"\nParaphrases: mean KL between two wordings {mean:.3f} nats")
    for wording, kl in zip(wordings, spread[0, 1:], strict=True):
        print(f"  {_short(wording)}  KL from the instruction {kl:.3f}")
    return {"wordings": every, "kl": spread.tolist(), "mean_kl": mean}


def _styles(config: PriorConfig, game: Game) -> list[dict[str, Any]]:
    print("\nstyle        top-1 as intended  entropy  strings scored  seconds")
    rows = compare_styles(config, game)
    for row in rows:
        if "failed" in row:
            print(f"{row['method']:11}  {row['failed']}")
            continue
        accuracy = "-" if row["top1_accuracy"] is None else f"{row['top1_accuracy']:.0%}"
        label = row["method"] + ("" if row["exact"] else "*")
        print(f"{label:11}  {accuracy:>17}  {row['entropy']:7.3f}  {row['strings']:14}  {row['seconds']:7.1f}")
    print("* written by the model, not exact; seconds are near 0 for a table in the cache")
    return rows


def _sampled(prior: Prior, table: PriorTable, count: int) -> list[list[float]]:
    """Frequencies of calls that outlines sampled: what masked decoding makes of the same model."""
    from prior.structured import Structured
    from schemas.tools import call_model

    method, game = prior.method, table.game
    if not isinstance(method, Structured) or table.metadata["method"] != "structured":
        raise UserError(f"--samples: calls are sampled from the structured prior, not from {table.metadata['method']}")
    print(f"\n{count} calls an observation, sampled token by token under the schema (compare local normalization):")
    frequencies = []
    for row, observation in enumerate(game.observations):
        legal = [action.call for action, ok in zip(game.actions, game.legal[row], strict=True) if ok]
        prompt = method.prompt(table.instruction, observation.text)
        drawn = method.backend.generate(prompt, call_model(legal), max(2, count), seed=row)[:count]
        found = [call.model_dump() for call in drawn]
        share = [found.count({"name": a.call.name, "arguments": a.call.arguments}) / count for a in game.actions]
        frequencies.append(share)
        print(
            f"  {observation.key}: " + ", ".join(f"{n} {s:.2f}" for n, s in zip(game.action_names, share, strict=True))
        )
    return frequencies


def _utterances(prior: Prior, table: PriorTable, texts: Sequence[str]) -> list[dict[str, Any]]:
    game, backend = table.game, prior.method.backend
    if backend is None:
        raise UserError("--utterance: parsing needs a language model; choose --prior structured or likelihood")
    parsed = parse_utterances(backend, game, texts)
    print()
    for result in parsed:
        if not result.understood or result.observation is None:
            print(f'"{result.utterance}": not understood (confidence {result.confidence:.2f})')
            continue
        row = next(i for i, o in enumerate(game.observations) if o.fields == result.observation)
        top = np.argsort(-table.probs[row])[:3]
        follows = ", ".join(f"{game.action_names[a]} {table.probs[row, a]:.2f}" for a in top)
        print(
            f'"{result.utterance}": {game.observations[row].key} '
            f"(confidence {result.confidence:.2f}), so the prior is {follows}"
        )
    return [result.model_dump() for result in parsed]


def main(argv: Sequence[str]) -> None:
    """Entry point."""
    config = parse(InspectConfig, argv, "Show a prior before anything is trained on it.")
    summary = inspect(config)
    if config.summary:
        write_summary(config.summary, summary)


if __name__ == "__main__":
    run_main(main)
