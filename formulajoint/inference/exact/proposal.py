"""What is drawn from in place of a density: a mixture of multivariate t distributions, fitted to it.

The fit is population Monte Carlo (Cappé, Douc, Guillin, Marin & Robert, Statistics and Computing 2008, section 4): draw
from the mixture, weight the draws by density over mixture, and move the mixture to the weighted draws by steps of EM.
F densities stand side by side, K components each, d coordinates.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import lgamma

import numpy as np

from formulajoint.design.schema import FloatArray
from formulajoint.inference.exact.mode import Target

DF = 5.0
"""Degrees of freedom of the components: their tails are heavier than those of any log or logit of a scale."""

ROUNDS, EM_STEPS = 6, 4
"""Rounds of adaptation, and steps of EM on the draws of each."""

GOOD, GAIN = 0.9, 1.02
"""Adaptation ends when the effective share of the draws is as large as this, or no longer grows by this factor."""

WIDTHS = np.array([0.7, 1.0, 2.0, 4.0])
"""What is drawn from first: about each mode, as wide as the curvature there says, times these."""

GUARDED = 0.12
"""Weight of the components that guard the tails."""

WIDER, LONGER = 2.0, 4.0
"""How much wider the variances of a guard are all round, and how many sds another is longer in one coordinate."""


@dataclass(frozen=True, slots=True, eq=False)
class Mixture:
    """F mixtures of K multivariate t distributions with `DF` degrees of freedom.

    Attributes
    ----------
    weights : (F, K) array
    means : (F, K, d) array
    roots : (F, K, d, d) array
        Lower Cholesky factors of the scale matrices.
    guarded : bool
        Whether the last 1 + d components guard the tails.
    """

    weights: FloatArray
    means: FloatArray
    roots: FloatArray
    guarded: bool = False

    def draw(self, rng: np.random.Generator, count: int) -> FloatArray:
        """Return draws (F, count, d)."""
        f, _, d = self.means.shape
        edges = np.cumsum(self.weights, axis=1)[:, None, :-1]
        chosen = np.sum(rng.random((f, count, 1)) > edges, axis=2)  # (F, count)
        heavy = np.sqrt(DF / rng.chisquare(DF, (f, count, 1)))
        noise = rng.standard_normal((f, count, d)) * heavy
        row = np.arange(f)[:, None]
        return np.asarray(
            self.means[row, chosen] + np.einsum("fnij,fnj->fni", self.roots[row, chosen], noise)
        )

    def distances(self, points: FloatArray) -> FloatArray:
        """Return squared Mahalanobis distances (F, K, n) of points (F, n, d) from each component."""
        solved: list[FloatArray] = []
        for i in range(points.shape[2]):  # forward substitution, all points at once
            part = points[:, None, :, i] - self.means[:, :, i, None]
            for j in range(i):
                part -= self.roots[:, :, i, j, None] * solved[j]
            solved.append(part / self.roots[:, :, i, i, None])
        return sum((part**2 for part in solved[1:]), start=solved[0] ** 2)

    def log_parts(self, distances: FloatArray) -> FloatArray:
        """Return the log of each component's weight times its density (F, K, n)."""
        d = self.means.shape[2]
        constant = lgamma((DF + d) / 2) - lgamma(DF / 2) - 0.5 * d * np.log(DF * np.pi)
        diagonal = np.diagonal(self.roots, axis1=2, axis2=3)
        logs = np.log(self.weights) - np.sum(np.log(diagonal), axis=2) + constant
        return np.asarray(logs[:, :, None] - 0.5 * (DF + d) * np.log1p(distances / DF))

    def log_density(self, points: FloatArray) -> FloatArray:
        """Return log densities (F, n) of points (F, n, d)."""
        return np.asarray(np.logaddexp.reduce(self.log_parts(self.distances(points)), axis=1))


def log_weights(target: Target, proposal: Mixture, points: FloatArray) -> FloatArray:
    """Return log importance weights (F, n) of points (F, n, d), minus infinity where there is no density."""
    logs = target(points) - proposal.log_density(points)
    return np.where(np.isfinite(logs), logs, -np.inf)


def normalised(logs: FloatArray) -> FloatArray:
    """Return weights (F, n) that sum to one."""
    weights = np.exp(logs - np.max(logs, axis=1, keepdims=True))
    return np.asarray(weights / np.sum(weights, axis=1, keepdims=True))


def effective(weights: FloatArray) -> FloatArray:
    """Return what weights (F, n) that sum to one are worth in independent draws (F,)."""
    return np.asarray(1 / np.sum(weights**2, axis=1))


def fit_proposal(
    target: Target,
    modes: FloatArray,
    covariances: FloatArray,
    components: int,
    draws: int,
    rng: np.random.Generator,
) -> tuple[Mixture, FloatArray]:
    """Return a mixture near the target, and the effective share of its draws (F,).

    Parameters
    ----------
    target : callable
    modes, covariances : (F, M, d) and (F, M, d, d) arrays
        Where the target is highest, at M places, and the inverse of its curvature there.
    components, draws : int
        K, and what each round may cost.
    rng : Generator
    """
    roots = np.linalg.cholesky(covariances)[:, :, None] * WIDTHS[:, None, None]
    means = np.repeat(modes, len(WIDTHS), axis=1)
    f, k, d = means.shape
    first = Mixture(np.full((f, k), 1 / k), means, roots.reshape(f, k, d, d))
    points = first.draw(rng, draws)
    weights = normalised(log_weights(target, first, points))
    proposal = _moved(_scattered(points, weights, components, rng), points, weights)
    best, best_share = proposal, np.zeros(f)
    for _ in range(ROUNDS):
        points = proposal.draw(rng, draws)
        weights = normalised(log_weights(target, proposal, points))
        share = effective(weights) / draws
        gained = share > best_share * GAIN
        best, best_share = _better(best, best_share, proposal, share), np.maximum(best_share, share)
        if np.all(best_share > GOOD) or not np.any(gained):
            break
        proposal = _moved(proposal, points, weights)
    return best, best_share


def _scattered(points: FloatArray, weights: FloatArray, components: int, rng: np.random.Generator) -> Mixture:
    """Return equal components with the spread of weighted points, about some of these."""
    cut = _cut(weights)
    means = np.stack([x[rng.choice(len(x), components, p=w)] for x, w in zip(points, cut, strict=True)])
    root = np.linalg.cholesky(_moments(points, cut)[1])
    roots = np.broadcast_to(root[:, None], (*means.shape, means.shape[2]))
    return Mixture(np.full(means.shape[:2], 1 / components), means, roots)


def _cut(weights: FloatArray) -> FloatArray:
    """Return weights (F, n) of which none draws everything to itself (Ionides, JCGS 2008)."""
    cut = np.minimum(weights, weights.shape[1] ** -0.5)
    return np.asarray(cut / np.sum(cut, axis=1, keepdims=True))


def _moments(points: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return weighted means (F, d) and covariances (F, d, d)."""
    centre = np.einsum("fn,fni->fi", weights, points)  # no matrix product, whose sums depend on threads
    away = points - centre[:, None]
    return centre, np.einsum("fni,fnj->fij", away * weights[..., None], away)


def _better(one: Mixture, one_share: FloatArray, other: Mixture, other_share: FloatArray) -> Mixture:
    """Return, density by density, the mixture with the larger share."""
    take = other_share > one_share
    return Mixture(
        np.where(take[:, None], other.weights, one.weights),
        np.where(take[:, None, None], other.means, one.means),
        np.where(take[:, None, None, None], other.roots, one.roots),
        one.guarded,
    )


def _moved(proposal: Mixture, points: FloatArray, weights: FloatArray) -> Mixture:
    """Return the mixture after some steps of EM on weighted points, with components that guard its tails."""
    cut = _cut(weights)
    centre, spread = _moments(points, cut)
    guards = np.linalg.cholesky(_guards(spread))
    count = guards.shape[1]
    kept = proposal.weights.shape[1] - (count if proposal.guarded else 0)
    for _ in range(EM_STEPS):
        proposal = _em_step(proposal, points, cut, spread)
    own = proposal.weights[:, :kept]
    own = (1 - GUARDED) * own / np.sum(own, axis=1, keepdims=True)
    return Mixture(
        np.concatenate([own, np.full((len(own), count), GUARDED / count)], axis=1),
        np.concatenate([proposal.means[:, :kept], np.repeat(centre[:, None], count, axis=1)], axis=1),
        np.concatenate([proposal.roots[:, :kept], guards], axis=1),
        guarded=True,
    )


def _guards(spread: FloatArray) -> FloatArray:
    """Return covariances (F, 1 + d, d, d): wider all round, and longer in one coordinate after the other.

    The log of a scale that may be zero has a long tail to the left, of which few draws tell.
    """
    d = spread.shape[1]
    along = (
        np.einsum("ij,jk->ijk", np.eye(d), np.eye(d))
        * np.diagonal(spread, axis1=1, axis2=2)[:, :, None, None]
    )
    longer = spread[:, None] + (LONGER**2 - 1) * along
    return np.concatenate([WIDER * spread[:, None], longer], axis=1)


def _em_step(proposal: Mixture, points: FloatArray, weights: FloatArray, spread: FloatArray) -> Mixture:
    """Return the mixture after one step of EM on points (F, n, d) with weights (F, n).

    A component that holds few points leans towards the whole spread (F, d, d).
    """
    d = points.shape[2]
    distances = proposal.distances(points)
    parts = proposal.log_parts(distances)
    held = weights[:, None] * np.exp(parts - np.logaddexp.reduce(parts, axis=1, keepdims=True))  # (F, K, n)
    pulled = held * (DF + d) / (DF + distances)
    share, mass = np.sum(held, axis=2), np.sum(pulled, axis=2)
    means = np.einsum("fkn,fni->fki", pulled, points) / np.maximum(mass, 1e-300)[..., None]
    away = points[:, None] - means[:, :, None]
    scatter = np.einsum("fkni,fknj->fkij", away * pulled[..., None], away)  # (F, K, d, d)
    size = effective(weights)[:, None]
    known, unknown = share * size, d + 2.0
    scatter = scatter * size[..., None, None] + unknown * spread[:, None]
    roots = np.linalg.cholesky(scatter / (known + unknown)[..., None, None])
    lost = (mass < 1e-12)[..., None]
    means = np.where(lost, proposal.means, means)
    return Mixture(
        np.maximum(share, 1e-3) / np.sum(np.maximum(share, 1e-3), axis=1, keepdims=True), means, roots
    )
