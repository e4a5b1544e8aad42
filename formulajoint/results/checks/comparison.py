"""Several models of the same data side by side: by what they predict of rows or groups left out, or by their evidence.

Stacking weights maximise the sum of log densities of the weighted mean of the models' predictions (Yao, Vehtari,
Simpson & Gelman, Bayesian Analysis 2018). They are the fixed point of

    w_k <- w_k mean_i(p_ik / sum_l w_l p_il),

which increases that sum in every step (Dempster, Laird & Rubin, JRSS B 1977).

Shapes: K models, N rows or groups.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pandas as pd

from formulajoint.arrays import FloatArray
from formulajoint.errors import InferenceError
from formulajoint.results.checks.loo import Loo
from formulajoint.results.draws.full_width import Table
from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.joint_tests.bayes_factor.evidence import differing_data, differing_priors, evidence

STEPS, STILL = 10_000, 1e-10
"""Most steps towards stacking weights, and the change of a weight at which they end."""


def check_same_data(posteriors: Mapping[str, Posterior]) -> None:
    """Raise an InferenceError if there are fewer than two fits, or they are of different data."""
    if len(posteriors) < 2:
        raise InferenceError(
            "A comparison takes two or more fits, by name: fj.compare({'a': one, 'b': another})."
        )
    for (one, first), (other, second) in pairwise(posteriors.items()):
        difference = differing_data(first.plan.design, second.plan.design)
        if difference:
            raise InferenceError(f"`{one}` and `{other}` cannot be compared: {difference}.")


def by_loo(found: Mapping[str, Loo]) -> pd.DataFrame:
    """Return one row for each model, the best first: elpd, its difference from the best, weight.

    The standard error of a difference is that of the sum of differences by row or group.
    """
    names = sorted(found, key=lambda name: -found[name].elpd)
    logs = np.stack([found[name].table["elpd"].to_numpy() for name in names], axis=1)
    apart = logs - logs[:, :1]
    columns = {
        "elpd": [found[name].elpd for name in names],
        "se": [found[name].se for name in names],
        "difference": apart.sum(axis=0),
        "difference_se": np.sqrt(len(logs) * apart.var(axis=0, ddof=1)),
        "weight": stacking_weights(logs),
        "effective": [found[name].effective for name in names],
        "doubtful": [found[name].doubtful for name in names],
    }
    return Table(columns, index=pd.Index(names, name="model"))


def stacking_weights(logs: FloatArray) -> FloatArray:
    """Return the weights (K,) of models with log densities (N, K) of what was left out."""
    densities = np.exp(logs - logs.max(axis=1, keepdims=True))
    weights = np.full(logs.shape[1], 1 / logs.shape[1])
    for _ in range(STEPS):
        new = weights * np.mean(densities / (densities @ weights)[:, None], axis=0)
        if np.max(abs(new - weights)) < STILL:
            break
        weights = new
    return np.asarray(weights)


def by_evidence(posteriors: Mapping[str, Posterior]) -> pd.DataFrame:
    """Return one row for each model, the best first: log p(y), log Bayes factor against the best, probability.

    Models are equally probable beforehand. A column `note` names priors of the same variables that differ.
    """
    found = {name: evidence(posterior) for name, posterior in posteriors.items()}
    names = sorted(found, key=lambda name: -found[name].value)
    values, errors = (
        np.array(each) for each in zip(*((found[n].value, found[n].error) for n in names), strict=True)
    )
    apart = values - values[0]
    columns = {
        "log_evidence": values,
        "error": errors,
        "log_bf": apart,
        "log_bf_error": np.where(np.arange(len(names)) == 0, 0.0, np.hypot(errors, errors[0])),
        "probability": np.exp(apart) / np.exp(apart).sum(),
    }
    best = posteriors[names[0]].plan
    differing = [differing_priors(posteriors[name].plan, best) for name in names]
    if any(differing):  # the data are asked about these priors, too
        columns["note"] = [
            f"priors differ from those of {names[0]}: {each}" if each else "" for each in differing
        ]
    return Table(columns, index=pd.Index(names, name="model"))
