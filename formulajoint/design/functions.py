"""Functions of columns and operators between columns, as values: those of the language and of extensions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.design.facts import mean, sd
from formulajoint.errors import ExtensionError
from formulajoint.language.vocabulary.meanings import Vocabulary
from formulajoint.language.vocabulary.options import function_name, known_as, options_of, positional_of
from formulajoint.language.vocabulary.signatures import Kind, Signature, Slot


@dataclass(frozen=True, slots=True, eq=False)
class ColumnFunction:
    """A function of columns: ``log(x)``, ``center(x)``.

    Parameters
    ----------
    function : callable
        From (N,) arrays, one per positional parameter, to an (N,) array; N is the number of rows used. Keyword-only
        parameters are keywords of the formula.
    learn : callable, optional
        From the same arrays and (N,) row weights to statistics of the data, such as a mean; `function` takes them after
        the arrays. They are computed once, from the rows of the fit.
    name : str, optional
        Name in formulas; by default the function's own name.
    domain : str
        Sentence for errors if the result is not a finite number: ``"It takes numbers above zero only."``
    extension : str
        Name of the extension that brings it, which sets it.

    Examples
    --------
    >>> import numpy as np
    >>> import formulajoint as fj
    >>> halved = fj.ColumnFunction(lambda x, low: x - low, learn=lambda x, weights: x.min(), name="from_lowest")
    >>> halved.values((np.array([3.0, 5.0]),))
    array([0., 2.])
    """

    function: Callable[..., Any]
    learn: Callable[..., Any] | None = None
    name: str = ""
    domain: str = ""
    extension: str = ""
    position: Literal["function"] = "function"

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name or function_name(self.function))
        if not self.columns:
            raise ExtensionError(f"The column function `{self.name}` takes no column.")

    @property
    def whose(self) -> str:
        """How messages name it."""
        return known_as("function", self.name, self.extension)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the parameters that take columns."""
        names = positional_of(self.function)
        return names if self.learn is None else names[:-1]

    @property
    def options(self) -> tuple[Slot, ...]:
        """The keywords of a call in formulas."""
        return options_of(self.function)

    @property
    def signature(self) -> Signature:
        """Signature of a call in formulas."""
        slots = tuple(Slot(name, Kind.ARITHMETIC) for name in self.columns)
        return Signature(slots, keywords=self.options, least=len(slots))

    def values(
        self,
        columns: tuple[FloatArray, ...],
        weights: FloatArray | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the function's values; `learn` gets these `columns` and the row `weights`."""
        given = dict(options or {})
        if self.learn is None:
            return self.function(*columns, **given)
        counted = np.ones(len(columns[0])) if weights is None else weights
        return self.function(*columns, self.learn(*columns, counted), **given)


@dataclass(frozen=True, slots=True, eq=False)
class Operator:
    """An operator between columns, such as ``%minus%``.

    Parameters
    ----------
    name : str
        Name in percent signs.
    function : callable
        From two (N,) arrays to one (N,) array.
    extension : str
        Name of the extension that brings it, which sets it.
    """

    name: str
    function: Callable[..., Any]
    extension: str = ""
    position: Literal["operator"] = "operator"

    def __post_init__(self) -> None:
        if len(positional_of(self.function)) != 2 or options_of(self.function):
            raise ExtensionError(
                f"The operator `{self.name}` needs a function of two columns and nothing else."
            )

    @property
    def whose(self) -> str:
        """How messages name it."""
        return known_as("operator", self.name, self.extension)

    @property
    def signature(self) -> Signature:
        """An empty signature: an operator stands between its operands."""
        return Signature()


def numbers_of(answer: object, whose: str, shapes: tuple[tuple[int, ...], ...], each: str) -> FloatArray:
    """Return what an extension's function answered, as floats; a masked number is missing.

    Parameters
    ----------
    answer : object
    whose : str
        The function in messages, as `known_as` says it.
    shapes : tuple of tuple of int
        The shapes that the numbers may have.
    each : str
        What has a number each: ``10 rows``.

    Raises
    ------
    ExtensionError
        If the answer does not hold numbers of such a shape.
    """
    must = f"The {whose} must return one number for each of the {each}"
    try:
        values = np.ma.asarray(answer) if np.ma.isMaskedArray(answer) else np.asarray(answer)
    except (TypeError, ValueError, OverflowError):  # lists of different lengths
        raise ExtensionError(f"{must}, not {type(answer).__name__}.") from None
    if values.shape not in shapes or values.dtype.kind not in "biuf":
        raise ExtensionError(f"{must}, not shape {values.shape} and type {values.dtype}.")
    floats = values.astype(np.float64)
    return np.asarray(np.ma.filled(floats, np.nan))


def _learnt_sd(x: FloatArray, weights: FloatArray) -> tuple[Any, Any]:
    return mean(x, weights), sd(x, weights)


def _standardized(x: FloatArray, learned: tuple[Any, Any]) -> FloatArray:
    return np.asarray((x - learned[0]) / learned[1])


def _itself(x: FloatArray) -> FloatArray:
    return x


LOG = "It takes numbers above zero only."
ARC = "It takes numbers from -1 to 1 only."
CONSTANT = "The values do not vary."
EXP = "The numbers are too large for it."

OWN: Mapping[str, ColumnFunction] = {
    function.name: function
    for function in (
        ColumnFunction(lambda x: np.log(x), name="log", domain=LOG),
        ColumnFunction(lambda x: np.log2(x), name="log2", domain=LOG),
        ColumnFunction(lambda x: np.log10(x), name="log10", domain=LOG),
        ColumnFunction(lambda x: np.log1p(x), name="log1p", domain="It takes numbers above -1 only."),
        ColumnFunction(lambda x: np.exp(x), name="exp", domain=EXP),
        ColumnFunction(lambda x: np.expm1(x), name="expm1", domain=EXP),
        ColumnFunction(lambda x: np.sqrt(x), name="sqrt", domain="It takes no numbers below zero."),
        ColumnFunction(lambda x: np.abs(x), name="abs"),
        ColumnFunction(lambda x: np.sin(x), name="sin"),
        ColumnFunction(lambda x: np.cos(x), name="cos"),
        ColumnFunction(lambda x: np.tan(x), name="tan"),
        ColumnFunction(lambda x: np.arcsin(x), name="asin", domain=ARC),
        ColumnFunction(lambda x: np.arccos(x), name="acos", domain=ARC),
        ColumnFunction(lambda x: np.arctan(x), name="atan"),
        ColumnFunction(lambda a, b: np.minimum(a, b), name="pmin"),
        ColumnFunction(lambda a, b: np.maximum(a, b), name="pmax"),
        ColumnFunction(_itself, name="I"),
        ColumnFunction(_itself, name="offset"),
        ColumnFunction(lambda x, middle: x - middle, learn=mean, name="center"),
        ColumnFunction(_standardized, learn=_learnt_sd, name="standardize", domain=CONSTANT),
        ColumnFunction(_standardized, learn=_learnt_sd, name="scale", domain=CONSTANT),
    )
}
"""The language's own functions from one column to one column, by name."""


COLUMN_FUNCTIONS = Vocabulary(
    "function", OWN, lambda value: value if isinstance(value, ColumnFunction) else None
)
"""The functions of columns."""
