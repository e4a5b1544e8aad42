"""The plot of a joint test: how far out the null lies in the posterior of all quantities at once."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, PathPatch
from matplotlib.path import Path
from numpy.typing import NDArray

from formulajoint.arrays import FloatArray
from formulajoint.contrasts.hypotheses import Hypothesis, independent
from formulajoint.errors import InferenceError
from formulajoint.inference.quadrature import LogIntegral
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
from formulajoint.results.joint_tests import figures
from formulajoint.results.joint_tests.joint_test import joint_tests
from formulajoint.results.joint_tests.quantities import quantities, row_labels
from formulajoint.results.joint_tests.shares import BY_SCORES
from formulajoint.results.text.figures import probability, share_text

MOST_POINTS = 2000
"""Most draws in a scatter plot; more are thinned evenly."""

FAR = 4.0
"""The axis is logarithmic if the null is more than this many times as far out as the farthest draw."""


@styled
def joint(
    posterior: Posterior,
    hypothesis: Hypothesis,
    ax: Axes | None = None,
    figsize: tuple[float, float] | None = None,
    count: int = 1,
) -> Figure:
    """Draw the joint test of `hypothesis`.

    Two quantities are drawn in a plane, with the ellipse about their centre through the null and the region outside it
    shaded: the share of the draws there is the contour probability. For more, or one, the distribution of the squared
    Mahalanobis distance from the centre is drawn, with the null's; for an order, that of its smallest step.

    Parameters
    ----------
    posterior : Posterior
    hypothesis : Hypothesis
    ax : Axes, optional
        Axes to draw on.
    figsize : (float, float), optional
        Inches.
    count : int
        Number of hypotheses of which this is the first, for the title.

    Returns
    -------
    Figure

    Raises
    ------
    InferenceError
        If the draws are too few for a covariance, or it does not exist.
    """
    hypothesis = hypothesis.judged
    draws = quantities(posterior, hypothesis)
    plane = not hypothesis.order and draws.shape[2] == 2 and len(independent(hypothesis.rows)) == 2
    (panel,) = panels(1, ax, figsize or ((5.6, 5.2) if plane else (WIDTH, 3.4)))
    if hypothesis.order:
        title = _draw_order(panel, draws, hypothesis, ax is None)
    else:
        title = _contour(posterior, hypothesis)
        draw = _draw_plane if plane else _draw_distances
        draw(panel, draws, hypothesis, row_labels(posterior.plan, hypothesis), ax is None)
    headline([panel], title + one_of(count, "tests", "hypothesis"), ax is None)
    return figure_of(panel)


def _contour(posterior: Posterior, hypothesis: Hypothesis) -> str:
    """Return a sentence with the test's figures."""
    (test,) = joint_tests(posterior, [hypothesis])
    if not {"contour", "gbpv"} <= set(test.shares):  # without a covariance
        raise InferenceError(f"There is no joint test to draw: {test.note}.")
    share, factor = share_text(test, "contour"), ""
    if isinstance(test.bayes_factor, LogIntegral):
        factor = f", log BF10 {test.bayes_factor.value:.1f}"
    if test.by_scores:  # the plot shows all groups together
        return f"{hypothesis.label}: contour probability {share}, {BY_SCORES}{factor}"
    return f"{hypothesis.label}: {share} of the posterior lies farther out{factor}"


def _draw_plane(ax: Axes, draws: FloatArray, hypothesis: Hypothesis, labels: list[str], own: bool) -> None:
    flat = draws.reshape((-1, 2))
    centre, covariance = flat.mean(axis=0), np.cov(flat, rowvar=False)
    outside, ellipse = _beyond(flat), _ellipse(centre, covariance)
    shown = slice(None, None, -(-len(flat) // MOST_POINTS))
    points, far = flat[shown], outside[shown]
    (x, y), (x_far, y_far) = points[~far].T, points[far].T
    ax.scatter(x, y, s=7, color=hues().blue, alpha=0.35, linewidths=0, zorder=2, label="inside")
    ax.scatter(x_far, y_far, s=9, color=hues().red, alpha=0.8, linewidths=0, zorder=2.2, label="outside")
    ax.plot(*ellipse.T, color=hues().red, linewidth=1.6, zorder=2.5, label="contour")
    ax.plot(0, 0, "X", color=hues().ink, markersize=9, markeredgecolor=hues().paper, zorder=3, label="null")
    limits = _square(np.vstack([flat, ellipse, np.zeros((1, 2))]))
    _shade_outside(ax, ellipse, limits)
    ax.set(xlim=limits[0], ylim=limits[1], xlabel=cut(labels[0], 48), ylabel=cut(labels[1], 48))
    ax.axvline(0, color=hues().ink, linewidth=0.6, linestyle=":", zorder=1.6)
    ax.axhline(0, color=hues().ink, linewidth=0.6, linestyle=":", zorder=1.6)
    keys = [
        Line2D([], [], color=hues().blue, linewidth=0, marker="o", markersize=4, label="draws"),
        Patch(facecolor=hues().red, alpha=0.25, label="as far out as the null, or farther"),
        Line2D([], [], color=hues().ink, linewidth=0, marker="X", markersize=7, label="null"),
    ]
    legend(ax, keys, own)


def _beyond(flat: FloatArray) -> NDArray[np.bool_]:
    """Return for each draw whether it is as far out as the null."""
    white, zero = _white(flat)
    own, null = figures.distances(white, zero)
    return np.asarray(own >= null)


def _white(flat: FloatArray) -> tuple[FloatArray, FloatArray]:
    found = figures.whitened(flat)
    if found is None:
        raise InferenceError(
            "A quantity of the hypothesis is the same in all draws, and not the null's: no picture."
        )
    return found


def _ellipse(centre: FloatArray, covariance: FloatArray) -> FloatArray:
    """Return the ellipse about `centre` through the origin, (200, 2)."""
    root = np.linalg.cholesky(covariance)
    radius = np.linalg.norm(np.linalg.solve(root, centre))
    angle = np.linspace(0, 2 * np.pi, 200)
    return np.asarray(centre + radius * np.column_stack([np.cos(angle), np.sin(angle)]) @ root.T)


def _square(points: FloatArray) -> list[tuple[float, float]]:
    low, high = points.min(axis=0), points.max(axis=0)
    pad = 0.06 * (high - low)
    return [(float(low[i] - pad[i]), float(high[i] + pad[i])) for i in (0, 1)]


def _shade_outside(ax: Axes, ellipse: FloatArray, limits: list[tuple[float, float]]) -> None:
    """Shade the frame outside the ellipse: one path with a hole."""
    (left, right), (bottom, top) = limits
    frame = np.array([[left, bottom], [right, bottom], [right, top], [left, top], [left, bottom]])
    path = Path.make_compound_path(Path(frame, closed=True), Path(ellipse[::-1], closed=True))
    ax.add_patch(PathPatch(path, facecolor=hues().red, alpha=0.1, linewidth=0, zorder=1))


def _draw_distances(
    ax: Axes, draws: FloatArray, hypothesis: Hypothesis, labels: list[str], own: bool
) -> None:
    flat = draws.reshape((-1, draws.shape[2]))[:, independent(hypothesis.rows)]
    white, zero = _white(flat)
    distance, null = figures.distances(white, zero)
    edges = _histogram(ax, distance, null, below=hues().blue, above=hues().red)
    end = max(1.05 * float(edges[-1]), 1.15 * null)
    ax.axvspan(null, end, color=hues().red, alpha=0.1, linewidth=0)
    ax.set_xlim(0, end)
    if null > FAR * distance.max():
        ax.set_xscale("log")
        ax.set_xlim(max(float(distance.min()), 1e-4 * null), 2 * null)
    rank = len(zero)
    what = "one quantity" if rank == 1 else f"{rank} quantities"
    ax.set_xlabel(f"squared distance from the posterior's centre ({what}, Mahalanobis)")
    keys = [
        Patch(facecolor=hues().blue, alpha=0.35, label="draws"),
        Patch(facecolor=hues().red, alpha=0.3, label="as far out as the null, or farther"),
        Line2D([], [], color=hues().ink, linewidth=0.9, linestyle="--", label=f"null: {null:.3g}"),
    ]
    legend(ax, keys, own)


def _histogram(ax: Axes, values: FloatArray, edge: float, below: str, above: str) -> FloatArray:
    """Draw a histogram with an edge at `edge` and a colour on each side of it; return its edges."""
    width = float(np.ptp(values)) / 60 or 1.0
    first, last = np.floor((values.min() - edge) / width), np.ceil((values.max() - edge) / width)
    edges = edge + width * np.arange(first, last + 1.5)
    counts, _ = np.histogram(values, bins=edges)
    colors = np.where(edges[:-1] >= edge - 1e-9 * width, above, below).tolist()
    ax.bar(edges[:-1], counts, width, align="edge", color=colors, alpha=0.6, label="draws")
    null_line(ax, edge)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.grid(visible=False)
    return edges


def _draw_order(ax: Axes, draws: FloatArray, hypothesis: Hypothesis, own: bool) -> str:
    """Draw the smallest step of an order, which holds if that is above zero; return a sentence on its probability."""
    smallest = draws.reshape((-1, draws.shape[2])).min(axis=1)
    _histogram(ax, smallest, 0.0, below=hues().red, above=hues().blue)
    ax.set_xlabel("smallest step of the order")
    keys = [
        Patch(facecolor=hues().blue, alpha=0.6, label="the order holds"),
        Patch(facecolor=hues().red, alpha=0.6, label="it does not"),
    ]
    legend(ax, keys, own)
    holds = figures.probability_of(figures.all_positive, draws)
    share = probability(holds.value, holds.mcse)
    return f"{hypothesis.label}: it holds with probability {share}"
