"""Why the figures of one joint test point in different directions, in a sentence each.

The contour probability asks whether the null lies among the posterior's draws, the Bayes factor whether the prior's
effects predict the data better than none, the global Bayesian p-value whether some single group stands out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.compiler.plan import Plan
from formulajoint.contrasts.hypotheses import Hypothesis
from formulajoint.inference.one_kind import Against
from formulajoint.inference.quadrature import LogIntegral
from formulajoint.remarks import Missing, Note
from formulajoint.results.joint_tests.bayes_factor.verdict import COSTS, POSITIVE
from formulajoint.results.joint_tests.bayes_factor.weighed import Weighed
from formulajoint.results.joint_tests.figures import Figure
from formulajoint.results.joint_tests.quantities import row_labels

DISAGREE = "disagree"
"""Code of a note on figures that point in different directions."""

WEAK = "weak contour"
"""Code of the note on the contour probability under a hierarchy."""

LOW, LOWER = 0.05, 0.01
"""Contour probability that shows an effect, and global Bayesian p-value that shows a single group."""


def disagreements(
    plan: Plan,
    hypothesis: Hypothesis,
    draws: FloatArray,
    shares: Mapping[str, Figure],
    bayes: Weighed,
) -> list[Note]:
    """Return a note on each disagreement.

    Parameters
    ----------
    plan : Plan
    hypothesis : Hypothesis
        Equalities.
    draws : (C, S, q) array
        Of the quantities tested.
    shares : mapping of str to Figure
    bayes : Weighed
    """
    found = [Note(DISAGREE, text) for text in _found(plan, hypothesis, draws, shares, bayes)]
    pooled = {term.coefficient.term.name for term in plan.mean.pooled.values()}
    several = len(hypothesis.null) > 1 and not hypothesis.of_means
    if "contour" in shares and pooled & set(hypothesis.terms) and several:
        none = isinstance(bayes.factor, Missing) and bayes.factor.code != COSTS
        weak = (
            "under a hierarchy the contour is weak, since effects are drawn together: without any effect it is 0.81 to "
            f"1.00 in 90 % of studies, so go by {'' if none else 'the Bayes factor and '}the weighted mean"
        )
        found.append(Note(WEAK, weak, ("contour",)))
    return found


def _found(
    plan: Plan,
    hypothesis: Hypothesis,
    draws: FloatArray,
    shares: Mapping[str, Figure],
    bayes: Weighed,
) -> Iterator[str]:
    contour, single = (_upper(shares.get(name)) for name in ("contour", "gbpv"))
    own = _value(bayes.factor)
    one = bayes.one_kind.value.value if isinstance(bayes.one_kind, Against) else math.nan
    used = own if math.isnan(one) else one
    q = draws.shape[2]
    if single < LOWER and used < POSITIVE and q > 1:
        yield (
            f"{_farthest(row_labels(plan, hypothesis), draws)} stands out by itself (gbpv below {LOWER}) where log "
            f"BF10 is {used:.2f}: the Bayes factor does not look for one large effect among many small ones"
        )
    elif contour < LOW and own < -POSITIVE and not hypothesis.against:
        pays = f"each of {q} coefficients pays for its own wide prior" if q > 1 else "the prior is wide"
        instead = f", and {one:.2f} for effects of one kind" if not math.isnan(one) else ""
        yield (
            f"the contour shows an effect where log BF10 is {own:.2f}: {pays}, which expects far larger effects"
            f"{instead}"
        )
    elif contour > LOW and used > math.log(20):
        yield (
            "the contour does not show an effect, the Bayes factor does: many small effects of one kind add up to "
            "evidence that the contour, which looks in every direction, does not see"
            if not math.isnan(one)
            else "the contour does not show an effect, the Bayes factor does: they weigh the prior differently"
        )


def _value(factor: object) -> float:
    return factor.value if isinstance(factor, LogIntegral) else math.nan


def _upper(share: Figure | None) -> float:
    """Return a share with its Monte Carlo error added; NaN if there is none."""
    return math.nan if share is None else share.value + (0.0 if math.isnan(share.mcse) else share.mcse)


def _farthest(labels: Sequence[str], draws: FloatArray) -> str:
    """Return the quantity that is farthest from the null, in posterior sds."""
    flat = draws.reshape(-1, draws.shape[2])
    with np.errstate(all="ignore"):
        away = np.nan_to_num(abs(flat.mean(axis=0)) / flat.std(axis=0))
    return labels[int(np.argmax(away))]
