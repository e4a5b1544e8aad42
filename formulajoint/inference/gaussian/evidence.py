"""The evidence p(y) of a model, and from it Bayes factors of hypotheses about coefficients with a hierarchy.

``docs/statistics.md`` defines the null model of a hypothesis: it keeps every other prior of the full model as numbers.
A term whose coefficients the hypothesis fixes becomes a constant; one that it makes equal in all groups becomes
``common`` with the prior of the hierarchy's mean or, not pooled, with the prior conditioned on equality. If it makes
only some groups equal, these share one draw from the hierarchy (``ties.py``).
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.compiler.plan import Coefficient, Correlation, Plan, Pool, PooledTerm
from formulajoint.contrasts.hypotheses import Block, Hypothesis, independent, layout
from formulajoint.distributions.prior import Prior, prior
from formulajoint.errors import InferenceError
from formulajoint.inference.gaussian.applies import MOST_SCALES, lost_digits, why_not
from formulajoint.inference.gaussian.draws import sample_scales
from formulajoint.inference.gaussian.marginal import kernel
from formulajoint.inference.gaussian.reduction import reduce, with_ties
from formulajoint.inference.importance.sampled import DISAGREE, K_HAT
from formulajoint.inference.latent.columns import location_and_scale
from formulajoint.inference.latent.ties import Equal, equal_groups
from formulajoint.inference.quadrature import LogIntegral

DRAWS, POOLS = 500, 4
"""Draws per pool, and pools. A pool is worth five times its draws: a log evidence has an error of some thousandths."""


def log_evidence(plan: Plan, seed: int = 0, equal: Equal | None = None) -> LogIntegral | str:
    """Return log p(y) with its standard error, or the reason it is unavailable.

    Parameters
    ----------
    plan : Plan
    seed : int
        The same seed gives the same figure.
    equal : Equal, optional
        Coefficients that some groups share.
    """
    reason = why_no_evidence(plan)
    if reason:
        return reason
    reduction = reduce(plan) if equal is None else with_ties(plan, reduce(plan), equal)
    scales = len(reduction.structure.scales.coordinates)
    if equal is not None and scales > MOST_SCALES:  # `why_not` assumes groups that share nothing
        return f"with equal groups, {scales} sigmas are more than {MOST_SCALES} at once"
    try:
        found = sample_scales(kernel(reduction), DRAWS, POOLS, np.random.SeedSequence(seed))
    except InferenceError as error:
        return str(error)[0].lower() + str(error)[1:].rstrip(".")
    if reason := why_not_trusted(found.k_hat, found.disagreement):
        return reason
    lost = lost_digits(plan, reduction, reduction.structure.scales.values(found.points[0]))
    return lost or LogIntegral(found.log_integral, found.error)


def why_not_trusted(k_hat: float, disagreement: float) -> str:
    """Return the reason not to trust an importance sample; empty if it can be trusted."""
    if not k_hat < K_HAT:
        return f"the importance weights are not to be trusted (k-hat {k_hat:.2f})"
    if not disagreement < DISAGREE:
        return f"two independent searches differ by {disagreement:.1f} standard errors: modes may be missing"
    return ""


def why_no_evidence(plan: Plan) -> str:
    """Return the reason the exact engine cannot compute a plan's evidence; empty if it can."""
    if any(not prior.proper for _, prior in plan.priors):
        return "flat priors have no density"
    return why_no_probability(plan) or why_not(plan)


def why_no_probability(plan: Plan) -> str:
    """Return the reason a plan's likelihood is not a probability of the data; empty if it is one.

    Evidences, and Bayes factors of equalities and of orders, need such a probability.
    """
    weights = plan.design.row_weights
    if weights is not None and np.any(weights != np.round(weights)):
        return "row weights that are fractions make a power of the likelihood, which is no probability of the data"
    return ""


def log_bayes_factor(plan: Plan, hypothesis: Hypothesis, seed: int = 0) -> LogIntegral | str:
    """Return log BF10 of a plan against its null model under `hypothesis`, with its standard error, or why not.

    Parameters
    ----------
    plan : Plan
    hypothesis : Hypothesis
        Equalities.
    seed : int
    """
    equal = equal_groups(plan.design, hypothesis)
    if isinstance(equal, str):
        return equal
    null = null_plan(plan, hypothesis) if equal is None else plan
    if isinstance(null, str):
        return null
    one = log_evidence(plan, seed)
    zero = log_evidence(null, seed, equal) if isinstance(one, LogIntegral) else one
    if isinstance(one, str) or isinstance(zero, str):
        return one if isinstance(one, str) else str(zero)
    return LogIntegral(one.value - zero.value, math.hypot(one.error, zero.error))


def null_plan(plan: Plan, hypothesis: Hypothesis) -> Plan | str:
    """Return the plan in which `hypothesis` holds, or why it cannot be made. It is used only for its evidence."""
    kept = independent(hypothesis.rows)
    rows, null = hypothesis.rows[kept].toarray(), hypothesis.null[kept]
    used = [block for block in layout(plan.design) if np.any(rows[:, _columns(block)])]
    touched = np.flatnonzero(np.any(rows != 0, axis=0))
    if len(touched) < sum(block.size for block in used):
        return "about some groups alone it may say only that they are equal"
    if len(kept) == len(touched):
        values = np.zeros(rows.shape[1])
        values[touched] = np.linalg.solve(rows[:, touched], null)
        return _fixed(plan, used, values)
    if np.any(null) or any(not _all_equal(rows, block) for block in used):
        return "it neither fixes all coefficients of a term nor makes them equal in all groups"
    if len(kept) != sum(block.size - _per_group(block) for block in used):
        return "it compares coefficients of different terms"
    for block in used:
        plan = _shared(plan, block)
    return plan


def _columns(block: Block) -> slice:
    return slice(block.start, block.start + block.size)


def _per_group(block: Block) -> int:
    """Return the number of coefficients of a term in each group."""
    return len(block.term.scales)


def _all_equal(rows: FloatArray, block: Block) -> bool:
    """Return whether `rows` state only that the coefficients of a per-group term are equal in all groups."""
    own = rows[:, _columns(block)].reshape(len(rows), -1, _per_group(block))
    return own.shape[1] > 1 and bool(np.allclose(own.sum(axis=1), 0, atol=1e-9 * np.max(abs(own))))


def _fixed(plan: Plan, blocks: list[Block], values: FloatArray) -> Plan | str:
    """Return the plan in which the coefficients of some terms are constants."""
    for block in blocks:
        own = values[_columns(block)].reshape(-1, _per_group(block))
        if np.any(own != own[0]):
            return "it fixes coefficients at different values in different groups"
        plan = _with(plan, block, prior("constant", own[0]), grouped=True)
    return plan


def _shared(plan: Plan, block: Block) -> Plan:
    """Return the plan in which all groups share the coefficients of a term."""
    pooled = {t.coefficient.term.name: t for pool in plan.mean.pools for t in pool.terms}
    if block.term.name in pooled:
        return _with(plan, block, pooled[block.term.name].mean, grouped=False)
    own = next(c.prior for c in plan.mean.coefficients if c.term is block.term)
    assert own is not None  # a coefficient without a hierarchy has a prior
    columns = _per_group(block)
    mean, sd, _ = location_and_scale(own, columns)
    return _with(plan, block, prior("normal", mean, sd / math.sqrt(block.size / columns)), grouped=False)


def _with(plan: Plan, block: Block, own: Prior, grouped: bool) -> Plan:
    """Return the plan with another prior of a term's coefficients, the term removed from its hierarchy."""

    def changed(coefficient: Coefficient) -> Coefficient:
        if coefficient.term is not block.term:
            return coefficient
        return replace(coefficient, prior=own, grouped=grouped and coefficient.grouped)

    mean = replace(
        plan.mean,
        coefficients=tuple(changed(c) for c in plan.mean.coefficients),
        pools=tuple(pool for pool in (_without(p, block) for p in plan.mean.pools) if pool.terms),
    )
    return replace(plan, mean=mean)


def _without(pool: Pool, block: Block) -> Pool:
    """Return a hierarchy without a term.

    The correlations that stay keep their prior: where p columns have LKJ(eta), q of them have LKJ(eta + (p - q) / 2).
    """
    kept = tuple(term for term in pool.terms if term.coefficient.term is not block.term)
    gone = sum(_width(term) for term in pool.terms) - sum(_width(term) for term in kept)
    if pool.correlation is None or not gone:
        return replace(pool, terms=kept)
    return replace(pool, terms=kept, correlation=_narrowed(pool.correlation, kept, gone))


def _width(term: PooledTerm) -> int:
    return len(term.coefficient.term.scales)


def _narrowed(correlation: Correlation, terms: tuple[PooledTerm, ...], gone: int) -> Correlation | None:
    if sum(_width(term) for term in terms) < 2:
        return None
    return replace(correlation, prior=prior("lkj", correlation.eta + gone / 2))
