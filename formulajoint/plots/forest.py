"""The forest plot: every group's effect with its own and simultaneous intervals, and averages over the groups."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from formulajoint.arrays import FloatArray
from formulajoint.compiler.coefficients import Coefficient
from formulajoint.errors import InferenceError
from formulajoint.inference.draws.named import not_kept
from formulajoint.plots.rows import (
    Rows,
    Sort,
    draw_intervals,
    height_of,
    interval_key,
    is_apart,
    label_rows,
    order_of,
    own_height,
    rows_for,
)
from formulajoint.plots.style import (
    WIDTH,
    cut,
    figure_of,
    headline,
    hues,
    legend,
    null_line,
    one_of,
    panels,
    styled,
)
from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.draws.tables import PROB, asked_about
from formulajoint.results.effects import (
    MANY,
    GroupEffects,
    OverAll,
    cell_weights,
    ends_of_axis,
    group_effects,
    grouped_coefficients,
    is_slope,
    over_all,
)
from formulajoint.results.findings import Findings
from formulajoint.results.text.figures import centre
from formulajoint.results.text.units import effect_in_words, term_in_words
from formulajoint.wording import did_you_mean, listed

DIAMOND = 0.085
"""Half the height of an average's diamond, in inches."""


@dataclass(frozen=True, slots=True)
class Line:
    """A row below the groups: its name, its kind as in `OverAll`, its mean and interval, and these as text."""

    name: str
    kind: str
    mean: float
    low: float
    high: float
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """The content of one panel: the effects of one column of a term.

    Attributes
    ----------
    level : str
        Level of the term's factors; empty for a plain slope.
    groups : DataFrame
        One row per group: mean, hdi_low, hdi_high, low, high (the simultaneous band), weight.
    below : list of Line
        One for the hierarchy's mean and each joint contrast.
    """

    level: str
    groups: pd.DataFrame
    below: list[Line]


@styled
def forest(
    posterior: Posterior,
    variable: str | None = None,
    prob: float = PROB,
    sort: Sort | bool = True,
    ax: Axes | None = None,
    figsize: tuple[float, float] | None = None,
) -> Figure:
    """Draw the groups' effects with intervals, and below them the joint contrast and the hierarchy's mean.

    Parameters
    ----------
    posterior : Posterior
    variable : str, optional
        The coefficient, such as ``treatment``. Default: the first per-group slope that the formula's contrasts or
        tests are about, or else the first. A factor has a panel for each of its levels.
    prob : float
        Probability of the HDI of each effect by itself (thick), and of the band that holds all of them at once (thin).
    sort : {"mean", "weight", None}, optional
        Order of the groups: by posterior mean, by weight, or as in the data. Default: as in the data for up to
        40 groups, by mean for more.
    ax : Axes, optional
        Axes to draw on, if there is one panel.
    figsize : (float, float), optional
        Inches.

    Returns
    -------
    Figure

    Raises
    ------
    InferenceError
        If there is no such coefficient, or it is the same in all groups.
    """
    coefficient = grouped_coefficient(posterior, variable)
    of = group_effects(findings := Findings(posterior, prob), coefficient)
    found = forest_panels(findings, of)
    count, below = len(found[0].groups), len(found[0].below)
    rows = rows_for(count, below, own_height(ax, figsize))
    size = figsize or (max(WIDTH, 1.6 + 3.2 * len(found)), height_of(rows))
    axes = panels(len(found), ax, size, shared="xy")
    order = _order(sort, found[0].groups)
    limits, label = _limits(found), effect_in_words(posterior.plan, coefficient, of.unit)
    for panel, panel_ax in zip(found, axes, strict=True):
        _draw(panel_ax, panel, rows, order)
        _cut_off(panel_ax, panel, rows, order, limits)
        panel_ax.set_xlabel(cut(fill(label, 60 // len(found)), 120))
        if len(found) > 1:
            panel_ax.set_title(fill(cut(panel.level, 90), 34), fontsize=9.5)
    others = one_of(len(_drawable(posterior)), "terms", "variable") if variable is None else ""
    headline(axes, _answer(posterior, coefficient, found) + others, ax is None)
    legend(axes[0], _key(found, prob, _weighting(of)), ax is None)
    return figure_of(axes[0])


def grouped_coefficient(posterior: Posterior, variable: str | None) -> Coefficient:
    """Return the coefficient called `variable`, or the one drawn by default, among those with one value per group."""
    grouped = {c.stem or c.name: c for c in grouped_coefficients(posterior)}
    if not grouped and posterior.named.left_out:
        raise InferenceError(not_kept(sorted(posterior.named.left_out)[0]))
    if not grouped:
        raise InferenceError(
            "No coefficient differs by group, so there are no groups to draw. Write `| group`."
        )
    if variable is None:
        return _drawable(posterior)[0]
    if variable not in grouped:
        hint = did_you_mean(str(variable), grouped) or f"there are {listed(grouped)}."
        raise InferenceError(f"No coefficient `{variable}` differs by group: {hint}")
    return grouped[variable]


def _drawable(posterior: Posterior) -> list[Coefficient]:
    """Return the per-group slopes, those first that the formula asks about, or the per-group intercept."""
    grouped, asked = grouped_coefficients(posterior), asked_about(posterior.plan)
    slopes = [c for c in grouped if is_slope(c)] or grouped
    return sorted(slopes, key=lambda c: c.name not in asked)


def forest_panels(found: Findings, of: GroupEffects) -> list[Panel]:
    """Return the figures of a forest, one panel per level of the term's factors."""
    plan, dims = found.plan, of.coefficient.dims
    groups = len(plan.coords[dims[0]])
    weights, below = _weights(found, of), list(over_all(found, of))
    out = []
    for number, place in enumerate(product(*(factor.comparisons for factor in of.coefficient.term.factors))):

        def column(values: ArrayLike, number: int = number) -> FloatArray:
            return np.asarray(values, dtype=float).reshape((groups, -1))[:, number]

        figures = {"mean": column(of.middles)}
        figures |= {name: column(of.rows[name]) for name in ("hdi_low", "hdi_high")}
        figures |= {name: column(of.bands[name]) for name in ("low", "high")} | {"weight": column(weights)}
        table = pd.DataFrame(figures, index=pd.Index(plan.coords[dims[0]]))
        out.append(Panel(", ".join(place), table, [_line(each, number) for each in below]))
    return out


def _line(each: OverAll, number: int) -> Line:
    """Return the row below the groups of panel `number`."""
    at = number if len(each.middles) > 1 else 0
    row = each.estimates.table.iloc[at]
    name = each.estimates.effects[at].variable
    mean, _, interval = centre(row)
    return Line(
        name, each.kind, float(each.middles[at]), row["hdi_low"], row["hdi_high"], f"{mean} {interval}"
    )


def _weights(found: Findings, of: GroupEffects) -> FloatArray:
    """Return the weights shown by the markers: those of the joint contrast, else the groups' rows."""
    for average in of.in_units:
        return cell_weights(found.posterior, average, len(of.effects))
    return of.sizes


def _weighting(of: GroupEffects) -> str:
    for average in of.in_units:
        return f"weight in {average.name} ({average.weights.scheme})"
    return "rows"


def _order(sort: Sort | bool, groups: pd.DataFrame) -> list[int]:
    if sort is True:
        sort = "mean" if len(groups) > MANY else None
    return [int(i) for i in order_of(sort or None, groups["mean"].to_numpy(), groups["weight"].to_numpy())]


# --- drawing


def _draw(ax: Axes, panel: Panel, rows: Rows, order: list[int]) -> None:
    groups = panel.groups.iloc[order]
    draw_intervals(ax, rows, groups, (groups["weight"] / groups["weight"].max()).to_numpy(float))
    below, places = panel.below, rows.places_below
    half = DIAMOND / rows.inch
    for place, line in zip(places, below, strict=True):
        color, is_joint = (hues().red, True) if line.kind == "joint" else (hues().green, False)
        ax.fill(
            [line.low, line.mean, line.high, line.mean],
            [place, place - half, place, place + half],
            facecolor=color if is_joint else hues().paper,
            edgecolor=color,
            linewidth=1.4,
            joinstyle="round",
            zorder=2.5,
            label=line.name,
        )
    null_line(ax)
    label_rows(ax, rows, [str(label) for label in groups.index], [line.name for line in below])


def _limits(found: list[Panel]) -> tuple[float, float]:
    """Return the ends of the axis: of all intervals, or of most if a few are far longer than the rest."""
    low, high = (  # a posterior without a mean has HDIs, but no bands
        np.concatenate([panel.groups[end].fillna(panel.groups[f"hdi_{end}"]) for panel in found])
        for end in ("low", "high")
    )
    ends = np.array([0.0, *(end for panel in found for line in panel.below for end in (line.low, line.high))])
    first, last = ends_of_axis(low, high, ends)
    pad = 0.04 * (last - first)
    return first - pad, last + pad


def _cut_off(ax: Axes, panel: Panel, rows: Rows, order: list[int], limits: tuple[float, float]) -> None:
    """Set the ends of the axis, with an arrow where an interval is cut."""
    ax.set_xlim(limits)
    groups, size = panel.groups.iloc[order], max(12.0, 0.5 * rows.marker**2)
    for end, mark, beyond in ((0, "<", groups["low"] < limits[0]), (1, ">", groups["high"] > limits[1])):
        y = rows.places[beyond.to_numpy()]
        ax.scatter(
            np.full(len(y), limits[end]), y, s=size, marker=mark, color=hues().grey, clip_on=False, zorder=4
        )


def _key(found: list[Panel], prob: float, weighting: str) -> list[Line2D]:
    apart = np.concatenate([is_apart(panel.groups) for panel in found])
    color = hues().blue if apart.any() else hues().grey
    area = Line2D([], [], color=color, linewidth=0, marker="o", label=f"area: {weighting}")
    kinds = dict.fromkeys(line.kind for panel in found for line in panel.below)
    return [*interval_key(apart, prob, "group"), area, *(_diamond(kind, prob) for kind in kinds)]


def _diamond(kind: str, prob: float) -> Line2D:
    """Return the legend's entry for an average."""
    color, face = (hues().red, hues().red) if kind == "joint" else (hues().green, hues().paper)
    what = "weighted mean" if kind == "joint" else "mean of the hierarchy"
    return Line2D(
        [], [], color=color, linewidth=0, marker="D", mfc=face, label=f"{what}, as wide as its {prob:.0%} HDI"
    )


def _answer(posterior: Posterior, coefficient: Coefficient, found: list[Panel]) -> str:
    """Return a sentence on the effects whose bands exclude zero."""
    grouping = posterior.plan.design.predictor.grouping
    group = cut(grouping.name if grouping is not None else "group")
    low = np.concatenate([panel.groups["low"] for panel in found])
    high = np.concatenate([panel.groups["high"] for panel in found])
    what = "value" if coefficient.term.name == "Intercept" else "effect"
    apart = int(((low > 0) | (high < 0)).sum())
    if np.isnan(low).all():
        where = "without a band that holds them all"
    elif (low > 0).all():
        where = f"every {what} is above zero"
    elif (high < 0).all():
        where = f"every {what} is below zero"
    elif apart:
        where = f"{apart} of {len(low)} {what}s {'differs' if apart == 1 else 'differ'} from zero (simultaneous bands)"
    else:
        where = f"no single {what} can be told from zero"
    joint = [line for panel in found for line in panel.below if line.kind == "joint"]
    over_all = f"{joint[0].text} over all; " if len(joint) == 1 else ""
    return f"{cut(term_in_words(posterior.plan, coefficient.term))} by {group}: {over_all}{where}"
