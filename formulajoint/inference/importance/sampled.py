"""The result of sampling phi: draws, the log evidence, and checks of whether they can be trusted."""

from __future__ import annotations

from dataclasses import dataclass

from formulajoint.arrays import FloatArray
from formulajoint.remarks import Missing

K_HAT = 0.7
"""Importance sampling cannot be trusted above this k-hat (Vehtari, Simpson, Gelman, Yao & Gabry, JMLR 2024)."""

DISAGREE = 4.0
"""Most standard errors by which two searches may differ."""

LOST = "Importance sampling failed: the density is zero or not finite at every point tried."


@dataclass(frozen=True, slots=True)
class Sampled:
    """Draws of phi.

    Attributes
    ----------
    points : (F, C, draws, d) array
        F densities side by side, C chains.
    k_hat : float
        Pareto shape of the largest importance weights: above `K_HAT` they cannot be trusted. Minus infinity where
        draws are by quadrature, without weights.
    ess : (F, C) array
        Effective sample size of the points behind each chain; infinity with quadrature.
    log_integral, error : float
        Sum over the densities of the log of each integral, and its standard error.
    modes : int
        Number of separate modes found, the largest over the densities.
    disagreement : float
        Difference in log evidence between independent searches, in standard errors of the difference. Above `DISAGREE`
        parts of the posterior may be missing.
    """

    points: FloatArray
    k_hat: float
    ess: FloatArray
    log_integral: float
    error: float
    modes: int = 1
    disagreement: float = 0.0


def why_not_trusted(k_hat: float, disagreement: float) -> Missing | None:
    """Return the reason not to trust an importance sample; None if it can be trusted."""
    if not k_hat < K_HAT:
        return Missing("trust", f"the importance weights cannot be trusted (k-hat {k_hat:.2f})")
    if not disagreement < DISAGREE:
        differ = f"two independent searches differ by {disagreement:.1f} standard errors"
        return Missing("trust", f"{differ}: modes may be missing")
    return None
