"""Results do not depend on the units in which one group was measured: its own defaults are in its own units.

Where sigma is given by group, multiplying and shifting the response of one group changes the estimates of that group by
the same factor, and nothing else: not the contrasts in sds, not the joint tests, not the Bayes factors.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

import formulajoint as fj
from formulajoint.errors import DataError

type Array = NDArray[np.float64]

MEASURED = "test_score ~ treatment | school, sigma ~ 1 | school, joint(weights=n, scale=sigma)"
TESTS = ["treatment == 0", "treatment[{0}] == 0", "treatment > 0", "treatment[{0}] > 0"]
DIGITS = {"rtol": 1e-6, "atol": 1e-9}


def generated(seed: int) -> pd.DataFrame:
    """Return schools of two to nine pupils, some treated in each but the last."""
    rng = np.random.default_rng(seed)
    rows = rng.integers(2, 10, 5)
    school = np.repeat(list("ABCDE"), rows)
    treatment = np.concatenate([rng.permutation(np.arange(n) % 2) for n in rows]) * (school != "E")
    score = 50 + 4 * treatment + rng.normal(0, 6, len(school))
    return pd.DataFrame({"school": school, "treatment": treatment, "test_score": score})


def in_other_units(frame: pd.DataFrame, school: str, factor: float, shift: float) -> pd.DataFrame:
    score = frame["test_score"].to_numpy(float)
    return frame.assign(test_score=np.where(frame["school"] == school, factor * score + shift, score))


def fitted(frame: pd.DataFrame, formula: str = MEASURED) -> fj.Fit:
    return fj.fit(formula, frame, engine="exact", seed=3, draws=500, chains=2)


@pytest.mark.parametrize("seed", [None, 0, 1])
@pytest.mark.parametrize(("factor", "shift"), [(100.0, 7.0), (0.02, -300.0)])
def test_nothing_changes_when_one_school_is_measured_in_other_units(
    seed: int | None, factor: float, shift: float
) -> None:
    frame = fj.tutoring() if seed is None else generated(seed)
    one, other = (fitted(each) for each in (frame, in_other_units(frame, "B", factor, shift)))
    np.testing.assert_allclose(one.posterior["joint_treatment"], other.posterior["joint_treatment"], **DIGITS)
    slopes = one.posterior["treatment"].to_numpy()
    slopes[..., 1] *= factor
    np.testing.assert_allclose(slopes, other.posterior["treatment"].to_numpy(), **DIGITS)
    for text in TESTS:
        found, changed = (fit.test(text.format("A")).select_dtypes("number") for fit in (one, other))
        np.testing.assert_allclose(found.to_numpy(float), changed.to_numpy(float), **DIGITS)


@st.composite
def _studies(draw: st.DrawFn) -> pd.DataFrame:
    """Draw a study of schools of two pupils and more, whose scores vary."""
    schools = []
    for place in range(draw(st.integers(2, 5))):
        rows = draw(st.integers(2, 9))
        scores = draw(
            st.lists(st.integers(0, 60), min_size=rows, max_size=rows).filter(lambda s: len(set(s)) > 1)
        )
        treated = draw(st.lists(st.integers(0, 1), min_size=rows, max_size=rows))
        schools.append(pd.DataFrame({"school": "ABCDE"[place], "treatment": treated, "test_score": scores}))
    study = pd.concat(schools, ignore_index=True)
    study.loc[0, "treatment"], study.loc[1, "treatment"] = 0, 1  # it varies in one school at least
    return study


@settings(max_examples=12)
@given(study=_studies(), power=st.floats(-3, 3), shift=st.floats(-1000, 1000))
def test_what_is_said_of_a_study_does_not_depend_on_the_units_of_a_school(
    study: pd.DataFrame, power: float, shift: float
) -> None:
    one, other = (fitted(each).record() for each in (study, in_other_units(study, "B", 10**power, shift)))
    for ours, theirs in zip(one["tests"], other["tests"], strict=True):
        assert ours["contour"] == pytest.approx(theirs["contour"], rel=1e-6)
        assert ours["log_bf10"] == pytest.approx(theirs["log_bf10"], rel=1e-6, abs=1e-6)
    assert one["answers"] == other["answers"]


@settings(max_examples=2, phases=(Phase.generate,))  # smaller ones take minutes to find
@given(study=_studies(), power=st.floats(-3, 3), shift=st.floats(-1000, 1000))
def test_effects_pooled_in_sds_do_not_depend_on_the_units_of_a_school(
    study: pd.DataFrame, power: float, shift: float
) -> None:
    """The weights of an importance sample are the same within rounding, its starts are not: within five errors."""
    formula = f"{MEASURED}, hierarchy(treatment, scale=sigma)"
    one, other = (fitted(each, formula) for each in (study, in_other_units(study, "B", 10**power, shift)))
    rows = int((study["school"] == "B").sum())
    first, second = one.log_evidence, other.log_evidence
    error = 5 * np.hypot(first.error, second.error)
    assert first.value - second.value == pytest.approx(rows * power * np.log(10), abs=error)
    factors = [fit.test("treatment == 0")["log_bf10"].to_numpy() for fit in (one, other)]
    np.testing.assert_allclose(*factors, atol=error)


def test_schools_of_one_test_have_the_units_of_the_test() -> None:
    """With a sigma by test the coefficients of its schools take its mean and sd."""
    frame = pd.concat(
        [generated(0), generated(1).replace({"school": dict(zip("ABCDE", "FGHIJ", strict=True))})]
    )
    frame["test"] = np.where(frame["school"] < "F", "maths", "english")
    formula = MEASURED.replace("sigma ~ 1 | school", "sigma ~ 1 | test").replace(
        ", scale=sigma", ", scale=sd"
    )
    maths = frame["test"] == "maths"
    scaled = frame.assign(test_score=np.where(maths, 30 * frame["test_score"] - 5, frame["test_score"]))
    one, other = (fitted(each, formula) for each in (frame, scaled))
    assert one.log_evidence.value - other.log_evidence.value == pytest.approx(
        maths.sum() * np.log(30), abs=0.03
    )
    np.testing.assert_allclose(
        *(np.quantile(fit.posterior["joint_treatment"], [0.1, 0.5, 0.9]) for fit in (one, other)), atol=0.1
    )


def test_the_defaults_are_those_of_the_rows_of_a_group() -> None:
    """Two rows: their mean, their distance over the root of two. s_x is that of all rows."""
    frame = pd.DataFrame({"g": list("AABBBC"), "x": [0.0, 2, 0, 4, 8, 1], "y": [1.0, 4, 10, 18, 14, 100]})
    priors = {name: own.numbers for name, own in fj.model("y ~ x | g, sigma ~ 1 | g", frame).plan.priors}
    sds = np.array(
        [3 / np.sqrt(2), 4, np.sqrt(4 * 3 / np.sqrt(2))]
    )  # one row: the geometric mean of the others'
    slopes = 2.5 * sds / frame["x"].std()
    np.testing.assert_allclose(priors["sigma"][1], sds)
    np.testing.assert_allclose(priors["x"][1], slopes)
    np.testing.assert_allclose(priors["Intercept"][0], [2.5, 14, 100])
    np.testing.assert_allclose(priors["Intercept"][1], np.hypot(2.5 * sds, slopes * [1, 4, 1]))


def test_pooling_in_residual_sds_keeps_each_groups_units() -> None:
    """Intercepts that are not pooled have the same default as without the hierarchy, and so do the Bayes factors."""
    frame = generated(0)
    pooled = MEASURED.replace("| school,", "| school, hierarchy(treatment, scale=sigma),", 1)
    alone, beside = (dict(fj.model(each, frame).plan.priors)["Intercept"] for each in (MEASURED, pooled))
    for number, same in zip(alone.numbers, beside.numbers, strict=True):
        np.testing.assert_allclose(number, same)
    fits = [fitted(each, pooled) for each in (frame, in_other_units(frame, "B", 100.0, 7.0))]
    one, other = (fit.test().iloc[0] for fit in fits)
    error = np.hypot(one["log_bf10_mcse"], other["log_bf10_mcse"])
    assert abs(one["log_bf10"] - other["log_bf10"]) < 4 * error < 0.05


def test_what_groups_share_takes_the_sd_within_groups() -> None:
    frame = pd.DataFrame({"g": list("AABB"), "x": [0.0, 1, 0, 1], "y": [1.0, 3, 101, 107]})
    within = np.sqrt((2 + 18) / 2)
    shared = dict(fj.model("y ~ 1 + common(x) | g, sigma ~ 1 | g", frame).plan.priors)
    assert shared["x"].numbers == pytest.approx((0, 5 * within))
    pooled = dict(fj.model("y ~ x | g, hierarchy(x), sigma ~ 1 | g", frame).plan.priors)
    assert pooled["x_mean"].numbers == pytest.approx((0, 5 * within))
    assert pooled["x_sd"].numbers == pytest.approx((5 * within,))
    sigmas = dict(fj.model("y ~ x | g, sigma ~ 1 | g, hierarchy(sigma)", frame).plan.priors)
    assert sigmas["sigma_mean"].numbers == pytest.approx((4, within))


def test_rows_count_by_their_weights() -> None:
    frame = pd.DataFrame({"g": list("AABBB"), "y": [1.0, 4, 10, 14, 18], "w": [3, 1, 1, 2, 1]})
    repeated = frame.loc[frame.index.repeat(frame["w"])]
    one = dict(fj.model("y ~ 1 | g, sigma ~ 1 | g, weights(w)", frame).plan.priors)
    other = dict(fj.model("y ~ 1 | g, sigma ~ 1 | g", repeated).plan.priors)
    for name in one:
        for number, same in zip(one[name].numbers, other[name].numbers, strict=True):
            np.testing.assert_allclose(number, same)


def test_a_group_with_its_own_sigma_must_vary() -> None:
    frame = pd.DataFrame({"g": list("AABB"), "y": [1.0, 3, 5, 5]})
    with pytest.raises(DataError, match="`y` does not vary in g B, which has a sigma of its own"):
        fj.model("y ~ 1 | g, sigma ~ 1 | g", frame)


def test_notes_on_units() -> None:
    rng = np.random.default_rng(2)
    g = np.append(np.repeat(list("AB"), 12), "C")
    frame = pd.DataFrame(
        {"g": g, "x": rng.normal(size=25), "y": rng.normal(size=25) * np.where(g == "A", 1, 40)}
    )
    alone = "g C has one row, which shows no sd"
    cases = {
        "y ~ x | g, sigma ~ 1 | g": [alone],
        "y ~ 1 + common(x) | g, sigma ~ 1 | g": [alone, "common(x) is in the response's own units"],
        "y ~ x | g, hierarchy(x), sigma ~ 1 | g": [alone, "hierarchy(x) is in the response's own units"],
        "y ~ x | g, sigma ~ 1 | g, hierarchy(sigma)": ["hierarchy(sigma) is in the response's own units"],
    }
    for formula, expected in cases.items():
        notes = " / ".join(fj.model(formula, frame).plan.notes)
        assert all(text in notes for text in expected)
        assert (alone in notes) == (alone in expected)
    for formula in ("y ~ x | g, hierarchy(x)", "y ~ x | g, hierarchy(x, scale=sigma), sigma ~ 1 | g"):
        assert "own units" not in " ".join(fj.model(formula, frame).plan.notes)


# --- the ten rows, by quadrature


SEED = {
    MEASURED: None,
    f"{MEASURED}, prior(Intercept ~ normal(8, 20), treatment ~ normal(0, 25), sigma ~ half_student_t(4, 6))": (
        [(8.0, 20.0)] * 2,
        [25.0] * 2,
        [6.0] * 2,
    ),
}
"""Formulas, with means and sds of intercepts, sds of slopes and scales of sigmas; None for the defaults."""


def defaults(frame: pd.DataFrame) -> tuple[list[tuple[float, float]], list[float], list[float]]:
    """Return the default priors of each school, as ``docs/statistics.md`` has them: s_x is 1/2."""
    intercepts, slopes, scales = [], [], []
    for _, own in frame.groupby("school"):
        sd = own["test_score"].std()
        slopes.append(5 * sd)
        scales.append(sd)
        away = 5 * sd * own["treatment"].mean()
        intercepts.append((own["test_score"].mean(), float(np.hypot(2.5 * sd, away))))
    return intercepts, slopes, scales


class School:
    """One school on a grid of sigma, its intercept and slope integrated out."""

    def __init__(self, own: pd.DataFrame, intercept: tuple[float, float], slope: float, scale: float) -> None:
        self.t = np.linspace(np.log(1e-3 * scale), np.log(300 * scale), 20_001)
        sigma = np.exp(self.t)
        x = np.column_stack([np.ones(len(own)), own["treatment"]])
        y, root, mean = (
            own["test_score"].to_numpy(float),
            np.array([intercept[1], slope]),
            np.array([intercept[0], 0]),
        )
        left = y - x @ mean
        precision = np.diag(root**-2) + x.T @ x / sigma[:, None, None] ** 2
        self.covariance = np.linalg.inv(precision)
        self.moved = mean + np.einsum("sij,sj->si", self.covariance, (x.T @ left) / sigma[:, None] ** 2)
        pull = self.moved - mean
        squares = left @ left / sigma**2 - np.einsum("si,sij,sj->s", pull, precision, pull)
        logs = -len(y) / 2 * np.log(2 * np.pi * sigma**2) - squares / 2
        logs += -np.log(np.prod(root)) - np.linalg.slogdet(precision)[1] / 2
        logs += np.log(2) + stats.t(4, scale=scale).logpdf(sigma) + self.t
        self.log_evidence = float(np.logaddexp.reduce(logs) + np.log(self.t[1] - self.t[0]))
        self.mass = np.exp(logs + np.log(self.t[1] - self.t[0]) - self.log_evidence)

    def moments_in_sds(self) -> tuple[float, float]:
        """Return mean and variance of slope / sigma."""
        sigma = np.exp(self.t)
        mean = float(self.mass @ (self.moved[:, 1] / sigma))
        square = float(self.mass @ ((self.moved[:, 1] ** 2 + self.covariance[:, 1, 1]) / sigma**2))
        return mean, square - mean**2

    def slope_below_zero(self) -> float:
        return float(self.mass @ stats.norm.cdf(-self.moved[:, 1] / np.sqrt(self.covariance[:, 1, 1])))

    def log_density_at_zero(self) -> float:
        sds = np.sqrt(self.covariance[:, 1, 1])
        return float(np.log(self.mass @ stats.norm.pdf(0, self.moved[:, 1], sds)))


@pytest.mark.parametrize("formula", SEED)
def test_the_ten_rows_are_those_of_quadrature(formula: str) -> None:
    frame = fj.tutoring()
    priors = SEED[formula] or defaults(frame)
    schools = [
        School(own, *numbers) for (_, own), *numbers in zip(frame.groupby("school"), *priors, strict=True)
    ]
    draws = 20_000
    fit = fj.fit(formula, frame, engine="exact", seed=1, draws=draws // 2, chains=2)
    assert fit.log_evidence.value == pytest.approx(sum(school.log_evidence for school in schools), abs=1e-4)
    (one, two), weights = [school.moments_in_sds() for school in schools], (0.4, 0.6)
    mean, variance = (
        sum(w**power * own[at] for w, own in zip(weights, (one, two), strict=True))
        for at, power in ((0, 1), (1, 2))
    )
    joint = fit.posterior["joint_treatment"].to_numpy().ravel()
    assert abs(joint.mean() - mean) < 4.5 * np.sqrt(variance / draws)
    assert joint.std() == pytest.approx(np.sqrt(variance), rel=0.04)
    test = fit.test("treatment == 0").iloc[0]
    before = sum(float(stats.norm.logpdf(0, 0, slope)) for slope in priors[1])
    after = sum(school.log_density_at_zero() for school in schools)
    assert test["log_bf10"] == pytest.approx(before - after, abs=2e-3)
    scores = [stats.norm.ppf(school.slope_below_zero()) for school in schools]
    contour = stats.chi2.sf(sum(score**2 for score in scores), 2)
    assert abs(test["contour"] - contour) < 4.5 * test["contour_mcse"] + 1e-6
