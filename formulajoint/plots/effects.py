"""Predictions over one or two columns with the data behind, and comparisons as intervals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from formulajoint.arrays import FloatArray
from formulajoint.compiler.evaluate.linear_predictor import members, reading
from formulajoint.compiler.plan import Plan
from formulajoint.errors import InferenceError
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
    all_cut,
    cut,
    figure_of,
    headline,
    hues,
    legend,
    null_line,
    panels,
    styled,
)
from formulajoint.results.draws.convergence import hdi
from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.predictions.comparisons import NULL, compared
from formulajoint.results.predictions.effect_table import effect_table
from formulajoint.results.predictions.effects import Asked
from formulajoint.results.predictions.evaluate import Evaluation, evaluation
from formulajoint.results.predictions.grid import grid_of
from formulajoint.results.predictions.replicate import probabilities_at
from formulajoint.results.predictions.scenarios import Variable, variable_of

POINTS = 60
"""Values of a number at which its curve is drawn."""

MOST_COLORS, MOST_PANELS = 6, 12
"""Most levels with a colour each in one panel, and most levels with a panel each; more are thin lines."""

MOST_DATA = 3000
"""Most rows of the data that are drawn."""

UNSEEN = "the mean of the hierarchy"
"""Label of a group at the mean of its hierarchy, which no group of the data has."""


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Predictions along one column at one level of another."""

    level: str
    x: Any
    mean: FloatArray
    low: FloatArray
    high: FloatArray


@styled
def effects(
    posterior: Posterior,
    variable: str | None = None,
    by: str | None = None,
    prob: float = 0.95,
    data: bool = True,
    ax: Axes | None = None,
    figsize: tuple[float, float] | None = None,
) -> Figure:
    """Draw the mean of the response over a column, or over every column in a panel of its own.

    Parameters
    ----------
    posterior : Posterior
    variable : str, optional
        Default: each column that is not a group.
    by : str, optional
        A second column: a curve for each of its levels.
    prob : float
        Probability of the bands.
    data : bool
        Whether the data are drawn behind.
    ax, figsize : optional

    Returns
    -------
    Figure
        The other columns are at their mean or most frequent level, groups that are pooled at the mean of the hierarchy:
        the title says so.

    Raises
    ------
    InferenceError
        If the mean depends on no column that is not a group, or categories are to be drawn by a second column.
    """
    plan = posterior.plan
    if plan.family.categories and by is not None:
        raise InferenceError(
            "Categories have a curve each: leave `by=` out, or draw a grid of `fit.predict`."
        )
    wanted = [variable] if variable is not None else _columns(plan, by)
    if not wanted:
        raise InferenceError(
            'The mean depends on no column but groups: name one, `fit.plot.effects("school")`.'
        )
    several = plan.family.categories
    drawn = [(name, list(_curves(posterior, name, by, prob))) for name in wanted]
    apart = len(wanted) == 1 and not several and MOST_COLORS < len(drawn[0][1]) <= MOST_PANELS
    if apart:
        drawn = [(wanted[0], [curve]) for curve in drawn[0][1]]
    columns = min(len(drawn), 4 if apart else 3)
    rows = -(-len(drawn) // columns)
    size = figsize or (max(WIDTH, 2.6 * columns), 0.8 + (2.2 if len(drawn) > 1 else 3.4) * rows)
    axes = panels(len(drawn), ax, size, columns, "xy" if apart else "y")
    shown = _data(plan, wanted, by) if data and not several else None
    for (name, curves), panel in zip(drawn, axes, strict=True):
        own = shown if shown is None or not apart else shown[shown["by"] == curves[0].level]
        _draw(panel, plan, name, curves, own, apart)
    for panel in axes[::columns]:
        panel.set_ylabel(_of_mean(plan))
    said = " and ".join([cut(name) for name in (wanted if len(wanted) < 3 else ["each column"])])
    said = f"{said} by {cut(by)}" if by else said
    headline(axes, f"{_of_mean(plan)} over {said}{_others(plan, wanted, by)}", ax is None)
    named = (by is not None or several) and not apart
    legend(axes[0], list(_keys(drawn[0][1], prob, named, shown is not None)), ax is None)
    return figure_of(axes[0])


@styled
def comparisons(
    posterior: Posterior,
    variable: str | None = None,
    by: str | Sequence[str] = (),
    scale: str = "difference",
    prob: float = 0.95,
    ax: Axes | None = None,
    figsize: tuple[float, float] | None = None,
    **options: Any,
) -> Figure:
    """Draw the comparisons of a column, or of every column, with intervals and the band around all of them.

    Parameters
    ----------
    posterior : Posterior
    variable : str, optional
        Default: each column that is not a group.
    by, scale, options
        As for `Fit.comparisons`.
    prob : float
        Probability of intervals and band.
    ax, figsize : optional
    """
    plan = posterior.plan
    wanted = [variable] if variable is not None else _columns(plan, None)
    cells = (by,) if isinstance(by, str) else tuple(by)
    compare, step = options.pop("compare", "reference"), options.pop("step", 1.0)
    tables = []
    for name in wanted:
        found = compared(posterior, name, Asked(by=cells, **options), scale, compare, step)  # type: ignore[arg-type]
        table = effect_table(posterior, found, prob, None, True, options.get("weights", "n"))
        labels, only = _labels(table, name, len(wanted) > 1)
        tables.append(table.set_axis(labels))
    whole = pd.concat(tables).rename(columns={"band_low": "low", "band_high": "high"})
    null = NULL[scale]
    rows = rows_for(len(whole), 0, own_height(ax, figsize))
    (panel,) = panels(1, ax, figsize or (WIDTH, height_of(rows)))
    draw_intervals(panel, rows, whole, np.full(len(whole), 0.5), null)
    null_line(panel, null)
    label_rows(panel, rows, list(whole.index))
    panel.set_xlabel(f"{scale.replace('_', ' ')} of {_of_mean(plan)}{only}")
    groups = "" if "groups" not in whole else f" ({whole['groups'].iloc[0]})"
    title = f"Comparisons of {cut(wanted[0])}" if len(wanted) == 1 else "Comparisons"
    title += f" by {' and '.join(map(cut, cells))}" if cells else ""
    headline([panel], f"{title}{groups}", ax is None)
    word = "one" if null else "zero"
    legend(panel, interval_key(is_apart(whole, null), prob, "comparison", word), ax is None)
    return figure_of(panel)


def _labels(table: pd.DataFrame, name: str, several: bool) -> tuple[list[str], str]:
    """Return the labels of rows: the cell, and what is compared where that differs; otherwise that by itself."""
    keys = [key if isinstance(key, tuple) else (str(key),) for key in table.index]
    one = len({key[-1] for key in keys}) == 1 and len(keys[0]) > 1 and not several
    labels = [", ".join(key[:-1] if one else key) for key in keys]
    only = f" ({cut(name)}: {keys[0][-1]})" if one else ""
    return [f"{name}: {label}" for label in labels] if several else labels, only


# --- what is drawn


def _columns(plan: Plan, by: str | None) -> list[str]:
    """Return the columns that the mean depends on, without those that only make groups, and without `by`."""
    own = {name for _, c in members(plan.mean) for name in c.term.variables}
    offset = plan.mean.predictor.recipe is not None
    names = reading(plan, response=False).columns
    kept = names if plan.design.kept is None else plan.design.kept.columns
    return [name for name in names if name != by and name in kept and (name in own or (offset and not own))]


def _curves(posterior: Posterior, name: str, by: str | None, prob: float) -> Iterator[Curve]:
    plan, known = posterior.plan, variable_of(posterior.plan, name)
    chosen: dict[str, Any] = {name: list(known.levels) or _points(plan, name)}
    if by is not None:
        chosen[by] = _levels_of(plan, by)
    grid = grid_of(plan, "typical", chosen)
    for grouping in _at_the_mean(plan, {name, by}):
        grid[grouping] = UNSEEN
    found = evaluation(posterior, grid, "mean", response=False)
    if plan.family.categories:
        yield from _of_categories(found, grid[name], bool(known.levels), prob)
        return
    draws = np.vstack([found.mean(rows) for rows in found.blocks()])
    interval = hdi(draws, prob)
    of = [("", np.arange(len(grid)))]
    if by is not None:
        levels = list(dict.fromkeys(map(_text, grid[by])))
        texts = np.array(list(map(_text, grid[by])), dtype=object)
        of = [(level, np.flatnonzero(texts == level)) for level in levels]
    for level, at in of:
        x = grid[name].iloc[at]
        places = list(map(_text, x)) if known.levels else x.to_numpy()
        yield Curve(level, places, draws[at].mean(axis=1), *interval[at].T)


def _of_categories(found: Evaluation, x: pd.Series[Any], levels: bool, prob: float) -> Iterator[Curve]:
    """Yield the probability of each category along a column."""
    places = list(map(_text, x)) if levels else x.to_numpy()
    for level, draws in zip(
        found.posterior.plan.design.response.levels, probabilities_at(found, found.rows), strict=True
    ):
        yield Curve(level, places, draws.mean(axis=1), *hdi(draws, prob).T)


def _text(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _points(plan: Plan, name: str) -> list[float]:
    assert plan.design.kept is not None
    values = plan.design.kept.columns[name].values
    return list(np.linspace(float(values.min()), float(values.max()), POINTS))


def _levels_of(plan: Plan, by: str) -> list[Any]:
    """Return the levels of a column; of a number its mean, and one sd below and above."""
    known = variable_of(plan, by)
    if known.levels:
        return list(known.levels)
    assert plan.design.kept is not None
    values = plan.design.kept.columns[by].values.astype(float)
    return [float(values.mean() + away * values.std(ddof=1)) for away in (-1, 0, 1)]


def _at_the_mean(plan: Plan, named: set[str | None]) -> list[str]:
    """Return the columns that make pooled groups, and nothing else."""
    pooled = {t.coefficient.name for pool in (*plan.mean.pools, *plan.mean.varying) for t in pool.terms}
    own = {name for _, c in members(plan.mean) for name in c.term.variables}
    out: dict[str, bool] = {}
    for _, c in members(plan.mean):
        for name in () if c.grouping is None else c.grouping.variables:
            out[name] = out.get(name, True) and c.name in pooled
    kept = {} if plan.design.kept is None else plan.design.kept.columns
    return [n for n, free in out.items() if free and n not in named | own and kept[n].kind == "categorical"]


def _data(plan: Plan, names: Sequence[str], by: str | None) -> pd.DataFrame | None:
    """Return the rows of the data: the response on the scale of its mean, the columns, and the level of `by`."""
    kept = plan.design.kept
    if kept is None:
        return None
    rng = np.random.default_rng(0)
    count = plan.design.rows.used
    some = np.sort(rng.choice(count, min(count, MOST_DATA), replace=False))
    out = pd.DataFrame({"response": plan.design.response.scale[some]})
    for name in names:
        out[f"x {name}"] = kept.columns[name].values[some]
    known = by is not None and bool(variable_of(plan, by).levels)
    return out.assign(by=[_text(v) for v in kept.columns[str(by)].values[some]] if known else "")


# --- drawing


def _draw(
    ax: Axes, plan: Plan, name: str, curves: Sequence[Curve], data: pd.DataFrame | None, apart: bool
) -> None:
    known, many = variable_of(plan, name), len(curves) > MOST_COLORS
    if data is not None:
        _draw_data(ax, plan, known, data, name, curves)
    for at, curve in enumerate(curves):
        color = hues().blue if len(curves) == 1 or many else _color(at)
        if known.levels:
            _draw_levels(ax, curve, color, (at - (len(curves) - 1) / 2) * 0.6 / len(curves), many)
            continue
        if not many:
            ax.fill_between(curve.x, curve.low, curve.high, color=color, alpha=0.22, linewidth=0)
        ax.plot(curve.x, curve.mean, color=color, linewidth=0.7 if many else 1.8, alpha=0.6 if many else 1)
    if known.levels:
        ax.set_xticks(range(len(known.levels)), all_cut([_text(level) for level in known.levels], 14))
        ax.grid(visible=False, axis="x")
        ax.set_xlim(-0.6, len(known.levels) - 0.4)
    ax.set_xlabel(cut(name))
    if apart:
        ax.set_title(cut(curves[0].level, 24), fontsize=9.5)


def _draw_levels(ax: Axes, curve: Curve, color: str, shift: float, many: bool) -> None:
    x = np.arange(len(curve.mean))
    if many:
        ax.plot(x, curve.mean, color=color, linewidth=0.7, alpha=0.6, marker="o", markersize=2.5)
        return
    ax.vlines(x + shift, curve.low, curve.high, color=color, linewidth=2.2)
    ax.plot(
        x + shift,
        curve.mean,
        color=color,
        linewidth=0,
        marker="o",
        markersize=6,
        markeredgecolor=hues().paper,
    )


def _draw_data(
    ax: Axes, plan: Plan, known: Variable, data: pd.DataFrame, name: str, curves: Sequence[Curve]
) -> None:
    rng = np.random.default_rng(1)
    values, y = data[f"x {name}"], data["response"].to_numpy()
    if plan.family.events:
        y = y + rng.uniform(-0.02, 0.02, len(y))
    alpha = float(np.clip(60 / max(len(data), 1), 0.08, 0.5))
    if known.levels:
        places = {_text(level): place for place, level in enumerate(known.levels)}
        x = np.array([places[_text(v)] for v in values]) + rng.uniform(-0.28, 0.28, len(data))
    else:
        x = values.to_numpy(dtype=float)
    levels = [curve.level for curve in curves]
    shades = [hues().grey] * len(data)
    if 1 < len(levels) <= MOST_COLORS and set(data["by"]) <= set(levels):
        shades = [_color(levels.index(own)) for own in data["by"]]
    ax.scatter(x, y, s=9, c=shades, alpha=alpha, linewidths=0, zorder=1)


def _keys(curves: Sequence[Curve], prob: float, named: bool, data: bool) -> Iterator[Artist]:
    many = len(curves) > MOST_COLORS
    if named and not many:
        names = all_cut([curve.level for curve in curves])
        yield from (Line2D([], [], color=_color(at), label=own) for at, own in enumerate(names))
    if many:
        yield Line2D([], [], color=hues().blue, linewidth=0.7, label=f"mean in each of {len(curves)} levels")
    else:
        color = hues().blue if len(curves) == 1 else hues().grey
        yield Patch(color=color, alpha=0.4, label=f"{100 * prob:g} % HDI")
    if data:
        yield Line2D([], [], color=hues().grey, linewidth=0, marker="o", markersize=3, label="data")


def _color(at: int) -> str:
    own = hues()
    return (own.blue, own.red, own.green, "#cc79a7", "#56b4e9", "#e69f00")[at]


def _of_mean(plan: Plan) -> str:
    """Return what is drawn: ``mean of score``, ``P(switch)``."""
    response, symbol = cut(plan.response_name), plan.family.mean.symbol
    if plan.family.categories:
        return f"probability of {response}"
    return (
        f"mean of {response}"
        if not symbol or plan.family.expected is not None
        else symbol.format(of=response)
    )


def _others(plan: Plan, wanted: Sequence[str], by: str | None) -> str:
    """Return where the other columns are, in words."""
    first = wanted[0]
    grid = grid_of(plan, "typical", {first: [variable_of(plan, first).reference or 0.0]})
    at_mean = _at_the_mean(plan, {*wanted, by})
    names = [n for n in reading(plan, response=False).columns if n not in (*wanted, by)]
    named: Mapping[str, str] = {n: UNSEEN if n in at_mean else _text(grid[n].iloc[0]) for n in names}
    said = [f"{cut(n)} at {value if n in at_mean else cut(value)}" for n, value in named.items()]
    return f" ({', '.join(said[:4])}{', ...' if len(said) > 4 else ''})" if said else ""
