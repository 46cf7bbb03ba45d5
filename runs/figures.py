"""Figures as PNG files: prior tables, conventions that were learned, the window of lambda, play between partners."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from envs.say_select import human_policy
from schemas.errors import StoreError

matplotlib.use("Agg")

_QUIT_COLOR = "#4a4a4a"
_BALL_COLORS = ("#f4d35e", "#ee964b", "#8ecae6", "#90be6d", "#cdb4db")


def prior_heatmap(
    file: Path, rows: Sequence[str], columns: Sequence[str], probs: NDArray[np.float64], title: str
) -> None:
    """Draw the prior table, probs float[rows, columns]: observations down, actions across."""
    figure = Figure(figsize=(2.2 + 0.95 * len(columns), min(40, 1.9 + 0.42 * len(rows))), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(probs, vmin=0, vmax=1, cmap="Blues", aspect="auto")
    axes.set_xticks(range(len(columns)), columns, rotation=30, ha="right")
    axes.set_yticks(range(len(rows)), rows)
    if probs.size <= 400:
        for i, j in np.ndindex(*probs.shape):
            axes.text(
                j,
                i,
                f"{probs[i, j]:.2f}",
                ha="center",
                va="center",
                color="white" if probs[i, j] > 0.6 else "black",
            )
    axes.set_title(title, fontsize=10, wrap=True)
    figure.colorbar(image, ax=axes, label="probability")
    _save(figure, file)


def difference_heatmap(
    file: Path, rows: Sequence[str], columns: Sequence[str], difference: NDArray[np.float64], title: str
) -> None:
    """Draw A - B, float[rows, columns] in [-1, 1]: red where A gives more, blue where B does."""
    figure = Figure(figsize=(2.2 + 0.95 * len(columns), min(40, 1.9 + 0.3 * len(rows))), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(difference, vmin=-1, vmax=1, cmap="RdBu_r", aspect="auto")
    axes.set_xticks(range(len(columns)), columns, rotation=30, ha="right")
    axes.set_yticks(range(len(rows)), rows)
    axes.set_title(title, fontsize=10, wrap=True)
    figure.colorbar(image, ax=axes, label="difference in probability")
    _save(figure, file)


def learning_curves(
    file: Path, curves: Sequence[tuple[str, NDArray[np.float64], NDArray[np.float64]]], label: str
) -> None:
    """Draw (name, steps float[T], values float[seeds, T]): the mean of the seeds as a line, their range as a band."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for name, steps, values in curves:
        (line,) = axes.plot(steps, values.mean(axis=0), label=name)
        axes.fill_between(steps, values.min(axis=0), values.max(axis=0), color=line.get_color(), alpha=0.2, lw=0)
    axes.set_xlabel("steps")
    axes.set_ylabel(label)
    axes.grid(alpha=0.3)
    axes.legend()
    _save(figure, file)


def convention_figure(file: Path, tables: NDArray[np.int64], titles: Sequence[str]) -> None:
    """Draw what Bob does, a panel for each table int[6, 5]: his last selection down, the number said across.

    A cell shows the ball that he selects (0 to 4 in the table) or 0 for quitting, as in the paper's Figure 3; the
    cells of the human policy stand in colour, the others have a red frame.
    """
    columns = min(5, len(tables))
    lines = -(-len(tables) // columns)
    figure = Figure(figsize=(2.3 * columns + 0.6, 2.7 * lines + 0.3), layout="constrained")
    human = human_policy()
    for panel, axes in enumerate(np.ravel(figure.subplots(lines, columns, squeeze=False))):
        if panel >= len(tables):
            axes.axis("off")
            continue
        for i, j in np.ndindex(*human.shape):
            action = int(tables[panel][i, j])
            color = _QUIT_COLOR if action == 5 else _BALL_COLORS[action]
            wrong = action != human[i, j]
            axes.add_patch(
                matplotlib.patches.Rectangle(
                    (j - 0.46, i - 0.46),
                    0.92,
                    0.92,
                    facecolor=color,
                    edgecolor="red" if wrong else color,
                    lw=2.2,
                )
            )
            text = "0" if action == 5 else str(action + 1)
            axes.text(j, i, text, ha="center", va="center", color="white" if action == 5 else "black", fontsize=9)
        axes.set_xlim(-0.6, 4.6)
        axes.set_ylim(5.6, -0.6)
        axes.set_xticks(range(5), range(1, 6), fontsize=8)
        axes.set_yticks(range(6), ["none", *range(1, 6)], fontsize=8)
        axes.set_title(titles[panel], fontsize=9)
        axes.set_xlabel("Alice says", fontsize=8)
        axes.set_ylabel("Bob's last ball", fontsize=8)
    _save(figure, file)


def rate_heatmap(
    file: Path,
    rows: Sequence[float],
    columns: Sequence[float],
    rates: NDArray[np.float64],
    labels: tuple[str, str, str],
) -> None:
    """Draw rates float[rows, columns] in [0, 1]; labels are those of rows, columns and title."""
    figure = Figure(figsize=(2 + 0.8 * len(columns), 1.8 + 0.5 * len(rows)), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(rates, vmin=0, vmax=1, cmap="RdYlGn", aspect="auto")
    axes.set_xticks(range(len(columns)), [f"{c:g}" for c in columns])
    axes.set_yticks(range(len(rows)), [f"{r:g}" for r in rows])
    for i, j in np.ndindex(*rates.shape):
        axes.text(j, i, f"{100 * rates[i, j]:.0f}%", ha="center", va="center", fontsize=9)
    axes.set_ylabel(labels[0])
    axes.set_xlabel(labels[1])
    axes.set_title(labels[2], fontsize=10)
    figure.colorbar(image, ax=axes)
    _save(figure, file)


def action_figure(
    file: Path,
    matrices: Sequence[NDArray[np.float64]],
    titles: Sequence[str],
    moves: Sequence[str],
    kinds: Sequence[int],
) -> None:
    """Draw P(a_{t+1} | a_t), a panel for each matrix float[A, A]: the last move down, the answer across.

    `moves`: short names; lines stand before the moves `kinds`, where another kind of move begins. Rows that were never
    seen (nan) are grey.
    """
    columns = min(4, len(matrices))
    lines = -(-len(matrices) // columns)
    figure = Figure(figsize=(4.3 * columns + 0.8, 4.4 * lines), layout="constrained")
    colors = matplotlib.colormaps["Blues"].with_extremes(bad="#dddddd")
    panels = np.ravel(figure.subplots(lines, columns, squeeze=False))
    for axes in panels[len(matrices) :]:
        axes.axis("off")
    for axes, matrix, title in zip(panels, matrices, titles, strict=False):
        image = axes.imshow(matrix, vmin=0, vmax=1, cmap=colors)
        axes.set_xticks(range(len(moves)), moves, fontsize=7, rotation=90)
        axes.set_yticks(range(len(moves)), moves, fontsize=7)
        for edge in kinds:
            axes.axhline(edge - 0.5, color="black", lw=0.5)
            axes.axvline(edge - 0.5, color="black", lw=0.5)
        axes.set_title(title, fontsize=9, wrap=True)
        axes.set_xlabel("answer", fontsize=8)
        axes.set_ylabel("last move", fontsize=8)
    figure.colorbar(image, ax=panels.tolist(), label="probability", shrink=0.6)
    _save(figure, file)


def cross_play_figure(file: Path, scores: NDArray[np.float64], labels: Sequence[str], best: float, title: str) -> None:
    """Draw mean scores of everyone with everyone, float[P, P], on a scale from 0 to `best`."""
    size = 3.2 + 0.45 * len(labels)
    figure = Figure(figsize=(size + 0.8, size), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(scores, vmin=0, vmax=best, cmap="viridis")
    axes.set_xticks(range(len(labels)), labels, rotation=90, fontsize=7)
    axes.set_yticks(range(len(labels)), labels, fontsize=7)
    for i, j in np.ndindex(*scores.shape):
        color = "black" if scores[i, j] > 0.6 * best else "white"
        axes.text(j, i, f"{scores[i, j]:.1f}", ha="center", va="center", fontsize=7, color=color)
    axes.set_title(title, fontsize=10)
    figure.colorbar(image, ax=axes, label="mean score", shrink=0.8)
    _save(figure, file)


def knowledge_figure(file: Path, shares: NDArray[np.float64], labels: Sequence[str]) -> None:
    """Draw what was known of played cards, shares float[P, 4]: nothing, color, rank, both."""
    figure = Figure(figsize=(7, 1.2 + 0.32 * len(labels)), layout="constrained")
    axes = figure.subplots()
    left = np.zeros(len(labels))
    for name, color, share in zip(
        ("nothing", "color", "rank", "both"), ("#bbbbbb", "#ee964b", "#8ecae6", "#4a4a8a"), shares.T, strict=True
    ):
        axes.barh(labels, share, left=left, color=color, label=name)
        left += share
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.tick_params(axis="y", labelsize=7)
    axes.set_xlabel("share of played cards, by what hints had named")
    figure.legend(ncols=4, fontsize=8, loc="outside upper center")
    _save(figure, file)


def _save(figure: Figure, file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(file, dpi=130)
    except (OSError, ValueError) as error:  # ValueError: a suffix that is no image format
        reason = getattr(error, "strerror", None) or str(error)
        raise StoreError(f"figure: cannot write {file} ({' '.join(reason.split())})") from None
