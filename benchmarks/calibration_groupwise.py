"""Simulation-based calibration of the exact engine for events, counts and amounts with one grouping factor.

As `calibration_exact.py`: parameters from their prior, data from the parameters, the posterior from the data; the rank
of each parameter among its 99 draws is then uniform. What the engine refuses is counted, and left out: such a model
goes to NUTS. Of each family ten groups of five rows have intercepts from a normal hierarchy and share a slope.

    python benchmarks/calibration_groupwise.py [--sets 1000] [--only NAME ...] [--results FILE]

A family takes some minutes. Counts are written after every fifty data sets, and those in the file of results are gone
on from.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from calibration_exact import BINS, CHAINS, DRAWS, counted
from numpy.typing import NDArray
from scipy import stats
from scipy.special import expit, gammaln

import formulajoint as fj
from formulajoint.errors import InferenceError

type Array = NDArray[np.float64]

RESULTS = Path(__file__).parent / "results" / "calibration_groupwise.json"
GROUPS, ROWS, TRIALS, LEVELS = 10, 5, 6, 4
STEP = 50
"""Data sets after which counts are written."""


@dataclass(frozen=True)
class Family:
    """A family's response given linear predictor and further parameters, and draws of these from their prior.

    With a `clause`, which gives a further parameter predictors, `at_rows` makes those of rows from the columns and the
    numbers drawn.
    """

    response: Callable[..., Array]
    further: Mapping[str, tuple[str, Callable[[np.random.Generator], float | Array]]] = field(
        default_factory=dict
    )
    written: str = "y"
    link: str = ""
    ordered: bool = False
    clause: str = ""
    at_rows: Callable[..., Array] | None = None


SIGMA = ("half_normal(1)", lambda rng: abs(rng.normal()))
SHAPE = ("gamma(2, 0.5)", lambda rng: rng.gamma(2, 2))
PHI = ("log_normal(2, 0.5)", lambda rng: rng.lognormal(2, 0.5))
SHARE = ("beta(1, 1)", lambda rng: rng.beta(1, 1))


def normal(mean: float, sd: float) -> tuple[str, Callable[[np.random.Generator], float]]:
    """Return a normal prior, with its draws."""
    return f"normal({mean}, {sd})", lambda rng: rng.normal(mean, sd)


def skewed(rng: np.random.Generator, eta: Array, sigma: float, alpha: float) -> Array:
    """Return responses of a skew normal distribution with mean eta and sd sigma."""
    law = stats.skewnorm(alpha)
    return eta + sigma * (law.rvs(len(eta), random_state=rng) - law.mean()) / law.std()


def zero(rng: np.random.Generator, share: float, other: Array) -> Array:
    """Return zeros with a probability, else what `other` has."""
    return other * rng.binomial(1, 1 - share, len(other))


def above_zero(rng: np.random.Generator, law: Any, size: int) -> Array:
    """Return counts of a distribution that are not zero."""
    none = law.pmf(0)
    return law.ppf(none + (1 - none) * rng.uniform(1e-12, 1 - 1e-12, size))


def size_and_share(eta: Array, shape: float) -> tuple[float, Array]:
    """Return SciPy's parameters of a negative binomial distribution."""
    return shape, shape / (shape + np.exp(eta))


FAMILIES: Mapping[str, Family] = {
    "bernoulli": Family(lambda rng, eta: rng.binomial(1, expit(eta))),
    "binomial": Family(lambda rng, eta: rng.binomial(TRIALS, expit(eta)), written=f"prop(y, {TRIALS})"),
    "poisson": Family(lambda rng, eta: rng.poisson(np.exp(eta))),
    "negative_binomial": Family(
        lambda rng, eta, shape: rng.poisson(np.exp(eta) * rng.gamma(shape, 1 / shape, len(eta))),
        {"shape": SHAPE},
    ),
    "gamma": Family(
        lambda rng, eta, shape: np.maximum(rng.gamma(shape, np.exp(eta) / shape), 1e-300), {"shape": SHAPE}
    ),
    "exponential": Family(lambda rng, eta: rng.exponential(np.exp(eta))),
    "bernoulli probit": Family(lambda rng, eta: rng.binomial(1, stats.norm.cdf(eta)), link="probit"),
    "student": Family(
        lambda rng, eta, sigma, nu: eta + sigma * rng.standard_t(nu, len(eta)),
        {"sigma": SIGMA, "nu": ("gamma(2, 0.1)", lambda rng: rng.gamma(2, 10))},
    ),
    "beta": Family(
        lambda rng, eta, phi: np.clip(rng.beta(phi * expit(eta), phi * expit(-eta)), 1e-12, 1 - 1e-12),
        {"phi": PHI},
    ),
    "beta_binomial": Family(
        lambda rng, eta, phi: rng.binomial(TRIALS, rng.beta(phi * expit(eta), phi * expit(-eta))),
        {"phi": PHI},
        written=f"prop(y, {TRIALS})",
    ),
    "zero_inflated_poisson": Family(
        lambda rng, eta, zi: rng.poisson(np.exp(eta)) * rng.binomial(1, 1 - zi, len(eta)),
        {"zi": SHARE},
    ),
    "cumulative": Family(
        lambda rng, eta, threshold: np.searchsorted(threshold, eta + rng.logistic(size=len(eta))),
        {"threshold": ("normal(0, 1.5)", lambda rng: np.sort(rng.normal(0, 1.5, LEVELS - 1)))},
        ordered=True,
    ),
    "weibull": Family(
        lambda rng, eta, shape: np.exp(eta - gammaln(1 + 1 / shape)) * rng.weibull(shape, len(eta)),
        {"shape": ("log_normal(0, 0.5)", lambda rng: rng.lognormal(0, 0.5))},
    ),
    "lognormal": Family(
        lambda rng, eta, sigma: np.exp(eta + sigma * rng.normal(size=len(eta))), {"sigma": SIGMA}
    ),
    "zero_inflated_negative_binomial": Family(
        lambda rng, eta, shape, zi: zero(
            rng, zi, rng.poisson(np.exp(eta) * rng.gamma(shape, 1 / shape, len(eta)))
        ),
        {"shape": SHAPE, "zi": SHARE},
    ),
    "zero_inflated_binomial": Family(
        lambda rng, eta, zi: zero(rng, zi, rng.binomial(TRIALS, expit(eta))),
        {"zi": SHARE},
        written=f"prop(y, {TRIALS})",
    ),
    "hurdle_poisson": Family(
        lambda rng, eta, hu: zero(rng, hu, above_zero(rng, stats.poisson(np.exp(eta)), len(eta))),
        {"hu": SHARE},
    ),
    "hurdle_negative_binomial": Family(
        lambda rng, eta, shape, hu: zero(
            rng, hu, above_zero(rng, stats.nbinom(*size_and_share(eta, shape)), len(eta))
        ),
        {"shape": SHAPE, "hu": SHARE},
    ),
    "hurdle_binomial": Family(
        lambda rng, eta, hu: zero(rng, hu, above_zero(rng, stats.binom(TRIALS, expit(eta)), len(eta))),
        {"hu": SHARE},
        written=f"prop(y, {TRIALS})",
    ),
    "hurdle_gamma": Family(
        lambda rng, eta, shape, hu: zero(rng, hu, np.maximum(rng.gamma(shape, np.exp(eta) / shape), 1e-300)),
        {"shape": SHAPE, "hu": SHARE},
    ),
    "hurdle_lognormal": Family(
        lambda rng, eta, sigma, hu: zero(rng, hu, np.exp(eta + sigma * rng.normal(size=len(eta)))),
        {"sigma": SIGMA, "hu": SHARE},
    ),
    "inverse_gaussian": Family(
        lambda rng, eta, shape: rng.wald(np.exp(eta), shape),
        {"shape": ("log_normal(0, 0.5)", lambda rng: rng.lognormal(0, 0.5))},
    ),
    "skew_normal": Family(skewed, {"sigma": SIGMA, "alpha": ("normal(0, 2)", lambda rng: rng.normal(0, 2))}),
    "negative_binomial shape ~ arm": Family(
        lambda rng, eta, shape: rng.poisson(np.exp(eta) * rng.gamma(shape, 1 / shape, len(eta))),
        {"shape.Intercept": normal(1, 0.7), "shape.arm": normal(0, 0.7)},
        clause="shape ~ arm",
        at_rows=lambda data, first, arm: np.exp(first + arm * data["arm"]),
    ),
    "zero_inflated_poisson zi ~ x": Family(
        lambda rng, eta, zi: rng.poisson(np.exp(eta)) * rng.binomial(1, 1 - zi, len(eta)),
        {"zi.Intercept": normal(-0.5, 1), "zi.x": normal(0, 1)},
        clause="zi ~ x",
        at_rows=lambda data, first, slope: expit(first + slope * data["x"]),
    ),
    "beta phi ~ 1 | g": Family(
        lambda rng, eta, phi: np.clip(rng.beta(phi * expit(eta), phi * expit(-eta)), 1e-12, 1 - 1e-12),
        {"phi": ("log_normal(2, 0.5)", lambda rng: rng.lognormal(2, 0.5, GROUPS))},
        clause="phi ~ 1 | g",
        at_rows=lambda data, phi: phi[data["g"]],
    ),
}
"""By their names, which are followed by the link or the clause where there is one."""


def formula(name: str) -> str:
    """Return the formula of a family, with all priors."""
    family = FAMILIES[name]
    more = "".join(f", {parameter} ~ {written}" for parameter, (written, _) in family.further.items())
    link = f", link={family.link}" if family.link else ""
    clause = f"{family.clause}, " if family.clause else ""
    mean = "" if family.ordered else "Intercept.mean ~ normal(0, 1), "  # else thresholds stand for it
    return (
        f"{family.written} ~ 1 + common(x) | g, hierarchy(Intercept), family({name.partition(' ')[0]}{link}), "
        f"{clause}prior({mean}Intercept.sd ~ half_normal(1), x ~ normal(0, 0.5){more})"
    )


def drawn(name: str, rng: np.random.Generator) -> tuple[dict[str, float | Array], pd.DataFrame]:
    """Return parameters from their prior, and data, of which one can learn: drawn again until the response varies.

    Of ordered categories each must occur. Which data are looked at depends on the response alone, and given the
    response the ranks are uniform. The data have `new`, further responses of the same rows.
    """
    family, codes = FAMILIES[name], np.repeat(np.arange(GROUPS), ROWS)
    while True:
        mean = 0.0 if family.ordered else rng.normal()
        sd, slope = abs(rng.normal()), rng.normal(0, 0.5)
        own = mean + sd * rng.normal(size=GROUPS)
        further = {parameter: draw(rng) for parameter, (_, draw) in family.further.items()}
        x = rng.normal(size=len(codes))
        eta = own[codes] + slope * x
        data = pd.DataFrame({"g": codes, "x": x, "arm": np.arange(len(codes)) % 2})
        at_rows = tuple(further.values())
        if family.at_rows is not None:
            at_rows = (family.at_rows(data, *at_rows),)
        y = family.response(rng, eta, *at_rows)
        if len(np.unique(y)) >= (LEVELS if family.ordered else 2):
            break
    truth: dict[str, float | Array] = {} if family.ordered else {"Intercept_mean": mean}
    truth |= {"Intercept_sd": sd, "x": slope, "Intercept": own[0], "mean of groups": own.mean()}
    named = {parameter.replace(".", "_"): value for parameter, value in further.items()}
    return truth | named, data.assign(y=y, new=family.response(rng, eta, *at_rows))


def ranks(name: str, seeds: Iterable[int]) -> tuple[dict[str, NDArray[np.int64]], int]:
    """Return the rank of each parameter among its draws, one a data set, and how many sets were refused."""
    found: dict[str, list[int]] = {}
    refused = 0
    for seed in seeds:
        truth, data = drawn(name, np.random.default_rng([seed, 17]))
        try:
            fit = fj.model(formula(name), data).fit(draws=DRAWS, chains=CHAINS, engine="exact", seed=seed)
        except InferenceError as error:
            refused += 1
            print(f"  {name}, data set {seed}: {error}", flush=True)
            continue
        for parameter, value in truth.items():
            of = "Intercept" if parameter == "mean of groups" else parameter
            draws = fit.draws.named.values(of).reshape(CHAINS * DRAWS, -1)
            own = draws.mean(axis=1, keepdims=True) if parameter == "mean of groups" else draws
            for place, each in enumerate(np.atleast_1d(value)):
                label = f"{parameter}[{place + 1}]" if np.ndim(value) else parameter
                found.setdefault(label, []).append(int(np.sum(own[:, place] < each)))
    return {parameter: np.array(values) for parameter, values in found.items()}, refused


def sets_of(known: dict[str, Any] | None) -> int:
    """Return how many data sets a result has, with those that were refused."""
    return 0 if known is None else known["refused"] + sum(next(iter(known["ranks"].values())))


def gone_on(name: str, known: dict[str, Any] | None, seeds: range) -> dict[str, Any]:
    """Return a family's result with further data sets."""
    started, before = time.process_time(), sets_of(known)
    found, refused = ranks(name, seeds)
    seconds = time.process_time() - started
    counts = {parameter: np.array(counted(values)) for parameter, values in found.items()}
    if known is not None:
        seconds += before * known["seconds"]
        refused += known["refused"]
        counts = {parameter: own + known["ranks"][parameter] for parameter, own in counts.items()}
    return {
        "refused": refused,
        "seconds": round(seconds / (before + len(seeds)), 2),
        "ranks": {parameter: own.tolist() for parameter, own in counts.items()},
    }


def main() -> None:
    """Print a histogram of ranks and a p-value for each parameter of each family."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--sets", type=int, default=1000)
    parser.add_argument("--only", nargs="*", choices=list(FAMILIES), default=list(FAMILIES))
    parser.add_argument("--results", type=Path, default=RESULTS)
    given = parser.parse_args()
    results = json.loads(given.results.read_text()) if given.results.exists() else {}
    for name in given.only:
        while (done := sets_of(results.get(name))) < given.sets:
            results[name] = gone_on(name, results.get(name), range(done, min(done + STEP, given.sets)))
            given.results.write_text(json.dumps(results, indent=1) + "\n")
    for name, own in results.items():
        print(
            f"{name}: {sets_of(own)} data sets, {own['refused']} refused, {own['seconds']} s of the processor each"
        )
        for parameter, counts in own["ranks"].items():
            p = stats.chisquare(counts).pvalue
            print(f"  {parameter:15s} p = {p:.3f}   {' '.join(map(str, counts))}")
    print(f"{BINS} bins of five ranks each")


if __name__ == "__main__":
    main()
