"""The plan in which a hypothesis about coefficients holds.

``docs/statistics.md`` defines the null model of a hypothesis: it keeps every other prior of the full model as numbers.
A term whose coefficients the hypothesis fixes becomes a constant; one that it makes equal in all groups becomes
``common`` with the prior of the hierarchy's mean or, not pooled, with the prior conditioned on equality.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.compiler.coefficients import Coefficient, Correlation, Pool, PooledTerm
from formulajoint.compiler.plan import Plan
from formulajoint.compiler.residual_sds import terms_in_sds
from formulajoint.contrasts.hypotheses import Hypothesis, independent
from formulajoint.contrasts.layout import Block, layout, mean_layout
from formulajoint.distributions.prior import Prior, prior
from formulajoint.inference.latent.columns import location_and_scale
from formulajoint.remarks import Missing

IN_SDS = "the prior is in residual sds, which differ: effects equal in points are not equal in these"
"""Why there is no null model of equal effects."""

WHOLE_TERMS = "it must fix all coefficients of a term"
"""Why there is no null model where a hypothesis leaves some of them open, such as two levels of a factor."""


def fixes(hypothesis: Hypothesis) -> bool:
    """Return whether a hypothesis determines every coefficient in it."""
    return len(independent(hypothesis.rows)) == len(np.unique(hypothesis.rows.indices))


def null_plan(plan: Plan, hypothesis: Hypothesis) -> Plan | Missing:
    """Return the plan in which `hypothesis` holds, or why it cannot be made. It is used only for its evidence."""
    if hypothesis.of_means:
        return _with_means(plan, hypothesis)
    kept = independent(hypothesis.rows)
    rows, null = hypothesis.rows[kept].toarray(), hypothesis.null[kept]
    used = [block for block in layout(plan.design) if np.any(rows[:, _columns(block)])]
    touched = np.flatnonzero(np.any(rows != 0, axis=0))
    if len(touched) < sum(block.size for block in used):
        if all(_of_all_groups(touched, block) for block in used):
            return Missing("null", WHOLE_TERMS)
        return Missing("null", "a hypothesis about some groups must state that they are equal")
    if len(kept) == len(touched):
        values = np.zeros(rows.shape[1])
        values[touched] = np.linalg.solve(rows[:, touched], null)
        return _fixed(plan, used, values)
    if np.any(null) or any(not _all_equal(rows, block) for block in used):
        several = any(block.size > _per_group(block) for block in used)
        return Missing("null", WHOLE_TERMS + (", or make them equal in all groups" if several else ""))
    if len(kept) != sum(block.size - _per_group(block) for block in used):
        return Missing("null", "it compares coefficients of different terms")
    if any(block.term.name in terms_in_sds(plan.mean) for block in used):
        return Missing("null", IN_SDS)
    for block in used:
        plan = _shared(plan, block)
    return plan


def _with_means(plan: Plan, hypothesis: Hypothesis) -> Plan | Missing:
    """Return the plan in which the means of hierarchies are constants: their priors are independent of all others."""
    kept = independent(hypothesis.rows)
    rows, null = hypothesis.rows[kept].toarray(), hypothesis.null[kept]
    touched = np.flatnonzero(np.any(rows != 0, axis=0))
    used = [block for block in mean_layout(plan.design) if block.term.name in hypothesis.terms]
    if len(kept) < len(touched) or len(touched) < sum(block.size for block in used):
        return Missing("null", "it must fix the whole mean of a hierarchy")
    values = np.zeros(rows.shape[1])
    values[touched] = np.linalg.solve(rows[:, touched], null)
    fixed = {
        block.term.name: prior("constant", values[_columns(block)].reshape(block.shape)) for block in used
    }

    def changed(pooled: PooledTerm) -> PooledTerm:
        own = fixed.get(pooled.coefficient.term.name)
        return pooled if own is None else replace(pooled, mean=own)

    pools = tuple(replace(pool, terms=tuple(map(changed, pool.terms))) for pool in plan.mean.pools)
    return replace(plan, mean=replace(plan.mean, pools=pools))


def _columns(block: Block) -> slice:
    return slice(block.start, block.start + block.size)


def _per_group(block: Block) -> int:
    """Return the number of coefficients of a term in each group."""
    return len(block.term.scales)


def _of_all_groups(touched: IntArray, block: Block) -> bool:
    """Return whether the coefficients `touched` include some of each group's, or a term has no groups."""
    own = touched[(touched >= block.start) & (touched < block.start + block.size)] - block.start
    return len(np.unique(own // _per_group(block))) == block.size // _per_group(block)


def _all_equal(rows: FloatArray, block: Block) -> bool:
    """Return whether `rows` state only that the coefficients of a per-group term are equal in all groups."""
    own = rows[:, _columns(block)].reshape(len(rows), -1, _per_group(block))
    return own.shape[1] > 1 and bool(np.allclose(own.sum(axis=1), 0, atol=1e-9 * np.max(abs(own))))


def _fixed(plan: Plan, blocks: list[Block], values: FloatArray) -> Plan | Missing:
    """Return the plan in which the coefficients of some terms are constants."""
    for block in blocks:
        own = values[_columns(block)].reshape(-1, _per_group(block))
        if np.any(own != own[0]):
            return Missing("null", "it fixes coefficients at different values in different groups")
        plan = with_prior(plan, block, prior("constant", own[0]), grouped=True)
    return plan


def _shared(plan: Plan, block: Block) -> Plan:
    """Return the plan in which all groups share the coefficients of a term."""
    pooled = {t.coefficient.term.name: t for pool in plan.mean.pools for t in pool.terms}
    if block.term.name in pooled:
        return with_prior(plan, block, pooled[block.term.name].mean, grouped=False)
    own = next(c.prior for c in plan.mean.coefficients if c.term is block.term)
    assert own is not None  # a coefficient without a hierarchy has a prior
    columns = _per_group(block)
    mean, sd, _ = location_and_scale(own, (block.size // columns, *block.term.shape))
    precision = sd**-2.0
    together = np.sum(precision, axis=0)
    centre = np.sum(mean * (precision / together), axis=0)
    return with_prior(plan, block, prior("normal", centre, together**-0.5), grouped=False)


def with_prior(plan: Plan, block: Block, own: Prior, grouped: bool) -> Plan:
    """Return the plan with another prior of a term's coefficients, the term removed from its hierarchy.

    Parameters
    ----------
    plan : Plan
    block : Block
        The term's.
    own : Prior
    grouped : bool
        Whether each group still has coefficients of its own.
    """

    def changed(coefficient: Coefficient) -> Coefficient:
        if coefficient.term is not block.term:
            return coefficient
        return replace(coefficient, prior=own, grouping=coefficient.grouping if grouped else None)

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
