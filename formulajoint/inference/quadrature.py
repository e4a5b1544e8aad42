"""The joint Bayes factor of a Gaussian model that is not pooled, by quadrature over sigma.

Given sigma everything is Gaussian: with coefficients b = m0 + D u, u ~ N(0, 1), and the eigenvalues l of D'X'X D, one
decomposition serves every sigma. Only the integral over sigma is left, and on a grid of log sigma it converges
faster than any power of the step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import optimize
from scipy.special import logsumexp

from formulajoint.design.schema import FloatArray

POINTS = 512
"""Points of the grid over log sigma."""

DEPTH = 50.0
"""The grid ends where the integrand is exp(-50) of its largest value."""


@dataclass(frozen=True, slots=True, eq=False)
class Gaussian:
    """A Gaussian regression with independent normal priors, decomposed.

    Attributes
    ----------
    mean, sd : (P,) arrays
        Of the coefficients' priors.
    vectors : (P, P) array
        Eigenvectors of D'X'X D.
    values : (P,) array
        Eigenvalues, zero or more.
    projected : (P,) array
        Q'D'X'(y - X m0).
    squares : float
        (y - X m0)'(y - X m0).
    rows : float
        N, counting row weights.
    """

    mean: FloatArray
    sd: FloatArray
    vectors: FloatArray
    values: FloatArray
    projected: FloatArray
    squares: float
    rows: float


@dataclass(frozen=True, slots=True)
class LogIntegral:
    """The log of an integral, or of a ratio of two, with the error of the quadrature."""

    value: float
    error: float


def decompose(
    columns: FloatArray, y: FloatArray, mean: FloatArray, sd: FloatArray, row_weights: FloatArray | None
) -> Gaussian:
    """Return the regression of y (N,) on columns (N, P) with prior N(mean, sd^2), ready for any sigma."""
    weights = np.ones(len(y)) if row_weights is None else row_weights
    left = y - columns @ mean
    scaled = columns * sd
    values, vectors = np.linalg.eigh(scaled.T @ (scaled * weights[:, None]))
    projected = vectors.T @ (scaled.T @ (weights * left))
    return Gaussian(
        mean, sd, vectors, np.maximum(values, 0), projected, float(weights @ left**2), float(weights.sum())
    )


def log_likelihood(model: Gaussian, sigma: float) -> float:
    """Return log p(y | sigma), the coefficients integrated out."""
    s = sigma**2
    shrunk = 1 + model.values / s
    quadratic = model.squares / s - np.sum(model.projected**2 / shrunk) / s**2
    return float(-0.5 * (model.rows * np.log(2 * np.pi * s) + np.sum(np.log(shrunk)) + quadratic))


def log_density_at_null(model: Gaussian, sigma: float | None, rows: FloatArray, null: FloatArray) -> float:
    """Return the log density of R b at r: a posteriori given sigma, or a priori where sigma is None.

    Parameters
    ----------
    rows : (q, P) array
        Of full rank.
    null : (q,) array
    """
    spread = rows * model.sd  # (q, P)
    if sigma is None:
        centre, root = rows @ model.mean, spread
    else:
        s = sigma**2
        root = (spread @ model.vectors) / np.sqrt(1 + model.values / s)
        centre = rows @ model.mean + root @ (model.projected / np.sqrt(1 + model.values / s)) / s
    r = np.linalg.qr(root.T, mode="r")  # root root' = r'r
    z = np.linalg.solve(r.T, null - centre)
    return float(-0.5 * (len(null) * np.log(2 * np.pi) + z @ z) - np.sum(np.log(abs(np.diag(r)))))


def log_bayes_factor(
    model: Gaussian, log_prior: Callable[[float], float], rows: FloatArray, null: FloatArray
) -> LogIntegral:
    """Return log BF of the full model against the one in which R b = r.

    The null model's prior is the full prior conditioned on R b = r, so that the ratio of evidences is the ratio of the
    prior's density to the posterior's at r (Dickey 1971), here without any draws.

    Parameters
    ----------
    model : Gaussian
    log_prior : callable
        Log density of sigma.
    rows, null : (q, P) and (q,) arrays
        Of full rank.
    """

    def full(t: float) -> float:
        sigma = float(np.exp(t))
        return log_likelihood(model, sigma) + log_prior(sigma) + t

    def null_model(t: float) -> float:
        return full(t) + log_density_at_null(model, float(np.exp(t)), rows, null) - prior

    prior = log_density_at_null(model, None, rows, null)
    start = float(0.5 * np.log(model.squares / model.rows))
    one, zero = integrate(full, start), integrate(null_model, start)
    return LogIntegral(one.value - zero.value, one.error + zero.error)


def integrate(log_integrand: Callable[[float], float], start: float) -> LogIntegral:
    """Return the log of the integral of exp(log_integrand) over the line, found from `start` near its mass.

    The trapezoidal rule converges faster than any power of its step where the integrand falls off smoothly at both
    ends; the error stated is what half of the points would change.
    """
    found = optimize.minimize_scalar(lambda t: -log_integrand(t), bracket=(start - 1, start))
    mode, top = float(found.x), -float(found.fun)
    low, high = (_edge(log_integrand, mode, top, step) for step in (-0.25, 0.25))
    points = np.linspace(low, high, POINTS + 1)
    values = np.array([log_integrand(float(t)) for t in points])
    step = (high - low) / POINTS
    value = float(logsumexp(values) + np.log(step))
    return LogIntegral(value, abs(value - float(logsumexp(values[::2]) + np.log(2 * step))))


def _edge(log_integrand: Callable[[float], float], mode: float, top: float, step: float) -> float:
    """Walk from the mode until the integrand is negligible."""
    at = mode
    while log_integrand(at) > top - DEPTH and abs(at - mode) < 200:
        at += step
        step *= 1.2
    return at
