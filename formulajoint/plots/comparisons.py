"""Comparisons on the scale of the response as intervals, with the band around all of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from formulajoint.plots.effect_curves import columns_of_mean, words_of_mean
from formulajoint.plots.rows import (
    draw_intervals,
    height_of,
    interval_key,
    is_apart,
    label_rows,
    own_height,
    rows_for,
)
from formulajoint.plots.style import WIDTH, cut, figure_of, headline, legend, null_line, panels, styled
from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.predictions.comparisons import NULL, compared
from formulajoint.results.predictions.effect_table import effect_table
from formulajoint.results.predictions.effects import Asked
from formulajoint.wording import shortened

LONGEST, LONGEST_LEVEL = 80, 18
"""Longest label of a row, and longest level within it, in characters."""

BETWEEN = re.compile("( [-/] )")
"""What stands between two levels that are compared."""


@styled
def comparisons(
    posterior: Posterior,
    variable: str | Sequence[str] | None = None,
    by: str | Sequence[str] = (),
    scale: str = "difference",
    prob: float = 0.95,
    ax: Axes | None = None,
    figsize: tuple[float, float] | None = None,
    **options: Any,
) -> Figure:
    """Draw the comparisons of one or several columns, with intervals and the band around all of them.

    Parameters
    ----------
    posterior : Posterior
    variable : str or sequence of str, optional
        Default: each column that is not a group.
    by, scale, options
        As for `Fit.comparisons`.
    prob : float
        Probability of intervals and band.
    ax, figsize : optional
    """
    plan = posterior.plan
    wanted = (
        columns_of_mean(plan) if variable is None else [variable] if isinstance(variable, str) else variable
    )
    cells = (by,) if isinstance(by, str) else tuple(by)
    compare, step = options.pop("compare", "reference"), options.pop("step", None)
    asked = Asked(by=cells, **options)
    found = compared(posterior, wanted, asked, scale, compare, step)  # type: ignore[arg-type]
    table = effect_table(posterior, found, prob, None, True, asked.weights)
    labels, only = _labels(table, len(wanted) > 1)
    whole = table.set_axis(labels).rename(columns={"band_low": "low", "band_high": "high"})
    null = NULL[scale]
    rows = rows_for(len(whole), 0, own_height(ax, figsize))
    (panel,) = panels(1, ax, figsize or (WIDTH, height_of(rows)))
    draw_intervals(panel, rows, whole, np.full(len(whole), 0.5), null)
    null_line(panel, null)
    label_rows(panel, rows, list(whole.index), longest=LONGEST)
    panel.set_xlabel(f"{scale.replace('_', ' ')} of {words_of_mean(plan)}{only}")
    groups = "" if "groups" not in whole else f" ({whole['groups'].iloc[0]})"
    title = f"Comparisons of {cut(wanted[0])}" if len(wanted) == 1 else "Comparisons"
    title += f" by {' and '.join(map(cut, cells))}" if cells else ""
    headline([panel], f"{title}{groups}", ax is None)
    word = "one" if null else "zero"
    legend(panel, interval_key(is_apart(whole, null), prob, "comparison", word), ax is None)
    return figure_of(panel)


def _labels(table: pd.DataFrame, several: bool) -> tuple[list[str], str]:
    """Return the labels of rows, such as ``tutored: north, 1 - 0``, and what they all compare where that is one.

    What is compared then stands at the axis, and not in each label.
    """
    keys = list(table.index)
    one = not several and len({key[-1] for key in keys}) == 1 and len(keys[0]) > 2
    only = f" ({cut(keys[0][0])}: {keys[0][-1]})" if one else ""
    columns = [
        _brief(column) for column in zip(*(key[1:-1] if one else key[1:] for key in keys), strict=True)
    ]
    labels = [", ".join(key) for key in zip(*columns, strict=True)]
    return [
        f"{key[0]}: {label}" for key, label in zip(keys, labels, strict=True)
    ] if several else labels, only


def _brief(labels: Sequence[str]) -> list[str]:
    """Return labels whose levels are short, each level by itself: ``high dos… drug - placebo``."""
    levels = list(dict.fromkeys(level for label in labels for level in BETWEEN.split(label)))
    short = dict(zip(levels, shortened(levels, LONGEST_LEVEL), strict=True))
    return ["".join(short[level] for level in BETWEEN.split(label)) for label in labels]
