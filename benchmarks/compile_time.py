"""How long hierarchies take to compile for nutpie, in our column-by-column form and in PyMC's own.

Each case runs in a fresh process, with a fresh PyTensor cache (cold) and again with that cache (warm). Figures are
seconds from the built model to a compiled sampler, and the ratio of PyMC's form to ours in the same run.

    python benchmarks/compile_time.py [--columns 2 4] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version

import numpy as np
import pandas as pd

FORMS = ("ours", "pymc")
GROUPS, ROWS = 50, 2000


def frame(columns: int) -> pd.DataFrame:
    """Return rows in groups with `columns` - 1 predictors x1, x2, ... and a response."""
    rng = np.random.default_rng(1)
    predictors = {f"x{j}": rng.normal(size=ROWS) for j in range(1, columns)}
    group = [f"g{i:02d}" for i in np.arange(ROWS) % GROUPS]
    return pd.DataFrame({"y": rng.normal(size=ROWS), "g": group, **predictors})


def ours(columns: int):
    """Return the model of a correlated hierarchy over all columns, from a formula."""
    import formulajoint as fj

    predictors = " + ".join(f"x{j}" for j in range(1, columns))
    return fj.model(f"y ~ {predictors} | g, hierarchy(centered=false)", frame(columns)).pymc


def pymc(columns: int):
    """Return the same model with ``pm.LKJCholeskyCov`` and a product with its Cholesky factor."""
    import pymc as pm

    data = frame(columns)
    codes = pd.Categorical(data["g"]).codes.astype(int)
    x = np.column_stack([np.ones(ROWS), *(data[f"x{j}"] for j in range(1, columns))])
    with pm.Model() as model:
        mean = pm.Normal("mean", 0, 2.5, shape=columns)
        cholesky, _, _ = pm.LKJCholeskyCov(
            "cholesky", n=columns, eta=2, sd_dist=pm.HalfNormal.dist(2.5, shape=columns)
        )
        offset = pm.Normal("offset", shape=(GROUPS, columns))
        coefficients = pm.Deterministic("coefficients", mean + offset @ cholesky.T)
        sigma = pm.HalfStudentT("sigma", nu=4, sigma=1)
        pm.Normal("y", (coefficients[codes] * x).sum(axis=1), sigma, observed=data["y"])
    return model


def measure(form: str, columns: int) -> float:
    """Return the seconds that compiling takes in this process."""
    import nutpie

    model = {"ours": ours, "pymc": pymc}[form](columns)
    start = time.perf_counter()
    nutpie.compile_pymc_model(model)
    return time.perf_counter() - start


def in_fresh_process(form: str, columns: int, cache: str) -> float:
    """Return what `measure` says in a new process that keeps PyTensor's files in `cache`."""
    environment = os.environ | {"PYTENSOR_FLAGS": f"base_compiledir={cache}"}  # Numba's files too
    command = [sys.executable, __file__, "--one", form, str(columns)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def main() -> None:
    """Print the table and, where asked, write it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--columns", type=int, nargs="+", default=[2, 4])
    parser.add_argument("--json")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(measure(options.one[0], int(options.one[1])))
        return
    rows = []
    print(f"{'columns':>7}  {'cache':5}  {'ours':>7}  {'pymc':>7}  {'pymc / ours':>11}")
    for columns in options.columns:
        with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
            for cache in ("cold", "warm"):
                times = {
                    form: in_fresh_process(form, columns, folder)
                    for form, folder in zip(FORMS, (first, second), strict=True)
                }
                rows.append({"columns": columns, "cache": cache, **times})
                ratio = times["pymc"] / times["ours"]
                print(f"{columns:7d}  {cache:5}  {times['ours']:6.1f}s  {times['pymc']:6.1f}s  {ratio:11.1f}")
    if options.json:
        versions = {name: version(name) for name in ("pymc", "pytensor", "nutpie", "numba")}
        with open(options.json, "w") as file:
            json.dump(
                {"versions": versions, "python": platform.python_version(), "rows": rows}, file, indent=2
            )


if __name__ == "__main__":
    main()
