"""The family of ordered categories: thresholds cut the distribution of something that is not seen into the categories.

    link(P(y <= k)) = threshold_k - mu

so a higher mu makes higher categories more likely, whatever the link.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.distributions.distribution import POSITIVE, Distribution
from formulajoint.distributions.links import CLOGLOG, IDENTITY, LOGIT, PROBIT, Link
from formulajoint.distributions.prior import prior
from formulajoint.families.likelihood import Likelihood, Made, Parameter, Widths
from formulajoint.families.parameters import mean
from formulajoint.families.smooth import Bent, Mean, Smooth, log_normal_share, normal_share, softplus
from formulajoint.families.tails import of_levels

type Log = Callable[..., Any]


@dataclass(frozen=True, slots=True, eq=False)
class Latent:
    """A distribution function F of what is not seen, by logs that keep their digits.

    `xp` is `IN_NUMPY`, or what `pymc_functions` returns. The last two are for many rows, in NumPy.

    Attributes
    ----------
    below : callable
        ``(xp, high)``: log F(high).
    above : callable
        ``(xp, low)``: log(1 - F(low)).
    between : callable
        ``(xp, low, high)``: log(F(high) - F(low)).
    log_share : callable
        ``(low, high)``: the same.
    slopes : callable
        ``(low, high, log_share)``: the derivative of log_share as both ends move down, and minus the second derivative.
    """

    below: Log
    above: Log
    between: Log
    log_share: Callable[[FloatArray, FloatArray], FloatArray]
    slopes: Callable[[FloatArray, FloatArray, FloatArray], tuple[FloatArray, FloatArray]]


TINY, LARGE, ENDLESS = 1e-290, 700.0, 1e150
"""Shares below the first have few digits; the exponential of the second is still a number; the third stands for
infinity, whose products with zero are none."""


def _between_logistic(xp: Any, low: Any, high: Any) -> Any:
    """F(b) - F(a) = F(b) (1 - F(a)) (1 - exp(a - b))."""
    return xp.log1mexp(low - high) - xp.softplus(-high) - xp.softplus(low)


def _between_normal(xp: Any, low: Any, high: Any) -> Any:
    """In the lower tail, where differences keep their digits."""
    turned = low > 0
    a, b = xp.where(turned, -high, low), xp.where(turned, -low, high)
    log_b = xp.log_ndtr(b)
    return log_b + xp.log1mexp(xp.log_ndtr(a) - log_b)


def _logistic_log_share(low: FloatArray, high: FloatArray) -> FloatArray:
    return np.log(-np.expm1(low - high)) - softplus(-high) - softplus(low)


def _logistic_slopes(low: FloatArray, high: FloatArray, _: FloatArray) -> tuple[FloatArray, FloatArray]:
    below, up_to = 1 / (1 + np.exp(-low)), 1 / (1 + np.exp(-high))
    return below + up_to - 1, below * (1 - below) + up_to * (1 - up_to)


def _normal_log_share(low: FloatArray, high: FloatArray) -> FloatArray:
    """In the lower tail; by logs only where the share itself is too small a number."""
    turned = low > 0
    share = normal_share(np.where(turned, -low, high)) - normal_share(np.where(turned, -high, low))
    logs = np.log(share)
    if np.any(tiny := share < TINY):
        logs[tiny] = _between_normal(IN_NUMPY, low[tiny], high[tiny])
    return np.asarray(logs)


def _gumbel_log_share(low: FloatArray, high: FloatArray) -> FloatArray:
    before = np.exp(low)
    return np.log(-np.expm1(before - np.exp(high))) - before


def _slopes_of(
    log_density: Callable[[FloatArray], FloatArray], score: Callable[[FloatArray], FloatArray]
) -> Callable[[FloatArray, FloatArray, FloatArray], tuple[FloatArray, FloatArray]]:
    """Return the `slopes` of a distribution with this log density and its derivative."""

    def slopes(low: FloatArray, high: FloatArray, log_share: FloatArray) -> tuple[FloatArray, FloatArray]:
        at_low, at_high = (np.exp(log_density(u) - log_share) for u in (low, high))
        away = at_low - at_high
        return away, away**2 + score(low) * at_low - score(high) * at_high

    return slopes


LOGISTIC = Latent(
    lambda xp, u: -xp.softplus(-u),
    lambda xp, u: -xp.softplus(u),
    _between_logistic,
    _logistic_log_share,
    _logistic_slopes,
)
NORMAL = Latent(
    lambda xp, u: xp.log_ndtr(u),
    lambda xp, u: xp.log_ndtr(-u),
    _between_normal,
    _normal_log_share,
    _slopes_of(lambda u: -0.5 * (u**2 + np.log(2 * np.pi)), lambda u: -u),
)
GUMBEL = Latent(
    lambda xp, u: xp.log1mexp(-xp.exp(u)),
    lambda xp, u: -xp.exp(u),
    lambda xp, low, high: xp.log1mexp(xp.exp(low) - xp.exp(high)) - xp.exp(low),
    _gumbel_log_share,
    _slopes_of(lambda u: u - np.exp(np.minimum(u, LARGE)), lambda u: 1 - np.exp(np.minimum(u, LARGE))),
)


def pymc_functions(pm: Any) -> Any:
    """Return the functions that `Latent` needs, in PyMC."""
    pt = pm.math.pt

    def log_ndtr(x: Any) -> Any:  # PyMC's own has the root of 2 in single precision
        z = x / np.sqrt(2)
        lower = pt.log(pt.erfcx(-pt.minimum(z, 0.0)) / 2) - z**2
        return pt.switch(x < -1, lower, pt.log1p(-pt.erfc(z) / 2))

    def taken(threshold: Any, place: Any) -> Any:
        if threshold.ndim == 1:
            return threshold[place]
        return pt.take_along_axis(threshold, place[:, None], axis=-1)[:, 0]

    return SimpleNamespace(
        exp=pt.exp,
        softplus=pt.softplus,
        log1mexp=pm.math.log1mexp,
        log_ndtr=log_ndtr,
        where=pt.switch,
        joined=partial(pt.concatenate, axis=-1),
        taken=taken,
    )


def _log1mexp(x: FloatArray) -> FloatArray:
    return np.where(x > -np.log(2), np.log(-np.expm1(x)), np.log1p(-np.exp(x)))


IN_NUMPY = SimpleNamespace(
    exp=np.exp,
    softplus=partial(np.logaddexp, 0.0),
    log1mexp=_log1mexp,
    log_ndtr=log_normal_share,
    where=np.where,
    joined=partial(np.concatenate, axis=-1),
)
"""The functions that `Latent` needs, in NumPy."""


def log_probabilities(xp: Any, latent: Latent, mu: Any, threshold: Any) -> Any:
    """Return the log probability of each category (..., K) from mu (...) and thresholds (..., K - 1)."""
    u = threshold - mu[..., None]
    ends = latent.below(xp, u[..., :1]), latent.above(xp, u[..., -1:])
    return xp.joined((ends[0], latent.between(xp, u[..., :-1], u[..., 1:]), ends[1]))


def _density(pm: Any, latent: Latent, y: Any, mu: Any, threshold: Any) -> Any:
    """Return the log probability of y (N,); thresholds are (K - 1,) or (N, K - 1)."""
    xp, count = pymc_functions(pm), threshold.shape[-1]
    y = y.astype("int64")
    first, last = pm.math.eq(y, 0), pm.math.eq(y, count)
    places = (pm.math.clip(y - 1, 0, count - 1), pm.math.clip(y, 0, count - 1))
    low, high = (xp.taken(threshold, place) - mu for place in places)
    # In the first and in the last category one of both is not asked for; any number apart keeps gradients finite.
    inside = latent.between(xp, xp.where(first, high - 1, low), xp.where(last, low + 1, high))
    return xp.where(first, latent.below(xp, high), xp.where(last, latent.above(xp, low), inside))


@dataclass(frozen=True, slots=True)
class Categories:
    """A distribution of the numbers 0 to K - 1, as one of SciPy; `log_p` is (..., K)."""

    log_p: FloatArray

    def logpmf(self, y: FloatArray) -> FloatArray:
        """Return the log probability of y."""
        shape = np.broadcast_shapes(np.shape(y), self.log_p.shape[:-1])
        places = np.broadcast_to(np.asarray(y), shape).astype(np.int64)[..., None]
        every = np.broadcast_to(self.log_p, (*shape, self.log_p.shape[-1]))
        return np.asarray(np.take_along_axis(every, places, axis=-1)[..., 0])

    def pmf(self, y: FloatArray) -> FloatArray:
        """Return the probability of y."""
        return np.exp(self.logpmf(y))

    def cdf(self, y: FloatArray) -> FloatArray:
        """Return the probability of at most y."""
        return Categories(np.log(np.cumsum(np.exp(self.log_p), axis=-1))).pmf(y)

    def sf(self, y: FloatArray) -> FloatArray:
        """Return the probability of more than y."""
        with np.errstate(divide="ignore"):
            after = np.cumsum(np.exp(self.log_p[..., ::-1]), axis=-1)[..., ::-1] - np.exp(self.log_p)
            return Categories(np.log(np.maximum(after, 0.0))).pmf(y)

    def mean(self) -> FloatArray:
        """Return the mean of the places, from 0."""
        return np.asarray(np.exp(self.log_p) @ self._places)

    def std(self) -> FloatArray:
        """Return the sd of the places."""
        return np.asarray(np.sqrt(np.exp(self.log_p) @ self._places**2 - self.mean() ** 2))

    @property
    def _places(self) -> FloatArray:
        return np.arange(self.log_p.shape[-1], dtype=float)

    def rvs(self, size: tuple[int, ...], random_state: np.random.Generator) -> FloatArray:
        """Return draws."""
        below = np.cumsum(np.exp(self.log_p), axis=-1)[..., :-1]
        return np.asarray((random_state.random(size)[..., None] > below).sum(axis=-1), dtype=float)


def _cumulative(latent: Latent) -> Distribution:
    """Return the distribution of ordered categories."""

    def pymc(pm: Any, mu: Any, threshold: Any) -> Any:
        def dist(mu: Any, threshold: Any, _size: Any) -> Any:
            p = pm.math.exp(log_probabilities(pymc_functions(pm), latent, mu, threshold))
            return pm.Categorical.dist(p=p / p.sum(axis=-1, keepdims=True))

        return pm.CustomDist.dist(
            mu,
            threshold,
            logp=partial(_density, pm, latent),
            dist=dist,
            signature="(),(k)->()",
            class_name="cumulative",
        )

    def scipy(stats: Any, mu: FloatArray, threshold: FloatArray) -> Categories:
        return Categories(log_probabilities(IN_NUMPY, latent, np.asarray(mu), np.asarray(threshold)))

    return Distribution(
        "cumulative",
        ("mu", "threshold"),
        POSITIVE,
        pymc=lambda pm: Made(partial(pymc, pm)),
        scipy=scipy,
        whole=True,
    )


def _link(of: Link, words: str, ratio: str = "") -> Link:
    return Link(
        of.name, IDENTITY.forward, IDENTITY.inverse, IDENTITY.slope, latent=True, words=words, ratio=ratio
    )


LATENT = {
    _link(LOGIT, "log odds of higher {of}", "odds ratio"): LOGISTIC,
    _link(PROBIT, "sds of what {of} is cut from"): NORMAL,
    _link(CLOGLOG, "minus the log hazard of {of}"): GUMBEL,
}
"""What is cut into categories under each link."""

LAWS = {link: _cumulative(latent) for link, latent in LATENT.items()}
"""The distribution of the categories under each link."""


def _category(y: FloatArray, n: FloatArray, mean: Mean, *thresholds: FloatArray) -> FloatArray:
    with np.errstate(over="ignore", divide="ignore"):
        return LATENT[mean.link].log_share(*_ends(y, mean, thresholds))


def _category_bent(y: FloatArray, n: FloatArray, mean: Mean, *thresholds: FloatArray) -> Bent:
    latent, (low, high) = LATENT[mean.link], _ends(y, mean, thresholds)
    with np.errstate(over="ignore", divide="ignore"):
        logs = latent.log_share(low, high)
        return Bent(logs, *latent.slopes(low, high, logs))


def _ends(y: FloatArray, mean: Mean, thresholds: tuple[FloatArray, ...]) -> tuple[FloatArray, FloatArray]:
    """Return the thresholds below and above y, less the linear predictor; y is (..., S or 1), thresholds (S,)."""
    known = np.array(thresholds, dtype=float).reshape(len(thresholds), -1)
    end = np.full((1, known.shape[1]), ENDLESS)
    every, place, point = np.concatenate([-end, known, end]), y.astype(np.int64), np.arange(known.shape[1])
    if place.shape[-1] == 1:  # whole rows are taken in less time
        low, high = (every[at[..., 0]] for at in (place, place + 1))
    else:
        low, high = (every[at, point] for at in (place, place + 1))
    return low - mean.predictor, high - mean.predictor


THRESHOLD = Parameter(
    "threshold", IDENTITY, (), "thresholds", lambda sd: prior("normal", 0.0, sd), between=True
)
"""Its default prior has the sd of an intercept."""

CUMULATIVE = Likelihood(
    "cumulative",
    next(iter(LAWS.values())),
    (mean(*LAWS, what="latent mean", widths=Widths(slope=1.0, intercept=1.5, location=0.0)), THRESHOLD),
    categories=True,
    of_link=LAWS.__getitem__,
    smooth=Smooth(_category, tuple(LATENT), one_peak=True, cost=3.0, bent=_category_bent),
    tails=of_levels(tuple(LATENT)),
)
