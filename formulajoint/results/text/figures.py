"""Figures as text, with the digits that their Monte Carlo error supports."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from formulajoint.inference.one_kind import Against
from formulajoint.inference.quadrature import LogIntegral
from formulajoint.results.joint_tests.bayes_factor.verdict import Verdict
from formulajoint.results.joint_tests.classical import RATIO, SCORES, Classical
from formulajoint.results.joint_tests.joint_test import JointTest

MOST_DECIMALS, SMALL = 8, 1e-4
"""Most decimals that are shown; a figure below the second number that needs more has an exponent."""


def numbers(row: pd.Series) -> tuple[str, str, str]:
    """Return mean, sd and interval, with the digits that the Monte Carlo error supports; blank if undefined."""
    mean, sd, low, high = (float(row[name]) for name in ("mean", "sd", "hdi_low", "hdi_high"))
    digits = decimals_of(row)
    return fixed(mean, digits), fixed(sd, digits), f"({fixed(low, digits)}, {fixed(high, digits)})"


def centre(row: pd.Series) -> tuple[str, str, str]:
    """Return the figures of a row as `numbers`, with the median in place of a mean that does not exist."""
    mean, sd, interval = numbers(row)
    if mean or math.isnan(row["median"]):
        return mean, sd, interval
    return f"{fixed(row['median'], min(decimals_of(row), MOST_DECIMALS))} (median)", sd, interval


def decimals_of(row: pd.Series) -> int:
    """Return the decimals that the figures of a row support, by its sd or, without one, by its interval."""
    sd, ess = float(row["sd"]), float(row["ess_bulk"])
    width = sd if math.isfinite(sd) else (float(row["hdi_high"]) - float(row["hdi_low"])) / 4
    return decimals(width / math.sqrt(ess) if ess > 0 else width)


def decimals(error: float) -> int:
    """Return the decimals that a figure with Monte Carlo `error` supports: to the place of the error's first digit."""
    if not (math.isfinite(error) and error > 0):
        return 2
    return max(0, -math.floor(math.log10(error)))


def fixed(value: float, digits: int) -> str:
    """Return `value` with `digits` decimals, never as minus zero; blank if undefined.

    If most of many decimals would be zeros, the form is ``1.23e-08``.
    """
    if math.isnan(value):
        return ""
    rounded = round(value, digits) + 0.0  # no -0.00
    if digits > MOST_DECIMALS and 0 < abs(rounded) < SMALL:
        return f"{rounded:.{math.floor(math.log10(abs(rounded))) + digits}e}"
    return f"{rounded:.{min(digits, MOST_DECIMALS)}f}"


def direction(share: float, ess: float) -> str:
    """Return the probability of a sign as text; a bound if hardly any draw has the other sign, blank without one."""
    if math.isnan(share):
        return ""
    return f"> {_least(ess):.3g}" if is_bound(share, ess) else f"{share:.3f}"


def is_bound(share: float, ess: float) -> bool:
    """Return whether all that is known of the probability of a sign is a lower bound."""
    return not (share < 0.9995 or math.isnan(ess))


def _least(ess: float) -> float:
    return min(0.999, 1 - 1 / ess)


NEAR_ONE = 0.99995
"""Above it a probability is shown as a bound."""


def probability(value: float, mcse: float) -> str:
    """Return a share of draws as text, with the digits that its Monte Carlo error supports; a bound if it is 0 or 1."""
    if value == 0 < mcse:
        return f"< {mcse:.1g}"
    if value == 1 and mcse > 0:
        return f"> {min(0.999, 1 - mcse):.3g}"
    if NEAR_ONE < value < 1:
        return "> 0.9999"
    return f"{value:.{decimals(mcse)}f}"


def share_text(test: JointTest, share: str) -> str:
    """Return a share of draws; a contour probability that is an upper bound as a bound; blank if there is none."""
    found = test.shares.get(share)
    if found is None or math.isnan(found.value):
        return ""
    return f"< {found.value:.2g}" if may_be_smaller(test, share) else probability(found.value, found.mcse)


def may_be_smaller(test: JointTest, share: str) -> bool:
    """Return whether a share of draws is an upper bound."""
    return share == "contour" and test.is_bound


def factor_titles(tests: Sequence[JointTest]) -> tuple[str, ...]:
    """Return the titles of columns on Bayes factors: two if some are against effects of one kind, and the verdict."""
    two = any(isinstance(test.one_kind, Against) for test in tests)
    told = any(isinstance(test.verdict, Verdict) for test in tests)
    return (
        *(("log BF10, one kind", "log BF10, own prior") if two else ("log BF10",)),
        *(("verdict",) if told else ()),
    )


def factor_texts(tests: Sequence[JointTest], test: JointTest) -> tuple[str, ...]:
    """Return what one of `tests` has in the columns of `factor_titles`; blank where there is nothing."""
    one = f"{test.one_kind.value.value:.2f}" if isinstance(test.one_kind, Against) else ""
    own = f"{test.bayes_factor.value:.2f}" if isinstance(test.bayes_factor, LogIntegral) else ""
    own = "" if test.hypothesis.against and one else own
    texts = {
        "log BF10, one kind": one,
        "log BF10, own prior": own,
        "log BF10": own,
        "verdict": verdict_text(test),
    }
    return tuple(texts[title] for title in factor_titles(tests))


def verdict_text(test: JointTest) -> str:
    """Return what the Bayes factor says whatever the scale of the prior; blank if it is not known."""
    if not isinstance(test.verdict, Verdict):
        return ""
    zero = not np.any(test.hypothesis.null) and bool(np.all(np.diff(test.hypothesis.rows.indptr) == 1))
    what = "effect" if zero else "difference"
    kinds = {
        "for": f"{'an' if zero else 'a'} {what}",
        "against": f"no {what}",
        "depends": "depends on the prior",
    }
    return kinds[test.verdict.kind]


MARKS = {SCORES: "normal scores ", RATIO: "LR "}
"""Before the chi-square of a classical test, by its name."""


def classical_text(test: JointTest) -> str:
    """Return the classical test as printed in papers: ``F(2, 6) = 412.5, p = 3.8e-07``; blank if there is none.

    A chi-square by normal scores, and one by a likelihood ratio (LR), is marked as such.
    """
    found = test.classical
    if not isinstance(found, Classical):
        return ""
    name = f"{MARKS.get(found.name, '')}chi2({found.df_num:g})"
    if not math.isnan(found.df_denom):
        name = f"F({found.df_num:g}, {found.df_denom:g})"
    p = "< 1e-16" if found.p_value < 1e-16 else f"= {found.p_value:.2g}"
    # A tie such as 956.25 must be rounded alike on every machine.
    statistic = float(f"{found.statistic:.12g}")
    return f"{name} = {statistic:.4g}, p {p}"
