"""log p(y | psi): the coefficients of each group integrated out, by Laplace's approximation or adaptive quadrature.

Quadrature is about the mode, in units of the curvature there (Pinheiro & Bates, JCGS 1995). It has no Monte Carlo
error.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from formulajoint.arrays import Array, FloatArray
from formulajoint.inference.groupwise.block import Block, at_points, block_of
from formulajoint.inference.groupwise.cells import blocks
from formulajoint.inference.groupwise.densities import Smoothly
from formulajoint.inference.groupwise.forecast import Forecast
from formulajoint.inference.groupwise.inner import Modes, find_modes
from formulajoint.inference.groupwise.rules import Rule, rules

ROUGH, SMOOTH = 0.005, 0.001
"""Decrements at which Newton's method stops for Laplace's approximation, whose determinant is at the last point: where
it is searched, and where it is interpolated and so must be smooth."""

NOT_FOUND = "Newton's method did not find the mode of some group's coefficients."

CHOSEN_AT = 6
"""Points at which a rule is chosen: the first of those given."""

STEADY, SHIFTED = 0.003, 0.05
"""A rule is fine enough if the next finer one moves log p(y | psi) by no more than this: sd over points, and mean.

The first times its sd bounds what a mean is off by: a fifth of the Monte Carlo error of 4,000 draws."""


def tolerance(groups: int) -> float:
    """Return the decrement at which Newton's method stops for quadrature over a number of groups."""
    return float(min(0.1, (0.06 / groups) ** (1 / 3)))


@dataclass(slots=True, eq=False)
class Marginal:
    """The log posterior density of psi, as a function of points (S, d).

    Attributes
    ----------
    forecast : Forecast
    rule : Rule or None
        None for Laplace's approximation.
    close : float
        Decrement at which Newton's method stops for Laplace's approximation.
    highest, lost : float
        The largest value so far, and the largest where Newton's method did not converge in some group.
    """

    forecast: Forecast
    rule: Rule | None
    close: float = ROUGH
    highest: float = field(default=-np.inf)
    lost: float = field(default=-np.inf)

    def __call__(self, points: FloatArray) -> FloatArray:
        """Return the log densities (S,), minus infinity where one is zero or not finite."""
        with np.errstate(all="ignore"):
            found, converged = log_likelihood(self.forecast, points, self.rule, self.close)
            logs = self.forecast.model.log_prior(points) + found
        out = np.where(np.isfinite(logs), logs, -np.inf)
        self.highest = max(self.highest, float(np.max(out, initial=-np.inf)))
        self.lost = max(self.lost, float(np.max(out[~converged], initial=-np.inf)))
        return out


def log_likelihood(
    forecast: Forecast, points: FloatArray, rule: Rule | None, close: float = ROUGH
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Return log p(y | psi) at points (S, d), and whether Newton's method converged in all groups, both (S,)."""
    model, device, count = forecast.model, forecast.model.device, len(points)
    points = _few_sizes(points) if device.compiles else points
    at = at_points(model, points)
    out, converged = np.array(model.log_constant(at.values, at.theta)), np.ones(len(points), dtype=bool)
    close = close if rule is None else tolerance(model.structure.groups)
    for batch, expected in zip(forecast.there, forecast.parabolas, strict=True):
        for groups, some in blocks(batch, len(points), device):
            own = batch if len(groups) == len(batch.members) else batch.of(groups, device)
            block = block_of(model, own, at.of(some), device)
            modes = find_modes(block, close, expected.start(block, groups))
            logs = log_integrals(block, modes, rule)
            out[some] += device.get(device.summed(device.put(own.multiplicity)[:, None], logs))
            converged[some] &= device.to_numpy(device.xp.all(modes.converged, axis=0))
    return out[:count], converged[:count]


def _few_sizes(points: FloatArray) -> FloatArray:
    """Return points (S, d) with the last one repeated until S is a power of four: arrays then have few shapes."""
    size = 1
    while size < len(points):
        size *= 4
    return (
        np.concatenate([points, np.repeat(points[-1:], size - len(points), axis=0)])
        if len(points)
        else points
    )


def log_integrals(block: Block, modes: Modes, rule: Rule | None) -> Array:
    """Return the log of the integral over each group's coefficients at each point (G, S)."""
    xp, height = block.device.xp, block.height(modes.u)
    total = xp.zeros_like(height)
    if rule is None:  # Tierney & Kadane, JASA 1986
        return height + 0.5 * xp.where(modes.converged, modes.decrement, total) + modes.log_width
    along = _along(block)
    for node, log in zip(rule.nodes.tolist(), rule.logs.tolist(), strict=True):
        value = along(modes.away(node))
        total += xp.exp(value - height + log)
    return height + modes.log_width + xp.log(total)


def _along(block: Block) -> Callable[[list[Array]], Array]:
    """Return the height of a block as a function of u; what is linear in u is summed over cells once."""
    density, summed = block.density, block.device.summed
    if isinstance(density, Smoothly):
        return block.height
    slopes = [summed(density.linear * load) for load in block.loads]
    base = summed(density.linear * block.start)

    def height(u: list[Array]) -> Array:
        value = base - summed(density.convex, density.curve.value(block.predictor(u), block.device.xp))
        for slope, flat, each in zip(slopes, block.flat, u, strict=True):
            value = value + (slope if flat else slope - 0.5 * each) * each
        return value

    return height


def fine_enough(near: Forecast, points: FloatArray) -> Rule:
    """Return the first rule that the next finer one hardly changes, or else the last but one."""
    every = rules(len(near.model.structure.base))
    if len(every) == 1:
        return every[0]
    points = points[:CHOSEN_AT]
    before = log_likelihood(near, points, every[0])[0]
    for rule, finer in pairwise(every):
        after = log_likelihood(near, points, finer)[0]
        moved = after - before
        if np.std(moved) < STEADY and abs(np.mean(moved)) < SHIFTED:
            return rule
        before = after
    return every[-2]
