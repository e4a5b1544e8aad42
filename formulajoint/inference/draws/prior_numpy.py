"""Draws of coefficients from their prior in NumPy, hierarchies included: for prior probabilities, without PyMC.

The laws are those that ``compiler/pymc/pooling.py`` builds. Shapes: n draws.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.compiler.plan import Coefficient, LinearPlan, Pool, PooledTerm
from formulajoint.distributions.prior import Prior
from formulajoint.errors import BugError

type Rng = np.random.Generator

DRAWS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "normal": lambda rng, shape, mu, sigma: mu + sigma * rng.standard_normal(shape),
        "student_t": lambda rng, shape, nu, mu, sigma: mu + sigma * rng.standard_t(nu, shape),
        "cauchy": lambda rng, shape, alpha, beta: alpha + beta * rng.standard_cauchy(shape),
        "laplace": lambda rng, shape, mu, b: mu + b * rng.laplace(size=shape),
        "half_normal": lambda rng, shape, sigma: sigma * abs(rng.standard_normal(shape)),
        "half_cauchy": lambda rng, shape, beta: beta * abs(rng.standard_cauchy(shape)),
        "half_student_t": lambda rng, shape, nu, sigma: sigma * abs(rng.standard_t(nu, shape)),
        "exponential": lambda rng, shape, lam: rng.standard_exponential(shape) / lam,
        "gamma": lambda rng, shape, alpha, beta: rng.gamma(alpha, size=shape) / beta,
        "inverse_gamma": lambda rng, shape, alpha, beta: beta / rng.gamma(alpha, size=shape),
        "log_normal": lambda rng, shape, mu, sigma: np.exp(mu + sigma * rng.standard_normal(shape)),
        "beta": lambda rng, shape, alpha, beta: rng.beta(alpha, beta, shape),
        "uniform": lambda rng, shape, lower, upper: lower + (upper - lower) * rng.random(shape),
        "constant": lambda rng, shape, value: np.full(shape, value),
    }
)
"""Prior name -> function that draws an array of a shape, with the prior's arguments in the language."""


def draw(prior: Prior, rng: Rng, count: int, size: int) -> FloatArray:
    """Return draws (count, size) of a proper prior, whose array arguments hold `size` values."""
    make = DRAWS.get(prior.law)
    if make is None:
        raise BugError(f"{prior} is no prior that can be drawn from")
    return np.asarray(make(rng, (count, size), **_flat(prior)))


def _flat(prior: Prior) -> dict[str, float | FloatArray]:
    return {name: np.ravel(v) if isinstance(v, np.ndarray) else v for name, v in prior.args.items()}


def coefficient_draws(part: LinearPlan, places: IntArray, rng: Rng, count: int) -> FloatArray:
    """Return prior draws of some coefficients.

    Parameters
    ----------
    part : LinearPlan
        Its priors of these coefficients are proper.
    places : (q,) int array
        Their places among all coefficients of `part`, flattened one after another, groups first.
    rng : numpy Generator
    count : int

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
        groups = len(part.predictor.grouping) if coefficient.grouped and part.predictor.grouping else 1
        at = np.flatnonzero((places >= start) & (places < start + groups * columns))
        own = places[at] - start
        start += groups * columns
        if not len(at):
            continue
        pool = pools.get(coefficient.name)
        if pool is not None:
            wanted.setdefault(part.pools.index(pool), []).append((at, coefficient, own))
        elif coefficient.prior is not None:
            out[:, at] = _unpooled(coefficient.prior, rng, count, own % columns, columns)
    for index, members in wanted.items():
        _fill_pool(out, part.pools[index], members, rng)
    return out


def _unpooled(prior: Prior, rng: Rng, count: int, column: IntArray, columns: int) -> FloatArray:
    """Return draws of some coefficients of one term; `column` holds the column of each."""
    args = {
        name: np.broadcast_to(value, (columns,))[column] if np.size(value) > 1 else value
        for name, value in _flat(prior).items()
    }
    return draw(Prior(prior.law, args), rng, count, len(column))


def _fill_pool(
    out: FloatArray, pool: Pool, members: list[tuple[IntArray, Coefficient, IntArray]], rng: Rng
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
        out[:, at] = mean[:, column] + sd[:, column] * u[:, which, column]


def _located(term: PooledTerm, which: str, rng: Rng, count: int) -> FloatArray:
    """Return draws of location or scale of a pooled term's columns, (count, columns)."""
    prior = term.mean if which == "mean" else term.sd
    return draw(prior, rng, count, term.coefficient.term.columns.shape[1])


def _standardized(pool: Pool, rng: Rng, shape: tuple[int, int, int]) -> FloatArray:
    """Return draws (n, groups, columns) of coefficients with location zero and scale one."""
    match pool.request.dist:
        case "student":
            return rng.standard_t(pool.request.df, shape)
        case "cauchy":
            return rng.standard_cauchy(shape)
    u = rng.standard_normal(shape)
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
