"""A joint test as a value: a hypothesis with its figures and, where one is missing, the reason."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.compiler.plan import Plan
from formulajoint.contrasts.hypotheses import Hypothesis, independent
from formulajoint.inference.one_kind import Against
from formulajoint.inference.quadrature import LogIntegral
from formulajoint.remarks import Missing, Note
from formulajoint.results.draws.existing_moments import degrees_of_freedom
from formulajoint.results.draws.posterior import Posterior, posterior_over
from formulajoint.results.joint_tests import figures
from formulajoint.results.joint_tests.bayes_factor.orders import order
from formulajoint.results.joint_tests.bayes_factor.verdict import COSTS, Verdict
from formulajoint.results.joint_tests.bayes_factor.weighed import Weighed, weighed
from formulajoint.results.joint_tests.classical import Classical, classical_test
from formulajoint.results.joint_tests.codings import coding_note
from formulajoint.results.joint_tests.disagreements import disagreements
from formulajoint.results.joint_tests.figures import Figure
from formulajoint.results.joint_tests.quantities import Rope, quantities, ropes
from formulajoint.results.joint_tests.score_contour import scored
from formulajoint.results.joint_tests.shares import (
    NO_CONTOUR,
    Question,
    Shares,
    by_distance,
    by_scores,
    counted,
    counting_notes,
    with_errors,
)

log = logging.getLogger("formulajoint")

MOST_QUICK = 100
"""Most quantities whose contour probability and band are computed for a printed fit."""

SLOW = Missing(COSTS, "no contour or band of so many effects in a printed fit: `fit.test()` has them")

ON_RESPONSE = Note(
    "response",
    "an effect on the response is zero where the coefficient is, which is tested; P(...) is on the response",
)

IS_ORDER = Missing("order", "an order has no classical test")


@dataclass(frozen=True, slots=True, eq=False)
class JointTest:
    """A hypothesis with its figures.

    Attributes
    ----------
    hypothesis : Hypothesis
    rank : int
        Number of quantities tested, less those that follow from the others.
    shares : mapping of str to Figure
        Shares of draws by name; one that is not defined, or was not asked for, is left out.
    bayes_factor : LogIntegral or Missing
        The log Bayes factor against the null; of an order, for it against no order.
    classical : Classical or Missing
    notes : tuple of Note
        In reading order.
    one_kind : Against, Missing or None
        The log Bayes factor of effects of one kind; None where it was not asked for, and is not given unasked.
    verdict : Verdict, Missing or None
        What `one_kind`, or else the Bayes factor, says whatever the scale of the prior; None for an order.
    by_scores, is_bound : bool
        Whether the contour probability comes from those of each group, and whether it may be smaller.
    """

    hypothesis: Hypothesis
    rank: int
    shares: Mapping[str, Figure]
    bayes_factor: LogIntegral | Missing
    classical: Classical | Missing
    notes: tuple[Note, ...]
    one_kind: Against | Missing | None = None
    verdict: Verdict | Missing | None = None
    by_scores: bool = False
    is_bound: bool = False

    @property
    def label(self) -> str:
        """The hypothesis' name in tables."""
        return self.hypothesis.label

    @property
    def is_complete(self) -> bool:
        """Whether nothing was left out because it takes long."""
        some = (self.bayes_factor, self.one_kind, self.verdict)
        slow = any(isinstance(each, Missing) and each.code == COSTS for each in some)
        return not slow and all(note.text != SLOW.reason for note in self.notes)

    @property
    def note(self) -> str:
        """All notes as one text."""
        return "; ".join(note.text for note in self.notes)


def joint_tests(
    posterior: Posterior,
    hypotheses: Iterable[Hypothesis],
    rope: Rope = None,
    at_least: int | None = None,
    standardized: bool = False,
    quick: bool = False,
) -> tuple[JointTest, ...]:
    """Return the joint test of each hypothesis; of several with one label, of the last.

    Parameters
    ----------
    posterior : Posterior
    hypotheses : iterable of Hypothesis
    rope : float or mapping of term to float, optional
        Half-width of the region of practical equivalence about the null, in the coefficients' units.
    at_least : int, optional
        Number of quantities that must be above zero for ``p_at_least``.
    standardized : bool
        Whether `rope` is in sds of the response per s_x of the predictor.
    quick : bool
        Whether Bayes factors that take longer than some hundredths of a second are left out.

    Raises
    ------
    InferenceError
        If `rope` or `at_least` is invalid.
    """
    by_label = {}
    for h in hypotheses:
        log.info("testing %s", h.label)  # with hundreds of groups a Bayes factor takes seconds
        seen = posterior_over(posterior, h.factor)
        asked = Question(ropes(seen.plan, h, rope, standardized), at_least)
        by_label[h.label] = _test(seen, h, asked, quick)
    return tuple(by_label.values())


def _test(posterior: Posterior, hypothesis: Hypothesis, asked: Question, quick: bool) -> JointTest:
    draws = quantities(posterior, hypothesis)
    effective, counts = figures.effective_draws(draws), counted(draws, asked)
    if hypothesis.order:
        found = _order(posterior.plan, hypothesis, draws.shape[2], counts)
    else:
        judged = hypothesis.judged
        own = draws if judged is hypothesis else quantities(posterior, judged)
        found = replace(_equalities(posterior, judged, own, effective, counts, quick), hypothesis=hypothesis)
    named = [Note("hypothesis", hypothesis.text)] if hypothesis.name else []
    by_draws = {name: one for name, one in found.shares.items() if name != "contour" or not found.by_scores}
    named += [ON_RESPONSE] if hypothesis.response and not hypothesis.order else []
    return replace(
        found,
        shares=with_errors(found.shares, effective),
        notes=(*named, *found.notes, *counting_notes(by_draws, effective)),
    )


def _order(plan: Plan, hypothesis: Hypothesis, rank: int, counts: Mapping[str, Figure]) -> JointTest:
    """Return the test of an order, whose posterior probability is a share of draws."""
    holds = counts["p_all_positive"]
    factor = order(plan, hypothesis, holds.value, holds.mcse)
    told = "order: P(all > 0) is its posterior probability, log BF10 is against the model without the order"
    notes = (Note("order", told), _of_order(plan, hypothesis, holds, factor))
    return JointTest(hypothesis, rank, counts, factor, IS_ORDER, notes)


def _equalities(
    posterior: Posterior,
    hypothesis: Hypothesis,
    draws: FloatArray,
    effective: float,
    counts: Mapping[str, Figure],
    quick: bool,
) -> JointTest:
    """Return the test of equalities: contour and band, the classical test and Bayes factors."""
    plan, kept = posterior.plan, independent(hypothesis.rows)
    few = not quick or len(kept) <= MOST_QUICK
    out = Shares({}, (SLOW.note(NO_CONTOUR),))
    if few:
        missing, tested = no_covariance(posterior, hypothesis), scored(posterior, hypothesis)
        out = (
            by_distance(draws, draws[:, :, kept], effective, missing)
            if tested is None
            else by_scores(draws, tested, missing)
        )
    twin = classical_test(plan, hypothesis)
    bayes = weighed(posterior, hypothesis, quick, few=few)
    shares = {**out.figures, **counts}
    notes = [*out.notes, *_classical_notes(twin), *_of_equalities(plan, hypothesis, bayes)]
    return JointTest(
        hypothesis=hypothesis,
        rank=len(kept),
        shares=shares,
        bayes_factor=bayes.factor,
        one_kind=bayes.one_kind,
        verdict=bayes.verdict,
        classical=twin,
        notes=(*notes, *disagreements(plan, hypothesis, draws, shares, bayes)),
        by_scores=out.by_scores,
        is_bound=out.is_bound,
    )


def _of_equalities(plan: Plan, hypothesis: Hypothesis, bayes: Weighed) -> list[Note]:
    """Return the notes on the Bayes factor of equalities."""
    if isinstance(bayes.factor, Missing) and not isinstance(bayes.one_kind, Against):
        return [bayes.factor.note("no Bayes factor"), *bayes.notes]
    coding = coding_note(plan, hypothesis)
    return [*bayes.notes, *([Note("coding", f"log BF10 {coding}")] if coding else [])]


def no_covariance(posterior: Posterior, hypothesis: Hypothesis) -> Missing | None:
    """Return the reason the coefficients of a hypothesis have no covariance; None if they have one."""
    tails = degrees_of_freedom(posterior.plan)
    names = [c.name for c in posterior.plan.mean.coefficients if c.term.name in hypothesis.terms]
    exists = all(float(np.min(tails[name])) > 2 for name in names if name in tails)
    return None if exists else Missing("covariance", "the posterior has no covariance").of("contour or band")


def _classical_notes(twin: Classical | Missing) -> list[Note]:
    if isinstance(twin, Missing):
        return [twin.note("no classical test")]
    return [Note("classical", twin.note)] if twin.note else []


def _of_order(plan: Plan, hypothesis: Hypothesis, holds: Figure, factor: LogIntegral | Missing) -> Note:
    """Return the note on an order's prior probability, or why it has no Bayes factor."""
    if isinstance(factor, Missing):
        return factor.note("no Bayes factor")
    coding = coding_note(plan, hypothesis)
    prior = f"{holds.value / math.exp(factor.value):.3g}"
    told = f"its prior probability, {prior}, {coding}" if coding else f"its prior probability is {prior}"
    return Note("prior", told)
