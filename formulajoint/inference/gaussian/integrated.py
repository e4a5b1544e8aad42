"""Draws of phi where the scales of single groups are integrated out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from formulajoint.inference.gaussian.inside import Inside
from formulajoint.inference.gaussian.marginal import Kernel
from formulajoint.inference.gaussian.owners import alone, inside, scan_of_shared
from formulajoint.inference.gaussian.scale_draws import draw_scales
from formulajoint.inference.gaussian.units import Units
from formulajoint.inference.importance.forecast import Told
from formulajoint.inference.importance.line import sample_line
from formulajoint.inference.importance.pools import sample
from formulajoint.inference.importance.sampled import Sampled, known

TRAPEZIUM = 5e-6
"""Error of the log of the integral over one group's scale, for groups of two rows; for others it is smaller."""


def sample_integrated(
    kernel: Kernel,
    own: Units,
    draws: int,
    chains: int,
    seeds: tuple[np.random.SeedSequence, np.random.SeedSequence],
    told: Told | None,
) -> Sampled:
    """Return draws of phi: the scales of single groups are integrated out, then drawn given the rest."""
    looking, sampling = seeds
    rng = np.random.default_rng(looking)
    if own.dimensions(kernel.structure) == 0:
        made = alone(kernel, own)
        found = known(draws, chains, float(made.log_density(np.empty((1, 0)))[0]))
        return _placed(made, found, rng)
    made, where = inside(kernel, own, rng)
    if where.starts.shape[1] == 1:
        scan = scan_of_shared(made, where)
        found = sample_line(lambda points: made.log_density(points.T)[None], scan, draws, chains, sampling)
    else:
        found = sample(made.log_density, where, draws, chains, sampling, told)
    return _placed(made, found, rng)


def _placed(made: Inside, found: Sampled, rng: np.random.Generator) -> Sampled:
    """Return draws of all of phi, including the scales that were integrated out."""
    _, chains, draws, d = found.points.shape
    values = draw_scales(made, found.points.reshape(chains * draws, d), rng)
    scales = made.kernel.structure.scales
    points = scales.points(values).reshape(1, chains, draws, len(scales.coordinates))
    return replace(found, points=points, error=found.error + TRAPEZIUM * len(made.units.cells))
