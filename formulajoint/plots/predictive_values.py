"""Plots of a predictive check by the values of the response: how often each occurs, and where each row's response lies.

Shapes: D draws, N rows, V values.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator
from scipy import stats

from formulajoint.arrays import BoolArray, FloatArray
from formulajoint.plots.style import all_cut, hues

MIDDLE = 0.95
"""Probability of an interval of replicated numbers of rows, and of the simultaneous band of the PIT."""

THIN, MOST_TICKS = 0.4, 6
"""Width of an interval at most, as a share of the room for each value, and most ticks below them."""

GRID, SIMULATED = 100, 2000
"""Points of the PIT's curve, and simulated sets of uniform numbers behind its band."""


def frequencies(y: FloatArray, new: FloatArray, values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return how many rows have each value, in the data (V,) and in replications (D, V)."""
    counted = [np.searchsorted(values, each) for each in (y, *new)]
    each = np.stack([np.bincount(where, minlength=len(values))[: len(values)] for where in counted])
    return each[0].astype(float), each[1:].astype(float)


def draw_frequencies(
    ax: Axes, values: FloatArray, data: FloatArray, new: FloatArray, labels: Sequence[str], roots: bool
) -> None:
    """Draw the number of rows with each value: data as bars, the middle of replications as intervals.

    With `roots` the axis is of square roots, on which numbers of any size scatter alike.
    """
    low, middle, high = np.quantile(new, [(1 - MIDDLE) / 2, 0.5, (1 + MIDDLE) / 2], axis=0)
    shown = np.sqrt if roots else np.asarray
    ax.bar(values, shown(data), width=0.8, color=hues().blue, alpha=0.35, linewidth=0)
    room = 72 * ax.get_window_extent().width / ax.figure.dpi / len(values)  # points for each value
    ax.vlines(values, shown(low), shown(high), color=hues().grey, linewidth=min(2.4, THIN * room))
    ax.plot(values, shown(middle), "o", color=hues().grey, markersize=min(4.0, room), linestyle="none")
    ax.set_ylabel("rows")
    ax.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    if roots:
        ax.yaxis.set_major_formatter(FuncFormatter(lambda height, _: f"{height**2:.3g}"))
    if labels:
        ax.set_xticks(values, all_cut(list(labels), 16))
    else:
        ax.xaxis.set_major_locator(MaxNLocator(nbins=MOST_TICKS, integer=True))
    ax.grid(axis="x", visible=False)


def outside(data: FloatArray, new: FloatArray) -> tuple[BoolArray, BoolArray]:
    """Return which values are outside the middle of replications, and which occur in it or in the data, both (V,)."""
    low, high = np.quantile(new, [(1 - MIDDLE) / 2, (1 + MIDDLE) / 2], axis=0)
    return np.asarray((data < low) | (data > high)), np.asarray((data > 0) | (high > 0))


def outside_by_chance(new: FloatArray) -> float:
    """Return how many values of a replication (D, V) are outside the middle of all, on average."""
    low, high = np.quantile(new, [(1 - MIDDLE) / 2, (1 + MIDDLE) / 2], axis=0)
    return float(np.mean((new < low) | (new > high), axis=0).sum())


def draw_pit(ax: Axes, shares: FloatArray) -> None:
    """Draw the cumulative distribution of probabilities less the uniform one, with a band for all points at once."""
    grid, low, high = uniform_band(len(shares))
    curve = np.searchsorted(np.sort(shares), grid, side="right") / len(shares)
    ax.fill_between(grid, low - grid, high - grid, color=hues().grey, alpha=0.3, linewidth=0, step="mid")
    ax.axhline(0, color=hues().ink, linewidth=0.9, linestyle=(0, (4, 3)))
    ax.plot(grid, curve - grid, color=hues().blue, linewidth=1.6, drawstyle="steps-mid")
    ax.set(
        xlabel="probability of less than the response", ylabel="share of rows below, less that", xlim=(0, 1)
    )


def leaves_band(shares: FloatArray) -> BoolArray:
    """Return at which points of the grid the curve is outside the band."""
    grid, low, high = uniform_band(len(shares))
    curve = np.searchsorted(np.sort(shares), grid, side="right") / len(shares)
    return np.asarray((curve < low - 1e-12) | (curve > high + 1e-12))


@lru_cache(maxsize=64)
def uniform_band(rows: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return a grid, and a band that the cumulative distribution of uniform numbers does not leave with `MIDDLE`.

    Binomial intervals at each point, of the level at which simulated sets stay within all of them (Säilynoja, Bürkner &
    Vehtari, Statistics and Computing 2022).
    """
    points = min(GRID, rows + 1)
    grid = np.arange(1, points) / points
    sets = np.cumsum(
        np.random.default_rng(1).multinomial(rows, np.full(points, 1 / points), SIMULATED), axis=1
    )
    law = stats.binom(rows, grid)
    tails = 2 * np.minimum(law.cdf(sets[:, :-1]), law.sf(sets[:, :-1] - 1))
    level = float(np.quantile(tails.min(axis=1), 1 - MIDDLE))
    return grid, np.asarray(law.ppf(level / 2) / rows), np.asarray(law.isf(level / 2) / rows)
