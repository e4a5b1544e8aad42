"""Draws of phi where it is several numbers: regions are searched, then sampled by importance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from formulajoint.inference.gaussian import dear
from formulajoint.inference.gaussian.cost import effort, is_dear
from formulajoint.inference.gaussian.fits import Fits
from formulajoint.inference.gaussian.marginal import Kernel
from formulajoint.inference.gaussian.starts import look
from formulajoint.inference.gaussian.target import log_posterior
from formulajoint.inference.importance.forecast import Told
from formulajoint.inference.importance.plane import cover_plane
from formulajoint.inference.importance.pools import sample
from formulajoint.inference.importance.sampled import Sampled, why_not_trusted


def sample_searched(
    kernel: Kernel,
    draws: int,
    chains: int,
    seeds: tuple[np.random.SeedSequence, np.random.SeedSequence],
    told: Told | None,
    fits: Fits | None,
) -> Sampled:
    """Return draws of phi (1, chains, draws, d) with the log evidence.

    Where a point is dear, `fits` keep those of theta at the draws.
    """
    looking, sampling = seeds
    if is_dear(kernel):
        found = dear.sample(kernel, draws, chains, sampling, fits)
        if why_not_trusted(found.k_hat, found.disagreement) is None:
            return found
    where = replace(look(kernel.reduction, np.random.default_rng(looking)), effort=effort(kernel))
    return sample(log_posterior(kernel), where, draws, chains, sampling, told)


def sample_plane(kernel: Kernel, draws: int, chains: int, seed: np.random.SeedSequence) -> Sampled | None:
    """Return points of a lattice as draws of phi, which is two scales; None where a lattice does not fit."""
    if is_dear(kernel):
        return None
    rng = np.random.default_rng(seed)
    found = cover_plane(log_posterior(kernel), look(kernel.reduction, rng))
    if found is None:
        return None
    chosen = rng.choice(len(found.points), (1, chains, draws), p=found.shares)
    ess = np.full((1, chains), np.inf)
    return Sampled(found.points[chosen], -np.inf, ess, found.log_integral, found.error)
