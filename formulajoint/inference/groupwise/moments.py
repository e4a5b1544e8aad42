"""Moments of each group's coefficients given psi, by quadrature about their modes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.inference.groupwise.block import Block
from formulajoint.inference.groupwise.inner import Modes
from formulajoint.inference.groupwise.rules import rules

LEAN = 1e-9
"""Share of the variances that is added to them, so that covariances have an inverse."""


class Moments(NamedTuple):
    """Means u, p (G, S) arrays, the lower Cholesky factor of the inverse covariance, and the log of the integral."""

    mean: list[FloatArray]
    root: list[list[FloatArray]]
    log_integral: FloatArray


def moments_of(block: Block, modes: Modes) -> Moments:
    """Return the moments of u for all pairs of a block."""
    p = len(modes.u)
    rule = rules(p)[1 if p <= 2 else 0]
    places = [np.array(modes.away(node.tolist())) for node in rule.nodes]
    logs = np.array([block.height(list(u)) + log for u, log in zip(places, rule.logs, strict=True)])
    top = np.max(logs, axis=0)
    weights = np.exp(logs - top)
    total = np.sum(weights, axis=0)
    weights /= total
    mean = np.sum([weight * u for weight, u in zip(weights, places, strict=True)], axis=0)  # (p, G, S)
    spread = np.zeros((*mean.shape[1:], p, p))
    for weight, u in zip(weights, places, strict=True):
        away = np.moveaxis(u - mean, 0, -1)
        spread += weight[..., None, None] * away[..., :, None] * away[..., None, :]
    spread[..., range(p), range(p)] *= 1 + LEAN
    factor = np.linalg.cholesky(np.linalg.inv(spread))
    root = [[np.asarray(factor[..., i, j]) for j in range(i + 1)] for i in range(p)]
    return Moments(list(mean), root, top + np.log(total) + modes.log_width)
