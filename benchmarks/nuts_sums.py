"""What a gradient costs, and compiling it for nutpie, where the likelihood goes by rows and where through sums.

The model is ``y ~ x | g, hierarchy(dist=cauchy)``, which NUTS has to sample. Each case runs in a fresh process with a
fresh PyTensor cache. `build` is the time from the data frame to the ``pm.Model``, sums of squares and products
included; `compile` from there to a compiled sampler; `gradient` the median time of one log-density with its gradient;
`4 x 2000` what 4 chains of 1,000 steps of tuning and 1,000 draws cost at 15 gradients a step, built and compiled.

    python benchmarks/nuts_sums.py [--sizes 10000x50 100000x500 1000000x2000] [--json FILE]
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

FORMS = ("rows", "sums")
FORMULA = "y ~ x | g, hierarchy(dist=cauchy)"
GRADIENTS = 4 * 2000 * 15


def frame(rows: int, groups: int) -> pd.DataFrame:
    """Return rows in groups whose intercepts and slopes are Cauchy."""
    rng = np.random.default_rng(1)
    g, x = rng.integers(0, groups, rows), rng.normal(size=rows)
    intercepts, slopes = rng.standard_cauchy(groups), 1 + rng.standard_cauchy(groups) / 3
    y = intercepts[g] + slopes[g] * x + rng.normal(size=rows)
    return pd.DataFrame({"y": y, "x": x, "g": pd.Categorical([f"g{i:05d}" for i in g])})


def measure(form: str, rows: int, groups: int) -> dict[str, float]:
    """Return the figures of one case in this process."""
    import nutpie
    import pymc as pm

    import formulajoint as fj

    data = frame(rows, groups)
    start = time.perf_counter()
    with pm.Model() as model:
        fj.build(FORMULA, data, likelihood=form)
    built = time.perf_counter()
    compiled = nutpie.compile_pymc_model(model)
    done = time.perf_counter()
    return {"build": built - start, "compile": done - built, "gradient": gradient(compiled)}


def gradient(compiled, seconds: float = 3.0) -> float:
    """Return the median time of a log-density with its gradient."""
    rng, times = np.random.default_rng(2), []
    point = rng.normal(0, 0.1, compiled.n_dim)
    compiled.logp_func(point)
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 20:
        start = time.perf_counter()
        compiled.logp_func(point)
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def in_fresh_process(form: str, rows: int, groups: int) -> dict[str, float]:
    """Return what `measure` says in a new process with a cache of its own."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"PYTENSOR_FLAGS": f"compiledir={folder}"}
        command = [sys.executable, __file__, "--one", form, str(rows), str(groups)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Print the table and, where asked, write it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", default=["10000x50", "100000x500", "1000000x2000"])
    parser.add_argument("--json")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        form, rows, groups = options.one
        print(json.dumps(measure(form, int(rows), int(groups))))
        return
    found = []
    print(f"{'N':>8}  {'G':>5}  {'form':>5}  {'build':>7}  {'compile':>7}  {'gradient':>11}  {'4 x 2000':>8}")
    for size in options.sizes:
        rows, groups = (int(number) for number in size.split("x"))
        cases = {form: in_fresh_process(form, rows, groups) for form in FORMS}
        for form, case in cases.items():
            case["total"] = case["build"] + case["compile"] + GRADIENTS * case["gradient"]
            print(
                f"{rows:8d}  {groups:5d}  {form:>5}  {case['build']:6.1f}s  {case['compile']:6.1f}s  "
                f"{1e6 * case['gradient']:9.1f}us  {case['total']:7.0f}s",
                flush=True,
            )
            found.append({"rows": rows, "groups": groups, "form": form, **case})
        ratios = {key: cases["rows"][key] / cases["sums"][key] for key in cases["rows"]}
        print(
            f"{'rows / sums':>22}  {ratios['build']:7.2f}  {ratios['compile']:7.2f}  {ratios['gradient']:11.1f}  "
            f"{ratios['total']:8.1f}",
            flush=True,
        )
    if options.json:
        versions = {name: version(name) for name in ("pymc", "pytensor", "nutpie", "numba")}
        with open(options.json, "w") as file:
            json.dump(
                {"versions": versions, "python": platform.python_version(), "cases": found}, file, indent=2
            )


if __name__ == "__main__":
    main()
