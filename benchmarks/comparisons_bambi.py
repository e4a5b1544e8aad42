"""Bambi's comparisons of each row, as `comparisons_speed.py` measures ours: the same model and made-up draws.

Bambi keeps the predictions of all rows and draws at once. If the memory is not enough for that, the results say so.

    python benchmarks/comparisons_bambi.py [--rows 5000] [--groups 100] [--memory 12]
"""

from __future__ import annotations

import argparse
import resource
import warnings

import bambi
import numpy as np
from comparisons_speed import made_up_data, timed
from prediction_tables import record
from xarray import Dataset, DataTree

WHAT = "Bambi's comparisons"


def comparisons(rows: int, groups: int, size: str) -> None:
    """Print and record the time of Bambi's comparisons."""
    data, rng = made_up_data(rows, groups), np.random.default_rng(1)
    model = bambi.Model("hit ~ t * x + (1 + t | g)", data, family="bernoulli")
    model.build()
    dims = dict.fromkeys(("Intercept", "t", "x", "t:x", "1|g_sigma", "t|g_sigma"), ())
    dims |= dict.fromkeys(("1|g", "t|g"), ("g__factor_dim",))
    coords = {dim: list(model.backend.model.coords[dim]) for dim in ("g__factor_dim", "__obs__")}
    draws = {
        name: (("chain", "draw", *own), 0.3 * rng.normal(size=(4, 1000, *[len(coords[dim]) for dim in own])))
        for name, own in dims.items()
    }
    places = {"chain": range(4), "draw": range(1000), "g__factor_dim": coords["g__factor_dim"]}
    observed = Dataset({"hit": (("__obs__",), data["hit"].to_numpy())}, {"__obs__": coords["__obs__"]})
    idata = DataTree.from_dict({"posterior": Dataset(draws, places), "observed_data": observed})
    timed(size, WHAT, lambda: bambi.interpret.comparisons(model, idata, "t"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=5_000)
    parser.add_argument("--groups", type=int, default=100)
    parser.add_argument("--memory", type=float, default=12, help="most memory in GB")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_AS, (int(given.memory * 2**30),) * 2)
    named = f"{given.rows:,} rows, {given.groups:,} groups"
    try:
        comparisons(given.rows, given.groups, named)
    except MemoryError as error:
        print(f"{named}: more than {given.memory:g} GB: {error}")
        record("speed", f"{named}, {WHAT}", {"size": named, "what": WHAT, "above_gb": given.memory})
