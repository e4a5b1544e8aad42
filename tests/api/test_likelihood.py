"""A fit whose sampler saw sums and not rows: the same posterior, and the rows are there afterwards."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pymc as pm
import pytest
from numpy.typing import NDArray

import formulajoint as fj

RNG = np.random.default_rng(5)
CODES = np.arange(90) % 3
X = RNG.normal(size=90)
DATA = pd.DataFrame(
    {"y": 10 * CODES + (1 + CODES) * X + RNG.normal(size=90), "x": X, "g": np.array(["A", "B", "C"])[CODES]}
)
FORMULA = "y ~ x | g, joint(x)"
ENGINE = "nutpie"


class Seen(Exception):
    """Raised in place of sampling."""


@pytest.fixture
def sampled(monkeypatch: pytest.MonkeyPatch) -> list[pm.Model]:
    """Return a list that the model given to the sampler is put into."""
    models: list[pm.Model] = []

    def see(model: pm.Model, *_: Any, **__: Any) -> None:
        models.append(model)
        raise Seen

    monkeypatch.setattr("formulajoint.inference.nuts.sampling.sample", see)
    return models


@pytest.mark.parametrize(
    ("formula", "asked", "by_rows"),
    [
        (FORMULA, {}, False),  # 7 rows will do for 90
        (FORMULA, {"likelihood": "rows"}, True),
        (FORMULA, {"likelihood": "sums"}, False),
        (f"{FORMULA}, family(student)", {}, True),
    ],
)
def test_what_is_sampled(sampled: list[pm.Model], formula: str, asked: dict[str, str], by_rows: bool) -> None:
    model = fj.model(formula, DATA)
    with pytest.raises(Seen):
        model.fit(engine=ENGINE, **asked)
    (seen,) = sampled
    assert (seen is model.pymc) is by_rows
    assert bool(seen.observed_RVs) is by_rows
    assert [variable.name for variable in model.pymc.observed_RVs] == ["y"]


def test_the_few_rows_of_the_question_are_sampled_as_they_are(sampled: list[pm.Model]) -> None:
    model = fj.model("test_score ~ treatment | school", fj.tutoring())
    with pytest.raises(Seen):
        model.fit(engine=ENGINE)
    assert sampled == [model.pymc]


def test_sums_that_do_not_apply_are_refused_before_anything_is_sampled(sampled: list[pm.Model]) -> None:
    with pytest.raises(fj.InferenceError, match="does not go through sums: the response is student"):
        fj.fit(FORMULA, DATA, family="student", engine=ENGINE, likelihood="sums")
    assert not sampled


def test_a_part_of_a_model_of_ones_own_can_go_through_sums() -> None:
    with pm.Model() as model:
        rows = fj.build(FORMULA, DATA, prefix="rows")
        few = fj.build(FORMULA, DATA, prefix="few", likelihood="sums")
    assert model.observed_RVs == [rows["rows_y"]]
    assert model.potentials == [few["few_y"]]
    with pm.Model(), pytest.raises(fj.InferenceError, match="did you mean `sums`"):
        fj.build(FORMULA, DATA, likelihood="sum")


@pytest.fixture(scope="module")
def fit() -> fj.Fit:
    return fj.fit(FORMULA, DATA, priors="flat", engine=ENGINE, seed=1, progress=False, likelihood="sums")


def least_squares() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return coefficients and standard errors of the regression by group: three intercepts, three slopes."""
    own = np.eye(3)[CODES]
    columns = np.hstack([own, own * X[:, None]])
    beta, rss, *_ = np.linalg.lstsq(columns, DATA["y"].to_numpy())
    return beta, np.sqrt(rss / (90 - 6) * np.diag(np.linalg.inv(columns.T @ columns)))


@pytest.mark.slow
def test_the_posterior_is_the_classical_t(fit: fj.Fit) -> None:
    assert fit.diagnostics() == ()
    beta, se = least_squares()
    draws = np.concatenate([fit.posterior[name].to_numpy().reshape(-1, 3) for name in ("Intercept", "x")], 1)
    error = se / np.sqrt(1000)  # of 4,000 draws there are more than 1,000 independent ones
    np.testing.assert_array_less(np.abs(draws.mean(axis=0) - beta), 4 * error)
    np.testing.assert_allclose(draws.std(axis=0), se * np.sqrt(84 / 82), rtol=0.1)
    np.testing.assert_allclose(fit.posterior["joint_x"], fit.posterior["x"].mean("g"))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The effect of Potentials")  # the flat prior of sigma, 1/sigma, is one
def test_rows_and_new_responses_are_there_after_the_fit(fit: fj.Fit) -> None:
    np.testing.assert_array_equal(fit.idata["observed_data"]["y"], DATA["y"])
    with fit.model.pymc:
        new = pm.sample_posterior_predictive(fit.idata, random_seed=1, progressbar=False)
    replicates = new["posterior_predictive"]["y"]
    assert replicates.dims == ("chain", "draw", "obs")
    beta, _ = least_squares()
    np.testing.assert_allclose(
        replicates.mean(("chain", "draw")), beta[CODES] + beta[3 + CODES] * X, atol=0.1
    )
