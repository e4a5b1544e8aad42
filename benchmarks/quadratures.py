"""Log evidences and posterior means by brute force: grids over all scales, and dense normal densities at every node.

Written apart from the package, for models of few rows and at most four scales: sigmas, sds of hierarchies and one
correlation. Nothing here looks for a mode: a coarse grid covers all that the priors and the data allow, what is
negligible is cut off, and the rest is summed on finer and finer grids until the sums stay the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.special import logsumexp

type Array = NDArray[np.float64]
type Density = Callable[[Mapping[str, Array]], tuple[Array, Mapping[str, Array]]]

NEGLIGIBLE = 18.0
"""Where a profile lies so far below the largest log density it is cut off."""

COARSE = {1: 2000, 2: 150, 3: 40, 4: 20}
"""Nodes an axis of the first grid, by the number of axes."""

FINE = {1: 2000, 2: 120, 3: 40, 4: 24}
MOST_NODES = 6_000_000
SETTLED = 2e-4
"""Grids are refined until the log evidence moves by less."""

BLOCK = 2_000_000
"""Numbers in an array of matrices at once."""


@dataclass(frozen=True)
class Axis:
    """A parameter, its log prior density, and where it is looked for in its coordinate: log x, atanh x, or x itself."""

    name: str
    law: Callable[[Array], Array]
    low: float
    high: float
    coordinate: str = "log"

    def values(self, t: Array) -> tuple[Array, Array]:
        """Return the parameter, and its log prior density in the coordinate t."""
        if self.coordinate == "atanh":
            x = np.tanh(t)
            return x, self.law(x) + np.log1p(-(x**2))
        return (np.exp(t), self.law(np.exp(t)) + t) if self.coordinate == "log" else (t, self.law(t))


@dataclass(frozen=True)
class Integral:
    """A log evidence, posterior means, and by how much the last refinement changed them."""

    log_evidence: float
    means: Mapping[str, float]
    error: float
    errors: Mapping[str, float]


def lkj(r: Array) -> Array:
    """Return the log density of one correlation under LKJ(2): 3/4 (1 - r^2)."""
    with np.errstate(divide="ignore"):
        return np.log(0.75) + np.log1p(-(r**2))


def integrate(axes: Sequence[Axis], density: Density) -> Integral:
    """Return the integral of prior times likelihood over all axes, and what it says of them.

    Parameters
    ----------
    axes : sequence of Axis
    density : callable
        Returns of arrays of scales (S,) the log likelihood, and conditional means of coefficients by name.
    """
    dims = len(axes)
    box = [(axis.low, axis.high) for axis in axes]
    for _ in range(2):  # what the first cut leaves is seen more closely by the second
        ts, total, _ = _grid(axes, density, box, COARSE[dims])
        box = [_cut(t, total, axis) for axis, t in enumerate(ts)]
    nodes, last = FINE[dims], None
    while True:
        found = _summed(axes, *_grid(axes, density, box, nodes))
        if last is not None:
            error = abs(found[0] - last[0])
            if error < SETTLED or (1.4 * nodes) ** dims > MOST_NODES:
                errors = {name: abs(found[1][name] - last[1][name]) for name in found[1]}
                return Integral(*found, error, errors)
        last, nodes = found, int(1.4 * nodes)


def _grid(
    axes: Sequence[Axis], density: Density, box: Sequence[tuple[float, float]], nodes: int
) -> tuple[list[Array], Array, Mapping[str, Array]]:
    """Return the nodes of each axis, the log density at all of them, and the conditional means there."""
    ts = [np.linspace(low, high, nodes) for low, high in box]
    values = [axis.values(t) for axis, t in zip(axes, ts, strict=True)]
    at = np.meshgrid(*[x for x, _ in values], indexing="ij")
    total, means = density({axis.name: x.ravel() for axis, x in zip(axes, at, strict=True)})
    total = total.reshape([nodes] * len(axes))
    for position, (_, log_prior) in enumerate(values):
        total = total + log_prior.reshape([-1 if i == position else 1 for i in range(len(axes))])
    return ts, np.where(np.isnan(total), -np.inf, total), means


def _cut(t: Array, total: Array, axis: int) -> tuple[float, float]:
    """Return the part of an axis on which the profile of the density is not negligible, and a node on either side."""
    profile = total.max(axis=tuple(i for i in range(total.ndim) if i != axis))
    kept = np.flatnonzero(profile > profile.max() - NEGLIGIBLE)
    return float(t[max(kept[0] - 1, 0)]), float(t[min(kept[-1] + 1, len(t) - 1)])


def _summed(
    axes: Sequence[Axis], ts: Sequence[Array], total: Array, means: Mapping[str, Array]
) -> tuple[float, dict[str, float]]:
    evidence = float(logsumexp(total))
    shares = np.exp(total - evidence)
    found = {name: float(shares.ravel() @ values) for name, values in means.items()}
    for position, (axis, t) in enumerate(zip(axes, ts, strict=True)):
        marginal = shares.sum(axis=tuple(i for i in range(total.ndim) if i != position))
        found[axis.name] = float(marginal @ axis.values(t)[0])
    return evidence + sum(float(np.log(t[1] - t[0])) for t in ts), found


@dataclass
class Normal:
    """A normal response given the scales: y ~ N(R m, R V R' + noise), where V, of the coefficients, depends on them.

    Attributes
    ----------
    y : Array
        (N,)
    design : Array
        R, (N, K).
    mean : Array
        m, (K,), the coefficients' prior means.
    fixed : Array
        (K, K), what of V is known.
    parts : list
        Matrices (K, K), each with the scales of which the product multiplies it.
    sigma : list of str
        The scale that is the sd of each row; empty where `errors` has it.
    errors : Array, optional
        Known standard errors, (N,).
    wanted : dict
        Names of coefficients, or of means of hierarchies, with their prior mean and covariance with all coefficients.
    """

    y: Array
    design: Array
    mean: Array
    fixed: Array
    parts: list[tuple[Array, tuple[str, ...]]]
    sigma: list[str]
    errors: Array | None = None
    wanted: dict[str, tuple[float, Array]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Rotate the rows of each sigma: outside the columns of R is noise, whose sum of squares is enough."""
        residual = self.y - self.design @ self.mean
        kept, rows, names, self._outside = [], [], [], []
        if self.errors is None:
            for name in dict.fromkeys(self.sigma):
                own = np.array(self.sigma) == name
                q, _ = np.linalg.qr(self.design[own])
                along = q.T @ residual[own]
                rest = residual[own] - q @ along
                self._outside.append((float(rest @ rest), own.sum() - q.shape[1], name))
                kept.append(along)
                rows.append(q.T @ self.design[own])
                names += [name] * q.shape[1]
        else:
            kept, rows = [residual], [self.design]
        self._z, self._r, self._names = np.concatenate(kept), np.concatenate(rows), names

    def __call__(self, at: Mapping[str, Array]) -> tuple[Array, Mapping[str, Array]]:
        """Return log likelihoods and conditional means at many scales."""
        count, step = len(next(iter(at.values()))), max(1, BLOCK // len(self._z) ** 2)
        blocks = [
            self._block({name: x[start : start + step] for name, x in at.items()})
            for start in range(0, count, step)
        ]
        means = {name: np.concatenate([found[name] for _, found in blocks]) for name in self.wanted}
        return np.concatenate([total for total, _ in blocks]), means

    def _block(self, at: Mapping[str, Array]) -> tuple[Array, dict[str, Array]]:
        r, size = self._r, len(self._z)
        covariance = np.broadcast_to(r @ self.fixed @ r.T, (len(next(iter(at.values()))), size, size)).copy()
        for matrix, names in self.parts:
            factor = np.prod([at[name] for name in names], axis=0)
            covariance += factor[:, None, None] * (r @ matrix @ r.T)
        noise = (
            np.stack([at[name] ** 2 for name in self._names], axis=1)
            if self.errors is None
            else self.errors**2
        )
        covariance[:, np.arange(size), np.arange(size)] += noise
        root = np.linalg.cholesky(covariance)
        half = np.linalg.solve(root, np.broadcast_to(self._z, covariance.shape[:2])[..., None])[..., 0]
        logs = np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1)
        total = -0.5 * (half**2).sum(axis=1) - logs - 0.5 * size * np.log(2 * np.pi)
        for squares, df, name in self._outside:
            total += -0.5 * df * np.log(2 * np.pi * at[name] ** 2) - 0.5 * squares / at[name] ** 2
        if not self.wanted:
            return total, {}
        weights = np.linalg.solve(np.swapaxes(root, 1, 2), half[..., None])[..., 0]
        return total, {name: m + weights @ (r @ c) for name, (m, c) in self.wanted.items()}


def shared_regression(
    groups: Sequence[tuple[Array, Array]],
    noise: Sequence[str],
    mean: Array,
    covariance: Array,
    intercepts: Sequence[float],
) -> Density:
    """Return the density of groups that share coefficients, each with a sigma.

    Given the sigmas coefficients are normal, and each group adds to their precision.

    Parameters
    ----------
    groups : sequence of (y, columns)
        The response and the shared columns, (n,) and (n, K); K is 1 or 2.
    noise : sequence of str
        The scale that is the sd of each group's rows.
    mean, covariance : Array
        Of the shared coefficients' prior.
    intercepts : sequence of float
        For each group, the prior sd of an intercept of its own, about zero; 0 without one. A group is then n - 1
        contrasts of its rows, and their mean with the intercept's variance on top.
    """
    prior = np.linalg.inv(covariance)

    def density(at: Mapping[str, Array]) -> tuple[Array, Mapping[str, Array]]:
        total = 0.5 * np.linalg.slogdet(prior)[1] - 0.5 * mean @ prior @ mean
        p = np.broadcast_to(prior, (len(next(iter(at.values()))), *prior.shape)).copy()
        h = np.broadcast_to(prior @ mean, p.shape[:2]).copy()
        for (y, x), name, intercept in zip(groups, noise, intercepts, strict=True):
            n, inverse = len(y), 1 / at[name] ** 2
            own = 1 / (1 / inverse + n * intercept**2)  # precision of sqrt(n) times the mean
            centre_y, centre_x = np.sqrt(n) * y.mean(), np.sqrt(n) * x.mean(axis=0)
            within_y, within_x = y - y.mean(), x - x.mean(axis=0)
            total = total + 0.5 * (n - 1) * np.log(inverse) + 0.5 * np.log(own) - 0.5 * n * np.log(2 * np.pi)
            total = total - 0.5 * inverse * (within_y @ within_y) - 0.5 * own * centre_y**2
            p += inverse[:, None, None] * (within_x.T @ within_x)
            p += own[:, None, None] * np.outer(centre_x, centre_x)
            h += inverse[:, None] * (within_x.T @ within_y) + own[:, None] * centre_x * centre_y
        if p.shape[1] == 1:
            det, b = p[:, 0, 0], h / p[:, :, 0]
        else:
            det = p[:, 0, 0] * p[:, 1, 1] - p[:, 0, 1] ** 2
            b = np.stack(
                [p[:, 1, 1] * h[:, 0] - p[:, 0, 1] * h[:, 1], p[:, 0, 0] * h[:, 1] - p[:, 0, 1] * h[:, 0]], axis=1
            ) / det[:, None]  # fmt: skip
        return total - 0.5 * np.log(det) + 0.5 * (h * b).sum(axis=1), {
            f"coefficient {j}": b[:, j] for j in range(b.shape[1])
        }

    return density


def heavy_tailed_studies(y: Array, s: Array, df: float, mean: str, sd: str, nodes: int = 250) -> Density:
    """Return the density of y_j ~ N(b_j, s_j), b_j ~ t(df, mean, sd), whose axes have the names `mean` and `sd`.

    The t is a mixture of normals of variance sd^2 / w, w ~ Gamma(df/2, df/2): a sum over nodes of log w.
    """
    steps = np.linspace(-60 / df if df < 2 else -25, np.log(60 / df + 6), nodes)
    weights = stats.gamma.logpdf(np.exp(steps), df / 2, scale=2 / df) + steps + np.log(steps[1] - steps[0])

    def density(at: Mapping[str, Array]) -> tuple[Array, Mapping[str, Array]]:
        total = np.zeros(len(at[mean]))
        for own, error in zip(y, s, strict=True):
            likelihood, away, squared = np.zeros(len(total)), (own - at[mean]) ** 2, at[sd] ** 2
            for step, weight in zip(steps, weights, strict=True):
                variance = error**2 + squared * np.exp(-step)
                likelihood += np.exp(weight - 0.5 * away / variance) / np.sqrt(2 * np.pi * variance)
            with np.errstate(divide="ignore"):
                total += np.log(likelihood)
        return total, {}

    return density
