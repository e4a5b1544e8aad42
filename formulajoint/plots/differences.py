"""The differences between many levels, each less each of those below it: a triangle of colours."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from formulajoint.arrays import IntArray
from formulajoint.compiler.contrast_plans import ContrastPlan, FamilyPlan
from formulajoint.plots.rows import is_apart
from formulajoint.plots.style import all_cut, figure_of, headline, hues, legend, panels

SIDE, TICKS = 7.2, 40
"""Inches of a side, and most labels along it."""

LONGEST = 20
"""Longest label, in characters."""

type Pairs = tuple[tuple[str, ...], IntArray, IntArray]
"""Levels, and for each difference the level it is of and the level it is less by."""


def pairs_of(contrast: ContrastPlan | None) -> Pairs | None:
    """Return the levels that a contrast compares, if its entries are all their pairs; else None."""
    if not isinstance(contrast, FamilyPlan) or contrast.cells is not None or len(contrast.dims) != 1:
        return None
    weights, count = contrast.matrix.weights, len(contrast.levels)
    is_pair = (
        ((weights == 1).sum(axis=1) == 1)
        & ((weights == -1).sum(axis=1) == 1)
        & ((weights != 0).sum(axis=1) == 2)
    )
    if not is_pair.all() or len(weights) != count * (count - 1) // 2:
        return None
    return contrast.levels, weights.argmax(axis=1), weights.argmin(axis=1)


def draw_triangle(
    pairs: Pairs,
    table: pd.DataFrame,
    title: str,
    label: str,
    ax: Axes | None,
    figsize: tuple[float, float] | None,
) -> Figure:
    """Draw the mean of each difference, row less column, with a mark where its band excludes zero.

    Levels are in the order of their means, the highest first.
    """
    levels, first, second = pairs
    square = np.zeros((len(levels), len(levels)))
    square[first, second], square[second, first] = table["mean"], -table["mean"]
    marked = np.zeros(square.shape, dtype=bool)
    marked[first, second] = marked[second, first] = is_apart(table)
    order = np.argsort(-square.sum(axis=1), kind="stable")
    square, marked = square[np.ix_(order, order)], marked[np.ix_(order, order)]
    shown = np.triu(np.ones(square.shape, dtype=bool), 1)
    (panel,) = panels(1, ax, figsize or (SIDE, 0.92 * SIDE))
    largest = float(np.abs(square).max())
    colors = LinearSegmentedColormap.from_list("differences", [hues().red, hues().paper, hues().blue])
    image = panel.imshow(
        np.ma.masked_array(square, ~shown), cmap=colors, vmin=-largest, vmax=largest, label="pairs"
    )
    y, x = np.nonzero(shown & marked)
    size = max(2.0, (0.2 * 72 * SIDE / len(levels)) ** 2)
    panel.scatter(x, y, s=size, color=hues().ink, linewidths=0, label="apart")
    _label(panel, [levels[i] for i in order])
    figure_of(panel).colorbar(image, ax=panel, shrink=0.6, label=f"{label}: row less column")
    headline([panel], title, ax is None)
    key = Line2D([], [], color=hues().ink, linewidth=0, marker="o", markersize=4, label="band excludes zero")
    if marked.any():
        legend(panel, [key], ax is None)
    return figure_of(panel)


def _label(ax: Axes, levels: list[str]) -> None:
    names, every = all_cut(levels, LONGEST), -(-len(levels) // TICKS)
    places = np.arange(0, len(levels), every)
    size = float(np.clip(0.7 * 72 * SIDE * every / (1.4 * len(levels)), 5.0, 9.0))
    ax.set_xticks(places, [names[i] for i in places], rotation=90, fontsize=size)
    ax.set_yticks(places, [names[i] for i in places], fontsize=size)
    ax.tick_params(length=0)
    ax.grid(visible=False)
