"""The likelihood through sums: the same log-density and gradient as by rows, and when it is taken."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pymc as pm
import pytensor
import pytest
from scipy import stats

from formulajoint.compiler.planning.plan import make_plan
from formulajoint.compiler.pymc.build import add_to_model, build_model
from formulajoint.compiler.pymc.likelihood_by_sums import by_sums, sums
from formulajoint.design.bind import bind
from formulajoint.distributions.links import LOG
from formulajoint.errors import InferenceError
from formulajoint.families.custom import Family, likelihood_of
from formulajoint.spec.read import parse

PLAIN = pytensor.compile.Mode(linker="py", optimizer=None)


def frame(rows=60, seed=1):
    """Return rows in five groups, the last of one row; `same` repeats x, `lone` is constant in the first group."""
    rng = np.random.default_rng(seed)
    g = np.append(rng.integers(0, 4, rows - 1), 4)
    x = rng.normal(2, 1.5, rows)
    return pd.DataFrame(
        {
            "y": 40 + 3 * x + 2 * g + rng.normal(0, 2, rows),
            "x": x,
            "z": rng.normal(-1, 0.7, rows),
            "same": 2 * x,
            "lone": np.where(g == 0, 1.0, rng.normal(size=rows)),
            "w": rng.uniform(0.5, 3, rows),
            "o": rng.normal(5, 1, rows),
            "g": np.array(list("ABCDE"))[g],
            "h": np.array(["u", "v"])[np.arange(rows) % 2],
            "arm": np.array(["a", "b", "c"])[np.arange(rows) % 3],
        }
    )


DATA = frame()


def plan_of(formula, data=DATA, priors=None):
    return make_plan(bind(parse(formula), data), priors)


def compiled(model):
    """Return log-density and gradient as a function of the model's unconstrained coordinates."""
    return pytensor.function(
        model.value_vars, [model.logp(), model.dlogp()], mode=PLAIN, on_unused_input="ignore"
    )


def points(model, count=2, size=0.5):
    rng, start = np.random.default_rng(1), model.initial_point()
    for _ in range(count):
        yield [start[v.name] + rng.normal(0, size, np.shape(start[v.name])) for v in model.value_vars]


FORMULAS = [
    "y ~ x | g",
    "y ~ x | g, priors=flat",
    "y ~ 1",
    "y ~ x + arm",
    "y ~ x | g, prior(Intercept ~ constant(40), sigma ~ constant(2))",
    "y ~ x | g, hierarchy()",
    "y ~ x | g, hierarchy(centered=true)",
    "y ~ x | g, hierarchy(dist=cauchy), joint(x)",
    "y ~ x | g, hierarchy(x, dist=student), hierarchy(Intercept, dist=cauchy, centered=true)",
    "y ~ x + common(z) | g, hierarchy(dist=cauchy)",
    "y ~ x + common(z + arm) | g",
    "y ~ common(x) | g, hierarchy(dist=student), weights(w)",
    "y ~ arm*x | g, hierarchy(x, dist=cauchy)",
    "y ~ 0 + arm + offset(o) | g, prior(arm ~ laplace(0, 10))",
    "y ~ x + offset(o) + common(z) | g, weights(w), hierarchy(dist=student, df=3)",
    "y ~ x + same + lone + common(z) | g, hierarchy(dist=cauchy)",
    "y ~ x + common(arm) | h/g, hierarchy(dist=cauchy)",
    "y ~ x | g, sigma ~ 1 | g",
    "y ~ x + common(z) | g, sigma ~ 1 | g, hierarchy(sigma), hierarchy(dist=cauchy), weights(w)",
    "y ~ x + common(z) | g, sigma ~ 1 | h, hierarchy(dist=cauchy)",
    "y ~ x + z, sigma ~ 1 | h, weights(w)",
    "y ~ x | g, sigma ~ 1 | h, hierarchy(sigma, dist=cauchy), joint(x, weights=n)",
]


@pytest.mark.parametrize("formula", FORMULAS)
def test_log_density_and_gradient_are_those_of_the_rows(formula):
    text, flat, _ = formula.partition(", priors=flat")
    data = (
        DATA[DATA["g"] != "E"] if flat or "sigma ~ 1 | g" in text else DATA
    )  # one row has no posterior there
    plan = plan_of(text, data, "flat" if flat else None)
    rows, few = build_model(plan), build_model(plan, "sums")
    assert [v.name for v in few.value_vars] == [v.name for v in rows.value_vars]
    with pytensor.config.change_flags(traceback__limit=0):  # a quarter of the time
        by_rows, through_sums = compiled(rows), compiled(few)
    for point in points(rows):
        expected, found = by_rows(*point), through_sums(*point)
        assert found[0] == pytest.approx(expected[0], rel=1e-12)
        np.testing.assert_allclose(found[1], expected[1], rtol=1e-9, atol=1e-9 * np.abs(expected[1]).max())


def potential_of(plan, point):
    """Return the potential of the sums at values of the coefficients and sigma."""
    with pm.Model() as model:
        add_to_model(plan, "sums")
    (term,) = model.potentials
    inputs = [model[name] for name in point]
    return float(pytensor.function(inputs, term, mode=PLAIN)(*point.values()))


SHIFT = 1e9
EXACT = 2.0**-10
"""Multiples of this are exact beside the shift."""


@pytest.mark.parametrize("apart", [0.0, SHIFT])
def test_a_response_far_from_zero_loses_no_digits(apart):
    """Groups may be as far from each other, too; what is expected is computed near zero, row by row."""
    data = frame(4000)
    codes = pd.Categorical(data["g"]).codes
    near = np.round(data["y"] / EXACT) * EXACT
    far = SHIFT + apart * np.arange(5)
    x = np.round(data["x"] / EXACT) * EXACT
    plan = plan_of("y ~ x | g", data.assign(y=near + far[codes], x=x))
    rng = np.random.default_rng(2)
    intercepts, slopes = np.round(rng.normal(40, 3, 5) / EXACT) * EXACT, rng.normal(3, 1, 5)
    expected = stats.norm.logpdf(near, intercepts[codes] + slopes[codes] * x, 2.0).sum()
    point = {"Intercept": intercepts + far, "x": slopes, "sigma": np.array(2.0)}
    assert potential_of(plan, point) == pytest.approx(expected, rel=1e-9)


def test_columns_far_from_zero_lose_no_digits():
    data = frame(4000)
    year = np.round(data["x"] / EXACT) * EXACT + 2.0**20
    plan = plan_of("y ~ year | g, hierarchy(dist=cauchy, centered=true)", data.assign(year=year))
    codes = pd.Categorical(data["g"]).codes
    slopes = np.array([3.0, 2.5, 3.25, 2.75, 3.0])
    intercepts = 40 - slopes * 2.0**20
    expected = stats.norm.logpdf(data["y"], 40 + slopes[codes] * (year - 2.0**20), 2.0).sum()
    point = {"Intercept": intercepts, "year": slopes, "sigma": np.array(2.0)}
    assert potential_of(plan, point) == pytest.approx(expected, rel=1e-9)


def test_the_model_knows_no_row():
    plan = plan_of("y ~ x + common(z) | g, hierarchy(dist=cauchy), sigma ~ 1 | g, joint(x)", frame(2000))
    model = build_model(plan, "sums")
    assert "obs" not in model.coords
    assert [term.name for term in model.potentials] == ["y"]
    assert not model.observed_RVs
    constants = [v for v in pytensor.graph.ancestors([model.logp()]) if hasattr(v, "data")]
    assert max(np.size(constant.data) for constant in constants) <= 5 * (2 + 2) * 2


def test_a_prefix_stands_before_the_potential_too():
    plan = make_plan(bind(parse("y ~ x | g"), DATA), prefix="maths")
    with pm.Model() as model:
        added = add_to_model(plan, "sums")
    assert added["maths_y"] is model.potentials[0]


def test_sums_have_at_most_the_rows_of_the_coefficients():
    assert len(sums(plan_of("y ~ x + common(z) | g", frame(2000))).y) == 4 * 2 + 1 + 2


@pytest.mark.parametrize(
    ("formula", "rows", "expected"),
    [
        ("y ~ x | g", 40, True),  # 10 rows will do
        ("y ~ x | g", 39, False),
        ("y ~ x + common(arm) | g, sigma ~ 1 | g", 100, True),
        ("y ~ x + common(arm) | g, sigma ~ 1 | g", 80, False),
        ("y ~ x | g, family(student)", 2000, False),
        ("y ~ x | g, sigma ~ z | g", 2000, False),
    ],
)
def test_auto_is_sums_where_they_are_clearly_fewer(formula, rows, expected):
    assert by_sums(plan_of(formula, frame(rows)), "auto") is expected


def test_a_likelihood_is_taken_as_asked():
    plan = plan_of("y ~ x | g", frame(2000))
    assert by_sums(plan, "sums")
    assert not by_sums(plan, "rows")
    assert not by_sums(plan_of("y ~ x | g, family(student)"), "rows")


@pytest.mark.parametrize(
    ("formula", "reason"),
    [
        (
            "y ~ x | g, family(student)",
            "the response is student, of which hardly two rows are alike",
        ),
        ("y ~ x | g, sigma ~ x", "sigma has predictors"),
        ("y ~ x | g, se(w)", "each row has a standard error of its own"),
    ],
)
def test_sums_that_do_not_apply_are_refused_with_the_reason(formula, reason):
    message = f"The likelihood does not go through sums: {reason}. Use likelihood='rows'."
    with pytest.raises(InferenceError) as error:
        build_model(plan_of(formula), "sums")
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("given", "hint"),
    [("sum", "did you mean `sums`?"), ("x", "there are `auto`, `rows`, `sums`"), (3, "there are")],
)
def test_an_unknown_likelihood_is_refused(given, hint):
    with pytest.raises(InferenceError, match=f"There is no likelihood `{given}`: ") as error:
        by_sums(plan_of("y ~ x | g"), given)
    assert hint in str(error.value)


def test_sums_are_of_the_gaussian_with_link_identity():
    plan = plan_of("y ~ x | g", frame(2000))
    brought = Family(lambda mu, sigma: pm.Laplace.dist(mu, sigma), {"sigma": "exponential(1)"})
    laplace = likelihood_of(brought)
    assert not by_sums(dataclasses.replace(plan, family=laplace), "auto")
    assert not by_sums(dataclasses.replace(plan, mean=dataclasses.replace(plan.mean, link=LOG)), "auto")
