"""Terms, levels and groups that a contrast clause names."""

from __future__ import annotations

import pytest

from formulajoint.compiler.planning.plan import make_plan
from formulajoint.design.bind import bind
from formulajoint.design.level_lookup import position_of, written
from formulajoint.design.references import (
    check_references,
    resolve_reference,
    resolve_subscript,
    resolve_term,
)
from formulajoint.design.schema import Design
from formulajoint.errors import FormulaError
from formulajoint.language.syntax.nodes import Expr, Level, Subscript
from formulajoint.spec.read import parse, parse_clause
from formulajoint.spec.spec import Arithmetic

FRAME = {
    "y": [1.0, 2, 4, 3, 5, 9, 7, 2, 1, 5, 3, 6],
    "x": [1.0, 2, 3, 4, 5, 6, 2, 5, 1, 7, 4, 3],
    "z": [2.0, 2, 0, 1, 1, 3, 1, 5, 6, 2, 4, 4],
    "arm": ["a", "b", "c"] * 4,
    "sex": ["m", "m", "m", "f", "f", "f"] * 2,
    "school": ["A", "B b", "C", "A"] * 3,
    "code": ["007", "7", "8", "08"] * 3,
    "class": [1, 2] * 6,
    "x.mean": [2.0, 2, 0, 1, 1, 3, 1, 5, 6, 2, 4, 5],
    "flag": [True, False] * 6,
}


def design(formula: str) -> Design:
    return bind(parse(formula), FRAME)


def expression(text: str) -> Expr:
    """Return an expression of coefficients, as it stands in a clause."""
    clause = parse_clause(f"contrast({text})")
    assert isinstance(clause, Arithmetic)
    return clause.expressions[0]


TERMS = {
    "x": "x",
    "`x`": "x",
    "Intercept": "Intercept",
    "arm:x": "x:arm",
    "x:arm": "x:arm",
    "sex:x:arm": "x:arm:sex",
    "log(z + 1)": "log(z + 1)",
    "arm:log(`z` + 1)": "log(z + 1):arm",
    "C(sex, ref=m)": "C(sex, ref=m)",
    "z": "z",
}


@pytest.mark.parametrize("text", TERMS)
def test_terms_by_name(text: str) -> None:
    bound = design("y ~ x*arm*sex + log(z + 1)*arm + C(sex, ref=m) + common(z) | school")
    assert resolve_term(bound, expression(text)).name == TERMS[text]


POOLED = "y ~ x + arm:x + x:z | school, hierarchy(x, arm:x, x:z), sigma ~ x + z | class, hierarchy(sigma.x)"
READINGS = {
    "x": ("mu", "x", "coefficient"),
    "x.mean": ("mu", "x", "mean"),
    "`x`.sd": ("mu", "x", "sd"),
    "(arm:x).mean": ("mu", "arm:x", "mean"),
    "(x:arm).sd": ("mu", "arm:x", "sd"),
    "x:z.mean": ("mu", "x:z", "mean"),
    "sigma.x": ("sigma", "x", "coefficient"),
    "sigma.x.mean": ("sigma", "x", "mean"),
    "sigma.z": ("sigma", "z", "coefficient"),
    "sigma.Intercept": ("sigma", "Intercept", "coefficient"),
}


@pytest.mark.parametrize("text", READINGS)
def test_dotted_names_are_read_in_every_way(text: str) -> None:
    reference = resolve_reference(design(POOLED), expression(text))
    assert (reference.predictor.parameter, reference.term.name, reference.part) == READINGS[text]


def test_two_readings_ask_for_backticks() -> None:
    bound = design("y ~ x + x.mean | school, hierarchy(x)")
    with pytest.raises(FormulaError) as error:
        resolve_reference(bound, expression("x.mean"))
    assert "2 ways" in error.value.message
    assert "`` `x.mean` `` for the column, `` `x`.mean `` for the other" in error.value.hint
    assert resolve_reference(bound, expression("`x.mean`")).term.name == "x.mean"
    assert resolve_reference(bound, expression("`x`.mean")).part == "mean"


def test_in_backticks_a_name_is_no_parameter() -> None:
    with pytest.raises(FormulaError, match=r"no term `.*sigma\.x.*`"):
        resolve_reference(design(POOLED), expression("`sigma.x`"))


def test_without_a_hierarchy_there_is_no_mean() -> None:
    assert resolve_reference(design("y ~ x + x.mean | school"), expression("x.mean")).term.name == "x.mean"
    with pytest.raises(FormulaError, match=r"no term `x\.sd`"):
        resolve_reference(design("y ~ x | school"), expression("x.sd"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x.mean", "the mean of the hierarchy of `x`"),
        ("sigma.z", "the coefficient of `z` in the predictors of `sigma`"),
    ],
)
def test_a_term_of_the_mean_is_needed(text: str, message: str) -> None:
    with pytest.raises(FormulaError, match=message):
        resolve_term(design(POOLED), expression(text))


GROUPED = "y ~ x + arm*sex + C(flag) + common(z) + common(C(sex, ref=m)) | school"
ALL = (0, 1, 2)
SUBSCRIPTS = {
    "x[A]": ("x", {"school": (0,)}),
    'x["B b"]': ("x", {"school": (1,)}),
    "x[school=C]": ("x", {"school": (2,)}),
    "Intercept[C]": ("Intercept", {"school": (2,)}),
    "arm[A, b]": ("arm", {"school": (0,), "arm": (0,)}),
    "arm[school=A, arm=c]": ("arm", {"school": (0,), "arm": (1,)}),
    "arm[arm=c, school=A]": ("arm", {"school": (0,), "arm": (1,)}),
    "arm[arm=c]": ("arm", {"school": ALL, "arm": (1,)}),
    "arm[school=C]": ("arm", {"school": (2,), "arm": (0, 1)}),
    "sex:arm[C, c, m]": ("arm:sex", {"school": (2,), "arm": (1,), "sex": (0,)}),
    "arm:sex[sex=m]": ("arm:sex", {"school": ALL, "arm": (0, 1), "sex": (0,)}),
    "C(flag)[A, true]": ("C(flag)", {"school": (0,), "flag": (0,)}),
    "C(sex, ref=m)[f]": ("C(sex, ref=m)", {"sex": (0,)}),
}


@pytest.mark.parametrize("text", SUBSCRIPTS)
def test_subscripts(text: str) -> None:
    subscript = expression(text)
    assert isinstance(subscript, Subscript)
    term, positions = resolve_subscript(design(GROUPED), subscript)
    name, expected = SUBSCRIPTS[text]
    assert (term.name, positions) == (name, expected)
    assert list(positions) == list(expected)


@pytest.mark.parametrize(
    ("group", "text", "position"),
    [
        ("class/school", "x[1/A]", 0),
        ("school:class", 'x["B b:2"]', 3 - 1),
        ("class", "x[2]", 1),
        ("class", "x[class=2.0]", 1),
        ("code", "x[007]", 0),
        ("code", "x[7]", 2),
        ("code", 'x["08"]', 1),
        ("code", "x[8.0]", None),
        ("flag", "x[false]", 0),
        ("flag", "x[True]", 1),
    ],
)
def test_levels_by_text_then_by_value(group: str, text: str, position: int | None) -> None:
    bound, subscript = design(f"y ~ x | {group}"), expression(text)
    assert isinstance(subscript, Subscript)
    if position is None:
        with pytest.raises(FormulaError, match=r"`8\.0` could be several levels of `code`: `08`, `8`"):
            resolve_subscript(bound, subscript)
        return
    assert resolve_subscript(bound, subscript)[1] == {bound.predictor.grouping.name: (position,)}  # type: ignore[union-attr]


def test_levels_are_found_as_numbers_and_truth_values() -> None:
    assert position_of(Level("7.0"), ["7", "8"], "`code`") == 0
    assert position_of(Level("true"), ["False", "True"], "`code`") == 1


@pytest.mark.parametrize(
    ("level", "labels", "message"),
    [
        (Level("7.0", quoted=True), ["7", "8"], "has no level `7.0`"),
        (Level("nan"), ["1", "2"], "has no level `nan`"),
        (Level("8.0"), ["8", "08"], "could be several levels"),
    ],
)
def test_quoted_levels_are_taken_literally(level: Level, labels: list[str], message: str) -> None:
    with pytest.raises(FormulaError, match=message):
        position_of(level, labels, "`code`")


@pytest.mark.parametrize(
    "label", ["A", "308", "-1", "a1/b1", "a:2", "School A", "2020-01-01", 'a"b', "", "1.5", "größe", "a/"]
)
def test_labels_are_written_so_that_they_are_read_back(label: str) -> None:
    subscript = expression(f"x[{written(label)}]")
    assert isinstance(subscript, Subscript)
    assert subscript.indices[0].level.text == label


WRONG = {
    "contrast(«xx»)": "the formula has no term `xx` / did you mean `x`?",
    "joint(«tretment»)": "no term `tretment` / the terms are `Intercept`, `x`,",
    "rms(x, «arm:z»)": "no term `arm:z`",
    "contrast(x[A] - x[«D»])": "`school` has no level `D` / the levels are `A`, `B b`, `C`",
    "contrast(x[«Bb»])": "`school` has no level `Bb` / did you mean `B b`?",
    "test(arm[A, b] == arm[A, «d»])": "`arm` has no level `d` / the levels are `b`, `c`, `a`",
    "contrast(arm[school=A, «armm=b»])": "`arm` has no dim `armm` / did you mean `arm`?",
    "contrast(x[«sex=m»])": "`x` has no dim `sex` / it has `school`",
    "contrast(«arm[A]»)": "`arm` has a coefficient for each `school` and `arm`, not for one level"
    " / write `arm[school=A]` for every `arm`, or `arm[A, b]`",
    "contrast(«arm[c]»)": "not for one level / write `arm[arm=c]` for every `school`, or `arm[A, c]`",
    "contrast(«x[A, C]»)": "not for 2 levels / write `x[school=A]`",
    "contrast(«z[A]»)": "`z` is a single coefficient, and has no levels / write `z`",
    "test(2 * «q» + x[A] > 0)": "no term `q`",
    "test(x[A] > -«q» > 0)": "no term `q`",
    "contrast(«x.mean»)": "no term `x.mean`",
    "contrast(«sigma.x»)": "no term `sigma.x`",
    "reference(x, ref=«D»)": "`school` has no level `D`",
}


@pytest.mark.parametrize("clause", WRONG)
def test_what_does_not_exist_is_pointed_at(clause: str) -> None:
    marked = f"{GROUPED}, {clause}"
    text = marked.replace("«", "").replace("»", "")
    with pytest.raises(FormulaError) as error:
        make_plan(
            bind(parse(text), FRAME)
        )  # the names in `contrast(...)` are found where the model is planned
    message, _, hint = WRONG[clause].partition(" / ")
    assert message in error.value.message
    assert hint in error.value.hint
    assert (error.value.span.start, error.value.span.end) == (marked.index("«"), marked.index("»") - 1)


def test_right_references_pass() -> None:
    check_references(
        design(f"{GROUPED}, joint(x, sex:arm), contrast(x[A] - 2 * arm[C, b]^2), reference(x, ref=A)")
    )


BESIDE = "y ~ x + arm | school, hierarchy(x), sigma ~ 1 | school, nu ~ x, family(student)"
MISTAKEN = {
    "pairwise(sigma)": (
        "coefficients of the mean, and `sigma` is",
        '`contrast(...)` takes it: `contrast(sigma[A] - sigma["B b"])`',
    ),
    "pairwise(nu)": ("has no term `nu`", "its predictors have `nu.Intercept`, `nu.x`, for `contrast(...)`"),
    "pairwise(x_mean)": ("a part of a hierarchy", "write `x`"),
    "rms(arm_sd)": ("has no term `arm_sd`", "did you mean `arm`?"),
}


@pytest.mark.parametrize("clause", MISTAKEN)
def test_what_is_no_coefficient_of_the_mean_is_said_to_be_none(clause: str) -> None:
    message, hint = MISTAKEN[clause]
    with pytest.raises(FormulaError) as error:
        design(f"{BESIDE}, {clause}")
    assert message in error.value.message
    assert error.value.hint == hint
