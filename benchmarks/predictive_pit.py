"""Whether predictive distributions of whole numbers are calibrated: the randomised PIT of new responses is uniform.

Parameters are drawn from the prior, data from the parameters, the model is fitted, and a new response at one of the
rows, drawn from the same parameters, is put into its predictive distribution: F(y - 1) plus a random share of P(y).
Over data sets this is uniform if draws and distributions are right (Czado, Gneiting & Held, Biometrics 2009), and so it
is over those data sets alone whose responses differ and that the exact engine takes. Printed are the p-value of a
Kolmogorov-Smirnov test against the uniform distribution, and the share in each of ten equal intervals.

    python benchmarks/predictive_pit.py [--sets 500] [--first 500] [--family poisson]
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from calibration_groupwise import above_zero, size_and_share
from numpy.random import Generator
from prediction_tables import record
from scipy import stats

import formulajoint as fj
from formulajoint.results.checks.residuals import pit

GROUPS, ROWS, TRIALS, LEVELS = 5, 6, 7, 4

FORMULA = "{left} ~ 1 + common(x) | g, hierarchy(), family({family}), prior({priors})"
PRIORS = {"Intercept.mean": "normal(0, 1)", "Intercept.sd": "half_normal(0.7)", "x": "normal(0, 0.5)"}

type Draw = Callable[[Generator, np.ndarray, Mapping[str, Any]], np.ndarray]
"""From the linear predictor and further parameters to responses."""


def share(eta: np.ndarray) -> np.ndarray:
    """Return probabilities."""
    return np.asarray(1 / (1 + np.exp(-eta)))


def zeros(rng: Generator, y: np.ndarray, p: float) -> np.ndarray:
    """Return responses with further zeros."""
    return np.where(rng.random(len(y)) < p, 0, y)


def dispersed(eta: np.ndarray, shape: float) -> Any:
    """Return negative binomial distributions."""
    return stats.nbinom(*size_and_share(eta, shape))


FAMILIES: dict[str, tuple[tuple[str, ...], Draw]] = {
    "bernoulli": ((), lambda rng, eta, own: rng.binomial(1, share(eta))),
    "binomial": ((), lambda rng, eta, own: rng.binomial(TRIALS, share(eta))),
    "beta_binomial": (
        ("phi",),
        lambda rng, eta, own: rng.binomial(
            TRIALS, rng.beta(share(eta) * own["phi"], share(-eta) * own["phi"])
        ),
    ),
    "poisson": ((), lambda rng, eta, own: rng.poisson(np.exp(eta))),
    "negative_binomial": (
        ("shape",),
        lambda rng, eta, own: rng.poisson(np.exp(eta) * rng.gamma(own["shape"], 1 / own["shape"], len(eta))),
    ),
    "zero_inflated_poisson": (
        ("zi",),
        lambda rng, eta, own: zeros(rng, rng.poisson(np.exp(eta)), own["zi"]),
    ),
    "zero_inflated_binomial": (
        ("zi",),
        lambda rng, eta, own: zeros(rng, rng.binomial(TRIALS, share(eta)), own["zi"]),
    ),
    "zero_inflated_negative_binomial": (
        ("shape", "zi"),
        lambda rng, eta, own: zeros(
            rng, dispersed(eta, own["shape"]).rvs(len(eta), random_state=rng), own["zi"]
        ),
    ),
    "hurdle_poisson": (
        ("hu",),
        lambda rng, eta, own: zeros(rng, above_zero(rng, stats.poisson(np.exp(eta)), len(eta)), own["hu"]),
    ),
    "hurdle_negative_binomial": (
        ("shape", "hu"),
        lambda rng, eta, own: zeros(rng, above_zero(rng, dispersed(eta, own["shape"]), len(eta)), own["hu"]),
    ),
    "hurdle_binomial": (
        ("hu",),
        lambda rng, eta, own: zeros(
            rng, above_zero(rng, stats.binom(TRIALS, share(eta)), len(eta)), own["hu"]
        ),
    ),
    "cumulative": (
        ("threshold",),
        lambda rng, eta, own: np.searchsorted(own["threshold"], eta + rng.logistic(size=len(eta))),
    ),
}
FURTHER: dict[str, tuple[str, Callable[[Generator], Any]]] = {
    "phi": ("gamma(2, 0.2)", lambda rng: rng.gamma(2, 1 / 0.2)),
    "shape": ("gamma(2, 0.5)", lambda rng: rng.gamma(2, 1 / 0.5)),
    "zi": ("beta(1, 3)", lambda rng: rng.beta(1, 3)),
    "hu": ("beta(1, 3)", lambda rng: rng.beta(1, 3)),
    "threshold": ("normal(0, 1.5)", lambda rng: np.sort(rng.normal(0, 1.5, LEVELS - 1))),
}
"""Priors of further parameters as text, and draws from them."""


def formula(name: str) -> str:
    """Return the formula of a family, with all priors."""
    priors = PRIORS | {key: FURTHER[key][0] for key in FAMILIES[name][0]}
    if name == "cumulative":  # thresholds stand for the intercept
        del priors["Intercept.mean"]
    left = "prop(y, n)" if "binomial" in name and "negative" not in name else "y"
    return FORMULA.format(left=left, family=name, priors=", ".join(f"{k} ~ {v}" for k, v in priors.items()))


def one(name: str, seed: int) -> float:
    """Return the randomised PIT of one new response; NaN where the exact engine does not take the data."""
    rng, (further, draw) = np.random.default_rng([seed, *name.encode()]), FAMILIES[name]
    g = np.repeat(np.arange(GROUPS), ROWS)
    x = rng.normal(size=len(g))
    own = {key: FURTHER[key][1](rng) for key in further}
    mean = 0.0 if name == "cumulative" else rng.normal(0, 1)
    effects = mean + abs(rng.normal(0, 0.7)) * rng.normal(size=GROUPS)
    eta = effects[g] + rng.normal(0, 0.5) * x
    data = pd.DataFrame({"g": [f"g{k}" for k in g], "x": x, "n": TRIALS, "y": draw(rng, eta, own)})
    new = draw(rng, eta, own).astype(float)
    if data["y"].nunique() < (LEVELS if name == "cumulative" else 2):
        return np.nan
    try:
        fit = fj.fit(formula(name), data, draws=500, chains=2, seed=seed, engine="exact", progress=False)
    except fj.InferenceError:
        return np.nan
    return float(pit(fit.draws, int(rng.integers(2**31)), new)[0])


def main() -> None:
    """Print one line for each family."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=500)
    parser.add_argument("--first", type=int, default=0, help="seed of the first data set")
    parser.add_argument("--family", choices=FAMILIES)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    print(
        f"{'family':24} {'sets':>5} {'refused':>8} {'p (KS)':>7}  share in each tenth, %{'':16} s of the processor"
    )
    for name in [given.family] if given.family else FAMILIES:
        started = time.process_time()
        found = np.array([one(name, seed) for seed in range(given.first, given.first + given.sets)])
        kept = found[np.isfinite(found)]
        if not len(kept):
            print(f"{name:24} the exact engine does not take it")
            continue
        tenths = np.histogram(kept, np.linspace(0, 1, 11))[0] / len(kept)
        p = stats.kstest(kept, "uniform").pvalue
        shown = " ".join(f"{100 * each:3.0f}" for each in tenths)
        seconds = time.process_time() - started
        record(
            "pit",
            name,
            {"sets": len(kept), "refused": len(found) - len(kept), "p": float(p), "tenths": tenths.tolist()},
        )
        print(
            f"{name:24} {len(kept):5} {len(found) - len(kept):8} {p:7.3f}  {shown} {seconds:8.0f}", flush=True
        )


if __name__ == "__main__":
    main()
