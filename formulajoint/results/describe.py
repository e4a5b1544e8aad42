"""``explain()``: what was understood, as text and as data, before anything is sampled.

It needs a plan only, so that it answers at once: no PyMC, ArviZ or pandas.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from textwrap import wrap
from typing import Any

from formulajoint.compiler.plan import Coefficient, ContrastPlan, LinearPlan, Plan, Pool, ScalePlan
from formulajoint.contrasts.weights import group_rows
from formulajoint.design.hierarchy import MAIN
from formulajoint.design.schema import Grouping
from formulajoint.language.ir import Formula
from formulajoint.language.text import canonical

MOST_GROUPS = 8
WIDTH = 100


def explain(plan: Plan) -> str:
    """Return the model in words: data, equation, every coefficient with its prior, contrasts, notes."""
    sections = [
        formula_lines(plan.design.formula),
        [*data_lines(plan), *equation_lines(plan)],
        table_lines(("coefficient", "what it is", "prior"), coefficient_rows(plan)),
        contrast_lines(plan),
        note_lines(plan.notes),
    ]
    return "\n\n".join("\n".join(lines) for lines in sections if lines)


def model_record(plan: Plan) -> dict[str, Any]:
    """Return what ``explain()`` says, as data."""
    grouping = plan.design.predictor.grouping
    rows = plan.design.rows
    return {
        "formula": str(plan.design.formula),
        "family": plan.family.name,
        "rows": {"total": rows.total, "used": rows.used, "missing": dict(rows.missing)},
        "groups": None if grouping is None else {"name": grouping.name, "labels": list(grouping.labels)},
        "coefficients": [
            {"name": name, "description": what, "prior": prior}
            for name, what, prior in coefficient_rows(plan)
        ],
        "contrasts": [
            {"name": c.name, "clause": c.text, "description": describe_contrast(plan, c)}
            for c in plan.contrasts
        ],
        "notes": list(plan.notes),
    }


def formula_lines(formula: Formula) -> list[str]:
    """Return the canonical text on one line or, where that is long, with a line for each clause."""
    text = str(formula)
    if len(text) <= WIDTH:
        return [text]
    head = canonical(replace(formula, clauses=()))
    return ",\n".join([head, *(f"    {canonical(clause)}" for clause in formula.clauses)]).split("\n")


def data_lines(plan: Plan) -> list[str]:
    """Return what was read: rows used and dropped, and the groups with their rows."""
    rows, grouping = plan.design.rows, plan.design.predictor.grouping
    used = f"{rows.used} rows" if not rows.dropped else f"{rows.used} of {rows.total} rows"
    lines = [f"data: {used}" + (f", {rows.dropped} dropped for missing values" if rows.dropped else "")]
    if plan.design.row_weights is not None:
        lines[0] += f", counted as {plan.design.row_weights.sum():g} by their weights"
    if grouping is not None:
        lines[0] += f"; {len(grouping)} {'group' if len(grouping) == 1 else 'groups'} of {grouping.name}"
        lines[0] += f" ({_group_sizes(plan, grouping)})"
    return lines


def _group_sizes(plan: Plan, grouping: Grouping) -> str:
    sizes = group_rows(plan.design)
    if len(grouping) > MOST_GROUPS:
        return f"{sizes.min():g} to {sizes.max():g} rows each"
    return ", ".join(f"{label} {size:g}" for label, size in zip(grouping.labels, sizes, strict=True))


def equation_lines(plan: Plan) -> list[str]:
    """Return the likelihood and the linear predictors as equations in the data's own names."""
    rest = ", ".join(
        p.predictor.parameter if isinstance(p, LinearPlan) else _indexed(p.name, p.dims)
        for p in plan.parameters
    )
    law = {"gaussian": "normal", "student": "student_t"}[plan.family.name]
    lines = [f"model: {plan.response_name} ~ {law}(mu, {rest})", f"       mu = {_sum(plan.mean)}"]
    for part in plan.parameters:
        if isinstance(part, LinearPlan):
            lines.append(f"       log({part.predictor.parameter}) = {_sum(part)}")
    return lines


def _indexed(name: str, dims: Sequence[str]) -> str:
    return f"{name}[{', '.join(dims)}]" if dims else name


def _sum(part: LinearPlan) -> str:
    terms = [] if part.predictor.offset is None else ["offset"]
    for c in part.coefficients:
        column = "" if c.term.name == "Intercept" else f" * {c.term.name}"
        terms.append(_indexed(c.name, c.dims) + column)
    return " + ".join(terms) if terms else "0"


def coefficient_rows(plan: Plan) -> list[tuple[str, str, str]]:
    """Return name, description and prior of every variable of the model that has one."""
    rows = list(_linear_rows(plan.mean))
    for part in plan.parameters:
        rows += _linear_rows(part) if isinstance(part, LinearPlan) else _scale_rows(part)
    return rows


def _linear_rows(part: LinearPlan) -> Iterator[tuple[str, str, str]]:
    pooled = {term.coefficient.name: pool for pool in part.pools for term in pool.terms}
    for coefficient in part.coefficients:
        pool = pooled.get(coefficient.name)
        yield coefficient.name, describe_coefficient(part, coefficient, pool), _prior_text(coefficient, pool)
    for pool in part.pools:
        for term in pool.terms:
            grouping = _grouping_name(part)
            yield term.mean_name, f"{_place(pool)} of {term.coefficient.name} over {grouping}", str(term.mean)
            yield term.sd_name, f"{_width(pool)} of {term.coefficient.name} over {grouping}", str(term.sd)
        if pool.correlation is not None:
            yield pool.correlation.name, "their correlations", f"lkj({pool.correlation.eta:g})"


def _place(pool: Pool) -> str:
    return "mean" if pool.request.dist == "normal" else "location"


def _width(pool: Pool) -> str:
    return "sd" if pool.request.dist == "normal" else "scale"


def _grouping_name(part: LinearPlan) -> str:
    return part.predictor.grouping.name if part.predictor.grouping is not None else ""


def describe_coefficient(part: LinearPlan, coefficient: Coefficient, pool: Pool | None) -> str:
    """Return one phrase such as ``one slope per school, not pooled``."""
    kind = "intercept" if coefficient.term.name == "Intercept" else "slope"
    if coefficient.term.factors:
        count = coefficient.term.columns.shape[1]
        kind = f"{count} coefficients" if count > 1 else "coefficient"
    one = "" if coefficient.term.factors and coefficient.term.columns.shape[1] > 1 else "one "
    link = "" if part.predictor.parameter == MAIN else f" of log({part.predictor.parameter})"
    if not coefficient.grouped:
        shared = ", shared by all groups" if part.predictor.grouping is not None else ""
        return f"{one}{kind}{link}{shared}"
    state = "not pooled" if pool is None else _pooling(pool, coefficient)
    return f"{one}{kind}{link} per {_grouping_name(part)}, {state}"


def _pooling(pool: Pool, coefficient: Coefficient) -> str:
    term = next(t for t in pool.terms if t.coefficient is coefficient)
    form = "centred" if term.centered else "not centred"
    chosen = " (chosen)" if pool.request.centered is None else ""
    return f"pooled by a {pool.request.dist} hierarchy, {form}{chosen}"


def _prior_text(coefficient: Coefficient, pool: Pool | None) -> str:
    if coefficient.prior is not None:
        return str(coefficient.prior)
    if pool is None:
        return ""
    term = next(t for t in pool.terms if t.coefficient is coefficient)
    df = f"{pool.request.df:g}, " if pool.request.dist == "student" else ""
    return f"{pool.request.dist}({df}{term.mean_name}, {term.sd_name})"


def _scale_rows(part: ScalePlan) -> Iterator[tuple[str, str, str]]:
    what = "residual sd" if part.parameter == "sigma" else "degrees of freedom"
    if part.grouping is None:
        yield part.name, f"{what}, one for all rows", str(part.prior)
    elif part.pool is None:
        yield part.name, f"one {what} per {part.grouping.name}, not pooled", str(part.prior)
    else:
        pool = part.pool
        form = "centred" if pool.centered else "not centred"
        what = f"one {what} per {part.grouping.name}, pooled by a {pool.request.dist} hierarchy, {form}"
        yield part.name, what, f"log {part.name} ~ {pool.request.dist}(log {pool.mean_name}, {pool.sd_name})"
        yield pool.mean_name, f"the middle {part.parameter} over {part.grouping.name}", str(part.prior)
        yield (
            pool.sd_name,
            f"{pool.request.dist} scale of log {part.name} over {part.grouping.name}",
            str(pool.sd),
        )


def contrast_lines(plan: Plan) -> list[str]:
    """Return one line a contrast: what it averages, with which weights."""
    return [f"{c.name}: {describe_contrast(plan, c)}; {_weights(plan, c)}" for c in plan.contrasts]


def describe_contrast(plan: Plan, contrast: ContrastPlan) -> str:
    """Return one phrase such as ``weighted mean of treatment over school, in residual sds``."""
    grouping = plan.design.predictor.grouping
    scale = {
        "none": "",
        "sigma": ", divided by the residual sd",
        "sd": f", divided by the sd of {plan.response_name} in the group",
        "number": "" if contrast.divisors is None else f", divided by {contrast.divisors[0]:g}",
    }[contrast.scale]
    over = grouping.name if grouping is not None else ""
    return f"{contrast.function.meaning} of {contrast.coefficient.name} over {over}{scale}"


def _weights(plan: Plan, contrast: ContrastPlan) -> str:
    grouping = plan.design.predictor.grouping
    values = contrast.weights.values
    if contrast.weights_name is not None:
        return f"weights {contrast.weights.scheme}, divided by each group's sigma^2 draw by draw"
    if grouping is None or values.ndim > 1 or len(grouping) > MOST_GROUPS:
        return f"weights {contrast.weights.scheme}, from {values.min():.3g} to {values.max():.3g}"
    named = ", ".join(f"{label} {w:.3g}" for label, w in zip(grouping.labels, values, strict=True))
    return f"weights {contrast.weights.scheme}: {named}"


def note_lines(notes: Iterable[str]) -> list[str]:
    """Return notes wrapped to the page, each behind ``note:``."""
    return [line for note in notes for line in wrap(f"note: {note}", WIDTH, subsequent_indent="      ")]


def table_lines(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Return a table with left-aligned columns under a rule."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]

    def line(row: tuple[str, ...]) -> str:
        return "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()

    return [line(head), "  ".join("-" * width for width in widths), *(line(row) for row in rows)]
