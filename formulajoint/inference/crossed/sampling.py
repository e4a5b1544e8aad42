"""Draws of phi and of all coefficients, with several factors."""

from __future__ import annotations

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.inference.crossed.coefficients import Ahead
from formulajoint.inference.crossed.cost import is_dear, last_points
from formulajoint.inference.crossed.marginal import log_likelihood
from formulajoint.inference.crossed.starts import look, typical
from formulajoint.inference.crossed.sums import BySigma, Sums
from formulajoint.inference.importance.line import sample_line
from formulajoint.inference.importance.mode import Target
from formulajoint.inference.importance.pools import sample
from formulajoint.inference.importance.sampled import Sampled, why_not_trusted
from formulajoint.inference.importance.surrogate import Dear, sample_dear
from formulajoint.inference.latent.linear_sds import spreads
from formulajoint.inference.latent.phi import Coordinate, scan_of

LOWER = 2.0
"""The second climb starts with sds lower by this in their logs."""

ONE_CLIMB = 5e-3
"""Where a point costs more seconds there is one climb."""


AGAIN = 1e-3
"""Where a point costs fewer seconds, a sample from the interpolant that cannot be trusted is followed by searches."""


def log_posterior(sums: Sums) -> Target:
    """Return the log density of points (n, d): prior times likelihood."""

    def target(points: FloatArray) -> FloatArray:
        with np.errstate(all="ignore"):
            return sums.model.scales.log_prior(points) + log_likelihood(sums, points)

    return target


def sample_scales(
    sums: Sums, draws: int, chains: int, seed: np.random.SeedSequence, ahead: Ahead | None = None
) -> Sampled:
    """Return draws of phi (1, chains, draws, d) with the log evidence; of the last sample, coefficients ahead, too."""
    looking, sampling = seed.spawn(2)
    target, coordinates = log_posterior(sums), sums.model.scales.coordinates
    if not coordinates:
        value = float(target(np.empty((1, 0)))[0])
        return Sampled(np.empty((1, chains, draws, 0)), -np.inf, np.full((1, chains), np.inf), value, 0.0)
    if len(coordinates) == 1:
        free = [at for at, cell in enumerate(sums.model.scales.cells) if isinstance(cell, Coordinate)]
        scan = scan_of(coordinates[0], np.nan_to_num(typical(sums)[free]))
        return sample_line(lambda points: target(points.T)[None], scan, draws, chains, sampling)
    if is_dear(sums.order):
        last = None if ahead is None else ahead.log_likelihood
        points = last_points(sums, draws * chains)
        found = sample_dear(dear(sums), points, draws, chains, sampling, last)
        if sums.order.seconds > AGAIN or why_not_trusted(found.k_hat, found.disagreement) is None:
            return found
    return sample(target, look(sums, np.random.default_rng(looking)), draws, chains, sampling)


def dear(sums: Sums) -> Dear:
    """Return the posterior of phi as one whose points are dear.

    The log likelihood changes with a small sd as with its square, and with a correlation as such.
    """
    scales, sizes = sums.model.scales, typical(sums)
    places = [at for at, cell in enumerate(scales.cells) if isinstance(cell, Coordinate)]
    spread, reach = expected(sums)
    of_sigma = [at < sums.model.sigmas.count or scales.coordinate(at).real for at in places]
    reach[np.array(places)[of_sigma]] = np.maximum(3 * spread[np.array(places)[of_sigma]], 0.02)
    begin = np.array(
        [
            0.0 if np.isnan(sizes[at]) else float(each.at(np.asarray(sizes[at] / (1 if each.real else 2))))
            for at, each in zip(places, scales.coordinates, strict=True)
        ]
    )
    lower = begin - np.where(~np.array(of_sigma) & np.isfinite(sizes[places]), LOWER, 0.0)
    starts = np.stack([begin, lower]) if sums.order.seconds < ONE_CLIMB else begin[None]

    def natural(points: FloatArray) -> FloatArray:
        out = points.copy()
        for j, each in enumerate(scales.coordinates):
            if not of_sigma[j]:
                out[:, j] = (
                    np.log1p(np.exp(points[:, j] - begin[j])) if each.unbounded else each.value(points[:, j])
                )
        return out

    def likelihood(points: FloatArray) -> FloatArray:
        with np.errstate(all="ignore"):
            return log_likelihood(sums, points)

    return Dear(scales.log_prior, likelihood, starts, reach[places], spread[places], natural)


def expected(sums: Sums) -> tuple[FloatArray, FloatArray]:
    """Return the spread of each parameter's coordinate (cells,) in a large sample, and the reach of a first step."""
    spread = np.full(len(sums.model.scales.cells), np.nan)
    rows = sums.products.rows if isinstance(sums.products, BySigma) else np.array([sums.model.rows])
    spread[: len(rows)] = 1 / np.sqrt(2 * rows)
    for at, own in spreads(sums.model.scales, rows).items():
        spread[at] = own
    for each in sums.model.hierarchies:
        groups = sums.model.factors[each.factor].groups
        spread[each.block.sds] = 1 / np.sqrt(2 * groups)
        spread[each.block.partials] = 2 / np.sqrt(groups)
    spread = np.fmin(spread, 1.0)
    return spread, np.clip(5 * spread, 0.1, 1.0)
