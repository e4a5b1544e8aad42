"""How often the posterior predictive check calls a right model wrong, and how often it finds a wrong one.

Data are simulated at fixed parameters, fitted with few draws, and checked. The check is to give at most 5 % false
alarms; each share is printed with its standard error, and with the figures that were named most often.

    python benchmarks/predictive_checks.py [--sets 400] [--case student]
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.random import Generator

import formulajoint as fj
from formulajoint.results.predictions.predictive_check import LEVEL, predictive_check

type Errors = Callable[[Generator, np.ndarray], np.ndarray]
"""From the group of each row to errors of sd about one."""


@dataclass(frozen=True)
class Case:
    """A model, the size of its data, and how the errors come about."""

    formula: str
    groups: int
    rows: int
    errors: Errors
    share_of_sets: float = 1.0


def normal(rng: Generator, g: np.ndarray) -> np.ndarray:
    """Return what all these models but the last take for granted."""
    return rng.normal(size=len(g))


def unequal(rng: Generator, g: np.ndarray) -> np.ndarray:
    """Return errors whose sd differs by group, with a sd of its logarithm of 0.4."""
    return rng.normal(size=len(g)) * np.exp(0.4 * rng.normal(size=g.max() + 1))[g]


def heavy(rng: Generator, g: np.ndarray) -> np.ndarray:
    """Return t errors of 4 degrees of freedom."""
    return rng.standard_t(4, len(g))


def skewed(rng: Generator, g: np.ndarray) -> np.ndarray:
    """Return exponential errors."""
    return rng.exponential(size=len(g)) - 1


UNPOOLED, HIERARCHY, SMALL = "y ~ x | g", "y ~ x | g, hierarchy()", "y ~ x"

RIGHT = {
    "not pooled": Case(UNPOOLED, 150, 10, normal),
    "not pooled, 4 rows a group": Case(UNPOOLED, 40, 4, normal),
    "hierarchy": Case(HIERARCHY, 12, 10, normal),
    "hierarchy of many": Case(HIERARCHY, 100, 5, normal),
    "one group": Case(SMALL, 1, 30, normal),
    "sigma by group": Case("y ~ x | g, sigma ~ 1 | g", 8, 12, unequal),
    "student": Case("y ~ x, family(student)", 1, 80, heavy, 0.25),
}

WRONG = {
    f"{name}, {errors.__name__}": Case(case.formula, case.groups, case.rows, errors, 0.25)
    for name, case in list(RIGHT.items())
    for errors in (heavy, unequal, skewed)
    if case.errors is normal
    and name in ("not pooled", "hierarchy", "one group")
    and (case.groups, errors) != (1, unequal)
}


def simulate(case: Case, rng: Generator) -> pd.DataFrame:
    """Return data of a case: intercepts and slopes with sd one."""
    g = np.repeat(np.arange(case.groups), case.rows)
    x, intercepts, slopes = rng.normal(size=len(g)), *rng.normal(size=(2, case.groups))
    y = 5 + intercepts[g] + (1 + slopes[g]) * x + case.errors(rng, g)
    return pd.DataFrame({"y": y, "x": x, "g": g.astype(str)})


def alarms(case: Case, sets: int, seed: int) -> list[tuple[str, ...]]:
    """Return for each data set the figures that the check names; none where it finds data and model alike."""
    rng, found = np.random.default_rng(seed), []
    for _ in range(sets):
        data = simulate(case, rng)
        fit = fj.fit(case.formula, data, seed=1, draws=100, tune=300, chains=2, progress=False)
        check = predictive_check(fit.draws)
        each = check.p_values
        odd = [name for name, p in each.items() if p * len(each) <= LEVEL]
        found.append(() if check.is_usual else tuple(odd))
    return found


def main() -> None:
    """Print a line a case."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sets", type=int, default=400, help="data sets of a case")
    parser.add_argument("--case", help="only cases whose name begins so")
    arguments = parser.parse_args()
    for title, cases in (("right models: false alarms", RIGHT), ("wrong models: found", WRONG)):
        print(title)
        for seed, (name, case) in enumerate(cases.items()):
            if arguments.case and not name.startswith(arguments.case):
                continue
            found = alarms(case, round(arguments.sets * case.share_of_sets), seed)
            share = np.mean([bool(names) for names in found])
            error = np.sqrt(share * (1 - share) / len(found))
            most = Counter(name for names in found for name in names).most_common(3)
            named = ", ".join(f"{figure} {count}" for figure, count in most)
            print(f"  {name:32s} {share:6.1%} +- {error:4.1%} of {len(found)}  {named}", flush=True)


if __name__ == "__main__":
    main()
