"""The classical twin of a joint test: the F test of R b = r in the regression by group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from formulajoint.contrasts.hypotheses import Hypothesis, independent
from formulajoint.design.moments import basis, rank
from formulajoint.design.schema import Design
from formulajoint.results.regression import regression

PERFECT = 1e-28
"""Squares below this share of the response's are rounding."""


@dataclass(frozen=True, slots=True)
class FTest:
    """F statistic with its degrees of freedom and p-value."""

    statistic: float
    df_num: int
    df_denom: float
    p_value: float


def f_test(design: Design, hypothesis: Hypothesis) -> FTest | None:
    """Return the F test of `hypothesis`, or None where least squares does not determine it.

    Parameters
    ----------
    design : Design
        Gaussian with one residual sd; pooling and priors play no part.
    hypothesis : Hypothesis
        Equalities.
    """
    whole = regression(design)
    if whole is None:
        return None
    columns, y = whole.columns, whole.y
    df = whole.rows - columns.shape[1]
    if rank(basis(columns)) < columns.shape[1] or df <= 0:
        return None
    r = np.linalg.qr(columns, mode="r")
    estimate = np.linalg.lstsq(columns, y)[0]
    residual = float(np.sum((y - columns @ estimate) ** 2))
    if residual <= PERFECT * float(y @ y):
        return None
    kept = independent(hypothesis.rows)
    rows = hypothesis.rows[kept].toarray()
    # R (X'X)^-1 R' = h'h with h the triangle of r^-T R'
    h = np.linalg.qr(np.linalg.solve(r.T, rows.T), mode="r")
    z = np.linalg.solve(h.T, rows @ estimate - hypothesis.null[kept])
    statistic = float(z @ z) / len(kept) / (residual / df)
    return FTest(statistic, len(kept), df, float(stats.f.sf(statistic, len(kept), df)))
