"""Plots of a predictive check: residuals of the data, and of responses drawn from the posterior; values of both.

The responses themselves are not comparable where many coefficients are fitted: replicated responses then scatter more
than the data, whose errors the fitted coefficients have absorbed (``results/predictions/predictive_check.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from scipy.special import ndtr, ndtri

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.errors import InferenceError
from formulajoint.plots.predictive_values import (
    MIDDLE,
    draw_frequencies,
    draw_pit,
    frequencies,
    leaves_band,
    outside,
    outside_by_chance,
)
from formulajoint.plots.style import WIDTH, cut, density, figure_of, headline, hues, legend, panels, styled
from formulajoint.results.checks.loo import grouping_of, loo_pit
from formulajoint.results.checks.residuals import check_order
from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.predictions.predictive_check import predictive_check
from formulajoint.results.predictions.replicate import in_blocks, some_draws

MOST_POINTS, MOST_BINS = 400, 40
"""Most points of a curve, and most bins of a histogram."""

MOST_PANELS, MOST_BARS = 24, 40
"""Most groups with a panel each, and most values with a bar each."""

REACH = 0.5
"""Distance from the outermost residual to the end of the axis."""


type Drawing = Callable[[Axes, IntArray], None]
"""Draws some rows on axes."""


@dataclass(frozen=True, slots=True, eq=False)
class Content:
    """What is drawn of a posterior, for all rows or those of each group.

    Attributes
    ----------
    draw : callable
    title : str
    keys : tuple of Artist
        Of the legend.
    """

    draw: Drawing
    title: str
    keys: tuple[Artist, ...]


@styled
def ppc(
    posterior: Posterior,
    kind: str | None = None,
    count: int = 100,
    seed: int = 0,
    figsize: tuple[float, float] | None = None,
    by: str | None = None,
) -> Figure:
    """Draw data beside responses replicated at `count` draws: their residuals, their values, or where they lie.

    Parameters
    ----------
    posterior : Posterior
    kind : {"qq", "ecdf", "kde", "hist", "rootogram", "bars", "pit"}, optional
        Of residuals: quantiles against those of the normal distribution, which show tails best and are the default;
        cumulative distribution; density; histogram. Of the responses: how many rows have each value, for counts with
        the roots of these numbers (``bars`` is the default for categories without an order); and the probability of
        less than each response given all other rows, which is uniform where the model is right.
    count : int
        Draws of the posterior; fewer are taken for very many rows.
    seed : int
    figsize : (float, float), optional
        Inches.
    by : str, optional
        A grouping factor of the model: one panel for each group, at most 24.

    Returns
    -------
    Figure
        The title says whether data and replications agree.

    Raises
    ------
    InferenceError
        If there is no such kind or factor, the kind does not suit the response, or `count` is not one or more.
    """
    kind = kind or ("bars" if posterior.plan.family.mean.by_level else "qq")
    if kind not in KINDS:
        raise InferenceError(f"`kind` is one of {', '.join(KINDS)}, not {kind!r}.")
    if not count >= 1:
        raise InferenceError(f"`count` must be 1 or more, not {count}.")
    parts, left = _parts(posterior, by)
    content = KINDS[kind](posterior, kind, count, seed)
    columns = min(4, len(parts))
    size = (WIDTH, 3.6) if by is None else (WIDTH, 1.3 + 1.7 * -(-len(parts) // columns))
    axes = panels(len(parts), None, figsize or size, columns, "" if by is None else "xy")
    for ax, (label, rows) in zip(axes, parts, strict=True):
        content.draw(ax, rows)
        ax.set_title(cut(label), fontsize=9)
    if by is not None:
        _label_together(axes, columns)
    headline(axes, f"{cut(posterior.plan.response_name)}: {content.title}{left}", own=True)
    legend(axes[0], content.keys, own=True)
    return figure_of(axes[0])


def _label_together(axes: list[Axes], columns: int) -> None:
    """Label both directions once for all panels: below the last row, beside the first column."""
    last = (len(axes) - 1) // columns * columns
    label = axes[0].get_xlabel()
    figure_of(axes[0]).supylabel(axes[0].get_ylabel(), fontsize=10, color=hues().ink)
    for ax in axes:
        ax.set(xlabel="", ylabel="")
    beside = axes[last + 1 :]  # a long label goes on below them, which make room for it
    axes[last].set_xlabel(label, loc="left").set_in_layout(not beside)
    for ax in beside:
        ax.set_xlabel(" ")


def _parts(posterior: Posterior, by: str | None) -> tuple[list[tuple[str, IntArray]], str]:
    """Return the rows of each panel with its label, and how many groups are left out, as a suffix."""
    if by is None:
        return [("", np.arange(posterior.plan.design.rows.used))], ""
    grouping = grouping_of(posterior.plan, by)
    sizes = np.bincount(grouping.codes, minlength=len(grouping))
    largest = np.sort(np.argsort(-sizes, kind="stable")[:MOST_PANELS])
    left = f" (the {MOST_PANELS} largest of {len(grouping)} groups)" if len(grouping) > MOST_PANELS else ""
    return [(grouping.labels[g], np.flatnonzero(grouping.codes == g)) for g in largest], left


def _of_residuals(posterior: Posterior, kind: str, count: int, seed: int) -> Content:
    check_order(posterior)
    rng, y = np.random.default_rng(seed), posterior.plan.design.response.values
    blocks = list(in_blocks(posterior, some_draws(posterior, count, rng)))
    data = np.vstack([block.scores(y, rng) for block in blocks])
    new = np.vstack([block.scores(block.responses(rng), rng) for block in blocks])
    unit = "in residual sds" if blocks[0].normal else "as normal scores"
    keys = (
        Patch(color=hues().blue, label=f"data, at {len(data)} draws of the posterior"),
        Patch(color=hues().grey, alpha=0.5, label="replicated at the same draws"),
    )

    def draw(ax: Axes, rows: IntArray) -> None:
        RESIDUALS[kind](ax, new[:, rows], data[:, rows], f"residuals, {unit}")

    return Content(draw, predictive_check(posterior, seed).verdict, keys)


def _of_values(posterior: Posterior, kind: str, count: int, seed: int) -> Content:
    rng, response = np.random.default_rng(seed), posterior.plan.design.response
    if not posterior.plan.family.distribution.whole:
        raise InferenceError(
            f"`{kind}` is for whole numbers and categories; kind='kde' or 'hist' is for others."
        )
    y = response.values
    new = np.vstack(
        [block.responses(rng) for block in in_blocks(posterior, some_draws(posterior, count, rng))]
    )
    every = np.arange(max(y.max(), new.max()) + 1)
    counted = frequencies(y, new, every)
    unusual, there = outside(*counted)
    values = every[: len(response.levels) or 1 + int(np.flatnonzero(there)[-1])]
    if kind == "bars" and len(values) > MOST_BARS:
        raise InferenceError(
            f"`bars` are for up to {MOST_BARS} values, and here there are {len(values)}: use kind='rootogram'."
        )
    off, what = int(unusual[: len(values)].sum()), "categories" if response.levels else "values"
    title = f"{off or 'none'} of {len(values)} {what} {'occur' if off > 1 else 'occurs'} unlike replications"
    title += f" ({_expected(outside_by_chance(counted[1]))} expected by chance)"
    keys = (
        Patch(color=hues().blue, alpha=0.35, label="rows of the data"),
        Line2D(
            [], [], color=hues().grey, marker="o", markersize=4, label=f"{len(new)} replications, middle 95 %"
        ),
    )

    def draw(ax: Axes, rows: IntArray) -> None:
        counted = frequencies(y[rows], new[:, rows], values)
        draw_frequencies(ax, values, *counted, response.levels, kind == "rootogram")
        ax.set_xlabel(cut(posterior.plan.response_name))

    return Content(draw, title, keys)


def _expected(count: float) -> str:
    return f"about {count:.0f}" if count >= 0.95 else "less than 1"


def _of_pit(posterior: Posterior, kind: str, count: int, seed: int) -> Content:
    chosen, shares = loo_pit(posterior, seed)
    inside = not np.any(leaves_band(shares))
    title = "given all other rows, the responses are spread over their predictions "
    title += "as expected" if inside else "not as expected"
    keys = (
        Line2D([], [], color=hues().blue, label=f"{len(shares):,} rows"),
        Patch(color=hues().grey, alpha=0.3, label="uniform numbers, 95 % of sets within"),
    )
    return Content(lambda ax, rows: draw_pit(ax, shares[np.isin(chosen, rows)]), title, keys)


def _qq(ax: Axes, new: FloatArray, data: FloatArray, label: str) -> None:
    rows = data.shape[1]
    x = ndtri((np.arange(rows) + 0.5) / rows)
    if rows > MOST_POINTS:
        x = np.linspace(x[0], x[-1], MOST_POINTS)
    _bands(ax, x, [np.quantile(z, ndtr(x), axis=1, method="hazen").T for z in (new, data)])
    ax.axline((0, 0), slope=1, color=hues().ink, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1.5)
    ax.set(xlabel="quantiles of a normal distribution", ylabel=label)


def _ecdf(ax: Axes, new: FloatArray, data: FloatArray, label: str) -> None:
    x = _grid(new, data, MOST_POINTS)
    shares = [[np.searchsorted(np.sort(row), x, side="right") / len(row) for row in z] for z in (new, data)]
    _bands(ax, x, list(map(np.array, shares)))
    ax.set(xlabel=label, ylabel="share of rows below", ylim=(0, 1))


def _kde(ax: Axes, new: FloatArray, data: FloatArray, label: str) -> None:
    x = _grid(new, data, MOST_POINTS)
    _bands(ax, x, [np.array([np.interp(x, *density(row), 0, 0) for row in z]) for z in (new, data)])
    ax.set(xlabel=label, ylim=(0, None), yticks=[])


def _hist(ax: Axes, new: FloatArray, data: FloatArray, label: str) -> None:
    edges = _grid(new, data, int(np.clip(2 * np.sqrt(data.shape[1]), 8, MOST_BINS)))
    heights = [np.array([np.histogram(row, edges)[0] for row in z]) for z in (new, data)]
    # The last height is repeated, so that the last bin has its width.
    _bands(ax, edges, [np.hstack([h, h[:, -1:]]) for h in heights], steps=True)
    ax.set(xlabel=label, ylabel="rows", ylim=(0, None))
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))


RESIDUALS: dict[str, Callable[[Axes, FloatArray, FloatArray, str], None]] = {
    "qq": _qq,
    "ecdf": _ecdf,
    "kde": _kde,
    "hist": _hist,
}

KINDS: dict[str, Callable[[Posterior, str, int, int], Content]] = {
    **dict.fromkeys(RESIDUALS, _of_residuals),
    "rootogram": _of_values,
    "bars": _of_values,
    "pit": _of_pit,
}


def _grid(new: FloatArray, data: FloatArray, count: int) -> FloatArray:
    return np.linspace(min(new.min(), data.min()) - REACH, max(new.max(), data.max()) + REACH, count)


def _bands(ax: Axes, x: FloatArray, curves: list[FloatArray], steps: bool = False) -> None:
    """Draw the curves (D, len(x)) of replicated data, then those of the data, each as a band about its median."""
    for heights, color, shade in zip(curves, (hues().grey, hues().blue), (0.3, 0.35), strict=True):
        low, middle, high = np.quantile(heights, [(1 - MIDDLE) / 2, 0.5, (1 + MIDDLE) / 2], axis=0)
        ax.fill_between(x, low, high, color=color, alpha=shade, linewidth=0, step="post" if steps else None)
        ax.plot(x, middle, color=color, linewidth=1.6, drawstyle="steps-post" if steps else "default")
