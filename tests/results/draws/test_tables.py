"""Tables of a posterior whose draws are known."""

from __future__ import annotations

from collections.abc import Callable

import arviz as az
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from formulajoint.errors import InferenceError
from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.draws.tables import contrasts, describe, summary, weights

type MadeUp = Callable[..., Posterior]

ONE = "test_score ~ treatment | school, joint(weights=n)"
SIGMAS = "test_score ~ treatment | school, sigma ~ 1 | school"


def shortest(draws: NDArray[np.float64], prob: float) -> tuple[float, float]:
    """Return the shortest interval with `prob` of the draws, found by looking at all of them."""
    ordered = np.sort(draws.ravel())
    inside = int(np.floor(prob * ordered.size))
    widths = ordered[inside:] - ordered[: ordered.size - inside]
    first = int(np.argmin(widths))
    return ordered[first], ordered[first + inside]


@pytest.fixture
def posterior(made_up: MadeUp, tutoring: pd.DataFrame) -> Posterior:
    """Return a posterior with skewed draws of one coefficient, and another that a walk explored badly."""
    rng = np.random.default_rng(7)
    treatment = np.stack([rng.gamma(2, 3, (4, 500)), rng.normal(size=(4, 500)).cumsum(axis=1)], axis=-1)
    return made_up(ONE, tutoring, draws=500, treatment=treatment)


# --- figures


@pytest.mark.parametrize("prob", [0.95, 0.5])
def test_the_figures_of_a_row_are_those_of_its_draws(posterior: Posterior, prob: float) -> None:
    table = summary(posterior, prob)
    data = posterior.tree["posterior"]["treatment"]
    for school in "AB":
        draws = data.sel(school=school).to_numpy()
        row = table.loc[f"treatment[{school}]"]
        assert row["mean"] == pytest.approx(draws.mean())
        assert row["sd"] == pytest.approx(draws.std(ddof=1))
        assert (row["hdi_low"], row["hdi_high"]) == pytest.approx(shortest(draws, prob))


def test_ess_and_r_hat_are_those_of_arviz(posterior: Posterior) -> None:
    table = summary(posterior)
    data = posterior.tree["posterior"].to_dataset()
    bulk, tail = az.ess(data, method="bulk"), az.ess(data, method="tail", prob=(0.05, 0.95))
    r_hat = az.rhat(data)
    for school in "AB":
        cell, row = {"school": school}, table.loc[f"treatment[{school}]"]
        assert row["ess_bulk"] == pytest.approx(float(bulk["treatment"].sel(cell)))
        assert row["ess_tail"] == pytest.approx(float(tail["treatment"].sel(cell)))
        assert row["r_hat"] == pytest.approx(float(r_hat["treatment"].sel(cell)))
    assert table.loc["treatment[B]", "r_hat"] > 1.1 > table.loc["treatment[A]", "r_hat"]


@pytest.mark.parametrize(
    ("signs", "expected"),
    [
        ([1, 1, 1, 1], 1.0),
        ([-1, -1, -1, 1], 0.75),
        ([1, 1, 1, -1], 0.75),
        ([1, -1, 0, 0], 0.25),
        ([0] * 4, 0.0),
    ],
)
def test_p_direction_is_the_share_of_the_more_probable_sign(
    made_up: MadeUp, tutoring: pd.DataFrame, signs: list[int], expected: float
) -> None:
    draws = np.repeat(np.array(signs, dtype=float)[:, None], 50, axis=1)  # one chain a sign
    table = contrasts(made_up(ONE, tutoring, draws=50, joint_treatment=draws))
    assert table.loc["joint_treatment", "p_direction"] == expected


@pytest.mark.parametrize("prob", [0, 1, 95, -0.5, float("nan"), "0.9", None])
def test_a_probability_that_is_none_is_refused(posterior: Posterior, prob: float) -> None:
    with pytest.raises(InferenceError, match=r"`prob` must lie between 0 and 1.*95 % is 0.95"):
        summary(posterior, prob)
    with pytest.raises(InferenceError, match=r"`prob` must lie between 0 and 1.*95 % is 0.95"):
        contrasts(posterior, prob)


@pytest.mark.parametrize("draws", [1, 2, 3])
def test_a_handful_of_draws_still_makes_a_table(made_up: MadeUp, tutoring: pd.DataFrame, draws: int) -> None:
    table = summary(made_up(ONE, tutoring, chains=1, draws=draws))
    assert np.isfinite(table["mean"]).all()
    assert table["sd"].isna().all() == (draws == 1)


# --- rows


def test_what_is_asked_about_stands_first_and_intercepts_last(
    made_up: MadeUp, tutoring: pd.DataFrame, posterior: Posterior
) -> None:
    table = summary(posterior)
    assert list(table.index) == ["treatment[A]", "treatment[B]", "sigma", "Intercept[A]", "Intercept[B]"]
    asked = {
        "": ["Intercept", "treatment", "pre", "sigma"],
        ", joint(pre)": ["pre", "treatment", "sigma", "Intercept"],
        ", test(pre[A] == pre[B])": ["pre", "treatment", "sigma", "Intercept"],
        ", contrast(treatment[A] - Intercept[A])": ["Intercept", "treatment", "pre", "sigma"],
        ", pairwise(Intercept)": ["Intercept", "treatment", "pre", "sigma"],
    }
    frame = tutoring.assign(pre=np.arange(10.0) ** 2)
    for clause, expected in asked.items():
        names = summary(made_up(f"test_score ~ treatment + pre | school{clause}", frame)).index
        assert list(dict.fromkeys(name.partition("[")[0] for name in names)) == expected, clause


def test_rows_have_names_and_figures(posterior: Posterior) -> None:
    table = summary(posterior)
    assert list(table.columns) == ["mean", "sd", "hdi_low", "hdi_high", "ess_bulk", "ess_tail", "r_hat"]
    assert table.index.name == "parameter"


def test_contrasts_have_a_table_of_their_own(posterior: Posterior) -> None:
    table = contrasts(posterior)
    assert list(table.index) == ["joint_treatment"]
    assert list(table.columns) == [
        *("mean", "sd", "median", "hdi_low", "hdi_high", "p_direction", "ess_bulk", "r_hat", "weights"),
    ]
    assert table.index.name == "contrast"


def test_without_contrasts_their_table_is_empty_with_the_same_columns(
    made_up: MadeUp, tutoring: pd.DataFrame, posterior: Posterior
) -> None:
    table = contrasts(made_up("test_score ~ treatment | school", tutoring))
    assert table.empty
    assert list(table.columns) == list(contrasts(posterior).columns)
    assert table.index.name == "contrast"


def test_what_only_serves_the_sampler_is_left_out_and_pooling_stands_after_the_coefficients(
    made_up: MadeUp, tutoring: pd.DataFrame
) -> None:
    formula = (
        "test_score ~ treatment | school, hierarchy(centered=false), sigma ~ 1 | school, hierarchy(sigma), "
        "joint(weights=precision)"
    )
    posterior = made_up(formula, tutoring)
    assert {"treatment_offset", "sigma_raw"} <= set(posterior.tree["posterior"].data_vars)
    assert [name.partition("[")[0] for name in dict.fromkeys(summary(posterior).index)] == [
        *("treatment", "treatment", "treatment_mean", "treatment_sd", "school_cor"),
        *("sigma_mean", "sigma_sd", "sigma", "sigma"),
        *("Intercept", "Intercept", "Intercept_mean", "Intercept_sd"),
    ]


def test_cells_of_a_factor_are_labelled_by_group_and_level(made_up: MadeUp, clinics: pd.DataFrame) -> None:
    values = np.arange(6.0).reshape(3, 2)  # clinic, arm
    posterior = made_up(
        "outcome ~ arm | clinic, joint()", clinics, arm=np.broadcast_to(values, (4, 200, 3, 2))
    )
    table = summary(posterior)
    means = table.loc[[name for name in table.index if name.startswith("arm")], "mean"]
    assert means.to_dict() == {
        "arm[east, high - control]": 0,
        "arm[east, low - control]": 1,
        "arm[north, high - control]": 2,
        "arm[north, low - control]": 3,
        "arm[south, high - control]": 4,
        "arm[south, low - control]": 5,
    }
    assert list(contrasts(posterior).index) == ["joint_arm[high - control]", "joint_arm[low - control]"]


def test_of_a_correlation_matrix_each_pair_stands_once(made_up: MadeUp, clinics: pd.DataFrame) -> None:
    matrix = np.array([[1.0, 0.1, 0.2], [0.1, 1.0, 0.3], [0.2, 0.3, 1.0]])
    posterior = made_up(
        "outcome ~ age + year | clinic, hierarchy()",
        clinics,
        clinic_cor=np.broadcast_to(matrix, (4, 200, 3, 3)),
    )
    table = summary(posterior)
    assert table.loc[[name for name in table.index if "_cor" in name], "mean"].to_dict() == pytest.approx(
        {"clinic_cor[Intercept, age]": 0.1, "clinic_cor[Intercept, year]": 0.2, "clinic_cor[age, year]": 0.3}
    )


# --- moments that do not exist


def blank(table: pd.DataFrame, column: str) -> set[str]:
    return set(table.index[table[column].isna()])


def test_with_flat_priors_and_rows_to_spare_every_moment_exists(
    made_up: MadeUp, tutoring: pd.DataFrame
) -> None:
    table = summary(made_up(ONE, tutoring, priors="flat"))  # 10 rows, rank 4
    assert not blank(table, "mean") | blank(table, "sd")


@pytest.mark.parametrize(
    ("rows", "means", "sds"),
    [
        ([0, 1, 2, 4, 5, 8, 9], False, False),  # 7 rows, rank 4: a t with 3 degrees of freedom
        ([0, 1, 2, 4, 5, 9], False, True),  # 2
        ([0, 1, 2, 4, 9], True, True),  # 1
    ],
)
def test_few_rows_more_than_coefficients_leave_moments_blank(
    made_up: MadeUp, tutoring: pd.DataFrame, rows: list[int], means: bool, sds: bool
) -> None:
    posterior = made_up(ONE, tutoring.iloc[rows], priors="flat")
    for table in (summary(posterior), contrasts(posterior)):
        assert blank(table, "mean") == (set(table.index) if means else set())
        assert blank(table, "sd") == (set(table.index) if sds else set())
        assert not table["hdi_low"].isna().any()


def test_a_group_of_four_rows_with_its_own_sigma_has_no_sd(made_up: MadeUp, tutoring: pd.DataFrame) -> None:
    table = summary(made_up(SIGMAS, tutoring, priors="flat"))
    assert blank(table, "sd") == {"Intercept[A]", "treatment[A]", "sigma[A]"}
    assert not blank(table, "mean")


def test_all_levels_of_a_factor_are_blank_in_that_group_alone(made_up: MadeUp, clinics: pd.DataFrame) -> None:
    frame = clinics.iloc[[*range(5), *range(6, 24)]]  # north has five rows for three coefficients
    table = summary(made_up("outcome ~ arm | clinic, sigma ~ 1 | clinic", frame, priors="flat"))
    assert blank(table, "sd") == {
        "Intercept[north]",
        "arm[north, high - control]",
        "arm[north, low - control]",
        "sigma[north]",
    }


@pytest.mark.parametrize(
    ("clause", "is_blank"),
    [
        ("joint(weights=n)", True),
        ("joint(weights=n, scale=sd)", True),
        ("joint(weights={A: 0, B: 1})", False),  # only the group that has an sd
        ("joint(weights=precision)", False),  # silences a group while its sigma is large
        ("joint(weights=n, scale=sigma)", False),  # a normal plus one over a root of chi-squared
        ("rms(weights=n)", True),
    ],
)
def test_an_average_is_blank_where_a_group_that_counts_is(
    made_up: MadeUp, tutoring: pd.DataFrame, clause: str, is_blank: bool
) -> None:
    table = contrasts(made_up(f"{SIGMAS}, {clause}", tutoring, priors="flat"))
    assert table["sd"].isna().all() == is_blank
    assert not table["mean"].isna().any()


def test_proper_priors_have_all_moments(made_up: MadeUp, tutoring: pd.DataFrame) -> None:
    few = tutoring.iloc[[0, 1, 2, 4, 9]]
    formula = f"{SIGMAS}, joint()"
    for priors in (None, "flat"):
        written = ", prior(sigma ~ half_cauchy(10), Intercept ~ normal(0, 9))" if priors else ""
        posterior = made_up(formula + written, few if priors is None else tutoring, priors=priors)
        assert not blank(summary(posterior), "sd") | blank(contrasts(posterior), "sd")


@pytest.mark.parametrize(("prior", "df"), [("", 2), (", prior(sigma ~ flat())", 1)])
def test_a_flat_sigma_costs_one_row_more_than_one_over_sigma(
    made_up: MadeUp, tutoring: pd.DataFrame, prior: str, df: int
) -> None:
    table = summary(made_up(ONE + prior, tutoring.iloc[[0, 1, 2, 4, 5, 9]], priors="flat"))
    assert table["sd"].isna().all()
    assert table["mean"].isna().all() == (df == 1)


def test_pooled_coefficients_cost_no_rows(made_up: MadeUp, tutoring: pd.DataFrame) -> None:
    five = tutoring.iloc[[0, 1, 2, 4, 9]]
    pooled = made_up("test_score ~ treatment | school, hierarchy()", five, priors="flat")
    assert not blank(summary(pooled), "sd")  # 5 rows for two flat means leave 3
    alone = made_up(
        "test_score ~ treatment | school, hierarchy(treatment)", tutoring.iloc[[0, 2, 4, 5, 9]], priors="flat"
    )
    assert blank(summary(alone), "sd") == {
        "Intercept[A]",
        "Intercept[B]",
        "sigma",
    }  # two intercepts and a mean leave 2


def test_weighted_rows_count_as_often_as_they_weigh(made_up: MadeUp, tutoring: pd.DataFrame) -> None:
    twice = tutoring.iloc[[0, 1, 2, 4, 5, 9]].assign(w=2)
    table = summary(made_up(f"{ONE}, weights(w)", twice, priors="flat"))  # 12 rows, not 6
    assert not blank(table, "sd")


def test_sigmas_of_other_groups_than_the_coefficients_blank_by_the_least(
    made_up: MadeUp, clinics: pd.DataFrame
) -> None:
    frame = clinics.assign(half=["u"] * 5 + ["v"] * 19)
    table = summary(made_up("outcome ~ 1 | clinic, sigma ~ 1 | half", frame, priors="flat"))
    assert not blank(table, "sd")
    frame = clinics.assign(half=["u"] * 3 + ["v"] * 21)
    table = summary(made_up("outcome ~ 1 | clinic, sigma ~ 1 | half", frame, priors="flat"))
    assert blank(table, "sd") == {
        *("Intercept[east]", "Intercept[north]", "Intercept[south]", "sigma[u]"),
    }


# --- weights


def one(posterior: Posterior) -> pd.Series:
    (contrast,) = posterior.plan.contrasts
    return weights(posterior, contrast)


def test_weights_by_group(made_up: MadeUp, tutoring: pd.DataFrame) -> None:
    posterior = made_up(ONE, tutoring)
    assert one(posterior).to_dict() == pytest.approx({"A": 0.4, "B": 0.6})
    assert contrasts(posterior).loc["joint_treatment", "weights"] == "n: A 0.4, B 0.6"


def test_weights_that_change_from_draw_to_draw_are_shown_by_their_mean(
    made_up: MadeUp, tutoring: pd.DataFrame
) -> None:
    drawn = np.stack([np.full((4, 200), 0.25), np.full((4, 200), 0.75)], axis=-1)
    drawn[:2] = 0.5
    posterior = made_up(f"{SIGMAS}, joint(weights=precision)", tutoring, joint_treatment_weights=drawn)
    assert one(posterior).to_dict() == pytest.approx({"A": 0.375, "B": 0.625})
    text = contrasts(posterior).loc["joint_treatment", "weights"]
    assert text == "precision (posterior mean): A 0.375, B 0.625"


def test_weights_of_a_factor_by_group_and_level(made_up: MadeUp, clinics: pd.DataFrame) -> None:
    posterior = made_up("outcome ~ arm | clinic, joint(weights=precision)", clinics)
    series = one(posterior)
    assert series.index.names == ["clinic", "arm_dim"]
    assert series.groupby(level="arm_dim").sum().to_dict() == pytest.approx({"high": 1, "low": 1})
    text = contrasts(posterior).loc["joint_arm[low - control]", "weights"]
    assert text == contrasts(posterior).loc["joint_arm[high - control]", "weights"]
    assert text.startswith(f"precision: east high {series['east', 'high']:.3g}, east low ")


def test_many_weights_are_counted(made_up: MadeUp) -> None:
    frame = pd.DataFrame({"y": np.arange(30.0) ** 2, "x": [0, 1, 2] * 10, "g": np.repeat(np.arange(10), 3)})
    posterior = made_up("y ~ x | g, joint()", frame)
    assert contrasts(posterior).loc["joint_x", "weights"] == "n: 10 weights, 0.1 each"
    posterior = made_up("y ~ x | g, joint()", frame.iloc[:29])
    assert contrasts(posterior).loc["joint_x", "weights"] == "n: 10 weights, 0.069 to 0.103 each"


def test_what_is_no_number_in_some_draws_has_no_figure() -> None:
    draws = np.random.default_rng(1).normal(size=(2, 2, 100))
    whole = describe(["a", "b"], list(draws), 0.95)
    draws[1, 0, :2] = np.inf, np.nan
    found = describe(["a", "b"], list(draws), 0.95)
    assert found.loc["b"].isna().all()
    pd.testing.assert_series_equal(found.loc["a"], whole.loc["a"])
