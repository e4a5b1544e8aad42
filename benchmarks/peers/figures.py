"""What every Python peer reports: its contrast table, and then one line of JSON with figures for the driver.

The contrast is the same everywhere: the mean of the groups' slopes, weighted by their rows. The smallest bulk ESS is
over the same quantities everywhere: each group's intercept and slope, means, sds, correlations, sigma and the contrast.
"""

from __future__ import annotations

import json
import platform
import resource
import sys
import time
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd

DRAWS, CHAINS, CORES, SEED = 1000, 4, 2, 1
STARTS: dict[str, float] = {}
"""When the data had been read: by the clock, and in processor seconds."""


def read(path: str) -> tuple[pd.DataFrame, float]:
    """Return the data, and the seconds that reading them took."""
    start = time.perf_counter()
    data = pd.read_parquet(path)
    STARTS.update(clock=time.time(), processor=_processor_seconds())
    return data, time.perf_counter() - start


def _processor_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def weighted(data: pd.DataFrame, labels, slopes: np.ndarray) -> np.ndarray:
    """Return the mean of the slopes (..., group), weighted by the groups' rows."""
    rows = data["g"].value_counts()[list(labels)].to_numpy()
    return slopes @ (rows / rows.sum())


def contrast_table(draws: np.ndarray) -> str:
    """Return the table of the contrast from its draws (chain, draw)."""
    low, high = np.quantile(draws, [0.025, 0.975])
    figures = {"mean": [draws.mean()], "sd": [draws.std(ddof=1)], "low": [low], "high": [high]}
    return pd.DataFrame(figures, index=["joint_x"]).to_string()


def table_is_out() -> dict[str, float]:
    """Return time and memory when the contrast table has been printed, and what has passed since the data came."""
    sys.stdout.flush()
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    unit = 1 if platform.system() == "Darwin" else 1024  # bytes there, kilobytes elsewhere
    return {
        "finished": time.time(),
        "processor_seconds": _processor_seconds(),
        "fit_seconds": time.time() - STARTS["clock"],
        "fit_processor_seconds": _processor_seconds() - STARTS["processor"],
        "peak_bytes": max(own.ru_maxrss, children.ru_maxrss) * unit,
    }


def diagnostics(draws: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Return effective sample sizes and the largest r_hat over all cells of arrays (chain, draw, ...)."""
    from arviz_stats.base.array import array_stats

    cells = np.concatenate([np.asarray(v).reshape(*v.shape[:2], -1) for v in draws.values()], axis=2)
    varies = np.ptp(cells, axis=(0, 1)) > 0  # the diagonal of a correlation matrix does not
    cells = np.moveaxis(cells[..., varies], 2, 0)
    axes = {"chain_axis": 1, "draw_axis": 2}
    bulk = array_stats.ess(cells, method="bulk", **axes)
    return {
        "parameters": len(cells),
        "draws": cells.shape[1] * cells.shape[2],
        "ess_min": float(np.min(bulk)),
        "ess_median": float(np.median(bulk)),
        "r_hat_max": float(np.max(array_stats.rhat(cells, **axes))),
    }


def sampling_seconds(posterior: Any) -> dict[str, float]:
    """Return what the sampler says of its own time, as ArviZ keeps it, tuning included; nothing where it does not."""
    told = posterior.attrs.get("sampling_time")
    return {} if told is None else {"sampling_seconds": float(told)}


def report(stamp: Mapping[str, float], libraries: tuple[str, ...], **figures) -> None:
    """Print the line that the driver reads."""
    versions = {name: version(name) for name in libraries}
    print(json.dumps({**stamp, "versions": versions, **figures}), flush=True)
