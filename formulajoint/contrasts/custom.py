"""Contrasts defined by extensions: averages over the groups, and families of contrasts of levels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from formulajoint.contrasts import level_families
from formulajoint.contrasts.level_families import ContrastMatrix, LevelFamily
from formulajoint.design.values import LARGEST
from formulajoint.errors import ExtensionError
from formulajoint.language.vocabulary.core import AT, NAME, ON_RESPONSE, OVER, SCALE, WEIGHTS
from formulajoint.language.vocabulary.meanings import Vocabulary
from formulajoint.language.vocabulary.options import (
    Option,
    called,
    function_name,
    known_as,
    options_of,
    positional_of,
)
from formulajoint.language.vocabulary.signatures import Kind, Signature, Slot

TERM = Slot("term", Kind.TERM)


@dataclass(frozen=True, slots=True, eq=False)
class Contrast:
    """A contrast clause that averages a term's coefficients over the groups, as ``joint`` does.

    Parameters
    ----------
    function : callable
        From PyTensor variables, effects (G, ...) and weights (G, ...) that sum to one over the first axis, to an
        expression (...) without that axis. Keyword-only parameters are keywords of the formula, besides ``weights=``,
        ``scale=``, ``at=`` and ``name=``, which every contrast has.
    name : str, optional
        Name in formulas; by default the function's own name.
    meaning : str, optional
        Phrase for tables, such as ``trimmed mean``; by default the name.
    extension : str
        Name of the extension that brings it, which sets it.

    Examples
    --------
    >>> import formulajoint as fj
    >>> def largest(effects, weights):
    ...     return effects.max(axis=0)
    >>> fj.Contrast(largest, meaning="largest effect").meaning
    'largest effect'
    """

    function: Callable[..., Any]
    name: str = ""
    meaning: str = ""
    extension: str = ""
    position: Literal["clause"] = "clause"

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name or function_name(self.function))
        object.__setattr__(self, "meaning", self.meaning or self.name)
        if len(positional_of(self.function)) != 2:
            raise ExtensionError(
                f"The contrast `{self.name}` must take effects and weights, `def {self.name}(effects, weights): ...`, "
                "and what else it takes by keyword only, after `*`."
            )
        _ = self.options  # raises now if an option is invalid

    @property
    def whose(self) -> str:
        """How messages name it."""
        return known_as("contrast", self.name, self.extension)

    @property
    def options(self) -> tuple[Slot, ...]:
        """The keywords of a call in formulas."""
        return options_of(self.function, taken=("weights", "scale", "at", "over", "name"))

    @property
    def signature(self) -> Signature:
        """Signature of a call in formulas."""
        return Signature(rest=TERM, keywords=(WEIGHTS, SCALE, AT, OVER, *self.options, NAME), after_fit=True)

    def value(self, effects: Any, weights: Any, **options: Option) -> Any:
        """Return the contrast of `effects`, or raise an ExtensionError if it keeps the axis of the groups."""
        try:
            found = called(self.whose, self.function, effects, weights, **options)
        except ExtensionError as error:
            raise ExtensionError(
                f"{error} Effects and weights are PyTensor variables: use the functions of `pytensor.tensor`, not "
                "NumPy's."
            ) from error.__cause__  # the user's own error, whose lines a notebook shows
        kind = getattr(found, "type", None)  # PyTensor's, of a variable
        axes, numbers = getattr(kind, "ndim", None), str(getattr(kind, "dtype", ""))
        if axes is None or getattr(found, "owner", None) is None or numbers.startswith("complex"):
            raise ExtensionError(
                f"The {self.whose} must return a PyTensor expression of the effects, not {found!r}."
            )
        if axes != effects.ndim - 1:
            raise ExtensionError(
                f"The {self.whose} must return an expression without the axis of the groups, of "
                f"{effects.ndim - 1} axes, but returned one of {axes}: take sums and the like along `axis=0`."
            )
        return found


@dataclass(frozen=True, slots=True, eq=False)
class ContrastFamily:
    """A contrast clause with several entries, as ``pairwise``: weighted sums of the groups or of a factor's levels.

    Parameters
    ----------
    function : callable
        From the k levels, a tuple of str, to a mapping of each entry's label to its k weights:
        ``{"A - C": [1, 0, -1]}``. Keyword-only parameters are keywords of the formula.
    name, meaning, extension : str, optional
        As for `Contrast`.

    Examples
    --------
    >>> import formulajoint as fj
    >>> def extremes(levels):
    ...     inner = [0] * (len(levels) - 2)
    ...     return {f"{levels[-1]} - {levels[0]}": [-1, *inner, 1]}
    >>> fj.ContrastFamily(extremes).matrix(("low", "mid", "high"), {}).labels
    ('high - low',)
    """

    function: Callable[..., Any]
    name: str = ""
    meaning: str = ""
    extension: str = ""
    position: Literal["clause"] = "clause"

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name or function_name(self.function))
        object.__setattr__(self, "meaning", self.meaning or self.name)
        if len(positional_of(self.function)) != 1:
            raise ExtensionError(
                f"The family of contrasts `{self.name}` must take the levels, `def {self.name}(levels): ...`, and what "
                "else it takes by keyword only, after `*`."
            )
        _ = self.options

    @property
    def options(self) -> tuple[Slot, ...]:
        """The keywords of a call in formulas."""
        return options_of(self.function, taken=("scale", "over", "name"))

    @property
    def signature(self) -> Signature:
        """Signature of a call in formulas."""
        return Signature(rest=TERM, keywords=(ON_RESPONSE, OVER, *self.options, NAME), after_fit=True)

    def matrix(self, levels: tuple[str, ...], options: Mapping[str, Option]) -> ContrastMatrix:
        """Return the labelled weights of `levels`, or raise an ExtensionError if they are invalid."""
        whose = known_as("family of contrasts", self.name, self.extension)
        rows = called(whose, self.function, levels, **options)
        if isinstance(rows, ContrastMatrix):
            rows = dict(zip(rows.labels, rows.weights, strict=True))
        what = f"The {whose} must return a mapping of labels to {len(levels)} weights each"
        if not isinstance(rows, Mapping) or not rows:
            raise ExtensionError(f"{what}, not {rows!r}.")
        try:
            weights = np.array([list(row) for row in rows.values()], dtype=np.float64)
        except (TypeError, ValueError, OverflowError):
            weights = np.empty(0)
        if weights.shape != (len(rows), len(levels)) or not (abs(weights) <= LARGEST).all():
            raise ExtensionError(f"{what}; its rows are {list(rows.values())!r}.")
        labels = tuple(map(str, rows))
        if len(set(labels)) < len(labels):
            raise ExtensionError(f"{what}; two labels read alike: {', '.join(labels)}.")
        return ContrastMatrix(labels, weights)


FAMILIES = Vocabulary(
    "clause",
    level_families.FAMILIES,
    lambda value: (
        LevelFamily(
            value.name, lambda levels, **options: value.matrix(levels, options), value.meaning, brought=True
        )
        if isinstance(value, ContrastFamily)
        else None
    ),
)
"""The clauses that are families of contrasts."""
