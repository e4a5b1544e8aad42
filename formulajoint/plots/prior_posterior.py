"""The posterior density of each quantity over its prior density.

Not by arviz-plots: with all of a prior's tails (a half-Cauchy's reach thousands of sds) the posterior would be a line.
"""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from xarray import Dataset, DataTree

from formulajoint.arrays import FloatArray
from formulajoint.plots.draws import MOST_TRACES, cell_draws, chosen, how_many
from formulajoint.plots.style import all_cut, density, figure_of, headline, hues, legend, panels, styled
from formulajoint.results.draws.posterior import Posterior

REACH = 3.0
"""The axis extends this many ranges of the posterior to both sides, or as far as most of the prior, if that is less."""


@styled
def prior_posterior(
    posterior: Posterior,
    prior: Dataset,
    names: Sequence[str] | None = None,
    figsize: tuple[float, float] | None = None,
) -> Figure:
    """Draw the densities of prior and posterior of each quantity over each other.

    Parameters
    ----------
    posterior : Posterior
    prior : Dataset
        Draws of the same variables from the prior, such as ``model.prior_predictive()["prior"].to_dataset()``.
    names : sequence of str, optional
        Variables (``treatment``) or single cells (``treatment[A]``). Default: contrasts and the cells that
        mix worst.
    figsize : (float, float), optional
        Inches.

    Returns
    -------
    Figure

    Raises
    ------
    InferenceError
        If a name is unknown, or there are more than 40 panels.
    """
    found = chosen(posterior, names, MOST_TRACES)
    drawn = Posterior(posterior.plan, DataTree.from_dict({"posterior": prior}), "prior")
    before = {effect.label: draws for effect, draws in cell_draws(drawn).items()}
    columns = min(3, len(found))
    axes = panels(
        len(found), None, figsize or (1.0 + 3.1 * columns, 0.9 + 1.9 * -(-len(found) // columns)), columns
    )
    for (label, after), title, ax in zip(found.items(), all_cut(list(found), 60), axes, strict=True):
        _draw(ax, before[label].to_numpy().ravel(), after.to_numpy().ravel())
        ax.set_title(fill(title, 32), fontsize=9)
    some = how_many(posterior, found, names)
    headline(axes, f"Prior (dashed) and posterior (filled){some}", own=True)
    keys = [
        Line2D([], [], color=hues().grey, linestyle="--", label="prior"),
        Line2D([], [], label="posterior"),
    ]
    legend(axes[0], keys, own=True)
    return figure_of(axes[0])


def _draw(ax: Axes, before: FloatArray, after: FloatArray) -> None:
    low, high = _window(before, after)
    inside = before[(before >= low) & (before <= high)]
    if np.ptp(after) > 0:
        grid, height = density(after)
        ax.fill_between(grid, height, color=hues().blue, alpha=0.18, linewidth=0)
        ax.plot(grid, height, color=hues().blue, label="posterior")
    if len(inside) > 1 and np.ptp(inside) > 0:
        grid, height = density(inside)
        ax.plot(grid, height * len(inside) / len(before), "--", color=hues().grey, label="prior")
    ax.set(xlim=(low, high), ylim=(0, None), yticks=[])
    ax.spines["left"].set_visible(False)
    ax.grid(visible=False)


def _window(before: FloatArray, after: FloatArray) -> tuple[float, float]:
    """Return the ends of the axis: all of the posterior, and as much of the prior as leaves its shape visible."""
    first, last = float(after.min()), float(after.max())
    reach = REACH * (last - first)
    low, high = (float(q) for q in np.quantile(before, [0.02, 0.98]))
    start, end = min(first, max(low, first - reach)), max(last, min(high, last + reach))
    pad = 0.03 * (end - start) or 1.0
    return start - pad, end + pad
