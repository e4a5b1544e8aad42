"""Saved fits: one NetCDF file with the draws, and all that is needed to compute results from them without the data.

The file is what ArviZ writes, so that ``az.from_netcdf`` opens it, with one more group: the formula, the arguments of
the fit, the versions of the packages, and those rows and columns of the data that the formula uses. After it come 48
bytes of our own, which HDF5 does not read: a mark, and SHA-256 of the rest. A file whose bytes are not those that were
written never reaches the HDF5 library, which may crash on them.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from xarray import Dataset, DataTree

from formulajoint.compiler.plan import Plan
from formulajoint.compiler.planning.plan import make_plan
from formulajoint.errors import StoreError
from formulajoint.language.vocabulary.language import Language
from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.saved.atomic import path_of, write_whole
from formulajoint.results.saved.design_codec import Plain, fingerprint, from_plain, to_plain
from formulajoint.results.saved.field_types import is_of
from formulajoint.results.saved.sound import check_design, check_draws
from formulajoint.wording import listed

LAYOUT = 1
"""Layout of the files written; files of other layouts are refused with the version that wrote them."""

GROUP = "formulajoint"
HDF5 = b"\x89HDF\r\n\x1a\n"
PARQUET = b"PAR1"
MARK = b"formulajoint fit"
SEAL = len(MARK) + hashlib.sha256().digest_size

PACKAGES = ("formulajoint", "pymc", "pytensor", "arviz", "nutpie", "numpy", "scipy", "xarray")


def save(posterior: Posterior, path: str | os.PathLike[str]) -> None:
    """Write `posterior` to `path`, completely or not at all.

    Parameters
    ----------
    posterior : Posterior
    path : path
        Ends in ``.nc``; an existing file is replaced.

    Raises
    ------
    StoreError
        If the file has another suffix or cannot be written.
    """
    target = target_of(path)
    coords = posterior.plan.coords
    names = (*posterior.named.variables, *coords, *(str(label) for own in coords.values() for label in own))
    if cut := [name for name in names if "\0" in name]:
        raise StoreError(f"A file cannot hold the zero character of `{cut[0]}`: rename it in the data.")
    try:
        body = to_bytes(posterior)
    except ValueError as error:  # a name that HDF5 cannot hold
        raise StoreError(f"{target} cannot be written: {error}.") from error
    write_whole(target, body, MARK + hashlib.sha256(body).digest())


def load(path: str | os.PathLike[str], language: Language | None = None) -> Posterior:
    """Return the posterior that `save` wrote to `path`.

    Parameters
    ----------
    path : path
    language : Language, optional
        Default: the plain language with all installed and registered extensions.

    Raises
    ------
    StoreError
        If the file is missing, damaged, not written by `save`, or of a later version.
    """
    source = path_of(path)
    body = _unsealed(source)
    try:
        return from_bytes(body, language)
    except StoreError as error:
        raise StoreError(f"{source} cannot be read: {error}") from error
    except Exception as error:  # a seal does not prove that `save` wrote the bytes
        raise StoreError(f"{source} holds no fit that can be read: {error!r}") from error


def to_bytes(posterior: Posterior) -> bytes:
    """Return `posterior` as the content of a NetCDF file, without the seal."""
    return bytes(_tree(posterior).to_netcdf(engine="h5netcdf"))


def from_bytes(body: bytes, language: Language | None = None) -> Posterior:
    """Return the posterior of which `to_bytes` made `body`."""
    with xr.open_datatree(io.BytesIO(body), engine="h5netcdf") as opened:
        tree = opened.load()
    return _posterior(tree, language)


def target_of(path: str | os.PathLike[str]) -> Path:
    """Return `path` as a path to which a fit can be saved.

    Raises
    ------
    StoreError
        If it does not end in ``.nc``, or its folder does not exist.
    """
    target = path_of(path)
    if target.suffix != ".nc":
        raise StoreError(f"{target} does not end in .nc: fits are NetCDF files.")
    if not target.parent.is_dir():
        raise StoreError(f"{target} cannot be written: there is no folder {target.parent}.")
    return target


def _unsealed(source: Path) -> bytes:
    """Return the bytes of a file before its seal, checked to be those that were written."""
    if not source.is_file():
        raise StoreError(f"{source} is a folder." if source.is_dir() else f"There is no file {source}.")
    try:
        whole = source.read_bytes()
    except OSError as error:
        raise StoreError(f"{source} cannot be read: {error.strerror or error}.") from error
    body, mark, digest = whole[:-SEAL], whole[-SEAL : -SEAL + len(MARK)], whole[-SEAL + len(MARK) :]
    if whole.startswith(PARQUET):
        raise StoreError(f"{source} is a Parquet file: moments are loaded with `fj.Moments.load`.")
    if not whole.startswith(HDF5):
        raise StoreError(
            f"{source} is not a NetCDF file, so it is not a saved fit, or its beginning is damaged."
        )
    if mark != MARK:
        raise StoreError(
            f"{source} was not written by `fit.save`, or its end is missing. A posterior from elsewhere is opened "
            "with ArviZ, and tested with `fj.joint_test`."
        )
    if hashlib.sha256(body).digest() != digest:
        raise StoreError(f"{source} is damaged: its content is not what was saved. Save the fit again.")
    return body


# --- the content of a file


def _tree(posterior: Posterior) -> DataTree:
    plan, plain = posterior.plan, to_plain(posterior.plan.design)
    record = {
        "layout": LAYOUT,
        "versions": _versions(),
        "text": str(plan.design.formula),
        "design": plain.data,
        "fingerprint": fingerprint(plain),
        "priors": "flat" if plan.flat else None,
        "family": plan.family.name,
        "engine": posterior.engine,
        "why": posterior.why,
        "prior_of": _priors(plan),
        "variables": [str(name) for name in posterior.tree["posterior"].data_vars],
        "attrs": _json_only(posterior.tree.attrs),
    }
    groups = {name: _writable(node.to_dataset()) for name, node in posterior.tree.children.items()}
    groups[GROUP] = _own_group(record, plain)
    return DataTree.from_dict({f"/{name}": dataset for name, dataset in groups.items()})


def _own_group(record: Mapping[str, Any], plain: Plain) -> Dataset:
    text = np.frombuffer(json.dumps(record, allow_nan=True).encode(), dtype=np.uint8)
    variables: dict[str, Any] = {"record": ("byte", text)}
    for name, array in plain.arrays.items():
        variables[name] = (tuple(f"{name}_{axis}" for axis in range(array.ndim)), array)
    return Dataset(variables)


def _versions() -> dict[str, str]:
    found = {"python": ".".join(map(str, sys.version_info[:3]))}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _priors(plan: Plan) -> dict[str, str]:
    return {name: str(prior) for name, prior in plan.priors} | {own.name: own.prior for own in plan.shares}


def _writable(dataset: Dataset) -> Dataset:
    """Return `dataset` in the types of NetCDF: strings for objects, and attributes of JSON types only."""
    objects = [name for name, variable in dataset.data_vars.items() if variable.dtype == object]
    out = dataset.assign(
        {name: dataset[name].copy(data=_texts(dataset[name].to_numpy())) for name in objects}
    )
    out.attrs = _json_only(dataset.attrs)
    for variable in out.variables.values():
        variable.attrs, variable.encoding = _json_only(variable.attrs), {}
    return out


def _texts(objects: NDArray[Any]) -> NDArray[Any]:
    texts = [str(value) if isinstance(value, str) else "" for value in objects.ravel()]
    return np.array(texts, dtype=object).reshape(objects.shape)


def _json_only(attrs: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): value for name, value in attrs.items() if isinstance(value, str | int | float)}


# --- reading it back


def _posterior(tree: DataTree, language: Language | None) -> Posterior:
    own = tree[GROUP].to_dataset()
    record = json.loads(own["record"].to_numpy().tobytes())
    _check_record(record)
    plain = Plain(
        record["design"], {str(name): own[name].to_numpy() for name in own.data_vars if name != "record"}
    )
    if fingerprint(plain) != record["fingerprint"]:
        raise StoreError("its data are not those of the fit.")
    design = from_plain(plain, language)
    check_design(design)
    plan = make_plan(design, record["priors"], record["family"])
    _check_priors(plan, record)
    draws = tree["posterior"].to_dataset()[record["variables"]]
    groups = {name: node.to_dataset() for name, node in tree.children.items() if name != GROUP}
    found = DataTree.from_dict(
        {f"/{name}": dataset for name, dataset in (groups | {"posterior": draws}).items()}
    )
    found.attrs = record["attrs"]
    posterior = Posterior(plan, found, record["engine"], record["why"])
    check_draws(posterior)
    return posterior


RECORD: Mapping[str, Any] = {
    "layout": int,
    "versions": Mapping[str, str],
    "text": str,
    "design": dict,
    "fingerprint": str,
    "priors": str | None,
    "family": str,
    "engine": str,
    "why": str,
    "prior_of": Mapping[str, str],
    "variables": list,
    "attrs": Mapping[str, str | int | float],
}
"""What a record holds, and the types."""


def _check_record(record: Any) -> None:
    """Raise a StoreError unless the record has its parts, and the layout that this version reads."""
    wrong = [name for name, kind in RECORD.items() if not is_of(dict(record).get(name), kind)]
    if wrong:
        raise StoreError(f"its record of the fit is damaged: {listed(wrong)}.")
    layout = record["layout"]
    if layout != LAYOUT:
        writer = record["versions"].get("formulajoint", "unknown")
        raise StoreError(
            f"it was saved by formulajoint {writer} in layout {layout}, and this version reads layout {LAYOUT}. "
            "Install a later version."
        )


def _check_priors(plan: Plan, record: Mapping[str, Any]) -> None:
    """Raise a StoreError if this version would give the model other priors, and so other Bayes factors."""
    was, now = record["prior_of"], _priors(plan)
    changed = [name for name in was | now if was.get(name) != now.get(name)]
    if changed:
        name, writer = changed[0], record["versions"].get("formulajoint", "unknown")
        raise StoreError(
            f"it was saved by formulajoint {writer}, which gave `{name}` the prior {was.get(name)}, and this version "
            f"gives it {now.get(name)}. Load it with that version, or fit again."
        )
