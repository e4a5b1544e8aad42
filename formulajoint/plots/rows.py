"""Groups as rows of a plot, from two to hundreds: heights of rows, sizes of marks, and labels that fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.errors import InferenceError
from formulajoint.plots.style import LONGEST_LABEL, all_cut, figure_of, hues

TALLEST, ROW, SUMMARY = 9.0, 0.3, 0.3
"""Heights in inches: of all group rows at most, of one group row at most, and of a row below the groups."""

MARGIN = 1.7
"""Inches above and below the rows: title, axis, legend."""

POINTS = 72.0

type Sort = Literal["mean", "weight"] | None


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of groups, then `below` rows of averages over the groups.

    Attributes
    ----------
    groups, below : int
    inch : float
        Height of a group's row in inches.
    """

    groups: int
    below: int
    inch: float

    @property
    def places(self) -> FloatArray:
        """Positions of the groups' rows, one apart, from the top."""
        return np.arange(self.groups, dtype=np.float64)

    @property
    def places_below(self) -> FloatArray:
        """Positions of the rows below the groups, after a gap."""
        return np.asarray(self.groups - 1 + self._step * (1.15 + np.arange(self.below)), dtype=np.float64)

    @property
    def _step(self) -> float:
        return max(1.0, SUMMARY / self.inch)

    @property
    def pointsize(self) -> float:
        """Font size of the labels."""
        return float(np.clip(self.inch * POINTS * 0.8, 5.5, 9.0))

    @property
    def every(self) -> int:
        """The n for which every n-th label fits."""
        return int(np.ceil(1.2 * self.pointsize / (self.inch * POINTS)))

    @property
    def marker(self) -> float:
        """Diameter of the largest marker in points."""
        return float(np.clip(self.inch * POINTS * 0.55, 3.0, 12.0))

    @property
    def line(self) -> float:
        """Width of an interval's line in points."""
        return float(np.clip(self.inch * POINTS * 0.14, 0.7, 3.0))


def rows_for(groups: int, below: int, height: float | None = None) -> Rows:
    """Return rows for `groups`, with heights that fit the figure's `height` in inches, or that are legible."""
    room = TALLEST if height is None else max(0.5, height - MARGIN - (below + 0.6) * SUMMARY)
    return Rows(groups, below, min(ROW if height is None else room, room / groups))


def height_of(rows: Rows) -> float:
    """Return the height in inches of a figure that holds `rows`."""
    return MARGIN + rows.groups * rows.inch + ((rows.below + 0.6) * SUMMARY if rows.below else 0.0)


def label_rows(
    ax: Axes, rows: Rows, labels: Sequence[str], below: Sequence[str] = (), longest: int = LONGEST_LABEL
) -> None:
    """Label the groups' rows from the top, as many as fit, and all rows below the groups."""
    shown = list(range(0, rows.groups, rows.every))
    names = all_cut(labels, longest)
    ax.set_yticks([*rows.places[shown], *rows.places_below], [*(names[i] for i in shown), *all_cut(below)])
    for number, text in enumerate(ax.get_yticklabels()):
        text.set_fontsize(rows.pointsize if number < len(shown) else 9.0)
    ax.tick_params(axis="y", length=0)
    ax.grid(visible=False, axis="y")
    last = rows.places_below[-1] if rows.below else rows.groups - 1.0
    ax.set_ylim(last + 0.6 * (rows._step if rows.below else 1.0), -0.8)
    if rows.below:
        ax.axhline(rows.groups - 1 + 0.5 * rows._step, color=hues().rule, linewidth=0.8)


def draw_intervals(ax: Axes, rows: Rows, table: pd.DataFrame, area: FloatArray, null: float = 0.0) -> None:
    """Draw each row of `table`: the band (low, high) thin, the HDI thick, a marker of relative `area` at the mean.

    Rows whose band excludes the value of no effect, `null`, are blue, the others grey.
    """
    y, apart = rows.places, is_apart(table, null)
    colors = np.where(apart, hues().blue, hues().pale).tolist()
    ax.hlines(y, table["low"], table["high"], colors=colors, linewidth=0.45 * rows.line, label="band")
    ax.hlines(y, table["hdi_low"], table["hdi_high"], colors=colors, linewidth=1.3 * rows.line, label="hdi")
    ax.scatter(
        table["mean"],
        y,
        s=np.maximum(rows.marker**2 * area, 2.0),
        c=np.where(apart, hues().blue, hues().grey).tolist(),
        edgecolors=hues().paper,
        linewidths=0.2 * rows.line,
        zorder=3,
        label="groups",
    )


def is_apart(table: pd.DataFrame, null: float = 0.0) -> NDArray[np.bool_]:
    """Return for each row whether its band excludes `null`."""
    return ((table["low"] > null) | (table["high"] < null)).to_numpy(bool)


def interval_key(apart: NDArray[np.bool_], prob: float, each: str, includes: str = "zero") -> list[Line2D]:
    """Return the legend's entries for the intervals; `each` is the word for a row, `includes` for no effect."""
    color = hues().blue if apart.any() else hues().grey
    keys = [
        Line2D([], [], color=color, linewidth=3.2, label=f"{prob:.0%} HDI of each {each}"),
        Line2D([], [], color=color, linewidth=1.1, label=f"{prob:.0%} band, all at once"),
    ]
    if apart.any() and not apart.all():
        keys.append(Line2D([], [], color=hues().pale, linewidth=3.2, label=f"band includes {includes}"))
    return keys


def order_of(sort: Sort, means: FloatArray, weights: FloatArray) -> IntArray:
    """Return the groups in the order of their rows.

    Raises
    ------
    InferenceError
        If `sort` is not an order.
    """
    match sort:
        case None:
            return np.arange(len(means))
        case "mean":
            return np.argsort(-means, kind="stable")
        case "weight":
            return np.argsort(-weights, kind="stable")
    raise InferenceError(f"`sort` is 'mean', 'weight' or None, not {sort!r}.")


def own_height(ax: Axes | None, figsize: tuple[float, float] | None) -> float | None:
    """Return the height that the caller has set, in inches; None if it is not set."""
    if ax is not None:
        return float(figure_of(ax).get_figheight() * ax.get_position().height + MARGIN)
    return None if figsize is None else figsize[1]
