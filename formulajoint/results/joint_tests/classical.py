"""The classical counterpart of a joint test: R b = r in the regression by group, without priors or pooling.

With one residual sd it is the F test; with a residual sd per group, normal scores of the groups' F tests; with known
standard errors, the chi-square of weighted least squares; with another response the likelihood ratio of the
generalised linear model.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import scipy

from formulajoint.arrays import FloatArray
from formulajoint.compiler.plan import Plan
from formulajoint.contrasts.hypotheses import Hypothesis, independent
from formulajoint.contrasts.separation import Part, by_strata
from formulajoint.data.data import Data
from formulajoint.design.schema import Design
from formulajoint.families.declared import FAMILIES
from formulajoint.remarks import Missing
from formulajoint.results.joint_tests.quantities import coefficient_labels
from formulajoint.results.joint_tests.score_test import score_statistic
from formulajoint.results.joint_tests.strata import Strata, strata_of
from formulajoint.results.regressions.estimable import LeastSquares, least_squares
from formulajoint.results.regressions.joint import MOST_COEFFICIENTS, Regression, regression
from formulajoint.wording import listed

F_TEST, CHI_SQUARE, SCORES, RATIO = "F", "chi-square", "normal scores", "likelihood ratio"
"""Names of statistics in the column ``classical``."""

OF_EXTENSIONS = "it needs the variance as a function of the mean, which families of extensions do not state"
TOO_MANY = Missing("size", f"no classical test for more than {MOST_COEFFICIENTS} coefficients")

MOST_NAMED = 6
"""A message names at most this many coefficients or groups."""


@dataclass(frozen=True, slots=True)
class Classical:
    """A statistic with its degrees of freedom and p-value; `df_denom` is NaN for a chi-square.

    Attributes
    ----------
    name : str
        `F_TEST`, `CHI_SQUARE`, `SCORES` or `RATIO`.
    statistic : float
    df_num : int
    df_denom, p_value : float
    note : str
        Text on the groups that the test leaves out, or why it is a poor guide.
    """

    name: str
    statistic: float
    df_num: int
    df_denom: float
    p_value: float
    note: str = ""


def classical_test(plan: Plan, hypothesis: Hypothesis) -> Classical | Missing:
    """Return the classical test of equalities, or the reason it is unavailable."""
    if hypothesis.of_means:
        return Missing("means", "no classical test of a hierarchy's mean")
    if plan.mean.varying:
        return Missing("model", "no classical test beside group terms")
    sigma = plan.spread
    if plan.design.standard_errors is not None:
        return chi_square_test(plan.data, hypothesis)
    if plan.family.variance is not None:
        return _likelihood_ratio(plan, hypothesis)
    if plan.family.name not in FAMILIES:
        return Missing("model", f"no likelihood ratio test: {OF_EXTENSIONS}")
    if not plan.family.sums:
        name = plan.family.name
        return Missing(
            "model", f"no likelihood ratio test for family({name}): it is for generalised linear models"
        )
    if sigma is None:
        return Missing("model", "no F test: it needs a Gaussian response with one sigma, or one per group")
    if sigma.grouping is None:
        return f_test(plan.data, hypothesis)
    strata = strata_of(plan.design, sigma.grouping)
    if strata is None:
        return Missing("model", "no classical test: a coefficient is shared by groups that have a sigma each")
    return score_test(plan.data, hypothesis, strata)


def f_test(data: Data, hypothesis: Hypothesis) -> Classical | Missing:
    """Return the F test of `hypothesis`, or the reason it is unavailable.

    Coefficients other than those tested need not be determined: the denominator has N - rank(X) degrees of freedom.

    Parameters
    ----------
    data : Data
        Gaussian with one residual sd; pooling and priors are ignored.
    hypothesis : Hypothesis
        Equalities.
    """
    problem = _problem(data, hypothesis)
    if problem is None:
        return TOO_MANY
    whole, rows, null = problem
    fit = least_squares(whole.columns, whole.y)
    df = whole.rows - fit.rank
    if df <= 0:
        return Missing("rows", "no F test: no rows are left over for a residual sd")
    if fit.rss == 0:
        return Missing("rows", "no F test: the residuals are zero")
    if not np.all(fit.determined(rows)):
        return _undetermined(data.design, fit, rows).of("F test")
    z = fit.standardized(rows, null)[1]
    statistic = float(z @ z) / len(z) / (fit.rss / df)
    p_value = float(scipy.special.fdtrc(len(z), df, statistic))
    return Classical(F_TEST, statistic, len(z), df, p_value)


def chi_square_test(data: Data, hypothesis: Hypothesis) -> Classical | Missing:
    """Return the chi-square test of `hypothesis` with known standard errors, or the reason it is unavailable.

    For equal intercepts of groups of one row it is Cochran's Q (Biometrics 1954), the test of heterogeneity of a
    meta-analysis.

    Parameters
    ----------
    data : Data
        Gaussian with known standard errors.
    hypothesis : Hypothesis
        Equalities.
    """
    problem = _problem(data, hypothesis)
    if problem is None:
        return TOO_MANY
    whole, rows, null = problem
    fit = least_squares(whole.columns, whole.y)
    if not np.all(fit.determined(rows)):
        return _undetermined(data.design, fit, rows).of("chi-square test")
    z = fit.standardized(rows, null)[1]
    return _chi_square(CHI_SQUARE, float(z @ z), len(z))


def _likelihood_ratio(plan: Plan, hypothesis: Hypothesis) -> Classical | Missing:
    """Return the likelihood ratio test of a generalised linear model, or the reason it is unavailable."""
    from formulajoint.results.joint_tests.likelihood_ratio import ratio_statistic  # loads SciPy's functions

    found = ratio_statistic(plan, hypothesis)
    return found if isinstance(found, Missing) else _chi_square(RATIO, *found)


def _chi_square(name: str, statistic: float, df: int, note: str = "") -> Classical:
    return Classical(name, statistic, df, np.nan, float(scipy.special.chdtrc(df, statistic)), note)


def _problem(data: Data, hypothesis: Hypothesis) -> tuple[Regression, FloatArray, FloatArray] | None:
    """Return the regression on all columns, and the independent restrictions, dense; None for too many columns."""
    whole = regression(data)
    if whole is None:
        return None
    kept = independent(hypothesis.rows)
    return whole, hypothesis.rows[kept].toarray(), hypothesis.null[kept]


def _undetermined(design: Design, fit: LeastSquares, rows: FloatArray) -> Missing:
    """Return the coefficients of the restrictions that the data do not determine, as a reason."""
    touched = np.flatnonzero(np.any(rows[~fit.determined(rows)] != 0, axis=0))
    lacking = touched[~fit.determined(np.eye(rows.shape[1])[touched])]
    labels = coefficient_labels(design)
    named = listed([labels[at] for at in lacking], MOST_NAMED)
    return Missing("rows", f"the data do not determine {named}")


# --- one residual sd per stratum


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """A stratum's F statistic: F = |maps theta - values|^2 / q on q and df degrees of freedom."""

    maps: FloatArray
    values: FloatArray
    df: float


def score_test(data: Data, hypothesis: Hypothesis, strata: Strata) -> Classical | Missing:
    """Return the test of `hypothesis` by normal scores of the strata's F tests, or why it is unavailable.

    Parameters
    ----------
    data : Data
        Gaussian with one residual sd per stratum.
    hypothesis : Hypothesis
        Equalities.
    strata : Strata
    """
    parts = by_strata(hypothesis, strata.of_coefficients)
    if parts is None:
        return Missing(
            "hypothesis",
            "no classical test: with one sigma per group it needs a hypothesis about each group separately, or "
            "coefficients that are equal in several groups",
        )
    whole = regression(data)
    if whole is None:
        return TOO_MANY
    rows = data.rows_of(strata.grouping)
    statistic, df, lacking = 0.0, 0, set[int]()
    for part in parts:
        pieces: list[_Piece] = []
        for stratum in np.unique(part.strata):
            piece = _piece(whole, part, strata, int(stratum), rows[stratum])
            if piece is None:
                lacking.add(int(stratum))
            elif not np.isfinite(piece.values).all():
                zero = f"the residuals of {_named(strata, [stratum])} are zero"
                return Missing("rows", zero).of("classical test")
            else:
                pieces.append(piece)
        rank = sum(len(piece.values) for piece in pieces) - part.free.shape[1]
        if rank > 0:
            statistic, df = statistic + float(score_statistic(*_stacked(pieces))), df + rank
    if df == 0:
        none = "no group has rows enough for what is tested and a residual sd"
        return Missing("rows", none).of("classical test")
    left_out = f"classical test without {_named(strata, lacking)}: too few rows" if lacking else ""
    return _chi_square(SCORES, statistic, df, left_out)


def _named(strata: Strata, codes: Iterable[int]) -> str:
    labels = [strata.grouping.labels[code] for code in sorted(codes)]
    return f"{strata.grouping.name} {listed(labels, MOST_NAMED)}"


def _piece(whole: Regression, part: Part, strata: Strata, stratum: int, rows: float) -> _Piece | None:
    """Return a stratum's restrictions by its own regression; None if it has too few rows."""
    own = strata.of_coefficients == stratum
    data = strata.of_groups[whole.groups] == stratum
    fit = least_squares(whole.columns[data][:, own], whole.y[data])
    at = part.strata == stratum
    restrictions = part.rows[at].toarray()[:, own]
    df = rows - fit.rank
    if df <= 0 or not np.all(fit.determined(restrictions)):
        return None
    w, z = fit.standardized(restrictions, part.null[at])
    with np.errstate(divide="ignore", invalid="ignore"):
        sd = np.sqrt(fit.rss / df)
        return _Piece(w @ part.free[at] / sd, z / sd, df)


def _stacked(pieces: list[_Piece]) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return maps (K, q, d), values (K, q), ranks and degrees of freedom, with zeros where there are fewer rows."""
    ranks = np.array([len(piece.values) for piece in pieces])
    maps = np.zeros((len(pieces), ranks.max(), pieces[0].maps.shape[1]))
    values = np.zeros(maps.shape[:2])
    for place, piece in enumerate(pieces):
        maps[place, : ranks[place]] = piece.maps
        values[place, : ranks[place]] = piece.values
    return maps, values, ranks.astype(float), np.array([piece.df for piece in pieces])
