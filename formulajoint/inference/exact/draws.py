"""Draws of every parameter of a model: phi by importance sampling, the coefficients exactly given phi."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from formulajoint.design.schema import FloatArray
from formulajoint.inference.exact.coefficients import draw_coefficients
from formulajoint.inference.exact.device import NUMPY, Device
from formulajoint.inference.exact.importance import Sampled, sample
from formulajoint.inference.exact.marginal import kernel, log_likelihood
from formulajoint.inference.exact.problem import factorises, log_posterior, log_posteriors, part, starts
from formulajoint.inference.exact.reduction import Reduction

SIDE_BY_SIDE = 64
"""Groups that share nothing are taken so many at a time."""

LARGE = 16 * 2**20
"""Bytes, of more than any block's arrays; of more than twice as many glibc takes no notice."""


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """What the exact engine draws.

    Attributes
    ----------
    values : (chains, draws, cells) array
        phi.
    theta : (chains, draws, t) array
    beta : (chains, draws, p, G) array
    k_hat : float
    ess : (chains,) array
        What the importance sample behind each chain is worth in independent draws, at the worst of the densities.
    log_evidence, error : float
    """

    values: FloatArray
    theta: FloatArray
    beta: FloatArray
    k_hat: float
    ess: FloatArray
    log_evidence: float
    error: float


def draw(reduction: Reduction, draws: int, chains: int, seed: int | None, device: Device = NUMPY) -> Draws:
    """Return draws of all parameters.

    Parameters
    ----------
    reduction : Reduction
    draws, chains : int
    seed : int, optional
    device : Device
        Where the arithmetic on groups is done.
    """
    scales_seed, coefficients_seed = np.random.SeedSequence(seed).spawn(2)
    rng = np.random.default_rng(coefficients_seed)
    with device.scope():
        found = sample_scales(reduction, draws, chains, scales_seed, device)
        points = found.points[0].reshape(chains * draws, -1)
        theta, beta = draw_coefficients(kernel(reduction, device), points, rng)
    return Draws(
        values=reduction.scales.values(found.points[0]),
        theta=theta.reshape(chains, draws, -1),
        beta=beta.reshape(chains, draws, *beta.shape[1:]),
        k_hat=found.k_hat,
        ess=np.min(found.ess, axis=0),
        log_evidence=found.log_integral,
        error=found.error,
    )


def sample_scales(
    reduction: Reduction, draws: int, chains: int, seed: np.random.SeedSequence, device: Device = NUMPY
) -> Sampled:
    """Return draws of phi (1, chains, draws, d) with the log evidence. To be called in the device's scope."""
    _keep_freed_memory()
    looking, sampling = seed.spawn(2)
    rng = np.random.default_rng(looking)
    if not reduction.scales.coordinates:
        return _all_known(reduction, draws, chains, device)
    if not factorises(reduction):
        target = log_posterior(kernel(reduction, device))
        return sample(target, starts(reduction, target, rng), draws, chains, sampling)
    groups = len(reduction.rows)
    found = []
    for first in range(0, groups, SIDE_BY_SIDE):
        some = part(reduction, slice(first, first + SIDE_BY_SIDE))
        target = log_posteriors(kernel(some, device))
        (child,) = sampling.spawn(1)
        found.append(sample(target, starts(some, target, rng), draws, chains, child))
    return _joined(found)


@cache
def _keep_freed_memory() -> None:
    """Have the C library keep the memory of a block's arrays for the next block.

    glibc gives arrays of this size back to the system and asks for them again, page by page, until an array that was
    larger has been freed: a third of the time of a first fit.
    """
    np.empty(LARGE // 8)


def _all_known(reduction: Reduction, draws: int, chains: int, device: Device) -> Sampled:
    """Return the only point there is where every scale is a constant."""
    points = np.empty((1, chains, draws, 0))
    value = float(log_likelihood(kernel(reduction, device), points[0, 0, :1])[0])
    return Sampled(points, -np.inf, np.full((1, chains), np.inf), value, 0.0)


def _joined(found: list[Sampled]) -> Sampled:
    """Return the densities of all groups as one of all their sigmas."""
    points = np.concatenate([each.points for each in found])  # (G, chains, draws, 1)
    return Sampled(
        points=np.moveaxis(points[..., 0], 0, -1)[None],
        k_hat=max(each.k_hat for each in found),
        ess=np.concatenate([each.ess for each in found]),
        log_integral=sum(each.log_integral for each in found),
        error=float(np.sqrt(sum(each.error**2 for each in found))),
    )
