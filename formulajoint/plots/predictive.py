"""Whether the model could have made these data: their distribution among responses drawn from the posterior."""

from __future__ import annotations

import arviz_plots as azp
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from xarray import Dataset, DataTree

from formulajoint.design.schema import FloatArray
from formulajoint.errors import InferenceError
from formulajoint.plots.style import BLUE, PALE, WIDTH, cut, headline, legend, styled
from formulajoint.results.posterior import Posterior
from formulajoint.results.replicates import replicates

KINDS = ("ecdf", "kde", "hist")

SMOOTHING = {"bound_correction": False, "extend": True}

USUAL, JUDGED_BY = 0.95, 400
"""A figure of the data is usual within this share of so many replicated ones."""


@styled
def ppc(
    posterior: Posterior,
    kind: str = "ecdf",
    count: int = 50,
    seed: int = 0,
    figsize: tuple[float, float] | None = None,
) -> Figure:
    """Draw the distribution of the response among `count` replicated ones.

    Parameters
    ----------
    posterior : Posterior
    kind : {"ecdf", "kde", "hist"}
        Cumulative, which needs no smoothing; density; histogram.
    count : int
        Replicated data sets.
    seed : int
    figsize : (float, float), optional
        Inches.

    Returns
    -------
    Figure

    Raises
    ------
    InferenceError
        Where there is no such kind, or `count` is not one or more.
    """
    if kind not in KINDS:
        raise InferenceError(f"`kind` is one of {', '.join(KINDS)}, not {kind!r}.")
    if not count >= 1:
        raise InferenceError(f"`count` must be 1 or more, not {count}.")
    new, y = replicates(posterior, max(count, JUDGED_BY), seed), posterior.plan.design.response.values
    shown = new[:count]
    name = cut(posterior.plan.response_name)
    plotted = azp.plot_ppc_dist(
        _tree(name, shown, y),
        kind=kind,
        num_samples=len(shown),
        backend="matplotlib",
        visuals={
            "predictive_dist": {"color": PALE, "alpha": 0.5, "width": 0.8},
            "observed_dist": {"color": BLUE, "width": 2.2},
            "title": False,
            "remove_axis": kind != "ecdf",
        },
        stats=dict.fromkeys(("predictive_dist", "observed_dist"), SMOOTHING) if kind == "kde" else None,
        figure_kwargs={
            "figsize": figsize or (WIDTH, 3.6),
            "figsize_units": "inches",
            "layout": "constrained",
        },
    )
    figure: Figure = plotted.viz["figure"].item()
    plt.close(figure)
    (ax,) = figure.axes
    ax.set_xlabel(name)
    headline([ax], f"{name}: {_answer(new, y)}", own=True)
    keys = [Line2D([], [], color=BLUE, linewidth=2.2, label="data")]
    keys += [Line2D([], [], color=PALE, label=f"{len(shown)} replicated from the posterior")]
    legend(ax, keys, own=True)
    return figure


def _tree(name: str, new: FloatArray, y: FloatArray) -> DataTree:
    rows = {"obs": np.arange(len(y))}
    draws = {"chain": [0], "draw": np.arange(len(new))}
    predictive = Dataset({name: (("chain", "draw", "obs"), new[None])}, rows | draws)
    return DataTree.from_dict(
        {"posterior_predictive": predictive, "observed_data": Dataset({name: ("obs", y)}, rows)}
    )


def _answer(new: FloatArray, y: FloatArray) -> str:
    """Say where the data's sd, least and largest value stand among the replicated ones."""
    pairs = {
        "smallest value": (new.min(axis=1), y.min()),
        "largest value": (new.max(axis=1), y.max()),
        "sd": (new.std(axis=1), y.std()),
    }
    odd = [what for what, (among, value) in pairs.items() if not _is_usual(among, value)]
    if not odd:
        return "smallest value, largest value and sd are like those of replicated data"
    return f"the {' and the '.join(odd)} {'lies' if len(odd) == 1 else 'lie'} outside {USUAL:.0%} of replicated data"


def _is_usual(among: FloatArray, value: float) -> bool:
    low, high = np.quantile(among, [(1 - USUAL) / 2, (1 + USUAL) / 2])
    return bool(low <= value <= high)
