"""The response in what a sampler returned, where its model did not hold the rows."""

from __future__ import annotations

import numpy as np
from xarray import Dataset, DataTree

from formulajoint.compiler.plan import Plan


def with_observed(tree: DataTree, plan: Plan) -> DataTree:
    """Return `tree` with the response of `plan` in its group observed_data."""
    there = tree.children.get("observed_data")  # an empty one, for nutpie
    if there is None or plan.response_name not in there:
        values = plan.design.response.values
        rows = {plan.obs_dim: np.arange(len(values))}
        tree["observed_data"] = DataTree(Dataset({plan.response_name: ((plan.obs_dim,), values)}, rows))
    return tree
