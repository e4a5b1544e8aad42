"""Schools that gave different tests: do estimates have no bias, and do 95 % intervals cover the truth?

A study has 60 schools of 12 to 40 pupils. Half of each school's pupils were treated. Schools gave one of three tests,
whose residual sds are 1.6, 8 and 40 and whose means differ, too. Schools' effects in residual sds differ with sd 0.15;
their mean, weighted by pupils, is 0.3. Each study is analysed not pooled, and with effects pooled in residual sds.

Kept should be: a mean of the estimates within 0.01 of the truth, intervals that cover it in 92 to 98 % of studies, and
a k-hat below 0.7 in 99 %, all by the exact engine.

    python benchmarks/school_studies.py [--studies 500] [--processes 2] [--out FILE]

A line of JSON a study is added to the file of --out; what is there is not fitted again. Prints a line a model, and
exits with 1 where one of the bounds is not kept.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from resumed import Record, resumed
from stated_errors import handed_on

import formulajoint as fj

SCHOOLS, TRUTH, DIFFER = 60, 0.3, 0.15
SDS, MEANS = np.array([1.6, 8.0, 40.0]), np.array([10.0, 100.0, 500.0])
NOT_POOLED = "score ~ treated | school, sigma ~ 1 | school, joint(treated, weights=n, scale=sigma)"
MODELS = {"not pooled": NOT_POOLED, "pooled in sds": f"{NOT_POOLED}, hierarchy(treated, scale=sigma)"}
MOST_BIAS, COVERED, TRUSTED = 0.01, (0.92, 0.98), 0.99


def study(seed: int, truth: float = TRUTH, differ: float = DIFFER) -> pd.DataFrame:
    """Return the pupils of a study."""
    rng = np.random.default_rng(seed)
    pupils = rng.integers(12, 41, SCHOOLS)
    test = rng.integers(0, 3, SCHOOLS)
    effects = rng.normal(0, differ, SCHOOLS)
    effects += truth - np.average(effects, weights=pupils)
    school = np.repeat(np.arange(SCHOOLS), pupils)
    treated = np.concatenate([rng.permutation(n) % 2 for n in pupils])
    level = MEANS[test] + SDS[test] * rng.normal(0, 0.4, SCHOOLS)
    noise = rng.normal(size=len(school))
    score = level[school] + SDS[test][school] * (effects[school] * treated + noise)
    return pd.DataFrame({"score": score, "treated": treated, "school": school, "test": test[school]})


def analysed(number: int) -> Record:
    """Return what each model says of a study."""
    data = study(number)
    return {name: answer(formula, data, number) for name, formula in MODELS.items()}


def answer(formula: str, data: pd.DataFrame, seed: int) -> Record:
    """Return the estimate of a fit with its central interval, and why the exact engine left it, if it did."""
    fit = fj.fit(formula, data, seed=seed, engine="exact")
    draws = fit.posterior["joint_treated"].to_numpy().ravel()
    low, high = np.quantile(draws, [0.025, 0.975])
    return {"mean": float(draws.mean()), "low": float(low), "high": float(high), "handed": handed_on(fit)}


def line(name: str, found: Sequence[Record]) -> bool:
    """Print what was found of a model, and return whether the bounds are kept."""
    means = np.array([record["mean"] for record in found])
    covered = np.mean([record["low"] < TRUTH < record["high"] for record in found])
    trusted = np.mean([not record["handed"] for record in found])
    error = means.std(ddof=1) / np.sqrt(len(means))
    kept = (
        abs(means.mean() - TRUTH) < MOST_BIAS and COVERED[0] <= covered <= COVERED[1] and trusted >= TRUSTED
    )
    print(
        f"{name:15} {len(found):5} studies   mean {means.mean():.4f} +- {error:.4f}   "
        f"covered {100 * covered:.1f} %   exact with k-hat below 0.7: {100 * trusted:.1f} %"
        f"{'' if kept else '   NOT KEPT'}"
    )
    return bool(kept)


def main() -> None:
    """Print a line a model."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--studies", type=int, default=500)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("school_studies.jsonl"))
    given = parser.parse_args()
    found = resumed(analysed, range(given.studies), given.out, given.processes)[: given.studies]
    kept = [line(name, [record[name] for record in found]) for name in MODELS]
    sys.exit(not all(kept))


if __name__ == "__main__":
    main()
