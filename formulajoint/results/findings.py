"""Everything that a fit says, each computed once when it is first asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from formulajoint.arrays import FloatArray
from formulajoint.compiler.plan import Plan, ScalePlan
from formulajoint.design.varying import factors
from formulajoint.errors import InferenceError
from formulajoint.results.draws.convergence import FEWEST
from formulajoint.results.draws.diagnostics import diagnostics
from formulajoint.results.draws.posterior import Effect, Posterior, posterior_over
from formulajoint.results.draws.tables import (
    PROB,
    EffectDraws,
    Estimates,
    asked_about,
    coefficient_draws,
    contrast_draws,
    contrast_estimates,
    estimates,
    is_asked_about,
)
from formulajoint.wording import did_you_mean, listed

if TYPE_CHECKING:
    from formulajoint.contrasts.hypotheses import Hypothesis
    from formulajoint.results.joint_tests.joint_test import JointTest

MOST_ROWS = 24
"""A printed fit shows at most this many coefficients; the summary has them all."""

MOST_JUDGED = 50
"""Draws of the exact engine are judged by all coefficients up to this many; beyond, by those shown."""


@dataclass(frozen=True, eq=False)
class Findings:
    """What is found of a fit.

    Attributes
    ----------
    posterior : Posterior
    prob : float
        Probability of the intervals.
    """

    posterior: Posterior
    prob: float = PROB

    @property
    def plan(self) -> Plan:
        """The model."""
        return self.posterior.plan

    @cached_property
    def by_groups(self) -> Findings:
        """What is found as the groups of the factor see it that the formula's contrasts and tests ask about."""
        factor = factor_asked(self.plan)
        return Findings(posterior_over(self.posterior, factor), self.prob) if factor else self

    @cached_property
    def summary(self) -> Estimates:
        """Figures of every coefficient and parameter."""
        return estimates(self._coefficients, self.prob)

    @cached_property
    def shown(self) -> Estimates:
        """Figures of the coefficients that a printed fit shows: if there are too many, first those of all groups."""
        found = self._coefficients
        places = list(range(len(found)))
        if len(found) > MOST_ROWS:
            places = of_all_first(self.plan, [own.effect for own in found])[:MOST_ROWS]
        return (
            self.summary.at(places) if self.judges_all else estimates([found[p] for p in places], self.prob)
        )

    @property
    def not_shown(self) -> int:
        """The number of coefficients that a printed fit leaves out."""
        return max(0, len(self._coefficients) - MOST_ROWS)

    @cached_property
    def contrasts(self) -> Estimates:
        """Figures of the contrasts."""
        return contrast_estimates(self.posterior, self._contrasts, self.prob)

    @cached_property
    def tests(self) -> tuple[JointTest, ...]:
        """The joint tests that a printed fit shows."""
        from formulajoint.results.joint_tests.joint_test import joint_tests
        from formulajoint.results.joint_tests.questions import printed

        return joint_tests(self.posterior, filter(self._has_draws, printed(self.plan)), quick=True)

    @cached_property
    def all_tests(self) -> tuple[JointTest, ...]:
        """The default tests, and those of the formula: with many groups they take seconds.

        Those of predictors that no contrast or test of the formula names are the printed ones, which can take minutes;
        so are all where it names none and sigmas are pooled: then each takes many seconds.
        """
        from formulajoint.results.joint_tests.joint_test import joint_tests
        from formulajoint.results.joint_tests.questions import unasked

        found = {test.hypothesis.label: test for test in self.tests}
        spread = self.plan.spread
        named = bool(asked_about(self.plan)) or spread is None or spread.pool is None
        missing = [
            each
            for each in filter(self._has_draws, unasked(self.plan))
            if each.label not in found
            or (named and is_asked_about(self.plan, each) and not found[each.label].is_complete)
        ]
        if not missing:
            return self.tests
        found |= {test.hypothesis.label: test for test in joint_tests(self.posterior, missing)}
        return tuple(found[each.label] for each in unasked(self.plan) if each.label in found)

    @property
    def untested(self) -> tuple[Hypothesis, ...]:
        """The hypotheses about single groups, whose draws were not kept."""
        from formulajoint.results.joint_tests.questions import unasked

        if not self.posterior.named.left_out:
            return ()
        return tuple(each for each in unasked(self.plan) if not self._has_draws(each))

    def _has_draws(self, hypothesis: Hypothesis) -> bool:
        """Return whether the draws of what a hypothesis is about were kept."""
        seen = posterior_over(self.posterior, hypothesis.factor)
        terms = set() if hypothesis.of_means else set(hypothesis.terms)
        return all(
            c.name not in seen.named.left_out for c in seen.plan.mean.coefficients if c.term.name in terms
        )

    @cached_property
    def diagnostics(self) -> tuple[str, ...]:
        """Sentences on problems with the draws."""
        return diagnostics(self.posterior, pd.concat([self.judged.table, self.contrasts.table]))

    @cached_property
    def judged(self) -> Estimates:
        """Figures of the coefficients by which the draws are judged."""
        return self.summary if self.judges_all else self.shown

    @property
    def judges_all(self) -> bool:
        """Whether all coefficients are judged.

        Draws of the exact engine are independent but for repeated values of the few parameters that stand first: the
        rows shown tell as much as thousands.
        """
        return not self.posterior.named.trust.independent or len(self._coefficients) <= MOST_JUDGED

    @cached_property
    def without_sd(self) -> tuple[Effect, ...]:
        """Coefficients and contrasts whose posterior has no sd."""
        heavy = (own for own in (*self._coefficients, *self._contrasts) if own.df <= 2)
        return tuple(own.effect for own in heavy if _has_figures(own.draws))

    @cached_property
    def _coefficients(self) -> list[EffectDraws]:
        return coefficient_draws(self.posterior)

    @cached_property
    def _contrasts(self) -> list[EffectDraws]:
        return contrast_draws(self.posterior)


def factor_asked(plan: Plan) -> str:
    """Return the factor of group terms that the formula's contrasts and tests ask about first; empty for none."""
    return next((own.factor for own in (*plan.contrasts, *plan.tests) if own.factor), "")


def by_groups(posterior: Posterior, over: str | None = None) -> Posterior:
    """Return the posterior as the groups of a factor of group terms see it.

    Without `over` it is the one that the formula's contrasts and tests ask about, or the only one.

    Raises
    ------
    InferenceError
        If nothing varies over `over`, or there are several factors.
    """
    plan = posterior.plan
    known = factors(plan.design)
    if over is not None and over not in known:
        hint = did_you_mean(str(over), known) or (f"there are {listed(known)}" if known else "leave it out")
        raise InferenceError(f"No group term is over `{over}`: {hint}.")
    asked = over or factor_asked(plan) or (known[0] if len(known) == 1 else "")
    if known and not asked:
        raise InferenceError(f"Group terms are over {listed(known)}: name one, over={known[0]!r}.")
    return posterior_over(posterior, asked)


def _has_figures(draws: FloatArray) -> bool:
    return draws.shape[1] >= FEWEST and bool(np.isfinite(draws).all())


def of_all_first(plan: Plan, effects: Sequence[Effect]) -> list[int]:
    """Return the places of effects, those that are not of a single group before the others."""
    grouped = {
        name
        for part in plan.parameters
        for name in (
            [part.name] * (part.grouping is not None)
            if isinstance(part, ScalePlan)
            else [c.name for c in part.coefficients if c.grouped]
        )
    }
    return sorted(range(len(effects)), key=lambda at: effects[at].variable in grouped)
