"""The only place that spells the name of a variable, a dim or a coord of the model."""

from __future__ import annotations

from formulajoint.design.schema import Factor, Grouping, Term

RESERVED_DIMS = frozenset({"chain", "draw"})
"""Dims that every posterior has already."""


class Names:
    """Names of one model, each given once: a name already taken gets ``_`` at its end.

    Family parameters come first, so a predictor called ``sigma`` becomes ``sigma_``. xarray keeps variables
    and coords in one table, which is why a dim never has the name of a variable (a factor ``arm`` is the variable
    ``arm`` over the dim ``arm_dim``), and refuses ``/`` in a name, which becomes ``_``.

    Parameters
    ----------
    prefix : str, optional
        Stands before every name with ``_`` between, so that two formulas can live in one model.
    """

    def __init__(self, prefix: str = "") -> None:
        self.prefix = f"{prefix}_" if prefix else ""
        self._taken: set[str] = set()
        self.coords: dict[str, tuple[str, ...]] = {}

    def variable(self, name: str) -> str:
        """Return a free variable name for `name`."""
        fresh = self.prefix + plain(name)
        while fresh in self._taken:
            fresh += "_"
        self._taken.add(fresh)
        return fresh

    def is_taken(self, name: str) -> bool:
        """Tell whether a variable or dim already has the name that `name` would get."""
        return self.prefix + plain(name) in self._taken

    def dim(self, name: str, labels: tuple[str, ...]) -> str:
        """Return the dim called `name` over `labels`; one with other labels gets a name of its own.

        A comma becomes a semicolon: nutpie joins dims with commas.
        """
        fresh = self.prefix + plain(name).replace(",", ";")
        while fresh in RESERVED_DIMS or (fresh in self._taken and self.coords.get(fresh) != labels):
            fresh += "_"
        self._taken.add(fresh)
        self.coords[fresh] = labels
        return fresh

    def free_dim(self, name: str) -> str:
        """Return a dim without labels, such as that of the rows."""
        fresh = self.dim(name, ())
        del self.coords[fresh]
        return fresh

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
    if not label:
        return plain(term.name)
    # One factor needs no name: arm[b]; several do: arm:wool[arm=b, wool=B].
    only = label.partition("=")[2] if len(term.factors) == 1 else label
    return f"{plain(term.name)}[{only}]"
