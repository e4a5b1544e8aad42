"""What every reader uses: the tables of names, and readers of simple values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from formulajoint.errors import FormulaError
from formulajoint.language.syntax import nodes
from formulajoint.language.syntax.constants import constant
from formulajoint.language.syntax.levels import level_of
from formulajoint.language.syntax.text import canonical
from formulajoint.language.vocabulary.core import ELSEWHERE, R_TRUTH, TRUTH
from formulajoint.language.vocabulary.language import Language, Position
from formulajoint.language.vocabulary.refused import FAMILIES_ELSEWHERE, REFUSED
from formulajoint.language.vocabulary.signatures import Kind, Signature, Slot, matched
from formulajoint.spans import Span
from formulajoint.spec.spec import Given
from formulajoint.wording import did_you_mean, listed


@dataclass(frozen=True, slots=True)
class Context:
    """The language of a text being read; `used` collects the extensions that the text needs."""

    language: Language
    used: set[str] = field(default_factory=set)

    def look_up(self, position: Position, name: str, span: Span) -> Signature:
        """Return the signature of `name` in its position, or raise a FormulaError that suggests a known name."""
        table = self.language.names[position]
        if name not in table:
            if position == "function":
                refuse_foreign(name, span)
            if position == "family":
                refuse_family(name, span)
            other = ELSEWHERE.get(name.casefold(), "")
            near = f"did you mean `{other}`?" if other in table else did_you_mean(name, table)
            hint = near or self._elsewhere(name) or f"choose one of {listed(table, 20)}"
            raise FormulaError(f"there is no {position} `{name}`", span, hint)
        self.used.add(table[name].extension)
        return table[name]

    def _elsewhere(self, name: str) -> str:
        """Return the hint that names the position in which `name` has a meaning, or an empty string."""
        homes = (home for position, home in HOMES.items() if name in self.language.names[position])
        return next((f"`{name}` is {home}" for home in homes), "")


def refuse_foreign(name: str, span: Span) -> None:
    """Raise a FormulaError for a function that other packages have and the language does not."""
    if name in REFUSED:
        what, instead = REFUSED[name]
        raise FormulaError(f"`{name}(...)` {what}", span, instead)


def refuse_family(name: str, span: Span) -> None:
    """Raise a FormulaError for a family that is called otherwise here, or is not there, with the nearest."""
    told = FAMILIES_ELSEWHERE.get(name.casefold())
    if told is not None:
        raise FormulaError(f"there is no family `{name}`", span, f"`{name}` {told}")


HOMES: Mapping[Position, str] = {
    "clause": "a clause, which stands after a comma outside parentheses",
    "function": "a function of columns, which stands among predictors",
    "distribution": "a distribution, which stands in `prior(...)`",
    "family": "a family, which stands in `family(...)`",
}


def name_span(call: nodes.Call) -> Span:
    """Return the span of the name of `call`."""
    start, end = call.span.start, call.span.end
    return replace(call.span, end=min(end, start + len(call.name)))


type Reader[T] = Callable[[Context, Slot, nodes.Expr], T]
"""From an argument, with the slot it fills, to what it states; a FormulaError if it cannot stand there."""


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments of a call, read: those of the signature's `rest` in order, all others by name."""

    rest: tuple[Any, ...]
    named: Mapping[str, Given[Any]]

    def value(self, name: str, default: Any = None) -> Any:
        """Return the value of argument `name`, or `default` if it is not given."""
        return self.named[name].value if name in self.named else default


def read_arguments(
    context: Context, call: nodes.Call, signature: Signature, readers: Mapping[Kind, Reader[Any]]
) -> Arguments:
    """Return the arguments of `call`, with their number, names and kinds checked."""
    rest, named = [], {}
    for slot, value in matched(call, signature):
        read = readers[slot.kind](context, slot, value)
        if slot is signature.rest:
            rest.append(read)
        else:
            named[slot.name] = Given(read, canonical(value), value.span)
    return Arguments(tuple(rest), named)


def is_word(value: nodes.Expr, words: tuple[str, ...]) -> bool:
    """Return whether `value` is one of `words`; a name in backticks is always a column."""
    return isinstance(value, nodes.Name) and not value.quoted and value.id in words


def described(value: nodes.Expr) -> str:
    """Return the kind of `value` as a phrase: ``a comparison``."""
    if isinstance(value, nodes.Chain) and value.operators[0] in ("==", "!=", "<", "<=", ">", ">="):
        return "a comparison"
    if isinstance(value, nodes.Name) and value.quoted:
        return "a name in backticks"
    if isinstance(value, nodes.Chain) and value.operators[0] == ":":
        return "an interaction"
    if isinstance(value, nodes.Chain) and value.operators[0][0] == "%":
        return f"the operator `{value.operators[0]}`"
    return DESCRIPTIONS[type(value)]


DESCRIPTIONS: Mapping[type, str] = {
    nodes.Name: "a name",
    nodes.Attribute: "a part of a hierarchy",
    nodes.Number: "a number",
    nodes.Text: "a text in quotes",
    nodes.Rest: "`.`",
    nodes.Unary: "a signed value",
    nodes.Chain: "arithmetic",
    nodes.Call: "a call",
    nodes.Subscript: "a coefficient reference",
    nodes.Map: "a map",
    nodes.Sequence: "a list",
    nodes.Distributed: "a distribution",
    nodes.GroupTerm: "a group term",
}


# --- simple values


def _column(context: Context, slot: Slot, value: nodes.Expr) -> nodes.Name:
    if not isinstance(value, nodes.Name):
        if isinstance(value, nodes.Call):
            refuse_foreign(value.name, name_span(value))
        message = f"the name of a column is expected here, not {described(value)}"
        raise FormulaError(message, value.span, "add it to the data as a column of its own")
    return value


def _word(context: Context, slot: Slot, value: nodes.Expr) -> str | bool:
    if isinstance(value, nodes.Name) and is_word(value, slot.words):
        return value.id == TRUTH[0] if slot.words == TRUTH else value.id
    if slot.words == TRUTH and is_word(value, R_TRUTH):
        return canonical(value) == R_TRUTH[0]
    choice = f"`{slot.name}` is one of {listed(slot.words)}"
    written = _written(value)
    if written:
        plain = f"write `{written}` alone" if written in slot.words else ""
        raise FormulaError(choice, value.span, plain or did_you_mean(written, slot.words))
    raise FormulaError(choice, value.span)


def _number(context: Context, slot: Slot, value: nodes.Expr) -> float:
    return constant(value)


def _positive(context: Context, slot: Slot, value: nodes.Expr) -> float | str | bool:
    """Return a number above zero, or one of the words that `slot` has."""
    if slot.words and isinstance(value, nodes.Name | nodes.Text):
        return _word(context, slot, value)
    number = constant(value)
    if number <= 0:
        raise FormulaError(f"`{slot.name}` must be greater than zero", value.span)
    return number


def _whole(context: Context, slot: Slot, value: nodes.Expr) -> int:
    if not isinstance(value, nodes.Number) or not value.text.isdecimal() or value.value < 1:
        raise FormulaError(f"`{slot.name}` must be a whole number, 1 or more", value.span)
    return int(value.text)


def _integer(context: Context, slot: Slot, value: nodes.Expr) -> int:
    number = constant(value)
    if not number.is_integer():
        raise FormulaError(f"`{slot.name}` must be a whole number", value.span)
    return int(number)


def _level(context: Context, slot: Slot, value: nodes.Expr) -> nodes.Level:
    level = level_of(value)
    if level is None:
        message = f"`{slot.name}` must be a level, not {described(value)}"
        raise FormulaError(message, value.span, "put the level in quotes")
    return level


def _levels(context: Context, slot: Slot, value: nodes.Expr) -> tuple[nodes.Level, ...]:
    if not isinstance(value, nodes.Sequence):
        message = f"`{slot.name}` must be a list of levels, not {described(value)}"
        raise FormulaError(message, value.span, f"write `{slot.name}=[low, mid, high]`")
    return tuple(_level(context, slot, each) for each in value.items)


def _label(context: Context, slot: Slot, value: nodes.Expr) -> str:
    match value:
        case nodes.Name(id=label):
            return label
        case nodes.Text(value=label) if label.strip():
            return label
        case nodes.Text():
            raise FormulaError(f"`{slot.name}` is empty", value.span)
    message = f"`{slot.name}` must be a name, not {described(value)}"
    raise FormulaError(message, value.span, "write a name, or a text in quotes")


def _name_of(position: Position) -> Reader[str]:
    """Return the reader of an argument that is a name of `position`, such as ``coding=sum``."""

    def read(context: Context, slot: Slot, value: nodes.Expr) -> str:
        if isinstance(value, nodes.Name) and not value.quoted:
            context.look_up(position, value.id, value.span)
            return value.id
        table = context.language.names[position]
        written = _written(value)
        hint = f"write `{written}` alone" if written in table else f"choose one of {listed(table, 20)}"
        if isinstance(value, nodes.Call) and position == "family" and (link := _link_of(value)) is not None:
            hint = f"the link stands beside the name: `family({value.name}, link={canonical(link)})`"
        message = f"`{slot.name}` must be the name of a {position}, not {described(value)}"
        raise FormulaError(message, value.span, hint)

    return read


def _link_of(family: nodes.Call) -> nodes.Expr | None:
    """Return the link in ``bernoulli(link=probit)`` or ``bernoulli(probit)``, as other packages have it."""
    return family.keyword("link") or next(iter(family.args), None)


def _written(value: nodes.Expr) -> str:
    """Return the word in a value that should have been a bare name, or an empty string."""
    match value:
        case nodes.Name(id=word) | nodes.Text(value=word) | nodes.Call(name=word):
            return word
    return ""


PLAIN: Mapping[Kind, Reader[Any]] = {
    Kind.COLUMN: _column,
    Kind.WORD: _word,
    Kind.NUMBER: _number,
    Kind.POSITIVE: _positive,
    Kind.WHOLE: _whole,
    Kind.INTEGER: _integer,
    Kind.LEVEL: _level,
    Kind.LEVELS: _levels,
    Kind.LABEL: _label,
    Kind.FAMILY: _name_of("family"),
    Kind.CODING: _name_of("coding"),
}
