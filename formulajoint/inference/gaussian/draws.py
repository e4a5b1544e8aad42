"""Draws of every parameter of a model: phi by importance sampling, the coefficients exactly given phi."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.inference.gaussian.coefficients import draw_coefficients, draw_in_blocks, draw_shared
from formulajoint.inference.gaussian.fits import Fits
from formulajoint.inference.gaussian.marginal import Kernel, kernel, log_likelihood
from formulajoint.inference.gaussian.reduction import Reduction
from formulajoint.inference.gaussian.sizes import free, typical, typical_alone
from formulajoint.inference.gaussian.target import log_posterior, log_posteriors, part
from formulajoint.inference.gaussian.units import units
from formulajoint.inference.importance.forecast import Told
from formulajoint.inference.importance.line import sample_line
from formulajoint.inference.importance.sampled import Sampled, known
from formulajoint.inference.latent.device import NUMPY, Device
from formulajoint.inference.latent.phi import scan_of, together

SIDE_BY_SIDE = 64
"""Groups that share nothing are computed this many at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """Draws of the exact engine.

    Attributes
    ----------
    values : (chains, draws, cells) array
        phi.
    theta : (chains, draws, t) array
    beta : (chains, draws, p, G) array
    k_hat : float
    ess : (chains,) array
        Effective sample size of the importance sample behind each chain, the smallest over the densities.
    log_evidence, error : float
    modes : int
    disagreement : float
        See `Sampled`.
    """

    values: FloatArray
    theta: FloatArray
    beta: FloatArray
    k_hat: float
    ess: FloatArray
    log_evidence: float
    error: float
    modes: int
    disagreement: float


def draw(
    reduction: Reduction,
    draws: int,
    chains: int,
    seed: int | None,
    device: Device = NUMPY,
    told: Told | None = None,
) -> Draws:
    """Return draws of all parameters.

    Parameters
    ----------
    reduction : Reduction
    draws, chains : int
    seed : int, optional
    device : Device
        Where the arithmetic on groups is done.
    told : callable, optional
        Is told beforehand how many seconds it will take.
    """
    with device.scope():
        return sample_phi(reduction, draws, chains, seed, device, told).with_coefficients()


@dataclass(frozen=True, slots=True, eq=False)
class Phi:
    """Draws of phi, and what draws the coefficients given these.

    Attributes
    ----------
    kernel : Kernel
    found : Sampled
    rng : Generator
        For the coefficients.
    fits : Fits
        Of theta at these points, where they are kept.
    """

    kernel: Kernel
    found: Sampled
    rng: np.random.Generator
    fits: Fits

    @property
    def shape(self) -> tuple[int, int]:
        """Number of chains, and of draws per chain."""
        _, chains, draws, _ = self.found.points.shape
        return chains, draws

    @property
    def points(self) -> FloatArray:
        """The draws on the real line, all chains in a row (S, d)."""
        return np.asarray(self.found.points[0].reshape(self.shape[0] * self.shape[1], -1))

    def values(self) -> FloatArray:
        """Return the draws (chains, draws, cells)."""
        return self.kernel.structure.scales.values(self.found.points[0])

    def draws(self, values: FloatArray, theta: FloatArray, beta: FloatArray) -> Draws:
        """Return draws of all parameters, (chains, draws, ...)."""
        found = self.found
        return Draws(
            values=values,
            theta=theta,
            beta=beta,
            k_hat=found.k_hat,
            ess=np.min(found.ess, axis=0),
            log_evidence=found.log_integral,
            error=found.error,
            modes=found.modes,
            disagreement=found.disagreement,
        )

    def with_coefficients(self) -> Draws:
        """Return draws of all parameters. To be called in the device's scope."""
        chains, draws = self.shape
        theta, beta = draw_coefficients(self.kernel, self.points, self.rng, self.fits)
        return self.draws(
            self.values(), theta.reshape(chains, draws, -1), beta.reshape(chains, draws, *beta.shape[1:])
        )

    def in_blocks(self, own: bool) -> Iterator[tuple[IntArray, Draws]]:
        """Yield draws block by block, each as if of one chain, with their places among all chains in a row.

        They have the groups' coefficients only if `own`. To be called in the device's scope.
        """
        values = self.kernel.structure.scales.values(self.points)[None]
        if own:
            for some, theta, beta in draw_in_blocks(self.kernel, self.points, self.rng, self.fits):
                yield some, self.draws(values[:, some], theta[None], beta[None])
            return
        theta = draw_shared(self.kernel, self.points, self.rng, self.fits)[None]
        none = np.empty((*values.shape[:2], len(self.kernel.structure.base), 0))
        yield np.arange(values.shape[1]), self.draws(values, theta, none)


def sample_phi(
    reduction: Reduction,
    draws: int,
    chains: int,
    seed: int | None,
    device: Device = NUMPY,
    told: Told | None = None,
) -> Phi:
    """Return draws of phi; arguments are those of `draw`. To be called in the device's scope."""
    scales_seed, coefficients_seed = np.random.SeedSequence(seed).spawn(2)
    core = kernel(reduction, device)
    fits = Fits(core)
    found = sample_scales(core, draws, chains, scales_seed, told, fits)
    return Phi(core, found, np.random.default_rng(coefficients_seed), fits)


def sample_scales(
    kernel: Kernel,
    draws: int,
    chains: int,
    seed: np.random.SeedSequence,
    told: Told | None = None,
    fits: Fits | None = None,
) -> Sampled:
    """Return draws of phi (1, chains, draws, d) with the log evidence. To be called in the device's scope.

    Where a point is dear, `fits` keep those of theta at the draws.
    """
    looking, sampling = seed.spawn(2)
    reduction, structure = kernel.reduction, kernel.structure
    coordinates = structure.scales.coordinates
    if not coordinates:
        return known(draws, chains, float(log_likelihood(kernel, np.empty((1, 0)))[0]))
    if structure.factorises():
        return _side_by_side(kernel, draws, chains, sampling)
    own = units(structure)
    if own is not None:
        from formulajoint.inference.gaussian.integrated import sample_integrated

        return sample_integrated(kernel, own, draws, chains, (looking, sampling), told)
    if len(coordinates) == 1:
        target = log_posterior(kernel)
        scan = scan_of(coordinates[0], np.nan_to_num(typical(reduction)[free(structure)]))
        return sample_line(lambda points: target(points.T)[None], scan, draws, chains, sampling)
    from formulajoint.inference.gaussian.searched import sample_searched

    return sample_searched(kernel, draws, chains, (looking, sampling), told, fits)


def measure_scales(kernel: Kernel, draws: int, chains: int, seed: np.random.SeedSequence) -> Sampled:
    """Return what `sample_scales` does for its evidence: by a lattice where phi is two scales, at a tenth of the cost.

    Points of phi are then those of the lattice.
    """
    structure = kernel.structure
    if len(structure.scales.coordinates) == 2 and not structure.factorises() and units(structure) is None:
        from formulajoint.inference.gaussian.searched import sample_plane

        if (found := sample_plane(kernel, draws, chains, seed)) is not None:
            return found
    return sample_scales(kernel, draws, chains, seed)


def _side_by_side(whole: Kernel, draws: int, chains: int, seed: np.random.SeedSequence) -> Sampled:
    """Return draws of the sigmas of groups that share nothing."""
    found = []
    for first in range(0, whole.structure.sigmas, SIDE_BY_SIDE):
        some = part(whole.reduction, slice(first, first + SIDE_BY_SIDE))
        scan = scan_of(together(some.structure.scales.coordinates), typical_alone(some))
        (child,) = seed.spawn(1)
        found.append(sample_line(log_posteriors(kernel(some, whole.device)), scan, draws, chains, child))
    return _joined(found)


def _joined(found: list[Sampled]) -> Sampled:
    """Return the samples of all groups as one sample of all their sigmas."""
    points = np.concatenate([each.points for each in found])  # (G, chains, draws, 1)
    return Sampled(
        points=np.moveaxis(points[..., 0], 0, -1)[None],
        k_hat=max(each.k_hat for each in found),
        ess=np.concatenate([each.ess for each in found]),
        log_integral=sum(each.log_integral for each in found),
        error=float(sum(each.error for each in found)),
        modes=max(each.modes for each in found),
    )
