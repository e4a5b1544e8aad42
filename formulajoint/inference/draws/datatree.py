"""Draws as an ArviZ DataTree, and back to arrays by name."""

from __future__ import annotations

import numpy as np
from xarray import DataArray, Dataset, DataTree

from formulajoint.compiler.plan import Plan
from formulajoint.inference.draws.kept import of_single_groups
from formulajoint.inference.draws.named import NamedDraws


def tree_of(draws: NamedDraws, plan: Plan) -> DataTree:
    """Return a DataTree with posterior, sample_stats and observed_data."""
    chains, count = draws.shape
    both = {"chain": np.arange(chains), "draw": np.arange(count)}
    posterior = {name: (("chain", "draw", *dims), values) for name, (dims, values) in draws.variables.items()}
    groups = {"posterior": Dataset(posterior, both | dict(draws.coords), draws.about)}
    if draws.statistics:
        groups["sample_stats"] = Dataset(draws.statistics, {"chain": both["chain"]}, draws.about)
    tree = DataTree.from_dict(groups)
    tree.attrs.update(draws.attrs)
    return with_observed(tree, plan)


def with_observed(tree: DataTree, plan: Plan) -> DataTree:
    """Return `tree` with the response of `plan` in its group observed_data, added if the sampler had no rows."""
    there = tree.children.get("observed_data")  # an empty one, for nutpie
    if there is None or plan.response_name not in there:
        values = plan.design.response.values
        rows = {plan.obs_dim: np.arange(len(values))}
        tree["observed_data"] = DataTree(Dataset({plan.response_name: ((plan.obs_dim,), values)}, rows))
    return tree


def without_groups(tree: DataTree, plan: Plan) -> DataTree:
    """Return `tree` without draws of variables with a value for each group; contrasts stay."""
    posterior = tree["posterior"].to_dataset()
    dims = {str(name): tuple(map(str, variable.dims)) for name, variable in posterior.data_vars.items()}
    kept = posterior.drop_vars(of_single_groups(plan, dims))
    used = {dim for variable in kept.data_vars.values() for dim in variable.dims}
    tree["posterior"] = DataTree(kept.drop_dims(set(kept.dims) - used))
    return tree


def named_draws(tree: DataTree) -> NamedDraws:
    """Return the posterior of a DataTree as arrays."""
    posterior = tree["posterior"].to_dataset()
    variables = {str(name): _apart(v) for name, v in posterior.data_vars.items()}
    dims = {dim for own, _ in variables.values() for dim in own}
    there = tree.children.get("sample_stats")
    statistics = {} if there is None else there.to_dataset().data_vars
    return NamedDraws(
        variables=variables,
        coords={dim: posterior[dim].to_numpy() for dim in dims},
        statistics={str(name): (tuple(map(str, v.dims)), v.to_numpy()) for name, v in statistics.items()},
        attrs={str(name): value for name, value in tree.attrs.items()},
        about={str(name): value for name, value in posterior.attrs.items()},
    )


def _apart(variable: DataArray) -> tuple[tuple[str, ...], object]:
    """Return the dims of a variable besides chain and draw, and its draws with these two in front."""
    dims = tuple(str(dim) for dim in variable.dims if dim not in ("chain", "draw"))
    return dims, variable.transpose("chain", "draw", *dims).to_numpy()
