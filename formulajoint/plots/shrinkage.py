"""The effect of pooling: each group's estimate by itself, and under the hierarchy."""

from __future__ import annotations

from itertools import product
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from formulajoint.arrays import FloatArray
from formulajoint.compiler.coefficients import PooledTerm
from formulajoint.compiler.residual_sds import names_in_sds, sigma_of_groups
from formulajoint.errors import InferenceError
from formulajoint.plots.rows import Rows, height_of, label_rows, own_height, rows_for
from formulajoint.plots.style import WIDTH, cut, figure_of, headline, hues, legend, panels, styled
from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.regressions.by_group import not_pooled
from formulajoint.wording import did_you_mean, listed


@styled
def shrinkage(
    posterior: Posterior,
    variable: str | None = None,
    ax: Axes | None = None,
    figsize: tuple[float, float] | None = None,
) -> Figure:
    """Draw each group's least-squares estimate, not pooled, and its posterior mean under the hierarchy.

    Parameters
    ----------
    posterior : Posterior
    variable : str, optional
        The pooled coefficient. Default: the last one, a slope if there is one. A factor has a panel for each of its
        levels.
    ax : Axes, optional
        Axes to draw on, if there is one panel.
    figsize : (float, float), optional
        Inches.

    Returns
    -------
    Figure
        Groups from the highest to the lowest estimate; one whose rows do not determine it has no hollow mark.

    Raises
    ------
    InferenceError
        If nothing is pooled, or `variable` is not.
    """
    pooled = _pooled(posterior, variable)
    found = shrinkage_panels(posterior, pooled)
    rows = rows_for(len(found[0][1]), 0, own_height(ax, figsize))
    size = figsize or (max(WIDTH, 1.6 + 3.2 * len(found)), height_of(rows))
    axes = panels(len(found), ax, size, shared="xy")
    order = _order(found[0][1])
    for (level, table, mean), panel in zip(found, axes, strict=True):
        _draw(panel, table.iloc[order], mean, rows)
        scaled = pooled.coefficient.name in names_in_sds(posterior.plan.mean)
        unit = "in residual sds" if scaled else f"effect on {cut(posterior.plan.response_name)}"
        panel.set_xlabel(f"{cut(pooled.coefficient.name)} ({unit})")
        if level:
            panel.set_title(fill(cut(level, 90), 34), fontsize=9.5)
    headline(axes, _answer(posterior, pooled, found), ax is None)
    keys = [
        Line2D(
            [],
            [],
            color=hues().grey,
            linewidth=0,
            marker="o",
            mfc=hues().paper,
            label="not pooled (least squares)",
        ),
        Line2D([], [], color=hues().blue, linewidth=0, marker="o", label="pooled (posterior mean)"),
        Line2D([], [], color=hues().green, linestyle="--", label=f"{cut(pooled.mean_name)} (posterior mean)"),
    ]
    legend(axes[0], keys, ax is None)
    return figure_of(axes[0])


def shrinkage_panels(posterior: Posterior, pooled: PooledTerm) -> list[tuple[str, pd.DataFrame, float]]:
    """Return, for each level of the term: its name, one row per group (not_pooled, pooled), the hierarchy's mean.

    Coefficients pooled in residual sds are given in these.
    """
    plan, coefficient = posterior.plan, pooled.coefficient
    own = not_pooled(plan.data)[coefficient.term.name]
    means = _mean(posterior, coefficient.name, coefficient.dims).reshape(own.shape)
    if coefficient.name in names_in_sds(plan.mean):
        own, means = own / _sds(posterior), means / _sds(posterior)
    centre = _centre(posterior, pooled, own.shape[1])
    groups = pd.Index(plan.coords[coefficient.dims[0]])
    places = product(*(factor.comparisons for factor in coefficient.term.factors))
    return [
        (
            ", ".join(place),
            pd.DataFrame({"not_pooled": own[:, k], "pooled": means[:, k]}, index=groups),
            centre[k],
        )
        for k, place in enumerate(places)
    ]


def _pooled(posterior: Posterior, variable: str | None) -> PooledTerm:
    pooled = posterior.plan.mean.pooled.values()
    terms = {term.coefficient.stem or term.coefficient.name: term for term in pooled}
    if not terms:
        raise InferenceError("Nothing is pooled, so there is no shrinkage to draw: write `hierarchy()`.")
    if variable is None:
        return list(terms.values())[-1]
    if variable not in terms:
        raise InferenceError(
            f"`{variable}` is not pooled: {did_you_mean(variable, terms) or f'{listed(terms)} is.'}"
        )
    return terms[variable]


def _sds(posterior: Posterior) -> FloatArray:
    """Return the posterior mean of each group's residual sd (G, 1), or of the one of all (1, 1)."""
    sigma, of = posterior.plan.spread, sigma_of_groups(posterior.plan)
    assert sigma is not None  # coefficients are in units of it
    found = _mean(posterior, sigma.name, sigma.dims).reshape(-1, 1)
    return found if of is None else found[of]


def _mean(posterior: Posterior, name: str, dims: tuple[str, ...]) -> FloatArray:
    return np.asarray(posterior.named.values(name, dims).mean(axis=(0, 1)))


def _centre(posterior: Posterior, pooled: PooledTerm, columns: int) -> list[float]:
    """Return the hierarchy's mean for each column, which may be a constant by its prior."""
    if pooled.mean_name in posterior.named.variables:
        value = _mean(posterior, pooled.mean_name, pooled.dims)
    else:
        value = np.asarray(pooled.mean.args.get("value", np.nan))
    return [float(v) for v in np.broadcast_to(value.ravel(), (columns,))]


def _order(table: pd.DataFrame) -> list[int]:
    keys = -table["not_pooled"].fillna(table["pooled"]).to_numpy(float)
    return [int(i) for i in np.argsort(keys, kind="stable")]


def _draw(ax: Axes, table: pd.DataFrame, mean: float, rows: Rows) -> None:
    y, size = rows.places, rows.marker**2 * 0.6
    ax.axvline(mean, color=hues().green, linewidth=1.4, linestyle="--", zorder=1.5, label="mean")
    ax.hlines(
        y, table["not_pooled"], table["pooled"], colors=hues().pale, linewidth=0.6 * rows.line, label="moved"
    )
    ax.scatter(
        table["not_pooled"],
        y,
        s=size,
        facecolors=hues().paper,
        edgecolors=hues().grey,
        linewidths=1,
        zorder=2.5,
        label="not pooled",
    )
    ax.scatter(table["pooled"], y, s=size, color=hues().blue, linewidths=0, zorder=3, label="pooled")
    label_rows(ax, rows, [str(label) for label in table.index])


def _answer(posterior: Posterior, pooled: PooledTerm, found: list[tuple[str, pd.DataFrame, float]]) -> str:
    """Return a sentence on how much pooling narrows the spread of the estimates."""
    both = pd.concat([table - table.mean() for _, table, _ in found]).dropna()
    group = cut(pooled.coefficient.dims[0])
    head = f"{cut(pooled.coefficient.name)} by {group}"
    before, after = (float((both[name] ** 2).sum()) for name in ("not_pooled", "pooled"))
    if not before > 0 or after >= before:
        return f"{head}, not pooled and pooled"
    return f"{head}: pooling takes {1 - np.sqrt(after / before):.0%} off the groups' spread"
