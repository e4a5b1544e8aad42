"""Do the exact engines and NUTS find the same posterior? Long runs of both on twelve structures and of families.

Each model is fitted with `engine="exact"` and by nutpie, 4 chains of 4,000 draws each. Of every parameter, mean and sd
are compared in units of the Monte Carlo standard error of the difference (ArviZ's, of mean and of sd, both fits'): such
a z is beyond 2 in about 5 % of cases if the two agree. One line a structure says the largest; above 5 the script fails.
NUTS compiles each model, which takes most of the time: twenty minutes in all.

    python benchmarks/agreement_nuts.py [NAME ...]

With seed 2 one of four chains of NUTS of "times" stays where it began, and the fit says so.
The tables that it printed are in ``results/agreement_nuts.txt``.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import arviz_stats
import numpy as np
import pandas as pd
from calibration_groupwise import FAMILIES

import formulajoint as fj

CHAINS, DRAWS = 4, 4000
TOO_FAR = 5.0


@dataclass(frozen=True)
class Structure:
    """A formula with the default priors or flat ones, on data of some groups.

    Attributes
    ----------
    formula : str
    groups : int, optional
    priors : {None, "flat"}, optional
    family : str, optional
        Key of the families of `calibration_groupwise.py`; empty for a Gaussian response.
    further : tuple, optional
        Parameters of its response: numbers, or functions of the data that return them for rows.
    seed : int, optional
        Of NUTS.
    """

    formula: str
    groups: int = 6
    priors: str | None = None
    family: str = ""
    further: tuple[Any, ...] = ()
    seed: int = 2


STRUCTURES = {
    "not pooled": Structure("y ~ x | g"),
    "sigma by group": Structure("y ~ x | g, sigma ~ 1 | g"),
    "hierarchy of slopes": Structure("y ~ x | g, hierarchy(x)"),
    "correlated hierarchy": Structure("y ~ x | g, hierarchy()", groups=8),
    "uncorrelated hierarchy": Structure("y ~ x + z | g, hierarchy(x, z, cor=false)", groups=8),
    "common, and a factor": Structure("y ~ arm + common(z) | g, hierarchy(Intercept)", groups=8),
    "Cauchy hierarchy": Structure("y ~ x | g, hierarchy(x, dist=cauchy)", groups=3),
    "Student hierarchy": Structure("y ~ x | g, hierarchy(x, dist=student)", groups=4),
    "weights and offset": Structure("y ~ x + offset(z) | g, hierarchy(Intercept), weights(w)", groups=8),
    "flat priors": Structure("y ~ x | g, hierarchy(x)", groups=8, priors="flat"),
    "a residual sd an arm": Structure("y ~ arm | g, hierarchy(arm), sigma ~ arm", groups=8),
    "other priors of scales": Structure(
        """y ~ x | g, hierarchy(), prior(sigma ~ inverse_gamma(3, 2), Intercept.sd ~ log_normal(0, 1),
           x.sd ~ gamma(2, 1), cor ~ lkj(4))""",
        groups=8,
    ),
}
SHARED = "1 + common(x) | g, hierarchy(Intercept)"
OTHERS = {
    "events, a shared slope": Structure(f"y ~ {SHARED}, family(bernoulli)", 8, family="bernoulli"),
    "events, correlated": Structure(
        "y ~ x | g, hierarchy(centered=false), family(bernoulli)", 10, family="bernoulli"
    ),
    "events, probit": Structure(
        f"y ~ {SHARED}, family(bernoulli, link=probit)", 8, family="bernoulli probit"
    ),
    "successes": Structure(
        "prop(y, 6) ~ x | g, hierarchy(cor=false), family(binomial)", 8, family="binomial"
    ),
    "counts with an offset": Structure(
        "y ~ x + offset(z) | g, hierarchy(Intercept), family(poisson)", 8, family="poisson"
    ),
    "counts, not pooled": Structure(
        "y ~ x | g, family(negative_binomial)", 5, family="negative_binomial", further=(2.0,)
    ),
    "amounts by arm": Structure(
        "y ~ arm + common(z) | g, hierarchy(Intercept), family(gamma)", 8, family="gamma", further=(2.0,)
    ),
    "Student's t": Structure(f"y ~ {SHARED}, family(student)", 8, family="student", further=(1.0, 4.0)),
    "ordered categories": Structure(
        f"y ~ {SHARED}, family(cumulative)", 8, family="cumulative", further=([-0.5, 1.0],)
    ),
    "shares": Structure(f"y ~ {SHARED}, family(beta)", 8, family="beta", further=(6.0,)),
    "more zeros": Structure(
        f"y ~ {SHARED}, family(zero_inflated_poisson)", 8, family="zero_inflated_poisson", further=(0.3,)
    ),
    "times": Structure(f"y ~ {SHARED}, family(weibull)", 8, family="weibull", further=(1.5,), seed=3),
    "counts, a shape an arm": Structure(
        "y ~ x | g, hierarchy(Intercept), family(negative_binomial), shape ~ arm",
        8,
        family="negative_binomial",
        further=(lambda data: np.where(data["arm"] == "b", 0.8, 3.0),),
    ),
    "more zeros, with a slope": Structure(
        f"y ~ {SHARED}, family(zero_inflated_poisson), zi ~ x",
        8,
        family="zero_inflated_poisson",
        further=(lambda data: 1 / (1 + np.exp(1 - data["x"])),),
    ),
    "shares, a precision a group": Structure(
        f"y ~ {SHARED}, family(beta), phi ~ 1 | g",
        8,
        family="beta",
        further=(lambda data: np.array([3.0, 6.0, 12.0, 24.0])[data["g"] % 4],),
    ),
}
"""Models that are not Gaussian."""


def frame(structure: Structure) -> pd.DataFrame:
    """Return twelve rows a group, whose intercepts and slopes differ."""
    groups = structure.groups
    rng = np.random.default_rng(groups)
    g = np.repeat(np.arange(groups), 12)
    x, z, arm = rng.normal(size=len(g)), rng.normal(size=len(g)), np.arange(len(g)) % 3
    intercepts, slopes = rng.normal(3, 1.5, groups), rng.normal(1, 1, groups)
    y = intercepts[g] + slopes[g] * x + 0.5 * z + 0.4 * (arm == 1) + rng.normal(size=len(g))
    data = pd.DataFrame({"g": g, "x": x, "z": z, "arm": np.array(list("abc"))[arm]})
    if structure.family:
        eta = (intercepts[g] - 3) / 2 + slopes[g] / 2 * x + (z if "offset(z)" in structure.formula else 0.0)
        further = (each(data) if callable(each) else each for each in structure.further)
        y = FAMILIES[structure.family].response(rng, eta, *further)
    weights = rng.integers(1, 4, len(g))
    return data.assign(w=weights, y=y)


def compare(structure: Structure) -> tuple[pd.Series, fj.Fit, fj.Fit]:
    """Return z of every parameter's mean and sd, and the fits, the exact one first."""
    model = fj.model(structure.formula, frame(structure), priors=structure.priors)
    exact = model.fit(DRAWS, chains=CHAINS, engine="exact", seed=1)
    nuts = model.fit(DRAWS, 2000, CHAINS, "nutpie", seed=structure.seed, target_accept=0.97, progress=False)
    found = {
        f"{figure} of {name}": value
        for name in dict.fromkeys(row.partition("[")[0] for row in exact.summary().index)
        for figure in ("mean", "sd")
        for value in [distances(exact.posterior[name], nuts.posterior[name], figure)]
    }
    cells = {f"{name}[{at}]": z for name, values in found.items() for at, z in enumerate(values)}
    return pd.Series(cells), exact, nuts


def distances(one, other, figure: str) -> np.ndarray:
    """Return how far apart a figure of two variables is, in standard errors; what is constant is left out."""
    own, error = [], []
    for draws in (one, other):
        draws = draws.transpose("chain", "draw", ...)
        own.append(np.ravel(getattr(draws, "std" if figure == "sd" else figure)(("chain", "draw"))))
        error.append(np.ravel(arviz_stats.mcse(draws, method=figure)))
    varies = np.ravel(one.std(("chain", "draw"))) > 1e-12
    return ((own[0] - own[1])[varies]) / np.hypot(*error)[varies]


def main() -> None:
    """Print the table; exit with 1 where a structure disagrees."""
    too_far = False
    print("| structure | figures | largest z | beyond 2 | k-hat | divergences | at |")
    print("|---|---:|---:|---:|---:|---:|---|")
    for name in sys.argv[1:] or (STRUCTURES | OTHERS):
        z, exact, nuts = compare((STRUCTURES | OTHERS)[name])
        k_hat = float(exact.idata["sample_stats"]["k_hat"])
        divergences = int(nuts.idata["sample_stats"]["diverging"].sum())
        print(
            f"| {name} | {len(z)} | {abs(z).max():.2f} | {100 * np.mean(abs(z) > 2):.0f} % | {k_hat:.2f} "
            f"| {divergences} | {abs(z).idxmax()} |",
            flush=True,
        )
        too_far |= not abs(z).max() < TOO_FAR
    raise SystemExit(int(too_far))


if __name__ == "__main__":
    main()
