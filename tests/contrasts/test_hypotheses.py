"""Hypotheses as restrictions: rows and nulls written by hand, arithmetic against its own value, refusals with their place."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import sparse

from formulajoint.contrasts.hypotheses import Hypothesis, all_zero, hypothesis, independent
from formulajoint.contrasts.layout import layout
from formulajoint.design.bind import bind
from formulajoint.design.schema import Design
from formulajoint.errors import FormulaError
from formulajoint.spec.read import parse, parse_hypotheses

FRAME = {
    "y": [1.0, 2, 4, 3, 5, 9, 7, 2, 1, 5, 3, 6],
    "x": [1.0, 2, 3, 4, 5, 6, 2, 5, 1, 7, 4, 3],
    "z": [2.0, 2, 0, 1, 1, 3, 1, 5, 6, 2, 4, 4],
    "arm": ["a", "b", "c"] * 4,
    "sex": ["m", "f"] * 6,
    "school": ["A"] * 6 + ["B"] * 6,
    "clinic": ["north", "east", "south", "east"] * 3,
    "ward": ["1", "2"] * 6,
}

# Each design with the coefficients in their order: terms as in the formula, groups first, the last factor fastest.
DESIGNS = {
    "schools": ("y ~ x + common(z) | school", "Intercept[A] Intercept[B] x[A] x[B] z"),
    "arms": (
        "y ~ arm | clinic",
        """Intercept[east] Intercept[north] Intercept[south]
           arm[east,b] arm[east,c] arm[north,b] arm[north,c] arm[south,b] arm[south,c]""",
    ),
    "wards": (
        "y ~ 0 + x | school/ward",
        "x[A/1] x[A/2] x[B/1] x[B/2]",
    ),
    "crossed": (
        "y ~ arm * sex | school",
        """Intercept[A] Intercept[B] arm[A,b] arm[A,c] arm[B,b] arm[B,c] sex[A,m] sex[B,m]
           arm:sex[A,b,m] arm:sex[A,c,m] arm:sex[B,b,m] arm:sex[B,c,m]""",
    ),
    "plain": ("y ~ 0 + arm + arm:x", "arm[a] arm[b] arm[c] arm:x[a] arm:x[b] arm:x[c]"),
    "squares": ("y ~ x + I(x / 2) + common(z:arm) | school", ""),
}


def design(name: str) -> Design:
    return bind(parse(DESIGNS[name][0]), FRAME)


def read(design: Design, text: str) -> Hypothesis:
    return hypothesis(design, parse_hypotheses(text))


def written(names: list[str], found: Hypothesis) -> list[str]:
    """Return the rows of a hypothesis as text: ``+1 x[A] -2 x[B] = 3``."""
    sign = ">" if found.order else "="
    return [
        " ".join([*(f"{w:+g} {name}" for name, w in zip(names, row, strict=True) if w), sign, f"{null:g}"])
        for row, null in zip(found.rows.toarray(), found.null, strict=True)
    ]


# --- what a hypothesis says

CASES = {
    "schools": {
        "x == 0": ["+1 x[A] = 0", "+1 x[B] = 0"],
        "x = 0": ["+1 x[A] = 0", "+1 x[B] = 0"],
        "0 == x": ["-1 x[A] = 0", "-1 x[B] = 0"],
        "x[A] == 3": ["+1 x[A] = 3"],
        "x[A] == x[B]": ["+1 x[A] -1 x[B] = 0"],
        "x == x[A]": ["-1 x[A] +1 x[B] = 0"],
        "x[A] == x[B] == 2": ["+1 x[A] -1 x[B] = 0", "+1 x[B] = 2"],
        "x[A] == x[B], z == 0": ["+1 x[A] -1 x[B] = 0", "+1 z = 0"],
        "x[A] - 2 * x[B] == 3": ["+1 x[A] -2 x[B] = 3"],
        "x[A] + 1 == 2 * (x[B] - 3) / 4": ["+1 x[A] -0.5 x[B] = -2.5"],
        "-x[A] == +x[B] * -1": ["-1 x[A] +1 x[B] = 0"],
        "2 * 3 * x[A] == 2^3": ["+6 x[A] = 8"],
        "x[A] - x[B] + x[A] == 0": ["+2 x[A] -1 x[B] = 0"],
        "x + Intercept == 4": ["+1 Intercept[A] +1 x[A] = 4", "+1 Intercept[B] +1 x[B] = 4"],
        "x == z": ["+1 x[A] -1 z = 0", "+1 x[B] -1 z = 0"],
        "z == Intercept": ["-1 Intercept[A] +1 z = 0", "-1 Intercept[B] +1 z = 0"],
        "x[school=A] == Intercept[B]": ["-1 Intercept[B] +1 x[A] = 0"],
        'x["A"] == `x`[B]': ["+1 x[A] -1 x[B] = 0"],
        "0.1 * x[A] + 0.2 * x[A] - 0.3 * x[A] + x[B] == 0": ["+1 x[B] = 0"],  # in doubles 5.6e-17 is left
        "z == 0.1 + 0.2 - 0.3": ["+1 z = 0"],
        "1e-30 * x[A] == 1e-30": ["+1e-30 x[A] = 1e-30"],
        "x == 0, x == 0": ["+1 x[A] = 0", "+1 x[B] = 0"] * 2,
        "x[A] > x[B] > 0": ["+1 x[A] -1 x[B] > 0", "+1 x[B] > 0"],
        "0 < x[B] < x[A]": ["+1 x[B] > 0", "+1 x[A] -1 x[B] > 0"],
        "x[A] >= 2, z <= 3": ["+1 x[A] > 2", "-1 z > -3"],
        "x > 0": ["+1 x[A] > 0", "+1 x[B] > 0"],
        "x > x[A]": ["-1 x[A] +1 x[B] > 0"],
    },
    "arms": {
        "arm[clinic=east] == 0": ["+1 arm[east,b] = 0", "+1 arm[east,c] = 0"],
        "arm[arm=c] == 0": ["+1 arm[east,c] = 0", "+1 arm[north,c] = 0", "+1 arm[south,c] = 0"],
        "arm[east, b] == arm[south, c]": ["+1 arm[east,b] -1 arm[south,c] = 0"],
        "arm[arm=b, clinic=south] == 1": ["+1 arm[south,b] = 1"],
        # matched by the name of the dim, whatever is picked from the other
        "arm[clinic=east] == arm[clinic=north]": [
            "+1 arm[east,b] -1 arm[north,b] = 0",
            "+1 arm[east,c] -1 arm[north,c] = 0",
        ],
        "arm[arm=b] == 2 * arm[arm=c]": [
            "+1 arm[east,b] -2 arm[east,c] = 0",
            "+1 arm[north,b] -2 arm[north,c] = 0",
            "+1 arm[south,b] -2 arm[south,c] = 0",
        ],
        "arm == arm[clinic=north]": [
            "+1 arm[east,b] -1 arm[north,b] = 0",
            "+1 arm[east,c] -1 arm[north,c] = 0",
            "-1 arm[north,b] +1 arm[south,b] = 0",
            "-1 arm[north,c] +1 arm[south,c] = 0",
        ],
        # ... and of the dims' order
        "arm[clinic=east] == arm": [
            "+1 arm[east,b] -1 arm[north,b] = 0",
            "+1 arm[east,b] -1 arm[south,b] = 0",
            "+1 arm[east,c] -1 arm[north,c] = 0",
            "+1 arm[east,c] -1 arm[south,c] = 0",
        ],
        # a dim that only one side has is run through
        "arm[arm=b] == arm[clinic=east]": [
            "+1 arm[east,b] -1 arm[east,c] = 0",
            "-1 arm[east,b] +1 arm[north,b] = 0",
            "-1 arm[east,c] +1 arm[north,b] = 0",
            "-1 arm[east,b] +1 arm[south,b] = 0",
            "-1 arm[east,c] +1 arm[south,b] = 0",
        ],
        "Intercept[north] == arm[clinic=north]": [
            "+1 Intercept[north] -1 arm[north,b] = 0",
            "+1 Intercept[north] -1 arm[north,c] = 0",
        ],
    },
    "wards": {
        "x[A/1] == x[B/2]": ["+1 x[A/1] -1 x[B/2] = 0"],
        "x[`school:ward`=B/1] == 0": ["+1 x[B/1] = 0"],
        "x == x[A/2]": [
            "+1 x[A/1] -1 x[A/2] = 0",
            "-1 x[A/2] +1 x[B/1] = 0",
            "-1 x[A/2] +1 x[B/2] = 0",
        ],
        "(x[A/1] + x[A/2]) / 2 > (x[B/1] + x[B/2]) / 2": [
            "+0.5 x[A/1] +0.5 x[A/2] -0.5 x[B/1] -0.5 x[B/2] > 0"
        ],
    },
    "crossed": {
        "arm:sex == 0": [
            "+1 arm:sex[A,b,m] = 0",
            "+1 arm:sex[A,c,m] = 0",
            "+1 arm:sex[B,b,m] = 0",
            "+1 arm:sex[B,c,m] = 0",
        ],
        "sex:arm[B, c, m] == 1": ["+1 arm:sex[B,c,m] = 1"],
        "arm:sex[arm=b] == arm[arm=b]": [
            "-1 arm[A,b] +1 arm:sex[A,b,m] = 0",
            "-1 arm[B,b] +1 arm:sex[B,b,m] = 0",
        ],
        "arm:sex == arm": [
            "-1 arm[A,b] +1 arm:sex[A,b,m] = 0",
            "-1 arm[A,c] +1 arm:sex[A,c,m] = 0",
            "-1 arm[B,b] +1 arm:sex[B,b,m] = 0",
            "-1 arm[B,c] +1 arm:sex[B,c,m] = 0",
        ],
    },
    "plain": {
        "arm == 0": ["+1 arm[a] = 0", "+1 arm[b] = 0", "+1 arm[c] = 0"],
        "arm:x == arm:x[a]": ["-1 arm:x[a] +1 arm:x[b] = 0", "-1 arm:x[a] +1 arm:x[c] = 0"],
        "arm[a] < arm[b] < arm[c]": ["-1 arm[a] +1 arm[b] > 0", "-1 arm[b] +1 arm[c] > 0"],
    },
}


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, cases in CASES.items() for text in cases])
def test_restrictions_written_by_hand(name: str, text: str) -> None:
    assert written(DESIGNS[name][1].split(), read(design(name), text)) == CASES[name][text]


@pytest.mark.parametrize("name", CASES)
def test_the_coefficients_stand_where_the_layout_says(name: str) -> None:
    blocks = layout(design(name))
    names = DESIGNS[name][1].split()
    assert [block.start for block in blocks] == [
        names.index(next(n for n in names if n.partition("[")[0] == block.term.name)) for block in blocks
    ]
    assert sum(block.size for block in blocks) == len(names)


def test_canonical_text_and_terms() -> None:
    found = read(design("schools"), "x[A]=x[B]  ,z==0")
    assert found.text == "x[A] == x[B], z == 0"
    assert found.terms == ("x", "z")
    assert read(design("schools"), "z + x[A] == Intercept[A]").terms == ("Intercept", "x", "z")


def test_all_zero_is_the_term_compared_with_zero() -> None:
    bound = design("arms")
    term = bound.predictor.per_group[1]
    found, said = all_zero(bound, term), read(bound, "arm == 0")
    np.testing.assert_array_equal(found.rows.toarray(), said.rows.toarray())
    np.testing.assert_array_equal(found.null, said.null)
    assert (found.text, found.order, found.terms) == (said.text, said.order, said.terms)


def test_a_term_that_is_arithmetic_is_the_term_and_not_the_arithmetic() -> None:
    bound = design("squares")
    assert read(bound, "I(x / 2) == 0").terms == read(bound, "{x / 2} == 0").terms == ("I(x / 2)",)
    assert read(bound, "x / 2 == 0").terms == ("x",)
    assert read(bound, "arm:z == 0").terms == ("z:arm",)


# --- arithmetic


@st.composite
def expressions(draw: st.DrawFn, depth: int = 3) -> tuple[str, Callable[[NDArray[np.float64]], float]]:
    """Draw arithmetic of the coefficients of "schools" and the function of them that it is."""
    if depth == 0 or draw(st.booleans()):
        at = draw(st.integers(0, 4))
        return DESIGNS["schools"][1].split()[at], lambda b: b[at]
    left, f = draw(expressions(depth - 1))
    kind = draw(st.sampled_from(["+", "-", "times", "over", "number", "negative"]))
    number = draw(st.integers(1, 9)) / 4
    if kind == "times":
        return f"{number} * ({left})", lambda b: number * f(b)
    if kind == "over":
        return f"({left}) / {number}", lambda b: f(b) / number
    if kind == "number":
        return f"({left}) + {number}", lambda b: f(b) + number
    if kind == "negative":
        return f"-({left})", lambda b: -f(b)
    right, g = draw(expressions(depth - 1))
    sign = 1 if kind == "+" else -1
    return f"({left}) {kind} ({right})", lambda b: f(b) + sign * g(b)


@given(expressions(), expressions(), st.integers(0, 1000))
def test_restrictions_are_the_arithmetic_they_were_written_as(left, right, seed) -> None:
    text = f"{left[0]} > {right[0]}"
    b = np.random.default_rng(seed).normal(size=5)
    difference, constant = (left[1](at) - right[1](at) for at in (b, 0 * b))
    if difference == pytest.approx(constant, abs=1e-12):
        with pytest.raises(FormulaError, match="its coefficients cancel"):
            read(design("schools"), text)
    else:
        found = read(design("schools"), text)
        assert found.rows @ b - found.null == pytest.approx([difference])


# --- which restrictions say something new


def keeps(rows: NDArray[np.float64]) -> list[int]:
    return list(independent(sparse.csr_array(rows)))


@st.composite
def matrices(draw: st.DrawFn) -> NDArray[np.float64]:
    """Draw restrictions as people write them: few, of small whole numbers, often repeating each other."""
    m, n = draw(st.integers(1, 6)), draw(st.integers(1, 5))
    cells = draw(st.lists(st.integers(-2, 2), min_size=m * n, max_size=m * n))
    rows = np.reshape(np.array(cells, dtype=float), (m, n))
    assume(np.all(np.any(rows != 0, axis=1)))
    return rows


@given(matrices())
@example(np.array([[1.0, 0], [1, 0]]))
@example(np.array([[1.0, -1, 0], [0, 1, -1], [1, 0, -1]]))
@example(np.array([[1.0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 1]]))
def test_the_rows_kept_are_a_basis_taken_from_the_front(rows: NDArray[np.float64]) -> None:
    kept = keeps(rows)
    assert kept == [
        i for i in range(len(rows)) if np.linalg.matrix_rank(rows[: i + 1]) > np.linalg.matrix_rank(rows[:i])
    ]
    assert len(kept) == np.linalg.matrix_rank(rows)


@given(matrices(), st.integers(0, 1000))
def test_multiples_of_a_row_say_the_same(rows: NDArray[np.float64], seed: int) -> None:
    factors = 10.0 ** np.random.default_rng(seed).integers(-12, 13, (len(rows), 1))
    assert keeps(factors * rows) == keeps(rows)


def test_small_numbers_are_numbers() -> None:
    assert keeps(np.array([[1.0, 0], [1, 1e-12]])) == [0, 1]
    assert keeps(np.array([[1.0, 1e-12], [1, 1e-12]])) == [0]


def test_rows_that_are_nearly_alike_are_told_apart() -> None:
    e = 1e-8
    rows = np.array([[1, 1, 1], [1, 1, 1 + e], [1, 1 + e, 1], [1, 1 + e, 1 + e]])
    assert keeps(rows) == [0, 1, 2]


def test_thousands_of_groups_take_no_dense_table() -> None:
    """All equal to the first: a dense table of these rows would take 80 GB."""
    others = 100_000
    rows = sparse.hstack([-np.ones((others, 1)), sparse.eye_array(others)], format="csr")
    assert len(independent(rows)) == others


# --- refusals


def unmarked(text: str) -> tuple[str, tuple[int, int]]:
    """Return a text without its marks, and where they stood."""
    before, _, rest = text.partition("«")
    inside, _, after = rest.partition("»")
    return before + inside + after, (len(before), len(before) + len(inside))


REFUSALS = [
    ("schools", "«xx» == 0", "the formula has no term `xx`", "did you mean `x`?"),
    ("schools", "x[A] == 0, «y» == 0", "the formula has no term `y`", "the terms are `Intercept`, `x`, `z`"),
    ("schools", "«I(x)» == 0", "the formula has no term `I(x)`", ""),
    ("schools", "«x.mean» == 0", "the formula has no term `x.mean`", ""),
    ("schools", "«sigma» == 1", "the formula has no term `sigma`", ""),
    ("schools", "x[«C»] == 0", "`school` has no level `C`", "the levels are `A`, `B`"),
    ("schools", "x[«schol=A»] == 0", "`x` has no dim `schol`", "did you mean `school`?"),
    ("schools", "«z[A]» == 0", "`z` is a single coefficient, and has no levels", "write `z`"),
    (
        "arms",
        "«arm[east]» == 0",
        "`arm` has a coefficient for each `clinic` and `arm`, not for one level",
        "",
    ),
    ("schools", "x * «x» == 0", "`x * x` is not linear in the coefficients", ""),
    ("schools", "2 / «x» == 0", "`2 / x` is not linear in the coefficients", ""),
    ("schools", "x / «0» == 0", "`x / 0` is not linear in the coefficients", ""),
    ("schools", "x[A] == 1 / «0»", "`1 / 0` is not linear in the coefficients", ""),
    ("schools", "z * («x - x») == 0", "`z * (x - x)` is not linear in the coefficients", ""),
    ("schools", "«x»^2 == 0", "a number is expected here", ""),
    ("schools", "x == «0^-1»", "this is not a finite number", ""),
    ("schools", "«x * 1e300 * 1e300 == 0»", "a number here is too large to compute with (above 1e+75)", ""),
    ("schools", "«x == 1e300 * 1e300»", "a number here is too large to compute with (above 1e+75)", ""),
    ("schools", "«x == 1e80»", "a number here is too large to compute with (above 1e+75)", ""),
    ("schools", "«x / 1e80 == 0»", "a factor here is too small to compute with (below 1e-75)", ""),
    ("schools", "«x[A] == x[A]»", "this comparison has no coefficient, or its coefficients cancel", ""),
    ("schools", "«x - x == 0»", "this comparison has no coefficient, or its coefficients cancel", ""),
    ("schools", "«0 * x == 0»", "this comparison has no coefficient, or its coefficients cancel", ""),
    ("schools", "«1 == 1»", "this comparison has no coefficient, or its coefficients cancel", ""),
    (
        "schools",
        "«z == 0, 1 == 2»",
        "this comparison has no coefficient, or its coefficients cancel",
        "",
    ),
    ("schools", "x == 0, «z > 0»", "equalities and orders are different hypotheses", "test them one by one"),
    ("schools", "«x == 0, x[A] == 1»", "these equalities contradict each other", "take one of them out"),
    ("schools", "«x[A] == x[B], x[B] == z, z == x[A] + 1»", "these equalities contradict each other", ""),
    ("schools", "«z == 0, z == 1e-10»", "these equalities contradict each other", ""),
    ("schools", "«z == 1e12, z == 2e12»", "these equalities contradict each other", ""),
    ("plain", "«arm[a] == 0 == arm[a] - 1»", "these equalities contradict each other", ""),
]


@pytest.mark.parametrize(("name", "marked", "message", "hint"), REFUSALS)
def test_refusals_point_into_the_hypothesis(name: str, marked: str, message: str, hint: str) -> None:
    text, place = unmarked(marked)
    with pytest.raises(FormulaError) as error:
        read(design(name), text)
    assert error.value.message == message
    assert error.value.text == text
    assert (error.value.span.start, error.value.span.end) == place
    assert hint in error.value.hint


def test_levels_that_differ_are_not_matched_by_position() -> None:
    bound = bind(parse("y ~ 0 + arm + x + arm:x | school"), FRAME)  # arm a b c, arm:x only b c
    text, place = unmarked("«arm == arm:x»")
    with pytest.raises(FormulaError, match="the levels of `arm` are not the same on both sides") as error:
        read(bound, text)
    assert (error.value.span.start, error.value.span.end) == place
    assert read(bound, "arm[arm=b] == arm:x[arm=b]").rows.shape == (2, 12)


def test_sds_of_hierarchies_and_other_parameters_are_not_the_coefficients() -> None:
    bound = bind(parse("y ~ x | school, hierarchy(x), sigma ~ x"), FRAME)
    for marked in ("x == 0, «x.sd» == 0", "«sigma.x» == 0"):
        text, place = unmarked(marked)
        with pytest.raises(FormulaError, match="is not a coefficient of the mean") as error:
            read(bound, text)
        assert (error.value.span.start, error.value.span.end) == place


@pytest.mark.parametrize(
    "text",
    [
        "x == 0, x[A] == 0",
        "x[A] == x[B], x[B] == z, z == x[A]",
        "z == 0.3, z == 0.1 + 0.2",
        "3 * z == 0.9, z == 0.3",
        "1e-20 * x[A] == 1, x[A] == 1e20, x[B] == 1",
        "x == 1e12, x[A] == 1e12",
    ],
)
def test_equalities_that_repeat_each_other_are_no_contradiction(text: str) -> None:
    found = read(design("schools"), text)
    assert len(independent(found.rows)) < len(found.null)


def test_a_reference_level_is_zero() -> None:
    arms = design("arms")
    with_reference = read(arms, "arm[arm=c] > arm[arm=b] > arm[arm=a]")
    assert np.array_equal(
        with_reference.rows.toarray(), read(arms, "arm[arm=c] > arm[arm=b] > 0").rows.toarray()
    )
    assert read(arms, "arm[east, b] == arm[east, a] + 1").null.tolist() == [1.0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("arm[arm=a] == 0", "`arm[arm=a]` names a reference level, so it is always zero"),
        ("arm[west, a] == arm[east, b]", "`clinic` has no level `west`"),
    ],
)
def test_a_reference_level_alone_is_no_hypothesis(text: str, message: str) -> None:
    with pytest.raises(FormulaError) as error:
        read(design("arms"), text)
    assert error.value.message == message


def test_the_last_level_of_a_sum_coding_is_not_zero() -> None:
    coded = bind(parse("y ~ C(arm, coding=sum)"), FRAME)
    with pytest.raises(FormulaError, match="has no level `c`"):
        read(coded, "C(arm, coding=sum)[a] == C(arm, coding=sum)[c]")
