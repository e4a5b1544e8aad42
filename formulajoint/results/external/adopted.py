"""Draws that PyMC, nutpie or NumPyro made of a model's own ``pm.Model``, checked and taken as its posterior."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xarray import DataArray, Dataset, DataTree

from formulajoint.arrays import FloatArray
from formulajoint.compiler.evaluate.contrast_nodes import (
    constants,
    node_dims,
    on_draws,
    variable_dims,
)
from formulajoint.compiler.plan import Plan, ScalePlan
from formulajoint.errors import InferenceError
from formulajoint.inference.draws.datatree import with_observed
from formulajoint.inference.draws.named import by_chain
from formulajoint.results.draws.contrast import values_of
from formulajoint.results.draws.posterior import Posterior
from formulajoint.wording import listed

ADOPTED = "adopted"
"""Attribute of draws that came from elsewhere."""

ANOTHER = "These are draws of another model"

HOW = (
    "`fit_from` takes what `pm.sample(model=model.pymc)` returns, an ArviZ DataTree with a group `posterior`, or "
    "arrays (chain, draw, ...) by name."
)


def adopted(plan: Plan, given: object, known: Collection[str] = ()) -> Posterior:
    """Return draws as the posterior of a plan: labels in its order, its contrasts computed.

    Parameters
    ----------
    plan : Plan
    given : DataTree, Dataset, mapping of str to array, or an object with such a `posterior`
    known : collection of str
        Variables that the ``pm.Model`` has besides those of the plan, if it is there.

    Raises
    ------
    InferenceError
        If they are no draws, or not of this model: a variable, a label or the response differs.
    """
    draws, tree = _dataset(given)
    if isinstance(tree, DataTree):
        _check_response(plan, tree)
    wanted = {name: dims for name, dims in _all_dims(plan).items() if name not in constants(plan)}
    _check_names(plan, draws, wanted, known)
    own = {name: _checked(plan, draws[name], name, dims) for name, dims in wanted.items() if name in draws}
    shape = next(iter(own.values())).shape[:2]
    bare = Posterior(plan, _tree(plan, own, wanted, tree, draws.attrs), _drawn_by(draws, tree))
    dims = node_dims(plan)
    for name, values in on_draws(plan.contrasts, values_of(bare, plan)).items():
        own[name], wanted[name] = by_chain(values, shape), dims[name]
    return Posterior(plan, _tree(plan, own, wanted, tree, draws.attrs), bare.engine)


def _all_dims(plan: Plan) -> dict[str, tuple[str, ...]]:
    """Return the dims of every variable that a table shows, without contrasts."""
    out = variable_dims(plan)
    for part in plan.parameters:
        pools = () if isinstance(part, ScalePlan) else (*part.pools, *part.varying)
        out |= {
            pool.correlation.name: pool.correlation.dims for pool in pools if pool.correlation is not None
        }
    return out


# --- what was given


def _dataset(given: object) -> tuple[Dataset, object]:
    """Return the posterior as a Dataset, and the whole that it came in."""
    whole = given
    if not isinstance(given, DataTree | Dataset | Mapping) and hasattr(given, "posterior"):
        given = given.posterior  # the older InferenceData
    if isinstance(given, DataTree):
        if "posterior" in given.children:
            given = given["posterior"]
        elif given.children:
            raise InferenceError(f"The DataTree has no group `posterior`; it has {listed(given.children)}.")
        given = given.to_dataset()
    if isinstance(given, Mapping) and not isinstance(given, Dataset):
        given = Dataset({str(name): _array(str(name), values) for name, values in given.items()})
    if not isinstance(given, Dataset):
        raise InferenceError(f"{type(given).__name__} holds no draws. {HOW}")
    lost = {"chain", "draw"} - set(given.dims)
    if lost or not given.data_vars:
        raise InferenceError(f"The draws have no dim {listed(sorted(lost)) or 'with values'}. {HOW}")
    if not all(given.sizes[dim] for dim in ("chain", "draw")):
        raise InferenceError("There are no draws: the posterior is empty.")
    return given, whole


def _array(name: str, values: object) -> tuple[tuple[str, ...], NDArray[Any]]:
    array = np.asarray(values)
    if array.ndim < 2:
        raise InferenceError(f"`{name}` has {array.ndim} dims. {HOW}")
    return ("chain", "draw", *(f"{name}_dim_{axis}" for axis in range(array.ndim - 2))), array


def _drawn_by(draws: Dataset, tree: object) -> str:
    attrs = {**(tree.attrs if isinstance(tree, DataTree) else {}), **draws.attrs}
    return str(attrs.get("engine") or attrs.get("inference_library") or "draws from elsewhere")


# --- whether it is of this model


def _check_response(plan: Plan, tree: DataTree) -> None:
    there = tree.children.get("observed_data")
    if there is None or not there.data_vars:
        return
    if plan.response_name not in there:
        raise InferenceError(
            f"{ANOTHER}: its response is {listed(map(str, there.data_vars))}, not `{plan.response_name}`."
        )
    theirs, ours = there[plan.response_name].to_numpy().ravel(), np.ravel(plan.design.response.values)
    if len(theirs) != len(ours):
        raise InferenceError(
            f"{ANOTHER}: it has {len(theirs)} rows of `{plan.response_name}`, this one {len(ours)}."
        )
    if not np.allclose(theirs.astype(float), ours.astype(float), rtol=1e-6, equal_nan=True):
        raise InferenceError(f"{ANOTHER}: the values of its response `{plan.response_name}` differ.")


def _check_names(plan: Plan, draws: Dataset, wanted: Mapping[str, object], known: Collection[str]) -> None:
    names = [str(name) for name in draws.data_vars]
    lost = [name for name in wanted if name not in names]
    if lost:
        raise InferenceError(f"{ANOTHER}: they have no {listed(lost)}. They have {listed(names)}.")
    ours = {*wanted, *plan.variables, *plan.auxiliary, *node_dims(plan), *known}
    more = [
        name for name in names if name not in ours and not name.endswith("__")
    ]  # PyMC's own, of a transform
    if more:
        raise InferenceError(
            f"{ANOTHER}: this one has no {listed(more)}. Variables that you added to the model yourself are left out "
            "by `idata.posterior.to_dataset().drop_vars([...])`."
        )


def _checked(plan: Plan, array: DataArray, name: str, dims: tuple[str, ...]) -> FloatArray:
    """Return draws (chain, draw, ...) of a variable with each dim in the plan's order."""
    own = [str(dim) for dim in array.dims if dim not in ("chain", "draw")]
    if len(own) != len(dims):
        raise InferenceError(f"{ANOTHER}: its `{name}` has {len(own)} dims, this one's {len(dims)}.")
    order = list(dims) if set(own) == set(dims) else own  # samplers may name dims in their own way
    array = array.transpose("chain", "draw", *order)
    for theirs, ours in zip(order, dims, strict=True):
        array = array.isel({theirs: _positions(plan, array, name, theirs, ours)})
    values = array.to_numpy().astype(float)
    if not np.isfinite(values).all():
        raise InferenceError(
            f"{int((~np.isfinite(values)).sum())} draws of `{name}` are missing or infinite."
        )
    return values


def _positions(plan: Plan, array: DataArray, name: str, theirs: str, ours: str) -> list[int]:
    """Return where the plan's labels of a dim stand in an array; by position where it has none of its own."""
    labels = [str(label) for label in plan.coords[ours]]
    there = [str(label) for label in array[theirs].to_numpy()] if theirs in array.coords else []
    if set(there) == set(labels) and len(there) == len(labels):
        return [there.index(label) for label in labels]
    unnamed = there in ([], [str(position) for position in range(len(there))])
    if unnamed and array.sizes[theirs] == len(labels):
        return list(range(len(labels)))
    raise InferenceError(
        f"{ANOTHER}: its `{name}` is of {listed(there) if not unnamed else array.sizes[theirs]}, this one's of "
        f"{listed(labels)}."
    )


# --- as a tree


def _tree(
    plan: Plan,
    own: Mapping[str, FloatArray],
    dims: Mapping[str, tuple[str, ...]],
    whole: object,
    about: Mapping[Any, Any],
) -> DataTree:
    chains, draws = next(iter(own.values())).shape[:2]
    coords: dict[str, Any] = {"chain": np.arange(chains), "draw": np.arange(draws)}
    coords |= {dim: list(plan.coords[dim]) for name in own for dim in dims[name]}
    variables = {name: (("chain", "draw", *dims[name]), values) for name, values in own.items()}
    tree = DataTree.from_dict(
        {"posterior": Dataset(variables, coords, dict(about)), **dict(_others(whole, chains, draws))}
    )
    tree.attrs |= {**(whole.attrs if isinstance(whole, DataTree) else {}), ADOPTED: 1}
    return with_observed(tree, plan)


def _others(whole: object, chains: int, draws: int) -> Iterator[tuple[str, Dataset]]:
    """Yield the sampler's statistics, and pointwise log likelihoods, as they came."""
    if not isinstance(whole, DataTree):
        return
    for name in [each for each in ("sample_stats", "log_likelihood") if each in whole.children]:
        group = whole[name].to_dataset()
        if (group.sizes.get("chain"), group.sizes.get("draw")) == (chains, draws):
            yield name, group.assign_coords(chain=np.arange(chains), draw=np.arange(draws))
