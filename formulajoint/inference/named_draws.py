"""Draws under the names of a model, as arrays: tables need no more, and xarray takes a tenth of a second to load."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from formulajoint.design.schema import FloatArray

type Named = Mapping[str, tuple[tuple[str, ...], Any]]
"""Names with dims and an array."""


@dataclass(frozen=True, slots=True, eq=False)
class NamedDraws:
    """Draws of variables, and what is known of how they were made.

    Attributes
    ----------
    variables : mapping of str to (dims, array)
        Draws (chain, draw, *dims).
    coords : mapping of str to (n,) array
        The labels of each of these dims.
    statistics : mapping of str to (dims, array)
        Of the sampler, as in ArviZ's sample_stats.
    attrs : mapping
        Who drew them and how: attributes of the DataTree.
    about : mapping
        Attributes of its groups.
    """

    variables: Named
    coords: Mapping[str, Any]
    statistics: Named
    attrs: Mapping[str, Any]
    about: Mapping[str, Any]

    @property
    def shape(self) -> tuple[int, int]:
        """Chains, and draws a chain."""
        chains, draws, *_ = next(iter(self.variables.values()))[1].shape
        return chains, draws

    def values(self, name: str, dims: tuple[str, ...] | None = None) -> FloatArray:
        """Return draws (chain, draw, *dims) of a variable, its dims in their own order unless another is given."""
        own, values = self.variables[name]
        axes = range(len(own)) if dims is None else (own.index(dim) for dim in dims)
        return np.asarray(np.transpose(values, (0, 1, *(axis + 2 for axis in axes))))
