"""Generalised linear models by maximum likelihood: iteratively reweighted least squares.

Shapes: N rows, P columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import scipy

from formulajoint.arrays import FloatArray
from formulajoint.compiler.plan import Plan
from formulajoint.contrasts.layout import layout, length_of
from formulajoint.data.rows import frequencies
from formulajoint.design.schema import Design
from formulajoint.distributions.link_functions import SPECIAL
from formulajoint.distributions.links import Link
from formulajoint.families.likelihood import TRIALS, Likelihood

STEPS, HALVINGS, ROUNDS = 100, 30, 100
"""Most steps of a fit, halvings of a step, and fits between which a further parameter is found anew."""

ENOUGH = 1e-9
"""A fit ends where the log likelihood changes by less."""

LOG_RANGE = (-12.0, 18.0)
"""Where the log of a further parameter is sought."""


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A maximum of the likelihood: its log, and the mean of each row (N,)."""

    log_likelihood: float
    mean: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Rows of a generalised linear model.

    Attributes
    ----------
    family : Likelihood
        With a variance function, and one further parameter or none.
    y, trials, weights : (N,) arrays
        Responses; ones where there are no trials; how many rows each row counts as.
    """

    family: Likelihood
    y: FloatArray
    trials: FloatArray
    weights: FloatArray

    @property
    def link(self) -> Link:
        """The link of the mean."""
        return self.family.mean.link

    @property
    def shares(self) -> FloatArray:
        """The response on the scale of the mean."""
        return self.y / self.trials

    def log_likelihood(self, mean: FloatArray, further: float) -> float:
        """Return the log likelihood; minus infinity where a mean is impossible."""
        law = self.family.distribution
        assert law.scipy is not None  # those of the package have it
        with np.errstate(all="ignore"):
            known: Mapping[str, object] = {
                "mu": mean,
                TRIALS: self.trials,
                **dict.fromkeys(self.family.further, further),
            }
            of = law.scipy(scipy.stats, *(known[name] for name in law.args))
            found = float(self.weights @ (of.logpmf(self.y) if law.whole else of.logpdf(self.y)))
        return found if np.isfinite(found) else -np.inf

    def fit(self, columns: FloatArray, offset: FloatArray) -> Fitted:
        """Return the maximum for the linear predictor ``offset + columns @ b``; columns may depend on each other."""
        eta, further = self._start(), 1.0
        best = -np.inf
        for _ in range(ROUNDS):
            eta = self._fit(columns, offset, eta, further)
            mean = self.link.inverse(SPECIAL, eta)
            if self.family.further:
                further = self._further(mean)
            found = self.log_likelihood(mean, further)
            if found - best < ENOUGH * (1 + abs(found)) or not self.family.further:
                return Fitted(found, mean)
            best = found
        return Fitted(found, mean)

    def _start(self) -> FloatArray:
        """Return the linear predictor at means between each response and the mean of all."""
        middle = (self.shares + np.average(self.shares, weights=self.weights * self.trials)) / 2
        return np.asarray(self.link.forward(SPECIAL, middle))

    def _fit(self, columns: FloatArray, offset: FloatArray, eta: FloatArray, further: float) -> FloatArray:
        """Return the linear predictor of the maximum for a known further parameter."""
        last = -np.inf
        for step in range(STEPS):
            target = self._step(columns, offset, eta, further)
            found = self.log_likelihood(self.link.inverse(SPECIAL, target), further)
            for _ in range(HALVINGS if step else 0):
                if found >= last - ENOUGH:
                    break
                target = (target + eta) / 2
                found = self.log_likelihood(self.link.inverse(SPECIAL, target), further)
            if step and found - last < ENOUGH:
                return target if found > last else eta
            eta, last = target, found
        return eta

    def _step(self, columns: FloatArray, offset: FloatArray, eta: FloatArray, further: float) -> FloatArray:
        """Return the linear predictor of weighted least squares of the working response."""
        assert self.family.variance is not None  # checked by who makes the rows
        with np.errstate(all="ignore"):
            mean, slope = self.link.inverse(SPECIAL, eta), self.link.slope(SPECIAL, eta)
            weights = self.weights * self.trials * slope**2 / self.family.variance(mean, further)
            working = eta - offset + (self.shares - mean) / slope
        known = np.isfinite(weights) & np.isfinite(working)
        root = np.sqrt(np.where(known, weights, 0.0))
        b = np.linalg.lstsq(root[:, None] * columns, root * np.where(known, working, 0.0), rcond=1e-12)[0]
        return np.asarray(offset + columns @ b)

    def _further(self, mean: FloatArray) -> float:
        """Return the further parameter of the maximum at known means."""
        found = scipy.optimize.minimize_scalar(
            lambda log: -self.log_likelihood(mean, float(np.exp(log))),
            bounds=LOG_RANGE,
            options={"xatol": 1e-7},
        )
        return float(np.exp(found.x))


def rows_of(plan: Plan) -> Rows:
    """Return the rows of a plan."""
    response = plan.design.response
    trials = np.ones_like(response.values) if response.trials is None else response.trials
    return Rows(plan.family, response.values, trials, frequencies(plan.design))


def columns_of(design: Design) -> FloatArray:
    """Return the columns of all coefficients in the order of ``layout``, zero outside their group, (N, P)."""
    blocks, rows = layout(design), design.rows.used
    out = np.zeros((rows, length_of(blocks)))
    grouping, own = design.predictor.grouping, {id(term) for term in design.predictor.per_group}
    for block in blocks:
        k = block.term.columns.shape[1]
        group = (
            grouping.codes
            if grouping is not None and id(block.term) in own
            else np.zeros(rows, dtype=np.int64)
        )
        for j in range(k):
            out[np.arange(rows), block.start + group * k + j] = block.term.columns[:, j]
    return out
