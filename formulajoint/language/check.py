"""Check the names and positions in a formula against the language, before any data are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from formulajoint.errors import FormulaError
from formulajoint.language.arguments import PLAIN, Check, Reader, check_arguments, described, name_span
from formulajoint.language.coefficients import check_effect, check_hypothesis, check_term
from formulajoint.language.formula import Formula
from formulajoint.language.predictors import CHECKS, check_group, check_predictors, check_response
from formulajoint.language.syntax import nodes
from formulajoint.language.syntax.constants import constant
from formulajoint.language.syntax.text import canonical
from formulajoint.language.vocabulary.signatures import Kind, Slot
from formulajoint.spans import Span
from formulajoint.wording import did_you_mean


def check_formula(reader: Reader, formula: Formula) -> None:
    """Check a whole formula, or raise a FormulaError."""
    check_response(reader, formula.response)
    check_predictors(reader, formula.predictors)
    if formula.group:
        check_group(formula.group)
    for clause in formula.clauses:
        check_clause(reader, clause)
    _check_repeats(reader, formula.clauses)


def check_clause(reader: Reader, clause: nodes.Parameter | nodes.Clause) -> None:
    """Check one clause on its own."""
    if isinstance(clause, nodes.Clause):
        signature = reader.look_up("clause", clause.name, name_span(clause.call))
        check_arguments(reader, clause.call, signature, ARGUMENTS)
        return
    check_predictors(reader, clause.predictors)
    if clause.group:
        check_group(clause.group)


def check_after_fit(reader: Reader, clause: nodes.Parameter | nodes.Clause) -> None:
    """Check a contrast clause given to a finished fit."""
    check_clause(reader, clause)
    clauses = reader.language.names["clause"]
    if isinstance(clause, nodes.Parameter) or not clauses[clause.name].after_fit:
        message = f"`{clause.name}` belongs to the model, and cannot be asked of a fit"
        raise FormulaError(message, clause.span, "put it into the formula, and fit again")


def check_hypotheses(reader: Reader, hypotheses: Sequence[nodes.Expr]) -> None:
    """Check the hypotheses of a test."""
    for hypothesis in hypotheses:
        check_hypothesis(reader, Slot("hypothesis", Kind.HYPOTHESIS), hypothesis)


# --- what may be stated only once


def _check_repeats(reader: Reader, clauses: Sequence[nodes.Parameter | nodes.Clause]) -> None:
    seen: set[tuple[str, str]] = set()
    for what, name, span in _unique_things(reader, clauses):
        if (what, name) in seen:
            raise FormulaError(f"{what} `{name}` stands twice", span, "leave one of them out")
        seen.add((what, name))


def _unique_things(
    reader: Reader, clauses: Sequence[nodes.Parameter | nodes.Clause]
) -> Iterator[tuple[str, str, Span]]:
    """Yield what a formula may state only once: the kind of thing, its name, and its span."""
    for clause in clauses:
        if isinstance(clause, nodes.Parameter):
            yield "the parameter", clause.name, clause.span
            continue
        signature = reader.language.names["clause"][clause.name]
        if signature.once:
            yield "the clause", clause.name, clause.span
        label = clause.call.keyword("name") if signature.after_fit else None
        if isinstance(label, nodes.Name | nodes.Text):
            what = "the test" if clause.name == "test" else "the contrast"
            yield what, label.id if isinstance(label, nodes.Name) else label.value, label.span
        for argument in clause.call.args:
            if isinstance(argument, nodes.Distributed):
                yield "the prior of", canonical(argument.target), argument.span


# --- arguments that only clauses take


def _check_prior(reader: Reader, slot: Slot, value: nodes.Expr) -> None:
    if not isinstance(value, nodes.Distributed):
        match value:
            case nodes.Chain(operators=("==",), operands=(target, nodes.Call() as call)):
                hint = f"write `{canonical(target)} ~ {canonical(call)}`"
            case _:
                hint = "write `prior(treatment ~ normal(0, 5))`"
        raise FormulaError("a prior says of what: `term ~ distribution(...)`", value.span, hint)
    if isinstance(value.target, nodes.Subscript | nodes.Attribute):
        check_effect(reader, slot, value.target)
    else:
        check_term(reader, slot, value.target)
    signature = reader.look_up("distribution", value.distribution.name, name_span(value.distribution))
    check_arguments(reader, value.distribution, signature, PLAIN)


def _check_weights(reader: Reader, slot: Slot, value: nodes.Expr) -> None:
    match value:
        case nodes.Name():
            return
        case nodes.Map():
            _check_keys(value)
            _check_given(value, [entry.value for entry in value.entries])
        case nodes.Sequence():
            _check_given(value, value.items)
        case nodes.Call(name="I"):
            hint = "write a weight for every group: `{A: 0.3, B: 0.7}`"
            raise FormulaError("a map of weights needs `level: weight`", value.span, hint)
        case nodes.Call():
            signature = reader.look_up("weight scheme", value.name, name_span(value))
            check_arguments(reader, value, signature, ARGUMENTS)
        case nodes.Text(value=text):
            hint = f"write `{text}` without quotes" if text in slot.words else did_you_mean(text, slot.words)
            raise FormulaError("weights are not given as a text", value.span, hint)
        case _:
            hint = "write `n`, `equal`, `precision`, a column, or `{A: 0.3, B: 0.7}`"
            raise FormulaError(f"{described(value)} is no set of weights", value.span, hint)


def _check_counts(reader: Reader, slot: Slot, value: nodes.Expr) -> None:
    """Check the counts in ``dirichlet(...)``: weights that are not uncertain themselves."""
    certain = "`n`, `equal`, `sum(column)`, a column, or `{A: 30, B: 70}`"
    match value:
        case nodes.Name(id="precision", quoted=False):
            raise FormulaError("a precision is no count of people", value.span, f"write {certain}")
        case nodes.Call(name="dirichlet"):
            raise FormulaError("`dirichlet` cannot stand in `dirichlet`", value.span, f"write {certain}")
    _check_weights(reader, slot, value)


def _check_keys(weights: nodes.Map) -> None:
    seen: set[str] = set()
    for entry in weights.entries:
        if isinstance(entry.value, nodes.Chain) and entry.value.operators[0] == ":":
            hint = 'write `{"a:b": 0.3}`'
            raise FormulaError("a level with `:` must stand in quotes here", entry.span, hint)
        if entry.level.text in seen:
            raise FormulaError(f"the level `{entry.level.text}` has two weights", entry.span)
        seen.add(entry.level.text)


def _check_given(weights: nodes.Expr, values: Sequence[nodes.Expr]) -> None:
    numbers = [constant(value) for value in values]
    for number, value in zip(numbers, values, strict=True):
        if number < 0:
            raise FormulaError("a weight cannot be negative", value.span)
    if not any(numbers):
        raise FormulaError("all weights are zero", weights.span)


ARGUMENTS: Mapping[Kind, Check] = {
    **CHECKS,
    Kind.TERM: check_term,
    Kind.EFFECT: check_effect,
    Kind.HYPOTHESIS: check_hypothesis,
    Kind.PRIOR: _check_prior,
    Kind.WEIGHTS: _check_weights,
    Kind.COUNTS: _check_counts,
}
