"""The identity that makes the engine exact: at any point, p(psi) p(b | psi) p(y | b, psi) is the PyMC model's density.

The left side's prior is the engine's, in its own coordinates; the rest is SciPy's. The point is one of the engine's draws,
under the names that it gives them.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from pytensor.compile.mode import Mode
from scipy.special import logit

import formulajoint as fj
from formulajoint.compiler.over import by_bar
from formulajoint.compiler.plan import ScalePlan
from formulajoint.distributions.links import NUMPY
from formulajoint.inference.gaussian.draws import Draws
from formulajoint.inference.groupwise.coefficients import draw_coefficients
from formulajoint.inference.groupwise.model import Model, model_of
from formulajoint.inference.groupwise.naming import variables
from formulajoint.inference.groupwise.sampling import sample_psi

FORMULAS = {
    "correlated": "y ~ x + offset(base) | g, hierarchy(), family(poisson)",
    "shared, not pooled, constants": """n ~ x + z + common(w) | g, hierarchy(x, centered=true), family(negative_binomial),
        prior(z ~ constant(0.2), x.mean ~ student_t(3, 0, 1), w ~ uniform(-3, 3), Intercept[a] ~ normal(1, 0.5))""",
    "group terms": "amount ~ x + (1 + x | g), family(gamma)",
    "categories": "grade ~ x + (1 | g), family(cumulative, link=probit)",
    "student": "real ~ 1 + common(x) | g, hierarchy(Intercept), family(student)",
    "shape by arm": "n ~ x | g, hierarchy(), family(negative_binomial), shape ~ arm + x + offset(base)",
    "shape by group": "amount ~ 1 + common(x) | g, hierarchy(Intercept), family(gamma), shape ~ 1 | g",
    "chances of zero": """y ~ 1 + common(z) | g, hierarchy(Intercept), family(zero_inflated_negative_binomial), zi ~ x,
        shape ~ 1 | arm, prior(z ~ normal(0, 1), zi.Intercept ~ student_t(4, -1, 2), zi.x ~ normal(0, 0.5))""",
    "two scales": """real ~ x | g, hierarchy(Intercept, centered=true), family(student), sigma ~ 0 + arm + w, nu ~ 1 | arm,
        prior(sigma.w ~ constant(0.3))""",
    "slopes by group": "share ~ 1 | g, hierarchy(), family(beta), phi ~ x | arm",
    "events": "event ~ x | g, hierarchy(Intercept), prior(Intercept.mean ~ constant(0.1)), family(bernoulli)",
}


def frame() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    g = np.repeat(list("abcde"), 8)
    x, z, w, base = 0.5 * rng.normal(size=(4, len(g)))
    rate = np.exp(0.5 + 0.4 * x + 0.2 * w)
    return pd.DataFrame(
        {
            "g": g,
            "x": x,
            "z": z,
            "w": w,
            "base": base,
            "arm": np.tile(list("stt"), 14)[: len(g)],
            "share": rng.beta(2, 3, len(g)),
            "y": rng.poisson(rate * np.exp(base)),
            "n": rng.poisson(rate * rng.gamma(3, 1 / 3, len(g))),
            "amount": rng.gamma(2, rate / 2),
            "grade": np.clip(np.round(x + rng.normal(size=len(g))), -1, 2).astype(int),
            "real": 3 * x + rng.standard_t(4, len(g)),
            "event": rng.binomial(1, 0.5, len(g)),
        }
    )


def unconstrained(name: str, value_name: str, value: np.ndarray, bounds: dict[str, tuple[float, float]]):
    match value_name.removeprefix(name):
        case "":
            return value
        case "_log__":
            return np.log(value)
        case "_ordered__":
            return np.append(value[:1], np.log(np.diff(value)))
        case "_logodds__":
            return logit(value)
        case "_interval__":
            low, high = bounds[name]
            return logit((value - low) / (high - low))
    raise AssertionError(value_name)


def bent(named, bounds, draw: int) -> float:
    """Return the log of what PyMC's density of w in its own coordinate is multiplied by: the engine's is of w itself."""
    low, high = bounds.get("w", (0, 1))
    w = float(named["w"][0, draw]) if "w" in named else 0.5
    return float(np.log((w - low) * (high - w) / (high - low)))


def further_at_rows(plan, named) -> dict[str, np.ndarray]:
    """Return the family's further parameters at each row, from variables by name."""
    known = {}
    for part in plan.further:
        if isinstance(part, ScalePlan):
            own = named.get(part.name, np.asarray(part.prior.constant, dtype=float))
            known[part.parameter] = own if part.grouping is None else own[part.grouping.codes]
            continue
        eta = np.zeros(len(plan.design.response.values))
        eta = eta if part.predictor.offset is None else eta + part.predictor.offset
        for c in part.coefficients:
            own = named.get(c.name, np.asarray(c.prior.constant, dtype=float))
            own = own if c.grouping is None or c.name not in named else own[c.grouping.codes]
            eta = eta + np.sum(c.term.columns * own.reshape(-1, c.term.columns.shape[1]), axis=1)
        known[part.parameter] = part.link.inverse(NUMPY, eta)
    return known


def log_density(model: Model, plan, psi, beta, named) -> float:
    """Return the log of p(psi) p(variables of the groups | psi) p(y | all)."""
    values, theta = model.parts(psi[None])
    values, theta = values[0], theta[0]
    structure, root = model.structure, model.structure.root(values)
    total = float(model.log_prior(psi[None])[0])
    eta = np.zeros(len(plan.design.response.values)) + (
        0 if plan.design.predictor.offset is None else plan.design.predictor.offset
    )
    codes = plan.design.predictor.grouping.codes
    own, shared = 0, structure.means
    for c in plan.mean.coefficients:
        k = c.term.columns.shape[1]
        if c.prior is not None and c.prior.constant is not None:
            eta += np.sum(c.term.columns * c.prior.constant, axis=1)
        elif c.grouped:
            eta += np.sum(c.term.columns * beta[own : own + k, codes].T, axis=1)
            own += k
        else:
            eta += c.term.columns @ theta[shared : shared + k]
            shared += k
    centred = {c.coefficient.name: c.centered for pool in plan.mean.pools for c in pool.terms}
    in_place = np.concatenate([[centred.get(c.name, True)] * c.term.columns.shape[1]
                               for c in plan.mean.coefficients
                               if c.grouped and not (c.prior is not None and c.prior.constant is not None)])  # fmt: skip
    for group in range(structure.groups):
        scale = root * np.where(structure.fixed[:, group] != 0, structure.fixed[:, group], 1.0)
        mean = structure.base + structure.u_mean[:, group] * structure.fixed[:, group]
        mean = np.where(
            structure.theta_of_column >= 0, np.append(theta, 0.0)[structure.theta_of_column], mean
        )
        u = np.linalg.solve(scale, beta[:, group] - mean)
        total += float(np.sum(scipy.stats.norm.logpdf(u)) - np.sum(np.log(np.diag(scale))[in_place]))
    known = further_at_rows(plan, named) | {"mu": plan.mean.link.inverse(NUMPY, eta)}
    law = plan.family.distribution.scipy(
        scipy.stats, *(known[name] for name in plan.family.distribution.args)
    )
    y = plan.design.response.values
    return total + float(np.sum(law.logpmf(y) if plan.family.distribution.whole else law.logpdf(y)))


def at_draw(named, draw: int) -> dict[str, np.ndarray]:
    return {name: np.asarray(values[0, draw]) for name, values in named.items()}


@pytest.mark.parametrize("name", FORMULAS)
def test_the_density_is_that_of_the_pymc_model(name: str) -> None:
    made = fj.model(FORMULAS[name], frame())
    plan = by_bar(made.plan)
    model = model_of(plan)
    near, found = sample_psi(model, 40, 1, np.random.SeedSequence(0))
    psi = found.points[0]
    beta = draw_coefficients(near, model, psi[0], np.random.default_rng(0))[None]
    values, theta = model.parts(psi)
    draws = Draws(values, theta, beta, 0.0, np.ones(1), 0.0, 0.0, 1, 0.0)
    named = {name: array for name, _, array in variables(plan, model, draws)}
    bounds = {n: prior.support for n, prior in plan.priors}
    logp = made.pymc.compile_logp(mode=Mode(linker="py", optimizer=None))
    of = {rv.name: value.name for rv, value in made.pymc.rvs_to_values.items() if rv in made.pymc.free_RVs}
    left, right = [], []
    for draw in range(4):
        at = {
            value: unconstrained(n, value, np.asarray(named[n][0, draw]), bounds) for n, value in of.items()
        }
        left.append(float(logp(at)) - bent(named, bounds, draw) * ("w" in named))
        right.append(log_density(model, plan, psi[0, draw], beta[0, draw], at_draw(named, draw)))
    away = np.array(left) - np.array(right)
    assert np.ptp(away) < 1e-8 * abs(left[0])
