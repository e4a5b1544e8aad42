"""Does k-hat cry wolf? How often the exact engine leaves a model to NUTS, of 200 seeds.

Whether it does should depend on the model and not on the seed: of each structure at most 1 % of the seeds, or at least
99 %.

    python benchmarks/k_hat_alarms.py [--seeds 200] [--only NAME ...] [--processes 2] [--out FILE]

A line of JSON a fit is added to the file of --out; what is there is not fitted again. Prints a line a structure, and
exits with 1 where one does not keep that.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from resumed import Record, resumed
from stated_errors import handed_on

import formulajoint as fj

MOST, LEAST = 0.01, 0.99
DATA = Path(__file__).parents[1] / "tests" / "data"
RESULTS = Path(__file__).parent / "results"
APART = 10_000
"""Numbers of a structure's fits: its place times this, and the seed."""

OWN_PRIORS = """prior(Intercept.mean ~ normal(1, 3), x ~ normal(0.3, 2), Intercept.sd ~ half_normal(2),
    sigma ~ half_normal(1.5))"""
STRUCTURES = {
    "16 rows, one slope, priors of one's own": (f"y ~ 1 + common(x) | g, hierarchy(), {OWN_PRIORS}", "few"),
    "16 rows, one slope": ("y ~ 1 + common(x) | g, hierarchy()", "few"),
    "16 rows, intercepts": ("y ~ 1 | g, hierarchy()", "few"),
    "16 rows, correlated": ("y ~ x | g, hierarchy()", "few"),
    "16 rows, not correlated": ("y ~ x | g, hierarchy(cor=false)", "few"),
    "eight schools": ("y ~ 1 | g, hierarchy(), se(sigma)", "eight_schools"),
    "tutoring, correlated": ("test_score ~ treatment | school, hierarchy()", "tutoring"),
    "tutoring, sigma by school": ("test_score ~ treatment | school, sigma ~ 1 | school", "tutoring"),
    "sleepstudy, correlated": ("Reaction ~ Days | Subject, hierarchy()", "sleepstudy"),
    "sleepstudy, intercepts pooled": (
        "Reaction ~ common(Days) | Subject, hierarchy(Intercept)", "sleepstudy"
    ),
    "sleepstudy, one slope": ("Reaction ~ 1 + common(Days) | Subject, hierarchy()", "sleepstudy"),
}  # fmt: skip


def data(name: str) -> pd.DataFrame:
    """Return the data of a structure: sixteen rows in four groups, or a data set by its name."""
    if name == "tutoring":
        return fj.tutoring()
    if name != "few":
        frame = pd.read_csv(DATA / f"{name}.csv")
        return frame.assign(g=np.arange(len(frame)))
    rng = np.random.default_rng(4)
    g = np.repeat(np.arange(4), [4, 5, 3, 4])
    x = rng.normal(0.5, 1.2, len(g))
    slopes, intercepts = np.array([1, 0.7, 0.2, 1.3]), np.array([0, 1.5, 0.6, -1])
    y = 1 + slopes[g] * x + intercepts[g] + 0.8 * rng.normal(size=len(g))
    return pd.DataFrame({"y": y, "x": x, "g": np.array(list("ABCD"))[g]})


def alarm(draws: int, number: int) -> Record:
    """Return whether the exact engine hands a fit on, and what it says of the evidence."""
    place, seed = divmod(number, APART)
    formula, name = list(STRUCTURES.values())[place]
    try:
        fit = fj.fit(formula, data(name), draws=draws, seed=seed, engine="exact", progress=False)
    except fj.InferenceError as error:
        return {"handed": str(error)}
    if why := handed_on(fit):
        return {"handed": why}
    return {"handed": "", "evidence": [fit.log_evidence.value, fit.log_evidence.error]}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--only", nargs="+", choices=list(STRUCTURES))
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, default=RESULTS / "k_hat_alarms.jsonl")
    given = parser.parse_args()
    places = [place for place, name in enumerate(STRUCTURES) if name in (given.only or STRUCTURES)]
    numbers = [place * APART + seed for place in places for seed in range(given.seeds)]
    records = resumed(partial(alarm, given.draws), numbers, given.out, given.processes)
    failed = False
    print("| structure | fits | left to NUTS | sd of the log evidence | its stated error |")
    print("|---|---:|---:|---:|---:|")
    for place, name in enumerate(STRUCTURES):
        own = [record for record in records if record["number"] // APART == place]
        if not own:
            continue
        share = sum(bool(record["handed"]) for record in own) / len(own)
        values, errors = np.array([r["evidence"] for r in own if not r["handed"]] or [[np.nan, np.nan]]).T
        failed |= MOST < share < LEAST
        stated = np.sqrt(np.mean(errors**2))
        print(f"| {name} | {len(own)} | {100 * share:.1f} % | {np.std(values):.2g} | {stated:.2g} |")
    sys.exit(int(failed))


if __name__ == "__main__":
    main()
