"""Posteriors that do not exist are refused, and their near neighbours pass."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest

import formulajoint as fj
from formulajoint.compiler.planning.plan import make_plan
from formulajoint.design.bind import bind
from formulajoint.errors import DataError
from formulajoint.spec.read import parse

NOISE = np.array([0.3, -0.2, 0.5, -0.7, 0.1, 0.4, -0.3, 0.2, -0.1, 0.6, -0.4, 0.05])


def frame(*sizes, **columns):
    """Groups A, B, ... of these sizes, with a response that no regression fits perfectly, unless it is given."""
    n = sum(sizes)
    base = {"y": NOISE[:n] + np.arange(n) ** 2 / 7, "x": np.arange(n) * 1.0 % 5, "z": np.arange(n) * 1.0 % 3}
    return pd.DataFrame(base | columns | {"g": np.repeat(list("ABCD")[: len(sizes)], sizes)})


def check(formula, data, **options):
    """Return whether the model is accepted; the message, if it is not."""
    try:
        make_plan(bind(parse(formula), data), **options)
    except DataError as error:
        return str(error)
    return True


def refuses(words, formula, data, **options):
    found = check(formula, data, **options)
    assert found is not True
    assert words in found
    return True


# --- flat coefficients: the rank of the columns, not the number of rows


def test_each_group_must_determine_its_own_coefficients():
    lacking = frame(4, 4, x=[1.0, 2, 3, 4, 2, 2, 2, 2])  # x does not vary in B
    assert refuses("g B determines only 1 of them with its 4 rows", "y ~ x | g", lacking, priors="flat")
    assert refuses(
        "must determine its own 2 coefficients (`Intercept`, `x`)", "y ~ x | g", lacking, priors="flat"
    )
    assert check("y ~ x | g", lacking) is True
    varies = frame(4, 4, x=[1.0, 2, 3, 4, 2, 2, 2, 3])
    assert check("y ~ x | g", varies, priors="flat") is True


def test_a_level_that_a_group_never_sees():
    data = frame(6, 6, arm=list("abcabc") + list("ababab"))
    assert refuses("g B determines only 2 of them with its 6 rows", "y ~ arm | g", data, priors="flat")
    assert check("y ~ common(arm) | g", data, priors="flat") is True
    assert check("y ~ arm | g, hierarchy(arm)", data, priors="flat") is True
    assert check("y ~ arm | g, prior(arm ~ normal(0, 5))", data, priors="flat") is True


def test_written_flat_priors_count_too():
    lacking = frame(4, 4, x=[1.0, 2, 3, 4, 2, 2, 2, 2])
    assert refuses(
        "g B determines only 1 of them with its 4 rows",
        "y ~ x | g, prior(x ~ flat(), Intercept ~ flat())",
        lacking,
    )
    assert (
        check("y ~ x | g, prior(x ~ flat())", lacking) is True
    )  # beside a proper intercept one column has rank one


def test_a_pooled_coefficient_needs_no_rank_of_its_own():
    lacking = frame(4, 4, x=[1.0, 2, 3, 4, 2, 2, 2, 2])
    assert check("y ~ x | g, hierarchy(x)", lacking, priors="flat") is True
    assert check("y ~ x | g, hierarchy()", lacking, priors="flat") is True
    never = frame(4, 4, x=[3.0] * 4 + [2.0] * 4)  # x varies between groups only, which the intercepts take up
    assert refuses("`x` can be written as a combination", "y ~ x | g, hierarchy(x)", never, priors="flat")
    assert check("y ~ x | g, hierarchy(x), prior(x.mean ~ normal(0, 1))", never, priors="flat") is True
    assert check("y ~ x | g, hierarchy()", never, priors="flat") is True  # both means: 3 and 2 differ
    same = frame(4, 4, x=np.tile([2.0, 2 + 1e-15], 4))
    assert check("y ~ 0 + x | g, hierarchy(x)", same, priors="flat") is True


def test_shared_columns():
    data = frame(5, 6)
    data["twice"] = 2 * data["x"]
    assert refuses(
        "`twice` can be written as a combination of the others (11 rows)",
        "y ~ x + twice",
        data,
        priors="flat",
    )
    assert check("y ~ x + twice", data) is True
    assert check("y ~ x + z", data, priors="flat") is True
    data["size"] = np.where(data["g"] == "A", 30.0, 20.0)  # constant in each group: the intercepts take it up
    assert refuses("`size` can be written", "y ~ x + common(size) | g", data, priors="flat")
    assert check("y ~ 0 + x + common(1) + common(size) | g", data, priors="flat") is True
    assert check("y ~ x + common(z) | g", data, priors="flat") is True


def test_more_than_one_group_that_lacks_rank():
    data = frame(2, 2, 4, x=[1.0, 1, 2, 2, 1, 2, 3, 4])
    assert refuses("(and 1 other group likewise)", "y ~ x | g", data, priors="flat")
    assert refuses("or leave out `A`, `B`.", "y ~ x | g", data, priors="flat")


def test_rank_does_not_depend_on_units():
    for scale in (1e-8, 1e8):
        data = frame(5, 6)
        data["x"] *= scale
        assert check("y ~ x | g", data, priors="flat") is True
    data["x"] = 2000 + data["z"]
    assert check("y ~ x | g", data, priors="flat") is True


# --- 1/sigma: residuals


def test_rows_beyond_the_coefficients():
    assert (
        check("y ~ x | g", frame(3, 2, x=[1.0, 2, 4, 1, 2]), priors="flat") is True
    )  # 5 rows, 4 coefficients
    assert refuses(
        "there are 4 rows for 4 coefficients", "y ~ x | g", frame(2, 2, x=[1.0, 2, 1, 2]), priors="flat"
    )
    assert check("y ~ x | g", frame(2, 2, x=[1.0, 2, 1, 2])) is True


def test_the_same_under_a_hierarchy():
    """Also under a hierarchy: the coefficients can fit every row, however unlikely that is."""
    few, more = frame(2, 2, x=[1.0, 2, 1, 2]), frame(3, 2, x=[1.0, 2, 4, 1, 2])
    assert refuses("there are 4 rows for 4 coefficients", "y ~ x | g, hierarchy()", few, priors="flat")
    assert check("y ~ x | g, hierarchy()", few) is True
    assert check("y ~ x | g, hierarchy()", more, priors="flat") is True


def test_proper_coefficients_can_fit_perfectly_too():
    few = frame(2, 2, x=[1.0, 2, 1, 2])
    formula = "y ~ x | g, prior(x ~ normal(0, 1), Intercept ~ normal(0, 1))"
    assert refuses("there are 4 rows for 4 coefficients", formula, few, priors="flat")
    formula = "y ~ x | g, prior(x ~ constant(1), Intercept ~ normal(0, 1))"  # a constant fits nothing
    assert check(formula, few, priors="flat") is True


def test_row_weights_count_as_rows():
    weighted = frame(2, 2, x=[1.0, 2, 1, 2], w=[1, 1, 1, 2])
    # 5 rows for 4 coefficients, but the fifth is a repetition: they fit perfectly.
    assert refuses("there are 5 rows for 4 coefficients", "y ~ x | g, weights(w)", weighted, priors="flat")
    weighted = frame(3, 2, x=[1.0, 2, 4, 1, 2], w=[1, 1, 1, 1, 2])
    assert check("y ~ x | g, weights(w)", weighted, priors="flat") is True


def test_flat_sigma_needs_one_row_more():
    """The integral of sigma^-(n - rank) over large sigma."""
    five, six = frame(3, 2, x=[1.0, 2, 4, 1, 2]), frame(3, 3, x=[1.0, 2, 4, 1, 2, 5])
    assert refuses("`sigma` has the improper prior flat()", "y ~ x | g, prior(sigma ~ flat())", five)
    assert check("y ~ x | g, prior(sigma ~ flat())", six) is True
    assert check("y ~ x | g", five, priors="flat") is True


def test_the_student_keeps_its_proper_sigma():
    few = frame(2, 2, x=[1.0, 2, 1, 2])
    assert check("y ~ x | g, family(student)", few, priors="flat") is True


# --- a sigma for each group


def test_each_group_needs_residuals_of_its_own():
    data = frame(2, 5, x=[1.0, 2, 1, 2, 3, 4, 5])
    words = "`sigma` of g A has the improper prior 1/sigma, which needs residuals: there are 2 rows for 2 coefficients"
    assert refuses(words, "y ~ x | g, sigma ~ 1 | g", data, priors="flat")
    assert refuses("or one `sigma` for all groups", "y ~ x | g, sigma ~ 1 | g", data, priors="flat")
    assert check("y ~ x | g", data, priors="flat") is True
    assert check("y ~ x | g, sigma ~ 1 | g", data) is True
    assert check("y ~ x | g, sigma ~ 1 | g", frame(3, 5), priors="flat") is True
    assert check("y ~ x | g, sigma ~ 1 | g, hierarchy(sigma)", data, priors="flat") is True


def test_group_terms_can_fit_all_rows_of_a_sigma():
    data = frame(3, 6).assign(h=list("aabaabbab"), k=list("uvuuvuvuv"))
    words = "needs residuals: there are 3 rows with g A for 3 coefficients, those of group terms among them"
    formula = "y ~ 1 + (1 | h) + (1 | k), sigma ~ 1 | g"
    assert refuses(words, formula, data, priors="flat")
    assert check(formula, data) is True
    assert check(formula, data.assign(k=list("uuuuvuvuv")), priors="flat") is True


def test_a_shared_column_can_fit_a_small_group():
    """With one row beyond its own coefficients, a group is fitted perfectly by some value of a shared coefficient.

    Near it the integral over sigma_g leaves 1/|residual|, which diverges.
    """
    data = frame(3, 6, z=[1.0, 3, 2, 5, 4, 1, 2, 8, 3])
    assert check("y ~ x | g, sigma ~ 1 | g", data, priors="flat") is True
    words = "`sigma` of g A has the improper prior 1/sigma, which needs residuals: there are 3 rows for 3 coefficients"
    assert refuses(words, "y ~ x + common(z) | g, sigma ~ 1 | g", data, priors="flat")
    constant = frame(3, 6, z=[1.0, 1, 1, 5, 4, 1, 2, 8, 3])  # not where it is constant in the group
    assert check("y ~ x + common(z) | g, sigma ~ 1 | g", constant, priors="flat") is True


def test_sigma_may_have_groups_of_its_own():
    data = frame(6, 6, h=["u"] * 4 + ["v"] * 8)
    assert check("y ~ x | g, sigma ~ 1 | h", data, priors="flat") is True
    data = frame(6, 6, h=["u"] * 2 + ["v"] * 10)
    assert refuses("`sigma` of h u", "y ~ x | g, sigma ~ 1 | h", data, priors="flat")
    data = frame(6, 6, h=(["u"] * 2 + ["v"] * 4) * 2)  # 4 rows, 2 of each group: 4 coefficients
    assert refuses("there are 4 rows for 4 coefficients", "y ~ x | g, sigma ~ 1 | h", data, priors="flat")
    data = frame(6, 6, h=(["u"] * 3 + ["v"] * 3) * 2)
    assert check("y ~ x | g, sigma ~ 1 | h", data, priors="flat") is True


# --- perfect fits, under any prior


LINE = np.array([1.0, 2, 3, 4, 1, 2, 3, 5])


def test_a_perfect_fit_has_no_posterior_of_sigma():
    line = frame(4, 4, x=LINE, y=2 + 3 * LINE)
    words = (
        "`sigma` can be arbitrarily small, so it has no posterior: 4 coefficients fit the 8 rows perfectly"
    )
    for more in (
        "",
        ", family(student)",
        ", hierarchy()",
        ", prior(sigma ~ half_cauchy(1))",
        ", prior(sigma ~ flat())",
    ):
        assert check(f"y ~ x | g{more}", line) is not True
    assert refuses(words, "y ~ x | g", line)
    assert refuses("the residual sum of squares is", "y ~ x | g", line, priors="flat")
    nearly = line.assign(y=line["y"] + 1e-6 * (np.arange(8) == 0))
    assert check("y ~ x | g", nearly) is True
    assert check("y ~ x | g", nearly, priors="flat") is True


@pytest.mark.parametrize(
    "law", ["inverse_gamma(3, 2)", "log_normal(0, 1)", "constant(2)", "uniform(1, 2)", "gamma(7, 2)"]
)
def test_a_prior_that_keeps_sigma_from_zero(law):
    """8 rows less 4 coefficients: a density that goes to zero faster than sigma^(4 - 1) at zero will do."""
    line = frame(4, 4, x=LINE, y=2 + 3 * LINE)
    assert check(f"y ~ x | g, prior(sigma ~ {law})", line) is True
    assert check("y ~ x | g, prior(sigma ~ gamma(4, 2))", line) is not True
    assert check("y ~ x | g, prior(sigma ~ gamma(4.1, 2))", line) is True
    assert check("y ~ x | g, prior(sigma ~ beta(4, 2))", line) is not True
    assert check("y ~ x | g, prior(sigma ~ uniform(0, 2))", line) is not True


def test_the_integral_that_decides():
    """The same by quadrature: y = (1, 1), one coefficient with a Normal(0, 1) prior, integrated out, over small sigma.

    The likelihood of two equal rows grows as 1/sigma; times sigma^(a - 1) that is integrable for a > 1 only.
    """

    def mass(a, start):
        t = np.linspace(np.log(start), 0, 20001)
        square = np.exp(2 * t)
        likelihood = np.exp(-1 / (2 + square)) / np.sqrt(
            square * (2 + square)
        )  # of N(0, 1 1' + sigma^2 I) at (1, 1)
        return np.trapezoid(likelihood * np.exp(a * t), t)

    assert mass(1.5, 1e-6) == pytest.approx(mass(1.5, 1e-5), rel=0.01)
    assert mass(1.0, 1e-6) - mass(1.0, 1e-5) == pytest.approx(mass(1.0, 1e-5) - mass(1.0, 1e-4), rel=0.01)


def test_two_equal_rows_and_a_sigma_of_their_own():
    data = frame(2, 4, y=[5.0, 5, 1, 2, 4, 3])
    words = "`sigma` of g A can be arbitrarily small, so it has no posterior: 1 coefficients fit the 2 rows perfectly"
    written = "y ~ 1 | g, sigma ~ 1 | g, prior(Intercept ~ normal(3, 5), sigma ~ {})"
    assert refuses(words, written.format("half_normal(3)"), data)
    assert refuses(words, "y ~ 1 | g, sigma ~ 1 | g, hierarchy(sigma)", data)
    assert refuses("Use one `sigma` for all groups", written.format("half_normal(3)"), data)
    assert refuses("`y` does not vary in g A, which has a sigma of its own", "y ~ 1 | g, sigma ~ 1 | g", data)
    assert check("y ~ 1 | g", data) is True
    assert check(written.format("inverse_gamma(3, 2)"), data) is True
    fixed = "y ~ 1 | g, sigma ~ 1 | g, hierarchy(sigma{}), prior(sigma.sd ~ constant(1))"
    assert check(fixed.format(""), data) is True
    assert check(fixed.format(", dist=student"), data) is not True
    assert (
        check("y ~ 1 | g, sigma ~ 1 | g", frame(1, 4)) is True
    )  # one row is no perfect fit: nothing is left over


def test_constants_are_taken_off_before_the_fit_is_judged():
    line = frame(4, 4, x=LINE, y=2 + 3 * LINE)
    assert check("y ~ x | g, prior(x ~ constant(3))", line) is not True
    assert check("y ~ x | g, prior(x ~ constant(2))", line) is True
    assert check("y ~ z + common(x) | g, prior(x ~ constant(3))", line) is not True
    assert check("y ~ z + common(x) | g, prior(x ~ constant(2))", line) is True
    offset = line.assign(o=3 * LINE)
    assert check("y ~ offset(o) | g", offset) is not True
    assert check("y ~ z | g", offset) is True


def test_a_perfect_fit_is_one_to_rounding_only():
    for shift in (0.0, 1e6, -1e9):
        line = frame(4, 4, x=LINE, y=shift + 3 * LINE)
        assert check("y ~ x | g", line) is not True
        assert check("y ~ x | g", line.assign(y=line["y"] + NOISE[:8] * 1e-3)) is True


def test_a_column_that_adds_nothing_fits_nothing():
    data = frame(3, 2, x=[1.0, 2, 4, 1, 2], size=[30.1] * 3 + [20.3] * 2)  # one row more than coefficients
    assert check("y ~ x + common(size) | g", data) is True


def test_many_groups_with_sigmas_of_their_own_take_no_time():
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"y": rng.normal(size=6000), "x": rng.normal(size=6000), "g": np.arange(6000) // 6})
    started = time.perf_counter()
    assert check("y ~ x | g, sigma ~ 1 | g", data, priors="flat") is True
    assert (
        time.perf_counter() - started < 20
    )  # it takes half a second, and 80 if each group looks at all the others


def test_known_standard_errors_need_rank_and_no_spare_rows():
    """One row a group is enough for its intercept: there is no sigma that could go to zero."""
    data = frame(1, 1, 1, s=np.array([1.0, 2.0, 3.0]))
    assert check("y ~ 1 | g, se(s)", data, priors="flat") is True
    assert check("y ~ 1 | g, se(s)", data) is True
    assert refuses(
        "each group must determine its own 2 coefficients", "y ~ x | g, se(s)", data, priors="flat"
    )
    assert refuses("`sigma` has the improper prior", "y ~ 1 | g", data, priors="flat")


def test_group_terms_that_leave_no_residuals_are_refused_under_an_improper_sigma() -> None:
    cells = pd.DataFrame({"a": np.repeat(list("abcd"), 3), "b": np.tile(list("uvw"), 4)})
    data = cells.assign(y=np.random.default_rng(0).normal(size=12))
    with pytest.raises(fj.DataError, match="12 rows for 12 coefficients, those of group terms among them"):
        fj.model("y ~ 1 + (1 | a/b)", data, priors="flat")
    fj.model("y ~ 1 + (1 | a) + (1 | b)", data, priors="flat")  # rank 6
    fj.model("y ~ 1 + (1 | a/b)", data)  # a proper prior of sigma


# --- predictors of sigma


PERFECT = pd.DataFrame({"y": [1.0, 1.0, 1.0, 2.0, 3.0, 5.0], "arm": list("aaabbb")})


def test_normal_priors_keep_sigma_from_zero_in_rows_that_are_fitted_perfectly() -> None:
    fj.model("y ~ arm, sigma ~ arm", PERFECT)


def test_other_priors_do_not() -> None:
    with pytest.raises(DataError) as error:
        fj.model("y ~ arm, sigma ~ arm, prior(sigma.arm ~ student_t(3, 0, 1))", PERFECT)
    assert str(error.value) == (
        "The 3 rows with arm[b] = 0 are fitted perfectly, so with the prior of `sigma_arm` nothing shows that "
        "sigma there has a posterior. Use normal priors for the predictors of sigma, or fewer coefficients."
    )
