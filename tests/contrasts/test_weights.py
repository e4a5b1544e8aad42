"""``weights=``: every scheme by figures computed by hand or by regression, and every refusal with its place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from formulajoint.contrasts.weights import weights_of
from formulajoint.data.data import Data
from formulajoint.data.layout import unknown
from formulajoint.design.bind import bind
from formulajoint.errors import DataError, FormulaError
from formulajoint.spec.read import parse

DATA = Path(__file__).parents[1] / "data"
PIGS = pd.read_csv(DATA / "pigs.csv")
MTCARS = pd.read_csv(DATA / "mtcars.csv", dtype={"cyl": str})

# Two groups of 4 and 6 rows.
FRAME = pd.DataFrame(
    {
        "y": [3.0, 1, 4, 1, 5, 9, 2, 6, 5, 3],
        "x": [1.0, 2, 3, 6, 1, 4, 2, 2, 7, 2],
        "z": [0.0, 1, 0, 1, 2, 3, 5, 8, 1, 3],
        "treated": [True, False, True, True, False, True, False, False, True, False],
        "population": [100] * 4 + [300] * 6,
        "n": [5] * 4 + [3] * 6,
        "w": [1, 2, 1, 2, 1, 1, 1, 1, 1, 3],
        "signed": [-1.0, 2, -2, 3, 1, 1, 1, 1, 1, 1],
        "minus": [-1] * 4 + [2] * 6,
        "nothing": [0] * 10,
        "text": list("abcdefghij"),
        "gap": [7.0, np.nan, 7, 7] + [1.0] * 6,
        "arm": list("abcaabbcca"),
        "school": ["A"] * 4 + ["B"] * 6,
        "number": [1] * 4 + [2] * 6,
    }
)


def data_of(design):
    return Data(design, design.predictor, unknown(design.predictor))


def weights(formula, data=FRAME, own_sigma=False):
    """Return the weights of the formula's one contrast clause, for the term that it names."""
    design = bind(parse(formula), data)
    (asked,) = design.spec.contrasts
    wanted = asked.terms[0].id if asked.terms else "x"
    term = next(t for t in design.predictor.per_group if t.name == wanted)
    return weights_of(design, data_of(design), term, asked.weights, own_sigma)


SCHEMES = {
    "n": [0.4, 0.6],
    "equal": [0.5, 0.5],
    "population": [0.25, 0.75],
    "`n`": [5 / 8, 3 / 8],  # in backticks it is a column
    "`population`": [0.25, 0.75],
    "sum(x)": [12 / 30, 18 / 30],
    "sum(treated)": [3 / 5, 2 / 5],
    "sum(population)": [400 / 2200, 1800 / 2200],
    "sum(signed)": [2 / 8, 6 / 8],  # single rows may be negative
    "{A: 1, B: 3}": [0.25, 0.75],
    "{B: 3, A: 1}": [0.25, 0.75],
    '{"A": 0.1, B: 0.3}': [0.25, 0.75],
    "{A: 1 / 3, B: 2 / 3}": [1 / 3, 2 / 3],
    "{A: 0, B: 2}": [0.0, 1.0],
    "[1, 3]": [0.25, 0.75],
    "[0.5, 2^-1]": [0.5, 0.5],
}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_schemes(scheme):
    found = weights(f"y ~ x | school, joint(x, weights={scheme})")
    np.testing.assert_allclose(found.values, SCHEMES[scheme], rtol=1e-14)
    assert found.scheme == scheme
    assert not found.over_sigma


def test_rows_are_the_default():
    found = weights("y ~ x | school, joint(x)")
    assert found.scheme == "n"
    np.testing.assert_allclose(found.values, [0.4, 0.6])


def test_levels_that_are_numbers():
    for scheme in ("{1: 1, 2: 3}", '{"1": 1, "2": 3}', "{1.0: 1, 2: 3}"):
        np.testing.assert_allclose(
            weights(f"y ~ x | number, joint(x, weights={scheme})").values, [0.25, 0.75]
        )


def test_nested_groups():
    frame = FRAME.assign(district=["d", "e"] * 5)
    given = '{A/d: 1, B/e: 2, A/e: 3, "B/d": 4}'
    found = weights(f"y ~ x | school/district, joint(x, weights={given})", frame)
    np.testing.assert_allclose(found.values, [0.1, 0.3, 0.4, 0.2])  # A/d A/e B/d B/e


def test_rows_with_a_missing_weight_are_dropped():
    found = weights("y ~ x | school, joint(x, weights=gap)")
    np.testing.assert_allclose(found.values, [7 / 8, 1 / 8])
    design = bind(parse("y ~ x | school, joint(x, weights=sum(gap))"), FRAME)
    assert design.rows.missing == {"gap": 1}
    np.testing.assert_allclose(data_of(design).rows_of(design.predictor.grouping), [3, 6])


def repeated(frame, by="w"):
    return frame.loc[np.repeat(frame.index, frame[by])].drop(columns=by)


@pytest.mark.parametrize(
    "scheme", ["n", "equal", "precision", "population", "sum(x)", "sum(treated)", "[1, 2]"]
)
def test_row_weights_are_repeated_rows(scheme):
    """A row of weight w counts as w rows, in every scheme."""
    once = weights(f"y ~ x | school, weights(w), joint(x, weights={scheme})")
    rows = weights(f"y ~ x | school, joint(x, weights={scheme})", repeated(FRAME))
    np.testing.assert_allclose(once.values, rows.values, rtol=1e-12)
    plain = weights(f"y ~ x | school, joint(x, weights={scheme})")
    if scheme in ("n", "precision", "sum(x)", "sum(treated)"):
        assert abs(plain.values - once.values).max() > 0.01


# Precision.


def partial_ss(column, others):
    """Residual sum of squares of `column` on `others`."""
    return np.sum((column - others @ np.linalg.lstsq(others, column)[0]) ** 2)


def test_precision_by_its_definition():
    """x: 1 2 3 6 and 1 4 2 2 7 2 have sums of squares 14 and 24 about their means."""
    found = weights("y ~ x | school, joint(x, weights=precision)").values
    np.testing.assert_allclose(found, [14 / 38, 24 / 38], rtol=1e-14)
    no_intercept = weights("y ~ 0 + x | school, joint(x, weights=precision)").values
    np.testing.assert_allclose(no_intercept, [50 / 128, 78 / 128], rtol=1e-14)


@pytest.mark.parametrize(
    ("formula", "others"), [("x + z", "z"), ("z + x", "z"), ("x + z + common(treated)", "z")]
)
def test_precision_beside_other_columns(formula, others):
    """On the other columns of the group; a shared column takes nothing away."""
    found = weights(f"y ~ {formula} | school, joint(x, weights=precision)").values
    raw = []
    for _, part in FRAME.groupby("school"):
        raw.append(partial_ss(part["x"].to_numpy(), np.column_stack([np.ones(len(part)), part[others]])))
    np.testing.assert_allclose(found, np.array(raw) / sum(raw), rtol=1e-12)


def test_precision_of_a_factor_is_one_weight_a_column():
    frame = FRAME.assign(arm=list("abccaaabbc"))
    found = weights("y ~ arm | school, joint(arm, weights=precision)", frame)
    assert found.values.shape == (2, 2)
    # Within a group of n_a, n_b, n_c rows, arm[b] beside the intercept and arm[c] has n_a n_b / (n_a + n_b).
    b, c = np.array([1 / 2, 3 * 2 / 5]), np.array([2 / 3, 3 * 1 / 4])
    np.testing.assert_allclose(found.values, np.column_stack([b / b.sum(), c / c.sum()]), rtol=1e-12)


def test_precision_is_zero_where_a_group_tells_nothing():
    frame = FRAME.assign(x=[2.0] * 4 + [1, 4, 2, 2, 7, 2])
    np.testing.assert_allclose(weights("y ~ x | school, joint(x, weights=precision)", frame).values, [0, 1])
    twin = FRAME.assign(z=FRAME["x"].where(FRAME["school"] == "A", FRAME["z"]))  # z is x in school A
    np.testing.assert_allclose(
        weights("y ~ x + z | school, joint(x, weights=precision)", twin).values, [0, 1]
    )


def test_precision_far_from_zero_and_on_any_scale():
    plain = weights("y ~ x | school, joint(x, weights=precision)").values
    for moved in (FRAME["x"] + 2000, FRAME["x"] * 1e9, FRAME["x"] * 1e-9, FRAME["x"] + 1e6):
        found = weights("y ~ x | school, joint(x, weights=precision)", FRAME.assign(x=moved)).values
        np.testing.assert_allclose(found, plain, rtol=1e-8)


def test_precision_asks_for_sigma_only_where_groups_have_their_own():
    assert weights("y ~ x | school, joint(x, weights=precision)", own_sigma=True).over_sigma
    assert not weights("y ~ x | school, joint(x, weights=n)", own_sigma=True).over_sigma
    column = FRAME.assign(precision=[1] * 4 + [3] * 6)
    found = weights("y ~ x | school, joint(x, weights=`precision`)", column, own_sigma=True)
    assert not found.over_sigma
    np.testing.assert_allclose(found.values, [0.25, 0.75])


# The identity of statistics.md: averaged by precision, the slopes of the groups are the slope of the regression in which
# that term alone is shared.


def slopes_of_groups(frame, y, x, others, group):
    found = []
    for _, part in frame.groupby(group, sort=False):
        columns = np.column_stack([part[x], np.ones(len(part)), *(part[o] for o in others)])
        found.append(np.linalg.lstsq(columns, part[y])[0][0])
    return np.array(found)


def shared_slope(frame, y, x, others, group):
    dummies = pd.get_dummies(frame[group], dtype=float).to_numpy()
    own = [dummies * frame[name].to_numpy(float)[:, None] for name in others]
    return np.linalg.lstsq(np.column_stack([frame[x], dummies, *own]), frame[y])[0][0]


REGRESSIONS = {
    "pigs": (PIGS, "logconc", "percent", [], "source"),
    "mtcars": (MTCARS, "mpg", "wt", [], "cyl"),
    "two columns": (FRAME, "y", "x", ["z"], "school"),
    "mtcars with a square": (MTCARS.assign(square=MTCARS["wt"] ** 2), "mpg", "wt", ["square"], "cyl"),
}


@pytest.mark.parametrize("name", REGRESSIONS)
def test_precision_gives_the_shared_slope(name):
    frame, y, x, others, group = REGRESSIONS[name]
    formula = f"{y} ~ {' + '.join([x, *others])} | {group}, joint({x}, weights=precision)"
    labels = bind(parse(formula), frame).predictor.grouping.labels
    slopes = pd.Series(slopes_of_groups(frame, y, x, others, group), frame[group].unique())[list(labels)]
    expected = shared_slope(frame, y, x, others, group)
    assert weights(formula, frame).values @ slopes == pytest.approx(expected, rel=1e-9)
    for scheme in ("n", "equal"):
        other = weights(formula.replace("precision", scheme), frame).values @ slopes
        assert other != pytest.approx(expected, rel=1e-3)


def test_precision_gives_the_shared_slope_with_row_weights():
    frame = PIGS.assign(w=1 + np.arange(len(PIGS)) % 3)
    rows = repeated(frame)
    found = weights("logconc ~ percent | source, weights(w), joint(percent, weights=precision)", frame).values
    slopes = pd.Series(slopes_of_groups(rows, "logconc", "percent", [], "source"), rows["source"].unique())
    expected = shared_slope(rows, "logconc", "percent", [], "source")
    assert found @ slopes.sort_index() == pytest.approx(expected, rel=1e-9)


# R 4.2.2: weights and averages of the slopes of lm(logconc ~ 0 + source + source:percent) and lm(mpg ~ 0 + cyl + cyl:wt);
# `precision` is 1/se^2 of each slope, normalised. Groups in our order: fish, skim, soy; 4, 6, 8.
CLASSICAL = {
    ("pigs", "n"): ([0.344827586206897, 0.310344827586207, 0.344827586206897], 0.0327627664916688),
    ("pigs", "equal"): ([1 / 3, 1 / 3, 1 / 3], 0.0336026882632402),
    ("pigs", "precision"): ([0.401438848920863, 0.287769784172662, 0.310791366906475], 0.0319085517788746),
    ("mtcars", "n"): ([0.34375, 0.21875, 0.4375], -3.508504700564),
    ("mtcars", "equal"): ([1 / 3, 1 / 3, 1 / 3], -3.53985637561576),
    ("mtcars", "precision"): ([0.282016735175994, 0.0662344850546003, 0.651748779769406], -3.20561325619287),
}


@pytest.mark.parametrize(("name", "scheme"), CLASSICAL)
def test_classical_figures(name, scheme):
    frame, y, x, others, group = REGRESSIONS[name]
    expected, average = CLASSICAL[name, scheme]
    found = weights(f"{y} ~ {x} | {group}, joint({x}, weights={scheme})", frame).values
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    slopes = pd.Series(slopes_of_groups(frame, y, x, others, group), frame[group].unique()).sort_index()
    assert found @ slopes == pytest.approx(average, rel=1e-10)


# Refusals: the place is marked in the formula.


def unmarked(formula):
    """Return the formula without its marks, and what stands between them."""
    before, _, rest = formula.partition("«")
    inside, _, after = rest.partition("»")
    return before + inside + after, (len(before), len(before) + len(inside))


@pytest.mark.parametrize(
    ("scheme", "message", "hint"),
    [
        ("{A: 1, «Q»: 2}", "`school` has no level `Q`", "the levels are `A`, `B`"),
        ("{«Aa»: 1, B: 2}", "`school` has no level `Aa`", "did you mean `A`?"),
        ("«{A: 1}»", "the weights leave out `B` of `school`", "give each a weight, 0 for none"),
        ("{A: 1, «A: 2», B: 1}", "the level `A` has two weights", ""),
        ("«[1, 2, 3]»", "`school` has 2 levels, and there are 3 weights", "the levels are `A`, `B`"),
        ("«[1]»", "`school` has 2 levels, and there are 1 weights", "the levels are `A`, `B`"),
        ("{A: «-1», B: 2}", "a weight cannot be negative", ""),
        ("[1, «-2»]", "a weight cannot be negative", ""),
        ("«{A: 0, B: 0}»", "all weights are zero", ""),
        ("«[0, 0]»", "all weights are zero", ""),
        ("{A: «x», B: 1}", "a number is expected here", ""),
        ("{A: «1/0», B: 1}", "this is not a finite number", ""),
        ("«popu»", "the data have no column `popu`", ""),
        ("«population_»", "the data have no column `population_`", "did you mean `population`?"),
        ("sum(«treatd»)", "the data have no column `treatd`", "did you mean `treated`?"),
        ("«text»", "weights are numbers, but column `text` holds text or categories", ""),
        ("sum(«text»)", "weights are numbers, but column `text` holds text or categories", ""),
        (
            "«1»",
            "a number cannot be used as weights",
            "write `n`, `equal`, `precision`, a column, or `{A: 0.3, B: 0.7}`",
        ),
        ("«'equal'»", "weights are not given as a text", "write `equal` without quotes"),
    ],
)
def test_formula_errors(scheme, message, hint):
    formula, (start, end) = unmarked(f"y ~ x | school, joint(x, weights={scheme})")
    with pytest.raises(FormulaError) as error:
        weights(formula)
    assert error.value.message == message
    assert (error.value.span.start, error.value.span.end) == (start, end)
    assert hint in error.value.hint


def test_one_group_by_two_spellings():
    formula, (start, end) = unmarked("y ~ x | number, joint(x, weights={1: 1, «1.0: 2», 2: 1})")
    with pytest.raises(FormulaError, match="`1` has two weights") as error:
        weights(formula)
    assert (error.value.span.start, error.value.span.end) == (start, end)


@pytest.mark.parametrize(
    ("scheme", "message"),
    [
        (
            "w",
            "`weights=w` needs one value per group, but `w` takes 2 values in the 4 rows of school A. "
            "Use `weights=sum(w)` to weight by the group's sum.",
        ),
        (
            "minus",
            "The weights `minus` are negative or missing in 1 of 2 groups: `A`. Weights are zero or more.",
        ),
        (
            "sum(minus)",
            "The weights `sum(minus)` are negative or missing in 1 of 2 groups: `A`. Weights are zero or more.",
        ),
        (
            "nothing",
            "The weights `nothing` of `x` are zero in every group, so there is nothing to average. Choose other weights.",
        ),
        (
            "sum(nothing)",
            "The weights `sum(nothing)` of `x` are zero in every group, so there is nothing to average. "
            "Choose other weights.",
        ),
    ],
)
def test_data_errors(scheme, message):
    with pytest.raises(DataError) as error:
        weights(f"y ~ x | school, joint(x, weights={scheme})")
    assert str(error.value) == message


def test_no_group_tells_anything():
    frame = FRAME.assign(x=[2.0] * 4 + [3.0] * 6)
    with pytest.raises(DataError, match="`precision` of `x` are zero in every group"):
        weights("y ~ x | school, joint(x, weights=precision)", frame)


def test_no_group_tells_one_level_from_the_others():
    """School A has a and b, school B has c alone: c cannot be told from B's intercept, anywhere."""
    frame = FRAME.assign(arm=list("abab") + ["c"] * 6)
    with pytest.raises(DataError, match="`precision` of `arm` are zero in every group"):
        weights("y ~ arm | school, joint(arm, weights=precision)", frame)


def test_precision_of_known_standard_errors():
    """One over the sampling variance of each group's own weighted least squares."""
    frame = FRAME.assign(s=1 + np.arange(10) % 3, one=np.arange(10.0) // 5)
    found = weights("y ~ x | school, se(s), weights(w), joint(x, weights=precision)", frame)
    expected = []
    for _, part in frame.groupby("school"):
        columns = np.column_stack([np.ones(len(part)), part["x"]])
        covariance = np.linalg.inv((columns.T * (part["w"] / part["s"] ** 2).to_numpy()) @ columns)
        expected.append(1 / covariance[1, 1])
    np.testing.assert_allclose(found.values, np.array(expected) / sum(expected), rtol=1e-12)
    assert not found.over_sigma
    by_rows = weights("y ~ x | school, se(s), joint(x, weights=n)", frame)
    np.testing.assert_allclose(by_rows.values, [0.4, 0.6])


@pytest.mark.filterwarnings("error")
def test_weights_whose_sum_overflows() -> None:
    for asked in ("[1e308, 1e308]", "{A: 1.5e308, B: 1.5e308}", "dirichlet([1e308, 1e308])"):
        assert weights(f"y ~ x | school, joint(x, weights={asked})").values.tolist() == [0.5, 0.5]
    assert weights("y ~ x | school, joint(x, weights=[1e-320, 3e-320])").values == pytest.approx(
        [0.25, 0.75], 0.01
    )
