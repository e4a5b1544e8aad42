"""The forest plot: every group's effect with its own and simultaneous intervals, and averages over the groups."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from formulajoint.arrays import FloatArray
from formulajoint.compiler.plan import AveragePlan, Coefficient
from formulajoint.contrasts.hypotheses import all_zero
from formulajoint.contrasts.weights import group_rows
from formulajoint.errors import InferenceError
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
    BLUE,
    GREEN,
    GREY,
    RED,
    WIDTH,
    cut,
    figure_of,
    headline,
    legend,
    null_line,
    one_of,
    panels,
    styled,
)
from formulajoint.results.draws import tables
from formulajoint.results.draws.posterior import Posterior, cells
from formulajoint.results.joint_tests.table import band_table
from formulajoint.wording import did_you_mean, listed

MANY = 40
"""Most groups in the order of the data by default; more are sorted by their means, since names are hard to find."""

FAR = 4.0
"""Longest axis, as a multiple of what most intervals need; longer intervals are cut, and end in an arrow."""


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """The content of one panel: the effects of one column of a term.

    Attributes
    ----------
    level : str
        Level of the term's factors; empty for a plain slope.
    groups : DataFrame
        One row per group: mean, hdi_low, hdi_high, low, high (the simultaneous band), weight.
    below : DataFrame
        One row for the hierarchy's mean and each joint contrast: mean, hdi_low, hdi_high.
    """

    level: str
    groups: pd.DataFrame
    below: pd.DataFrame


@styled
def forest(
    posterior: Posterior,
    variable: str | None = None,
    prob: float = tables.PROB,
    sort: Sort | bool = True,
    ax: Axes | None = None,
    figsize: tuple[float, float] | None = None,
) -> Figure:
    """Draw the groups' effects with intervals, and below them the joint contrast and the hierarchy's mean.

    Parameters
    ----------
    posterior : Posterior
    variable : str, optional
        The coefficient, such as ``treatment``. Default: the first per-group slope. A factor has a panel for each of
        its levels.
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
    found = forest_panels(posterior, coefficient, prob)
    count, below = len(found[0].groups), len(found[0].below)
    rows = rows_for(count, below, own_height(ax, figsize))
    size = figsize or (max(WIDTH, 1.6 + 3.2 * len(found)), height_of(rows))
    axes = panels(len(found), ax, size, shared=True)
    order = _order(sort, found[0].groups)
    limits = _limits(found)
    for panel, panel_ax in zip(found, axes, strict=True):
        _draw(panel_ax, panel, rows, order)
        _cut_off(panel_ax, panel, rows, order, limits)
        panel_ax.set_xlabel(_effect(coefficient, posterior))
        if len(found) > 1:
            panel_ax.set_title(cut(panel.level))
    others = one_of(len(_drawable(posterior)), "terms", "variable") if variable is None else ""
    headline(axes, _answer(posterior, coefficient, found) + others, ax is None)
    legend(axes[0], _key(found, prob, _weighting(posterior, coefficient)), ax is None)
    return figure_of(axes[0])


def grouped_coefficient(posterior: Posterior, variable: str | None) -> Coefficient:
    """Return the coefficient called `variable`, or the first slope, among those with one value per group."""
    grouped = {c.name: c for c in _grouped(posterior)}
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


def _grouped(posterior: Posterior) -> list[Coefficient]:
    return [c for c in posterior.plan.mean.coefficients if c.grouped and c.name in posterior.dataset]


def _drawable(posterior: Posterior) -> list[Coefficient]:
    """Return the per-group slopes, or the per-group intercept if there are none."""
    grouped = _grouped(posterior)
    return [c for c in grouped if c.term.name != "Intercept"] or grouped


def forest_panels(posterior: Posterior, coefficient: Coefficient, prob: float) -> list[Panel]:
    """Return the figures of a forest, one panel per level of the term's factors."""
    plan, dims = posterior.plan, coefficient.dims
    shape = tuple(len(plan.coords[dim]) for dim in dims)
    marginal = _rows_of(posterior, tables.summary(posterior, prob), coefficient.name)
    band = band_table(posterior, all_zero(plan.design, coefficient.term), prob)
    weights, of_all = _weights(posterior, coefficient, shape), _of_all(posterior, coefficient, prob)
    out = []
    for number, place in enumerate(product(*(plan.coords[dim] for dim in dims[1:]))):

        def column(values: pd.Series, number: int = number) -> FloatArray:
            return values.to_numpy(float).reshape((shape[0], -1))[:, number]

        figures = {name: column(marginal[name]) for name in ("mean", "hdi_low", "hdi_high")}
        figures |= {name: column(band[name]) for name in ("low", "high")}
        groups = pd.DataFrame(figures | {"weight": weights[:, number]}, index=pd.Index(plan.coords[dims[0]]))
        at = {name: table.iloc[number if len(table) > 1 else 0] for name, table in of_all.items()}
        below = pd.DataFrame.from_dict(at, orient="index", columns=["mean", "hdi_low", "hdi_high"])
        out.append(Panel(", ".join(place), groups, below))
    return out


def _rows_of(posterior: Posterior, table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return a variable's rows of a table; a mean that does not exist is replaced by the median."""
    found = list(cells(posterior, name))
    rows = table.loc[[label for label, _, _ in found], ["mean", "hdi_low", "hdi_high"]]
    medians = pd.Series([float(np.median(draws)) for _, _, draws in found], index=rows.index)
    return rows.assign(mean=rows["mean"].fillna(medians))


def _joint_contrasts(posterior: Posterior, coefficient: Coefficient) -> list[AveragePlan]:
    """Return the weighted means of the coefficient in its own units."""
    return [
        c
        for c in posterior.plan.contrasts
        if isinstance(c, AveragePlan)
        and c.coefficient is coefficient
        and c.function.name == "joint"
        and c.scale == "none"
    ]


def _weights(posterior: Posterior, coefficient: Coefficient, shape: tuple[int, ...]) -> FloatArray:
    """Return the weights shown by the markers, (G, k): those of the joint contrast, else the groups' rows."""
    contrasts = _joint_contrasts(posterior, coefficient)
    if contrasts:
        values = tables.weights(posterior, contrasts[0]).to_numpy(float).reshape((shape[0], -1))
    else:
        values = group_rows(posterior.plan.design)[:, None]
    return np.broadcast_to(values, (shape[0], int(np.prod(shape[1:]))))


def _weighting(posterior: Posterior, coefficient: Coefficient) -> str:
    contrasts = _joint_contrasts(posterior, coefficient)
    return f"weight in {contrasts[0].name} ({contrasts[0].weights.scheme})" if contrasts else "rows"


def _of_all(posterior: Posterior, coefficient: Coefficient, prob: float) -> dict[str, pd.DataFrame]:
    """Return the rows below the groups by name, each with a line per level."""
    pooled = [t for pool in posterior.plan.mean.pools for t in pool.terms if t.coefficient is coefficient]
    summary, contrasts = tables.summary(posterior, prob), tables.contrasts(posterior, prob)
    names = [(c.name, contrasts) for c in _joint_contrasts(posterior, coefficient)]
    names += [(t.mean_name, summary) for t in pooled if t.mean_name in posterior.dataset]
    return {name: _rows_of(posterior, table, name) for name, table in names}


def _order(sort: Sort | bool, groups: pd.DataFrame) -> list[int]:
    if sort is True:
        sort = "mean" if len(groups) > MANY else None
    return [int(i) for i in order_of(sort or None, groups["mean"].to_numpy(), groups["weight"].to_numpy())]


# --- drawing


def _draw(ax: Axes, panel: Panel, rows: Rows, order: list[int]) -> None:
    groups = panel.groups.iloc[order]
    draw_intervals(ax, rows, groups, (groups["weight"] / groups["weight"].max()).to_numpy(float))
    below, places = panel.below, rows.places_below
    for place, (name, row) in zip(places, below.iterrows(), strict=True):
        color, mark = _mark(str(name))
        ax.hlines(place, row["hdi_low"], row["hdi_high"], colors=color, linewidth=2.6, label=f"{name} hdi")
        ax.plot(row["mean"], place, mark, color=color, markersize=6, markeredgecolor="white", label=str(name))
    null_line(ax)
    label_rows(ax, rows, [str(label) for label in groups.index], [str(name) for name in below.index])


def _limits(found: list[Panel]) -> tuple[float, float]:
    """Return the ends of the axis: of all intervals, or of most if a few are far longer than the rest."""
    low = np.concatenate([panel.groups["low"] for panel in found])
    high = np.concatenate([panel.groups["high"] for panel in found])
    below = np.concatenate([panel.below[["hdi_low", "hdi_high"]].to_numpy(float).ravel() for panel in found])
    ends = np.append(below, 0.0)
    first, last = min(low.min(), ends.min()), max(high.max(), ends.max())
    inner = min(np.quantile(low, 0.25), ends.min()), max(np.quantile(high, 0.75), ends.max())
    if last - first > FAR * (inner[1] - inner[0]):
        margin = 0.5 * (inner[1] - inner[0])
        first, last = max(first, inner[0] - margin), min(last, inner[1] + margin)
    pad = 0.04 * (last - first)
    return float(first - pad), float(last + pad)


def _cut_off(ax: Axes, panel: Panel, rows: Rows, order: list[int], limits: tuple[float, float]) -> None:
    """Set the ends of the axis, with an arrow where an interval is cut."""
    ax.set_xlim(limits)
    groups, size = panel.groups.iloc[order], max(12.0, 0.5 * rows.marker**2)
    for end, mark, beyond in ((0, "<", groups["low"] < limits[0]), (1, ">", groups["high"] > limits[1])):
        y = rows.places[beyond.to_numpy()]
        ax.scatter(np.full(len(y), limits[end]), y, s=size, marker=mark, color=GREY, clip_on=False, zorder=4)


def _mark(name: str) -> tuple[str, str]:
    """Return colour and marker of a row below the groups; the hierarchy's mean and joint contrasts differ."""
    return (GREEN, "s") if name.endswith("_mean") else (RED, "D")


def _key(found: list[Panel], prob: float, weighting: str) -> list[Line2D]:
    apart = np.concatenate([is_apart(panel.groups) for panel in found])
    color = BLUE if apart.any() else GREY
    area = Line2D([], [], color=color, linewidth=0, marker="o", label=f"area: {weighting}")
    return [*interval_key(apart, prob, "group"), area]


def _effect(coefficient: Coefficient, posterior: Posterior) -> str:
    response = posterior.plan.response_name
    if coefficient.term.name == "Intercept":
        return cut(f"Intercept ({response})")
    return f"{cut(coefficient.name)} (effect on {cut(response)})"


def _answer(posterior: Posterior, coefficient: Coefficient, found: list[Panel]) -> str:
    """Return a sentence on the effects whose bands exclude zero."""
    grouping = posterior.plan.design.predictor.grouping
    group = cut(grouping.name if grouping is not None else "group")
    low = np.concatenate([panel.groups["low"] for panel in found])
    high = np.concatenate([panel.groups["high"] for panel in found])
    what = "value" if coefficient.term.name == "Intercept" else "effect"
    apart = int(((low > 0) | (high < 0)).sum())
    if (low > 0).all():
        where = f"every {what} is above zero"
    elif (high < 0).all():
        where = f"every {what} is below zero"
    elif apart:
        where = (
            f"{apart} of {len(low)} {what}s {'differs' if apart == 1 else 'differ'} from zero, judged at once"
        )
    else:
        where = f"no single {what} can be told from zero"
    return f"{cut(coefficient.name)} by {group}: {where}"
