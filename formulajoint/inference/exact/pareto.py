"""k-hat: how heavy the tail of importance weights is, by which one knows whether to trust them.

The largest weights are fitted by a generalised Pareto distribution, its shape by the empirical Bayes estimate of
Zhang & Stephens (Technometrics 2009) with a weak prior at 1/2 (Vehtari, Simpson, Gelman, Yao & Gabry, JMLR 2024).
The figure is that of ArviZ's ``psislw``, which takes half a second to load.
"""

from __future__ import annotations

import numpy as np
from scipy.special import softmax

from formulajoint.design.schema import FloatArray

PRIOR_SHAPE, PRIOR_WEIGHT = 0.5, 10
"""The prior of the shape, and how many draws it is worth."""


def k_hat(logs: FloatArray) -> float:
    """Return k-hat of log weights (n,)."""
    n = len(logs)
    count = int(3 * np.sqrt(n)) if n > 225 else n // 5
    weights = np.exp(np.sort(logs)[-count - 1 :] - np.max(logs))
    return _shape(weights[1:] - weights[0])


def _shape(excess: FloatArray) -> float:
    """Return the shape of sorted excesses (n,) over a threshold; NaN where they are far from any such distribution."""
    n = len(excess)
    quarter = excess[int(n / 4 + 0.5) - 1]
    if quarter <= excess[0]:
        return float("nan")
    count = 30 + int(np.sqrt(n))
    grid = 1 / excess[-1] + (1 - np.sqrt(count / (np.arange(count) + 0.5))) / (3 * quarter)
    shapes = np.mean(np.log1p(-grid[:, None] * excess), axis=1)
    posterior = softmax(n * (np.log(-grid / shapes) - shapes - 1))
    shape = np.mean(np.log1p(-(posterior @ grid) * excess))
    return float((n * shape + PRIOR_WEIGHT * PRIOR_SHAPE) / (n + PRIOR_WEIGHT))
