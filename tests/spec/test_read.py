"""What a formula asks, read once: each value with its place in the text."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import formulajoint as fj
from formulajoint.language.syntax.nodes import Chain, Group, Level, Name, Number, Subscript
from formulajoint.language.syntax.nodes import Index as At
from formulajoint.language.vocabulary.core import CORE
from formulajoint.spec.read import parse, parse_clause, parse_factor, specification
from formulajoint.spec.spec import (
    BY_ROWS,
    Arithmetic,
    Average,
    ByColumn,
    ByLevel,
    ByPrecision,
    ByRows,
    ByScheme,
    BySum,
    Comparisons,
    Equal,
    Given,
    InOrder,
    LevelContrast,
    ModelSpec,
    PoolingRequest,
    RowsRequest,
    Uncertain,
    Weighting,
    columns_of,
    weight_columns,
)


def asked(clauses: str) -> ModelSpec:
    return specification(parse(f"y ~ x | g, {clauses}"), CORE)


def written(given: Given[object]) -> str:
    """Return the text at the place of a value."""
    return given.span.source[given.span.start : given.span.end]


def test_a_specification_prints_as_its_formula() -> None:
    spec = asked("joint( x,weights = n )")
    assert str(spec) == "y ~ x | g, joint(x, weights=n)"


def test_the_mean_stands_first_then_parameters_as_written() -> None:
    spec = asked("nu ~ 1, weights(n), sigma ~ z + a | h/k")
    assert [linear.parameter for linear in spec.parameters] == ["mu", "nu", "sigma"]
    assert [[name.id for name in linear.columns] for linear in spec.parameters] == [
        ["x", "g"],
        [],
        ["z", "a", "h", "k"],
    ]


def test_rows() -> None:
    assert asked("joint(x)").rows == RowsRequest()
    rows = asked("se(s), missing(error), weights(n)").rows
    assert rows.weights == Given(Name("n"))
    assert rows.standard_errors == Given(Name("s"))
    assert not rows.drop
    assert rows.columns == (Name("s"), Name("n"))  # as written
    assert written(rows.weights) == "weights(n)"


@pytest.mark.parametrize(
    ("clause", "expected"),
    [
        ("hierarchy()", PoolingRequest(())),
        ("hierarchy(x, dist=student, df=3)", PoolingRequest((Name("x"),), "student", df=Given(3.0))),
        ("hierarchy(cor=true, centered=auto)", PoolingRequest((), cor=Given(True))),
        ("hierarchy(cor=false, centered=false)", PoolingRequest((), cor=Given(False), centered=False)),
        ("hierarchy(centered=true)", PoolingRequest((), centered=True)),
    ],
)
def test_pooling(clause: str, expected: PoolingRequest) -> None:
    (request,) = asked(clause).pooling
    assert request == expected


def test_a_family_with_its_link() -> None:
    assert asked("joint(x)").family is None
    family = asked("family(student, link=identity)").family
    assert family is not None
    assert (family.name.value, family.link) == ("student", Given("identity"))
    assert written(family.name) == "student"


def test_priors_have_their_numbers_by_name() -> None:
    first, second = asked("prior(x ~ normal(sigma=2^2, mu=-1)), prior(sigma ~ exponential(1/2))").priors
    assert (first.target, first.law.value.name) == (Name("x"), "normal")
    assert first.law.value.numbers == {"mu": -1.0, "sigma": 4.0}
    assert first.law.text == "normal(sigma=2^2, mu=-1)"
    assert second.law.value.numbers == {"lam": 0.5}
    assert written(second.law) == "exponential(1/2)"


WEIGHTS: dict[str, Weighting] = {
    "n": ByRows(),
    "`n`": ByColumn(Name("n", True)),
    "equal": Equal(),
    "precision": ByPrecision(),
    "size": ByColumn(Name("size")),
    "sum(size)": BySum(Name("size")),
    "{A: 1/4, B: 3}": ByLevel((Given((Level("A"), 0.25)), Given((Level("B"), 3.0)))),
    "[1, 2]": InOrder((1.0, 2.0)),
    "dirichlet(sum(size))": Uncertain(Given(BySum(Name("size")))),
}


@pytest.mark.parametrize("text", WEIGHTS)
def test_weights(text: str) -> None:
    (question,) = asked(f"joint(x, weights={text})").questions
    assert isinstance(question, Average)
    assert question.weights == Given(WEIGHTS[text])
    assert written(question.weights) == text
    assert weight_columns(question) == columns_of(WEIGHTS[text])


def test_weights_by_a_scheme_of_an_extension() -> None:
    def share(groups, size, *, power: float = 1.0, whole: bool = False):
        return groups.sum(size) ** power

    language = CORE.extend(fj.Extension("shares", [fj.WeightScheme(share)]))
    formula = parse("y ~ x | g, joint(x, weights=share(size, power=1/2, whole=true))", language)
    (question,) = specification(formula, language).questions
    assert isinstance(question, Average)
    assert question.weights.value == ByScheme("share", (Name("size"),), {"power": 0.5, "whole": True})


def test_averages() -> None:
    first, second = asked("joint(x, name=gap, scale=sd), rms(scale=2 * 3)").questions
    assert isinstance(first, Average)
    assert (first.clause, first.terms, first.scale, first.name) == (
        "joint",
        (Name("x"),),
        Given("sd"),
        Given("gap"),
    )
    assert isinstance(second, Average)
    assert (second.terms, second.scale, second.weights, second.name) == ((), Given(6.0), BY_ROWS, None)


def test_contrasts_of_levels_have_their_options() -> None:
    first, second = asked("reference(x, ref=a1/b1, over=g), pairwise(most=10)").questions
    assert isinstance(first, LevelContrast)
    assert (first.over, first.options) == (Given(Group((Name("g"),))), {"ref": Given(Level("a1/b1"))})
    assert isinstance(second, LevelContrast)
    assert (second.over, second.options) == (None, {"most": Given(10)})


def test_arithmetic_and_tests_keep_their_order() -> None:
    spec = asked("test(x == 0, name=none), contrast(x[A] - 1), joint(x)")
    test, contrast, average = spec.questions
    assert test == Comparisons((Chain(("==",), (Name("x"), Number("0"))),), Given("none"))
    effect = Subscript(Name("x"), (At(Level("A")),))
    assert contrast == Arithmetic("contrast", (Chain(("-",), (effect, Number("1"))),), None)
    assert (spec.tests, spec.contrasts) == ((test,), (contrast, average))


@pytest.mark.parametrize("clause", ["joint(x, weights={A: 1, B: 2})", "pairwise(x, over=g)", "test(x > 0)"])
def test_a_question_to_a_fit_is_read_as_in_the_formula(clause: str) -> None:
    assert parse_clause(clause) == asked(clause).questions[0]


def test_a_factor() -> None:
    assert parse_factor("`a b`", CORE) == Name("a b", True)


def test_reading_loads_no_numpy() -> None:
    code = (
        "import sys; from formulajoint.spec.read import parse, specification; "
        "from formulajoint.language.vocabulary.core import CORE; "
        "specification(parse('y ~ x | g, hierarchy(), joint(weights=n)'), CORE); print('numpy' in sys.modules)"
    )
    here = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=here)
    assert done.stdout.strip() == "False"
