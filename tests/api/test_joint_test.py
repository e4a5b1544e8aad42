"""``fit.test`` and ``fit.bands`` on draws that are given, not sampled."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from xarray import Dataset, DataTree

import formulajoint as fj
from formulajoint.errors import FormulaError, InferenceError
from formulajoint.results.draws.posterior import Posterior


def fit_of(formula: str, data: pd.DataFrame, centre: float = 0.0) -> fj.Fit:
    """Return a fit whose coefficients are 400 draws of N(centre, 1)."""
    model, rng = fj.model(formula, data), np.random.default_rng(1)
    variables = {
        c.name: (
            ("chain", "draw", *c.dims),
            rng.normal(centre, 1, (4, 100, *(len(model.plan.coords[d]) for d in c.dims))),
        )
        for c in model.plan.mean.coefficients
    }
    variables["sigma"] = (("chain", "draw"), rng.gamma(9, 0.1, (4, 100)))
    dataset = Dataset(variables, {dim: list(labels) for dim, labels in model.plan.coords.items()})
    return fj.Fit(model, Posterior(model.plan, DataTree.from_dict({"posterior": dataset}), "given"))


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    """Return the seed data with an age, and classes within the schools."""
    frame = fj.tutoring()
    return frame.assign(age=[11, 12, 11, 13, 12, 12, 11, 13, 12, 11], room=[1, 2, 1, 2, 1, 1, 2, 1, 2, 2])


def test_every_slope_of_the_groups_is_tested_for_zero(data: pd.DataFrame) -> None:
    fit = fit_of("test_score ~ treatment + age + common(room) | school", data)
    table = fit.test()
    assert list(table.index) == ["treatment == 0", "age == 0"]
    pd.testing.assert_frame_equal(table, pd.concat([fit.test("treatment == 0"), fit.test("age == 0")]))
    assert list(table["df_num"]) == [2, 2]


def test_the_rope_and_the_text_reach_the_table(data: pd.DataFrame) -> None:
    fit = fit_of("test_score ~ treatment | school", data)
    draws = fit.posterior["treatment"].to_numpy()
    table = fit.test("treatment[A] = treatment[B]", rope=0.5)
    assert list(table.index) == ["treatment[A] == treatment[B]"]
    inside = np.mean(abs(draws[..., 0] - draws[..., 1]) < 0.5)
    assert table["p_in_rope"].item() == pytest.approx(inside)
    assert np.isnan(fit.test()["p_in_rope"].item())
    order = fit.test("treatment[A] > treatment[B] > 0")
    expected = np.mean((draws[..., 0] > draws[..., 1]) & (draws[..., 1] > 0))
    assert order["p_all_positive"].item() == pytest.approx(expected)


def test_bands_of_all_slopes_and_of_one_hypothesis(data: pd.DataFrame) -> None:
    fit = fit_of("test_score ~ treatment + age | school", data, centre=3)
    names = ["treatment[A]", "treatment[B]", "age[A]", "age[B]"]
    assert list(fit.bands().index) == names
    table = fit.bands("treatment == treatment[A]", prob=0.5)
    assert list(table.index) == ["treatment[B] - treatment[A]"]
    difference = fit.posterior["treatment"].sel(school="B") - fit.posterior["treatment"].sel(school="A")
    inside = (difference >= table["low"].item()) & (difference <= table["high"].item())
    assert float(inside.mean()) == pytest.approx(0.5, abs=0.01)
    wide, narrow = fit.bands(), fit.bands(prob=0.5)
    assert (wide["high"] > narrow["high"]).all()
    assert ((wide["low"] > -0.5) & (wide["high"] < 6.5)).all()


def test_shared_terms_are_tested_by_name(data: pd.DataFrame) -> None:
    fit = fit_of("test_score ~ treatment + common(age) | school", data)
    table = fit.test("treatment == age")
    assert table["rank"].item() == 2
    assert table["p_value"].item() < 1


def test_nested_groups_are_tested_by_their_labels(data: pd.DataFrame) -> None:
    fit = fit_of("test_score ~ 1 | school/room", data)
    table = fit.test("Intercept[A/1] == Intercept[A/2], Intercept[B/1] == Intercept[B/2]")
    assert table["rank"].item() == 2


@pytest.mark.parametrize(
    "formula", ["test_score ~ 1 | school", "test_score ~ treatment", "test_score ~ common(age) | school"]
)
def test_without_slopes_by_group_a_hypothesis_must_be_named(data: pd.DataFrame, formula: str) -> None:
    fit = fit_of(formula, data)
    for ask in (fit.test, fit.bands):
        with pytest.raises(InferenceError, match="name a hypothesis, such as `x == 0`"):
            ask()


@pytest.mark.parametrize(
    ("text", "excerpt"),
    [
        ("tretment == 0", "    tretment == 0\n    ^^^^^^^^\n\ndid you mean `treatment`?"),
        ("treatment[C] == 0", "    treatment[C] == 0\n              ^\n"),
        ("treatment", "    treatment\n"),
        ("treatment != 0", "    treatment != 0\n"),
        ("treatment ~ 1", "    treatment ~ 1\n"),
    ],
)
def test_a_wrong_hypothesis_is_shown_its_place(data: pd.DataFrame, text: str, excerpt: str) -> None:
    fit = fit_of("test_score ~ treatment | school", data)
    for ask in (fit.test, fit.bands):
        with pytest.raises(FormulaError) as error:
            ask(text)
        assert excerpt in str(error.value)


def test_a_formula_is_no_hypothesis(data: pd.DataFrame) -> None:
    fit = fit_of("test_score ~ treatment | school", data)
    with pytest.raises(InferenceError, match="A hypothesis is a text such as 'treatment == 0', not 0"):
        fit.test(0)


# --- tests that the formula asks for


ASKED = "test_score ~ treatment | school, test(treatment[A] == treatment[B], name=same), test(treatment[A] > treatment[B] > 0)"


def test_clauses_add_rows_after_those_of_all_slopes(data: pd.DataFrame) -> None:
    fit = fit_of(ASKED, data, centre=1)
    assert list(fit.test().index) == ["treatment == 0", "same", "treatment[A] > treatment[B] > 0"]
    asked = fit.test("treatment[A] == treatment[B]")
    same = fit.test().loc[["same"]]
    assert same["note"].item() == f"treatment[A] == treatment[B]; {asked['note'].item()}"
    pd.testing.assert_frame_equal(
        same.drop(columns="note").reset_index(drop=True),
        asked.drop(columns="note").reset_index(drop=True),
        check_dtype=False,
    )
    assert fit.test("treatment == 0").index.item() == "treatment == 0", (
        "what is asked of the fit stands alone"
    )


def test_clauses_make_no_node_and_change_no_prior(data: pd.DataFrame) -> None:
    plain, asked = fj.model("test_score ~ treatment | school", data), fj.model(ASKED, data)
    assert asked.priors == plain.priors
    assert asked.plan.variables == plain.plan.variables
    assert asked.plan.contrasts == ()


def test_clauses_are_printed_explained_and_in_the_record(data: pd.DataFrame) -> None:
    fit = fit_of(ASKED, data, centre=1)
    printed = [line.split("  ")[0].strip() for line in str(fit).splitlines()]
    assert "treatment == 0 in every school" in printed
    assert "same" in printed
    assert "treatment[A] > treatment[B] > 0" in printed
    assert "same: whether treatment[A] == treatment[B]" in fit.model.explain().splitlines()
    assert "test: whether treatment[A] > treatment[B] > 0" in fit.model.explain().splitlines()
    record = fit.record()
    assert [row["hypothesis"] for row in record["tests"]] == list(fit.test().index)
    assert record["hypotheses"] == [
        {"name": "same", "hypothesis": "treatment[A] == treatment[B]"},
        {"name": "treatment[A] > treatment[B] > 0", "hypothesis": "treatment[A] > treatment[B] > 0"},
    ]


def test_what_a_clause_asks_is_not_asked_twice(data: pd.DataFrame) -> None:
    named = fit_of("test_score ~ treatment | school, test(treatment == 0, name=effect)", data)
    assert list(named.test().index) == ["effect"]
    plain = fit_of("test_score ~ treatment | school, test(treatment == 0)", data)
    assert list(plain.test().index) == ["treatment == 0"]


def test_a_clause_of_several_hypotheses_joins_them_by_and(data: pd.DataFrame) -> None:
    fit = fit_of("test_score ~ treatment + common(age) | school, test(treatment[A] == 0, age == 0)", data)
    assert fit.test()["rank"].to_dict() == {"treatment == 0": 2, "treatment[A] == 0, age == 0": 2}


@pytest.mark.parametrize("formula", ["test_score ~ treatment + age, test(treatment == age)", "test_score ~ 1 | school, test(Intercept == Intercept[A])"])  # fmt: skip
def test_clauses_need_no_slopes_by_group(data: pd.DataFrame, formula: str) -> None:
    fit = fit_of(formula, data)
    label = formula.partition("test(")[2].removesuffix(")")
    assert list(fit.test().index) == [label]
    assert label in str(fit)


WRONG_CLAUSES = {
    "test(«tretment» == 0)": ("the formula has no term `tretment`", "did you mean `treatment`?"),
    "test(treatment[«C»] == 0)": ("`school` has no level `C`", "the levels are `A`, `B`"),
    "test(treatment * «treatment» == 0)": ("`treatment * treatment` is not linear in the coefficients", ""),
    "test(treatment == 0, «treatment > 0»)": ("equalities and orders are different hypotheses", "test them one by one"),
    "test(«treatment[A] == 0, treatment[A] == 1»)": ("these equalities contradict each other", "take one of them out"),
    "test(«treatment[A] > treatment[B], treatment[B] > treatment[A]»)": ("these orders contradict each other", ""),
    "test(treatment[A] == 0), «test(treatment[A] == 0)»": ("there are two tests `treatment[A] == 0`", "take one of them out"),
}  # fmt: skip


@pytest.mark.parametrize("marked", WRONG_CLAUSES)
def test_a_wrong_clause_is_shown_its_place_before_anything_is_fitted(data: pd.DataFrame, marked: str) -> None:
    formula = "test_score ~ treatment | school, " + marked
    with pytest.raises(FormulaError) as error:
        fj.model(formula.replace("«", "").replace("»", ""), data)
    message, hint = WRONG_CLAUSES[marked]
    assert error.value.message == message
    assert hint in error.value.hint
    assert (error.value.span.start, error.value.span.end) == (formula.index("«"), formula.index("»") - 1)


# --- regions of no effect, counts, and other priors


def test_a_region_may_be_one_for_all_one_a_term_or_standardized(data: pd.DataFrame) -> None:
    fit = fit_of("test_score ~ treatment + age + common(room) | school", data)
    draws = {name: fit.posterior[name].to_numpy() for name in ("treatment", "age", "room")}
    table = fit.test(rope={"treatment": 0.5, "age": 2.0})
    assert table.loc["treatment == 0", "p_in_rope"] == np.mean(np.all(abs(draws["treatment"]) < 0.5, axis=-1))
    assert table.loc["age == 0", "p_out_of_rope"] == np.mean(np.all(abs(draws["age"]) > 2, axis=-1))
    s_y = data["test_score"].std()
    table = fit.test(rope=0.05, standardized=True)
    assert table.loc["treatment == 0", "p_in_rope"] == np.mean(
        np.all(abs(draws["treatment"]) < 0.05 * s_y / 0.5, axis=-1)
    )
    width = 0.1 * s_y / data["age"].std()
    by_term = fit.test("age[A] == 0, room == 0", {"age": 0.1, "room": 0.2}, standardized=True)
    inside = (abs(draws["age"][..., 0]) < width) & (abs(draws["room"]) < 0.2 * s_y / data["room"].std())
    assert by_term["p_in_rope"].item() == np.mean(inside)
    same = fit.test("age[A] == age[B]", {"age": 2.0})
    assert same["p_in_rope"].item() == np.mean(abs(draws["age"][..., 0] - draws["age"][..., 1]) < 2)
    level = fit.test("Intercept[A] == 0", 0.1, standardized=True)
    assert level["p_in_rope"].item() == np.mean(
        abs(fit.posterior["Intercept"].to_numpy()[..., 0]) < 0.1 * s_y
    )


@pytest.mark.parametrize(
    ("text", "rope", "standardized", "message"),
    [
        ("treatment == 0", {"tretment": 1}, False, "`rope` names no term `tretment`: did you mean `treatment`?"),
        ("treatment == 0", {"age": 1}, False, "`rope` leaves out `treatment`"),
        ("treatment == 0", {"treatment": -1}, False, "`rope` must be above zero, not -1"),
        ("treatment == 0", True, False, "`rope` must be above zero, not True"),
        ("treatment == age", {"treatment": 1, "age": 2}, False, "has coefficients with different regions, 1 to 2 wide"),
        ("treatment[A] == age[A]", 0.1, True, "`treatment.A. - age.A.` has coefficients with different regions"),
    ],
)  # fmt: skip
def test_a_region_must_be_clear(
    data: pd.DataFrame, text: str, rope: object, standardized: bool, message: str
) -> None:
    fit = fit_of("test_score ~ treatment + age | school", data)
    with pytest.raises(InferenceError, match=message):
        fit.test(text, rope, standardized=standardized)


def test_how_many_are_above_zero(data: pd.DataFrame) -> None:
    fit = fit_of("test_score ~ treatment | school", data)
    above = (fit.posterior["treatment"].to_numpy() > 0).sum(axis=-1)
    for count in (1, 2):
        table = fit.test(at_least=count)
        assert table["p_at_least"].item() == np.mean(above >= count)
        assert 0.005 < table["p_at_least_mcse"].item() < 0.06
    with pytest.raises(
        InferenceError, match="`at_least` is a whole number from 1 to the 2 quantities tested, not 3"
    ):
        fit.test(at_least=3)


def test_shares_of_no_draw_are_bounded_and_of_few_are_noted(data: pd.DataFrame) -> None:
    fit = fit_of("test_score ~ treatment | school", data, centre=2.2)
    row = fit.test(rope=0.3).iloc[0]
    assert row["p_all_negative"] == 0
    assert 0.001 < row["p_all_negative_mcse"] < 0.005  # one draw's worth of some 400
    assert "P(all < 0)" in row["note"]
    assert 0 < row["contour"] * 400 < 10
    assert (
        "contour, gbpv: fewer than 10 such draws, so only the order of magnitude is known: draw more"
        in row["note"]
        or "contour" in row["note"]
    )
    bands = fit.bands(prob=0.99)
    assert bands["note"].str.contains("effective draws are beyond the band, too few").all()
    assert (fit.bands(prob=0.9)["note"] == "").all()


def test_the_bayes_factor_at_another_scale_is_that_of_the_prior_written_so(data: pd.DataFrame) -> None:
    line = "test_score ~ treatment + age | school"
    fit = fit_of(line, data)
    sd = 2.5 * data["test_score"].std() / 0.5
    table = fit.sensitivity("treatment == 0", factors=(0.5, 1, 3))
    # a prior of the treatment changes that of no other coefficient
    for factor in (0.5, 1, 3):
        other = fit_of(f"{line}, prior(treatment ~ normal(0, {factor * sd}))", data).test("treatment == 0")
        found = table.loc[("treatment == 0", factor)]
        assert found["log_bf10"] == pytest.approx(other["log_bf10"].item(), abs=1e-8)
        assert found["prior_sd"] == f"{factor * sd:.3g} of treatment"
    note = fit.test("treatment == 0")["note"].item()
    assert f"with half of it log BF10 is {table.loc[('treatment == 0', 0.5), 'log_bf10']:.2f}" in note


def test_the_bayes_factor_of_an_order_is_known_at_the_written_prior(data: pd.DataFrame) -> None:
    fit = fit_of("test_score ~ treatment | school", data)
    order = "treatment[A] > treatment[B]"
    table, row = fit.sensitivity(order, factors=(0.5, 1)), fit.test(order).iloc[0]
    assert np.isfinite(row["log_bf10"])
    assert table.loc[(order, 1.0), "log_bf10"] == row["log_bf10"]
    assert table.loc[(order, 1.0), "log_bf10_mcse"] == row["log_bf10_mcse"]
    assert "needs a fit with that prior" in table.loc[(order, 0.5), "note"]


def test_where_there_is_no_bayes_factor_there_is_none_at_another_scale(data: pd.DataFrame) -> None:
    table = fit_of(f"{ASKED}, family(laplace)", data).sensitivity()
    assert list(table.index.levels[1]) == [0.25, 0.5, 1.0, 2.0, 4.0]
    table = table.drop(1.0, level="factor")  # at which that of an order is known
    assert table["log_bf10"].isna().all()
    assert (
        table["note"]
        .str.contains("the response is laplace, which no exact engine covers|needs a fit with that prior")
        .all()
    )


def test_under_a_hierarchy_mean_and_sd_are_scaled_together(data: pd.DataFrame) -> None:
    line = "test_score ~ treatment | school, hierarchy(treatment)"
    sd = 2.5 * data["test_score"].std() / 0.5
    found = fit_of(line, data).sensitivity("treatment == 0", factors=(0.5,)).iloc[0]
    written = f"prior(treatment.mean ~ normal(0, {sd / 2}), treatment.sd ~ half_normal({sd / 2}))"
    other = fit_of(f"{line}, {written}", data).test("treatment == 0").iloc[0]
    assert found["log_bf10"] == pytest.approx(other["log_bf10"], abs=1e-8)
    assert found["prior_sd"] == f"{sd / 2:.3g} of treatment_mean and {sd / 2:.3g} of treatment_sd"


def test_under_a_hierarchy_equalities_have_a_bayes_factor_at_every_scale_and_orders_none(
    data: pd.DataFrame,
) -> None:
    fit = fit_of(f"{ASKED}, hierarchy(treatment)", data)
    table = fit.sensitivity()
    assert list(table.index.levels[1]) == [0.25, 0.5, 1.0, 2.0, 4.0]
    orders = table["note"].str.contains("needs a fit with that prior")
    assert 0 < orders.sum() < len(table)
    assert (table["log_bf10"].isna() == orders).all()
    assert (table.loc[~orders, "note"] == "").all()


@pytest.mark.parametrize("factors", [(), (0,), (-1.0,), (1, float("inf")), ("2",), 0, None, "2"])
def test_factors_are_above_zero(data: pd.DataFrame, factors: object) -> None:
    with pytest.raises(InferenceError, match="`factors` are numbers above zero"):
        fit_of("test_score ~ treatment | school", data).sensitivity(factors=factors)
