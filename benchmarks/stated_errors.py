"""What a fit says of its own accuracy: the errors of posterior means and of shares of draws, by the public API."""

from __future__ import annotations

import numpy as np
import pandas as pd

import formulajoint as fj


def effective_draws(table: pd.DataFrame) -> pd.Series:
    """Return what each parameter's draws are worth for its mean, from the columns of `fit.summary()`."""
    if "mcse_mean" in table:
        return (table["sd"] / table["mcse_mean"]) ** 2
    return table["ess_bulk"]


def mean_errors(table: pd.DataFrame) -> pd.Series:
    """Return the Monte Carlo standard error of each posterior mean."""
    return table["sd"] / np.sqrt(effective_draws(table))


def share_errors(shares: pd.Series, table: pd.DataFrame) -> pd.Series:
    """Return the Monte Carlo standard error of shares of draws, one a parameter."""
    return np.sqrt(shares * (1 - shares) / effective_draws(table))


def handed_on(fit: fj.Fit) -> str:
    """Return why `engine="auto"` would go on with NUTS after this fit by the exact engine; empty where it would not."""
    return next((said for said in fit.diagnostics() if "nutpie" in said and not said.startswith("r_hat")), "")


def of_modes(fit: fj.Fit) -> tuple[str, ...]:
    """Return what a fit says against itself, but for sentences about r_hat and effective sample sizes.

    With few draws these two are too large or too small by chance, and neither knows of a mode that was missed.
    """
    return tuple(said for said in fit.diagnostics() if not said.startswith(("r_hat", "The effective sample")))
