"""Predictions along a column as curves, the data behind them, and in words where the other columns are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from formulajoint.arrays import FloatArray
from formulajoint.compiler.evaluate.column_values import variable_of
from formulajoint.compiler.evaluate.linear_predictor import members, reading
from formulajoint.compiler.plan import Plan
from formulajoint.plots.style import cut
from formulajoint.results.draws.convergence import hdi
from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.predictions.evaluate import Evaluation, evaluation
from formulajoint.results.predictions.grid import grid_of
from formulajoint.results.predictions.replicate import probabilities_at
from formulajoint.results.predictions.scenarios import typical

POINTS = 60
"""Values of a number at which its curve is drawn."""

MOST_DATA = 3000
"""Most rows of the data that are drawn."""

UNSEEN = "the mean of the hierarchy"
"""Label of a group at the mean of its hierarchy, which no group of the data has."""


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Predictions along one column at one level of another, of one category of the response if it has any."""

    level: str
    category: str
    x: Any
    mean: FloatArray
    low: FloatArray
    high: FloatArray


def columns_of_mean(plan: Plan, by: str | None = None) -> list[str]:
    """Return the columns that the mean depends on, without those that only make groups, and without `by`."""
    own = {name for _, c in members(plan.mean) for name in c.term.variables}
    offset = plan.mean.predictor.recipe is not None
    names = reading(plan, response=False).columns
    kept = names if plan.design.kept is None else plan.design.kept.columns
    return [name for name in names if name != by and name in kept and (name in own or (offset and not own))]


def curves_along(posterior: Posterior, name: str, by: str | None, prob: float) -> Iterator[Curve]:
    """Yield the curve along a column at each level of `by`, of each category of the response if it has any.

    Along a number the curve of a level is within the rows of that level.
    """
    plan, known = posterior.plan, variable_of(posterior.plan, name)
    chosen: dict[str, Any] = {name: list(known.levels) or _points(plan, name)}
    if by is not None:
        chosen[by] = _levels_of(plan, by)
    grid = grid_of(plan, "typical", chosen)
    for grouping in _at_the_mean(plan, {name, by}):
        grid[grouping] = UNSEEN
    if by is not None and not known.levels and variable_of(plan, by).levels:
        grid = _within_levels(plan, grid, name, by)
    levels = np.array([""] * len(grid) if by is None else list(map(text_of, grid[by])), dtype=object)
    found = evaluation(posterior, grid, "mean", response=False)
    for category, draws in _drawn(found):
        interval = hdi(draws, prob)
        for level in dict.fromkeys(levels):
            at = np.flatnonzero(levels == level)
            x = grid[name].iloc[at]
            places = list(map(text_of, x)) if known.levels else x.to_numpy()
            yield Curve(level, category, places, draws[at].mean(axis=1), *interval[at].T)


def _drawn(found: Evaluation) -> Iterator[tuple[str, FloatArray]]:
    """Yield the draws of the mean, or of the probability of each category, at all rows."""
    plan = found.posterior.plan
    if not plan.family.categories:
        yield "", np.vstack([found.mean(rows) for rows in found.blocks()])
        return
    blocks = zip(*(probabilities_at(found, rows) for rows in found.blocks()), strict=True)
    yield from zip(plan.design.response.levels, map(np.vstack, blocks), strict=True)


def text_of(value: Any) -> str:
    """Return a value as text."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _points(plan: Plan, name: str) -> list[float]:
    assert plan.design.kept is not None
    values = plan.design.kept.columns[name].values
    return list(np.linspace(float(values.min()), float(values.max()), POINTS))


def _within_levels(plan: Plan, grid: pd.DataFrame, name: str, by: str) -> pd.DataFrame:
    """Return a grid in which a number runs, at each level of `by`, from its smallest to its largest in that level."""
    assert plan.design.kept is not None
    seen = plan.design.kept.columns
    rows = pd.DataFrame({"x": seen[name].values.astype(float), "level": list(map(text_of, seen[by].values))})
    ends = rows.groupby("level")["x"].agg(["min", "max"]).reindex(list(map(text_of, grid[by])))
    x = grid[name].to_numpy(dtype=float)
    share = (x - x.min()) / (np.ptp(x) or 1.0)
    own = ends["min"].to_numpy() + share * (ends["max"] - ends["min"]).to_numpy()
    return grid.assign(**{name: np.where(np.isnan(own), x, own)}).drop_duplicates(
        [name, by], ignore_index=True
    )


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
    return [n for n, free in out.items() if free and n not in named | own]


def groups_held(plan: Plan, named: set[str | None]) -> dict[str, Any]:
    """Return the columns that make groups which are not pooled, each with the level at which curves have it."""
    free = {*named, *_at_the_mean(plan, named)}
    groupings = [c.grouping for _, c in members(plan.mean) if c.grouping is not None]
    return {n: typical(plan, n) for grouping in groupings for n in grouping.variables if n not in free}


def data_behind(plan: Plan, names: Sequence[str], by: str | None) -> pd.DataFrame | None:
    """Return the response on its mean's scale, the columns, and the level of `by`, in rows of the curves' groups."""
    kept = plan.design.kept
    if kept is None:
        return None
    rng = np.random.default_rng(0)
    own = np.ones(plan.design.rows.used, dtype=bool)
    for name, level in groups_held(plan, {*names, by}).items():
        own &= kept.columns[name].values == level
    rows = np.flatnonzero(own)
    some = rows[np.sort(rng.choice(len(rows), min(len(rows), MOST_DATA), replace=False))]
    out = pd.DataFrame({"response": plan.design.response.scale[some]})
    for name in names:
        out[f"x {name}"] = kept.columns[name].values[some]
    known = by is not None and bool(variable_of(plan, by).levels)
    return out.assign(by=[text_of(v) for v in kept.columns[str(by)].values[some]] if known else "")


def words_of_data(plan: Plan, wanted: Sequence[str], by: str | None) -> str:
    """Return what the dots are: ``data``, or ``data of school A`` where the curves are of one group."""
    held = groups_held(plan, {*wanted, by})
    said = ", ".join(f"{cut(name)} {cut(text_of(level))}" for name, level in held.items())
    return f"data of {said}" if held else "data"


def words_of_mean(plan: Plan) -> str:
    """Return what is drawn: ``mean of score``, ``P(switch)``."""
    response, symbol = cut(plan.response_name), plan.family.mean.symbol
    if plan.family.categories:
        return f"probability of {response}"
    return (
        f"mean of {response}"
        if not symbol or plan.family.expected is not None
        else symbol.format(of=response)
    )


def words_of_others(plan: Plan, wanted: Sequence[str], by: str | None) -> str:
    """Return where the other columns are, in words; with a panel for each of several, where these are in the others."""
    grid = grid_of(plan, "typical", {})
    at_mean = _at_the_mean(plan, {*wanted, by})
    shown, first = ({*wanted, by}, "") if len(wanted) == 1 else ({by}, "otherwise ")
    names = [n for n in reading(plan, response=False).columns if n not in shown]
    named: Mapping[str, str] = {n: UNSEEN if n in at_mean else text_of(grid[n].iloc[0]) for n in names}
    said = [f"{cut(n)} at {value if n in at_mean else cut(value)}" for n, value in named.items()]
    return f" ({first}{', '.join(said[:4])}{', ...' if len(said) > 4 else ''})" if said else ""
