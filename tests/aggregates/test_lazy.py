"""Lazy frames and files: the moments that engines aggregate are those of the rows in memory."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest

import formulajoint as fj
from formulajoint.files import files

FORMULAS = (
    "y ~ t + x | g, hierarchy(), joint(t, weights=sum(pages))",
    "y ~ t*arm + center(x):z + standardize(z) + log(x + 20) + I(x > 3), sigma ~ 1 | arm",
    "y ~ t + x + offset(z) + (1 + x | g), se(se)",
    "y ~ t + (1 | d/g), weights(w)",
    "passed ~ t + (1 | g), family(bernoulli)",
)


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    rng, n, groups = np.random.default_rng(2), 400, 8
    g, t, x = rng.integers(0, groups, n), rng.integers(0, 2, n), rng.normal(3, 2, n)
    y = 50 + rng.normal(0, 2, groups)[g] + 3 * t + 0.5 * x + rng.normal(0, 1, n)
    columns = {"y": y, "t": t, "x": x, "z": rng.normal(0, 1, n), "g": [f"g{i}" for i in g], "d": g // 3}
    columns |= {
        "arm": rng.choice(list("abc"), n),
        "se": rng.choice([1.0, 2.0], n),
        "w": rng.integers(0, 4, n),
    }
    columns |= {"pages": rng.uniform(1, 9, n), "passed": y > 53}
    gaps = pl.when(pl.int_range(pl.len()) % 50 == 0).then(None).otherwise(pl.col("x"))
    return pl.DataFrame(columns).with_columns(x=gaps)


def polars_lazy(frame: pl.DataFrame) -> Any:
    return frame.lazy()


def duckdb_relation(frame: pl.DataFrame) -> Any:
    return duckdb.from_arrow(frame.to_arrow())


ENGINES = pytest.mark.parametrize("lazy", [polars_lazy, duckdb_relation])


@ENGINES
@pytest.mark.parametrize("formula", FORMULAS)
def test_engines_aggregate_the_moments_of_the_rows(
    formula: str, lazy: Callable[[pl.DataFrame], Any], frame: pl.DataFrame
) -> None:
    assert fj.moments(formula, lazy(frame)) == fj.moments(formula, frame)


@pytest.mark.filterwarnings("ignore")  # those of the engines
@pytest.mark.parametrize(
    "formula", ["y ~ t*arm + center(x):z + log(x + 20) + (1 | g)", "y ~ t + (1 | d/g), weights(w)"]
)
def test_dask_and_ibis_aggregate_them_too(formula: str, frame: pl.DataFrame) -> None:
    found = 0
    for name in ("dask.dataframe", "ibis"):
        try:
            engine = importlib.import_module(name)
        except ImportError:
            continue
        data = frame.to_pandas()
        lazy = engine.from_pandas(data, npartitions=3) if name.startswith("dask") else engine.memtable(data)
        assert fj.moments(formula, lazy) == fj.moments(formula, frame)
        found += 1
    if not found:
        pytest.skip("neither Dask nor Ibis is installed")


@ENGINES
def test_a_lazy_frame_is_fitted_as_it_is(lazy: Callable[[pl.DataFrame], Any], frame: pl.DataFrame) -> None:
    settings = {"seed": 1, "draws": 50, "progress": False}
    one, other = (fj.fit(FORMULAS[0], data, **settings).summary() for data in (lazy(frame), frame))  # type: ignore[arg-type]
    np.testing.assert_allclose(one["mean"], other["mean"], rtol=1e-7)


@ENGINES
def test_far_from_zero_the_digits_are_kept(lazy: Callable[[pl.DataFrame], Any], frame: pl.DataFrame) -> None:
    near, far = (
        fj.moments("y ~ t + x | g", lazy(frame.with_columns(y=(pl.col("y") * 64).round() / 64 + shift)))
        for shift in (0, 1e9)
    )
    np.testing.assert_allclose(far.sums.squares, near.sums.squares, rtol=1e-9, atol=1e-7)


def test_files_are_scanned(frame: pl.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LARGE", 0)
    frame[:150].write_parquet(tmp_path / "a.parquet")
    frame[150:].write_parquet(tmp_path / "b.parquet")
    frame.write_csv(tmp_path / "all.csv")
    whole = fj.moments("y ~ t + x | g", frame)
    assert fj.moments("y ~ t + x | g", f"{tmp_path}/*.parquet") == whole
    assert fj.moments("y ~ t + x | g", tmp_path / "all.csv") == whole
    with pytest.raises(fj.DataError, match="There is no file"):
        fj.fit("y ~ t", "missing.parquet")


@ENGINES
def test_what_an_engine_cannot_compute_is_refused(
    lazy: Callable[[pl.DataFrame], Any], frame: pl.DataFrame
) -> None:
    data = lazy(frame)
    with pytest.raises(fj.DataError, match=r"`bs\(x, df=4\)` cannot be computed where the data are"):
        fj.fit("y ~ bs(x, df=4) | g", data)
    with pytest.raises(fj.DataError, match="likelihood needs every row"):
        fj.fit("passed ~ x | g, family(bernoulli)", data)
    with pytest.raises(fj.DataError, match="too small for sums"):
        fj.fit("y ~ x", lazy(frame.with_columns(y=2 * pl.col("x") + 1e-9 * pl.col("z"))))
    with pytest.raises(fj.DataError, match="no rows"):
        fj.fit("y ~ x", lazy(frame[:0]))
    with pytest.raises(fj.FormulaError, match="no column `q`"):
        fj.fit("y ~ q", data)


@ENGINES
@pytest.mark.parametrize(
    "case",
    [
        pl.col("y").sort(),  # the first rows tell little of the others
        pl.col("y") + 1e6 * pl.col("d"),  # groups far apart
        pl.when(pl.col("d") == 1).then(5000 + 1e-6 * pl.col("y")).otherwise(pl.col("y")),
        pl.col("d") * 7.3,  # constant in each cell
    ],
)
def test_squares_of_each_cell_keep_their_digits(
    case: pl.Expr, lazy: Callable[[pl.DataFrame], Any], frame: pl.DataFrame
) -> None:
    data = frame.with_columns(y=case)
    found, expected = (fj.moments("y ~ t + z | d", each).sums.squares for each in (lazy(data), data))
    sizes = np.sqrt(np.einsum("cii->ci", expected))
    np.testing.assert_array_less(abs(found - expected), 1e-10 * sizes[:, :, None] * sizes[:, None] + 1e-12)


@ENGINES
def test_values_that_do_not_suit_are_refused_in_words(
    lazy: Callable[[pl.DataFrame], Any], frame: pl.DataFrame
) -> None:
    apart = pl.DataFrame({"y": [1.0, None], "x": [None, 2.0], "g": ["a", "b"]})
    with pytest.raises(fj.DataError, match="No row has values in all of the columns `y`, `x`, `g`"):
        fj.moments("y ~ x | g", lazy(apart))
    with pytest.raises(fj.DataError, match="`y` misses all 400"):
        fj.moments("y ~ x | g", lazy(frame.with_columns(y=pl.lit(None, dtype=pl.Float64))))
    with pytest.raises(fj.DataError, match=r"`y` has values of the type List.*Convert it first"):
        fj.moments("y ~ x | g", lazy(frame.with_columns(y=pl.concat_list("y"))))
    many = frame.with_columns(g=pl.int_range(pl.len()).cast(pl.String))
    assert len(fj.moments("y ~ z + (1 | g)", lazy(many)).codes) == 400


def test_empty_parts_and_text_among_numbers(
    frame: pl.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "LARGE", 0)
    for name, part in (("a", frame[:150]), ("b", frame[150:]), ("c", frame[:0])):
        part.write_parquet(tmp_path / f"{name}.parquet")
    whole = fj.moments("y ~ t + x | g", frame)
    assert fj.moments("y ~ t + x | g", f"{tmp_path}/*.parquet") == whole
    (tmp_path / "d.parquet").write_bytes(b"")
    with pytest.raises(fj.DataError, match=r"cannot be read by their engine, which says: .*too small"):
        fj.moments("y ~ t + x | g", f"{tmp_path}/*.parquet")
    rows = "1.5,a\n" * 30_000
    (tmp_path / "late.csv").write_text(f"y,g\n{rows}oops,a\n")
    with pytest.raises(fj.DataError, match="`y` is the response, but holds text"):
        fj.moments("y ~ 1 | g", tmp_path / "late.csv")


UNDEFINED = {
    "y ~ t + log(x) | g": r"`log\(x\)`",
    "y ~ I(z / t) | g": "`z / t`",
    "sqrt(z) ~ t | g": r"`sqrt\(z\)`",
    "y ~ t + I(log(z) > 0) | g": r"`log\(z\)`",  # an engine compares what is no number
    "y ~ standardize(z^0.5) | g": r"`z\^0.5`",
    "y ~ t + I(1 / (d - d)) | g": r"`1 / \(d - d\)`",  # one value, and no number
}


def refuse_what_is_not_finite(data: Any) -> None:
    """Check that rows in which a function has no finite value are counted, not left out."""
    for formula, text in UNDEFINED.items():
        with pytest.raises(fj.DataError, match=rf"{text} is not a finite number in \d+ of the \d+ rows used"):
            fj.moments(formula, data)


@pytest.mark.parametrize("lazy", [lambda frame: frame, polars_lazy, duckdb_relation])
def test_functions_that_are_not_finite_are_refused(
    lazy: Callable[[pl.DataFrame], Any], frame: pl.DataFrame
) -> None:
    refuse_what_is_not_finite(lazy(frame))
