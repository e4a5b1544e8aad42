"""Random models of at most four scales, with what brute force needs to know of them.

Their priors are written into the formula as numbers, or are the default ones, which are then computed here by the table
of docs/statistics.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from quadratures import Array, Axis, Density, Normal, heavy_tailed_studies, lkj, shared_regression
from scipy import stats

type Rng = np.random.Generator


@dataclass(frozen=True)
class Law:
    """A prior: what the formula says, its log density, and its size."""

    text: str
    log: Callable[[Array], Array]
    size: float


@dataclass(frozen=True)
class Known:
    """A model and its density; `labels` are the names of the density's figures in the summary of a fit."""

    kind: str
    formula: str
    data: pd.DataFrame
    axes: list[Axis]
    density: Density
    labels: Mapping[str, str] = field(default_factory=dict)


def half_normal(s: float) -> Law:
    return Law(f"half_normal({s!r})", stats.halfnorm(scale=s).logpdf, s)


def half_student(s: float) -> Law:
    return Law(f"half_student_t(4, {s!r})", lambda x: np.log(2) + stats.t.logpdf(x, 4, scale=s), s)


def scale_law(rng: Rng, size: float) -> Law:
    """Return a prior of a scale, somewhere about `size`, from laws of which every posterior has means and variances."""
    s = float(f"{size * 10 ** rng.uniform(-0.8, 0.6):.4g}")
    spread, rate = float(f"{rng.uniform(0.3, 1):.3g}"), float(f"{2 / s:.4g}")
    laws = (
        half_normal(s),
        half_student(s),
        Law(f"exponential({rate!r})", stats.expon(scale=1 / rate).logpdf, s),
        Law(f"log_normal({np.log(s):.6g}, {spread!r})",
            stats.lognorm(spread, scale=np.exp(float(f"{np.log(s):.6g}"))).logpdf, s),
        Law(f"gamma(2, {rate!r})", stats.gamma(2, scale=1 / rate).logpdf, s),
        Law(f"inverse_gamma(3, {2 * s!r})", stats.invgamma(3, scale=2 * s).logpdf, s),
    )  # fmt: skip
    return laws[rng.integers(len(laws))]


class Priors:
    """Default priors, or random ones that go into the formula."""

    def __init__(
        self, rng: Rng, data: pd.DataFrame, columns: tuple[str, ...] = ("x",), by_sigma: bool = False
    ) -> None:
        self.rng, self.written, self.default = rng, [], bool(rng.random() < 0.4)
        self.sd, self.centre = float(data["y"].std()), float(data["y"].mean())
        self.data, self.own_units = data, by_sigma and self.default
        unit = _sd_within(data) if self.own_units else self.sd
        self.slopes = {name: 2.5 * unit / float(data[name].std()) for name in columns}
        away = sum((self.slopes[name] * data[name].mean()) ** 2 for name in columns)
        self.intercept = float(np.sqrt((2.5 * self.sd) ** 2 + away))

    def sigma(self) -> Law:
        return self._scale("sigma", half_student(self.sd), self.sd)

    def sigmas(self) -> list[Law]:
        """Return the prior of each group's sigma: in the group's units, if it is the default."""
        law, sds = self.sigma(), self.data.groupby("g")["y"].std()
        return [half_student(float(sd)) if self.own_units else law for sd in sds]

    def intercepts(self) -> tuple[Array, Array]:
        """Return means and sds of the priors of the groups' own intercepts beside slopes that have one prior."""
        m, s = self.location("Intercept")
        groups = self.data.groupby("g")
        if not self.own_units:
            return np.full(len(groups), m), np.full(len(groups), s)
        away = sum((slope * groups[name].mean()) ** 2 for name, slope in self.slopes.items())
        return groups["y"].mean().to_numpy(), np.sqrt((2.5 * groups["y"].std()) ** 2 + away).to_numpy()

    def sd_of(self, term: str) -> Law:
        size = self.slopes.get(term, self.intercept)
        return self._scale(f"{term}.sd", half_normal(size), size / 2.5)

    def location(self, target: str) -> tuple[float, float]:
        """Return mean and sd of a coefficient's prior; a random one is narrow and far away at times."""
        term = target.partition(".")[0]
        size = self.slopes.get(term, self.intercept)
        centre = self.centre if term == "Intercept" else 0.0
        if self.default:
            return centre, size
        m = float(f"{centre + self.rng.normal() * self.rng.choice([0.0, 0.3, 1.5]) * size:.4g}")
        s = float(f"{size * 10 ** self.rng.uniform(-1.5, 0.3):.4g}")
        self.written.append(f"{target} ~ normal({m!r}, {s!r})")
        return m, s

    def _scale(self, target: str, default: Law, size: float) -> Law:
        if self.default:
            return default
        law = scale_law(self.rng, size)
        self.written.append(f"{target} ~ {law.text}")
        return law

    def on(self, formula: str) -> str:
        return f"{formula}, prior({', '.join(self.written)})" if self.written else formula


def _sd_within(data: pd.DataFrame) -> float:
    groups = data.groupby("g")["y"]
    return float(np.sqrt(((data["y"] - groups.transform("mean")) ** 2).sum() / (len(data) - groups.ngroups)))


def frame(rng: Rng, groups: int, sizes: tuple[int, ...], sigmas: bool = False) -> pd.DataFrame:
    """Return rows of groups that differ little or much, in one cluster or in two."""
    n = int(rng.choice(sizes))
    g = np.repeat(np.arange(groups), n if n < 5 else rng.integers(n // 2, n + 1, groups))
    x = rng.normal(rng.choice([0.0, 1.5]), 1, len(g))
    apart = 10 ** rng.uniform(-0.5, 1.1)
    noise = 10 ** rng.uniform(-1, 0.5, groups) if sigmas else np.ones(groups)
    deviate = rng.normal(size=groups) if rng.random() < 0.5 else np.where(np.arange(groups) % 2, 1.0, -1.0)
    a, b = 3 + apart * deviate, 1 + apart * rng.normal(size=groups)
    y = a[g] + b[g] * x + noise[g] * rng.normal(size=len(g))
    return pd.DataFrame({"y": y, "x": x, "g": [f"g{j}" for j in g]})


def scale_axis(name: str, law: Law, size: float, smallest: float) -> Axis:
    """Return an axis from below all that matters to above: `smallest` and `size` are of the data."""
    low, high = np.log(min(smallest, law.size)), np.log(max(size, law.size))
    return Axis(name, law.log, low, high + np.log(40))


def sigma_axis(name: str, law: Law, data: pd.DataFrame, per_group: int, floor: float = 1e-3) -> Axis:
    """Return an axis of a residual sd: from well below the smallest residuals of a group's own regression on.

    Where rows may fit perfectly it begins at `floor` sds of the response.
    """
    residuals = []
    for _, own in data.groupby("g"):
        columns = np.column_stack([np.ones(len(own)), own["x"]])[:, :per_group]
        rest = own["y"] - columns @ np.linalg.lstsq(columns, own["y"], rcond=None)[0]
        residuals.append(np.sqrt((rest @ rest) / len(own)))
    smallest = max(min(residuals), floor * data["y"].std())
    return Axis(name, law.log, np.log(smallest / 8), np.log(40 * max(data["y"].std(), law.size)))


def sigma_by_group(rng: Rng) -> Known:
    """A sigma for each of two to four groups, and coefficients that they share."""
    groups = int(rng.integers(2, 5))
    data = frame(rng, groups, (5, 10, 20, 40), sigmas=True)
    formula = str(rng.choice(["y ~ 1", "y ~ x", "y ~ 1 + common(x) | g"]))
    priors = Priors(rng, data, () if formula == "y ~ 1" else ("x",), by_sigma=True)
    sigmas, own_intercepts = priors.sigmas(), "| g" in formula
    intercepts = (
        np.transpose(priors.intercepts()) if own_intercepts else [priors.location("Intercept")] * groups
    )
    slope = priors.location("x") if formula != "y ~ 1" else (0.0, 1.0)
    names = [f"sigma[g{j}]" for j in range(groups)]
    rows, own, means = [], [], [intercepts[0], slope]
    labels = {"coefficient 0": "Intercept", "coefficient 1": "x"}
    for intercept, (_, some) in zip(intercepts, data.groupby("g"), strict=True):
        y, columns = some["y"].to_numpy(), np.column_stack([np.ones(len(some)), some["x"]])
        if formula == "y ~ 1":
            columns, means, labels = columns[:, :1], [intercept], {"coefficient 0": "Intercept"}
        elif formula != "y ~ x":
            y, columns, means = y - intercept[0], columns[:, 1:], [slope]
            labels = {"coefficient 0": "x"}
        rows.append((y, columns))
        own.append(float(intercept[1]) if own_intercepts else 0.0)
    m, s = np.array(means).T
    density = shared_regression(rows, names, m, np.diag(s**2), own)
    per_group = 2 if "x" in formula else 1
    axes = [
        sigma_axis(name, law, data[data["g"] == f"g{j}"], per_group, floor=1e-5)
        for j, (name, law) in enumerate(zip(names, sigmas, strict=True))
    ]
    axes = [
        replace(a, high=np.log(40 * max(priors.sd, law.size))) for a, law in zip(axes, sigmas, strict=True)
    ]
    return Known("sigma by group", priors.on(f"{formula}, sigma ~ 1 | g"), data, axes, density, labels)


def normal(
    rng: Rng, kind: str, formula: str, data: pd.DataFrame, pooled: tuple[str, ...], correlated: bool = False
) -> Known:
    """Return a model of groups' intercepts and slopes, those in `pooled` under a hierarchy.

    The terms of the formula are an intercept and `x`, by group or, where there are no groups or it is `common`, shared.
    """
    terms = ["Intercept", "x"] if "x" in formula else ["Intercept"]
    by_sigma = "sigma ~" in formula
    priors = Priors(rng, data, tuple(terms[1:]), by_sigma)
    labels = sorted(data["g"].unique())
    known_errors = "se(s)" in formula
    laws = [] if known_errors else priors.sigmas() if by_sigma else [priors.sigma()]
    columns, mean, fixed, parts, wanted, axes, covariances = [], [], [], [], {}, [], {}
    for term in terms:
        column = np.ones(len(data)) if term == "Intercept" else data["x"].to_numpy()
        own = "|" in formula.partition(",")[0] and f"common({term})" not in formula
        block = column[:, None] * (data["g"].to_numpy()[:, None] == labels) if own else column[:, None]
        size, at = block.shape[1], len(mean)
        if by_sigma and own and term not in pooled:  # only intercepts are by group without a hierarchy
            m, s = priors.intercepts()
        else:
            m, s = priors.location(f"{term}.mean" if term in pooled else term)
        columns.append(block)
        mean += list(np.broadcast_to(m, size))
        fixed.append((at, size, s, term in pooled))
        if term in pooled:
            law = priors.sd_of(term)
            axes.append(scale_axis(f"{term}_sd", law, 2 * priors.sd, 1e-4 * law.size))
            covariances[f"{term}_mean"] = (m, s, at, size)
            parts.append((at, size, f"{term}_sd"))
        elif not own:
            covariances[term] = (m, s, at, 1)
    count = len(mean)
    known = np.zeros((count, count))
    for at, size, s, together in fixed:
        known[at : at + size, at : at + size] = s**2 if together else s**2 * np.eye(size)
    matrices = [(_block(count, at, at, size), (name, name)) for at, size, name in parts]
    if correlated:
        (one, size, first), (other, _, second) = parts
        across = _block(count, one, other, size) + _block(count, other, one, size)
        matrices.append((across, ("g_cor[Intercept, x]", first, second)))
        axes.append(Axis("g_cor[Intercept, x]", lkj, -5.0, 5.0, "atanh"))
    for name, (m, s, at, size) in covariances.items():
        vector = np.zeros(count)
        vector[at : at + size] = s**2
        wanted[name] = (m, vector)
    rows_of = [f"sigma[{g}]" if by_sigma else "sigma" for g in data["g"]]
    sigmas = zip(dict.fromkeys(rows_of), laws, strict=not known_errors)
    axes = [sigma_axis(name, law, data, len(terms)) for name, law in sigmas] + axes
    errors = data["s"].to_numpy() if known_errors else None
    design = np.column_stack(columns)
    density = Normal(data["y"].to_numpy(), design, np.array(mean), known, matrices, rows_of, errors, wanted)
    return Known(kind, priors.on(formula), data, axes, density)


def _block(count: int, row: int, column: int, size: int) -> Array:
    matrix = np.zeros((count, count))
    matrix[np.arange(row, row + size), np.arange(column, column + size)] = 1
    return matrix


def one_sigma(rng: Rng) -> Known:
    """One sigma, nothing pooled; a narrow prior may contradict the data."""
    formula = str(rng.choice(["y ~ 1", "y ~ x", "y ~ x | g", "y ~ 1 + common(x) | g"]))
    data = frame(rng, int(rng.integers(2, 7)), (4, 8, 16))
    return normal(rng, "one sigma", formula, data, ())


def prior_conflict(rng: Rng) -> Known:
    """Hardly any noise, and a prior from which the data are far."""
    data = frame(rng, 3, (4, 8))
    noise, away = 10 ** rng.uniform(-2, 0), rng.uniform(3, 20)
    data["y"] = away + noise * rng.normal(size=len(data))
    even = np.sqrt(
        2 * (len(data) - 1) * np.log(away / noise)
    )  # so many sds of the prior away both modes are alike
    width, size = float(f"{away / even / rng.uniform(0.8, 1.2):.4g}"), float(f"{away / 2:.4g}")
    y, law = data["y"].to_numpy(), half_normal(size)
    density = Normal(y, np.ones((len(y), 1)), np.zeros(1), np.array([[width**2]]), [], ["sigma"] * len(y),
                     wanted={"Intercept": (0.0, np.array([width**2]))})  # fmt: skip
    axes = [Axis("sigma", law.log, np.log(noise / 10), np.log(40 * away))]
    formula = f"y ~ 1, prior(Intercept ~ normal(0, {width!r}), sigma ~ {law.text})"
    return Known("prior against data", formula, data, axes, density)


def one_hierarchy(rng: Rng) -> Known:
    """A hierarchy of one column, beside what is not pooled or shared."""
    formula, pooled = [
        ("y ~ 1 | g, hierarchy()", ("Intercept",)),
        ("y ~ 1 + common(x) | g, hierarchy()", ("Intercept",)),
        ("y ~ x | g, hierarchy(x)", ("x",)),
        ("y ~ x | g, hierarchy(Intercept)", ("Intercept",)),
    ][rng.integers(4)]
    data = frame(rng, int(rng.integers(2, 9)), (2, 4, 8))
    return normal(rng, "one hierarchy", formula, data, pooled)


def two_hierarchies(rng: Rng) -> Known:
    """Two columns pooled, not correlated."""
    data = frame(rng, int(rng.integers(2, 6)), (3, 6, 10))
    return normal(rng, "two hierarchies", "y ~ x | g, hierarchy(cor=false)", data, ("Intercept", "x"))


def correlated(rng: Rng) -> Known:
    """Two columns pooled and correlated."""
    data = frame(rng, int(rng.integers(2, 5)), (3, 6, 10))
    return normal(rng, "correlated", "y ~ x | g, hierarchy()", data, ("Intercept", "x"), correlated=True)


def sigmas_and_hierarchy(rng: Rng) -> Known:
    """A sigma for each of two groups, and a hierarchy."""
    data = frame(rng, 2, (5, 10, 20), sigmas=True)
    formula, pooled = [
        ("y ~ x | g, hierarchy(x), sigma ~ 1 | g", ("x",)),
        ("y ~ 1 | g, hierarchy(), sigma ~ 1 | g", ("Intercept",)),
    ][rng.integers(2)]
    return normal(rng, "sigmas and hierarchy", formula, data, pooled)


def studies(rng: Rng) -> Known:
    """Two clusters of studies, under a hierarchy of any law that may be narrow."""
    groups, apart = int(rng.integers(3, 8)), float(rng.choice([2, 6, 10]))
    error = float(10 ** rng.uniform(-0.7, 0.3))
    y = np.where(np.arange(groups) < groups // 2, 0.0, apart) + 0.3 * rng.normal(size=groups)
    s = error * rng.uniform(0.7, 1.4, groups)
    data = pd.DataFrame({"y": y, "s": s, "g": [f"g{j}" for j in range(groups)]})
    m, width, sd = apart / 2, 2 * apart, half_normal(float(f"{error * 10 ** rng.uniform(-0.3, 0.5):.4g}"))
    law, df = [("student", 4.0), ("cauchy", 1.0)][rng.integers(2)]
    axes = [
        Axis(
            "Intercept_mean", stats.norm(m, width).logpdf, min(y.min(), m) - 3 * width, m + 4 * width, "line"
        ),
        scale_axis("Intercept_sd", sd, apart, 1e-4 * sd.size),
    ]
    priors = f"Intercept.mean ~ normal({m!r}, {width!r}), Intercept.sd ~ {sd.text}"
    formula = f"y ~ 1 | g, hierarchy(dist={law}), se(s), prior({priors})"
    density = heavy_tailed_studies(y, s, df, "Intercept_mean", "Intercept_sd")
    return Known("heavy-tailed studies", formula, data, axes, density)


def normal_studies(rng: Rng) -> Known:
    """The same under a normal hierarchy."""
    known = studies(rng)
    formula = f"y ~ 1 | g, hierarchy(), se(s){known.formula.partition('se(s)')[2]}"
    mean, sd = known.axes
    sd = replace(sd, low=sd.low - 12)  # one axis can afford it: no more than 1e-9 of the prior is left out
    m, width = (float(v) for v in known.formula.partition("normal(")[2].partition(")")[0].split(", "))
    y, count = known.data["y"].to_numpy(), len(known.data)
    whole = np.full((count, count), width**2)
    density = Normal(y, np.eye(count), np.full(count, m), whole, [(np.eye(count), (sd.name, sd.name))], [],
                     known.data["s"].to_numpy(), {mean.name: (m, whole[0])})  # fmt: skip
    return Known("normal studies", formula, known.data, [sd], density)


KINDS: tuple[Callable[[Rng], Known], ...] = (
    sigma_by_group, one_sigma, one_hierarchy, sigma_by_group, two_hierarchies, studies,
    sigma_by_group, correlated, prior_conflict, sigma_by_group, sigmas_and_hierarchy, normal_studies,
)  # fmt: skip


def known(number: int) -> Known:
    """Return a model; its kind goes round with its number."""
    return KINDS[number % len(KINDS)](np.random.default_rng([13, number]))
