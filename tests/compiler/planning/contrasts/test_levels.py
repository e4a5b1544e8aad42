"""What families of contrasts and arithmetic compare, how their nodes are called, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import formulajoint as fj
from formulajoint.contrasts.level_families import FAMILIES
from formulajoint.errors import FormulaError

RNG = np.random.default_rng(3)
ROWS = 156
FRAME = pd.DataFrame(
    {
        "y": RNG.normal(size=ROWS),
        "x": RNG.normal(size=ROWS),
        "arm": np.array(["a", "b", "c"])[np.arange(ROWS) % 3],
        "sex": np.array(["f", "m"])[np.arange(ROWS) // 3 % 2],
        "flag": np.arange(ROWS) // 2 % 2 == 0,
        "school": np.array(["A", "B"])[np.arange(ROWS) // 78],
        "many": [f"g{i % 26:02}" for i in range(ROWS)],
    }
)


def plan_of(formula):
    return fj.model(formula, FRAME).plan


@pytest.mark.parametrize(
    ("formula", "name", "dims", "labels"),
    [
        ("y ~ x | school, pairwise(x)", "pairwise_x", ("pairwise_x_dim",), ("A - B",)),
        ("y ~ x | school, pairwise()", "pairwise_x", ("pairwise_x_dim",), ("A - B",)),
        (
            "y ~ x | school, pairwise(Intercept)",
            "pairwise_Intercept",
            ("pairwise_Intercept_dim",),
            ("A - B",),
        ),
        (
            "y ~ arm | school, pairwise(arm)",
            "pairwise_arm",
            ("pairwise_arm_dim", "school"),
            ("a - b", "a - c", "b - c"),
        ),
        (
            "y ~ arm | school, pairwise(arm, over=school)",
            "pairwise_arm",
            ("pairwise_arm_dim", "arm_dim"),
            ("A - B",),
        ),
        ("y ~ arm, reference(arm, ref=b, name=other)", "other", ("other_dim",), ("a - b", "c - b")),
        (
            "y ~ x + common(arm) | school, helmert(arm)",
            "helmert_arm",
            ("helmert_arm_dim",),
            ("b - a", "c - mean(a, b)"),
        ),
        (
            "y ~ 0 + arm | school, sequential(arm)",
            "sequential_arm",
            ("sequential_arm_dim", "school"),
            ("b - a", "c - b"),
        ),
        (
            "y ~ arm*sex | school, pairwise(arm:sex, over=arm)",
            "pairwise_arm:sex",
            ("pairwise_arm:sex_dim", "school", "sex_levels"),
            ("a - b", "a - c", "b - c"),
        ),
        ("y ~ flag | school, pairwise(flag)", "pairwise_flag", ("pairwise_flag_dim",), ("A - B",)),
    ],
)
def test_axes_and_names(formula, name, dims, labels):
    plan = plan_of(formula)
    (contrast,) = plan.contrasts
    assert (contrast.name, contrast.dims) == (name, dims)
    assert plan.coords[dims[0]] == labels
    assert name in plan.variables


@pytest.mark.parametrize(
    ("formula", "name", "dims"),
    [
        ("y ~ x | school, contrast(x[A] - x[B])", "contrast_x", ()),
        ("y ~ x | school, contrast(x - x[A])", "contrast_x", ("school",)),
        ("y ~ x + common(arm) | school, contrast(arm * x)", "contrast_arm_x", ("school", "arm_dim")),
        ("y ~ x | school, contrast(x / sigma)", "contrast_x_sigma", ("school",)),
        ("y ~ x | school, sigma ~ x, contrast(sigma.x * x)", "contrast_sigma_x_x", ("school",)),
        ("y ~ x | school, hierarchy(), contrast(x.mean / x.sd)", "contrast_x_mean_x_sd", ()),
        ("y ~ arm*sex | school, contrast(arm:sex[sex=m])", "contrast_arm:sex", ("school", "arm_dim")),
        ("y ~ x | school, contrast(x[A], name=own)", "own", ()),
    ],
)
def test_dims_of_arithmetic(formula, name, dims):
    (contrast,) = plan_of(formula).contrasts
    assert (contrast.name, contrast.dims) == (name, dims)


def test_an_expression_is_a_node():
    names = [
        c.name for c in plan_of("y ~ x | school, contrast(x[A], x[B]), pairwise(x, Intercept)").contrasts
    ]
    assert names == ["contrast_x", "contrast_x_", "pairwise_x", "pairwise_Intercept"]


def test_a_predictor_called_sigma_is_the_predictor():
    frame = FRAME.assign(sigma=FRAME["x"])
    (contrast,) = fj.model("y ~ sigma | school, contrast(sigma[A])", frame).plan.contrasts
    assert {c.variable for c in contrast.cells.values()} == {"sigma_"}


@pytest.mark.parametrize(
    ("expr", "degree"),
    [
        ("x[A] - 2 * x[B]", 1),
        ("x[A] * x[B]", 2),
        ("(x[A] - x[B])^2", 2),
        ("x[A]^2 * x[B] / 3", 3),
        ("x[A] / x[B]", np.inf),
        ("x[A]^-1", np.inf),
        ("2^x[A]", np.inf),
        ("x[A] / sigma", 1),
        ("-(x / 2)", 1),
        ("sigma", 0),
    ],
)
def test_degrees(expr, degree):
    (contrast,) = plan_of(f"y ~ x | school, contrast({expr})").contrasts
    assert contrast.degree == degree


def test_a_constant_may_divide():
    formula = "y ~ x | school, hierarchy(x), prior(x.sd ~ constant(2)), contrast(x / x.sd)"
    assert plan_of(formula).contrasts[0].degree == 1


WRONG = {
    "y ~ x | many, «pairwise(x)»": "`many` has 26 levels, which make 325 pairs / write `most=325`",
    "y ~ x | many, pairwise(x, most=«324»)": "which make 325 pairs",
    "y ~ x, «pairwise(x)»": "`x` is a single coefficient, so `pairwise` has nothing to compare",
    "y ~ x | school, pairwise(x, over=«arm»)": "`x` does not differ by `arm` / write `school`",
    "y ~ arm | school, pairwise(arm, over=«scool»)": "`arm` does not differ by `scool` / did you mean `school`?",
    "y ~ x | school, reference(x, ref=«C»)": "`school` has no level `C` / the levels are `A`, `B`",
    "y ~ arm | school, reference(arm, ref=«A»)": "`arm` has no level `A`",
    "y ~ x | school, poly(x, degree=«2»)": "2 levels of `school` have polynomials up to degree 1",
    "y ~ 1 | school, «pairwise()»": "`pairwise` finds no predictor with a coefficient in each group / `pairwise(Intercept)`",
    "y ~ x + common(arm) | school, pairwise(arm, x, name=«n»)": "`name=` names one node, but `pairwise` makes 2",
    "y ~ x | school, pairwise(x, name=«x»)": "the name `x` is in use already",
    "y ~ arm | school, meandev(arm, weights=«precision»)": "`precision` weights groups, and `arm` is a factor",
    "y ~ arm | school, meandev(arm, weights=dirichlet(n))": "weights groups, and `arm` is a factor",
    "y ~ arm | school, meandev(arm, weights=«[1, 2]»)": "`arm` has 3 levels, and there are 2 weights",
    "y ~ arm | school, meandev(arm, weights=«{a: 1, b: 1}»)": "the weights leave out `c` of `arm`",
    "y ~ arm*sex | school, meandev(arm:sex, over=arm, weights=«n»)": "does not say how many rows each level",
    "y ~ x | school, contrast(«1 + 2»)": "`1 + 2` has no coefficient in it",
    "y ~ x | school, contrast(x[A] + «z»)": "the formula has no term `z`",
    "y ~ x | school, contrast(x[«C»])": "`school` has no level `C`",
    "y ~ x | school, contrast(«sigma[A]»)": "`sigma` is a single coefficient, and has no levels",
    "y ~ x | school, contrast(«nu»)": "the formula has no term `nu`",
    "y ~ x | school, contrast(«x.mean»)": "the formula has no term `x.mean`",
    "y ~ x | school, sigma ~ arm, contrast(«sigma»)": "the formula has no term `sigma`",
    "y ~ 0 + arm | school, sigma ~ arm, contrast(arm + «sigma.arm»)": "the levels of `arm` are not the same throughout",
    "y ~ x | school, contrast(x[A], x[B], name=«both»)": "`name=` names one node, but `contrast` makes 2",
}


@pytest.mark.parametrize("marked", WRONG)
def test_what_is_refused(marked):
    text = marked.replace("«", "").replace("»", "")
    with pytest.raises(FormulaError) as error:
        plan_of(text)
    message, _, hint = WRONG[marked].partition(" / ")
    assert message in error.value.message
    assert hint in error.value.hint
    if "«" in marked:
        assert (error.value.span.start, error.value.span.end) == (marked.index("«"), marked.index("»") - 1)


def test_every_pair_on_request():
    (contrast,) = plan_of("y ~ x | many, pairwise(x, most=325)").contrasts
    assert len(contrast.matrix.labels) == 325
    (contrast,) = plan_of("y ~ x | many, meandev(x)").contrasts
    assert len(contrast.matrix.labels) == 26


@pytest.mark.parametrize("coding", ["treatment", "sum", "helmert", "poly"])
def test_rows_at_each_level_whatever_the_coding(coding):
    frame = FRAME.iloc[:80].assign(w=np.arange(80) % 4 + 1)
    expected = frame.groupby("arm")["w"].sum().to_numpy()
    (contrast,) = fj.model(
        f"y ~ C(arm, coding={coding}) | school, weights(w), meandev(C(arm, coding={coding}))", frame
    ).plan.contrasts
    np.testing.assert_allclose(contrast.weights.values, expected / expected.sum())


# --- the order that levels mean

NUMBERS = np.arange(ROWS) % 13 + 1
STRENGTH = {str(number): number**2 for number in range(1, 14)}


@pytest.mark.parametrize("clause", ["sequential", "helmert", "poly"])
@pytest.mark.parametrize(
    "formula", ["y ~ x | many, {}(x)", "y ~ C(many), {}(C(many))", "y ~ C(many) | school, {}(C(many))"]
)
def test_whole_numbers_written_as_text_are_compared_by_size(clause, formula):
    """The same entries, of the same values, as of the numbers themselves; the levels stay where they stand."""
    by_type = []
    for column in (NUMBERS, NUMBERS.astype(str)):
        plan = fj.model(formula.format(clause), FRAME.assign(many=column)).plan
        (contrast,) = plan.contrasts
        values = contrast.matrix.weights @ [STRENGTH[level] for level in contrast.levels]
        by_type.append(dict(zip(contrast.matrix.labels, values, strict=True)))
    assert contrast.levels[:4] == ("1", "10", "11", "12")
    assert by_type[0] == pytest.approx(by_type[1], rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("clause", ["pairwise", "reference", "meandev", "meanotherdev"])
def test_families_without_an_order_take_levels_as_they_stand(clause):
    (contrast,) = fj.model(
        f"y ~ x | many, {clause}(x)", FRAME.assign(many=NUMBERS.astype(str))
    ).plan.contrasts
    assert contrast.order == contrast.levels
    np.testing.assert_allclose(contrast.matrix.weights, FAMILIES[clause].function(contrast.levels).weights)


def test_a_family_of_an_extension_takes_levels_in_the_order_that_they_mean():
    family = fj.ContrastFamily(
        lambda levels: {f"{levels[-1]} - {levels[0]}": [-1, *[0] * 11, 1]}, name="extremes"
    )
    language = fj.CORE.extend(fj.Extension("far", [family]))
    model = fj.model("y ~ x | many, extremes(x)", FRAME.assign(many=NUMBERS.astype(str)), language=language)
    (contrast,) = model.plan.contrasts
    assert contrast.matrix.labels == ("13 - 1",)
    assert dict(zip(contrast.levels, contrast.matrix.weights[0], strict=True))["13"] == 1
    assert "in the order 1, 2, 3" in model.explain()
