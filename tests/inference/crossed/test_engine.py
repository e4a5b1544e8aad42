"""Fits with several grouping factors, as users see them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import formulajoint as fj
from formulajoint.compiler.plan import Plan
from formulajoint.inference.crossed import applies
from formulajoint.inference.crossed.applies import order_in, why_not
from formulajoint.inference.crossed.cost import is_dear
from formulajoint.inference.crossed.engine import Crossed
from formulajoint.inference.crossed.model import model_of
from formulajoint.inference.crossed.sampling import dear, log_posterior
from formulajoint.inference.crossed.starts import look
from formulajoint.inference.crossed.sums import OneSigma, sums_of
from formulajoint.inference.engine import exact_engine
from formulajoint.inference.importance.pools import sample
from formulajoint.inference.importance.surrogate import sample_dear
from formulajoint.inference.quadrature import LogIntegral
from formulajoint.inference.settings import Settings
from formulajoint.remarks import Missing

SETTINGS = Settings(250, 0, 4, 1, 0.9, False)


def plates(seed: int = 0) -> pd.DataFrame:
    """Return 24 plates by 6 samples, one row each but for missing cells, and a batch of plates."""
    rng = np.random.default_rng(seed)
    plate, sample = (each.ravel() for each in np.indices((24, 6)))
    kept = rng.random(len(plate)) > 0.1
    y = 23 + rng.normal(0, 0.85, 24)[plate] + rng.normal(0, 1.9, 6)[sample] + rng.normal(0, 0.55, len(plate))
    names = {"plate": [f"p{i}" for i in plate], "sample": [f"s{i}" for i in sample]}
    data = pd.DataFrame(
        {"y": y, "x": rng.normal(size=len(y)), "batch": [f"b{i % 4}" for i in plate], **names}
    )
    return data[kept].reset_index(drop=True)


def plan_of(formula: str, priors: str | None = None) -> Plan:
    return fj.model(formula, plates(), priors=priors).plan


def test_the_evidence_and_moments_are_those_of_a_grid() -> None:
    priors = "prior(sigma ~ constant(0.55)), prior(Intercept.sd ~ half_normal(1), over=plate), "
    priors += "prior(Intercept.sd ~ half_normal(3), over=sample)"
    plan = plan_of(f"y ~ 1 + (1 | plate) + (1 | sample), {priors}")
    target = log_posterior(sums_of(model_of(plan)))
    along, across = np.linspace(-1.5, 1.0, 80), np.linspace(-1.5, 3.0, 80)
    grid = np.stack(np.meshgrid(along, across, indexing="ij"), axis=-1).reshape(-1, 2)
    heights = target(grid)
    log_cell = np.log((along[1] - along[0]) * (across[1] - across[0]))
    found = Crossed().log_evidence(plan, 1)
    assert isinstance(found, LogIntegral)
    assert abs(found.value - np.logaddexp.reduce(heights) - log_cell) < 5 * found.error + 1e-3
    draws = Crossed().draw(plan, SETTINGS)
    weights = np.exp(heights - np.logaddexp.reduce(heights))
    for place, name in enumerate(["Intercept|plate_sd", "Intercept|sample_sd"]):
        mean = float(weights @ np.exp(grid[:, place]))
        sd = float(np.sqrt(weights @ np.exp(grid[:, place]) ** 2 - mean**2))
        assert abs(np.mean(draws.values(name)) - mean) < 5 * sd / np.sqrt(1000)


def test_where_all_sds_are_known_draws_are_those_of_generalised_least_squares() -> None:
    priors = "prior(sigma ~ constant(0.5)), prior(Intercept.sd ~ constant(1), over=plate), "
    priors += "prior(Intercept.sd ~ constant(2), over=sample)"
    draws = Crossed().draw(plan_of(f"y ~ 1 + (1 | plate) + (1 | sample), {priors}", "flat"), SETTINGS)
    data, one = plates(), np.ones(len(plates()))
    alike = [data[name].to_numpy()[:, None] == data[name].to_numpy() for name in ("plate", "sample")]
    weights = np.linalg.solve(0.25 * np.eye(len(data)) + 1.0 * alike[0] + 4.0 * alike[1], one)
    sd = (weights @ one) ** -0.5
    found = draws.values("Intercept")
    assert abs(np.mean(found) - sd**2 * (weights @ data["y"])) < 5 * sd / np.sqrt(found.size)
    assert abs(np.std(found) / sd - 1) < 5 / np.sqrt(2 * found.size)


def test_by_interpolation_evidence_and_moments_are_those_of_two_searches() -> None:
    sums = sums_of(model_of(plan_of("y ~ x + (1 | batch/plate) + (1 | sample)")))
    seeds = np.random.SeedSequence(0).spawn(2)
    one = sample_dear(dear(sums), 3000, 500, 4, seeds[0])
    two = sample(log_posterior(sums), look(sums, np.random.default_rng(0)), 500, 4, seeds[1])
    assert one.k_hat < 0.7
    assert abs(one.log_integral - two.log_integral) < 4 * np.hypot(one.error, two.error)
    means, sds = np.mean(two.points[0], axis=(0, 1)), np.std(two.points[0], axis=(0, 1))
    assert np.all(abs(np.mean(one.points[0], axis=(0, 1)) - means) < 5 * sds / np.sqrt(1000))


@pytest.mark.slow
def test_where_a_point_is_dear_draws_share_phi_and_have_coefficients_of_their_own() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 300, 6000), rng.integers(0, 150, 6000)
    y = rng.normal(0, 1, 300)[a] + rng.normal(0, 0.5, 150)[b] + rng.normal(0, 1.2, 6000)
    data = pd.DataFrame({"y": y, "a": [f"a{i}" for i in a], "b": [f"b{i}" for i in b]})
    plan = fj.model("y ~ 1 + (1 | a) + (1 | b)", data).plan
    assert is_dear(sums_of(model_of(plan)).order)
    draws = Crossed().draw(plan, Settings(1000, 0, 4, 1, 0.9, False))
    sigma = draws.values("sigma")
    assert draws.trust.k_hat < 0.7
    assert len(np.unique(sigma)) < sigma.size
    assert len(np.unique(draws.values("Intercept"))) == sigma.size
    assert abs(np.mean(sigma) - 1.2) < 0.05


def test_totals_are_shared_coefficients_plus_deviations() -> None:
    draws = Crossed().draw(plan_of("y ~ x + (1 + x | plate) + (1 | sample)"), SETTINGS)
    for name, factor in [("x", "plate"), ("Intercept", "plate"), ("Intercept", "sample")]:
        total, away = draws.values(f"{name}_by_{factor}"), draws.values(f"{name}|{factor}")
        assert np.allclose(total, draws.values(name)[..., None] + away)
    assert draws.values("plate_cor").shape == (4, 250, 2, 2)
    assert np.all(abs(draws.values("plate_cor")) <= 1 + 1e-12)


def test_groups_of_a_bar_beside_group_terms_have_their_means() -> None:
    fit = fj.fit("y ~ x + (1 | plate) | sample, hierarchy()", plates(), seed=1, draws=250)
    assert fit.engine == "exact"
    draws = Crossed().draw(plan_of("y ~ x + (1 | plate) | sample, hierarchy()"), SETTINGS)
    assert {"x_mean", "Intercept_mean", "x_sd", "Intercept|plate_sd", "sample_cor"} <= set(draws.variables)


def test_a_bar_without_a_hierarchy_keeps_each_group_apart() -> None:
    draws = Crossed().draw(plan_of("y ~ x + (1 | plate) | sample"), SETTINGS)
    assert draws.values("x").shape == (4, 250, 6)
    own = plates().assign(away=lambda d: d["y"] - d.groupby("plate")["y"].transform("mean"))
    order = [f"s{i}" for i in range(6)]
    by_hand = own.groupby("sample")["y"].mean()[order]
    assert np.corrcoef(np.mean(draws.values("Intercept"), axis=(0, 1)), by_hand)[0, 1] > 0.99


def test_same_seed_same_draws() -> None:
    plan = plan_of("y ~ x + (1 | plate) + (1 | sample)")
    one, two = (Crossed().draw(plan, SETTINGS) for _ in range(2))
    assert all(np.array_equal(one.values(name), two.values(name)) for name in one.variables)


def test_flat_priors_give_a_posterior_about_the_least_squares_fit_of_balanced_data() -> None:
    data = plates().groupby("plate").filter(lambda d: len(d) == 6)
    plan = fj.model("y ~ 1 + (1 | plate) + (1 | sample)", data, priors="flat").plan
    draws = Crossed().draw(plan, SETTINGS)
    intercept = draws.values("Intercept")
    assert abs(np.mean(intercept) - data["y"].mean()) < 5 * np.std(intercept) / np.sqrt(1000)


@pytest.mark.parametrize(
    ("formula", "reason"),
    [
        ("y ~ x + (1 | plate) + (1 | sample), sigma ~ x", "predictors give sigma more than 8 values"),
        (
            "y ~ x + (1 | plate) + (1 | sample), sigma ~ 1 | plate:batch",
            "sigma is by plate:batch, of which there",
        ),
        ("y ~ x + (1 | plate) + (1 | sample), sigma ~ 1 | batch, hierarchy(sigma)", "sigma has a hierarchy"),
        ("y ~ x + (1 | plate) + (1 | sample), prior(x ~ laplace(0, 1))", "`x` is laplace"),
        ("y ~ x + (1 | plate) | sample, prior(x ~ cauchy(0, 1))", "`x` is cauchy"),
        (
            "y ~ x + (1 | plate) | sample, hierarchy(dist=student)",
            "12 coefficients with Student or Cauchy priors",
        ),
        ("y ~ x + (1 | plate) | sample, hierarchy(scale=sigma)", "in residual sds"),
        ("y ~ I(x + 1e4) + (1 + I(x + 1e4) | plate) + (1 | sample)", "write center"),
        ("y ~ (x + batch | plate) + (1 | sample)", "more than 12"),
        ("y ~ x + (1 | plate) + (1 | sample), family(laplace)", "laplace, which no exact engine covers"),
    ],
)
def test_what_the_engine_does_not_cover_it_refuses_with_the_reason(formula: str, reason: str) -> None:
    found = exact_engine(plan_of(formula))
    assert isinstance(found, Missing)
    assert reason in found.reason


def test_what_is_left_is_counted_without_the_largest_factor() -> None:
    plan = plan_of("y ~ x + (1 + x | plate) + (1 | sample)")
    sums = sums_of(model_of(plan))
    assert order_in(plan).left == sums.remaining + sums.k == 6 + 2
    assert why_not(plan) is None
    plan = plan_of("y ~ x + (1 | plate) | sample, hierarchy(x)")
    sums = sums_of(model_of(plan))
    assert order_in(plan).left == sums.remaining + sums.k


def test_a_sigma_too_small_for_double_precision_is_refused() -> None:
    data = plates().assign(
        y=lambda d: d["plate"].str[1:].astype(float) + 100 * d["sample"].str[1:].astype(float)
    )
    data["y"] += 1e-4 * np.random.default_rng(0).normal(size=len(data))
    plan = fj.model("y ~ 1 + (1 | plate) + (1 | sample)", data).plan
    with pytest.raises(fj.errors.InferenceError, match="double precision"):
        Crossed().draw(plan, SETTINGS)


@pytest.mark.parametrize(
    "formula",
    [
        "y ~ x + (1 + x | plate) + (1 | sample)",
        "y ~ x + (1 | plate) + (0 + x | batch) + (1 + x | sample)",
        "y ~ x + (1 | plate) + (1 + x | batch)",
    ],
)
def test_coefficients_that_meet_are_counted(formula: str) -> None:
    plan = plan_of(formula)
    sums = sums_of(model_of(plan))
    assert isinstance(sums.products, OneSigma)
    p = len(sums.products.own)
    assert sums.products.by_group.nnz == order_in(plan).met[0] * p * (p + 1) / 2
    assert [len(level.first) for level in sums.levels] == list(order_in(plan).met[1:])


@pytest.mark.parametrize(
    ("limit", "reason"), [("MOST_LEFT", "coefficients remain"), ("MOST_MEETINGS", "meet")]
)
def test_a_model_that_is_too_large_is_refused(
    limit: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(applies, limit, 5)
    found = exact_engine(plan_of("y ~ x + (1 | plate) + (1 | sample)"))
    assert isinstance(found, Missing)
    assert reason in found.reason
