"""The model's log-density against one written by hand in SciPy, from ``docs/statistics.md`` alone.

Each case is a formula and a function from the named quantities of that document (coefficients, the mean and sd of a
hierarchy, correlations, sigma, nu) to their joint log-density. PyMC works in unconstrained coordinates of its own choice;
the Jacobian from these to the named quantities is taken numerically, so nothing here knows how the model is parametrised.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytensor
import pytest
from scipy import stats
from scipy.special import gammaln

from formulajoint.compiler.plan import LinearPlan
from formulajoint.compiler.planning.plan import make_plan
from formulajoint.compiler.pymc.build import build_model
from formulajoint.design.bind import bind
from formulajoint.spec.read import parse

# The data: three groups of 4, 7 and 11 rows, a factor of three levels, everything far from symmetric.

RNG = np.random.default_rng(20)
G = np.repeat([0, 1, 2], [4, 7, 11])
N = len(G)
X = RNG.normal(2.0, 1.5, N)
Z = RNG.normal(-1.0, 0.7, N)
T = RNG.integers(0, 2, N).astype(float)
T[[0, 1]] = 0, 1
ARM = np.arange(N) % 3
W = RNG.integers(1, 4, N)
O = RNG.normal(0.0, 1.0, N)
H = np.arange(N) % 2
S = 0.5 + np.arange(N) % 5 / 4
Y = 40 + 3 * X + np.array([1.0, -4, 2])[G] + RNG.normal(0, 2, N)
DATA = pd.DataFrame(
    {"y": Y, "x": X, "z": Z, "t": T, "w": W, "o": O, "s": S}
    | {"g": np.array(["A", "B", "C"])[G], "arm": np.array(["a", "b", "c"])[ARM], "h": np.array(["u", "v"])[H]}
)
IS_B, IS_C = (ARM == 1) * 1.0, (ARM == 2) * 1.0

# Default priors, from the table of statistics.md.

CODED = 0.5  # s_x of 0/1 and coded columns


def sd(values):
    return values.std(ddof=1)


def slope(column, y=Y):
    """Prior sd of a slope: 2.5 s_y / s_x."""
    return 2.5 * sd(y) / (CODED if set(column) <= {0, 1} else sd(column))


def intercept(*columns, y=Y):
    """Prior sd of the intercept, S0."""
    return np.sqrt((2.5 * sd(y)) ** 2 + sum((slope(c, y) * c.mean()) ** 2 for c in columns))


def by(groups, values):
    """Mean and sd of the values of each group."""
    parts = [values[groups == g] for g in np.unique(groups)]
    return np.array([part.mean() for part in parts]), np.array([sd(part) for part in parts])


def within(groups, y=Y):
    """The sd within groups, all groups together."""
    return np.sqrt(((y - by(groups, y)[0][groups]) ** 2).sum() / (len(y) - len(np.unique(groups))))


def own_units(q, groups=G, y=Y, x=X):
    """Priors of intercepts and slopes where each of these groups has its own sigma."""
    means, sds = by(groups, y)
    slopes = 2.5 * sds / sd(x)
    away = slopes * by(groups, x)[0]
    return normal(q["Intercept"], means, np.hypot(2.5 * sds, away)) + normal(q["x"], 0, slopes)


def shared_units(q, groups, y=Y, x=X):
    """Priors of intercepts and slopes of which none belongs to a group with its own sigma."""
    size = 2.5 * within(groups, y) / sd(x)
    return normal(q["Intercept"], y.mean(), np.hypot(2.5 * sd(y), size * x.mean())) + normal(q["x"], 0, size)


def normal(value, mean=0.0, scale=1.0):
    return stats.norm.logpdf(value, mean, scale).sum()


def half_normal(value, scale):
    return stats.halfnorm.logpdf(value, scale=scale).sum()


def half_t(value, df=4, scale=None):
    return (np.log(2) + stats.t.logpdf(value, df, scale=sd(Y) if scale is None else scale)).sum()


def student(value, df, mean, scale):
    return stats.t.logpdf(value, df, mean, scale).sum()


def cauchy(value, mean, scale):
    return stats.cauchy.logpdf(value, mean, scale).sum()


def lkj(cor, eta=2.0):
    """Lewandowski, Kurowicka & Joe (2009), equations 16 and 17, as Stan writes the constant."""
    p = len(cor)
    k = np.arange(1, p)
    constant = (k / 2 * np.log(np.pi) + gammaln(eta + (p - 1 - k) / 2) - gammaln(eta + (p - 1) / 2)).sum()
    return (eta - 1) * np.linalg.slogdet(cor)[1] - constant


def pooled(columns, means, sds, cor=None):
    """Correlated normal coefficients of each group; `columns`, `means` and `sds` in the order of `cor`."""
    covariance = np.outer(sds, sds) * (np.eye(len(sds)) if cor is None else cor)
    return stats.multivariate_normal.logpdf(np.column_stack(columns), means, covariance).sum()


def rows(mean, sigma, y=Y, weights=1.0):
    return (weights * stats.norm.logpdf(y, mean, sigma)).sum()


# Cases.

type Density = Callable[[dict[str, np.ndarray]], float]


class Case(NamedTuple):
    formula: str
    density: Density
    options: dict[str, str]

    def plan(self):
        return make_plan(bind(parse(self.formula), DATA), **self.options)


CASES: list[Case] = []


def case(*formulas: str, **options: str):
    """Register a density of the model that each of `formulas` means."""

    def register(density: Density) -> Density:
        CASES.extend(Case(formula, density, options) for formula in formulas)
        return density

    return register


def line(q, columns=((X, "x"),), by=G):
    """Intercept and slopes of each group at each row."""
    return q["Intercept"][by] + sum(column * q[name][by] for column, name in columns)


# --- not pooled, common, no groups, offset, weights


@case("y ~ x | g", "y ~ 1 + x | g, joint(), rms(x, weights=equal), spread(weights=precision)")
def _(q):
    priors = normal(q["Intercept"], Y.mean(), intercept(X)) + normal(q["x"], 0, slope(X)) + half_t(q["sigma"])
    return priors + rows(line(q), q["sigma"])


@case("y ~ x + z", "y ~ x + z, sigma ~ 1")
def _(q):
    priors = normal(q["Intercept"], Y.mean(), intercept(X, Z)) + normal(q["x"], 0, slope(X))
    priors += normal(q["z"], 0, slope(Z)) + half_t(q["sigma"])
    return priors + rows(q["Intercept"] + q["x"] * X + q["z"] * Z, q["sigma"])


@case("y ~ x + common(z) | g", "y ~ common(z) + x | g")
def _(q):
    priors = normal(q["Intercept"], Y.mean(), intercept(X, Z)) + normal(q["x"], 0, slope(X))
    priors += normal(q["z"], 0, slope(Z)) + half_t(q["sigma"])
    return priors + rows(line(q) + q["z"] * Z, q["sigma"])


@case("y ~ 0 + common(1) + x | g")
def _(q):
    priors = normal(q["Intercept"], Y.mean(), intercept(X)) + normal(q["x"], 0, slope(X)) + half_t(q["sigma"])
    return priors + rows(q["Intercept"] + q["x"][G] * X, q["sigma"])


@case("y ~ 0 + x | g")
def _(q):
    return normal(q["x"], 0, slope(X)) + half_t(q["sigma"]) + rows(q["x"][G] * X, q["sigma"])


@case("y ~ t | g")
def _(q):  # s_x of a 0/1 column is 1/2, however rare the ones are
    priors = (
        normal(q["Intercept"], Y.mean(), intercept(T)) + normal(q["t"], 0, 5 * sd(Y)) + half_t(q["sigma"])
    )
    return priors + rows(line(q, [(T, "t")]), q["sigma"])


@case("y ~ arm | g")
def _(q):
    priors = normal(q["Intercept"], Y.mean(), intercept(IS_B, IS_C))
    priors += normal(q["arm"], 0, 5 * sd(Y)) + half_t(q["sigma"])
    arm = q["arm"][G]
    return priors + rows(q["Intercept"][G] + arm[:, 0] * IS_B + arm[:, 1] * IS_C, q["sigma"])


@case("y ~ x + common(arm) | g")
def _(q):
    priors = normal(q["Intercept"], Y.mean(), intercept(X, IS_B, IS_C)) + normal(q["x"], 0, slope(X))
    priors += normal(q["arm"], 0, 5 * sd(Y)) + half_t(q["sigma"])
    return priors + rows(line(q) + q["arm"][0] * IS_B + q["arm"][1] * IS_C, q["sigma"])


@case("y ~ 0 + arm | g")
def _(q):  # each coefficient is an arm's own level, expected where the response is
    priors = normal(q["arm"], Y.mean(), 2.5 * sd(Y)) + half_t(q["sigma"])
    return priors + rows(q["arm"][G, ARM], q["sigma"])


@case("y ~ arm * h | g")
def _(q):
    is_v = (H == 1) * 1.0
    crossed = [is_v * IS_B, is_v * IS_C]
    priors = normal(q["Intercept"], Y.mean(), intercept(IS_B, IS_C, is_v, *crossed)) + half_t(q["sigma"])
    priors += sum(normal(q[name], 0, 5 * sd(Y)) for name in ("arm", "h", "arm:h"))
    arm, h, both = q["arm"][G], q["h"][G][:, 0], q["arm:h"][G][:, :, 0]
    mean = q["Intercept"][G] + arm[:, 0] * IS_B + arm[:, 1] * IS_C + h * is_v
    return priors + rows(mean + both[:, 0] * crossed[0] + both[:, 1] * crossed[1], q["sigma"])


@case("y ~ arm:x + x | g")
def _(q):
    crossed = [IS_B * X, IS_C * X]
    priors = normal(q["Intercept"], Y.mean(), intercept(X, *crossed)) + half_t(q["sigma"])
    priors += normal(q["x"], 0, slope(X)) + normal(q["arm:x"], 0, [slope(c) for c in crossed])
    mean = line(q) + q["arm:x"][G][:, 0] * crossed[0] + q["arm:x"][G][:, 1] * crossed[1]
    return priors + rows(mean, q["sigma"])


CELLS = np.column_stack(
    [(ARM == a) * (H == h) * X for a in range(3) for h in range(2)]
)  # the last factor runs fastest
CELL_SLOPES = np.array([slope(c) for c in CELLS.T])


@case("y ~ 0 + common(1) + arm:h:x | g")
def _(q):  # a slope for each cell, each on its column's own scale
    priors = normal(q["Intercept"], Y.mean(), intercept(*CELLS.T)) + half_t(q["sigma"])
    cells = q["arm:h:x"].reshape(3, 6)
    return (
        priors + normal(cells, 0, CELL_SLOPES) + rows(q["Intercept"] + (cells[G] * CELLS).sum(1), q["sigma"])
    )


@case(
    "y ~ arm:h:x | g, hierarchy(arm:h:x, cor=false)",
    "y ~ arm:h:x | g, hierarchy(arm:h:x, cor=false, centered=true)",
)
def _(q):
    mean, sd_ = q["arm:h:x_mean"].ravel(), q["arm:h:x_sd"].ravel()
    total = normal(q["Intercept"], Y.mean(), intercept(*CELLS.T)) + half_t(q["sigma"])
    total += normal(mean, 0, CELL_SLOPES) + half_normal(sd_, CELL_SLOPES)
    cells = q["arm:h:x"].reshape(3, 6)
    return total + normal(cells, mean, sd_) + rows(q["Intercept"][G] + (cells[G] * CELLS).sum(1), q["sigma"])


@case("y ~ x + offset(o) | g")
def _(q):  # the coefficients describe y - o
    y = Y - O
    priors = normal(q["Intercept"], y.mean(), intercept(X, y=y)) + normal(q["x"], 0, slope(X, y))
    return priors + half_t(q["sigma"], scale=sd(y)) + rows(line(q), q["sigma"], y)


@case("y ~ x | g, weights(w)")
def _(q):  # a row of weight w is w rows, in every default prior too
    y, x, g = np.repeat(Y, W), np.repeat(X, W), np.repeat(G, W)
    priors = normal(q["Intercept"], y.mean(), intercept(x, y=y)) + normal(q["x"], 0, slope(x, y))
    return priors + half_t(q["sigma"], scale=sd(y)) + rows(q["Intercept"][g] + q["x"][g] * x, q["sigma"], y)


@case("y ~ x | g, se(s)", "y ~ x | g, se(s), family(gaussian), joint(weights=precision)")
def _(q):  # no sigma, and priors as without it
    priors = normal(q["Intercept"], Y.mean(), intercept(X)) + normal(q["x"], 0, slope(X))
    return priors + rows(line(q), S)


@case("y ~ common(x) | g, se(s), weights(w), hierarchy()")
def _(q):
    y, x, g, s = (np.repeat(values, W) for values in (Y, X, G, S))
    priors = normal(q["Intercept_mean"], y.mean(), intercept(x, y=y)) + normal(q["x"], 0, slope(x, y))
    priors += half_normal(q["Intercept_sd"], intercept(x, y=y))
    priors += normal(q["Intercept"], q["Intercept_mean"], q["Intercept_sd"])
    return priors + rows(q["Intercept"][g] + q["x"] * x, s, y)


@case("y ~ x | g, weights(w), family(student), sigma ~ 1 | g")
def _(q):
    y, x, g = np.repeat(Y, W), np.repeat(X, W), np.repeat(G, W)
    priors = own_units(q, g, y, x) + half_t(q["sigma"], scale=by(g, y)[1])
    priors += stats.gamma.logpdf(q["nu"], 2, scale=1 / 0.1)
    return priors + student(y, q["nu"], q["Intercept"][g] + q["x"][g] * x, q["sigma"][g])


# --- sigma and nu


@case(
    "y ~ x | g, sigma ~ 1 | g",
    "y ~ x | g, sigma ~ 1 | g, joint(weights=precision), joint(scale=sigma, name=d)",
)
def _(q):
    priors = own_units(q) + half_t(q["sigma"], scale=by(G, Y)[1])
    return priors + rows(line(q), q["sigma"][G])


@case("y ~ x | g, sigma ~ 1 | h")
def _(q):
    priors = shared_units(q, H) + half_t(q["sigma"], scale=by(H, Y)[1])
    return priors + rows(line(q), q["sigma"][H])


@case("y ~ x | g, sigma ~ 0 + common(1) | h")
def _(q):  # one for all
    priors = normal(q["Intercept"], Y.mean(), intercept(X)) + normal(q["x"], 0, slope(X)) + half_t(q["sigma"])
    return priors + rows(line(q), q["sigma"])


def sigma_pool(law, *df):
    """log sigma_g ~ law(m, s), with exp(m) ~ the prior of a sigma and s ~ HalfNormal(1)."""

    def density(q):
        priors = (
            shared_units(q, G) + half_t(q["sigma_mean"], scale=within(G)) + half_normal(q["sigma_sd"], 1.0)
        )
        priors += (
            law(np.log(q["sigma"]), *df, np.log(q["sigma_mean"]), q["sigma_sd"]) - np.log(q["sigma"]).sum()
        )
        return priors + rows(line(q), q["sigma"][G])

    return density


for form in ("centered=true", "centered=false"):
    start = f"y ~ x | g, sigma ~ 1 | g, hierarchy(sigma, {form}"
    case(start + ")")(sigma_pool(normal))
    case(start + ", dist=student)")(sigma_pool(student, 4))
    case(start + ", dist=student, df=7)")(sigma_pool(student, 7))
    case(start + ", dist=cauchy)")(sigma_pool(cauchy))


@case("y ~ x | g, sigma ~ x")
def _(q):
    priors = normal(q["Intercept"], Y.mean(), intercept(X)) + normal(q["x"], 0, slope(X))
    priors += normal(q["sigma_Intercept"], np.log(sd(Y)), 1) + normal(q["sigma_x"], 0, 1 / sd(X))
    return priors + rows(line(q), np.exp(q["sigma_Intercept"] + q["sigma_x"] * X))


@case("y ~ x | g, sigma ~ x + offset(o) + common(t) | h")
def _(q):
    priors = shared_units(q, H)
    priors += normal(q["sigma_Intercept"], np.log(by(H, Y)[1]), 1) + normal(q["sigma_x"], 0, 1 / sd(X))
    priors += normal(q["sigma_t"], 0, 2)
    return priors + rows(
        line(q), np.exp(q["sigma_Intercept"][H] + q["sigma_x"][H] * X + q["sigma_t"] * T + O)
    )


@case(
    "y ~ x | g, sigma ~ x | g, hierarchy(sigma)", "y ~ x | g, sigma ~ x | g, hierarchy(sigma, centered=true)"
)
def _(q):
    priors = shared_units(q, G)
    priors += normal(q["sigma_Intercept_mean"], np.log(within(G)), 1) + normal(
        q["sigma_x_mean"], 0, 1 / sd(X)
    )
    priors += half_normal(q["sigma_Intercept_sd"], 1) + half_normal(q["sigma_x_sd"], 1 / sd(X))
    own = [q["sigma_Intercept"], q["sigma_x"]]
    means, sds = ([q[f"sigma_{name}_{part}"] for name in ("Intercept", "x")] for part in ("mean", "sd"))
    priors += pooled(own, means, sds, q["sigma_g_cor"]) + lkj(q["sigma_g_cor"])
    return priors + rows(line(q), np.exp(own[0][G] + own[1][G] * X))


@case("y ~ x | g, sigma ~ x | g, hierarchy(sigma.x)")
def _(q):
    priors = own_units(q)
    priors += normal(q["sigma_Intercept"], np.log(by(G, Y)[1]), 1) + normal(q["sigma_x_mean"], 0, 1 / sd(X))
    priors += half_normal(q["sigma_x_sd"], 1 / sd(X)) + normal(
        q["sigma_x"], q["sigma_x_mean"], q["sigma_x_sd"]
    )
    return priors + rows(line(q), np.exp(q["sigma_Intercept"][G] + q["sigma_x"][G] * X))


@case("y ~ x | g, family(student)", "y ~ x | g, family(student), nu ~ 1, sigma ~ 1")
@case("y ~ x | g", family="student")
def _(q):
    priors = normal(q["Intercept"], Y.mean(), intercept(X)) + normal(q["x"], 0, slope(X)) + half_t(q["sigma"])
    priors += stats.gamma.logpdf(q["nu"], 2, scale=10)  # shape 2, rate 0.1
    return priors + student(Y, q["nu"], line(q), q["sigma"])


@case("y ~ x | g, family(student), nu ~ z")
def _(q):  # the prior mean of nu is 2 / 0.1
    priors = normal(q["Intercept"], Y.mean(), intercept(X)) + normal(q["x"], 0, slope(X)) + half_t(q["sigma"])
    priors += normal(q["nu_Intercept"], np.log(20), 1) + normal(q["nu_z"], 0, 1 / sd(Z))
    return priors + student(Y, np.exp(q["nu_Intercept"] + q["nu_z"] * Z), line(q), q["sigma"])


@case("y ~ x | g, family(student), nu ~ 1 | g, hierarchy(nu)")
def _(q):
    priors = normal(q["Intercept"], Y.mean(), intercept(X)) + normal(q["x"], 0, slope(X)) + half_t(q["sigma"])
    priors += stats.gamma.logpdf(q["nu_mean"], 2, scale=10) + half_normal(q["nu_sd"], 1)
    priors += normal(np.log(q["nu"]), np.log(q["nu_mean"]), q["nu_sd"]) - np.log(q["nu"]).sum()
    return priors + student(Y, q["nu"][G], line(q), q["sigma"])


# --- hierarchies


def mean_and_sd(q, *columns):
    """Priors of the hierarchy's means and sds, by name and column; an Intercept has no column of its own."""
    given = [column for _, column in columns if column is not None]
    total = 0.0
    for name, column in columns:
        location, scale = (Y.mean(), intercept(*given)) if column is None else (0.0, slope(column))
        total += normal(q[f"{name}_mean"], location, scale) + half_normal(q[f"{name}_sd"], scale)
    return total


def parts(q, *names):
    """Coefficients, means and sds of scalar terms."""
    return ([q[name + part] for name in names] for part in ("", "_mean", "_sd"))


def line_pool(law, *df):
    """Intercept and slope of each group, each pooled by itself."""

    def density(q):
        total = mean_and_sd(q, ("Intercept", None), ("x", X)) + half_t(q["sigma"])
        total += sum(law(q[n], *df, q[f"{n}_mean"], q[f"{n}_sd"]) for n in ("Intercept", "x"))
        return total + rows(line(q), q["sigma"])

    return density


def line_correlated(q):
    total = mean_and_sd(q, ("Intercept", None), ("x", X)) + half_t(q["sigma"])
    total += pooled(*parts(q, "Intercept", "x"), q["g_cor"]) + lkj(q["g_cor"])
    return total + rows(line(q), q["sigma"])


for form in ("centered=true", "centered=false"):
    case(f"y ~ x | g, hierarchy({form}, cor=false)")(line_pool(normal))
    case(f"y ~ x | g, hierarchy({form}, dist=student)")(line_pool(student, 4))
    case(f"y ~ x | g, hierarchy({form}, dist=student, df=2.5)")(line_pool(student, 2.5))
    case(f"y ~ x | g, hierarchy({form}, dist=cauchy)")(line_pool(cauchy))
    case(f"y ~ x | g, hierarchy({form})")(line_correlated)


@case("y ~ x | g, hierarchy(x, Intercept)", "y ~ x | g, hierarchy(x, Intercept, centered=true)")
def _(q):  # in the order named
    total = mean_and_sd(q, ("Intercept", None), ("x", X)) + half_t(q["sigma"])
    total += pooled(*parts(q, "x", "Intercept"), q["g_cor"]) + lkj(q["g_cor"])
    return total + rows(line(q), q["sigma"])


@case("y ~ x | g, hierarchy(x)", "y ~ x | g, hierarchy(x, centered=true)")
def _(q):
    total = normal(q["Intercept"], Y.mean(), intercept(X)) + half_t(q["sigma"])
    total += normal(q["x_mean"], 0, slope(X)) + half_normal(q["x_sd"], slope(X))
    return total + normal(q["x"], q["x_mean"], q["x_sd"]) + rows(line(q), q["sigma"])


@case("y ~ x + z | g, hierarchy(centered=true)", "y ~ x + z | g, hierarchy(centered=false)")
def three_columns(q):
    total = mean_and_sd(q, ("Intercept", None), ("x", X), ("z", Z)) + half_t(q["sigma"])
    total += pooled(*parts(q, "Intercept", "x", "z"), q["g_cor"]) + lkj(q["g_cor"])
    return total + rows(line(q, [(X, "x"), (Z, "z")]), q["sigma"])


@case("y ~ x + z | g, hierarchy(), prior(cor ~ lkj(5))")
def _(q):
    return three_columns(q) - lkj(q["g_cor"]) + lkj(q["g_cor"], 5.0)


@case("y ~ arm | g, hierarchy(centered=true)", "y ~ arm | g, hierarchy(centered=false)")
def _(q):  # columns: Intercept, arm[b], arm[c]
    location, scale = [Y.mean(), 0, 0], [intercept(IS_B, IS_C), 5 * sd(Y), 5 * sd(Y)]
    means, sds = (np.append(q[f"Intercept_{part}"], q[f"arm_{part}"]) for part in ("mean", "sd"))
    total = normal(means, location, scale) + half_normal(sds, scale) + half_t(q["sigma"])
    total += pooled([q["Intercept"], q["arm"]], means, sds, q["g_cor"]) + lkj(q["g_cor"])
    arm = q["arm"][G]
    return total + rows(q["Intercept"][G] + arm[:, 0] * IS_B + arm[:, 1] * IS_C, q["sigma"])


@case("y ~ arm | g, hierarchy(arm, cor=false)", "y ~ arm | g, hierarchy(arm, cor=false, centered=true)")
def _(q):
    total = normal(q["Intercept"], Y.mean(), intercept(IS_B, IS_C)) + half_t(q["sigma"])
    total += normal(q["arm_mean"], 0, 5 * sd(Y)) + half_normal(q["arm_sd"], 5 * sd(Y))
    total += normal(q["arm"], q["arm_mean"], q["arm_sd"])
    return total + rows(q["Intercept"][G] + (q["arm"][G] * np.column_stack([IS_B, IS_C])).sum(1), q["sigma"])


@case("y ~ arm:x | g, hierarchy(arm:x)", "y ~ arm:x | g, hierarchy(x:arm, centered=true)")
def _(q):  # a slope for each arm
    columns = np.column_stack([(ARM == a) * X for a in range(3)])
    scales = np.array([slope(c) for c in columns.T])
    total = normal(q["Intercept"], Y.mean(), intercept(*columns.T)) + half_t(q["sigma"])
    total += normal(q["arm:x_mean"], 0, scales) + half_normal(q["arm:x_sd"], scales) + lkj(q["g_cor"])
    total += pooled([q["arm:x"]], q["arm:x_mean"], q["arm:x_sd"], q["g_cor"])
    return total + rows(q["Intercept"][G] + (q["arm:x"][G] * columns).sum(1), q["sigma"])


@case("y ~ x | g, hierarchy(Intercept, centered=true), hierarchy(x, dist=cauchy, centered=false)")
def _(q):
    total = mean_and_sd(q, ("Intercept", None), ("x", X)) + half_t(q["sigma"])
    total += normal(q["Intercept"], q["Intercept_mean"], q["Intercept_sd"])
    total += cauchy(q["x"], q["x_mean"], q["x_sd"])
    return total + rows(line(q), q["sigma"])


@case("y ~ x + arm | g, hierarchy(Intercept, x), hierarchy(arm), prior(cor ~ lkj(1.5))")
def _(q):
    given, scales = [X, IS_B, IS_C], np.array([5 * sd(Y)] * 2)
    total = normal(q["Intercept_mean"], Y.mean(), intercept(*given)) + half_normal(
        q["Intercept_sd"], intercept(*given)
    )
    total += normal(q["x_mean"], 0, slope(X)) + half_normal(q["x_sd"], slope(X)) + half_t(q["sigma"])
    total += normal(q["arm_mean"], 0, scales) + half_normal(q["arm_sd"], scales)
    total += pooled(*parts(q, "Intercept", "x"), q["g_cor"]) + lkj(q["g_cor"], 1.5)
    total += pooled([q["arm"]], q["arm_mean"], q["arm_sd"], q["g_cor_"]) + lkj(q["g_cor_"], 1.5)
    return total + rows(line(q) + (q["arm"][G] * np.column_stack([IS_B, IS_C])).sum(1), q["sigma"])


@case("y ~ x + common(z) | g, hierarchy(), sigma ~ 1 | g, hierarchy(sigma), weights(w), family(student)")
def _(q):  # much at once
    y, x, z, g = (np.repeat(values, W) for values in (Y, X, Z, G))
    slopes = [2.5 * within(g, y) / sd(column) for column in (x, z)]
    s0 = np.sqrt((2.5 * sd(y)) ** 2 + (slopes[0] * x.mean()) ** 2 + (slopes[1] * z.mean()) ** 2)
    total = normal(q["Intercept_mean"], y.mean(), s0) + half_normal(q["Intercept_sd"], s0)
    total += (
        normal(q["x_mean"], 0, slopes[0]) + half_normal(q["x_sd"], slopes[0]) + normal(q["z"], 0, slopes[1])
    )
    total += pooled(*parts(q, "Intercept", "x"), q["g_cor"]) + lkj(q["g_cor"])
    total += half_t(q["sigma_mean"], scale=within(g, y)) + half_normal(q["sigma_sd"], 1.0)
    total += normal(np.log(q["sigma"]), np.log(q["sigma_mean"]), q["sigma_sd"]) - np.log(q["sigma"]).sum()
    total += stats.gamma.logpdf(q["nu"], 2, scale=10)
    return total + student(y, q["nu"], q["Intercept"][g] + q["x"][g] * x + q["z"] * z, q["sigma"][g])


# --- group terms: what is shared, and what deviates from it


def varying(q, names, over, cor=None, eta=2.0):
    """Deviations of some terms, correlated if `cor` names their correlations."""
    sds, found = [q[f"{name}|{over}_sd"] for name in names], [q[f"{name}|{over}"] for name in names]
    if cor is None:
        return sum(normal(own, 0.0, scale) for own, scale in zip(found, sds, strict=True))
    return pooled(found, np.zeros(len(sds)), sds, q[cor]) + lkj(q[cor], eta)


def shared_line(q):
    """Priors of the shared intercept and slope and of sigma."""
    total = normal(q["Intercept"], Y.mean(), intercept(X)) + normal(q["x"], 0, slope(X))
    return total + half_t(q["sigma"])


def sds_of(q, *names):
    """Priors of the sds of intercepts and slopes."""
    return sum(half_normal(q[n], intercept(X) if n.startswith("Intercept") else slope(X)) for n in names)


for form in ("", ", hierarchy(over=g, centered=true)", ", hierarchy(over=g, centered=false)"):

    @case(f"y ~ x + (1 + x | g){form}", f"y ~ x + (x | g){form}")
    def _(q):
        total = shared_line(q) + sds_of(q, "Intercept|g_sd", "x|g_sd")
        total += varying(q, ("Intercept", "x"), "g", "g_cor")
        own = q["Intercept"] + q["Intercept|g"][G] + (q["x"] + q["x|g"][G]) * X
        return total + rows(own, q["sigma"])


@case("y ~ x + (x || g)", "y ~ x + (1 | g) + (0 + x | g)", "y ~ x + (x | g), hierarchy(over=g, cor=false)")
def _(q):
    total = shared_line(q) + sds_of(q, "Intercept|g_sd", "x|g_sd") + varying(q, ("Intercept", "x"), "g")
    own = q["Intercept"] + q["Intercept|g"][G] + (q["x"] + q["x|g"][G]) * X
    return total + rows(own, q["sigma"])


@case("y ~ x + (0 + z | g)")
def _(q):  # z has no shared coefficient: its groups' coefficients vary about zero
    total = shared_line(q) + half_normal(q["z|g_sd"], slope(Z)) + varying(q, ("z",), "g")
    return total + rows(q["Intercept"] + q["x"] * X + q["z|g"][G] * Z, q["sigma"])


@case("y ~ x + (1 | g) + (1 + x | h)")
def _(q):
    total = shared_line(q) + sds_of(q, "Intercept|g_sd", "Intercept|h_sd", "x|h_sd")
    total += varying(q, ("Intercept",), "g") + varying(q, ("Intercept", "x"), "h", "h_cor")
    own = q["Intercept"] + q["Intercept|g"][G] + q["Intercept|h"][H] + (q["x"] + q["x|h"][H]) * X
    return total + rows(own, q["sigma"])


@case("y ~ x + (1 | h/arm)")
def _(q):  # the groups of arm within h, in the order h1:a, h1:b, ...
    total = shared_line(q) + sds_of(q, "Intercept|h_sd", "Intercept|h:arm_sd")
    total += varying(q, ("Intercept",), "h") + varying(q, ("Intercept",), "h:arm")
    own = q["Intercept"] + q["Intercept|h"][H] + q["Intercept|h:arm"][3 * H + ARM] + q["x"] * X
    return total + rows(own, q["sigma"])


@case("y ~ x + (1 + x | g), hierarchy(x, over=g, dist=student), prior(x.sd ~ half_normal(3), over=g)")
def _(q):  # a Student term drops its correlations
    total = shared_line(q) + sds_of(q, "Intercept|g_sd") + half_normal(q["x|g_sd"], 3)
    total += normal(q["Intercept|g"], 0, q["Intercept|g_sd"]) + student(q["x|g"], 4, 0, q["x|g_sd"])
    own = q["Intercept"] + q["Intercept|g"][G] + (q["x"] + q["x|g"][G]) * X
    return total + rows(own, q["sigma"])


@case("y ~ x + (x | g), prior(cor ~ lkj(5), Intercept.sd ~ gamma(2, 3), over=g)")
def _(q):
    total = shared_line(q) + sds_of(q, "x|g_sd") + stats.gamma.logpdf(q["Intercept|g_sd"], 2, scale=1 / 3)
    total += varying(q, ("Intercept", "x"), "g", "g_cor", 5.0)
    own = q["Intercept"] + q["Intercept|g"][G] + (q["x"] + q["x|g"][G]) * X
    return total + rows(own, q["sigma"])


@case("y ~ x, sigma ~ 1 + (1 | g)")
def _(q):
    total = normal(q["Intercept"], Y.mean(), intercept(X)) + normal(q["x"], 0, slope(X))
    total += normal(q["sigma_Intercept"], np.log(sd(Y)), 1) + half_normal(q["sigma_Intercept|g_sd"], 1)
    total += normal(q["sigma_Intercept|g"], 0, q["sigma_Intercept|g_sd"])
    sigma = np.exp(q["sigma_Intercept"] + q["sigma_Intercept|g"][G])
    return total + rows(q["Intercept"] + q["x"] * X, sigma)


@case("y ~ x + (1 | h) | g")
def _(q):
    total = normal(q["Intercept"], Y.mean(), intercept(X)) + normal(q["x"], 0, slope(X)) + half_t(q["sigma"])
    total += half_normal(q["Intercept|h_sd"], intercept(X)) + normal(q["Intercept|h"], 0, q["Intercept|h_sd"])
    return total + rows(line(q) + q["Intercept|h"][H], q["sigma"])


# --- written priors

REAL = {
    "normal(1, 3)": stats.norm(1, 3),
    "normal(sigma=3, mu=1)": stats.norm(1, 3),
    "normal(-1, 2^2)": stats.norm(-1, 4),
    "student_t(3, 1, 2)": stats.t(3, 1, 2),
    "cauchy(1, 2)": stats.cauchy(1, 2),
    "laplace(1, 2)": stats.laplace(1, 2),
    "uniform(-2, 5)": stats.uniform(-2, 7),
}
POSITIVE = {
    "half_normal(3)": stats.halfnorm(0, 3),
    "half_cauchy(3)": stats.halfcauchy(0, 3),
    "exponential(0.5)": stats.expon(scale=2),
    "gamma(3, 0.5)": stats.gamma(3, scale=2),
    "inverse_gamma(3, 2)": stats.invgamma(3, scale=2),
    "log_normal(1, 0.5)": stats.lognorm(0.5, scale=np.e),
    "uniform(1, 4)": stats.uniform(1, 3),
    "beta(2, 3)": stats.beta(2, 3),
}


def with_slope(law):
    def density(q):
        priors = normal(q["Intercept"], Y.mean(), intercept(X)) + half_t(q["sigma"])
        return priors + law.logpdf(q["x"]).sum() + rows(line(q), q["sigma"])

    return density


def with_sigma(law):
    def density(q):
        return own_units(q) + law.logpdf(q["sigma"]).sum() + rows(line(q), q["sigma"][G])

    return density


for spelling, law in (REAL | POSITIVE).items():
    case(f"y ~ x | g, prior(x ~ {spelling})")(with_slope(law))
for spelling, law in POSITIVE.items():
    case(f"y ~ x | g, sigma ~ 1 | g, prior(sigma ~ {spelling})")(with_sigma(law))


@case("y ~ x | g, prior(sigma ~ half_student_t(3, 2))")
def _(q):
    priors = normal(q["Intercept"], Y.mean(), intercept(X)) + normal(q["x"], 0, slope(X))
    return priors + half_t(q["sigma"], 3, 2) + rows(line(q), q["sigma"])


@case(
    "y ~ x | g, hierarchy(x, dist=cauchy), prior(x.mean ~ cauchy(0, 10), x.sd ~ constant(10), sigma ~ half_cauchy(10))"
)
def _(q):  # the model of the seed discussion
    total = normal(q["Intercept"], Y.mean(), intercept(X)) + stats.halfcauchy.logpdf(q["sigma"], 0, 10)
    return total + cauchy(q["x_mean"], 0, 10) + cauchy(q["x"], q["x_mean"], 10) + rows(line(q), q["sigma"])


@case("y ~ x | g, prior(Intercept ~ constant(40), sigma ~ constant(2))")
def _(q):
    return normal(q["x"], 0, slope(X)) + rows(40 + q["x"][G] * X, 2.0)


@case(
    "y ~ x | g, sigma ~ z | g, hierarchy(sigma, cor=false), prior(sigma.z.sd ~ gamma(2, 3), sigma.z.mean ~ normal(1, 2))"
)
def _(q):
    priors = shared_units(q, G)
    priors += normal(q["sigma_Intercept_mean"], np.log(within(G)), 1) + half_normal(
        q["sigma_Intercept_sd"], 1
    )
    priors += normal(q["sigma_z_mean"], 1, 2) + stats.gamma.logpdf(q["sigma_z_sd"], 2, scale=1 / 3)
    priors += sum(normal(q[n], q[f"{n}_mean"], q[f"{n}_sd"]) for n in ("sigma_Intercept", "sigma_z"))
    return priors + rows(line(q), np.exp(q["sigma_Intercept"][G] + q["sigma_z"][G] * Z))


@case("y ~ x | g, sigma ~ 1 | g, hierarchy(sigma), prior(sigma ~ exponential(2), sigma.sd ~ half_normal(3))")
def _(q):
    priors = shared_units(q, G)
    priors += stats.expon.logpdf(q["sigma_mean"], scale=0.5) + half_normal(q["sigma_sd"], 3)
    priors += normal(np.log(q["sigma"]), np.log(q["sigma_mean"]), q["sigma_sd"]) - np.log(q["sigma"]).sum()
    return priors + rows(line(q), q["sigma"][G])


@case("y ~ x | g, prior(x ~ student_t(3, 1, 2), x[B] ~ student_t(7, 0, 4), sigma ~ half_normal(1, scale=sd))")
def _(q):
    priors = normal(q["Intercept"], Y.mean(), intercept(X)) + half_normal(q["sigma"], sd(Y))
    priors += student(q["x"], np.array([3, 7, 3]), np.array([1, 0, 1]), np.array([2, 4, 2]))
    return priors + rows(line(q), q["sigma"])


@case(
    "y ~ x | g, sigma ~ 1 | g, prior(sigma ~ gamma(2, 1), sigma[C] ~ gamma(4, 3), x ~ normal(0.5, 2, scale=sd))"
)
def _(q):
    means, sds = by(G, Y)
    away = 2.5 * sds / sd(X) * by(G, X)[0]
    priors = normal(q["Intercept"], means, np.hypot(2.5 * sds, away)) + normal(q["x"], sds / 2, 2 * sds)
    priors += stats.gamma.logpdf(q["sigma"], [2, 2, 4], scale=1 / np.array([1, 1, 3])).sum()
    return priors + rows(line(q), q["sigma"][G])


# --- improper priors: flat on coefficients and hierarchy means, 1/sigma on sigma


@case("y ~ x + common(z) | g", priors="flat")
def _(q):
    return rows(line(q) + q["z"] * Z, q["sigma"]) - np.log(q["sigma"])


@case("y ~ x | g, sigma ~ 1 | g", priors="flat")
def _(q):
    return rows(line(q), q["sigma"][G]) - np.log(q["sigma"]).sum()


@case("y ~ x | g, hierarchy(), prior(Intercept.sd ~ half_normal(1))", priors="flat")
def _(q):
    total = half_normal(q["Intercept_sd"], 1) + half_normal(q["x_sd"], slope(X)) - np.log(q["sigma"])
    total += pooled(*parts(q, "Intercept", "x"), q["g_cor"]) + lkj(q["g_cor"])
    return total + rows(line(q), q["sigma"])


@case("y ~ x | g, sigma ~ 1 | g, hierarchy(sigma)", priors="flat")
def _(q):
    total = half_normal(q["sigma_sd"], 1) - np.log(q["sigma_mean"])
    total += normal(np.log(q["sigma"]), np.log(q["sigma_mean"]), q["sigma_sd"]) - np.log(q["sigma"]).sum()
    return total + rows(line(q), q["sigma"][G])


@case("y ~ x | g, prior(x ~ flat(), sigma ~ flat())")
def _(q):
    return normal(q["Intercept"], Y.mean(), intercept(X)) + rows(line(q), q["sigma"])


@case("y ~ x | g, family(student), prior(x ~ normal(0, 2))", priors="flat")
def _(q):  # 1/sigma is for the Gaussian
    priors = normal(q["x"], 0, 2) + half_t(q["sigma"]) + stats.gamma.logpdf(q["nu"], 2, scale=10)
    return priors + student(Y, q["nu"], line(q), q["sigma"])


# Comparison.


class Compiled:
    """The model's log-density and named quantities as functions of one vector of unconstrained coordinates."""

    def __init__(self, case: Case) -> None:
        plan = case.plan()
        model = build_model(plan)
        totals = {  # deviations take their place
            term.coefficient.name
            for part in plan.parameters
            if isinstance(part, LinearPlan)
            for pool in part.varying
            for term in pool.terms
            if term.mean_name
        }
        left_out = plan.auxiliary | totals
        names = [v.name for v in (*model.free_RVs, *model.deterministics) if v.name not in left_out]
        self.contrasts = {contrast.name for contrast in plan.contrasts} | {
            c.weights_name for c in plan.contrasts
        }
        self.names = names
        dims = [model.named_vars_to_dims.get(variable.name, ()) for variable in model.free_RVs]
        self.shapes = [tuple(len(model.coords[dim]) for dim in of) for of in dims]
        self.size = sum(int(np.prod(shape)) for shape in self.shapes)
        mode = pytensor.compile.Mode(linker="py", optimizer=None)
        quantities = model.replace_rvs_by_values([model[name] for name in names])
        self._quantities = pytensor.function(
            model.value_vars, quantities, mode=mode, on_unused_input="ignore"
        )
        self._log_density = pytensor.function(
            model.value_vars, model.logp(), mode=mode, on_unused_input="ignore"
        )

    def _values(self, point):
        ends = np.cumsum([int(np.prod(shape)) for shape in self.shapes])[:-1]
        return [part.reshape(shape) for part, shape in zip(np.split(point, ends), self.shapes, strict=True)]

    def log_density(self, point) -> float:
        return float(self._log_density(*self._values(point)))

    def quantities(self, point) -> dict[str, np.ndarray]:
        return dict(zip(self.names, self._quantities(*self._values(point)), strict=True))

    def coordinates(self, point) -> np.ndarray:
        """Return the named quantities as one vector, of a correlation matrix the part below the diagonal."""
        found = {k: v for k, v in self.quantities(point).items() if k not in self.contrasts}
        rows = [
            np.tril(v, -1)[np.tril_indices(len(v), -1)] if "_cor" in k else np.ravel(v)
            for k, v in found.items()
        ]
        return np.concatenate(rows)

    def log_jacobian(self, point, step=1e-4) -> float:
        """Return log |d named quantities / d unconstrained coordinates|."""
        shifts = step * np.eye(self.size)
        columns = [self.coordinates(point + s) - self.coordinates(point - s) for s in shifts]
        matrix = np.array(columns).T / (2 * step)
        assert matrix.shape[0] == matrix.shape[1], "the named quantities are not the model's parameters"
        return float(np.linalg.slogdet(matrix)[1])


def named(case: Case) -> str:
    return case.formula + "".join(f" {k}={v}" for k, v in case.options.items())


@pytest.mark.parametrize("case", CASES, ids=named)
def test_log_density(case):
    with pytensor.config.change_flags(traceback__limit=0):  # a quarter of the time
        model = Compiled(case)
    rng = np.random.default_rng(1)
    for _ in range(2):
        point = rng.normal(0, 0.8, model.size)
        expected = case.density(model.quantities(point)) + model.log_jacobian(point)
        np.testing.assert_allclose(model.log_density(point), expected, rtol=1e-8, atol=1e-5)
