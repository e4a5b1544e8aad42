"""What `make_plan` makes of families, parameters and hierarchies, and what it refuses."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from formulajoint.compiler.plan import LinearPlan, ScalePlan
from formulajoint.compiler.planning.plan import make_plan
from formulajoint.design.bind import bind
from formulajoint.distributions.links import IDENTITY, LOG
from formulajoint.errors import DataError, FormulaError
from formulajoint.spec.read import parse

RNG = np.random.default_rng(2)
FRAME = pd.DataFrame(RNG.normal(5, 1, (16, 3)), columns=["y", "x", "z"]).assign(
    arm=list("abcd") * 4, school=["A"] * 5 + ["B"] * 6 + ["C"] * 5, sigma=RNG.normal(size=16), one="S"
)


def plan_of(formula, **options):
    return make_plan(bind(parse(formula), FRAME), **options)


# Families.


@pytest.mark.parametrize(
    ("formula", "options", "family", "parameters"),
    [
        ("y ~ x | school", {}, "gaussian", ["sigma"]),
        ("y ~ x | school, family(gaussian)", {}, "gaussian", ["sigma"]),
        ("y ~ x | school, family(student)", {}, "student", ["sigma", "nu"]),
        ("y ~ x | school, family(student, link=identity)", {}, "student", ["sigma", "nu"]),
        ("y ~ x | school", {"family": "student"}, "student", ["sigma", "nu"]),
        ("y ~ x | school, family(student)", {"family": "student"}, "student", ["sigma", "nu"]),
        ("y ~ x | school, nu ~ x, family(student)", {}, "student", ["sigma", "nu"]),
    ],
)
def test_families(formula, options, family, parameters):
    plan = plan_of(formula, **options)
    assert plan.family.name == family
    found = [p.parameter for p in plan.parameters]
    assert found == ["mu", *parameters]


def test_known_standard_errors_leave_no_sigma():
    plan = plan_of("y ~ x + sigma | school, se(z), prior(sigma ~ normal(0, 2))")
    assert plan.further == ()
    assert plan.family.name == "gaussian"
    assert "sigma" in plan.variables  # the slope of a column: the name is free


def test_parameters_with_predictors_are_linear():
    sigma, nu = plan_of("y ~ x | school, family(student), nu ~ x").further
    assert isinstance(sigma, ScalePlan)
    assert isinstance(nu, LinearPlan)
    assert nu.link is LOG
    assert plan_of("y ~ x | school").mean.link is IDENTITY
    plan = plan_of("y ~ x | school, sigma ~ x")
    assert plan.scale("sigma") is None
    assert plan_of("y ~ x | school").scale("sigma").name == "sigma"


@pytest.mark.parametrize(
    ("formula", "grouping"),
    [
        ("y ~ x | school", None),
        ("y ~ x | school, sigma ~ 1", None),
        ("y ~ x | school, sigma ~ 0 + common(1) | school", None),
        ("y ~ x | school, sigma ~ 1 | school", "school"),
        ("y ~ x | school, sigma ~ 1 | arm", "arm"),
    ],
)
def test_a_sigma_for_all_or_for_each_group(formula, grouping):
    scale = plan_of(formula).scale("sigma")
    assert (scale.grouping.name if scale.grouping else None) == grouping
    assert scale.dims == ((grouping,) if grouping else ())


REFUSED = [
    ("y ~ x | school, «nu ~ 1»", "the gaussian family has no parameter `nu`", "it has `sigma`", {}),
    (
        "y ~ x | school, «sigm ~ 1»",
        "the gaussian family has no parameter `sigm`",
        "did you mean `sigma`?",
        {},
    ),
    (
        "y ~ x | school, «family(gaussian)»",
        "the formula says `family(gaussian)`, but the argument says family='student'",
        "state it in one place",
        {"family": "student"},
    ),
    (
        "«y» ~ x | school",
        "there is no family `cauchy`",
        "there are `gaussian`, `student`",
        {"family": "cauchy"},
    ),
    # known standard errors
    (
        "y ~ x | school, se(z), «sigma ~ 1 | school»",
        "`se(...)` gives the residual sds, so there is no sigma with predictors",
        "leave out `sigma ~ ...`, or `se(...)`",
        {},
    ),
    ("y ~ x | school, se(z), «nu ~ 1»", "the gaussian family has no parameter `nu`", "it has none", {}),
    (
        "y ~ x | school, «se(z)», family(student)",
        "`se(...)` gives the sds of a Gaussian response, but the family is student",
        "leave out `se(...)` or the family student",
        {},
    ),
    (
        "y ~ x | school, «se(z)»",
        "`se(...)` gives the sds of a Gaussian response, but the family is student",
        "leave out",
        {"family": "student"},
    ),
    (
        "y ~ x | school, se(z), prior(«sigma» ~ half_normal(2))",
        "`sigma` is not a parameter that can have a prior",
        "`se(...)` gives the residual sds, so `sigma` is not estimated",
        {},
    ),
    (
        "y ~ x | school, se(z), hierarchy(«sigma»)",
        "`sigma` is not a per-group term of this formula",
        "a hierarchy can pool",
        {},
    ),
    # hierarchies
    (
        "y ~ x | school, hierarchy(«xx»)",
        "`xx` is not a per-group term of this formula",
        "did you mean `x`?",
        {},
    ),
    (
        "y ~ x + common(z) | school, hierarchy(«z»)",
        "`z` has one coefficient for all rows, so there is nothing to pool",
        "take it out of `common(...)`, or out of the hierarchy",
        {},
    ),
    (
        "y ~ x, hierarchy(«x»)",
        "`x` has one coefficient for all rows, so there is nothing to pool",
        "write `| group` after the predictors for one coefficient per group",
        {},
    ),
    (
        "y ~ x, «hierarchy()»",
        "`hierarchy` pools the coefficients of groups, but the formula has no coefficients by group",
        "write `| group` after the predictors",
        {},
    ),
    (
        "y ~ x | school, sigma ~ x, hierarchy(«sigma»)",
        "`hierarchy` pools the coefficients of groups, but `sigma` has no coefficients by group",
        "write `| group` after the predictors",
        {},
    ),
    ("y ~ x | school, hierarchy(«sigma»)", "`sigma` is not a per-group term of this formula", None, {}),
    (
        "y ~ x | school, hierarchy(x), «hierarchy(x)»",
        "`x` is pooled by two hierarchies",
        "name each term in one `hierarchy(...)` only",
        {},
    ),
    (
        "y ~ x | school, hierarchy(), «hierarchy(Intercept)»",
        "`Intercept` is pooled by two hierarchies",
        "name each term in one `hierarchy(...)` only",
        {},
    ),
    (
        "y ~ sigma | school, sigma ~ 1 | school, hierarchy(«sigma»)",
        "`sigma` is both a predictor and a parameter",
        "write `` `sigma` `` in backticks for the predictor",
        {},
    ),
    (
        "y ~ x | school, hierarchy(x, df=«3»)",
        "`df` belongs to `dist=student`, not to `dist=normal`",
        "take it out",
        {},
    ),
    (
        "y ~ x | school, hierarchy(dist=cauchy, cor=«true»)",
        "a cauchy hierarchy pools each coefficient separately, without correlations",
        "leave out `cor=true`, or use `dist=normal`",
        {},
    ),
    ("y ~ x | school, hierarchy(dist=student, df=«-1»)", "`df` must be greater than zero", None, {}),
]


@pytest.mark.parametrize(("marked", "message", "hint", "options"), REFUSED, ids=[case[0] for case in REFUSED])
def test_refusals(marked, message, hint, options):
    before, _, rest = marked.partition("«")
    inside, _, after = rest.partition("»")
    with pytest.raises(FormulaError) as error:
        plan_of(before + inside + after, **options)
    assert error.value.message == message
    assert hint is None or hint in error.value.hint
    assert (error.value.span.start, error.value.span.end) == (len(before), len(before) + len(inside))


def test_one_group_has_nothing_to_pool():
    with pytest.raises(DataError, match=r"`hierarchy` needs at least two groups, but `one` has one \(S\)"):
        plan_of("y ~ x | one, hierarchy()")


# What a hierarchy holds.


def pools(formula):
    """Return the terms of each pool, with its distribution and the columns of its correlation."""
    found = []
    for pool in plan_of(formula).mean.pools:
        labels = pool.correlation.labels if pool.correlation else None
        found.append(([t.coefficient.name for t in pool.terms], pool.request.dist, labels))
    return found


@pytest.mark.parametrize(
    ("clauses", "expected"),
    [
        ("hierarchy()", [(["Intercept", "x", "z"], "normal", ("Intercept", "x", "z"))]),
        ("hierarchy(x)", [(["x"], "normal", None)]),
        ("hierarchy(x, cor=true)", [(["x"], "normal", None)]),
        ("hierarchy(z, x)", [(["z", "x"], "normal", ("z", "x"))]),
        ("hierarchy(cor=false)", [(["Intercept", "x", "z"], "normal", None)]),
        ("hierarchy(dist=student)", [(["Intercept", "x", "z"], "student", None)]),
        ("hierarchy(`x`, Intercept)", [(["x", "Intercept"], "normal", ("x", "Intercept"))]),
        ("hierarchy(x), hierarchy(z, dist=cauchy)", [(["x"], "normal", None), (["z"], "cauchy", None)]),
    ],
)
def test_pools(clauses, expected):
    assert pools(f"y ~ x + z | school, {clauses}") == expected


def test_terms_of_the_pool_are_found_whatever_their_order():
    assert pools("y ~ x:z | school, hierarchy(z:x)") == [(["x:z"], "normal", None)]
    assert pools("y ~ arm:x | school, hierarchy(x:arm)")[0][2] == (
        "arm:x[a]",
        "arm:x[b]",
        "arm:x[c]",
        "arm:x[d]",
    )


def test_a_column_in_backticks_is_not_the_parameter():
    plan = plan_of("y ~ sigma | school, sigma ~ 1 | school, hierarchy(`sigma`)")
    assert [t.coefficient.name for t in plan.mean.pools[0].terms] == ["sigma_"]
    assert plan.scale("sigma").pool is None


def test_degrees_of_freedom():
    def df(clause):
        return plan_of(f"y ~ x | school, {clause}").mean.pools[0].request.df

    assert df("hierarchy(dist=student)") == 4
    assert df("hierarchy(dist=student, df=7)") == 7
    assert df("hierarchy(dist=student, df=2 + 1/2)") == 2.5


def test_a_hierarchy_of_sigma():
    plan = plan_of("y ~ x | school, sigma ~ 1 | school, hierarchy(sigma, dist=student, df=3, centered=true)")
    pool = plan.scale("sigma").pool
    assert (pool.mean_name, pool.sd_name, pool.raw_name) == ("sigma_mean", "sigma_sd", "sigma_raw")
    assert (pool.request.dist, pool.request.df, pool.centered) == ("student", 3, True)
    plan = plan_of("y ~ x | school, sigma ~ x | school, hierarchy(sigma)")
    (pool,) = plan.further[0].pools
    assert [t.coefficient.name for t in pool.terms] == ["sigma_Intercept", "sigma_x"]
    assert pool.correlation.name == "sigma_school_cor"


def test_what_only_serves_the_sampler():
    found = plan_of(
        "y ~ x + arm | school, hierarchy(Intercept, centered=false), hierarchy(arm, centered=true), "
        "sigma ~ 1 | school, hierarchy(sigma)"
    )
    columns = {f"arm[{level}]" for level in "bcd"}
    assert found.auxiliary == {"Intercept_offset", "sigma_raw", "school_cor_partial"} | columns


def test_every_variable_has_a_prior_once():
    plan = plan_of("y ~ x + common(z) | school, hierarchy(x), sigma ~ z, family(student), joint()")
    names = [name for name, _ in plan.priors]
    assert names == ["Intercept", "z", "x_mean", "x_sd", "sigma_Intercept", "sigma_z", "nu"]
    assert plan.flat is False
    assert plan_of("y ~ x", priors="flat").flat is True
