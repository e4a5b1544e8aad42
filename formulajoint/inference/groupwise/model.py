"""A plan with one grouping factor as rows, priors of the groups' coefficients, and parameters psi.

    e_i = x_i' b_g(i) + z_i' gamma + offset_i - shift,        b_g = base + E theta + D u_g,      u_g ~ N(u_mean, 1)

as in ``inference/latent/structure.py``; theta has the means of hierarchies, then gamma. What does not integrate out,
psi, is the sds and correlations of hierarchies, the family's further parameters, and theta, whose last elements are the
coefficients of predictors of further parameters. Theta enters psi as z, with theta = centre + turn z, where turn makes
the columns of theta orthogonal, of size one: densities of z are about as wide in all directions. The prior of theta may
have any distribution. Where linear predictors are in units of the response, z is in units of its residuals.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod

import numpy as np

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.compiler.coefficients import Coefficient, PooledTerm
from formulajoint.compiler.plan import LinearPlan, Plan, ScalePlan
from formulajoint.data.rows import cells_of, frequencies
from formulajoint.distributions.prior import Prior, prior
from formulajoint.inference.groupwise.cells import Batch, OfGroups, Rows, batches, collapsed
from formulajoint.inference.groupwise.densities import (
    AffineForm,
    Form,
    Parameters,
    Responses,
    SmoothForm,
    mapped,
)
from formulajoint.inference.groupwise.further import GAP, Numbers, Parts, at_cells, further_of, start_of
from formulajoint.inference.groupwise.pooled_fit import orthogonal, pooled_fit
from formulajoint.inference.groupwise.ties import Shared, with_ties
from formulajoint.inference.latent.columns import location_and_scale
from formulajoint.inference.latent.device import NUMPY, Device
from formulajoint.inference.latent.linear_sds import shape_of
from formulajoint.inference.latent.phi import Coordinate, Scales, sum_of
from formulajoint.inference.latent.structure import Structure, structure_of
from formulajoint.inference.latent.ties import Equal, shared_columns

MOST_AT_ONCE = 2**21
"""Distinct responses times points that are computed at once."""


@dataclass(frozen=True, slots=True, eq=False)
class Element:
    """Elements of theta with one prior: those at `places`, of the term's `shape`."""

    prior: Prior
    places: slice
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """Rows, priors, and parameters psi.

    Attributes
    ----------
    form : Form
        The log density of rows.
    structure : Structure
        Of the coefficients by group; its priors of theta are placeholders.
    scales : Scales
        Its parameters phi, then the family's further parameters.
    further : Parts
        The family's further parameters.
    thresholds : Prior or None
        Of thresholds, which are draws of it in increasing order, if the family has them.
    unit : float
        Of linear predictors: one, but where they are in units of the response.
    elements : tuple of Element
        The priors of theta.
    centre, turn : (t,), (t, t) arrays
    batches : tuple of Batch
    responses : (2 + c, r) array
        The distinct responses, the trials of each, and further columns.
    weights : (r,) array
        How many rows have each.
    sizes : (p,) array
        Root mean squares of the columns with a coefficient by group.
    rows : int
        Number of cells.
    shared : (classes, columns) int array
        Places among phi of the u that groups share (``ties.py``).
    device : Device
        That computes log p(y | psi).
    nodes : int
        Of the rules that stand for rows on lines (``compression.py``); 0 where cells are of rows.
    """

    form: Form
    structure: Structure
    scales: Scales
    further: Parts
    thresholds: Prior | None
    unit: float
    elements: tuple[Element, ...]
    centre: FloatArray
    turn: FloatArray
    batches: tuple[Batch, ...]
    responses: FloatArray
    weights: FloatArray
    sizes: FloatArray
    rows: int
    shared: IntArray
    device: Device = NUMPY
    nodes: int = 0

    @property
    def size(self) -> int:
        """The number of parameters psi, d."""
        return len(self.scales.coordinates) + len(self.centre)

    def parts(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return phi (..., cells) and theta (..., t) at points psi (..., d)."""
        count = len(self.scales.coordinates)
        theta = self.centre + np.einsum("...j,ij->...i", points[..., count:], self.turn)
        return self.scales.values(points[..., :count]), theta

    @property
    def by_cell(self) -> bool:
        """Whether a further parameter differs between cells."""
        return len(self.responses) > 2

    @property
    def own(self) -> dict[str, Numbers]:
        """The further parameters without predictors, by name."""
        return {name: part for name, part in self.further.items() if isinstance(part, Numbers)}

    def further_at(
        self, values: FloatArray, theta: FloatArray, columns: FloatArray
    ) -> tuple[FloatArray, ...]:
        """Return the further parameters at cells with further columns (c, n, G), at phi (S, cells) and theta (S, t)."""
        return at_cells(self.further, self.form.rounded, values, theta, columns)

    def log_prior(self, points: FloatArray) -> FloatArray:
        """Return the log prior density (S,) of points psi (S, d)."""
        values, theta = self.parts(points)
        logs = [
            each.prior.log_density(theta[:, each.places].reshape(-1, *each.shape)).reshape(len(points), -1)
            for each in self.elements
        ]
        of_theta = sum_of([np.sum(each, axis=1) for each in logs], (len(points),))
        own = self.scales.log_prior(points[:, : len(self.scales.coordinates)])
        return own + of_theta + self._of_gaps(values) + float(np.linalg.slogdet(self.turn)[1])

    def _of_gaps(self, values: FloatArray) -> FloatArray | float:
        """Return what the prior of thresholds has more than that of the first of them and of the gaps (S,)."""
        if self.thresholds is None:
            return 0.0
        (gaps,) = (values[:, each.places] for each in self.own.values())
        others = np.cumsum(gaps, axis=1)[:, 1:]
        more = self.thresholds.log_density(others) - GAP.log_density(gaps[:, 1:])
        return np.sum(more, axis=1) + float(np.sum(np.log(np.arange(1, gaps.shape[1] + 1))))

    def log_constant(self, values: FloatArray, theta: FloatArray) -> FloatArray:
        """Return the sum over rows of what does not depend on e (S,), at phi (S, cells) and theta (S, t)."""
        if isinstance(self.form, SmoothForm):  # it leaves out nothing
            return np.zeros(len(values))
        (y, trials), columns = self.responses[:2], self.responses[2:, :, None]
        out, size = np.empty(len(values)), max(MOST_AT_ONCE // len(y), 1)
        for first in range(0, len(values), size):
            some = slice(first, first + size)
            further = self.further_at(values[some], theta[some], columns)
            out[some] = self.form.constant(y, trials, self.weights, further)
        return out

    @property
    def prior_place(self) -> FloatArray:
        """z (t,) where each element of theta is at a typical value of its prior, or, without one, at the centre."""
        theta = self.centre.copy()
        for each in self.elements:
            if each.prior.mixture is not None and each.prior.proper:
                where = np.broadcast_to(each.prior.mixture.location, each.shape)
                theta[each.places] = np.ravel(where)
        return np.asarray(np.linalg.solve(self.turn, theta - self.centre))


def model_of(plan: Plan, equal: Equal | None = None) -> Model:
    """Return a plan, seen by the groups of its factor, as rows and priors.

    Groups that are `equal` share coefficients (``ties.py``).
    """
    structure = structure_of(_with_placeholders(plan))
    further = further_of(plan, len(structure.scales.cells), len(structure.reference))
    response, weights = plan.design.response, frequencies(plan.design)
    y = response.values
    trials = np.ones_like(y) if response.trials is None else response.trials
    form = form_of(plan)
    own, shared, offset = _columns(plan, form.sign)
    codes = cells_of(plan.design.predictor.grouping, len(y)).codes
    codes = codes if own.shape[1] else np.zeros_like(codes)
    ties = Shared(0, np.full(structure.groups, -1))
    if equal is not None:
        columns = shared_columns(plan, equal)
        structure, own, codes, ties = with_ties(structure, own, codes, columns, equal.classes)
    scales = Scales((*structure.scales.cells, *further.cells, *ties.cells))
    rows = collapsed(Rows(codes, own, shared, offset, further.columns, form.counts(y, trials, weights)))
    theta = _columns_of_theta(rows, structure)
    unit = _unit(theta, rows) if plan.mean.link.in_units else 1.0
    if isinstance(form, SmoothForm):
        form = replace(form, unit=unit)
    start = start_of(plan, further.parts, scales.cells, rows.further.T, {form.scale: unit})
    coefficients = np.concatenate([structure.reference, start.coefficients])[None]
    at = at_cells(further.parts, form.rounded, start.values, coefficients, rows.further.T[:, :, None])
    thresholds = next(
        (part.prior for part in plan.further if isinstance(part, ScalePlan) and part.between), None
    )
    if thresholds is not None and len(at) > 1:
        at = tuple(_of_shares(y, weights)[:, None])
    turn = orthogonal(theta[0], unit)
    about = _fitted(rows, theta, form, at, turn, unit)
    sizes = np.sqrt(np.einsum("ij,ij,i->j", own, own, weights) / np.sum(weights))
    t = len(about) - int(np.sum(structure.flat))
    structure = _with_flat(structure, about[t:], unit / np.where(sizes > 0, sizes, 1.0))
    known = np.stack([y, trials, *further.columns.T])
    distinct, which = np.unique(known, axis=1, return_inverse=True)
    return Model(
        form=form,
        structure=structure,
        scales=scales,
        further=further.parts,
        thresholds=thresholds,
        unit=unit,
        elements=tuple(_elements(plan)),
        centre=np.concatenate([about[:t], start.coefficients]),
        turn=_beside(turn[:t, :t], start.turn),
        batches=batches(
            rows, OfGroups(structure.u_mean * structure.fixed, structure.fixed, ties.class_of_group)
        ),
        responses=distinct,
        weights=np.bincount(which.reshape(-1), weights),
        sizes=sizes,
        rows=len(rows.codes),
        shared=np.arange(len(scales.cells) - len(ties.cells), len(scales.cells)).reshape(
            -1, max(ties.columns, 1)
        ),
    )


def form_of(plan: Plan) -> Form:
    """Return how the log density of a plan's rows is computed, for one with a link that `why_not` lets pass."""
    affine, smooth = plan.family.affine, plan.family.smooth
    if affine is not None and plan.mean.link is affine.link:
        return AffineForm(affine)
    assert smooth is not None
    return SmoothForm(smooth, plan.mean.link)


def _of_shares(y: FloatArray, weights: FloatArray) -> FloatArray:
    """Return thresholds (m,) that cut a logistic distribution into categories as often as they are in the data."""
    below = np.cumsum(np.bincount(y.astype(np.int64), weights))
    share = (below[:-1] + 0.5) / (below[-1] + 1)
    return np.asarray(np.log(share / (1 - share)))


def _columns(plan: Plan, sign: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return columns by group (N, p), shared ones (N, k) and offsets (N,), which constants are part of."""
    n = plan.design.rows.used
    offset = plan.design.predictor.offset
    known = np.zeros(n) if offset is None else offset.astype(float)
    own, shared = [np.empty((n, 0))], [np.empty((n, 0))]
    for coefficient in plan.mean.coefficients:
        columns = coefficient.term.columns
        if coefficient.prior is not None and coefficient.prior.constant is not None:
            known = known + np.sum(columns * _constants(coefficient), axis=1)
        else:
            (own if coefficient.grouped else shared).append(columns)
    return sign * np.concatenate(own, axis=1), sign * np.concatenate(shared, axis=1), sign * known


def _constants(coefficient: Coefficient) -> FloatArray:
    """Return the constant coefficients of each row (N or 1, c)."""
    assert coefficient.prior is not None
    grouping = coefficient.grouping
    groups = 1 if grouping is None else len(grouping)
    values = location_and_scale(coefficient.prior, (groups, *coefficient.term.shape))[0].reshape(groups, -1)
    return values if grouping is None else values[grouping.codes]


def _free(own: Prior | None) -> bool:
    return own is not None and own.constant is None


def _with_placeholders(plan: Plan) -> Plan:
    """Return the plan with normal priors of theta, so that it has a `Structure`."""
    stand_in = prior("normal", 0.0, 1.0)

    def of_term(term: PooledTerm) -> PooledTerm:
        return replace(term, mean=stand_in) if _free(term.mean) else term

    coefficients = tuple(
        replace(each, prior=stand_in) if not each.grouped and _free(each.prior) else each
        for each in plan.mean.coefficients
    )
    pools = tuple(replace(pool, terms=tuple(map(of_term, pool.terms))) for pool in plan.mean.pools)
    mean: LinearPlan = replace(plan.mean, coefficients=coefficients, pools=pools)
    return replace(plan, mean=mean, further=())  # a scale is a further parameter, no residual sd


def _elements(plan: Plan) -> Iterator[Element]:
    """Yield the priors of theta in its order: means of hierarchies, then coefficients that all groups share."""
    pooled, at = plan.mean.pooled, 0
    found = [(pooled[c.name].mean, c.term.shape) for c in plan.mean.coefficients if c.name in pooled]
    shared = [c for c in plan.mean.coefficients if not c.grouped]
    shared += [c for part in plan.further if isinstance(part, LinearPlan) for c in part.coefficients]
    found += [(c.prior, shape_of(c)) for c in shared if c.prior is not None]
    for own, shape in found:
        if _free(own):
            yield Element(own, slice(at, at := at + prod(shape)), shape)


def _columns_of_theta(rows: Rows, structure: Structure) -> tuple[FloatArray, FloatArray]:
    """Return the columns of theta and those with flat priors by group (C, t + f), and what is known of e (C,)."""
    means = np.flatnonzero(structure.theta_of_column >= 0)
    order = np.argsort(structure.theta_of_column[means])
    columns = np.concatenate([rows.own[:, means[order]], rows.shared, rows.own[:, structure.flat]], axis=1)
    at_rest = (structure.base[:, None] + structure.u_mean * structure.fixed)[:, rows.codes]
    known = np.where(structure.theta_of_column < 0, 1.0, 0.0)[:, None] * at_rest
    return columns, rows.offset + np.sum(rows.own.T * known, axis=0)


def _with_flat(structure: Structure, about: FloatArray, sizes: FloatArray) -> Structure:
    """Return the prior in which u of columns with flat priors is the distance from a fit that ignores groups (f,).

    It is in units of `sizes` (p,).
    """
    flat, fixed, u_mean = structure.flat, structure.fixed.copy(), structure.u_mean.copy()
    fixed[flat] = sizes[flat, None]
    u_mean[flat] = (about / sizes[flat])[:, None]
    return replace(structure, fixed=fixed, u_mean=u_mean)


def _unit(theta: tuple[FloatArray, FloatArray], rows: Rows) -> float:
    """Return a robust sd of residuals about a regression that ignores groups."""
    assert isinstance(rows.counts, Responses)
    columns, offset = theta
    left = rows.counts.y - offset
    if columns.shape[1]:
        left = left - columns @ np.linalg.lstsq(columns, left)[0]
    found = 1.48 * float(np.median(abs(left - np.median(left)))) or float(np.std(left))
    return found if found > 0 else 1.0


def _fitted(
    rows: Rows,
    theta: tuple[FloatArray, FloatArray],
    form: Form,
    further: Parameters,
    turn: FloatArray,
    unit: float,
) -> FloatArray:
    """Return coefficients of columns (C, t) by a fit that ignores groups, at values of the further parameters."""
    columns, offset = theta
    t = columns.shape[1]
    if not t:
        return np.empty(0)
    counts = mapped(rows.counts, lambda each: each[:, None])
    start = np.zeros(t)
    if unit != 1.0 and isinstance(rows.counts, Responses):
        start = np.linalg.lstsq(columns @ turn, rows.counts.y - offset)[0]
    less = offset - np.ravel(form.shift(further))
    z = pooled_fit(columns @ turn, less, form.density(counts, further), start)
    return np.asarray(turn @ z)


def _beside(one: FloatArray, other: FloatArray) -> FloatArray:
    """Return a matrix with two square blocks on its diagonal."""
    n, m = len(one), len(other)
    out = np.zeros((n + m, n + m))
    out[:n, :n], out[n:, n:] = one, other
    return out


def unknown_scales(model: Model) -> list[int]:
    """Return the places of phi's parameters that are not constant."""
    return [at for at, cell in enumerate(model.scales.cells) if isinstance(cell, Coordinate)]
