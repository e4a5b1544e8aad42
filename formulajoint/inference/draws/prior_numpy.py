"""Draws of coefficients from their prior in NumPy, hierarchies included: for prior probabilities, without PyMC.

The laws are those that ``compiler/pymc/pooling.py`` builds. Shapes: n draws.
"""

from __future__ import annotations

import numpy as np

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.compiler.coefficients import Coefficient, Pool, PooledTerm
from formulajoint.compiler.plan import LinearPlan, Plan
from formulajoint.compiler.residual_sds import names_in_sds, sigma_of_groups

type Rng = np.random.Generator


def unit_draws(plan: Plan, rng: Rng, count: int) -> FloatArray | None:
    """Return prior draws (count, G) of the residual sd of each group, where coefficients are in units of it.

    The prior of sigma is proper; the one sigma of all groups is repeated.
    """
    sigma, grouping = plan.spread, plan.design.predictor.grouping
    if not names_in_sds(plan.mean) or sigma is None or grouping is None:
        return None
    if sigma.grouping is None:
        return np.repeat(sigma.prior.draw(rng, (count, 1)), len(grouping), axis=1)
    if sigma.pool is None:
        return sigma.prior.draw(rng, (count, len(sigma.grouping)))[:, sigma_of_groups(plan)]
    middle, sd = (prior.draw(rng, (count, 1)) for prior in (sigma.prior, sigma.pool.sd))
    away = sigma.pool.request.standard.draw(rng, (count, len(sigma.grouping)))
    return np.asarray(sigma.link.inverse(np, sigma.link.forward(np, middle) + sd * away))[
        :, sigma_of_groups(plan)
    ]


def coefficient_draws(
    part: LinearPlan, places: IntArray, rng: Rng, count: int, unit: FloatArray | None = None
) -> FloatArray:
    """Return prior draws of some coefficients.

    Parameters
    ----------
    part : LinearPlan
        Its priors of these coefficients are proper.
    places : (q,) int array
        Their places among all coefficients of `part`, flattened one after another, groups first.
    rng : numpy Generator
    count : int
    unit : (count, G) array, optional
        The residual sds, if coefficients are in units of them.

    Returns
    -------
    (count, q) array
    """
    out = np.empty((count, len(places)))
    start = 0
    pools = {term.coefficient.name: pool for pool in part.pools for term in pool.terms}
    wanted: dict[int, list[tuple[IntArray, Coefficient, IntArray]]] = {}
    for coefficient in part.coefficients:
        columns = coefficient.term.columns.shape[1]
        groups = 1 if coefficient.grouping is None else len(coefficient.grouping)
        at = np.flatnonzero((places >= start) & (places < start + groups * columns))
        own = places[at] - start
        start += groups * columns
        if not len(at):
            continue
        pool = pools.get(coefficient.name)
        if pool is not None:
            wanted.setdefault(part.pools.index(pool), []).append((at, coefficient, own))
        elif coefficient.prior is not None:
            shape, own_unit = (groups, *coefficient.term.shape), unit if coefficient.prior.in_sds else None
            drawn = coefficient.prior.at(own, shape).draw(rng, (count, len(own)))
            out[:, at] = drawn if own_unit is None else drawn * own_unit[:, own // columns]
    for index, members in wanted.items():
        pool = part.pools[index]
        _fill_pool(out, pool, members, rng, unit if pool.request.in_sds else None)
    return out


def _fill_pool(
    out: FloatArray,
    pool: Pool,
    members: list[tuple[IntArray, Coefficient, IntArray]],
    rng: Rng,
    unit: FloatArray | None,
) -> None:
    """Write draws of a hierarchy's coefficients into their columns of `out`."""
    count = len(out)
    widths = [term.coefficient.term.columns.shape[1] for term in pool.terms]
    groups = np.unique(np.concatenate([own // c.term.columns.shape[1] for _, c, own in members]))
    mean, sd = (np.hstack([_located(t, which, rng, count) for t in pool.terms]) for which in ("mean", "sd"))
    u = _standardized(pool, rng, (count, len(groups), sum(widths)))
    starts = dict(zip((t.coefficient.name for t in pool.terms), np.cumsum([0, *widths]), strict=False))
    for at, coefficient, own in members:
        width = coefficient.term.columns.shape[1]
        column = starts[coefficient.name] + own % width
        which = np.searchsorted(groups, own // width)
        drawn = mean[:, column] + sd[:, column] * u[:, which, column]
        out[:, at] = drawn if unit is None else drawn * unit[:, own // width]


def _located(term: PooledTerm, which: str, rng: Rng, count: int) -> FloatArray:
    """Return draws of location or scale of a pooled term's columns, (count, columns)."""
    prior = term.mean if which == "mean" else term.sd
    return prior.draw(rng, (count, term.coefficient.term.columns.shape[1]))


def _standardized(pool: Pool, rng: Rng, shape: tuple[int, int, int]) -> FloatArray:
    """Return draws (n, groups, columns) of coefficients with location zero and scale one."""
    u = pool.request.standard.draw(rng, shape)
    if pool.correlation is None:
        return u
    return np.asarray(
        np.einsum("ngk,njk->ngj", u, lkj_cholesky(shape[2], pool.correlation.eta, rng, shape[0]))
    )


def lkj_cholesky(p: int, eta: float, rng: Rng, count: int) -> FloatArray:
    """Return lower Cholesky factors (count, p, p) of correlation matrices ~ LKJ(eta).

    By partial correlations (Lewandowski, Kurowicka & Joe, Journal of Multivariate Analysis 2009, section 2).
    """
    root = np.zeros((count, p, p))
    left = np.ones((count, p))  # what remains of each row's length 1
    for j in range(p):
        root[:, j, j] = np.sqrt(left[:, j])
        a = eta + (p - 2 - j) / 2
        for i in range(j + 1, p):
            partial = 2 * rng.beta(a, a, count) - 1
            root[:, i, j] = partial * np.sqrt(left[:, i])
            left[:, i] *= 1 - partial**2
    return root
