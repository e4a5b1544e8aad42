"""The classical twin of a joint test: what the regression by group says of R b = r, without priors or pooling.

With one residual sd it is the F test; with one sd a group, the Wald chi-square of each group's own least squares; with
known standard errors, the chi-square of weighted least squares.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy

from formulajoint.compiler.plan import Plan, ScalePlan
from formulajoint.contrasts.hypotheses import Hypothesis, independent, layout
from formulajoint.design.moments import basis, profile, rank, stack
from formulajoint.design.schema import Design, FloatArray
from formulajoint.results.regression import MOST_COEFFICIENTS, Regression, regression

PERFECT = 1e-28
"""Squares below this share of the response's are rounding."""

UNDETERMINED = "least squares does not determine every coefficient"


@dataclass(frozen=True, slots=True)
class Classical:
    """A statistic with its degrees of freedom and p-value; of a chi-square `df_denom` is NaN: it has none."""

    statistic: float
    df_num: int
    df_denom: float
    p_value: float


def classical_test(plan: Plan, hypothesis: Hypothesis) -> Classical | str:
    """Return the classical test of equalities, or why there is none."""
    sigma = plan.scale("sigma")
    if sum(block.size for block in layout(plan.design)) > MOST_COEFFICIENTS:
        return f"no classical test for more than {MOST_COEFFICIENTS} coefficients"
    if plan.design.standard_errors is not None:
        return chi_square_test(plan.design, hypothesis) or f"no chi-square test: {UNDETERMINED}"
    if plan.family.name != "gaussian" or sigma is None:
        return "no F test: it needs a Gaussian response with one sigma, or one a group"
    if not sigma.dims:
        return f_test(plan.design, hypothesis) or f"no F test: {UNDETERMINED} and a residual sd"
    if not _own_regressions(plan.design, sigma):
        return "no Wald test: it needs groups with a regression and a sigma of their own, and nothing shared"
    return (
        wald_test(plan.design, hypothesis) or f"no Wald test: {UNDETERMINED} and a residual sd in each group"
    )


def _own_regressions(design: Design, sigma: ScalePlan) -> bool:
    """Tell whether each group's rows say all about its own coefficients and sigma, and nothing about others'."""
    own, grouping = sigma.grouping, design.predictor.grouping
    same = own is not None and grouping is not None and own.variables == grouping.variables
    return same and not design.predictor.common


def f_test(design: Design, hypothesis: Hypothesis) -> Classical | None:
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
    df = whole.rows - whole.columns.shape[1]
    if rank(basis(whole.columns)) < whole.columns.shape[1] or df <= 0:
        return None
    estimate = np.linalg.lstsq(whole.columns, whole.y)[0]
    residual = float(np.sum((whole.y - whole.columns @ estimate) ** 2))
    if residual <= PERFECT * float(whole.y @ whole.y):
        return None
    squares, count = _squares(whole, hypothesis)
    statistic = squares / count / (residual / df)
    return Classical(statistic, count, df, float(scipy.special.fdtrc(count, df, statistic)))


def wald_test(design: Design, hypothesis: Hypothesis) -> Classical | None:
    """Return the Wald chi-square of `hypothesis` with each group's own residual variance, or None likewise.

    Parameters
    ----------
    design : Design
        Gaussian with one residual sd a group, and no shared terms.
    hypothesis : Hypothesis
        Equalities.
    """
    whole, predictor = regression(design), design.predictor
    if whole is None:
        return None
    own = stack(predictor.per_group, design.rows.used)
    y = design.response.values - (0.0 if predictor.offset is None else predictor.offset)
    fit = profile(y, own, np.empty((len(y), 0)), predictor.grouping, design.row_weights)
    df = fit.group_rows - fit.group_ranks
    if (
        np.any(fit.group_ranks < own.shape[1])
        or np.any(df <= 0)
        or np.any(fit.group_rss <= PERFECT * fit.tss)
    ):
        return None
    sd = np.sqrt(fit.group_rss / df)[whole.groups]
    scaled = Regression(whole.columns / sd[:, None], whole.y / sd, whole.rows, whole.groups)
    statistic, count = _squares(scaled, hypothesis)
    return Classical(statistic, count, np.nan, float(scipy.special.chdtrc(count, statistic)))


def chi_square_test(design: Design, hypothesis: Hypothesis) -> Classical | None:
    """Return the chi-square test of `hypothesis` with known standard errors, or None likewise.

    Of equal intercepts of groups of one row it is Cochran's Q (Biometrics 1954), the test of heterogeneity of a
    meta-analysis.

    Parameters
    ----------
    design : Design
        Gaussian with known standard errors.
    hypothesis : Hypothesis
        Equalities.
    """
    whole = regression(design)
    if whole is None or rank(basis(whole.columns)) < whole.columns.shape[1]:
        return None
    statistic, count = _squares(whole, hypothesis)
    return Classical(statistic, count, np.nan, float(scipy.special.chdtrc(count, statistic)))


def _squares(whole: Regression, hypothesis: Hypothesis) -> tuple[float, int]:
    """Return (R b - r)' (R (X'X)^-1 R')^-1 (R b - r) at the least squares b, and the rank of R."""
    r = np.linalg.qr(whole.columns, mode="r")
    estimate: FloatArray = np.linalg.lstsq(whole.columns, whole.y)[0]
    kept = independent(hypothesis.rows)
    rows = hypothesis.rows[kept].toarray()
    # R (X'X)^-1 R' = h'h with h the triangle of r^-T R'
    h = np.linalg.qr(np.linalg.solve(r.T, rows.T), mode="r")
    z = np.linalg.solve(h.T, rows @ estimate - hypothesis.null[kept])
    return float(z @ z), len(kept)
