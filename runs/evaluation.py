"""Evidence of an evaluation of Hanabi partners: tables in text, figures, metrics in MLflow."""

from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from envs.hanabi_rules import COLOR_LETTERS, HanabiRules
from rl.evaluate_hanabi import Estimates, Results, summary
from rl.metrics import Estimate, action_matrix
from runs import figures
from runs.tracking import add_evidence
from schemas.command_line import write_summary

_Format = Callable[[float], str]


def _number(value: float) -> str:
    return f"{value:.2f}"


def _percent(value: float) -> str:
    return f"{100 * value:.0f}%"


ROWS: tuple[tuple[str, str, _Format], ...] = (
    ("score", "score", _number),
    ("perfect", "perfect games", _percent),
    ("bomb", "lives run out", _percent),
    ("moves", "moves a game", _number),
    ("response_color", "plays after color hint", _percent),
    ("response_rank", "plays after rank hint", _percent),
    ("hint_color", "colors among hints", _percent),
    ("agreement_color", "agrees with color", _percent),
    ("agreement_rank", "agrees with rank", _percent),
    ("agreement_own", "agrees with its prior", _percent),
    ("kl_color", "KL from color, nats", _number),
    ("kl_rank", "KL from rank, nats", _number),
    ("kl_own", "KL from its prior, nats", _number),
    ("unknown", "played: nothing known", _percent),
    ("color_known", "played: color known", _percent),
    ("rank_known", "played: rank known", _percent),
    ("both_known", "played: both known", _percent),
)
_SHORT = ("score", "perfect", "bomb", "response_color", "response_rank", "hint_color")
KNOWLEDGE = ("unknown", "color_known", "rank_known", "both_known")


def lines(results: Results) -> list[str]:
    """Put the results into words and tables."""
    options, groups = results.options, range(len(results.groups))
    moves = "sampled" if options.sample else "greedy"
    out = [
        f"{results.env}, {options.games} games a pair, {moves} moves, seed {options.seed}; "
        "[95% interval: bootstrap over seeds, over games if there is one seed]",
        "",
    ]
    heads = [f"{results.groups[g]} ({_count(len(results.members(g)), 'seed')})" for g in groups]
    out += _table(heads, [results.of_group(g, results.own) for g in groups], f"score of {results.rules.max_score}")
    out += ["", "each seed: score, perfect, lives run out; plays after color hint, after rank hint; colors among hints"]
    formats = {name: form for name, _, form in ROWS}
    for i in range(len(results.players)):
        shown = [_value(results.own[i][name].value, formats[name]) for name in _SHORT]
        out.append(f"  {results.label(i)}: {'  '.join(f'{cell:>5}' for cell in shown)}")
    if len(results.players) > 1:
        out += ["", *_cross_play(results)]
    for bot, found in results.bots.items():
        out += ["", f"with the bot {bot}; all but scores, games and their length of the trained partner's moves alone"]
        out += _table(heads, [results.of_group(g, found) for g in groups], f"score of {results.rules.max_score}")
    return out + [""] * bool(results.notes) + [f"note: {note}" for note in results.notes]


def draw(results: Results, folder: Path) -> list[Path]:
    """Draw action matrices, what was known of played cards, and cross-play; returns the files."""
    labels = [results.label(i) for i in range(len(results.players))]
    hand, colors = results.rules.hand_size, results.rules.colors
    files = [folder / "actions.png", folder / "knowledge.png"]
    figures.action_figure(
        files[0],
        [action_matrix(counts) for counts in results.actions],
        [f"{label}, score {found['score'].value:.2f}" for label, found in zip(labels, results.own, strict=True)],
        move_names(results.rules),
        (hand, 2 * hand, 2 * hand + colors),
    )
    shares = np.array([[found[name].value for name in KNOWLEDGE] for found in results.own])
    figures.knowledge_figure(files[1], np.nan_to_num(shares), labels)
    if len(labels) > 1:
        files.append(folder / "cross_play.png")
        title = f"{results.env}: mean score of {results.options.games} games"
        figures.cross_play_figure(files[2], results.scores, labels, results.rules.max_score, title)
    return files


def log(results: Results) -> None:
    """Add metrics, text, JSON and figures to the runs of the checkpoints, as they say themselves."""
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        files = draw(results, folder)
        write_summary(folder / "summary.json", summary(results))
        (folder / "evaluation.txt").write_text("\n".join(lines(results)) + "\n")
        files += [folder / "summary.json", folder / "evaluation.txt"]
        runs = {player.info["run_id"]: player.info["config"]["tracking"] for player in results.players}
        for run_id, tracking in runs.items():
            metrics = {
                player.seed: _finite(results.own[i], results.bots, i)
                for i, player in enumerate(results.players)
                if player.info["run_id"] == run_id
            }
            add_evidence(tracking["tracking_uri"], run_id, metrics, files, "evaluation")
            print(f"logged to run {run_id} in {tracking['tracking_uri']}")


def move_names(rules: HanabiRules) -> list[str]:
    """Name moves in two letters: DA discards card A, PA plays it, cR hints red, r1 hints ones."""
    cards = [chr(ord("A") + k) for k in range(rules.hand_size)]
    colors = [f"c{letter}" for letter in COLOR_LETTERS[: rules.colors]]
    return [f"D{c}" for c in cards] + [f"P{c}" for c in cards] + colors + [f"r{k + 1}" for k in range(rules.ranks)]


def _finite(own: Estimates, bots: dict[str, list[Estimates]], player: int) -> dict[str, float]:
    named = {f"evaluation/{name}": found.value for name, found in own.items()}
    for bot, found in bots.items():
        named |= {f"evaluation/{Path(bot).stem}/{name}": one.value for name, one in found[player].items()}
    return {name: value for name, value in named.items() if np.isfinite(value)}


def _cross_play(results: Results) -> list[str]:
    """The matrix of mean scores, and what it comes to within and between groups."""
    numbers = range(1, len(results.players) + 1)
    out = ["cross-play: mean score of every pair, self-play on the diagonal"]
    out.append("      " + "".join(f"{n:6}" for n in numbers))
    for n, row in zip(numbers, results.scores, strict=True):
        out.append(f"  {n:4}" + "".join(f"{score:6.2f}" for score in row) + f"  {results.label(n - 1)}")
    for a, b, found in results.cross_play():
        who = f"seeds of {results.groups[a]}" if a == b else f"{results.groups[a]} with {results.groups[b]}"
        score, ratio = _cell(found.score, _number), _cell(found.ratio, _percent)
        out.append(f"{who}: {score}, {ratio} of self-play {_cell(found.self_play, _number)}")
    return out


def _table(heads: Sequence[str], columns: Sequence[Estimates], score: str) -> list[str]:
    """Statistics down, groups across."""
    rows = [["", *heads]]
    for name, title, form in ROWS:
        if any(name in column for column in columns):
            cells = [_cell(column[name], form) if name in column else "-" for column in columns]
            rows.append([score if name == "score" else title, *cells])
    widths = [max(len(row[k]) for row in rows) for k in range(len(heads) + 1)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _cell(estimate: Estimate, form: _Format) -> str:
    if not np.isfinite(estimate.low):
        return _value(estimate.value, form)
    return f"{form(estimate.value)} [{form(estimate.low)}, {form(estimate.high)}]"


def _value(value: float, form: _Format) -> str:
    return form(value) if np.isfinite(value) else "-"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number != 1 else ''}"
