"""How to use two formulas in one PyMC model, together with a node written by hand.

The same schools have two outcomes, each with its own formula and prefix. A node written by hand is the difference
between their joint effects, in residual sds.
"""

import numpy as np
import pandas as pd
import pymc as pm

import formulajoint as fj

rng = np.random.default_rng(7)
school = np.repeat(["A", "B", "C"], [30, 50, 20])
treatment = rng.integers(0, 2, size=len(school))
effect = pd.Series({"A": 4.0, "B": 1.0, "C": 6.0})[school].to_numpy()
data = pd.DataFrame(
    {
        "school": school,
        "treatment": treatment,
        "maths": 50 + effect * treatment + rng.normal(0, 5, len(school)),
        "english": 20 + 0.2 * effect * treatment + rng.normal(0, 2, len(school)),
    }
)

with pm.Model() as model:
    maths = fj.build("maths ~ treatment | school, joint(scale=sigma)", data, prefix="maths")
    english = fj.build("english ~ treatment | school, joint(scale=sigma)", data, prefix="english")
    pm.Deterministic(
        "maths_over_english", maths["maths_joint_treatment"] - english["english_joint_treatment"]
    )
    draws = pm.sample(500, tune=500, random_seed=1, progressbar=False)

difference = draws["posterior"]["maths_over_english"]
print(
    f"=> Tutoring moves maths by {float(difference.mean()):.2f} residual sds more than English "
    f"(probability that it is more: {float((difference > 0).mean()):.2f})."
)
