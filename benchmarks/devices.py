"""The exact engine on another device: does it draw what NumPy draws, and how long does it take?

    python benchmarks/devices.py jax:cpu torch:cpu
    python benchmarks/devices.py cuda --models "300 groups" "events, 300 groups"

Prints for each model and device the largest relative difference of any draw from NumPy's with the same seed, and
seconds. A library that is not installed is left out.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import pandas as pd
from cases import sleepstudy, tutoring

import formulajoint as fj

SEED, DRAWS = 3, 1000


def simulated(groups: int, rows: int = 20) -> pd.DataFrame:
    """Return rows in groups with two predictors and a known standard error."""
    rng = np.random.default_rng(5)
    g = np.repeat(np.arange(groups), rows)
    x, z = rng.normal(size=(2, len(g)))
    y = rng.normal(size=groups)[g] + rng.normal(1, 0.5, groups)[g] * x + 0.3 * z + rng.normal(size=len(g))
    return pd.DataFrame({"y": y, "x": x, "z": z, "e": rng.uniform(0.5, 1.5, len(g)), "g": g.astype(str)})


def events(groups: int, rows: int = 10) -> pd.DataFrame:
    """Return events and counts in groups, with a predictor."""
    rng = np.random.default_rng(6)
    g = np.repeat(np.arange(groups), rows)
    x = rng.normal(size=len(g))
    eta = rng.normal(-0.3, 0.8, groups)[g] + rng.normal(0.5, 0.4, groups)[g] * x
    y, n = rng.binomial(1, 1 / (1 + np.exp(-eta))), rng.poisson(np.exp(eta))
    return pd.DataFrame({"y": y, "n": n, "x": x, "g": g.astype(str)})


MODELS = {
    "not pooled": ("y ~ x | g, joint(weights=n)", tutoring, None),
    "not pooled, flat priors": ("y ~ x | g, joint(weights=n)", tutoring, "flat"),
    "hierarchy": ("y ~ x | g, hierarchy()", sleepstudy, None),
    "a sigma a group": ("y ~ x | g, sigma ~ 1 | g", tutoring, None),
    "a sigma a group under a hierarchy": ("y ~ x | g, hierarchy(), sigma ~ 1 | g", tutoring, None),
    "Student hierarchy": ("y ~ x | g, hierarchy(dist=student)", tutoring, None),
    "common": ("y ~ x + common(z) | g, hierarchy()", lambda: simulated(6), None),
    "no groups": ("y ~ x * z", lambda: simulated(6), None),
    "known standard errors": ("y ~ x | g, hierarchy(), se(e)", lambda: simulated(6), None),
    "300 groups": ("y ~ x | g, hierarchy()", lambda: simulated(300), None),
    "events, 300 groups": ("y ~ x | g, hierarchy(), family(bernoulli)", lambda: events(300), None),
    "counts": ("n ~ common(x) | g, hierarchy(), family(negative_binomial)", lambda: events(20), None),
}


def drawn(model: fj.JointModel, device: str | None) -> tuple[dict[str, np.ndarray], float]:
    """Return the draws by name, and the seconds they took."""
    started = time.perf_counter()
    fit = model.fit(draws=DRAWS, seed=SEED, engine="exact", device=device)
    seconds = time.perf_counter() - started
    return {str(name): values.to_numpy() for name, values in fit.posterior.items()}, seconds


def apart(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> float:
    """Return the largest difference of any draw, relative to the largest draw of its variable."""
    return max(float(np.max(abs(values - other[name])) / np.max(abs(values))) for name, values in one.items())


def main() -> None:
    """Print a line a model and device."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("devices", nargs="+")
    parser.add_argument("--models", nargs="+", choices=list(MODELS), default=list(MODELS))
    options = parser.parse_args()
    devices = options.devices
    for name in options.models:
        formula, data, priors = MODELS[name]
        model = fj.model(formula, data(), priors=priors)
        known, seconds = drawn(model, None)
        print(f"{name}: NumPy {seconds:.2f} s")
        for device in devices:
            try:
                found, theirs = drawn(model, device)
            except fj.InferenceError as error:
                print(f"    {device}: {error}")
                continue
            print(f"    {device}: {theirs:.2f} s, {apart(known, found):.1e} apart", flush=True)


if __name__ == "__main__":
    main()
