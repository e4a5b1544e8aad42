"""Weight schemes as functions, as extensions bring them: from groups and columns to a weight per group."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.design.functions import numbers_of
from formulajoint.errors import ExtensionError
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
from formulajoint.wording import listed


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """The groups, as passed to a weight scheme.

    Attributes
    ----------
    labels : tuple of str
        Labels of the G groups.
    codes : (N,) int array
        Group of each row used.
    counts : (N,) array
        Frequency weight of each row; ones if there are no row weights.
    """

    labels: tuple[str, ...]
    codes: IntArray
    counts: FloatArray

    @property
    def rows(self) -> FloatArray:
        """Number of rows of each group, (G,)."""
        return self.sum(np.ones(len(self.codes)))

    def sum(self, column: FloatArray) -> FloatArray:
        """Return the sum of a column (N,) in each group, (G,)."""
        return np.bincount(self.codes, weights=column * self.counts, minlength=len(self.labels))

    def mean(self, column: FloatArray) -> FloatArray:
        """Return the mean of a column (N,) in each group, (G,): the value itself if it is constant in the group."""
        return self.sum(column) / self.rows


@dataclass(frozen=True, slots=True, eq=False)
class WeightScheme:
    """A way to weight the groups: ``weights=root()``, ``weights=share(population)``.

    Parameters
    ----------
    function : callable
        From `Groups`, and an (N,) array for each further positional parameter (a column in formulas), to the (G,)
        weights. They must be zero or more, and are normalised to sum to one. Keyword-only parameters are keywords of
        the formula.
    name : str, optional
        Name in formulas; by default the function's own name.
    extension : str
        Name of the extension that brings it, which sets it.

    Examples
    --------
    >>> import numpy as np
    >>> import formulajoint as fj
    >>> fj.WeightScheme(lambda groups: np.sqrt(groups.rows), name="root").name
    'root'
    """

    function: Callable[..., Any]
    name: str = ""
    extension: str = ""
    position: Literal["weight scheme"] = "weight scheme"

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name or function_name(self.function))
        if not positional_of(self.function):
            message = (
                f"The weight scheme `{self.name}` must take the groups first: `def {self.name}(groups): ...`."
            )
            raise ExtensionError(message)

    @property
    def options(self) -> tuple[Slot, ...]:
        """The keywords of a call in formulas."""
        return options_of(self.function)

    @property
    def signature(self) -> Signature:
        """Signature of a call in formulas."""
        columns = tuple(Slot(name, Kind.COLUMN) for name in positional_of(self.function)[1:])
        return Signature(columns, keywords=self.options, least=len(columns))

    def values(self, groups: Groups, columns: list[FloatArray], options: dict[str, Option]) -> FloatArray:
        """Return the weights of the groups, not normalised, (G,)."""
        whose, count = known_as("weight scheme", self.name, self.extension), len(groups.labels)
        found = called(whose, self.function, groups, *columns, **options)
        values = numbers_of(found, whose, ((count,),), f"{count} groups")
        if not np.isfinite(values).all():
            bad = [
                label for label, value in zip(groups.labels, values, strict=True) if not np.isfinite(value)
            ]
            raise ExtensionError(f"The {whose} gives no finite weight to {listed(bad)}.")
        return values


SCHEMES: Vocabulary[WeightScheme] = Vocabulary(
    "weight scheme", {}, lambda value: value if isinstance(value, WeightScheme) else None
)
"""The weight schemes that are functions of groups and columns.

The language's own stand in ``spec/spec.py``: ``n``, ``equal`` and ``precision`` are words, no calls, and ``sum`` and
``dirichlet`` weight groups only, not the levels of a factor.
"""
