"""Curves of a column as several columns: R's ``poly``, ``bs`` and ``ns``, and what they learn from a fit's rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from formulajoint.arrays import FloatArray

CUBIC = 3


@dataclass(frozen=True, slots=True, eq=False)
class Powers:
    """The powers 1 to `degree`: ``poly(x, 2, raw=true)``."""

    degree: int

    @property
    def width(self) -> int:
        """The number of columns."""
        return self.degree

    def columns(self, x: FloatArray) -> FloatArray:
        """Return the columns at x (N,), (N, width)."""
        return np.vander(x, self.degree + 1, increasing=True)[:, 1:]

    def slopes(self, x: FloatArray) -> FloatArray:
        """Return the derivatives of the columns at x (N,), (N, width)."""
        return np.vander(x, self.degree, increasing=True) * np.arange(1, self.degree + 1)


@dataclass(frozen=True, slots=True, eq=False)
class Polynomials:
    """Orthonormal polynomials of degree 1 and more over the rows of the fit, by their three-term recurrence.

    With u = (x - middle) / size, p_k+1 = (u - centre_k) p_k - norm_k / norm_k-1 p_k-1; column k is p_k over the root of
    norm_k.

    Attributes
    ----------
    middle, size : float
        The mean of x over the rows of the fit, and its largest distance from the mean.
    centres : (degree,) array
    norms : (degree + 1,) array
        The sums of squares of p_0, p_1, ... over the rows of the fit.
    """

    middle: float
    size: float
    centres: FloatArray
    norms: FloatArray

    @property
    def width(self) -> int:
        """The number of columns."""
        return len(self.centres)

    def columns(self, x: FloatArray) -> FloatArray:
        """Return the columns at x (N,), (N, width)."""
        scaled, each = (x - self.middle) / self.size, []
        before, now = np.zeros(len(x)), np.ones(len(x))
        shares = np.concatenate([[0.0], self.norms[1:] / self.norms[:-1]])
        for centre, share in zip(self.centres, shares, strict=False):
            before, now = now, (scaled - centre) * now - share * before
            each.append(now)
        return np.column_stack(each) / np.sqrt(self.norms[1:])

    def slopes(self, x: FloatArray) -> FloatArray:
        """Return the derivatives of the columns at x (N,), (N, width)."""
        scaled, each = (x - self.middle) / self.size, []
        before, now = np.zeros(len(x)), np.ones(len(x))
        slope_before, slope_now = np.zeros(len(x)), np.zeros(len(x))
        shares = np.concatenate([[0.0], self.norms[1:] / self.norms[:-1]])
        for centre, share in zip(self.centres, shares, strict=False):
            rising = now + (scaled - centre) * slope_now - share * slope_before
            before, now = now, (scaled - centre) * now - share * before
            slope_before, slope_now = slope_now, rising
            each.append(rising)
        return np.column_stack(each) / np.sqrt(self.norms[1:]) / self.size


@dataclass(frozen=True, slots=True, eq=False)
class BSplines:
    """B-splines of `degree` but the first, on `knots` from end to end; beyond these the outer polynomials."""

    knots: FloatArray
    degree: int = CUBIC

    @property
    def width(self) -> int:
        """The number of columns."""
        return len(self.knots) - 2 + self.degree

    def columns(self, x: FloatArray) -> FloatArray:
        """Return the columns at x (N,), (N, width)."""
        return b_splines(x, self.knots, self.degree)[:, 1:]

    def slopes(self, x: FloatArray) -> FloatArray:
        """Return the derivatives of the columns at x (N,), (N, width)."""
        return b_splines(x, self.knots, self.degree, derivative=1)[:, 1:]


@dataclass(frozen=True, slots=True, eq=False)
class NaturalSplines:
    """Cubic splines on `knots` that are straight beyond them, as columns of R's ``ns``."""

    knots: FloatArray

    @property
    def width(self) -> int:
        """The number of columns."""
        return len(self.knots) - 1

    def columns(self, x: FloatArray) -> FloatArray:
        """Return the columns at x (N,), (N, width)."""
        ends, rest = self.knots[[0, -1]], self._straight
        inside = np.clip(x, *ends)
        columns = b_splines(inside, self.knots, CUBIC)[:, 1:] @ rest
        if np.any(inside != x):
            slopes = b_splines(ends, self.knots, CUBIC, derivative=1)[:, 1:] @ rest
            columns += (x - inside)[:, None] * slopes[(x > ends[0]).astype(int)]
        return np.asarray(columns)

    def slopes(self, x: FloatArray) -> FloatArray:
        """Return the derivatives of the columns at x (N,), (N, width)."""
        inside = np.clip(x, *self.knots[[0, -1]])
        return np.asarray(b_splines(inside, self.knots, CUBIC, derivative=1)[:, 1:] @ self._straight)

    @property
    def _straight(self) -> FloatArray:
        """All combinations of B-splines whose second derivatives are zero at both ends.

        A basis is the rest of Q in the QR decomposition of these derivatives. Householder reflections, which LAPACK and
        R both use, fix its signs.
        """
        bends = b_splines(self.knots[[0, -1]], self.knots, CUBIC, derivative=2)[:, 1:]
        return np.linalg.qr(bends.T, mode="complete")[0][:, 2:]


type Curve = Powers | Polynomials | BSplines | NaturalSplines


# --- learnt from the rows of a fit


def polynomials(x: FloatArray, weights: FloatArray, degree: int) -> Polynomials:
    """Return orthonormal polynomials over rows with `weights`; x must have more than `degree` values."""
    middle = float(np.average(x, weights=weights))
    size = float(np.abs(x - middle).max())
    scaled = (x - middle) / size
    before, now = np.zeros(len(x)), np.ones(len(x))
    centres, norms = [], [float(weights.sum())]
    for _ in range(degree):
        centre = float(np.sum(weights * scaled * now**2) / norms[-1])
        share = norms[-1] / norms[-2] if len(norms) > 1 else 0.0
        before, now = now, (scaled - centre) * now - share * before
        centres.append(centre)
        norms.append(float(np.sum(weights * now**2)))
    return Polynomials(middle, size, np.array(centres), np.array(norms))


def knots(x: FloatArray, weights: FloatArray, inner: int) -> FloatArray:
    """Return the ends of x with `inner` knots between, at its quantiles, as R's ``quantile`` finds them.

    A row of weight w counts as w rows.
    """
    order = np.argsort(x, kind="stable")
    values, counts = x[order], np.cumsum(weights[order])
    place = np.linspace(0, 1, inner + 2)[1:-1] * max(counts[-1] - 1, 0)
    low, high = (
        values[np.minimum(np.searchsorted(counts, at, side="right"), len(x) - 1)]
        for at in (np.floor(place), np.ceil(place))
    )
    return np.concatenate([values[:1], low + (place - np.floor(place)) * (high - low), values[-1:]])


# --- B-splines


def b_splines(x: FloatArray, knots: FloatArray, degree: int, derivative: int = 0) -> FloatArray:
    """Return all B-splines on `knots`, or a derivative of them, at x (N,), (N, knots - 1 + degree).

    Each x has the polynomials of its own interval, and those beyond the ends that of the outer one. These come from
    those of one degree less, from degree 0 on; the last `derivative` steps differentiate.
    """
    every = np.concatenate([np.repeat(knots[:1], degree), knots, np.repeat(knots[-1:], degree)])
    inside = np.searchsorted(knots, x, side="right") - 1
    interval = degree + np.clip(inside, 0, len(knots) - 2)
    own = np.ones((len(x), 1))  # the splines that are not zero in the interval of each x
    for k in range(1, degree + 1):
        places = interval[:, None] + np.arange(1 - k, 1)
        left, right = every[places], every[places + k]
        if k > degree - derivative:
            rising, falling = k / (right - left), -k / (right - left)
        else:
            rising, falling = (x[:, None] - left) / (right - left), (right - x[:, None]) / (right - left)
        zero = np.zeros((len(x), 1))
        own = np.hstack([zero, rising * own]) + np.hstack([falling * own, zero])
    out = np.zeros((len(x), len(knots) - 1 + degree))
    np.put_along_axis(out, interval[:, None] + np.arange(-degree, 1), own, axis=1)
    return out
