"""The plot of a Bayes factor against the scale of the prior."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from formulajoint.errors import InferenceError
from formulajoint.plots.style import WIDTH, cut, figure_of, headline, hues, legend, null_line, panels, styled


@styled
def sensitivity(
    table: pd.DataFrame, ax: Axes | None = None, figsize: tuple[float, float] | None = None
) -> Figure:
    """Draw the log Bayes factor against the factor by which the prior's sds are multiplied.

    Parameters
    ----------
    table : DataFrame
        As from ``fit.sensitivity()``: indexed by hypothesis and factor, with columns log_bf10, log_bf10_mcse and note.
    ax : Axes, optional
        Axes to draw on.
    figsize : (float, float), optional
        Inches.

    Returns
    -------
    Figure
        One line per hypothesis, with bars of two standard errors; above zero is evidence against the hypothesis.

    Raises
    ------
    InferenceError
        If no Bayes factor is known.
    """
    known = table.dropna(subset=["log_bf10"])
    if known.empty:
        raise InferenceError(f"There is no Bayes factor to draw: {table['note'].iloc[0]}.")
    (panel,) = panels(1, ax, figsize or (WIDTH, 3.6))
    keys, colors = [], (hues().blue, hues().red, hues().green, hues().grey)
    for number, (hypothesis, rows) in enumerate(known.groupby(level=0, sort=False)):
        color = colors[number % len(colors)]
        factors, values = rows.index.get_level_values(1).to_numpy(float), rows["log_bf10"].to_numpy(float)
        panel.errorbar(
            factors, values, yerr=2 * rows["log_bf10_mcse"].to_numpy(float), fmt="none", ecolor=color
        )
        panel.plot(factors, values, "o-", color=color, linewidth=1.6, markersize=5, label=str(hypothesis))
        keys.append(Line2D([], [], color=color, marker="o", markersize=5, label=cut(str(hypothesis), 60)))
    _axis(panel, np.unique(known.index.get_level_values(1).to_numpy(float)))
    headline([panel], _answer(known), ax is None)
    legend(panel, keys, ax is None)
    return figure_of(panel)


def _axis(ax: Axes, factors: np.ndarray) -> None:
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(FixedLocator(factors.tolist()))
    ax.xaxis.set_major_formatter(FixedFormatter([f"{factor:g}" for factor in factors]))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.axvline(1.0, color=hues().grey, linewidth=0.8, linestyle=":")
    null_line(ax, upright=False)
    ax.set_xlabel("prior sd, as a multiple of the model's")
    ax.set_ylabel("log BF10")
    ax.margins(y=0.15)


def _answer(known: pd.DataFrame) -> str:
    """Return a sentence on whether the sign of the evidence is the same for all scales."""
    hypotheses = known.index.get_level_values(0).unique()
    signs = known["log_bf10"].groupby(level=0).agg(lambda values: len(set(np.sign(values))))
    which = cut(str(hypotheses[0]), 60) if len(hypotheses) == 1 else "Tests"
    if (signs > 1).any():
        return f"{which}: what the data favour depends on the prior's scale"
    factors = known.index.get_level_values(1)
    if len(known) == 1:  # an order has one factor only, and log BF10 above zero favours it
        return (
            f"{which}: log BF10 is {known['log_bf10'].iloc[0]:.2f} at {factors[0]:g} times the prior's scale"
        )
    scales = f"from {min(factors):g} to {max(factors):g} times the prior's scale"
    if len(hypotheses) > 1:
        return f"{which}: the data favour the same {scales}"
    side = "against" if known["log_bf10"].iloc[0] > 0 else "for"
    return f"{which}: the data speak {side} it {scales}"
