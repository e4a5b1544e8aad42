"""Contrasts of cells of an interaction: differences of the cells' means, in every coding."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pymc as pm
import pytest

import formulajoint as fj
from formulajoint.compiler.evaluate.contrast_nodes import on_draws

RNG = np.random.default_rng(24)
N = 240
DATA = pd.DataFrame(
    {
        "a": np.tile(["a1", "a2"], N // 2),
        "b": np.repeat(["b1", "b2", "b3"], N // 3),
        "g": np.tile(np.repeat(["u", "v"], 20), N // 40),
        "flag": RNG.random(N) < 0.5,
        "x": RNG.normal(size=N),
    }
)
DATA["y"] = (
    RNG.normal(size=N) + 2 * (DATA.a == "a2") + DATA.x * (DATA.b == "b3") + DATA.flag * (DATA.a == "a1")
)
CELLS = DATA.groupby(["a", "b"]).y.mean()
SMALL = 0.06  # five Monte Carlo errors of a mean of 4,000 draws


def means(formula: str, clause: str, **others: Any) -> dict[str, float]:
    """Return the posterior means of a contrast's entries under flat priors, by what stands in the brackets."""
    fit = fj.fit(formula, DATA, priors="flat", seed=1, engine="exact", **others)
    table = fit.contrast(clause)["mean"]
    return {str(name).partition("[")[2].removesuffix("]"): value for name, value in table.items()}


@pytest.mark.parametrize(
    ("formula", "term"),
    [
        ("y ~ a:b", "a:b"),
        ("y ~ a*b", "a:b"),
        ("y ~ 0 + a:b", "a:b"),
        ("y ~ b*a", "a:b"),
        ("y ~ b + a:b", "a:b"),
        ("y ~ C(a, coding=sum) * C(b, ref=b2)", "C(a, coding=sum):C(b, ref=b2)"),
        ("y ~ C(a, coding=sum):C(b, coding=helmert)", "C(a, coding=sum):C(b, coding=helmert)"),
    ],
)
def test_pairs_of_cells_and_simple_effects(formula: str, term: str) -> None:
    pairs = means(formula, f"pairwise({term})")
    cells = {frozenset(name.split(":")): name for names in pairs for name in names.split(" - ")}
    assert len(pairs) == 15
    assert len(cells) == 6
    for name, value in pairs.items():
        one, other = (CELLS[tuple(sorted(cell.split(":")))] for cell in name.split(" - "))
        assert value == pytest.approx(one - other, abs=SMALL)
    simple = means(formula, f"pairwise({term}, over=a)")
    assert list(simple) == ["a1 - a2, b1", "a1 - a2, b2", "a1 - a2, b3"]
    for b in ("b1", "b2", "b3"):
        assert simple[f"a1 - a2, {b}"] == pytest.approx(CELLS["a1", b] - CELLS["a2", b], abs=SMALL)
    other = means(formula, f"reference({term}, over=b, ref=b2)")
    assert other["b1 - b2, a2"] == pytest.approx(CELLS["a2", "b1"] - CELLS["a2", "b2"], abs=SMALL)


@pytest.mark.parametrize("formula", ["y ~ a:b", "y ~ a*b", "y ~ a:b | g"])
def test_deviations_from_the_mean_of_the_cells(formula: str) -> None:
    model = fj.model(f"{formula}, meandev(a:b, weights=equal)", DATA, priors="flat")
    assert (
        "deviations from the weighted mean of the cells of a:b, 6 entries; weights equal: a1:b1 0.167"
        in " ".join(model.explain().split())
    )
    fit = model.fit(seed=1, engine="exact")
    assert "a1:b1 - mean" in str(fit)
    assert "a1:b1 - mean" in fit._repr_html_()
    groups = [DATA] if "|" not in formula else [DATA[DATA.g == g] for g in "uv"]
    for rows, label in zip(groups, ["", ", u"] if len(groups) == 1 else [", u", ", v"], strict=False):
        own = rows.groupby(["a", "b"]).y.mean()
        found = fit.contrasts()["mean"][f"meandev_a:b[a2:b3 - mean{label}]"]
        assert found == pytest.approx(own["a2", "b3"] - own.mean(), abs=2 * SMALL)


def test_by_group_and_shared() -> None:
    found = means("y ~ a + common(b) + a:b | g", "pairwise(a:b, over=a)")
    columns = pd.DataFrame({f"{g}{a}": (DATA.g == g) & (DATA.a == a) for g in "uv" for a in ("a1", "a2")})
    columns = columns.assign(**{b: DATA.b == b for b in ("b2", "b3")})
    for g in "uv":
        columns = columns.assign(
            **{f"{g}a2{b}": (DATA.g == g) & (DATA.a == "a2") & (DATA.b == b) for b in ("b2", "b3")}
        )
    estimates = dict(
        zip(columns, np.linalg.lstsq(columns.to_numpy(float), DATA.y, rcond=None)[0], strict=True)
    )
    right = estimates["ua1"] - estimates["ua2"] - estimates["ua2b2"]
    assert found["a1 - a2, u, b2"] == pytest.approx(right, abs=2 * SMALL)
    assert set(found) == {f"a1 - a2, {g}, {b}" for g in "uv" for b in ("b1", "b2", "b3")}


def test_slopes_of_cells() -> None:
    found = means("y ~ a*b*x", "pairwise(a:b:x)")
    slopes = {f"{a}:{b}": np.polyfit(rows.x, rows.y, 1)[0] for (a, b), rows in DATA.groupby(["a", "b"])}
    assert set(found) == {f"{one} - {other}" for one, other in combinations(slopes, 2)}
    for name, value in found.items():
        one, other = name.split(" - ")
        assert value == pytest.approx(slopes[one] - slopes[other], abs=SMALL)


def test_switches_are_factors_with_two_levels() -> None:
    found = means("y ~ a*flag", "pairwise(a:flag, over=flag)")
    cell = DATA.groupby(["a", "flag"]).y.mean()
    assert list(found) == ["False - True, a1", "False - True, a2"]
    for a in ("a1", "a2"):
        assert found[f"False - True, {a}"] == pytest.approx(cell[a, False] - cell[a, True], abs=SMALL)


def test_three_factors() -> None:
    found = means("y ~ a*b*flag", "pairwise(a:b:flag, over=b)")
    cell = DATA.groupby(["a", "b", "flag"]).y.mean()
    assert len(found) == 3 * 4
    right = cell["a2", "b1", True] - cell["a2", "b3", True]
    assert found["b1 - b3, a2, True"] == pytest.approx(right, abs=SMALL)


@pytest.mark.parametrize(
    "formula", ["y ~ a:b | g, pairwise(a:b)", "y ~ a*b | g, hierarchy(Intercept), pairwise(a:b, over=b)"]
)
def test_node_of_the_model_and_after_the_fit_and_after_loading(formula: str, tmp_path: Any) -> None:
    model = fj.model(formula, DATA)
    fit = model.fit(seed=1, draws=50, engine="exact")
    clause = formula.partition("pairwise")[2]
    again = fit.contrast(f"pairwise{clause}")["mean"]
    assert again.tolist() == fit.contrasts()["mean"].tolist()
    fit.save(tmp_path / "fit.nc")
    assert fj.load(tmp_path / "fit.nc").contrast(f"pairwise{clause}")["mean"].tolist() == again.tolist()
    (node,) = [node for node in model.pymc.deterministics if node.name.startswith("pairwise")]
    names = [coefficient.name for coefficient in model.plan.mean.coefficients]
    value, *drawn = pm.draw([node, *(model.pymc[name] for name in names)], random_seed=3)
    found = on_draws(model.plan.contrasts, {n: v[..., None] for n, v in zip(names, drawn, strict=True)})
    assert value == pytest.approx(found[node.name][..., 0])
    assert value.shape == tuple(len(model.pymc.coords[d]) for d in model.pymc.named_vars_to_dims[node.name])


def test_coefficients_that_look_like_cells_are_refused() -> None:
    fit = fj.fit("y ~ a:b", DATA, seed=1, draws=50)
    for ask in (
        lambda: fit.test('a:b["a2:b1"] == a:b["a2:b2"]'),
        lambda: fit.contrast('contrast(a:b["a2:b1"])'),
    ):
        with pytest.raises(fj.FormulaError, match="has no coefficient for each cell"):
            ask()
    assert fit.test("a:b == 0")["rank"].item() == 5
    whole = fj.fit("y ~ 0 + a:b", DATA, priors="flat", seed=1)
    found = whole.contrast("contrast(a:b[a=a2, b=b1] - a:b[a=a2, b=b2])")["mean"].item()
    assert found == pytest.approx(CELLS["a2", "b1"] - CELLS["a2", "b2"], abs=SMALL)
