"""Student and Cauchy priors as normal ones mixed over their scales.

A Student or Cauchy hierarchy is a normal one whose sd each group divides by the root of a number of its own, w_g ~
Gamma(nu / 2, nu / 2) (Andrews & Mallows, JRSS B 1974); these w are further parameters phi. A Student or Cauchy prior of
an element of theta is treated likewise.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from formulajoint.arrays import IntArray
from formulajoint.compiler.plan import Plan
from formulajoint.distributions.prior import prior
from formulajoint.inference.latent.columns import Column
from formulajoint.inference.latent.phi import Cell, coordinate


def mixtures(
    plan: Plan, pooled: Sequence[IntArray], theta: Sequence[Column], groups: int, first: int
) -> tuple[dict[int, slice], dict[int, int], list[Cell]]:
    """Return the columns and the elements of theta that have a w, and the w, parameters from `first` on.

    Parameters
    ----------
    plan : Plan
    pooled : sequence of int arrays
        The columns of each hierarchy.
    theta : sequence of Column
        The columns of theta's elements.
    groups, first : int
    """
    found: list[Cell] = []
    mixed_columns, mixed_theta = {}, {}
    for pool, columns in zip(plan.mean.pools, pooled, strict=True):
        df = pool.request.degrees
        for column in columns if np.isfinite(df) else ():
            at = first + len(found)
            mixed_columns[int(column)] = slice(at, at + groups)
            found += gammas(df, groups)
    for element, own in enumerate(theta):
        if np.isfinite(own.df):
            mixed_theta[element] = first + len(found)
            found += gammas(own.df, 1)
    return mixed_columns, mixed_theta, found


def gammas(df: float, count: int) -> list[Cell]:
    """Return the w of a number of Student coefficients."""
    return [coordinate(prior("gamma", df / 2, df / 2))] * count
