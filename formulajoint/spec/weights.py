"""Read ``weights=``: how groups or levels are weighted in a contrast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from formulajoint.errors import FormulaError
from formulajoint.language.syntax import nodes
from formulajoint.language.syntax.constants import constant
from formulajoint.language.syntax.text import canonical
from formulajoint.language.vocabulary.signatures import Kind, Slot
from formulajoint.spec.arguments import PLAIN, Context, Reader, described, name_span, read_arguments
from formulajoint.spec.spec import (
    ByColumn,
    ByLevel,
    ByPrecision,
    ByRows,
    ByScheme,
    BySum,
    Equal,
    Given,
    InOrder,
    Uncertain,
    Weighting,
)
from formulajoint.wording import did_you_mean

WORDS: Mapping[str, Weighting] = {"n": ByRows(), "equal": Equal(), "precision": ByPrecision()}


def read_weights(context: Context, slot: Slot, value: nodes.Expr) -> Weighting:
    """Return how a contrast weights groups or levels."""
    match value:
        case nodes.Name(id=name):
            return ByColumn(value) if value.quoted or name not in WORDS else WORDS[name]
        case nodes.Map():
            _check_keys(value)
            numbers = _numbers(value, [entry.value for entry in value.entries])
            pairs = zip(value.entries, numbers, strict=True)
            return ByLevel(tuple(Given((e.level, number), canonical(e), e.span) for e, number in pairs))
        case nodes.Sequence():
            return InOrder(_numbers(value, value.items))
        case nodes.Call(name="I"):
            hint = "write a weight for every group: `{A: 0.3, B: 0.7}`"
            raise FormulaError("a map of weights needs `level: weight`", value.span, hint)
        case nodes.Call():
            return _scheme(context, value)
        case nodes.Text(value=text):
            hint = f"write `{text}` without quotes" if text in slot.words else did_you_mean(text, slot.words)
            raise FormulaError("weights are not given as a text", value.span, hint)
    hint = "write `n`, `equal`, `precision`, a column, or `{A: 0.3, B: 0.7}`"
    raise FormulaError(f"{described(value)} cannot be used as weights", value.span, hint)


def _scheme(context: Context, call: nodes.Call) -> Weighting:
    """Return a weighting that is written as a call: ``sum(column)``, ``dirichlet(n)``, an extension's scheme."""
    signature = context.look_up("weight scheme", call.name, name_span(call))
    given = read_arguments(context, call, signature, READERS)
    match call.name:
        case "sum":
            return BySum(given.value("column"))
        case "dirichlet":
            return Uncertain(given.named["counts"])
    columns = tuple(read.value for read in given.named.values() if isinstance(read.value, nodes.Name))
    options = {
        name: read.value for name, read in given.named.items() if not isinstance(read.value, nodes.Name)
    }
    return ByScheme(call.name, columns, options)


def _read_counts(context: Context, slot: Slot, value: nodes.Expr) -> Weighting:
    """Return the counts in ``dirichlet(...)``: weights that are not uncertain themselves."""
    certain = "`n`, `equal`, `sum(column)`, a column, or `{A: 30, B: 70}`"
    match value:
        case nodes.Name(id="precision", quoted=False):
            raise FormulaError(
                "`precision` cannot be used as Dirichlet counts", value.span, f"write {certain}"
            )
        case nodes.Call(name="dirichlet"):
            raise FormulaError("`dirichlet` is not allowed in `dirichlet`", value.span, f"write {certain}")
    return read_weights(context, slot, value)


def _check_keys(weights: nodes.Map) -> None:
    seen: set[str] = set()
    for entry in weights.entries:
        if isinstance(entry.value, nodes.Chain) and entry.value.operators[0] == ":":
            hint = 'write `{"a:b": 0.3}`'
            raise FormulaError("a level with `:` must stand in quotes here", entry.span, hint)
        if entry.level.text in seen:
            raise FormulaError(f"the level `{entry.level.text}` has two weights", entry.span)
        seen.add(entry.level.text)


def _numbers(weights: nodes.Expr, values: Sequence[nodes.Expr]) -> tuple[float, ...]:
    """Return the weights of a map or a list: none negative, not all zero."""
    numbers = tuple(map(constant, values))
    for number, value in zip(numbers, values, strict=True):
        if number < 0:
            raise FormulaError("a weight cannot be negative", value.span)
    if not any(numbers):
        raise FormulaError("all weights are zero", weights.span)
    return numbers


READERS: Mapping[Kind, Reader[Any]] = {
    **PLAIN,
    Kind.WEIGHTS: read_weights,
    Kind.COUNTS: _read_counts,
}
