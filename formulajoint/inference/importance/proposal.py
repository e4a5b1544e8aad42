"""Proposals of importance sampling: mixtures of multivariate t distributions, fitted to a density.

The fit is population Monte Carlo (Cappé, Douc, Guillin, Marin & Robert, Statistics and Computing 2008, section 4): draw
from the mixture, weight the draws by density over mixture, and move the mixture to the weighted draws by steps of EM.
Shapes: K components, n points, d coordinates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import lgamma

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.inference.importance.mode import Target

DF = 5.0
"""Degrees of freedom of the components: their tails are heavier than those of any log or logit of a scale."""

EM_STEPS = 3
"""Steps of EM on the draws of each round."""

GOOD, GAIN = 0.9, 1.1
"""Adaptation ends when the effective share of the draws exceeds the first, or no longer grows by the second."""

GUARDED = 0.12
"""Weight of the components that guard the tails."""

WIDER, LONGER = 2.0, 4.0
"""Factor of the variances of one guard in all directions, and of the sd of the others in one coordinate each."""

FAR_APART = 25.0
"""If the variances of all points exceed those of a component by this factor, there are other modes."""

LIGHTEST = 1e-3
"""Smallest weight of a component."""


@dataclass(frozen=True, slots=True, eq=False)
class Mixture:
    """A mixture of K multivariate t distributions with `DF` degrees of freedom.

    Attributes
    ----------
    weights : (K,) array
    means : (K, d) array
    roots : (K, d, d) array
        Lower Cholesky factors of the scale matrices.
    guards : int
        Number of components, the last ones, that guard the tails.
    """

    weights: FloatArray
    means: FloatArray
    roots: FloatArray
    guards: int = 0

    def draw(self, rng: np.random.Generator, count: int) -> FloatArray:
        """Return draws (count, d)."""
        edges = np.cumsum(self.weights)[:-1]
        chosen = np.sum(rng.random((count, 1)) > edges, axis=1)
        heavy = np.sqrt(DF / rng.chisquare(DF, (count, 1)))
        noise = rng.standard_normal((count, self.means.shape[1])) * heavy
        return np.asarray(self.means[chosen] + np.einsum("nij,nj->ni", self.roots[chosen], noise))

    def distances(self, points: FloatArray) -> FloatArray:
        """Return squared Mahalanobis distances (K, n) of points (n, d) from each component."""
        solved: list[FloatArray] = []
        for i in range(points.shape[1]):  # forward substitution, all points at once
            part = points[None, :, i] - self.means[:, i, None]
            for j in range(i):
                part -= self.roots[:, i, j, None] * solved[j]
            solved.append(part / self.roots[:, i, i, None])
        return sum((part**2 for part in solved[1:]), start=solved[0] ** 2)

    def log_parts(self, distances: FloatArray) -> FloatArray:
        """Return the log of each component's weight times its density (K, n)."""
        d = self.means.shape[1]
        constant = lgamma((DF + d) / 2) - lgamma(DF / 2) - 0.5 * d * np.log(DF * np.pi)
        diagonal = np.diagonal(self.roots, axis1=1, axis2=2)
        logs = np.log(self.weights) - np.sum(np.log(diagonal), axis=1) + constant
        return np.asarray(logs[:, None] - 0.5 * (DF + d) * np.log1p(distances / DF))

    def log_density(self, points: FloatArray) -> FloatArray:
        """Return log densities (n,) of points (n, d)."""
        parts = self.log_parts(self.distances(points))
        top = np.max(parts, axis=0)
        return np.asarray(top + np.log(np.sum(np.exp(parts - top), axis=0)))


def mixed(parts: Sequence[tuple[float, Mixture]]) -> Mixture:
    """Return the mixture of some mixtures, each with its share."""
    return Mixture(
        np.concatenate([share * part.weights for share, part in parts]),
        np.concatenate([part.means for _, part in parts]),
        np.concatenate([part.roots for _, part in parts]),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A proposal, with an importance sample from it.

    Attributes
    ----------
    proposal : Mixture
    points : (n, d) array
        Draws from it.
    logs : (n,) array
        Their log weights.
    """

    proposal: Mixture
    points: FloatArray
    logs: FloatArray

    @property
    def share(self) -> float:
        """Effective sample size per draw."""
        return effective(normalised(self.logs)) / len(self.logs)


def weighted(target: Target, proposal: Mixture, draws: int, rng: np.random.Generator) -> Fitted:
    """Return draws from a proposal with their log weights, minus infinity where the density is zero."""
    points = proposal.draw(rng, draws)
    logs = target(points) - proposal.log_density(points)
    return Fitted(proposal, points, np.where(np.isfinite(logs), logs, -np.inf))


def normalised(logs: FloatArray) -> FloatArray:
    """Return weights (n,) that sum to one."""
    weights = np.exp(logs - np.max(logs))
    return np.asarray(weights / np.sum(weights))


def integral(logs: FloatArray) -> tuple[float, float]:
    """Return the log of the mean of weights with these logs (n,), and its standard error."""
    value = float(np.logaddexp.reduce(logs) - np.log(len(logs)))
    return value, float(np.std(np.exp(logs - value)) / np.sqrt(len(logs)))


def effective(weights: FloatArray) -> float:
    """Return the effective sample size of weights (n,) that sum to one."""
    return float(1 / np.sum(weights**2))


def share_by(proposal: Mixture, judge: Fitted) -> float:
    """Return what a draw from a proposal is worth, judged by weighted draws from another.

    Its own draws do not show a mode that it has lost: without that mode they look better. With weights W of the draws
    of the judge, p the normalised density and q the proposal, it is 1 / sum of W p / q.
    """
    heights = judge.logs + judge.proposal.log_density(judge.points)
    ratios = heights - proposal.log_density(judge.points) - integral(judge.logs)[0]
    return float(np.exp(np.logaddexp.reduce(judge.logs) - np.logaddexp.reduce(judge.logs + ratios)))


def fit_proposal(
    target: Target, first: Mixture, rounds: int, draws: int, rng: np.random.Generator, gain: float = GAIN
) -> Fitted:
    """Return the best of at most `rounds` rounds of adaptation from a first proposal; they end at a gain below `gain`.

    A round must be better by the draws of the best before it, too.

    Raises
    ------
    numpy.linalg.LinAlgError
        If all weight is on one point.
    """
    best = found = weighted(target, first, draws, rng)
    for _ in range(rounds):
        found = weighted(target, moved(found), draws, rng)
        worth = min(found.share, share_by(found.proposal, best))
        gained = worth > best.share * gain
        best = found if worth > best.share else best
        if best.share > GOOD or not gained:
            break
    return best


def moved(found: Fitted) -> Mixture:
    """Return a proposal moved to its weighted draws."""
    return fitted_to(found.proposal, found.points, cut(normalised(found.logs)))


def fitted_to(start: Mixture, points: FloatArray, weights: FloatArray) -> Mixture:
    """Return the mixture after some steps of EM on weighted points, with components that guard its tails."""
    centre, spread = moments(points, weights)
    guards = np.linalg.cholesky(_guards(spread))
    count, kept = len(guards), len(start.weights) - start.guards
    proposal = start
    for _ in range(EM_STEPS):
        proposal = _em_step(proposal, points, weights, spread)
    own = proposal.weights[:kept]
    own = (1 - GUARDED) * own / np.sum(own)
    return Mixture(
        np.concatenate([own, np.full(count, GUARDED / count)]),
        np.concatenate([proposal.means[:kept], np.repeat(centre[None], count, axis=0)]),
        np.concatenate([proposal.roots[:kept], guards]),
        guards=count,
    )


def scattered(points: FloatArray, components: int, rng: np.random.Generator) -> Mixture:
    """Return components about points far from each other, each with the spread of the points next to it."""
    n, d = points.shape
    even = np.full(n, 1 / n)
    centre, spread = moments(points, even)
    root = np.linalg.cholesky(spread)
    white = np.linalg.solve(root, (points - centre).T).T
    chosen = [int(rng.integers(n))]
    nearest = np.sum((white - white[chosen[0]]) ** 2, axis=1)
    while len(chosen) < components:  # as k-means++ begins (Arthur & Vassilvitskii, SODA 2007)
        if not np.sum(nearest) > 0:  # rounding may give few points a spread
            raise np.linalg.LinAlgError("there are fewer points than components")
        chosen.append(int(rng.choice(n, p=nearest / np.sum(nearest))))
        nearest = np.minimum(nearest, np.sum((white - white[chosen[-1]]) ** 2, axis=1))
    few = max(3 * (d + 1), n // components)
    roots = []
    for at in chosen:
        away = np.sum((white - white[at]) ** 2, axis=1)
        near = np.argpartition(away, min(few, n - 1))[:few]
        roots.append(
            np.linalg.cholesky(moments(points[near], np.full(len(near), 1 / len(near)))[1] + 1e-6 * spread)
        )
    return Mixture(np.full(components, 1 / components), points[chosen], np.stack(roots))


def cut(weights: FloatArray) -> FloatArray:
    """Return weights (n,) truncated so that none dominates (Ionides, JCGS 2008)."""
    most = np.minimum(weights, len(weights) ** -0.5)
    return np.asarray(most / np.sum(most))


def moments(points: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return weighted mean (d,) and covariance (d, d)."""
    centre = np.einsum("n,ni->i", weights, points)  # no matrix product, whose sums depend on threads
    away = points - centre
    return centre, np.einsum("ni,nj->ij", away * weights[:, None], away)


def _guards(spread: FloatArray) -> FloatArray:
    """Return covariances (1 + d, d, d): one wider in all directions, and one longer in each coordinate.

    The log of a scale that may be zero has a long tail to the left, which few draws reach.
    """
    along = np.eye(len(spread))[:, :, None] * np.eye(len(spread))[:, None, :] * np.diagonal(spread)
    longer = spread + (LONGER**2 - 1) * along
    return np.concatenate([WIDER * spread[None], longer])


def _em_step(proposal: Mixture, points: FloatArray, weights: FloatArray, spread: FloatArray) -> Mixture:
    """Return the mixture after one step of EM on points (n, d) with weights (n,).

    A component that holds few points is shrunk towards the covariance of all points (d, d) or, where modes are far
    apart and that describes none of them, towards its own.
    """
    d = points.shape[1]
    distances = proposal.distances(points)
    parts = proposal.log_parts(distances)
    held = weights * np.exp(parts - np.logaddexp.reduce(parts, axis=0))  # (K, n)
    pulled = held * (DF + d) / (DF + distances)
    share, mass = np.sum(held, axis=1), np.sum(pulled, axis=1)
    means = np.einsum("kn,ni->ki", pulled, points) / np.maximum(mass, 1e-300)[:, None]
    away = points - means[:, None]
    scatter = np.einsum("kni,knj->kij", away * pulled[..., None], away)  # (K, d, d)
    size = effective(weights)
    known, unknown = share * size, d + 2.0
    own = proposal.roots @ np.swapaxes(proposal.roots, 1, 2)
    ratio = np.trace(np.linalg.solve(own, np.broadcast_to(spread, own.shape)), axis1=1, axis2=2) / d
    lean = np.where((ratio > FAR_APART)[:, None, None], own, spread)
    scatter = scatter * size + unknown * lean
    roots = np.linalg.cholesky(scatter / (known + unknown)[:, None, None])
    means = np.where((mass < 1e-12)[:, None], proposal.means, means)
    share = np.maximum(share, LIGHTEST)
    return replace(proposal, weights=share / np.sum(share), means=means, roots=roots)
