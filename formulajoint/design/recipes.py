"""How a column is made of the columns of a data frame, as a value without rows.

A recipe says what the formula says, with what was learnt from the data inside: means, levels, codings. It is learnt
from the rows of a fit (``design/learn.py``) and makes columns of any rows (``design/evaluate_numpy.py``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from formulajoint.arrays import FloatArray
from formulajoint.design.bases import Curve
from formulajoint.design.functions import ColumnFunction, Operator

type Recipe = (
    Column
    | Constant
    | Negative
    | Arithmetic
    | Operated
    | Compared
    | Indicator
    | Place
    | Applied
    | Within
    | GroupMean
)
"""How one column is made: N numbers of N rows."""


@dataclass(frozen=True, slots=True)
class Column:
    """A numeric or boolean column of the data frame."""

    name: str


@dataclass(frozen=True, slots=True)
class Constant:
    """The same number in every row."""

    value: float


@dataclass(frozen=True, slots=True)
class Negative:
    """The negative of a column."""

    of: Recipe


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Columns joined by operators of one precedence: ``x + 2 - z``. `text` is the formula's, for errors."""

    operators: tuple[str, ...]
    operands: tuple[Recipe, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Operated:
    """Columns joined by operators of extensions, from the left."""

    operators: tuple[Operator, ...]
    operands: tuple[Recipe, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Compared:
    """1 in rows where the comparison of two columns holds, else 0."""

    operator: str
    left: Recipe
    right: Recipe


@dataclass(frozen=True, slots=True)
class Indicator:
    """1 in rows where a categorical column has a level, else 0."""

    variable: str
    level: str


@dataclass(frozen=True, slots=True)
class Place:
    """The place of the row's value of a column among `levels`, from 0."""

    variable: str
    levels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Applied:
    """A function of columns.

    `learnt` has what the function learnt from the rows of the fit, if it learns: ``(3.2,)`` for ``center(x)``.
    """

    function: ColumnFunction
    operands: tuple[Recipe, ...]
    text: str
    options: Mapping[str, Any] = field(default_factory=dict)
    learnt: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class GroupMoments:
    """What was learnt of a column within groups.

    Attributes
    ----------
    text : str
        Canonical text of the call: ``standardize(score, by=test)``.
    column : str
        What is centred: ``score``.
    variables : tuple of str
        The columns that make the groups.
    labels : tuple of str
        One label per group.
    means : (G,) array
    sds : (G,) array or None
        None if the column is centred, but not divided.
    """

    text: str
    column: str
    variables: tuple[str, ...]
    labels: tuple[str, ...]
    means: FloatArray
    sds: FloatArray | None

    @property
    def group(self) -> str:
        """The name of the groups: ``test``, ``district:school``."""
        return ":".join(self.variables)


@dataclass(frozen=True, slots=True, eq=False)
class Within:
    """A column less its mean in the row's group, and divided by its sd there if `learnt` has sds."""

    of: Recipe
    groups: Cells
    learnt: GroupMoments


@dataclass(frozen=True, slots=True, eq=False)
class GroupMean:
    """The mean of a column in the row's group."""

    groups: Cells
    means: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Coded:
    """The columns of a factor: in each row, the row of `matrix` (levels, m) of the level of `variable`."""

    variable: str
    levels: tuple[str, ...]
    matrix: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """The columns of a curve of one column: ``poly(x, 2)``. `text` is the formula's, for errors."""

    of: Recipe
    curve: Curve
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Crossed:
    """The columns of a term.

    The `numbers` are multiplied with each other; none of them stand for ones. The product is crossed with the factors
    and curves of each piece, of which the last varies fastest. The pieces stand side by side.
    """

    numbers: tuple[Recipe, ...]
    pieces: tuple[tuple[Coded | Basis, ...], ...]

    @property
    def singles(self) -> tuple[Recipe, ...]:
        """The recipes of all single columns of which the term is made."""
        curves = (part.of for piece in self.pieces for part in piece if isinstance(part, Basis))
        return (*self.numbers, *curves)


@dataclass(frozen=True, slots=True)
class Cells:
    """The group of each row: the place among `labels` of the levels of `variables`, joined by `separators`."""

    variables: tuple[str, ...]
    separators: tuple[str, ...]
    labels: tuple[str, ...]


def parts_of(recipe: Recipe | Crossed | Cells) -> tuple[Recipe | Cells, ...]:
    """Return the recipes that a recipe is made of, from left to right."""
    match recipe:
        case Negative(of):
            return (of,)
        case Compared(_, left, right):
            return (left, right)
        case Arithmetic(operands=operands) | Operated(operands=operands) | Applied(operands=operands):
            return operands
        case Within(of, groups):
            return (of, groups)
        case GroupMean(groups):
            return (groups,)
        case Crossed():
            return recipe.singles
    return ()


def moments_in(recipe: Recipe | Cells) -> Iterator[GroupMoments]:
    """Yield what was learnt within groups anywhere in `recipe`."""
    for part in parts_of(recipe):
        yield from moments_in(part)
    if isinstance(recipe, Within):
        yield recipe.learnt


def columns_read(recipe: Recipe | Crossed | Cells) -> Iterator[str]:
    """Yield the columns of the data frame that a recipe reads."""
    for part in parts_of(recipe):
        yield from columns_read(part)
    match recipe:
        case Column(name):
            yield name
        case Indicator(variable) | Place(variable):
            yield variable
        case Cells(variables):
            yield from variables
        case Crossed(_, pieces):
            yield from (part.variable for piece in pieces for part in piece if isinstance(part, Coded))
