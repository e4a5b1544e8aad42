"""Whether predictive distributions are calibrated: the randomised PIT of new responses is uniform.

Parameters are drawn from the prior and data from the parameters, as in `calibration_groupwise.py`; the model is fitted,
and a new response of one of the rows is put into its predictive distribution: F(y), or of whole numbers F(y - 1) plus a
random share of P(y). Over data sets this is uniform if draws and distributions are right (Czado, Gneiting & Held,
Biometrics 2009), and so it is over those data sets alone whose responses differ and that the exact engine takes.
Printed are the p-value of a Kolmogorov-Smirnov test against the uniform distribution, and the share in each of ten
equal intervals.

    python benchmarks/predictive_pit.py [--sets 500] [--only poisson ...]
"""

from __future__ import annotations

import argparse
import time
import warnings

import numpy as np
from calibration_groupwise import FAMILIES, drawn, formula
from prediction_tables import record
from scipy import stats

import formulajoint as fj
from formulajoint.results.checks.residuals import pit


def one(name: str, seed: int) -> float:
    """Return the randomised PIT of one new response; NaN where the exact engine does not take the data."""
    rng = np.random.default_rng([seed, 18])
    _, data = drawn(name, rng)
    try:
        fit = fj.fit(formula(name), data, draws=500, chains=2, seed=seed, engine="exact", progress=False)
    except fj.InferenceError:
        return np.nan
    every = pit(fit.draws, int(rng.integers(2**31)), data["new"].to_numpy(float))
    return float(every[rng.integers(len(every))])


def main() -> None:
    """Print one line for each family."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sets", type=int, default=500)
    parser.add_argument("--only", nargs="*", choices=list(FAMILIES), default=list(FAMILIES))
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    print(
        f"{'family':32} {'sets':>5} {'refused':>8} {'p (KS)':>7}  share in each tenth, %{'':16} s of the processor"
    )
    for name in given.only:
        started = time.process_time()
        found = np.array([one(name, seed) for seed in range(given.sets)])
        kept = found[np.isfinite(found)]
        tenths = np.histogram(kept, np.linspace(0, 1, 11))[0] / len(kept)
        p, refused = float(stats.kstest(kept, "uniform").pvalue), len(found) - len(kept)
        shown = " ".join(f"{100 * each:3.0f}" for each in tenths)
        seconds = time.process_time() - started
        record("pit", name, {"sets": len(kept), "refused": refused, "p": p, "tenths": tenths.tolist()})
        print(f"{name:32} {len(kept):5} {refused:8} {p:7.3f}  {shown} {seconds:8.0f}", flush=True)


if __name__ == "__main__":
    main()
