"""A per-group coefficient on the page: its values in a chart and a table, and how far out zero is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from formulajoint.arrays import FloatArray
from formulajoint.compiler.plan import AveragePlan, Coefficient, Plan
from formulajoint.contrasts.hypotheses import Hypothesis, all_zero, independent
from formulajoint.contrasts.weights import group_rows
from formulajoint.report.cells import Cell, Table, effort, estimate, like, number
from formulajoint.report.charts import LABEL, Estimate, Forest, Histogram, forest, histogram, row_height
from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.draws.tables import weights
from formulajoint.results.joint_tests.figures import distances, whitened
from formulajoint.results.joint_tests.quantities import quantities
from formulajoint.results.joint_tests.table import band_table
from formulajoint.results.text.printing import numbers

SPOKEN = 8
"""A chart's text alternative names at most this many rows; of more, it gives the range."""


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """The values of one coefficient over the groups.

    Attributes
    ----------
    coefficient : Coefficient
    labels : list of tuple of str
        One per cell: the group, and the level of each of the term's factors.
    rows : DataFrame
        Rows of ``summary``, one per cell.
    bands : DataFrame
        Rows of ``band_table``, one per cell.
    sizes, shares : (cells,) arrays
        Rows of data of the cell's group; its weight in the first weighted mean, NaN without one.
    """

    coefficient: Coefficient
    labels: list[tuple[str, ...]]
    rows: pd.DataFrame
    bands: pd.DataFrame
    sizes: FloatArray
    shares: FloatArray


def of_coefficient(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the rows of a table for the variable `name`."""
    return table[table.index.map(lambda label: str(label).partition("[")[0]) == name]


def values(posterior: Posterior, summary: pd.DataFrame, coefficient: Coefficient, prob: float) -> Values:
    """Return the values of `coefficient` in each group."""
    plan = posterior.plan
    labels = list(product(*(plan.coords[dim] for dim in coefficient.dims)))
    own = of_coefficient(summary, coefficient.name)
    bands = band_table(posterior, all_zero(plan.design, coefficient.term), prob)
    averages = means_over_groups(plan, coefficient)
    sizes = group_rows(plan.design)
    shares = weights(posterior, averages[0]).to_numpy(float) if averages else np.full(len(sizes), np.nan)
    return Values(coefficient, labels, own, bands, _each(sizes, len(labels)), _each(shares, len(labels)))


def _each(of_groups: FloatArray, count: int) -> FloatArray:
    """Return figures of groups repeated for their cells, whose last axis runs fastest."""
    return np.repeat(of_groups, count // len(of_groups))


def means_over_groups(plan: Plan, coefficient: Coefficient) -> list[AveragePlan]:
    """Return the weighted means of a coefficient in the formula."""
    return [
        c
        for c in plan.contrasts
        if isinstance(c, AveragePlan)
        and c.function.name == "joint"
        and c.coefficient.name == coefficient.name
    ]


# --- the chart


def group_forest(
    posterior: Posterior, found: Values, summary: pd.DataFrame, contrasts: pd.DataFrame
) -> Forest:
    """Return the forest of the groups' values and, below them, of averages over the groups in the same units."""
    plan, name = posterior.plan, found.coefficient.name
    middles = _middles(posterior, found)
    in_order = row_height(len(middles)) >= LABEL  # rows without labels are sorted by value
    order = np.arange(len(middles)) if in_order else np.argsort(middles)
    estimates = [_estimate(found, int(i), float(middles[i])) for i in order]
    for average in means_over_groups(plan, found.coefficient):
        if average.scale == "none":  # others are in other units
            estimates += _of_all(of_coefficient(contrasts, average.name), "joint")
    pooled = [term for pool in plan.mean.pools for term in pool.terms if term.coefficient.name == name]
    for term in pooled:
        estimates += _of_all(of_coefficient(summary, term.mean_name), "pool")
    return forest(estimates)


def _middles(posterior: Posterior, found: Values) -> FloatArray:
    """Return posterior means, or medians if there is no mean."""
    draws = posterior.dataset[found.coefficient.name]
    medians = draws.median(("chain", "draw")).transpose(*found.coefficient.dims).to_numpy().ravel()
    return np.asarray(found.rows["mean"].fillna(pd.Series(medians, found.rows.index)), dtype=float)


def _estimate(found: Values, i: int, middle: float) -> Estimate:
    row, band = found.rows.iloc[i], found.bands.iloc[i]
    mean, _, interval = numbers(row)
    label = " · ".join(found.labels[i])
    tip = f"{label}: {mean} {interval}" + (
        f", all at once {like(row, band['low'], band['high'])}" if math.isfinite(band["low"]) else ""
    )
    tip += f"; rows {found.sizes[i]:g}"
    tip += f", weight {found.shares[i]:.3g}" if math.isfinite(found.shares[i]) else ""
    ends = (float(row["hdi_low"]), float(row["hdi_high"]), float(band["low"]), float(band["high"]))
    return Estimate(label, "group", middle, *ends, float(found.shares[i]), tip)


def _of_all(rows: pd.DataFrame, kind: str) -> list[Estimate]:
    out = []
    for name, row in rows.iterrows():
        mean, _, interval = numbers(row)
        middle = row["mean"] if math.isfinite(row["mean"]) else row.get("median", math.nan)
        if math.isfinite(middle) and math.isfinite(row["hdi_low"]):
            tip = f"{name}: {mean} {interval}"
            out.append(Estimate(str(name), kind, middle, row["hdi_low"], row["hdi_high"], tip=tip))
    return out


def forest_text(found: Values, drawn: Forest, prob: float) -> str:
    """Return the text alternative of the forest."""
    below = [row.tip for row in drawn.rows if row.kind != "group"]
    what = f"{found.coefficient.term.name} in each group with {prob:.0%} intervals"
    if len(found.labels) <= SPOKEN:
        return f"{what}: " + "; ".join(row.tip for row in drawn.rows)
    means = found.rows["mean"]
    rest = f"; {'; '.join(below)}" if below else ""
    return f"{what}: {len(found.labels)} rows, from {means.min():.4g} to {means.max():.4g}{rest}"


# --- the table


def group_table(plan: Plan, found: Values, drawn: Forest, prob: float, most: int) -> Table:
    """Return the table with one row per cell, and the cell's interval to be drawn in the row."""
    grouping = plan.design.predictor.grouping
    assert grouping is not None  # the coefficient differs by group
    factors = tuple(factor.name for factor in found.coefficient.term.factors)
    weighted = bool(np.isfinite(found.shares).any())
    heads = (
        grouping.name,
        *factors,
        "rows",
        *(["weight"] if weighted else []),
        "mean",
        "sd",
        f"{prob:.0%} HDI",
    )
    heads += ("interval", f"{prob:.0%} band", "apart from 0", "ess_bulk", "ess_tail", "r_hat")
    drawn_by_label = {row.label: row for row in drawn.rows if row.kind == "group"}
    rows = []
    for i, label in enumerate(found.labels[:most]):
        row, band = found.rows.iloc[i], found.bands.iloc[i]
        mean, sd, interval = estimate(row)
        line = drawn_by_label[" · ".join(label)]
        share = [number(found.shares[i], f"{found.shares[i]:.3g}")] if weighted else []
        size = number(found.sizes[i], f"{found.sizes[i]:g}")
        shown = (mean, sd, interval, Cell("", mean.key, line))
        rows.append((*map(Cell, label), size, *share, *shown, *_band_cells(row, band), *effort(row)))
    return Table(heads, tuple(rows), len(found.labels) - len(rows))


def _band_cells(row: pd.Series, band: pd.Series) -> tuple[Cell, Cell]:
    if math.isnan(band["low"]):
        return Cell(""), Cell("")
    side = "above" if band["low"] > 0 else "below" if band["high"] < 0 else "no"
    return number(band["low"], like(row, band["low"], band["high"])), Cell(side)


# --- the distance of no effect


def distance_chart(posterior: Posterior, hypothesis: Hypothesis) -> Histogram | None:
    """Return the histogram of the draws' distances from their centre, with that of no effect; None if undefined."""
    draws = quantities(posterior, hypothesis)[:, :, independent(hypothesis.rows)]
    flat = draws.reshape((-1, draws.shape[2]))
    found = whitened(flat) if len(flat) > 2 * flat.shape[1] else None
    if found is None or len(found[1]) == 0:
        return None
    own, null = distances(*found)
    return histogram(np.sqrt(own), -math.inf, math.sqrt(null), math.sqrt(null), reach=True)
