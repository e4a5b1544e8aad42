"""Hierarchies as PyMC variables.

A normal hierarchy of p columns, ``b_g ~ N(mu, diag(tau) R diag(tau))`` with ``R = L L'``, is built column by column:

    b_gj = mu_j + tau_j (sum_{k<j} L_jk u_gk + L_jj u_gj),    u_gj ~ N(0, 1) independently.

In the non-centred form u_gj is the variable. In the centred form it is b_gj, with mean
mu_j + tau_j sum_{k<j} L_jk u_gk and sd tau_j L_jj, and u_gj is computed back. The form may differ by column. The graph
is elementwise: with PyMC's Cholesky factor or a multivariate normal it takes two to five times as long to compile
(``benchmarks/compile_time.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import pymc as pm
import pytensor.tensor as pt

from formulajoint.compiler.coefficients import Correlation, Pool, PooledTerm
from formulajoint.compiler.plan import ScalePlan
from formulajoint.compiler.pymc.distributions import Variable, variable
from formulajoint.design.pooling import Hierarchy


def pooled_coefficients(
    pool: Pool, unit: Variable | None = None, means: Mapping[str, Variable] = MappingProxyType({})
) -> dict[str, Variable]:
    """Add a hierarchy to the open model and return the coefficients of its terms by variable name.

    Parameters
    ----------
    pool : Pool
    unit : () or (G,) variable, optional
        The residual sd of each group, in units of which the coefficients are pooled.
    means : mapping of str to variable
        Of a group term: the shared coefficients about which those of the groups vary.
    """
    if pool.correlation is not None:
        return _correlated(pool, pool.correlation, unit, means)
    return {term.coefficient.name: _independent(pool, term, unit, means) for term in pool.terms}


def deviations(pool: Pool, coefficients: Mapping[str, Variable]) -> dict[str, Variable]:
    """Add the groups' deviations from shared coefficients to the open model and return them by name.

    Where nothing is shared, the coefficients are the deviations.
    """
    return {
        term.deviation_name: pm.Deterministic(
            term.deviation_name,
            coefficients[term.coefficient.name] - coefficients[term.mean_name],
            dims=term.coefficient.dims,
        )
        for term in pool.terms
        if term.mean_name
    }


def _location_and_scale(term: PooledTerm, means: Mapping[str, Variable]) -> tuple[Variable, Variable]:
    shape = term.coefficient.term.shape
    if not term.deviation_name:
        mean = variable(term.mean_name, term.mean, term.dims, shape)
    else:
        mean = means[term.mean_name] if term.mean_name else pt.zeros(shape)
    return mean, variable(term.sd_name, term.sd, term.dims, shape, scale=True)


def hierarchy_law(
    request: Hierarchy, name: str, location: Variable, scale: Variable, dims: tuple[str, ...]
) -> Variable:
    """Add a variable with the hierarchy's distribution to the open model."""
    standard = request.standard
    assert standard.distribution.pymc is not None
    where = dict(zip(standard.distribution.args[-2:], (location, scale), strict=True))
    return standard.distribution.pymc(pm)(name, **{**standard.args, **where}, dims=dims)


def _independent(
    pool: Pool, term: PooledTerm, unit: Variable | None, means: Mapping[str, Variable]
) -> Variable:
    mean, sd = _location_and_scale(term, means)
    if unit is not None:
        own = unit.reshape((-1, *[1] * len(term.dims))) if unit.ndim else unit  # (G, 1, ...)
        mean, sd = own * mean, own * sd
    dims = term.coefficient.dims
    if term.offset_name is None:  # centred
        return hierarchy_law(pool.request, term.coefficient.name, mean, sd, dims)
    offset = hierarchy_law(pool.request, term.offset_name, 0.0, 1.0, dims)
    return pm.Deterministic(term.coefficient.name, mean + sd * offset, dims=dims)


def _correlated(
    pool: Pool, correlation: Correlation, unit: Variable | None, means: Mapping[str, Variable]
) -> dict[str, Variable]:
    cholesky = _cholesky(correlation)
    done: list[Variable] = []  # u of the columns so far, each (G,)
    out: dict[str, Variable] = {}
    for term in pool.terms:
        mean, sd = _location_and_scale(term, means)
        offset = None if term.offset_name is None else pm.Normal(term.offset_name, dims=term.coefficient.dims)
        columns = []
        for c in range(term.coefficient.term.columns.shape[1]):
            row = cholesky[len(done)]
            mu, tau = (mean.flatten()[c], sd.flatten()[c]) if term.dims else (mean, sd)
            shift = sum((weight * u for weight, u in zip(row, done, strict=False)), start=pt.constant(0.0))
            location, scale = mu + tau * shift, tau * row[len(done)]
            if unit is not None:
                location, scale = unit * location, unit * scale
            if offset is not None:
                u = offset.flatten(2)[:, c] if term.dims else offset
                columns.append(location + scale * u)
            else:
                name = term.column_names[c] if term.column_names else term.coefficient.name
                columns.append(pm.Normal(name, location, scale, dims=(pool.group_dim,)))
                u = (columns[-1] - location) / scale
            done.append(u)
        out[term.coefficient.name] = _assemble(term, columns)
    return out


def _assemble(term: PooledTerm, columns: list[Variable]) -> Variable:
    """Return the term's coefficients (G, ...) as one named variable."""
    if term.centered and not term.column_names:
        return columns[0]
    whole = columns[0]
    if term.dims:
        whole = pt.stack(columns, axis=1).reshape((-1, *term.coefficient.term.shape))
    return pm.Deterministic(term.coefficient.name, whole, dims=term.coefficient.dims)


def _cholesky(correlation: Correlation) -> list[list[Variable]]:
    """Add LKJ correlations to the open model; return the rows of the lower Cholesky factor of R.

    The partial correlation of columns i > j given the columns before j is ``2 Beta(a, a) - 1`` with
    ``a = eta + (p - 2 - j) / 2``, independently, and then R ~ LKJ(eta) (Lewandowski, Kurowicka & Joe, Journal of
    Multivariate Analysis 2009, section 2).
    """
    p = len(correlation.labels)
    shapes = [correlation.eta + (p - 2 - j) / 2 for j in range(p) for _ in range(j + 1, p)]
    beta = pm.Beta(correlation.partial_name, shapes, shapes, dims=(correlation.partial_dim,))
    partial = 2 * beta - 1
    rows: list[list[Variable]] = [[pt.constant(1.0)]] + [[] for _ in range(p - 1)]
    left: list[Variable] = [pt.constant(1.0)] * p  # remainder of each row's squared length 1
    pairs = ((j, i) for j in range(p) for i in range(j + 1, p))
    for position, (j, i) in enumerate(pairs):
        rows[i].append(partial[position] * pt.sqrt(left[i]))
        left[i] = left[i] * (1 - partial[position] ** 2)
        if j == i - 1:
            rows[i].append(pt.sqrt(left[i]))
    pm.Deterministic(correlation.name, _matrix(rows), dims=correlation.dims)
    return rows


def _matrix(rows: list[list[Variable]]) -> Variable:
    """Return R = L L' from the rows of L, element by element."""
    p = len(rows)
    one = pt.constant(1.0)
    cells = [
        one if i == j else sum(a * b for a, b in zip(rows[i], rows[j], strict=False))
        for i in range(p)
        for j in range(p)
    ]
    return pt.stack(cells).reshape((p, p))


def pooled_scale(plan: ScalePlan) -> Variable:
    """Add the groups' values of a parameter, pooled on its link's scale: ``log s_g ~ dist(log mean, sd)``."""
    pool = plan.pool
    assert pool is not None
    middle = variable(pool.mean_name, plan.prior, (), (), start=1.0, scale=True)
    sd = variable(pool.sd_name, pool.sd, (), (), scale=True)
    location = plan.link.forward(pt, middle)
    if pool.centered:
        eta = hierarchy_law(pool.request, pool.raw_name, location, sd, plan.dims)
    else:
        eta = location + sd * hierarchy_law(pool.request, pool.raw_name, 0.0, 1.0, plan.dims)
    return pm.Deterministic(plan.name, plan.link.inverse(pt, eta), dims=plan.dims)
