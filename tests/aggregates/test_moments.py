"""Moments: what they hold, how they add, and the posteriors of models fitted to them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import formulajoint as fj
from formulajoint.results.predictions.predictive_check import predictive_check

FORMULAS = {
    "groups": "y ~ t + x | g, hierarchy(), joint(t, weights=sum(pages))",
    "varying": "y ~ t + x + (1 + x | g)",
    "nested": "y ~ t + (1 | d/g)",
    "crossed": "y ~ x + (1 | g) + (1 | arm)",
    "crossed, varying": "y ~ x + (1 + x | g) + (1 | arm)",
    "crossed, far particles": "y ~ t + (1 + t | g) + (1 | d) + z",
    "sd by arm": "y ~ t + x*z, sigma ~ arm",
    "curves": "y ~ t*arm + center(x):z + bs(x, df=4):z + I(x > 3), sigma ~ 1 | arm",
    "meta-analysis": "y ~ t + offset(z) + (1 | g), se(se)",
    "weights": "y ~ t + poly(x, 2):z + (1 | g), weights(w)",
}


def means(fit: fj.Fit) -> np.ndarray:
    return fit.summary()[["mean", "sd"]].to_numpy(float)


def shards(formula: str, frame: pd.DataFrame, like: fj.Moments, parts: int, seed: int) -> fj.Moments:
    order = np.random.default_rng(seed).permutation(len(frame))
    return sum((fj.moments(formula, frame.iloc[p], like=like) for p in np.array_split(order, parts)), start=0)  # type: ignore[return-value, arg-type]


@pytest.mark.parametrize("name", FORMULAS)
def test_sums_of_shards_in_any_order_give_the_posterior_of_the_rows(name: str, frame: pd.DataFrame) -> None:
    formula = FORMULAS[name]
    whole = fj.moments(formula, frame)
    assert whole.rows == 240
    one, other = shards(formula, frame, whole, 3, seed=1), shards(formula, frame, whole, 7, seed=2)
    assert one == whole == other
    assert fj.moments(formula, frame.iloc[:-1], like=whole) != whole
    if name in ("nested", "crossed", "sd by arm", "meta-analysis"):
        return  # their draws are compared in test_engines
    settings = {"seed": 1, "draws": 50, "progress": False, "engine": "exact"}
    of_rows, of_sums = (fj.fit(formula, data, **settings) for data in (frame, one))  # type: ignore[arg-type]
    np.testing.assert_allclose(means(of_sums), means(of_rows), rtol=1e-8, atol=1e-8)


def test_without_pooling_draws_and_tests_are_the_same(frame: pd.DataFrame) -> None:
    formula = "y ~ t + x | g, joint(t)"
    settings = {"seed": 1, "draws": 50, "progress": False}
    of_rows, of_sums = (fj.fit(formula, d, **settings) for d in (frame, fj.moments(formula, frame)))  # type: ignore[arg-type]
    np.testing.assert_allclose(means(of_sums), means(of_rows), rtol=1e-8, atol=1e-8)
    assert of_sums.test()["log_bf10"].to_numpy() == pytest.approx(
        of_rows.test()["log_bf10"].to_numpy(), abs=1e-6
    )


@pytest.mark.parametrize("formula", ["y ~ t | g", "y ~ t*x | g, sigma ~ 1 | g", "y ~ t + common(x) | arm"])
def test_flat_priors_have_the_same_draws_too(formula: str, frame: pd.DataFrame) -> None:
    settings = {"seed": 1, "draws": 50, "progress": False, "priors": "flat"}
    of_rows, of_sums = (fj.fit(formula, d, **settings) for d in (frame, fj.moments(formula, frame)))  # type: ignore[arg-type]
    for name, draws in of_rows.posterior.items():
        np.testing.assert_allclose(of_sums.posterior[name], draws, rtol=1e-6, atol=1e-8)


def test_counts_stand_for_rows_of_other_families(frame: pd.DataFrame) -> None:
    data = frame.assign(passed=frame.y > frame.y.mean())
    formula, settings = (
        "passed ~ t + (1 | g), family(bernoulli)",
        {"seed": 1, "draws": 100, "progress": False},
    )
    moments = fj.moments(formula, data)
    assert len(moments.codes) <= 32
    fits = [fj.fit(formula, source, engine="exact", **settings) for source in (data, moments)]  # type: ignore[arg-type]
    np.testing.assert_allclose(means(fits[1]), means(fits[0]), rtol=1e-6, atol=1e-6)


@pytest.mark.filterwarnings("ignore:The new rows have the same sums")
def test_notes_and_errors_of_sums_count_the_rows_and_not_the_cells() -> None:
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"g": np.repeat(list("abc"), 600), "t": rng.integers(0, 2, 1800)})
    data["b"], data["two"] = rng.random(1800) < 0.5, np.where(rng.random(1800) < 0.1, 2, 0)
    formula, settings = "b ~ t | g, family(bernoulli)", {"seed": 1, "draws": 50, "progress": False}
    of_rows = fj.fit(formula, data, **settings)  # type: ignore[arg-type]
    of_sums = fj.fit(formula, fj.moments(formula, data), **settings)  # type: ignore[arg-type]
    notes = [
        of.test()["note"].item()
        for of in (of_rows, of_sums, of_rows.update(data, engine="exact", **settings))
    ]
    assert notes[0] == notes[1]
    assert not any("rows for" in note for note in notes)

    sums = fj.moments("two ~ t | g", data)
    (said,) = fj.model("two ~ t | g", sums).plan.notes
    assert (said,) == fj.model("two ~ t | g", data).plan.notes
    assert f"with mean {data.two.mean():.3g}, and" in said

    formula, data = "lost ~ t | g, family(poisson)", data.assign(lost=data.two - 1)
    with pytest.raises(
        fj.DataError, match=rf"in {sum(data.lost < 0)} of the 1800 rows used, first -1\. Where"
    ):
        fj.model(formula, fj.moments(formula, data))


def test_far_from_zero_the_digits_are_kept(frame: pd.DataFrame) -> None:
    formula = FORMULAS["varying"]
    near, far = (fj.moments(formula, frame.assign(y=frame.y.round(3) + shift)) for shift in (0, 2.0**30))
    np.testing.assert_allclose(far.sums.squares, near.sums.squares, rtol=1e-6, atol=1e-6)


def test_two_values_in_one_shard_and_three_in_the_other(frame: pd.DataFrame) -> None:
    formula = "y ~ t*x + (1 | g)"
    data = frame.assign(t=np.where(np.arange(240) < 200, frame.t, 2))
    whole = fj.moments(formula, data)
    parts = [fj.moments(formula, data[:200], like=whole), fj.moments(formula, data[200:], like=whole)]
    assert parts[0] + parts[1] == whole == parts[1] + parts[0]


def test_files_hold_everything(frame: pd.DataFrame, tmp_path: object) -> None:
    path = f"{tmp_path}/moments.parquet"
    for name in ("curves", "weights", "groups"):
        moments = fj.moments(FORMULAS[name], frame)
        moments.save(path)
        back = fj.Moments.load(path)
        assert back == moments
        assert str(back) == str(moments)
        assert fj.moments(FORMULAS[name], frame, like=back) == moments
    with pytest.raises(fj.DataError, match=r"fewer than 10 rows: .*g g0, t 0 \(\d\)"):
        fj.moments(FORMULAS["nested"], frame[:100]).save(path, least=10)
    with pytest.raises(
        fj.DataError, match=r"holds moments, and no rows: `fj.fit\(formula, fj.Moments.load\('.*parquet"
    ):
        fj.fit(FORMULAS["groups"], path)
    with pytest.raises(fj.StoreError, match=r"^There is no file none.parquet\.$"):
        fj.Moments.load("none.parquet")
    with pytest.raises(fj.StoreError, match=r"is a folder\.$"):
        fj.Moments.load(f"{tmp_path}")
    with pytest.raises(fj.StoreError, match=r"^no/m.parquet cannot be written: there is no folder no\.$"):
        moments.save("no/m.parquet")
    with pytest.raises(fj.StoreError, match=r"^The moments cannot be written to .*: Is a directory\.$"):
        moments.save(f"{tmp_path}")
    with pytest.raises(fj.DataError, match=r"^1 of 15 cells has fewer than 2 rows: "):
        fj.moments("y ~ t | g", frame[:40]).save(path, least=2)
    pd.DataFrame({"a": [1]}).to_parquet(path)
    with pytest.raises(fj.StoreError, match="holds no moments"):
        fj.Moments.load(path)


def test_what_differs_is_not_added_and_what_is_lacking_is_named(frame: pd.DataFrame) -> None:
    first = fj.moments("y ~ center(x) | g", frame[:100])
    with pytest.raises(fj.DataError, match=r"`center\(x\)` was learnt of different rows.*like=first"):
        first + fj.moments("y ~ center(x) | g", frame[100:])
    with pytest.raises(fj.DataError, match="cannot be added: one tells `g` apart"):
        first + fj.moments("y ~ center(x) | d", frame[100:])
    with pytest.raises(fj.DataError, match=r"needs the column `z`, which these moments do not hold"):
        fj.fit("y ~ z | g", first)
    with pytest.raises(fj.DataError, match="needs the rows of the data"):
        predictive_check(fj.fit("y ~ center(x) | g", first, seed=1, draws=50).draws)


def test_a_sum_keeps_what_its_first_part_learnt(frame: pd.DataFrame) -> None:
    """The page says so: columns are centred on the first part, and default priors are not those of all rows."""
    formula, parts = "y ~ center(x) + poly(z, 2)", (frame[:100], frame[100:])
    first = fj.moments(formula, parts[0])
    both = first + fj.moments(formula, parts[1], like=first)
    of_sum, of_rows = fj.model(formula, both), fj.model(formula, frame)
    assert of_sum.priors["center(x)"] == of_rows.priors["center(x)"]
    assert of_sum.priors["Intercept"] != of_rows.priors["Intercept"]


def test_printed_it_says_what_it_holds() -> None:
    text = str(fj.moments("test_score ~ treatment | school", fj.tutoring()))
    assert text.splitlines() == [
        "moments of 10 rows in 4 cells",
        "formula: test_score ~ treatment | school",
        "cells by school: A, B",
        "cells by treatment: 0, 1",
        "means, squares and products of: test_score",
        "smallest cell: 2 rows",
        "squares: from rows, by QR",
    ]


@pytest.mark.parametrize("name", ["varying", "nested", "crossed", "sd by arm", "meta-analysis"])
def test_an_update_is_the_fit_of_all_rows_with_the_priors_of_the_first(
    name: str, frame: pd.DataFrame
) -> None:
    settings = {"seed": 1, "draws": 50, "progress": False}
    first = fj.fit(FORMULAS[name], frame[:120], **settings)  # type: ignore[arg-type]
    both = first.update(frame[120:], **settings)
    assert both.model.priors == first.model.priors
    whole = fj.fit(str(both.model.formula), frame, **settings)  # type: ignore[arg-type]
    np.testing.assert_allclose(means(both), means(whole), rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("name", ["nested", "curves", "weights"])
def test_a_fit_from_a_file_is_updated_as_the_fit_itself(
    name: str, frame: pd.DataFrame, tmp_path: Path
) -> None:
    settings = {"seed": 1, "draws": 50, "progress": False}
    gaps = frame.assign(x=frame.x.where(frame.index % 50 != 7), w=frame.w - 1)
    first = fj.fit(FORMULAS[name], gaps[:120], **settings)  # type: ignore[arg-type]
    first.save(tmp_path / "fit.nc")
    loaded = fj.load(tmp_path / "fit.nc")
    one, other = (fit.update(gaps[120:], **settings) for fit in (loaded, first))
    assert one.model.data == other.model.data
    assert one.model.explain() == other.model.explain()
    pd.testing.assert_frame_equal(one.summary(), other.summary())
    one.save(tmp_path / "updated.nc")
    with pytest.raises(fj.DataError, match=r"made of sums.*fit\.model\.data\.save"):
        fj.load(tmp_path / "updated.nc").update(gaps)


@pytest.mark.parametrize("labels", [["low", "mid", "high", "top"], [3, 2, 1, 10]])
def test_categories_keep_their_order_in_a_file(
    labels: list[object], frame: pd.DataFrame, tmp_path: Path
) -> None:
    values = np.array(labels, dtype=object)[np.where(np.arange(240) < 120, 2 * (frame.d % 2), frame.d)]
    data = frame.assign(level=pd.Categorical(values, labels))
    settings = {"seed": 1, "draws": 50, "progress": False}
    first = fj.fit("y ~ level + (1 | g), family(gaussian)", data[:120], **settings)  # type: ignore[arg-type]
    first.save(tmp_path / "fit.nc")
    one, other = (
        fit.update(data[120:], **settings).summary() for fit in (fj.load(tmp_path / "fit.nc"), first)
    )
    assert f"level[{labels[1]} - {labels[0]}]" in one.index
    pd.testing.assert_frame_equal(one, other)


def test_intervals_are_levels_by_their_text(frame: pd.DataFrame, tmp_path: Path) -> None:
    data, settings = (
        frame.assign(class_=pd.cut(frame.x, [-9, 2, 4, 99])),
        {"seed": 1, "draws": 20, "progress": False},
    )
    formula = "y ~ class_ + (1 | g)"
    moments = fj.moments(formula, data)
    moments.save(tmp_path / "moments.parquet")
    assert fj.Moments.load(tmp_path / "moments.parquet") == moments
    first = fj.fit(formula, data[:120], **settings)  # type: ignore[arg-type]
    first.save(tmp_path / "fit.nc")
    one, other = (fit.update(data[120:], **settings) for fit in (fj.load(tmp_path / "fit.nc"), first))
    assert list(one.summary().index[:2]) == ["class_[(2, 4] - (-9, 2]]", "class_[(4, 99] - (-9, 2]]"]
    assert one.model.explain() == other.model.explain()
    pd.testing.assert_frame_equal(one.summary(), other.summary())


def test_levels_of_several_types_are_kept_as_text(frame: pd.DataFrame, tmp_path: Path) -> None:
    values = np.array([1, "a", 2.0], dtype=object)[frame.d]
    data = frame.assign(d=pd.Categorical(values, [2.0, "a", 1, "b"]))
    moments = fj.moments("y ~ d + (1 | g)", data)
    moments.save(tmp_path / "moments.parquet")
    for found in (moments, fj.Moments.load(tmp_path / "moments.parquet")):
        assert fj.model("y ~ d + (1 | g)", found).explain() == fj.model("y ~ d + (1 | g)", data).explain()
    with pytest.raises(fj.DataError, match="`d` is a mixture"):
        fj.moments("y ~ d", frame.assign(d=values))


def test_a_fit_of_moments_is_compared_with_one_of_the_same_rows(frame: pd.DataFrame) -> None:
    settings = {"seed": 1, "draws": 50, "progress": False}
    more, less = "y ~ t + x + (1 | g)", "y ~ t + (1 | g)"
    rows = [fj.fit(formula, frame, **settings) for formula in (more, less)]  # type: ignore[arg-type]
    sums = [fj.fit(formula, fj.moments(formula, frame), **settings) for formula in (more, less)]  # type: ignore[arg-type]
    expected = fj.compare({"more": rows[0], "less": rows[1]}, by="evidence")
    for one, other in ((rows[0], sums[1]), (sums[0], rows[1]), (sums[0], sums[1])):
        found = fj.compare({"more": one, "less": other}, by="evidence")
        np.testing.assert_allclose(found["log_bf"], expected["log_bf"], atol=1e-6)
    shifted = fj.fit(less, frame.assign(y=frame["y"] + 1e-3), **settings)  # type: ignore[arg-type]
    fewer = fj.fit(less, frame.iloc[1:], **settings)  # type: ignore[arg-type]
    for other, reason in ((shifted, "the values of `y` differ"), (fewer, "one has 240 rows, the other 239")):
        with pytest.raises(fj.InferenceError, match=reason):
            fj.compare({"more": sums[0], "other": other}, by="evidence")
    with pytest.raises(fj.DataError, match="needs the rows of the data"):
        fj.compare({"more": sums[0], "less": rows[1]})
