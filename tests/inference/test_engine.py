"""Who draws: the exact engine where it applies and can be trusted, else NUTS, and the reason is said."""

from __future__ import annotations

import importlib.util
import logging
import os
import subprocess
import sys
from dataclasses import replace
from typing import Any, NoReturn

import numpy as np
import pandas as pd
import pytest
from xarray import DataTree

import formulajoint as fj
from formulajoint.errors import InferenceError
from formulajoint.inference import engine
from formulajoint.inference.engine import check_engine, run
from formulajoint.inference.gaussian import engine as gaussian
from formulajoint.inference.importance import sampled
from formulajoint.inference.latent.device import NUMPY
from formulajoint.inference.nuts import sampling, starts
from formulajoint.inference.settings import Settings

SETTINGS: dict[str, Any] = {
    "draws": 50,
    "tune": 50,
    "chains": 2,
    "seed": 1,
    "target_accept": 0.9,
    "progress": False,
}
SETTING = Settings(**SETTINGS)
SEED = "test_score ~ treatment | school, joint(weights=n)"


def no_model() -> NoReturn:
    raise AssertionError("the exact engine needs no PyMC model")


def stand_in(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let nothing be sampled by NUTS; return the list of the samplers asked for."""
    asked: list[str] = []

    def sample(model: object, sampler: str, settings: Settings) -> DataTree:
        asked.append(sampler)
        return DataTree()

    monkeypatch.setattr(sampling, "sample", sample)
    monkeypatch.setattr(starts, "check_starts", lambda *_: None)
    return asked


# --- names


@pytest.mark.parametrize("engine", ["auto", "exact", "nutpie", "pymc"])
def test_an_engine_is_known_by_its_name(engine: str) -> None:
    check_engine(engine)


def test_an_unknown_engine_is_told_its_nearest_name() -> None:
    with pytest.raises(InferenceError, match=r"There is no engine `nutpy`: did you mean `nutpie`\?"):
        check_engine("nutpy")


def test_an_engine_like_no_other_is_told_all_names() -> None:
    with pytest.raises(InferenceError, match="`auto`, `exact`, `nutpie`, `pymc`, `numpyro`, `blackjax`"):
        check_engine("gibbs")


@pytest.mark.parametrize(
    ("engine", "cure"),
    [
        ("nutpie", "pip install nutpie."),
        ("numpyro", "pip install 'formulajoint[numpyro]'."),
        ("blackjax", "pip install 'formulajoint[blackjax]'."),
    ],
)
def test_an_engine_not_installed_says_how_to_install_it(
    engine: str, cure: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(InferenceError) as error:
        check_engine(engine)
    assert str(error.value).endswith(f"is not installed: {cure}")


@pytest.mark.parametrize("engine", ["exact", "pymc"])
@pytest.mark.parametrize(
    ("setting", "value", "wanted"),
    [
        ("draws", 0, "a whole number of 1 or more, not 0"),
        ("draws", 1.5, "a whole number of 1 or more, not 1.5"),
        ("draws", "100", "a whole number of 1 or more, not '100'"),
        ("tune", -1, "a whole number of 0 or more, not -1"),
        ("chains", 0, "a whole number of 1 or more, not 0"),
        ("seed", -1, "a whole number of 0 or more, not -1"),
        ("seed", "one", "a whole number of 0 or more, not 'one'"),
        ("target_accept", 0, "between 0 and 1, not 0"),
        ("target_accept", 1.0, "between 0 and 1, not 1.0"),
        ("target_accept", float("nan"), "between 0 and 1, not nan"),
        ("target_accept", "high", "between 0 and 1, not 'high'"),
    ],
)
def test_a_setting_without_sense_is_refused_by_name(
    engine: str, setting: str, value: object, wanted: str
) -> None:
    with pytest.raises(InferenceError) as error:
        run(fj.model(SEED, fj.tutoring()).plan, no_model, engine, Settings(**SETTINGS | {setting: value}))
    assert str(error.value).startswith(f"`{setting}` must ")
    assert str(error.value).endswith(f"{wanted}.")


@pytest.mark.parametrize("engine", ["nutpie", "pymc"])
def test_a_device_is_not_for_nuts(engine: str) -> None:
    with pytest.raises(InferenceError) as error:
        run(fj.model(SEED, fj.tutoring()).plan, no_model, engine, replace(SETTING, device="cuda"))
    assert (
        str(error.value) == f"`device` is for the exact engine, not for {engine}. Leave one of the two out."
    )


# --- the choice


def test_auto_is_exact_where_that_applies() -> None:
    drawn = run(fj.model(SEED, fj.tutoring()).plan, no_model, "auto", SETTING)
    assert (drawn.engine, drawn.why) == ("exact", "")
    assert drawn.draws.attrs["engine"] == "exact"


REFUSED = [
    (
        "test_score ~ treatment | school, family(laplace)",
        "the response is laplace, which no exact engine covers",
    ),
    (
        "test_score ~ treatment, sigma ~ treatment | school, hierarchy(sigma)",
        "coefficients of sigma are pooled",
    ),
    (
        "test_score ~ treatment, prior(treatment ~ laplace(0, 5))",
        "the prior of `treatment` is laplace, not normal",
    ),
    (
        "test_score ~ treatment | school, hierarchy(), prior(treatment.mean ~ laplace(0, 5))",
        "the prior of `treatment_mean` is laplace, not normal",
    ),
    (
        "test_score ~ 1 | school, sigma ~ 1 | treatment, hierarchy(sigma)",
        "a school has rows of several treatments with a sigma each, which have a hierarchy",
    ),
]


@pytest.mark.parametrize(("formula", "reason"), REFUSED)
def test_auto_goes_on_with_nutpie_and_says_why(
    formula: str, reason: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked = stand_in(monkeypatch)
    with caplog.at_level(logging.INFO, logger="formulajoint"):
        drawn = run(fj.model(formula, fj.tutoring()).plan, lambda: None, "auto", SETTING)
    assert asked == ["nutpie"]
    assert (drawn.engine, drawn.why) == ("nutpie", reason)
    assert f"not by the exact engine: {reason}" in caplog.messages


def test_where_nutpie_goes_on_it_is_said_that_the_device_is_left_aside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stand_in(monkeypatch)
    monkeypatch.setattr(engine, "find_device", lambda name: replace(NUMPY, name=f"{name}:0"))
    (formula, reason), *_ = REFUSED
    settings = replace(SETTING, device="torch:cuda")
    drawn = run(fj.model(formula, fj.tutoring()).plan, lambda: None, "auto", settings)
    assert drawn.why == f"{reason}; nutpie does not draw on torch:cuda:0"


def test_the_device_that_draws_is_said(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(engine, "find_device", lambda name: replace(NUMPY, name=f"{name}:0"))
    with caplog.at_level(logging.INFO, logger="formulajoint"):
        run(fj.model(SEED, fj.tutoring()).plan, no_model, "exact", replace(SETTING, device="torch:cuda"))
    assert "exact: on torch:cuda:0" in caplog.messages


@pytest.mark.parametrize(("formula", "reason"), REFUSED)
def test_exact_refuses_what_it_does_not_cover(formula: str, reason: str) -> None:
    with pytest.raises(InferenceError) as error:
        run(fj.model(formula, fj.tutoring()).plan, no_model, "exact", SETTING)
    assert str(error.value) == f"The exact engine does not apply: {reason}. Use engine='auto'."


def test_too_many_scales_and_columns_are_too_many() -> None:
    rng = np.random.default_rng(0)
    data = pd.DataFrame(rng.normal(size=(400, 6)), columns=list("yabcde"))
    data["g"] = np.arange(400) % 40
    reason = "there are 16 sigmas, sds and correlations, more than 12"
    with pytest.raises(InferenceError, match=reason):
        run(fj.model("y ~ a + b + c + d | g, hierarchy()", data).plan, no_model, "exact", SETTING)


def test_an_untrusted_importance_sample_makes_auto_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = stand_in(monkeypatch)
    monkeypatch.setattr(sampled, "K_HAT", -5.0)
    plan = fj.model(f"{SEED}, hierarchy()", fj.tutoring()).plan
    drawn = run(plan, lambda: None, "auto", SETTING)
    assert asked == ["nutpie"]
    assert drawn.why.startswith("the importance weights cannot be trusted (k-hat ")
    assert run(plan, no_model, "exact", SETTING).engine == "exact"


def test_of_several_modes_the_mixture_is_kept_with_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    """NUTS would stay in one of them."""
    asked = stand_in(monkeypatch)
    plan = fj.model(f"{SEED}, hierarchy()", fj.tutoring()).plan
    sample_phi = gaussian.sample_phi

    def of_two_modes(*args: Any) -> Any:
        phi = sample_phi(*args)
        return replace(phi, found=replace(phi.found, modes=2, disagreement=9.0))

    monkeypatch.setattr(gaussian, "sample_phi", of_two_modes)
    assert run(plan, lambda: None, "auto", SETTING).engine == "exact"
    assert asked == []
    fit = fj.fit(f"{SEED}, hierarchy()", fj.tutoring(), seed=1)
    assert any("several modes" in sentence for sentence in fit.diagnostics())
    with pytest.raises(InferenceError, match="two independent searches differ by"):
        _ = fit.log_evidence


def test_where_importance_sampling_fails_auto_goes_on_and_exact_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> NoReturn:
        raise InferenceError(
            "Importance sampling failed: the density is zero or not finite at every point tried."
        )

    asked = stand_in(monkeypatch)
    monkeypatch.setattr(gaussian, "sample_phi", fail)
    plan = fj.model(SEED, fj.tutoring()).plan
    drawn = run(plan, lambda: None, "auto", SETTING)
    assert (asked, drawn.why) == (
        ["nutpie"],
        "importance sampling failed: the density is zero or not finite at every point tried",
    )
    with pytest.raises(InferenceError, match="zero or not finite"):
        run(plan, no_model, "exact", SETTING)


def test_nuts_is_taken_where_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = stand_in(monkeypatch)
    drawn = run(fj.model(SEED, fj.tutoring()).plan, lambda: None, "pymc", SETTING)
    assert asked == ["pymc"]
    assert drawn.why == ""


# --- as users meet it


def test_what_takes_seconds_is_said_before_it_is_done(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stand_in(monkeypatch)
    plan = fj.model("test_score ~ treatment | school", fj.tutoring()).plan

    def build() -> NoReturn:
        raise AssertionError(caplog.messages)

    with (
        caplog.at_level(logging.INFO, "formulajoint"),
        pytest.raises(AssertionError, match="loading PyMC and comp"),
    ):
        run(plan, build, "pymc", SETTING)


def test_a_fit_says_who_drew() -> None:
    fit = fj.fit(SEED, fj.tutoring(), seed=1)
    assert fit.engine == "exact"
    assert str(fit).splitlines()[-1].startswith("sampled by the exact engine (quadrature)")
    pooled = fj.fit(f"{SEED}, hierarchy()", fj.tutoring(), seed=1)
    assert str(pooled).splitlines()[-1].startswith("sampled by the exact engine (k-hat ")


HEAVY = {"pymc", "pytensor", "nutpie", "matplotlib", "arviz_stats", "xarray", "scipy.special", "scipy.sparse"}


def test_the_exact_engine_and_its_table_load_nothing_heavy() -> None:
    code = (
        "import sys, formulajoint as fj\n"
        f"fj.fit({SEED!r}, fj.tutoring(), seed=1).contrasts()\n"
        f"print(*({HEAVY} & set(sys.modules)))"
    )
    run_ = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (run_.returncode, run_.stdout.strip()) == (0, ""), run_.stderr


DRAWN = """
import hashlib, numpy as np, formulajoint as fj
for rows, groups, cor in ((3_000, 300, "true"), (60_000, 3_000, "false")):
    rng = np.random.default_rng(0)
    data = {"g": np.arange(rows) % groups, "x": rng.normal(size=rows), "y": rng.normal(size=rows)}
    found = fj.fit(f"y ~ x | g, hierarchy(cor={cor})", data, engine="exact", seed=5, draws=5, chains=1)
    print(hashlib.md5(found.posterior["x"].to_numpy().tobytes()).hexdigest())
"""


@pytest.mark.slow
def test_the_same_seed_draws_the_same_to_the_bit_on_any_number_of_threads() -> None:
    found = {
        subprocess.run(
            [sys.executable, "-c", DRAWN],
            env=os.environ | {"OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads in ("1", "4")
    }
    assert len(found) == 1


def test_where_all_is_known_there_is_nothing_to_draw() -> None:
    known = "prior(Intercept ~ constant(0), treatment ~ constant(1), sigma ~ constant(2))"
    for name in ("auto", "exact", "nutpie"):
        plan = fj.model(f"test_score ~ treatment | school, joint(), {known}", fj.tutoring()).plan
        with pytest.raises(
            InferenceError, match="There is nothing to draw: every coefficient and sigma is a c"
        ):
            run(plan, no_model, name, SETTING)
    hierarchy = "prior(Intercept ~ constant(0), treatment.mean ~ constant(1), treatment.sd ~ constant(2), sigma ~ constant(2))"
    fit = fj.fit(f"test_score ~ treatment | school, hierarchy(treatment), {hierarchy}", fj.tutoring(), seed=1)
    assert list(fit.posterior) == ["treatment"]
