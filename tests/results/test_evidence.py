"""The evidence of a fit whose own importance sample is not to be trusted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import pytest
from xarray import Dataset, DataTree

from formulajoint.api.fit import Fit
from formulajoint.api.model import JointModel
from formulajoint.errors import InferenceError
from formulajoint.results.posterior import Posterior


def drawn_exactly(made_up: Callable[..., Posterior], data: pd.DataFrame, k_hat: float) -> Fit:
    posterior = made_up("test_score ~ treatment | school", data)
    found = Dataset({"k_hat": k_hat, "log_evidence": -20.0, "log_evidence_error": 0.1})
    tree = DataTree.from_dict({"posterior": posterior.dataset, "sample_stats": found})
    return Fit(JointModel(posterior.plan), replace(posterior, source=tree, engine="exact"))


def test_the_evidence_is_that_of_the_fits_own_sample(
    made_up: Callable[..., Posterior], tutoring: pd.DataFrame
) -> None:
    assert drawn_exactly(made_up, tutoring, 0.69).log_evidence.value == -20


@pytest.mark.parametrize("k_hat", [0.75, float("nan")])
def test_no_evidence_of_a_sample_that_is_not_to_be_trusted(
    made_up: Callable[..., Posterior], tutoring: pd.DataFrame, k_hat: float
) -> None:
    fit, other = drawn_exactly(made_up, tutoring, k_hat), drawn_exactly(made_up, tutoring, 0.1)
    with pytest.raises(InferenceError, match=f"not to be trusted .k-hat {k_hat:.2f}"):
        _ = fit.log_evidence
    with pytest.raises(InferenceError, match="not to be trusted"):
        other.compare(fit)
