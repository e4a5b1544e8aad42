"""The posterior of a contrast: where it is, how sure, and what the prior said."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from formulajoint.compiler.plan import AveragePlan, ContrastPlan
from formulajoint.design.schema import FloatArray
from formulajoint.errors import InferenceError, did_you_mean, listed
from formulajoint.plots.rows import (
    draw_intervals,
    height_of,
    interval_key,
    is_apart,
    label_rows,
    own_height,
    rows_for,
)
from formulajoint.plots.style import (
    BLUE,
    GREEN,
    GREY,
    RED,
    WIDTH,
    cut,
    density,
    figure_of,
    headline,
    legend,
    null_line,
    panels,
    styled,
)
from formulajoint.results.joint_tests import simultaneous_band
from formulajoint.results.posterior import Posterior, cells
from formulajoint.results.printing import direction, numbers, probability
from formulajoint.results.savage_dickey import SavageDickey, savage_dickey
from formulajoint.results.tables import PROB, contrasts, describe

MOST_PANELS = 12
"""More values than these are drawn as rows of intervals."""


@styled
def contrast(
    posterior: Posterior,
    name: str | None = None,
    prob: float = PROB,
    rope: float | None = None,
    ax: Axes | None = None,
    figsize: tuple[float, float] | None = None,
) -> Figure:
    """Draw the posterior density of a contrast with its HDI, the share above zero and, where it is known, the prior.

    Parameters
    ----------
    posterior : Posterior
    name : str, optional
        The contrast, such as ``joint_treatment``, or any other variable of the posterior; the first contrast, where it
        is left out. One with several values has a panel for each or, for more than 12, a row.
    prob : float
        Probability of the HDI.
    rope : float, optional
        Half-width of the region about zero that counts as no effect, in the contrast's units.
    ax : Axes, optional
        To draw on, where there is one panel.
    figsize : (float, float), optional
        Inches.

    Returns
    -------
    Figure
        Where Savage and Dickey's ratio is known, both densities at zero are marked; their ratio is the Bayes factor.

    Raises
    ------
    InferenceError
        Where there is no such variable, or `rope` is not above zero.
    """
    if rope is not None and not rope > 0:
        raise InferenceError(f"`rope` must be above zero, not {rope}.")
    chosen = _name(posterior, name)
    found = list(cells(posterior.dataset[chosen]))
    table = _table(posterior, chosen, found, prob)
    known = {c.name: c for c in posterior.plan.contrasts}.get(chosen)
    if len(found) > MOST_PANELS:
        return _draw_rows(
            chosen, table, np.stack([draws for _, _, draws in found], axis=-1), prob, ax, figsize
        )
    rows, columns = -(-len(found) // 3), min(3, len(found))
    size = figsize or ((WIDTH, 3.4) if len(found) == 1 else (2.2 + 3.2 * columns, 0.8 + 2.5 * rows))
    axes = panels(len(found), ax, size, columns=3)
    for number, ((label, _, draws), panel) in enumerate(zip(found, axes, strict=True)):
        row, ratio = (
            table.iloc[number],
            None if known is None else savage_dickey(posterior.plan, known, number),
        )
        _draw(panel, draws, row, prob, rope, ratio if isinstance(ratio, SavageDickey) else None)
        panel.set_xlabel(cut(label, 48))
        if len(found) > 1:
            panel.set_title(_short(row, draws, known), fontsize=9)
    title = f"{chosen}: " + _sentence(table.iloc[0], found[0][2], known)
    headline(axes, title if len(found) == 1 else f"{chosen}: {len(found)} values", ax is None)
    handles = {str(h.get_label()): h for panel in axes for h in panel.get_legend_handles_labels()[0]}
    legend(axes[0], list(handles.values()), ax is None)
    return figure_of(axes[0])


def _table(
    posterior: Posterior, name: str, found: Sequence[tuple[str, tuple[str, ...], FloatArray]], prob: float
) -> pd.DataFrame:
    """Return a row for each value, as the table of contrasts has it; the median, where there is no mean."""
    labels = [label for label, _, _ in found]
    if name in {c.name for c in posterior.plan.contrasts}:
        table = contrasts(posterior, prob).loc[labels]
    else:
        table = describe(labels, [draws for _, _, draws in found], prob)
    return table.assign(
        middle=np.where(table["mean"].isna(), "median", "mean"), mean=table["mean"].fillna(table["median"])
    )


def _draw_rows(
    name: str,
    table: pd.DataFrame,
    draws: FloatArray,
    prob: float,
    ax: Axes | None,
    figsize: tuple[float, float] | None,
) -> Figure:
    """Draw many values as rows: the HDI of each, and the band of all of them."""
    band = simultaneous_band(draws, prob)
    table = table.assign(low=band.low, high=band.high)
    rows = rows_for(len(table), 0, own_height(ax, figsize))
    (panel,) = panels(1, ax, figsize or (WIDTH, height_of(rows)))
    draw_intervals(panel, rows, table, np.full(len(table), 0.6))
    null_line(panel)
    label_rows(panel, rows, [str(label) for label in table.index])
    panel.set_xlabel(cut(name, 48))
    apart = is_apart(table)
    headline([panel], f"{name}: {apart.sum()} of {len(table)} differ from zero, judged at once", ax is None)
    legend(panel, interval_key(apart, prob, "value"), ax is None)
    return figure_of(panel)


def _name(posterior: Posterior, name: str | None) -> str:
    known = [str(variable) for variable in posterior.dataset.data_vars]
    if name is None:
        if not posterior.plan.contrasts:
            raise InferenceError(
                "The formula asks for no contrast, such as `joint()`: name a variable to draw."
            )
        return posterior.plan.contrasts[0].name
    if name not in known:
        hint = did_you_mean(str(name), known) or f"there are {listed(known)}."
        raise InferenceError(f"There is no contrast or variable `{name}`: {hint}")
    return name


def _sentence(row: pd.Series, draws: FloatArray, known: ContrastPlan | None) -> str:
    """Return mean and interval and, of what can have either sign, how sure the sign is."""
    mean, _, interval = numbers(row)
    mean = mean if row["middle"] == "mean" else f"median {mean}"
    if not _has_sign(draws, known):
        return f"{mean} {interval}"
    side = "above" if np.median(draws) > 0 else "below"
    return f"{mean} {interval}, {side} zero with probability {direction(row['p_direction'], row['ess_bulk'])}"


def _short(row: pd.Series, draws: FloatArray, known: ContrastPlan | None) -> str:
    mean, _, interval = numbers(row)
    if not _has_sign(draws, known):
        return f"{mean} {interval}"
    sign = ">" if np.median(draws) > 0 else "<"
    share = direction(row["p_direction"], row["ess_bulk"])
    return f"{mean} {interval}, P({sign} 0) {share if share.startswith('>') else f'= {share}'}"


def _has_sign(draws: FloatArray, known: ContrastPlan | None) -> bool:
    """Tell whether a sign says something: a root mean square is never below zero, nor is a sd."""
    if known is None:
        return bool((draws < 0).any())
    return not isinstance(known, AveragePlan) or known.function.name not in ("rms", "spread")


def _draw(
    ax: Axes, draws: FloatArray, row: pd.Series, prob: float, rope: float | None, ratio: SavageDickey | None
) -> None:
    grid, height = _density(draws, row)
    top = float(height.max())
    ax.fill_between(grid, height, color=BLUE, alpha=0.18, linewidth=0)
    ax.plot(grid, height, color=BLUE, linewidth=1.8, label="posterior")
    ax.hlines(
        -0.05 * top, row["hdi_low"], row["hdi_high"], color=BLUE, linewidth=3.2, label=f"{prob:.0%} HDI"
    )
    ax.plot(row["mean"], -0.05 * top, "o", color=BLUE, markersize=6, markeredgecolor="white")
    if rope is not None:
        _region(ax, draws, row, rope)
    if ratio is not None:
        _prior(ax, ratio, grid)
    null_line(ax)
    ax.set_ylim(-0.1 * top, None)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.grid(visible=False)


def _density(draws: FloatArray, row: pd.Series) -> tuple[FloatArray, FloatArray]:
    """Return grid and density as far as three times the HDI reaches: a ratio's tails would leave of it a line."""
    width = row["hdi_high"] - row["hdi_low"]
    inside = draws[(draws >= row["hdi_low"] - width) & (draws <= row["hdi_high"] + width)]
    grid, height = density(inside)
    return grid, height * (inside.size / draws.size)


def _region(ax: Axes, draws: FloatArray, row: pd.Series, rope: float) -> None:
    inside = probability(float((abs(draws) < rope).mean()), float(row["ess_bulk"]))
    ax.axvspan(-rope, rope, color=GREEN, alpha=0.14, linewidth=0, label=f"within {rope:g} of zero: {inside}")


def _prior(ax: Axes, ratio: SavageDickey, posterior_grid: FloatArray) -> None:
    """Draw the prior where the axis shows it, and both densities at zero."""
    first, last = min(float(posterior_grid[0]), 0.0), max(float(posterior_grid[-1]), 0.0)
    reach = 0.25 * (last - first)
    grid = np.linspace(first - reach, last + reach, 400)
    label = f"prior normal({ratio.mean + 0.0:.3g}, {ratio.sd:.3g})"
    ax.plot(grid, stats.norm.pdf(grid, ratio.mean, ratio.sd), "--", color=GREY, linewidth=1.4, label=label)
    heights = [ratio.prior_height, ratio.posterior_height]
    ax.plot([0, 0], heights, "-", color=RED, linewidth=1.4)
    ax.plot(
        [0, 0], heights, "o", color=RED, markersize=5, markeredgecolor="white", label=_factor(ratio.log_bf10)
    )
    ax.set_xlim(grid[0], grid[-1])


def _factor(log_bf10: float) -> str:
    """Return the Bayes factor in words, as odds one can read."""
    size = abs(log_bf10)
    if size < math.log(1e6):
        odds = f"{math.exp(size):{',.0f' if size > 4 else '.1f'}}"
    else:
        odds = f"$10^{{{size / math.log(10):.0f}}}$"
    return f"at zero: BF {odds} to 1 {'against' if log_bf10 > 0 else 'for'} no effect"
