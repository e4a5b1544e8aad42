"""The Bayes factor of equalities with what is said of it: against what, at other scales of the prior, its verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from formulajoint.compiler.plan import Plan
from formulajoint.contrasts.hypotheses import Hypothesis, independent
from formulajoint.inference.one_kind import (
    Against,
    OneKind,
    at_once,
    log_bayes_factors,
    one_kind,
    why_not,
)
from formulajoint.inference.quadrature import LogIntegral
from formulajoint.remarks import Missing, Note
from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.draws.tables import is_asked_about
from formulajoint.results.joint_tests.bayes_factor.equalities import equalities, is_quick, is_slow
from formulajoint.results.joint_tests.bayes_factor.sensitivity import is_scaled, tested_sd, with_other_scales
from formulajoint.results.joint_tests.bayes_factor.verdict import (
    AROUND,
    COSTS,
    NARROWER,
    Scales,
    Verdict,
    judged,
)

SEVERAL = 3
"""Fewest coefficients that are compared with effects of one kind unasked: each would pay for its own wide prior."""

SLOW = Missing(
    COSTS,
    "the Bayes factor of effects of one kind (one for all groups, or all from one distribution) takes a while, and may "
    "point elsewhere: `fit.test()` has it",
)

SECONDS = Missing(COSTS, "the Bayes factor takes a while: `fit.test()` has it")

OF_MANY = Missing(COSTS, "`fit.test()` has the Bayes factor of the model's own prior, too")

ONE_KIND = "one kind"
"""Code of the note on the Bayes factor against effects of one kind."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """The Bayes factor of equalities.

    Attributes
    ----------
    factor : LogIntegral or Missing
        log BF10: of the model's own prior, unless the hypothesis names the alternative.
    one_kind : Against, Missing or None
        Against effects of one kind; None where that was not asked and is not done unasked.
    verdict : Verdict or Missing
        Of `one_kind` if there is one, else of `factor`.
    notes : tuple of Note
    """

    factor: LogIntegral | Missing
    one_kind: Against | Missing | None
    verdict: Verdict | Missing
    notes: tuple[Note, ...]


def weighed(posterior: Posterior, hypothesis: Hypothesis, quick: bool = False, few: bool = True) -> Weighed:
    """Return the Bayes factor of equalities, with its verdict.

    Parameters
    ----------
    posterior : Posterior
    hypothesis : Hypothesis
    quick : bool
        Whether what takes longer than some hundredths of a second is left out.
    few : bool
        Whether there are few enough coefficients for the Bayes factor of the model's own prior beside another.
    """
    plan, asked = posterior.plan, bool(hypothesis.against)
    if quick and is_slow(plan) and not is_asked_about(plan, hypothesis):
        return Weighed(SECONDS, None, SECONDS, ())
    kind = one_kind(plan, hypothesis)
    if isinstance(kind, Missing):
        if not asked or kind.code == "pooled":
            own = _own(posterior, hypothesis, quick)
            return (
                own
                if not asked
                else Weighed(own.factor, None, own.verdict, (kind.note(ONE_KIND), *own.notes))
            )
        return Weighed(kind.of("Bayes factor"), kind, kind, ())
    if not asked and len(independent(hypothesis.rows)) < SEVERAL:
        return _own(posterior, hypothesis, quick)
    found = _against(kind, quick)
    if not asked and isinstance(found, Missing):
        own = _own(posterior, hypothesis, quick)
        if found.code != COSTS:
            return Weighed(own.factor, found, own.verdict, own.notes)
        decided = isinstance(own.verdict, Verdict) and own.verdict.kind == "for"
        return Weighed(
            own.factor, found, own.verdict if decided else found, (*own.notes, found.note(ONE_KIND))
        )
    if isinstance(found, Missing):
        return Weighed(found.of("Bayes factor"), found, found, ())
    verdict = judged([each.value for each in found[: len(AROUND)]], _scales(kind, found, quick))
    said = Note(ONE_KIND, _said(kind, found))
    if asked:
        return Weighed(found[0].value, found[0], verdict, (said,))
    own_factor = equalities(plan, hypothesis, (1.0,), posterior)[0] if few else OF_MANY
    return Weighed(own_factor, found[0], verdict, (said, *_not_pooled(plan, hypothesis, own_factor)))


def _own(posterior: Posterior, hypothesis: Hypothesis, quick: bool) -> Weighed:
    """Return the Bayes factor of the model's own prior."""
    plan = posterior.plan
    if not is_scaled(plan):
        factor = equalities(plan, hypothesis, (1.0,), posterior)[0]
        costs = Missing("scales", "see sensitivity() for other scales")
        sd = Note("prior", f"{tested_sd(plan, hypothesis)}; {costs.reason}")
        return Weighed(factor, None, costs, () if isinstance(factor, Missing) else (sd,))
    around = equalities(plan, hypothesis, AROUND, posterior)

    def scales(factors: Sequence[float]) -> list[LogIntegral | Missing]:
        return equalities(plan, hypothesis, factors, posterior)

    verdict = judged(around, None if quick and not is_quick(plan) else scales)
    if isinstance(around[0], Missing):
        return Weighed(around[0], None, around[0], ())
    return Weighed(around[0], None, verdict, (Note("prior", with_other_scales(plan, hypothesis, around)),))


def _against(kind: OneKind, quick: bool) -> list[Against] | Missing:
    """Return log BF10 against effects of one kind at `AROUND`, and at `NARROWER` where all take but a moment."""
    if missing := why_not(kind):
        return missing
    found = at_once(kind, (*AROUND, *NARROWER))
    if found is None and quick:
        return SLOW
    return log_bayes_factors(kind, AROUND) if found is None else found


def _scales(kind: OneKind, found: Sequence[Against], quick: bool) -> Scales | None:
    """Return log BF10 at narrower scales: known already, computed when asked for, or too costly."""
    known = {factor: each.value for factor, each in zip((*AROUND, *NARROWER), found, strict=False)}

    def scales(factors: Sequence[float]) -> list[LogIntegral | Missing]:
        if all(factor in known for factor in factors):
            return [known[factor] for factor in factors]
        more = log_bayes_factors(kind, factors)
        return [more] if isinstance(more, Missing) else [each.value for each in more]

    return scales if len(known) > len(AROUND) or not quick else None


def _said(kind: OneKind, found: Sequence[Against]) -> str:
    """Return what a Bayes factor against effects of one kind is made of, and how much it depends on the prior."""
    one, half, double = found[:3]
    other = f"with half of it log BF10 is {half.value.value:.2f}, with twice {double.value.value:.2f}"
    if one.shared is None or one.varying is None:
        return f"log BF10 is that of effects from one distribution, prior {kind.prior}: {other}"
    parts = (
        f"{one.shared.value:.2f} for one effect in all groups, {one.varying.value:.2f} for effects about zero"
    )
    return f"log BF10 of effects of one kind averages two Bayes factors (logs {parts}), prior {kind.prior}: {other}"


def _not_pooled(plan: Plan, hypothesis: Hypothesis, factor: LogIntegral | Missing) -> list[Note]:
    if isinstance(factor, Missing):
        return [factor.note("no Bayes factor")]
    return [Note("prior", f"not pooled it is {factor.value:.2f}, {tested_sd(plan, hypothesis)}")]
