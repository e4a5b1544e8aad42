"""Posteriors that are known: exact figures, computed without PyMC, against what a formula gives.

An estimate agrees where it lies within four of its own Monte Carlo standard errors of the known figure. How close
that is, is held too: there must be enough effective draws to see a mean that is a tenth of a standard deviation off.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from arviz_stats.base.array import array_stats
from numpy.typing import NDArray

import formulajoint as fj
from formulajoint.inference.evidence import log_evidence
from formulajoint.inference.quadrature import LogIntegral

HERE = Path(__file__).parent
EVIDENCE = json.loads((HERE / "reference" / "evidence.json").read_text())
REFERENCES = json.loads((HERE / "reference" / "posteriors.json").read_text())

WIDE = 4.5
"""Monte Carlo standard errors by which an estimate may miss: once in 150,000 by chance. The figures are hundreds,
and a machine whose processor rounds otherwise draws other numbers from the same seed."""

ENOUGH = 2500
"""Effective draws that every quantity must have."""

CAUCHY = """hierarchy(treatment, dist=cauchy), joint(weights=n),
    prior(Intercept ~ normal(0, 100), treatment.mean ~ cauchy(0, 10), treatment.sd ~ constant(10),
          sigma ~ half_cauchy(10))"""

SCHOOLS = """y ~ 1 | school, {}, se(sigma), prior(Intercept.mean ~ normal(0, 5), Intercept.sd ~ half_cauchy(5)),
    joint(Intercept, weights=equal, name=plain), joint(Intercept, weights=precision, name=sure)"""


@dataclass(frozen=True)
class Case:
    """A model whose posterior is known."""

    data: str
    formula: str
    priors: str | None = None
    draws: int = 4000
    engine: str = "exact"
    target_accept: float = 0.9


CASES = {
    "not pooled": Case(
        "tutoring", "test_score ~ treatment | school, joint(weights=n)", priors="flat", draws=8000
    ),
    "hierarchy": Case("tutoring", f"test_score ~ treatment | school, {CAUCHY}", draws=8000),
    "hierarchy, sigma by school": Case(
        "tutoring", f"test_score ~ treatment | school, sigma ~ 1 | school, {CAUCHY}", draws=20000
    ),
    "pigs, three weights": Case(
        "pigs",
        """logconc ~ percent | source, joint(weights=n, name=by_rows), joint(weights=equal, name=plain),
           joint(weights=precision, name=shared)""",
        priors="flat",
    ),
    "mtcars, three weights": Case(
        "mtcars",
        """mpg ~ wt | cyl, joint(weights=n, name=by_rows), joint(weights=equal, name=plain),
           joint(weights=precision, name=shared)""",
        priors="flat",
    ),
    "correlated hierarchy": Case(
        "sleepstudy",
        """Reaction ~ Days | Subject, hierarchy(), joint(weights=n),
           prior(Intercept.mean ~ normal(250, 100), Intercept.sd ~ half_cauchy(25),
                 Days.mean ~ normal(10, 20), Days.sd ~ half_cauchy(10),
                 cor ~ lkj(2), sigma ~ half_cauchy(25))""",
    ),
    "student hierarchy": Case(
        "sleepstudy",
        """Reaction ~ Days | Subject, hierarchy(Days, dist=student, df=4), joint(weights=n),
           prior(Intercept ~ normal(0, 1000), Days.mean ~ normal(10, 20), Days.sd ~ half_cauchy(10),
                 sigma ~ half_cauchy(25))""",
        engine="nutpie",
    ),
    "hierarchy, sigma by source": Case(
        "pigs",
        """logconc ~ percent | source, sigma ~ 1 | source, hierarchy(percent, centered=false),
           joint(weights=n), joint(weights=equal, name=plain),
           prior(Intercept ~ normal(0, 10), percent.mean ~ normal(0, 0.1), percent.sd ~ half_normal(0.1),
                 sigma ~ half_normal(0.5))""",
    ),
    "student likelihood": Case(
        "stackloss",
        """stack.loss ~ standardize(Air.Flow) + standardize(Water.Temp) + standardize(`Acid.Conc.`),
           family(student),
           prior(Intercept ~ normal(20, 20), standardize(Air.Flow) ~ normal(0, 10),
                 standardize(Water.Temp) ~ normal(0, 10), standardize(`Acid.Conc.`) ~ normal(0, 10),
                 sigma ~ half_cauchy(5), nu ~ constant(4))""",
        engine="nutpie",
    ),
    "binomial": Case(
        "cbpp",
        """prop(incidence, size) ~ C(period) + (1 | herd), family(binomial),
           prior(Intercept ~ normal(0, 5), C(period) ~ normal(0, 2.5)), prior(Intercept.sd ~ half_normal(1), over=herd)""",
        engine="nutpie",
    ),
    "poisson, not pooled": Case(
        "warpbreaks_tension",
        "breaks ~ woolB | tension, family(poisson), prior(Intercept ~ normal(3, 2), woolB ~ normal(0, 1))",
        engine="nutpie",
    ),
    "poisson, offset": Case(
        "roaches",
        """y ~ I(roach1 / 100) + treatment + senior + offset(log(exposure2)), family(poisson),
           prior(Intercept ~ normal(0, 5), I(roach1 / 100) ~ normal(0, 5), treatment ~ normal(0, 5),
                 senior ~ normal(0, 5))""",
        engine="nutpie",
    ),
    "interaction": Case(
        "kidiq", "kid_score ~ mom_hs * mom_iq, prior(sigma ~ half_cauchy(2.5))", priors="flat", draws=12000
    ),
    "not pooled, proper priors": Case(
        "sleepstudy",
        """Reaction ~ Days | Subject, joint(weights=n),
           prior(Intercept ~ normal(250, 100), Days ~ normal(10, 20), sigma ~ half_cauchy(25))""",
    ),
    "intercepts pooled, one slope": Case(
        "sleepstudy",
        """Reaction ~ 1 + common(Days) | Subject, hierarchy(Intercept),
           prior(Intercept.mean ~ normal(250, 100), Intercept.sd ~ half_cauchy(25), Days ~ normal(10, 20),
                 sigma ~ half_cauchy(25))""",
    ),
    "uncorrelated hierarchy": Case(
        "sleepstudy",
        """Reaction ~ Days | Subject, hierarchy(cor=false), joint(weights=n),
           prior(Intercept.mean ~ normal(250, 100), Intercept.sd ~ half_cauchy(25),
                 Days.mean ~ normal(10, 20), Days.sd ~ half_cauchy(10), sigma ~ half_cauchy(25))""",
    ),
    "hierarchy of slopes": Case(
        "sleepstudy",
        """Reaction ~ Days | Subject, hierarchy(Days), joint(weights=n), joint(weights=equal, name=plain),
           prior(Intercept ~ normal(0, 1000), Days.mean ~ normal(10, 20), Days.sd ~ half_cauchy(10),
                 sigma ~ half_cauchy(25))""",
    ),
    "known standard errors": Case("eight_schools", SCHOOLS.format("hierarchy()")),
    "known standard errors, student hierarchy": Case(
        "eight_schools", SCHOOLS.format("hierarchy(dist=student)"), draws=1000
    ),
    "known standard errors, cauchy hierarchy": Case(
        "eight_schools", SCHOOLS.format("hierarchy(dist=cauchy)"), draws=1000
    ),
    "hierarchy of slopes, sigma by group": Case(
        "mtcars",
        """mpg ~ wt | cyl, sigma ~ 1 | cyl, hierarchy(wt), joint(weights=n), joint(weights=equal, name=plain),
           prior(Intercept ~ normal(0, 100), wt.mean ~ normal(0, 10), wt.sd ~ half_cauchy(2.5),
                 sigma ~ half_cauchy(5))""",
    ),
}
CUT_OFF = 5e-4
"""Accuracy of the references, which are sums over grids: quadrature has more digits than they."""

EXACT = [name for name, case in CASES.items() if case.engine == "exact"]


def model_of(case: Case) -> fj.JointModel:
    data = fj.tutoring() if case.data == "tutoring" else pd.read_csv(HERE / "data" / f"{case.data}.csv")
    return fj.model(case.formula, data, priors=case.priors)


@pytest.mark.parametrize(
    "name", [name if name in EXACT else pytest.param(name, marks=pytest.mark.slow) for name in CASES]
)
def test_the_posterior_is_the_known_one(name: str) -> None:
    case = CASES[name]
    fit = model_of(case).fit(
        draws=case.draws, engine=case.engine, target_accept=case.target_accept, seed=1, progress=False
    )
    wrong = [
        f"{label}: {complaint}"
        for label, known in REFERENCES[name].items()
        for complaint in complaints(draws_of(fit, label), known)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", [name for name in EVIDENCE if name in CASES])
def test_the_evidence_is_the_known_one(name: str) -> None:
    found = log_evidence(model_of(CASES[name]).plan)
    assert isinstance(found, LogIntegral), found
    assert found.error < 0.01
    assert abs(found.value - EVIDENCE[name]) < WIDE * found.error + CUT_OFF


def draws_of(fit: fj.Fit, label: str) -> NDArray[np.float64]:
    """Return the draws (chain, draw) of a quantity such as ``treatment[A]``."""
    name, _, place = label.partition("[")
    variable = fit.posterior[name]
    dims = [dim for dim in variable.dims if dim not in ("chain", "draw")]
    where = place.removesuffix("]").split(", ") if place else []
    return variable.sel(dict(zip(dims, where, strict=True))).transpose("chain", "draw").to_numpy()


def complaints(draws: NDArray[np.float64], known: Mapping[str, float]) -> Iterator[str]:
    """Yield what is wrong with `draws` of a quantity whose statistics are `known`."""
    enough = array_stats.ess(draws, chain_axis=0, draw_axis=1, method="bulk")
    if enough < ENOUGH:
        yield f"{enough:.0f} effective draws are too few to tell"
    for statistic, value in known.items():
        estimate, error = estimated(draws, statistic)
        if not abs(estimate - value) < WIDE * error:
            yield f"{statistic} is {estimate:.5g} +- {error:.2g}, not {value:.5g}"


def estimated(draws: NDArray[np.float64], statistic: str) -> tuple[float, float]:
    """Return a statistic of draws (chain, draw) and its Monte Carlo standard error."""
    axes = {"chain_axis": 0, "draw_axis": 1}
    if statistic == "mean":
        return draws.mean(), array_stats.mcse(draws, method="mean", **axes)
    if statistic == "sd":
        return draws.std(ddof=1), array_stats.mcse(draws, method="sd", **axes)
    prob = float(statistic.removeprefix("q")) / 100
    return np.quantile(draws, prob), array_stats.mcse(draws, method="quantile", prob=prob, **axes)


PIGS = """logconc ~ percent | source, hierarchy(percent, dist={0}), prior(Intercept ~ normal(0, 10),
    percent.mean ~ normal(0, 0.1), percent.sd ~ half_normal(0.1), sigma ~ half_normal(0.5)){1}"""
HEAVY = {
    "pigs, student": Case("pigs", PIGS.format("student", "")),
    "pigs, cauchy": Case("pigs", PIGS.format("cauchy", "")),
    "pigs, cauchy, sigma by source": Case("pigs", PIGS.format("cauchy", ", sigma ~ 1 | source")),
    "tutoring, cauchy": Case(
        "tutoring",
        """test_score ~ treatment | school, hierarchy(treatment, dist=cauchy), prior(Intercept ~ normal(0, 100),
           treatment.mean ~ cauchy(0, 10), treatment.sd ~ half_cauchy(10), sigma ~ half_cauchy(10))""",
    ),
}


@pytest.mark.parametrize("name", HEAVY)
def test_the_evidence_under_a_student_or_cauchy_hierarchy_is_the_known_one(name: str) -> None:
    found = log_evidence(model_of(HEAVY[name]).plan)
    assert isinstance(found, LogIntegral), found
    assert found.error < 0.01
    assert abs(found.value - EVIDENCE[name]) < WIDE * found.error + CUT_OFF


# --- the yardstick itself

NORMAL = np.random.default_rng(1).normal(5, 2, (4, 4000))


def test_true_figures_are_accepted() -> None:
    assert not list(complaints(NORMAL, {"mean": 5, "sd": 2, "q2.5": 1.0801, "q50": 5, "q97.5": 8.9199}))


@pytest.mark.parametrize("known", [{"mean": 5.2}, {"sd": 2.1}, {"q2.5": 1.3}, {"q50": 5.2}, {"q97.5": 8.65}])
def test_a_figure_that_is_a_tenth_of_a_deviation_off_is_seen(known: dict[str, float]) -> None:
    assert list(complaints(NORMAL, known))


def test_too_few_draws_are_seen() -> None:
    assert list(complaints(NORMAL[:, :500], {"mean": 5}))


def test_every_known_posterior_is_asked_for() -> None:
    assert REFERENCES.keys() == CASES.keys()
