"""The answers of a fit, and what to distrust first: the same in the terminal, notebook, report and JSON."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.compiler.coefficients import Coefficient
from formulajoint.compiler.contrast_plans import AveragePlan, ContrastPlan
from formulajoint.compiler.plan import Plan
from formulajoint.contrasts.hypotheses import text_of_all_zero
from formulajoint.remarks import Missing
from formulajoint.results.draws.ratios import effects_with_ratio
from formulajoint.results.draws.scaled import scaled_draws, without_covariance
from formulajoint.results.draws.tables import EffectDraws, Estimates, asked_about, estimates
from formulajoint.results.effects import grouped_coefficients, is_slope, weighted_means
from formulajoint.results.findings import Findings
from formulajoint.results.joint_tests.figures import band_limits
from formulajoint.results.joint_tests.joint_test import JointTest
from formulajoint.results.text.any_effect import any_effect, not_tested
from formulajoint.results.text.comparisons import place_of
from formulajoint.results.text.contrasts import describe_contrast
from formulajoint.results.text.sentences import (
    Answer,
    Apart,
    Subject,
    how_large,
    how_large_without,
    how_sure,
)
from formulajoint.results.text.units import place_in_words, term_in_words, unit_of

MOST_JUDGED = 1_000
"""Most effects that are compared for the answers; of more it would take as long as the fit."""


def answers(found: Findings, tests: Sequence[JointTest]) -> tuple[Answer, ...]:
    """Return the answers about the first slope by group that the formula asks about; none without such slopes.

    Parameters
    ----------
    found : Findings
    tests : sequence of JointTest
        Those computed, among which the answer is looked for.
    """
    found = found.by_groups
    plan = found.plan
    coefficient, grouping = subject(found), plan.design.predictor.grouping
    if coefficient is None or grouping is None:
        return ()
    averages = weighted_means(plan, coefficient)
    average = averages[0] if averages else None
    term = coefficient.term
    about = Subject(
        term.name,
        term_in_words(plan, term),
        grouping.name,
        found.prob,
        _unit(plan, coefficient, average),
        place_of(plan, term),
        _where(plan, coefficient, average),
        plan.family.ratio if average is not None and average.name in effects_with_ratio(plan) else "",
    )
    drawn = scaled_draws(found.posterior, coefficient, average)
    text, factor = text_of_all_zero(term), "" if average is None else average.factor
    test = next((t for t in tests if (t.hypothesis.text, t.hypothesis.factor) == (text, factor)), None)
    rows = found.contrasts.of("" if average is None else average.name)
    judged = drawn if len(drawn) <= MOST_JUDGED else []
    cells = np.stack([each.draws.ravel() for each in judged]) if judged else np.zeros((0, 0))
    ends = _ends(judged, cells, found.prob)
    apart = _apart(about, judged, cells)
    return (
        not_tested(about, len(grouping)) if test is None else any_effect(about, test, rows, apart),
        how_large_without(about, ends)
        if average is None
        else how_large(about, rows, meaning(found, average), ends),
        how_sure(about, rows, apart),
    )


def _unit(plan: Plan, coefficient: Coefficient, average: AveragePlan | None) -> str:
    """Return what stands behind a figure: ``points of score``, ``in P(status = case)``."""
    unit = unit_of(plan, coefficient, average)
    return f"in {unit}" if average is not None and average.response else unit


def _where(plan: Plan, coefficient: Coefficient, average: AveragePlan | None) -> str:
    """Return where a weighted mean is, if that differs from where the coefficients are."""
    if average is None or (average.at is None and not average.response):
        return ""
    return place_in_words(plan, coefficient, average)


def subject(found: Findings) -> Coefficient | None:
    """Return the slope by group that the answers are about: the first of those asked about."""
    slopes = told(found)
    return slopes[0] if slopes and is_slope(slopes[0]) else None


def told(found: Findings) -> list[Coefficient]:
    """Return the coefficients by group to be told of: slopes, or else intercepts.

    Those that are averaged come first, then others asked about.
    """
    plan = found.plan
    asked = asked_about(plan)
    grouped = grouped_coefficients(found.posterior)
    slopes = [c for c in grouped if is_slope(c)]
    return sorted(slopes, key=lambda c: (not weighted_means(plan, c), c.name not in asked)) or grouped


def meaning(found: Findings, contrast: ContrastPlan) -> str:
    """Return the description of a contrast, with its weights."""
    weighted = found.contrasts.of(contrast.name).table["weights"]
    text = "" if weighted.empty else str(weighted.iloc[0])
    description = describe_contrast(found.plan, contrast)
    return f"{description}; weights {text}" if text else description


def _ends(drawn: Sequence[EffectDraws], cells: FloatArray, prob: float) -> Estimates:
    """Return the smallest and the largest effect, by their means; none if a mean does not exist."""
    if len(drawn) < 2 or any(each.df <= 1 for each in drawn):
        return Estimates((), estimates([], prob).table)
    means = cells.mean(axis=1)
    return estimates([drawn[int(np.argmin(means))], drawn[int(np.argmax(means))]], prob)


def _apart(about: Subject, drawn: Sequence[EffectDraws], cells: FloatArray) -> Apart | Missing:
    """Return the effects whose simultaneous interval excludes zero, or the reason they are not known."""
    if not drawn:
        return Missing("many", f"fit.bands() has intervals that hold for every {about.group} at once")
    if without_covariance(drawn) is not None or cells.shape[1] < 2 or not np.isfinite(cells).all():
        return Missing("no band", f"there are no intervals that hold for every {about.group} at once")
    low, high = band_limits(cells.T, about.prob)
    places = [each.effect.place for each in drawn]
    above = tuple(place for place, end in zip(places, low, strict=True) if end > 0)
    below = tuple(place for place, end in zip(places, high, strict=True) if end < 0)
    return Apart(above, below, len(drawn))
