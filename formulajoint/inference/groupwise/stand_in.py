"""A stand-in for the log posterior density of psi where a point is dear.

Laplace's approximation, or a coarse rule where that is far off, is computed at some hundreds of points, and what
quadrature adds to it, which varies little, at fewer: both are interpolated in coordinates in which they are smooth
(`natural`). Draws are from the stand-in; exact values at some of them say how far it is off (`sampling`). If it is too
far off, Laplace's approximation is computed at every point of the pools, and only what quadrature adds is interpolated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.errors import InferenceError
from formulajoint.inference.groupwise.forecast import Forecast, forecast
from formulajoint.inference.groupwise.marginal import CHOSEN_AT, SMOOTH, Marginal, fine_enough
from formulajoint.inference.groupwise.model import Model
from formulajoint.inference.groupwise.natural import natural_coordinates
from formulajoint.inference.groupwise.rules import Rule, rules
from formulajoint.inference.groupwise.starts import plausible
from formulajoint.inference.importance.mode import Modes, Target, distinct, find_modes
from formulajoint.inference.importance.proposal import Fitted, Mixture, moments, moved, normalised, weighted
from formulajoint.inference.importance.sampled import LOST
from formulajoint.inference.importance.searches import Look, about
from formulajoint.inference.importance.surface import Surface, through
from formulajoint.inference.importance.surrogate import Interpolant, Known, Manner, interpolated

COARSE = 2
"""Place of the rule for one coefficient a group that stands in for Laplace's approximation."""

OFF = 1.0
"""For several coefficients a group the coarsest rule does, where Laplace's approximation differs from it by more than
this: sd over some points. The errors of thousands of groups add up to several posterior sds."""

SCANNED, CLIMBS = 12, 3
"""Starts that are scanned: the first times (coordinates + 1); modes are climbed from as many of them as the second."""

DEEP = 12.0
"""A second mode that is lower by less than this in log density is not negligible."""

BATCH, LEAST = 8, 120
"""Points of a round: the first for each coefficient of a quadratic function, and no fewer than the second."""

ADAPTED, ROUNDS, CLOSE = 2, 6, 0.03
"""Rounds in which a proposal adapts, and of refinement; these end when Laplace's approximation at new draws differs
from the interpolant by less than this sd."""

CANDIDATES, WIDE = 6, 0.15
"""Candidates for each draw from an interpolant, and the share of new points that are from the proposal, whose tails are
longer."""

LOW = 40.0
"""Points lower than the highest by more than this are left out."""

DEPTH, SMOOTHING, ALONE = 25.0, 1e-3, 0.9
"""Of the interpolant (`Manner`); the last times the root of the number of coordinates: points in many are far apart."""

MOST_ADDED = (0.05, 0.95)
"""Quantiles of what quadrature adds; a stand-in adds no more than lies as far beyond them as they are apart."""

CORRECTED = 8
"""Points at which quadrature is computed, for each coefficient of a quadratic function."""


@dataclass(frozen=True, slots=True, eq=False)
class StandIn:
    """A log posterior density of psi, a function of points (S, d).

    Attributes
    ----------
    rough : callable
        The log posterior density by Laplace's approximation, or an interpolant of it.
    natural : callable
    correction : Surface
        What quadrature adds.
    low, high : float
        Its bounds.
    """

    rough: Target
    natural: Callable[[FloatArray], FloatArray]
    correction: Surface
    low: float
    high: float

    def __call__(self, points: FloatArray) -> FloatArray:
        """Return the log densities (S,)."""
        with np.errstate(all="ignore"):
            added = self.correction.at(self.natural(points))[0]
            return self.rough(points) + np.clip(added, self.low, self.high)


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """What a stand-in is made of.

    Attributes
    ----------
    coarse : Marginal
        Laplace's approximation, or a coarse rule, with parabolas at its mode.
    natural : callable
    proposal : Mixture
        Fitted to it.
    rough : Known
        The log likelihood by it.
    rule : Rule
    added : Known
        What quadrature adds to it.
    """

    coarse: Marginal
    natural: Callable[[FloatArray], FloatArray]
    proposal: Mixture
    rough: Known
    rule: Rule
    added: Known

    @property
    def near(self) -> Forecast:
        """The model with its parabolas."""
        return self.coarse.forecast

    def stand_in(self) -> StandIn:
        """Return the stand-in in which all is interpolated."""
        return self._corrected(_interpolant(self.near.model, self.natural, self.rough).posterior)

    def closer(self) -> StandIn:
        """Return the stand-in in which only what quadrature adds is interpolated."""
        return self._corrected(self.coarse)

    def _corrected(self, rough: Target) -> StandIn:
        kept = np.isfinite(self.added.heights)
        at, added = self.natural(self.added.points[kept]), self.added.heights[kept]
        centre, spread = moments(at, np.full(len(at), 1 / len(at)))
        correction = through(at, added, centre, np.linalg.cholesky(spread), SMOOTHING)
        low, high = (float(each) for each in np.quantile(added, MOST_ADDED))
        room = high - low
        return StandIn(rough, self.natural, correction, low - room, high + room)

    def more(self, points: FloatArray, exact: FloatArray) -> Basis:
        """Return this with further points (n, d), at which log posterior densities by quadrature are known (n,)."""
        rough = _computed(self.coarse, points)
        added = Known(points, _less(_less(exact, self.near.model.log_prior(points)), rough.heights))
        return replace(self, rough=self.rough.more(rough), added=self.added.more(added))

    def by(self, rule: Rule) -> Basis:
        """Return this with another rule of quadrature."""
        return replace(self, rule=rule, added=_added(self.coarse, rule, self.added.points))


def basis_of(model: Model, where: Look, rng: np.random.Generator) -> Basis:
    """Return what a stand-in for the density of psi is made of.

    Raises
    ------
    InferenceError
        If the density has several modes.
    """
    modes = _modes(model, where)
    coarse, modes = _coarse(_rough(forecast(model, modes.at[0])), modes, rng)
    near, d = coarse.forecast, model.size
    natural = natural_coordinates(near, modes.at[0])
    terms = (d + 1) * (d + 2) // 2
    rough, proposal = _refined(coarse, natural, modes, max(BATCH * terms, LEAST), rng)
    found = _interpolant(model, natural, rough)
    points = _drawn(found, proposal, max(CORRECTED * terms, LEAST), rng)
    rule = fine_enough(near, points)
    return Basis(coarse, natural, proposal, rough, rule, _added(coarse, rule, points))


def _modes(model: Model, where: Look) -> Modes:
    """Return the mode of the density of psi by Laplace's approximation."""
    rough = _rough(forecast(model, plausible(model)))
    every = max(1, len(where.starts) // (SCANNED * (model.size + 1)))
    starts = where.starts[::every]
    heights = rough(starts)
    order = np.argsort(-heights)[:CLIMBS]
    order = order[np.isfinite(heights[order])]
    if not len(order):
        raise InferenceError(LOST)
    modes = distinct(find_modes(rough, starts[order]), DEEP)
    if len(modes.heights) > 1:
        raise InferenceError("The density of what the groups share has several modes.")
    return modes


def _coarse(laplace: Marginal, modes: Modes, rng: np.random.Generator) -> tuple[Marginal, Modes]:
    """Return Laplace's approximation with its mode or, where it is far off, a coarse rule with that of this rule."""
    model, (rule, *_) = laplace.forecast.model, rules(len(laplace.forecast.model.structure.base))
    if laplace.rule is not None or len(rule.nodes) == 1:
        return laplace, modes
    by_rule, points = Marginal(laplace.forecast, rule, SMOOTH), about(modes).draw(rng, CHOSEN_AT)
    if np.std(by_rule(points) - laplace(points)) < OFF:
        return laplace, modes
    modes = find_modes(by_rule, modes.at)
    return Marginal(forecast(model, modes.at[0]), rule, SMOOTH), modes


def _refined(
    target: Marginal,
    natural: Callable[[FloatArray], FloatArray],
    modes: Modes,
    batch: int,
    rng: np.random.Generator,
) -> tuple[Known, Mixture]:
    """Return points at which Laplace's approximation is known, enough to interpolate it, and a proposal."""
    model = target.forecast.model
    found = weighted(target, about(modes), batch, rng)
    known = _known(model, found)
    for _ in range(ADAPTED):
        found = weighted(target, moved(found), batch, rng)
        known = known.more(_known(model, found))
    for _ in range(ROUNDS):
        interpolant = _interpolant(model, natural, known)
        points = _drawn(interpolant, found.proposal, batch, rng)
        more = _computed(target, points)
        known = known.more(more)
        off = _less(more.heights + model.log_prior(points), interpolant.posterior(points))
        off = off[: _inner(points, batch)]
        if np.all(np.isfinite(off)) and np.std(off) < CLOSE:
            break
    return known, found.proposal


def _rough(near: Forecast) -> Marginal:
    """Return the density by Laplace's approximation or, for one coefficient a group, by a few nodes, which is cheap."""
    return Marginal(near, rules(1)[COARSE] if len(near.model.structure.base) == 1 else None, SMOOTH)


def _less(logs: FloatArray, other: FloatArray) -> FloatArray:
    """Return a difference of log densities, minus infinity where one is not finite."""
    with np.errstate(invalid="ignore"):
        out = logs - other
    return np.where(np.isfinite(out), out, -np.inf)


def _known(model: Model, found: Fitted) -> Known:
    heights = found.logs + found.proposal.log_density(found.points)
    return Known(found.points, _less(heights, model.log_prior(found.points)))


def _computed(target: Marginal, points: FloatArray) -> Known:
    return Known(points, _less(target(points), target.forecast.model.log_prior(points)))


def _added(coarse: Marginal, rule: Rule, points: FloatArray) -> Known:
    return Known(points, _less(Marginal(coarse.forecast, rule)(points), coarse(points)))


def _interpolant(model: Model, natural: Callable[[FloatArray], FloatArray], known: Known) -> Interpolant:
    heights = known.heights + model.log_prior(known.points)
    kept = heights > np.max(heights) - LOW
    some = Known(known.points[kept], known.heights[kept])
    manner = Manner(DEPTH, ALONE * model.size**0.5, SMOOTHING)
    return interpolated(some, model.log_prior, natural, np.zeros(model.size), manner)


def _drawn(interpolant: Interpolant, proposal: Mixture, count: int, rng: np.random.Generator) -> FloatArray:
    """Return about `count` distinct points (n, d): most from an interpolant, then those from the proposal."""
    wide = int(WIDE * count)
    points = proposal.draw(rng, CANDIDATES * count)
    weights = normalised(interpolant.posterior(points) - proposal.log_density(points))
    chosen = rng.choice(len(points), count - wide, p=weights)
    return np.concatenate([points[rng.permutation(np.unique(chosen))], proposal.draw(rng, wide)])


def _inner(points: FloatArray, count: int) -> int:
    """Return how many of the points of `_drawn` are from the interpolant."""
    return len(points) - int(WIDE * count)
