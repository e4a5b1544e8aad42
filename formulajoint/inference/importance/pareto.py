"""k-hat: how heavy the tail of importance weights is, and so whether they can be trusted.

The largest weights are fitted by a generalised Pareto distribution, its shape by the empirical Bayes estimate of
Zhang & Stephens (Technometrics 2009) with a weak prior at 1/2 (Vehtari, Simpson, Gelman, Yao & Gabry, JMLR 2024).
The figure is that of ArviZ's ``psislw``, which takes half a second to load.
"""

from __future__ import annotations

import numpy as np

from formulajoint.arrays import FloatArray

PRIOR_SHAPE, PRIOR_WEIGHT = 0.5, 10
"""Prior mean of the shape, and the number of draws it is worth."""

LEAST = 5
"""Fewest weights in a tail, as in ArviZ."""

ALONE = 0.02
"""A single weight above this share of the total shows a region that was hardly proposed; no tail shows it."""

LARGE = 10.0
"""A weight is large above this many times the mean. Below, the shape of a tail has no meaning: where almost all weights
are equal, a few that are twice as large look heavy."""


def tail_shape(logs: FloatArray) -> float:
    """Return k-hat of log weights (n,); 0 if no weight is large, infinity if a single one dominates."""
    logs = logs[np.isfinite(logs)]
    largest = np.exp(np.max(logs) - np.logaddexp.reduce(logs)) * len(logs)
    if largest > ALONE * len(logs):
        return np.inf
    return 0.0 if largest < LARGE else k_hat(logs)


def k_hat(logs: FloatArray) -> float:
    """Return k-hat of log weights (n,); infinity if the tail has too few weights, or all are the same."""
    n = len(logs)
    count = int(3 * np.sqrt(n)) if n > 225 else n // 5
    if count < LEAST:
        return np.inf
    weights = np.exp(np.sort(logs)[-count - 1 :] - np.max(logs))
    excess = weights[1:] - weights[0]
    return _shape(excess) if _quarter(excess) > excess[0] else np.inf


def _quarter(excess: FloatArray) -> float:
    """Return the first quartile of sorted excesses (n,)."""
    return float(excess[int(len(excess) / 4 + 0.5) - 1])


def _shape(excess: FloatArray) -> float:
    """Return the shape of the distribution of sorted excesses (n,) over a threshold."""
    n = len(excess)
    count = 30 + int(np.sqrt(n))
    grid = 1 / excess[-1] + (1 - np.sqrt(count / (np.arange(count) + 0.5))) / (3 * _quarter(excess))
    shapes = np.mean(np.log1p(-grid[:, None] * excess), axis=1)
    logs = n * (np.log(-grid / shapes) - shapes - 1)
    posterior = np.exp(logs - np.logaddexp.reduce(logs))
    shape = np.mean(np.log1p(-(posterior @ grid) * excess))
    return float((n * shape + PRIOR_WEIGHT * PRIOR_SHAPE) / (n + PRIOR_WEIGHT))
