"""Groups that share coefficients: the null model of ``x[A] == x[B]``, other groups being free.

Groups that share all their coefficients are one group. Groups that share some of them have one u for each such column,
as in ``latent/ties.py``: given these they are independent, so the shared u are parameters psi with priors N(0, 1), and
the rest is integrated out group by group. The columns stand first, so that the coefficients of the others may depend on
the shared u through D.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.distributions.prior import prior
from formulajoint.inference.latent.phi import Cell, coordinate
from formulajoint.inference.latent.structure import Structure
from formulajoint.inference.latent.ties import tied


class Shared(NamedTuple):
    """Coefficients that groups share.

    Attributes
    ----------
    columns : int
        Number of columns, the first ones.
    class_of_group : (G,) int array
        -1 for groups that share none.
    """

    columns: int
    class_of_group: IntArray

    @property
    def cells(self) -> list[Cell]:
        """The shared u as parameters phi, class by class."""
        classes = int(np.max(self.class_of_group, initial=-1)) + 1
        return [coordinate(prior("normal", 0.0, 1.0))] * (classes * self.columns)


def with_ties(
    structure: Structure,
    own: FloatArray,
    codes: IntArray,
    columns: Sequence[int],
    classes: Sequence[IntArray],
) -> tuple[Structure, FloatArray, IntArray, Shared]:
    """Return the prior, the columns by group (N, p) and each row's group (N,) where groups share coefficients.

    Parameters
    ----------
    structure : Structure
        Of free groups.
    own : (N, p) array
    codes : (N,) int array
    columns : sequence of int
        Places of the columns that are shared.
    classes : sequence of int arrays
        Groups that share them.
    """
    p, groups = own.shape[1], structure.groups
    order = np.array([*columns, *(j for j in range(p) if j not in columns)], dtype=np.int64)
    structure = tied(structure, order, columns, tuple(classes))
    of_group, leads = np.full(groups, -1), np.arange(groups)
    for number, members in enumerate(classes):
        of_group[members], leads[members] = number, members[0]
    if len(columns) == p:
        return structure, own[:, order], leads[codes], Shared(0, np.full(groups, -1))
    return structure, own[:, order], codes, Shared(len(columns), of_group)


def take_shared(
    shared: IntArray, class_of_group: IntArray, values: FloatArray, start: FloatArray, loads: list[FloatArray]
) -> None:
    """Put the u that groups share into their predictors at u = 0, and take them out of what is integrated.

    Parameters
    ----------
    shared : (classes, columns) int array
        Places of the u among phi.
    class_of_group : (G,) int array
    values : (S, cells) array
        phi.
    start : (n, G, S) array
        The predictors at u = 0.
    loads : list of (n, G, S or 1) arrays
        The predictors' derivatives by each u.
    """
    alone = (class_of_group < 0)[:, None]
    for column, places in enumerate(shared.T):
        start += loads[column] * np.where(alone, 0.0, values[:, places[class_of_group]].T)
        loads[column] = np.where(alone, loads[column], 0.0)
