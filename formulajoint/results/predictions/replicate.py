"""New responses at the rows of the data, drawn from the posterior.

They are drawn in NumPy from the plan, so that the check of a saved fit needs neither PyMC nor the data.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import batched
from typing import Any

import numpy as np
from numpy.random import Generator
from scipy import special, stats

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.design.model_rows import ModelRows
from formulajoint.distributions.distribution import Distribution
from formulajoint.errors import InferenceError
from formulajoint.families.likelihood import TRIALS
from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.predictions.evaluate import Evaluation, evaluation

LEAST_DRAWS, MOST_NUMBERS, BLOCK = 20, 2 * 10**7, 2**22
"""Fewest draws; most draws times rows, above which fewer draws are taken; and draws times rows of one block of
predictions."""

TINY = 1e-300
"""Smallest tail probability that is turned into a normal score."""


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """The distribution of the response at each row, by draw.

    Attributes
    ----------
    distribution : Distribution
    parameters : mapping of str to array
        Its arguments by name, each (D, N), (D, 1) or (1, N); one of several numbers a row has an axis more behind.
    """

    distribution: Distribution
    parameters: Mapping[str, FloatArray]

    @property
    def mean(self) -> FloatArray:
        """The family's ``mu``, or where that is several numbers a row the mean place of the category, (D, N)."""
        mu = self.parameters["mu"]
        return mu if mu.ndim == 2 else np.asarray(self.law.mean())

    @property
    def numbers(self) -> list[FloatArray]:
        """The arguments in the distribution's order."""
        return [self.parameters[name] for name in self.distribution.args]

    @property
    def normal(self) -> tuple[FloatArray, FloatArray] | None:
        """Mean and sd if the distribution is normal, else None."""
        mixture = self.distribution.normal_mixture
        location, scale, df = (None, None, 0.0) if mixture is None else mixture(*self.numbers)
        return (np.asarray(location), np.asarray(scale)) if np.all(np.isinf(df)) else None

    @property
    def law(self) -> Any:
        """The distribution in SciPy."""
        assert self.distribution.scipy is not None  # checked by `predictions`
        return self.distribution.scipy(stats, *self.numbers)

    def log_density(self, y: FloatArray) -> FloatArray:
        """Return the log density, or probability, of y (N,) at each draw, (D, N)."""
        law = self.law
        with np.errstate(divide="ignore"):
            return np.asarray(law.logpmf(y) if self.distribution.whole else law.logpdf(y))

    def moments(self) -> tuple[FloatArray, FloatArray]:
        """Return mean and sd of the response, both (D, N); of successes among trials those of their share."""
        law, trials = self.law, self.parameters.get(TRIALS, np.ones(1))
        return np.broadcast_to(law.mean() / trials, self.mean.shape), np.broadcast_to(
            law.std() / trials, self.mean.shape
        )

    def steps(self, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the probabilities of less than y (N,), and of at most y, both (D, N)."""
        law = self.law
        above = np.asarray(law.cdf(y))
        has_steps = self.distribution.whole or self.distribution.zeros
        return (above - law.pmf(y) if has_steps else above), above

    def responses(self, rng: Generator) -> FloatArray:
        """Return a new response at each row, (D, N)."""
        shape = self.mean.shape
        if self.distribution.draw is not None:
            return np.asarray(self.distribution.draw(rng, shape, *self.numbers))
        return np.asarray(self.law.rvs(shape, random_state=rng))

    def scores(self, y: FloatArray, rng: Generator) -> FloatArray:
        """Return the normal scores Phi^-1(F(y)) of y, (N,) or (D, N); for a normal F (y - mean) / sd; (D, N).

        F of whole numbers, or of amounts with zeros, has steps; the score is that of a random point of the step at y,
        so that it is normal too (Dunn & Smyth, Journal of Computational and Graphical Statistics 1996).
        """
        if self.normal is not None:
            return np.asarray((y - self.normal[0]) / self.normal[1])
        law = self.law
        below, above = law.cdf(y), law.sf(y)
        if self.distribution.whole or self.distribution.zeros:
            part = rng.random(below.shape) * law.pmf(y)
            below, above = below - part, above + part
        tail = special.ndtri(np.maximum(np.minimum(below, above), TINY))
        return np.asarray(np.where(below < above, tail, -tail))


def some_draws(posterior: Posterior, count: int, rng: Generator) -> IntArray:
    """Return the indices of `count` draws, chains one after another; fewer if there are fewer, or very many rows."""
    chains, draws = posterior.named.shape
    most = max(LEAST_DRAWS, MOST_NUMBERS // posterior.plan.design.rows.used)
    return rng.choice(chains * draws, size=min(count, most, chains * draws), replace=False)


def in_blocks(posterior: Posterior, taken: IntArray) -> Iterator[Predictions]:
    """Yield the predictions of the draws numbered `taken`, in blocks that keep memory small."""
    for block in batched(taken, max(1, BLOCK // posterior.plan.design.rows.used)):
        yield predictions(posterior, np.array(block))


def by_rows(
    posterior: Posterior, count: int | None = None, seed: int = 0, chosen: IntArray | None = None
) -> Iterator[tuple[IntArray, Predictions]]:
    """Yield the predictions of some rows after the other, in blocks that keep memory small.

    Parameters
    ----------
    posterior : Posterior
    count : int, optional
        Draws; all in their order by default.
    seed : int
        Seed of the choice of draws.
    chosen : int array, optional
        Rows; all by default.

    Raises
    ------
    DataError
        If the fit has moments in place of rows.
    """
    posterior.plan.design.require_rows("What is said of single rows")
    chains, draws = posterior.named.shape
    taken = np.arange(chains * draws)
    if count is not None and count < len(taken):
        taken = np.sort(np.random.default_rng(seed).choice(taken, count, replace=False))
    chosen = np.arange(posterior.plan.design.rows.used) if chosen is None else chosen
    found, step = evaluation(posterior, taken=taken), max(1, BLOCK // len(taken))
    for start in range(0, len(chosen), step):
        some = chosen[start : start + step]
        yield some, laws_at(found, found.rows.take(some))


def predictions(posterior: Posterior, taken: IntArray) -> Predictions:
    """Return the distribution of the response by the draws numbered `taken`.

    Raises
    ------
    InferenceError
        As by `law_of`.
    """
    found = evaluation(posterior, taken=taken)
    return laws_at(found, found.rows)


def laws_at(found: Evaluation, rows: ModelRows) -> Predictions:
    """Return the distribution of the response at some rows.

    Raises
    ------
    InferenceError
        As by `law_of`.
    """
    distribution = law_of(found.posterior)
    parameters = found.at(rows).parameters
    return Predictions(
        distribution, {name: np.moveaxis(values, -1, 0) for name, values in parameters.items()}
    )


def law_of(posterior: Posterior) -> Distribution:
    """Return the distribution of the response.

    Raises
    ------
    InferenceError
        If an extension brings the family, and does not declare its distribution in SciPy.
    """
    family = posterior.plan.family
    if family.distribution.scipy is None:
        raise InferenceError(
            f"Densities and new responses of rows are computed by SciPy, and the declaration of the family "
            f"`{family.name}` has no `scipy=`. Add it, such as `scipy=scipy.stats.laplace`."
        )
    return family.distribution


def probabilities_at(found: Evaluation, rows: ModelRows) -> list[FloatArray]:
    """Return the probability of each category of the response at some rows, each (N, S)."""
    law = laws_at(found, rows).law
    levels = found.posterior.plan.design.response.levels
    return [np.asarray(law.pmf(np.full(len(rows), float(place))).T) for place in range(len(levels))]
