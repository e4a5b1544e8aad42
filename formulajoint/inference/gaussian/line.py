"""Quadrature and draws by inversion, where phi is one number, or one number per group.

Every peak is found, the evidence has the digits of the density, and draws are independent.
"""

from __future__ import annotations

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.errors import InferenceError
from formulajoint.inference.importance.sampled import LOST, Sampled
from formulajoint.inference.latent.phi import Coordinate
from formulajoint.inference.panels import Densities, cover

BELOW, ABOVE = 40.0, 25.0
"""The scan of the log of a scale reaches this far below and above the size that the data suggest."""

BESIDE = 30.0
"""The scan reaches at least this far on either side of the mode of the scale's prior."""

STEP = 0.2
"""Distance between points of a scan; the log density of the log of a scale bends over a distance of about one."""


def scan_of(coordinate: Coordinate, typical: FloatArray) -> FloatArray:
    """Return the scan of a coordinate (F, n): points between which its density is sought.

    Parameters
    ----------
    coordinate : Coordinate
    typical : (F,) array
        Sizes of the parameter that the data suggest; 0 for none.
    """
    mode = coordinate.mode
    low = np.full(len(typical), mode - BESIDE)
    high = np.full(len(typical), mode + BESIDE)
    known = (typical > 0) & np.isfinite(typical) & np.isinf(coordinate.high)
    at = coordinate.at(np.where(known, typical, 1.0))
    low = np.where(known, np.minimum(low, at - BELOW), low)
    high = np.where(known, np.maximum(high, at + ABOVE), high)
    count = int(np.max(high - low) / STEP) + 2
    return np.asarray(low[:, None] + (high - low)[:, None] * np.linspace(0, 1, count))


def sample_line(
    densities: Densities, scan: FloatArray, draws: int, chains: int, seed: np.random.SeedSequence
) -> Sampled:
    """Return independent draws of F numbers, each from its own density.

    Parameters
    ----------
    densities : callable
    scan : (F, n) array
        See `cover`.
    draws, chains : int
    seed : SeedSequence

    Raises
    ------
    InferenceError
        If no density above zero is found.
    """
    found = cover(densities, scan)
    if found is None:
        raise InferenceError(LOST)
    drawn = found.draw(np.random.default_rng(seed), chains * draws)
    return Sampled(
        points=drawn.reshape(len(scan), chains, draws, 1),
        k_hat=-np.inf,
        ess=np.full((len(scan), chains), np.inf),
        log_integral=float(np.sum(found.log_integral)),
        error=float(np.sum(found.error)),
        modes=int(np.max(found.peaks)),
    )
