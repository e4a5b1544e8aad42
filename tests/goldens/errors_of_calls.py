"""What is asked wrongly of a fit and of the verbs."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

import formulajoint as fj
from goldens import reach
from goldens.languages import mine

type Calls = dict[str, Callable[[], object]]

CLAUSES = r"""
pairwise(z)
joint(x, weights=q)
joint(x, weights=text)
joint(x, weights=gap)
joint(x, weights=sum(endless))
hierarchy(x)
family(student)
prior(x ~ normal(0, 1))
sigma ~ 1
x
joint(x), rms(x)
pairwise(x
jont(x)
contrast(x[A]^0.5)
contrast(x[A] / (1 - 1))
contrast(x[A] * 9^999)
contrast(arm[A, a])
pairwise(arm, over=sex)
joint(x, name=sigma)
"""

HYPOTHESES = r"""
xx == 0
x[A] == 0, y == 0
I(x) == 0
x.mean == 0
sigma == 1
x[C] == 0
x[schol=A] == 0
z[A] == 0
x * x == 0
2 / x == 0
x / 0 == 0
x[A] == 1 / 0
z * (x - x) == 0
x^2 == 0
x == 0^-1
x * 1e300 * 1e300 == 0
x == 1e300 * 1e300
x[A] == x[A]
x - x == 0
0 * x == 0
1 == 1
z == 0, 1 == 2
x == 0, z > 0
x == 0, x[A] == 1
x[A] == x[B], x[B] == z, z == x[A] + 1
z == 0, z == 1e-10
x[A] > x[B] + 1, x[B] > z, z > x[A] - 1
arm[arm=a] == 0
arm[A] == 0
arm[west, a] == arm[B, b]
x
x != 0
x = = 0
x == 0 and z == 0
x ~ 0
x > 0 < z
"""
CLAUSES_ALONE = r"""
joint(x), rms(x)
joint(x) | g
prior(x ~ flat())
sigma ~ 1
x
joint(x
jont(x)
contrast()
"""

HYPOTHESES_ALONE = r"""
x
(x)
x - z
x == 0, z[A]
x == 0 and z == 0
x = 0 | g
x ~ 0
x =< 0
x != 0
x =
x[A == 0
x == 1e999
"""


@cache
def wide() -> pd.DataFrame:
    """Return rows with the columns that wrong formulas name."""
    row = np.arange(156)
    numbers = {
        name: (row * step % 31 + row % 7 / 3) for step, name in enumerate(("y", "x", "z", "sigma", "cor"), 3)
    }
    return pd.DataFrame(
        numbers
        | {"x.mean": row * 11 % 17, "sigma.z": row * 13 % 19, "z.mean": row * 5 % 23}
        | {"arm": np.array(["a", "b", "c"])[row % 3], "sex": np.array(["f", "m"])[row // 3 % 2]}
        | {"school": np.array(["A", "B"])[row // 78], "flag": row // 2 % 2 == 0, "one": "S"}
        | {
            "many": [f"g{i % 26:02}" for i in row],
            "number": 1 + row // 78,
            "text": [f"t{i % 13}" for i in row],
        }
        | {"year": 2019 + row % 4, "far": 1e7 + row % 5}
        | {"w": 1 + row % 2, "population": 100 + row // 78, "minus": row // 78 * 2 - 1, "nothing": row // 156}
        | {"gap": np.where(row < 2, np.nan, 1.0), "endless": np.where(row < 1, np.inf, 1.0)}
    )


@cache
def asked_fit() -> fj.Fit:
    """Return the fit that is asked wrongly."""
    model = fj.model("y ~ x + arm + common(z) | school, joint(x), pairwise(x)", wide(), language=fj.CORE)
    return model.fit(draws=50, chains=2, seed=1, engine="exact")


def of_a_fit() -> Calls:
    """Return calls of a fit's methods with wrong arguments."""
    fit: Any = asked_fit()  # the arguments are wrong on purpose
    short = fj.fit("test_score ~ treatment", fj.tutoring(), draws=4, chains=1, seed=1)
    return {
        "fit.test(0)": lambda: fit.test(0),
        "fit.bands(0.9)": lambda: fit.bands(0.9),
        "fit.contrast(3)": lambda: fit.contrast(3),
        "fit.test(rope=(-1, 1))": lambda: fit.test(rope=(-1, 1)),
        "fit.test(rope=0)": lambda: fit.test(rope=0),
        "fit.test(rope=True)": lambda: fit.test(rope=True),
        "fit.test(rope={'xx': 1})": lambda: fit.test("x == 0", rope={"xx": 1}),
        "fit.test(rope={'z': 1})": lambda: fit.test("x == 0", rope={"z": 1}),
        "fit.test(rope={'x': 1, 'z': 2})": lambda: fit.test("x == z", rope={"x": 1, "z": 2}),
        "fit.test(standardized=True)": lambda: fit.test(standardized=True),
        "fit.test(at_least=9)": lambda: fit.test("x == 0", at_least=9),
        "fit.test(at_least=1.5)": lambda: fit.test("x == 0", at_least=1.5),
        "fit.sensitivity(factors=0)": lambda: fit.sensitivity("x == 0", factors=0),
        "fit.sensitivity(factors=())": lambda: fit.sensitivity("x == 0", factors=()),
        "fit.summary(2)": lambda: fit.summary(2),
        "fit.contrasts(0)": lambda: fit.contrasts(0),
        "fit.contrast(prob='most')": lambda: fit.contrast("joint(x)", prob="most"),
        "fit.weights('pairwise_x')": lambda: fit.weights("pairwise_x"),
        "fit.weights('joint_xx')": lambda: fit.weights("joint_xx"),
        "fit.weights(3)": lambda: fit.weights(3),
        "fit.weights of no contrasts": lambda: short.weights("joint"),
        "fit.save(5)": lambda: fit.save(5),
        "fit.save('fit.pkl')": lambda: fit.save("fit.pkl"),
        "fit.report(5)": lambda: fit.report(5),
        "fit.report('fit.pdf')": lambda: fit.report("fit.pdf"),
        "fit.compare(3)": lambda: fit.compare(3),
        "fit.compare(another response)": lambda: fit.compare(short),
        "fit.plot.contrast('contrast(x[A]^0.5)')": lambda: fit.plot.contrast("contrast(x[A]^0.5)"),
        "fit.plot.contrast('nobody')": lambda: fit.plot.contrast("nobody"),
        "fit.plot.forest('nobody')": lambda: fit.plot.forest("nobody"),
        "fit.plot.shrinkage()": lambda: fit.plot.shrinkage(),
        "fit.plot.joint('xx == 0')": lambda: fit.plot.joint("xx == 0"),
        "fit.plot.ppc(kind='bars')": lambda: fit.plot.ppc(kind="bars"),
        "fit.plot.trace(['nobody'])": lambda: fit.plot.trace(["nobody"]),
        "fit.plot.pairs(['sigma'])": lambda: fit.plot.pairs(["sigma"]),
    }


def of_verbs() -> Calls:
    """Return calls of the verbs with wrong arguments."""
    data, text = fj.tutoring(), "test_score ~ treatment | school, joint(weights=n)"
    model: Any = fj.model(text, data, language=fj.CORE)
    call: Any = fj.model
    parse: Any = fj.parse
    load: Any = fj.load
    flat = fj.model(text, data, priors="flat", language=fj.CORE)
    known = fj.model(
        "test_score ~ 1, prior(Intercept ~ constant(1), sigma ~ constant(1))", data, language=fj.CORE
    )
    laplace = fj.model(text, data, family="laplace", language=fj.CORE)
    return {
        "fj.parse(3)": lambda: parse(3),
        "fj.parse('')": lambda: fj.parse(""),
        "fj.parse of 20,001 characters": lambda: fj.parse("y ~ " + "x" * 20_000),
        "fj.parse of 40 brackets": lambda: fj.parse("y ~ " + "(" * 40 + "x" + ")" * 40),
        "fj.parse of two lines": lambda: fj.parse("y ~ x | g,\n  jont(x)"),
        "fj.parse of a long line": lambda: fj.parse(
            "y ~ " + " + ".join(f"x{i}" for i in range(60)) + " + sine(x)"
        ),
        "fj.model(3, data)": lambda: call(3, data),
        "fj.model(data, formula)": lambda: call(data, text),
        "fj.model(priors='default')": lambda: call(text, data, priors="default"),
        "fj.model(family='poison')": lambda: call(text, data, family="poison"),
        "fj.model(family='Gaussian')": lambda: call(text, data, family="Gaussian"),
        "fj.model(family='student') of family(gaussian)": lambda: call(
            f"{text}, family(gaussian)", data, family="student"
        ),
        "fj.model(language='R')": lambda: call(text, data, language="R"),
        "fj.fit(prior='flat')": lambda: fj.fit(text, data, prior="flat"),
        "fj.fit(iter=2000)": lambda: fj.fit(text, data, iter=2000),
        "fj.build without a model": lambda: fj.build(text, data),
        "model.explain('pdf')": lambda: model.explain("pdf"),
        "model.fit(engine='nutpy')": lambda: model.fit(engine="nutpy"),
        "model.fit(engine='stan')": lambda: model.fit(engine="stan"),
        "model.fit(draws=0)": lambda: model.fit(draws=0),
        "model.fit(draws=1.5)": lambda: model.fit(draws=1.5),
        "model.fit(chains=0)": lambda: model.fit(chains=0),
        "model.fit(tune=-1)": lambda: model.fit(tune=-1),
        "model.fit(seed=-1)": lambda: model.fit(seed=-1),
        "model.fit(seed='a')": lambda: model.fit(seed="a"),
        "model.fit(target_accept=1)": lambda: model.fit(target_accept=1),
        "model.fit(likelihood='row')": lambda: model.fit(likelihood="row"),
        "model.fit(device='tpu')": lambda: model.fit(device="tpu"),
        "model.fit(device='cuda', engine='nutpie')": lambda: model.fit(device="cuda", engine="nutpie"),
        "a model of constants": lambda: known.fit(),
        "a Laplace model by sums": lambda: laplace.fit(likelihood="sums"),
        "a Laplace model by the exact engine": lambda: laplace.fit(engine="exact"),
        "draws from flat priors": lambda: flat.prior_predictive(),
        "the evidence of flat priors": lambda: flat.fit(draws=4, chains=1, seed=1).log_evidence,
        "fj.load(5)": lambda: load(5),
        "fj.load('none.nc')": lambda: fj.load("none.nc"),
        "a formula of no version": lambda: reach.from_json({"node": "Formula"}),
        "a formula of version 9": lambda: reach.from_json({"version": 9}),
        "a formula of an extension": lambda: reach.from_json(
            reach.to_json(fj.parse("y ~ half(x)", language=mine()))
        ),
    }
