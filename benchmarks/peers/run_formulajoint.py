"""formulajoint: the formula as a user writes it, engine and settings by default."""

import sys

from figures import CHAINS, DRAWS, SEED, diagnostics, read, report, sampling_seconds, table_is_out

import formulajoint as fj

FORMULAS = {
    "hierarchy": "y ~ x | g, hierarchy(), joint(weights=n)",
    "unpooled": "y ~ x | g, joint(weights=n)",
}

path, model = sys.argv[1:]
data, reading = read(path)
fit = fj.fit(FORMULAS[model], data, draws=DRAWS, chains=CHAINS, seed=SEED)
table = fit.contrasts()
print(table.to_string())
stamp = table_is_out()

draws = {str(name): values.to_numpy() for name, values in fit.posterior.items()}
report(
    stamp,
    ("formulajoint", "numpy", "scipy", "pandas"),
    reading=reading,
    sampler=fit.engine,
    **sampling_seconds(fit.posterior),
    estimate=float(table["mean"].iloc[0]),
    sd=float(table["sd"].iloc[0]),
    **diagnostics(draws),
)
