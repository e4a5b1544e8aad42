"""Each family of the language: density, draws, priors, links, words, and a saved fit; a row of `ROWS` for each."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytensor
import pytest
from scipy import special, stats

import formulajoint as fj
from formulajoint.distributions.links import LINKS, NUMPY
from formulajoint.families.declared import FAMILIES
from formulajoint.inference.draws.prior import sample_prior
from formulajoint.language.vocabulary import core
from formulajoint.results.predictions.replicate import Predictions

type Values = dict[str, Any]


class Row(NamedTuple):
    """Values of the parameters, the law in SciPy at them, responses that can and cannot occur, and the scale in words."""

    parameters: dict[str, float]
    law: Callable[..., Any]
    possible: tuple[float, ...]
    impossible: tuple[float, ...] = ()
    words: str = "points of y"
    ratio: str = ""


def _skew_normal(mu: float, sigma: float, alpha: float) -> Any:
    delta = alpha / np.hypot(1, alpha)
    omega = sigma / np.sqrt(1 - 2 * delta**2 / np.pi)
    found = stats.skewnorm(alpha, mu - omega * delta * np.sqrt(2 / np.pi), omega)
    np.testing.assert_allclose([found.mean(), found.std()], [mu, sigma], rtol=1e-10)
    return found


def _weibull(mu: float, shape: float) -> Any:
    return stats.weibull_min(shape, scale=mu / special.gamma(1 + 1 / shape))


REAL, POSITIVE = (-1.5, 0.0, 4.0), (0.1, 1.7, 6.0)
NOT_POSITIVE = (0.0, -2.0)
COUNTED, NOT_COUNTED = (0.0, 1.0, 5.0), (-1.0, 0.5)
SHAPED = {"mu": 2.5, "shape": 1.4}

ROWS = {
    "gaussian": Row({"mu": 1.0, "sigma": 2.0}, lambda mu, sigma: stats.norm(mu, sigma), REAL),
    "student": Row({"mu": 1.0, "sigma": 2.0, "nu": 5.0}, lambda mu, sigma, nu: stats.t(nu, mu, sigma), REAL),
    "laplace": Row({"mu": 1.0, "sigma": 2.0}, lambda mu, sigma: stats.laplace(mu, sigma), REAL),
    "skew_normal": Row({"mu": 1.0, "sigma": 2.0, "alpha": 3.0}, _skew_normal, REAL),
    "lognormal": Row(
        {"mu": 2.5, "sigma": 0.7},
        lambda mu, sigma: stats.lognorm(sigma, scale=mu),
        POSITIVE,
        NOT_POSITIVE,
        "log median of y",
        "median ratio",
    ),
    "gamma": Row(
        SHAPED,
        lambda mu, shape: stats.gamma(shape, scale=mu / shape),
        POSITIVE,
        NOT_POSITIVE,
        "log mean of y",
        "mean ratio",
    ),
    "inverse_gaussian": Row(
        SHAPED,
        lambda mu, shape: stats.invgauss(mu / shape, scale=shape),
        POSITIVE,
        NOT_POSITIVE,
        "log mean of y",
        "mean ratio",
    ),
    "exponential": Row(
        {"mu": 2.5}, lambda mu: stats.expon(scale=mu), POSITIVE, NOT_POSITIVE, "log mean of y", "mean ratio"
    ),
    "weibull": Row(SHAPED, _weibull, POSITIVE, NOT_POSITIVE, "log mean of y", "mean ratio"),
    "beta": Row(
        {"mu": 0.3, "phi": 4.0},
        lambda mu, phi: stats.beta(mu * phi, (1 - mu) * phi),
        (0.1, 0.5, 0.99),
        (0.0, 1.0, 1.2),
        "log odds of y",
        "odds ratio",
    ),
    "bernoulli": Row(
        {"mu": 0.3},
        lambda mu: stats.bernoulli(mu),
        (0.0, 1.0, 1.0),
        (2.0, 0.5),
        "log odds of y = 1",
        "odds ratio",
    ),
    "binomial": Row(
        {"mu": 0.3},
        lambda mu: stats.binom(TRIALS, mu),
        (0.0, 2.0, 5.0),
        (-1.0, 0.5, 8.0),
        "log odds of y",
        "odds ratio",
    ),
    "beta_binomial": Row(
        {"mu": 0.3, "phi": 4.0},
        lambda mu, phi: stats.betabinom(TRIALS, mu * phi, (1 - mu) * phi),
        (0.0, 2.0, 5.0),
        (-1.0, 0.5, 8.0),
        "log odds of y",
        "odds ratio",
    ),
    "poisson": Row(
        {"mu": 2.5}, lambda mu: stats.poisson(mu), COUNTED, NOT_COUNTED, "log rate of y", "rate ratio"
    ),
    "negative_binomial": Row(
        SHAPED,
        lambda mu, shape: stats.nbinom(shape, shape / (shape + mu)),
        COUNTED,
        NOT_COUNTED,
        "log rate of y",
        "rate ratio",
    ),
}


def zero_inflated(name: str) -> Row:
    """A mixture of zeros and the counts of `name`, written out."""
    base = ROWS[name]

    def law(zi: Any, **parameters: Any) -> Any:
        of = base.law(**parameters)
        density = lambda y: np.log(np.where(np.equal(y, 0), zi, 0) + (1 - zi) * of.pmf(y))  # noqa: E731
        return SimpleNamespace(
            logpmf=density, pmf=lambda y: np.exp(density(y)), cdf=lambda y: zi + (1 - zi) * of.cdf(y)
        )

    parameters = {**base.parameters, "zi": 0.3}
    return base._replace(parameters=parameters, law=law, words=f"{base.words} without further zeros")


def hurdle(name: str) -> Row:
    """Zeros, and what `name` has above zero, written out."""
    base, amount = ROWS[name], "log m" in ROWS[name].words

    def law(hu: Any, **parameters: Any) -> Any:
        of = base.law(**parameters)
        above = 1 - of.cdf(0)
        density = lambda y: np.where(  # noqa: E731
            np.equal(y, 0),
            np.log(hu),
            np.log((1 - hu) / above) + (of.logpdf(np.where(y, y, 1)) if amount else of.logpmf(y)),
        )
        return SimpleNamespace(
            logpmf=density,
            logpdf=density,
            pmf=lambda y: np.where(np.equal(y, 0), hu, 0 if amount else np.exp(density(y))),
            cdf=lambda y: hu + (1 - hu) * (of.cdf(y) - of.cdf(0)) / above,
        )

    possible = (0.0, 0.1, 6.0) if amount else base.possible
    parameters = {**base.parameters, "hu": 0.3}
    words = f"{base.words} above zero"  # the mean of y has zeros, too
    return base._replace(parameters=parameters, law=law, possible=possible, impossible=(-1.0,), words=words)


ROWS |= {
    f"zero_inflated_{name}": zero_inflated(name) for name in ("poisson", "negative_binomial", "binomial")
}
ROWS |= {
    f"hurdle_{name}": hurdle(name)
    for name in ("poisson", "negative_binomial", "binomial", "gamma", "lognormal")
}

OF_CATEGORIES = {"cumulative", "categorical"}
"""Their parameters are several numbers a row: ``test_ordered.py``, ``test_unordered.py``."""

rows = pytest.mark.parametrize("name", ROWS)
TRIALS = 7
X = np.array([0.0, 1.0, 0.4, -0.3, 0.8, 0.1])


def data_of(name: str, **more: Any) -> Values:
    return {
        "y": np.resize(ROWS[name].possible, len(X)),
        "x": X,
        "g": list("AABBBA"),
        "n": TRIALS + 0 * X,
        **more,
    }


def response(name: str) -> str:
    return "prop(y, n)" if FAMILIES[name].trials else "y"


def log_density(model: fj.JointModel, values: Values) -> Any:
    """Return the log density of the response in each row, by PyMC's own means."""
    built = model.pymc
    logp = built.logp(vars=[built["y"]], sum=False)[0]
    inputs = {built.rvs_to_values[built[name]]: np.asarray(value) for name, value in values.items()}
    compiled = pytensor.function(list(inputs), logp, mode="FAST_COMPILE", on_unused_input="ignore")
    return compiled(*inputs.values())


def test_every_family_has_a_row_and_a_name_in_formulas() -> None:
    assert ROWS.keys() | OF_CATEGORIES == FAMILIES.keys() == set(core.FAMILIES)


@rows
def test_its_parameters_are_the_arguments_of_its_distribution(name: str) -> None:
    family, row = FAMILIES[name], ROWS[name]
    assert sorted(family.distribution.args) == sorted([*row.parameters, *["trials"] * family.trials])
    assert list(row.parameters) == [p.name for p in family.parameters]
    assert family.parameters[0].name == "mu"
    assert family.mean.link is family.mean.links[0]
    assert family.spread in ("", *family.further)


def further(name: str) -> tuple[str, Values, Values]:
    """Return clauses in which parameters differ by row, their columns, and the parameters."""
    known = {p: p.link.at(ROWS[name].parameters[p.name]) + 0.3 * X for p in FAMILIES[name].further.values()}
    clauses = "".join(f", {p.name} ~ 0 + offset(o_{p.name})" for p in known)
    columns = {f"o_{p.name}": eta for p, eta in known.items()}
    return clauses, columns, {p.name: p.link.inverse(NUMPY, eta) for p, eta in known.items()}


@rows
def test_density_of_the_built_model(name: str) -> None:
    """Under each link, with parameters that differ by row."""
    family, row, y = FAMILIES[name], ROWS[name], data_of(name)["y"]
    clauses, columns, values = further(name)
    for link in family.mean.links:
        beta = {"Intercept": link.at(row.parameters["mu"]), "x": 0.05}
        law = row.law(mu=link.inverse(NUMPY, beta["Intercept"] + beta["x"] * X), **values)
        model = fj.model(
            f"{response(name)} ~ x{clauses}, family({name}, link={link.name})", data_of(name, **columns)
        )
        expected = law.logpmf(y) if family.distribution.whole else law.logpdf(y)
        np.testing.assert_allclose(log_density(model, beta), expected, rtol=1e-8, err_msg=link.name)


@rows
def test_draws(name: str) -> None:
    """The normal scores of draws, by the law in SciPy, are normal: for whole numbers at a random point of each step."""
    row, distribution, rng = ROWS[name], FAMILIES[name].distribution, np.random.default_rng(1)
    parameters = {key: np.full((1, 5_000), value) for key, value in row.parameters.items()}
    y = Predictions(distribution, {"trials": np.array([TRIALS]), **parameters}).responses(rng)
    known = row.law(**row.parameters)
    stepped = distribution.whole or distribution.zeros
    step = known.pmf(y) * rng.random(y.shape) if stepped else 0.0
    assert stats.kstest((known.cdf(y) - step).ravel(), stats.uniform.cdf).pvalue > 0.005
    assert distribution.takes(y).all()


@rows
def test_densities_steps_and_moments_of_predictions(name: str) -> None:
    """Densities and probabilities by the law written out; mean and sd those of draws, of successes as a share."""
    row, distribution, y = ROWS[name], FAMILIES[name].distribution, np.array(ROWS[name].possible)
    parameters = {key: np.full((1, len(y)), value) for key, value in row.parameters.items()}
    trials = {"trials": np.full((1, len(y)), float(TRIALS))} if FAMILIES[name].trials else {}
    predicted, known = Predictions(distribution, {**parameters, **trials}), row.law(**row.parameters)
    density = known.logpmf(y) if distribution.whole else known.logpdf(y)
    np.testing.assert_allclose(predicted.log_density(y)[0], density, rtol=1e-8)
    step = known.pmf(y) if distribution.whole or distribution.zeros else 0.0
    below, at_most = predicted.steps(y)
    np.testing.assert_allclose(at_most[0], known.cdf(y), rtol=1e-8)
    np.testing.assert_allclose(below[0], known.cdf(y) - step, rtol=1e-8, atol=1e-12)
    many = {key: np.full((1, 20_000), value) for key, value in row.parameters.items()}
    drawn = Predictions(distribution, {"trials": np.array([[TRIALS]]), **many}).responses(
        np.random.default_rng(1)
    )
    drawn = drawn / TRIALS if FAMILIES[name].trials else drawn
    mean, sd = (each[0, 0] for each in predicted.moments())
    assert mean == pytest.approx(drawn.mean(), abs=5 * drawn.std() / np.sqrt(drawn.size))
    assert sd == pytest.approx(drawn.std(), rel=0.07)


@rows
def test_a_response_that_cannot_occur_is_refused_with_count_and_rows(name: str) -> None:
    for place, value in enumerate(ROWS[name].impossible, start=2):
        data = data_of(name)
        data["y"][place] = value
        with pytest.raises(fj.DataError) as error:
            fj.model(f"{response(name)} ~ x, family({name})", data)
        assert f"is not in 1 of the 6 rows used, first {value:g} in row {place}, counted from 0" in str(
            error.value
        )


@rows
def test_links_that_it_does_not_take_are_refused_by_name(name: str) -> None:
    for link in LINKS.keys() - {link.name for link in FAMILIES[name].mean.links}:
        with pytest.raises(fj.FormulaError, match=f"the family `{name}` has no link `{link}`"):
            fj.model(f"{response(name)} ~ x, family({name}, link={link})", data_of(name))


@rows
def test_default_priors_are_proper_and_fit_their_parameters(name: str) -> None:
    for parameter in FAMILIES[name].further.values():
        found = parameter.default_prior(2.0)
        assert found.proper
        assert found.fits(*parameter.support)
        assert found.typical is not None


NO_TAILS = {"gaussian", "student", "inverse_gaussian", "categorical"}
"""Families with rules of their own, and those with which flat priors are refused."""


@rows
def test_densities_vanish_where_the_family_says_so(name: str) -> None:
    """By SciPy: a density falls at least exponentially in the linear predictor, or keeps its value."""
    family, row = FAMILIES[name], ROWS.get(name)
    assert (family.tails is None) == (name in NO_TAILS)
    if family.tails is None or row is None:
        return
    y = np.array(sorted({*row.possible, *((0.0, 1.0, 2.0, 7.0) if family.distribution.whole else ())}))
    y = y[(y <= 1) | (not family.events)]
    others = {key: value for key, value in row.parameters.items() if key != "mu"}
    for link in family.tails.links:
        trials = np.full(len(y), 1.0 if family.events else TRIALS)
        for vanishes, sign in zip(family.tails.vanishing(y, trials), (-1, 1), strict=True):
            far_out = (30.0, 35.0) if link.name == "identity" else (3.0, 3.5)
            near, far = (
                densities(name, family.mean.links.index(link), y, sign * away, others) for away in far_out
            )
            np.testing.assert_array_equal(near - far > 0.04, vanishes, err_msg=f"{link.name} {sign}")


def densities(name: str, link: int, y: np.ndarray, eta: float, others: Values) -> np.ndarray:
    """Return log densities of responses at a linear predictor, by SciPy."""
    family = FAMILIES[name].with_link(FAMILIES[name].mean.links[link])
    mu = family.mean.link.inverse(NUMPY, eta)
    trials = {"trials": TRIALS} if family.trials else {}
    law = family.distribution.scipy(stats, *trials.values(), mu, *others.values())
    with np.errstate(all="ignore"):
        return np.asarray(law.logpmf(y) if family.distribution.whole else law.logpdf(y))


@rows
def test_flat_priors_are_refused_where_nothing_shows_that_the_posterior_exists(name: str) -> None:
    apart = {"y": [0.0, 1.0, 0.0, 1.0, 0.0, 1.0]} if FAMILIES[name].events else {}
    formula, data = f"{response(name)} ~ x, family({name})", data_of(name, **apart)
    if FAMILIES[name].tails is None and not FAMILIES[name].improper:
        with pytest.raises(fj.DataError, match="nothing shows that the posterior"):
            fj.model(formula, data, priors="flat")
        return
    assert fj.model(formula, data, priors="flat").priors["x"] == "flat()"


@rows
def test_responses_drawn_from_the_prior_can_occur(name: str) -> None:
    law, (clauses, columns, _) = FAMILIES[name].distribution, further(name)
    priors = "prior(x ~ normal(0, 0.1), Intercept ~ normal(0, 0.1))"
    with pytensor.config.change_flags(mode="FAST_COMPILE"):
        model = fj.model(f"{response(name)} ~ x{clauses}, family({name}), {priors}", data_of(name, **columns))
        y = model.prior_predictive(draws=20, seed=1)["prior_predictive"]["y"].values.astype(float)
    assert law.takes(y).all()
    assert y.shape == (1, 20, len(X))


def drawn(name: str) -> fj.Fit:
    """Return a fit with draws that were made up: tables and words do not depend on where they come from.

    No exact engine covers the prior of x, so that no Bayes factor is computed: its seconds say nothing about words.
    """
    row, family, rng = ROWS[name], FAMILIES[name], np.random.default_rng(1)
    formula = f"{response(name)} ~ x | g, family({name}), joint(x), prior(x ~ laplace(0, 1))"
    model = fj.model(formula, data_of(name))
    at = family.mean.link.at(row.parameters["mu"])
    made = {
        "Intercept": at + 0.1 * rng.standard_normal((2, 50, 2)),
        "x": 0.3 * rng.standard_normal((2, 50, 2)),
    }
    for parameter in family.further.values():
        eta = parameter.link.at(row.parameters[parameter.name]) + 0.1 * rng.standard_normal((2, 50))
        made[parameter.name] = parameter.link.inverse(NUMPY, eta)
    return model.fit_from(made)


@rows
def test_a_fit_is_explained_printed_saved_and_checked(name: str, tmp_path: Path) -> None:
    row, fit = ROWS[name], drawn(name)
    text = str(fit)
    assert f"y ~ {FAMILIES[name].distribution.name}(" in fit.model.explain()
    assert "aligned" in fit.model.explain("latex")
    assert json.loads(json.dumps(fit.record()))["family"] == name
    assert (f"coefficients: {row.words}" in text) == (row.words != "points of y")
    told = "comparisons() has effects on" in text.replace("\n    ", " ")
    assert told == name.startswith(("zero_inflated_", "hurdle_"))
    assert f"{row.words} per unit of x" in text.replace("\n    ", " ")
    column = row.ratio.replace(" ", "_")
    if row.ratio:
        joint = fit.contrasts().loc["joint_x"]
        assert joint[column] == pytest.approx(np.exp(joint["mean"]))
        assert fit.summary()[column].notna().tolist() == [True, True, *[False] * (len(fit.summary()) - 2)]
        assert all(column in record for record in fit.record()["estimates"])
        assert row.ratio in text
    assert fit.plot.ppc(count=20)
    fit.save(tmp_path / "fit.nc")
    back = fj.load(tmp_path / "fit.nc")
    assert str(back) == text
    pd.testing.assert_frame_equal(back.contrasts(), fit.contrasts())


def test_scales_and_weights_that_have_no_meaning_are_refused() -> None:
    for name, row in ROWS.items():
        if not row.ratio:
            continue
        data = data_of(name)
        with pytest.raises(fj.FormulaError, match="coefficients are on the log"):
            fj.model(f"{response(name)} ~ x | g, family({name}), joint(x, scale=sd)", data)
        if not FAMILIES[name].spread:
            for option in ("scale=sigma", "weights=precision"):
                with pytest.raises(fj.FormulaError, match="needs a residual sd"):
                    fj.model(f"{response(name)} ~ x | g, family({name}), joint(x, {option})", data)


DOSE = {"x": [0.0, 1, 2, 3, 1, 2], "s": [1, 2, 3, 0, 2, 4], "n": [4, 5, 6, 3, 4, 5], "status": list("aabbab")}


@pytest.mark.parametrize(
    "written", ["prop(s, n)", "prop(trials=n, successes=s)", "cbind(s, n - s)", "cbind(s, I(n - s))"]
)
def test_successes_among_trials_are_written_in_several_ways(written: str) -> None:
    model = fj.model(f"{written} ~ x, family(binomial)", DOSE)
    mu = 1 / (1 + np.exp(-(0.2 - 0.3 * np.array(DOSE["x"]))))
    built, values = model.pymc, {"Intercept": 0.2, "x": -0.3}
    found = built.logp(vars=[built["s"]], sum=False)[0]
    inputs = {built.rvs_to_values[built[name]]: np.asarray(value) for name, value in values.items()}
    density = pytensor.function(list(inputs), found, mode="FAST_COMPILE")(*inputs.values())
    np.testing.assert_allclose(density, stats.binom.logpmf(DOSE["s"], DOSE["n"], mu), rtol=1e-10)
    assert "mu = P(s)" in model.explain()


@pytest.mark.parametrize(
    ("formula", "error", "said"),
    [
        ("prop(s, n) ~ x", fj.FormulaError, "write `family(binomial)`"),
        ("s ~ x, family(binomial)", fj.FormulaError, "write `prop(s, n)`"),
        ("prop(n, s) ~ x, family(binomial)", fj.DataError, "not a whole number from 1 in 1 of the 6"),
        ("prop(s, 3) ~ x, family(binomial)", fj.DataError, "in 1 of the 6 rows used, first 4 in row 5"),
        ("prop(status, n) ~ x, family(binomial)", fj.DataError, "holds text"),
        ("x ~ s, family(bernoulli)", fj.DataError, "State the value that counts as an event"),
    ],
)
def test_counts_and_events_that_are_none(formula: str, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=re.escape(said)):
        fj.model(formula, DOSE)


@pytest.mark.parametrize(
    ("written", "values", "event"),
    [
        ("y", [0, 1, 1, 0, 1, 0], "y = 1"),
        ("y", [False, True, True, False, True, False], "y = True"),
        ("y", list("abbaba"), "y = b"),
        ("y", pd.Categorical(list("abbaba"), categories=["b", "a"]), "y = a"),
        ('I(y == "a")', list("abcaba"), 'y == "a"'),
        ("I(y > 2)", [1.0, 3, 4, 1, 5, 2], "y > 2"),
    ],
)
def test_the_event_is_named(written: str, values: Any, event: str) -> None:
    frame = pd.DataFrame({"y": values, "x": X})
    model = fj.model(f"{written} ~ x, family(bernoulli)", frame)
    assert f"mu = P({event})" in model.explain()
    assert model.record()["modelled"] == event
    named = event.rpartition(" = ")[2]
    if written == "y":
        assert (model.design.response.values == 1).tolist() == [str(v) == named for v in frame["y"]]


def test_more_than_two_levels_are_no_event() -> None:
    with pytest.raises(fj.DataError, match=r'has 3 levels.*`I\(y == "c"\)` as the response'):
        fj.model("y ~ x, family(bernoulli)", {"y": list("abcabc"), "x": X})
    with pytest.raises(fj.DataError, match=r"Of two levels, write `family\(bernoulli\)`"):
        fj.model("y ~ x", {"y": list("abbaba"), "x": X})


def test_priors_too_wide_for_a_response_are_said_to_be() -> None:
    data = {"y": [0, 1, 2, 1, 0, 3], "x": X}
    model = fj.model("y ~ x, family(poisson), prior(Intercept ~ normal(60, 1))", data)
    refused = pytest.raises(fj.InferenceError, match="no response of the family `poisson` can be drawn")
    with pytensor.config.change_flags(mode="FAST_COMPILE"), refused:  # as NumPy draws
        model.prior_predictive(draws=5, seed=1)
    drawn = sample_prior(model.plan, 50, 1, lambda: model.pymc, responses=False)
    assert "y" not in drawn["prior_predictive"]
    assert {"Intercept", "x"} <= set(drawn["prior"])


def test_ratios_stand_beside_effects_only() -> None:
    data = data_of("poisson", t=[1.0, 2, 3, 1, 2, 3])
    model = fj.model(
        "y ~ x + offset(log(t)) | g, family(poisson), joint(x), rms(x), pairwise(x), pairwise(Intercept), joint(Intercept)",
        data,
    )
    rng = np.random.default_rng(1)
    fit = model.fit_from({"Intercept": rng.normal(0, 1, (2, 30, 2)), "x": rng.normal(9, 0.1, (2, 30, 2))})
    known = fit.contrasts()["rate_ratio"].notna()
    assert known.to_dict() == {
        "joint_x": True,
        "rms_x": False,
        "pairwise_x[A - B]": False,
        "pairwise_Intercept[A - B]": True,
        "joint_Intercept": False,
    }
    shown = next(line for line in str(fit).splitlines() if line.startswith("joint_x"))
    assert re.search(r" \d,\d\d\d \(\d,\d\d\d, ", shown), shown
    alone = fj.model("y ~ 1, family(poisson)", data).fit_from({"Intercept": rng.normal(0, 1, (2, 30))})
    assert "rate ratio  ess" not in str(alone)
