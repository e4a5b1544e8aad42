"""Nothing downstream can tell who drew: names, dims, coords and types are those of the PyMC model."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pytensor import function
from pytensor.compile.mode import Mode

import formulajoint as fj
from formulajoint.compiler.pymc.build import build_model

FORMULAS = [
    "y ~ x | school",
    "y ~ x + arm | school, hierarchy(), joint(), rms(x), pairwise(arm), joint(arm, weights=precision)",
    "y ~ x + common(arm) | school, hierarchy(x), sigma ~ 1 | school, joint(x, weights=precision, scale=none)",
    "y ~ x + arm | school, sigma ~ 1 | school, joint(arm, weights=precision), joint(x, scale=sigma, name=std)",
    "y ~ x * arm",
    "y ~ x + common(arm) | school, hierarchy(scale=sigma, centered=false), sigma ~ 1 | school, hierarchy(sigma)",
    """y ~ x | school, hierarchy(x, scale=sigma), sigma ~ 1 | school, hierarchy(sigma, dist=cauchy, centered=true),
       prior(sigma ~ constant(2), x.sd ~ constant(0.5))""",
    """y ~ x + z | school, hierarchy(), joint(z), contrast(x[a] / x[b]),
       prior(x.mean ~ constant(1), z.sd ~ constant(2), sigma ~ constant(2))""",
    "y ~ x + z | school, hierarchy(z), prior(x ~ constant(1)), joint(x), spread(z, scale=sd)",
    "y ~ x | school, joint(x, weights=dirichlet(n))",
    "y ~ x | school, hierarchy(x, dist=cauchy)",
    "y ~ x + arm | school, hierarchy(arm, x, centered=true), hierarchy(Intercept, centered=false)",
]


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    return pd.DataFrame(
        {
            "school": np.repeat(list("abc"), [6, 8, 10]),
            "x": rng.normal(size=24),
            "z": rng.normal(size=24),
            "arm": np.tile(["control", "low", "high"], 8),
            "y": rng.normal(size=24),
        }
    )


@pytest.mark.parametrize("formula", FORMULAS)
def test_variables_dims_and_types_are_the_models(formula: str, frame: pd.DataFrame) -> None:
    model = fj.model(formula, frame)
    fit = model.fit(draws=30, chains=2, engine="exact", seed=1)
    pymc = build_model(model.plan)
    wanted = {v.name for v in pymc.unobserved_RVs}
    found = fit.idata["posterior"].to_dataset()
    assert set(found.data_vars) == wanted
    for name in wanted:
        dims = tuple(pymc.named_vars_to_dims.get(name, ()))
        assert found[name].dims == ("chain", "draw", *dims)
        assert found[name].dtype == np.float64
        for dim in dims:
            assert list(found[dim].to_numpy()) == list(pymc.coords[dim])
    assert np.isfinite(found.to_array().to_numpy()).all() or "contrast" in formula
    observed = fit.idata["observed_data"]["y"]
    assert np.array_equal(observed, frame["y"])


@pytest.mark.parametrize("options", ["centered=true", "centered=false", "centered=false, cor=false"])
def test_what_pymc_computes_from_the_draws_is_what_the_draws_say(options: str, frame: pd.DataFrame) -> None:
    fit = fj.fit(
        f"y ~ x + arm | school, hierarchy(x, arm, {options})", frame, draws=20, engine="exact", seed=1
    )
    pymc, posterior = fit.model.pymc, fit.idata["posterior"].to_dataset()
    given = {name: posterior[name].to_numpy()[1, 3] for name in posterior.data_vars}
    free = {variable: given[variable.name] for variable in pymc.free_RVs}
    nodes = list(pymc.deterministics)
    values = function(
        [], nodes, givens=free, mode=Mode(linker="py", optimizer=None), on_unused_input="ignore"
    )()
    for node, value in zip(nodes, values, strict=True):
        assert np.allclose(value, given[node.name], rtol=1e-6), node.name


def test_contrasts_are_those_of_the_draws(frame: pd.DataFrame) -> None:
    formula = (
        "y ~ x | school, sigma ~ 1 | school, joint(x, weights=precision), joint(x, weights=n, name=plain)"
    )
    draws = fj.fit(formula, frame, engine="exact", seed=1).posterior
    weights = np.array([6, 8, 10]) / 24
    assert np.allclose(draws["plain"], draws["x"].to_numpy() @ weights)
    own = draws["joint_x_weights"]
    assert np.allclose(own.sum("school"), 1)
    assert np.allclose(draws["joint_x"], (own * draws["x"]).sum("school"))
    squares = [
        frame["x"][frame["school"] == g].var(ddof=0) * n for g, n in zip("abc", [6, 8, 10], strict=True)
    ]
    by_hand = np.array(squares) / draws["sigma"].to_numpy() ** 2
    assert np.allclose(own, by_hand / by_hand.sum(axis=2, keepdims=True))


def test_statistics_of_the_sample_are_there(frame: pd.DataFrame) -> None:
    statistics = fj.fit("y ~ x | school, hierarchy()", frame, engine="exact", seed=1).idata["sample_stats"]
    assert statistics["k_hat"] < 0.7
    assert statistics["importance_ess"].dims == ("chain",)
    assert (statistics["importance_ess"] > 5_000).all()
    assert np.isfinite(statistics["log_evidence"])


def test_a_seed_gives_the_same_draws_to_the_bit_and_another_seed_others(frame: pd.DataFrame) -> None:
    formula = "y ~ x + common(z) | school, hierarchy(), joint(x, weights=dirichlet(n))"
    one, again, other = (fj.fit(formula, frame, engine="exact", seed=seed).posterior for seed in (1, 1, 2))
    assert one.equals(again)
    for name in one.data_vars:
        assert name == "school_cor" or not np.any(one[name] == other[name])
        assert name == "school_cor" or not np.any(one[name][0] == one[name][1]), "chains are copies"


def test_tables_and_diagnostics_read_it(frame: pd.DataFrame) -> None:
    fit = fj.fit("y ~ x | school, hierarchy(), joint(x)", frame, engine="exact", seed=1)
    assert (fit.summary()["ess_bulk"] > 3000).all()
    assert not fit.diagnostics()
    assert fit.contrasts().loc["joint_x", "r_hat"] < 1.01
    assert fit.record()["engine"] == "exact"
    assert "sampled by the exact engine (k-hat" in str(fit)
