"""Whether the draws can be trusted, in words, with what to do where they cannot."""

from __future__ import annotations

import pandas as pd

from formulajoint.results.posterior import Posterior

R_HAT = 1.01
ESS_PER_CHAIN = 100
"""Limits of Vehtari, Gelman, Simpson, Carpenter & Bürkner, Bayesian Analysis 2021."""


def diagnostics(posterior: Posterior, table: pd.DataFrame) -> tuple[str, ...]:
    """Return one sentence or two for each thing that is wrong with the draws; none where all is well.

    Parameters
    ----------
    posterior : Posterior
    table : DataFrame
        Rows of `summary` and `contrasts`.
    """
    found = [_divergences(posterior), _chains(posterior), _r_hat(table), _ess(posterior, table)]
    return tuple(sentence for sentence in found if sentence)


def _divergences(posterior: Posterior) -> str:
    if "sample_stats" not in posterior.tree.children or "diverging" not in posterior.tree["sample_stats"]:
        return ""
    diverging = posterior.tree["sample_stats"]["diverging"]
    count = int(diverging.sum())
    if not count:
        return ""
    other = (
        "centered=true"
        if any(not t.centered for p in posterior.plan.mean.pools for t in p.terms)
        else "centered=false"
    )
    pooled = f"try `{other}` in the hierarchy, " if posterior.plan.mean.pools else ""
    return (
        f"{count} of {diverging.size} draws diverged, so parts of the posterior may be missing: "
        f"{pooled}raise target_accept (0.99), or give narrower priors."
    )


def _chains(posterior: Posterior) -> str:
    if posterior.tree["posterior"].sizes["chain"] > 1:
        return ""
    return "There is one chain only, so r_hat cannot tell whether chains agree: use chains=4."


def _r_hat(table: pd.DataFrame) -> str:
    bad = table.index[table["r_hat"] > R_HAT]
    if not len(bad):
        return ""
    worst = table["r_hat"].idxmax()
    return (
        f"r_hat is above {R_HAT} for {len(bad)} of {len(table)} parameters "
        f"(worst: {worst}, {table['r_hat'].max():.2f}): the chains do not agree yet. Draw more (tune=2000, draws=2000)."
    )


def _ess(posterior: Posterior, table: pd.DataFrame) -> str:
    wanted = ESS_PER_CHAIN * posterior.tree["posterior"].sizes["chain"]
    least = table[["ess_bulk", "ess_tail"]].min(axis=1) if "ess_tail" in table else table["ess_bulk"]
    bad = least[least < wanted]
    if not len(bad):
        return ""
    return (
        f"The effective sample size is below {wanted} for {len(bad)} of {len(table)} parameters "
        f"(worst: {least.idxmin()}, {least.min():.0f}): intervals are imprecise. Draw more (draws=4000)."
    )
