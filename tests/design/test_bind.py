"""Formula and frame against terms and columns, written out by hand so that one can see the coding."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from formulajoint.design.bind import bind
from formulajoint.design.schema import Design, Predictor, Term
from formulajoint.spec.read import parse

FRAME = {
    "score": [1.0, 2.0, 4.0, 3.0, 5.0, 9.0],
    "x": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
    "z": [2.0, 2.0, 0.0, 1.0, 1.0, 3.0],
    "arm": ["a", "b", "c", "a", "b", "c"],
    "sex": ["m", "m", "m", "f", "f", "f"],
    "old": [True, False, False, True, True, False],
    "school": ["B", "A", "B", "A", "B", "A"],
    "year": [2021, 2020, 2020, 2021, 2020, 2021],
    "w": [1.0, 2.0, 0.0, 1.0, 1.0, 3.0],
}


def cells(term: Term) -> list[str]:
    """Return a name for each column of a term: ``arm:sex[b,m]``."""
    if not term.factors:
        return [term.name]
    labels = [""]
    for factor in term.factors:
        labels = [f"{left},{right}" if left else right for left in labels for right in factor.labels]
    return [f"{term.name}[{label}]" for label in labels]


def picture(predictor: Predictor) -> list[list[str]]:
    """Return a predictor as a table of text: names, then one line a row; `|` before the common columns."""
    own, common = predictor.per_group, predictor.common
    bar = ["|"] if own and common else []
    head = [name for term in own for name in cells(term)] + bar + [n for term in common for n in cells(term)]
    rows = len(predictor.terms[0].columns)
    lines = []
    for row in range(rows):
        left = [f"{value:g}" for term in own for value in term.columns[row]]
        lines.append(left + bar + [f"{value:g}" for term in common for value in term.columns[row]])
    return [head, *lines]


def read(table: str) -> list[list[str]]:
    return [line.split() for line in table.strip().splitlines()]


def design(formula: str) -> Design:
    return bind(parse(formula), FRAME)


PICTURES = {
    "score ~ x": """
        Intercept x
        1         1
        1         2
        1         3
        1         4
        1         5
        1         6 """,
    "score ~ x | school": """
        Intercept x
        1         1
        1         2
        1         3
        1         4
        1         5
        1         6 """,
    "score ~ arm": """
        Intercept arm[b] arm[c]
        1         0      0
        1         1      0
        1         0      1
        1         0      0
        1         1      0
        1         0      1 """,
    "score ~ 0 + arm": """
        arm[a] arm[b] arm[c]
        1      0      0
        0      1      0
        0      0      1
        1      0      0
        0      1      0
        0      0      1 """,
    "score ~ 0 + arm + sex": """
        arm[a] arm[b] arm[c] sex[m]
        1      0      0      1
        0      1      0      1
        0      0      1      1
        1      0      0      0
        0      1      0      0
        0      0      1      0 """,
    "score ~ arm*sex": """
        Intercept arm[b] arm[c] sex[m] arm:sex[b,m] arm:sex[c,m]
        1         0      0      1      0            0
        1         1      0      1      1            0
        1         0      1      1      0            1
        1         0      0      0      0            0
        1         1      0      0      0            0
        1         0      1      0      0            0 """,
    "score ~ sex + sex:arm": """
        Intercept sex[m] sex:arm[f,b] sex:arm[f,c] sex:arm[m,b] sex:arm[m,c]
        1         1      0            0            0            0
        1         1      0            0            1            0
        1         1      0            0            0            1
        1         0      0            0            0            0
        1         0      1            0            0            0
        1         0      0            1            0            0 """,
    "score ~ sex:arm": """
        Intercept sex:arm[*:b] sex:arm[*:c] sex:arm[m:a] sex:arm[m:b] sex:arm[m:c]
        1         0            0            1            0            0
        1         1            0            0            1            0
        1         0            1            0            0            1
        1         0            0            0            0            0
        1         1            0            0            0            0
        1         0            1            0            0            0 """,
    "score ~ 0 + sex:arm": """
        sex:arm[f,a] sex:arm[f,b] sex:arm[f,c] sex:arm[m,a] sex:arm[m,b] sex:arm[m,c]
        0            0            0            1            0            0
        0            0            0            0            1            0
        0            0            0            0            0            1
        1            0            0            0            0            0
        0            1            0            0            0            0
        0            0            1            0            0            0 """,
    "score ~ x + arm:x": """
        Intercept x arm:x[b] arm:x[c]
        1         1 0        0
        1         2 2        0
        1         3 0        3
        1         4 0        0
        1         5 5        0
        1         6 0        6 """,
    "score ~ x:sex": """
        Intercept x:sex[f] x:sex[m]
        1         0        1
        1         0        2
        1         0        3
        1         4        0
        1         5        0
        1         6        0 """,
    "score ~ x:z + z": """
        Intercept z x:z
        1         2 2
        1         2 4
        1         0 0
        1         1 4
        1         1 5
        1         3 18 """,
    "score ~ old + year": """
        Intercept old year
        1         1   2021
        1         0   2020
        1         0   2020
        1         1   2021
        1         1   2020
        1         0   2021 """,
    "score ~ C(old)": """
        Intercept C(old)[True]
        1         1
        1         0
        1         0
        1         1
        1         1
        1         0 """,
    "score ~ C(year, ref=2021)": """
        Intercept C(year,ref=2021)[2020]
        1         0
        1         1
        1         1
        1         0
        1         1
        1         0 """,
    "score ~ C(arm, ref=b)": """
        Intercept C(arm,ref=b)[a] C(arm,ref=b)[c]
        1         1      0
        1         0      0
        1         0      1
        1         1      0
        1         0      0
        1         0      1 """,
    "score ~ C(arm, coding=sum)": """
        Intercept C(arm,coding=sum)[a] C(arm,coding=sum)[b]
        1          1      0
        1          0      1
        1         -1     -1
        1          1      0
        1          0      1
        1         -1     -1 """,
    "score ~ C(arm, coding=helmert)": """
        Intercept C(arm,coding=helmert)[b] C(arm,coding=helmert)[c]
        1         -1     -1
        1          1     -1
        1          0      2
        1         -1     -1
        1          1     -1
        1          0      2 """,
    "score ~ 0 + C(arm, coding=sum)": """
        C(arm,coding=sum)[a] C(arm,coding=sum)[b] C(arm,coding=sum)[c]
        1      0      0
        0      1      0
        0      0      1
        1      0      0
        0      1      0
        0      0      1 """,
    "score ~ x + common(arm) | school": """
        Intercept x | arm[b] arm[c]
        1         1 | 0      0
        1         2 | 1      0
        1         3 | 0      1
        1         4 | 0      0
        1         5 | 1      0
        1         6 | 0      1 """,
    "score ~ x + common(arm) + 0 | school": """
        x | arm[a] arm[b] arm[c]
        1 | 1      0      0
        2 | 0      1      0
        3 | 0      0      1
        4 | 1      0      0
        5 | 0      1      0
        6 | 0      0      1 """,
    "score ~ common(1) + sex + 0 | school": """
        sex[m] | Intercept
        1      | 1
        1      | 1
        1      | 1
        0      | 1
        0      | 1
        0      | 1 """,
    "score ~ common(x) + x:sex | school": """
        Intercept x:sex[m] | x
        1         1        | 1
        1         2        | 2
        1         3        | 3
        1         0        | 4
        1         0        | 5
        1         0        | 6 """,
    'score ~ I(x > 2) + {x / 2} + I(arm == "b") + I(-x^2 + 2 * z)': """
        Intercept I(x>2) I(x/2) I(arm=="b") I(-x^2+2*z)
        1         0      0.5    0           3
        1         0      1      1           0
        1         1      1.5    0           -9
        1         1      2      0           -14
        1         1      2.5    1           -23
        1         1      3      0           -30 """,
    'score ~ I(1 < x <= 4) + I(arm != "b") + I(2^3^0 * x - z / 2 / 2)': """
        Intercept I(1<x<=4) I(arm!="b") I(2^3^0*x-z/2/2)
        1         0         1           1.5
        1         1         0           3.5
        1         1         1           6
        1         1         1           7.75
        1         0         0           9.75
        1         0         1           11.25 """,
    "score ~ center(x) + abs(center(z))": """
        Intercept center(x) abs(center(z))
        1         -2.5      0.5
        1         -1.5      0.5
        1         -0.5      1.5
        1          0.5      0.5
        1          1.5      0.5
        1          2.5      1.5 """,
    "score ~ x - 1": """
        x
        1
        2
        3
        4
        5
        6 """,
}


@pytest.mark.parametrize("formula", PICTURES)
def test_columns_are_as_drawn(formula: str) -> None:
    drawn = read(PICTURES[formula])
    seen = picture(design(formula).predictor)
    assert ["".join(name.split()) for name in seen[0]] == drawn[0]
    assert seen[1:] == drawn[1:]


def test_grouping_sorts_levels_and_codes_rows() -> None:
    grouping = design("score ~ x | school").predictor.grouping
    assert grouping is not None
    assert (grouping.name, grouping.labels, grouping.variables) == ("school", ("A", "B"), ("school",))
    assert grouping.codes.tolist() == [1, 0, 1, 0, 1, 0]


GROUPS = {
    "year": (("2020", "2021"), [1, 0, 0, 1, 0, 1]),
    "old": (("False", "True"), [1, 0, 0, 1, 1, 0]),
    "z": (("0", "1", "2", "3"), [2, 2, 0, 1, 1, 3]),
    "school/year": (("A/2020", "A/2021", "B/2020", "B/2021"), [3, 0, 2, 1, 2, 1]),
    "year:school": (("2020:A", "2020:B", "2021:A", "2021:B"), [3, 0, 1, 2, 1, 2]),
    "sex:arm/school": (("f:a/A", "f:b/B", "f:c/A", "m:a/B", "m:b/A", "m:c/B"), [3, 4, 5, 0, 1, 2]),
}


@pytest.mark.parametrize("group", GROUPS)
def test_groups_are_the_observed_cells(group: str) -> None:
    grouping = design(f"score ~ x | {group}").predictor.grouping
    assert grouping is not None
    assert (grouping.labels, grouping.codes.tolist()) == GROUPS[group]
    assert grouping.name == group.replace("/", ":")


def test_terms_say_what_they_read() -> None:
    terms = {term.name: term for term in design("score ~ log(x + z):arm + C(sex)").predictor.terms}
    assert terms["log(x + z):arm"].variables == ("x", "z", "arm")
    assert terms["log(x + z):arm"].parts == ("log(x + z)", "arm")
    assert terms["C(sex)"].factors[0].name == "sex"
    assert terms["Intercept"].parts == ()


def test_means_and_scales() -> None:
    terms = {
        t.name: t
        for t in design("score ~ x + old + I(x > 2) + arm + arm:sex + arm:x | school").predictor.terms
    }
    sd = np.std(FRAME["x"], ddof=1)
    assert (terms["Intercept"].means, terms["Intercept"].scales) == (1, 1)
    assert terms["x"].means == pytest.approx(3.5)
    assert terms["x"].scales == pytest.approx(sd)
    for name in ("old", "I(x > 2)", "arm", "arm:sex"):
        assert set(terms[name].scales) == {0.5}, name
    assert terms["arm"].means == pytest.approx([1 / 3, 1 / 3])
    assert terms["arm:x"].scales == pytest.approx(
        np.std([[0, 2, 0, 0, 5, 0], [0, 0, 3, 0, 0, 6]], axis=1, ddof=1)
    )


def test_weights_are_repeated_rows() -> None:
    formula = "score ~ x*arm + standardize(z) + center(x):sex | school"
    weighted = bind(parse(formula + ", weights(w)"), FRAME)
    repeated = bind(parse(formula), pd.DataFrame(FRAME).loc[lambda d: d.index.repeat(d["w"].astype(int))])
    assert weighted.row_weights is not None
    assert (weighted.rows.total, weighted.rows.used, weighted.rows.weightless) == (6, 5, 1)
    again = np.repeat(np.arange(5), weighted.row_weights.astype(int))
    for one, other in zip(weighted.predictor.terms, repeated.predictor.terms, strict=True):
        assert one.name == other.name
        np.testing.assert_allclose(one.columns[again], other.columns)
        np.testing.assert_allclose(one.means, other.means, atol=1e-15)
        np.testing.assert_allclose(one.scales, other.scales)


def test_an_empty_cell_has_a_scale() -> None:
    frame = {"y": [1.0, 2, 3, 4], "x": [0.0, 0, 1, 3], "g": ["a", "a", "b", "b"], "c": [3.0] * 4}
    scales = bind(parse("y ~ 0 + g:x + c"), frame).predictor.terms
    assert [t.name for t in scales] == ["c", "g:x"]
    assert scales[0].scales == 3
    assert scales[1].scales == pytest.approx([np.std(frame["x"], ddof=1), np.std([0, 0, 1, 3], ddof=1)])


def test_standardize_learns_mean_and_sd() -> None:
    (_, term) = design("score ~ standardize(x)").predictor.terms
    expected = (np.array(FRAME["x"]) - 3.5) / np.std(FRAME["x"], ddof=1)
    np.testing.assert_allclose(term.columns[:, 0], expected)


FUNCTIONS = ["log", "log2", "log10", "log1p", "exp", "expm1", "sqrt", "abs"]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_of_columns(name: str) -> None:
    (_, term) = design(f"score ~ {name}(x)").predictor.terms
    np.testing.assert_allclose(term.columns[:, 0], getattr(np, name)(np.array(FRAME["x"])))


def test_polynomial_coding_is_that_of_r() -> None:
    # R: contr.poly(4)
    linear = [-0.6708204, -0.2236068, 0.2236068, 0.6708204]
    quadratic = [0.5, -0.5, -0.5, 0.5]
    cubic = [-0.2236068, 0.6708204, -0.6708204, 0.2236068]
    (_, term) = bind(parse("y ~ C(k, coding=poly)"), {"y": [1, 2, 3, 5], "k": [1, 2, 3, 4]}).predictor.terms
    assert term.factors[0].labels == ("linear", "quadratic", "cubic")
    np.testing.assert_allclose(term.columns, np.column_stack([linear, quadratic, cubic]), atol=1e-7)


def test_response_may_be_transformed() -> None:
    response = design("log(score) ~ x").response
    assert (response.name, response.variable) == ("log(score)", "score")
    np.testing.assert_allclose(response.values, np.log(FRAME["score"]))
    assert design("old ~ x").response.values.tolist() == [1, 0, 0, 1, 1, 0]


def test_offsets_add_up_and_are_no_terms() -> None:
    predictor = design("score ~ x + offset(z) + offset(log(x)) | school").predictor
    assert [term.name for term in predictor.terms] == ["Intercept", "x"]
    assert predictor.offset is not None
    np.testing.assert_allclose(predictor.offset, np.array(FRAME["z"]) + np.log(FRAME["x"]))
    assert design("score ~ x").predictor.offset is None


def test_parameters_have_predictors_of_their_own() -> None:
    bound = design("score ~ x | school, sigma ~ z | year, nu ~ 1")
    assert [p.parameter for p in bound.parameters] == ["sigma", "nu"]
    sigma, nu = bound.parameters
    assert [t.name for t in sigma.per_group] == ["Intercept", "z"]
    assert sigma.grouping is not None
    assert sigma.grouping.labels == ("2020", "2021")
    assert (nu.grouping, [t.name for t in nu.common]) == (None, ["Intercept"])


def test_a_block_has_terms_of_the_same_groups_and_their_hierarchies() -> None:
    bound = design(
        "score ~ x + z + common(arm) | school, sigma ~ 1 | sex, hierarchy(sigma), hierarchy(z), hierarchy(x)"
    )
    found = [
        (
            [term.name for term in block.terms],
            block.grouping and block.grouping.name,
            [hierarchy.terms for hierarchy in block.pooling],
        )
        for predictor in bound.predictors
        for block in predictor.blocks
    ]
    assert found == [
        (["Intercept", "x", "z"], "school", [("z",), ("x",)]),
        (["arm"], None, []),
        (["Intercept"], "sex", [("Intercept",)]),
    ]


@pytest.mark.parametrize(
    ("formula", "blocks"),
    [
        ("score ~ x", [(2, None)]),
        ("score ~ x | school", [(2, "school")]),
        ("score ~ 0 + common(x) | school", [(0, "school"), (1, None)]),
    ],
)
def test_the_bar_has_the_first_block(formula: str, blocks: list[tuple[int, str | None]]) -> None:
    predictor = design(formula).predictor
    assert [(len(b.terms), b.grouping and b.grouping.name) for b in predictor.blocks] == blocks
    assert (len(predictor.per_group), predictor.grouping and predictor.grouping.name) == (
        blocks[0] if blocks[0][1] else (0, None)
    )


def test_the_dot_is_every_column_not_named() -> None:
    bound = design("score ~ . | school, joint(x, weights=w), sigma ~ z")
    assert [t.name for t in bound.predictor.terms] == ["Intercept", "x", "arm", "sex", "old", "year"]
    bound = design("score ~ . - year - x + sqrt(z) | school, weights(w)")
    assert [t.name for t in bound.predictor.terms] == ["Intercept", "arm", "sex", "old", "sqrt(z)"]


def test_columns_of_weights_are_kept() -> None:
    bound = design(
        "score ~ x | school, joint(x, weights=w), rms(x, weights=sum(z)), spread(x, weights=`year`)"
    )
    assert {name: values.tolist() for name, values in bound.weight_columns.items()} == {
        name: [float(value) for value in FRAME[name]] for name in ("w", "z", "year")
    }


def test_in_backticks_a_weight_is_always_a_column() -> None:
    frame = FRAME | {"n": [3, 1, 2, 2, 1, 1]}
    text = "score ~ x | school, joint(x, weights=n), rms(x, weights=equal), spread(x, weights={})"
    assert dict(bind(parse(text.format("precision")), frame).weight_columns) == {}
    assert bind(parse(text.format("`n`")), frame).weight_columns["n"].tolist() == [3, 1, 2, 2, 1, 1]


ODD_NAMES = [
    "School A",
    "a.b",
    'it\'s "x"',
    "größe",
    "名前",
    "logp",
    "x/y",
    "chain",
    "n",
    "Intercept",
    "a`b",
    "1st",
    "log",
]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_any_name_can_be_a_column_a_group_or_a_response(name: str) -> None:
    quoted = "`" + name.replace("`", "``") + "`"
    frame = {"y": [1.0, 2, 4, 3], "x": [1.0, 2, 4, 2], name: [1.0, 2, 1, 3]}
    terms = bind(parse(f"y ~ {quoted} + log({quoted}):x"), frame).predictor.terms
    assert terms[1].variables == (name,)
    assert terms[1].columns[:, 0].tolist() == frame[name]
    assert terms[2].variables == (name, "x")
    grouping = bind(parse(f"y ~ x | {quoted}"), frame).predictor.grouping
    assert grouping is not None
    assert (grouping.name, grouping.labels) == (name, ("1", "2", "3"))
    response = bind(parse(f"{quoted} ~ x"), frame).response
    assert response.variable == name


def test_a_column_called_intercept_is_not_the_intercept() -> None:
    frame = {"y": [1.0, 2, 4], "Intercept": [1.0, 2, 5]}
    assert [t.name for t in bind(parse("y ~ Intercept"), frame).predictor.terms] == [
        "Intercept",
        "`Intercept`",
    ]


def test_backticks_make_no_difference() -> None:
    assert [t.name for t in design("score ~ `x` + x + log(`x`) + log(x)").predictor.terms] == [
        "Intercept",
        "x",
        "log(x)",
    ]


def test_names_are_compared_in_one_unicode_form() -> None:
    decomposed, composed = "gro\u0308ße", "gr\u00f6ße"
    frame = {"y": [1.0, 2, 4], decomposed: [1.0, 2, 5]}
    assert bind(parse(f"y ~ {composed}"), frame).predictor.terms[1].variables == (composed,)


def test_a_dotted_name_is_a_column() -> None:
    frame = {"y": [1.0, 2, 4], "x.mean": [1.0, 2, 5], "sigma.x": [2.0, 1, 2]}
    assert [t.name for t in bind(parse("y ~ x.mean + sigma.x, sigma ~ 1"), frame).predictor.terms] == [
        "Intercept",
        "x.mean",
        "sigma.x",
    ]
