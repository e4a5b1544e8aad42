"""Contrast nodes: their values, computed in NumPy from the same coefficients; their scales and refusals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pymc as pm
import pytensor
import pytest

import formulajoint as fj
from formulajoint.compiler.planning.plan import make_plan
from formulajoint.compiler.pymc.build import build_model
from formulajoint.design.bind import bind
from formulajoint.errors import DataError, FormulaError
from formulajoint.spec.read import parse

RNG = np.random.default_rng(8)
N = [4, 6, 9]
G = np.repeat([0, 1, 2], N)
FRAME = pd.DataFrame(
    {
        "y": RNG.normal(10, 2, 19) * np.array([1.0, 3, 0.5])[G],
        "x": RNG.normal(3, 1, 19),
        "arm": np.array(["a", "b", "c"])[np.arange(19) % 3],
        "population": np.array([100, 300, 600])[G],
        "w": RNG.integers(1, 4, 19),
        "half": np.arange(19) % 2,
        "school": np.array(["A", "B", "C"])[G],
    }
)


def plan_of(formula, frame=FRAME):
    return make_plan(bind(parse(formula), frame))


def drawn(formula, frame=FRAME, seed=1):
    """Return all named quantities of the model at a random point."""
    model = build_model(plan_of(formula, frame))
    variables = [*model.free_RVs, *model.deterministics]
    outputs = model.replace_rvs_by_values(variables)
    mode = pytensor.compile.Mode(linker="py", optimizer=None)
    with pytensor.config.change_flags(traceback__limit=0):
        compute = pytensor.function(model.value_vars, outputs, mode=mode, on_unused_input="ignore")
    rng = np.random.default_rng(seed)
    shapes = [
        [len(model.coords[d]) for d in model.named_vars_to_dims.get(v.name, ())] for v in model.free_RVs
    ]
    values = compute(*(rng.normal(0, 1, shape) for shape in shapes))
    return {variable.name: value for variable, value in zip(variables, values, strict=True)}


def average(effects, weights):
    return np.average(effects, axis=0, weights=np.broadcast_to(np.asarray(weights, float), effects.shape))


def precision(frame=FRAME):
    """Sum of squares of x about its mean in each school."""
    return frame.groupby("school")["x"].apply(lambda x: ((x - x.mean()) ** 2).sum()).to_numpy()


WEIGHTS = {
    "n": N,
    "equal": [1, 1, 1],
    "precision": precision(),
    "population": [1, 3, 6],
    "sum(half)": FRAME.groupby("school")["half"].sum().to_numpy(),
    "sum(x)": FRAME.groupby("school")["x"].sum().to_numpy(),
    "{C: 1, A: 2, B: 5}": [2, 5, 1],
    "[1, 0, 3]": [1, 0, 3],
}
SDS = FRAME.groupby("school")["y"].std().to_numpy()
SCALES = {"none": np.ones(3), "sd": SDS, "2.5": np.full(3, 2.5), "2 + 3": np.full(3, 5.0)}


@pytest.fixture(scope="module")
def every():
    """One model with a node for each way to weight and to scale."""
    clauses = [
        f"{name}(x, weights={weights}, scale={scale}, name={name}_{i}_{j})"
        for i, weights in enumerate(WEIGHTS)
        for j, scale in enumerate(SCALES)
        for name in ("joint", "rms", "spread")
    ]
    return drawn(f"y ~ x | school, {', '.join(clauses)}")


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("weights", WEIGHTS)
def test_weights_and_scales(every, weights, scale):
    i, j = list(WEIGHTS).index(weights), list(SCALES).index(scale)
    effects, given = every["x"] / SCALES[scale], np.asarray(WEIGHTS[weights], float)
    if weights == "precision":
        given = given * SCALES[scale] ** 2  # of the effects that are averaged
    mean = average(effects, given)
    assert every[f"joint_{i}_{j}"] == pytest.approx(mean)
    assert every[f"rms_{i}_{j}"] == pytest.approx(np.sqrt(average(effects**2, given)))
    assert every[f"spread_{i}_{j}"] == pytest.approx(np.sqrt(average((effects - mean) ** 2, given)))


def test_defaults():
    found = drawn("y ~ x | school, joint(), rms(x)")
    assert found["joint_x"] == pytest.approx(average(found["x"], N))
    assert found["rms_x"] == pytest.approx(np.sqrt(average(found["x"] ** 2, N)))


def test_scale_by_sigma():
    """Each group's coefficient by its own sigma before averaging; by the one sigma where there is one."""
    formula = "y ~ x | school, joint(scale=sigma), rms(x, scale=sigma, weights=[1, 2, 3])"
    found = drawn(formula)
    assert found["joint_x"] == pytest.approx(average(found["x"], N) / found["sigma"])
    for more in (", sigma ~ 1 | school", ", sigma ~ 1 | school, hierarchy(sigma)"):
        found = drawn(formula + more)
        scaled = found["x"] / found["sigma"]
        assert found["sigma"].shape == (3,)
        assert found["joint_x"] == pytest.approx(average(scaled, N))
        assert found["rms_x"] == pytest.approx(np.sqrt(average(scaled**2, [1, 2, 3])))


def test_scale_by_the_students_scale():
    found = drawn("y ~ x | school, family(student), sigma ~ 1 | school, joint(scale=sigma)")
    assert found["joint_x"] == pytest.approx(average(found["x"] / found["sigma"], N))


def test_precision_with_a_sigma_for_each_group():
    """w_g / sigma_g^2, draw by draw; the weights are a variable."""
    for more in ("", ", hierarchy(sigma)"):
        found = drawn(f"y ~ x | school, joint(weights=precision), sigma ~ 1 | school{more}")
        raw = precision() / found["sigma"] ** 2
        np.testing.assert_allclose(found["joint_x_weights"], raw / raw.sum())
        assert found["joint_x"] == pytest.approx(average(found["x"], raw))
    found = drawn("y ~ x | school, spread(weights=precision, scale=2), sigma ~ 1 | school")
    raw = precision() / found["sigma"] ** 2
    mean = average(found["x"] / 2, raw)
    assert found["spread_x"] == pytest.approx(np.sqrt(average((found["x"] / 2 - mean) ** 2, raw)))


def test_precision_with_a_sigma_for_each_test():
    """Schools A and B gave one test, C another: each weight is divided by the sigma^2 of the school's test."""
    frame = FRAME.assign(test=np.array(["m", "m", "e"])[G])
    found = drawn(
        "y ~ x | school, sigma ~ 1 | test, joint(weights=precision), meandev(weights=precision)", frame
    )
    raw = precision() / found["sigma"][[1, 1, 0]] ** 2  # e is the first of the two tests
    np.testing.assert_allclose(found["joint_x_weights"], raw / raw.sum())
    assert found["joint_x"] == pytest.approx(average(found["x"], raw))
    np.testing.assert_allclose(found["meandev_x"], found["x"] - average(found["x"], raw))


@pytest.mark.parametrize("more", ["", ", sigma ~ 1 | school", ", sigma ~ 1 | test"])
def test_precision_of_effects_in_residual_sds(more):
    """The sampling variance of b_g / sigma_g is that of b_g at a residual sd of one, whatever sigma_g is."""
    frame = FRAME.assign(test=np.array(["m", "m", "e"])[G])
    found = drawn(f"y ~ x | school, joint(weights=precision, scale=sigma){more}", frame)
    sigma = np.atleast_1d(found["sigma"])[[1, 1, 0] if "test" in more else [0, 1, 2] if more else [0, 0, 0]]
    assert "joint_x_weights" not in found
    assert found["joint_x"] == pytest.approx(average(found["x"] / sigma, precision()))


def test_precision_with_one_sigma():
    found = drawn("y ~ x | school, joint(weights=precision)")
    assert "joint_x_weights" not in found


def test_each_column_of_a_factor():
    formula = "y ~ arm | school, joint(weights={}), sigma ~ 1 | school, rms(scale=sigma), spread(scale=sd)"
    found = drawn(formula.format("n"))
    np.testing.assert_allclose(found["joint_arm"], average(found["arm"], np.array(N)[:, None]))
    scaled = found["arm"] / found["sigma"][:, None]
    np.testing.assert_allclose(found["rms_arm"], np.sqrt(average(scaled**2, np.array(N)[:, None])))
    found = drawn(formula.format("precision"))
    counts = FRAME.groupby(["school", "arm"]).size().to_numpy().reshape(3, 3)
    a, rest = counts[:, :1], counts[:, 1:]
    raw = a * rest / (a + rest) / found["sigma"][:, None] ** 2
    np.testing.assert_allclose(found["joint_arm_weights"], raw / raw.sum(axis=0))
    np.testing.assert_allclose(found["joint_arm"], average(found["arm"], raw))


def test_row_weights_count_as_rows():
    rows = FRAME.loc[np.repeat(FRAME.index, FRAME["w"])]
    clauses = "joint(), joint(weights=precision, name=p), joint(scale=sd, name=s)"
    found = drawn(f"y ~ x | school, weights(w), {clauses}")
    n = rows.groupby("school").size().to_numpy()
    assert found["joint_x"] == pytest.approx(average(found["x"], n))
    assert found["p"] == pytest.approx(average(found["x"], precision(rows)))
    sds = rows.groupby("school")["y"].std().to_numpy()
    assert found["s"] == pytest.approx(average(found["x"] / sds, n))


def test_of_pooled_coefficients():
    for more in ("hierarchy()", "hierarchy(centered=true)", "hierarchy(x, dist=cauchy, centered=false)"):
        found = drawn(f"y ~ x | school, {more}, joint(), joint(Intercept)")
        assert found["joint_x"] == pytest.approx(average(found["x"], N))
        assert found["joint_Intercept"] == pytest.approx(average(found["Intercept"], N))


def test_of_a_constant():
    assert drawn("y ~ x | school, prior(x ~ constant(3)), joint(), spread()")["joint_x"] == pytest.approx(3)


# Refusals.

REFUSED = [
    (
        "y ~ x, «joint(x)»",
        "`joint` averages over groups, but the formula has no groups",
        "write `| group` after",
    ),
    (
        "y ~ x + (1 + x | school), «joint(x)»",
        "`joint` must name the groups that it averages over",
        "write `joint(x, over=school)`",
    ),
    (
        "y ~ (1 + x | school), joint(«x»)",
        "`x` varies over `school` about zero, since no coefficient of it is shared",
        "add `over=school`",
    ),
    (
        "y ~ 1 | school, «rms()»",
        "`rms` finds no predictor with a coefficient in each group",
        "`rms(Intercept)`",
    ),
    (
        "y ~ common(x) | school, «joint()»",
        "`joint` finds no predictor with a coefficient in each group",
        "`joint(Intercept)`",
    ),
    (
        "y ~ half + common(x) | school, joint(«x»)",
        "`x` has one coefficient for all groups, so there is nothing to average",
        "per group there are `Intercept`, `half`",
    ),
    ("y ~ x | school, joint(«xx»)", "the formula has no term `xx`", "did you mean `x`?"),
    ("y ~ x | school, hierarchy(x), joint(«x.mean»)", "is the mean of the hierarchy of `x`", "write `x`"),
    (
        "y ~ x + half | school, joint(name=«both»)",
        "`name=` names one node, but `joint` makes 2: `x`, `half`",
        "write a clause for each: `joint(x, name=both)`",
    ),
    ("y ~ x | school, joint(name=«x»)", "the name `x` is in use already, or reserved", "choose another"),
    (
        "y ~ x | school, joint(name=«sigma»)",
        "the name `sigma` is in use already, or reserved",
        "choose another",
    ),
    ("y ~ x | school, joint(name=«y»)", "the name `y` is in use already, or reserved", "choose another"),
    (
        "y ~ x | school, joint(name=«school»)",
        "the name `school` is in use already, or reserved",
        "choose another",
    ),
    ("y ~ x | school, joint(name=«obs»)", "the name `obs` is in use already, or reserved", "choose another"),
    (
        "y ~ x | school, joint(name=«draw»)",
        "the name `draw` is in use already, or reserved",
        "choose another",
    ),
    (
        "y ~ x | school, se(w), joint(scale=«sigma»)",
        "`scale=sigma` divides by an estimated residual sd, but `se(...)` gives one per row",
        "leave it out, or use `scale=sd` or a number",
    ),
    (
        "y ~ x | school, sigma ~ x, joint(weights=«precision»)",
        "`weights=precision` needs at most 8 residual sds, but predictors give sigma more values",
        "use other weights, or leave out the predictors of sigma",
    ),
    (
        "y ~ x | school, sigma ~ x, joint(scale=«sigma»)",
        "`scale=sigma` needs one residual sd per group, but sigma has predictors",
        "write `sigma ~ 1 | school`, or use `scale=sd`",
    ),
    (
        "y ~ x | school, sigma ~ 1 | arm, joint(scale=«sigma»)",
        "`scale=sigma` needs one residual sd per school, but some school has rows of several arms",
        "write `sigma ~ 1 | school`",
    ),
    ("y ~ x | school, joint(scale=«-1»)", "`scale` must be greater than zero", ""),
    ("y ~ x | school, joint(scale=«sdd»)", "`scale` is one of `none`, `sigma`, `sd`", "did you mean `sd`?"),
]


@pytest.mark.parametrize(("marked", "message", "hint"), REFUSED, ids=[case[0] for case in REFUSED])
def test_formula_errors(marked, message, hint):
    before, _, rest = marked.partition("«")
    inside, _, after = rest.partition("»")
    with pytest.raises(FormulaError) as error:
        plan_of(before + inside + after)
    assert message in error.value.message
    assert hint in error.value.hint
    assert (error.value.span.start, error.value.span.end) == (len(before), len(before) + len(inside))


def test_sd_needs_two_rows_and_spread():
    frame = FRAME.iloc[3:]
    with pytest.raises(DataError, match="`scale=sd` needs two rows in each group, but school A has 1"):
        plan_of("y ~ x | school, joint(scale=sd)", frame)
    flat = FRAME.assign(y=FRAME["y"].where(FRAME["school"] != "B", 7.0))
    with pytest.raises(DataError, match=r"the sd of `y`, which is 0 in school B \(6 rows\)"):
        plan_of("y ~ x | school, joint(scale=sd)", flat)
    assert plan_of("y ~ x | school, joint(scale=2)", frame).contrasts[0].scale == "number"


def test_what_a_plan_says_of_a_contrast():
    (contrast,) = plan_of("y ~ x | school, joint(x,weights = population,scale= 2)").contrasts
    assert (contrast.name, contrast.text) == ("joint_x", "joint(x, weights=population, scale=2)")
    assert (contrast.weights.scheme, contrast.weights_name, contrast.scale) == ("population", None, "number")
    assert contrast.dims == ()


def test_schools_of_one_test_have_its_residual_sd() -> None:
    rng = np.random.default_rng(1)
    school = np.repeat(["a", "b", "c", "d"], 8)
    test = np.repeat(["maths", "english", "maths", "english"], 8)
    sd = np.where(test == "maths", 1.0, 20.0)
    x = np.tile([0.0, 1.0], 16)
    frame = pd.DataFrame({"y": sd * (x + rng.normal(size=32)), "x": x, "school": school, "test": test})
    fit = fj.fit("y ~ x | school, sigma ~ 1 | test, joint(x, scale=sigma, weights=equal)", frame, seed=1)
    draws = fit.posterior
    sigma = draws["sigma"].sel(test=["maths", "english", "maths", "english"]).to_numpy()
    expected = np.mean(draws["x"].to_numpy() / sigma, axis=-1)
    np.testing.assert_allclose(draws["joint_x"].to_numpy(), expected, rtol=1e-12)
    made = fit.model.pymc
    x_, sigma_, joint_ = pm.draw([made[name] for name in ("x", "sigma", "joint_x")], random_seed=1)
    assert float(joint_) == pytest.approx(np.mean(x_ / sigma_[[1, 0, 1, 0]]))
