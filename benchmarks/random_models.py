"""Random models whose posteriors may have several modes: a formula and its data for every number.

Groups that disagree about a shared coefficient while each has a sigma, priors that contradict the data, clusters of
groups under a narrow hierarchy: what makes a posterior of sigmas, sds and correlations fall into parts. Number i is the
same model always.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

type Rng = np.random.Generator


@dataclass(frozen=True)
class Model:
    """A formula, the data it is of, the name of its structure, and that of real data."""

    number: int
    structure: str
    formula: str
    data: pd.DataFrame
    name: str = ""


@dataclass(frozen=True)
class Truth:
    """What the rows of some groups are made from."""

    sizes: tuple[int, ...] = (2, 3, 5, 10, 20, 40)
    fewest: int = 2
    most: int = 12
    intercepts: bool = True  # whether they differ
    sigmas: bool = False  # whether they do


def rows(rng: Rng, truth: Truth) -> pd.DataFrame:
    """Return rows of groups with columns y, x, z, w (whole weights) and g."""
    groups = int(rng.integers(truth.fewest, truth.most + 1))
    size = int(rng.choice(truth.sizes))
    uneven = size > 3 and rng.random() < 0.4
    sizes = rng.integers(max(2, size // 2), 2 * size, groups) if uneven else np.full(groups, size)
    g = np.repeat(np.arange(groups), sizes)
    x = predictor(rng, len(g))
    z = rng.normal(size=len(g))
    distance = 10 ** rng.uniform(-0.5, 1.2)
    slopes = 1 + distance * rng.normal(size=groups)
    away = distance if truth.intercepts else 0.0
    intercepts = rng.choice([0.0, 20.0]) + away * _clustered(rng, groups)
    sigmas = 10 ** rng.uniform(-0.5, 0.5, groups) if truth.sigmas else np.ones(groups)
    y = intercepts[g] + slopes[g] * x + 0.5 * z + sigmas[g] * rng.normal(size=len(g))
    labels = [f"g{j:02d}" for j in g]
    return pd.DataFrame({"y": y, "x": x, "z": z, "w": rng.integers(1, 4, len(g)), "g": labels})


def predictor(rng: Rng, count: int) -> np.ndarray:
    """Return a column about zero, one that is not, or one of few values."""
    kind = rng.integers(3)
    if kind == 2:
        return rng.integers(0, 5, count).astype(float)
    return rng.normal(3.0 * kind, 1.0, count)


def _clustered(rng: Rng, groups: int) -> np.ndarray:
    """Return standard deviates, or two clusters of them."""
    if rng.random() < 0.5:
        return rng.normal(size=groups)
    return np.where(np.arange(groups) % 2 == 0, -1.0, 1.0) + 0.05 * rng.normal(size=groups)


def scale_prior(rng: Rng, size: float) -> str:
    """Return a prior of a sigma or of a hierarchy's sd, of any law and about as large as `size`."""
    s = size * 10 ** rng.uniform(-1, 0.7)
    laws = (
        f"half_normal({s:.4g})",
        f"half_student_t(4, {s:.4g})",
        f"exponential({1 / s:.4g})",
        f"log_normal({np.log(s):.4g}, {rng.uniform(0.3, 1):.3g})",
        f"gamma(2, {2 / s:.4g})",
        f"inverse_gamma(3, {2 * s:.4g})",
    )
    return str(rng.choice(laws))


def location_prior(rng: Rng, centre: float, size: float, laws: tuple[str, ...] = ("normal",)) -> str:
    """Return a prior of a coefficient; it is often narrow, and then often far from `centre`."""
    s = size * 10 ** rng.uniform(-1.5, 0.7)
    m = centre + size * rng.normal() * rng.choice([0.0, 1.0, 4.0])
    law = rng.choice(laws)
    return f"{law}({'4, ' if law == 'student_t' else ''}{m:.4g}, {s:.4g})"


def with_priors(
    rng: Rng, formula: str, data: pd.DataFrame, scales: str = "", locations: str = "", shared: str = ""
) -> str:
    """Add priors of one's own: of some of the sds, coefficients and shared coefficients that are named."""
    size = float(data["y"].std())
    asked = [f"{name} ~ {scale_prior(rng, size)}" for name in scales.split() if rng.random() < 0.7]
    for names, laws in ((locations, ("normal",)), (shared, ("normal", "normal", "student_t"))):
        for name in names.split():
            centre = float(data["y"].mean()) if name.startswith("Intercept") else 0.0
            if rng.random() < 0.7:
                asked.append(f"{name} ~ {location_prior(rng, centre, size, laws)}")
    return f"{formula}, prior({', '.join(asked)})" if asked else formula


def sigma_and_slope(rng: Rng) -> tuple[str, pd.DataFrame]:
    """A sigma for each group, and a slope that they share."""
    data = rows(rng, Truth(sigmas=True, intercepts=False, sizes=(5, 10, 20, 40)))
    return _at_times(rng, "y ~ 1 + common(x) | g, sigma ~ 1 | g", data, "sigma", "Intercept", "x")


def sigma_and_all(rng: Rng) -> tuple[str, pd.DataFrame]:
    """A sigma for each group, and all coefficients shared."""
    data = rows(rng, Truth(sigmas=True, sizes=(3, 5, 10, 20, 40)))
    formula = str(rng.choice(["y ~ x, sigma ~ 1 | g", "y ~ 1, sigma ~ 1 | g"]))
    return _at_times(rng, formula, data, "sigma", "", "Intercept")


def sigma_and_hierarchy(rng: Rng) -> tuple[str, pd.DataFrame]:
    """A sigma for each group, and a hierarchy."""
    data = rows(rng, Truth(sigmas=True, most=8, sizes=(3, 5, 10, 20, 40)))
    pooled = str(rng.choice(["", "x", "cor=false"]))
    scales, shared = "sigma x.sd", "x.mean"
    return _at_times(rng, f"y ~ x | g, hierarchy({pooled}), sigma ~ 1 | g", data, scales, "", shared)


def not_pooled(rng: Rng) -> tuple[str, pd.DataFrame]:
    """One sigma, nothing pooled; some with priors that contradict the data."""
    formula = str(rng.choice(["y ~ x | g", "y ~ 1 | g", "y ~ x + common(z) | g", "y ~ x"]))
    return _at_times(rng, formula, rows(rng, Truth()), "sigma", "Intercept")


def correlated(rng: Rng) -> tuple[str, pd.DataFrame]:
    """A correlated hierarchy of two or three columns."""
    formula = str(rng.choice(["y ~ x | g, hierarchy()", "y ~ x + z | g, hierarchy()"], p=[0.7, 0.3]))
    return _at_times(rng, formula, rows(rng, Truth()), "sigma Intercept.sd x.sd", "", "Intercept.mean x.mean")


def uncorrelated(rng: Rng) -> tuple[str, pd.DataFrame]:
    """A hierarchy of one column, or of several without correlations."""
    one = ["y ~ x | g, hierarchy(x)", "y ~ 1 + common(x) | g, hierarchy()", "y ~ x | g, hierarchy(Intercept)"]
    formula = str(rng.choice([*one, "y ~ x + z | g, hierarchy(cor=false)"]))
    scales = "sigma x.sd" if "hierarchy(x)" in formula else "sigma Intercept.sd"
    locations = "x.mean" if "hierarchy(x)" in formula else "Intercept.mean"
    return _at_times(rng, formula, rows(rng, Truth()), scales, "", locations)


def heavy_tails(rng: Rng) -> tuple[str, pd.DataFrame]:
    """A Student or Cauchy hierarchy of intercepts or of slopes."""
    data = rows(rng, Truth(most=8))
    law = rng.choice(["student", "cauchy"])
    term = rng.choice(["Intercept", "x"])
    formula = f"y ~ x | g, hierarchy({term}, dist={law})"
    return _at_times(rng, formula, data, f"sigma {term}.sd", "", f"{term}.mean")


def two_clusters(rng: Rng) -> tuple[str, pd.DataFrame]:
    """Two clusters of studies under a narrow hierarchy of any law, with known standard errors."""
    groups = int(rng.integers(4, 9))
    apart, error = float(rng.choice([4, 6, 10])), float(10 ** rng.uniform(-0.7, 0))
    y = np.where(np.arange(groups) < groups // 2, 0.0, apart) + 0.3 * rng.normal(size=groups)
    s = error * rng.uniform(0.7, 1.4, groups)
    data = pd.DataFrame({"y": y, "s": s, "g": [f"g{j:02d}" for j in range(groups)]})
    law = rng.choice(["normal", "student", "cauchy"])
    mean = f"Intercept.mean ~ normal({apart / 2:g}, {2 * apart:g})"
    sd = f"Intercept.sd ~ half_normal({error:.4g})"
    return f"y ~ 1 | g, hierarchy(dist={law}), se(s), prior({mean}, {sd})", data


def known_errors(rng: Rng) -> tuple[str, pd.DataFrame]:
    """A meta-analysis, with or without a column of the studies."""
    groups = int(rng.integers(3, 9))
    s = 10 ** rng.uniform(-0.7, 0.7, groups)
    x = predictor(rng, groups)
    y = _clustered(rng, groups) * 10 ** rng.uniform(-0.5, 1.2) + s * rng.normal(size=groups)
    data = pd.DataFrame({"y": y, "x": x, "s": s, "g": [f"g{j:02d}" for j in range(groups)]})
    law = rng.choice(["normal", "normal", "student", "cauchy"])
    formula = str(rng.choice(["y ~ 1 | g", "y ~ 1 + common(x) | g"]))
    formula = f"{formula}, hierarchy(Intercept, dist={law}), se(s)"
    return _at_times(rng, formula, data, "Intercept.sd", "", "Intercept.mean")


def row_weights(rng: Rng) -> tuple[str, pd.DataFrame]:
    """Rows that count several times, in one of the structures above."""
    one = ["y ~ x | g", "y ~ x | g, hierarchy()", "y ~ 1 + common(x) | g, sigma ~ 1 | g"]
    formula = str(rng.choice([*one, "y ~ 1 + common(x) | g, hierarchy()"]))
    data = rows(rng, Truth(sigmas=True, sizes=(3, 5, 10, 20)))
    return _at_times(rng, f"{formula}, weights(w)", data, "sigma")


def conflict(rng: Rng) -> tuple[str, pd.DataFrame]:
    """A narrow prior far from what the data say, and a sigma that may or may not explain the rest."""
    data = rows(rng, Truth(sizes=(5, 10, 20)))
    noise, away = float(10 ** rng.uniform(-2, 0)), float(rng.uniform(3, 30))
    e = rng.normal(size=len(data))
    data["y"] = away + noise * e
    even = np.sqrt(
        2 * (len(data) - 1) * np.log(away / noise)
    )  # so many sds of the prior away both modes are alike
    width = away / even / rng.uniform(0.7, 1.3)
    sigma = f"sigma ~ {rng.choice(['half_cauchy', 'half_normal'])}({away / 2:.4g})"
    if rng.random() < 0.5:
        formula = str(rng.choice(["y ~ 1", "y ~ x"]))
        return f"{formula}, prior(Intercept ~ normal(0, {width:.4g}), {sigma})", data
    data["y"] += noise * rng.normal(size=12)[data["g"].astype("category").cat.codes]
    sd = f"Intercept.sd ~ {rng.choice(['half_cauchy', 'half_normal'])}({noise:.4g})"
    formula = str(rng.choice(["y ~ 1 | g, hierarchy()", "y ~ x | g, hierarchy()"]))
    return f"{formula}, prior(Intercept.mean ~ normal(0, {width / 4:.4g}), {sd}, {sigma})", data


def _at_times(
    rng: Rng, formula: str, data: pd.DataFrame, scales: str = "", locations: str = "", shared: str = ""
) -> tuple[str, pd.DataFrame]:
    """Leave the default priors to half of the models."""
    if rng.random() < 0.5:
        return formula, data
    return with_priors(rng, formula, data, scales, locations, shared), data


STRUCTURES: Mapping[str, Callable[[Rng], tuple[str, pd.DataFrame]]] = {
    "sigma by group, slope shared": sigma_and_slope,
    "sigma by group, all shared": sigma_and_all,
    "sigma by group, hierarchy": sigma_and_hierarchy,
    "not pooled": not_pooled,
    "hierarchy, correlated": correlated,
    "hierarchy, not correlated": uncorrelated,
    "Student or Cauchy hierarchy": heavy_tails,
    "two clusters, known errors": two_clusters,
    "known errors": known_errors,
    "row weights": row_weights,
    "prior against data": conflict,
}


def model(number: int) -> Model:
    """Return a model; its structure goes round with its number."""
    rng = np.random.default_rng([12, number])
    name = list(STRUCTURES)[number % len(STRUCTURES)]
    formula, data = STRUCTURES[name](rng)
    return Model(number, name, formula, data)
