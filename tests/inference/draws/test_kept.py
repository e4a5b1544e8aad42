"""With ``keep="contrasts"`` the same draws are kept, but for those of single groups, and what needs these says so."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import formulajoint as fj
from formulajoint.errors import InferenceError
from formulajoint.inference.draws.datatree import named_draws, tree_of, without_groups
from formulajoint.inference.gaussian.coefficients import (
    draw_coefficients,
    draw_in_blocks,
    draw_shared,
    shared_moments,
)
from formulajoint.inference.gaussian.marginal import kernel
from formulajoint.inference.gaussian.reduction import reduce
from formulajoint.results.predictions.predictive_check import predictive_check

NOT_KEPT = "in each group were not kept: the fit has keep='contrasts'"


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    g, x = rng.integers(0, 12, 200), rng.normal(size=200)
    y = 1 + x * (0.5 + rng.normal(size=12)[g]) + rng.normal(size=200)
    frame = pd.DataFrame({"y": y, "x": x, "g": g.astype(str), "h": rng.integers(0, 4, 200).astype(str)})
    return frame.assign(arm=rng.choice(["a", "b", "c"], 200), event=y > 1)


@pytest.mark.parametrize(
    ("formula", "draws"),
    [
        (
            "y ~ x | g, hierarchy(x), joint(weights=n), spread(x), contrast(x[1] / x.mean)",
            3000,
        ),  # several blocks
        ("y ~ x + (1 + x | g), joint(x, over=g), contrast(x[g=1] - x[g=2])", 100),
        ("y ~ x * arm | g, hierarchy(x), joint(x, at=mean), pairwise(arm)", 100),
        ("y ~ x | g, sigma ~ 1 | g, joint(weights=precision)", 100),
        ("y ~ x + (1 | g) + (1 | h), joint(Intercept, over=g)", 100),
        ("event ~ x | g, hierarchy(x), family(bernoulli), joint(weights=n)", 100),
        ("event ~ x * arm + (1 + x | g), family(bernoulli), pairwise(arm)", 100),
    ],
)
def test_kept_draws_are_the_same(data: pd.DataFrame, formula: str, draws: int) -> None:
    whole, kept = (
        fj.fit(formula, data, draws=draws, seed=1, keep=keep).draws.named for keep in ("all", "contrasts")
    )
    assert kept.variables
    for name, (dims, values) in kept.variables.items():
        assert dims == whole.variables[name][0]
        assert np.array_equal(values, whole.variables[name][1])
    gone = [name for name in whole.variables if name not in kept.variables]
    assert gone
    assert all({"g", "h"} & set(whole.variables[name][0]) for name in gone)


def test_shared_coefficients_at_points_that_stand_several_times(data: pd.DataFrame) -> None:
    core = kernel(reduce(fj.model("y ~ x + common(arm) | g, hierarchy(x)", data).plan))
    points = np.random.default_rng(1).normal(0, 0.3, (3, len(core.structure.scales.coordinates)))
    which = np.random.default_rng(2).integers(0, 3, 30_000)
    drawn = draw_shared(core, points[which], np.random.default_rng(3)) - core.structure.reference
    means, sds = shared_moments(core, core.structure.scales.values(points))
    for at in range(3):
        own = drawn[which == at]
        error = sds[at] / np.sqrt(len(own))
        assert np.all(np.abs(own.mean(axis=0) - means[at]) < 5 * error)
        assert np.all(np.abs(own.std(axis=0) / sds[at] - 1) < 5 / np.sqrt(2 * len(own)))


def test_groups_coefficients_at_points_that_stand_several_times(data: pd.DataFrame) -> None:
    core = kernel(reduce(fj.model("y ~ x + common(arm) | g, hierarchy(x)", data).plan))
    points = np.random.default_rng(1).normal(0, 0.3, (2, len(core.structure.scales.coordinates)))
    which = np.random.default_rng(2).integers(0, 2, 8_000)
    beta = np.full((8_000, len(core.structure.base) * core.structure.groups), np.nan)
    theta = np.full((8_000, len(core.structure.reference)), np.nan)
    for places, shared, own in draw_in_blocks(core, points[which], np.random.default_rng(3)):
        theta[places], beta[places] = shared, own.reshape(len(places), -1)
    for at in range(2):
        one = np.column_stack([theta[which == at], beta[which == at]])
        shared, own = draw_coefficients(core, np.tile(points[at], (len(one), 1)), np.random.default_rng(4))
        other = np.column_stack([shared, own.reshape(len(one), -1)])
        sd = other.std(axis=0)
        assert np.all(abs(one.mean(axis=0) - other.mean(axis=0)) < 5 * sd * np.sqrt(2 / len(one)))
        between = np.corrcoef(one.T) - np.corrcoef(other.T)
        assert np.max(abs(between)) < 5 * np.sqrt(2 / len(one))
        assert one.std(axis=0) == pytest.approx(sd, rel=5 / np.sqrt(len(one)))


@pytest.fixture(scope="module")
def fit(data: pd.DataFrame) -> fj.Fit:
    return fj.fit("y ~ x | g, hierarchy(), joint()", data, draws=100, seed=1, keep="contrasts")


@pytest.mark.parametrize(
    "ask",
    [
        lambda fit: fit.coefficients(),
        lambda fit: fit.test(),
        lambda fit: fit.bands(),
        lambda fit: fit.contrast("rms(x)"),
        lambda fit: fit.plot.forest(),
        lambda fit: fit.plot.shrinkage(),
        lambda fit: fit.plot.joint(),
        lambda fit: predictive_check(fit.draws),
    ],
)
def test_what_needs_others_says_so(fit: fj.Fit, ask) -> None:
    with pytest.raises(InferenceError, match=NOT_KEPT):
        ask(fit)


def test_what_does_not_need_them_is_there(fit: fj.Fit, tmp_path: Path) -> None:
    assert list(fit.contrasts().index) == ["joint_x"]
    assert list(fit.summary().index[:2]) == ["x_mean", "x_sd"]
    assert list(fit.test("x.mean == 0").index) == ["x.mean == 0"]
    assert "there is no joint test of `x == 0`" in " ".join(str(fit).split())
    assert fit.report(tmp_path / "report.html").exists()
    assert fit.record()["tests"] == []


def test_a_saved_fit_knows_what_was_not_kept(fit: fj.Fit, tmp_path: Path) -> None:
    fit.save(tmp_path / "fit.nc")
    for found in (fj.load(tmp_path / "fit.nc"), pickle.loads(pickle.dumps(fit))):
        assert str(found) == str(fit)
        with pytest.raises(InferenceError, match=NOT_KEPT):
            found.coefficients()


def test_draws_of_nuts_lose_the_same_variables(data: pd.DataFrame) -> None:
    formula = "y ~ x + (1 + x | g), joint(x, over=g)"
    whole, kept = (fj.fit(formula, data, draws=20, seed=1, keep=keep).draws for keep in ("all", "contrasts"))
    cut = named_draws(without_groups(tree_of(whole.source, whole.plan), whole.plan))
    assert set(cut.variables) - whole.plan.auxiliary == set(kept.named.variables)
    assert set(cut.coords) == set(kept.source.coords)


def test_another_word_is_refused(data: pd.DataFrame) -> None:
    with pytest.raises(InferenceError, match=r"`keep` is 'all' or 'contrasts', not 'contrast': did you mean"):
        fj.fit("y ~ x | g", data, keep="contrast")
