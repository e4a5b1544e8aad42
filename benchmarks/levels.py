"""Do tests with a residual sd a group keep their level? Simulated data sets in which the null holds.

`y ~ x | g, sigma ~ 1 | g` with few rows a group: how often the classical test, and the contour probability, are below
0.05 where all slopes are zero, and where all are equal. The residual sds are equal, or go from 1 to 10. The classical
statistics are the package's own functions, on all data sets at once; of the first few they are held against
``classical_test``. Posteriors are drawn without the package: group by group, sigma on a grid.

    python benchmarks/levels.py [--sets 20000] [--posteriors 1000]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy import special

import formulajoint as fj
from formulajoint.compiler.plan import Plan
from formulajoint.results.joint_tests.classical import Classical, classical_test
from formulajoint.results.joint_tests.questions import hypotheses
from formulajoint.results.joint_tests.score_contour import Quantities, sum_of_scores
from formulajoint.results.joint_tests.score_test import score_statistic

DESIGNS = {"groups of 4 and 6 rows": (4, 6), "6 groups of 4 rows": (4,) * 6, "27 groups of 4 rows": (4,) * 27}
FORMULA = "y ~ x | g, sigma ~ 1 | g"
ZERO, EQUAL = "x == 0", "x == x[g00]"
AT_ONCE = 250
CHECKED = 3
CHAINS, DRAWS = 4, 500
NODES = 400


@dataclass(frozen=True)
class Sets:
    """Data sets of one design, and the slopes' least squares (B, K): estimates, standard errors, degrees of freedom."""

    groups: np.ndarray
    x: np.ndarray
    y: np.ndarray
    slope: np.ndarray
    error: np.ndarray
    df: np.ndarray


def simulate(sizes: tuple[int, ...], spread: float, sets: int, rng: np.random.Generator) -> Sets:
    """Simulate data sets without any slope, residual sds from 1 to `spread`."""
    groups = np.repeat(np.arange(len(sizes)), sizes)
    sds = np.geomspace(1, spread, len(sizes))
    x = rng.normal(size=(sets, len(groups)))
    y = sds[groups] * rng.normal(size=x.shape)
    slope, error = np.empty((2, sets, len(sizes)))
    edges = np.cumsum([0, *sizes])
    for g, (start, stop) in enumerate(pairwise(edges)):
        a, b = (v[:, start:stop] - v[:, start:stop].mean(axis=1, keepdims=True) for v in (x, y))
        squares = np.sum(a**2, axis=1)
        slope[:, g] = np.sum(a * b, axis=1) / squares
        rss = np.sum((b - slope[:, [g]] * a) ** 2, axis=1)
        error[:, g] = np.sqrt(rss / (stop - start - 2) / squares)
    return Sets(groups, x, y, slope, error, np.array(sizes, dtype=float) - 2)


def classical(data: Sets, checked: int) -> dict[str, np.ndarray]:
    """Return the p-values (B,) of both hypotheses; the first `checked` are held against those of the package."""
    count = data.slope.shape[1]
    ones = np.ones(count)
    values = (data.slope / data.error)[..., None]
    zero = score_statistic(np.empty((*values.shape, 0)), values, ones, data.df)
    equal = score_statistic((1 / data.error)[..., None, None], values, ones, data.df)
    found = {ZERO: (zero, count), EQUAL: (equal, count - 1)}
    for b in range(checked):
        plan = plan_of(data, b)
        for text, (statistic, df) in found.items():
            known = classical_test(plan, hypotheses(plan, text)[0])
            assert isinstance(known, Classical)
            np.testing.assert_allclose(known.statistic, statistic[b], rtol=1e-6)
            assert known.df_num == df
    return {text: special.chdtrc(df, statistic) for text, (statistic, df) in found.items()}


def plan_of(data: Sets, b: int, priors: str | None = None) -> Plan:
    """Return the plan of a data set."""
    labels = np.array([f"g{g:02d}" for g in range(data.groups.max() + 1)])[data.groups]
    frame = pd.DataFrame({"y": data.y[b], "x": data.x[b], "g": labels})
    return fj.model(FORMULA, frame, priors=priors).plan


def flat_posterior(data: Sets, b: int, rng: np.random.Generator) -> np.ndarray:
    """Return draws of the slopes under flat priors: t distributions."""
    t = rng.standard_t(data.df, size=(CHAINS, DRAWS, len(data.df)))
    return data.slope[b] + data.error[b] * t


def default_posterior(data: Sets, b: int, rng: np.random.Generator) -> np.ndarray:
    """Return draws of the slopes under the default priors, sigma from a fine grid and slopes given sigma."""
    plan = plan_of(data, b)
    count = data.groups.max() + 1
    normal = [(c.prior.args["mu"], c.prior.args["sigma"]) for c in plan.mean.coefficients]
    mean, sd = (
        np.stack([np.broadcast_to(np.ravel(v), count) for v in part]) for part in zip(*normal, strict=True)
    )
    law, out = plan.scale("sigma").prior, np.empty((CHAINS, DRAWS, count))
    for g in range(count):
        own = data.groups == g
        out[..., g] = _slopes(data.x[b, own], data.y[b, own], mean[:, g], sd[:, g], law, rng)
    return out


def _slopes(x, y, mean, sd, law, rng) -> np.ndarray:
    """Return draws of one group's slope."""
    columns = np.column_stack([np.ones(len(x)), x])
    top = np.log(10 * (np.std(y) + abs(y).max()))
    log_sigma = np.linspace(top - 14, top, NODES)
    s = np.exp(2 * log_sigma)[:, None, None]
    prior = np.diag(sd**-2.0)
    precision = columns.T @ columns / s + prior
    pull = columns.T @ y / s[..., 0] + prior @ mean
    centre = np.linalg.solve(precision, pull[..., None])[..., 0]
    squares = y @ y / s[:, 0, 0] - np.sum(pull * centre, axis=1)
    log_p = -len(y) * log_sigma - 0.5 * (np.linalg.slogdet(precision)[1] + squares)
    log_p += law.log_density(np.exp(log_sigma)) + log_sigma
    weight = np.exp(log_p - log_p.max())
    at = rng.choice(NODES, size=CHAINS * DRAWS, p=weight / weight.sum())
    spread = np.sqrt(np.linalg.inv(precision)[:, 1, 1])
    return (centre[at, 1] + spread[at] * rng.normal(size=len(at))).reshape((CHAINS, DRAWS))


def contours(data: Sets, b: int, draw, rng: np.random.Generator) -> dict[str, float]:
    """Return the contour probabilities by scores of both hypotheses."""
    draws = draw(data, b, rng)
    count = draws.shape[2]
    flat = draws.reshape((-1, count))
    free = {ZERO: np.empty((count, 0)), EQUAL: np.ones((count, 1))}
    out = {}
    for text, each in free.items():
        total, _ = sum_of_scores([Quantities(draws, np.arange(count), each)])(flat)
        out[text] = float(special.chdtrc(count - each.shape[1], total))
    return out


def shares(values: list[np.ndarray] | list[float]) -> tuple[float, float, int]:
    """Return the shares below 0.05 and 0.01, and the number of data sets."""
    flat = np.concatenate([np.atleast_1d(v) for v in values])
    return float(np.mean(flat < 0.05)), float(np.mean(flat < 0.01)), len(flat)


def rows(sets: int, posteriors: int) -> Iterator[str]:
    """Yield the rows of the table."""
    for name, sizes in DESIGNS.items():
        for spread in (1.0, 10.0):
            rng = np.random.default_rng(1)
            found: dict[tuple[str, str], list] = {}
            for start in range(0, sets, AT_ONCE):
                data = simulate(sizes, spread, min(AT_ONCE, sets - start), rng)
                for text, p in classical(data, CHECKED if start == 0 else 0).items():
                    found.setdefault(("normal scores", text), []).append(p)
            data = simulate(sizes, spread, posteriors, rng)
            for prior, draw in (("flat", flat_posterior), ("default", default_posterior)):
                for b in range(posteriors):
                    for text, p in contours(data, b, draw, rng).items():
                        found.setdefault((f"contour, {prior} priors", text), []).append(p)
            for figure in dict.fromkeys(figure for figure, _ in found):
                (zero, zero_1, n), (equal, equal_1, _) = (shares(found[figure, t]) for t in (ZERO, EQUAL))
                sds = "equal" if spread == 1 else f"1 to {spread:g}"
                yield (
                    f"| {name} | {sds} | {figure} | {n:,} | {100 * zero:.1f} % | {100 * zero_1:.2f} % "
                    f"| {100 * equal:.1f} % | {100 * equal_1:.2f} % |"
                )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--sets", type=int, default=20_000)
    parser.add_argument("--posteriors", type=int, default=1_000)
    given = parser.parse_args()
    print(
        "| rows | residual sds | figure | data sets | all zero, below 0.05 | 0.01 | all equal, below 0.05 | 0.01 |"
    )
    print("|---|---|---|---:|---:|---:|---:|---:|")
    for row in rows(given.sets, given.posteriors):
        print(row, flush=True)


if __name__ == "__main__":
    main()
