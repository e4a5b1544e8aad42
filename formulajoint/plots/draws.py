"""The draws themselves, by arviz-plots: traces and pairs.

Cells are labelled as in the tables, ``treatment[A]``. Of many, those that mix worst are drawn.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from itertools import islice
from textwrap import fill
from typing import Any

import arviz_plots as azp
import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from xarray import DataArray, Dataset, DataTree

from formulajoint.errors import InferenceError
from formulajoint.plots.display import show_once
from formulajoint.plots.style import all_cut, headline, hues, some_of, styled
from formulajoint.results.draws.diagnostics import R_HAT
from formulajoint.results.draws.posterior import Effect, Posterior, reported_cells
from formulajoint.results.draws.tables import PROB, describe
from formulajoint.results.findings import Findings
from formulajoint.wording import did_you_mean, listed

BACKENDS = ("matplotlib", "plotly")

DOTS = 100
"""Plotly's dots per inch."""

SLASH = "\N{DIVISION SLASH}"
"""Stands for ``/`` in the names that a DataTree holds, which refuses it."""

MOST_TRACES, MOST_PAIRS, MOST_PANELS = 12, 5, 40
"""Cells of a trace and of pairs that are drawn by default, and the most panels if cells are named."""


@styled
def trace(
    posterior: Posterior,
    names: Sequence[str] | None = None,
    figsize: tuple[float, float] | None = None,
    backend: str = "matplotlib",
) -> Any:
    """Draw each chain's draws one after another: chains that agree overlap.

    Parameters
    ----------
    posterior : Posterior
    names : sequence of str, optional
        Variables (``treatment``) or single cells (``treatment[A]``). Default: contrasts and the cells that
        mix worst.
    figsize : (float, float), optional
        Inches.
    backend : {"matplotlib", "plotly"}
        Plotting library.

    Returns
    -------
    matplotlib or plotly Figure

    Raises
    ------
    InferenceError
        If a name is unknown, there is no such backend or it is not installed, or there are more than 40 panels.
    """
    check_backend(backend)
    found = chosen(posterior, names, MOST_TRACES)
    columns = min(3, len(found))
    size = figsize or (1.0 + 3.1 * columns, 0.6 + 1.6 * -(-len(found) // columns))
    plotted = azp.plot_trace(
        _tree(posterior, found),
        backend=backend,
        col_wrap=columns,
        visuals={"trace": {"width": 0.5, "alpha": 0.7}},
        figure_kwargs=_figure_kwargs(size, backend),
    )
    if backend == "matplotlib":
        _wrap_titles(plotted.viz["figure"].item(), found)
    return _figure(plotted, _agreement(found) + how_many(posterior, found, names), backend)


@styled
def pairs(
    posterior: Posterior,
    names: Sequence[str] | None = None,
    figsize: tuple[float, float] | None = None,
    backend: str = "matplotlib",
) -> Any:
    """Draw quantities in pairs, with the distribution of each on the diagonal; divergences are marked.

    Parameters
    ----------
    posterior : Posterior
    names : sequence of str, optional
        Two or more variables or cells. Default: contrasts, then coefficients, five at most.
    figsize : (float, float), optional
        Inches.
    backend : {"matplotlib", "plotly"}
        Plotting library.

    Returns
    -------
    matplotlib or plotly Figure

    Raises
    ------
    InferenceError
        If a name is unknown, there is no such backend or it is not installed, or there are fewer than two cells, or
        more than six.
    """
    check_backend(backend)
    found = chosen(posterior, names, MOST_PAIRS)
    if not 2 <= len(found) <= MOST_PAIRS + 1:
        raise InferenceError(
            f"Pairs are drawn of 2 to {MOST_PAIRS + 1} quantities, not of {len(found)}: name them."
        )
    visuals = {
        "divergence": {"color": hues().red, "size": 14},
        "scatter": {"color": hues().blue, "alpha": 0.25, "size": 6},
    }
    side = 1.0 + 1.9 * len(found)
    plotted = azp.plot_pair(
        _tree(posterior, found),
        marginal=True,
        backend=backend,
        visuals=visuals,
        figure_kwargs=_figure_kwargs(figsize or (side, side), backend),
    )
    if backend == "matplotlib":
        _wrap_titles(plotted.viz["figure"].item(), found)
    some = how_many(posterior, found, names)
    return _figure(plotted, f"Parameters in pairs{some}" if some else "", backend)


# --- choosing


def chosen(posterior: Posterior, names: Sequence[str] | None, most: int) -> dict[str, DataArray]:
    """Return draws (chain, draw) of the cells in `names`, or of at most `most` by default."""
    known = cell_draws(posterior)
    wanted = _worth_a_look(posterior, most) if names is None else _named(names, list(known))
    if len(wanted) > MOST_PANELS:
        raise InferenceError(
            f"{len(wanted)} panels are too many to see anything: name {MOST_PANELS} at most."
        )
    return {effect.label: known[effect] for effect in wanted}


def how_many(posterior: Posterior, found: dict[str, DataArray], names: Sequence[str] | None) -> str:
    """Return a suffix that says how many there are, if nobody chose those that are drawn: ``(12 of 122 ...)``."""
    return "" if names is not None else some_of(len(found), len(cell_draws(posterior)), "parameters", "names")


def cell_draws(posterior: Posterior) -> dict[Effect, DataArray]:
    """Return draws (chain, draw) of every cell that a table shows."""
    return {
        effect: DataArray(draws, dims=("chain", "draw"), name=effect.label)
        for name in posterior.dataset.data_vars
        for effect, draws in reported_cells(posterior, str(name))
    }


def _worth_a_look(posterior: Posterior, most: int) -> list[Effect]:
    found = Findings(posterior)
    vary = (effect for effect, row in found.contrasts.each() if row["hdi_low"] < row["hdi_high"])
    contrasts = list(islice(vary, most // 2))  # the spread of one group is a constant
    summary = found.summary
    sizes = summary.table["ess_bulk"].reset_index(drop=True).sort_values()
    worst = sorted(sizes.index[: most - len(contrasts)])
    return contrasts + [summary.effects[at] for at in worst]


def _named(names: Sequence[str], known: list[Effect]) -> list[Effect]:
    """Return the cells of each name, once each; a single string is one name."""
    out: list[Effect] = []
    for name in [names] if isinstance(names, str) else names:
        found = [effect for effect in known if name in (effect.label, effect.reference, effect.variable)]
        if not found:
            variables = list(dict.fromkeys(effect.variable for effect in known))
            labels = [effect.label for effect in known]
            hint = did_you_mean(str(name), [*variables, *labels]) or f"there are {listed(variables)}."
            raise InferenceError(f"There is no variable `{name}`: {hint}")
        out += found
    return list(dict.fromkeys(out))


# --- arviz-plots


def _dataset(found: dict[str, DataArray]) -> Dataset:
    size = next(iter(found.values())).sizes
    coords = {dim: range(size[dim]) for dim in ("chain", "draw")}
    return Dataset({in_tree(name): draws for name, draws in found.items()}, coords)


def in_tree(name: str) -> str:
    """Return a label as a DataTree can hold it."""
    return name.replace("/", SLASH)


def _tree(posterior: Posterior, found: dict[str, DataArray]) -> DataTree:
    groups = {"posterior": _dataset(found)}
    if "sample_stats" in posterior.tree.children and "diverging" in posterior.tree["sample_stats"]:
        diverging = posterior.tree["sample_stats"]["diverging"]
        coords = {dim: range(diverging.sizes[dim]) for dim in ("chain", "draw")}
        groups["sample_stats"] = Dataset({"diverging": (diverging.dims, diverging.to_numpy())}, coords)
    return DataTree.from_dict(groups)


def check_backend(backend: str) -> None:
    """Raise an InferenceError if there is no such backend, or it is not installed."""
    if backend not in BACKENDS:
        raise InferenceError(f"`backend` is one of {listed(BACKENDS)}, not {backend!r}.")
    if backend == "plotly" and not all(map(importlib.util.find_spec, ("plotly", "webcolors"))):
        raise InferenceError("Plotly is not installed: pip install 'formulajoint[plotly]'.")


def _figure_kwargs(size: tuple[float, float], backend: str) -> dict[str, Any]:
    if backend == "plotly":
        return {"figsize": tuple(round(DOTS * side) for side in size), "figsize_units": "dots"}
    return {"figsize": size, "figsize_units": "inches", "layout": "constrained"}


def _wrap_titles(figure: Figure, found: dict[str, DataArray]) -> None:
    """Shorten and wrap the panels' titles and labels, so that none lies on the next."""
    names = dict(zip(map(in_tree, found), all_cut(list(found), 60), strict=True))
    for ax in figure.axes:
        title = ax.get_title() or ax.get_title(loc="left")
        if title in names:
            ax.set_title("", loc="center")
            ax.set_title(fill(names[title], 32), loc="left", fontsize=9)
        ax.set_xlabel(fill(names.get(ax.get_xlabel(), ax.get_xlabel()), 26))
        ax.set_ylabel(fill(names.get(ax.get_ylabel(), ax.get_ylabel()), 26))


def _figure(plotted: Any, title: str, backend: str) -> Any:
    """Return the figure of a PlotCollection, closed in pyplot."""
    if backend == "plotly":
        page = plotted.viz["figure"].item()
        if title:
            page.update_layout(title=title, margin={"t": 80})
        return page
    figure: Figure = plotted.viz["figure"].item()
    plt.close(figure)
    show_once(figure)
    if title:
        headline(figure.axes, title, own=True)
    return figure


def _agreement(found: dict[str, DataArray]) -> str:
    """Return a sentence on whether the chains agree, by the largest r_hat of the cells drawn."""
    largest = describe(list(found), [draws.to_numpy() for draws in found.values()], PROB)["r_hat"].max()
    if not largest > 0:
        return "One chain alone cannot be compared with others"
    return f"The chains {'agree' if largest <= R_HAT else 'do not agree yet'}: largest r_hat {largest:.3f}"
