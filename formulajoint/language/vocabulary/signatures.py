"""Signatures: the arguments that a name takes, and the matching of a call's arguments to them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from formulajoint.errors import FormulaError
from formulajoint.language.syntax import nodes, text
from formulajoint.language.vocabulary.refused import FOREIGN, FURTHER
from formulajoint.wording import did_you_mean, listed


class Kind(Enum):
    """The kind of value that an argument takes; each member's value is its description in messages."""

    ARITHMETIC = "arithmetic of columns"
    LOGICAL = "arithmetic or a comparison of columns"
    ALGEBRA = "predictors"
    COLUMN = "a column"
    GROUP = "a column of labels, or several"
    TERM = "a term of the model"
    NUMBER = "a number"
    POSITIVE = "a positive number"
    WHOLE = "a positive whole number"
    INTEGER = "a whole number"
    WORD = "one word"
    LEVEL = "a level"
    LEVELS = "a list of levels"
    LABEL = "a name"
    EFFECT = "arithmetic of coefficients"
    HYPOTHESIS = "a comparison of coefficients"
    PRIOR = "`term ~ distribution(...)`"
    FAMILY = "a family"
    CODING = "a coding"
    WEIGHTS = "weights"
    COUNTS = "weights, as counts"


@dataclass(frozen=True, slots=True)
class Slot:
    """One parameter of a call: its name, the kind of its value, and words with a special meaning there.

    If `named`, a positional argument may also be given as ``name=value``. `sample` is a value for hints, where that of
    its kind would not do.
    """

    name: str
    kind: Kind
    words: tuple[str, ...] = ()
    named: bool = False
    sample: str = ""

    @property
    def example(self) -> str:
        """A value that is accepted here."""
        return self.sample or EXAMPLES.get(self.kind) or self.words[0]

    def suits(self, value: nodes.Expr) -> bool:
        """Return whether `value`, given without a name, is likely meant for this parameter."""
        match value:
            case nodes.Number():
                return self.kind in (Kind.WHOLE, Kind.INTEGER, Kind.POSITIVE, Kind.NUMBER)
            case nodes.Name(id=name):
                word = name in self.words or (self.kind is Kind.CODING and name not in ("x", "ref"))
                return word or self.kind is Kind.GROUP
            case nodes.Text():
                return self.kind is Kind.LEVEL
        return False


EXAMPLES = {
    Kind.ARITHMETIC: "x",
    Kind.LOGICAL: "x > 3",
    Kind.ALGEBRA: "x",
    Kind.COLUMN: "x",
    Kind.GROUP: "school",
    Kind.TERM: "x",
    Kind.NUMBER: "0",
    Kind.POSITIVE: "1",
    Kind.WHOLE: "2",
    Kind.INTEGER: "1",
    Kind.LEVEL: '"A"',
    Kind.LEVELS: "[low, high]",
    Kind.LABEL: "name",
    Kind.EFFECT: "x[A] - x[B]",
    Kind.HYPOTHESIS: "x == 0",
    Kind.PRIOR: "x ~ normal(0, 5)",
    Kind.FAMILY: "student",
    Kind.CODING: "sum",
    Kind.WEIGHTS: "n",
    Kind.COUNTS: "n",
}
"""An argument of each kind, for hints; a word has its own."""

type Place = Literal["response", "predictors", "arithmetic"]

EVERYWHERE: tuple[Place, ...] = ("response", "predictors", "arithmetic")


@dataclass(frozen=True, slots=True)
class Signature:
    """The parameters of a name that is called.

    Attributes
    ----------
    positional : tuple of Slot
        Positional arguments in order.
    rest : Slot or None
        The kind of any further positional arguments.
    keywords : tuple of Slot
        Arguments given as ``name=value`` only.
    least : int
        Smallest number of positional arguments.
    places : tuple of Place
        For a column function: the positions in which it may stand.
    summand : bool
        For a column function: whether it is always a whole term, as ``offset(x)`` is.
    once : bool
        For a clause: whether a formula may have only one of that name.
    after_fit : bool
        For a clause: whether it can be applied to a finished fit.
    extension : str
        Name of the extension that defines it; empty for the plain language.
    """

    positional: tuple[Slot, ...] = ()
    rest: Slot | None = None
    keywords: tuple[Slot, ...] = ()
    least: int = 0
    places: tuple[Place, ...] = EVERYWHERE
    summand: bool = False
    once: bool = False
    after_fit: bool = False
    extension: str = ""

    @property
    def by_name(self) -> tuple[Slot, ...]:
        """The arguments that may be given as ``name=value``."""
        return (*[slot for slot in self.positional if slot.named], *self.keywords)

    def accepted(self, call: nodes.Call) -> str:
        """Return `call` with what it lacks, and without what it does not take, as text that can be copied."""
        most = len(self.positional) if self.rest is None else len(call.args)
        given = {slot.name: slot for slot in self.by_name}
        kept = {k.name: text.canonical(k.value) for k in call.keywords if k.name in given}
        unknown = [text.canonical(k.value) for k in call.keywords if k.name not in given]
        args = [text.canonical(value) for value in call.args[:most]]
        if call.args and self.positional and self.positional[0].kind is Kind.ALGEBRA:
            args = [" + ".join(map(text.canonical, call.args))]
        for extra in call.args[most:]:
            fitting = [slot.name for slot in self.keywords if slot.name not in kept and slot.suits(extra)]
            kept |= dict.fromkeys(fitting[:1], text.canonical(extra))
        for slot in self.positional[len(args) : self.least]:
            if slot.name in kept:
                continue
            value = unknown.pop(0) if unknown and slot.named else slot.example
            if slot.named and kept:
                kept[slot.name] = value
            else:
                args.append(value)
        if self.rest and len(args) < self.least:
            args.append(self.rest.example)
        return f"{call.name}({', '.join([*args, *(f'{name}={value}' for name, value in kept.items())])})"

    def hint(self, call: nodes.Call) -> str:
        """Return what to write for a call that has too many or unknown arguments."""
        written = self.accepted(call)
        others = [f"{slot.name}=" for slot in self.keywords if f"{slot.name}=" not in written]
        return f"write `{written}`" + (f"; it also takes {listed(others)}" if others else "")


def matched(call: nodes.Call, signature: Signature) -> list[tuple[Slot, nodes.Expr]]:
    """Return each argument of `call` with the slot it fills.

    Raises
    ------
    FormulaError
        If an argument is missing, repeated or unknown, or there are too many.
    """
    pairs = _positional(call, signature)
    slots = {slot.name: slot for slot in signature.by_name}
    filled = {slot.name for slot, _ in pairs if slot is not signature.rest}
    for keyword in call.keywords:
        if keyword.name not in slots:
            raise _unknown(call, keyword, signature)
        if keyword.name in filled:
            message = f"`{call.name}` is given `{keyword.name}` twice"
            raise FormulaError(message, keyword.span, "leave one of them out")
        filled.add(keyword.name)
        pairs.append((slots[keyword.name], keyword.value))
    _complete(call, signature, filled)
    return pairs


def _positional(call: nodes.Call, signature: Signature) -> list[tuple[Slot, nodes.Expr]]:
    most = len(signature.positional)
    if len(call.args) > most and signature.rest is None:
        message = f"`{call.name}` takes {_count(most)}, and got {len(call.args)}"
        hint = FOREIGN.get((call.name, FURTHER), "") or signature.hint(call)
        raise FormulaError(message, call.args[most].span, hint)
    slots = [*signature.positional, *[signature.rest] * max(0, len(call.args) - most)]
    return [(slot, value) for slot, value in zip(slots, call.args, strict=False) if slot]


def _unknown(call: nodes.Call, keyword: nodes.Keyword, signature: Signature) -> FormulaError:
    if signature.rest and signature.rest.kind is Kind.HYPOTHESIS:
        message = "a hypothesis is written with `==`, not `=`"
        return FormulaError(
            message, keyword.span, f"write `{keyword.name} == {text.canonical(keyword.value)}`"
        )
    if signature.rest and signature.rest.kind is Kind.PRIOR:
        message = "a prior is written with `~`, not `=`"
        law = text.canonical(keyword.value) if isinstance(keyword.value, nodes.Call) else "normal(0, 5)"
        return FormulaError(message, keyword.span, f"write `{keyword.name} ~ {law}`")
    if signature.positional and signature.positional[0].kind is Kind.LOGICAL:
        return FormulaError("equality is written `==`, not `=`", keyword.span)
    known = [slot.name for slot in signature.by_name]
    hint = FOREIGN.get((call.name, keyword.name), "")
    hint = hint or did_you_mean(keyword.name, known) or signature.hint(call)
    return FormulaError(f"`{call.name}` has no argument `{keyword.name}`", keyword.span, hint)


def _complete(call: nodes.Call, signature: Signature, filled: Iterable[str]) -> None:
    needed = signature.positional[: signature.least]
    missing = [slot.name for slot in needed if slot.name not in filled]
    if missing:
        message = f"`{call.name}` needs {listed(missing)}"
        raise FormulaError(message, call.span, f"write `{signature.accepted(call)}`")
    if signature.rest and len(call.args) < signature.least:
        message = f"`{call.name}` needs {signature.rest.kind.value}"
        raise FormulaError(message, call.span, f"write `{signature.accepted(call)}`")


def _count(number: int) -> str:
    return {0: "no argument", 1: "one argument"}.get(number, f"{number} arguments")
