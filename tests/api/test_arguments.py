"""Arguments of ``fit``: they stand in its signature, other packages' names are answered, a sampler's pass through."""

from __future__ import annotations

import inspect

import pytest

import formulajoint as fj

FORMULA = "test_score ~ treatment | school"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("random_seed", "`seed=1`"),
        ("random_state", "`seed=1`"),
        ("samples", "`draws=2000`"),
        ("n_draws", "`draws=2000`"),
        ("iter", "`draws=1000`"),
        ("warmup", "`tune=2000`"),
        ("burn_in", "`tune=2000`"),
        ("n_chains", "`chains=4`"),
        ("nuts_sampler", "`engine='nutpie'`"),
        ("inference_method", "`engine='nutpie'`"),
        ("adapt_delta", "`target_accept=0.95`"),
        ("control", "`target_accept=0.95`"),
        ("progressbar", "`progress=False`"),
        ("cores", "leave it out"),
        ("n_jobs", "leave it out"),
        ("thin", "`draws=500`"),
        ("prior", "`prior(treatment ~ normal(0, 5))`"),
        ("link", "`family(bernoulli, link=probit)`"),
        ("weights", "`weights(...)` is a clause"),
        ("hierarchy", "`hierarchy(...)` is a clause"),
        ("sigma", "`sigma ~ 1 | school`"),
        ("groups", "`y ~ x | school`"),
        ("REML", "leave it out"),
        ("seeds", "did you mean `seed`?"),
        ("chain", "did you mean `chains`?"),
    ],
)
def test_names_of_other_packages_are_answered(name: str, said: str) -> None:
    model = fj.model(FORMULA, fj.tutoring())
    for call in (lambda: fj.fit(FORMULA, fj.tutoring(), **{name: 1}), lambda: model.fit(**{name: 1})):
        with pytest.raises(fj.InferenceError) as raised:
            call()
        assert f"`{name}`" in str(raised.value)
        assert said in str(raised.value)


def test_what_a_hint_proposes_is_an_argument() -> None:
    known = inspect.signature(fj.fit).parameters
    for name in ("seed", "draws", "tune", "chains", "engine", "target_accept", "progress", "device"):
        assert name in known


def test_fit_shows_its_arguments_with_the_models_defaults() -> None:
    one, other = inspect.signature(fj.fit).parameters, inspect.signature(fj.JointModel.fit).parameters
    shared = [name for name in other if name not in ("self", "sampler")]
    assert {"seed", "draws", "chains"} <= set(shared)
    assert {name: one[name].default for name in shared} == {name: other[name].default for name in shared}
    assert all(one[name].kind is inspect.Parameter.KEYWORD_ONLY for name in shared)


def test_the_package_shows_its_public_names_alone() -> None:
    assert dir(fj) == sorted(fj.__all__)


def test_the_exact_engine_refuses_arguments_of_a_sampler() -> None:
    for engine in ("auto", "exact"):
        with pytest.raises(
            fj.InferenceError, match=r"takes no arguments of a sampler: leave out `max_treedepth`"
        ):
            fj.fit(FORMULA, fj.tutoring(), engine=engine, max_treedepth=12)


@pytest.mark.slow
@pytest.mark.parametrize("given", [{"max_treedepth": 2}, {"nuts": {"max_treedepth": 2}}])
@pytest.mark.parametrize("engine", ["pymc", "nutpie"])
def test_arguments_of_a_sampler_pass_through(engine: str, given: dict[str, object]) -> None:
    few = {"draws": 40, "tune": 40, "chains": 2, "seed": 1, "progress": False, "cores": 1}
    fit = fj.fit(FORMULA, fj.tutoring(), engine=engine, **few, **given)
    depth = fit.idata["sample_stats"]["tree_depth" if engine == "pymc" else "depth"]
    assert float(depth.max()) == 2


@pytest.mark.slow
def test_pymc_names_the_argument_that_it_does_not_have() -> None:
    with pytest.raises(fj.InferenceError, match="did you mean `max_treedepth`"):
        fj.fit(FORMULA, fj.tutoring(), engine="pymc", max_tredepth=2)
    with pytest.raises(fj.InferenceError, match=r"`nuts` is a dict"):
        fj.fit(FORMULA, fj.tutoring(), engine="pymc", nuts=2)
