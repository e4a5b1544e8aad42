"""Regions to search for the density of phi: start points from which modes may be reached, and a broad distribution.

Start points are of several kinds, since modes depend on where data and priors agree: sizes that the data suggest,
larger and smaller; modes of the priors; one sigma small and all others large, so that one group owns what all share;
and, with correlated hierarchies, columns as written and columns made orthogonal. Where a column is far from zero these
differ, and either may be a mode.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from formulajoint.arrays import FloatArray
from formulajoint.inference.gaussian.reduction import Reduction
from formulajoint.inference.gaussian.sizes import free, typical
from formulajoint.inference.importance.proposal import Mixture
from formulajoint.inference.importance.searches import Look
from formulajoint.inference.latent.linear_sds import coefficients_for
from formulajoint.inference.latent.phi import Coordinate, Derived, Scales, alike, together
from formulajoint.inference.latent.structure import Structure

PLAUSIBLE = 60
"""Number of plausible start points: this times (coordinates + 1)."""

WIDE = 2.0
"""Sd of the log of a scale about its plausible value, and of the coordinate of a correlation."""

OF_SIGMA, OF_SD = (-4.0, 0.1), (-3.0, 1.0)
"""Powers of ten by which plausible sigmas, and sds of hierarchies, differ from the sizes that the data suggest."""

LOOSE = (-6.0, 4.0)
"""Mean and sd of the log of w where the data contradict a Student or Cauchy prior of theta."""

MOST_SPREAD = 6.0
"""Largest sd used for a prior on the real line; the tails of the mixture are those of a t distribution."""


def look(reduction: Reduction, rng: np.random.Generator) -> Look:
    """Return the regions to search for the density of phi.

    Parameters
    ----------
    reduction : Reduction
    rng : Generator
    """
    sizes, structure = typical(reduction), reduction.structure
    places, coordinates = free(structure), structure.scales.coordinates
    count = PLAUSIBLE * (len(coordinates) + 1)
    plausible = np.stack(
        [
            loosened_points(count, rng)
            if at in structure.mixed_theta.values()
            else plausible_points(coordinate, sizes[at], at < structure.sigmas, count, rng)
            for at, coordinate in zip(places, coordinates, strict=True)
        ],
        axis=1,
    )
    for at, values in plausible_coefficients(structure.scales, sizes, count, rng).items():
        plausible[:, places.index(at)] = values
    modes = np.empty(len(coordinates))
    for group in alike(coordinates):
        modes[group] = together([coordinates[at] for at in group]).modes()
    kinds = [plausible, modes + rng.normal(0.0, WIDE, plausible.shape), *_owned(structure, sizes, plausible)]
    if any(block.correlated for block in structure.blocks):
        kinds.append(turned(reduction, plausible, rng))
    loosened = np.array([at in structure.mixed_theta.values() for at in places])
    return Look(np.concatenate(kinds), broad(coordinates, sizes[places], modes, loosened))


def broad(
    coordinates: tuple[Coordinate, ...], sizes: FloatArray, modes: FloatArray, loosened: NDArray[np.bool_]
) -> Mixture:
    """Return a broad mixture: about the sizes that the data suggest, about the priors, and between the two.

    Parameters
    ----------
    coordinates : tuple of Coordinate
    sizes : (d,) array
        Sizes that the data suggest; NaN for none.
    modes : (d,) array
        Modes of the priors.
    loosened : (d,) bool array
        Coordinates of w, small where the data contradict a Student or Cauchy prior of theta.
    """
    data = np.array(
        [
            0.0 if np.isnan(size) else float(coordinate.at(np.asarray(size)))
            for coordinate, size in zip(coordinates, sizes, strict=True)
        ]
    )
    own, spread = prior_moments(coordinates, data)
    between = (data + own) / 2
    scale = np.array([not coordinate.real for coordinate in coordinates])
    means = np.stack([data - np.where(np.isnan(sizes) | ~scale, 0.0, 1.0), own, between])
    sds = np.stack([np.full(len(data), WIDE), spread, WIDE + abs(data - own) / 2])
    if np.any(loosened):
        means = np.concatenate([means, np.where(loosened, LOOSE[0], means)])
        sds = np.concatenate([sds, np.where(loosened, LOOSE[1], sds)])
    roots = np.eye(len(data)) * sds[:, None, :]
    return Mixture(np.tile([0.4, 0.3, 0.3], len(means) // 3) * 3 / len(means), means, roots)


def prior_moments(coordinates: tuple[Coordinate, ...], instead: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return approximate means and sds of the coordinates' priors (d,); for improper ones `instead` and `WIDE`."""
    means, sds = np.empty((2, len(coordinates)))
    for places in alike(coordinates):
        means[places], sds[places] = together([coordinates[at] for at in places]).moments()
    improper = np.isnan(means)
    return np.where(improper, instead, means), np.where(improper, WIDE, np.clip(sds, 1e-3, MOST_SPREAD))


def plausible_points(
    coordinate: Coordinate, size: float, sigma: bool, count: int, rng: np.random.Generator
) -> FloatArray:
    """Return points of a coordinate (count,) about the size of the parameter that the data suggest, or about zero."""
    if np.isnan(size):
        return rng.normal(0.0, 1.5, count)
    return coordinate.at(size * 10 ** rng.uniform(*(OF_SIGMA if sigma else OF_SD), count))


def plausible_coefficients(
    scales: Scales, sizes: FloatArray, count: int, rng: np.random.Generator
) -> dict[int, FloatArray]:
    """Return points (count,) of the coefficients of sigma, by their places: those of plausible sigmas."""
    sigmas = sum(isinstance(cell, Derived) for cell in scales.cells)
    if not sigmas:
        return {}
    sds = sizes[:sigmas] * 10 ** rng.uniform(*OF_SIGMA, (count, sigmas))
    return {at: scales.coordinate(at).at(values) for at, values in coefficients_for(scales, sds).items()}


def loosened_points(count: int, rng: np.random.Generator) -> FloatArray:
    """Return logs of w of a Student or Cauchy prior: about 0 where the data agree with it, else far below."""
    return np.where(rng.random(count) < 0.5, rng.normal(0.0, 1.0, count), rng.uniform(-16.0, 0.0, count))


def _owned(structure: Structure, sizes: FloatArray, plausible: FloatArray) -> Iterator[FloatArray]:
    """Yield plausible points with the sigma of one group small, and those of all others large."""
    sigmas, places = structure.sigmas, free(structure)
    own = [place for place, at in enumerate(places) if at < sigmas]
    if len(own) < 2:
        return
    coordinates = structure.scales.coordinates
    large = np.array([float(coordinates[place].at(np.asarray(sizes[places[place]]))) for place in own])
    for place, at in zip(own, large, strict=True):
        out = plausible[: len(plausible) // len(own) + 1].copy()
        out[:, own] = large + np.abs(plausible[: len(out), own] - large) / 3
        out[:, place] = np.minimum(plausible[: len(out), place], at)
        yield out


def turned(reduction: Reduction, points: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return start points (n, d) whose hierarchies are uncorrelated in an orthogonal basis of the columns.

    With X'X = N R'R these coefficients are R beta, so that beta has the root R^-1 diag(spread); the coordinate of a
    partial correlation r is 2 artanh(r).
    """
    structure, out, rows = reduction.structure, points.copy(), reduction.rows
    places = {at: place for place, at in enumerate(free(structure))}
    overall = float(np.sqrt(rows @ reduction.spreads() ** 2 / np.sum(rows)))
    for block in structure.blocks:
        m = len(block.columns)
        sds = [places.get(cell, -1) for cell in range(block.sds.start, block.sds.stop)]
        gram = reduction.gram_of(block.columns)
        size = np.sqrt(np.diagonal(gram))
        if not block.correlated or min(sds) < 0 or np.min(size) == 0:
            continue
        if np.linalg.matrix_rank(gram / np.outer(size, size), hermitian=True) < m:  # units do not matter
            continue
        turn = np.linalg.inv(np.linalg.cholesky(gram).T)
        unit = 1.0 if structure.in_sds[block.columns[0]] else overall
        spread = unit * 10 ** rng.uniform(-2.0, 0.5, (len(points), 1, m))
        root = np.swapaxes(np.linalg.qr(np.swapaxes(turn * spread, 1, 2), mode="r"), 1, 2)
        root *= np.sign(np.diagonal(root, axis1=1, axis2=2))[:, None, :]
        for i, place in enumerate(sds):
            out[:, place] = structure.scales.coordinates[place].at(np.linalg.norm(root[:, i], axis=1))
        pairs = ((j, i) for j in range(m) for i in range(j + 1, m))
        for cell, (j, i) in zip(range(block.partials.start, block.partials.stop), pairs, strict=True):
            rest = np.linalg.norm(root[:, i, j + 1 : i + 1], axis=1)
            out[:, places[cell]] = 2 * np.arcsinh(root[:, i, j] / rest)
    return out
