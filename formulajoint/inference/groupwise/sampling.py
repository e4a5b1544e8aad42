"""Draws of psi, and the gates that they must pass.

Where a point is cheap, searches for modes take Laplace's approximation, and draws are weighted by quadrature. Where it
is dear, both are of a stand-in, which quadrature at some of the draws must confirm. Cells may stand for rows
(`compression`): all rows must confirm that at some of the draws, or else draws are made again by all rows. Every gate
refuses: nothing that fails one is returned.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.errors import InferenceError
from formulajoint.inference.groupwise.all_rows import added
from formulajoint.inference.groupwise.compression import compressed
from formulajoint.inference.groupwise.cost import CHEAP, MOST_SECONDS, Cost, cost_of, expected_seconds
from formulajoint.inference.groupwise.forecast import Forecast, forecast
from formulajoint.inference.groupwise.further import NEAR
from formulajoint.inference.groupwise.marginal import (
    CHOSEN_AT,
    NOT_FOUND,
    Marginal,
    fine_enough,
    log_likelihood,
)
from formulajoint.inference.groupwise.model import Model
from formulajoint.inference.groupwise.rules import Rule, rules
from formulajoint.inference.groupwise.stand_in import basis_of
from formulajoint.inference.groupwise.starts import look, plausible
from formulajoint.inference.importance.forecast import Told
from formulajoint.inference.importance.mode import Target
from formulajoint.inference.importance.pools import Generators, draw_from, generators, usual_size
from formulajoint.inference.importance.proposal import Mixture, integral, normalised, weighted
from formulajoint.inference.importance.sampled import SHRINKS, Sampled, why_not_trusted
from formulajoint.inference.importance.searches import Look, search
from formulajoint.wording import lasting

CHECKED_AT = 40
"""Draws at which the rule is checked."""

MOST_MOVED = 0.05
"""Largest sd, over draws, of the difference from the next finer rule, and from a stand-in."""

LARGE_AT, MOST_LARGE = 400, 0.01
"""Draws at which further parameters are looked at, and the largest share of them where one may be too large."""

NEGLIGIBLE = 20.0
"""Points lower than the highest by this in log density do not matter."""

PATIENCE, EARLY = 5_000, 10.0
"""A search gives up where a group's mode is missed at the highest of so many points, and the pools after the first one
where it is missed at a point that is lower by less than this."""

TESTED_AT, BEYOND = 200, 80
"""Draws at which a stand-in is tested, and points of its wider proposal, too."""


class Found(NamedTuple):
    """Draws of psi, and the model with parabolas about them, perhaps with cells in place of rows."""

    forecast: Forecast
    sampled: Sampled


class CellsFarOff(InferenceError):
    """Cells that stand for rows are too far off."""


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """What is to be done: draws of psi for each chain, from where the density may be.

    Attributes
    ----------
    model : Model
        Perhaps with cells in place of rows.
    whole : Model
        With all rows.
    where : Look
    draws : int
    rngs : Generators
    """

    model: Model
    whole: Model
    where: Look
    draws: int
    rngs: Generators

    @property
    def cost(self) -> Cost:
        """What it costs."""
        return cost_of(self.model, self.where, self.points, len(self.rngs.of_chains) * self.draws)

    @property
    def points(self) -> int:
        """The points of all pools, as a rule."""
        return len(self.rngs.of_chains) * usual_size(self.where.effort, self.draws)


def sample_psi(
    model: Model, draws: int, chains: int, seed: np.random.SeedSequence, told: Told | None = None
) -> Found:
    """Return draws of psi (1, chains, draws, d) with the log evidence.

    Parameters
    ----------
    model : Model
    draws, chains : int
    seed : SeedSequence
    told : callable, optional
        Is told beforehand how many seconds it will take.

    Raises
    ------
    InferenceError
        If a gate is not passed, or it would take too long.
    """
    looking, sampling = seed.spawn(2)
    if not model.size:
        return _known(model, draws, chains)
    rng = np.random.default_rng(looking)
    work = Work(model, model, look(model, rng), draws, generators(sampling, chains))
    cost = work.cost
    if min(cost.direct, cost.stand_in) > CHEAP and (short := compressed(model)) is not None:
        with suppress(InferenceError), np.errstate(all="ignore"):  # a gate is not passed
            return _sampled(replace(work, model=short), rng, told)
    return _sampled(work, rng, told)


def _sampled(work: Work, rng: np.random.Generator, told: Told | None) -> Found:
    cost = work.cost
    if (least := min(cost.direct, cost.stand_in)) > MOST_SECONDS:
        raise InferenceError(f"Integrals over the groups' coefficients would take about {lasting(least)}.")
    if told is not None:
        told(expected_seconds(least, work.model.size))
    if cost.stand_in + CHEAP < cost.direct:
        try:
            return _by_stand_in(work, rng, cost.tries)
        except CellsFarOff:
            raise
        except InferenceError:
            if cost.direct > MOST_SECONDS:
                raise
    return _direct(work, rng)


def _known(model: Model, draws: int, chains: int) -> Found:
    """Return the evidence of a model without parameters psi: that of the finest rule."""
    none, near = np.empty((1, 0)), forecast(model, np.empty(0))
    *_, before, rule = (None, *rules(len(model.structure.base)))
    value = float(Marginal(near, rule)(none)[0])
    error = 0.0 if before is None else abs(float(Marginal(near, before)(none)[0]) - value)
    if not np.isfinite(value) or error > MOST_MOVED:
        raise InferenceError("The coefficients of the groups cannot be integrated precisely enough.")
    ess = np.full((1, chains), np.inf)
    return Found(near, Sampled(np.empty((1, chains, draws, 0)), -np.inf, ess, value, error))


def _direct(work: Work, rng: np.random.Generator) -> Found:
    """Return draws whose search takes Laplace's approximation, and whose weights are by quadrature."""
    model, where = work.model, work.where
    rough = Marginal(forecast(model, plausible(model)), None)
    found = search(_with_modes(rough, PATIENCE, 0.0), where, work.rngs.of_search)
    first = weighted(rough, found.proposal, where.effort.draws, rng)
    places = first.points[rng.choice(len(first.logs), CHOSEN_AT, p=normalised(first.logs))]
    near = forecast(model, first.points[np.argmax(first.logs + found.proposal.log_density(first.points))])
    moved = Moved(np.empty(0), np.empty(0))
    for rule, finer in onwards(fine_enough(near, places), model):
        target = Marginal(near, rule)
        sampled = draw_from(_with_modes(target, 0, EARLY), found, where.effort, work.draws, work.rngs)
        check(sampled, target, work.draws)
        moved = moved_by(near, work.whole, sampled, (rule, finer), rng)
        if moved.far <= MOST_MOVED:
            return Found(near, moved.corrected(sampled))
    raise InferenceError(moved.reason)


def _by_stand_in(work: Work, rng: np.random.Generator, tries: int) -> Found:
    """Return draws from a stand-in that exact values at some of them confirm.

    After the first, closer ones are tried if they cost no more; else the last one alone is closer.
    """
    basis = basis_of(work.model, work.where, rng)
    closer_from = 1 if work.cost.rough * work.points <= work.cost.stand_in else tries - 1
    reason = ""
    for at in range(tries):
        target, exact = basis.stand_in(), Marginal(basis.near, basis.rule)
        found = search(target, work.where, work.rngs.of_search)
        target = basis.closer() if at >= max(closer_from, 1) else target
        sampled = draw_from(target, found, work.where.effort, work.draws, work.rngs)
        tested = _tested(target, exact, sampled, found.proposal, rng)
        check(sampled, exact, work.draws)
        if tested.far <= MOST_MOVED:
            rule, finer = next(onwards(basis.rule, work.model))
            moved = moved_by(basis.near, work.whole, sampled, (rule, finer), rng)
            if moved.far <= MOST_MOVED:
                return Found(basis.near, moved.corrected(tested.corrected(sampled)))
            reason = moved.reason
            basis = basis if finer is None else basis.by(finer)
        else:
            reason = f"A stand-in for the density of what the groups share is off by {tested.far:.2g}."
        basis = basis.more(tested.points, tested.exact)
    raise InferenceError(reason)


@dataclass(frozen=True, slots=True, eq=False)
class Tested:
    """Exact log densities at draws from a stand-in, and at points of its proposal.

    Attributes
    ----------
    points : (n, d) array
        All of them.
    exact : (n,) array
    off : (m,) array
        Exact values less those of the stand-in, at the draws.
    missed : float
        By how much the integral by points of the proposal differs from that of the stand-in by the same points: mass in
        tails that draws from the stand-in do not reach.
    """

    points: FloatArray
    exact: FloatArray
    off: FloatArray
    missed: float

    @property
    def far(self) -> float:
        """How far the stand-in is off; infinity where a density is zero or not finite."""
        if not (np.all(np.isfinite(self.off)) and np.isfinite(self.missed)):
            return np.inf
        return max(float(np.std(self.off)), abs(self.missed - float(np.mean(self.off))))

    def corrected(self, sampled: Sampled) -> Sampled:
        """Return the sample with the evidence that the draws' exact values give, and its error by both stages."""
        moved, error = integral(self.off)
        value = sampled.log_integral + moved
        return replace(sampled, log_integral=value, error=float(np.hypot(sampled.error, error)))


def _tested(
    target: Target, exact: Marginal, sampled: Sampled, proposal: Mixture, rng: np.random.Generator
) -> Tested:
    every = sampled.points[0].reshape(-1, sampled.points.shape[-1])
    some = every[rng.choice(len(every), min(TESTED_AT, len(every)), replace=False)]
    wide = proposal.draw(rng, BEYOND)
    points = np.concatenate([some, wide])
    heights, expected = exact(points), target(points)
    logs = np.stack([heights, expected])[:, len(some) :] - proposal.log_density(wide)
    with np.errstate(all="ignore"):
        by_both = np.logaddexp.reduce(logs, axis=1)
        return Tested(points, heights, (heights - expected)[: len(some)], float(by_both[0] - by_both[1]))


def check(sampled: Sampled, target: Marginal, draws: int) -> None:
    """Raise an InferenceError unless the weights can be trusted and modes were found."""
    if reason := why_not_trusted(sampled.k_hat, sampled.disagreement):
        raise InferenceError(f"{reason.reason[0].upper()}{reason.reason[1:]}.")
    least = float(np.min(sampled.ess))
    if least < draws:
        raise InferenceError(
            f"The importance sample behind a chain is worth {least:.0f} draws, fewer than the {draws} asked for."
        )
    if target.lost > target.highest - NEGLIGIBLE:
        raise InferenceError(NOT_FOUND)
    check_digits(target.forecast.model, sampled.points[0].reshape(-1, sampled.points.shape[-1]))


def _with_modes(target: Marginal, patience: int, near: float) -> Target:
    """Return the target as it is, until more than `patience` points show that a group's mode is missed near the top.

    `near` is how much lower such a point is at most. It then raises an InferenceError.
    """
    seen = 0

    def heights(points: FloatArray) -> FloatArray:
        nonlocal seen
        seen += len(points)
        found = target(points)
        if seen > patience and target.lost >= target.highest - near > -np.inf:
            raise InferenceError(NOT_FOUND)
        return found

    return heights


def check_digits(model: Model, points: FloatArray) -> None:
    """Raise an InferenceError if a further parameter may be so large in some rows that densities lose digits.

    It is computed at some of the points psi (S, d). One number for all rows is as large as its prior lets it be; with
    predictors it may be so in few rows, which the others do not bound.
    """
    name = model.form.rounded
    if not (name and model.by_cell):
        return
    few = points[:: max(len(points) // LARGE_AT, 1)]
    values, theta = model.parts(few)
    large = np.zeros(len(few), dtype=bool)
    for batch in model.batches:
        (found,) = model.further[name].at(values, theta, batch.further)
        large |= np.any(found > NEAR, axis=tuple(range(found.ndim - 1)))
    if np.mean(large) > MOST_LARGE:
        raise InferenceError(f"In some rows {name} may be so large that log densities lose digits.")


def onwards(rule: Rule, model: Model) -> Iterator[tuple[Rule, Rule | None]]:
    """Yield a rule and finer ones, each with the next; the only rule of a model has none."""
    every = rules(len(model.structure.base))
    if len(every) == 1:
        yield rule, None
    first = [each is rule for each in every].index(True)
    yield from pairwise(every[first:])


@dataclass(frozen=True, slots=True, eq=False)
class Moved:
    """By how much the log density moves at some of the draws, each (n,).

    Attributes
    ----------
    by_rule : array
        If a finer rule takes the place of the rule.
    by_rows : array
        If all rows take the place of cells.
    """

    by_rule: FloatArray
    by_rows: FloatArray

    @property
    def far(self) -> float:
        """Sd of the sum of both over draws; infinity where it is not finite."""
        found = float(np.std(self.by_rule + self.by_rows))
        return found if np.isfinite(found) else np.inf

    @property
    def reason(self) -> str:
        """What is wrong if it is far."""
        what = "A finer rule of integration over the groups' coefficients moves the log density by"
        return f"{what} {self.far:.2g}."

    def corrected(self, sampled: Sampled) -> Sampled:
        """Return the sample with the evidence moved by the means, and an error for each of them."""
        rule, rows = float(np.mean(self.by_rule)), float(np.mean(self.by_rows))
        error = float(np.hypot(sampled.error, np.hypot(rule, rows) / SHRINKS))
        return replace(sampled, log_integral=sampled.log_integral + rule + rows, error=error)


def moved_by(
    near: Forecast, whole: Model, sampled: Sampled, both: tuple[Rule, Rule | None], rng: np.random.Generator
) -> Moved:
    """Return by how much the second of two rules moves the log density at some draws, and all rows in place of cells.

    Raises
    ------
    CellsFarOff
        If all rows move it too much.
    """
    rule, finer = both
    if finer is None and near.model is whole:
        return Moved(np.zeros(1), np.zeros(1))
    points = sampled.points[0].reshape(-1, whole.size)
    some = points[rng.choice(len(points), min(CHECKED_AT, len(points)), replace=False)]
    by_rule = by_rows = np.zeros(len(some))
    if finer is not None:
        by_rule = log_likelihood(near, some, finer)[0] - log_likelihood(near, some, rule)[0]
    if near.model is not whole:
        by_rows = added(near, whole, some)
        if not np.std(by_rows) <= MOST_MOVED:
            raise CellsFarOff("Cells in place of rows are too far off.")
    return Moved(by_rule, by_rows)
