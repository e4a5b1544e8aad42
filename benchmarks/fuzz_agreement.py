"""Fits of random studies beside least squares, and beside themselves in another form.

Under flat priors a Gaussian fit is least squares by group: the same estimates, standard errors, F tests. And a fit must
not depend on the order of rows or of a category's levels, on names, on what holds the data, or on the units of one
school's test where each school has its own sigma.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import statsmodels.api as sm
from fuzz_checks import Found
from scipy import stats

import formulajoint as fj

DRAWS, CHAINS = 500, 4
TOO_FAR = 5.0
"""In Monte Carlo standard errors."""


@dataclass(frozen=True)
class Study:
    """Rows of groups with a response y, numbers x and z, a factor arm and whole row weights w."""

    data: pd.DataFrame
    terms: tuple[str, ...]
    shared: bool
    weighted: bool
    own_sigmas: bool

    @property
    def formula(self) -> str:
        """The formula of its regressions by group."""
        said = "y ~ " + " + ".join(self.terms) + (" + common(z)" if self.shared else "") + " | g"
        return (
            said + (", weights(w)" if self.weighted else "") + (", sigma ~ 1 | g" if self.own_sigmas else "")
        )

    @property
    def hypotheses(self) -> list[str]:
        """Hypotheses about every group, and about their equality."""
        first = self.data["g"].iloc[0]
        several = self.data["g"].nunique() > 1
        found = [f"{term} == 0" for term in self.terms]
        found += [f'x == x["{first}"]'] * ("x" in self.terms and several)
        return found + ["z == 0"] * self.shared


def study(number: int) -> Study:
    """Return the study of a number."""
    rng = np.random.default_rng(number)
    groups = int(rng.integers(1, 6))
    terms = (("x",), ("x", "arm"), ("arm",))[rng.integers(3)]
    own_sigmas = bool(rng.random() < 0.35)
    shared = bool(rng.random() < 0.35) and not own_sigmas
    levels = int(rng.integers(2, 4))
    sizes = rng.integers(8, 25, groups)
    g = np.repeat([f"s{j}" for j in range(groups)], sizes)
    arm = np.concatenate([rng.permutation(np.arange(size) % levels) for size in sizes])
    x, z = rng.normal(rng.choice([0, 3]), 1, len(g)), rng.normal(size=len(g))
    effect = np.repeat(rng.normal(size=groups), sizes)
    noise = np.repeat(rng.uniform(0.5, 2, groups) if own_sigmas else np.ones(groups), sizes)
    y = (
        np.repeat(rng.normal(size=groups), sizes)
        + effect * x
        + 0.5 * arm
        + z
        + noise * rng.normal(size=len(g))
    )
    data = pd.DataFrame({
        "y": y * 10 ** rng.uniform(-3, 3), "x": x, "z": z, "arm": np.array(["a", "b", "c"])[arm], "g": g,
        "w": rng.integers(1, 4, len(g)),
    })  # fmt: skip
    return Study(
        data.sample(frac=1, random_state=number, ignore_index=True),
        terms,
        shared,
        bool(rng.random() < 0.3),
        own_sigmas,
    )


# --- least squares


@dataclass(frozen=True)
class Regression:
    """Least squares of some rows, with the name of each coefficient: (term, group, level)."""

    names: list[tuple[str, str, str]]
    fitted: Any

    def f_test(self, rows: list[dict[tuple[str, str, str], float]]) -> Any:
        """Return the F test of these combinations of coefficients, all zero."""
        matrix = np.array([[row.get(name, 0.0) for name in self.names] for row in rows])
        return self.fitted.f_test(matrix)


def regression(of: Study, data: pd.DataFrame) -> Regression:
    """Return least squares of `data`, each row as often as its weight says."""
    rows = data.loc[data.index.repeat(data["w"])] if of.weighted else data
    columns: dict[tuple[str, str, str], Any] = {}
    levels = sorted(of.data["arm"].unique())
    for group in sorted(data["g"].unique()):
        inside = (rows["g"] == group).to_numpy(float)
        columns["Intercept", group, ""] = inside
        if "x" in of.terms:
            columns["x", group, ""] = inside * rows["x"]
        if "arm" in of.terms:
            columns |= {("arm", group, level): inside * (rows["arm"] == level) for level in levels[1:]}
    if of.shared:
        columns["z", "", ""] = rows["z"]
    design = np.column_stack([np.asarray(column, float) for column in columns.values()])
    return Regression(list(columns), sm.OLS(rows["y"].to_numpy(), design).fit())


def against_least_squares(number: int, found: Found) -> None:
    """Compare a fit under flat priors with least squares: estimates, standard errors, and classical tests."""
    of = study(number)
    context = f"study {number}, {of.formula!r}"
    with found.step("least squares", context):
        fit = fj.fit(
            of.formula, of.data, priors="flat", draws=DRAWS, chains=CHAINS, seed=number, engine="exact"
        )
        parts = [group for _, group in of.data.groupby("g")] if of.own_sigmas else [of.data]
        regressions = [regression(of, part) for part in parts]
        for each in regressions:
            _compare_estimates(fit, each, found, context)
        for hypothesis in of.hypotheses:
            row = fit.test(hypothesis).iloc[0]
            if of.own_sigmas:
                _compare_scores(row, hypothesis, regressions, found, context)
            else:
                _compare_f(row, hypothesis, regressions[0], found, context)


def _compare_estimates(fit: fj.Fit, least: Regression, found: Found, context: str) -> None:
    """Compare posterior means and sds with those of the t distributions of least squares."""
    df, count = least.fitted.df_resid, DRAWS * CHAINS
    kurtosis = 3 + 6 / (df - 4) if df > 4 else 30.0
    for name, estimate, error in zip(least.names, least.fitted.params, least.fitted.bse, strict=True):
        term, group, level = name
        draws = fit.posterior[term]
        chosen = {"g": group} if group else {}
        if level:
            chosen[next(dim for dim in draws.dims if str(dim).startswith("arm"))] = level
        values = draws.sel(chosen).to_numpy().ravel()
        sd = error * np.sqrt(df / (df - 2))
        off = (values.mean() - estimate) / (sd / np.sqrt(count))
        wide = (values.std() / sd - 1) / np.sqrt((kurtosis - 1) / 4 / count)
        if abs(off) > TOO_FAR or (df > 6 and abs(wide) > TOO_FAR):
            found.fault("least squares", f"{name}: mean {off:.1f}, sd {wide:.1f} errors off", context)


def _rows(hypothesis: str, names: list[tuple[str, str, str]]) -> list[dict[tuple[str, str, str], float]]:
    """Return the combinations of coefficients that a hypothesis sets to zero."""
    term = hypothesis.split(" ")[0]
    tested = [name for name in names if name[0] == term]
    if "[" not in hypothesis:
        return [{name: 1.0} for name in tested]
    first = next(name for name in tested if f'"{name[1]}"' in hypothesis)
    return [{name: 1.0, first: -1.0} for name in tested if name != first]


def _compare_f(row: pd.Series, hypothesis: str, least: Regression, found: Found, context: str) -> None:
    other = least.f_test(_rows(hypothesis, least.names))
    ours = [row["statistic"], row["df_num"], row["df_denom"], row["p_value"]]
    theirs = [float(other.fvalue), other.df_num, other.df_denom, float(other.pvalue)]
    if not np.allclose(ours, theirs, rtol=1e-7, atol=1e-300):
        found.fault("F test", f"{hypothesis}: {ours}, statsmodels {theirs}", context)


def _compare_scores(
    row: pd.Series, hypothesis: str, least: list[Regression], found: Found, context: str
) -> None:
    """Compare the sum of chi-squares with the tails of each group's own F test."""
    if "[" in hypothesis:
        return
    tests = [each.f_test(_rows(hypothesis, each.names)) for each in least]
    df = sum(test.df_num for test in tests)
    statistic = sum(stats.chi2.isf(float(test.pvalue), test.df_num) for test in tests)
    name = "normal scores" if len(tests) > 1 else str(row["classical"])
    if name == "F":
        statistic, p_value = float(tests[0].fvalue), float(tests[0].pvalue)
    else:
        p_value = stats.chi2.sf(statistic, df)
    if row["classical"] != name or not np.allclose(
        [row["statistic"], row["p_value"]], [statistic, p_value], rtol=1e-6
    ):
        theirs = [name, statistic, p_value]
        found.fault(
            "normal scores",
            f"{hypothesis}: {row[['classical', 'statistic', 'p_value']].tolist()}, {theirs}",
            context,
        )


# --- invariances

CLAUSES = (
    "",
    ", hierarchy()",
    ", hierarchy(x)",
    ", sigma ~ 1 | g",
    ", sigma ~ 1 | g, hierarchy(x, scale=sigma)",
)


def in_another_form(number: int, found: Found) -> None:
    """Fit a study as it is and in other forms, which must not change what it says."""
    of = study(number)
    rng = np.random.default_rng(number + 10_000)
    data = of.data[["y", "x", "g"]]
    clause = CLAUSES[number % len(CLAUSES)]
    if data["g"].nunique() == 1:
        clause = ""
    scale = "sigma" if "sigma" in clause else "none"
    formula = f"y ~ x | g{clause}, joint(x, scale={scale})"
    context = f"study {number}, {formula!r}"
    with found.step("forms", context):
        fit = fitted(formula, data)
        for name, other in {
            "polars": pl.DataFrame(data.to_dict("list")),
            "arrow": pa.Table.from_pandas(data),
            "lists": data.to_dict("list"),
            "backwards": data[["g", "x", "y"]],
        }.items():
            if str(fitted(formula, other)) != str(fit):
                found.fault("forms", f"{name} prints another text", context)
        renamed = (
            formula.replace("y ~ x | g", "`the y` ~ größe | `a/b`")
            .replace("| g", "| `a/b`")
            .replace("(x", "(größe")
        )
        other = fitted(renamed, data.set_axis(["the y", "größe", "a/b"], axis=1))
        same(fit, other, 1e-9, "renamed", found, context)
        alike(
            fit,
            fitted(formula, data.sample(frac=1, random_state=number)),
            "rows in another order",
            found,
            context,
        )
        levels = pd.Categorical(data["g"], categories=rng.permutation(data["g"].unique()))
        alike(fit, fitted(formula, data.assign(g=levels)), "levels in another order", found, context)
        if "sigma" in clause:
            units = dict(zip(data["g"].unique(), 10 ** rng.uniform(-2, 2, 9), strict=False))
            size = data["g"].map(units)
            moved = data.assign(y=size * data["y"] + 3 * size)
            alike(fit, fitted(formula, moved), "tests in other units", found, context, coefficients=False)


def fitted(formula: str, data: Any) -> fj.Fit:
    """Return a fit by the exact engine."""
    return fj.fit(formula, data, draws=DRAWS, chains=CHAINS, seed=1, engine="exact")


def same(one: fj.Fit, other: fj.Fit, rtol: float, what: str, found: Found, context: str) -> None:
    """Note figures of two fits that differ by more than rounding, row by row."""
    for table, theirs in ((one.summary(), other.summary()), (one.contrasts(), other.contrasts())):
        ours, numbers = table[["mean", "sd"]].to_numpy(), theirs[["mean", "sd"]].to_numpy()
        if not np.allclose(ours, numbers, rtol=rtol, atol=rtol * np.abs(ours).max()):
            found.fault("forms", f"{what}: {ours.tolist()} and {numbers.tolist()}", context)


def alike(
    one: fj.Fit, other: fj.Fit, what: str, found: Found, context: str, coefficients: bool = True
) -> None:
    """Note figures of two fits that differ by more than their Monte Carlo errors, row by row of the same label."""
    tables = [(one.contrasts(), other.contrasts())]
    tables += [(one.summary(), other.summary())] * coefficients
    for table, theirs in tables:
        theirs = theirs.loc[table.index]
        errors = np.hypot(
            table["sd"] / np.sqrt(table["ess_bulk"]), theirs["sd"] / np.sqrt(theirs["ess_bulk"])
        )
        off = (table["mean"] - theirs["mean"]).abs() / errors
        if (off > TOO_FAR).any():
            found.fault("forms", f"{what}: {off.idxmax()} is {off.max():.1f} errors off", context)
    tests, theirs = one.test(), other.test()
    for column in ("log_bf10", "log_bf10_hierarchy", "statistic", "p_value"):
        error = np.hypot(tests[f"{column}_mcse"], theirs[f"{column}_mcse"]) if "log" in column else 0.0
        gap = (tests[column].to_numpy() - theirs[column].to_numpy()).astype(float)
        allowed = TOO_FAR * np.nan_to_num(np.asarray(error)) + 1e-6 * (
            1 + np.abs(tests[column].to_numpy(float))
        )
        if (
            not np.array_equal(np.isnan(tests[column]), np.isnan(theirs[column]))
            or (np.abs(gap) > allowed).any()
        ):
            found.fault(
                "forms", f"{what}: {column} {tests[column].tolist()} and {theirs[column].tolist()}", context
            )
