"""Priors written in a formula: which variable each is for, and every refusal with its place and its advice."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from formulajoint.compiler.planning.plan import make_plan
from formulajoint.design.bind import bind
from formulajoint.errors import FormulaError
from formulajoint.spec.read import parse

RNG = np.random.default_rng(1)
FRAME = pd.DataFrame(
    RNG.normal(5, 1, (12, 9)),
    columns=["y", "x", "z", "x.mean", "z.mean", "sigma", "sigma.z", "cor", "my col"],
).assign(arm=list("abc") * 4, school=["A"] * 5 + ["B"] * 7)


def written(formula, **options):
    """Return the priors that the formula itself gives, by variable."""
    plan = make_plan(bind(parse(formula), FRAME), **options)
    return {name: str(prior) for name, prior in plan.priors if prior.origin == "formula"}


TARGETS = {
    "y ~ x | school, prior(x ~ normal(0, 5))": {"x": "normal(0, 5)"},
    "y ~ x | school, prior(`x` ~ normal(0, 5))": {"x": "normal(0, 5)"},
    "y ~ x, prior(Intercept ~ normal(0, 5))": {"Intercept": "normal(0, 5)"},
    "y ~ common(x) | school, prior(x ~ cauchy(0, 5))": {"x": "cauchy(0, 5)"},
    "y ~ arm | school, prior(arm ~ student_t(3, 0, 1))": {"arm": "student_t(3, 0, 1)"},
    "y ~ `my col` | school, prior(`my col` ~ flat())": {"my col": "flat()"},
    "y ~ I(x^2) | school, prior(I(x ** 2) ~ constant(3))": {"I(x^2)": "constant(3)"},
    "y ~ x:z | school, prior(z:x ~ normal(0, 5))": {"x:z": "normal(0, 5)"},
    "y ~ x | school, prior(sigma ~ half_normal(2))": {"sigma": "half_normal(2)"},
    "y ~ x | school, prior(sigma ~ flat())": {"sigma": "flat()"},
    "y ~ x | school, sigma ~ 1 | school, prior(sigma ~ uniform(0, 9))": {"sigma": "uniform(0, 9)"},
    "y ~ x | school, family(student), prior(nu ~ gamma(2, 0.1))": {"nu": "gamma(2, 0.1)"},
    "y ~ x | school, hierarchy(x), prior(x.mean ~ cauchy(0, 10), x.sd ~ constant(10))": {
        "x_mean": "cauchy(0, 10)",
        "x_sd": "constant(10)",
    },
    "y ~ x | school, hierarchy(x), prior(`x`.mean ~ flat()), prior(`x`.sd ~ exponential(1))": {
        "x_mean": "flat()",
        "x_sd": "exponential(1)",
    },
    "y ~ x | school, hierarchy(), prior(Intercept.mean ~ laplace(1, 2), Intercept.sd ~ half_cauchy(3))": {
        "Intercept_mean": "laplace(1, 2)",
        "Intercept_sd": "half_cauchy(3)",
    },
    "y ~ I(x^2) | school, hierarchy(), prior(I(x^2).sd ~ gamma(2, 2))": {"I(x^2)_sd": "gamma(2, 2)"},
    "y ~ x:z | school, hierarchy(x:z), prior(z:x.sd ~ gamma(2, 2), (x:z).mean ~ flat())": {
        "x:z_mean": "flat()",
        "x:z_sd": "gamma(2, 2)",
    },
    "y ~ x | school, hierarchy(), prior(cor ~ lkj(3))": {"school_cor": "lkj(3)"},
    "y ~ x + arm | school, hierarchy(x, Intercept), hierarchy(arm), prior(cor ~ lkj(1))": {
        "school_cor": "lkj(1)",
        "school_cor_": "lkj(1)",
    },
    "y ~ x | school, sigma ~ z + x:z, prior(sigma.Intercept ~ normal(0, 1), sigma.z ~ normal(0, 2), sigma.z:x ~ normal(0, 3))": {
        "sigma_Intercept": "normal(0, 1)",
        "sigma_z": "normal(0, 2)",
        "sigma_x:z": "normal(0, 3)",
    },
    "y ~ x | school, sigma ~ z | school, hierarchy(sigma.z), prior(sigma.z.mean ~ normal(0, 2), sigma.z.sd ~ half_normal(1))": {
        "sigma_z_mean": "normal(0, 2)",
        "sigma_z_sd": "half_normal(1)",
    },
    "y ~ x | school, sigma ~ 1 | school, hierarchy(sigma), prior(sigma ~ exponential(1), sigma.sd ~ half_normal(3))": {
        "sigma_mean": "exponential(1)",
        "sigma_sd": "half_normal(3)",
    },
    # a column with the name of something else: in backticks it is the column
    "y ~ sigma | school, prior(`sigma` ~ normal(0, 5))": {"sigma_": "normal(0, 5)"},
    "y ~ x + `x.mean` | school, hierarchy(x), prior(`x.mean` ~ normal(0, 5))": {"x.mean": "normal(0, 5)"},
    "y ~ x + `x.mean` | school, hierarchy(x), prior(`x`.mean ~ normal(0, 5))": {"x_mean": "normal(0, 5)"},
    "y ~ x.mean | school, prior(x.mean ~ normal(0, 5))": {"x.mean": "normal(0, 5)"},
    "y ~ cor + x | school, hierarchy(x, Intercept), prior(`cor` ~ normal(0, 5))": {"cor": "normal(0, 5)"},
    "y ~ `sigma.z` | school, sigma ~ z, prior(`sigma.z` ~ normal(0, 5))": {"sigma.z": "normal(0, 5)"},
    "y ~ x:z.mean + x:z | school, hierarchy(x:z), prior((x:z).mean ~ normal(0, 5), x:`z.mean` ~ normal(0, 6))": {
        "x:z.mean": "normal(0, 6)",
        "x:z_mean": "normal(0, 5)",
    },
    # some groups, some levels
    "y ~ x | school, prior(x ~ normal(0, 5), x[B] ~ normal(1, 2))": {"x": "normal([0, 1], [5, 2])"},
    "y ~ x | school, prior(x[A] ~ cauchy(0, 3), x[school=B] ~ cauchy(0, 1))": {"x": "cauchy(0, [3, 1])"},
    "y ~ arm | school, prior(arm ~ normal(0, 5), arm[B, c] ~ normal(0, 2), arm[arm=b] ~ normal(0, 1))": {
        "arm": "normal(0, [[1, 5], [1, 2]])"
    },
    "y ~ common(arm) | school, prior(arm[b] ~ normal(0, 5), arm[c] ~ normal(0, 2))": {
        "arm": "normal(0, [5, 2])"
    },
    "y ~ arm | school, hierarchy(arm), prior(arm.sd[b] ~ half_normal(5), arm.sd ~ half_normal(2))": {
        "arm_sd": "half_normal([5, 2])"
    },
    "y ~ x | school, sigma ~ 1 | school, prior(sigma[A] ~ gamma(2, 1), sigma ~ gamma(3, 2))": {
        "sigma": "gamma([2, 3], [1, 2])"
    },
    # arithmetic of numbers, arguments by name
    "y ~ x | school, prior(x ~ normal(sigma=2 * 5, mu=-1/2))": {"x": "normal(-0.5, 10)"},
}


@pytest.mark.parametrize("formula", TARGETS)
def test_targets(formula):
    assert written(formula) == TARGETS[formula]


def test_written_priors_go_before_flat_ones():
    assert written("y ~ x | school, prior(x ~ normal(0, 5))", priors="flat") == {"x": "normal(0, 5)"}


NOT_ABOVE_ZERO = (
    "use half_normal, half_student_t, half_cauchy, exponential, gamma, inverse_gamma, log_normal or constant"
)
REFUSED = [
    # no such thing
    ("prior(«xx» ~ normal(0, 1))", "`xx` is not a parameter that can have a prior", "did you mean `x`?"),
    (
        "prior(«joint_x» ~ normal(0, 1))",
        "`joint_x` is not a parameter that can have a prior",
        "priors can be given to `Intercept`, `x`, `sigma`",
    ),
    (
        "prior(«y» ~ normal(0, 1))",
        "`y` is not a parameter that can have a prior",
        "priors can be given to `Intercept`, `x`, `sigma`",
    ),
    (
        "prior(«nu» ~ gamma(2, 1))",
        "`nu` is not a parameter that can have a prior",
        "priors can be given to `Intercept`, `x`, `sigma`",
    ),
    ("prior(«`sigma`» ~ half_normal(1))", "``sigma`` is not a parameter that can have a prior", None),
    # pooled or not
    (
        "prior(«x.mean» ~ normal(0, 1))",
        "`x.mean` is not a parameter that can have a prior",
        "`x` is not pooled: write the prior of `x`, or add `hierarchy(x)`",
    ),
    (
        "prior(«x.sd» ~ half_normal(1))",
        "`x.sd` is not a parameter that can have a prior",
        "`x` is not pooled: write the prior of `x`, or add `hierarchy(x)`",
    ),
    (
        "hierarchy(x), prior(«x» ~ normal(0, 1))",
        "`x` is not a parameter that can have a prior",
        "`x` is pooled: give priors to its location and scale, `x.mean` and `x.sd`",
    ),
    (
        "sigma ~ 1 | school, prior(«sigma.sd» ~ half_normal(1))",
        "`sigma.sd` is not a parameter that can have a prior",
        "`sigma` is not pooled: write the prior of `sigma`, or add `hierarchy(sigma)`",
    ),
    (
        "sigma ~ 1 | school, hierarchy(sigma), prior(«sigma.mean» ~ half_normal(1))",
        "`sigma.mean` is not a parameter that can have a prior",
        "write `sigma ~ ...` for where the groups' `sigma` is expected",
    ),
    (
        "sigma ~ z | school, hierarchy(sigma.z), prior(«sigma.z» ~ normal(0, 1))",
        "`sigma.z` is not a parameter that can have a prior",
        "`sigma.z` is pooled: give priors to its location and scale, `sigma.z.mean` and `sigma.z.sd`",
    ),
    (
        "sigma ~ z | school, hierarchy(sigma.z), prior(«sigma.Intercept.sd» ~ half_normal(1))",
        "`sigma.Intercept.sd` is not a parameter that can have a prior",
        "`sigma.Intercept` is not pooled: write the prior of `sigma.Intercept`, or add `hierarchy(sigma.Intercept)`",
    ),
    # sigma with and without predictors
    (
        "sigma ~ z, prior(«sigma» ~ half_normal(1))",
        "`sigma` is not a parameter that can have a prior",
        "`sigma` has predictors: give priors to `sigma.Intercept`, `sigma.z`, on its log scale",
    ),
    (
        "prior(«sigma.Intercept» ~ normal(0, 1))",
        "`sigma.Intercept` is not a parameter that can have a prior",
        "`sigma` has no predictors: write `sigma`",
    ),
    # correlations
    (
        "prior(«cor» ~ lkj(2))",
        "`cor` is not a parameter that can have a prior",
        "only a normal hierarchy of two columns or more has correlations",
    ),
    (
        "hierarchy(dist=cauchy), prior(«cor» ~ lkj(2))",
        "`cor` is not a parameter that can have a prior",
        "only a normal hierarchy of two columns or more has correlations",
    ),
    (
        "hierarchy(), prior(cor ~ «normal(0, 1)»)",
        "`normal` cannot be the prior of `cor`, which takes `lkj(eta)`",
        "",
    ),
    (
        "prior(x ~ «lkj(2)»)",
        "`lkj` cannot be the prior of `x`, which takes a distribution of single numbers",
        "",
    ),
    # two readings
    (
        "hierarchy(x), prior(«x.mean» ~ normal(0, 1))",
        "`x.mean` can be read in 2 ways",
        "write `` `x`.mean `` or `` `x.mean` ``",
    ),
    (
        "prior(«sigma» ~ half_normal(1))",
        "`sigma` can be read in 2 ways",
        "write `` `sigma` `` or rename the column to mean `sigma`",
    ),
    (
        "sigma ~ z, prior(«sigma.z» ~ normal(0, 1))",
        "`sigma.z` can be read in 2 ways",
        "write `` `sigma.z` `` or rename the column to mean `sigma.z`",
    ),
    (
        "hierarchy(x, Intercept), prior(«cor» ~ lkj(1))",
        "`cor` can be read in 2 ways",
        "write `` `cor` `` or rename the column to mean `cor`",
    ),
    (
        "hierarchy(x:z), prior(«x:z.mean» ~ normal(0, 1))",
        "`x:z.mean` can be read in 2 ways",
        "write `` (`x`:`z`).mean `` or `` `x`:`z.mean` ``",
    ),
    # two priors
    (
        "prior(x ~ normal(0, 1), «x ~ normal(0, 2)»)",
        "the prior of `x` appears twice",
        "leave one of them out",
    ),
    ("prior(x ~ flat()), prior(«`x` ~ flat()»)", "`x` has two priors", "leave one of them out"),
    ("prior(x:z ~ flat(), «z:x ~ flat()»)", "`x:z` has two priors", "leave one of them out"),
    # support
    ("prior(sigma ~ «normal(0, 1)»)", "`sigma` is above zero, but `normal(0, 1)` is not", NOT_ABOVE_ZERO),
    ("prior(sigma ~ «uniform(-1, 1)»)", "`sigma` is above zero, but `uniform(-1, 1)` is not", NOT_ABOVE_ZERO),
    ("prior(sigma ~ «constant(0)»)", "`sigma` is above zero, but `constant(0)` is not", NOT_ABOVE_ZERO),
    (
        "hierarchy(x), prior(x.sd ~ «cauchy(0, 1)»)",
        "`x.sd` is above zero, but `cauchy(0, 1)` is not",
        NOT_ABOVE_ZERO,
    ),
    (
        "family(student), prior(nu ~ «student_t(3, 0, 1)»)",
        "`nu` is above zero, but `student_t(3, 0, 1)` is not",
        NOT_ABOVE_ZERO,
    ),
    (
        "hierarchy(x), prior(x.sd ~ «flat()»)",
        "`x.sd` needs a proper prior: nothing shows that its posterior would exist",
        "",
    ),
    (
        "family(student), prior(nu ~ «flat()»)",
        "`nu` needs a proper prior: nothing shows that its posterior would exist",
        "",
    ),
    (
        "sigma ~ z, prior(sigma.z ~ «flat()»)",
        "`sigma.z` needs a proper prior: nothing shows that its posterior would exist",
        "",
    ),
    (
        "sigma ~ 1 | school, hierarchy(sigma), prior(sigma ~ «flat()»)",
        "`sigma` needs a proper prior: nothing shows that its posterior would exist",
        "",
    ),
    # some groups
    ("prior(x[«Z»] ~ normal(0, 1))", "`school` has no level `Z`", "the levels are `A`, `B`"),
    ("prior(x[«scool=A»] ~ normal(0, 1))", "`x` has no dim `scool`", "did you mean `school`?"),
    (
        "prior(«sigma[A]» ~ half_normal(1))",
        "`sigma` is a single coefficient, and has no levels",
        "write `sigma`",
    ),
    (
        "hierarchy(x), prior(«x»[A] ~ normal(0, 1))",
        "`x` is not a parameter that can have a prior",
        "`x` is pooled: give priors to its location and scale, `x.mean` and `x.sd`",
    ),
    (
        "prior(x[A] ~ normal(0, 1), «x[school=A] ~ normal(0, 2)»)",
        "`x[school=A]` has two priors",
        "leave one of them out",
    ),
    (
        "prior(«x[A] ~ cauchy(0, 1)»)",
        "the groups of `x` would have several distributions, `cauchy`, `normal`",
        "give all the same distribution, with other numbers where needed: `prior(x ~ cauchy(...), x[A] ~ cauchy(...))`",
    ),
    (
        "prior(x ~ constant(0), «x[A] ~ constant(1)»)",
        "the groups of `x` would have several constants, `1.0`, `0.0`",
        None,
    ),
    # units
    (
        "hierarchy(x), prior(x.mean ~ «normal(0, 1, scale=sd)»)",
        "`x.mean` is shared by the groups, so it is in the units of none",
        "write its numbers in units of the response, without `scale=sd`",
    ),
    (
        "prior(z ~ «normal(0, 1, scale=sd)»)",
        "`z` is shared by the groups, so it is in the units of none",
        None,
    ),
    (
        "sigma ~ z, prior(sigma.z ~ «normal(0, 1, scale=sd)»)",
        "`scale=sd` states a prior in sds of the response, and `sigma.z` is not in its units",
        "leave it out",
    ),
    (
        "family(student), prior(nu ~ «gamma(2, 1, scale=sd)»)",
        "`scale=sd` states a prior in sds of the response, and `nu` is not in its units",
        "leave it out",
    ),
    ("prior(x ~ constant(1, «scale=sd»))", "`constant` has no argument `scale`", None),
    # arguments
    ("prior(x ~ «normal()»)", "`normal` needs `mu`, `sigma`", "write `normal(0, 1)`"),
    ("prior(x ~ «normal(0)»)", "`normal` needs `sigma`", "write `normal(0, 1)`"),
    (
        "prior(x ~ normal(0, 1, «2»))",
        "`normal` takes 2 arguments, and got 3",
        "write `normal(0, 1)`; it also takes `scale=`",
    ),
    ("prior(x ~ normal(«sd=1», mu=0))", "`normal` has no argument `sd`", None),
    ("prior(x ~ normal(0, «-1»))", "`sigma` must be greater than zero", None),
    ("prior(x ~ normal(«z», 1))", "a number is expected here", None),
    ("prior(x ~ «uniform(2, 1)»)", "the lower bound of `uniform` must be below the upper", ""),
    ("prior(x ~ «normall»(0, 1))", "there is no distribution `normall`", "did you mean `normal`?"),
    ("prior(x ~ «inverse»())", "there is no distribution `inverse`", "did you mean `inverse_gamma`?"),
]

# Predictors beside x that some of the clauses need.
PREDICTORS = {
    "hierarchy(x), prior(«x.mean» ~ normal(0, 1))": "x + `x.mean`",
    "prior(«sigma» ~ half_normal(1))": "sigma",
    "sigma ~ z, prior(«sigma.z» ~ normal(0, 1))": "x + `sigma.z`",
    "hierarchy(x, Intercept), prior(«cor» ~ lkj(1))": "x + cor",
    "hierarchy(x:z), prior(«x:z.mean» ~ normal(0, 1))": "x:z + x:`z.mean`",
    "prior(x:z ~ flat(), «z:x ~ flat()»)": "x:z",
    "prior(z ~ «normal(0, 1, scale=sd)»)": "x + common(z)",
}


@pytest.mark.parametrize(("clauses", "message", "hint"), REFUSED, ids=[case[0] for case in REFUSED])
def test_refusals(clauses, message, hint):
    before, _, rest = f"y ~ {PREDICTORS.get(clauses, 'x')} | school, {clauses}".partition("«")
    inside, _, after = rest.partition("»")
    with pytest.raises(FormulaError) as error:
        written(before + inside + after)
    assert error.value.message == message
    assert hint is None or error.value.hint == hint
    assert (error.value.span.start, error.value.span.end) == (len(before), len(before) + len(inside))
