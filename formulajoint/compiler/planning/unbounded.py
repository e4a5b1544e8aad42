"""Why responses leave coefficients with flat priors without a posterior, in words."""

from __future__ import annotations

import numpy as np

from formulajoint.arrays import IntArray
from formulajoint.design.schema import Response
from formulajoint.families.likelihood import Likelihood
from formulajoint.families.tails import Vanishing
from formulajoint.wording import listed

INTERCEPT = "Intercept"


def reason(
    response: Response,
    family: Likelihood,
    rows: IntArray,
    vanishing: Vanishing,
    terms: list[str],
) -> str:
    """Return a sentence, without a capital, that says why rows leave a direction of coefficients open.

    Parameters
    ----------
    response : Response
    family : Likelihood
    rows : (N,) int array
        Places of the rows.
    vanishing : Vanishing
        Of these rows.
    terms : list of str
        Names of the terms that have a part in it.
    """
    counts = family.tails is not None and family.tails.counts
    slopes = [name for name in terms if name != INTERCEPT]
    shares = response.scale[rows]
    if np.all(shares == shares[0]):
        return _alike(response, float(shares[0]), counts, vanishing, terms)
    of_events = family.events or response.trials is not None
    if of_events and slopes and np.all(vanishing.falling | vanishing.rising):
        return _separated(response, slopes)
    if counts:
        unbounded = f"too few counts are above 0 to bound {listed(terms)}"
    else:
        unbounded = f"the responses do not bound {listed(terms)}"
    return f"{unbounded}{' together' if len(terms) > 1 else ''}: {_no_posterior(terms)}"


def _alike(response: Response, value: float, counts: bool, vanishing: Vanishing, terms: list[str]) -> str:
    what = "shares of successes" if response.trials is not None else "counts" if counts else "responses"
    shown = f"`{response.levels[int(value)]}`" if response.levels else f"{value:g}"
    side = ""
    if INTERCEPT in terms:
        terms = [INTERCEPT]
        side = "" if not np.any(vanishing.rising) else " from below"
        side = " from above" if np.any(vanishing.falling) else side
    return (
        f"all {what} are {shown}, so nothing in the data bounds {listed(terms)}{side}: {_no_posterior(terms)}"
    )


def _separated(response: Response, slopes: list[str]) -> str:
    apart = "the events from the others" if response.trials is None else "the successes from the failures"
    together = "separates" if len(slopes) == 1 else "together separate"
    whose = "its coefficient has" if len(slopes) == 1 else "their coefficients have"
    return f"{listed(slopes)} {together} {apart}, wholly or in part: with flat priors {whose} no posterior."


def _no_posterior(terms: list[str]) -> str:
    return f"with {'a flat prior' if len(terms) == 1 else 'flat priors'} there is no posterior."
