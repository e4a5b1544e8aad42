"""What flat priors give back: averages with their t intervals, simultaneous intervals, calibrated probabilities.

Posteriors are drawn from their closed form, so that agreement is within Monte Carlo error and costs no sampler.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, optimize, stats
from statsmodels.stats.meta_analysis import combine_effects

import formulajoint as fj
from formulajoint.results.draws.posterior import Posterior

type ClosedForm = Callable[..., Posterior]

HERE = Path(__file__).parents[1]
AVERAGES = json.loads((HERE / "reference" / "averages.json").read_text())


def data(name: str) -> pd.DataFrame:
    return fj.tutoring() if name == "tutoring" else pd.read_csv(HERE / "data" / f"{name}.csv")


def lines(name: str) -> str:
    known = AVERAGES[name]
    return f"{known['response']} ~ {known['predictor']} | {known['group']}"


def fit_of(posterior: Posterior) -> fj.Fit:
    return fj.Fit(fj.JointModel(posterior.plan), posterior)


# --- averages


@pytest.mark.parametrize("name", AVERAGES)
def test_averages_have_the_classical_estimates_and_t_intervals(closed_form: ClosedForm, name: str) -> None:
    fit = fit_of(closed_form(lines(name), data(name), draws=5000))
    for weights, known in AVERAGES[name]["averages"].items():
        row = fit.contrast(f"joint({AVERAGES[name]['predictor']}, weights={weights})").iloc[0]
        sd = row["sd"]
        assert row["mean"] == pytest.approx(known["estimate"], abs=4 * sd / np.sqrt(20_000))
        for end, limit in (("hdi_low", "lower95"), ("hdi_high", "upper95")):
            assert row[end] == pytest.approx(known[limit], abs=0.15 * sd)
        draws = np.sort(np.ravel(_joint(fit, AVERAGES[name]["predictor"], weights)))
        below = np.searchsorted(draws, [known["lower95"], known["upper95"]]) / draws.size
        np.testing.assert_allclose(below, [0.025, 0.975], atol=4 * np.sqrt(0.025 * 0.975 / draws.size))


def _joint(fit: fj.Fit, predictor: str, weights: str) -> np.ndarray:
    """Return draws of an average of the slopes, by weights computed without the package."""
    grouping = fit.model.design.predictor.grouping
    x = fit.model.design.predictor.per_group[1].columns[:, 0]
    groups = [x[grouping.codes == g] for g in range(len(grouping))]
    raw = {
        "n": [len(v) for v in groups],
        "equal": [1.0] * len(groups),
        "precision": [v.var() * len(v) for v in groups],
    }
    w = np.array(raw[weights]) / np.sum(raw[weights])
    return fit.posterior[predictor].to_numpy() @ w


# --- simultaneous intervals: the two-sided quantile of a multivariate t, which multcomp's are


def quantile_of_independent(q: int, df: float, probability: float) -> float:
    """Return k with P(|T_1|, ..., |T_q| all below k) for independent numerators over one sigma, by quadrature."""

    def reached(k: float) -> float:
        def given(v: float) -> float:  # v = chi-square / df
            inside = 2 * stats.norm.cdf(k * np.sqrt(v)) - 1
            return float(inside**q * stats.chi2.pdf(df * v, df) * df)

        return integrate.quad(given, 0, 6, limit=200)[0] - probability

    return float(optimize.brentq(reached, 1, 10))


def reach(bands: pd.DataFrame, df: float) -> tuple[np.ndarray, np.ndarray]:
    """Return half-widths of a band in standard errors, and their Monte Carlo errors."""
    se = bands["sd"] * np.sqrt((df - 2) / df)
    k = (bands["high"] - bands["low"]) / 2 / se
    return k.to_numpy(), ((bands["high_mcse"] + bands["low_mcse"]) / 2 / se).to_numpy()


@pytest.mark.parametrize("name", ["sleepstudy", "pigs", "iris", "warpbreaks_tension", "tutoring"])
def test_bands_of_slopes_are_multcomps(closed_form: ClosedForm, name: str) -> None:
    """Slopes of different groups are independent but for the common sigma."""
    posterior, x = closed_form(lines(name), data(name), draws=4000), AVERAGES[name]["predictor"]
    design = posterior.plan.design
    q, df = len(design.predictor.grouping), design.rows.used - 2 * len(design.predictor.grouping)
    for prob in (0.8, 0.95):
        k, error = reach(fit_of(posterior).bands(f"{x} == 0", prob), df)
        expected = quantile_of_independent(q, df, prob)
        assert np.all(error < 0.1)
        assert abs(np.mean(k) - expected) < 4 * np.mean(error)
    few = reach(fit_of(closed_form(lines(name), data(name), draws=250)).bands(f"{x} == 0"), df)[1]
    assert np.mean(few) > 2 * np.mean(error), "bands agree better as draws grow"


def test_bands_of_all_pairs_of_a_balanced_design_are_tukeys(closed_form: ClosedForm) -> None:
    """Eighteen subjects on the same days: the studentized range over the root of two."""
    posterior = closed_form(lines("sleepstudy"), data("sleepstudy"), draws=4000)
    labels = posterior.plan.design.predictor.grouping.labels
    pairs = [f"Days[{a}] == Days[{b}]" for i, a in enumerate(labels) for b in labels[i + 1 :]]
    bands = fit_of(posterior).bands(", ".join(pairs))
    k, error = reach(bands, 144)
    assert len(k) == 153
    expected = stats.studentized_range.ppf(0.95, 18, 144) / np.sqrt(2)
    assert abs(np.mean(k) - expected) < 4 * np.mean(error) < 0.2


def test_bands_against_one_group_are_dunnetts(closed_form: ClosedForm) -> None:
    """Woolly yarn: an intercept a tension, each against the first; SciPy's Dunnett gives the intervals."""
    rng = np.random.default_rng(4)
    frame = pd.DataFrame({"y": rng.normal(size=40), "g": np.repeat(list("ABCD"), [7, 9, 11, 13])})
    bands = fit_of(closed_form("y ~ 1 | g", frame, draws=10_000)).bands("Intercept == Intercept[A]")
    samples = [group["y"].to_numpy() for _, group in frame.groupby("g")]
    known = stats.dunnett(*samples[1:], control=samples[0], rng=np.random.default_rng(5)).confidence_interval(
        0.95
    )
    for end in ("low", "high"):
        difference = bands[end].to_numpy() - getattr(known, end)
        assert np.all(abs(difference) < 4 * bands[f"{end}_mcse"] + 0.01)  # SciPy's own error is about 0.003


# --- calibration: benchmarks/calibration_tests.py has the long version


def slopes(effects: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return draws (4, 200, 4) of the slopes of four simulated regressions with one sigma, under flat priors."""
    x = rng.normal(size=(4, 9))
    x -= x.mean(axis=1, keepdims=True)
    y = effects[:, None] * x + rng.normal(size=x.shape)
    information = np.sum(x**2, axis=1)
    estimate = np.sum(x * y, axis=1) / information
    squares = np.sum((y - y.mean(axis=1, keepdims=True) - estimate[:, None] * x) ** 2)
    sigma = np.sqrt(squares / rng.chisquare(28, (4, 200, 1)))
    return estimate + sigma * rng.normal(size=(4, 200, 4)) / np.sqrt(information)


def test_contour_and_band_are_uniform_under_true_nulls() -> None:
    rng, found = np.random.default_rng(6), []
    for _ in range(250):
        row = fj.joint_test(slopes(np.full(4, 2.0), rng), "draws == A", groups=list("ABCD")).iloc[0]
        found.append((row["contour"], row["gbpv"]))
    for values in np.transpose(found):
        assert stats.kstest(values, "uniform").pvalue > 0.01
        assert np.mean(values < 0.1) == pytest.approx(0.1, abs=0.06)


def test_effects_of_opposite_sign_escape_the_mean_and_not_the_test() -> None:
    rng, missed, seen = np.random.default_rng(7), 0, 0
    for _ in range(100):
        draws = slopes(np.array([1.0, -1.0, 1.0, -1.0]), rng)
        low, high = np.quantile(draws.mean(axis=2), [0.025, 0.975])
        missed += low < 0 < high
        seen += fj.joint_test(draws)["contour"].item() < 0.05
    assert missed > 85
    assert seen > 95


# --- meta-analysis


def test_the_joint_contrast_by_precision_is_the_fixed_effect_estimate() -> None:
    schools = data("eight_schools")
    y, se = schools["y"].to_numpy(), schools["sigma"].to_numpy()
    known = combine_effects(y, se**2).summary_frame().loc["fixed effect"]
    estimate, sd = np.sum(y / se**2) / np.sum(1 / se**2), np.sum(1 / se**2) ** -0.5
    assert (estimate, sd) == pytest.approx((known["eff"], known["sd_eff"]))
    fit = fj.fit(
        "y ~ 1 | school, se(sigma), joint(Intercept, weights=precision)",
        schools,
        priors="flat",
        seed=1,
        progress=False,
    )
    assert fit.engine == "exact"
    row, count = fit.contrasts().loc["joint_Intercept"], 4000
    assert row["mean"] == pytest.approx(estimate, abs=4 * sd / np.sqrt(count))
    assert row["sd"] == pytest.approx(sd, rel=4 / np.sqrt(2 * count))
    own = fit.posterior["Intercept"]
    np.testing.assert_allclose(own.mean(("chain", "draw")), y, atol=4 * 18 / np.sqrt(count))
    np.testing.assert_allclose(own.std(("chain", "draw")) / se, np.ones(8), atol=4 / np.sqrt(2 * count))
    (test,) = fit.test("Intercept == Intercept[A]").to_dict("records")
    assert test["contour"] == pytest.approx(test["p_value"], abs=4 * test["contour_mcse"])
