"""Posteriors that others computed, each as one formula: those of posteriordb, and models of events and counts.

Published draws are posteriordb's (ten chains of Stan, 10,000 draws in all); exact figures are sums over grids of the
scales, or importance sampling with 11,000 to 109,000 effective draws. Nothing of this package or of PyMC went into
them. Of each case the largest distance of a mean, of an sd and of the log evidence is printed, in Monte Carlo errors
of both sides, and the largest relative difference of an sd. All must be within four errors, sds within 3 %, too.

    python benchmarks/known_posteriors.py [NAME ...]

The data are in ``tests/data/known``, the figures in ``tests/reference/known_posteriors.json``. It takes half a minute.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import formulajoint as fj

TESTS = Path(__file__).parents[1] / "tests"
KNOWN: dict[str, dict[str, Any]] = json.loads((TESTS / "reference" / "known_posteriors.json").read_text())
ERRORS, RELATIVE = 4.0, 0.03
GRID = 5e-4
"""Accuracy of a log evidence that is a sum over a grid."""


@dataclass(frozen=True)
class Case:
    """A formula for a published model.

    Attributes
    ----------
    formula : str
    data : str, optional
        The file, if it has another name than the case.
    priors : str, optional
    instead : str, optional
        What the published model has that the language refuses, and what stands for it.
    draws : int, optional
        Of each of four chains.
    """

    formula: str
    data: str = ""
    priors: str | None = None
    instead: str = ""
    draws: int = 5000


CASES: Mapping[str, Case] = {
    "earnings-logearn_interaction": Case(
        "log(earn) ~ height * male, prior(sigma ~ flat())", data="earnings", priors="flat"
    ),
    "eight_schools-eight_schools_noncentered": Case(
        "y ~ 1 | school, hierarchy(), se(sigma), prior(Intercept.mean ~ normal(0, 5), Intercept.sd ~ half_cauchy(5))",
        data="../eight_schools",
        draws=50_000,  # of an sd with heavy tails few draws know the error
    ),
    "kidiq-kidscore_interaction": Case(
        "kid_score ~ mom_hs * mom_iq, prior(sigma ~ half_cauchy(2.5))", data="../kidiq", priors="flat"
    ),
    "kidiq-kidscore_momhsiq": Case(
        "kid_score ~ mom_hs + mom_iq, prior(sigma ~ half_cauchy(2.5))", data="../kidiq", priors="flat"
    ),
    "kidiq_with_mom_work-kidscore_mom_work": Case(
        "kid_score ~ C(mom_work), prior(sigma ~ flat())", data="kidiq_with_mom_work", priors="flat"
    ),
    "kilpisjarvi_mod-kilpisjarvi": Case(
        """y ~ x, prior(Intercept ~ normal(9.31290322580645, 100), x ~ normal(0, 0.0333333333333333),
           sigma ~ flat())""",
        data="kilpisjarvi",
    ),
    "mesquite-logmesquite_logvas": Case(
        """log(weight) ~ log(diam1 * diam2 * canopy_height) + log(diam1 * diam2) + log(diam1 / diam2)
           + log(total_height) + log(density) + group, prior(sigma ~ flat())""",
        data="mesquite",
        priors="flat",
    ),
    "radon_mn-radon_county_intercept": Case(
        """log_radon ~ 1 + common(floor_measure) | county_idx, joint(Intercept, weights=n, name=by_rows),
           joint(Intercept, weights=equal, name=plain),
           prior(Intercept ~ normal(0, 10), floor_measure ~ normal(0, 10), sigma ~ half_normal(1))""",
        data="radon",
    ),
    "radon_mn-radon_variable_intercept_slope_noncentered": Case(
        """log_radon ~ floor_measure | county_idx, hierarchy(cor=false), joint(weights=n, name=by_rows),
           joint(weights=equal, name=plain), joint(Intercept, weights=n, name=level),
           prior(Intercept.mean ~ normal(0, 10), floor_measure.mean ~ normal(0, 10), Intercept.sd ~ half_normal(1),
                 floor_measure.sd ~ half_normal(1), sigma ~ half_normal(1))""",
        data="radon",
    ),
    "rats_data-rats_model": Case(
        """y ~ xc | rat, hierarchy(cor=false), contrast(Intercept.mean - 22 * xc.mean, name=at_birth),
           prior(Intercept.mean ~ normal(0, 100), xc.mean ~ normal(0, 100), Intercept.sd ~ half_normal(10000),
                 xc.sd ~ half_normal(10000), sigma ~ flat())""",
        data="rats",
        instead="flat priors of the hierarchy's sds, which are refused; half_normal(10000)",
    ),
    "sblri-blr": Case(
        """y ~ 0 + x1 + x2 + x3 + x4 + x5, prior(x1 ~ normal(0, 10), x2 ~ normal(0, 10), x3 ~ normal(0, 10),
           x4 ~ normal(0, 10), x5 ~ normal(0, 10), sigma ~ half_normal(10))""",
        data="sblri",
    ),
    "seeds_data-seeds_stanified_model": Case(
        """prop(n, N) ~ x1 * x2 + (1 | plate), family(binomial), prior(Intercept ~ normal(0, 1), x1 ~ normal(0, 1),
           x2 ~ normal(0, 1), x1:x2 ~ normal(0, 1)), prior(Intercept.sd ~ half_cauchy(1), over=plate)""",
        data="seeds",
    ),
    "wells_data-wells_dist100_model": Case(
        "switched ~ I(dist / 100), family(bernoulli)",
        data="wells",
        priors="flat",
    ),
    "epilepsy, counts of patients": Case(
        """count ~ center(zAge) + center(zBase) + center(Trt) + center(zBase * Trt) + (1 | patient), family(poisson),
           contrast(Intercept - 0.5254237288 * center(Trt) - 0.007723728645 * center(zBase * Trt), name=raw),
           prior(Intercept ~ student_t(3, 1.4, 2.5), center(zAge) ~ flat(), center(zBase) ~ flat(),
                 center(Trt) ~ flat(), center(zBase * Trt) ~ flat()),
           prior(Intercept.sd ~ half_student_t(3, 2.5), over=patient)""",
        data="epilepsy",
    ),
    "cbpp, cases in herds": Case(
        """prop(incidence, size) ~ C(period) + (1 | herd), family(binomial), prior(Intercept ~ normal(0, 5),
           C(period) ~ normal(0, 2.5)), prior(Intercept.sd ~ half_normal(1), over=herd)""",
        data="../cbpp",
    ),
    "wells, events by education": Case(
        """switched ~ I(dist / 100) | educ_g, family(bernoulli), joint(weights=n, name=by_rows),
           joint(weights=equal, name=plain), prior(Intercept ~ normal(0, 2.5), I(dist / 100) ~ normal(0, 2.5))""",
        data="wells",
    ),
    "warpbreaks, counts by tension": Case(
        """breaks ~ woolB | tension, family(poisson), joint(weights=equal, name=plain),
           prior(Intercept ~ normal(3, 2), woolB ~ normal(0, 1))""",
        data="../warpbreaks_tension",
    ),
    "roaches, counts with an offset": Case(
        """y ~ I(roach1 / 100) + treatment + senior + offset(log(exposure2)), family(poisson),
           prior(Intercept ~ normal(0, 5), I(roach1 / 100) ~ normal(0, 5), treatment ~ normal(0, 5),
                 senior ~ normal(0, 5))""",
        data="../roaches",
    ),
    "stackloss, Student's t": Case(
        """stack.loss ~ standardize(Air.Flow) + standardize(Water.Temp) + standardize(`Acid.Conc.`), family(student),
           prior(Intercept ~ normal(20, 20), standardize(Air.Flow) ~ normal(0, 10),
                 standardize(Water.Temp) ~ normal(0, 10), standardize(`Acid.Conc.`) ~ normal(0, 10),
                 sigma ~ half_cauchy(5), nu ~ constant(4))""",
        data="../stackloss",
    ),
}


@dataclass(frozen=True)
class Figure:
    """A mean or an sd of a fit beside a known one: their difference in standard errors, and in parts of an sd."""

    label: str
    errors: float
    relative: float


def fit_of(name: str, share: float = 1.0) -> fj.Fit:
    """Return the fit of a case by an exact engine, with a share of its draws."""
    case = CASES[name]
    data = pd.read_csv(TESTS / "data" / "known" / f"{case.data}.csv")
    model = fj.model(case.formula, data, priors=case.priors)
    return model.fit(draws=round(share * case.draws), engine="exact", seed=1, progress=False)


def draws_of(fit: fj.Fit, label: str) -> NDArray[np.float64]:
    """Return the draws of a quantity such as ``x[A]``; the exact engines' are independent."""
    name, _, place = label.partition("[")
    variable = fit.posterior[name]
    if place:
        level = place.removesuffix("]")
        (dim,) = (dim for dim in variable.dims if dim not in ("chain", "draw"))
        variable = variable.isel({dim: [str(each) for each in variable[dim].to_numpy()].index(level)})
    return variable.to_numpy().reshape(-1)


def figures(name: str, fit: fj.Fit) -> Iterator[Figure]:
    """Yield each mean and sd of a fit beside the published and the exact ones, and its log evidence."""
    for source in ("draws", "exact"):
        for label, (mean, sd, effective) in KNOWN[name].get(source, {}).items():
            own = draws_of(fit, label)
            worth = len(own) if effective is None else 1 / (1 / len(own) + 1 / effective)
            spread = np.std(own, ddof=1)
            peaked = np.mean(((own - own.mean()) / spread) ** 4) - 1
            both = np.array([own.mean() - mean, spread - sd])
            errors = spread / np.sqrt(worth) * np.array([1, np.sqrt(peaked) / 2])
            for figure, off, error in zip(("mean", "sd"), both, errors, strict=True):
                yield Figure(f"{figure} of {label}", float(abs(off) / error), float(abs(off) / sd))
    if "log_evidence" in KNOWN[name]:
        evidence, effective = fit.log_evidence, next(iter(KNOWN[name]["exact"].values()))[-1]
        error = np.hypot(evidence.error, GRID if effective is None else 1 / np.sqrt(effective))
        yield Figure("log evidence", float(abs(evidence.value - KNOWN[name]["log_evidence"]) / error), 0.0)


def largest(found: list[Figure], figure: str) -> str:
    """Return by how many errors the figure of a kind is off that is farthest off; empty if there is none."""
    own = [each.errors for each in found if each.label.startswith(figure)]
    return f"{max(own):.1f}" if own else ""


def wrong(found: list[Figure]) -> list[Figure]:
    """Return the figures that are not the known ones."""
    return [
        each
        for each in found
        if each.errors >= ERRORS or (each.label.startswith("sd") and each.relative >= RELATIVE)
    ]


def main() -> None:
    """Print the table; exit with 1 where a figure is not the known one."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="parts of the cases' names")
    given = parser.parse_args()
    failed = False
    print(
        "| model | figures | mean, errors off | sd, errors off | sd, % off | evidence, errors off | s | in place of |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|---|")
    for name, case in CASES.items():
        if given.names and not any(part in name for part in given.names):
            continue
        started = time.process_time()
        fit = fit_of(name)
        seconds = time.process_time() - started
        found = list(figures(name, fit))
        failed |= bool(wrong(found))
        relative = max(each.relative for each in found if each.label.startswith("sd"))
        print(
            f"| {name} | {len(found)} | {largest(found, 'mean')} | {largest(found, 'sd')} | {100 * relative:.1f} "
            f"| {largest(found, 'log evidence')} | {seconds:.1f} | {case.instead} |",
            flush=True,
        )
        for each in wrong(found):
            print(f"{name}: {each}", file=sys.stderr)
    sys.exit(int(failed))


if __name__ == "__main__":
    main()
