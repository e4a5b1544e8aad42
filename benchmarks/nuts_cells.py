"""What a gradient costs where rows of events or counts that are alike are one, and where each row is read.

A million rows with two columns of two and three values in 50 groups. `build` is the time from the data frame to the
``pm.Model``, the search for rows that are alike included; `compile` from there to a compiled sampler; `gradient` the
median time of one log density with its gradient.

    python benchmarks/nuts_cells.py [--rows 1000000]
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import pandas as pd
from nuts_sums import gradient

import formulajoint as fj

FORMULAS = {
    "event ~ x + arm | g, hierarchy(dist=student), family(bernoulli)": "bernoulli",
    "prop(s, n) ~ x + arm | g, hierarchy(dist=student), family(binomial)": "binomial",
    "count ~ x + arm | g, hierarchy(dist=student), family(poisson)": "poisson",
}
GROUPS = 50


def frame(rows: int) -> pd.DataFrame:
    """Return rows in groups."""
    rng = np.random.default_rng(1)
    g, x, arm = rng.integers(0, GROUPS, rows), rng.integers(0, 2, rows), rng.integers(0, 3, rows)
    eta = -0.5 + rng.normal(0, 0.5, GROUPS)[g] + 0.4 * x - 0.3 * (arm == 1)
    p = 1 / (1 + np.exp(-eta))
    columns = {
        "event": rng.random(rows) < p,
        "s": rng.binomial(5, p),
        "n": 5,
        "count": rng.poisson(np.exp(eta)),
    }
    factors = {"g": pd.Categorical(g.astype(str)), "arm": pd.Categorical(np.array(["a", "b", "c"])[arm])}
    return pd.DataFrame({**columns, **factors, "x": x})


def main() -> None:
    import nutpie
    import pymc as pm

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    data = frame(rows)
    for formula, name in FORMULAS.items():
        for form in ("sums", "rows"):
            start = time.process_time()
            with pm.Model() as model:
                fj.build(formula, data, likelihood=form)
            built = time.process_time()
            compiled = nutpie.compile_pymc_model(model)
            done = time.process_time()
            each = gradient(compiled)
            print(
                f"{name:10}{form:6}{rows} rows: build {built - start:5.1f} s, compile {done - built:5.1f} s of the "
                f"processor, gradient {1e3 * each:8.3f} ms",
                flush=True,
            )


if __name__ == "__main__":
    main()
