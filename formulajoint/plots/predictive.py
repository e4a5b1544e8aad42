"""The plot of a predictive check: residuals of the data, and of responses drawn from the posterior.

The responses themselves are not comparable where many coefficients are fitted: replicated responses then scatter more
than the data, whose errors the fitted coefficients have absorbed (``results/predictions/predictive_check.py``).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from scipy.special import ndtr, ndtri

from formulajoint.arrays import FloatArray
from formulajoint.errors import InferenceError
from formulajoint.plots.style import WIDTH, cut, density, figure_of, headline, hues, legend, panels, styled
from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.predictions.predictive_check import predictive_check
from formulajoint.results.predictions.replicate import in_blocks, some_draws

MOST_POINTS, MOST_BINS = 400, 40
"""Most points of a curve, and most bins of a histogram."""

MIDDLE = 0.95
"""Share of the draws' curves within a band."""

REACH = 0.5
"""Distance from the outermost residual to the end of the axis."""


@styled
def ppc(
    posterior: Posterior,
    kind: str = "qq",
    count: int = 100,
    seed: int = 0,
    figsize: tuple[float, float] | None = None,
) -> Figure:
    """Draw the distribution of the residuals at `count` draws, and that of responses replicated at the same draws.

    Parameters
    ----------
    posterior : Posterior
    kind : {"qq", "ecdf", "kde", "hist"}
        Quantiles against those of the normal distribution, which show tails best; cumulative distribution; density;
        histogram.
    count : int
        Draws of the posterior; fewer are taken for very many rows.
    seed : int
    figsize : (float, float), optional
        Inches.

    Returns
    -------
    Figure
        The title has the verdict of ``predictive_check``.

    Raises
    ------
    InferenceError
        If there is no such kind, or `count` is not one or more.
    """
    if kind not in KINDS:
        raise InferenceError(f"`kind` is one of {', '.join(KINDS)}, not {kind!r}.")
    if not count >= 1:
        raise InferenceError(f"`count` must be 1 or more, not {count}.")
    rng = np.random.default_rng(seed)
    y = posterior.plan.design.response.values
    blocks = list(in_blocks(posterior, some_draws(posterior, count, rng)))
    data = np.vstack([block.scores(y, rng) for block in blocks])
    new = np.vstack([block.scores(block.responses(rng), rng) for block in blocks])
    (ax,) = panels(1, None, figsize or (WIDTH, 3.6))
    name = cut(posterior.plan.response_name)
    unit = "in residual sds" if blocks[0].normal else "as normal scores"
    KINDS[kind](ax, new, data, f"residuals, {unit}")
    headline([ax], f"{name}: {predictive_check(posterior, seed).verdict}", own=True)
    keys = [Patch(color=hues().blue, label=f"data, at {len(data)} draws of the posterior")]
    keys += [Patch(color=hues().grey, alpha=0.5, label="replicated at the same draws")]
    legend(ax, keys, own=True)
    return figure_of(ax)


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


KINDS: dict[str, Callable[[Axes, FloatArray, FloatArray, str], None]] = {
    "qq": _qq,
    "ecdf": _ecdf,
    "kde": _kde,
    "hist": _hist,
}


def _grid(new: FloatArray, data: FloatArray, count: int) -> FloatArray:
    return np.linspace(min(new.min(), data.min()) - REACH, max(new.max(), data.max()) + REACH, count)


def _bands(ax: Axes, x: FloatArray, curves: list[FloatArray], steps: bool = False) -> None:
    """Draw the curves (D, len(x)) of replicated data, then those of the data, each as a band about its median."""
    for heights, color, shade in zip(curves, (hues().grey, hues().blue), (0.3, 0.35), strict=True):
        low, middle, high = np.quantile(heights, [(1 - MIDDLE) / 2, 0.5, (1 + MIDDLE) / 2], axis=0)
        ax.fill_between(x, low, high, color=color, alpha=shade, linewidth=0, step="post" if steps else None)
        ax.plot(x, middle, color=color, linewidth=1.6, drawstyle="steps-post" if steps else "default")
