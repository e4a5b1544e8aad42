"""A fit as plain text: the model, contrasts, joint tests, coefficients, notes and warnings."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

import numpy as np
import pandas as pd

from formulajoint.compiler.plan import ArithmeticPlan, Plan, ScalePlan
from formulajoint.contrasts.hypotheses import Hypothesis, all_zero
from formulajoint.inference.one_kind import Against
from formulajoint.inference.quadrature import LogIntegral
from formulajoint.results.findings import Findings
from formulajoint.results.joint_tests.bayes_factor.verdict import Verdict
from formulajoint.results.joint_tests.classical import SCORES, Classical
from formulajoint.results.joint_tests.joint_test import JointTest
from formulajoint.results.joint_tests.questions import left_out, too_many
from formulajoint.results.text.comparisons import place_of
from formulajoint.results.text.describe import (
    coefficient_rows,
    data_lines,
    describe_contrast,
    formula_lines,
    note_lines,
    table_lines,
)
from formulajoint.results.text.within import within_lines
from formulajoint.wording import listed

type Cells = tuple[tuple[str, ...], Sequence[tuple[str, ...]]]
"""Head and rows of a table."""

MOST_DECIMALS, SMALL = 8, 1e-4
"""Most decimals that are shown; a figure below the second number that needs more has an exponent."""


def fit_text(found: Findings) -> str:
    """Return the text of a fit."""
    plan = found.plan
    sections = [
        formula_lines(plan.design.formula),
        data_lines(plan) + within_lines(plan.design) + understood(plan),
        contrast_section(found),
        test_section(plan, found.tests),
        coefficient_section(found),
        [
            *note_lines(fit_notes(found)),
            *note_lines(found.diagnostics, "warning"),
            sampler_line(found.judged.table, found.posterior.drawn_by)
            + ("" if found.judges_all else " (of the rows shown)"),
        ],
    ]
    return "\n\n".join("\n".join(lines) for lines in sections if lines)


def understood(plan: Plan) -> list[str]:
    """Return one line per term and parameter: ``treatment: one slope per school, not pooled``."""
    names = {
        name
        for part in plan.parameters
        for name in ([part.name] if isinstance(part, ScalePlan) else [c.name for c in part.coefficients])
    }
    return [f"{name}: {what}" for name, what, _ in coefficient_rows(plan) if name in names]


def contrast_section(found: Findings) -> list[str]:
    """Return the contrasts as a table, each with a line of its description and weights."""
    effects, table = found.contrasts.effects, found.contrasts.table
    if not effects:
        return []
    weights = {effect.variable: text for effect, text in zip(effects, table["weights"], strict=True)}
    return table_lines(*contrast_cells(table, found.prob)) + [
        f"  {c.name}: {describe_contrast(found.plan, c)}"
        + (f"; weights {weights.get(c.name, '')}" if c.weights else "")
        for c in found.plan.contrasts
    ]


def contrast_cells(table: pd.DataFrame, prob: float) -> Cells:
    """Return the table of contrasts as text."""
    rows = [
        (str(name), *centre(row), direction(row["p_direction"], row["ess_bulk"]))
        for name, row in table.iterrows()
    ]
    return ("contrast", "mean", "sd", f"{prob:.0%} HDI", "p_direction"), rows


def centre(row: pd.Series) -> tuple[str, str, str]:
    """Return the figures of a row as `numbers`, with the median in place of a mean that does not exist."""
    mean, sd, interval = numbers(row)
    if mean or math.isnan(row["median"]):
        return mean, sd, interval
    return f"{fixed(row['median'], min(decimals_of(row), MOST_DECIMALS))} (median)", sd, interval


def direction(share: float, ess: float) -> str:
    """Return the probability of a sign as text; a bound if no draw, or hardly any, has the other sign."""
    return f"> {_least(ess):.3g}" if is_bound(share, ess) else f"{share:.3f}"


def is_bound(share: float, ess: float) -> bool:
    """Return whether all that is known of the probability of a sign is a lower bound."""
    return not (share < 0.9995 or math.isnan(ess))


def _least(ess: float) -> float:
    return min(0.999, 1 - 1 / ess)


def test_section(plan: Plan, tests: Sequence[JointTest]) -> list[str]:
    """Return the joint tests as a table, and each test's note below it."""
    if not tests:
        return []
    return table_lines(*test_cells(plan, tests)) + [
        line for test in tests if test.notes for line in note_lines([test.note], f"  {test.label}")
    ]


def test_cells(plan: Plan, tests: Sequence[JointTest]) -> Cells:
    """Return the table of joint tests as text."""
    rows = [
        (
            f"{test.label}{everywhere(plan, test.hypothesis)}",
            *(share_text(test, share) for share in ("contour", "p_all_positive")),
            *factor_texts(tests, test),
            classical_text(test),
        )
        for test in tests
    ]
    titles = ("joint test", "contour", "P(all > 0)", *factor_titles(tests), "classical test")
    return titles, rows


def hypothesis_text(tests: Iterable[JointTest]) -> str:
    """Return joint tests as text, each with its figures, and a note why others are missing."""
    return "\n\n".join("\n".join([test.label, *_figures(test)]) for test in tests)


def _figures(test: JointTest) -> list[str]:
    figures = {"rank": f"{test.rank:g}"}
    for share, name in FIGURES.items():
        if share in test.shares:
            own = test.shares[share]
            figures[name] = (
                f"< {own.value:.2g}" if _is_bound(test, share) else _with_error(own.value, own.mcse)
            )
    if isinstance(test.bayes_factor, LogIntegral):
        figures["log BF10"] = _with_error(test.bayes_factor.value, test.bayes_factor.error)
    if isinstance(test.one_kind, Against) and not test.hypothesis.against:
        figures["log BF10 of one kind"] = _with_error(test.one_kind.value.value, test.one_kind.value.error)
    if isinstance(test.verdict, Verdict):
        depends = test.verdict.kind == "depends"
        figures["verdict"] = verdict_text(test) + (_range(test.verdict) if depends else "")
    if classical := classical_text(test):
        figures["classical test"] = classical
    width = max(map(len, FIGURES.values()))
    lines = [f"  {name.ljust(width)}  {text}" for name, text in figures.items()]
    return lines + note_lines([test.note] if test.notes else [], "  note")


FIGURES: Mapping[str, str] = MappingProxyType(
    {
        "contour": "contour probability",
        "gbpv": "global Bayesian p-value",
        "p_all_positive": "P(all > 0)",
        "p_all_negative": "P(all < 0)",
        "p_at_least": "P(so many > 0)",
        "p_in_rope": "P(all within rope)",
        "p_out_of_rope": "P(all beyond rope)",
    }
)
"""Shares of draws of a joint test, with their names in text."""


def everywhere(plan: Plan, hypothesis: Hypothesis) -> str:
    """Return ``in every school`` for a term's own test, which does not name the groups, and `place_of` the term."""
    predictor = plan.design.predictor
    own = (term for term in predictor.per_group if hypothesis.label == all_zero(plan.design, term).label)
    term = next(own, None)
    if predictor.grouping is None or term is None:
        return ""
    return f" in every {predictor.grouping.name}{place_of(plan, term)}"


def probability(value: float, mcse: float) -> str:
    """Return a share of draws as text, with the digits that its Monte Carlo error supports; a bound if it is 0 or 1."""
    if value == 0 < mcse:
        return f"< {mcse:.1g}"
    if value == 1 and mcse > 0:
        return f"> {min(0.999, 1 - mcse):.3g}"
    return f"{value:.{decimals(mcse)}f}"


def _with_error(value: float, mcse: float) -> str:
    return f"{value:.4g} (mcse {mcse:.1g})"


def _is_bound(test: JointTest, share: str) -> bool:
    return share == "contour" and test.is_bound


def share_text(test: JointTest, share: str) -> str:
    """Return a share of draws; a contour probability that is an upper bound as a bound; blank if there is none."""
    found = test.shares.get(share)
    if found is None or math.isnan(found.value):
        return ""
    return f"< {found.value:.2g}" if _is_bound(test, share) else probability(found.value, found.mcse)


def factor_titles(tests: Sequence[JointTest]) -> tuple[str, ...]:
    """Return the titles of columns on Bayes factors: two if some are against effects of one kind, and the verdict."""
    two = any(isinstance(test.one_kind, Against) for test in tests)
    told = any(isinstance(test.verdict, Verdict) for test in tests)
    return (
        *(("log BF10 of one kind", "of own prior") if two else ("log BF10",)),
        *(("verdict",) if told else ()),
    )


def factor_texts(tests: Sequence[JointTest], test: JointTest) -> tuple[str, ...]:
    """Return what one of `tests` has in the columns of `factor_titles`; blank where there is nothing."""
    one = f"{test.one_kind.value.value:.2f}" if isinstance(test.one_kind, Against) else ""
    own = f"{test.bayes_factor.value:.2f}" if isinstance(test.bayes_factor, LogIntegral) else ""
    own = "" if test.hypothesis.against and one else own
    texts = {"log BF10 of one kind": one, "of own prior": own, "log BF10": own, "verdict": verdict_text(test)}
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


def _range(verdict: Verdict) -> str:
    return f" (log BF10 from {verdict.low:.2f} to {verdict.high:.2f})"


def classical_text(test: JointTest) -> str:
    """Return the classical test as printed in papers: ``F(2, 6) = 412.5, p = 3.8e-07``; blank if there is none.

    A chi-square by normal scores is marked as such.
    """
    found = test.classical
    if not isinstance(found, Classical):
        return ""
    name = f"{'normal scores ' if found.name == SCORES else ''}chi2({found.df_num:g})"
    if not math.isnan(found.df_denom):
        name = f"F({found.df_num:g}, {found.df_denom:g})"
    p = "< 1e-16" if found.p_value < 1e-16 else f"= {found.p_value:.2g}"
    # A tie such as 956.25 must be rounded alike on every machine.
    statistic = float(f"{found.statistic:.12g}")
    return f"{name} = {statistic:.4g}, p {p}"


def coefficient_section(found: Findings) -> list[str]:
    """Return the coefficients as a table; if there are too many, those that are not of a single group come first."""
    lines, rest = table_lines(*coefficient_cells(found.shown.table, found.prob)), found.not_shown
    return [*lines, *([f"... and {rest} more rows in summary()"] if rest else [])]


def coefficient_cells(table: pd.DataFrame, prob: float) -> Cells:
    """Return the table of coefficients as text."""
    rows = [
        (str(name), *numbers(row), fixed(row["ess_bulk"], 0), fixed(row["r_hat"], 3))
        for name, row in table.iterrows()
    ]
    return ("parameter", "mean", "sd", f"{prob:.0%} HDI", "ess_bulk", "r_hat"), rows


def numbers(row: pd.Series) -> tuple[str, str, str]:
    """Return mean, sd and interval, with the digits that the Monte Carlo error supports; blank if undefined."""
    mean, sd, low, high = (float(row[name]) for name in ("mean", "sd", "hdi_low", "hdi_high"))
    digits = decimals_of(row)
    return fixed(mean, digits), fixed(sd, digits), f"({fixed(low, digits)}, {fixed(high, digits)})"


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


def fit_notes(found: Findings) -> list[str]:
    """Return the notes of a printed fit."""
    return [*found.plan.notes, *blank_note(found), *_untested(found.plan)]


def blank_note(found: Findings) -> list[str]:
    """Return the notes that explain blank cells, if there are any."""
    ratios = {c.name for c in found.plan.contrasts if isinstance(c, ArithmeticPlan) and math.isinf(c.degree)}
    divided = [effect.label for effect in found.without_sd if effect.variable in ratios]
    heavy = [effect.label for effect in found.without_sd if effect.variable not in ratios]
    notes = []
    if divided:
        notes.append(
            f"{listed(divided, 6)} {'divide' if len(divided) > 1 else 'divides'} by what can be zero, and so "
            "without mean and sd. Medians and intervals exist."
        )
    if heavy:
        notes.append(
            f"With flat priors and so few rows {listed(heavy, 6)} have no sd (a blank mean does not exist "
            "either): their tails are too heavy. Intervals exist."
        )
    return notes


def _untested(plan: Plan) -> list[str]:
    """Return the note on joint tests that a printed fit leaves out, if there are any."""
    labels = [test.label for test in left_out(plan)]
    said = f"The joint tests of {too_many(plan)} groups take a while: fit.test() has {listed(labels, 6)}."
    return [said] if labels else []


def sampler_line(summary: pd.DataFrame, engine: str) -> str:
    """Return the line about the draws: their engine, smallest ess_bulk and largest r_hat."""
    figures = [
        ("smallest ess_bulk", fixed(summary["ess_bulk"].min(), 0)),
        ("largest r_hat", fixed(summary["r_hat"].max(), 3)),
    ]
    known = ", ".join(f"{name} {figure}" for name, figure in figures if figure)
    return f"sampled by {engine}" + (f": {known}" if known else "")
