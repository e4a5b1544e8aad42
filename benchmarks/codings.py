"""Does the Bayes factor of "all levels are equal" depend on how a factor is coded?

    python benchmarks/codings.py

Prints for data sets of two to six levels, 8 to 400 rows and three sizes of effects the smallest and largest log BF10
over all reference levels and codings, their difference, and log BF10 without an intercept, where the prior is another.
Half a minute.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd

import formulajoint as fj
from formulajoint.contrasts.hypotheses import hypothesis
from formulajoint.results.joint_tests.bayes_factor.equalities import equality
from formulajoint.spec.read import parse_hypotheses

LETTERS = "abcdef"


def log_bf10(formula: str, data: pd.DataFrame, text: str) -> float:
    plan = fj.model(formula, data).plan
    return equality(plan, hypothesis(plan.design, parse_hypotheses(text))).value


def simulated(levels: int, rows: int, size: float) -> pd.DataFrame:
    """Return rows of levels that are not equally frequent, with effects of so many residual sds."""
    rng = np.random.default_rng(levels * 1000 + rows + int(size * 10))
    share = rng.dirichlet(np.full(levels, 3.0))
    arm = np.r_[np.arange(levels), rng.choice(levels, rows - levels, p=share)]
    effects = rng.normal(size=levels) * size
    return pd.DataFrame({"arm": np.array(list(LETTERS))[arm], "y": effects[arm] + rng.normal(size=rows)})


def main() -> None:
    print("levels  rows  size  log BF10            difference  without intercept")
    for levels, rows, size in product((2, 3, 4, 6), (8, 40, 400), (0.0, 0.5, 3.0)):
        data, own = simulated(levels, rows, size), LETTERS[:levels]
        terms = [f"C(arm, ref={level})" for level in own]
        terms += [f"C(arm, coding={coding})" for coding in ("sum", "helmert", "poly")]
        found = [log_bf10(f"y ~ {term}", data, f"{term} == 0") for term in terms]
        same = ", ".join(f"arm[{level}] == arm[a]" for level in own[1:])
        line = (
            f"{levels:6}  {rows:4}  {size:4}  {min(found):7.2f} to {max(found):7.2f}  {np.ptp(found):10.3f}"
        )
        print(f"{line}  {log_bf10('y ~ 0 + arm', data, same):17.2f}")


if __name__ == "__main__":
    main()
