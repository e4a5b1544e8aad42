"""What is asked of the rows: the same answers from triangles in any layout and grouping, and one pass for all."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

import formulajoint as fj
from formulajoint.compiler.plan import Plan
from formulajoint.compiler.plan_layout import plan_layout
from formulajoint.data import data as module
from formulajoint.data.data import Data, Table
from formulajoint.data.rows import cells_of, frequencies, less_offset, stack
from formulajoint.inference.null_plan import null_plan

type Array = NDArray[np.float64]

ROWS = 90
RNG = np.random.default_rng(1)
G = np.arange(ROWS) % 5
FRAME = pd.DataFrame(
    {
        "x": RNG.normal(3, 2, ROWS),
        "z": RNG.normal(size=ROWS),
        "o": RNG.normal(size=ROWS),
        "w": RNG.integers(1, 4, ROWS),
        "s": RNG.uniform(0.5, 2, ROWS),
        "arm": np.array(list("abc"))[RNG.integers(0, 3, ROWS)],
        "g": np.array(list("ABCDE"))[G],
        "half": np.array(list("uv"))[G // 3],  # of groups
        "other": np.array(list("pqr"))[RNG.integers(0, 3, ROWS)],  # across groups
    }
).assign(y=lambda d: 100 + d["x"] * (1 + G) + 0.5 * d["z"] + d["o"] + RNG.normal(0, 2, ROWS))

FORMULAS = [
    "y ~ x + arm + common(z) | g",
    "y ~ x + common(z) + offset(o) | g, weights(w)",
    "y ~ x + common(z) | g, sigma ~ 1 | g",
    "y ~ x + common(z) | g, sigma ~ 1 | half",
    "y ~ x + common(z) | g, sigma ~ 1 | other, weights(w)",
    "y ~ x + z, sigma ~ 1 | other",
    "y ~ x + arm | g, hierarchy(x)",
    "y ~ x + z + common(arm) | g, hierarchy(x), prior(x.mean ~ constant(2), z ~ constant(0.5))",
    "y ~ x + common(z) | g, se(s)",
]


def plan_of(formula: str, **options: str) -> Plan:
    return fj.model(formula, FRAME, **options).plan


def cross_products(rows: Array) -> Array:
    return np.einsum("...ij,...ik->...jk", rows, rows)


def of_table(table: Table) -> Array:
    return cross_products(np.concatenate([table.columns, table.y[:, :, None]], axis=2))


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("by", ["groups", "sigmas", "all", "elsewhere"])
def test_tables_have_the_cross_products_of_the_rows(formula: str, by: str) -> None:
    plan = plan_of(formula)
    other = plan_of("y ~ x | other").design.predictor.grouping  # neither the mean's groups nor sigma's
    grouping = {
        "groups": plan.data.predictor.grouping,
        "sigmas": plan.data.sigma,
        "all": None,
        "elsewhere": other,
    }[by]
    design, table = plan.design, plan.data.by(grouping)
    rows = np.column_stack([stack(design.predictor.terms, ROWS), less_offset(design)])
    weights = frequencies(design) / (1.0 if design.standard_errors is None else design.standard_errors**2)
    cells = cells_of(grouping, ROWS)
    for group, found in enumerate(of_table(table)):
        own = rows[cells.codes == group] * np.sqrt(weights[cells.codes == group])[:, None]
        np.testing.assert_allclose(found, own.T @ own, rtol=1e-10, atol=1e-8)
    np.testing.assert_array_equal(table.rows, cells.sums(frequencies(design)))
    assert [table.of([term]).shape[2] for term in design.predictor.terms] == [
        len(term.scales) for term in design.predictor.terms
    ]


@pytest.mark.parametrize("formula", [each for each in FORMULAS if "sigma" in each])
def test_rows_of_a_residual_sd_by_group(formula: str) -> None:
    data = plan_of(formula).data
    found = [of_table(table).sum(axis=0) for table in data.by_sigma()]
    np.testing.assert_allclose(found, of_table(data.by(data.sigma)), rtol=1e-10, atol=1e-8)


@pytest.mark.parametrize("formula", FORMULAS)
def test_the_response_less_what_is_known(formula: str) -> None:
    """A coefficient that is a constant is taken off; a hierarchy's constant mean is not, for its groups differ."""
    table = plan_of(formula).data.groups
    known = table.columns[:, :, table.places["z"]].sum(axis=2) * 0.5 if "constant" in formula else 0.0
    np.testing.assert_allclose(table.unknown, table.y - known, atol=1e-9)


NULLS = [
    ("y ~ x + arm + common(z) | g", "x == 0"),
    ("y ~ x + arm + common(z) | g", "x == x[A]"),
    ("y ~ x + common(z) | g, hierarchy(x)", "x == 0"),
    ("y ~ x + common(z) | g, hierarchy(x)", "x == x[A]"),
    ("y ~ 0 + x | g, weights(w)", "x == 2"),
    ("y ~ 0 + x | g, sigma ~ 1 | half", "x == x[A]"),
    ("y ~ x + common(z) | g, sigma ~ 1 | g, prior(Intercept ~ constant(100))", "x == 0"),
]


@pytest.mark.parametrize(("formula", "text"), NULLS)
def test_null_models_need_no_row(formula: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The triangles of a null model are those of its own rows, but for the reference and rounding."""
    plan = plan_of(formula)
    (test,) = fj.fit(formula + f", test({text})", FRAME, draws=20, seed=1).model.plan.tests
    null = null_plan(plan, test)
    assert isinstance(null, Plan)
    own = Data(plan.design, plan.design.predictor, plan_layout(null.mean), plan.data.sigma).triangles(
        plan_layout(null.mean)
    )
    assert plan.data.groups.rows.sum() > 0  # the rows are read
    monkeypatch.setattr(module, "read_rows", None)
    found = plan.data.triangles(plan_layout(null.mean))
    for one, other in ((found.own[:, :-1], own.own[:, :-1]), (found.rest, own.rest)):
        products = [
            np.einsum("ij...,ik...->jk...", each, each)
            if one.shape == found.own[:, :-1].shape
            else cross_products(each)
            for each in (one, other)
        ]
        np.testing.assert_allclose(*products, rtol=1e-9, atol=1e-7)
    np.testing.assert_allclose(found.reference, own.reference, rtol=1e-8)
    np.testing.assert_allclose(found.rounding, own.rounding, rtol=1e-6)


PRECISION = ", joint(x, weights=precision)"


@pytest.mark.parametrize(
    ("formula", "priors"),
    [
        ("y ~ x + arm + common(z) | g" + PRECISION, None),
        ("y ~ x + common(z) + offset(o) | g, weights(w)" + PRECISION, "flat"),
        ("y ~ x | g, sigma ~ 1 | g, joint()", "flat"),
        ("y ~ x + common(z) | g, hierarchy(x), sigma ~ 1 | half", None),
        ("y ~ x + z, sigma ~ 1 | other", None),
        ("y ~ x + common(z) | g, se(s)" + PRECISION, None),
    ],
)
def test_the_rows_are_read_once(formula: str, priors: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """For model, fit, printed text and all joint tests."""
    passes = []

    def counted(*args: object) -> object:
        passes.append(args)
        return read_rows(*args)  # type: ignore[arg-type]

    read_rows = module.read_rows
    monkeypatch.setattr(module, "read_rows", counted)
    fit = fj.fit(formula, FRAME, draws=100, chains=2, seed=1, priors=priors)
    assert str(fit)
    assert len(fit.test("x == 0")) == 1
    assert len(passes) == 1
