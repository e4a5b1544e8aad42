"""Draws of phi and of all coefficients, with several factors."""

from __future__ import annotations

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.inference.crossed.marginal import log_likelihood
from formulajoint.inference.crossed.starts import look, typical
from formulajoint.inference.crossed.sums import Sums
from formulajoint.inference.importance.line import sample_line
from formulajoint.inference.importance.mode import Target
from formulajoint.inference.importance.pools import sample
from formulajoint.inference.importance.sampled import Sampled
from formulajoint.inference.latent.phi import scan_of


def log_posterior(sums: Sums) -> Target:
    """Return the log density of points (n, d): prior times likelihood."""

    def target(points: FloatArray) -> FloatArray:
        with np.errstate(all="ignore"):
            return sums.model.scales.log_prior(points) + log_likelihood(sums, points)

    return target


def sample_scales(sums: Sums, draws: int, chains: int, seed: np.random.SeedSequence) -> Sampled:
    """Return draws of phi (1, chains, draws, d) with the log evidence."""
    looking, sampling = seed.spawn(2)
    target, coordinates = log_posterior(sums), sums.model.scales.coordinates
    if not coordinates:
        value = float(target(np.empty((1, 0)))[0])
        return Sampled(np.empty((1, chains, draws, 0)), -np.inf, np.full((1, chains), np.inf), value, 0.0)
    if len(coordinates) == 1:
        free = [at for at, cell in enumerate(sums.model.scales.cells) if not isinstance(cell, float)]
        scan = scan_of(coordinates[0], np.nan_to_num(typical(sums)[free]))
        return sample_line(lambda points: target(points.T)[None], scan, draws, chains, sampling)
    return sample(target, look(sums, np.random.default_rng(looking)), draws, chains, sampling)
