"""Draws of every variable that a prediction reads, with those of groups that the fit has not seen.

A new group's coefficients come from the hierarchy of the others, by one draw at each draw of the posterior: so the
rows of one group share them, and an average over its rows has the whole uncertainty. Shapes: S draws, G groups.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Literal, get_args

import numpy as np

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.compiler.coefficients import Pool, PooledTerm
from formulajoint.compiler.evaluate.contrast_nodes import constants
from formulajoint.compiler.evaluate.values import Values
from formulajoint.compiler.plan import LinearPlan, Plan, ScalePlan
from formulajoint.design.evaluate_numpy import GroupsAt, rows_in_words
from formulajoint.design.model_rows import ModelRows
from formulajoint.design.schema import Grouping
from formulajoint.distributions.links import NUMPY
from formulajoint.errors import DataError, InferenceError
from formulajoint.results.draws.posterior import Posterior
from formulajoint.wording import listed

type NewGroups = Literal["error", "draw", "mean"]
"""What to do about groups that the fit has not seen."""

NUDGE = 1e-12
"""Added to the diagonal of correlation matrices, which are singular where a draw rounds to one."""


def drawn_values(
    posterior: Posterior,
    rows: ModelRows,
    new_groups: NewGroups,
    rng: np.random.Generator,
    taken: IntArray | None = None,
) -> Values:
    """Return the draws of all variables, the axis of draws last, with new groups after those of the fit.

    Parameters
    ----------
    posterior : Posterior
    rows : ModelRows
    new_groups : {"error", "draw", "mean"}
        Whether groups that the fit has not seen are refused, drawn from their hierarchy, or set to its mean.
    rng : Generator
    taken : (S,) int array, optional
        The draws, chains one after another. Default: all.

    Raises
    ------
    DataError
        If there are new groups, and they are refused, or are not pooled.
    """
    if new_groups not in get_args(NewGroups.__value__):
        choice = listed(get_args(NewGroups.__value__))
        raise InferenceError(f"`new_groups` must be one of {choice}, not {new_groups!r}.")
    source = _Source(posterior, taken)
    new = {grouping: at for grouping, at in rows.groups.items() if at.new}
    unseen = {grouping: _unseen(grouping, at, rows) for grouping, at in new.items()}
    for grouping, said in unseen.items():
        refuse_unpooled(posterior.plan, grouping, said)
    if new_groups == "error" and unseen:
        raise DataError(
            f"{next(iter(unseen.values()))}. With new_groups='draw' new groups are drawn from their hierarchy, with "
            "new_groups='mean' set to its mean."
        )
    found = _NewGroups(posterior.plan, source, rows, new, rng if new_groups == "draw" else None).draws()
    known = {name: np.concatenate([source.of(name), own]) for name, own in found.items()}
    return Values(lambda name: known[name] if name in known else source.of(name), sampled=True)


def _unseen(grouping: Grouping, at: GroupsAt, rows: ModelRows) -> str:
    strange = rows.places[np.flatnonzero(at.codes >= len(grouping))]
    where = rows_in_words(strange)
    return f"`{grouping.name}` is {listed(at.new, 5)} in {where}, which it is in no row of the fit"


def refuse_unpooled(plan: Plan, grouping: Grouping, asked: str) -> None:
    """Raise a DataError if new groups are `asked` of a grouping and something that differs by group is not pooled."""
    found = dict(_unpooled(plan, grouping))
    if not found:
        return
    it, are = ("it", "is") if len(found) == 1 else ("them", "are")
    hints = [hint for hint, _ in groupby(found.values())]
    raise DataError(
        f"{asked}, and {listed(found)} {are} not pooled: nothing is known of {it} in a new group. Pool {it}, "
        f"{listed(hints)}, and fit again."
    )


def _unpooled(plan: Plan, grouping: Grouping) -> Iterator[tuple[str, str]]:
    """Yield the variables with a value for each group that are not pooled, each with the clause that pools it."""
    for part in plan.parameters:
        if isinstance(part, LinearPlan):
            own = [c for c in part.coefficients if c.grouping == grouping and c.name not in part.pooled]
            whole = len(own) > 1 or not all(c.term.parts for c in own)
            yield from ((c.name, f"hierarchy({'' if whole else c.term.name})") for c in own)
        elif part.grouping == grouping and part.pool is None:
            yield part.name, f"hierarchy({part.parameter})"


class _Source:
    """Draws by name, the axis of draws last and contiguous; each is brought into this order once."""

    def __init__(self, posterior: Posterior, taken: IntArray | None) -> None:
        self.named, self.taken = posterior.named, taken
        self.fixed = constants(posterior.plan)
        self.known: dict[str, FloatArray] = {}

    @property
    def count(self) -> int:
        chains, draws = self.named.shape
        return chains * draws if self.taken is None else len(self.taken)

    def of(self, name: str) -> FloatArray:
        if name not in self.known:
            self.known[name] = self._read(name)
        return self.known[name]

    def _read(self, name: str) -> FloatArray:
        if not self.named.has(name):
            value = self.fixed[name]
            return np.broadcast_to(value[..., None], (*value.shape, self.count))
        values = self.named.values(name)
        flat = values.reshape((-1, *values.shape[2:]))
        return np.ascontiguousarray(np.moveaxis(flat if self.taken is None else flat[self.taken], 0, -1))


@dataclass(frozen=True, slots=True, eq=False)
class _NewGroups:
    """Draws of the variables of new groups; at the means of their hierarchies without `rng`."""

    plan: Plan
    source: _Source
    rows: ModelRows
    new: dict[Grouping, GroupsAt]
    rng: np.random.Generator | None

    def draws(self) -> dict[str, FloatArray]:
        """Return the draws of new groups by variable, (new, ..., S)."""
        out: dict[str, FloatArray] = {}
        scales = [part for part in self.plan.parameters if isinstance(part, ScalePlan)]
        for part in scales:
            if part.grouping in self.new:
                out[part.name] = self._scale(part, len(self.new[part.grouping].new))
        for linear in self.plan.parameters:
            for name, own in self._linear(linear, out) if isinstance(linear, LinearPlan) else ():
                out[name] = own
        return out

    def _scale(self, part: ScalePlan, count: int) -> FloatArray:
        assert part.pool is not None  # others are refused
        middle, sd = self.source.of(part.pool.mean_name), self.source.of(part.pool.sd_name)
        u = np.zeros((count, self.source.count))
        if self.rng is not None:
            u = part.pool.request.standard.draw(self.rng, u.shape)
        return np.asarray(part.link.inverse(NUMPY, part.link.forward(NUMPY, middle) + sd * u))

    def _linear(self, part: LinearPlan, scales: dict[str, FloatArray]) -> Iterator[tuple[str, FloatArray]]:
        for pool in part.pools:
            if pool.grouping in self.new:
                unit = self._unit(pool, scales) if pool.request.in_sds else None
                yield from self._pool(pool, unit)
        for pool in part.varying:
            if pool.grouping in self.new:
                yield from self._pool(pool, None)

    def _pool(self, pool: Pool, unit: FloatArray | None) -> Iterator[tuple[str, FloatArray]]:
        """Yield the coefficients of a hierarchy, or the deviations of a group term, for each of its terms."""
        widths = [term.coefficient.term.columns.shape[1] for term in pool.terms]
        count = len(self.new[pool.grouping].new)
        u = self._standard(pool, count, sum(widths))
        for term, end in zip(pool.terms, np.cumsum(widths), strict=True):
            width = term.coefficient.term.columns.shape[1]
            sd = self.source.of(term.sd_name).reshape((1, width, -1))
            drawn = sd * u[:, end - width : end]
            if not term.deviation_name:
                drawn = drawn + self._mean(term, width)
            if unit is not None:
                drawn = drawn * unit[:, None]
            yield (
                term.deviation_name or term.coefficient.name,
                drawn.reshape((count, *term.coefficient.term.shape, -1)),
            )

    def _mean(self, term: PooledTerm, width: int) -> FloatArray:
        return self.source.of(term.mean_name).reshape((1, width, -1))

    def _standard(self, pool: Pool, count: int, width: int) -> FloatArray:
        """Return draws (new, columns, S) with location zero and scale one, correlated as the hierarchy's columns."""
        if self.rng is None:
            return np.zeros((count, width, self.source.count))
        u = pool.request.standard.draw(self.rng, (count, width, self.source.count))
        if pool.correlation is None:
            return u
        matrices = np.moveaxis(self.source.of(pool.correlation.name), -1, 0) + NUDGE * np.eye(width)
        return np.asarray(np.einsum("sjk,gks->gjs", np.linalg.cholesky(matrices), u))

    def _unit(self, pool: Pool, scales: dict[str, FloatArray]) -> FloatArray:
        """Return the residual sd of each new group, (new, S), in units of which its coefficients are pooled."""
        sigma = self.plan.spread
        assert sigma is not None  # as planned
        if sigma.grouping is None:
            return self.source.of(sigma.name)[None]
        whole = self.source.of(sigma.name)
        if sigma.name in scales:
            whole = np.concatenate([whole, scales[sigma.name]])
        first = np.array(self.new[pool.grouping].first)
        return np.asarray(whole[self.rows.groups[sigma.grouping].codes[first]])
