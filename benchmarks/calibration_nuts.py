"""Simulation-based calibration of every family by NUTS, and how long its model takes to compile.

Parameters are drawn from their priors, responses from the parameters by SciPy, and the posterior by nutpie; the rank of
each parameter among draws that are thinned is then uniform (Talts, Betancourt, Simpson, Vehtari & Gelman, arXiv 2018,
1804.06788). A family's model is compiled once, and its response replaced. Families whose counts are in the file of
results are not run again. With --compile the processor's seconds from a formula's plan to a compiled sampler are
measured instead, the loading of PyMC included, each family in a fresh process with a fresh cache of PyTensor.

    python benchmarks/calibration_nuts.py [--sets 200] [--only NAME] [--results FILE]
    python benchmarks/calibration_nuts.py --compile [--only NAME]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

import formulajoint as fj
from formulajoint.distributions.links import NUMPY
from formulajoint.families.declared import FAMILIES

ROWS, TRIALS, LEVELS = 60, 7, 4
TUNE, DRAWS, KEPT, BINS = 400, 594, 99, 20
X = np.linspace(-1, 1, ROWS)

PRIORS: Mapping[str, tuple[str, Any]] = {
    "Intercept": ("normal(0.3, 0.5)", stats.norm(0.3, 0.5)),
    "x": ("normal(0, 0.5)", stats.norm(0, 0.5)),
    "sigma": ("gamma(4, 4)", stats.gamma(4, scale=1 / 4)),
    "nu": ("gamma(4, 0.5)", stats.gamma(4, scale=2)),
    "alpha": ("normal(0, 2)", stats.norm(0, 2)),
    "shape": ("log_normal(1, 0.5)", stats.lognorm(0.5, scale=np.e)),
    "phi": ("log_normal(2, 0.5)", stats.lognorm(0.5, scale=np.e**2)),
    "zi": ("beta(2, 4)", stats.beta(2, 4)),
    "hu": ("beta(2, 4)", stats.beta(2, 4)),
    "threshold": ("normal(0, 1.5)", stats.norm(0, 1.5)),
}
"""Of each parameter, as formulas write it and in SciPy."""


def parameters_of(name: str) -> list[str]:
    """Return the parameters of a family's model."""
    family = FAMILIES[name]
    return [*([] if family.thresholds else ["Intercept"]), "x", *family.further]


def drawn(name: str, rng: np.random.Generator) -> dict[str, Any]:
    """Return parameters from their priors."""
    found = {p: PRIORS[p][1].rvs(random_state=rng) for p in parameters_of(name)}
    if FAMILIES[name].mean.by_level:
        return {p: PRIORS[p][1].rvs(LEVELS - 1, random_state=rng) for p in parameters_of(name)}
    if FAMILIES[name].thresholds:
        found["threshold"] = np.sort(PRIORS["threshold"][1].rvs(LEVELS - 1, random_state=rng))
    return found


def response(name: str, values: dict[str, Any], rng: np.random.Generator) -> Any:
    """Return a response of each row."""
    family = FAMILIES[name]
    eta = values.get("Intercept", 0.0) + (
        np.multiply.outer(X, values["x"]) if family.mean.by_level else X * values["x"]
    )
    at = {"mu": family.mean.link.inverse(NUMPY, eta), "trials": np.full(ROWS, TRIALS), **values}
    law = family.distribution.scipy(stats, *(at[argument] for argument in family.distribution.args))
    y = np.asarray(law.rvs(ROWS, random_state=rng), dtype=float)
    return (
        np.clip(y, 1e-12, 1 - 1e-12) if family.distribution.support == (0.0, 1.0) and not family.events else y
    )


def model_of(name: str) -> fj.JointModel:
    """Return the model, with some response that varies over all that it can be."""
    family, rng = FAMILIES[name], np.random.default_rng(0)
    while True:
        y = response(name, drawn(name, rng), rng)
        if len(np.unique(y)) >= (LEVELS if family.categories else 2):
            break
    priors = ", ".join(f"{p} ~ {PRIORS[p][0]}" for p in parameters_of(name))
    left = "prop(y, n)" if family.trials else "y"
    return fj.model(
        f"{left} ~ x, family({name}), prior({priors})", {"y": y, "x": X, "n": np.full(ROWS, TRIALS)}
    )


def compiled(model: fj.JointModel) -> tuple[Any, Any]:
    """Return nutpie's compiled model, whose response is the shared variable ``y_data``, and the type of that."""
    import nutpie
    import pytensor

    built = model.pymc
    variable = built["y"]
    observed = built.rvs_to_values.pop(variable)
    shared = pytensor.shared(np.asarray(observed.data), name="y_data")
    built.values_to_rvs.pop(observed)
    built.rvs_to_values[variable] = shared
    built.values_to_rvs[shared] = variable
    return nutpie.compile_pymc_model(built), observed.data.dtype


def calibrated(name: str, sets: int) -> dict[str, Any]:
    """Return the counts of ranks of each parameter in `sets` data sets."""
    import nutpie

    model, rng, start = model_of(name), np.random.default_rng(1), time.perf_counter()
    sampler, kind = compiled(model)
    built, ranks, bad = time.perf_counter() - start, {}, 0
    for number in range(sets):
        truth = drawn(name, rng)
        y = response(name, truth, rng).astype(kind)
        found = nutpie.sample(
            sampler.with_data(y_data=y),
            draws=DRAWS,
            tune=TUNE,
            chains=1,
            cores=1,
            seed=number,
            progress_bar=False,
            target_accept=0.9,
        )
        bad += int(found.sample_stats["diverging"].sum())
        for parameter, value in truth.items():
            kept = found.posterior[parameter].values[0, :: DRAWS // KEPT]
            below = np.atleast_1d((kept < value).sum(axis=0))
            for place, rank in enumerate(below):
                label = parameter if len(below) == 1 else f"{parameter}[{place + 1}]"
                ranks.setdefault(label, []).append(int(rank))
    counts = {
        p: np.bincount(np.array(r) * BINS // (KEPT + 1), minlength=BINS).tolist() for p, r in ranks.items()
    }
    return {
        "sets": sets,
        "compile_s": round(built, 1),
        "total_s": round(time.perf_counter() - start, 1),
        "divergences": bad,
        "counts": counts,
    }


def p_values(counts: Mapping[str, list[int]]) -> dict[str, float]:
    """Return the p-value of chi-square of each parameter's ranks."""
    return {parameter: float(stats.chisquare(own).pvalue) for parameter, own in counts.items()}


def calibrate(names: list[str], sets: int, results: Path) -> None:
    """Run the families that are not in the file of results, and print all."""
    known = json.loads(results.read_text()) if results.exists() else {}
    for name in names:
        if name not in known:
            known[name] = calibrated(name, sets)
            results.write_text(json.dumps(known, indent=1) + "\n")
        found = known[name]
        each = ", ".join(f"{parameter} {p:.2g}" for parameter, p in p_values(found["counts"]).items())
        print(f"{name:33}{found['sets']} sets, {found['divergences']} divergences; p: {each}", flush=True)
    every = [p for name in names for p in p_values(known[name]["counts"]).values()]
    print(f"smallest of {len(every)} p-values times their number: {min(every) * len(every):.2g}")


def measured(name: str) -> float:
    """Return the processor's seconds of loading PyMC, building and compiling in this process."""
    model, start = model_of(name), time.process_time()
    compiled(model)
    return time.process_time() - start


def in_fresh_process(name: str, cache: str) -> float:
    """Return what `measured` says in a new process that keeps PyTensor's files in `cache`."""
    environment = os.environ | {"PYTENSOR_FLAGS": f"base_compiledir={cache}"}  # Numba's files too
    command = [sys.executable, __file__, "--one", name]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=200)
    parser.add_argument("--only", help="a part of the families' names")
    parser.add_argument(
        "--results", type=Path, default=Path(__file__).parent / "results/calibration_nuts.json"
    )
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(measured(given.one))
        return
    names = [name for name in FAMILIES if given.only is None or given.only in name]
    if not given.compile:
        calibrate(names, given.sets, given.results)
        return
    for name in names:
        with tempfile.TemporaryDirectory() as cache:
            cold, warm = (in_fresh_process(name, cache) for _ in range(2))
        print(f"{name:33}cold {cold:5.1f} s, with PyTensor's cache {warm:5.1f} s", flush=True)


if __name__ == "__main__":
    main()
