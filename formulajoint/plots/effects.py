"""Predictions over one or two columns, with the data behind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from formulajoint.compiler.evaluate.column_values import Variable, variable_of
from formulajoint.compiler.plan import Plan
from formulajoint.errors import InferenceError
from formulajoint.plots.effect_curves import (
    Curve,
    columns_of_mean,
    curves_along,
    data_behind,
    text_of,
    words_of_data,
    words_of_mean,
    words_of_others,
)
from formulajoint.plots.style import WIDTH, all_cut, cut, figure_of, headline, hues, legend, panels, styled
from formulajoint.results.draws.posterior import Posterior

MOST_COLORS, MOST_PANELS = 6, 12
"""Most levels with a colour each in one panel, and most levels with a panel each; more are thin lines."""

FONT, LETTER, LINE, BESIDE = 9.0, 0.075, 60, 0.7
"""Size of labels in points, the width of one of their letters in inches, lines of points in an inch with the space
between them, and the room beside a panel in inches."""

LONGEST, SLANTED = 24, 0.7
"""Longest label of a level in characters, and the inches below a panel that slanted labels take."""


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """Curves that are drawn together, each named by its place in `names`, along one column."""

    variable: str
    title: str
    curves: Sequence[Curve]
    names: Sequence[str]


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
        A second column: a curve for each of its levels; where the response has categories, in a panel for each.
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
        If the mean depends on no column that is not a group.
    """
    plan = posterior.plan
    wanted = [variable] if variable is not None else columns_of_mean(plan, by)
    if not wanted:
        raise InferenceError(
            'The mean depends on no column but groups: name one, `fit.plot.effects("school")`.'
        )
    shown = [
        each for name in wanted for each in _panels(plan, name, list(curves_along(posterior, name, by, prob)))
    ]
    apart = len(shown) > len(wanted)
    columns = min(len(shown), 4 if apart else 3)
    rows = -(-len(shown) // columns)
    width = max(WIDTH, 2.6 * columns)
    levels = [variable_of(plan, name).levels for name in wanted]
    more = 0.0 if all(_fit(list(map(text_of, own)), width / columns) for own in levels) else SLANTED
    size = figsize or (width, 0.8 + (2.2 + more if len(shown) > 1 else 3.4) * rows)
    axes = panels(len(shown), ax, size, columns, "xy" if apart and len(wanted) == 1 else "y")
    behind = data_behind(plan, wanted, by) if data and not plan.family.categories else None
    for place, (panel, own) in enumerate(zip(shown, axes, strict=True)):
        only = behind is not None and apart and not plan.family.categories
        rows_behind = behind[behind["by"] == panel.title] if behind is not None and only else behind
        _draw(own, plan, panel, rows_behind, figure_of(own).get_figwidth() / columns)
        if len(wanted) > 1 or place + columns >= len(shown):
            own.set_xlabel(cut(panel.variable))
    for own in axes[::columns]:
        own.set_ylabel(words_of_mean(plan))
    said = " and ".join([cut(name) for name in (wanted if len(wanted) < 3 else ["each column"])])
    said = f"{said} by {cut(by)}" if by else said
    headline(axes, f"{words_of_mean(plan)} over {said}{words_of_others(plan, wanted, by)}", ax is None)
    dots = "" if behind is None else words_of_data(plan, wanted, by)
    keys = list(_keys(shown[0], prob, dots))
    of = "" if len(shown[0].names) < 2 else by or plan.response_name
    legend(axes[0], keys, ax is None, cut(of))
    return figure_of(axes[0])


def _panels(plan: Plan, name: str, curves: list[Curve]) -> Iterator[Panel]:
    """Yield the panels of one column: one; or one for each category, or each of several levels, of the other column."""
    levels = list(dict.fromkeys(curve.level for curve in curves))
    categories = list(dict.fromkeys(curve.category for curve in curves))
    if len(categories) > 1 and len(levels) > 1:
        for category in categories:
            yield Panel(name, category, [curve for curve in curves if curve.category == category], levels)
    elif MOST_COLORS < len(levels) <= MOST_PANELS:
        yield from (Panel(name, curve.level, [curve], [""]) for curve in curves)
    else:
        yield Panel(name, "", curves, levels if len(categories) == 1 else categories)


# --- drawing


def _draw(ax: Axes, plan: Plan, panel: Panel, data: pd.DataFrame | None, width: float) -> None:
    known, curves = variable_of(plan, panel.variable), panel.curves
    many = len(curves) > MOST_COLORS
    if data is not None:
        _draw_data(ax, plan, known, data, panel)
    for at, curve in enumerate(curves):
        color = hues().blue if len(curves) == 1 or many else _color(at)
        if len(curve.mean) == 1 and not known.levels:
            _draw_point(ax, curve, color, many)
            continue
        if known.levels:
            _draw_levels(ax, curve, color, (at - (len(curves) - 1) / 2) * 0.6 / len(curves), many)
            continue
        if not many:
            ax.fill_between(curve.x, curve.low, curve.high, color=color, alpha=0.22, linewidth=0)
        ax.plot(curve.x, curve.mean, color=color, linewidth=0.7 if many else 1.8, alpha=0.6 if many else 1)
    if known.levels:
        _label_levels(ax, [text_of(level) for level in known.levels], width)
    ax.set_title(cut(panel.title, 24), fontsize=9.5)


def _label_levels(ax: Axes, labels: Sequence[str], width: float) -> None:
    """Write the levels below the axis: side by side where they have room, else slanted; of very many only some."""
    room, fit = (width - BESIDE) / len(labels), _fit(labels, width)
    size = FONT if fit else float(np.clip(LINE * room, 6, FONT))
    places = range(0, len(labels), 1 if fit else int(np.ceil(size / LINE / room)))
    ax.set_xticks(places, all_cut([labels[place] for place in places], LONGEST), fontsize=size)
    if not fit:
        upright = room < 0.5
        ax.tick_params("x", labelrotation=90 if upright else 30)
        for text in ax.get_xticklabels():
            text.set(ha="center" if upright else "right", rotation_mode="default" if upright else "anchor")
    ax.grid(visible=False, axis="x")
    ax.set_xlim(-0.6, len(labels) - 0.4)


def _fit(labels: Sequence[str], width: float) -> bool:
    """Return whether labels have room side by side below a panel of that width in inches."""
    return not labels or max(map(len, labels)) * LETTER < (width - BESIDE) / len(labels)


def _draw_levels(ax: Axes, curve: Curve, color: str, shift: float, many: bool) -> None:
    x = np.arange(len(curve.mean))
    if many:
        ax.plot(x, curve.mean, color=color, linewidth=0.7, alpha=0.6, marker="o", markersize=2.5)
        return
    ax.vlines(x + shift, curve.low, curve.high, color=color, linewidth=2.2)
    size = 6 if len(x) <= 20 else 4
    ax.plot(
        x + shift, curve.mean, "o", color=color, markersize=size, markeredgecolor=hues().paper, linewidth=0
    )


def _draw_point(ax: Axes, curve: Curve, color: str, many: bool) -> None:
    """Draw the prediction of a level whose rows have one value of the column."""
    if not many:
        ax.vlines(curve.x, curve.low, curve.high, color=color, linewidth=2.2)
    ax.plot(curve.x, curve.mean, color=color, marker="o", markersize=2.5 if many else 6, linewidth=0)


def _draw_data(ax: Axes, plan: Plan, known: Variable, data: pd.DataFrame, panel: Panel) -> None:
    rng = np.random.default_rng(1)
    values, y = data[f"x {panel.variable}"], data["response"].to_numpy()
    if plan.family.events:
        y = y + rng.uniform(-0.02, 0.02, len(y))
    if known.levels:
        places = {text_of(level): place for place, level in enumerate(known.levels)}
        x = np.array([places[text_of(v)] for v in values]) + rng.uniform(-0.28, 0.28, len(data))
    else:
        x = values.to_numpy(dtype=float)
    levels = list(panel.names)
    shades = [hues().grey] * len(data)
    if 1 < len(levels) <= MOST_COLORS and set(data["by"]) <= set(levels):
        shades = [_color(levels.index(own)) for own in data["by"]]
    alpha = float(np.clip(150 / max(len(data), 1), 0.08, 0.5))
    ax.scatter(x, y, s=9, c=shades, alpha=alpha, linewidths=0, zorder=1)


def _keys(panel: Panel, prob: float, data: str) -> Iterator[Artist]:
    many = len(panel.curves) > MOST_COLORS
    if len(panel.curves) > 1 and not many:
        names = all_cut(panel.names)
        yield from (Line2D([], [], color=_color(at), label=own) for at, own in enumerate(names))
    if many:
        label = f"mean in each of {len(panel.curves)} levels"
        yield Line2D([], [], color=hues().blue, linewidth=0.7, label=label)
    else:
        color = hues().blue if len(panel.curves) == 1 else hues().grey
        yield Patch(color=color, alpha=0.4, label=f"{100 * prob:g} % HDI")
    if data:
        yield Line2D([], [], color=hues().grey, linewidth=0, marker="o", markersize=3, label=data)


def _color(at: int) -> str:
    own = hues()
    return (own.blue, own.red, own.green, "#cc79a7", "#56b4e9", "#e69f00")[at]
