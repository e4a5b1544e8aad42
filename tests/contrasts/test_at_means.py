"""``at=mean`` against predictions: the linear predictor of made-up rows at the means, as emmeans averages its grid."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytensor
import pytest

import formulajoint as fj
from formulajoint.compiler.contrast_plans import AveragePlan
from formulajoint.compiler.evaluate.contrast_nodes import on_draws, variable_dims
from formulajoint.compiler.plan import Plan
from formulajoint.compiler.pymc.build import build_model
from formulajoint.design.evaluate_numpy import columns_of
from formulajoint.design.frame import read_frame
from formulajoint.design.rows import used_rows

RNG = np.random.default_rng(3)
ROWS = 180
DATA = pd.DataFrame(
    {
        "school": np.repeat(list("ABC"), ROWS // 3),
        "treated": RNG.integers(0, 2, ROWS),
        "on": RNG.integers(0, 2, ROWS).astype(bool),
        "arm": RNG.choice(["app", "book", "control"], ROWS),
        "sex": RNG.choice(["f", "m"], ROWS, p=[0.3, 0.7]),
        "age": RNG.normal(11, 2, ROWS),
        "w": RNG.integers(1, 4, ROWS),
    }
)
DATA["score"] = 5 * DATA["treated"] + DATA["age"] + RNG.normal(size=ROWS)
FACTORS = {"arm": ["app", "book", "control"], "sex": ["f", "m"], "on": [False, True]}
DRAWS = 5


def values_of(plan: Plan) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    dims = variable_dims(plan).items()
    return {name: rng.normal(size=(*(len(plan.coords[d]) for d in own), DRAWS)) for name, own in dims}


def predicted(
    plan: Plan, values: dict[str, np.ndarray], fixed: dict[str, object], shares: dict
) -> np.ndarray:
    """Return the linear predictor (G, S) with columns `fixed`, averaged over the levels of the factors left."""
    free = [name for name in FACTORS if name not in fixed]
    total: np.ndarray = np.zeros(())
    for levels in product(*(FACTORS[name] for name in free)):
        row = {
            "age": shares["age"],
            "treated": shares["treated"],
            **fixed,
            **dict(zip(free, levels, strict=True)),
        }
        table = used_rows(read_frame({name: [value] for name, value in row.items()}), tuple(row))[0]
        weight = np.prod([shares[name][level] for name, level in zip(free, levels, strict=True)])
        for coefficient in plan.mean.coefficients:
            columns = columns_of(coefficient.term.recipe, table)[0]
            own = values[coefficient.name] if coefficient.grouped else values[coefficient.name][None]
            total = total + weight * np.einsum("gks,k->gs", own.reshape((len(own), -1, DRAWS)), columns)
    return total


def shares_of(weights: np.ndarray) -> dict:
    """Return the means of numbers and the shares of levels, with rows counted by `weights`."""
    of = {
        name: {x: weights[DATA[name] == x].sum() / weights.sum() for x in FACTORS[name]} for name in FACTORS
    }
    return {name: np.average(DATA[name], weights=weights) for name in ("age", "treated")} | of


@pytest.mark.parametrize(
    ("formula", "term", "levels"),
    [
        ("treated*sex", "treated", {"treated": (1, 0)}),
        ("treated*age", "treated", {"treated": (1, 0)}),
        ("treated*sex*age", "treated", {"treated": (1, 0)}),
        ("treated*arm, weights(w)", "treated", {"treated": (1, 0)}),
        ("treated + treated:sex", "treated", {"treated": (1, 0)}),
        ("treated*sex + treated:arm:age + on", "treated", {"treated": (1, 0)}),
        ("sex + treated + common(treated:sex)", "treated", {"treated": (1, 0)}),
        ("treated*C(sex, coding=sum) + age", "treated", {"treated": (1, 0)}),
        ("on*age", "on", {"on": (True, False)}),
        ("sex*on", "sex", {"sex": ("m", "f")}),
        ("arm*age", "arm[book]", {"arm": ("book", "app")}),
        ("arm + arm:sex + arm:age", "arm[control]", {"arm": ("control", "app")}),
        ("sex*arm", "arm[control]", {"arm": ("control", "app")}),
        ("age*arm*sex", "arm[book]", {"arm": ("book", "app")}),
    ],
)
def test_an_effect_is_a_difference_of_predictions_at_the_means(formula: str, term: str, levels: dict) -> None:
    terms, _, clauses = formula.partition(", weights")
    name, _, level = term.partition("[")
    more = f", weights{clauses}" if clauses else ""
    plan = fj.model(f"score ~ {terms} | school, joint({name}, at=mean, weights=[2, 3, 5]){more}", DATA).plan
    weights = DATA["w"].to_numpy() if "weights(w)" in formula else np.ones(ROWS)
    values, shares = values_of(plan), shares_of(weights.astype(float))
    node = on_draws(plan.contrasts, values)[f"joint_{name}_at_mean"]
    if level:
        node = node[plan.coords["arm_dim"].index(level.rstrip("]"))]
    (column, (high, low)) = next(iter(levels.items()))
    gap = predicted(plan, values, {column: high}, shares) - predicted(plan, values, {column: low}, shares)
    assert np.squeeze(node) == pytest.approx(np.array([0.2, 0.3, 0.5]) @ gap)


@pytest.mark.parametrize("terms", ["0 + arm + arm:sex + age", "0 + arm*age"])
def test_levels_are_those_at_the_means(terms: str) -> None:
    plan = fj.model(f"score ~ {terms} | school, joint(arm, at=mean, weights=equal)", DATA).plan
    values, shares = values_of(plan), shares_of(np.ones(ROWS))
    node = on_draws(plan.contrasts, values)["joint_arm_at_mean"]
    for place, level in enumerate(FACTORS["arm"]):
        assert node[place] == pytest.approx(predicted(plan, values, {"arm": level}, shares).mean(axis=0))


def test_the_intercept_is_the_response_at_the_means() -> None:
    plan = fj.model(
        "score ~ treated*sex + common(age) | school, joint(Intercept, at=mean, weights=equal)", DATA
    ).plan
    values, shares = values_of(plan), shares_of(np.ones(ROWS))
    node = on_draws(plan.contrasts, values)["joint_Intercept_at_mean"]
    assert node == pytest.approx(predicted(plan, values, {}, shares).mean(axis=0))


def test_rms_spread_and_scales_take_the_same_effects() -> None:
    clauses = "joint(treated, at=mean), rms(treated, at=mean), spread(treated, at=mean), joint(treated, at=mean, scale=2)"
    plan = fj.model(
        f"score ~ treated*sex | school, {clauses}, joint(treated, at=mean, scale=sigma)", DATA
    ).plan
    names = [contrast.name for contrast in plan.contrasts]
    assert names[-2:] == ["joint_treated_at_mean_", "joint_treated_at_mean_2"]
    values = values_of(plan)
    found = on_draws(plan.contrasts, values)
    joint, rms, spread = (found[f"{name}_treated_at_mean"] for name in ("joint", "rms", "spread"))
    share = (DATA["sex"] == "m").mean()
    effects = values["treated"] + share * values["treated:sex"][:, 0]
    assert joint == pytest.approx(effects.mean(axis=0))
    assert rms == pytest.approx(np.sqrt((effects**2).mean(axis=0)))
    assert rms**2 == pytest.approx(joint**2 + spread**2)
    assert found["joint_treated_at_mean_"] == pytest.approx(joint / 2)
    assert found["joint_treated_at_mean_2"] == pytest.approx(joint / values["sigma"])


@pytest.mark.parametrize("moderator", ["age", "sex"])
def test_precision_weights_are_those_of_the_centred_column(moderator: str) -> None:
    data = DATA.assign(sex=(DATA["sex"] == "m").astype(int))
    written = f"score ~ treated*{moderator} | school, joint(treated, at=mean, weights=precision)"
    centred = f"score ~ treated*center({moderator}) | school, joint(treated, weights=precision)"
    one, other = (fj.model(formula, data).plan.contrasts[0].weights.values for formula in (written, centred))
    assert one == pytest.approx(other)
    plain = fj.model(written.replace("at=mean, ", ""), data).plan.contrasts[0].weights.values
    assert one != pytest.approx(plain, rel=1e-3)


def test_the_effect_of_the_model_with_a_centred_column_under_flat_priors() -> None:
    one = fj.fit("score ~ treated*age | school, joint(treated, at=mean)", DATA, priors="flat", seed=1)
    other = fj.fit("score ~ treated*center(age) | school, joint(treated)", DATA, priors="flat", seed=1)
    found, expected = one.contrasts().iloc[0], other.contrasts().iloc[0]
    assert abs(found["mean"] - expected["mean"]) < 5 * expected["sd"] * np.sqrt(2 / 4000)
    assert found["sd"] == pytest.approx(expected["sd"], rel=0.1)
    # As a test it is exact: the same F.
    where = f"treated + {float(DATA['age'].mean())!r} * treated:age == 0"
    assert one.test(where).iloc[0]["p_value"] == pytest.approx(other.test("treated == 0").iloc[0]["p_value"])


@pytest.mark.parametrize(
    "terms", ["treated*sex*age", "arm + arm:sex + common(age)", "arm + sex + common(arm:sex)"]
)
def test_the_node_of_the_pymc_model(terms: str) -> None:
    term = terms.partition("*")[0].partition(" ")[0]
    plan = fj.model(f"score ~ {terms} | school, joint({term}, at=mean)", DATA).plan
    model = build_model(plan)
    values = values_of(plan)
    coefficients = [c.name for c in plan.mean.coefficients]
    given = {model[name]: values[name][..., 0] for name in coefficients}
    node = pytensor.graph.replace.clone_replace(
        model[f"joint_{term}_at_mean"], {variable: pytensor.shared(v) for variable, v in given.items()}
    )
    with pytensor.config.change_flags(mode="FAST_COMPILE", cxx=""):
        found = pytensor.function([], node)()
    assert found == pytest.approx(on_draws(plan.contrasts, values)[f"joint_{term}_at_mean"][..., 0])


def test_after_the_fit_and_saved(tmp_path: Path) -> None:
    fit = fj.fit(
        "score ~ treated*sex | school, hierarchy(treated), joint(treated, at=mean)", DATA, seed=1, draws=200
    )
    fit.save(tmp_path / "fit.nc")
    again = fj.load(tmp_path / "fit.nc")
    assert str(again) == str(fit)
    text = "joint(treated, at=mean)"
    pd.testing.assert_frame_equal(again.contrast(text), fit.contrasts())


def test_in_words() -> None:
    text = fj.model(
        "score ~ treated*sex*age | school, joint(treated), joint(treated, at=mean)", DATA
    ).explain()
    text = " ".join(text.split())
    share = (DATA["sex"] == "f").mean()
    where = f"at the means of sex (f {share:.2g}, m {1 - share:.2g}) and age ({DATA['age'].mean():.4g})"
    assert f"joint_treated_at_mean: weighted mean of treated over school, {where}; weights" in text
    assert "joint_treated: weighted mean of treated over school, where sex is f, at age = 0; weights" in text
    assert "joint_treated rests on" not in text  # both are there


@pytest.mark.parametrize(
    ("terms", "note"),
    [
        ("treated*sex", "where sex is f; joint(treated, at=mean) rests on that at the mean of sex."),
        ("treated*age", "where age is 0; joint(treated, at=mean) rests on that at the mean of age."),
        ("treated*center(age)", ""),
        ("treated*C(sex, coding=sum)", ""),
        ("treated + sex", ""),
    ],
)
def test_the_note_that_offers_it(terms: str, note: str) -> None:
    notes = fj.model(f"score ~ {terms} | school, joint(treated)", DATA).plan.notes
    found = [text for text in notes if "at=mean" in text]
    assert found == ([f"joint_treated rests on the effect of treated {note}"] if note else [])


def test_no_means_of_columns_that_are_no_product() -> None:
    with pytest.raises(fj.FormulaError, match="cannot be used with `sex:arm`") as error:
        fj.model("score ~ sex:arm + sex:arm:age | school, joint(sex:arm, at=mean)", DATA)
    assert error.value.hint == "write the factors as terms of their own, too: `a*b`"


def test_without_an_interaction_it_is_the_coefficient() -> None:
    plan = fj.model("score ~ treated + sex | school, joint(treated, at=mean), joint(treated)", DATA).plan
    values = values_of(plan)
    one, other = on_draws(plan.contrasts, values).values()
    assert np.array_equal(one, other)
    assert all(isinstance(contrast, AveragePlan) for contrast in plan.contrasts)
