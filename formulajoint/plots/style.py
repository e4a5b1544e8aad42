"""The style of all plots: colours that the colour-blind can distinguish, a light grid, titles that state the result.

Figures are made without pyplot's global state: nothing opens a window or stays open. A notebook shows the figure that
a plot returns, once; elsewhere it is saved, ``fit.plot.forest().savefig("forest.png")``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import wraps
from textwrap import fill
from typing import Any

import matplotlib.pyplot as plt  # for its settings alone
import numpy as np
from arviz_stats.base.array import array_stats
from cycler import cycler
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgba
from matplotlib.figure import Figure

from formulajoint.arrays import FloatArray
from formulajoint.errors import InferenceError
from formulajoint.plots.display import Drawing, show_once
from formulajoint.wording import shortened


@dataclass(frozen=True, slots=True)
class Hues:
    """The colours of a plot: three that the colour-blind can distinguish, two greys, and those of text and paper."""

    blue: str
    red: str
    green: str
    grey: str
    pale: str
    ink: str
    grid: str
    rule: str
    paper: str


BLUE, RED, GREEN, GREY, PALE = "#0072b2", "#d55e00", "#009e73", "#6b7280", "#a3a9b3"
"""Okabe & Ito's blue, vermilion and green, with two greys; each differs in lightness, too."""

LIGHT = Hues(BLUE, RED, GREEN, GREY, PALE, "#1f2430", "#e7e9ee", "#d3d6dc", "#ffffff")

DARK = Hues("#6db6f5", "#ff9d5c", "#4cc9a0", "#a9b3bd", "#78838f", "#e8ebee", "#2a3139", "#3a434c", "#15191e")

_chosen: ContextVar[Hues] = ContextVar("hues", default=LIGHT)


def hues() -> Hues:
    """Return the colours of the plot that is being drawn."""
    return _chosen.get()


def _hues_of_user() -> Hues:
    """Return the light colours, or the dark ones where the user's own figures are dark."""
    red, green, blue, opacity = to_rgba(plt.rcParams["figure.facecolor"])
    is_dark = opacity > 0 and 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.4
    return replace(DARK, paper=to_hex((red, green, blue))) if is_dark else LIGHT


def _style(own: Hues) -> Any:
    return {
        "axes.axisbelow": True,
        "axes.edgecolor": own.pale,
        "axes.facecolor": own.paper,
        "axes.grid": True,
        "axes.labelcolor": own.ink,
        "axes.labelsize": 10,
        "axes.prop_cycle": cycler(color=[own.blue, own.red, own.green, "#cc79a7", "#56b4e9", "#e69f00"]),
        "axes.spines.right": False,
        "axes.spines.top": False,
        "axes.titlecolor": own.ink,
        "axes.titlelocation": "left",
        "axes.titlesize": 11,
        "axes.titleweight": "bold",
        "figure.facecolor": own.paper,
        "font.size": 10,
        "grid.color": own.grid,
        "grid.linewidth": 0.8,
        "legend.fontsize": 8.5,
        "legend.frameon": False,
        "text.color": own.ink,
        "xtick.color": own.grey,
        "xtick.labelcolor": own.ink,
        "xtick.labelsize": 9,
        "ytick.color": own.grey,
        "ytick.labelcolor": own.ink,
        "ytick.labelsize": 9,
    }


WIDTH = 7.2
"""Default width of a figure in inches."""

LONGEST_LABEL = 32
"""Longest label from the data, in characters; of longer ones both ends are kept."""

MOST_LEGEND = 0.6
"""Largest share of the height of a user's axes that is given to the legend."""


def styled[**P, R](plot: Callable[P, R]) -> Callable[P, R]:
    """Return `plot` in this style: on dark paper where the user's own figures are dark, whatever the other settings."""

    @wraps(plot)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> R:
        own = _hues_of_user()
        before = _chosen.set(own)
        try:
            with plt.rc_context(_style(own)):
                return plot(*args, **kwargs)
        finally:
            _chosen.reset(before)

    return drawn


def panels(
    count: int,
    ax: Axes | None,
    figsize: tuple[float, float],
    columns: int | None = None,
    shared: str = "",
) -> list[Axes]:
    """Return `count` axes of a new figure, or the user's own `ax`; they share the axes in `shared`, ``x`` or ``xy``.

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
    grid = figure.subplots(rows, columns, squeeze=False, sharex="x" in shared, sharey="y" in shared).ravel()
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
        figure.suptitle(room, x=0.01, ha="left", fontsize=11, fontweight="bold", color=hues().ink)
    else:
        axes[0].set_title(room)


def one_of(count: int, what: str, argument: str) -> str:
    """Return a suffix such as ``(1 of 3 terms; variable=... chooses)``; empty if there is only one."""
    return f" (1 of {count} {what}; {argument}=... chooses)" if count > 1 else ""


def legend(ax: Axes, handles: Sequence[Artist], own: bool, title: str = "") -> None:
    """Draw the legend: below a figure of ours; within the user's own axes above the data, which make room for it."""
    text: dict[str, Any] = {"title": title or None, "alignment": "left"}
    if own:
        columns = _columns([str(handle.get_label()) for handle in handles], figure_of(ax).get_figwidth())
        figure_of(ax).legend(
            handles=handles, loc="outside lower left", ncols=columns, handletextpad=0.6, **text
        )
        return
    width = ax.get_window_extent().width / figure_of(ax).dpi
    columns = _columns([str(handle.get_label()) for handle in handles], width)
    place: dict[str, Any] = {"loc": "upper left", "ncols": columns, "borderaxespad": 0.2, **text}
    drawn = ax.legend(
        handles=handles, frameon=True, framealpha=1, facecolor=hues().paper, edgecolor="none", **place
    )
    height = ax.get_window_extent().height
    share = min(MOST_LEGEND, (drawn.get_window_extent().height + 4) / height if height > 0 else 0.0)
    bottom, top = ax.get_ylim()
    ax.set_ylim(bottom, bottom + (top - bottom) / (1 - share))


def _columns(labels: Sequence[str], width: float) -> int:
    """Return the number of columns of labels that fit on `width` inches; a legend is filled column by column."""
    lengths = [len(label) for label in labels]
    for columns in range(len(labels), 1, -1):
        longest = [int(column.max()) for column in np.array_split(lengths, columns)]
        if sum(0.6 + 0.074 * length for length in longest) < width:
            return columns
    return 1


def cut(label: str, longest: int = LONGEST_LABEL) -> str:
    """Return `label`, with an ellipsis between its ends if it is long; ``$`` is escaped and starts no mathematics."""
    return all_cut([label], longest)[0]


def all_cut(labels: Sequence[str], longest: int = LONGEST_LABEL) -> list[str]:
    """Return labels that stand together: those that differ stay different."""
    return [label.replace("$", r"\$") for label in shortened(labels, longest)]


def some_of(shown: int, of: int, what: str, argument: str) -> str:
    """Return a suffix such as ``(12 of 122 parameters; names=... chooses)``; empty if all are shown."""
    return f" ({shown} of {of} {what}; {argument}=... chooses)" if shown < of else ""


def null_line(ax: Axes, at: float = 0.0, upright: bool = True) -> None:
    """Mark the value of no effect."""
    draw = ax.axvline if upright else ax.axhline
    draw(at, color=hues().ink, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1.5, label="_null")


def density(draws: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return grid and kernel density of draws; if draws pile up at zero, there is no density below it."""
    flat = draws.ravel()
    if np.ptp(flat) == 0:
        raise InferenceError("All draws are the same number, so there is no density to draw.")
    low, span = flat.min(), np.ptp(flat)
    bounded = bool(low >= 0 and np.mean(flat < low + 0.05 * span) > 0.05)
    grid, height, _ = array_stats.kde(flat, bound_correction=bounded, extend=not bounded)
    return np.asarray(grid), np.asarray(height)
