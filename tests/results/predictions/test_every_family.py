"""Means and new responses of every family with every link, against NumPy by hand and SciPy's laws."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

import formulajoint as fj
from formulajoint.api.model import JointModel
from formulajoint.compiler.evaluate.contrast_nodes import variable_dims
from formulajoint.families.declared import FAMILIES
from formulajoint.inference.draws.named import NamedDraws
from formulajoint.results.draws.posterior import Posterior

type Values = dict[str, Any]

ROWS = np.arange(40)
DATA = pd.DataFrame(
    {
        "real": np.cos(ROWS),
        "amount": 1.0 + ROWS * 7 % 13,
        "amount_": np.maximum(ROWS * 7 % 13 - 3.0, 0),
        "share": 0.1 + 0.8 * (ROWS * 7 % 13) / 13,
        "hit": ROWS % 2,
        "count": ROWS * 5 % 7,
        "n": 3 + ROWS % 4,
        "mark": pd.Categorical.from_codes(ROWS % 3, ["low", "mid", "top"], ordered=True),
        "kind": np.array(["bus", "car", "train"])[ROWS % 3],
        "x": np.sin(ROWS),
        "z": ROWS * 3 % 11 / 20,
        "school": np.array(["a", "b", "c", "d"])[ROWS // 10],
    }
)
NEW = pd.DataFrame({"x": [0.3, -1.2, 2.0], "z": [0.1, 0.0, 0.4], "school": ["d", "a", "b"], "n": [9, 1, 4]})
TRIALS, AT = NEW["n"].to_numpy(), [3, 0, 1]

INVERSE: dict[str, Callable[[Any], Any]] = {
    "identity": lambda eta: eta,
    "log": np.exp,
    "inverse": lambda eta: 1 / eta,
    "sqrt": np.square,
    "logit": special.expit,
    "probit": special.ndtr,
    "cloglog": lambda eta: -np.expm1(-np.exp(eta)),
}
RESPONSES = {
    "any number": "real",
    "above 0": "amount",
    "from 0": "amount_",
    "above 0 and below 1": "share",
    "one of two values": "hit",
    "successes among trials": "prop(count, n + 6)",
    "whole numbers from 0": "count",
}
COUNTED = TRIALS + 6

FURTHER = {"sigma": 0.8, "nu": 5.0, "shape": 1.7, "phi": 4.0, "zi": 0.3, "hu": 0.3, "alpha": 2.0}


def negative(p: Values) -> Any:
    return stats.nbinom(p["shape"], p["shape"] / (p["shape"] + p["mu"]))


def skewed(p: Values) -> Any:
    delta = p["alpha"] / np.hypot(1, p["alpha"])
    omega = p["sigma"] / np.sqrt(1 - 2 * delta**2 / np.pi)
    return stats.skewnorm(p["alpha"], p["mu"] - omega * delta * np.sqrt(2 / np.pi), omega)


LAWS: dict[str, tuple[Callable[[Values], Any], Callable[[Values], Any]]] = {
    "gaussian": (lambda p: p["mu"], lambda p: stats.norm(p["mu"], p["sigma"])),
    "student": (lambda p: p["mu"], lambda p: stats.t(p["nu"], p["mu"], p["sigma"])),
    "laplace": (lambda p: p["mu"], lambda p: stats.laplace(p["mu"], p["sigma"])),
    "skew_normal": (lambda p: p["mu"], skewed),
    "lognormal": (
        lambda p: p["mu"] * np.exp(p["sigma"] ** 2 / 2),
        lambda p: stats.lognorm(p["sigma"], scale=p["mu"]),
    ),
    "gamma": (lambda p: p["mu"], lambda p: stats.gamma(p["shape"], scale=p["mu"] / p["shape"])),
    "inverse_gaussian": (
        lambda p: p["mu"],
        lambda p: stats.invgauss(p["mu"] / p["shape"], scale=p["shape"]),
    ),
    "exponential": (lambda p: p["mu"], lambda p: stats.expon(scale=p["mu"])),
    "weibull": (
        lambda p: p["mu"],
        lambda p: stats.weibull_min(p["shape"], scale=p["mu"] / special.gamma(1 + 1 / p["shape"])),
    ),
    "beta": (lambda p: p["mu"], lambda p: stats.beta(p["mu"] * p["phi"], (1 - p["mu"]) * p["phi"])),
    "bernoulli": (lambda p: p["mu"], lambda p: stats.bernoulli(p["mu"])),
    "binomial": (lambda p: p["mu"], lambda p: stats.binom(COUNTED, p["mu"])),
    "beta_binomial": (
        lambda p: p["mu"],
        lambda p: stats.betabinom(COUNTED, p["mu"] * p["phi"], (1 - p["mu"]) * p["phi"]),
    ),
    "poisson": (lambda p: p["mu"], lambda p: stats.poisson(p["mu"])),
    "negative_binomial": (lambda p: p["mu"], negative),
}
"""The mean of the response, and its law, from the parameters."""


class Mixed:
    """A law with further zeros; of a hurdle the rest is above zero."""

    def __init__(self, rest: Any, zeros: Any, hurdle: bool) -> None:
        self.rest, self.zeros, self.hurdle = rest, zeros, hurdle

    def cdf(self, y: Any) -> Any:
        below = self.rest.cdf(y)
        if self.hurdle:
            none = self.rest.cdf(0)
            below = (below - none) / (1 - none)
        return self.zeros + (1 - self.zeros) * below


def expected(family: str, p: Values) -> tuple[Any, Any]:
    """Return the mean of the response and its law."""
    kind, _, rest = family.partition("_inflated_" if "inflated" in family else "_")
    if kind not in ("zero", "hurdle"):
        mean, law = LAWS[family]
        return mean(p), law(p)
    mean, law = LAWS[rest]
    whole = 1.0
    if kind == "hurdle" and rest in ("poisson", "negative_binomial", "binomial"):
        whole = 1 - law(p).pmf(0)
    zeros = p["hu" if kind == "hurdle" else "zi"]
    return (1 - zeros) * mean(p) / whole, Mixed(law(p), zeros, kind == "hurdle")


def cases() -> Iterator[tuple[str, str]]:
    for name, family in FAMILIES.items():
        if not family.categories:
            yield from ((name, link.name) for link in family.mean.links)


def fitted(formula: str, data: pd.DataFrame = DATA, draws: int = 20, **given: Any) -> fj.Fit:
    """Return a fit with draws made up: noise, but what is given."""
    plan, variables = fj.model(formula, data).plan, {}
    for name, dims in variable_dims(plan).items():
        shape = (4, draws, *(len(plan.coords[dim]) for dim in dims))
        own = 0.1 * np.random.default_rng([*name.encode()]).normal(size=shape)
        variables[name] = (dims, np.broadcast_to(given.get(name, own), shape))
    coords = {dim: np.array(labels) for dim, labels in plan.coords.items()}
    return fj.Fit(JointModel(plan), Posterior(plan, NamedDraws(variables, coords, {}, {}, {}), "made up"))


def flat(fit: fj.Fit, name: str) -> np.ndarray:
    values = fit.draws.named.values(name)
    return values.reshape((-1, *values.shape[2:]))


def linear(fit: fj.Fit) -> np.ndarray:
    """Return the linear predictor at the new rows by hand, (S, 3)."""
    b, slope = flat(fit, "Intercept")[:, None], flat(fit, "x")[:, None]
    return b + flat(fit, "Intercept|school")[:, AT] + slope * NEW["x"].to_numpy() + NEW["z"].to_numpy()


def text_of(family: str, link: str) -> str:
    response = RESPONSES[fj.list_families().loc[family, "response"]]
    return f"{response} ~ x + offset(z) + (1 | school), family({family}, link={link})"


@pytest.mark.parametrize(("family", "link"), list(cases()))
def test_means_and_responses(family: str, link: str) -> None:
    chance = link in ("logit", "probit", "cloglog")
    further = {
        name: value
        for name, value in FURTHER.items()
        if name in {own.name for own in FAMILIES[family].parameters}
    }
    shift = 0.0 if chance or link == "log" else 3.0
    text = text_of(family, link)
    fit = fitted(text, Intercept=shift + 0.1 * np.random.default_rng(1).normal(size=(4, 20)), **further)
    mu = INVERSE[link](linear(fit))
    found = fit.predict(NEW, draws=True).to_numpy().reshape((-1, 3))
    assert found == pytest.approx(np.broadcast_to(expected(family, {"mu": mu, **further})[0], found.shape))
    assert fit.predict(NEW, kind="linear", draws=True).to_numpy().reshape((-1, 3)) == pytest.approx(
        linear(fit)
    )

    still = fitted(text, DATA, 500, Intercept=shift, x=0.4, **{"Intercept|school": 0.2}, **further)
    new = np.sort(still.predict(NEW, kind="response", draws=True).to_numpy().reshape((-1, 3)), axis=0)
    _, law = expected(family, {"mu": INVERSE[link](linear(still))[0], **further})
    below = np.stack([np.mean(new <= each, axis=0) for each in new[::20]])
    assert np.max(abs(below - np.stack([law.cdf(each) for each in new[::20]]))) < 2.4 / np.sqrt(2000)


def test_categories_without_an_order() -> None:
    fit = fitted("kind ~ x + (1 | school), family(categorical)")
    b, slope, own = (flat(fit, name) for name in ("Intercept", "x", "Intercept|school"))
    eta = (
        b[:, None] + own[:, AT] + slope[:, None] * NEW["x"].to_numpy()[:, None]
    )  # (S, 3 rows, car and train)
    chances = special.softmax(np.concatenate([np.zeros((80, 3, 1)), eta], axis=2), axis=2)
    assert fit.predict(NEW, draws=True).to_numpy().reshape((80, 3, 3)) == pytest.approx(chances)
    new = fit.predict(pd.concat([NEW] * 50), kind="response", draws=True).to_numpy().reshape((80, 50, 3))
    for place, level in enumerate(["bus", "car", "train"]):
        shares = (new == level).mean(axis=(0, 1))
        assert shares == pytest.approx(chances[..., place].mean(axis=0), abs=5 * np.sqrt(0.25 / 4000))


@pytest.mark.parametrize("link", ["logit", "probit", "cloglog"])
def test_slopes_of_ordered_categories(link: str) -> None:
    cuts = np.sort(np.random.default_rng(2).normal(size=(4, 20, 2)), axis=2)
    fit = fitted(f"mark ~ x + z, family(cumulative, link={link})", threshold=cuts)
    slope, mu = flat(fit, "x"), flat(fit, "x")[:, None] * DATA["x"].to_numpy()
    mu = mu + flat(fit, "z")[:, None] * DATA["z"].to_numpy()
    away = cuts.reshape((80, 2, 1)) - mu[:, None]
    densities = {
        "logit": special.expit(away) * special.expit(-away),
        "probit": np.exp(-(away**2) / 2) / np.sqrt(2 * np.pi),
        "cloglog": np.exp(away - np.exp(away)),
    }
    ends = np.pad(densities[link], ((0, 0), (1, 1), (0, 0)))  # no density below the first, above the last
    expected = -slope[:, None] * np.diff(ends, axis=1).mean(axis=2)
    found = fit.slopes("x", draws=True).to_numpy().reshape((80, 3))
    assert found == pytest.approx(expected, abs=1e-7)
    assert found.sum(axis=1) == pytest.approx(0, abs=1e-7)


EVERYTHING = DATA.assign(
    arm=np.array(["none", "some", "much"])[ROWS * 7 % 3], room=np.array(["p", "q"])[ROWS // 5 % 2]
)


@pytest.mark.parametrize(
    ("coding", "codes"),
    [
        ("treatment", [[0, 0], [1, 0], [0, 1]]),
        ("sum", [[1, 0], [0, 1], [-1, -1]]),
        ("helmert", [[-1, -1], [1, -1], [0, 2]]),
        ("poly", [[-(0.5**0.5), 6**-0.5], [0, -2 * 6**-0.5], [0.5**0.5, 6**-0.5]]),
    ],
)
def test_comparisons_in_every_coding(coding: str, codes: Any) -> None:
    """Levels `much`, `none`, `some` are compared as rates, by hand from the coded columns, in nested groups."""
    fit = fitted(f"count ~ C(arm, coding={coding}) * x + (1 | school/room), family(poisson)", EVERYTHING)
    names = list(fit.draws.named.variables)
    main, turned = (flat(fit, name) @ np.array(codes).T for name in names if "arm" in name)  # (S, levels)
    x, school = DATA["x"].to_numpy(), ROWS // 10
    rest = flat(fit, "Intercept")[:, None] + flat(fit, "x")[:, None] * x
    rest = rest + flat(fit, "Intercept|school")[:, school]
    rest = rest + flat(fit, "Intercept|school:room")[:, 2 * school + ROWS // 5 % 2]
    rates = [np.exp(rest + main[:, [k]] + turned[:, [k]] * x) for k in range(3)]
    found = fit.comparisons("arm", compare="pairwise", by="room", draws=True)
    pairs = {"much - none": (0, 1), "much - some": (0, 2), "none - some": (1, 2)}
    assert found["effect"].to_numpy().tolist() == [f"{room}, {pair}" for pair in pairs for room in "pq"]
    expected = [
        (rates[high] - rates[low])[:, ROWS // 5 % 2 == room].mean(axis=1)
        for high, low in pairs.values()
        for room in (0, 1)
    ]
    assert found.to_numpy().reshape((80, 6)).T == pytest.approx(np.array(expected))


def test_a_new_room_in_a_known_school_and_a_level_that_is_new() -> None:
    fit = fitted("count ~ arm + (1 | school/room) + (0 + x | kind), family(poisson)", EVERYTHING)
    new = EVERYTHING.iloc[:3].assign(room="new", kind=["bus", "bike", "car"], arm="much")
    eta = flat(fit, "Intercept")[:, None] + flat(fit, "Intercept|school")[:, [0, 0, 0]]
    slopes = flat(fit, "x|kind")[:, [0, 0, 1]] * [1.0, 0.0, 1.0]  # of the bike there is the mean, zero
    expected = np.exp(eta + slopes * new["x"].to_numpy())
    found = fit.predict(new, new_groups="mean", draws=True).to_numpy().reshape((80, 3))
    assert found == pytest.approx(expected)
    with pytest.raises(fj.DataError, match="`school:room` is `a:new` in rows 0, 1, 2"):
        fit.predict(new)
    with pytest.raises(fj.DataError, match=r"`arm` is `lots` in row 1 .* There it is `much`, `none`, `some`"):
        fit.predict(EVERYTHING.iloc[:3].assign(arm=["none", "lots", "much"]))


def test_splines_offsets_and_trials_of_new_rows() -> None:
    """R's natural spline of `x` from its definition: columns are those of the fit's rows at the same values."""
    text = "prop(count, n + 6) ~ ns(x, df=3) + log(z + 1) + offset(z), family(binomial, link=cloglog)"
    fit, new = fitted(text), EVERYTHING.iloc[[4, 19, 33]]
    basis = fit.model.design.predictor.terms[1].columns[[4, 19, 33]]
    z = new["z"].to_numpy()
    eta = flat(fit, "Intercept")[:, None] + flat(fit, "ns(x, df=3)") @ basis.T
    eta = eta + flat(fit, "log(z + 1)")[:, None] * np.log1p(z) + z
    found = fit.predict(new, draws=True).to_numpy().reshape((80, 3))
    assert found == pytest.approx(-np.expm1(-np.exp(eta)))
    new_counts = (
        fit.predict(pd.concat([new] * 100), kind="response", draws=True).to_numpy().reshape((80, 100, 3))
    )
    assert new_counts.max(axis=(0, 1)) == pytest.approx(new["n"] + 6, abs=3)
    error = 5 * np.sqrt(0.25 / 8000 / (new["n"] + 6).to_numpy())
    assert np.all(abs(new_counts.mean(axis=(0, 1)) / (new["n"] + 6).to_numpy() - found.mean(axis=0)) < error)
