"""Simultaneous intervals, which show the groups that differ from the null, all judged at once."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any

import pandas as pd

from formulajoint.arrays import FloatArray
from formulajoint.contrasts.hypotheses import Hypothesis
from formulajoint.errors import InferenceError
from formulajoint.remarks import Missing
from formulajoint.results.draws.full_width import Table
from formulajoint.results.draws.posterior import Posterior, posterior_over
from formulajoint.results.joint_tests import figures
from formulajoint.results.joint_tests.joint_test import no_covariance
from formulajoint.results.joint_tests.quantities import quantities, row_labels


def band_table(posterior: Posterior, hypothesis: Hypothesis, prob: float) -> pd.DataFrame:
    """Return one row per quantity of the hypothesis: mean, sd and simultaneous interval of its value less the null.

    With probability `prob` all quantities lie within their intervals at once, so an interval without zero shows
    which groups differ.
    """
    posterior = posterior_over(posterior, hypothesis.factor)
    draws, labels = quantities(posterior, hypothesis), row_labels(posterior.plan, hypothesis)
    return bands(draws, labels, prob, no_covariance(posterior, hypothesis))


def bands(
    draws: FloatArray, labels: Sequence[str], prob: float, missing: Missing | None = None
) -> pd.DataFrame:
    """Return simultaneous intervals of draws (C, S, q), with their Monte Carlo standard errors and a note."""
    if not (isinstance(prob, Real) and 0 < prob < 1):
        raise InferenceError(f"`prob` must lie between 0 and 1, not {prob!r}: 95 % is 0.95.")
    flat = draws.reshape((-1, draws.shape[2]))
    index = pd.Index(labels, name="quantity")
    columns: dict[str, Any] = {"mean": flat.mean(axis=0), "sd": flat.std(axis=0, ddof=1)}
    if missing is not None:
        blank = dict.fromkeys(("low", "low_mcse", "high", "high_mcse"), float("nan"))
        return Table(columns | blank | {"note": missing.reason}, index=index)
    band = figures.simultaneous_band(draws, prob)
    columns |= {"low": band.low, "low_mcse": band.low_mcse, "high": band.high, "high_mcse": band.high_mcse}
    beyond = (1 - prob) * figures.effective_draws(draws)
    few = f"{beyond:.0f} effective draws are beyond the band, too few to say how far it reaches: draw more"
    return Table(columns | {"note": few if beyond < figures.FEW else ""}, index=index)
