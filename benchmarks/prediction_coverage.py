"""Coverage of predictions: how often 95 % intervals of new responses hold them, in known and in new groups.

Data of 12 groups of 10 rows are simulated and fitted; of each group 2 further rows, and of 4 further groups 2 rows
each, are predicted, `kind="response"`, the groups drawn from their hierarchy. Intervals of a continuous response should
hold 93 to 97 % of them, those of a discrete one at least 93 %; for counts and events the place of each response among
its draws, at random within ties, should be uniform.

    python benchmarks/prediction_coverage.py [--sets 500] [--family gamma]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from prediction_tables import record
from scipy import special, stats

import formulajoint as fj

type Array = NDArray[np.float64]

GROUPS, ROWS, AHEAD, FURTHER = 12, 10, 2, 4


@dataclass(frozen=True)
class Case:
    """A formula, and how a response is drawn from its linear predictor."""

    formula: str
    draw: Callable[[np.random.Generator, Array], Array]
    whole: bool


CASES = {
    "gaussian": Case("y ~ x + (1 + x | g)", lambda rng, eta: rng.normal(eta, 1.0), False),
    "poisson": Case(
        "y ~ x + (1 | g), family(poisson)", lambda rng, eta: rng.poisson(np.exp(eta)) * 1.0, True
    ),
    "bernoulli": Case(
        "y ~ x + (1 | g), family(bernoulli)", lambda rng, eta: rng.binomial(1, special.expit(eta)) * 1.0, True
    ),
    "gamma": Case(
        "y ~ x + (1 | g), family(gamma)", lambda rng, eta: rng.gamma(3.0, np.exp(eta / 2) / 3.0), False
    ),
}


def simulated(case: Case, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return data of `GROUPS` groups, and rows to predict, those of further groups last."""
    groups = np.concatenate(
        [np.repeat(np.arange(GROUPS), ROWS + AHEAD), np.repeat(GROUPS + np.arange(FURTHER), AHEAD)]
    )
    first = np.concatenate([np.tile(np.arange(ROWS + AHEAD) < ROWS, GROUPS), np.zeros(FURTHER * AHEAD, bool)])
    x = rng.normal(size=len(groups))
    intercepts, slopes = rng.normal(0.5, 0.7, GROUPS + FURTHER), np.full(GROUPS + FURTHER, 0.8)
    if "1 + x |" in case.formula:
        slopes = rng.normal(0.8, 0.4, GROUPS + FURTHER)
    y = case.draw(rng, intercepts[groups] + slopes[groups] * x)
    data = pd.DataFrame({"y": y, "x": x, "g": [f"g{group:02d}" for group in groups]})
    return data[first], data[~first]


def places(case: Case, rng: np.random.Generator, seed: int) -> tuple[Array, NDArray[np.bool_]] | None:
    """Return the place of each new response among its draws, from 0 to 1, and whether the interval holds it."""
    data, ahead = simulated(case, rng)
    if data["y"].nunique() < 2:
        return None
    fit = fj.fit(case.formula, data, seed=seed, engine="exact", progress=False)
    options = {"kind": "response", "new_groups": "draw", "seed": seed}
    draws = fit.predict(ahead, draws=True, **options).to_numpy().reshape((-1, len(ahead)))
    table, y = fit.predict(ahead, **options), ahead["y"].to_numpy()
    below, at = (draws < y).mean(axis=0), (draws == y).mean(axis=0)
    inside = (table["hdi_low"].to_numpy() <= y) & (y <= table["hdi_high"].to_numpy())
    return below + rng.random(len(y)) * at, inside


def coverage(name: str, sets: int) -> dict[str, Any]:
    """Return the coverage in known and in new groups, and the test that places are uniform."""
    case, found = CASES[name], []
    for number in range(sets):
        one = places(case, np.random.default_rng([*name.encode(), number]), number)
        found += [] if one is None else [one]
    each, inside = (np.stack(part) for part in zip(*found, strict=True))
    out: dict[str, Any] = {"formula": case.formula, "sets": len(found)}
    for what, rows in (
        ("known groups", slice(0, GROUPS * AHEAD)),
        ("new groups", slice(GROUPS * AHEAD, None)),
    ):
        shares = inside[:, rows].mean(axis=1)
        out[what] = {
            "share": float(shares.mean()),
            "se": float(shares.std(ddof=1) / np.sqrt(len(shares))),
            # One row of each data set: rows of one data set depend on each other.
            "p": float(stats.kstest(each[:, rows][:, 0], "uniform").pvalue),
        }
    return out


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sets", type=int, default=500)
    parser.add_argument("--family", choices=CASES)
    given = parser.parse_args()
    for each_name in [given.family] if given.family else CASES:
        one_family = coverage(each_name, given.sets)
        print(each_name, one_family, flush=True)
        record("coverage", each_name, one_family)
