"""Bambi's comparisons of each row, as `comparisons_speed.py` measures ours: the same model and made-up draws.

Bambi keeps the predictions of all rows and draws at once, so there are fewer rows.

    python benchmarks/comparisons_bambi.py [--rows 5000] [--groups 100]
"""

from __future__ import annotations

import argparse
import warnings

import bambi
import numpy as np
from comparisons_speed import made_up_data, timed
from xarray import Dataset, DataTree

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=5_000)
    parser.add_argument("--groups", type=int, default=100)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    data, rng = made_up_data(given.rows, given.groups), np.random.default_rng(1)
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
    size = f"{given.rows:,} rows, {given.groups:,} groups"
    timed(size, "Bambi's comparisons", lambda: bambi.interpret.comparisons(model, idata, "t"))
