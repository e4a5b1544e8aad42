"""Contrasts, families of contrasts and weight schemes that extensions bring, against figures by hand."""

import numpy as np
import pytensor.tensor as pt
import pytest

import formulajoint as fj
from formulajoint.compiler.evaluate.contrast_nodes import on_draws

DATA = {
    "y": [1.0, 2, 4, 3, 5, 4, 6, 5, 9],
    "x": [0, 1, 1, 0, 1, 0, 1, 0, 1],
    "pop": [1.0, 1, 1, 3, 3, 3, 3, 6, 6],
    "arm": list("ababababa"),
    "g": list("AAABBBBCC"),
}


def largest(effects, weights, *, times=1.0):
    return pt.max(effects, axis=0) * times


def ends(levels, *, half=False):
    between = [0] * (len(levels) - 2)
    return {f"{levels[-1]} - {levels[0]}": [-0.5 if half else -1, *between, 0.5 if half else 1]}


def root(groups, *, power=0.5):
    return groups.rows**power


def share(groups, column, *, part="mean"):
    return groups.sum(column) if part == "sum" else groups.mean(column)


LANGUAGE = fj.CORE.extend(
    fj.Extension(
        "mine",
        [
            fj.Contrast(largest, meaning="largest effect"),
            fj.ContrastFamily(ends),
            fj.WeightScheme(root),
            fj.WeightScheme(share),
        ],
    )
)


def model(clauses, language=LANGUAGE):
    return fj.model(f"y ~ x | g, {clauses}", DATA, language=language)


def weights(scheme, formula="y ~ x | g"):
    planned = fj.model(f"{formula}, joint(x, weights={scheme})", DATA, language=LANGUAGE)
    return planned.plan.contrasts[0].weights.values


@pytest.mark.parametrize(
    ("scheme", "expected"),
    [
        ("root(power=1)", [3 / 9, 4 / 9, 2 / 9]),
        ("root()", np.sqrt([3, 4, 2]) / np.sqrt([3, 4, 2]).sum()),
        ("share(pop)", [0.1, 0.3, 0.6]),
        ("share(pop, part=sum)", [3 / 27, 12 / 27, 12 / 27]),
    ],
)
def test_weight_schemes(scheme, expected):
    assert weights(scheme) == pytest.approx(expected)


def test_weight_schemes_count_rows_by_their_weights():
    expected = np.array([3, 12, 12]) / 27  # every row counts as `pop` rows
    assert weights("root(power=1)", "y ~ x | g, weights(pop)") == pytest.approx(expected)


def test_weight_schemes_of_the_levels_of_a_factor():
    """The levels stand in the place of the groups: a has 5 rows with pop 1, 1, 3, 3, 6, and b the other 4."""
    for scheme, expected in (("root(power=1)", [5 / 9, 4 / 9]), ("share(pop, part=sum)", [14 / 27, 13 / 27])):
        planned = fj.model(f"y ~ arm | g, meandev(arm, over=arm, weights={scheme})", DATA, language=LANGUAGE)
        assert planned.plan.contrasts[0].weights.values == pytest.approx(expected)


def test_a_contrast_in_the_model_and_on_draws_is_the_same():
    found = model("largest(x, times=2, scale=2), largest(Intercept, name=top)")
    assert found.explain().splitlines()[-2:] == [
        "largest_x: largest effect of x over g, divided by 2; weights n: A 0.333, B 0.444, C 0.222",
        "top: largest effect of Intercept over g; weights n: A 0.333, B 0.444, C 0.222",
    ]
    effects = np.array([[1.0, 2.0], [5.0, -1.0], [3.0, 0.0]])  # three groups, two draws
    draws = on_draws(found.plan.contrasts, {"x": effects, "Intercept": effects + 1})
    assert draws["largest_x"] == pytest.approx([5.0, 2.0])
    assert draws["top"] == pytest.approx([6.0, 3.0])
    node = found.pymc["largest_x"].eval({found.pymc["x"]: effects[:, 0]})
    assert node == pytest.approx(5.0)


def test_a_contrast_of_a_factor_keeps_its_levels():
    found = fj.model("y ~ arm | g, largest(arm)", DATA, language=LANGUAGE)
    effects = np.array([[1.0], [5.0], [3.0]])
    assert found.pymc["largest_arm"].eval({found.pymc["arm"]: effects}) == pytest.approx([5.0])


def test_a_family_of_contrasts():
    found = model("ends(x, half=true), ends(Intercept)")
    half, whole = found.plan.contrasts
    assert half.matrix.labels == ("C - A",)
    assert half.matrix.weights == pytest.approx(np.array([[-0.5, 0, 0.5]]))
    effects = np.array([[1.0], [5.0], [4.0]])
    assert on_draws([half], {"x": effects})["ends_x"] == pytest.approx(np.array([[1.5]]))
    assert on_draws([whole], {"Intercept": effects})["ends_Intercept"] == pytest.approx(np.array([[3.0]]))
    assert "ends of x over g, one entry" in found.explain()


def test_a_dot_is_each_predictor_of_the_groups():
    found = fj.model("y ~ x*arm + common(pop) | g, contrast(.[A] - 2*.[C]), contrast(-.[g=A])", DATA)
    assert [(c.name, c.text, c.dims) for c in found.plan.contrasts] == [
        ("contrast_x", "x[A] - 2 * x[C]", ()),
        ("contrast_arm", "arm[g=A] - 2 * arm[g=C]", ("arm_dim",)),
        ("contrast_x:arm", "x:arm[g=A] - 2 * x:arm[g=C]", ("arm_dim",)),
        ("contrast_x_", "-x[g=A]", ()),
        ("contrast_arm_", "-arm[g=A]", ("arm_dim",)),
        ("contrast_x:arm_", "-x:arm[g=A]", ("arm_dim",)),
    ]
    effects = np.array([[1.0], [5.0], [3.0]])
    assert found.pymc["contrast_arm"].eval({found.pymc["arm"]: effects}) == pytest.approx([-5.0])


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        (
            "y ~ 1 | g, contrast(.[A])",
            "`.` stands for the predictors with a coefficient in each group; this formula has no such term",
        ),
        ("y ~ x | g, contrast(.[Z])", "`g` has no level `Z`"),
        ("y ~ x | g, contrast(.)", "`.` is not allowed in arithmetic of coefficients"),
        ("y ~ x | g, test(.[A] == 0)", "the name of a term is expected here, not `.`"),
        ("y ~ x + pop | g, contrast(.[A], name=gap)", "`name=` names one node"),
    ],
)
def test_a_dot_that_stands_for_nothing(formula, message):
    with pytest.raises(fj.FormulaError) as caught:
        fj.model(formula, DATA)
    assert message in caught.value.message


def no_contrast(function, message):
    language = fj.CORE.extend(fj.Extension("wrong", [fj.Contrast(function, name="wrong")]))
    with pytest.raises(fj.ExtensionError, match=message):
        _ = model("wrong(x)", language).pymc


def test_what_keeps_the_groups_is_no_contrast():
    no_contrast(
        lambda effects, weights: effects * weights,
        "without the axis of the groups, of 0 axes, but returned one of 1",
    )
    no_contrast(lambda effects, weights: None.sum, "The contrast `wrong` fails: AttributeError")


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda levels: {}, r"must return a mapping of labels to 3 weights each, not \{\}"),
        (lambda levels: [[1, -1, 0]], "must return a mapping"),
        (lambda levels: {"a": [1, -1]}, r"its rows are \[\[1, -1\]\]"),
        (lambda levels: {"a": [1, -1, np.nan]}, "its rows are"),
        (lambda levels: {"a": [1, "b", 0]}, "its rows are"),
    ],
)
def test_what_is_no_matrix_is_no_family(function, message):
    language = fj.CORE.extend(fj.Extension("wrong", [fj.ContrastFamily(function, name="wrong")]))
    with pytest.raises(fj.ExtensionError, match=message):
        model("wrong(x)", language)


@pytest.mark.parametrize(
    ("function", "error", "message"),
    [
        (lambda groups: 1.0, fj.ExtensionError, "one number for each of the 3 groups, not shape"),
        (lambda groups: list("abc"), fj.ExtensionError, "one number for each"),
        (lambda groups: [1, np.inf, 1], fj.ExtensionError, "gives no finite weight to `B`"),
        (lambda groups: [1, -1, 1], fj.DataError, "negative or missing in 1 of 3 groups: `B`"),
        (lambda groups: [0, 0, 0], fj.DataError, "zero in every group"),
    ],
)
def test_what_are_no_weights_are_refused(function, error, message):
    language = fj.CORE.extend(fj.Extension("wrong", [fj.WeightScheme(function, name="wrong")]))
    with pytest.raises(error, match=message):
        model("joint(x, weights=wrong())", language)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: fj.Contrast(lambda effects: effects, name="one"), "must take effects and weights"),
        (lambda: fj.ContrastFamily(lambda levels, more: levels, name="two"), "must take the levels"),
        (lambda: fj.WeightScheme(lambda: 1, name="none"), "must take the groups first"),
    ],
)
def test_functions_take_what_they_are_given(make, message):
    with pytest.raises(fj.ExtensionError, match=message):
        make()


def wrong(brought, formula):
    language = fj.CORE.extend(fj.Extension("mine", [brought]))
    with pytest.raises(fj.ExtensionError) as error:
        fj.fit(formula, DATA, seed=1, draws=20, progress=False, language=language)
    return str(error.value)


def stops():
    raise SystemExit(3)


def fails():
    raise ZeroDivisionError("by zero")


CLAUSE = "y ~ x | g, bad(x)"
SCHEME = "y ~ x | g, joint(x, weights=bad())"
FACTOR = "y ~ arm, bad(arm)"


@pytest.mark.parametrize(
    ("function", "said"), [(fails, "ZeroDivisionError: by zero"), (stops, "SystemExit: 3")]
)
def test_functions_that_raise_or_exit_are_named_with_their_extension(function, said):
    def mean(mu, b):
        return function()

    for brought, formula, what in (
        (fj.WeightScheme(lambda groups: function(), name="bad"), SCHEME, "weight scheme `bad`"),
        (fj.ContrastFamily(lambda levels: function(), name="bad"), FACTOR, "family of contrasts `bad`"),
        (fj.ColumnFunction(lambda a: function(), name="bad"), "y ~ bad(x) | g", "function `bad`"),
        (
            fj.ColumnFunction(lambda a, s: a, lambda a, w: function(), name="bad"),
            "y ~ bad(x)",
            "function `bad`",
        ),
        (fj.Operator("%bad%", lambda a, b: function()), "y ~ x %bad% x", "operator `%bad%`"),
        (fj.Contrast(lambda effects, weights: function(), name="bad"), CLAUSE, "contrast `bad`"),
        (fj.Family(mean, {"b": "half_normal(1)"}, name="bad"), "y ~ x, family(bad)", "family `bad`"),
    ):
        assert wrong(brought, formula).startswith(f"The {what} of extension `mine` fails: {said}.")


def test_a_decorated_function_is_named_once():
    """It is an extension of its own name."""
    language = fj.CORE.extend(
        fj.Extension("notebook.bad", [fj.WeightScheme(lambda groups: fails(), name="bad")])
    )
    with pytest.raises(fj.ExtensionError, match=r"^The weight scheme `bad` fails: ZeroDivisionError"):
        fj.model(SCHEME, DATA, language=language)


def test_an_interruption_is_no_fault_of_an_extension():
    def interrupted(groups):
        raise KeyboardInterrupt

    language = fj.CORE.extend(fj.Extension("mine", [fj.WeightScheme(interrupted, name="bad")]))
    with pytest.raises(KeyboardInterrupt):
        fj.model(SCHEME, DATA, language=language)


class Impostor:
    """Has what a variable of PyTensor has, by name."""

    ndim, owner, dtype = 0, 1, "float64"

    def __repr__(self) -> str:
        return "Impostor()"  # without an address, which differs by worker


@pytest.mark.parametrize("answer", [None, "x", 3.0, pt.constant(3.0), np.ones(2), Impostor()], ids=repr)
def test_contrasts_that_answer_nonsense_are_named(answer):
    brought = fj.Contrast(lambda effects, weights: answer, name="bad")
    assert wrong(brought, CLAUSE).startswith("The contrast `bad` of extension `mine` must return")


def test_contrasts_whose_expressions_fail_are_named():
    beyond = fj.Contrast(lambda effects, weights: effects[7], name="bad")
    assert wrong(beyond, CLAUSE).startswith(
        "The contrast `bad` of extension `mine` fails: IndexError: index 7"
    )
    complex_ = fj.Contrast(lambda effects, weights: effects.sum(axis=0) * 1j, name="bad")
    assert wrong(complex_, CLAUSE).startswith("The contrast `bad` of extension `mine` must return a PyTensor")


@pytest.mark.parametrize(
    "answer", [None, "x", np.ones((3, 3)), ["a"] * 9, 1j, [[1], [1, 2]] * 4, [10**400] * 9, object(), b"x"]
)
def test_columns_that_are_nonsense_are_named(answer):
    brought = fj.ColumnFunction(lambda a: answer, name="bad")
    begun = "The function `bad` of extension `mine` must return one number for each of the 9 rows, not "
    assert wrong(brought, "y ~ bad(x) | g").startswith(begun)


def test_masked_numbers_are_missing():
    brought = fj.ColumnFunction(lambda a: np.ma.array(a, mask=a > 0), name="bad")
    language = fj.CORE.extend(fj.Extension("mine", [brought]))
    with pytest.raises(fj.DataError, match=r"`bad\(x\)` is not a finite number in 5 of the 9 rows"):
        fj.model("y ~ bad(x) | g", DATA, language=language)


@pytest.mark.parametrize(
    "answer", [None, "x", [1], [1, 2, 3, 4], np.ones((3, 1)), [[1], [1, 2], 3], {"A": 1}, [1j] * 3]
)
def test_weights_that_are_nonsense_are_named(answer):
    brought = fj.WeightScheme(lambda groups: answer, name="bad")
    begun = "The weight scheme `bad` of extension `mine` must return one number for each of the 3 groups"
    assert wrong(brought, SCHEME).startswith(begun)


@pytest.mark.parametrize(
    "rows",
    [
        None,
        {},
        {"a": [1]},
        {"a": None},
        {"a": [10**400, 1]},
        {"a": [1e308, -1e308]},
        {1: [1, -1], "1": [1, 1]},
    ],
)
def test_families_of_contrasts_that_are_nonsense_are_named(rows):
    brought = fj.ContrastFamily(lambda levels: rows, name="bad")
    begun = (
        "The family of contrasts `bad` of extension `mine` must return a mapping of labels to 2 weights each"
    )
    assert wrong(brought, FACTOR).startswith(begun)
