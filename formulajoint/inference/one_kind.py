"""Bayes factors against effects of one kind: is there an effect in any group, if effects are alike?

Coefficients that are not pooled each pay for their own wide prior. The question is therefore put against the mean of
two hypotheses: one effect for all groups, mu ~ N(0, a), and effects from N(0, tau), tau ~ HalfNormal(t). That the
effects are equal is put against effects from N(mu, tau). Everything else of the model stays, with its priors as
numbers. ``docs/statistics.md`` says why, and defines a and t.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.compiler.coefficients import Coefficient, Pool, PooledTerm
from formulajoint.compiler.plan import Plan
from formulajoint.compiler.planning.defaults import scales, stands_for_intercept
from formulajoint.compiler.residual_sds import sigma_of_groups
from formulajoint.contrasts.hypotheses import Hypothesis, effects_tested
from formulajoint.contrasts.layout import Block
from formulajoint.design.pooling import Hierarchy
from formulajoint.distributions.prior import Prior, prior
from formulajoint.families.likelihood import SLOPE
from formulajoint.inference.engine import exact_engine
from formulajoint.inference.evidence import log_evidence, ratio, why_no_evidence, why_no_probability
from formulajoint.inference.gaussian import one_sigma, own_sigmas
from formulajoint.inference.null_plan import IN_SDS, with_prior
from formulajoint.inference.panels import polynomial_weights
from formulajoint.inference.quadrature import LogIntegral
from formulajoint.inference.waiting import Waiting
from formulajoint.remarks import Missing
from formulajoint.spec.spec import MAIN

MEAN, SD = 0.5, 0.25
"""Prior sd of one effect for all groups, and scale of the prior of the effects' sd, in s_y / s_x."""

OCTAVE = 4
"""Values of tau in each doubling at which log p(y | tau) is computed; between them it is interpolated."""

FINER = 8
"""Points of the integral over tau between two of these values."""

LEAST, MOST = 18, 3
"""Doublings of tau below and above the scale of its prior over which it is integrated."""

STILL = 1e-3
"""Effects this small, in standard errors of an effect that all rows share, are as good as none."""

STEPS, REACH, FARTHEST = 2, 20.0, 150.0
"""Values of mu in each standard error, at which log p(y | mu) is computed, as many standard errors beyond both its peak
and zero; and the farthest peak for which that is done."""

FAR = 9.0
"""Reach of an integral over a normal distribution, in sds."""

SHARPER = 16
"""Interpolation is better by at least this factor than that between every other value."""


@dataclass(frozen=True, slots=True)
class Against:
    """A log Bayes factor against effects of one kind.

    Attributes
    ----------
    value : LogIntegral
        Of the mean of the two evidences, over that of the null.
    shared, varying : LogIntegral or None
        Of each by itself: one effect for all groups, and effects from N(0, tau); None for hypotheses of equality, whose
        alternative is one.
    """

    value: LogIntegral
    shared: LogIntegral | None = None
    varying: LogIntegral | None = None


@dataclass(frozen=True, slots=True, eq=False)
class OneKind:
    """The effects tested, and their prior under the alternative.

    Attributes
    ----------
    plan : Plan
    block : Block
        Of the term.
    equal : bool
        Whether the null is that the effects are equal, else that all are zero.
    mean, sd : (k,) arrays
        a and t of each column.
    in_sds : bool
        Whether the effects are of one kind in residual sds, since sigma differs by group.
    """

    plan: Plan
    block: Block
    equal: bool
    mean: FloatArray
    sd: FloatArray
    in_sds: bool

    @property
    def prior(self) -> str:
        """The prior as text: ``mean ~ normal(0, 3.1), sd ~ half_normal(1.6)``."""
        unit = " in residual sds" if self.in_sds else ""
        return f"mean ~ {prior('normal', 0.0, self.mean)}, sd ~ {prior('half_normal', self.sd)}{unit}"

    @property
    def coefficient(self) -> Coefficient:
        """The coefficients tested."""
        return next(c for c in self.plan.mean.coefficients if c.term is self.block.term)

    def shared(self, factor: float) -> Plan:
        """Return the plan with one effect for all groups, in residual sds where sigma differs by group."""
        mean = prior("normal", 0.0, factor * self.mean)
        if self.in_sds:
            return self.pooled(mean, prior("constant", 0.0 * self.sd))
        return self._with(mean, grouped=False)

    def none(self) -> Plan:
        """Return the plan without effects."""
        return self._with(prior("constant", 0.0), grouped=True)

    def varying(self, factor: float) -> Plan:
        """Return the plan with effects from one distribution, about zero or, if the null is equality, about a mean."""
        mean = prior("normal", 0.0, self.mean) if self.equal else prior("constant", 0.0)
        return self.pooled(mean, prior("half_normal", factor * self.sd))

    def pooled(self, mean: Prior, sd: Prior) -> Plan:
        """Return the plan with effects from one distribution, with these priors of its mean and sd."""
        own, grouping = self.coefficient, self.coefficient.grouping
        assert grouping is not None  # `one_kind` has checked
        shape = own.term.shape
        of_groups = replace(own, prior=None)
        term = PooledTerm(
            coefficient=of_groups,
            mean_name=f"{own.name}_mean",
            sd_name=f"{own.name}_sd",
            offset_name=None,
            mean=mean.shaped(shape),
            sd=sd.shaped(shape),
            dims=own.dims[1:],
        )
        pool = Pool(self._request(own.term.name), grouping, own.dims[0], (term,), None)
        every = tuple(of_groups if c is own else c for c in self.plan.mean.coefficients)
        mean_ = replace(self.plan.mean, coefficients=every, pools=(*self.plan.mean.pools, pool))
        return replace(self.plan, mean=mean_)

    def _request(self, name: str) -> Hierarchy:
        return Hierarchy(MAIN, (name,), cor=False, scale="sigma" if self.in_sds else "none")

    def _with(self, own: Prior, grouped: bool) -> Plan:
        shape = self.block.term.shape
        return with_prior(self.plan, self.block, own.shaped(shape), grouped)


def one_kind(plan: Plan, hypothesis: Hypothesis) -> OneKind | Missing:
    """Return the alternative of effects of one kind to a hypothesis, or the reason there is none."""
    found = effects_tested(plan.design, hypothesis)
    if isinstance(found, Missing):
        return found
    term = found.block.term
    if stands_for_intercept(term, plan.design.predictor):
        return Missing("level", f"{term.name} is a level of the response, not an effect")
    if term.name in {each.coefficient.term.name for each in plan.mean.pooled.values()}:
        return Missing("pooled", f"{term.name} is pooled: the model's own effects are of one kind")
    in_sds = sigma_of_groups(plan) is not None
    if in_sds and found.equal:
        return Missing("null", IN_SDS)
    size = (
        1.0 if in_sds else float(scales(plan.design, plan.family, plan.design.predictor).shared.slope) / SLOPE
    )
    unit = size / term.scales
    return OneKind(plan, found.block, found.equal, MEAN * unit, SD * unit, in_sds)


def why_not(kind: OneKind) -> Missing | None:
    """Return the reason there is no Bayes factor against effects of one kind; None if there is one."""
    if not _at_once(kind):
        return why_no_evidence(kind.varying(1.0))
    missing = why_no_probability(kind.plan) or exact_engine(kind.varying(1.0))
    return missing if isinstance(missing, Missing) else None


def _at_once(kind: OneKind) -> bool:
    return len(kind.mean) == 1 and (kind.in_sds or one_sigma.applies(kind.plan))


def at_once(kind: OneKind, factors: Sequence[float]) -> list[Against] | None:
    """Return log BF10 as `log_bayes_factors` does, or None where that takes more than a moment for each factor."""
    if not _at_once(kind):
        return None
    return _by_curve(kind, factors) if one_sigma.applies(kind.plan) else _by_lines(kind, factors)


def log_bayes_factors(kind: OneKind, factors: Sequence[float]) -> list[Against] | Missing:
    """Return log BF10 with the alternative's priors made wider by each of `factors`, or why there is none.

    Parameters
    ----------
    kind : OneKind
        For which `why_not` has no reason.
    factors : sequence of float
    """
    return at_once(kind, factors) or _by_evidence(kind, factors)


def _by_evidence(kind: OneKind, factors: Sequence[float]) -> list[Against] | Missing:
    """Return log BF10 from the evidence of each plan."""
    waiting = Waiting(1 + len(factors) * (1 if kind.equal else 2))
    zero = log_evidence(kind.shared(1.0) if kind.equal else kind.none(), waiting=waiting)
    if isinstance(zero, Missing):
        return zero
    out = []
    for factor in factors:
        varying = log_evidence(kind.varying(factor), waiting=waiting)
        shared = None if kind.equal else log_evidence(kind.shared(factor), waiting=waiting)
        if isinstance(varying, Missing):
            return varying
        if isinstance(shared, Missing):
            return shared
        out.append(_against(ratio(varying, zero), None if shared is None else ratio(shared, zero)))
    return out


def _against(varying: LogIntegral, shared: LogIntegral | None) -> Against:
    """Return the mean of two Bayes factors; of one where there is no second."""
    if shared is None:
        return Against(varying)
    value = float(np.logaddexp(shared.value, varying.value) - np.log(2))
    errors = [math.exp(each.value - value) / 2 * each.error for each in (shared, varying)]
    return Against(LogIntegral(value, math.hypot(*errors)), shared, varying)


# --- all scales at once


def _by_curve(kind: OneKind, factors: Sequence[float]) -> list[Against]:
    """Return log BF10 from log p(y | tau), which serves every scale of tau's prior."""
    a, t, every = float(kind.mean[0]), float(kind.sd[0]), np.asarray(factors, dtype=float)
    data = one_sigma.effects(kind.pooled(prior("student_t", 4.0, 0.0, a), prior("half_normal", t)))
    octaves = _octaves(STILL * data.error / t, every)
    shared = np.empty(0) if kind.equal else every
    about = np.full(len(octaves), 1.0 if kind.equal else 0.0)
    means = np.concatenate([about[:1], shared, about])
    sds = np.concatenate([np.zeros(1 + len(shared)), t * 2.0**octaves])
    found = one_sigma.log_evidences(data, means, sds)
    logs, errors = found.logs - found.logs[0], found.errors + found.errors[0]
    curve, worst = logs[1 + len(shared) :], float(np.max(errors))
    out = []
    for at, factor in enumerate(every, start=1):
        value, error = _averaged(octaves, curve, math.log2(factor))
        own = None if kind.equal else LogIntegral(float(logs[at]), float(errors[at]))
        out.append(_against(LogIntegral(value, error + worst), own))
    return out


def _by_lines(kind: OneKind, factors: Sequence[float]) -> list[Against] | None:
    """Return log BF10 from log p(y | mu) and log p(y | tau), where each group has its own sigma; None elsewhere."""
    a, t, every = float(kind.mean[0]), float(kind.sd[0]), np.asarray(factors, dtype=float)
    data = own_sigmas.effects(kind.pooled(prior("normal", 0.0, a), prior("half_normal", t)))
    if data is None or abs(data.best) > FARTHEST * data.error:
        return None
    step = data.error / STEPS
    low, high = min(0.0, data.best) - REACH * data.error, max(0.0, data.best) + REACH * data.error
    means = np.asarray(step * np.arange(math.floor(low / step), math.ceil(high / step) + 1), dtype=float)
    octaves = _octaves(STILL * data.error / t, every)
    taus = t * 2.0**octaves
    logs = data.log_likelihood(
        np.concatenate([[0.0], means, np.zeros(len(taus))]), np.concatenate([np.zeros(1 + len(means)), taus])
    )
    logs = logs - logs[0]
    line, curve = logs[1 : 1 + len(means)], logs[1 + len(means) :]
    if not np.all(np.isfinite(logs)):
        return None
    out = []
    for factor in factors:
        varying = LogIntegral(*_averaged(octaves, curve, math.log2(factor)))
        out.append(_against(varying, LogIntegral(*_over_means(means, line, factor * a))))
    return out


def _over_means(means: FloatArray, line: FloatArray, sd: float) -> tuple[float, float]:
    """Return the log of the mean of exp(line) over mu ~ N(0, sd), and its error; `means` are evenly spaced."""
    step = means[1] - means[0]
    size = min(step, sd) / FINER
    count = math.ceil(min(FAR * sd, float(np.max(abs(means)))) / size)
    mu = size * np.arange(-count, count + 1)
    mu = mu[(mu >= means[0]) & (mu <= means[-1])]
    weights = -0.5 * (mu / sd) ** 2 - math.log(sd * math.sqrt(2 * math.pi) / size)
    fine, coarse = (
        float(np.logaddexp.reduce(weights + _interpolated(line[::every], (mu - means[0]) / (step * every))))
        for every in (1, 2)
    )
    return fine, abs(fine - coarse) / SHARPER


def _octaves(least: float, factors: FloatArray) -> FloatArray:
    """Return log2(tau / t) at which log p(y | tau) is computed: from where effects are as good as none."""
    low = math.floor(min(math.log2(least), float(np.log2(np.min(factors))) - 1))
    high = math.ceil(MOST + float(np.log2(np.max(factors))))
    return np.arange(low * OCTAVE, high * OCTAVE + 1) / OCTAVE


def _averaged(octaves: FloatArray, curve: FloatArray, shift: float) -> tuple[float, float]:
    """Return the log of the mean of exp(curve) over tau ~ HalfNormal(2^shift t), and its error."""
    z = np.arange(-LEAST * OCTAVE * FINER, MOST * OCTAVE * FINER + 1) / (OCTAVE * FINER)
    weights = z * math.log(2) - 2.0 ** (2 * z - 1)  # of log z, z half normal
    weights = weights - np.logaddexp.reduce(weights)
    place = np.maximum(z + shift - octaves[0], 0.0) * OCTAVE
    fine, coarse = (
        float(np.logaddexp.reduce(weights + _interpolated(curve[::step], place / step))) for step in (1, 2)
    )
    return fine, abs(fine - coarse) / SHARPER + abs(float(curve[0]))


def _interpolated(values: FloatArray, place: FloatArray) -> FloatArray:
    """Return `values` between their places 0, 1, 2, ..., by polynomials through the six nearest."""
    first = np.clip(np.floor(place).astype(int) - 2, 0, len(values) - 6)
    weights = polynomial_weights(range(6), place - first)
    return np.sum([weight * values[first + i] for i, weight in enumerate(weights.T)], axis=0)
