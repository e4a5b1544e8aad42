"""Names of variables, dims and coords of the model; no other module spells them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, count, pairwise

from formulajoint.design.schema import Factor, Grouping, Term

RESERVED = frozenset({"chain", "draw", "sample"})
"""Dims that every posterior has, or gets when its chains are joined."""


class Names:
    """Names of one model, each given once: a name already in use gets ``_`` at its end, then ``_2``, ``_3``.

    Family parameters come first, so a predictor called ``sigma`` becomes ``sigma_``. xarray keeps variables
    and coords in one table, which is why a dim never has the name of a variable (a factor ``arm`` is the variable
    ``arm`` over the dim ``arm_dim``), and refuses ``/`` in a name, which becomes ``_``. No name ends in ``__``:
    PyMC would take it for a transformed variable and drop it from the draws.

    Parameters
    ----------
    prefix : str, optional
        Put before every name, with ``_`` between, so that two formulas can be in one model.
    """

    def __init__(self, prefix: str = "") -> None:
        self.prefix = f"{prefix}_" if prefix else ""
        self.variables: set[str] = set()
        self.coords: dict[str, tuple[str, ...]] = {}
        self._rows = ""

    @classmethod
    def of(cls, variables: Iterable[str], coords: Mapping[str, tuple[str, ...]]) -> Names:
        """Return a `Names` in which the names of a planned model are in use."""
        names = cls()
        names.variables |= set(variables)
        names.coords |= coords
        return names

    def variable(self, name: str) -> str:
        """Return an unused variable name for `name`, and mark it as used."""
        fresh = next(n for n in self._spellings(name) if not self._is_taken(n))
        self.variables.add(fresh)
        return fresh

    def is_free(self, name: str) -> bool:
        """Return whether `name` can be used as it is."""
        return not self._is_taken(next(self._spellings(name)))

    def dim(self, name: str, labels: tuple[str, ...]) -> str:
        """Return the dim named `name` with `labels`; if the name is in use with other labels, a new name.

        Commas become semicolons, since nutpie joins dims with commas.
        """
        spellings = self._spellings(name.replace(",", ";"))
        fresh = next(n for n in spellings if self.coords.get(n) == labels or not self._is_taken(n))
        self.coords[fresh] = labels
        return fresh

    def thresholds_dim(self, levels: tuple[str, ...]) -> str:
        """Return the dim of what is between adjoining levels: ``cut`` with the labels ``low|mid``, ``mid|high``."""
        return self.dim("cut", tuple(f"{low}|{high}" for low, high in pairwise(levels)))

    def rows_dim(self, name: str) -> str:
        """Return the dim of the rows, which has no labels."""
        self._rows = next(n for n in self._spellings(name) if not self._is_taken(n))
        return self._rows

    def _spellings(self, name: str) -> Iterator[str]:
        first = self.prefix + plain(name)
        return chain((first, f"{first}_"), (f"{first}_{number}" for number in count(2)))

    def _is_taken(self, name: str) -> bool:
        taken = name in self.variables or name in self.coords or name == self._rows
        return taken or name in RESERVED or name.endswith("__")

    def group_dim(self, grouping: Grouping) -> str:
        """Return the dim of the groups: ``school``."""
        return self.dim(grouping.name, grouping.labels)

    def factor_dims(self, term: Term) -> tuple[str, ...]:
        """Return the dims of a term's factors: ``arm_dim``."""
        return tuple(self.dim(f"{factor.name}_dim", factor.labels) for factor in term.factors)


def plain(name: str) -> str:
    """Return a term's canonical text as a variable name: no backticks, no ``/``."""
    return name.replace("`", "").replace("/", "_")


def coefficient(parameter: str, term: Term) -> str:
    """Return the name of a term's coefficient: ``treatment``; ``sigma_x`` for a parameter other than the mean."""
    return term.name if parameter == "mu" else f"{parameter}_{term.name}"


def varying(parameter: str, term: Term) -> str:
    """Return the name of what varies in a group term: ``arm``, however its columns are coded."""
    name = _uncoded(term)
    return name if parameter == "mu" else f"{parameter}_{name}"


def _uncoded(term: Term) -> str:
    """Return a term's name without the codings of its factors."""
    return ":".join(term.parts) or term.name


def columns(term: Term) -> tuple[str, ...]:
    """Return a label for each column of a term: ``treatment``, ``arm[b]``, ``arm[b]:wool[B]``."""
    labels: tuple[str, ...] = ("",)
    for factor in term.factors:
        labels = tuple(_join(before, _axis(factor, label)) for before in labels for label in factor.labels)
    return tuple(_column(term, label) for label in labels)


def _axis(factor: Factor, label: str) -> str:
    return f"{factor.name}={label}"


def _join(before: str, after: str) -> str:
    return f"{before}, {after}" if before else after


def _column(term: Term, label: str) -> str:
    name = plain(_uncoded(term))
    if not label:
        return name
    # One factor needs no dim name: arm[b]; several do: arm:wool[arm=b, wool=B].
    only = label.partition("=")[2] if len(term.factors) == 1 else label
    return f"{name}[{only}]"
