"""Whether every draw counts: the exact engine's draws on the benchmark cases, against what independent ones would give.

    python benchmarks/every_draw_counts.py [--case seed sleepstudy] [--seeds 50]

Small cases are fitted with many seeds, and what is said of a fit holds for all of them together. Prints one line a
criterion with what was found, and exits with 1 where one fails.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from arviz_stats.base.array import array_stats
from cases import CASES, Case, data_file

import formulajoint as fj

DRAWS, CHAINS = 1000, 4
FORMULAS = {
    "hierarchy": "y ~ x | g, hierarchy(), joint(weights=n)",
    "unpooled": "y ~ x | g, joint(weights=n)",
}
SMALL = 100_000
"""Rows up to which a case is fitted with many seeds."""


class Line(NamedTuple):
    """A criterion: what, found, and the bound that it must keep."""

    what: str
    found: float
    sign: str
    bound: float

    @property
    def holds(self) -> bool:
        return self.found > self.bound if self.sign == ">" else self.found < self.bound


def cells(fit: fj.Fit) -> np.ndarray:
    """Return the draws of everything that varies, (cell, chain, draw)."""
    values = [v.to_numpy() for v in fit.posterior.values()]
    stacked = np.concatenate([v.reshape(*v.shape[:2], -1) for v in values], axis=2)
    return np.moveaxis(stacked[..., np.ptp(stacked, axis=(0, 1)) > 0], 2, 0)


def lines(case: Case, data: pd.DataFrame, seeds: int) -> Iterator[Line]:
    """Yield what the fits of a case show."""
    model = fj.model(FORMULAS[case.model], data)
    axes = {"chain_axis": 1, "draw_axis": 2}
    a_draw, r_hat, worth, k_hat, means, variances = [], [], [], [], [], []
    for seed in range(seeds if case.rows < SMALL else 1):
        fit = model.fit(draws=DRAWS, chains=CHAINS, seed=seed, engine="exact")
        draws, statistics = cells(fit), fit.idata["sample_stats"]
        a_draw.append(array_stats.ess(draws, method="bulk", **axes) / (DRAWS * CHAINS))
        r_hat.append(np.max(array_stats.rhat(draws, **axes)))
        worth.append(float(statistics["importance_ess"].min()) / DRAWS)
        k_hat.append(float(statistics["k_hat"]))
        means.append(draws.mean(axis=(1, 2)))
        variances.append(draws.var(axis=(1, 2)))
    yield Line("bulk ESS a draw, median over parameters", float(np.median(a_draw)), ">", 0.95)
    yield Line("bulk ESS a draw, 1 % quantile over parameters", float(np.quantile(a_draw, 0.01)), ">", 0.85)
    yield Line("importance ESS a draw, worst chain", min(worth), ">", 5)
    yield Line("r_hat, largest", float(max(r_hat)), "<", 1.005)
    yield Line("k-hat, largest", max(k_hat), "<", 0.5)
    if len(means) > 1:
        ratio = np.var(means, axis=0, ddof=1) / (np.mean(variances, axis=0) / (DRAWS * CHAINS))
        scatter = float(np.sqrt(np.mean(ratio)))
        yield Line(f"sd of means over {len(means)} seeds, in sd / sqrt(draws)", scatter, "<", 1.15)
        yield Line(f"sd of means over {len(means)} seeds, in sd / sqrt(draws)", scatter, ">", 0.85)


def main() -> None:
    """Print a line a criterion and case."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--case", nargs="+", choices=[case.name for case in CASES], help="default: all")
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--data", type=Path, default=Path(tempfile.gettempdir()) / "formulajoint-benchmarks")
    options = parser.parse_args()
    failed = 0
    for case in CASES:
        if options.case and case.name not in options.case:
            continue
        data = pd.read_parquet(data_file(case, options.data, ".parquet"))
        for line in lines(case, data, options.seeds):
            failed += not line.holds
            verdict = "pass" if line.holds else "FAIL"
            print(
                f"{verdict}  {case.name:15} {line.what}: {line.found:.4g} {line.sign} {line.bound:g}",
                flush=True,
            )
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
