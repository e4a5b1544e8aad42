"""In which order columns are taken out of the response, by what the priors say of their coefficients."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from formulajoint.design.schema import Predictor
from formulajoint.distributions.prior import Prior


@dataclass(frozen=True, slots=True, eq=False)
class Role:
    """A term as the triangles see it.

    Attributes
    ----------
    width : int
        Number of its columns.
    grouped, pooled : bool
        Whether each group has coefficients of its own, and whether these have a hierarchy.
    prior : Prior
        Of the coefficients or, under a hierarchy, of their mean.
    in_sds : bool
        Whether the prior is in residual sds: the coefficients then have no known reference but zero.
    """

    width: int
    grouped: bool
    pooled: bool
    prior: Prior
    in_sds: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a predictor, numbered in the order of its terms.

    Attributes
    ----------
    own, shared : tuple of int
        Columns whose coefficients differ by group, and those with one for all groups.
    order : tuple of int
        The own columns in the order in which they are taken out.
    known : tuple of (int, float)
        Columns with a constant coefficient, and the constant: they are subtracted from the response.
    still : tuple of (int, float)
        Own columns whose coefficients have a constant mean, and the constant; 0 where that is in residual sds.
    """

    own: tuple[int, ...]
    shared: tuple[int, ...]
    order: tuple[int, ...]
    known: tuple[tuple[int, float], ...] = ()
    still: tuple[tuple[int, float], ...] = ()

    @property
    def kept(self) -> tuple[int, ...]:
        """Columns whose coefficients are unknown, own ones first."""
        return self.own + self.shared

    @property
    def moved(self) -> tuple[int, ...]:
        """Columns whose coefficients may have any reference."""
        still = {column for column, _ in self.still}
        return tuple(column for column in self.kept if column not in still)


def layout_of(roles: Iterable[Role]) -> Layout:
    """Return the layout of a predictor's terms.

    Own columns with flat priors are taken out first, so that only the first rows of a triangle contain them; the others
    in reverse order, so that a lower triangular D stays so.
    """
    own: list[int] = []
    shared: list[int] = []
    flat: list[int] = []
    known: list[tuple[int, float]] = []
    still: list[tuple[int, float]] = []
    first = 0
    for role in roles:
        columns = range(first, first + role.width)
        first += role.width
        if role.in_sds:
            still.extend((column, 0.0) for column in columns)
        elif role.prior.constant is not None:
            values = np.broadcast_to(np.ravel(role.prior.constant), role.width)
            (still if role.pooled else known).extend(zip(columns, map(float, values), strict=True))
            if not role.pooled:
                continue
        (own if role.grouped else shared).extend(columns)
        flat += columns if role.grouped and not role.pooled and not role.prior.proper else ()
    order = (*flat, *(column for column in reversed(own) if column not in flat))
    return Layout(tuple(own), tuple(shared), order, tuple(known), tuple(still))


def unknown(predictor: Predictor) -> Layout:
    """Return the layout of a predictor's terms where nothing is known of their coefficients."""
    own, shared = (
        sum(len(term.scales) for term in terms) for terms in (predictor.per_group, predictor.common)
    )
    columns = tuple(range(own))
    return Layout(columns, tuple(range(own, own + shared)), columns)
