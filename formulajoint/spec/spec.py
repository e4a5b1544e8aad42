"""The values of a specification: what a formula asks, each value with the place where it is written.

They depend on no data and load no NumPy. What is arithmetic in the formula stays arithmetic: nodes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from formulajoint.language.formula import Formula
from formulajoint.language.syntax.nodes import Call, Chain, Expr, Group, Level, Name
from formulajoint.language.syntax.text import canonical
from formulajoint.language.vocabulary.options import Option
from formulajoint.spans import NOWHERE, Span
from formulajoint.spec.names import columns_in

MAIN = "mu"
"""Name of the parameter that the formula's own predictors describe, the mean."""


@dataclass(frozen=True, slots=True)
class Given[T]:
    """A value that the formula states: its canonical text, and its place."""

    value: T
    text: str = field(default="", compare=False)
    span: Span = field(default=NOWHERE, compare=False, repr=False)


# --- the model


@dataclass(frozen=True, slots=True)
class Linear:
    """The predictors of one parameter, as written, and the group right of their bar.

    `span` is that of the whole clause; for the mean, that of its predictors.
    """

    parameter: str
    predictors: Expr
    group: Group | None
    span: Span = field(default=NOWHERE, compare=False, repr=False)

    @property
    def columns(self) -> Iterator[Name]:
        """The columns named, in the order written, with repeats."""
        yield from columns_in(self.predictors)
        yield from self.group.names if self.group else ()


@dataclass(frozen=True, slots=True)
class FamilyRequest:
    """``family(student, link=identity)``; `levels` are those of a response of categories, in their order."""

    name: Given[str]
    link: Given[str] | None
    levels: Given[tuple[Level, ...]] | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class PoolingRequest:
    """``hierarchy(...)``: the terms to pool, all per-group terms if there is none, and how.

    What is None is not written; `centered` is None for ``auto``, too. `scale` says in which units the coefficients are
    pooled: ``none`` for those of the response, ``sigma`` for residual sds. `over` names the factor of a group term.
    """

    terms: tuple[Expr, ...]
    dist: str = "normal"
    cor: Given[bool] | None = None
    df: Given[float] | None = None
    centered: bool | None = None
    scale: Given[str] = Given("none")
    over: Given[Group] | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Law:
    """A distribution with its numbers, ``normal(0, 5)``, and their unit: ``none``, residual ``sigma``, or ``sd``."""

    name: str
    numbers: Mapping[str, float]
    scale: str = "none"


@dataclass(frozen=True, slots=True)
class PriorRequest:
    """One ``term ~ distribution(...)`` of a ``prior(...)`` clause; `over` names the factor of a group term."""

    target: Expr
    law: Given[Law]
    over: Given[Group] | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class RowsRequest:
    """Which rows are used, and what they weigh.

    Attributes
    ----------
    weights : Given[Name] or None
        Column of the frequencies.
    standard_errors : Given[Name] or None
        Column of the known residual sds.
    drop : bool
        Whether rows with missing values are left out; else they are an error.
    columns : tuple of Name
        Both columns, in the order written.
    """

    weights: Given[Name] | None = None
    standard_errors: Given[Name] | None = None
    drop: bool = True
    columns: tuple[Name, ...] = ()


# --- weights of groups or levels


@dataclass(frozen=True, slots=True)
class ByRows:
    """``n``: the number of rows."""


@dataclass(frozen=True, slots=True)
class Equal:
    """``equal``."""


@dataclass(frozen=True, slots=True)
class ByPrecision:
    """``precision``: the inverse sampling variance of a group's coefficient."""


@dataclass(frozen=True, slots=True)
class ByColumn:
    """A column with one value per group."""

    column: Name


@dataclass(frozen=True, slots=True)
class BySum:
    """``sum(column)``."""

    column: Name


@dataclass(frozen=True, slots=True)
class ByLevel:
    """``{A: 0.3, B: 0.7}``: pairs of a level and its weight, each at its place."""

    entries: tuple[Given[tuple[Level, float]], ...]


@dataclass(frozen=True, slots=True)
class InOrder:
    """``[0.3, 0.7]``."""

    numbers: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ByScheme:
    """A weight scheme that is a function, with its columns and options."""

    scheme: str
    columns: tuple[Name, ...]
    options: Mapping[str, Option]


@dataclass(frozen=True, slots=True)
class Uncertain:
    """``dirichlet(counts)``."""

    counts: Given[Weighting]


type Weighting = ByRows | Equal | ByPrecision | ByColumn | BySum | ByLevel | InOrder | ByScheme | Uncertain

BY_ROWS: Given[Weighting] = Given(ByRows(), "n")
"""The default of ``weights=``."""


def columns_of(weighting: Weighting) -> tuple[Name, ...]:
    """Return the columns that a weighting reads."""
    match weighting:
        case ByColumn(column=column) | BySum(column=column):
            return (column,)
        case ByScheme(columns=columns):
            return columns
        case Uncertain(counts=counts):
            return columns_of(counts.value)
    return ()


# --- questions about the model

type Scale = Literal["none", "sigma", "sd", "response"] | float

AS_ESTIMATED: Given[str] = Given("none")
"""The default of ``scale=`` where it is ``none`` or ``response``."""


@dataclass(frozen=True, slots=True)
class Average:
    """A clause that averages a term's coefficients over the groups: ``joint(treatment, weights=n)``.

    Attributes
    ----------
    clause : str
        Its name, such as ``joint``.
    terms : tuple of Expr
        None for every predictor with a coefficient in each group.
    weights : Given[Weighting]
    scale : Given[Scale]
    at : Given[str] or None
        ``mean`` for the effects at the means of the other columns; None where these are zero.
    options : mapping of str to Option
        Arguments of an extension's own.
    over : Given[Group] or None
        The factor of a group term, over whose groups is averaged; None for those right of the bar.
    name : Given[str] or None
        As in ``name=``.
    text : str
        The clause in canonical text.
    """

    clause: str
    terms: tuple[Expr, ...]
    weights: Given[Weighting]
    scale: Given[Scale]
    at: Given[str] | None
    options: Mapping[str, Option]
    over: Given[Group] | None
    name: Given[str] | None
    text: str
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class LevelContrast:
    """A family of contrasts of groups or of a factor's levels: ``pairwise(treatment, over=arm)``.

    Attributes
    ----------
    clause, terms, name, text
        As for `Average`.
    over : Given[Group] or None
        The axis to compare: a factor, the groups, or the factor of a group term.
    weights : Given[Weighting]
        Of the mean from which ``meandev`` takes deviations.
    options : mapping of str to Given
        What else the family takes: ``ref`` a level, ``most`` and ``degree`` numbers, or an extension's own.
    scale : Given[str]
        ``response`` for effects on the mean of the response, else ``none``.
    """

    clause: str
    terms: tuple[Expr, ...]
    over: Given[Group] | None
    weights: Given[Weighting]
    options: Mapping[str, Given[Any]]
    name: Given[str] | None
    text: str
    scale: Given[str] = AS_ESTIMATED
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """``contrast(treatment[A] - treatment[B])``: one node for each expression.

    `over` is as for `Average`, `scale` as for `LevelContrast`.
    """

    clause: str
    expressions: tuple[Expr, ...]
    name: Given[str] | None
    over: Given[Group] | None = None
    scale: Given[str] = AS_ESTIMATED
    span: Span = field(default=NOWHERE, compare=False, repr=False)


type Contrast = Average | LevelContrast | Arithmetic


@dataclass(frozen=True, slots=True)
class Comparisons:
    """``test(treatment == 0)``: comparisons that must all hold.

    `against` is the alternative, if the formula names one: ``hierarchy``. `over` names the factor of a group term.
    `scale` is as for `LevelContrast`.
    """

    comparisons: tuple[Chain, ...]
    name: Given[str] | None = None
    against: Given[str] | None = None
    over: Given[Group] | None = None
    scale: Given[str] = AS_ESTIMATED
    span: Span = field(default=NOWHERE, compare=False, repr=False)


type Question = Contrast | Comparisons


def weight_columns(question: Question) -> tuple[Name, ...]:
    """Return the columns that weight the groups in a contrast."""
    return columns_of(question.weights.value) if isinstance(question, Average | LevelContrast) else ()


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """All that a formula asks, before any data are read; printed as the formula.

    Attributes
    ----------
    formula : Formula
    parameters : tuple of Linear
        The mean first, then those with a clause of their own, as written.
    family : FamilyRequest or None
    pooling : tuple of PoolingRequest
    priors : tuple of PriorRequest
    rows : RowsRequest
    questions : tuple of Question
        Contrasts and tests, as written.
    """

    formula: Formula
    parameters: tuple[Linear, ...]
    family: FamilyRequest | None
    pooling: tuple[PoolingRequest, ...]
    priors: tuple[PriorRequest, ...]
    rows: RowsRequest
    questions: tuple[Question, ...]

    @property
    def response(self) -> Expr:
        """The response: a column, or a function of columns."""
        return self.formula.response

    @property
    def unit(self) -> str:
        """The unit of the response in words where the formula makes one, as ``sds of score within test``; else empty.

        It is also the unit of coefficients and of the contrasts that are not divided by anything.
        """
        match self.response:
            case Call(name="standardize" | "scale", args=(of, *_)) as call:
                by = call.keyword("by")
                return f"sds of {canonical(of)}" + ("" if by is None else f" within {canonical(by)}")
        return ""

    @property
    def contrasts(self) -> tuple[Contrast, ...]:
        """The contrasts among the questions."""
        return tuple(question for question in self.questions if not isinstance(question, Comparisons))

    @property
    def tests(self) -> tuple[Comparisons, ...]:
        """The tests among the questions."""
        return tuple(question for question in self.questions if isinstance(question, Comparisons))

    def __str__(self) -> str:
        return str(self.formula)
