"""The classical twin of a joint test: the F test of R b = r in the regression by group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from formulajoint.contrasts.hypotheses import Hypothesis, independent, layout
from formulajoint.design.moments import basis, by_group
from formulajoint.design.schema import Design, FloatArray

MOST_COEFFICIENTS = 3000
"""Above so many coefficients the cross-products of all would not be worth their memory."""


@dataclass(frozen=True, slots=True)
class FTest:
    """F statistic with its degrees of freedom and p-value."""

    statistic: float
    df_num: int
    df_denom: float
    p_value: float


def columns_of(design: Design) -> FloatArray:
    """Return the columns of all coefficients in the order of ``layout``, (N, P): zeros outside each one's group."""
    rows, grouping = design.rows.used, design.predictor.grouping
    blocks = layout(design)
    out = np.zeros((rows, sum(block.size for block in blocks)))
    own = {id(term) for term in design.predictor.per_group}
    for block in blocks:
        k = block.term.columns.shape[1]
        if grouping is None or id(block.term) not in own:
            out[:, block.start : block.start + k] = block.term.columns
            continue
        for group, index in enumerate(by_group(grouping, rows)):
            start = block.start + group * k
            out[index, start : start + k] = block.term.columns[index]
    return out


def f_test(design: Design, hypothesis: Hypothesis) -> FTest | None:
    """Return the F test of `hypothesis`, or None where least squares does not determine it.

    Parameters
    ----------
    design : Design
        Gaussian with one residual sd; pooling and priors play no part.
    hypothesis : Hypothesis
        Equalities.
    """
    if sum(block.size for block in layout(design)) > MOST_COEFFICIENTS:
        return None
    columns = columns_of(design)
    y = (
        design.response.values
        if design.predictor.offset is None
        else design.response.values - design.predictor.offset
    )
    weights = np.ones(len(y)) if design.row_weights is None else design.row_weights
    root = np.sqrt(weights)
    columns, y = columns * root[:, None], y * root
    rank = basis(columns).shape[1]
    df = float(weights.sum()) - rank
    if rank < columns.shape[1] or df <= 0:
        return None
    r = np.linalg.qr(columns, mode="r")
    estimate = np.linalg.lstsq(columns, y)[0]
    residual = float(np.sum((y - columns @ estimate) ** 2))
    kept = independent(hypothesis.rows)
    rows = hypothesis.rows[kept].toarray()
    # R (X'X)^-1 R' = h'h with h the triangle of r^-T R'
    h = np.linalg.qr(np.linalg.solve(r.T, rows.T), mode="r")
    z = np.linalg.solve(h.T, rows @ estimate - hypothesis.null[kept])
    statistic = float(z @ z) / len(kept) / (residual / df)
    return FTest(statistic, len(kept), df, float(stats.f.sf(statistic, len(kept), df)))
