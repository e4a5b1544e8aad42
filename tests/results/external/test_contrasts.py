"""Joint contrasts, families of contrasts and joint tests of draws that come from elsewhere."""

from __future__ import annotations

import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from xarray import DataArray, Dataset, DataTree

import formulajoint as fj
from formulajoint.errors import DataError, FormulaError, InferenceError
from formulajoint.language.vocabulary import default
from formulajoint.results.external.draws import Source, read_draws

CHAINS, DRAWS = 4, 2000
CENTRE = np.array([20.0, 8.0, -1.0])
VALUES = np.random.default_rng(5).normal(CENTRE, 1.0, size=(CHAINS, DRAWS, 3))
LABELLED = DataArray(
    VALUES.transpose(2, 0, 1),
    dims=("school", "chain", "draw"),
    coords={"school": ["A", "B", "C"]},
    name="slope",
)
DATASET = Dataset({"slope": LABELLED, "sigma": LABELLED[0]})


def test_a_registered_weight_scheme_takes_the_counts(monkeypatch):
    monkeypatch.setattr(default, "_default", default._Default())
    squares = fj.WeightScheme(lambda groups: groups.rows**2, name="squares")
    of_column = fj.WeightScheme(lambda groups, column: groups.mean(column), name="of_column")
    fj.register(fj.Extension("mine", [squares, of_column]))
    given = fj.joint(VALUES, "squares", n=[1, 2, 3]).loc["joint", "mean"]
    assert given == fj.joint(VALUES, [1, 4, 9]).loc["joint", "mean"]
    with pytest.raises(DataError, match="weights='squares' needs the counts"):
        fj.joint(VALUES, "squares")
    with pytest.raises(DataError, match="`of_column` needs columns of data"):
        fj.joint(VALUES, "of_column", n=[1, 2, 3])


@pytest.mark.parametrize(
    ("draws", "variable"),
    [
        (VALUES, None),
        (LABELLED, None),
        (DATASET, "slope"),
        (DataTree.from_dict({"posterior": DATASET}), "slope"),
        (DataTree.from_dict({"posterior": DATASET})["posterior"], "slope"),
        ({"slope": VALUES}, None),
        (SimpleNamespace(posterior=DATASET), "slope"),  # as ArviZ's InferenceData was
        ({"slope": VALUES, "sigma": VALUES[..., 0]}, "slope"),  # as NumPyro's samples by chain
    ],
    ids=[
        "array",
        "DataArray",
        "Dataset",
        "DataTree",
        "a node of it",
        "one variable",
        "InferenceData",
        "mapping",
    ],
)
def test_the_same_draws_give_the_same_tables_in_every_form(draws, variable) -> None:
    pd.testing.assert_frame_equal(fj.joint(draws, [4, 6, 2], variable), fj.joint(VALUES, [4, 6, 2]))
    groups = ["A", "B", "C"]
    for question in ({}, {"hypothesis": "A == B"}, {"hypothesis": "A > B > 0"}, {"null": 1.0, "rope": 2.0}):
        found = fj.joint_test(draws, variable=variable, groups=groups, **question)
        expected = fj.joint_test(VALUES, groups=groups, **question)
        pd.testing.assert_frame_equal(found.reset_index(drop=True), expected.reset_index(drop=True))
    pd.testing.assert_frame_equal(
        fj.contrast_table(draws, "pairwise", variable=variable, groups=groups),
        fj.contrast_table(VALUES, "pairwise", groups=groups),
    )


def test_the_columns_of_a_data_frame_are_its_groups() -> None:
    frame = pd.DataFrame(VALUES[0], columns=["A", "B", "C"])
    found = fj.joint_test(frame, "A == B")
    pd.testing.assert_frame_equal(found, fj.joint_test(VALUES[0], "A == B", groups=["A", "B", "C"]))
    with pytest.raises(DataError, match="array of numbers"):
        fj.joint(frame.assign(A="x"))


def test_joint_is_the_weighted_mean_of_each_draw() -> None:
    weights = np.array([4, 6, 2]) / 12
    table = fj.joint(VALUES, [4, 6, 2])
    by_draw = VALUES @ weights
    assert table.loc["joint", "mean"] == pytest.approx(by_draw.mean(), rel=1e-12)
    assert table.loc["joint", "sd"] == pytest.approx(by_draw.std(ddof=1), rel=1e-12)
    assert table.loc["rms", "mean"] == pytest.approx(np.sqrt(VALUES**2 @ weights).mean(), rel=1e-12)
    variance = (VALUES - by_draw[..., None]) ** 2 @ weights
    assert table.loc["spread", "mean"] == pytest.approx(np.sqrt(variance).mean(), rel=1e-12)


def test_weights_go_by_name_and_default_to_equal() -> None:
    expected = fj.joint(VALUES, [4, 6, 2])
    pd.testing.assert_frame_equal(fj.joint(LABELLED, {"C": 2, "A": 4, "B": 6}), expected)
    pd.testing.assert_frame_equal(fj.joint(LABELLED, "n", n={"C": 2, "A": 4, "B": 6}), expected)
    pd.testing.assert_frame_equal(fj.joint(VALUES, "n", n=[4, 6, 2]), expected)
    assert fj.joint(VALUES).loc["joint", "mean"] == pytest.approx(VALUES.mean(), rel=1e-12)
    pd.testing.assert_frame_equal(fj.joint(VALUES, "equal"), fj.joint(VALUES))


# --- tests


def test_the_contour_of_normal_draws_is_the_chi_square_tail() -> None:
    null = CENTRE + np.array([1.0, -1.0, 0.5])
    row = fj.joint_test(VALUES, null=null, rope=2.0, at_least=1).iloc[0]
    assert row["rank"] == 3
    assert abs(row["contour"] - stats.chi2.sf(2.25, 3)) < 4 * row["contour_mcse"] + 0.01
    inside = stats.norm.cdf(2, [-1, 1, -0.5]) - stats.norm.cdf(-2, [-1, 1, -0.5])
    assert row["p_in_rope"] == pytest.approx(np.prod(inside), abs=4 * row["p_in_rope_mcse"] + 0.01)
    assert row["p_out_of_rope"] == pytest.approx(
        np.prod(1 - inside), abs=4 * row["p_out_of_rope_mcse"] + 0.01
    )
    above = stats.norm.sf([1, -1, 0.5])
    assert row["p_all_positive"] == pytest.approx(np.prod(above), abs=0.02)
    assert row["p_at_least"] == pytest.approx(1 - np.prod(1 - above), abs=0.02)


@pytest.mark.parametrize(
    ("text", "rows", "null", "rank"),
    [
        ("slope == 0", np.eye(3), [0, 0, 0], 3),
        ("slope == A", [[-1, 1, 0], [-1, 0, 1]], [0, 0], 2),
        ("A == B + 12", [[1, -1, 0]], [12], 1),
        ("A - 2*B == 4, slope[C] == -1", [[1, -2, 0], [0, 0, 1]], [4, -1], 2),
        ("A == B == C, A == C", [[1, -1, 0], [0, 1, -1], [1, 0, -1]], [0, 0, 0], 2),
        ("(A + B) / 2 == slope[school=C]", [[0.5, 0.5, -1]], [0], 1),
    ],
)
def test_equalities_are_read_of_labels(text: str, rows, null, rank: int) -> None:
    found = fj.joint_test(LABELLED, text).iloc[0]
    away = VALUES @ np.array(rows, dtype=float).T - np.array(null)
    plain = fj.joint_test(away).iloc[0]
    assert found["rank"] == rank
    for column in ("gbpv", "p_all_positive", "p_all_negative"):
        assert found[column] == pytest.approx(plain[column], abs=1e-12)
    if rank == len(null):
        assert found["contour"] == pytest.approx(plain["contour"], abs=1e-12)


def test_orders_are_read_of_labels() -> None:
    found = fj.joint_test(LABELLED - LABELLED.mean(("chain", "draw")), "A > B > 0").iloc[0]
    assert found["p_all_positive"] == pytest.approx(1 / 8, abs=4 * found["p_all_positive_mcse"])
    assert np.isnan(found["contour"])
    assert found["note"].startswith("order: P(all > 0) is its posterior probability")


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("A == «D»", "there is no group `D`", "the groups are `A`, `B`, `C`"),
        ("«slop» == 0", "there is no group `slop`", "did you mean `slope`?"),
        ("slope[«D»] == 0", "`school` has no level `D`", "the levels are `A`, `B`, `C`"),
        ("slope[«shool=A»] == 0", "`slope` has no dim `shool`", "did you mean `school`?"),
        ("«slope[A, B]» == 0", "`slope` has 1 dims, `school`, and 2 levels are given", "name them"),
        ("«treatment»[A] == 0", "these are draws of `slope`, not of `treatment`", "write `slope[...]`"),
        ("A * «B» == 0", "`A * B` is not linear in the coefficients", "sums and multiples only"),
        ("«A == B, B == C, A == C + 1»", "these equalities contradict each other", "take one of them out"),
        ("«A > B, B > A»", "these orders contradict each other", "take one of them out"),
        ("«A > B + 1, B > C, C > A - 1»", "these orders contradict each other", ""),
    ],
)
def test_a_wrong_hypothesis_is_shown_its_place(text: str, message: str, hint: str) -> None:
    plain = text.replace("«", "").replace("»", "")
    with pytest.raises(FormulaError) as error:
        fj.joint_test(LABELLED, plain)
    assert error.value.message == message
    assert hint in error.value.hint
    assert plain[error.value.span.start : error.value.span.end] == text.partition("«")[2].partition("»")[0]


def test_numbers_as_labels_are_named_by_the_variable() -> None:
    days = LABELLED.assign_coords(school=[308, 309, 310]).rename("Days")
    found = fj.joint_test(days, "Days[308] == Days[309]").iloc[0]
    assert found["contour"] == fj.joint_test(LABELLED, "A == B").iloc[0]["contour"]
    assert fj.joint_test(days, "`308` == `309`").iloc[0]["contour"] == found["contour"]


def test_orders_that_can_hold_are_not_refused() -> None:
    for text in ("A > B, B > C, A > C", "A > B - 1, B > A - 1", "A > 0, A > 1", "A > B, 2 * A > 2 * B"):
        assert fj.joint_test(LABELLED, text)["rank"].item() > 1


def test_a_group_that_is_called_as_the_variable_is_asked_about() -> None:
    with pytest.raises(FormulaError, match=re.escape("`A` names both all coefficients and one of them")):
        fj.joint_test(LABELLED.rename("A"), "A == 0")


# --- dims

ARMS = DataArray(
    np.random.default_rng(8).normal(np.array([[1.0, 2], [3, 4], [5, 6]]), 1.0, size=(4, 500, 3, 2)),
    dims=("chain", "draw", "school", "arm"),
    coords={"school": ["A", "B", "C"], "arm": ["low", "high"]},
    name="effect",
)


def test_all_dims_together_are_the_groups_unless_one_is_named() -> None:
    assert read_draws(ARMS, Source()).groups == (
        "A, low",
        "A, high",
        "B, low",
        "B, high",
        "C, low",
        "C, high",
    )
    found = read_draws(ARMS, Source(dim="school"))
    assert (found.groups, found.cells) == (("A", "B", "C"), ("low", "high"))
    np.testing.assert_array_equal(found.values[1], ARMS.sel(arm="high").to_numpy())


def test_other_dims_have_rows_of_their_own() -> None:
    apart = fj.joint(ARMS, dim="school", weights=[1, 2, 3])
    assert list(apart.index) == [
        f"{name}[{arm}]" for arm in ("low", "high") for name in ("joint", "rms", "spread")
    ]
    high = fj.joint(ARMS.sel(arm="high", drop=True), weights=[1, 2, 3])
    np.testing.assert_array_equal(apart.iloc[3:].to_numpy(), high.to_numpy())
    tests = fj.joint_test(ARMS, "A == B", dim="school")
    assert list(tests.index) == ["low: A == B", "high: A == B"]
    pairs = fj.contrast_table(ARMS, "sequential", dim="school")
    assert list(pairs.index) == ["B - A[low]", "C - B[low]", "B - A[high]", "C - B[high]"]


def test_levels_of_several_dims_are_named_or_stand_in_order() -> None:
    found = [fj.joint_test(ARMS, text).iloc[0]["contour"] for text in
             ("effect[A, low] == effect[B, high]", "effect[arm=low, school=A] == effect[arm=high, school=B]", "`A, low` == `B, high`")]  # fmt: skip
    assert found[0] == found[1] == found[2]
    assert fj.joint_test(ARMS, "effect[arm=low] == effect[arm=high]")["rank"].item() == 3
    assert fj.joint_test(ARMS, "effect == 0")["rank"].item() == 6


# --- differences to a base


def test_differences_are_added_to_their_base() -> None:
    base = DataArray(VALUES[..., 0], dims=("chain", "draw"))
    tree = DataTree.from_dict(
        {
            "posterior": Dataset(
                {"x": base, "x|school": LABELLED, "x:school": LABELLED[1:].rename(school="x:school_dim")}
            )
        }
    )
    whole = fj.joint(LABELLED + base, [1, 2, 3])
    pd.testing.assert_frame_equal(fj.joint(tree, [1, 2, 3], "x|school", base="x"), whole)
    found = read_draws(tree, Source("x:school", base="x", reference="R"))
    assert found.groups == ("R", "B", "C")
    np.testing.assert_allclose(found.values[0, ..., 0], base)
    np.testing.assert_allclose(found.values[0, ..., 2], VALUES[..., 2] + VALUES[..., 0])
    assert fj.joint_test(tree, "R == B", variable="x:school", base="x", reference="R")["rank"].item() == 1


def test_each_cell_of_other_dims_has_its_base() -> None:
    base = DataArray(
        np.arange(4000.0).reshape(4, 500, 2), dims=("chain", "draw", "arm"), coords={"arm": ["low", "high"]}
    )
    found = read_draws(
        Dataset({"effect": ARMS[:, :, 1:], "base": base}),
        Source("effect", "school", base="base", reference="A"),
    )
    np.testing.assert_allclose(found.values[1, ..., 0], base.sel(arm="high"))
    np.testing.assert_allclose(
        found.values[1, ..., 2], base.sel(arm="high") + ARMS.sel(school="C", arm="high")
    )


# --- families


def test_families_are_differences_of_draws() -> None:
    table = fj.contrast_table(LABELLED, "pairwise")
    assert list(table.index) == ["A - B", "A - C", "B - C"]
    assert table.loc["A - C", "mean"] == pytest.approx((VALUES[..., 0] - VALUES[..., 2]).mean())
    assert table.loc["A - C", "sd"] == pytest.approx((VALUES[..., 0] - VALUES[..., 2]).std(ddof=1))
    assert list(fj.contrast_table(LABELLED, "reference", ref="B").index) == ["A - B", "C - B"]
    by_n = fj.contrast_table(LABELLED, "meandev", n={"A": 4, "B": 6, "C": 2})
    assert by_n.loc["A - mean", "mean"] == pytest.approx(
        (VALUES[..., 0] - VALUES @ [4 / 12, 6 / 12, 2 / 12]).mean()
    )
    linear = fj.contrast_table(LABELLED, "poly", degree=1)
    assert linear.loc["linear", "mean"] == pytest.approx((VALUES @ np.array([-1, 0, 1]) / np.sqrt(2)).mean())


def test_whole_numbers_as_labels_are_compared_by_size() -> None:
    """The groups 1, 10, 2 stand in the order of text."""
    found = fj.contrast_table(VALUES, "sequential", groups=["1", "10", "2"])
    assert list(found.index) == ["2 - 1", "10 - 2"]
    assert found.loc["10 - 2", "mean"] == pytest.approx((VALUES[..., 1] - VALUES[..., 2]).mean())
    linear = fj.contrast_table(VALUES, "poly", degree=1, groups=["1", "10", "2"])
    assert linear.loc["linear", "mean"] == pytest.approx((VALUES @ np.array([-1, 1, 0]) / np.sqrt(2)).mean())
    assert "1 - 10" in fj.contrast_table(VALUES, "pairwise", groups=["1", "10", "2"]).index
    assert list(fj.contrast_table(VALUES, "sequential", groups=["2", "10", "1"]).index) == [
        "10 - 2",
        "1 - 10",
    ]


def test_one_chain_may_come_without_its_dim() -> None:
    flat = VALUES.reshape((-1, 3))
    assert read_draws(flat, Source()).values.shape == (1, 1, CHAINS * DRAWS, 3)
    assert fj.joint_test(flat, null=CENTRE)["contour"].iloc[0] > 0.01


TREE = DataTree.from_dict({"prior": Dataset({"slope": LABELLED})})
BAD = {
    "one dimension": (lambda: fj.joint(VALUES[0, :, 0]), "is (chain, draw, group) or (draw, group), not of shape (2000,)"),
    "no groups": (lambda: fj.joint(LABELLED[0]), "no dim beside chain and draw"),
    "no chain": (lambda: fj.joint(LABELLED[:, 0]), "no dim `chain`"),
    "no posterior": (lambda: fj.joint(TREE, variable="slope"), "no group `posterior`; it has `prior`"),
    "no variable": (lambda: fj.joint(DATASET), "Say which variable: variable=..., one of `slope`, `sigma`"),
    "misspelt": (lambda: fj.joint(Dataset({"slope": LABELLED}), variable="slpoe"), "did you mean `slope`?"),
    "missing": (lambda: fj.joint(np.where(VALUES > 22, np.nan, VALUES)), "draws are missing or infinite"),
    "few weights": (lambda: fj.joint(VALUES, [1, 2]), "There are 3 groups, and weights of shape (2,)"),
    "unknown group": (lambda: fj.joint(LABELLED, {"A": 1, "B": 2, "D": 3}), "differ in `C`, `D`"),
    "negative": (lambda: fj.joint(VALUES, [1, -2, 3]), "zero or more, and not all zero"),
    "all zero": (lambda: fj.joint(VALUES, [0, 0, 0]), "zero or more, and not all zero"),
    "no counts": (lambda: fj.joint(VALUES, "n"), "weights='n' needs the counts"),
    "weights in words": (lambda: fj.joint(VALUES, "rows"), "`weights` are 'n', 'equal' or numbers, not 'rows'"),
    "few draws": (lambda: fj.joint_test(VALUES[:1, :6]), "6 draws are too few for 3 quantities"),
    "null": (lambda: fj.joint_test(VALUES, null=[1, 2]), "`null` must be a number, or 3 of them"),
    "infinite null": (lambda: fj.joint_test(VALUES, null=np.inf), "`null` must be a number, or 3 of them"),
    "rope": (lambda: fj.joint_test(VALUES, rope=0), "`rope` must be above zero, not 0"),
    "no text": (lambda: fj.joint_test(VALUES, 0.0), "A hypothesis is a text such as 'A == B', not 0.0; values go to null="),
    "few names": (lambda: fj.joint(VALUES, groups=["A", "B"]), "There are 3 groups; `groups` needs as many different names"),
    "one name twice": (lambda: fj.joint(VALUES, groups=["A", "B", "A"]), "as many different names"),
    "names of several dims": (lambda: fj.joint(ARMS, groups=["A", "B", "C"]), "With `groups` say which dim they are"),
    "one label twice": (lambda: fj.joint(LABELLED.assign_coords(school=["A", "A", "B"])), "Two groups of dim `school` have one label"),
    "no dim": (lambda: fj.joint(ARMS, dim="shool"), "The draws have no dim `shool`: did you mean `school`?"),
    "no base": (lambda: fj.joint(DATASET, variable="slope", base="x"), "There is no variable `x`"),
    "base of an array": (lambda: fj.joint(VALUES, base="x"), "`base` names a variable, and these draws are of one"),
    "base of groups": (lambda: fj.joint(Dataset({"a": ARMS[..., 0].drop_vars("arm"), "b": ARMS}), variable="a", base="b"), "has dims that `a` has not: `arm`"),
    "reference of dims": (lambda: fj.joint(Dataset({"a": ARMS, "b": ARMS[:, :, 0, 0]}), variable="a", base="b", reference="R"), "say which dim is the groups'"),
    "no family": (lambda: fj.contrast_table(VALUES, "pairwsie"), "did you mean `pairwise`?"),
    "one group": (lambda: fj.contrast_table(VALUES[..., :1], "pairwise"), "A contrast needs two groups"),
    "another's option": (lambda: fj.contrast_table(VALUES, "pairwise", ref="0"), "`ref` belongs to 'reference', not to 'pairwise'"),
    "no such group": (lambda: fj.contrast_table(LABELLED, "reference", ref="D"), "There is no group `D`"),
    "degree": (lambda: fj.contrast_table(LABELLED, "poly", degree=3), "`degree` is a whole number from 1 to 2, not 3"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_answered_is_refused_in_words(case: str) -> None:
    call, message = BAD[case]
    with pytest.raises(DataError, match=re.escape(message)):
        call()


@pytest.mark.parametrize("count", [0, 4, 1.5, True])
def test_no_more_can_be_above_zero_than_there_are(count) -> None:
    with pytest.raises(
        InferenceError, match="`at_least` is a whole number from 1 to the 3 quantities tested"
    ):
        fj.joint_test(VALUES, at_least=count)


# --- Bambi


@pytest.mark.slow
@pytest.mark.filterwarnings(
    "ignore::pandas.errors.Pandas4Warning", "ignore::FutureWarning", "ignore::DeprecationWarning"
)
def test_a_bambi_model_of_the_seed_data_goes_through_unchanged(tutoring: pd.DataFrame) -> None:
    """Flat-ish priors of Bambi's: the closed form of flat priors, contour and joint, is near."""
    bambi = pytest.importorskip("bambi")
    settings = {"draws": 1000, "tune": 1000, "chains": 4, "cores": 1, "progressbar": False, "random_seed": 1}
    full = bambi.Model("test_score ~ 0 + school + school:treatment", tutoring).fit(**settings)
    found = fj.joint_test(full, "A == B", variable="school:treatment").iloc[0]
    assert found["contour"] < 0.005
    assert found["rank"] == 1
    assert fj.joint_test(full, variable="school:treatment").iloc[0]["contour"] < 0.002
    table = fj.joint(full, "n", "school:treatment", n={"A": 4, "B": 6})
    assert table.loc["joint", "mean"] == pytest.approx(13, abs=0.3)
    assert fj.contrast_table(full, "pairwise", variable="school:treatment").loc[
        "A - B", "mean"
    ] == pytest.approx(35 / 3, abs=0.6)
    differences = bambi.Model("test_score ~ treatment * school", tutoring).fit(**settings)
    table = fj.joint(differences, {"A": 4, "B": 6}, "treatment:school", base="treatment", reference="A")
    assert table.loc["joint", "mean"] == pytest.approx(13, abs=0.4)
