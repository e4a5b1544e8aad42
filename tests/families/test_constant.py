"""Events and counts that do not vary have a posterior under proper priors: no event in so many trials."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import formulajoint as fj

NONE = pd.DataFrame({"s": [0, 0, 0], "n": [5, 10, 8]})


@pytest.mark.parametrize(
    ("rows", "successes", "trials"), [(NONE, 0, 23), (pd.DataFrame({"s": [3], "n": [20]}), 3, 20)]
)
def test_shares_that_do_not_vary_have_the_posterior_of_quadrature(
    rows: pd.DataFrame, successes: int, trials: int
) -> None:
    fit = fj.fit("prop(s, n) ~ 1, family(binomial), prior(Intercept ~ normal(0, 1.5))", rows, seed=1)
    b = np.linspace(-15, 15, 20_001)
    logs = stats.norm.logpdf(b, 0, 1.5) + successes * b - trials * np.logaddexp(0, b)
    weights = np.exp(logs - logs.max())
    mean = np.average(b, weights=weights)
    sd = np.sqrt(np.average((b - mean) ** 2, weights=weights))
    found = fit.summary().loc["Intercept"]
    assert abs(found["mean"] - mean) < 4 * sd / np.sqrt(found["ess_bulk"])
    assert abs(found["sd"] / sd - 1) < 0.06


def test_what_has_no_posterior_or_depends_on_the_sd_is_refused() -> None:
    with pytest.raises(fj.DataError, match="nothing in the data bounds `Intercept` from below"):
        fj.model("prop(s, n) ~ 1, family(binomial)", NONE, priors="flat")
    for formula in ("n ~ 1", "n ~ 1, family(poisson, link=identity)", "n ~ 1, family(gamma)"):
        with pytest.raises(fj.DataError, match="it does not vary"):
            fj.model(formula, NONE.assign(n=3))
