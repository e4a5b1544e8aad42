"""Schools that gave different tests, a sigma each, pooled in residual sds: seconds of a fit, and beside NUTS.

    score ~ treated | school, hierarchy(treated, scale=sigma), sigma ~ 1 | school, joint(weights=n, scale=sigma)

Schools of 12 to 40 pupils gave one of three tests, with sds 1.6, 8 and 40. The true effects are 0.3 +- 0.15 residual
sds. One line a run says: seconds of processor and of the clock for the model and its fit; the share of the processor's
that the sampler of the scales takes; k-hat; the log evidence; mean and sd of the weighted effect, with its effective
sample size. The fit is to take at most 1.5 times the sampler's own time.

    python benchmarks/different_tests.py [SCHOOLS ...] [--nuts]

`--nuts` adds a run of nutpie on the same model, 4 chains of 1,000 draws after 1,000, with its largest r_hat.
"""

from __future__ import annotations

import sys
import time

import arviz_stats
import numpy as np
import pandas as pd

import formulajoint as fj
from formulajoint.inference.gaussian import draws
from formulajoint.inference.gaussian.marginal import Kernel
from formulajoint.inference.importance.sampled import Sampled

FORMULA = """score ~ treated | school, hierarchy(treated, scale=sigma), sigma ~ 1 | school,
             joint(weights=n, scale=sigma)"""

SDS, MEANS = np.array([1.6, 8.0, 40.0]), np.array([10.0, 50.0, 500.0])

EFFECT, SPREAD = 0.3, 0.15

MOST = 1.5
"""Most times the sampler's own seconds that a fit may take."""


def frame(schools: int, seed: int = 0) -> pd.DataFrame:
    """Return the pupils of some schools."""
    rng = np.random.default_rng(seed)
    sizes, test = rng.integers(12, 41, schools), np.arange(schools) % 3
    school = np.repeat(np.arange(schools), sizes)
    treated = np.concatenate([rng.permutation(np.arange(size) % 2) for size in sizes])
    effects, levels = rng.normal(EFFECT, SPREAD, schools), rng.normal(0, 0.5, schools)
    score = levels[school] + effects[school] * treated + rng.normal(size=len(school))
    score = MEANS[test][school] + SDS[test][school] * score
    return pd.DataFrame({"school": [f"s{g:04d}" for g in school], "treated": treated, "score": score})


def exact(data: pd.DataFrame) -> float:
    """Print the line of an exact fit, and return how many times the sampler's own seconds it takes."""
    spent, own = [0.0], draws.sample_scales

    def timed(kernel: Kernel, count: int, chains: int, seed: np.random.SeedSequence) -> Sampled:
        started = time.process_time()
        found = own(kernel, count, chains, seed)
        spent[0] += time.process_time() - started
        return found

    draws.sample_scales = timed
    started, clock = time.process_time(), time.perf_counter()
    fit = fj.model(FORMULA, data).fit(engine="exact", seed=1)
    seconds, clock = time.process_time() - started, time.perf_counter() - clock
    draws.sample_scales = own
    k_hat = float(fit.idata.sample_stats["k_hat"])
    evidence = fit.log_evidence
    print(
        f"exact    {seconds:7.1f} s ({clock:.1f} s by the clock), {seconds / spent[0]:.2f} times the sampler's, "
        f"k-hat {k_hat:.2f}, log evidence {evidence.value:.3f} +- {evidence.error:.3f}, {_effect(fit)}",
        flush=True,
    )
    return seconds / spent[0]


def nuts(data: pd.DataFrame) -> None:
    """Print the line of a fit by nutpie."""
    started, clock = time.process_time(), time.perf_counter()
    fit = fj.model(FORMULA, data).fit(1000, 1000, 4, "nutpie", seed=1, progress=False)
    seconds, clock = time.process_time() - started, time.perf_counter() - clock
    r_hat = max(float(each.max()) for each in arviz_stats.rhat(fit.idata).dataset.data_vars.values())
    print(
        f"nutpie   {seconds:7.1f} s ({clock:.1f} s by the clock), r_hat {r_hat:.2f}, {_effect(fit)}",
        flush=True,
    )


def _effect(fit: fj.Fit) -> str:
    row = fit.contrasts().loc["joint_treated"]
    return f"effect {row['mean']:.4f} (sd {row['sd']:.4f}, ESS {row['ess_bulk']:.0f})"


def main() -> int:
    """Print a line a run; return 1 if a fit takes too long beside its sampler."""
    sizes = [int(argument) for argument in sys.argv[1:] if argument != "--nuts"] or [60]
    fj.model(FORMULA, frame(4)).fit(engine="exact", seed=1)  # imports
    worst = 0.0
    for schools in sizes:
        data = frame(schools)
        print(f"{schools} schools, {len(data)} pupils")
        worst = max(worst, exact(data))
        if "--nuts" in sys.argv:
            nuts(data)
    return int(worst > MOST)


if __name__ == "__main__":
    sys.exit(main())
