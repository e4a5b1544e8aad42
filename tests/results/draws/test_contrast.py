"""Contrasts asked of a fit: the same numbers as in the formula, and those of emmeans."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytensor
import pytensor.tensor as pt
import pytest
from xarray import Dataset, DataTree

import formulajoint as fj
from formulajoint.compiler.pymc.build import build_model
from formulajoint.contrasts.registry import AVERAGES, ContrastFunction
from formulajoint.errors import DataError, FormulaError
from formulajoint.language.vocabulary import default
from formulajoint.results.draws.contrast import with_contrast
from formulajoint.results.draws.diagnostics import diagnostics
from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.draws.tables import contrasts, summary, weights
from formulajoint.results.regressions.joint import regression
from formulajoint.spec.read import parse_clause

HERE = Path(__file__).parents[2]
EMMEANS = json.loads((HERE / "reference" / "contrasts.json").read_text())

RNG = np.random.default_rng(5)
G = np.repeat([0, 1, 2], [6, 8, 10])
FRAME = pd.DataFrame(
    {
        "y": RNG.normal(10, 2, 24),
        "x": RNG.normal(3, 1, 24),
        "arm": np.array(["a", "b", "c"])[np.arange(24) % 3],
        "dose": np.array(["low", "high"])[np.arange(24) // 3 % 2],
        "population": np.array([100.0, 300, 600])[G],
        "half": np.arange(24) % 2,
        "school": np.array(["A", "B", "C"])[G],
    }
)
BASE = "y ~ x + arm + common(dose) | school, hierarchy(x), sigma ~ 1 | school, prior(x.sd ~ constant(2), dose ~ constant(3))"


def at_random_points(formula, frame=FRAME, draws=3):
    """Return a posterior whose every variable is what the PyMC model makes of random points."""
    plan = fj.model(formula, frame).plan
    model = build_model(plan)
    variables = [*model.free_RVs, *model.deterministics]
    outputs = model.replace_rvs_by_values(variables)
    mode = pytensor.compile.Mode(linker="py", optimizer=None)
    compute = pytensor.function(model.value_vars, outputs, mode=mode, on_unused_input="ignore")
    rng, start = np.random.default_rng(1), model.initial_point()
    points = [
        compute(*(rng.normal(0, 1, start[v.name].shape) for v in model.value_vars)) for _ in range(draws)
    ]
    values = {
        v.name: (
            ("chain", "draw", *model.named_vars_to_dims.get(v.name, ())),
            np.stack([p[i] for p in points])[None],
        )
        for i, v in enumerate(variables)
    }
    dataset = Dataset(values, {dim: list(labels) for dim, labels in plan.coords.items()})
    return Posterior(plan, DataTree.from_dict({"posterior": dataset}), "nutpie")


def asked(posterior, clause):
    return with_contrast(posterior, parse_clause(clause))


CLAUSES = [
    "joint(x)",
    "joint(x, weights=equal, scale=sigma)",
    "rms(arm, weights=precision)",
    "spread(x, weights=sum(half), scale=sd)",
    "joint(x, weights=population, scale=2)",
    "joint(arm, weights=dirichlet(n))",
    "pairwise(x)",
    "pairwise(arm)",
    "pairwise(arm, over=school)",
    "pairwise(dose)",
    "reference(x, ref=B)",
    "reference(arm, ref=c)",
    "sequential(arm)",
    "meandev(x)",
    "meandev(x, weights=precision)",
    "meandev(arm, over=school, weights=precision)",
    "meandev(x, weights=dirichlet(equal))",
    "meandev(arm)",
    "meandev(arm, weights={a: 1, b: 2, c: 3})",
    "meanotherdev(x)",
    "helmert(arm)",
    "poly(x)",
    "contrast(x[A] - 2*x[B])",
    "contrast(x[A] / x[B])",
    "contrast(x / sigma)",
    "contrast(arm[school=A] - arm[school=B] * x[C]^2)",
    "contrast((x - x.mean) / x.sd)",
    "contrast(arm[arm=b] + x - dose[low])",
    "contrast(-x[A]^2^0.5 + 1)",
    "contrast(sigma[A] - sigma[B])",
    "contrast(dose)",
]
NAMED = {clause: f"{clause[:-1]}, name=node{i})" for i, clause in enumerate(CLAUSES)}


@pytest.fixture(scope="module")
def whole():
    """One model with every clause in its formula."""
    return at_random_points(f"{BASE}, {', '.join(NAMED.values())}")


@pytest.mark.parametrize("clause", CLAUSES)
def test_as_if_it_had_stood_in_the_formula(whole, clause):
    """NumPy on draws gives what PyTensor's graph gives, under the same name, dims and weights."""
    later = asked(whole, NAMED[clause])
    (contrast,) = later.plan.contrasts
    name = contrast.name
    assert later.dataset[name].dims == whole.dataset[name].dims
    assert [later.plan.coords[d] for d in contrast.dims] == [
        tuple(whole.dataset[d].to_numpy()) for d in contrast.dims
    ]
    np.testing.assert_allclose(
        later.dataset[name].to_numpy(), whole.dataset[name].to_numpy(), rtol=1e-12, atol=1e-12
    )
    planned = next(c for c in whole.plan.contrasts if c.name == name)
    pd.testing.assert_series_equal(weights(later, contrast), weights(whole, planned))


def test_the_same_table(whole):
    later = contrasts(asked(whole, NAMED["pairwise(arm)"]))
    table = contrasts(whole)
    pd.testing.assert_frame_equal(later, table.loc[later.index])
    assert list(later.index)[:4] == [f"{later.index[0].partition('[')[0]}[a - b, {g}]" for g in "ABC"] + [
        later.index[3]
    ]
    assert later.index[3].endswith("[a - c, A]")


def test_contrasts_that_are_uncertain_in_the_same_way_share_their_weights():
    posterior = at_random_points(
        "y ~ x | school, joint(x, weights=dirichlet(n)), rms(weights=dirichlet(n)), spread(weights=dirichlet(equal))"
    )
    assert [(s.name, s.text) for s in posterior.plan.shares] == [
        ("school_shares", "dirichlet(n)"),
        ("school_shares_", "dirichlet(equal)"),
    ]
    shares, x = (posterior.dataset[name].to_numpy() for name in ("school_shares", "x"))
    np.testing.assert_allclose(shares.sum(axis=-1), 1)
    np.testing.assert_allclose(posterior.dataset["joint_x"].to_numpy(), (x * shares).sum(axis=-1))
    np.testing.assert_allclose(posterior.dataset["rms_x"].to_numpy() ** 2, (x**2 * shares).sum(axis=-1))


def test_shares_that_the_formula_has_not_are_drawn(made_up):
    """From their Dirichlet, the same ones whenever they are asked for, whatever the coefficients."""
    posterior = made_up("y ~ x | school", FRAME, chains=4, draws=5000)
    later = asked(posterior, "joint(x, weights=dirichlet(n))")
    shares = later.dataset["school_shares"].to_numpy().reshape((-1, 3))
    n = np.array([6, 8, 10])
    mean, sd = n / 24, np.sqrt(n / 24 * (1 - n / 24) / 25)
    np.testing.assert_allclose(shares.mean(axis=0), mean, atol=4 * sd.max() / np.sqrt(len(shares)))
    np.testing.assert_allclose(shares.std(axis=0), sd, rtol=4 / np.sqrt(2 * len(shares)))
    again = asked(posterior, "joint(x, weights=dirichlet(n))")
    assert again.dataset.identical(later.dataset)


# --- emmeans


def least_squares(formula, frame):
    """Return the flat-prior model's plan with its least-squares estimate and (X'X)^-1, over the variables in turn."""
    plan = fj.model(formula, frame, priors="flat").plan
    whole = regression(plan.data)
    estimate = np.linalg.lstsq(whole.columns, whole.y)[0]
    sigma2 = np.sum((whole.y - whole.columns @ estimate) ** 2) / (whole.rows - len(estimate))
    return plan, estimate, sigma2 * np.linalg.inv(whole.columns.T @ whole.columns)


def at_estimate(plan, estimate, covariance, clause):
    """Return a linear contrast's entries, estimates and standard errors, from draws that move one coefficient each."""
    points = np.vstack([estimate, estimate + np.eye(len(estimate))])
    start, variables = 0, {"sigma": (("chain", "draw"), np.ones((1, len(points))))}
    for c in plan.mean.coefficients:
        shape = tuple(len(plan.coords[d]) for d in c.dims)
        size = int(np.prod(shape))
        block = points[:, start : start + size].reshape((1, len(points), *shape))
        variables[c.name], start = (("chain", "draw", *c.dims), block), start + size
    dataset = Dataset(variables, {d: list(plan.coords[d]) for c in plan.mean.coefficients for d in c.dims})
    later = asked(Posterior(plan, DataTree.from_dict({"posterior": dataset}), "nutpie"), clause)
    (contrast,) = later.plan.contrasts
    values = later.dataset[contrast.name].stack(cell=contrast.dims).to_numpy()[0]  # (1 + P, cells)
    slopes = values[1:] - values[0]
    cells = [
        " ".join(map(str, key))
        for key in later.dataset[contrast.name].stack(cell=contrast.dims)["cell"].to_numpy()
    ]
    return cells, values[0], np.sqrt(np.einsum("pc,pq,qc->c", slopes, covariance, slopes))


def pigs():
    frame = pd.read_csv(HERE / "data" / "pigs_raw.csv")
    frame["source"] = pd.Categorical(frame["source"], ["fish", "soy", "skim"])
    frame["percent"] = frame["percent"].astype(str).astype(pd.CategoricalDtype(["9", "12", "15", "18"]))
    return frame


def test_pairwise_differences_of_emmeans():
    fitted = least_squares("log(conc) ~ source + percent", pigs())
    cells, estimates, errors = at_estimate(*fitted, "pairwise(source)")
    expected = EMMEANS["pigs"]["pairs_source"]
    assert cells == [row["contrast"] for row in expected]
    np.testing.assert_allclose(estimates, [row["estimate"] for row in expected], rtol=1e-10)
    np.testing.assert_allclose(errors, [row["SE"] for row in expected], rtol=1e-10)


FAMILY_OF_MEANS = {
    "reference(percent)": lambda m: m[1:] - m[0],
    "reference(percent, ref=15)": lambda m: np.delete(m, 2) - m[2],
    "sequential(percent)": np.diff,
    "meandev(percent, weights=equal)": lambda m: m - m.mean(),
    "meandev(percent, weights=n)": lambda m: m - np.average(m, weights=[8, 9, 7, 5]),
    "meanotherdev(percent)": lambda m: m - (m.sum() - m) / 3,
    "helmert(percent)": lambda m: np.array([m[1] - m[0], m[2] - m[:2].mean(), m[3] - m[:3].mean()]),
    "poly(percent, degree=2)": lambda m: np.array([[-3, -1, 1, 3], [1, -1, -1, 1]] @ m / np.sqrt([20, 4])),
}


@pytest.mark.parametrize("coding", ["treatment", "sum", "helmert", "poly"])
@pytest.mark.parametrize("clause", FAMILY_OF_MEANS)
def test_families_of_estimated_marginal_means(clause, coding):
    """Whatever the factor's coding, a family compares its levels."""
    term = f"C(percent, coding={coding})"
    fitted = least_squares(f"log(conc) ~ source + {term}", pigs())
    _, estimates, _ = at_estimate(*fitted, clause.replace("percent", term))
    means = np.array([row["emmean"] for row in EMMEANS["pigs"]["emm_percent"]])
    np.testing.assert_allclose(estimates, FAMILY_OF_MEANS[clause](means), rtol=1e-9, atol=1e-10)


def test_levels_within_groups():
    """`emmeans(fit, pairwise ~ wool | tension)`: the regression by tension says the same."""
    frame = pd.read_csv(HERE / "data" / "warpbreaks.csv")
    frame["tension"] = pd.Categorical(frame["tension"], ["L", "M", "H"])
    expected = EMMEANS["warpbreaks"]["pairs_wool_by_tension"]
    for formula, clause in [
        ("breaks ~ wool | tension", "pairwise(wool)"),
        ("breaks ~ 0 + wool | tension", "pairwise(wool)"),
    ]:
        cells, estimates, errors = at_estimate(*least_squares(formula, frame), clause)
        assert cells == [f"{row['contrast']} {row['tension']}" for row in expected]
        np.testing.assert_allclose(estimates, [row["estimate"] for row in expected], rtol=1e-9)
        np.testing.assert_allclose(errors, [row["SE"] for row in expected], rtol=1e-9)


def test_a_family_without_interaction_is_blind_to_the_group():
    """Groups compared at each level of a factor, over the groups on request."""
    frame = pd.read_csv(HERE / "data" / "warpbreaks.csv")
    cells, estimates, _ = at_estimate(
        *least_squares("breaks ~ 0 + wool | tension", frame), "pairwise(wool, over=tension)"
    )
    means = frame.groupby(["wool", "tension"])["breaks"].mean()
    assert cells[:2] == ["H - L A", "H - L B"]
    np.testing.assert_allclose(
        estimates[:2], [means["A", "H"] - means["A", "L"], means["B", "H"] - means["B", "L"]]
    )


# --- moments that do not exist, and values that are no numbers


def test_a_ratio_has_a_median_and_no_mean(made_up):
    posterior = made_up(
        "y ~ x | school, contrast(x[A] / x[B], name=ratio), contrast(x[A] / sigma, name=size)", FRAME
    )
    table = contrasts(posterior)
    assert table.loc["ratio", ["mean", "sd"]].isna().all()
    assert table.loc["ratio", ["median", "hdi_low", "hdi_high"]].notna().all()
    assert table.loc["size"].notna().all()


@pytest.mark.parametrize(
    ("expr", "mean", "sd"),
    [
        ("x[A]", True, True),
        ("x[A]^2", True, False),
        ("x[A] * x[B]^3", False, False),
        ("2 * x[A] - x[B]", True, True),
    ],
)
def test_products_have_fewer_moments(made_up, expr, mean, sd):
    """With flat priors and d = 3 degrees of freedom x[A] is a t with 3: its square has a mean, and no sd."""
    frame = FRAME.iloc[[0, 1, 2, 6, 7, 8, 14, 15, 16]]
    table = contrasts(made_up(f"y ~ x | school, contrast({expr}, name=c)", frame, priors="flat"))
    assert table[["mean", "sd"]].notna().iloc[0].tolist() == [mean, sd]


def test_a_contrast_that_is_no_number_is_said(made_up):
    posterior = made_up(
        "y ~ x | school, contrast(x[A]^0.5, name=root)",
        FRAME,
        root=np.r_[[np.nan] * 3, np.ones(797)].reshape((4, 200)),
    )
    (said,) = [
        line
        for line in diagnostics(posterior, summary(posterior))
        if "root" in line and "not a number" in line
    ]
    assert "not a number in 3 of 800 draws" in said


# --- contrasts of users, which may use what PyTensor has


def test_a_contrast_by_its_graph(made_up, monkeypatch):
    def middle(effects, weights):
        return pt.sort(effects, axis=0)[1]

    median = ContrastFunction("rms", middle, "median", plain=False)
    monkeypatch.setattr("formulajoint.contrasts.registry.AVERAGES", {**AVERAGES, "rms": median})
    posterior = made_up("y ~ arm | school", FRAME)
    found = asked(posterior, "rms(arm)").dataset["rms_arm"].to_numpy()
    np.testing.assert_allclose(found, np.median(posterior.dataset["arm"].to_numpy(), axis=2))


# --- what is asked wrongly


@pytest.mark.parametrize(
    ("clause", "error", "message"),
    [
        ("pairwise(z)", FormulaError, "no term `z`"),
        ("joint(x, weights=z)", FormulaError, "the data have no column `z`"),
        ("joint(x, weights=arm)", FormulaError, "holds text or categories"),
        ("joint(x, weights=gaps)", DataError, "misses 2 of the 24 rows"),
        ("joint(x, weights=sum(endless))", DataError, "is infinite in 1 of 24 rows"),
        ("test(x == 0)", FormulaError, r"`test` is not a contrast(.|\n)*write fit.test..x == 0.."),
        ("hierarchy(x)", FormulaError, "changes the model"),
    ],
)
def test_what_cannot_be_asked(made_up, clause, error, message):
    frame = FRAME.assign(gaps=np.r_[np.nan, np.nan, np.ones(22)], endless=np.r_[np.inf, np.ones(23)])
    posterior = made_up("y ~ x | school", frame)
    with pytest.raises(error, match=message) as raised:
        asked(posterior, clause)
    if error is FormulaError:
        assert raised.value.text == clause


def test_rows_left_out_of_the_fit_do_not_weigh(made_up):
    frame = FRAME.assign(x=FRAME["x"].where(FRAME.index > 1), own=1.0)
    later = asked(made_up("y ~ x | school", frame), "joint(x, weights=sum(own))")
    np.testing.assert_allclose(later.plan.contrasts[0].weights.values, np.array([4, 8, 10]) / 22)


def test_a_reference_level_is_zero_in_arithmetic():
    posterior = at_random_points("y ~ arm | school")
    asked = with_contrast(posterior, parse_clause("contrast(arm[arm=b] - arm[A, a])"))
    assert np.array_equal(asked.dataset["contrast_arm"], posterior.dataset["arm"].sel(arm_dim="b"))
    with pytest.raises(FormulaError, match="is always zero"):
        with_contrast(posterior, parse_clause("contrast(arm[A, a])"))


def test_what_is_registered_after_a_fit_can_be_asked_of_it(monkeypatch):
    monkeypatch.setattr(default, "_default", default._Default())
    posterior = at_random_points("y ~ x | school")

    @fj.contrast
    def late_maximum(effects, weights):
        return effects.max(axis=0)

    @fj.weights
    def late_weights(groups):
        return groups.rows**0.5

    clause = "late_maximum(x, weights=late_weights())"
    asked = with_contrast(posterior, parse_clause(clause, posterior.plan.design.language))
    assert np.allclose(asked.dataset["late_maximum_x"], posterior.dataset["x"].max("school"))
    bare = "joint(x, weights=late_weights)"
    with pytest.raises(FormulaError, match="the data have no column") as error:
        with_contrast(posterior, parse_clause(bare))
    assert error.value.hint == "`late_weights` is a way to weight groups: write `weights=late_weights()`"
