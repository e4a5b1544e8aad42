"""A per-group coefficient on the page: its values in a chart and a table, and how far out zero is."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from formulajoint.arrays import FloatArray
from formulajoint.contrasts.hypotheses import Hypothesis, independent
from formulajoint.report.cells import Cell, Table, effort, estimate, like, number
from formulajoint.report.charts import LABEL, Estimate, Forest, Histogram, forest, histogram, row_height
from formulajoint.results.draws.posterior import Effect, Posterior
from formulajoint.results.effects import GroupEffects, OverAll, cell_weights, over_all
from formulajoint.results.findings import Findings
from formulajoint.results.joint_tests.figures import distances, whitened
from formulajoint.results.joint_tests.quantities import quantities
from formulajoint.results.text.figures import numbers

SPOKEN = 8
"""A chart's text alternative names at most this many rows; of more, it gives the range."""


def label_of(effect: Effect) -> str:
    """Return the group, and the levels of the term's factors, as a label of a row."""
    return " · ".join(effect.shown)


# --- the chart


def group_forest(found: Findings, of: GroupEffects) -> Forest:
    """Return the forest of the groups' effects and, below them, of averages over the groups in the same units."""
    count = len(of.effects)
    in_order = row_height(count) >= LABEL  # rows without labels are sorted by value
    order = np.arange(count) if in_order else np.argsort(of.middles)
    shares = shares_of(found, of)
    estimates = [_estimate(of, int(i), float(shares[i])) for i in order]
    for each in over_all(found, of):
        estimates += _of_all(each)
    return forest(estimates)


def shares_of(found: Findings, of: GroupEffects) -> FloatArray:
    """Return the weight of each cell in the first weighted mean; NaN without one."""
    count = len(of.effects)
    return cell_weights(found.posterior, of.averages[0], count) if of.averages else np.full(count, np.nan)


def _estimate(of: GroupEffects, i: int, share: float) -> Estimate:
    row, band, label = of.rows.iloc[i], of.bands.iloc[i], label_of(of.effects[i])
    mean, _, interval = numbers(row)
    tip = f"{label}: {mean} {interval}" + (
        f", all at once {like(row, band['low'], band['high'])}" if math.isfinite(band["low"]) else ""
    )
    tip += f"; rows {of.sizes[i]:g}"
    tip += f", weight {share:.3g}" if math.isfinite(share) else ""
    ends = (float(row["hdi_low"]), float(row["hdi_high"]), float(band["low"]), float(band["high"]))
    return Estimate(label, "group", float(of.middles[i]), *ends, share, tip)


def _of_all(each: OverAll) -> list[Estimate]:
    out = []
    for (name, row), middle in zip(each.estimates.table.iterrows(), each.middles, strict=True):
        mean, _, interval = numbers(row)
        if math.isfinite(middle) and math.isfinite(row["hdi_low"]):
            tip = f"{name}: {mean} {interval}"
            out.append(Estimate(str(name), each.kind, middle, row["hdi_low"], row["hdi_high"], tip=tip))
    return out


def forest_text(of: GroupEffects, drawn: Forest, prob: float) -> str:
    """Return the text alternative of the forest."""
    below = [row.tip for row in drawn.rows if row.kind != "group"]
    what = f"{of.coefficient.term.name} in each group with {prob:.0%} intervals"
    if len(of.effects) <= SPOKEN:
        return f"{what}: " + "; ".join(row.tip for row in drawn.rows)
    means = of.rows["mean"]
    rest = f"; {'; '.join(below)}" if below else ""
    return f"{what}: {len(of.effects)} rows, from {means.min():.4g} to {means.max():.4g}{rest}"


# --- the table


def group_table(found: Findings, of: GroupEffects, drawn: Forest, most: int) -> Table:
    """Return the table with one row per cell, and the cell's interval to be drawn in the row."""
    grouping, prob = found.plan.design.predictor.grouping, found.prob
    assert grouping is not None  # the coefficient differs by group
    factors = tuple(factor.name for factor in of.coefficient.term.factors)
    shares = shares_of(found, of)
    weighted = bool(np.isfinite(shares).any())
    heads = (
        grouping.name,
        *factors,
        "rows",
        *(["weight"] if weighted else []),
        "mean",
        "sd",
        f"{prob:.0%} HDI",
    )
    heads += ("interval", f"{prob:.0%} band", "band excludes 0", "ess_bulk", "ess_tail", "r_hat")
    drawn_by_label = {row.label: row for row in drawn.rows if row.kind == "group"}
    rows = []
    for i, effect in enumerate(of.effects[:most]):
        row, band = of.rows.iloc[i], of.bands.iloc[i]
        mean, sd, interval = estimate(row)
        line = drawn_by_label[label_of(effect)]
        share = [number(shares[i], f"{shares[i]:.3g}")] if weighted else []
        size = number(of.sizes[i], f"{of.sizes[i]:g}")
        shown = (mean, sd, interval, Cell("", mean.key, line))
        rows.append((*map(Cell, effect.shown), size, *share, *shown, *_band_cells(row, band), *effort(row)))
    return Table(heads, tuple(rows), len(of.effects) - len(rows))


def _band_cells(row: pd.Series, band: pd.Series) -> tuple[Cell, Cell]:
    if math.isnan(band["low"]):
        return Cell(""), Cell("")
    side = "yes, above" if band["low"] > 0 else "yes, below" if band["high"] < 0 else "no"
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
