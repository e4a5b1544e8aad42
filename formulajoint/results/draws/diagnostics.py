"""Sentences on whether the draws can be trusted, and what to do if they cannot."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from formulajoint.compiler.plan import LinearPlan, Plan
from formulajoint.compiler.planning.far_columns import far_terms
from formulajoint.errors import InferenceError
from formulajoint.inference.importance.sampled import DISAGREE, K_HAT
from formulajoint.results.draws.posterior import Posterior
from formulajoint.spec.spec import MAIN

R_HAT = 1.01
ESS_PER_CHAIN = 100
"""Limits of Vehtari, Gelman, Simpson, Carpenter & Bürkner, Bayesian Analysis 2021."""

FEWEST = 4
"""Fewest draws per chain for an effective sample size."""


def diagnostics(posterior: Posterior, table: pd.DataFrame) -> tuple[str, ...]:
    """Return one or two sentences for each problem with the draws; none if there is no problem.

    Parameters
    ----------
    posterior : Posterior
    table : DataFrame
        Rows of `summary` and `contrasts`.
    """
    found = [
        _divergences(posterior),
        _k_hat(posterior),
        _searches(posterior),
        _shared_points(posterior),
        _chains(posterior),
        _numbers(posterior),
        _r_hat(posterior, table),
        _ess(posterior, table),
    ]
    return tuple(sentence for sentence in found if sentence)


def _divergences(posterior: Posterior) -> str:
    count, (chains, draws) = posterior.named.trust.divergences, posterior.named.shape
    if not count:
        return ""
    return (
        f"{count} of {chains * draws} draws diverged, so parts of the posterior may be missing: "
        f"raise target_accept (0.99), {_other_forms(posterior.plan)}or give narrower priors."
    )


def _k_hat(posterior: Posterior) -> str:
    trust = posterior.named.trust
    if trust.k_hat < K_HAT:
        return ""
    found = f"k-hat is {trust.k_hat:.2f}, and above {K_HAT} importance sampling cannot be trusted"
    if trust.modes > 1:
        return (
            f"{found}. The posterior has {trust.modes} separate modes or more, and NUTS would stay in one "
            "of them: give priors that decide between them, or draw more (draws=4000)."
        )
    return f"{found}: use engine='nutpie'."


def _searches(posterior: Posterior) -> str:
    disagreement = posterior.named.trust.disagreement
    if disagreement < DISAGREE:
        return ""
    return (
        f"Two independent searches of the posterior differ by {disagreement:.1f} standard errors in "
        "the log evidence: it has several modes, and some may be missing or have a wrong share. Give priors that "
        "decide between them, or fit with several seeds and compare."
    )


def _other_forms(plan: Plan) -> str:
    """Return the advice to write the other form of a hierarchy, if the formula leaves `centered` open."""
    clauses: dict[tuple[str, str], list[str]] = {}
    for name, over, centered in _chosen_forms(plan):
        clauses.setdefault((over, "false" if centered else "true"), []).append(name)
    other = " and ".join(
        f"`hierarchy({', '.join(names)}{over}, centered={form})`" for (over, form), names in clauses.items()
    )
    return f"or write the other form of the hierarchy, {other}, " if other else ""


def _chosen_forms(plan: Plan) -> Iterator[tuple[str, str, bool]]:
    """Yield each pooled term and parameter with ``centered=auto``, its ``over=``, and whether it is centred."""
    for part in plan.parameters:
        if isinstance(part, LinearPlan):
            stem = "" if part.predictor.parameter == MAIN else f"{part.predictor.parameter}."
            for pool in (*part.pools, *part.varying):
                over = f", over={pool.grouping.name}" if pool in part.varying else ""
                for term in pool.terms if pool.request.centered is None else ():
                    yield f"{stem}{term.coefficient.term.name}", over, term.centered
        elif part.pool is not None and part.pool.request.centered is None:
            yield part.parameter, "", part.pool.centered


def _shared_points(posterior: Posterior) -> str:
    worth, chains = posterior.named.importance_ess, posterior.named.shape[0]
    if worth >= ESS_PER_CHAIN * chains:
        return ""
    return (
        f"The sds and correlations are worth {worth:.0f} independent draws: a point of them is dear in a model of "
        "this size, so draws share points, which ess_bulk does not show. The Monte Carlo error of their means is about "
        f"their sd divided by {np.sqrt(worth):.0f}."
    )


def _chains(posterior: Posterior) -> str:
    if posterior.named.shape[0] > 1:
        return ""
    return "There is one chain only, so r_hat cannot tell whether chains agree: use chains=4."


def _numbers(posterior: Posterior) -> str:
    found = no_number(posterior)
    return f"The contrast {found} Its figures are blank." if found else ""


def checked(posterior: Posterior) -> Posterior:
    """Return `posterior`, or raise an InferenceError if a contrast is not finite in some draws."""
    if found := no_number(posterior):
        raise InferenceError(found)
    return posterior


def no_number(posterior: Posterior) -> str:
    """Return a sentence on the first contrast that is not finite in some draws, as the root of a negative number."""
    for contrast in posterior.plan.contrasts:
        values = posterior.named.values(contrast.name)
        count = values.shape[0] * values.shape[1]
        bad = int((~np.isfinite(values.reshape((count, -1)))).any(axis=1).sum())
        if bad:
            return f"{contrast.name} is not a number in {bad} of {count} draws: `{contrast.text}` has no value there."
    return ""


def _r_hat(posterior: Posterior, table: pd.DataFrame) -> str:
    bad = table.index[table["r_hat"] > R_HAT]
    if not len(bad) or posterior.named.repeats:  # chains of independent draws; `_shared_points` tells of them
        return ""
    worst, draws = table["r_hat"].idxmax(), posterior.named.shape[1]
    return (
        f"r_hat is above {R_HAT} for {len(bad)} of {len(table)} parameters (worst: {worst}, "
        f"{table['r_hat'].max():.3f}): the chains do not agree yet. "
        f"{_cure(posterior, f'tune=2000, draws={2 * draws}')}"
    )


def _ess(posterior: Posterior, table: pd.DataFrame) -> str:
    chains, draws = posterior.named.shape
    if draws < FEWEST:
        return f"{draws} draws a chain are too few to judge them by. Draw more (draws=1000)."
    least = table[["ess_bulk", "ess_tail"]].min(axis=1)
    bad = least[least < ESS_PER_CHAIN * chains]
    if not len(bad):
        return ""
    return (
        f"The effective sample size is below {ESS_PER_CHAIN * chains} for {len(bad)} of {len(table)} "
        f"parameters (worst: {least.idxmin()}, {least.min():.0f}): intervals are imprecise. "
        f"{_cure(posterior, f'draws={4 * draws}')}"
    )


def _cure(posterior: Posterior, more: str) -> str:
    """Return what to do: on a narrow ridge NUTS needs columns centred at zero, not more draws."""
    far = [] if posterior.named.trust.independent else far_terms(posterior.plan)
    centred = " and ".join(f"center({term.name})" for term in far)
    return f"Write {centred}, or draw more ({more})." if far else f"Draw more ({more})."
