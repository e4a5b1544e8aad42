"""Simulation-based calibration of the exact engine: does it find what the data were made of, as often as it says?

Parameters are drawn from their prior, data from the parameters, and the posterior from the data; the rank of each
parameter among its draws is then uniform (Talts, Betancourt, Simpson, Vehtari & Gelman, arXiv 2018, 1804.06788). Every
draw of the engine counts as one, so nothing is thinned. A structure takes some minutes; those whose counts are in the
file of results are not run again.

In two structures effects are in residual sds, pooled and not, as where schools gave different tests: the joint contrast
is ranked, too. In the last one a treatment has effects that vary and a residual sd of its own. The three before these
often have posteriors of several modes. Where groups of two rows share a slope or a line and each has a sigma, any of
them may be the one that is exact: five in six posteriors of the shared slope have several modes. And studies fall into
clusters. With several factors, classes are nested in schools, or pupils are crossed with tasks; where so many are that
the likelihood is interpolated, its points have several draws each.

    python benchmarks/calibration_exact.py [--sets 1000] [--only NAME] [--results FILE] [--plot SVG]
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

import formulajoint as fj

type Array = NDArray[np.float64]

CHAINS, DRAWS = 3, 33
BINS = 20  # of five ranks each: 0 to 99
GROUPS, ROWS = 5, 6
SCHOOLS = 20
"""Groups of the structures with effects in residual sds."""


@dataclass(frozen=True)
class Structure:
    """A formula with all its priors, how to draw from them, how many rows a group has, and how many groups there are.

    A sigma that is known is a column `s`: `draw` returns it as ``s``, which is no parameter. With several factors
    `codes` are those of each row.
    """

    formula: str
    draw: Callable[[np.random.Generator], dict[str, Array]]
    rows: int = ROWS
    groups: int = GROUPS
    codes: Mapping[str, NDArray[np.int64]] | None = None


def _not_pooled(rng: np.random.Generator) -> dict[str, Array]:
    return {
        "Intercept": rng.normal(0, 2, GROUPS),
        "x": rng.normal(1, 1, GROUPS),
        "sigma": abs(rng.normal(0, 1, 1)),
    }


def _sigma_by_group(rng: np.random.Generator) -> dict[str, Array]:
    return _not_pooled(rng) | {"sigma": abs(rng.normal(0, 1, GROUPS))}


def _correlated(rng: np.random.Generator) -> dict[str, Array]:
    mean, sd = rng.normal([0, 1], [2, 1]), abs(rng.normal(0, 1, 2))
    rho = 2 * rng.beta(2, 2) - 1
    root = sd[:, None] * np.array([[1, 0], [rho, np.sqrt(1 - rho**2)]])
    own = mean + rng.normal(size=(GROUPS, 2)) @ root.T
    return {
        "Intercept": own[:, 0],
        "x": own[:, 1],
        "Intercept_mean": mean[:1],
        "x_mean": mean[1:],
        "Intercept_sd": sd[:1],
        "x_sd": sd[1:],
        "g_cor": np.array([rho]),
        "sigma": abs(rng.normal(0, 1, 1)),
    }


def _slope_shared(rng: np.random.Generator) -> dict[str, Array]:
    return {
        "Intercept": rng.normal(0, 2, GROUPS),
        "x": rng.normal(1, 1, 1),
        "sigma": rng.lognormal(-1, 2, GROUPS),
    }


def _line_shared(rng: np.random.Generator) -> dict[str, Array]:
    return _slope_shared(rng) | {"Intercept": rng.normal(0, 2, 1)}


def _clusters(rng: np.random.Generator) -> dict[str, Array]:
    mean, sd = rng.normal(0, 3, 1), abs(rng.normal(0, 1, 1))
    return {
        "Intercept": mean + sd * rng.standard_cauchy(GROUPS),
        "Intercept_mean": mean,
        "Intercept_sd": sd,
        "s": rng.uniform(0.1, 0.5, GROUPS),
    }


def _in_sds(rng: np.random.Generator) -> dict[str, Array]:
    effect, sigma = rng.normal(0.3, 0.5, SCHOOLS), rng.lognormal(1, 1, SCHOOLS)
    intercept = rng.normal(0, 2, SCHOOLS)
    return {
        "Intercept": intercept,
        "x": sigma * effect,
        "sigma": sigma,
        "joint_x": effect.mean(keepdims=True),
    }


def _pooled_in_sds(rng: np.random.Generator) -> dict[str, Array]:
    mean, sd = rng.normal(0.3, 0.5, 1), abs(rng.normal(0, 0.3, 1))
    effect, sigma = mean + sd * rng.normal(size=SCHOOLS), rng.lognormal(1, 1, SCHOOLS)
    return {
        "Intercept": rng.normal(0, 2, SCHOOLS),
        "x": sigma * effect,
        "x_mean": mean,
        "x_sd": sd,
        "sigma": sigma,
        "joint_x": effect.mean(keepdims=True),
    }


def _arms(rng: np.random.Generator) -> dict[str, Array]:
    mean, sd = rng.normal(1, 1, 1), abs(rng.normal(0, 1, 1))
    return {
        "Intercept": rng.normal(0, 2, GROUPS),
        "t": mean + sd * rng.normal(size=GROUPS),
        "t_mean": mean,
        "t_sd": sd,
        "sigma_Intercept": rng.normal(-0.5, 0.7, 1),
        "sigma_t": rng.normal(0, 0.7, 1),
    }


def _varying(rng: np.random.Generator, over: Mapping[str, tuple[int, float]]) -> dict[str, Array]:
    """Return intercepts that vary over factors, of so many groups and with sds of such a size."""
    found = {
        "Intercept": rng.normal(0, 2, 1),
        "x": rng.normal(1, 1, 1),
        "sigma": abs(rng.normal(0, 1, 1)),
    }
    for name, (groups, size) in over.items():
        sd = abs(rng.normal(0, size, 1))
        found |= {f"Intercept|{name}_sd": sd, f"Intercept|{name}": sd * rng.normal(size=groups)}
    return found


def _nested(rng: np.random.Generator) -> dict[str, Array]:
    return _varying(rng, {"g": (6, 1.0), "g:c": (24, 0.5)})


def _crossed(rng: np.random.Generator) -> dict[str, Array]:
    own, root = _correlated(rng), _varying(rng, {"c": (4, 0.5)})
    sd, rho = np.concatenate([own["Intercept_sd"], own["x_sd"]]), own["g_cor"][0]
    away = rng.normal(size=(6, 2)) @ (sd[:, None] * np.array([[1, 0], [rho, np.sqrt(1 - rho**2)]])).T
    sds = {"Intercept|g_sd": sd[:1], "x|g_sd": sd[1:], "g_cor": own["g_cor"]}
    return root | sds | {"Intercept|g": away[:, 0], "x|g": away[:, 1]}


def _interpolated(rng: np.random.Generator) -> dict[str, Array]:
    return _varying(rng, {"g": (70, 1.0), "c": (60, 0.5)})


SHARED = "prior(Intercept ~ normal(0, 2), x ~ normal(1, 1), sigma ~ half_normal(1))"
MET = np.random.default_rng(0)
NESTED = {"g": np.repeat(np.arange(6), 8), "c": np.tile(np.repeat(np.arange(4), 2), 6)}
CROSSED = {"g": np.repeat(np.arange(6), 6), "c": np.tile(np.arange(4), 9)}
MANY = {"g": MET.permutation(np.arange(280) % 70), "c": MET.permutation(np.arange(280) % 60)}

STRUCTURES: Mapping[str, Structure] = {
    "not pooled": Structure(
        "y ~ x | g, prior(Intercept ~ normal(0, 2), x ~ normal(1, 1), sigma ~ half_normal(1))", _not_pooled
    ),
    "sigma by group": Structure(
        "y ~ x | g, sigma ~ 1 | g, prior(Intercept ~ normal(0, 2), x ~ normal(1, 1), sigma ~ half_normal(1))",
        _sigma_by_group,
    ),
    "correlated hierarchy": Structure(
        """y ~ x | g, hierarchy(), prior(Intercept.mean ~ normal(0, 2), Intercept.sd ~ half_normal(1),
           x.mean ~ normal(1, 1), x.sd ~ half_normal(1), cor ~ lkj(2), sigma ~ half_normal(1))""",
        _correlated,
    ),
    "slope shared, sigma by group": Structure(
        """y ~ 1 + common(x) | g, sigma ~ 1 | g,
           prior(Intercept ~ normal(0, 2), x ~ normal(1, 1), sigma ~ log_normal(-1, 2))""",
        _slope_shared,
        rows=2,
    ),
    "line shared, sigma by group": Structure(
        """y ~ x, sigma ~ 1 | g,
           prior(Intercept ~ normal(0, 2), x ~ normal(1, 1), sigma ~ log_normal(-1, 2))""",
        _line_shared,
        rows=2,
    ),
    "Cauchy hierarchy, known errors": Structure(
        """y ~ 1 | g, hierarchy(dist=cauchy), se(s),
           prior(Intercept.mean ~ normal(0, 3), Intercept.sd ~ half_normal(1))""",
        _clusters,
        rows=1,
    ),
    "effects in sds, not pooled": Structure(
        """y ~ x | g, sigma ~ 1 | g, joint(x, weights=equal, scale=sigma),
           prior(Intercept ~ normal(0, 2), x ~ normal(0.3, 0.5, scale=sigma), sigma ~ log_normal(1, 1))""",
        _in_sds,
        groups=SCHOOLS,
    ),
    "effects in sds, pooled": Structure(
        """y ~ x | g, sigma ~ 1 | g, hierarchy(x, scale=sigma), joint(x, weights=equal, scale=sigma),
           prior(Intercept ~ normal(0, 2), x.mean ~ normal(0.3, 0.5), x.sd ~ half_normal(0.3),
                 sigma ~ log_normal(1, 1))""",
        _pooled_in_sds,
        groups=SCHOOLS,
    ),
    "a residual sd an arm": Structure(
        """y ~ t | g, hierarchy(t), sigma ~ t,
           prior(Intercept ~ normal(0, 2), t.mean ~ normal(1, 1), t.sd ~ half_normal(1),
                 sigma.Intercept ~ normal(-0.5, 0.7), sigma.t ~ normal(0, 0.7))""",
        _arms,
    ),
    "nested": Structure(
        f"""y ~ x + (1 | g/c), {SHARED}, prior(Intercept.sd ~ half_normal(1), over=g),
            prior(Intercept.sd ~ half_normal(0.5), over=g:c)""",
        _nested,
        codes=NESTED,
    ),
    "crossed": Structure(
        f"""y ~ x + (1 + x | g) + (1 | c), {SHARED}, prior(Intercept.sd ~ half_normal(0.5), over=c),
            prior(Intercept.sd ~ half_normal(1), x.sd ~ half_normal(1), cor ~ lkj(2), over=g)""",
        _crossed,
        codes=CROSSED,
    ),
    "crossed, interpolated": Structure(
        f"""y ~ x + (1 | g) + (1 | c), {SHARED}, prior(Intercept.sd ~ half_normal(1), over=g),
            prior(Intercept.sd ~ half_normal(0.5), over=c)""",
        _interpolated,
        codes=MANY,
    ),
}


def _rows(structure: Structure, truth: dict[str, Array], rng: np.random.Generator) -> pd.DataFrame:
    """Return the rows of one factor; what is known is taken from the truth."""
    groups, rows = structure.groups, structure.rows
    g, x = np.repeat(np.arange(groups), rows), rng.normal(size=groups * rows)
    errors = truth.pop("s", np.ones(groups))
    intercept, slope, sigma = (
        np.broadcast_to(truth.get(name, other), groups)[g]
        for name, other in (("Intercept", 0.0), ("x", 0.0), ("sigma", errors))
    )
    t = np.arange(len(g)) % 2  # the arm, which has an effect and a residual sd in one structure
    if "t" in truth:
        slope, x, sigma = truth["t"][g], t, np.exp(truth["sigma_Intercept"] + truth["sigma_t"] * t)
    y = intercept + slope * x + sigma * rng.normal(size=len(g))
    return pd.DataFrame({"g": g, "x": x, "t": t, "y": y, "s": errors[g]})


def _met(
    codes: Mapping[str, NDArray[np.int64]], truth: Mapping[str, Array], rng: np.random.Generator
) -> pd.DataFrame:
    """Return the rows of several factors."""
    x = rng.normal(size=len(codes["g"]))
    of = dict(codes) | {"g:c": codes["g"] * (1 + np.max(codes["c"])) + codes["c"]}
    y = truth["Intercept"] + truth["x"] * x + truth["sigma"] * rng.normal(size=len(x))
    for name, values in truth.items():
        column, _, factor = name.partition("|")
        if factor in of:
            y = y + values[of[factor]] * (x if column == "x" else 1.0)
    return pd.DataFrame({"y": y, "x": x} | dict(codes))


def ranks(structure: Structure, data_sets: int) -> dict[str, NDArray[np.int64]]:
    """Return the rank of each parameter among its 99 draws, one a data set; of groups only the first's."""
    found: dict[str, list[int]] = {}
    for seed in range(data_sets):
        rng = np.random.default_rng(seed)
        truth = structure.draw(rng)
        data = _rows(structure, truth, rng) if structure.codes is None else _met(structure.codes, truth, rng)
        model = fj.model(structure.formula, data)
        posterior = model.fit(draws=DRAWS, chains=CHAINS, engine="exact", seed=seed).posterior
        for name, value in truth.items():
            draws = posterior[name].to_numpy().reshape(CHAINS * DRAWS, -1)
            draws = draws[:, 1] if name == "g_cor" else draws[:, 0]
            found.setdefault(name, []).append(int(np.sum(draws < value[0])))
    return {name: np.array(values) for name, values in found.items()}


def counted(values: NDArray[np.int64]) -> list[int]:
    """Return how many ranks lie in each bin."""
    return np.bincount(values * BINS // (CHAINS * DRAWS + 1), minlength=BINS).tolist()


def plot(results: Mapping[str, Mapping[str, list[int]]], path: Path) -> None:
    """Draw a histogram of ranks for each parameter, a row a structure, with what 99 % of uniform bins stay within."""
    mpl.use("Agg")
    import matplotlib.pyplot as plt

    mpl.rcParams |= {"svg.hashsalt": "formulajoint", "svg.fonttype": "none", "font.size": 8}
    most = max(len(parameters) for parameters in results.values())
    figure, axes = plt.subplots(
        len(results), most, figsize=(11, 1.5 * len(results)), sharex=True, sharey=True, layout="constrained"
    )
    for row, (structure, parameters) in zip(axes, results.items(), strict=True):
        for panel in row[len(parameters) :]:
            panel.set_visible(False)
        row[0].set_ylabel(structure.replace(" ", "\n", 1))
        for panel, (name, counts) in zip(row, parameters.items(), strict=False):
            low, high = stats.binom.ppf([0.005, 0.995], sum(counts), 1 / BINS)
            panel.axhspan(low, high, color="0.9", lw=0)
            panel.stairs(counts, np.linspace(0, 1, BINS + 1), fill=True, alpha=0.6)
            panel.set_title(f"{name}, p = {stats.chisquare(counts).pvalue:.2f}", fontsize=7.5)
            panel.set_xticks([0, 0.5, 1], ["0", "½", "1"])
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def main() -> None:
    """Print a histogram of ranks and a p-value for each parameter of each structure."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--sets", type=int, default=1000)
    parser.add_argument("--only", choices=list(STRUCTURES))
    parser.add_argument("--results", type=Path)
    parser.add_argument("--plot", type=Path)
    given = parser.parse_args()
    results: dict[str, dict[str, list[int]]] = {}
    if given.results is not None and given.results.exists():
        results = json.loads(given.results.read_text())
    for name, structure in STRUCTURES.items():
        if name not in results and given.only in (None, name):
            results[name] = {own: counted(values) for own, values in ranks(structure, given.sets).items()}
            if given.results is not None:
                given.results.write_text(json.dumps(results, indent=1) + "\n")
    for name, parameters in results.items():
        sets = sum(next(iter(parameters.values())))
        print(f"{name}: {sets} data sets, {sets / BINS:g} ranks expected in each of {BINS} bins")
        for own, counts in parameters.items():
            p = stats.chisquare(counts).pvalue
            print(f"  {own:15s} p = {p:.3f}   {' '.join(map(str, counts))}")
    if given.plot is not None:
        plot(results, given.plot)


if __name__ == "__main__":
    main()
