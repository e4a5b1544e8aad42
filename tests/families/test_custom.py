"""Families that extensions bring: likelihoods like the language's own."""

import numpy as np
import pymc as pm
import pytest
from scipy import stats

import formulajoint as fj
from formulajoint.results.joint_tests.classical import classical_test

DATA = {
    "y": [0.2, 0.5, 0.4, 0.9, 0.7, 0.3],
    "x": [0.0, 1, 1, 0, 1, 0],
    "g": list("AABBBA"),
    "n": [1, 2, 1, 1, 3, 1],
}
Y, X = np.array(DATA["y"]), np.array(DATA["x"])
GROUP = np.array([0, 0, 1, 1, 1, 0])


def double_exponential(mu, b):
    return pm.Laplace.dist(mu, b)


def gamma_rate(mu, shape):
    return pm.Gamma.dist(alpha=shape, beta=shape / mu)


def inflated(mu, zi):
    return pm.ZeroInflatedPoisson.dist(1 - zi, mu)


LANGUAGE = fj.CORE.extend(
    fj.Extension(
        "mine",
        [
            fj.Family(double_exponential, {"b": "half_student_t(4, sd)"}),
            fj.Family(gamma_rate, {"shape": "gamma(2, 0.5)"}, link="log", above=0),
            fj.Family(lambda mu: pm.Bernoulli.dist(mu), link="logit", name="chance"),
            fj.Family(inflated, {"zi": "beta(1, 3)"}, "log", above=0, whole=True, links={"zi": "logit"}),
        ],
    )
)


def inflated(mu, zi):
    return pm.ZeroInflatedPoisson.dist(1 - zi, mu)


def model(formula, data=DATA, **options):
    return fj.model(formula, data, language=LANGUAGE, **options)


def log_density(built, values):
    """Return the log-density of the response at the values given, by PyMC's own means."""
    found = built.pymc
    logp = found.logp(vars=[found["y"]], sum=False)[0]
    inputs = {found.rvs_to_values[found[name]]: value for name, value in values.items()}
    return pm.pytensorf.compile(list(inputs), logp)(*inputs.values())


BETA = {"Intercept": np.array([0.3, 0.5]), "x": np.array([0.1, -0.2])}
ETA = BETA["Intercept"][GROUP] + BETA["x"][GROUP] * X


def test_likelihood_is_the_functions_at_the_mean_and_parameters():
    built = model("y ~ x | g, family(double_exponential), b ~ 0 + offset(x)")
    assert log_density(built, BETA) == pytest.approx(stats.laplace.logpdf(Y, ETA, np.exp(X)))


def test_link_is_applied():
    built = model("y ~ x | g, family(gamma_rate), shape ~ 0 + offset(x)")
    shape = np.exp(X)
    expected = stats.gamma.logpdf(Y, shape, scale=np.exp(ETA) / shape)
    assert log_density(built, BETA) == pytest.approx(expected)


def test_rows_count_by_their_weights():
    built = model("y ~ x | g, family(double_exponential), b ~ 0 + offset(x), weights(n)")
    expected = np.array(DATA["n"]) * stats.laplace.logpdf(Y, ETA, np.exp(X))
    assert log_density(built, BETA) == pytest.approx(expected)


def test_default_priors():
    priors = model("y ~ x | g, family(double_exponential)").priors
    sd = Y.std(ddof=1)
    assert priors["b"] == f"half_student_t(4, {sd:.4g})"
    assert priors["x"] == f"normal(0, {2.5 * sd / 0.5:.4g})"
    priors = model("y ~ x | g, family(gamma_rate)").priors
    assert priors["shape"] == "gamma(2, 0.5)"
    assert priors["x"] == "normal(0, 5)"
    assert priors["Intercept"] == f"normal({np.log(Y.mean()):.4g}, {np.sqrt(2.5**2 + (5 * 0.5) ** 2):.4g})"


@pytest.mark.parametrize(
    ("prior", "typical"),
    [
        ("gamma(4, 2)", 2),
        ("inverse_gamma(3, 8)", 2),
        ("exponential(0.5)", 2),
        ("log_normal(0.25, 1)", np.exp(0.25)),
        ("uniform(1, 3)", 2),
        ("half_cauchy(2)", 2),
        ("beta(2, 6)", 0.25),
        ("half_normal(2)", 2),
        ("constant(2)", 2),
    ],
)
def test_log_predictors_are_expected_where_the_parameter_is(prior, typical):
    language = fj.CORE.extend(fj.Extension("mine", [fj.Family(double_exponential, {"b": prior})]))
    priors = fj.model("y ~ x, b ~ x", DATA, family="double_exponential", language=language).priors
    assert priors["b_Intercept"] == f"normal({np.log(typical):.4g}, 1)"


def test_a_flat_default_prior_leaves_a_log_predictor_at_the_sd_of_the_response():
    family = fj.Family(lambda mu, sigma: pm.Laplace.dist(mu, sigma), {"sigma": "flat()"}, name="wide")
    language = fj.CORE.extend(fj.Extension("mine", [family]))
    priors = fj.model("y ~ x, sigma ~ x", DATA, family="wide", language=language).priors
    assert priors["sigma_Intercept"] == f"normal({np.log(Y.std(ddof=1)):.4g}, 1)"


def test_parameters_may_differ_by_group_and_have_priors():
    built = model(
        "y ~ x | g, family(double_exponential), b ~ 1 | g, hierarchy(b), prior(b ~ exponential(2)), joint()"
    )
    assert built.pymc.named_vars_to_dims["b"] == ("g",)
    assert built.priors["b_mean"] == "exponential(2)"


def test_the_model_explains_itself():
    lines = model("y ~ x | g, family(gamma_rate)").explain().splitlines()
    assert lines[3:5] == ["model: y ~ gamma_rate(mu, shape)", "       log(mu) = Intercept[g] + b_x[g] * x"]
    assert any("shape of the gamma_rate family, one for all rows" in line for line in lines)


def test_what_a_classical_test_needs_is_named():
    plan = model("y ~ x | g, family(double_exponential), test(x == 0)").plan
    found = classical_test(plan, plan.tests[0])
    assert found.reason.startswith(
        "no likelihood ratio test: it needs the variance as a function of the mean"
    )


def test_a_family_without_parameters():
    data = {**DATA, "y": [0.0, 1, 1, 0, 1, 0]}
    built = model("y ~ 1 | g, family(chance)", data)
    eta = BETA["Intercept"][GROUP]
    expected = stats.bernoulli.logpmf(data["y"], 1 / (1 + np.exp(-eta)))
    assert log_density(built, {"Intercept": BETA["Intercept"]}) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("formula", "data", "options", "error", "message"),
    [
        (
            "y ~ x, family(gamma_rate)",
            {**DATA, "y": [0.0, 1, 2, 3, -1, 2]},
            {},
            fj.DataError,
            "above 0, but `y` is not in 2 of the 6",
        ),
        (
            "y ~ x, family(chance)",
            {**DATA, "y": [2.0, 1, 2, 3, 1, 2]},
            {},
            fj.DataError,
            "not defined at the mean of `y`",
        ),
        (
            "y ~ x, family(double_exponential)",
            DATA,
            {"priors": "flat"},
            fj.DataError,
            "have a flat prior, and nothing shows",
        ),
        (
            "y ~ x, family(double_exponential), prior(x ~ flat())",
            DATA,
            {},
            fj.DataError,
            "`x` has a flat prior",
        ),
        (
            "y ~ x, family(double_exponential), sigma ~ x",
            DATA,
            {},
            fj.FormulaError,
            "the double_exponential family has no parameter `sigma`",
        ),
        (
            "y ~ x, family(double_exponential, link=log)",
            DATA,
            {},
            fj.FormulaError,
            "the family `double_exponential` has no link `log`",
        ),
        (
            "y ~ x, family(double_exponentia)",
            DATA,
            {},
            fj.FormulaError,
            "there is no family `double_exponentia`",
        ),
    ],
)
def test_refusals(formula, data, options, error, message):
    with pytest.raises(error, match=message):
        model(formula, data, **options)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: fj.Family(double_exponential), "takes the mean and `b`, but `parameters` has none"),
        (
            lambda: fj.Family(double_exponential, {"scale": "exponential(1)"}),
            "takes the mean and `b`, but `parameters` has `scale`",
        ),
        (lambda: fj.Family(double_exponential, {"b": "normal(0, 1)"}), "default prior 'normal.0, 1.' of `b`"),
        (lambda: fj.Family(double_exponential, {"b": "half_normal(sd"}), "cannot be used"),
        (
            lambda: fj.Family(double_exponential, {"b": "beta(1, 1)"}, links={"c": "logit"}),
            "names `c`, which it does not have",
        ),
        (
            lambda: fj.Family(double_exponential, {"b": "exponential(1)"}, link="logg"),
            "unknown link `logg`: did you mean `log`",
        ),
    ],
)
def test_a_family_is_whole(make, message):
    with pytest.raises(fj.ExtensionError, match=message):
        make()


def test_parameters_have_links_of_their_own():
    counted = {**DATA, "y": [0, 2, 1, 0, 3, 1]}
    built = model("y ~ 1 | g, family(inflated), zi ~ 0 + offset(x)", counted)
    zi, mu = 1 / (1 + np.exp(-X)), np.exp(BETA["Intercept"][GROUP])
    expected = np.log(zi * np.equal(counted["y"], 0) + (1 - zi) * stats.poisson.pmf(counted["y"], mu))
    assert log_density(built, {"Intercept": BETA["Intercept"]}) == pytest.approx(expected)
    assert model("y ~ 1 | g, family(inflated)", counted).priors["zi"] == "beta(1, 3)"
    assert (
        "logit(zi) = zi_Intercept + zi_x * x" in model("y ~ 1, family(inflated), zi ~ x", counted).explain()
    )


def test_its_responses_are_replicated_with_scipy():
    law = fj.Family(double_exponential, {"b": "half_student_t(4, sd)"}, scipy=stats.laplace)
    language = fj.CORE.extend(fj.Extension("mine", [law]))
    built = fj.model("y ~ 1 | g, family(double_exponential)", DATA, language=language)
    rng = np.random.default_rng(1)
    fit = built.fit_from({"Intercept": rng.normal(0.5, 0.1, (2, 30, 2)), "b": rng.uniform(0.1, 0.3, (2, 30))})
    assert fit.plot.ppc(count=20)


@pytest.mark.slow
def test_its_responses_are_not_replicated():
    fit = fj.fit(
        "y ~ x",
        DATA,
        family="double_exponential",
        language=LANGUAGE,
        draws=20,
        tune=50,
        chains=1,
        seed=1,
        progress=False,
    )
    with pytest.raises(
        fj.InferenceError,
        match=r"declaration of the family `\w+` has no `scipy=`",
    ):
        fit.plot.ppc()
