"""What is said of studies without an effect, and of studies with small ones: contour, Bayes factors, verdicts.

    OMP_NUM_THREADS=1 python benchmarks/null_studies.py [--studies 500] [--processes 2] [--only KIND ...] [--out FILE]

Each study has schools of 12 to 40 pupils, of whom about half are treated; school means differ by half an sd. Models are
not pooled. Results are appended to a file, a line a study, so that the script can be stopped and started again.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from resumed import Record, resumed

OUT = Path(__file__).parent / "results" / "null_studies.jsonl"


@dataclass(frozen=True)
class Kind:
    """A kind of study: schools, mean and sd of the effects in residual sds, whether schools have tests of their own."""

    schools: int
    mean: float = 0.0
    sd: float = 0.0
    tests: bool = False

    @property
    def formula(self) -> str:
        """The model that is fitted."""
        return "y ~ treated | school" + (", sigma ~ 1 | school" if self.tests else "")


KINDS = {
    "8 schools, no effect": Kind(8),
    "60 schools, no effect": Kind(60),
    "60 schools, effects 0.2 (0.15)": Kind(60, 0.2, 0.15),
    "8 schools with a sigma each, no effect": Kind(8, tests=True),
    "60 schools with a sigma each, no effect": Kind(60, tests=True),
    "60 schools with a sigma each, effects 0.2 (0.15)": Kind(60, 0.2, 0.15, tests=True),
}

MOST = 10_000
"""Most studies of a kind: the number of a study is that of its kind times this, plus its own."""


def main() -> None:
    """Print a line a kind."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--studies", type=int, default=500)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", nargs="+", choices=list(KINDS), default=list(KINDS))
    parser.add_argument("--out", type=Path, default=OUT)
    given = parser.parse_args()
    kinds = list(KINDS)
    numbers = [kinds.index(name) * MOST + each for each in range(given.studies) for name in given.only]
    found = pd.DataFrame(resumed(study, numbers, given.out, given.processes))
    for name, own in found.groupby(found["number"] // MOST):
        print(line(kinds[int(name)], own))


def study(number: int) -> Record:
    """Return what is said of one study."""
    import formulajoint as fj

    kind = KINDS[list(KINDS)[number // MOST]]
    fit = fj.fit(kind.formula, simulated(kind, np.random.default_rng(number)), seed=number, progress=False)
    row = fit.test("treated == 0").iloc[0]
    names = (
        "contour",
        "gbpv",
        "p_value",
        "log_bf10",
        "log_bf10_hierarchy",
        "verdict",
        "verdict_low",
        "verdict_high",
    )
    return {name: row[name] if name == "verdict" else float(row[name]) for name in names}


def simulated(kind: Kind, rng: np.random.Generator) -> pd.DataFrame:
    """Return the rows of one study."""
    pupils = rng.integers(12, 41, kind.schools)
    school = np.repeat(np.arange(kind.schools), pupils)
    treated = np.concatenate([rng.permutation(np.arange(count) % 2) for count in pupils])
    effects = rng.normal(kind.mean, kind.sd, kind.schools)
    y = 0.5 * rng.normal(size=kind.schools)[school] + effects[school] * treated + rng.normal(size=len(school))
    scale = (
        np.array([1.6, 8.0, 40.0])[np.arange(kind.schools) % 3] if kind.tests else np.full(kind.schools, 10.0)
    )
    return pd.DataFrame(
        {"y": 50 + scale[school] * y, "treated": treated, "school": [f"S{s:02d}" for s in school]}
    )


def line(name: str, own: pd.DataFrame) -> str:
    """Return the figures of one kind of study."""
    verdicts = own["verdict"].value_counts(normalize=True)
    said = ", ".join(f"{kind} {verdicts.get(kind, 0.0):.1%}" for kind in ("for", "depends", "against"))
    strange = int(((own["verdict"] == "against") & (own["p_value"] < 0.001)).sum())
    return (
        f"{name} ({len(own)}): contour < 0.05 in {(own['contour'] < 0.05).mean():.1%}, "
        f"p < 0.05 in {(own['p_value'] < 0.05).mean():.1%}, "
        f"BF10 of one kind > 1 in {(own['log_bf10_hierarchy'] > 0).mean():.1%}, "
        f"of its own prior > 1 in {(own['log_bf10'] > 0).mean():.1%}; verdict {said}; "
        f"'against' beside p < 0.001: {strange}"
    )


if __name__ == "__main__":
    main()
