"""PyMC by hand: the model an experienced user writes, with formulajoint's default priors and PyMC's own settings."""

import sys

# arviz-base loads it where it is installed. It came with formulajoint's tests, not with Bambi or PyMC.
sys.modules["jax"] = None

import numpy as np
import pandas as pd
import pymc as pm
from figures import (
    CHAINS,
    CORES,
    DRAWS,
    SEED,
    contrast_table,
    diagnostics,
    read,
    report,
    sampling_seconds,
    table_is_out,
    weighted,
)

path, model = sys.argv[1:]
data, reading = read(path)
codes, labels = pd.factorize(data["g"], sort=True)
x, y = data["x"].to_numpy(float), data["y"].to_numpy(float)
s_y, s_x = y.std(ddof=1), 0.5 if set(np.unique(x[:100])) <= {0.0, 1.0} else x.std(ddof=1)
slope_sd = 2.5 * s_y / s_x
intercept_sd = np.hypot(2.5 * s_y, slope_sd * x.mean())
sds = np.array([intercept_sd, slope_sd])

with pm.Model(coords={"g": labels, "term": ["Intercept", "x"]}):
    if model == "hierarchy":
        mean = pm.Normal("mean", [y.mean(), 0.0], sds, dims="term")
        root, _, _ = pm.LKJCholeskyCov("cov", n=2, eta=2, sd_dist=pm.HalfNormal.dist(sds, shape=2))
        offset = pm.Normal("offset", dims=("g", "term"))
        beta = pm.Deterministic("beta", mean + offset @ root.T, dims=("g", "term"))
    else:
        beta = pm.Normal("beta", [y.mean(), 0.0], sds, dims=("g", "term"))
    sigma = pm.HalfStudentT("sigma", nu=4, sigma=s_y)
    pm.Normal("y", beta[codes, 0] + beta[codes, 1] * x, sigma, observed=y)
    draws = pm.sample(draws=DRAWS, chains=CHAINS, cores=CORES, random_seed=SEED, progressbar=False).posterior

contrast = weighted(data, labels, draws["beta"].to_numpy()[..., 1])
print(contrast_table(contrast))
stamp = table_is_out()

known = ("beta", "mean", "cov_stds", "cov_corr", "sigma")
report(
    stamp,
    ("pymc", "pytensor", "nutpie", "numba"),
    reading=reading,
    sampler="NUTS by default",
    **sampling_seconds(draws),
    estimate=float(contrast.mean()),
    sd=float(contrast.std(ddof=1)),
    **diagnostics({name: draws[name].to_numpy() for name in known if name in draws} | {"contrast": contrast}),
)
