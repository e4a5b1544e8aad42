"""Are the joint test's probabilities what they say? Simulated data, posteriors drawn from their closed form.

Under a true null and flat priors, contour probability and global Bayesian p-value are uniform over data sets: a
Kolmogorov-Smirnov test says so, with a plot of both. Where groups have effects of opposite sign, the weighted mean
sees nothing at any size of the effects, and the joint test does: a plot of how often either finds something at 5 %.

    python benchmarks/calibration_tests.py [--sets 500] [--plot docs/calibration.svg]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib as mpl
import numpy as np
from scipy import stats

import formulajoint as fj

ROWS = (6, 8, 10, 12, 14)
GROUPS = list("ABCDE")
CHAINS, DRAWS = 4, 500
EFFECTS = np.linspace(0, 1.5, 7)
SIGNS = np.array([1, -1, 1, -1, 0])


def slopes(effects: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Simulate a regression in each group, with these slopes and sd one; return draws (chain, draw, group) of them.

    Flat priors and 1 / sigma: slopes are normal about least squares given sigma, sigma^2 is scaled inverse chi-square.
    """
    estimates, variances, squares, df = [], [], 0.0, 0
    for rows, effect in zip(ROWS, effects, strict=True):
        x = rng.normal(size=rows)
        y = 3 + effect * x + rng.normal(size=rows)
        away = x - x.mean()
        slope = away @ y / (away @ away)
        estimates.append(slope)
        variances.append(1 / (away @ away))
        squares += float(np.sum((y - y.mean() - slope * away) ** 2))
        df += rows - 2
    sigma = np.sqrt(squares / rng.chisquare(df, (CHAINS, DRAWS)))
    noise = rng.normal(size=(CHAINS, DRAWS, len(ROWS))) * np.sqrt(variances)
    return np.array(estimates) + sigma[..., None] * noise


def under_the_null(sets: int) -> dict[str, np.ndarray]:
    """Return contour probabilities and GBPVs of true hypotheses, one a data set."""
    found: dict[str, list[float]] = {}
    rng = np.random.default_rng(1)
    for _ in range(sets):
        draws = slopes(np.full(len(ROWS), 2.0), rng)
        for text in ("draws == 2", "draws == A"):
            row = fj.joint_test(draws, text, groups=GROUPS).iloc[0]
            for figure in ("contour", "gbpv"):
                found.setdefault(f"{figure}, {text.replace('draws', 'slope')}", []).append(row[figure])
    return {name: np.array(values) for name, values in found.items()}


def found_at_five_percent(sets: int) -> dict[str, np.ndarray]:
    """Return how often the n-weighted mean, the contour and the band find effects of opposite sign, by their size."""
    shares = {"n-weighted mean": [], "contour probability": [], "band (GBPV)": []}
    rng = np.random.default_rng(2)
    weights = np.array(ROWS) / sum(ROWS)
    for effect in EFFECTS:
        signs = SIGNS - weights @ SIGNS  # their weighted mean is zero
        hits = dict.fromkeys(shares, 0)
        for _ in range(sets):
            draws = slopes(effect * signs, rng)
            low, high = np.quantile(draws @ weights, [0.025, 0.975])
            row = fj.joint_test(draws).iloc[0]
            hits["n-weighted mean"] += not low < 0 < high
            hits["contour probability"] += row["contour"] < 0.05
            hits["band (GBPV)"] += row["gbpv"] < 0.05
        for name, count in hits.items():
            shares[name].append(count / sets)
    return {name: np.array(values) for name, values in shares.items()}


def plot(null: dict[str, np.ndarray], power: dict[str, np.ndarray], path: Path) -> None:
    """Draw both results side by side."""
    mpl.use("Agg")
    import matplotlib.pyplot as plt

    mpl.rcParams |= {"svg.hashsalt": "formulajoint", "svg.fonttype": "none", "font.size": 9}
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.5, 3.6), layout="constrained")
    grid = np.linspace(0, 1, 101)
    for name, values in null.items():
        left.plot(grid, [np.mean(values <= g) for g in grid], label=name, lw=1.2)
    sets = len(next(iter(null.values())))
    room = stats.kstwo.ppf(0.95, sets)
    left.fill_between(grid, np.clip(grid - room, 0, 1), np.clip(grid + room, 0, 1), color="0.9", lw=0)
    left.set(
        xlabel="probability", ylabel="share of data sets at or below", title=f"Null true, {sets} data sets"
    )
    left.legend(frameon=False, fontsize=7.5)
    for name, values in power.items():
        right.plot(EFFECTS, values, marker="o", ms=3, label=name)
    right.axhline(0.05, color="0.6", lw=0.8, ls=":")
    right.set(
        xlabel="size of the effects, in sds",
        ylabel="found at 5 %",
        title="Effects of opposite sign",
        ylim=(0, 1.02),
    )
    right.legend(frameon=False)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def main() -> None:
    """Simulate, print and plot."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--sets", type=int, default=500)
    parser.add_argument("--plot", type=Path)
    given = parser.parse_args()
    null = under_the_null(given.sets)
    print(f"{given.sets} data sets with a true null, {CHAINS * DRAWS} draws each")
    for name, values in null.items():
        test = stats.kstest(values, "uniform")
        print(
            f"  {name:22s} KS {test.statistic:.3f}, p = {test.pvalue:.2f}; below 0.05: {np.mean(values < 0.05):.3f}"
        )
    power = found_at_five_percent(given.sets)
    print("found at 5 %, effects of opposite sign and weighted mean zero")
    print(f"  {'size of the effects':22s} {' '.join(f'{e:5.2f}' for e in EFFECTS)}")
    for name, values in power.items():
        print(f"  {name:22s} {' '.join(f'{v:5.2f}' for v in values)}")
    if given.plot is not None:
        plot(null, power, given.plot)


if __name__ == "__main__":
    main()
