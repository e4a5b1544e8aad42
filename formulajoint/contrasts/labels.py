"""Hypotheses about groups known only by label: ``A == B``, ``slope[A] > slope[B] > 0``, ``slope == 0``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

from formulajoint.contrasts.hypotheses import Hypothesis, restrictions
from formulajoint.contrasts.linear_forms import Form, Reader, picked
from formulajoint.design.level_lookup import position_of
from formulajoint.errors import FormulaError
from formulajoint.language.syntax.nodes import Chain, Expr, Name, Number, Subscript, walk
from formulajoint.language.syntax.text import canonical
from formulajoint.wording import did_you_mean, listed


@dataclass(frozen=True, slots=True)
class Labels:
    """Names of coefficients that come from elsewhere.

    Attributes
    ----------
    name : str
        Name of all of them together, such as ``slope``.
    dims : mapping of dim to labels
        Their axes; the last varies fastest.
    """

    name: str
    dims: Mapping[str, tuple[str, ...]]

    @property
    def cells(self) -> tuple[str, ...]:
        """The label of each coefficient; with several axes ``A, low``."""
        return tuple(", ".join(place) for place in product(*self.dims.values()))


def hypothesis_of(labels: Labels, comparisons: Sequence[Chain]) -> Hypothesis:
    """Return the hypothesis that all `comparisons` hold for the coefficients `labels`.

    Raises
    ------
    FormulaError
        If a name is not a group, a comparison is not linear in the coefficients, or comparisons contradict each other.
    """
    _refuse_bare_numbers(labels, comparisons)
    length = prod(map(len, labels.dims.values()))

    def cells(expr: Expr) -> Form:
        if isinstance(expr, Subscript):
            return picked(0, labels.dims, _positions(labels, expr), length)
        return picked(0, labels.dims, _named(labels, expr), length)

    return restrictions(comparisons, Reader(cells, length))


def _refuse_bare_numbers(labels: Labels, comparisons: Sequence[Chain]) -> None:
    """Raise a FormulaError for a comparison of numbers only, where these are names of groups: ``1 == 2``."""
    for comparison in comparisons:
        parts = list(walk(comparison))
        groups = [part for part in parts if isinstance(part, Number) and canonical(part) in labels.cells]
        if groups and not any(isinstance(part, Name | Subscript) for part in parts):
            written = ", ".join(f"`{labels.name}[{canonical(part)}]`" for part in groups)
            message = "a number in a hypothesis is a number, also where groups have numbers for names"
            raise FormulaError(message, comparison.span, f"for the groups write {written}")


def _named(labels: Labels, expr: Expr) -> dict[str, list[int]]:
    """Return, by dim, the positions of the coefficients that a name selects: one, or all for the name of the whole."""
    name = expr.id if isinstance(expr, Name) else canonical(expr)
    cells = labels.cells
    if name == labels.name and name in cells:
        message = f"`{name}` names both all coefficients and one of them"
        raise FormulaError(message, expr.span, f"write `{name}[{name}]` for the one")
    if name == labels.name:
        return {}
    if name in cells:
        place = next(p for p, cell in zip(product(*labels.dims.values()), cells, strict=True) if cell == name)
        return {dim: [labels.dims[dim].index(at)] for dim, at in zip(labels.dims, place, strict=True)}
    hint = did_you_mean(name, (*cells, labels.name)) or f"the groups are {listed(cells)}"
    raise FormulaError(f"there is no group `{name}`", expr.span, hint)


def _positions(labels: Labels, subscript: Subscript) -> dict[str, list[int]]:
    """Return, by dim, the positions that ``slope[A]`` or ``slope[school=A, arm=low]`` selects."""
    of = subscript.of.id if isinstance(subscript.of, Name) else canonical(subscript.of)
    if of != labels.name:
        message = f"these are draws of `{labels.name}`, not of `{of}`"
        raise FormulaError(message, subscript.of.span, f"write `{labels.name}[...]`")
    dims, indices = list(labels.dims), subscript.indices
    named = any(index.dim is not None for index in indices)
    if not named and len(indices) != len(dims):
        message = f"`{of}` has {len(dims)} dims, {listed(dims)}, and {len(indices)} levels are given"
        raise FormulaError(message, subscript.span, "name them: `dim=level`")
    found: dict[str, list[int]] = {}
    for index, dim in zip(indices, [str(index.dim) for index in indices] if named else dims, strict=True):
        if dim not in labels.dims:
            hint = did_you_mean(dim, dims) or f"it has {listed(dims)}"
            raise FormulaError(f"`{of}` has no dim `{dim}`", index.span, hint)
        found[dim] = [position_of(index.level, labels.dims[dim], f"`{dim}`")]
    return found
