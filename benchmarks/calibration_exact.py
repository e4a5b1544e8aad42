"""Simulation-based calibration of the exact engine: does it find what the data were made of, as often as it says?

Parameters are drawn from their prior, data from the parameters, and the posterior from the data; the rank of each
parameter among its draws is then uniform (Talts, Betancourt, Simpson, Vehtari & Gelman, arXiv 2018, 1804.06788). Every
draw of the engine counts as one, so nothing is thinned.

    python benchmarks/calibration_exact.py [DATA SETS]
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

import formulajoint as fj

type Array = NDArray[np.float64]

CHAINS, DRAWS = 3, 33
BINS = 20  # of five ranks each: 0 to 99
GROUPS, ROWS = 5, 6


@dataclass(frozen=True)
class Structure:
    """A formula with all its priors, and how to draw from them."""

    formula: str
    draw: Callable[[np.random.Generator], dict[str, Array]]


def _not_pooled(rng: np.random.Generator) -> dict[str, Array]:
    return {
        "Intercept": rng.normal(0, 2, GROUPS),
        "x": rng.normal(1, 1, GROUPS),
        "sigma": abs(rng.normal(0, 1, 1)),
    }


def _sigma_by_group(rng: np.random.Generator) -> dict[str, Array]:
    return _not_pooled(rng) | {"sigma": abs(rng.normal(0, 1, GROUPS))}


def _correlated(rng: np.random.Generator) -> dict[str, Array]:
    mean, sd = rng.normal([0, 1], [2, 1]), abs(rng.normal(0, 1, 2))
    rho = 2 * rng.beta(2, 2) - 1
    root = sd[:, None] * np.array([[1, 0], [rho, np.sqrt(1 - rho**2)]])
    own = mean + rng.normal(size=(GROUPS, 2)) @ root.T
    return {
        "Intercept": own[:, 0],
        "x": own[:, 1],
        "Intercept_mean": mean[:1],
        "x_mean": mean[1:],
        "Intercept_sd": sd[:1],
        "x_sd": sd[1:],
        "g_cor": np.array([rho]),
        "sigma": abs(rng.normal(0, 1, 1)),
    }


STRUCTURES: Mapping[str, Structure] = {
    "not pooled": Structure(
        "y ~ x | g, prior(Intercept ~ normal(0, 2), x ~ normal(1, 1), sigma ~ half_normal(1))", _not_pooled
    ),
    "sigma by group": Structure(
        "y ~ x | g, sigma ~ 1 | g, prior(Intercept ~ normal(0, 2), x ~ normal(1, 1), sigma ~ half_normal(1))",
        _sigma_by_group,
    ),
    "correlated hierarchy": Structure(
        """y ~ x | g, hierarchy(), prior(Intercept.mean ~ normal(0, 2), Intercept.sd ~ half_normal(1),
           x.mean ~ normal(1, 1), x.sd ~ half_normal(1), cor ~ lkj(2), sigma ~ half_normal(1))""",
        _correlated,
    ),
}


def ranks(structure: Structure, data_sets: int) -> dict[str, NDArray[np.int64]]:
    """Return the rank of each parameter among its 99 draws, one a data set; of groups only the first's."""
    found: dict[str, list[int]] = {}
    for seed in range(data_sets):
        rng = np.random.default_rng(seed)
        truth = structure.draw(rng)
        g, x = np.repeat(np.arange(GROUPS), ROWS), rng.normal(size=GROUPS * ROWS)
        sigma = np.broadcast_to(truth["sigma"], GROUPS)[g]
        y = truth["Intercept"][g] + truth["x"][g] * x + sigma * rng.normal(size=len(g))
        model = fj.model(structure.formula, pd.DataFrame({"g": g, "x": x, "y": y}))
        posterior = model.fit(draws=DRAWS, chains=CHAINS, engine="exact", seed=seed).posterior
        for name, value in truth.items():
            draws = posterior[name].to_numpy().reshape(CHAINS * DRAWS, -1)
            draws = draws[:, 1] if name == "g_cor" else draws[:, 0]
            found.setdefault(name, []).append(int(np.sum(draws < value[0])))
    return {name: np.array(values) for name, values in found.items()}


def p_value(values: NDArray[np.int64]) -> float:
    """Return the chi-square test's p-value that ranks are uniform."""
    counts = np.bincount(values * BINS // (CHAINS * DRAWS + 1), minlength=BINS)
    return float(stats.chisquare(counts).pvalue)


def main() -> None:
    """Print a histogram of ranks and a p-value for each parameter of each structure."""
    data_sets = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    for name, structure in STRUCTURES.items():
        print(f"{name}: {data_sets} data sets, {data_sets / BINS:g} ranks expected in each of {BINS} bins")
        for parameter, values in ranks(structure, data_sets).items():
            counts = np.bincount(values * BINS // (CHAINS * DRAWS + 1), minlength=BINS)
            print(f"  {parameter:15s} p = {p_value(values):.3f}   {' '.join(map(str, counts))}")


if __name__ == "__main__":
    main()
