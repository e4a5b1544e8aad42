"""A fit as plain text: warnings and answers, the model, contrasts, joint tests, coefficients and notes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from types import MappingProxyType

import pandas as pd

from formulajoint.compiler.contrast_plans import ArithmeticPlan
from formulajoint.compiler.over import plan_of
from formulajoint.compiler.plan import Plan, ScalePlan
from formulajoint.contrasts.hypotheses import Hypothesis, text_of_all_zero
from formulajoint.inference.one_kind import Against
from formulajoint.inference.quadrature import LogIntegral
from formulajoint.results.draws.tables import Estimates
from formulajoint.results.findings import MOST_ROWS, Findings
from formulajoint.results.joint_tests.bayes_factor.verdict import Verdict
from formulajoint.results.joint_tests.joint_test import JointTest
from formulajoint.results.joint_tests.questions import left_out, too_many
from formulajoint.results.joint_tests.shares import LABELS
from formulajoint.results.text.answers import answers, subject
from formulajoint.results.text.cautions import cautions
from formulajoint.results.text.comparisons import place_of
from formulajoint.results.text.contrasts import describe_contrast
from formulajoint.results.text.describe import (
    coefficient_rows,
    formula_lines,
)
from formulajoint.results.text.figures import (
    centre,
    classical_text,
    direction,
    factor_texts,
    factor_titles,
    fixed,
    may_be_smaller,
    numbers,
    share_text,
    verdict_text,
)
from formulajoint.results.text.lines import INDENT, note_lines, paragraph, table_lines, wrapped
from formulajoint.results.text.ratios import ratio_texts, ratio_titles, scale_lines
from formulajoint.results.text.rows import data_lines
from formulajoint.results.text.sentences import Answer
from formulajoint.results.text.units import effect_label, parameter_label
from formulajoint.results.text.within import within_lines
from formulajoint.wording import listed

type Cells = tuple[tuple[str, ...], Sequence[tuple[str, ...]]]
"""Head and rows of a table."""


def fit_text(found: Findings) -> str:
    """Return the text of a fit."""
    plan = found.plan
    warned = cautions(found.by_groups, subject(found.by_groups))
    sections = [
        note_lines(warned, "warning") + answer_lines(answers(found, found.tests)),
        formula_lines(plan),
        wrapped(data_lines(plan) + within_lines(plan.design) + understood(plan)),
        contrast_section(found),
        test_section(plan, found.tests),
        coefficient_section(found),
        [
            *note_lines(note for note in fit_notes(found) if note not in warned),
            *paragraph(
                sampler_line(found.judged.table, found.posterior.drawn_by)
                + ("" if found.judges_all else " (of the rows shown)")
                + ("; mind the warnings at the top" if warned else "")
            ),
        ],
    ]
    return "\n\n".join("\n".join(lines) for lines in sections if lines)


def answer_lines(found: Sequence[Answer]) -> list[str]:
    """Return the answers, each after its question."""
    return wrapped(f"{answer.question} {answer.line}." for answer in found)


def understood(plan: Plan) -> list[str]:
    """Return one line per term and parameter: ``treatment: one slope per school, not pooled``."""
    names = {
        name
        for part in plan.parameters
        for name in (
            [part.name]
            if isinstance(part, ScalePlan)
            else [
                *(c.name for c in part.coefficients),
                *(t.deviation_name for pool in part.varying for t in pool.terms),
            ]
        )
    }
    parts = [f"{name}: {what}" for name, what, _ in coefficient_rows(plan) if name in names]
    return [*scale_lines(plan), *parts]


def contrast_section(found: Findings) -> list[str]:
    """Return the contrasts as a table, each with a line of its description and weights."""
    effects, table = found.contrasts.effects, found.contrasts.table
    if not effects:
        return []
    weights = {effect.variable: text for effect, text in zip(effects, table["weights"], strict=True)}
    described = [
        f"{c.name}: {describe_contrast(found.plan, c)}"
        + (f"; weights {weights.get(c.name, '')}" if c.weights else "")
        for c in found.plan.contrasts
    ]
    below = (line for text in described for line in paragraph(text, INDENT + "  ", first="  "))
    return [*table_lines(*contrast_cells(found)), *wrapped(contrasts_not_shown(found)), *below]


def contrast_cells(found: Findings) -> Cells:
    """Return the table of contrasts as text, with the first `MOST_ROWS` entries of each."""
    ratio = ratio_titles(found.plan, found.contrasts.effects)
    shown = (
        row for c in found.plan.contrasts for row in islice(found.contrasts.of(c.name).each(), MOST_ROWS)
    )
    rows = [
        (
            effect_label(found.plan, effect),
            *centre(row),
            *ratio_texts(found.plan, ratio, effect, row),
            direction(row["p_direction"], row["ess_bulk"]),
        )
        for effect, row in shown
    ]
    return ("contrast", "mean", "sd", f"{found.prob:.0%} HDI", *ratio, "p_direction"), rows


def contrasts_not_shown(found: Findings) -> list[str]:
    """Return a line for each contrast with more entries than the table has."""
    counts = Counter(effect.variable for effect in found.contrasts.effects)
    return [
        f"... and {count - MOST_ROWS:,} more rows of {name} in contrasts()"
        for name, count in counts.items()
        if count > MOST_ROWS
    ]


def test_section(plan: Plan, tests: Sequence[JointTest]) -> list[str]:
    """Return the joint tests as a table, and each test's note below it."""
    if not tests:
        return []
    lines = table_lines(*test_cells(plan, tests))
    if any("contour" in test.shares for test in tests):
        lines += paragraph(CONTOUR, INDENT, first="  ")
    return lines + [
        line for test in tests if test.notes for line in note_lines([test.note], f"  {test.label}")
    ]


CONTOUR = "contour: share of the posterior that lies farther out than the hypothesis; reads like a p-value"
"""What the contour probability is, below the table that shows it."""


def test_cells(plan: Plan, tests: Sequence[JointTest]) -> Cells:
    """Return the table of joint tests as text."""
    rows = [
        (
            test_in_words(plan, test),
            *(share_text(test, share) for share in ("contour", "p_all_positive")),
            *factor_texts(tests, test),
            classical_text(test),
        )
        for test in tests
    ]
    titles = ("joint test", "contour", "P(all > 0)", *factor_titles(tests), "classical test")
    return titles, rows


def test_in_words(plan: Plan, test: JointTest) -> str:
    """Return a test's label, with the groups in words for a term's own test."""
    said = test.hypothesis
    where = everywhere(plan, said)
    return f"{said.text}{where}{', scale=response' if said.response else ''}" if where else test.label


def hypothesis_text(tests: Iterable[JointTest]) -> str:
    """Return joint tests as text, each with its figures, and a note why others are missing."""
    return "\n\n".join("\n".join([test.label, *_figures(test)]) for test in tests)


def _figures(test: JointTest) -> list[str]:
    figures = {"rank": f"{test.rank:g}"}
    for share, name in FIGURES.items():
        if share in test.shares:
            own = test.shares[share]
            figures[name] = (
                f"< {own.value:.2g}" if may_be_smaller(test, share) else _with_error(own.value, own.mcse)
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
    {"contour": "contour probability", "gbpv": "global Bayesian p-value", **LABELS}
)
"""Shares of draws of a joint test, with their names in text."""


def everywhere(plan: Plan, hypothesis: Hypothesis) -> str:
    """Return ``in every school`` for a term's own test, which does not name the groups, and `place_of` the term."""
    plan = plan_of(plan, hypothesis)
    predictor = plan.design.predictor
    texts = {text_of_all_zero(term): term for term in predictor.per_group}
    term = None if hypothesis.name else texts.get(hypothesis.text)
    if predictor.grouping is None or term is None:
        return ""
    return f" in every {predictor.grouping.name}{place_of(plan, term)}"


def _with_error(value: float, mcse: float) -> str:
    return f"{value:.4g} (mcse {mcse:.1g})"


def _range(verdict: Verdict) -> str:
    return f" (log BF10 from {verdict.low:.2f} to {verdict.high:.2f})"


def coefficient_section(found: Findings) -> list[str]:
    """Return the coefficients as a table; if there are too many, those that are not of a single group come first."""
    lines, rest = table_lines(*coefficient_cells(found.plan, found.shown, found.prob)), found.not_shown
    return [
        *lines,
        *([f"... and {rest} more {'row' if rest == 1 else 'rows'}: fit.summary() has all"] if rest else []),
    ]


def coefficient_cells(plan: Plan, found: Estimates, prob: float) -> Cells:
    """Return the table of coefficients as text."""
    ratio = ratio_titles(plan, found.effects)
    rows = [
        (
            parameter_label(plan, effect),
            *numbers(row),
            *ratio_texts(plan, ratio, effect, row),
            fixed(row["ess_bulk"], 0),
            fixed(row["r_hat"], 3),
        )
        for effect, row in found.each()
    ]
    return ("parameter", "mean", "sd", f"{prob:.0%} HDI", *ratio, "ess_bulk", "r_hat"), rows


def fit_notes(found: Findings) -> list[str]:
    """Return the notes of a printed fit."""
    return [*found.plan.notes, *blank_note(found), *_untested(found)]


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


def _untested(found: Findings) -> list[str]:
    """Return the note on joint tests that a printed fit leaves out, if there are any."""
    if labels := [test.label for test in found.untested]:
        return [
            f"keep='contrasts': the draws of each group's coefficients were not kept, and so there is no joint test of "
            f"{listed(labels, 6)}. A fit without `keep` has it."
        ]
    labels, groups = left_out(found.plan), too_many(found.plan)
    said = f"For {groups} groups joint tests take a while: run fit.test() for {listed(labels, 6)}."
    return [said] if labels else []


def sampler_line(summary: pd.DataFrame, engine: str) -> str:
    """Return the line about the draws: their engine, smallest ess_bulk and largest r_hat."""
    figures = [
        ("smallest ess_bulk", fixed(summary["ess_bulk"].min(), 0)),
        ("largest r_hat", fixed(summary["r_hat"].max(), 3)),
    ]
    known = ", ".join(f"{name} {figure}" for name, figure in figures if figure)
    return f"sampled by {engine}" + (f": {known}" if known else "")
