"""Cells in place of rows on lines: Gauss rules, what lies on a line, and log densities beside those of all rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

import formulajoint as fj
from formulajoint.compiler.over import by_bar
from formulajoint.inference.groupwise import coefficients, compression, sampling
from formulajoint.inference.groupwise.all_rows import added
from formulajoint.inference.groupwise.coefficients import draw_coefficients
from formulajoint.inference.groupwise.compression import compressed, with_cells
from formulajoint.inference.groupwise.engine import Groupwise
from formulajoint.inference.groupwise.forecast import forecast
from formulajoint.inference.groupwise.gauss_rules import gauss_rules
from formulajoint.inference.groupwise.lines import lines_of
from formulajoint.inference.groupwise.marginal import log_likelihood
from formulajoint.inference.groupwise.model import Model, model_of
from formulajoint.inference.groupwise.rules import rules
from formulajoint.inference.groupwise.sampling import sample_psi
from formulajoint.inference.groupwise.starts import plausible
from formulajoint.inference.latent.ties import Equal
from formulajoint.inference.without_groups import smoothed, without

type Array = NDArray[np.float64]


# --- Gauss rules


@pytest.mark.parametrize("count", [1, 2, 5, 8, 16])
def test_polynomials_are_integrated_exactly(count: int) -> None:
    rng = np.random.default_rng(count)
    places, weights = rng.uniform(-1, 1, (4, 60)), rng.gamma(0.5, size=(4, 60))
    nodes, own = gauss_rules(places, weights, count)
    assert nodes.shape == own.shape == (4, count)
    assert np.all(own > 0)
    assert np.all(np.diff(nodes) > 0)
    assert np.all(nodes[:, 0] >= np.min(places, axis=1))
    assert np.all(nodes[:, -1] <= np.max(places, axis=1))
    for degree in range(2 * count):
        wanted = np.sum(weights * np.polynomial.Legendre.basis(degree)(places), axis=1)
        found = np.sum(own * np.polynomial.Legendre.basis(degree)(nodes), axis=1)
        np.testing.assert_allclose(found, wanted, atol=1e-12 * np.sum(weights))


def test_the_next_polynomial_is_not() -> None:
    places = np.linspace(-1, 1, 50)[None]
    nodes, own = gauss_rules(places, np.ones((1, 50)), 3)
    assert abs(np.sum(own * nodes**6) - np.sum(places**6)) > 0.1


def test_the_rule_of_even_weights_is_that_of_legendre() -> None:
    n = 200_000
    places = (np.arange(n) + 0.5) * 2 / n - 1
    nodes, own = gauss_rules(places[None], np.full((1, n), 2 / n), 12)
    wanted = np.polynomial.legendre.leggauss(12)
    np.testing.assert_allclose(nodes[0], wanted[0], atol=1e-9)
    np.testing.assert_allclose(own[0], wanted[1], atol=1e-9)


def test_measures_of_few_points_and_of_none() -> None:
    places = np.array([[0.5, -0.25, 0.0, 1.0], [0.1, 0.2, 0.3, 0.4]])
    weights = np.array([[2.0, 3.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    nodes, own = gauss_rules(places, weights, 4)
    assert np.all(np.isfinite(nodes))
    assert np.all(own[1] == 0)
    for degree in range(8):
        found = np.sum(own[0] * nodes[0] ** degree)
        assert found == pytest.approx(2 * 0.5**degree + 3 * (-0.25) ** degree, abs=1e-12)


# --- lines


def lines(columns: Array, codes: Array | None = None, fewest: int = 5):
    return lines_of(np.zeros(len(columns), dtype=int) if codes is None else codes, columns, fewest)


def test_a_column_that_varies_alone() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=40)
    columns = np.column_stack([np.ones(40), 3 * x, 1 - x, np.full(40, 7.0)])
    found = lines(columns, np.repeat([0, 2], 20))
    assert found.sizes.tolist() == [20, 20]
    line = np.repeat([0, 1], 20)
    np.testing.assert_allclose(
        found.base[line] + found.place[:, None] * found.direction[line], columns[found.rows], atol=1e-12
    )
    assert np.max(abs(found.place)) <= 1 + 1e-12


def test_parts_of_a_group_by_columns_of_few_values() -> None:
    rng = np.random.default_rng(1)
    x, treated, many = rng.normal(size=60), np.arange(60) % 2, rng.integers(0, 3, 60)
    found = lines(np.column_stack([np.ones(60), x, treated, treated * x, many]))
    assert len(found.sizes) == 6
    assert np.sum(found.sizes) == 60
    assert sorted(found.rows.tolist()) == list(range(60))


def test_two_columns_that_vary_freely_are_on_no_line() -> None:
    columns = np.column_stack([np.ones(50), np.random.default_rng(2).normal(size=(50, 2))])
    assert not len(lines(columns).rows)


def test_few_rows_are_left() -> None:
    columns = np.column_stack([np.ones(8), np.arange(8.0)])
    assert not len(lines(columns, np.repeat([0, 1], [4, 4])).rows)
    assert lines(columns, np.repeat([0, 1], [3, 5])).rows.tolist() == [3, 4, 5, 6, 7]
    assert not len(lines(np.empty((0, 2))).rows)


# --- log densities


def frame(family: str, rows: int = 80, groups: int = 6, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(groups), rows)
    x, z = rng.normal(size=(2, len(g)))
    b = [-0.3, 0.5] + rng.normal(size=(groups, 2)) * [0.8, 0.4]
    eta = b[g, 0] + b[g, 1] * x
    n = rng.integers(1, 6, len(g))
    y = {
        "bernoulli": lambda: rng.binomial(1, 1 / (1 + np.exp(-eta))),
        "binomial": lambda: rng.binomial(n, 1 / (1 + np.exp(-eta))),
        "poisson": lambda: rng.poisson(np.exp(eta)),
        "negative_binomial": lambda: rng.poisson(np.exp(eta) * rng.gamma(2, 0.5, len(g))),
        "gamma": lambda: rng.gamma(2, np.exp(eta) / 2),
        "exponential": lambda: rng.exponential(np.exp(eta)),
        "beta": lambda: rng.uniform(0.1, 0.9, len(g)),
    }[family]()
    more = {"n": n, "t": rng.integers(0, 2, len(g)), "w": rng.integers(1, 4, len(g))}
    return pd.DataFrame(
        {"y": y, "x": x, "z": z, "g": [f"g{code}" for code in g], "base": 0.3 + 0.5 * x} | more
    )


def models(formula: str, data: pd.DataFrame) -> tuple[Model, Model | None]:
    whole = model_of(by_bar(fj.model(formula, data).plan))
    return whole, compressed(whole)


@pytest.mark.parametrize(
    ("formula", "family"),
    [
        ("y ~ x | g, hierarchy()", "bernoulli"),
        ("y ~ common(x) | g, hierarchy(Intercept)", "bernoulli"),
        ("y ~ x + (0 + x | g)", "bernoulli"),
        ("y ~ x", "bernoulli"),
        ("prop(y, n) ~ x | g, hierarchy()", "binomial"),
        ("y ~ x | g, hierarchy()", "poisson"),
        ("y ~ x | g, hierarchy(), weights(w)", "poisson"),
        ("y ~ 1 + offset(base) | g, hierarchy()", "poisson"),
        ("y ~ x + common(t) + common(t:x) | g, hierarchy(Intercept)", "bernoulli"),
        ("y ~ x | g, hierarchy()", "negative_binomial"),
        ("y ~ x | g, hierarchy()", "gamma"),
        ("y ~ x | g, hierarchy()", "exponential"),
        ("y ~ x | g, hierarchy(), shape ~ t", "negative_binomial"),
        ("y ~ x | g, hierarchy(Intercept), shape ~ 1 | g", "gamma"),
    ],
)
def test_cells_say_what_rows_say(formula: str, family: str) -> None:
    whole, short = models(f"{formula}, family({family})", frame(family))
    assert short is not None
    assert short.rows < compression.MOST_KEPT * whole.rows
    rng = np.random.default_rng(1)
    points = plausible(whole) + 0.3 * rng.normal(size=(8, whole.size))
    finest = rules(len(whole.structure.base))[-1]
    one, two = (log_likelihood(forecast(each, points[0]), points, finest)[0] for each in (whole, short))
    moved = one - two
    assert np.std(moved) < 2 * compression.MOST_MOVED
    np.testing.assert_allclose(added(forecast(short, points[0]), whole, points), moved, atol=1e-3)
    assert_linear_sums_are_kept(whole, short)


def assert_linear_sums_are_kept(whole: Model, short: Model) -> None:
    for rows, cells in zip(whole.batches, short.batches, strict=True):
        assert all(np.all(each >= 0) for each in cells.counts[2:])
        for at in range(4):
            one, two = (np.sum(each.counts[at], axis=0) for each in (rows, cells))
            np.testing.assert_allclose(two, one, rtol=1e-10, atol=1e-10)
        for column in range(len(rows.own)):
            for at in range(4):  # of a measure, the mean is exact, too
                one, two = (np.sum(each.counts[at] * each.own[column], axis=0) for each in (rows, cells))
                np.testing.assert_allclose(two, one, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("formula", "family", "rows"),
    [
        ("y ~ x + z | g, hierarchy()", "bernoulli", 80),  # two columns
        ("y ~ x + common(z) | g, hierarchy(Intercept)", "poisson", 80),
        ("y ~ x | g, hierarchy()", "poisson", 12),  # few rows
        ("y ~ 1 | g, hierarchy()", "poisson", 80),  # cells already
        ("y ~ x | g, hierarchy()", "beta", 80),  # not affine
        ("y ~ x | g, hierarchy(), shape ~ x", "negative_binomial", 80),  # its parameter differs between rows
    ],
)
def test_nothing_is_replaced(formula: str, family: str, rows: int) -> None:
    assert models(f"{formula}, family({family})", frame(family, rows))[1] is None


def test_a_few_rows_off_the_line_stay() -> None:
    data = frame("poisson")
    data["t"] = 0.0
    data.loc[[3, 100], "t"] = [0.3, 0.7]
    _, short = models("y ~ x + common(t) | g, hierarchy(Intercept), family(poisson)", data)
    assert short is not None
    kept = sum(int(np.count_nonzero(batch.shared[0])) for batch in short.batches)
    assert kept == 2


def test_groups_that_are_alike_stay_so() -> None:
    data = frame("poisson", groups=2)
    double = pd.concat([data, data.assign(g=data["g"] + "b")])
    _, short = models("y ~ x | g, hierarchy(), family(poisson)", double)
    assert short is not None
    assert sorted(len(each) for batch in short.batches for each in batch.members) == [2, 2]


# --- draws


SLOPES = "y ~ x | g, hierarchy(), family(bernoulli)"


def by_both(monkeypatch: pytest.MonkeyPatch, data: pd.DataFrame, formula: str = SLOPES, draws: int = 400):
    """Return draws with cells and with all rows."""
    monkeypatch.setattr(sampling, "CHEAP", 0.0)
    model = model_of(by_bar(fj.model(formula, data).plan))
    with_cells_ = sample_psi(model, draws, 2, np.random.SeedSequence(3))
    monkeypatch.setattr(sampling, "compressed", lambda model: None)
    return model, with_cells_, sample_psi(model, draws, 2, np.random.SeedSequence(4))


@pytest.mark.parametrize("family", ["bernoulli", "negative_binomial"])
def test_evidence_and_draws_are_those_of_all_rows(monkeypatch: pytest.MonkeyPatch, family: str) -> None:
    formula = SLOPES.replace("bernoulli", family)
    model, (near, one), (whole, two) = by_both(monkeypatch, frame(family, 60, groups=4), formula)
    assert near.model.rows < model.rows == whole.model.rows
    assert abs(one.log_integral - two.log_integral) < 4 * np.hypot(one.error, two.error)
    first, second = (each.points[0].reshape(-1, model.size) for each in (one, two))
    away = np.mean(first, axis=0) - np.mean(second, axis=0)
    assert np.all(abs(away) < 5 * np.std(first, axis=0) * np.sqrt(2 / len(first)))
    b, c = (
        draw_coefficients(each, model, points, np.random.default_rng(0))
        for each, points in ((near, first), (whole, second))
    )
    apart = np.mean(b, axis=0) - np.mean(c, axis=0)
    assert np.all(abs(apart) < 5 * np.std(b, axis=0) * np.sqrt(2 / len(b)))


def test_cells_that_are_far_off_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression, "NODES", (2,))
    monkeypatch.setattr(compression, "MOST_MOVED", np.inf)
    monkeypatch.setattr(compression, "MOST_SHIFTED", np.inf)
    model, (near, one), (_, two) = by_both(monkeypatch, frame("bernoulli", 30, groups=4))
    assert near.model is model
    assert abs(one.log_integral - two.log_integral) < 4 * np.hypot(one.error, two.error)
    coarse = with_cells(model, 2)
    points = one.points[0].reshape(-1, model.size)
    rng = np.random.default_rng(0)
    with pytest.raises(sampling.CellsFarOff):
        sampling.moved_by(forecast(coarse, points[0]), model, one, rules(2)[:2], rng)


def test_draws_far_from_where_cells_were_chosen_are_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steep slopes make events a step in x, for which a rule is too coarse that does for plausible slopes."""
    rng = np.random.default_rng(8)
    g, x = np.repeat(np.arange(8), 150), rng.normal(size=1200)
    b = [-0.3, 6.0] + rng.normal(size=(8, 2)) * [0.8, 3.0]
    y = rng.binomial(1, 1 / (1 + np.exp(-(b[g, 0] + b[g, 1] * x))))
    monkeypatch.setattr(sampling, "CHEAP", 0.0)
    model, short = models(SLOPES, pd.DataFrame({"y": y, "x": x, "g": [f"g{code}" for code in g]}))
    assert short is not None
    near, found = sample_psi(model, 200, 2, np.random.SeedSequence(3))
    assert near.model is model
    points = found.points[0].reshape(-1, model.size)
    assert np.std(added(forecast(short, points[0]), model, points[:40])) > sampling.MOST_MOVED


def test_groups_whose_cells_are_off_are_drawn_by_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    data = frame("poisson", 60, groups=3)
    model = model_of(by_bar(fj.model(SLOPES.replace("bernoulli", "poisson"), data).plan))
    points = np.tile(plausible(model), (4000, 1))
    drawn = {}
    for name, nodes in (("rows", None), ("cells", 2), ("mended", 2)):
        each = model if nodes is None else with_cells(model, nodes)
        monkeypatch.setattr(coefficients, "MOST_EXCESS", np.inf if name == "cells" else 1e-3)
        drawn[name] = draw_coefficients(forecast(each, points[0]), model, points, np.random.default_rng(0))
    sd = np.std(drawn["rows"], axis=0) * np.sqrt(2 / len(points))
    away = {name: abs(np.mean(drawn[name], axis=0) - np.mean(drawn["rows"], axis=0)) / sd for name in drawn}
    assert np.max(away["cells"]) > 8
    assert np.max(away["mended"]) < 4


# --- what is made of fits


def test_bayes_factors_and_groups_left_out_are_those_of_all_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = fj.model(SLOPES, frame("bernoulli", 40, groups=4)).plan
    equal = Equal((("Intercept", 0), ("x", 0)), (np.array([0, 2]),))
    others = [without(plan, plan.design.predictor.grouping.codes == 1)]
    found = {}
    monkeypatch.setattr(sampling, "CHEAP", 0.0)
    for name, used in (("cells", compressed), ("rows", lambda model: None)):
        monkeypatch.setattr(sampling, "compressed", used)
        logs = [Groupwise().log_evidence(plan, seed, each) for seed, each in ((1, None), (2, equal))]
        left = Groupwise().log_likelihoods(plan, others, 1, 400)
        out = [smoothed(left.whole.logs - part.logs, left.repeats)[:2] for part in left.others]
        found[name] = [*((each.value, each.error) for each in logs), *out]
    for (one, error), (two, other) in zip(*found.values(), strict=True):
        assert one != two
        assert abs(one - two) < 4 * np.hypot(error, other)
