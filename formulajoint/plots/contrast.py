"""The posterior density of a contrast, with its interval, the probability of its sign, and the prior."""

from __future__ import annotations

import math
from dataclasses import dataclass
from textwrap import fill

import numpy as np
import pandas as pd
import scipy
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from formulajoint.arrays import FloatArray
from formulajoint.compiler.contrast_plans import AveragePlan, ContrastPlan
from formulajoint.errors import InferenceError
from formulajoint.plots.differences import draw_triangle, pairs_of
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
    WIDTH,
    cut,
    density,
    figure_of,
    headline,
    hues,
    legend,
    null_line,
    one_of,
    panels,
    styled,
)
from formulajoint.results.draws.posterior import Effect, Posterior, cells
from formulajoint.results.draws.tables import PROB, describe
from formulajoint.results.effects import MANY
from formulajoint.results.findings import Findings
from formulajoint.results.joint_tests.bayes_factor.savage_dickey import SavageDickey, savage_dickey
from formulajoint.results.joint_tests.figures import all_within, probability_of, simultaneous_band
from formulajoint.results.text.figures import direction, is_bound, numbers, probability
from formulajoint.results.text.units import contrast_in_words, effect_with_unit
from formulajoint.wording import did_you_mean, listed

MOST_PANELS = 3
"""Most values with a panel each; more are drawn as rows of intervals on one axis."""

MOST_ROWS = 200
"""Most pairs of levels that are rows; more are a triangle of colours."""


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """One value of a contrast.

    Attributes
    ----------
    effect : Effect
    draws : (chain, draw) array
    row : Series
        Its row of the table, with the median in place of a mean that does not exist.
    has_mean : bool
    has_sign : bool
        False for a root mean square or an sd, which are never below zero.
    ratio : SavageDickey or None
        None if it is unknown.
    """

    effect: Effect
    draws: FloatArray
    row: pd.Series
    has_mean: bool
    has_sign: bool
    ratio: SavageDickey | None


@styled
def contrast(
    posterior: Posterior,
    name: str | None = None,
    prob: float = PROB,
    rope: float | None = None,
    ax: Axes | None = None,
    figsize: tuple[float, float] | None = None,
) -> Figure:
    """Draw the posterior density of a contrast with its HDI, the share above zero and, if it is known, the prior.

    Parameters
    ----------
    posterior : Posterior
    name : str, optional
        The contrast, such as ``joint_treatment``, or any other variable of the posterior. Default: the first contrast.
        One with several values has a panel for each or, for more than 3, a row; more than 200 pairs of levels are a
        triangle of colours.
    prob : float
        Probability of the HDI.
    rope : float, optional
        Half-width of the region about zero that counts as no effect, in the contrast's units.
    ax : Axes, optional
        Axes to draw on, if there is one panel.
    figsize : (float, float), optional
        Inches.

    Returns
    -------
    Figure
        If the Savage-Dickey ratio is known, both densities at zero are marked; their ratio is the Bayes factor.

    Raises
    ------
    InferenceError
        If there is no such variable, or `rope` is not above zero.
    """
    if rope is not None and not rope > 0:
        raise InferenceError(f"`rope` must be above zero, not {rope}.")
    chosen = _name(posterior, name)
    values = values_of(posterior, chosen, prob)
    others = one_of(len(posterior.plan.contrasts), "contrasts", "name") if name is None else ""
    if len(values) > MOST_PANELS:
        return _draw_many(posterior, chosen, values, prob, rope, ax, figsize, others)
    alone = len(values) == 1
    size = (WIDTH, 3.4) if alone else (1.2 + 3.2 * len(values), 3.5)
    axes = panels(len(values), ax, figsize or size, shared="x")
    for value, panel in zip(values, axes, strict=True):
        _draw(panel, value, prob, rope, alone)
        panel.set_xlabel(cut(fill(effect_with_unit(posterior.plan, value.effect), 90 if alone else 44), 160))
        if not alone:
            panel.set_title(_figures(value, rope), fontsize=9)
            panel.tick_params(labelbottom=True)
    what = _sentence(values[0]) if alone else _apart(_table(values, prob))
    headline(axes, f"{_in_words(posterior, chosen)}: {what}{others}", ax is None)
    legend(axes[0], axes[0].get_legend_handles_labels()[0], ax is None)
    return figure_of(axes[0])


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


def values_of(posterior: Posterior, name: str, prob: float) -> list[Value]:
    """Return the values of a contrast or another variable, with their rows of its table."""
    found = list(cells(posterior, name))
    known = {c.name: c for c in posterior.plan.contrasts}.get(name)
    if known is None:
        table = describe([effect.label for effect, _ in found], [draws for _, draws in found], prob)
    else:
        table = Findings(posterior, prob).contrasts.of(name).table
    out = []
    for number, (effect, draws) in enumerate(found):
        _check_finite(effect.label, draws)
        row = table.iloc[number].copy()
        has_mean = not math.isnan(row["mean"])
        row["mean"] = row["mean"] if has_mean else row["median"]
        ratio = _ratio(posterior, known, number) if len(found) <= MOST_PANELS else None
        out.append(Value(effect, draws, row, has_mean, _has_sign(draws, known), ratio))
    return out


def _check_finite(label: str, draws: FloatArray) -> None:
    bad = int((~np.isfinite(draws)).sum())
    if bad:
        raise InferenceError(
            f"{label} is not a number in {bad} of {draws.size} draws, so there is nothing to draw."
        )


def _ratio(posterior: Posterior, known: ContrastPlan | None, number: int) -> SavageDickey | None:
    found = None if known is None else savage_dickey(posterior.plan, known, number)
    return found if isinstance(found, SavageDickey) else None


def _has_sign(draws: FloatArray, known: ContrastPlan | None) -> bool:
    if known is None:
        return bool((draws < 0).any())
    return not isinstance(known, AveragePlan) or known.function.signed


# --- text


def _sentence(value: Value) -> str:
    """Return mean and interval and, if the value can have either sign, the probability of its sign."""
    mean, _, interval = numbers(value.row)
    middle = f"{mean if value.has_mean else f'median {mean}'} {interval}"
    if not value.has_sign:
        return middle
    side = "above" if np.median(value.draws) > 0 else "below"
    return f"{middle}, {side} zero with probability {_direction(value)}"


def _figures(value: Value, rope: float | None) -> str:
    """Return the same for the title of a small panel, with the figures that a single panel has in its legend."""
    mean, _, interval = numbers(value.row)
    lines = [f"{mean if value.has_mean else f'median {mean}'} {interval}"]
    if value.has_sign:
        share, sign = _direction(value), ">" if np.median(value.draws) > 0 else "<"
        lines[0] += (
            f", P({sign} 0) {'' if is_bound(value.row['p_direction'], value.row['ess_bulk']) else '= '}{share}"
        )
    second = [] if rope is None else [f"{_share_within(value, rope)} within {rope:g} of zero"]
    second += [] if value.ratio is None else [_factor(value.ratio.log_bf10)]
    return "\n".join(lines + ([", ".join(second)] if second else []))


def _direction(value: Value) -> str:
    return direction(value.row["p_direction"], value.row["ess_bulk"])


def _share_within(value: Value, rope: float) -> str:
    share = probability_of(all_within(rope), value.draws[:, :, None])
    return probability(share.value, share.mcse)


def _factor(log_bf10: float) -> str:
    """Return the Bayes factor as text, in odds."""
    size = abs(log_bf10)
    if size < math.log(1e6):
        odds = f"{math.exp(size):{',.0f' if size > 4 else '.1f'}}"
    else:
        odds = f"$10^{{{size / math.log(10):.0f}}}$"
    return f"BF {odds} to 1 {'against' if log_bf10 > 0 else 'for'} zero"


# --- drawing


def _draw(ax: Axes, value: Value, prob: float, rope: float | None, alone: bool) -> None:
    row, (grid, height) = value.row, _density(value)
    top = float(height.max())
    ax.fill_between(grid, height, color=hues().blue, alpha=0.18, linewidth=0)
    ax.plot(grid, height, color=hues().blue, linewidth=1.8, label="posterior")
    below, label = -0.05 * top, f"{prob:.0%} HDI"
    ax.hlines(below, row["hdi_low"], row["hdi_high"], colors=hues().blue, linewidth=3.2, label=label)
    ax.plot(row["mean"], below, "o", color=hues().blue, markersize=6, markeredgecolor=hues().paper)
    if rope is not None:
        _draw_region(ax, rope, f": {_share_within(value, rope)}" if alone else "")
    if value.ratio is not None:
        _draw_prior(ax, value.ratio, grid, alone)
    null_line(ax)
    ax.set_ylim(-0.1 * top, None)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.grid(visible=False)


def _draw_region(ax: Axes, rope: float, share: str) -> Artist:
    """Shade the region of no effect, and return its mark for the legend."""
    label = f"within {rope:g} of zero{share}"
    return ax.axvspan(-rope, rope, color=hues().green, alpha=0.14, linewidth=0, label=label)


def _density(value: Value) -> tuple[FloatArray, FloatArray]:
    """Return grid and density over three times the HDI: with all of a ratio's tails the density would be a line."""
    low, high = value.row["hdi_low"], value.row["hdi_high"]
    inside = value.draws[(value.draws >= 2 * low - high) & (value.draws <= 2 * high - low)]
    grid, height = density(inside)
    return grid, height * (inside.size / value.draws.size)


def _draw_prior(ax: Axes, ratio: SavageDickey, posterior_grid: FloatArray, alone: bool) -> None:
    """Draw the prior where the axis shows it, and both densities at zero."""
    first, last = min(float(posterior_grid[0]), 0.0), max(float(posterior_grid[-1]), 0.0)
    reach = 0.25 * (last - first)
    grid = np.linspace(first - reach, last + reach, 400)
    label = "prior" + (f" normal({ratio.mean + 0.0:.3g}, {ratio.sd:.3g})" if alone else "")
    ax.plot(
        grid,
        scipy.stats.norm.pdf(grid, ratio.mean, ratio.sd),
        "--",
        color=hues().grey,
        linewidth=1.4,
        label=label,
    )
    heights = [ratio.prior_height, ratio.posterior_height]
    ax.plot([0, 0], heights, "-", color=hues().red, linewidth=1.4)
    label = "densities at zero" + (f": {_factor(ratio.log_bf10)}" if alone else "")
    ax.plot([0, 0], heights, "o", color=hues().red, markersize=5, markeredgecolor=hues().paper, label=label)


# --- many values


def _draw_many(
    posterior: Posterior,
    name: str,
    values: list[Value],
    prob: float,
    rope: float | None,
    ax: Axes | None,
    figsize: tuple[float, float] | None,
    others: str,
) -> Figure:
    """Draw many values on one axis: as rows, or pairs of levels as a triangle."""
    table = _table(values, prob)
    known = {c.name: c for c in posterior.plan.contrasts}.get(name)
    pairs = pairs_of(known) if len(values) > MOST_ROWS else None
    title = f"{_in_words(posterior, name)}: {_apart(table)}{others}"
    label = effect_with_unit(posterior.plan, Effect(name))
    if pairs is not None:
        return draw_triangle(pairs, table, title, label, ax, figsize)
    order = np.argsort(-table["mean"].to_numpy(), kind="stable") if len(values) > MANY else range(len(values))
    table, places = table.iloc[list(order)], [values[i].effect.place for i in order]
    rows = rows_for(len(values), 0, own_height(ax, figsize))
    (panel,) = panels(1, ax, figsize or (WIDTH, height_of(rows)))
    draw_intervals(panel, rows, table, np.full(len(values), 0.6))
    null_line(panel)
    regions = [] if rope is None else [_draw_region(panel, rope, "")]
    label_rows(panel, rows, places)
    panel.set_xlabel(cut(fill(label, 70), 160))
    headline([panel], title, ax is None)
    legend(panel, [*interval_key(is_apart(table), prob, "value"), *regions], ax is None)
    return figure_of(panel)


def _table(values: list[Value], prob: float) -> pd.DataFrame:
    """Return the rows of the values, with the band of all of them."""
    band = simultaneous_band(np.stack([value.draws for value in values], axis=-1), prob)
    return pd.DataFrame([value.row for value in values]).assign(low=band.low, high=band.high)


def _apart(table: pd.DataFrame) -> str:
    """Return a sentence on the values whose band excludes zero."""
    apart, count = int(is_apart(table).sum()), len(table)
    return f"{apart or 'none'} of {count:,} {'differ' if apart > 1 else 'differs'} from zero (simultaneous bands)"


def _in_words(posterior: Posterior, name: str) -> str:
    known = {c.name: contrast_in_words(posterior.plan, c) for c in posterior.plan.contrasts}
    return known.get(name, name)
