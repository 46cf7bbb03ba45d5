"""Figures as PNG files: the prior table, the conventions that were learned, the window of lambda."""

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


def _save(figure: Figure, file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(file, dpi=130)
    except (OSError, ValueError) as error:  # ValueError: a suffix that is no image format
        reason = getattr(error, "strerror", None) or str(error)
        raise StoreError(f"--figure: cannot write {file} ({' '.join(reason.split())})") from None
