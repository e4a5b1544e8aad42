"""The table of joint tests on posteriors known exactly: drawn from their closed form, or made up."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from math import log
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import stats
from xarray import Dataset, DataTree

import formulajoint as fj
from formulajoint.compiler.plan import Plan
from formulajoint.contrasts.hypotheses import hypothesis
from formulajoint.contrasts.layout import layout
from formulajoint.errors import InferenceError
from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.joint_tests.figures import contour_probability
from formulajoint.results.joint_tests.joint_test import joint_tests
from formulajoint.results.joint_tests.quantities import quantities, row_labels
from formulajoint.results.joint_tests.table import COLUMNS, joint_table
from formulajoint.spec.read import parse_hypotheses

type MadeUp = Callable[..., Posterior]
type Array = NDArray[np.float64]

HERE = Path(__file__).parents[2]
REFERENCES = json.loads((HERE / "reference" / "f_tests.json").read_text())
LINE = "test_score ~ treatment | school"


def data(name: str) -> pd.DataFrame:
    return fj.tutoring() if name == "tutoring" else pd.read_csv(HERE / "data" / f"{name}.csv")


def lines(name: str) -> str:
    """Return the regression by group of a data set that R has figures of."""
    known = REFERENCES[name]
    return f"{known['response']} ~ {known['predictor']} | {known['group']}"


def columns(plan: Plan) -> Array:
    """Return the columns of ``y ~ x | g`` without the package: intercepts, then slopes."""
    grouping = plan.design.predictor.grouping
    groups = np.eye(len(grouping))[grouping.codes]
    x = plan.design.predictor.per_group[1].columns
    return np.hstack([groups, groups * x])


def exact(plan: Plan, draws: int = 1000, seed: int = 1) -> Posterior:
    """Return independent draws of the posterior of ``y ~ x | g`` under flat priors and 1/sigma."""
    rng = np.random.default_rng(seed)
    x, y = columns(plan), plan.design.response.values
    estimate, (rss,), *_ = np.linalg.lstsq(x, y)
    sigma = np.sqrt(rss / rng.chisquare(x.shape[0] - x.shape[1], (4, draws)))
    root = np.linalg.inv(np.linalg.qr(x, mode="r"))
    b = estimate + sigma[..., None] * (rng.normal(size=(4, draws, len(estimate))) @ root.T)
    half = len(estimate) // 2
    names = [c.name for c in plan.mean.coefficients]
    variables = {name: (("chain", "draw", dim), part) for name, dim, part in
                 zip(names, [plan.mean.coefficients[0].dims[0]] * 2, (b[..., :half], b[..., half:]), strict=True)}  # fmt: skip
    variables["sigma"] = (("chain", "draw"), sigma)
    dataset = Dataset(variables, {dim: list(labels) for dim, labels in plan.coords.items()})
    return Posterior(plan, DataTree.from_dict({"posterior": dataset}), "exact")


def flat(name: str, draws: int = 1000) -> Posterior:
    return exact(fj.model(lines(name), data(name), priors="flat").plan, draws)


def row(posterior: Posterior, text: str, rope: float | None = None) -> pd.Series:
    design = posterior.plan.design
    table = joint_table(joint_tests(posterior, [hypothesis(design, parse_hypotheses(text))], rope))
    assert list(table.columns) == COLUMNS
    assert table.index.name == "hypothesis"
    return table.iloc[0]


def test_the_whole_table_prints_the_columns_that_have_figures() -> None:
    posterior = flat("tutoring")
    hypotheses = [hypothesis(posterior.plan.design, parse_hypotheses("treatment == 0"))]
    table = joint_table(joint_tests(posterior, hypotheses))
    head, *_, last = str(table).splitlines()
    assert {"rank", "contour", "p_value"} <= set(head.split())
    assert not {column for column in head.split() if column.endswith("_mcse") or table[column].isna().all()}
    assert (
        last
        == f"{len(COLUMNS) - len(head.split()) - 1} more columns have Monte Carlo errors or are empty here: "
        + ("`.columns` names all.")
    )
    assert "contour_mcse" in str(table[["contour", "contour_mcse"]])
    assert "contour_mcse" not in table._repr_html_()
    assert "contour_mcse" in table.T._repr_html_()


def notes(posterior: Posterior, text: str) -> list[str]:
    return row(posterior, text)["note"].split("; ")


# --- flat priors: the F test comes back


@pytest.mark.parametrize("name", ["tutoring", "pigs", "mtcars", "iris", "warpbreaks_tension"])
def test_the_contour_is_the_p_value_of_the_f_test(name: str) -> None:
    posterior = flat(name)
    x, labels = REFERENCES[name]["predictor"], posterior.plan.design.predictor.grouping.labels
    questions = {
        "zero": f"{x} == 0",
        "equal": f"{x} == {x}[{labels[0]}]",
        "intercepts equal": f"Intercept == Intercept[{labels[-1]}]",
    }
    for question, text in questions.items():
        found, known = row(posterior, text), REFERENCES[name][question]
        for column, value in known.items():
            assert found[column] == pytest.approx(value, rel=1e-8)
        if known["p_value"] > 1e-3:
            assert (
                abs(found["contour"] - known["p_value"]) < 4 * found["contour_mcse"] < 0.1 + known["p_value"]
            )
        else:
            assert found["contour"] < 0.003
        assert found["rank"] == known["df_num"]
        if found["rank"] == 1:  # of one quantity the band is as good as the ellipsoid
            assert found["gbpv"] == pytest.approx(found["contour"], abs=2e-3)


@pytest.mark.parametrize(
    ("text", "rank", "p_value"),
    [
        ("Days[309] == 0, Days[310] == 0, Days[335] == 0", 3, 0.0986),
        ("Days[330] == Days[331] == Days[332] == Days[333] == Days[334]", 4, 0.1522),
        (
            "Days[309] == Days[310] == Days[330] == Days[331] == Days[332] == Days[333] == Days[334] == Days[349]"
            " == Days[369] == Days[370] == Days[371] == Days[372]",
            11,
            0.00483,
        ),
    ],
)
def test_the_contour_of_some_of_eighteen_subjects(text: str, rank: int, p_value: float) -> None:
    found = row(flat("sleepstudy", 2000), text)
    assert found["p_value"] == pytest.approx(p_value, rel=1e-3)
    assert abs(found["contour"] - found["p_value"]) < 4 * found["contour_mcse"] < 0.04
    assert found["rank"] == rank


def test_what_no_draw_contradicts_is_bounded() -> None:
    posterior = flat("sleepstudy")
    for question, text in {"zero": "Days == 0", "equal": "Days == Days[308]"}.items():
        found = row(posterior, text)
        assert found["p_value"] == pytest.approx(REFERENCES["sleepstudy"][question]["p_value"], rel=1e-6)
        assert found["contour"] == 0
        (note,) = [part for part in found["note"].split("; ") if "contour" in part]
        names, _, bound = note.partition(": no such draw, so below ")
        assert names.startswith("contour, gbpv, ")
        assert float(bound) == pytest.approx(1 / 4000, rel=0.3)
        assert found["contour_mcse"] == pytest.approx(float(bound), rel=0.3)


def test_contour_and_f_test_do_not_depend_on_how_a_hypothesis_is_written() -> None:
    posterior = flat("mtcars")
    one, other = (
        row(posterior, "wt == wt[4]"),
        row(posterior, "2 * wt[8] == 2 * wt[6], wt[6] == wt[4], wt[4] == wt[8]"),
    )
    for column in ("rank", "contour", "contour_mcse", "statistic", "df_num", "p_value"):
        assert one[column] == pytest.approx(other[column], abs=1e-12), column


def test_contours_of_true_hypotheses_are_uniform() -> None:
    """300 data sets in which three groups have one slope of 2."""
    rng = np.random.default_rng(5)
    frame = pd.DataFrame({"x": rng.normal(3, 2, 21), "g": list("AAAAABBBBBBBCCCCCCCCC")})
    frame["y"] = frame["x"]
    plan = fj.model("y ~ x | g", frame.assign(y=rng.normal(size=21)), priors="flat").plan
    texts = ["x == x[A]", "x == 2"]
    hypotheses = [hypothesis(plan.design, parse_hypotheses(text)) for text in texts]
    contours = []
    for seed in range(300):
        values = 2 * frame["x"].to_numpy() + rng.normal(0, 3, 21)
        design = replace(plan.design, response=replace(plan.design.response, values=values))
        posterior = exact(replace(plan, design=design, data=replace(plan.data, design=design)), 100, seed)
        contours.append([contour_probability(quantities(posterior, h)).value for h in hypotheses])
    for each in np.transpose(contours):
        assert stats.kstest(each, "uniform").pvalue > 0.01
        assert np.mean(each < 0.1) == pytest.approx(0.1, abs=0.06)


# --- which figures are empty, and why


GAUSSIAN_ONLY = "no F test: it needs a Gaussian response with one sigma, or one per group"
NO_RATIO = "no likelihood ratio test for family(laplace): it is for generalised linear models"
FIGURES = [
    "contour",
    "contour_mcse",
    "gbpv",
    "gbpv_mcse",
    "log_bf10",
    "log_bf10_mcse",
    "statistic",
    "df_num",
    "df_denom",
    "p_value",
]


DISAGREE = "the contour does not show an effect, the Bayes factor does: they weigh the prior differently"
"""The draws are made up, so their contour shows nothing, while Bayes factors come from the data."""

WEAK = (
    "under a hierarchy the contour is weak, since effects are drawn together: without any effect it is 0.81 to 1.00 in "
    "90 % of studies, so go by the Bayes factor and the weighted mean"
)


@pytest.mark.parametrize(
    ("formula", "priors", "empty", "expected"),
    [
        (
            LINE,
            None,
            [],
            ["prior sd 39.4 of treatment: with half of it log BF10 is 10.87, with twice 8.66", DISAGREE],
        ),
        (LINE, "flat", ["log_bf10"], ["no Bayes factor: flat priors have no density"]),
        (
            f"{LINE}, hierarchy()",
            None,
            [],
            [
                "prior sd 39.4 of treatment_mean and 39.4 of treatment_sd: with half of it log BF10 is 11.2, with twice 9.5",
                DISAGREE,
                WEAK,
            ],
        ),
        (
            f"{LINE}, family(laplace)",
            None,
            ["log_bf10", "p_value"],
            [NO_RATIO, "no Bayes factor: the response is laplace, which no exact engine covers"],
        ),
        (
            f"{LINE}, sigma ~ 1 | school",
            None,
            ["df_denom"],
            [
                "contour by scores, group by group",
                "prior sd 23.1 to 57.8 of treatment: with half of it log BF10 is 8.8, with twice 6.5",
                DISAGREE,
            ],
        ),
        (
            "test_score ~ treatment + common(age) | school, sigma ~ 1 | school, prior(sigma ~ inverse_gamma(3, 2))",
            None,
            ["p_value"],
            [
                "no classical test: a coefficient is shared by groups that have a sigma each",
                "prior sd 23.1 to 57.8 of treatment: with half of it log BF10 is 16.9, with twice 14.6",
                DISAGREE,
            ],
        ),
        (
            f"{LINE}, sigma ~ treatment | school, hierarchy(sigma)",
            None,
            ["log_bf10", "p_value"],
            [GAUSSIAN_ONLY, "no Bayes factor: coefficients of sigma are pooled"],
        ),
        (
            f"{LINE}, sigma ~ 1 | school",
            "flat",
            ["gbpv", "log_bf10", "df_denom"],
            [
                "contour by scores, group by group",
                "no band: the posterior has no covariance",  # four rows in school A
                "no Bayes factor: flat priors have no density",
            ],
        ),
        (
            "test_score ~ treatment + {treatment * 2} | school",
            None,
            ["p_value"],
            [
                "no F test: the data do not determine `treatment[A]`, `treatment[B]`",
                "prior sd 39.4 of treatment: with half of it log BF10 is -0.19, with twice -1.49",
            ],
        ),
        (
            f"{LINE}, prior(treatment ~ cauchy(0, 5))",
            None,
            ["log_bf10"],
            ["no Bayes factor: the prior of `treatment` is cauchy, not normal"],
        ),
    ],
)
def test_notes_say_why_cells_are_empty(
    made_up: MadeUp,
    tutoring: pd.DataFrame,
    formula: str,
    priors: str | None,
    empty: list[str],
    expected: list[str],
) -> None:
    found = row(made_up(formula, tutoring.assign(age=np.arange(10) % 4), priors), "treatment == 0")
    assert [_coarse(note) for note in found["note"].split("; ")] == [_coarse(note) for note in expected]
    groups = {
        "gbpv": FIGURES[2:4],
        "log_bf10": FIGURES[4:6],
        "p_value": FIGURES[6:],
        "df_denom": ["df_denom"],
    }
    missing = {column for group in empty for column in groups[group]}
    assert {column for column in FIGURES if np.isnan(found[column])} == missing


def _coarse(note: str) -> str:
    """Return a note with Bayes factors to one decimal, which an importance sample on any machine agrees on."""
    return re.sub(
        r"(?<=BF10 is )\d+\.\d+|(?<=with twice )\d+\.\d+", lambda found: f"{float(found[0]):.1f}", note
    )


def test_a_covariance_exists_from_three_degrees_of_freedom_on(made_up: MadeUp) -> None:
    frame = pd.DataFrame({"y": [1.0, 3, 2, 5, 4, 7, 1], "x": [0.0, 1, 2, 0, 1, 2, 3], "g": list("AAABBBB")})
    missing = "no contour or band: the posterior has no covariance"
    assert missing not in notes(
        made_up("y ~ x | g", frame, "flat"), "x == 0"
    )  # seven rows, four coefficients
    assert missing in notes(made_up("y ~ x | g", frame[:6], "flat"), "x == 0")
    assert missing not in notes(made_up("y ~ x | g", frame[:6]), "x == 0")


def test_few_draws_are_noted(made_up: MadeUp) -> None:
    frame = pd.DataFrame({"y": np.arange(60) * 7 % 11 * 1.0, "x": np.arange(60) % 5, "g": np.arange(60) // 5})
    enough = made_up("y ~ x | g", frame, draws=100)
    assert not any("few" in note for note in notes(enough, "x == 0"))
    few = notes(made_up("y ~ x | g", frame, draws=20), "x == 0")
    assert any(
        note.endswith("effective draws are few for a covariance of rank 12: draw more") for note in few
    )
    fewer = made_up("y ~ x | g", frame, draws=6)
    assert "no contour or band: 12 dimensions need more draws" in notes(fewer, "x == 0")
    assert np.isnan(row(fewer, "x == 0")["gbpv"])


# --- quantities


def test_quantities_are_rows_of_draws_less_the_null(made_up: MadeUp, clinics: pd.DataFrame) -> None:
    posterior = made_up("outcome ~ arm + common(age) | clinic", clinics, draws=50)
    draws = posterior.dataset
    text = "arm[clinic=east, arm=low] - 2 * arm[clinic=south, arm=high] == 3, age == Intercept[north] / 4"
    found = quantities(posterior, hypothesis(posterior.plan.design, parse_hypotheses(text)))
    dim = next(d for d in draws["arm"].dims if d not in ("chain", "draw", "clinic"))
    low = draws["arm"].sel({"clinic": "east", dim: "low"}).to_numpy()
    high = draws["arm"].sel({"clinic": "south", dim: "high"}).to_numpy()
    north = draws["Intercept"].sel(clinic="north").to_numpy()
    np.testing.assert_allclose(found[..., 0], low - 2 * high - 3)
    np.testing.assert_allclose(found[..., 1], draws["age"].to_numpy() - north / 4)
    assert found.shape == (4, 50, 2)


def test_dims_may_stand_in_any_order(made_up: MadeUp, clinics: pd.DataFrame) -> None:
    posterior = made_up("outcome ~ arm | clinic", clinics, draws=50)
    turned = posterior.tree["posterior"].to_dataset().transpose("arm_dim", "draw", "clinic", "chain")
    other = Posterior(posterior.plan, DataTree.from_dict({"posterior": turned}), "nutpie")
    text = "arm[clinic=east] == arm[clinic=north]"
    said = hypothesis(posterior.plan.design, parse_hypotheses(text))
    np.testing.assert_array_equal(quantities(other, said), quantities(posterior, said))


def test_a_constant_is_no_variable_and_still_a_coefficient(made_up: MadeUp, tutoring: pd.DataFrame) -> None:
    posterior = made_up(f"{LINE}, prior(treatment ~ constant(2))", tutoring)
    assert "treatment" not in posterior.dataset
    assert row(posterior, "treatment == 2")["contour"] == 1
    assert row(posterior, "treatment == 1")["contour"] == 0
    assert row(posterior, "treatment > 1")["p_all_positive"] == 1
    text = "treatment == Intercept"
    said = hypothesis(posterior.plan.design, parse_hypotheses(text))
    np.testing.assert_allclose(quantities(posterior, said), 2 - posterior.dataset["Intercept"].to_numpy())


# --- shares of draws


def shares(made_up: MadeUp, tutoring: pd.DataFrame, treatment: list[list[float]]) -> Posterior:
    """Return a posterior of four draws of the treatment's effect in schools A and B, over and over."""
    return made_up(LINE, tutoring, treatment=np.tile(np.array(treatment)[None], (4, 50, 1)))


def test_signs_and_rope(made_up: MadeUp, tutoring: pd.DataFrame) -> None:
    posterior = shares(made_up, tutoring, [[1, 2], [3, 0.5], [-1, -1], [-0.2, 0.3]])
    found = row(posterior, "treatment == 0", rope=1.5)
    assert (found["p_all_positive"], found["p_all_negative"], found["p_in_rope"]) == (0.5, 0.25, 0.5)
    found = row(posterior, "treatment == 1", rope=1.0)
    assert (found["p_all_positive"], found["p_all_negative"], found["p_in_rope"]) == (0, 0.5, 0)
    found = row(posterior, "treatment[A] == treatment[B]", rope=0.6)
    assert (found["p_all_positive"], found["p_all_negative"], found["p_in_rope"]) == (0.25, 0.5, 0.5)
    assert np.isnan(row(posterior, "treatment == 0")["p_in_rope"])


@pytest.mark.parametrize("rope", [0, -1.0, float("nan"), "1"])
def test_a_rope_is_above_zero(made_up: MadeUp, tutoring: pd.DataFrame, rope: float) -> None:
    with pytest.raises(InferenceError, match=f"`rope` must be above zero, not {rope}"):
        row(made_up(LINE, tutoring), "treatment == 0", rope)


# --- orders


ORDER = "order: P(all > 0) is its posterior probability, log BF10 is against the model without the order"


def test_an_order_has_a_probability_and_a_bayes_factor(made_up: MadeUp, tutoring: pd.DataFrame) -> None:
    posterior = shares(made_up, tutoring, [[2, 1], [3, 0.5], [2, -1], [0.2, 0.3]])
    found = row(posterior, "treatment[A] > treatment[B]")
    assert found["p_all_positive"] == 0.75
    assert found["log_bf10"] == pytest.approx(log(0.75 * 2))
    assert (found["rank"], found["note"]) == (1, f"{ORDER}; its prior probability is 0.5")
    found = row(posterior, "treatment[A] > treatment[B] > 0")
    assert found["p_all_positive"] == 0.5
    assert found["log_bf10"] == pytest.approx(log(0.5 * 2**2 * 2))
    assert found["rank"] == 2
    assert found["note"].startswith(f"{ORDER}; its prior probability is 0.125; ")
    found = row(posterior, "treatment[A] < treatment[B]")
    assert found["log_bf10"] == pytest.approx(log(0.25 * 2))
    assert all(np.isnan(found[column]) for column in set(FIGURES) - {"log_bf10", "log_bf10_mcse"})


def test_the_error_of_an_order_is_that_of_its_share(made_up: MadeUp, tutoring: pd.DataFrame) -> None:
    treatment = np.random.default_rng(3).normal([0.5, 0], 1, (4, 500, 2))
    posterior = made_up(LINE, tutoring, draws=500, treatment=treatment)
    found = row(posterior, "treatment[A] > treatment[B]")
    p = found["p_all_positive"]
    assert p == pytest.approx(stats.norm.cdf(0.5 / np.sqrt(2)), abs=0.04)
    assert found["log_bf10_mcse"] == pytest.approx(np.sqrt((1 - p) / p / 2000), rel=0.5)


def test_orders_without_a_bayes_factor(made_up: MadeUp, tutoring: pd.DataFrame) -> None:
    no_draw = shares(made_up, tutoring, [[2, 1]] * 4)
    assert notes(no_draw, "treatment[B] > treatment[A]")[1:] == [
        "no Bayes factor: no draw has the order",
        "P(all > 0): no such draw, so below 0.001",
    ]
    flat_priors = made_up(LINE, tutoring, "flat")
    assert notes(flat_priors, "treatment[A] > treatment[B]")[1:] == [
        "no Bayes factor: flat priors give the order no prior probability"
    ]
    found = row(flat_priors, "treatment[A] > treatment[B]")
    assert found["p_all_positive"] == pytest.approx(0.5, abs=0.1)


def test_a_row_a_hypothesis(made_up: MadeUp, tutoring: pd.DataFrame) -> None:
    posterior = made_up(LINE, tutoring)
    texts = ["treatment == 0", "treatment[A] > treatment[B]"]
    said = [hypothesis(posterior.plan.design, parse_hypotheses(t)) for t in texts]
    table = joint_table(joint_tests(posterior, said))
    assert list(table.index) == texts
    pd.testing.assert_series_equal(table.loc[texts[0]], row(posterior, texts[0]), check_dtype=False)


# --- labels


LABELS = {
    "age == 0": ["age"],
    "age == -2": ["age + 2"],
    "2 * age == 1": ["2 age - 1"],
    "0 == age": ["- age"],
    "arm[east, low] == arm[east, high]": ["arm[east, low - control] - arm[east, high - control]"],
    "arm[east, high] - 2.5 * arm[north, low] == 3": [
        "arm[east, high - control] - 2.5 arm[north, low - control] - 3"
    ],
    "arm[arm=low] == 0": [f"arm[{clinic}, low - control]" for clinic in ("east", "north", "south")],
    "(Intercept[east] + Intercept[north]) / 2 == Intercept[south]": [
        "0.5 Intercept[east] + 0.5 Intercept[north] - Intercept[south]"
    ],
}


@pytest.mark.parametrize("text", LABELS)
def test_labels_say_what_is_compared(made_up: MadeUp, clinics: pd.DataFrame, text: str) -> None:
    posterior = made_up("outcome ~ arm + common(age) | clinic", clinics, draws=10)
    said = hypothesis(posterior.plan.design, parse_hypotheses(text))
    assert row_labels(posterior.plan, said) == LABELS[text]


def test_labels_name_the_cells_of_the_layout(made_up: MadeUp, clinics: pd.DataFrame) -> None:
    posterior = made_up("outcome ~ arm * year + common(severe) | clinic", clinics, draws=10)
    blocks = {block.term.name: block for block in layout(posterior.plan.design)}
    for name, block in blocks.items():
        text = f"{name} == 0"
        labels = row_labels(posterior.plan, hypothesis(posterior.plan.design, parse_hypotheses(text)))
        assert len(labels) == len(set(labels)) == block.size
        for label in labels:
            written = label.replace(" - control", "")  # formulas write the level
            said = hypothesis(posterior.plan.design, parse_hypotheses(f"{written} == 0"))
            assert row_labels(posterior.plan, said) == [label]
