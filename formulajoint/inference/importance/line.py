"""Draws of single numbers, each from a density of its own, by quadrature and inversion.

Every peak is found, the evidence has the digits of the density, and draws are independent.
"""

from __future__ import annotations

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.errors import InferenceError
from formulajoint.inference.importance.sampled import LOST, Sampled
from formulajoint.inference.panels import Densities, cover


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
