"""The evidence of a fit whose own importance sample cannot be trusted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from xarray import Dataset, DataTree

import formulajoint as fj
from formulajoint.api.fit import Fit
from formulajoint.api.model import JointModel
from formulajoint.errors import InferenceError
from formulajoint.results.draws.posterior import Posterior


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
    with pytest.raises(InferenceError, match=f"cannot be trusted .k-hat {k_hat:.2f}"):
        _ = fit.log_evidence
    with pytest.raises(InferenceError, match="cannot be trusted"):
        other.compare(fit)


POWER = "fractional row weights define no likelihood"


@pytest.mark.parametrize("pooling", ["", ", hierarchy()", ", sigma ~ 1 | school"])
def test_fractional_row_weights_leave_no_evidence_and_no_bayes_factor(
    tutoring: pd.DataFrame, pooling: str
) -> None:
    """One reason wherever a probability of the data is asked for; with whole weights there is one everywhere."""
    formula = f"test_score ~ treatment | school, weights(w){pooling}"
    data = tutoring.assign(w=np.arange(len(tutoring)) % 2 + 1)
    halves, whole = (
        fj.fit(formula, data.assign(w=data["w"] * factor), seed=1, chains=2, draws=250, progress=False)
        for factor in (1.25, 2)
    )
    asked = ["treatment == 0", "treatment[A] > treatment[B] > 0"]
    for text in asked:
        row = halves.test(text).iloc[0]
        assert np.isnan(row["log_bf10"])
        assert f"no Bayes factor: {POWER}" in row["note"]
        assert np.isfinite(whole.test(text).iloc[0]["log_bf10"])
    for row in halves.sensitivity("treatment == 0").itertuples():
        assert np.isnan(row.log_bf10)
        assert row.note == f"no Bayes factor: {POWER}"
    for ask in (lambda: halves.log_evidence, lambda: halves.compare(halves)):
        with pytest.raises(InferenceError, match=POWER):
            ask()
    assert np.isfinite(whole.log_evidence.value)


def test_priors_that_differ_between_models_are_named() -> None:
    """A default prior of intercepts is wider beside a predictor; written out, evidences are those of `test()`."""
    frame = fj.tutoring()
    frame["passed"] = frame["test_score"] > frame["test_score"].median()
    texts = {
        "effect": "passed ~ treatment | school, family(bernoulli)",
        "none": "passed ~ 1 | school, family(bernoulli)",
    }
    fits = {name: fj.fit(text, frame, seed=1, draws=100) for name, text in texts.items()}
    (wide, narrow) = (str(dict(fit.model.plan.priors)["Intercept"]) for fit in fits.values())
    assert wide != narrow
    table = fj.compare(fits, by="evidence")
    best = table.index[0]
    said = (narrow, wide) if best == "effect" else (wide, narrow)
    assert table["note"].tolist() == [
        "",
        f"priors differ from those of {best}: Intercept, {said[0]} and {said[1]}",
    ]
    compared = fits["effect"].compare(fits["none"])
    assert str(compared).endswith(f" Their priors differ, too: Intercept, {wide} and {narrow}.")
    written = {
        name: fj.fit(f"{text}, prior(Intercept ~ {wide})", frame, seed=1) for name, text in texts.items()
    }
    assert "note" not in fj.compare(written, by="evidence")
    same = written["effect"].compare(written["none"])
    assert "priors" not in str(same)
    assert same.value == pytest.approx(written["effect"].test("treatment == 0")["log_bf10"].iloc[0], abs=0.01)
