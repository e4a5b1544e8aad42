"""The style of all plots: colours that the colour-blind can distinguish, a light grid, titles that state the result.

Figures are made without pyplot's global state: nothing opens a window or stays open. A notebook shows the figure that
a plot returns, once; elsewhere it is saved, ``fit.plot.forest().savefig("forest.png")``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from textwrap import fill
from typing import Any

import matplotlib.pyplot as plt  # for its settings alone
import numpy as np
from arviz_stats.base.array import array_stats
from cycler import cycler
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from formulajoint.arrays import FloatArray
from formulajoint.errors import InferenceError
from formulajoint.plots.display import Drawing, show_once

BLUE, RED, GREEN, GREY, PALE = "#0072b2", "#d55e00", "#009e73", "#6b7280", "#a3a9b3"
"""Okabe & Ito's blue, vermilion and green, with two greys; each differs in lightness, too."""

INK, GRID = "#1f2430", "#e7e9ee"

STYLE: Any = {
    "axes.axisbelow": True,
    "axes.edgecolor": PALE,
    "axes.facecolor": "white",
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.labelsize": 10,
    "axes.prop_cycle": cycler(color=[BLUE, RED, GREEN, "#cc79a7", "#56b4e9", "#e69f00"]),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "figure.facecolor": "white",
    "font.size": 10,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "legend.fontsize": 8.5,
    "legend.frameon": False,
    "text.color": INK,
    "xtick.color": GREY,
    "xtick.labelcolor": INK,
    "xtick.labelsize": 9,
    "ytick.color": GREY,
    "ytick.labelcolor": INK,
    "ytick.labelsize": 9,
}

WIDTH = 7.2
"""Default width of a figure in inches."""

LONGEST_LABEL = 32
"""Longest label from the data, in characters; longer ones are cut."""


def styled[**P, R](plot: Callable[P, R]) -> Callable[P, R]:
    """Return `plot` in this style, whatever the user's own settings are; those stay as they are."""

    @wraps(plot)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> R:
        with plt.rc_context(STYLE):
            return plot(*args, **kwargs)

    return drawn


def panels(
    count: int,
    ax: Axes | None,
    figsize: tuple[float, float],
    columns: int | None = None,
    shared: bool = False,
) -> list[Axes]:
    """Return `count` axes of a new figure, or the user's own `ax`.

    Raises
    ------
    InferenceError
        If one `ax` is given for several panels.
    """
    if ax is not None:
        if count > 1:
            raise InferenceError(f"This draws {count} panels, which do not fit on one `ax`: leave it out.")
        show_once(figure_of(ax))
        return [ax]
    columns = min(count, columns or count)
    rows = -(-count // columns)
    figure = Drawing(figsize=figsize, layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False, sharex=shared, sharey=shared).ravel()
    for spare in grid[count:]:
        spare.remove()
    return list(grid[:count])


def figure_of(ax: Axes) -> Figure:
    """Return the figure that holds `ax`."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    return figure


def headline(axes: Sequence[Axes], text: str, own: bool) -> None:
    """Put `text` above the panels: over one of them as its title, over several as the figure's."""
    figure = figure_of(axes[0])
    room = fill(text, max(24, int(figure.get_figwidth() * 11)))
    if own:
        figure.suptitle(room, x=0.01, ha="left", fontsize=11, fontweight="bold", color=INK)
    else:
        axes[0].set_title(room)


def one_of(count: int, what: str, argument: str) -> str:
    """Return a suffix such as ``(1 of 3 terms; variable=... chooses)``; empty if there is only one."""
    return f" (1 of {count} {what}; {argument}=... chooses)" if count > 1 else ""


def legend(ax: Axes, handles: Sequence[Artist], own: bool) -> None:
    """Draw the legend: below a figure of ours, or within the user's own axes."""
    if own:
        columns = _columns([str(handle.get_label()) for handle in handles], figure_of(ax).get_figwidth())
        figure_of(ax).legend(handles=handles, loc="outside lower left", ncols=columns, handletextpad=0.6)
    else:
        ax.legend(handles=handles)


def _columns(labels: Sequence[str], width: float) -> int:
    """Return the number of columns of labels that fit on `width` inches; a legend is filled column by column."""
    lengths = [len(label) for label in labels]
    for columns in range(len(labels), 1, -1):
        longest = [int(column.max()) for column in np.array_split(lengths, columns)]
        if sum(0.6 + 0.074 * length for length in longest) < width:
            return columns
    return 1


def cut(label: str, longest: int = LONGEST_LABEL) -> str:
    """Return `label`, or its beginning with an ellipsis; ``$`` is escaped, so that it starts no mathematics."""
    short = label if len(label) <= longest else f"{label[: longest - 1]}…"
    return short.replace("$", r"\$")


def null_line(ax: Axes, at: float = 0.0, upright: bool = True) -> None:
    """Mark the value of no effect."""
    draw = ax.axvline if upright else ax.axhline
    draw(at, color=INK, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1.5, label="_null")


def density(draws: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return grid and kernel density of draws; if draws pile up at zero, there is no density below it."""
    flat = draws.ravel()
    if np.ptp(flat) == 0:
        raise InferenceError("All draws are the same number, so there is no density to draw.")
    low, span = flat.min(), np.ptp(flat)
    bounded = bool(low >= 0 and np.mean(flat < low + 0.05 * span) > 0.05)
    grid, height, _ = array_stats.kde(flat, bound_correction=bounded, extend=not bounded)
    return np.asarray(grid), np.asarray(height)
