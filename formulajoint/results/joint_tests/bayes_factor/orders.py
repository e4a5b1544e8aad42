"""The Bayes factor of an order against the model without it: its probability in the posterior over that in the prior.

The prior probability is exact where the coefficients are exchangeable, as in ``treatment[A] > treatment[B] > 0``;
otherwise it is an integral of a normal distribution, or a share of draws from the prior, whose error is passed on.
An order of effects on the response is such a share.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy

from formulajoint.arrays import BoolArray, FloatArray, IntArray
from formulajoint.compiler.coefficients import Coefficient, Pool, PooledTerm
from formulajoint.compiler.evaluate.linear_predictor import parameters_of_mean
from formulajoint.compiler.evaluate.values import Values
from formulajoint.compiler.plan import Plan
from formulajoint.compiler.residual_sds import names_in_sds, sigma_of_groups
from formulajoint.contrasts.hypotheses import Hypothesis
from formulajoint.contrasts.layout import layout
from formulajoint.distributions.prior import Prior
from formulajoint.inference.draws.prior_numpy import coefficient_draws, unit_draws
from formulajoint.inference.evidence import why_no_probability
from formulajoint.inference.quadrature import LogIntegral
from formulajoint.remarks import Missing
from formulajoint.results.joint_tests.quantities import on_response

MOST_INTEGRATED = 10
"""Up to this many comparisons, the probability under a normal prior is an integral; beyond, a share of draws."""

REPEATS, POINTS = 10, 100_000
"""Runs of the randomised integration, from which its error is computed, and most points per run."""

ENOUGH, MOST_NUMBERS, BATCH = 10_000, 40_000_000, 1_000_000
"""Draws from the prior stop at this many hits, or this many numbers; and numbers per batch."""

LEAST = 4000
"""Fewest draws from the prior of effects on the response, however many rows they are averaged over."""

FEWEST = 10
"""Fewest hits for a prior probability."""

UNKNOWN = LogIntegral(-math.inf, math.inf)
"""A probability too small to be known."""

LOCATIONS = 200_000
"""Draws of location and scale of a hierarchy, over which the probability given both is averaged."""


def order(plan: Plan, hypothesis: Hypothesis, probability: float, mcse: float) -> LogIntegral | Missing:
    """Return the log Bayes factor of an order against the model without it, or the reason it is unavailable.

    Parameters
    ----------
    plan : Plan
    hypothesis : Hypothesis
        An order.
    probability, mcse : float
        Posterior probability of the order, and its Monte Carlo standard error.
    """
    if missing := why_no_probability(plan):
        return missing.of("Bayes factor")
    if hypothesis.of_means:
        return _none("means", "the prior probability of an order of hierarchies' means is not computed")
    if hypothesis.response and (plan.mean.varying or len(parameters_of_mean(plan)) > 1):
        return _none(
            "response",
            "the prior probability of an order of effects on the response is computed where the mean depends on one "
            "predictor and the groups of one factor",
        )
    if any(not prior.proper for prior in _priors(plan, hypothesis)):
        return _none("flat", "flat priors give the order no prior probability")
    if probability == 0:
        return _none("draws", "no draw has the order")
    prior = log_prior_probability(plan, hypothesis)
    if not prior.error < 0.5:
        return _none("prior", "the order's prior probability is too near zero to be known")
    return LogIntegral(math.log(probability) - prior.value, math.hypot(mcse / probability, prior.error))


def _none(code: str, reason: str) -> Missing:
    return Missing(code, reason).of("Bayes factor")


def _priors(plan: Plan, hypothesis: Hypothesis) -> Iterator[Prior]:
    """Yield the priors of the hypothesis' coefficients; under a hierarchy, those of its mean and sd, and of sigma."""
    pooled = plan.mean.pooled
    for coefficient in plan.mean.coefficients:
        if hypothesis.response or coefficient.term.name in hypothesis.terms:
            term = pooled.get(coefficient.name)
            yield from (term.mean, term.sd) if term else (coefficient.prior,) if coefficient.prior else ()
            if coefficient.name in names_in_sds(plan.mean) and plan.spread is not None:
                yield plan.spread.prior


def log_prior_probability(plan: Plan, hypothesis: Hypothesis) -> LogIntegral:
    """Return the log of P(R b > r) under the prior, with its error: infinite if it is too small to be known."""
    if hypothesis.response:
        return _of_effects(plan, hypothesis)
    cells = list(_cells(plan))
    independent = not plan.mean.pools and not names_in_sds(plan.mean)
    parts = [_part(plan, cells, *part) for part in _parts(hypothesis, independent)]
    return LogIntegral(sum(p.value for p in parts), math.hypot(*(p.error for p in parts)))


@dataclass(frozen=True, slots=True, eq=False)
class _Cell:
    """One coefficient: its column of its term and, where it is not pooled, its prior."""

    coefficient: Coefficient
    column: int
    prior: Prior | None
    pool: Pool | None = None
    pooled: PooledTerm | None = None

    @property
    def kind(self) -> tuple[object, ...]:
        """A key that is the same for exchangeable coefficients: their prior, or their hierarchy and column."""
        if self.prior is None:
            return (self.coefficient.name, self.column)
        return (self.prior.distribution, *self.prior.numbers)


def _cells(plan: Plan) -> Iterator[_Cell]:
    """Yield the coefficients in the order of ``layout``."""
    pooled = {term.coefficient.name: (pool, term) for pool in plan.mean.pools for term in pool.terms}
    for coefficient in plan.mean.coefficients:
        groups, columns = len(coefficient.grouping or [None]), coefficient.term.columns.shape[1]
        shape, prior = (groups, *coefficient.term.shape), coefficient.prior
        for at in range(groups * columns):
            own = None if prior is None else prior.at(at, shape)
            yield _Cell(coefficient, at % columns, own, *pooled.get(coefficient.name, ()))


def _parts(
    hypothesis: Hypothesis, independent: bool
) -> Iterator[tuple[scipy.sparse.csr_array, FloatArray, IntArray]]:
    """Yield rows, nulls and coefficients of each part that shares no coefficient with the others."""
    rows, null = hypothesis.rows, hypothesis.null
    labels = np.zeros(len(null), dtype=int)
    if independent:
        _, labels = scipy.sparse.csgraph.connected_components(abs(rows) @ abs(rows).T, directed=False)
    for label in range(labels.max() + 1):
        own = np.flatnonzero(labels == label)
        part = scipy.sparse.csr_array(rows[own])
        places = np.unique(part.indices).astype(np.int64)
        yield scipy.sparse.csr_array(part[:, places]), null[own], places


def _part(
    plan: Plan, cells: list[_Cell], rows: scipy.sparse.csr_array, null: FloatArray, places: IntArray
) -> LogIntegral:
    own = [cells[place] for place in places]
    alike = len({cell.kind for cell in own}) == 1 and not (
        names_in_sds(plan.mean) and (null.any() or sigma_of_groups(plan) is not None)
    )
    limits = _chain(rows, null) if alike else None
    if limits is not None and (exact := _of_chain(own[0], len(own), *limits)):
        return exact
    priors = [cell.prior for cell in own]
    if len(null) <= MOST_INTEGRATED and all(p is not None and p.normal for p in priors):
        mean, sd = np.array([p.normal for p in priors if p is not None]).T
        return _log_probability_above(rows @ mean - null, rows.multiply(sd[None, :]).toarray())
    return _by_draws(plan, rows, null, places)


# --- chains of exchangeable coefficients


def _chain(rows: scipy.sparse.csr_array, null: FloatArray) -> tuple[float, float] | None:
    """Return the limits below and above of a chain of all coefficients, b_1 > b_2 > ... ; None for anything else."""
    low, high = -math.inf, math.inf
    below: dict[int, int] = {}
    ends: dict[str, int] = {}
    for number, limit in enumerate(null):
        at, weights = rows[[number]].indices, rows[[number]].data
        if len(at) == 2 and weights[0] == -weights[1] and limit == 0:
            over, under = at[np.argsort(-weights)]
            if int(over) in below:
                return None
            below[int(over)] = int(under)
        elif len(at) == 1 and weights[0] > 0 and "low" not in ends:
            ends["low"], low = int(at[0]), float(limit / weights[0])
        elif len(at) == 1 and weights[0] < 0 and "high" not in ends:
            ends["high"], high = int(at[0]), float(limit / weights[0])
        else:
            return None
    walk = _walked(below, rows.shape[1])
    fits = walk and ends.get("high", walk[0]) == walk[0] and ends.get("low", walk[-1]) == walk[-1]
    return (low, high) if fits else None


def _walked(below: dict[int, int], count: int) -> list[int]:
    """Return all coefficients from the highest down, or an empty list if the steps are not one chain of all."""
    tops = set(range(count)) - set(below.values())
    if len(tops) != 1 or len(below) != count - 1:
        return []
    walk = [tops.pop()]
    while walk[-1] in below:
        walk.append(below[walk[-1]])
    return walk if len(walk) == count else []


def _of_chain(cell: _Cell, length: int, low: float, high: float) -> LogIntegral | None:
    """Return log P(low < b_k < ... < b_1 < high) of exchangeable coefficients: one of k! orders."""
    orders = math.lgamma(length + 1)
    if (cell.prior is None or cell.prior.constant is None) and low == -math.inf and high == math.inf:
        return LogIntegral(-orders, 0.0)
    if cell.pooled is not None:
        share = _between_given(cell, low, high) ** length
        mean, error = float(np.mean(share)), float(np.std(share) / math.sqrt(len(share)))
        return LogIntegral(math.log(mean) - orders, error / mean) if mean > 0 else UNKNOWN
    prior = cell.prior
    if prior is None or prior.distribution.scipy is None:
        return None
    law = prior.distribution.scipy(scipy.stats, *prior.numbers)
    inside = _log_between(law, low, high)
    return LogIntegral(length * inside - orders, 0.0) if inside > -math.inf else UNKNOWN


def _log_between(law: Any, low: float, high: float) -> float:
    if high == math.inf:
        return float(law.logsf(low))
    if low == -math.inf:
        return float(law.logcdf(high))
    inside = float(law.cdf(high) - law.cdf(low))
    return math.log(inside) if inside > 0 else -math.inf


def _between_given(cell: _Cell, low: float, high: float) -> FloatArray:
    """Return P(low < b < high | location, scale) for draws of both from a hierarchy's prior."""
    pool, term = cell.pool, cell.pooled
    assert pool is not None
    assert term is not None
    rng = np.random.default_rng(0)
    shape = term.coefficient.term.shape
    location, scale = (p.at(cell.column, shape).draw(rng, (LOCATIONS, 1)) for p in (term.mean, term.sd))
    above, below = ((limit - location[:, 0]) / scale[:, 0] for limit in (low, high))
    return np.asarray(_cumulative(pool, below) - _cumulative(pool, above))


def _cumulative(pool: Pool, u: FloatArray) -> FloatArray:
    """Return P(b < u) under a hierarchy with location zero and scale one."""
    df = pool.request.degrees
    return np.asarray(scipy.special.ndtr(u) if math.isinf(df) else scipy.special.stdtr(df, u))


# --- any other order


def _log_probability_above(centre: FloatArray, root: FloatArray) -> LogIntegral:
    """Return log P(c > 0), c ~ N(centre, root root'), by Genz's randomised integration."""
    if len(centre) == 1:
        return LogIntegral(float(scipy.stats.norm.logsf(0, centre[0], np.linalg.norm(root))), 0.0)
    zero, covariance = np.zeros(len(centre)), root @ root.T
    found = [
        scipy.stats.multivariate_normal.cdf(
            centre, zero, covariance, allow_singular=True, maxpts=POINTS, rng=np.random.default_rng(seed)
        )
        for seed in range(REPEATS)
    ]
    mean, error = float(np.mean(found)), float(np.std(found, ddof=1) / math.sqrt(REPEATS))
    return LogIntegral(math.log(mean), error / mean) if mean > 0 else UNKNOWN


def _by_draws(plan: Plan, rows: scipy.sparse.csr_array, null: FloatArray, places: IntArray) -> LogIntegral:
    """Return log P(R b > r) from draws of the prior, as many as a probability of its size needs."""
    dense = rows.toarray()
    return _share(
        plan,
        places,
        max(1, BATCH // len(places)),
        MOST_NUMBERS // len(places),
        lambda draws: np.all(draws @ dense.T > null, axis=1),
    )


def _of_effects(plan: Plan, hypothesis: Hypothesis) -> LogIntegral:
    """Return the same of effects on the response, which depend on all coefficients of the mean."""
    blocks, coefficients = layout(plan.design), plan.mean.coefficients
    last, rows = blocks[-1], plan.design.rows.used

    def hit(draws: FloatArray) -> BoolArray:
        found = {}
        for block, own in zip(blocks, coefficients, strict=True):
            groups = () if own.grouping is None else (len(own.grouping),)
            columns = draws[:, block.start : block.start + block.size].T
            found[own.name] = columns.reshape((*groups, *own.term.shape, len(draws)))
        return np.all(on_response(plan, hypothesis, Values(found.__getitem__, sampled=True)) > 0, axis=0)

    places = np.arange(last.start + last.size)
    return _share(plan, places, max(LEAST, BATCH // rows), MOST_NUMBERS // rows, hit)


def _share(
    plan: Plan, places: IntArray, batch: int, most: int, hit: Callable[[FloatArray], BoolArray]
) -> LogIntegral:
    """Return the log of the share of draws of coefficients from the prior that are hits, of about `most` draws."""
    rng = np.random.default_rng(0)
    hits = drawn = 0
    while hits < ENOUGH and drawn < most:
        unit = unit_draws(plan, rng, batch)
        hits += int(np.sum(hit(coefficient_draws(plan.mean, places, rng, batch, unit))))
        drawn += batch
    if hits < FEWEST:
        return UNKNOWN
    share = hits / drawn
    return LogIntegral(math.log(share), math.sqrt((1 - share) / hits))
