"""Scales of single groups integrated out: the same posterior as with all of them among phi, and integrals by SciPy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import integrate, stats

import formulajoint as fj
from formulajoint.inference.gaussian.applies import why_not
from formulajoint.inference.gaussian.draws import draw, sample_scales
from formulajoint.inference.gaussian.inside import Inside
from formulajoint.inference.gaussian.marginal import given_shared, kernel
from formulajoint.inference.gaussian.owners import inside
from formulajoint.inference.gaussian.reduction import Reduction, reduce
from formulajoint.inference.gaussian.starts import look
from formulajoint.inference.gaussian.target import log_posterior
from formulajoint.inference.gaussian.units import units
from formulajoint.inference.importance.pools import sample

type Array = NDArray[np.float64]


def data(groups: int, rows: int, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(groups), rows)
    x, noise = rng.normal(size=len(g)), np.exp(rng.normal(0, 0.5, groups))
    y = 2 + rng.normal(0, 1, groups)[g] + (1 + rng.normal(0, 0.3, groups)[g]) * x
    made = {"y": y + noise[g] * rng.normal(size=len(g)), "x": x, "g": [f"g{i:02d}" for i in g], "d": g // 2}
    return pd.DataFrame(made | {"z": rng.normal(size=len(g)), "w": rng.normal(size=len(g))})


def reduction(formula: str, frame: pd.DataFrame) -> Reduction:
    return reduce(fj.model(formula, frame).plan)


FORMULAS = {
    "nothing a group": "y ~ x, sigma ~ 1 | g",
    "one element of theta": "y ~ 1 + common(x) | g, sigma ~ 1 | g",
    "a heavy prior of theta": "y ~ x, sigma ~ 1 | g, prior(x ~ student_t(3, 0, 2))",
    "a hierarchy": "y ~ 1 + common(x) | g, hierarchy(), sigma ~ 1 | g",
    "a correlated hierarchy": "y ~ x | g, hierarchy(), sigma ~ 1 | g",
    "a student hierarchy": "y ~ 1 + common(x) | g, hierarchy(dist=student)",
    "a cauchy hierarchy": "y ~ 1 | g, hierarchy(dist=cauchy)",
    "groups within groups of sigma": "y ~ 1 + common(x) | g, hierarchy(), sigma ~ 1 | d",
    "in residual sds": "y ~ x | g, hierarchy(x, scale=sigma), sigma ~ 1 | g",
    "all in residual sds": "y ~ x | g, hierarchy(scale=sigma), sigma ~ 1 | g",
    "in sds within groups of sigma": "y ~ x | g, hierarchy(x, scale=sigma), sigma ~ 1 | d",
    "in sds and in points, with a known mean": """y ~ x + z + common(w) | g, hierarchy(x, scale=sigma), hierarchy(z),
        sigma ~ 1 | g, prior(x.mean ~ constant(0.5), sigma ~ log_normal(0, 1))""",
}

HIERARCHIES_OF_SIGMA = {
    "a hierarchy of sigmas": "y ~ 1 + common(x) | g, sigma ~ 1 | g, hierarchy(sigma)",
    "a student hierarchy of sigmas": """y ~ x | g, hierarchy(x, scale=sigma), sigma ~ 1 | g,
        hierarchy(sigma, dist=student)""",
}


@pytest.mark.parametrize("name", FORMULAS)
def test_both_arrangements_have_the_same_evidence_and_scales(name: str) -> None:
    made = reduction(FORMULAS[name], data(6 if "within" in name else 4, 8))
    assert units(made.structure) is not None
    seeds = np.random.SeedSequence(1).spawn(2)
    one = sample_scales(kernel(made), 500, 4, seeds[0])
    where = look(made, np.random.default_rng(1))
    other = sample(log_posterior(kernel(made)), where, 500, 4, seeds[1])
    error = np.hypot(one.error, other.error)
    assert abs(one.log_integral - other.log_integral) < 4.5 * error + 1e-4
    both = [each.points[0].reshape(2000, -1) for each in (one, other)]
    for a, b in zip(both[0].T, both[1].T, strict=True):
        assert abs(a.mean() - b.mean()) < 4.5 * np.hypot(a.std(), b.std()) / np.sqrt(2000 / 1.3)
        assert 0.85 < a.std() / b.std() < 1.18


@pytest.mark.parametrize(
    "name",
    [
        *("one element of theta", "a correlated hierarchy", "a cauchy hierarchy", "all in residual sds"),
        *("in sds and in points, with a known mean", "in sds within groups of sigma", *HIERARCHIES_OF_SIGMA),
    ],
)
def test_the_integral_over_each_scale_is_that_of_scipy(name: str) -> None:
    made = reduction((FORMULAS | HIERARCHIES_OF_SIGMA)[name], data(4, 8))
    own = units(made.structure)
    assert own is not None
    density, where = inside(kernel(made), own, np.random.default_rng(1))
    points = where.starts[[0, 50, 130]]
    with_all = [_by_scipy(density, points[i : i + 1]) for i in range(3)]
    assert np.allclose(density.log_density(points), with_all, atol=2e-5)


def _by_scipy(density: Inside, point: Array) -> float:
    """The log density with every scale integrated by SciPy, from `given_shared` and the prior of that scale."""
    at = density.at(point)
    own = density.units

    def heights(unit: int, log_scale: float) -> float:
        values = at.values.copy()
        values[:, own.cells[unit]] = np.exp(log_scale)
        groups, sigmas = given_shared(density.kernel, values, at.shift)
        found = sigmas[0, unit] if own.sigmas else groups[0, unit]
        if own.sigmas and groups.shape[1]:
            found += groups[0, density.kernel.reduction.structure.sigma_of_group == unit].sum()
        if own.pool is not None:
            middle, sd = np.log(values[0, own.pool.middle]), values[0, own.pool.sd]
            law = stats.norm if own.pool.standard.normal else stats.t(4)
            return float(found + law.logpdf((log_scale - middle) / sd) - np.log(sd))
        return float(found + own.coordinates[unit].log_prior(np.array(log_scale)))

    total = float(density._prior(point, at.shift)[0])
    if not own.sigmas:
        total += float(np.sum(given_shared(density.kernel, at.values, at.shift)[1]))
    for unit in range(len(own.cells)):
        grid = np.linspace(density.guess[unit] - 12, density.guess[unit] + 8, 400)
        peak = max(heights(unit, t) for t in grid)
        pieces = [
            integrate.quad(lambda t, u=unit, top=peak: np.exp(heights(u, t) - top), *ends)[0]
            for ends in zip(grid[:-1:57], [*grid[57::57], grid[-1] + 20], strict=False)
        ]
        total += peak + np.log(sum(pieces))
    return total


def test_what_conflicts_with_a_prior_of_its_own_is_seen() -> None:
    """Two groups whose intercepts have priors that are tight and wrong: each sigma is small or large, at one theta."""
    frame = data(3, 30).assign(y=lambda d: 10 + 0.05 * d.x + 0.01 * d.y)
    formula = (
        "y ~ 1 + common(x) | g, sigma ~ 1 | g, prior(Intercept ~ normal(0, 1.1), sigma ~ half_cauchy(5))"
    )
    made = reduction(formula, frame)
    own = units(made.structure)
    assert own is not None
    density, _ = inside(kernel(made), own, np.random.default_rng(1))
    found = draw(made, 200, 4, 1)
    where = look(made, np.random.default_rng(1))
    other = sample(log_posterior(kernel(made)), where, 200, 4, np.random.SeedSequence(1))
    assert density.wide or abs(found.log_evidence - other.log_integral) < 5 * other.error
    assert abs(found.log_evidence - other.log_integral) < 5 * other.error + 0.01


def test_more_sigmas_than_can_be_sampled_at_once() -> None:
    frame = data(30, 6)
    plan = fj.model("y ~ 1 + common(x) | g, sigma ~ 1 | g", frame).plan
    assert why_not(plan) is None
    found = draw(reduce(plan), 200, 4, 1)
    assert found.values.shape == (4, 200, 30)
    many = why_not(fj.model("y ~ 1 + common(x) | g, sigma ~ 1 | g", data(10_001, 2)).plan)
    assert many is not None
    assert "more than" in many.reason


def test_the_same_seed_gives_the_same_draws() -> None:
    made = reduction(FORMULAS["a correlated hierarchy"], data(4, 8))
    one, again = (draw(made, 50, 2, 3) for _ in range(2))
    assert np.array_equal(one.values, again.values)
    assert np.array_equal(one.beta, again.beta)


# --- against a sum over slope and sigmas


def by_grid(frame: pd.DataFrame, log_prior: Callable[[Array], Array], slope_sd: float) -> tuple[float, float]:
    """Return log evidence and sd of the slope of ``y ~ 1 + common(x) | g, sigma ~ 1 | g`` with the priors below.

    Given the slope and a group's sigma its intercept integrates out; the sigma is summed over a fine grid of its log,
    the slope over a grid about where the groups' own slopes are.
    """
    parts = []
    for _, own in frame.groupby("g"):
        x, y = own["x"].to_numpy(), own["y"].to_numpy() - 2.0
        away = x - x.mean()
        slope = float(away @ y / (away @ away))
        left = y - y.mean() - slope * away  # no difference of large squares
        parts.append((len(own), x.mean(), y.mean(), float(away @ away), slope, float(left @ left)))
    squares = np.array([part[3] for part in parts])
    slopes = np.array([part[4] for part in parts])
    sds = np.array([np.sqrt(rest / n) for n, *_, rest in parts])
    reach = 40 * sds.max() / np.sqrt(squares.min()) + 3 * np.ptp(slopes)
    middle = np.average(slopes, weights=squares / sds**2)
    moves = np.linspace(-reach, reach, 8001)
    t = np.linspace(np.log(sds.min()) - 5, np.log(frame["y"].std()) + 4, 6000)
    s2, own_prior = np.exp(2 * t), log_prior(np.exp(t)) + t + np.log(t[1] - t[0])
    total = stats.norm.logpdf(middle + moves, 0, slope_sd) + np.log(moves[1] - moves[0])
    for n, mean_x, mean_y, xx, slope, left in parts:
        for cut in np.array_split(np.arange(len(moves)), 40):
            rest = left + (middle - slope + moves[cut]) ** 2 * xx
            away = mean_y - (middle + moves[cut]) * mean_x
            spread = 25.0 + s2 / n
            logs = (
                own_prior
                - 0.5 * ((n - 1) * np.log(2 * np.pi * s2) + np.log(n) + np.log(2 * np.pi * spread))
                - 0.5 * (rest[:, None] / s2 + away[:, None] ** 2 / spread)
            )
            total[cut] += np.logaddexp.reduce(logs, axis=1)
    evidence = float(np.logaddexp.reduce(total))
    mass = np.exp(total - evidence)
    return evidence, float(np.sqrt(mass @ moves**2 - (mass @ moves) ** 2))


PRIORS = {
    "log_normal(-1.2, 0.1)": stats.lognorm(0.1, scale=np.exp(-1.2)).logpdf,
    "gamma(10000, 30000)": stats.gamma(10_000, scale=1 / 30_000).logpdf,
    "half_normal(0.01)": stats.halfnorm(scale=0.01).logpdf,
    "half_cauchy(3)": stats.halfcauchy(scale=3).logpdf,
}


def three_groups(noise: float, rows: int = 20) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    g, x = np.repeat(np.arange(3), rows), rng.normal(size=3 * rows)
    return pd.DataFrame({"x": x, "g": g, "y": 1.0 + g + 0.5 * x + noise * rng.normal(size=3 * rows)})


@pytest.mark.parametrize("prior", PRIORS)
def test_priors_that_know_the_sigmas_as_well_as_the_rows_do(prior: str) -> None:
    """Its prior makes the density of a sigma narrower than the rows do, or moves it to where the rows deny it."""
    frame = three_groups(0.3)
    formula = f"y ~ 1 + common(x) | g, sigma ~ 1 | g, prior(Intercept ~ normal(2, 5), x ~ normal(0, 2), sigma ~ {prior})"
    fit = fj.fit(formula, frame, engine="exact", seed=1)
    evidence, sd = by_grid(frame, PRIORS[prior], 2.0)
    assert fit.log_evidence.value == pytest.approx(evidence, abs=1e-3)
    assert fit.posterior["x"].std().item() == pytest.approx(sd, rel=0.06)


@pytest.mark.parametrize(
    ("noise", "rows", "slope_sd"), [(0.3, 20, 1e8), (1e-5, 20, 2.0), (1e-8, 20, 2.0), (1e-4, 1000, 2.0)]
)
def test_posteriors_far_narrower_than_the_prior(noise: float, rows: int, slope_sd: float) -> None:
    frame = three_groups(noise, rows)
    formula = (
        "y ~ 1 + common(x) | g, sigma ~ 1 | g, prior(Intercept ~ normal(2, 5), sigma ~ half_cauchy(3), "
        f"x ~ normal(0, {slope_sd:.0f}))"
    )
    fit = fj.fit(formula, frame, engine="exact", seed=1)
    evidence, sd = by_grid(frame, PRIORS["half_cauchy(3)"], slope_sd)
    assert fit.log_evidence.value == pytest.approx(evidence, abs=1e-2)
    assert fit.posterior["x"].std().item() == pytest.approx(sd, rel=0.06)


@pytest.mark.parametrize("df", [30, 100, 10_000])
def test_a_student_hierarchy_of_many_degrees_of_freedom_is_almost_a_normal_one(df: int) -> None:
    frame = pd.DataFrame(
        {
            "y": [0.1, -0.2, 0.3, 0.05, 0.15, 1.0, -0.6],
            "s": [0.3, 0.2, 0.4, 0.25, 0.3, 0.5, 0.4],
            "g": list("abcdefg"),
        }
    )
    normal = fj.fit("y ~ 1 | g, hierarchy(), se(s)", frame, seed=1).log_evidence.value
    found = fj.fit(f"y ~ 1 | g, hierarchy(dist=student, df={df}), se(s)", frame, seed=1).log_evidence
    assert found.value == pytest.approx(normal, abs=0.6 / df + 5 * found.error)


def test_flat_priors_of_the_groups_own_coefficients() -> None:
    """Their rows are fitted perfectly and say nothing of sigma: the same as very wide priors."""
    frame = three_groups(0.3)
    flat, wide = (
        fj.fit(f"y ~ 1 + common(x) | g, sigma ~ 1 | g, prior(Intercept ~ {prior})", frame, seed=1, draws=4000)
        for prior in ("flat()", "normal(2, 1000)")
    )
    for name in ("x", "sigma", "Intercept"):
        one, other = (fit.posterior[name].to_numpy().reshape(16_000, -1) for fit in (flat, wide))
        assert np.allclose(one.mean(axis=0), other.mean(axis=0), atol=0.05 * one.std(axis=0).max())
        assert np.allclose(one.std(axis=0), other.std(axis=0), rtol=0.05)


def test_scales_are_drawn_where_the_prior_of_a_slope_contradicts_the_rows() -> None:
    """The slope's density by quadrature over each sigma, the intercepts integrated out in closed form."""
    frame = data(2, 12)
    frame["y"] = np.where(frame["g"] == "g00", 12, -10) * frame["x"] + frame["y"]
    formula = """y ~ 1 + common(x) | g, sigma ~ 1 | g,
        prior(sigma ~ exponential(0.4), Intercept ~ normal(2, 2), x ~ normal(-68, 3))"""
    slopes, logs = np.linspace(-75, -40, 701), np.linspace(-1, 7, 801)
    total = stats.norm.logpdf(slopes, -68, 3)
    for _, own in frame.groupby("g"):
        left = own["y"].to_numpy() - slopes[:, None] * own["x"].to_numpy() - 2  # (slopes, rows)
        count, s = left.shape[1], np.exp(logs)
        spread = s**2 + count * 2.0**2
        squares, sums = np.sum(left**2, axis=1)[:, None], np.sum(left, axis=1)[:, None]
        quadratic = squares / s**2 - 2.0**2 * sums**2 / (s**2 * spread)
        density = -((count - 1) * 2 * logs + np.log(spread) + quadratic) / 2 - 0.4 * s + logs
        total = total + np.logaddexp.reduce(density, axis=1)
    weights = np.exp(total - np.max(total))
    mean = np.sum(weights * slopes) / np.sum(weights)
    sd = np.sqrt(np.sum(weights * (slopes - mean) ** 2) / np.sum(weights))
    found = fj.fit(formula, frame, seed=1).posterior["x"].to_numpy().ravel()
    assert abs(found.mean() - mean) < 4.5 * sd / np.sqrt(found.size)
    assert abs(found.std() - sd) < 4.5 * sd / np.sqrt(2 * found.size)
