"""Saved fits: the same to the bit in another process, and no damage gets past `load`."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

import arviz as az
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from xarray import Dataset, DataTree

import formulajoint as fj
from formulajoint.compiler.plan import ScalePlan
from formulajoint.design import bases, kept_rows, recipes, schema
from formulajoint.design.columns import Column
from formulajoint.design.pooling import Hierarchy
from formulajoint.errors import StoreError
from formulajoint.language.vocabulary.core import CORE
from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.saved import design_codec
from formulajoint.results.saved.store import GROUP, HDF5, MARK, SEAL, load, save

type MadeUp = Callable[..., Posterior]

FORMULA = "test_score ~ treatment | school, joint(weights=n), spread()"

FORMULAS = [
    FORMULA,
    "test_score ~ treatment, family(student)",
    "log(test_score) ~ center(treatment) | school, sigma ~ 1 | school, joint(weights=precision)",
    """test_score ~ treatment | school, hierarchy(centered=false, dist=student, df=7), sigma ~ treatment,
        joint(weights={A: 1, B: 3}, scale=2, name=ours)""",
    "test_score ~ treatment + offset(age) | school, weights(w), joint(weights=sum(w)), missing(drop)",
    "test_score ~ treatment | school, pairwise(treatment), contrast(treatment[A] / treatment[B]), joint(weights=dirichlet(n))",
    "test_score ~ treatment | school, test(treatment == 0, name=any), test(treatment[A] > treatment[B])",
    "test_score ~ treatment | school, se(age), weights(w), joint(weights=precision)",
    "test_score ~ arm + arm:treatment + common(age) | school, prior(age ~ constant(2), Intercept ~ normal(3, 4))",
]


@pytest.fixture
def frame(tutoring: pd.DataFrame) -> pd.DataFrame:
    """Return ten rows with further columns, one value of them missing."""
    row = np.arange(10)
    return tutoring.assign(age=[np.nan, *(20.0 + row[1:] ** 2 % 7)], w=1.0 + row % 3, arm=[*"aabbabbaab"])


@pytest.fixture
def made_up(made_up: MadeUp) -> MadeUp:
    """Return posteriors of noise that could be those of a fit: scales are above zero."""

    def sound(*arguments: Any, **given: Any) -> Posterior:
        noise = made_up(*arguments, **given)
        draws = noise.tree["posterior"].to_dataset()
        scales = [part.name for part in noise.plan.further if isinstance(part, ScalePlan)]
        noise.tree["posterior"] = DataTree(
            draws.assign({name: abs(draws[name]) for name in scales if name in draws})
        )
        return noise

    return sound


def fit_of(posterior: Posterior) -> fj.Fit:
    return fj.Fit(fj.JointModel(posterior.plan), posterior)


def answers(fit: fj.Fit) -> dict[str, Any]:
    """Return all that a fit says, as plain data."""
    return fit.record() | {"text": str(fit), "explained": fit.model.explain()}


# --- the same to the bit


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_loaded_fit_gives_the_same_tables_to_the_bit(
    made_up: MadeUp, frame: pd.DataFrame, tmp_path: Path, formula: str
) -> None:
    before = fit_of(made_up(formula, frame, draws=20))
    before.save(tmp_path / "fit.nc")
    after = fj.load(tmp_path / "fit.nc")
    pd.testing.assert_frame_equal(after.summary(), before.summary(), check_exact=True)
    pd.testing.assert_frame_equal(after.contrasts(), before.contrasts(), check_exact=True)
    for contrast in before.model.plan.contrasts:
        if contrast.weights is not None:
            pd.testing.assert_series_equal(after.weights(contrast.name), before.weights(contrast.name))
    assert answers(after) == answers(before)
    assert list(after.posterior.data_vars) == list(before.posterior.data_vars)
    assert after.posterior.equals(before.posterior)
    if before.model.design.predictor.per_group:
        pd.testing.assert_frame_equal(after.test(), before.test(), check_exact=True)
        pd.testing.assert_frame_equal(after.bands(), before.bands(), check_exact=True)


def test_flat_priors_are_flat_again(made_up: MadeUp, tutoring: pd.DataFrame, tmp_path: Path) -> None:
    before = made_up(FORMULA, tutoring, priors="flat")
    save(before, tmp_path / "fit.nc")
    assert load(tmp_path / "fit.nc").plan.priors[0][1].distribution.name == "flat"


@pytest.mark.slow
def test_another_process_says_the_same_without_the_data(
    made_up: MadeUp, tutoring: pd.DataFrame, tmp_path: Path
) -> None:
    before = fit_of(made_up(FORMULA, tutoring))
    before.save(tmp_path / "fit.nc")
    code = (
        "import sys, json, formulajoint as fj\n"
        f"fit = fj.load({str(tmp_path / 'fit.nc')!r})\n"
        "print(json.dumps(fit.record(), allow_nan=False))\n"
        "assert not {'pymc', 'pytensor', 'matplotlib'} & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert json.loads(done.stdout) == before.record()


def test_a_model_can_be_built_again_and_its_plots_drawn(
    made_up: MadeUp, tutoring: pd.DataFrame, tmp_path: Path
) -> None:
    save(made_up(FORMULA, tutoring), tmp_path / "fit.nc")
    fit = fj.load(tmp_path / "fit.nc")
    assert set(fit.posterior.data_vars) <= set(fit.model.pymc.named_vars)
    assert fit.plot.forest().axes
    assert fit.plot.ppc(count=5).axes


def test_arviz_opens_the_file(made_up: MadeUp, tutoring: pd.DataFrame, tmp_path: Path) -> None:
    posterior = made_up(FORMULA, tutoring)
    save(posterior, tmp_path / "fit.nc")
    tree = az.from_netcdf(tmp_path / "fit.nc")
    assert tree["posterior"]["treatment"].equals(posterior.tree["posterior"]["treatment"])
    assert set(tree["sample_stats"].data_vars) == {"diverging"}


def test_an_extended_formula_needs_its_language(tutoring: pd.DataFrame, tmp_path: Path) -> None:
    ours = fj.Contrast(lambda effects, weights: effects.max(axis=0), name="largest")
    language = fj.CORE.extend(fj.Extension("ours", [ours]))
    model = fj.model("test_score ~ treatment | school, largest()", tutoring, language=language)
    rng = np.random.default_rng(1)
    shapes = {"Intercept": (2,), "treatment": (2,), "sigma": (), "largest_treatment": ()}
    draws = {
        name: (("chain", "draw", *["school"][: len(shape)]), abs(rng.normal(size=(2, 50, *shape))))
        for name, shape in shapes.items()
    }
    tree = xr.DataTree.from_dict({"posterior": Dataset(draws, {"school": ["A", "B"]})})
    before = fj.Fit(model, Posterior(model.plan, tree, "nutpie"))
    before.save(tmp_path / "fit.nc")
    with pytest.raises(StoreError, match="needs the extension `ours`"):
        fj.load(tmp_path / "fit.nc")
    after = fj.load(tmp_path / "fit.nc", language)
    assert answers(after) == answers(before)
    assert after.contrast("largest(Intercept)").equals(before.contrast("largest(Intercept)"))


def test_labels_and_names_may_be_anything(made_up: MadeUp, tutoring: pd.DataFrame, tmp_path: Path) -> None:
    odd = tutoring.assign(school=np.where(tutoring["school"] == "A", "à/b \"c\" 'd' €, [1]", " "))
    odd = odd.rename(columns={"school": "école no. 1", "treatment": "x (mm)"})
    before = fit_of(made_up("test_score ~ `x (mm)` | `école no. 1`, joint()", odd))
    before.save(tmp_path / "fit.nc")
    assert answers(fj.load(tmp_path / "fit.nc")) == answers(before)


def test_what_samplers_add_is_kept_where_netcdf_can(
    made_up: MadeUp, tutoring: pd.DataFrame, tmp_path: Path
) -> None:
    posterior = made_up(FORMULA, tutoring, draws=2)
    stats = posterior.tree["sample_stats"]
    messages = np.full((4, 2), None, dtype=object)
    messages[0, 0] = "it diverged"
    stats["message"] = xr.DataArray(messages, dims=("chain", "draw"))
    stats.attrs |= {"tuning_steps": 1000, "settings": {"a": 1}, "none": None}
    save(posterior, tmp_path / "fit.nc")
    found = load(tmp_path / "fit.nc").tree["sample_stats"]
    assert found["message"].to_numpy().ravel().tolist() == ["it diverged", *[""] * 7]
    assert dict(found.attrs) == {"tuning_steps": 1000}


def test_the_layout_of_arrays_in_memory_is_kept() -> None:
    turned = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    term = schema.Term("x", turned, (schema.Factor("x", ("a", "b", "c")),), np.zeros(3), np.ones(3))
    plain = design_codec.Plain(*_encoded(term))
    found = design_codec._Decoder(plain.arrays, CORE, "").value(plain.data)
    assert found.columns.flags.f_contiguous
    assert np.array_equal(found.columns, turned)
    assert found.factors == term.factors


def _encoded(value: object) -> tuple[Any, dict[str, Any]]:
    arrays: dict[str, Any] = {}
    return design_codec._encoded(value, arrays), arrays


def test_every_value_of_a_design_can_be_stored() -> None:
    modules = (schema, recipes, bases, kept_rows)
    own = [
        v
        for module in modules
        for v in vars(module).values()
        if getattr(v, "__module__", "") == module.__name__
    ]
    elsewhere = {Hierarchy, Column}  # in modules of their own
    assert {value for value in own if is_dataclass(value)} | elsewhere == set(design_codec.TYPES.values())


def test_blocks_and_their_hierarchies_are_stored_with_the_predictor(tutoring: pd.DataFrame) -> None:
    formula = (
        "test_score ~ 1 + common(treatment) | school, sigma ~ 1 | school, "
        "hierarchy(sigma), hierarchy(Intercept)"
    )
    design = fj.model(formula, tutoring).design
    again = design_codec.from_plain(design_codec.to_plain(design))
    for before, after in zip(design.predictors, again.predictors, strict=True):
        for block, other in zip(before.blocks, after.blocks, strict=True):
            assert [term.name for term in other.terms] == [term.name for term in block.terms]
            assert other.pooling == block.pooling
            assert (other.grouping and other.grouping.labels) == (block.grouping and block.grouping.labels)


# --- all or nothing


def test_a_file_is_replaced_whole_or_not_at_all(
    made_up: MadeUp, tutoring: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    posterior, path = made_up(FORMULA, tutoring), tmp_path / "fit.nc"
    save(posterior, path)
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StoreError, match=r"fit\.nc cannot be written: No space left on device"):
        save(posterior, path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["fit.nc"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("fit.pkl", r"does not end in \.nc: fits are NetCDF files"),
        ("fit", r"does not end in \.nc"),
        ("no/such/fit.nc", "cannot be written: there is no folder"),
    ],
)
def test_where_a_fit_cannot_be_saved_is_told(
    made_up: MadeUp, tutoring: pd.DataFrame, tmp_path: Path, name: str, reason: str
) -> None:
    with pytest.raises(StoreError, match=reason):
        save(made_up(FORMULA, tutoring, draws=2), tmp_path / name)
    assert not list(tmp_path.iterdir())


# --- damage


@pytest.fixture
def saved(made_up: MadeUp, tutoring: pd.DataFrame, tmp_path: Path) -> Path:
    """Return the path of a saved fit."""
    save(made_up(FORMULA, tutoring, draws=5), tmp_path / "fit.nc")
    return tmp_path / "fit.nc"


def damaged(whole: bytes, rng: np.random.Generator) -> Iterator[bytes]:
    """Yield the ways in which bytes get lost."""
    for _ in range(60):  # one bit
        out = bytearray(whole)
        out[rng.integers(len(whole))] ^= 1 << rng.integers(8)
        yield bytes(out)
    for _ in range(50):  # the end
        yield whole[: rng.integers(len(whole))]
    for _ in range(40):  # a block in the middle overwritten
        start, length = rng.integers(len(whole)), int(rng.integers(1, 2000))
        yield whole[:start] + rng.bytes(length) + whole[start + length :] + b"!"
    for _ in range(30):  # a block lost, or come twice
        start, length = rng.integers(len(whole)), int(rng.integers(1, 2000))
        yield (
            whole[:start] + whole[start + length :]
            if rng.random() < 0.5
            else whole[: start + length] + whole[start:]
        )
    for _ in range(20):  # something else altogether, perhaps with the right first bytes
        yield (HDF5 if rng.random() < 0.5 else b"") + rng.bytes(int(rng.integers(0, 5000)))


def test_two_hundred_corruptions_end_in_words(saved: Path) -> None:
    whole = saved.read_bytes()
    cases = list(damaged(whole, np.random.default_rng(11)))
    assert len(cases) == 200
    for case in cases:
        assert case != whole
        saved.write_bytes(case)
        with pytest.raises(StoreError, match=r"fit\.nc "):
            load(saved)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is not a NetCDF file"),
        (b"a,b\n1,2\n", "is not a NetCDF file"),
        (b"PAR1", r"moments are loaded with `fj\.Moments\.load`"),
        (HDF5 + bytes(100), r"was not written by `fit\.save`, or its end is missing"),
        (HDF5 + bytes(100) + MARK + bytes(32), "is damaged: its content is not what was saved"),
    ],
)
def test_a_foreign_file_is_told_from_a_damaged_one(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "fit.nc").write_bytes(content)
    with pytest.raises(StoreError, match=reason):
        load(tmp_path / "fit.nc")


def test_a_file_of_arviz_is_foreign(made_up: MadeUp, tutoring: pd.DataFrame, tmp_path: Path) -> None:
    made_up(FORMULA, tutoring).tree.to_netcdf(tmp_path / "other.nc", engine="h5netcdf")
    with pytest.raises(StoreError, match=r"was not written by `fit\.save`"):
        load(tmp_path / "other.nc")


@pytest.mark.parametrize("name", ["none.nc", "."])
def test_a_file_that_is_not_there_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(StoreError, match=r"There is no file|is a folder"):
        load(tmp_path / name)


# --- a file that is whole, but not what it should be: anybody can compute a checksum


def sealed_again(path: Path, edit: Callable[[dict[str, Any]], None], groups: Callable[[Any], None]) -> None:
    """Change the record and the groups of a saved fit, and seal it as `save` does."""
    tree = xr.open_datatree(path, engine="h5netcdf").load()
    tree.close()
    record = json.loads(tree[GROUP]["record"].to_numpy().tobytes())
    edit(record)
    own = tree[GROUP].to_dataset().drop_vars("record")
    text = np.frombuffer(json.dumps(record).encode(), dtype=np.uint8)
    datasets = {name: node.to_dataset() for name, node in tree.children.items()}
    datasets[GROUP] = own.assign(record=("byte", text))
    groups(datasets)
    body = bytes(xr.DataTree.from_dict(datasets).to_netcdf(engine="h5netcdf"))
    path.write_bytes(body + MARK + hashlib.sha256(body).digest())


def untouched(_: Any) -> None:
    """Leave it."""


def test_sealing_again_is_harmless(saved: Path) -> None:
    before = fit_of(load(saved)).record()
    sealed_again(saved, untouched, untouched)
    assert fit_of(load(saved)).record() == before
    assert saved.read_bytes()[-SEAL:].startswith(MARK)


def replaced(*keys: Any, by: Any) -> Callable[[Any], None]:
    """Return a function that sets the entry at `keys`."""

    def edit(data: Any) -> None:
        for key in keys[:-1]:
            data = data[key]
        data[keys[-1]] = by

    return edit


def without(key: str) -> Callable[[dict[str, Any]], None]:
    def edit(data: dict[str, Any]) -> None:
        del data[key]

    return edit


ROWS = {
    "type": "Rows",
    "total": 1,
    "used": 1,
    "missing": {"mapping": {}},
    "weightless": 0,
    "lost": {"mapping": {}},
}


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (replaced("layout", by=2), "in layout 2, and this version reads layout 1. Install a later version"),
        (replaced("fingerprint", by="0" * 64), "its data are not those of the fit"),
        (replaced("prior_of", "treatment", by="normal(0, 1)"), "which gave `treatment` the prior normal"),
        (replaced("priors", by="flat"), "the prior "),
        (replaced("family", by="cauchy"), "holds no fit that can be read"),
        (
            replaced("design", by={"type": "Rows", "total": 1, "used": 1}),
            "it holds no design",
        ),
        (replaced("design", by=ROWS), "it holds no design"),
        (replaced("design", "type", by="Popen"), "it holds a value of the unknown type Popen"),
        (replaced("design", "type", by=["Design"]), "a formula of version 1 is expected"),
        (replaced("design", "response", "values", "array", by="array_99"), "holds no fit that can be read"),
        (replaced("design", "formula", by={"formula": {"version": 9}}), "a formula of version 1 is expected"),
        (replaced("variables", by=["treatment"]), "its draws of `Intercept` are missing"),
        (replaced("variables", by=["nobody"]), "holds no fit that can be read"),
        (without("design"), "its record of the fit is damaged: `design`"),
        (without("engine"), "its record of the fit is damaged: `engine`"),
    ],
)
def test_an_edited_record_is_refused(saved: Path, edit: Any, reason: str) -> None:
    sealed_again(saved, edit, untouched)
    with pytest.raises(StoreError) as error:
        load(saved)
    assert reason in str(error.value)


def posterior_with(change: Callable[[Dataset], Dataset]) -> Callable[[dict[str, Dataset]], None]:
    def edit(groups: dict[str, Dataset]) -> None:
        groups["posterior"] = change(groups["posterior"])

    return edit


@pytest.mark.parametrize(
    ("groups", "reason"),
    [
        (without("posterior"), "holds no fit that can be read"),
        (without(GROUP), "holds no fit that can be read"),
        (
            posterior_with(lambda d: d.assign(treatment=d["treatment"].mean("school"))),
            "its draws of `treatment` are of another shape",
        ),
        (posterior_with(lambda d: d.assign_coords(school=["A", "C"])), "other labels of `school`"),
        (posterior_with(lambda d: d.isel(school=[0])), "other labels of `school`"),
    ],
)
def test_edited_groups_are_refused(saved: Path, groups: Any, reason: str) -> None:
    sealed_again(saved, untouched, groups)
    with pytest.raises(StoreError) as error:
        load(saved)
    assert reason in str(error.value)


@pytest.mark.parametrize(
    ("formula", "renamed", "label"),
    [
        ("test_score ~ `a\0b` | school, joint()", {"treatment": "a\0b"}, ""),
        ("test_score ~ treatment | `s\0`", {"school": "s\0"}, ""),
        ("test_score ~ treatment | school", {}, "\0"),
    ],
)
def test_a_zero_character_in_a_name_is_refused(
    formula: str, renamed: dict[str, str], label: str, tmp_path: Path
) -> None:
    """HDF5 cuts names there, and two could become one."""
    data = fj.tutoring()
    data = data.assign(school=data["school"] + label).rename(columns=renamed)
    fit = fj.fit(formula, data, seed=1, draws=50, chains=2)
    with pytest.raises(
        fj.StoreError, match=r"A file cannot hold the zero character of .* rename it in the data"
    ):
        fit.save(tmp_path / "fit.nc")
