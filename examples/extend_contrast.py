"""How to add your own contrast to the language.

The contrast is a trimmed mean of the effects over schools: in each draw, the schools with the smallest and the largest
effects get no weight. The decorated function is a clause at once, with weights and its own keyword.
"""

import numpy as np
import pandas as pd
import pytensor.tensor as pt

import formulajoint as fj


@fj.contrast(meaning="trimmed mean")
def trimmed(effects, weights, *, cut=0.1):
    """Weighted mean of the effects between the weighted quantiles `cut` and 1 - `cut`."""
    order = pt.argsort(effects, axis=0)
    effects = pt.take_along_axis(effects, order, axis=0)
    weights = pt.take_along_axis(pt.broadcast_to(weights, effects.shape), order, axis=0)
    above = pt.cumsum(weights, axis=0)
    kept = pt.clip(pt.minimum(above, 1 - cut) - pt.maximum(above - weights, cut), 0, 1)
    return (kept * effects).sum(axis=0) / kept.sum(axis=0)


rng = np.random.default_rng(5)
school = np.repeat(list("ABCDEFGHIJ"), 40)
treatment = rng.integers(0, 2, size=len(school))
effect = pd.Series(dict(zip("ABCDEFGHIJ", [2, 3, 2, 3, 2, 3, 2, 3, 2, 30], strict=True)))[school].to_numpy()
data = pd.DataFrame(
    {
        "score": 50 + effect * treatment + rng.normal(0, 4, len(school)),
        "treatment": treatment,
        "school": school,
    }
)

fit = fj.fit(
    "score ~ treatment | school, joint(treatment), trimmed(treatment, cut=0.15)",
    data,
    seed=1,
    draws=500,
    chains=2,
)
print(fit.contrasts()[["mean", "sd", "hdi_low", "hdi_high"]])
mean = fit.contrasts()["mean"]
print(
    f"\n=> One school of ten gains 30 points, the others 2 or 3. Over all pupils the gain is "
    f"{mean['joint_treatment']:.1f} points, without the extremes {mean['trimmed_treatment']:.1f}."
)

# The contrast can also be computed from an existing fit, with other arguments; nothing is fitted again.
more = fit.contrast("trimmed(treatment, cut=0.3, weights=equal)")
print(
    f"=> With more cut off, and schools weighted equally: {more.loc['trimmed_treatment', 'mean']:.1f} points."
)
