"""Models inside a model of the user's own: prefixes, names that are taken; what an observed response is."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pymc as pm
import pytensor
import pytest

from formulajoint.compiler.planning.plan import make_plan
from formulajoint.compiler.pymc.build import add_to_model, build_model
from formulajoint.design.bind import bind
from formulajoint.errors import DataError
from formulajoint.spec.read import parse

RNG = np.random.default_rng(8)
FRAME = pd.DataFrame(
    {
        "y": RNG.normal(10, 2, 12),
        "x": RNG.normal(0, 1, 12),
        "arm": list("abc") * 4,
        "school": ["A"] * 5 + ["B"] * 7,
        "w": [1, 2, 3] * 4,
    }
)
OTHER = FRAME.assign(school=["A"] * 3 + ["B"] * 4 + ["C"] * 5)
EVERYTHING = (
    "y ~ x + arm | school, hierarchy(x, arm, centered=true), hierarchy(Intercept, centered=false), "
    "sigma ~ 1 | school, hierarchy(sigma), family(student), nu ~ x, joint(x, weights=precision)"
)


def plan_of(formula, frame=FRAME, prefix=""):
    return make_plan(bind(parse(formula), frame), prefix=prefix)


def names(model):
    return set(model.named_vars) | set(model.coords)


def test_a_prefix_stands_before_every_name_and_dim():
    plain, prefixed = build_model(plan_of(EVERYTHING)), build_model(plan_of(EVERYTHING, prefix="maths"))
    assert names(prefixed) == {f"maths_{name}" for name in names(plain)}
    expected = {
        f"maths_{v}": tuple(f"maths_{d}" for d in dims) for v, dims in plain.named_vars_to_dims.items()
    }
    assert {v: tuple(dims) for v, dims in prefixed.named_vars_to_dims.items()} == expected


def test_twice_in_one_model():
    with pm.Model() as model:
        bonus = pm.Normal("bonus")
        first = add_to_model(plan_of("y ~ x | school, joint()", prefix="maths"))
        second = add_to_model(plan_of("y ~ x | school, joint()", OTHER, "art"))
        pm.Deterministic("total", first["maths_joint_x"] + second["art_joint_x"] + bonus)
    parts = ("Intercept", "x", "sigma", "joint_x", "y")
    assert first.keys() == {f"maths_{part}" for part in parts}
    assert second.keys() == {f"art_{part}" for part in parts}
    assert names(model) == {"bonus", "total", *first, *second} | {
        f"{prefix}_{dim}" for prefix in ("maths", "art") for dim in ("school", "obs")
    }
    assert model.coords["maths_school"] == ("A", "B")
    assert model.coords["art_school"] == ("A", "B", "C")
    assert all(model[name] is variable for name, variable in (first | second).items())
    alone = [build_model(plan_of("y ~ x | school", frame)) for frame in (FRAME, OTHER)]
    point = {"bonus": np.array(0.3)}
    for prefix, part in zip(("maths", "art"), alone, strict=True):
        point |= {f"{prefix}_{name}": value for name, value in part.initial_point().items()}
    expected = sum(log_density(part, part.initial_point()) for part in alone) + log_density_of_bonus(0.3)
    assert log_density(model, point) == pytest.approx(expected, rel=1e-10)


def log_density_of_bonus(value):
    return -0.5 * np.log(2 * np.pi) - value**2 / 2


def log_density(model, point):
    mode = pytensor.compile.Mode(linker="py", optimizer=None)
    compute = pytensor.function(model.value_vars, model.logp(), mode=mode)
    return float(compute(*(point[value.name] for value in model.value_vars)))


def test_formulas_may_share_dims_with_the_same_labels():
    with pm.Model(coords={"school": ["A", "B"]}) as model:
        ability = pm.Normal("ability", dims="school")
        added = add_to_model(plan_of("y ~ x | school"))
        pm.Deterministic("both", ability + added["x"], dims="school")
    assert model.named_vars_to_dims["both"] == ("school",)
    assert model.eval_rv_shapes()["ability"] == (2,)


HINT = r"Give this formula a prefix: `build\(\.\.\., prefix='second'\)`\."


@pytest.mark.parametrize(
    ("taken", "message"),
    [
        (
            lambda: pm.modelcontext(None).add_coord("school", ["A", "B", "C"]),
            "a dim `school` with other labels",
        ),
        (lambda: pm.modelcontext(None).add_coord("school", ["B", "A"]), "a dim `school` with other labels"),
        (lambda: pm.modelcontext(None).add_coord("school", length=2), "a dim `school` with other labels"),
        (lambda: pm.modelcontext(None).add_coord("obs", range(5)), "a dim `obs` with other labels"),
        (lambda: pm.modelcontext(None).add_coord("x", ["u"]), "a dim `x`"),
        (lambda: pm.Normal("school"), "a variable `school`"),
        (lambda: pm.Normal("x"), "a variable `x`"),
        (lambda: pm.Normal("y"), "a variable `y`"),
        (lambda: pm.HalfNormal("sigma"), "a variable `sigma`"),
        (lambda: pm.Normal("joint_x"), "a variable `joint_x`"),
        (lambda: pm.Normal("joint_x_weights"), "a variable `joint_x_weights`"),
        (lambda: pm.Normal("Intercept_offset"), "a variable `Intercept_offset`"),
        (lambda: pm.Normal("sigma_raw"), "a variable `sigma_raw`"),
        (lambda: pm.Normal("school_cor_partial"), "a variable `school_cor_partial`"),
        (lambda: pm.Normal("arm[b]"), r"a variable `arm\[b\]`"),
        (lambda: pm.Normal("nu_x"), "a variable `nu_x`"),
    ],
)
def test_names_that_are_taken(taken, message):
    with pm.Model() as model:
        taken()
        before = names(model)
        with pytest.raises(DataError, match=f"The open model already has {message}\\. {HINT}"):
            add_to_model(plan_of(EVERYTHING))
        assert names(model) == before  # nothing was added half-way
        add_to_model(plan_of(EVERYTHING, prefix="second"))


def test_the_same_formula_twice_needs_a_prefix():
    with pm.Model():
        add_to_model(plan_of("y ~ x | school"))
        with pytest.raises(DataError, match=HINT):
            add_to_model(plan_of("y ~ x | school"))


def test_each_build_is_a_new_model():
    plan = plan_of("y ~ x | school")
    assert build_model(plan) is not build_model(plan)


@pytest.mark.parametrize("formula", ["y ~ x | school", "y ~ x | school, weights(w)", "y ~ 1", EVERYTHING])
def test_the_response_is_observed_and_can_be_drawn(formula):
    model = build_model(plan_of(formula))
    (response,) = model.observed_RVs
    assert response.name == "y"
    np.testing.assert_array_equal(model.rvs_to_values[response].eval(), FRAME["y"])
    mode = pytensor.compile.Mode(linker="py", optimizer=None)
    draw = pm.draw(response, random_seed=1, mode=mode)
    assert draw.shape == (12,)
    assert len(np.unique(draw)) == 12


def test_draws_of_the_response_have_the_mean_and_the_sd():
    formula = (
        "y ~ x | school, weights(w), prior(Intercept ~ constant(5), x ~ constant(2), sigma ~ constant(0.5))"
    )
    model = build_model(plan_of(formula))
    draws = pm.draw(model["y"], 4000, random_seed=1, mode=pytensor.compile.Mode(linker="py", optimizer=None))
    np.testing.assert_allclose(draws.mean(axis=0), 5 + 2 * FRAME["x"], atol=0.05)
    np.testing.assert_allclose(draws.std(axis=0), 0.5, rtol=0.06)
