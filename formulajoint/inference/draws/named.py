"""Draws by the model's names, as arrays: enough for tables, without the tenth of a second that loading xarray takes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.errors import InferenceError
from formulajoint.inference.draws.trust import Trust
from formulajoint.inference.quadrature import LogIntegral

type Named = Mapping[str, tuple[tuple[str, ...], Any]]
"""Names with dims and an array."""


@dataclass(frozen=True, slots=True, eq=False)
class NamedDraws:
    """Draws of variables, with coords, sampler statistics and attributes.

    Attributes
    ----------
    variables : mapping of str to (dims, array)
        Draws (chain, draw, *dims).
    coords : mapping of str to (n,) array
        The labels of each of these dims.
    statistics : mapping of str to (dims, array)
        Of the sampler, as in ArviZ's sample_stats.
    attrs : mapping
        Engine and settings: attributes of the DataTree.
    about : mapping
        Attributes of the DataTree's groups.
    left_out : frozenset of str
        Variables that have draws which were not kept.
    """

    variables: Named
    coords: Mapping[str, Any]
    statistics: Named
    attrs: Mapping[str, Any]
    about: Mapping[str, Any]
    left_out: frozenset[str] = frozenset()

    @property
    def shape(self) -> tuple[int, int]:
        """Number of chains, and of draws per chain."""
        chains, draws, *_ = next(iter(self.variables.values()))[1].shape
        return chains, draws

    @property
    def trust(self) -> Trust:
        """What the sampler tells of the draws."""
        return Trust(
            k_hat=self._number("k_hat", -np.inf),
            disagreement=self._number("disagreement", 0.0),
            modes=int(self._number("modes", 1)),
            divergences=int(np.sum(self.statistics.get("diverging", ((), 0))[1])),
            independent="k_hat" in self.statistics,
        )

    @property
    def log_evidence(self) -> LogIntegral | None:
        """log p(y) by the importance sample or the quadrature behind the draws; None for other draws."""
        if "log_evidence" not in self.statistics:
            return None
        return LogIntegral(self._number("log_evidence", np.nan), self._number("log_evidence_error", np.nan))

    @property
    def importance_ess(self) -> float:
        """Effective size of the importance samples behind all chains; infinity for draws without weights."""
        return float(np.sum(self.statistics.get("importance_ess", ((), np.inf))[1]))

    @property
    def repeats(self) -> bool:
        """Whether draws share points of an importance sample that is smaller, since a point is dear."""
        return self.importance_ess < self.shape[0] * self.shape[1]

    def _number(self, name: str, default: float) -> float:
        return float(self.statistics.get(name, ((), default))[1])

    def without(self, hidden: Collection[str]) -> NamedDraws:
        """Return the draws of the variables that are not `hidden`, with their dims."""
        kept = {name: found for name, found in self.variables.items() if name not in hidden}
        dims = {dim for own, _ in kept.values() for dim in own}
        return replace(self, variables=kept, coords={d: own for d, own in self.coords.items() if d in dims})

    def has(self, name: str) -> bool:
        """Return whether a variable has draws; a constant has none.

        Raises
        ------
        InferenceError
            If its draws were not kept.
        """
        if name in self.left_out:
            raise InferenceError(not_kept(name))
        return name in self.variables

    def values(self, name: str, dims: tuple[str, ...] | None = None) -> FloatArray:
        """Return draws (chain, draw, *dims) of a variable, its dims in their own order unless another is given."""
        if name in self.left_out:
            raise InferenceError(not_kept(name))
        own, values = self.variables[name]
        axes = range(len(own)) if dims is None else (own.index(dim) for dim in dims)
        return np.asarray(np.transpose(values, (0, 1, *(axis + 2 for axis in axes))))


def not_kept(name: str) -> str:
    """Return why there are no draws of a variable that was left out, and what to do."""
    return (
        f"The draws of `{name}` in each group were not kept: the fit has keep='contrasts'. Fit again without `keep`, "
        "or write contrasts of them into the formula."
    )


def in_a_row(draws: FloatArray) -> FloatArray:
    """Return draws (chain, draw, ...) as contrasts take them: (..., S), all draws in a row."""
    return np.moveaxis(draws.reshape((-1, *draws.shape[2:])), 0, -1)


def by_chain(draws: FloatArray, shape: tuple[int, int]) -> FloatArray:
    """Return draws (..., S) in a row as (chain, draw, ...), of `shape` chains and draws."""
    return np.moveaxis(draws, -1, 0).reshape((*shape, *draws.shape[:-1]))
