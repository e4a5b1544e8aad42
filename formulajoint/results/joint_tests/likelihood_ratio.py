"""The likelihood ratio test of R b = r in the generalised linear model by group, without priors or pooling."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import scipy

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.compiler.plan import LinearPlan, ParameterPlan, Plan
from formulajoint.contrasts.hypotheses import Hypothesis, independent
from formulajoint.data.rows import frequencies
from formulajoint.remarks import Missing
from formulajoint.results.regressions.glm import Fitted, columns_of, rows_of

MOST_NUMBERS = 2 * 10**8
"""Most rows times squared coefficients, such as 5,000 rows and 200 coefficients, which take a second."""

EDGE = 1e-6
"""A mean this near to where it cannot be belongs to an estimate that is infinite, or the mean as a share of all."""

FEW = 10
"""With fewer rows for each coefficient of a group the chi-square gets a caution."""

MOST_NAMED = 6
"""A message names at most this many groups."""


def ratio_statistic(plan: Plan, hypothesis: Hypothesis) -> tuple[float, int, str] | Missing:
    """Return twice the log likelihood ratio, its degrees of freedom and cautions, or why there is no such test."""
    if any(_differs(part) for part in plan.further):
        return Missing("model", "no classical test where a further parameter differs by row")
    design, kept = plan.design, independent(hypothesis.rows)
    size = design.rows.used * hypothesis.rows.shape[1] ** 2
    if size > MOST_NUMBERS:
        much = f"{design.rows.used:,} rows and {hypothesis.rows.shape[1]:,} coefficients take a while"
        return Missing("size", f"no likelihood ratio test: {much}")
    columns, restrictions = columns_of(design), hypothesis.rows[kept].toarray()
    offset = np.zeros(design.rows.used) if design.predictor.offset is None else design.predictor.offset
    free = scipy.linalg.null_space(restrictions)
    df = _rank(columns) - _rank(columns @ free)
    if df < len(kept):
        return Missing("rows", "no likelihood ratio test: the data do not determine what is tested")
    rows = rows_of(plan)
    point = np.linalg.lstsq(restrictions, hypothesis.null[kept], rcond=None)[0]
    whole, null = rows.fit(columns, offset), rows.fit(columns @ free, offset + columns @ point)
    statistic = max(0.0, 2 * (whole.log_likelihood - null.log_likelihood))
    return statistic, df, "; ".join(_cautions(plan, whole))


def _rank(columns: FloatArray) -> int:
    return int(np.linalg.matrix_rank(columns)) if columns.size else 0


def _differs(part: ParameterPlan) -> bool:
    """Return whether a further parameter has predictors or is by group."""
    return isinstance(part, LinearPlan) or part.grouping is not None


def _cautions(plan: Plan, whole: Fitted) -> Iterator[str]:
    """Yield why the chi-square is a poor guide: infinite estimates, and groups of few rows."""
    link, grouping = plan.mean.link, plan.design.predictor.grouping
    typical = float(np.mean(whole.mean)) if np.isinf(link.high) else 1.0
    edge = (whole.mean < link.low + EDGE * typical) | (whole.mean > link.high - EDGE)
    if edge.any():
        where = (
            "" if grouping is None else f" in {grouping.name} {_named(grouping.labels, grouping.codes[edge])}"
        )
        yield f"likelihood ratio: estimates are infinite{where}, where chi2 is a poor guide"
    own = sum(term.columns.shape[1] for term in plan.design.predictor.per_group)
    if grouping is not None and own:
        trials = plan.design.response.trials  # of which successes are counted: as many rows of 0 and 1
        each = frequencies(plan.design) * (1.0 if trials is None else trials)
        least, what = np.bincount(grouping.codes, each).min(), "rows" if trials is None else "trials"
        if least < FEW * own:
            yield (
                f"likelihood ratio: a {grouping.name} has {least:g} {what} for {own} coefficients, so that p-values "
                "tend to be too small"
            )


def _named(labels: tuple[str, ...], codes: IntArray) -> str:
    """Return groups by their labels; those after the first `MOST_NAMED` are counted."""
    named = [labels[code] for code in np.unique(codes)]
    more = f" and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
    return ", ".join(named[:MOST_NAMED]) + more
