"""Sds of the response within groups: units of contrasts and of priors with ``scale=sd``."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.compiler.planning.prior_slots import VALUE, Slot
from formulajoint.data.rows import about_mean, cells_of, frequencies
from formulajoint.design.schema import Design, Grouping
from formulajoint.distributions.distribution import Number
from formulajoint.distributions.links import IDENTITY
from formulajoint.errors import DataError, FormulaError
from formulajoint.families.likelihood import Likelihood
from formulajoint.spans import Span
from formulajoint.spec.spec import MAIN


def group_sds(design: Design, grouping: Grouping | None, needed: IntArray) -> FloatArray:
    """Return the response's sd (ddof 1) in each group, with rows counted by their weights, (G,).

    Parameters
    ----------
    design : Design
    grouping : Grouping or None
        None for all rows together.
    needed : int array
        Groups that need an sd; a DataError is raised if one has no two rows, or a response that does not vary.
    """
    response, weights = design.response, frequencies(design)
    cells = cells_of(grouping, len(weights))
    rows = cells.sums(weights)
    squares = about_mean(response.values, weights, grouping)
    lone, still = np.intersect1d(needed, np.flatnonzero(rows <= 1)), squares[needed] <= 0
    if len(lone):
        whose = _label(grouping, int(lone[0]))
        raise DataError(f"`scale=sd` needs two rows in each group, but {whose} has {rows[lone[0]]:g}.")
    if np.any(still):
        group = int(needed[np.argmax(still)])
        count = int(np.sum(cells.codes == group))
        raise DataError(
            f"`scale=sd` divides by the sd of `{response.name}`, which is 0 in {_label(grouping, group)} "
            f"({count} rows)."
        )
    return np.sqrt(squares / np.where(rows > 1, rows - 1, 1.0))


def _label(grouping: Grouping | None, group: int) -> str:
    return "the data" if grouping is None else f"{grouping.name} {grouping.labels[group]}"


@dataclass(frozen=True, slots=True)
class Units:
    """The units of priors with ``scale=sd``."""

    design: Design
    family: Likelihood

    def of(self, slot: Slot, cells: IntArray, span: Span) -> Number:
        """Return the unit of the prior of each cell of a variable, to be broadcast to its shape.

        Parameters
        ----------
        slot : Slot
        cells : int array
            The cells that have such a prior, flattened.
        span : Span
            Of the distribution, for errors.
        """
        own = slot.parameter == MAIN and self.family.mean.link is IDENTITY
        scale = slot.parameter == self.family.spread and slot.term is None
        if not scale and (not own or slot.term is None):
            message = (
                f"`scale=sd` states a prior in sds of the response, and `{slot.spelling}` is not in its units"
            )
            raise FormulaError(message, span, "leave it out")
        shared = slot.part != VALUE or self.design.predictor.grouping is not None
        if slot.grouping is None and shared and not scale:
            message = f"`{slot.spelling}` is shared by the groups, so it is in the units of none"
            raise FormulaError(
                message, span, "write its numbers in units of the response, without `scale=sd`"
            )
        if slot.grouping is None:
            return float(group_sds(self.design, None, np.zeros(1, dtype=np.int64))[0])
        factors = slot.shape[1:]
        return group_sds(self.design, slot.grouping, np.unique(cells // prod(factors))).reshape(
            -1, *[1] * len(factors)
        )
