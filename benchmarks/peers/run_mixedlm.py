"""statsmodels: a point estimate of the same model by REML (MixedLM), or least squares where nothing is pooled."""

import sys

import numpy as np
import statsmodels.formula.api as smf
from figures import read, report, table_is_out, weighted

path, model = sys.argv[1:]
data, reading = read(path)
if model == "hierarchy":
    fit = smf.mixedlm("y ~ x", data, groups="g", re_formula="~x").fit()
    labels = list(fit.random_effects)
    slopes = np.array([fit.random_effects[label]["x"] for label in labels]) + fit.fe_params["x"]
    sd = None  # of the sum of estimated and predicted effects it gives none
else:
    fit = smf.ols("y ~ 0 + g + g:x", data).fit()
    labels = sorted(data["g"].unique())
    slopes = np.array([fit.params[f"g[{label}]:x"] for label in labels])
    rows = data["g"].value_counts()[labels].to_numpy()
    at = [f"g[{label}]:x" for label in labels]
    share = rows / rows.sum()
    sd = float(np.sqrt(share @ fit.cov_params().loc[at, at].to_numpy() @ share))
estimate = float(weighted(data, labels, slopes))
print(f"joint_x {estimate:.4f} {'' if sd is None else sd}")
stamp = table_is_out()

report(
    stamp,
    ("statsmodels", "numpy", "scipy"),
    reading=reading,
    sampler="point estimate",
    estimate=estimate,
    sd=sd,
)
