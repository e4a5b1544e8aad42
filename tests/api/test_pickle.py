"""Models and fits pickle and copy: what comes back says the same."""

from __future__ import annotations

import copy
import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

import formulajoint as fj

FORMULAS = {
    "plain": ("test_score ~ treatment | school, joint()", None),
    "flat": ("test_score ~ treatment | school, test(treatment == 0)", "flat"),
    "pooled": ("test_score ~ treatment | school, hierarchy(treatment), pairwise(treatment)", None),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_pickled(name: str) -> None:
    formula, priors = FORMULAS[name]
    model = fj.model(formula, fj.tutoring(), priors=priors)
    again = pickle.loads(pickle.dumps(model))
    assert again.explain() == model.explain()
    fit = model.fit(seed=1, draws=50)
    assert again.fit(seed=1, draws=50).summary().equals(fit.summary())
    restored = pickle.loads(pickle.dumps(fit))
    assert str(restored) == str(fit)
    assert restored.contrasts().equals(fit.contrasts())
    assert restored.model.explain() == model.explain()


def test_copies_are_the_same_values() -> None:
    model = fj.model("test_score ~ treatment | school", fj.tutoring())
    fit = model.fit(seed=1, draws=50)
    for value in (model, fit):
        assert copy.copy(value) is value
        assert copy.deepcopy({"kept": [value]})["kept"][0] is value


def fitted(model: fj.JointModel, seed: int) -> fj.Fit:
    return model.fit(seed=seed, draws=20)


@pytest.mark.slow
def test_fits_of_other_processes() -> None:
    model = fj.model("test_score ~ treatment | school", fj.tutoring())
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        fits = [pool.submit(fitted, model, seed) for seed in (1, 2)]
        for seed, future in zip((1, 2), fits, strict=True):
            assert future.result().summary().equals(fitted(model, seed).summary())
