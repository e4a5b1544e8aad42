"""Tables and draws of predictions: figures of the draws, missing rows, frames of any kind, saved fits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy import stats

import formulajoint as fj

DATA = fj.tutoring().assign(x=np.arange(10.0), arm=list("abcabcabca"))


@pytest.fixture(scope="module")
def fit() -> fj.Fit:
    formula = "test_score ~ treatment * log(1 + x) + poly(x, 2) + (1 | school)"
    return fj.fit(formula, DATA, seed=1, progress=False)


@pytest.fixture(scope="module")
def counts() -> fj.Fit:
    rng = np.random.default_rng(1)
    data = {"k": rng.poisson(3.0, 200), "x": rng.normal(size=200)}
    return fj.fit("k ~ x, family(poisson)", data, seed=1, progress=False)


def test_figures_are_those_of_the_draws(fit: fj.Fit) -> None:
    table, draws = fit.predict(DATA, prob=0.9), fit.predict(DATA, draws=True)
    assert (draws.dims, draws.shape) == (("chain", "draw", "row"), (4, 1000, 10))
    assert table["mean"].to_numpy() == pytest.approx(draws.mean(("chain", "draw")).to_numpy())
    assert table["sd"].to_numpy() == pytest.approx(draws.std(("chain", "draw"), ddof=1).to_numpy())
    inside = (draws >= table["hdi_low"].to_numpy()) & (draws <= table["hdi_high"].to_numpy())
    assert inside.mean(("chain", "draw")).to_numpy() == pytest.approx(np.full(10, 0.9), abs=1e-3)
    assert np.array_equal(fit.predict(), fit.predict(DATA))


def test_a_row_with_a_missing_value_is_missing_and_counted(fit: fj.Fit) -> None:
    gaps = DATA.assign(
        x=[np.nan, *range(1, 10)], school=[*DATA["school"][:9], None], index=list("qrstuvwxyz")
    )
    with pytest.warns(fj.FormulaJointWarning, match="2 of 10 rows have missing values"):
        table = fit.predict(gaps.set_index("index"))
    assert table.index[table["mean"].isna()].tolist() == ["q", "z"]
    assert np.array_equal(table.iloc[1:9], fit.predict(DATA).iloc[1:9])


@pytest.mark.parametrize("kind", [lambda d: d, pl.DataFrame, lambda d: d.to_dict("list")])
def test_any_frame(fit: fj.Fit, kind: object) -> None:
    data = DATA[["treatment", "school", "x"]].iloc[:3]
    assert np.array_equal(fit.predict(kind(data)), fit.predict(DATA).iloc[:3])  # type: ignore[operator]


def test_files_and_lazy_frames_are_read_as_by_fit(fit: fj.Fit, tmp_path: Path) -> None:
    data = DATA[["treatment", "school", "x"]]
    for path, write in ((tmp_path / "d.parquet", data.to_parquet), (tmp_path / "d.csv", data.to_csv)):
        write(path, index=False)
        assert np.array_equal(fit.predict(path), fit.predict(DATA))
        assert np.array_equal(
            fit.comparisons("treatment", new_data=str(path)), fit.comparisons("treatment", new_data=DATA)
        )
    assert np.array_equal(fit.predict(pl.DataFrame(data).lazy()), fit.predict(DATA))
    with pytest.raises(fj.DataError, match="There is no file"):
        fit.predict(tmp_path / "other.csv")


def test_kinds(counts: fj.Fit) -> None:
    new = {"x": [0.5] * 1000}
    linear, mean, response = (
        counts.predict(new, kind=k, draws=True).to_numpy() for k in ("linear", "mean", "response")
    )
    assert np.array_equal(mean, np.exp(linear))
    means = mean[..., 0].ravel()
    found, times = np.unique(response[0, 0], return_counts=True)
    law = stats.poisson(mean[0, 0, 0])
    expected = 1000 * np.append(law.pmf(found[:-1]), law.sf(found[-1] - 1))
    keep = expected > 5
    assert np.all(abs(times[keep] - expected[keep]) < 5 * np.sqrt(expected[keep]))
    assert response.mean() == pytest.approx(means.mean(), abs=0.01)
    with pytest.raises(fj.InferenceError, match="`kind` must be one of `mean`, `response`, `linear`"):
        counts.predict(new, kind="median")


def test_new_groups_have_the_hierarchys_spread(fit: fj.Fit) -> None:
    new = DATA.iloc[:2].assign(school="C")
    drawn, middle = (fit.predict(new, new_groups=how) for how in ("draw", "mean"))
    assert np.all(drawn["sd"] > middle["sd"])
    with pytest.raises(fj.DataError, match="`school` is `C` in rows 0, 1"):
        fit.predict(new)


def test_too_many_draws_are_refused(counts: fj.Fit) -> None:
    with pytest.raises(fj.InferenceError, match="300,000 rows of 4,000 draws are 1,200,000,000 numbers"):
        counts.predict({"x": np.zeros(300_000)}, draws=True)


def test_a_saved_fit_predicts_without_the_data(fit: fj.Fit, tmp_path: Path) -> None:
    fit.save(tmp_path / "fit.nc")
    loaded, new = fj.load(tmp_path / "fit.nc"), DATA.assign(x=DATA["x"] / 3)
    assert np.array_equal(loaded.predict(new), fit.predict(new))
    assert np.array_equal(loaded.predict(kind="response"), fit.predict(kind="response"))
    kept, saved = fit.model.design.kept, loaded.model.design.kept
    assert kept is not None
    assert saved is not None
    assert kept.columns.keys() == saved.columns.keys() == {"test_score", "treatment", "x", "school"}
    assert all(np.array_equal(kept.columns[name].values, saved.columns[name].values) for name in kept.columns)


def test_functions_of_extensions_are_found_in_the_language(tmp_path: Path) -> None:
    def shifted(learnt: object) -> fj.Language:
        low = fj.ColumnFunction(lambda x, low: x - 1.0, learn=lambda x, weights: learnt, name="low")
        minus = fj.Operator("%minus%", lambda a, b: a - b)
        return fj.CORE.extend(fj.Extension("mine", [low, minus]))

    for learnt in ((1.0, np.array([2.0]), {"a": np.int64(3)}), object()):
        language, path = shifted(learnt), tmp_path / "fit.nc"
        formula = "test_score ~ treatment %minus% x + low(x)"
        fit = fj.fit(formula, DATA, language=language, seed=1, progress=False, draws=50)
        fit.save(path)
        loaded = fj.load(path, language)
        assert np.array_equal(loaded.predict(), fit.predict())
        if isinstance(learnt, tuple):
            assert np.array_equal(loaded.predict(DATA[::2]), fit.predict(DATA[::2]))
        else:
            with pytest.raises(fj.DataError, match="an extension learnt what a file cannot hold"):
                loaded.predict(DATA)
