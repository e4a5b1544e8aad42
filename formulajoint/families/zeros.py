"""Families with more zeros than another has: zero-inflated and hurdle ones, each made of that other.

Zero-inflated, a response is zero with probability `zi`, and else comes from the other family, which may be zero, too.
With a hurdle it is zero with probability `hu`, and else comes from the other family above zero.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.distributions.distribution import Distribution
from formulajoint.distributions.links import LOGIT
from formulajoint.distributions.prior import prior
from formulajoint.families.counts import NEGATIVE_BINOMIAL, POISSON
from formulajoint.families.likelihood import TRIALS, Likelihood, Made, Parameter
from formulajoint.families.positive import GAMMA, LOGNORMAL
from formulajoint.families.shares import BINOMIAL
from formulajoint.families.smooth import Mean, Smooth
from formulajoint.families.tails import with_zeros as tails_with_zeros


def _share(name: str, meaning: str) -> Parameter:
    return Parameter(name, LOGIT, (), meaning, lambda sd: prior("beta", 1.0, 1.0))


ZI = _share("zi", "probability of a further zero")
HU = _share("hu", "probability of zero")

type LogDensity = Callable[[Any], Any]
"""Of the other family, of a response."""


def _inflated(pm: Any, other: LogDensity, y: Any, zi: Any) -> Any:
    known = pm.math.log1p(-zi) + other(y)
    return pm.math.switch(pm.math.eq(y, 0), pm.math.logaddexp(pm.math.log(zi), known), known)


def _count_beyond(pm: Any, other: LogDensity, y: Any, hu: Any) -> Any:
    above = other(y) - pm.math.log1mexp(other(pm.math.zeros_like(y)))
    return pm.math.switch(pm.math.eq(y, 0), pm.math.log(hu), pm.math.log1p(-hu) + above)


def _amount_beyond(pm: Any, other: LogDensity, y: Any, hu: Any) -> Any:
    above = other(pm.math.switch(pm.math.eq(y, 0), 1.0, y))  # an infinite density at zero has no gradient
    return pm.math.switch(pm.math.eq(y, 0), pm.math.log(hu), pm.math.log1p(-hu) + above)


type Other = Callable[[FloatArray], FloatArray]
"""The other family's log density, of a response, in NumPy."""


def _inflated_in_numpy(other: Other, y: FloatArray, zi: FloatArray) -> FloatArray:
    known = np.log1p(-zi) + other(y)
    return np.where(y == 0, np.logaddexp(np.log(zi), known), known)


def _count_beyond_in_numpy(other: Other, y: FloatArray, hu: FloatArray) -> FloatArray:
    zero = np.minimum(other(np.zeros(1)), -np.finfo(float).tiny)
    above = other(y) - np.where(zero > -1, np.log(-np.expm1(zero)), np.log1p(-np.exp(zero)))
    return np.where(y == 0, np.log(hu), np.log1p(-hu) + above)


def _amount_beyond_in_numpy(other: Other, y: FloatArray, hu: FloatArray) -> FloatArray:
    above = other(np.where(y == 0, 1.0, y))
    return np.where(y == 0, np.log(hu), np.log1p(-hu) + above)


@dataclass(frozen=True, slots=True)
class Kind:
    """A way to have more zeros.

    Attributes
    ----------
    name : str
        Before the name of the other family.
    share : Parameter
    density : callable
        ``(pm, other, y, p)``: the log density at y, given the other family's and the share p.
    in_numpy : callable
        ``(other, y, p)``: the same in NumPy.
    zero : callable
        ``(p, other)``: the probability of zero, given the other family's.
    above : callable
        ``(pm, other)``: from what a response comes that is not one of the further zeros, in PyMC.
    part : str
        Which responses those are, in words after the response.
    given_above : bool
        Whether they are above zero.
    """

    name: str
    share: Parameter
    density: Callable[..., Any]
    in_numpy: Callable[[Other, FloatArray, FloatArray], FloatArray]
    zero: Callable[[Any, Any], Any]
    above: Callable[[Any, Any], Any]
    part: str
    given_above: bool = True


INFLATED = Kind(
    "zero_inflated",
    ZI,
    _inflated,
    _inflated_in_numpy,
    zero=lambda p, other: p + (1 - p) * other,
    above=lambda pm, other: other,
    part="without further zeros",
    given_above=False,
)

HURDLE_OF_COUNTS = Kind(
    "hurdle",
    HU,
    _count_beyond,
    _count_beyond_in_numpy,
    zero=lambda p, other: p,
    above=lambda pm, other: pm.Truncated.dist(other, lower=1),
    part="above zero",
)

HURDLE_OF_AMOUNTS = replace(
    HURDLE_OF_COUNTS,
    density=_amount_beyond,
    in_numpy=_amount_beyond_in_numpy,
    above=lambda pm, other: other,
)


@dataclass(frozen=True, slots=True)
class WithZeros:
    """A distribution of SciPy, of numbers from zero, in which zero has another probability.

    Attributes
    ----------
    of : distribution of SciPy
    zero : array
        Probability of zero.
    whole : bool
        Whether the numbers are whole.
    """

    of: Any
    zero: FloatArray
    whole: bool

    @property
    def _zero_before(self) -> FloatArray:
        return np.asarray(self.of.cdf(0.0))

    def pmf(self, y: FloatArray) -> FloatArray:
        """Return the probability of y: where numbers are not whole, only zero has one."""
        above = self._factor * self.of.pmf(y) if self.whole else 0.0
        return np.where(y == 0, self.zero, above)

    def logpmf(self, y: FloatArray) -> FloatArray:
        """Return the log of `pmf`."""
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(self.pmf(y)))

    def logpdf(self, y: FloatArray) -> FloatArray:
        """Return the log density above zero, and the log probability of zero."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(y == 0, np.log(self.zero), np.log(self._factor) + self.of.logpdf(y))

    def sf(self, y: FloatArray) -> FloatArray:
        """Return the probability of more than y, from zero."""
        return np.asarray(self._factor * self.of.sf(y))

    def cdf(self, y: FloatArray) -> FloatArray:
        """Return the probability of at most y, from zero."""
        return np.asarray(1 - self.sf(y))

    def mean(self) -> FloatArray:
        """Return the mean."""
        return np.asarray(self._factor * self.of.mean())

    def std(self) -> FloatArray:
        """Return the sd."""
        square = self._factor * (self.of.var() + self.of.mean() ** 2)
        return np.asarray(np.sqrt(square - self.mean() ** 2))

    def rvs(self, size: tuple[int, ...], random_state: np.random.Generator) -> FloatArray:
        """Return draws."""
        before, share = self._zero_before, 1 - random_state.random(size)
        above = self.of.ppf(np.minimum(before + share * (1 - before), np.nextafter(1, 0)))
        return np.where(random_state.random(size) < self.zero, 0.0, above)

    @property
    def _factor(self) -> FloatArray:
        return np.asarray((1 - self.zero) / (1 - self._zero_before))


LOG_ZERO: Mapping[str, Callable[[Any, Mapping[str, Any]], Any]] = {
    POISSON.name: lambda xp, own: -own["mu"],
    NEGATIVE_BINOMIAL.name: lambda xp, own: -own["shape"] * xp.log1p(own["mu"] / own["shape"]),
    BINOMIAL.name: lambda xp, own: own[TRIALS] * xp.log1p(-own["mu"]),
}
"""Log probability of zero from the parameters, ``(xp, parameters)``, by the family's name; others are never zero."""


def _expected(kind: Kind, base: Likelihood, xp: Any, own: Mapping[str, Any]) -> Any:
    """Return the mean of a response with more zeros than `base`."""
    mean = (1 - own[kind.share.name]) * base.mean_response(xp, own)
    log_zero = LOG_ZERO.get(base.name)
    return mean if log_zero is None or not kind.given_above else mean / -xp.expm1(log_zero(xp, own))


def with_zeros(kind: Kind, base: Likelihood) -> Likelihood:
    """Return the family that has more zeros than `base`."""
    name, law, share = f"{kind.name}_{base.name}", base.distribution, kind.share

    def pymc(pm: Any, **parameters: Any) -> Any:
        names = tuple(parameters)
        assert law.pymc is not None  # every family has it
        dist_of = law.pymc(pm).dist

        def parts(values: tuple[Any, ...]) -> tuple[Any, Any]:
            known = dict(zip(names, values, strict=True))
            return known.pop(share.name), dist_of(**known)

        def logp(value: Any, *values: Any) -> Any:
            p, other = parts(values)
            return kind.density(pm, lambda y: pm.logp(other, y), value, p)

        def dist(*values: Any) -> Any:
            p, other = parts(values[:-1])  # the last is a size
            return pm.math.switch(pm.Bernoulli.dist(p), 0, kind.above(pm, other))

        return pm.CustomDist.dist(*parameters.values(), logp=logp, dist=dist, class_name=name)

    def scipy(stats: Any, *values: Any) -> WithZeros:
        *known, p = values
        assert law.scipy is not None  # those of the package have it
        other = law.scipy(stats, *known)
        return WithZeros(other, kind.zero(p, other.cdf(0.0)), law.whole)

    own = Distribution(
        name,
        (*law.args, share.name),
        law.support,
        pymc=lambda pm: Made(partial(pymc, pm)),
        scipy=scipy,
        whole=law.whole,
        zeros=True,
    )
    mean = replace(base.mean, symbol="")  # of the other family, not of the response
    parameters = (mean, *base.parameters[1:], share)
    return replace(
        base,
        name=name,
        distribution=own,
        parameters=parameters,
        advice="",
        affine=None,
        variance=None,
        smooth=None if base.smooth is None else _smooth(kind, base.smooth),
        expected=partial(_expected, kind, base),
        tails=None if base.tails is None else tails_with_zeros(base.tails, kind.given_above and law.whole),
        part=kind.part,
    )


def _smooth(kind: Kind, base: Smooth) -> Smooth:
    """Return the log density in NumPy of a family that has more zeros; the share of these comes last."""

    def log_density(y: FloatArray, n: FloatArray, mean: Mean, *further: FloatArray) -> FloatArray:
        *known, p = further
        return kind.in_numpy(lambda at: base.log_density(at, n, mean, *known), y, p)

    unit = base.unit
    own = None if unit is None else lambda *further: unit(*further[:-1])
    return replace(base, log_density=log_density, unit=own, one_peak=False)


WITH_ZEROS = (
    *(with_zeros(INFLATED, base) for base in (POISSON, NEGATIVE_BINOMIAL, BINOMIAL)),
    *(with_zeros(HURDLE_OF_COUNTS, base) for base in (POISSON, NEGATIVE_BINOMIAL, BINOMIAL)),
    *(with_zeros(HURDLE_OF_AMOUNTS, base) for base in (GAMMA, LOGNORMAL)),
)
"""Those that the language knows by name."""
