"""Bambi: the same formula in its words, priors by default. It has no correlation of intercepts and slopes.

python run_bambi.py DATA MODEL [SAMPLER]
"""

import sys

# arviz-base loads it where it is installed. It came with formulajoint's tests, not with Bambi or PyMC.
sys.modules["jax"] = None

import bambi
import numpy as np
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

FORMULAS = {"hierarchy": "y ~ x + (x | g)", "unpooled": "y ~ 0 + g + g:x"}

path, model = sys.argv[1:3]
sampler = {"inference_method": sys.argv[3]} if sys.argv[3:] else {}
data, reading = read(path)
built = bambi.Model(FORMULAS[model], data)
draws = built.fit(
    draws=DRAWS, chains=CHAINS, cores=CORES, random_seed=SEED, progressbar=False, **sampler
).posterior

if model == "hierarchy":
    intercepts, slopes = draws["Intercept"] + draws["1|g"], draws["x"] + draws["x|g"]
    labels = slopes["g__factor_dim"].to_numpy()
    others = {name: draws[name] for name in ("Intercept", "x", "1|g_sigma", "x|g_sigma", "sigma")}
else:
    intercepts, slopes = draws["g"], draws["g:x"]
    labels = intercepts["g_dim"].to_numpy()
    others = {"sigma": draws["sigma"]}
contrast = weighted(data, labels, slopes.to_numpy())
print(contrast_table(contrast))
stamp = table_is_out()

found = {"intercepts": intercepts, "slopes": slopes, "contrast": contrast, **others}
report(
    stamp,
    ("bambi", "pymc", "pytensor", "nutpie"),
    reading=reading,
    sampler="NUTS " + (sys.argv[3] if sampler else "by default"),
    **sampling_seconds(draws),
    estimate=float(contrast.mean()),
    sd=float(contrast.std(ddof=1)),
    **diagnostics({name: np.asarray(values) for name, values in found.items()}),
)
