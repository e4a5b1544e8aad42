"""A per-group coefficient on the page: its values in a chart and a table, and how far out zero is."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pandas as pd

from formulajoint.arrays import FloatArray
from formulajoint.contrasts.hypotheses import Hypothesis, independent
from formulajoint.report.cells import Cell, Table, estimate, like, number
from formulajoint.report.charts import Estimate, Forest, Histogram, Part, forest, histogram
from formulajoint.results.draws.posterior import Effect, Posterior
from formulajoint.results.effects import MANY, GroupEffects, OverAll, cell_weights, over_all
from formulajoint.results.findings import Findings
from formulajoint.results.joint_tests.figures import distances, whitened
from formulajoint.results.joint_tests.quantities import quantities
from formulajoint.results.text.figures import numbers
from formulajoint.results.text.units import effect_label
from formulajoint.wording import shortened

LONGEST = 24
"""Longest label of a row, in characters; of longer ones both ends are kept."""

SPOKEN = 8
"""A chart's text alternative names at most this many rows; of more, it gives the range."""


def label_of(effect: Effect) -> str:
    """Return the group, and the levels of the term's factors, as a label of a row."""
    return " · ".join(effect.shown)


# --- the chart


def group_forest(found: Findings, of: GroupEffects) -> Forest:
    """Return the forest of the groups' effects and, below them, of averages over the groups in the same units.

    It has a part for each level of the term's factors. More groups than `MANY` are sorted by the first part.
    """
    levels = [", ".join(place) for place in product(*(f.comparisons for f in of.coefficient.term.factors))]
    first = np.arange(0, len(of.effects), len(levels))
    order = first if len(first) <= MANY else first[np.argsort(-of.middles[first], kind="stable")]
    shares, names = shares_of(found, of), shortened([of.effects[i].shown[0] for i in first], LONGEST)
    named = dict(zip(first.tolist(), names, strict=True))
    averages = list(over_all(found, of))
    parts = []
    for level, title in enumerate(levels):
        own = [_estimate(of, int(i) + level, named[int(i)], float(shares[i + level])) for i in order]
        own += [e for each in averages for e in _of_all(found, each, level if len(each.middles) > 1 else 0)]
        parts.append((title, own))
    return forest(parts)


def shares_of(found: Findings, of: GroupEffects) -> FloatArray:
    """Return the weight of each cell in the first weighted mean; NaN without one."""
    count = len(of.effects)
    return cell_weights(found.posterior, of.averages[0], count) if of.averages else np.full(count, np.nan)


def _estimate(of: GroupEffects, i: int, name: str, share: float) -> Estimate:
    row, band, label = of.rows.iloc[i], of.bands.iloc[i], label_of(of.effects[i])
    mean, _, interval = numbers(row)
    tip = f"{label}: {mean} {interval}" + (
        f", all at once {like(row, band['low'], band['high'])}" if math.isfinite(band["low"]) else ""
    )
    tip += f"; rows {of.sizes[i]:g}"
    tip += f", weight {share:.3g}" if math.isfinite(share) else ""
    ends = (float(row["hdi_low"]), float(row["hdi_high"]), float(band["low"]), float(band["high"]))
    return Estimate(name, "group", float(of.middles[i]), *ends, share, tip, i)


def _of_all(found: Findings, each: OverAll, level: int) -> list[Estimate]:
    """Return the row of an average at a level of the term's factors; none without a finite interval."""
    effect, row = each.estimates.effects[level], each.estimates.table.iloc[level]
    mean, _, interval = numbers(row)
    middle = float(each.middles[level])
    if not (math.isfinite(middle) and math.isfinite(row["hdi_low"])):
        return []
    label, tip = effect.variable, f"{effect_label(found.plan, effect)}: {mean} {interval}"
    return [Estimate(label, each.kind, middle, row["hdi_low"], row["hdi_high"], tip=tip)]


def part_text(of: GroupEffects, part: Part, prob: float) -> str:
    """Return the text alternative of a part of the forest."""
    own, below = [r for r in part.rows if r.kind == "group"], [r.tip for r in part.rows if r.kind != "group"]
    where = f", {part.title}," if part.title else ""
    what = f"{of.coefficient.term.name}{where} in each group with {prob:.0%} intervals"
    if len(own) <= SPOKEN:
        return f"{what}: " + "; ".join(row.tip for row in part.rows)
    means = of.rows["mean"].iloc[[row.cell for row in own]]
    rest = f"; {'; '.join(below)}" if below else ""
    return f"{what}: {len(own)} rows, from {means.min():.4g} to {means.max():.4g}{rest}"


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
    heads += ("interval", f"{prob:.0%} band", "band excludes 0")
    lines = {row.cell: row for row in drawn.rows if row.kind == "group"}
    rows = []
    for i, effect in enumerate(of.effects[:most]):
        row, band = of.rows.iloc[i], of.bands.iloc[i]
        mean, sd, interval = estimate(row)
        share = [number(shares[i], f"{shares[i]:.3g}")] if weighted else []
        size = number(of.sizes[i], f"{of.sizes[i]:g}")
        shown = (mean, sd, interval, Cell("", mean.key, lines[i]))
        rows.append((*map(Cell, effect.shown), size, *share, *shown, *_band_cells(row, band)))
    return Table(heads, tuple(rows), len(of.effects) - len(rows))


def _band_cells(row: pd.Series, band: pd.Series) -> tuple[Cell, Cell]:
    if math.isnan(band["low"]):
        return Cell(""), Cell("")
    side = "yes, above" if band["low"] > 0 else "yes, below" if band["high"] < 0 else "no"
    return number(band["low"], like(row, band["low"], band["high"])), Cell(side)


# --- the distance of no effect


def distance_chart(posterior: Posterior, hypothesis: Hypothesis) -> Histogram | None:
    """Return the histogram of the draws' distances from their centre, with that of no effect; None if undefined."""
    draws = quantities(posterior, hypothesis.judged)[:, :, independent(hypothesis.rows)]
    flat = draws.reshape((-1, draws.shape[2]))
    found = whitened(flat) if len(flat) > 2 * flat.shape[1] else None
    if found is None or len(found[1]) == 0:
        return None
    own, null = distances(*found)
    return histogram(np.sqrt(own), -math.inf, math.sqrt(null), math.sqrt(null), reach=True)
