"""Are the stated errors honest? The scatter of a fit's figures over a hundred seeds, beside the errors that it states.

Of each structure, in two to eleven dimensions of phi (sigmas, sds, correlations; of events, counts, amounts, Student's
t and ordered categories all that groups share), the log evidence, every posterior mean and the probabilities of both
tails of every parameter are looked at, the tails cut at the 5 % and 95 % quantiles of one fit. The sd of a figure over
seeds, divided by the root mean square of its stated errors, should be one. A hundred seeds know it to 7 %, forty to
11 %.

    python benchmarks/honest_errors.py [--seeds 100] [--only NAME ...] [--processes 2] [--out FILE]

A line of JSON a fit is added to the file of --out; what is there is not fitted again. Prints a line a structure, and
exits with 1 where the root mean square of the ratios of a structure is not within 10 % of one, or one is above 1.35.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import calibration_groupwise as responses
import numpy as np
import pandas as pd
from resumed import Record, resumed
from stated_errors import handed_on, mean_errors, share_errors

import formulajoint as fj

TAILS = (0.05, 0.95)
LEAST_ERROR = 1e-4
"""A log evidence that is stated to be nearer than that is a quadrature's: it has no scatter."""

WITHIN, LARGEST = 0.10, 1.35
RESULTS = Path(__file__).parent / "results"
APART = 10_000
"""Numbers of a structure's fits: its place times this, and the seed."""


@dataclass(frozen=True)
class Structure:
    """A formula on some groups of rows, how many dimensions phi has, and what the response is drawn from."""

    formula: str
    dimensions: int
    groups: int = 8
    rows: int = 12
    family: str = "gaussian"


def columns(count: int) -> str:
    return " + ".join(f"x{j}" for j in range(1, count + 1))


FAMILIES: dict[str, tuple[int, tuple[Any, ...]]] = {
    "bernoulli": (3, ()),
    "poisson": (3, ()),
    "gamma": (4, (2.0,)),
    "student": (5, (1.0, 4.0)),
    "cumulative": (4, ([-0.5, 1.0],)),
}
"""Families other than Gaussian: dimensions of phi, which has all that groups share, and their further parameters."""

STRUCTURES = {
    "hierarchy of one column": Structure("y ~ 1 | g, hierarchy()", 2),
    "correlated, two columns": Structure(f"y ~ {columns(1)} | g, hierarchy()", 4),
    "correlated, three columns": Structure(f"y ~ {columns(2)} | g, hierarchy()", 7),
    "not correlated, seven columns": Structure(f"y ~ {columns(6)} | g, hierarchy(cor=false)", 8),
    "correlated, four columns": Structure(f"y ~ {columns(3)} | g, hierarchy()", 11),
    "sigma by group, correlated": Structure(f"y ~ {columns(1)} | g, hierarchy(), sigma ~ 1 | g", 8, groups=5),
    "sigma by group, shared slope": Structure("y ~ 1 + common(x1) | g, sigma ~ 1 | g", 5, groups=5),
    "few rows, shared slope": Structure("y ~ 1 + common(x1) | g, hierarchy()", 2, groups=4, rows=4),
    **{
        family: Structure(
            f"y ~ 1 + common(x1) | g, hierarchy(Intercept), family({family})",
            dimensions,
            rows=8,
            family=family,
        )
        for family, (dimensions, _) in FAMILIES.items()
    },
}


def frame(structure: Structure) -> pd.DataFrame:
    """Return rows of groups whose coefficients differ as much as their noise."""
    rng = np.random.default_rng(structure.groups)
    g = np.repeat(np.arange(structure.groups), structure.rows)
    x = rng.normal(size=(len(g), 6))
    own = rng.normal([3, *[1] * 6], 1, (structure.groups, 7))
    if structure.family == "gaussian":
        y = own[g, 0] + (own[g, 1:] * x).sum(axis=1) + rng.normal(size=len(g))
    else:
        eta, further = own[g, 0] - 2.5 + 0.5 * x[:, 0], FAMILIES[structure.family][1]
        y = responses.FAMILIES[structure.family].response(rng, eta, *further)
    return pd.DataFrame({"g": g, "y": y, **{f"x{j + 1}": x[:, j] for j in range(6)}})


def cells(fit: fj.Fit) -> dict[str, np.ndarray]:
    """Return the draws of everything that varies, by the names of the summary's rows."""
    found: dict[str, np.ndarray] = {}
    for name, variable in fit.posterior.items():
        draws = variable.transpose("chain", "draw", ...).to_numpy()
        labels = [name]
        for dim in variable.dims[2:]:
            labels = [f"{label}, {level}" for label in labels for level in variable[dim].to_numpy()]
        flat = draws.reshape(draws.shape[0] * draws.shape[1], -1)
        for label, values in zip(labels, flat.T, strict=True):
            first, _, rest = label.partition(", ")
            found[f"{first}[{rest}]" if rest else first] = values
    return found


@lru_cache
def cuts(place: int) -> pd.DataFrame:
    """Return where the tails of each parameter of a structure are cut."""
    structure = list(STRUCTURES.values())[place]
    fit = fj.fit(structure.formula, frame(structure), seed=0, engine="exact", progress=False)
    return pd.DataFrame({label: np.quantile(values, TAILS) for label, values in cells(fit).items()})


def figures(draws: int, number: int) -> Record:
    """Return each figure of a fit with its stated error."""
    place, seed = divmod(number, APART)
    structure = list(STRUCTURES.values())[place]
    fit = fj.fit(
        structure.formula, frame(structure), draws=draws, seed=seed + 1, engine="exact", progress=False
    )
    if handed_on(fit):
        return {"handed": handed_on(fit), "figures": {}}
    table = fit.summary()
    table = table[table["sd"] > 0]
    evidence = fit.log_evidence
    found = {"log evidence": (evidence.value, evidence.error)}
    errors = mean_errors(table)
    found |= {f"mean of {label}": (table.loc[label, "mean"], errors[label]) for label in table.index}
    drawn = cells(fit)
    for position, tail in enumerate(TAILS):
        kept = [label for label in table.index if label in drawn]
        shares = pd.Series({label: (drawn[label] < cuts(place)[label][position]).mean() for label in kept})
        stated = share_errors(shares, table.loc[kept])
        found |= {f"P({label} below {tail:.0%})": (shares[label], stated[label]) for label in kept}
    return {"figures": {name: [float(f"{v:.9g}") for v in pair] for name, pair in found.items()}}


def ratios(records: list[Record]) -> pd.Series:
    """Return the sd of each figure over the fits, in stated errors."""
    fits = [record["figures"] for record in records if record["figures"]]
    values = pd.DataFrame([{name: pair[0] for name, pair in fit.items()} for fit in fits])
    errors = pd.DataFrame([{name: pair[1] for name, pair in fit.items()} for fit in fits])
    stated = np.sqrt((errors**2).mean())
    return (values.std(ddof=1) / stated)[stated > LEAST_ERROR]


def escaped(name: str) -> str:
    """Return a name for a cell of a table: thresholds, ``[a|b]``, have its bar."""
    return name.replace("|", "\\|")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--only", nargs="+", choices=list(STRUCTURES))
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, default=RESULTS / "honest_errors.jsonl")
    given = parser.parse_args()
    places = [place for place, name in enumerate(STRUCTURES) if name in (given.only or STRUCTURES)]
    numbers = [place * APART + seed for place in places for seed in range(given.seeds)]
    records = resumed(partial(figures, given.draws), numbers, given.out, given.processes)
    failed = False
    print(
        "| structure | dimensions | fits | by NUTS | figures | root mean square | smallest | largest | of |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|---:|---|")
    for place, (name, structure) in enumerate(STRUCTURES.items()):
        own = [record for record in records if record["number"] // APART == place]
        fitted = [record for record in own if record["figures"]]
        if len(fitted) < 2:
            continue
        found = ratios(own)
        whole = float(np.sqrt((found**2).mean()))
        failed |= abs(whole - 1) > WITHIN or found.max() > LARGEST
        print(
            f"| {name} | {structure.dimensions} | {len(own)} | {len(own) - len(fitted)} | {len(found)} "
            f"| {whole:.2f} | {found.min():.2f} | {found.max():.2f} | `{escaped(found.idxmax())}` |"
        )
    sys.exit(int(failed))


if __name__ == "__main__":
    main()
