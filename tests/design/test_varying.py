"""Group terms ``(1 + x | g)``: what varies over which groups, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import formulajoint as fj
from formulajoint.design.bind import bind
from formulajoint.design.schema import Design


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    columns = pd.DataFrame(rng.normal(size=(120, 3)), columns=["y", "x", "z"])
    return columns.assign(c=np.tile(list("abcd"), 30), d=np.repeat(list("uvw"), 40), one="only")


def bound(formula: str, data: pd.DataFrame) -> Design:
    return bind(fj.parse(formula), data)


def varying(formula: str, data: pd.DataFrame) -> dict[str, list[tuple[tuple[str, ...], bool]]]:
    """The terms of each hierarchy by factor, and whether they are correlated."""
    blocks = bound(formula, data).predictor.varying
    return {
        block.grouping.name: [(pool.terms, pool.cor) for pool in block.pooling]
        for block in blocks
        if block.grouping is not None
    }


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("y ~ x + (1 | c)", {"c": [(("Intercept",), False)]}),
        ("y ~ x + (x | c)", {"c": [(("Intercept", "x"), True)]}),
        ("y ~ x + (0 + x | c)", {"c": [(("x",), False)]}),
        ("y ~ x + (x || c)", {"c": [(("Intercept",), False), (("x",), False)]}),
        ("y ~ x*z + (x*z | c)", {"c": [(("Intercept", "x", "z", "x:z"), True)]}),
        ("y ~ x + (1 | d/c)", {"d": [(("Intercept",), False)], "d:c": [(("Intercept",), False)]}),
        ("y ~ x + (1 | d:c)", {"d:c": [(("Intercept",), False)]}),
        (
            "y ~ x + (1 | c) + (0 + x | c) + (x | d)",
            {"c": [(("Intercept",), False), (("x",), False)], "d": [(("Intercept", "x"), True)]},
        ),
        ("y ~ d + (d | c)", {"c": [(("Intercept", "d"), True)]}),
        ("y ~ d + (d || c)", {"c": [(("Intercept",), False), (("0 + d",), True)]}),  # a column for each level
        ("y ~ 0 + d + (0 + d | c)", {"c": [(("d",), True)]}),
        (
            "y ~ x + (1 + x | c), hierarchy(x, over=c, dist=student)",
            {"c": [(("Intercept",), False), (("x",), False)]},
        ),
        ("y ~ x + (1 + x | c), hierarchy(over=c, cor=false)", {"c": [(("Intercept", "x"), False)]}),
    ],
)
def test_what_varies(
    data: pd.DataFrame, formula: str, expected: dict[str, list[tuple[tuple[str, ...], bool]]]
) -> None:
    assert varying(formula, data) == expected


@pytest.mark.parametrize(
    ("formula", "noted"),
    [
        ("y ~ d + (d || c)", True),
        ("y ~ x + d + (x*d || c)", True),
        ("y ~ x, sigma ~ (d || c)", True),
        ("y ~ x + z + (x + z || c)", False),
        ("y ~ d + (d | c)", False),
        ("y ~ d + (1 | c) + (0 + d | c)", False),
        ("y ~ d + (d || c), hierarchy(over=c, cor=false)", False),
    ],
)
def test_levels_stay_correlated_under_two_bars_and_a_note_says_so(
    data: pd.DataFrame, formula: str, noted: bool
) -> None:
    notes = fj.model(formula, data).plan.design.notes
    assert any("`||` separates terms" in note for note in notes) == noted


def test_groups_and_columns_are_those_of_the_rows(data: pd.DataFrame) -> None:
    design = bound("y ~ x + (1 + x | d/c)", data)
    inner = design.predictor.varying[1]
    assert inner.grouping is not None
    labels = np.array(inner.grouping.labels)[inner.grouping.codes]
    assert (labels == data["d"] + ":" + data["c"]).all()
    assert np.array_equal(inner.terms[1].columns[:, 0], data["x"])


def test_rows_that_miss_a_group_are_left_out(data: pd.DataFrame) -> None:
    gaps = data.assign(c=data["c"].where(np.arange(120) >= 7), z=data["z"].where(np.arange(120) < 110))
    design = bound("y ~ x + (1 + z | c)", gaps)
    assert design.rows.used == 103
    assert design.rows.missing == {"c": 7, "z": 10}


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("y ~ x + (x | c) + (1 | c)", "`Intercept` varies over c in two group terms"),
        ("y ~ x + (1 | c) | c", "each c has coefficients of its own already"),
        ("y ~ x + (c | c)", "`c` makes the groups"),
        ("y ~ x + (0 | c)", "no predictor is left"),
        ("y ~ x + (1 | e)", "the data have no column `e`"),
        ("y ~ x + (x | c), hierarchy(z, over=c)", "`z` does not vary over c"),
        ("y ~ x + (x | c), hierarchy(x, over=d)", "nothing varies over `d`"),
        ("y ~ x | c, hierarchy(x, over=c)", "no term is a group term"),
        ("y ~ x + (x | c), hierarchy(x)", "named by `over=`"),
        ("y ~ x + (x | c), hierarchy(x, over=c, scale=sigma)", "units of the response"),
        ("y ~ x + (x | c), joint(z, over=c)", "the formula has no term `z`"),
        ("y ~ z + x + (x | c), joint(z, over=c)", "nothing to average"),
        ("y ~ x + (x | c) + (1 | d), test(x[c=a] == x[d=u])", "factors of different group terms"),
        ("y ~ x + (x + z | c), test(z.mean == 0, over=c)", "`z` varies about zero"),
        ("y ~ x + (x + z | c), contrast(z[c=a] - z.mean)", "`z` varies about zero"),
        ("y ~ x + (x | c) | d, joint(x, over=c)", "beside `| d`, a c adds to the coefficients of each d"),
        ("y ~ x + (x | c), test(x[c=a] == x)", "can be the coefficient that all rows share"),
    ],
)
def test_refusals(data: pd.DataFrame, formula: str, message: str) -> None:
    with pytest.raises((fj.FormulaError, fj.DataError), match=message):
        fj.model(formula, data)


def test_one_group_is_refused(data: pd.DataFrame) -> None:
    with pytest.raises(fj.DataError, match="`one` has one"):
        fj.model("y ~ x + (1 | one)", data)


@pytest.mark.parametrize(
    ("written", "advised"),
    [
        ("test(x[a] > 0)", "test(x[c=a] > 0)"),
        ("contrast(x[a] / 2)", "contrast(x[c=a] / 2)"),
        ("test(x == 0, scale=response)", "test(x == 0, over=c, scale=response)"),
    ],
)
def test_coefficients_of_groups_are_named_by_the_factor(
    data: pd.DataFrame, written: str, advised: str
) -> None:
    with pytest.raises(fj.FormulaError) as raised:
        fj.model(f"y ~ x + (x | c), {written}", data)
    assert raised.value.hint.split("`")[-2] in advised
    fj.model(f"y ~ x + (x | c), {advised}", data)


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("y ~ x + (x | c), joint(x)", "joint(x, over=c)"),
        ("y ~ x + (x | c), hierarchy(x)", "hierarchy(x, over=c)"),
        ("y ~ x + (x | c), hierarchy()", "hierarchy(over=c)"),
        ("y ~ x + (x | c), prior(x.sd ~ half_normal(1))", "prior(x.sd ~ half_normal(1), over=c)"),
        ("y ~ x + (x | c), prior(cor ~ lkj(1))", "prior(cor ~ lkj(1), over=c)"),
    ],
)
def test_a_hint_can_be_written(data: pd.DataFrame, written: str, hint: str) -> None:
    with pytest.raises(fj.FormulaError) as raised:
        fj.model(written, data)
    assert f"`{hint}`" in raised.value.hint
    fj.model(f"y ~ x + (x | c), {hint}", data)
