"""The content of the page, gathered from a fit: no markup, and every figure is that of the fit's own tables."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from formulajoint.compiler.plan import Plan
from formulajoint.contrasts.hypotheses import all_zero
from formulajoint.design.recipes import columns_read
from formulajoint.inference.quadrature import LogIntegral
from formulajoint.report.cells import (
    Table,
    contrast_table,
    parameter_table,
    sensitivity_table,
    test_table,
    text_table,
)
from formulajoint.report.charts import Forest, Histogram, histogram
from formulajoint.report.groups import distance_chart, group_forest, group_table, part_text
from formulajoint.report.recipe import Recipe, recipe
from formulajoint.results.draws.posterior import reported_cells
from formulajoint.results.effects import GroupEffects, group_effects, is_slope
from formulajoint.results.findings import Findings, of_all_first
from formulajoint.results.joint_tests.bayes_factor.equalities import is_slow
from formulajoint.results.joint_tests.bayes_factor.sensitivity import sensitivity_table as sensitivity
from formulajoint.results.joint_tests.joint_test import JointTest
from formulajoint.results.joint_tests.questions import unasked
from formulajoint.results.text.answers import answers, meaning, subject, told
from formulajoint.results.text.cautions import of_effects
from formulajoint.results.text.describe import (
    coefficient_rows,
    equations,
    formula_lines,
)
from formulajoint.results.text.printing import blank_note, sampler_line, understood
from formulajoint.results.text.rows import data_text
from formulajoint.results.text.sentences import Answer
from formulajoint.results.text.units import effect_in_words, effect_label, effect_with_unit, term_in_words
from formulajoint.results.text.within import within_lines
from formulajoint.spec.counts import counts_of
from formulajoint.spec.names import columns_in
from formulajoint.wording import counted

FEW = 6
"""Most groups whose chart leaves room for that of the first contrast; else this stands below the answers."""

MOST_WEIGHED, FACTORS = 30, (0.25, 0.5, 1.0, 2.0, 4.0)
"""Sensitivity table: most groups of a model that is not pooled; and factors of the prior sds."""

MOST_GROUPS, MOST_ROWS, MOST_CHARTS = 5000, 200, 6
"""Most rows of a table of groups, most rows of other tables, most histograms: the page states what it leaves out."""


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """A histogram with its title and text alternative."""

    title: str
    chart: Histogram
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """A per-group coefficient.

    Attributes
    ----------
    term, effect : str
        The term, and the label of its axis.
    count : str
        The number of groups, such as ``60 schools``.
    forest : Forest
    texts : tuple of str
        The text alternative of each part of the forest.
    table : Table
    distance : Drawn or None
        Distances of the draws from their centre, with that of no effect.
    """

    term: str
    effect: str
    count: str
    forest: Forest
    texts: tuple[str, ...]
    table: Table
    distance: Drawn | None


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """The content of the page, part by part."""

    title: str
    formula: str
    data: str
    others: str
    prob: str
    problems: tuple[str, ...]
    cautions: tuple[str, ...]
    answers: tuple[Answer, ...]
    groups: tuple[Groups, ...]
    contrasts: Table
    contrast_notes: tuple[str, ...]
    contrast_beside: Drawn | None
    many: bool
    contrast_charts: tuple[Drawn, ...]
    contrasts_drawn: str
    tests: Table | None
    test_notes: tuple[str, ...]
    equation: str
    understood: tuple[str, ...]
    columns: Table
    priors: Table
    sensitivity: Table | None
    notes: tuple[str, ...]
    sampler: str
    parameters: Table
    recipe: Recipe


def page(found: Findings) -> Page:
    """Return the content of the page for a fit."""
    posterior, plan, prob = found.posterior, found.posterior.plan, f"{found.prob:.0%}"
    seen = found.by_groups
    shown = [group_effects(seen, c) for c in told(seen)]
    tests, charts, parameters = found.all_tests, _contrast_charts(found), found.summary
    order = of_all_first(plan, parameters.effects)
    found_answers = answers(found, tests)
    beside = bool(shown and found_answers)
    return Page(
        title=_title(seen.plan, shown),
        formula="\n".join(formula_lines(plan)),
        data=data_text(plan),
        others=_others(plan, shown),
        prob=prob,
        problems=found.diagnostics,
        cautions=tuple(of_effects(seen, subject(seen))),
        answers=found_answers,
        groups=tuple(_groups(seen, own) for own in shown),
        contrasts=contrast_table(plan, found.contrasts, found.prob, MOST_ROWS),
        contrast_notes=tuple(f"{c.name}: {meaning(found, c)}" for c in plan.contrasts),
        contrast_beside=charts[0] if beside and charts else None,
        many=bool(shown) and len(shown[0].effects) > FEW,
        contrast_charts=tuple(charts[beside:]),
        contrasts_drawn=_contrasts_drawn(len(charts), len(found.contrasts.effects)),
        tests=test_table(plan, tests) if tests else None,
        test_notes=tuple(f"{test.label}: {test.note}" for test in tests if test.notes),
        equation="\n".join(map(str, equations(plan))),
        understood=(*within_lines(plan.design), *understood(plan)),
        columns=text_table(("column", "what it is", "rows without a value"), _columns(plan)),
        priors=text_table(("coefficient", "what it is", "prior"), coefficient_rows(plan)),
        sensitivity=_sensitivity(found, tests),
        notes=(*plan.notes, *blank_note(found)),
        sampler=sampler_line(parameters.table, posterior.drawn_by),
        parameters=parameter_table(plan, parameters.at(order), found.prob, MOST_ROWS),
        recipe=recipe(posterior),
    )


def _columns(plan: Plan) -> list[tuple[str, str, str]]:
    """Return each column of the data that was read, its role in the model, and its number of missing values."""
    design = plan.design
    roles: dict[str, list[str]] = {design.response.variable: ["response"]}
    counts = counts_of(design.spec.response)
    for name in set() if counts is None else {column.id for column in columns_in(counts.trials)}:
        roles.setdefault(name, []).append("trials")
    for predictor in (design.predictor, *design.parameters):
        for name in (name for term in predictor.terms for name in term.variables):
            roles.setdefault(name, []).append(f"predictor of {predictor.parameter}")
        for grouping in (predictor.grouping, *(block.grouping for block in predictor.varying)):
            for name in grouping.variables if grouping else ():
                roles.setdefault(name, []).append("group")
        for name in () if predictor.recipe is None else columns_read(predictor.recipe):
            roles.setdefault(name, []).append(f"offset of {predictor.parameter}")
    for learnt in design.within:
        for name in learnt.variables:
            roles.setdefault(name, []).append(f"groups of {learnt.text}")
    for name in design.weight_columns:
        roles.setdefault(name, []).append("weights of a contrast")
    rows = design.spec.rows
    for column, what in (
        (rows.weights, "weights of the rows"),
        (rows.standard_errors, "known standard errors"),
    ):
        if column is not None:
            roles.setdefault(column.value.id, []).append(what)
    for name in design.rows.missing:
        roles.setdefault(name, [])
    return [
        (name, ", ".join(dict.fromkeys(parts)), f"{design.rows.missing.get(name, 0)}")
        for name, parts in roles.items()
    ]


def _title(plan: Plan, shown: list[GroupEffects]) -> str:
    """Return the title of the page, a question."""
    response, grouping = plan.response_name, plan.design.predictor.grouping
    if grouping is None or not shown:
        return f"What {response} depends on"
    if not is_slope(shown[0].coefficient):
        return f"How large is {response} in each {grouping.name}?"
    term = term_in_words(plan, shown[0].coefficient.term)
    return f"Is there an effect of {term} on {response} in any {grouping.name}, and how large is it over all?"


def _others(plan: Plan, shown: list[GroupEffects]) -> str:
    """Return a sentence on the predictors that the answers are not about; empty if there are none."""
    first, *others = (term_in_words(plan, own.coefficient.term) for own in shown) if shown else ("",)
    if not others:
        return ""
    return f"The answers are about {first}; {', '.join(others)} {'is' if len(others) == 1 else 'are'} further down."


def _sensitivity(found: Findings, tests: Sequence[JointTest]) -> Table | None:
    """Return Bayes factors under other priors, or None if these are slow; the tests' notes then have two."""
    grouping = found.posterior.plan.design.predictor.grouping
    weighed = any(isinstance(test.bayes_factor, LogIntegral) for test in tests)
    mean = found.posterior.plan.mean
    if (
        not weighed
        or mean.pools
        or mean.varying
        or is_slow(found.plan)
        or (grouping and len(grouping) > MOST_WEIGHED)
    ):
        return None
    return sensitivity_table(sensitivity(found.posterior, unasked(found.plan), FACTORS))


# --- the first screen


def _groups(found: Findings, shown: GroupEffects) -> Groups:
    posterior, plan = found.posterior, found.posterior.plan
    drawn = group_forest(found, shown)
    hypothesis = all_zero(plan.design, shown.coefficient.term)
    asked = is_slope(shown.coefficient) and not shown.bands["low"].isna().all()
    chart = distance_chart(posterior, hypothesis) if asked else None
    grouping = plan.design.predictor.grouping
    assert grouping is not None  # the coefficient differs by group
    return Groups(
        term_in_words(plan, shown.coefficient.term),
        effect_in_words(plan, shown.coefficient, shown.unit),
        counted(len(grouping), grouping.name),
        drawn,
        tuple(part_text(shown, part, found.prob) for part in drawn.parts),
        group_table(found, shown, drawn, MOST_GROUPS),
        None if chart is None else Drawn(hypothesis.text, chart, _distance_text(chart)),
    )


def _distance_text(chart: Histogram) -> str:
    farthest = max(bar.at + bar.width for bar in chart.bars)
    beyond = "farther out than nearly all draws" if chart.mark > farthest else "among the draws"
    return f"Distances of the draws from their centre; that of no effect is {beyond}."


def _contrast_charts(found: Findings) -> list[Drawn]:
    """Return the posterior of each contrast, for the first `MOST_CHARTS`."""
    names = [contrast.name for contrast in found.posterior.plan.contrasts]
    cells = [
        cell for name in names for cell in reported_cells(found.posterior, name)
    ]  # as in the table of contrasts
    ends = found.contrasts.table[["hdi_low", "hdi_high"]].to_numpy(float)
    drawn = (
        Drawn(
            effect_with_unit(found.plan, effect),
            histogram(draws.ravel(), low, high, 0.0, reach=False),
            _interval_text(effect_label(found.plan, effect), low, high, found),
        )
        for (effect, draws), (low, high) in zip(cells, ends, strict=True)
        if math.isfinite(low)
    )
    return list(islice(drawn, MOST_CHARTS))


def _contrasts_drawn(drawn: int, known: int) -> str:
    """Return a sentence on how many contrasts are drawn; empty if all are."""
    if not drawn or drawn >= known:
        return ""
    return f"{drawn} of {known:,} are drawn; fit.plot.contrast(name) draws each."


def _interval_text(label: str, low: float, high: float, found: Findings) -> str:
    return f"Posterior draws of {label}: {found.prob:.0%} are from {low:.4g} to {high:.4g}."
