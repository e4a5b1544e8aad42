"""Arguments of `fit` that other packages have: what they are called here, or where they are written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from formulajoint.errors import InferenceError
from formulajoint.inference.nuts.engine import SAMPLERS
from formulajoint.language.vocabulary.core import CLAUSES
from formulajoint.wording import did_you_mean

_SAME: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "seed": ("random_seed", "random_state", "rng", "rng_seed", "rng_key"),
        "draws": ("samples", "n_samples", "num_samples", "n_draws", "ndraws", "num_draws", "iter_sampling"),
        "tune": (
            "warmup",
            "n_warmup",
            "num_warmup",
            "iter_warmup",
            "burn",
            "burnin",
            "burn_in",
            "n_tune",
            "adapt",
        ),
        "chains": ("n_chains", "num_chains", "nchains"),
        "engine": (
            "nuts_sampler",
            "sampler",
            "inference_method",
            "backend",
            "algorithm",
            "method",
            "optimizer",
        ),
        "target_accept": ("adapt_delta", "accept", "target_accept_prob", "target_accept_rate"),
        "progress": ("progressbar", "progress_bar", "refresh", "silent", "verbose", "quiet"),
        "device": ("gpu", "cuda"),
    }
)
"""The names that PyMC, Bambi, brms, rstanarm and lme4 have for arguments of ours."""

_WRITTEN: Mapping[str, str] = MappingProxyType(
    {"seed": "1", "draws": "2000", "tune": "2000", "chains": "4", "engine": "'nutpie'"}
    | {"target_accept": "0.95", "progress": "False", "device": "'cuda'"}
)
"""An example of each."""

_PARALLEL = (
    "the chains of a sampler run side by side already, and the exact engine needs one core: leave it out"
)
_KEPT = (
    "a fit keeps every variable and every draw, or with keep='contrasts' those that are not of single groups: "
    "leave it out"
)
_ROWS = "take the rows from the data frame before the fit"

_ELSEWHERE: Mapping[str, str] = MappingProxyType(
    {
        "iter": "brms counts its warmup among `iter`; here write `draws=1000` for those kept of each chain, and "
        "`tune=1000` for those before",
        "control": "write its entries as arguments: `target_accept=0.95`, `max_treedepth=12`",
        "cores": _PARALLEL,
        "n_cores": _PARALLEL,
        "n_jobs": _PARALLEL,
        "parallel_chains": _PARALLEL,
        "threads": _PARALLEL,
        "thin": "no draw is thrown away: ask for fewer, such as `draws=500`",
        "var_names": _KEPT,
        "return_inferencedata": "a fit has ArviZ's DataTree as `fit.idata`: leave it out",
        "idata_kwargs": "log likelihoods are computed after the fit: `pm.compute_log_likelihood(fit.idata, "
        "model=fit.model.pymc)`",
        "model": "a `pm.Model` of your own is sampled by PyMC: `fj.joint_test` takes its draws",
        "step": "NUTS draws all parameters: leave it out",
        "trace": _KEPT,
        "df": "the data frame is the second argument, `data`",
        "frame": "the data frame is the second argument, `data`",
        "dataset": "the data frame is the second argument, `data`",
        "file": "`fit.save('fit.nc')` writes a fit, and `fj.load` reads it",
        "prior": "`priors='flat'` makes all priors flat; a single one is a clause of the formula, "
        "`prior(treatment ~ normal(0, 5))`",
        "set_prior": "a prior is a clause of the formula: `prior(treatment ~ normal(0, 5))`",
        "sample_prior": "`fj.model(formula, data).prior_predictive()` draws from the prior",
        "sigma": "predictors of sigma are a clause of the formula: `sigma ~ 1 | school`",
        "link": "the link is written in the formula: `family(bernoulli, link=probit)`",
        "offset": "an offset is written among the predictors: `y ~ x + offset(log(exposure))`",
        "group": "groups are written in the formula, after a bar: `y ~ x | school`",
        "groups": "groups are written in the formula, after a bar: `y ~ x | school`",
        "re_formula": "groups are written in the formula, after a bar: `y ~ x | school`",
        "contrasts": "the coding of a factor is written in the formula: `C(arm, coding=sum)`",
        "na_action": "rows with missing values are dropped and counted; `missing(error)` in the formula refuses them",
        "dropna": "rows with missing values are dropped and counted; `missing(error)` in the formula refuses them",
        "noncentered": "the engine chooses; `hierarchy(treatment, centered=false)` in the formula decides",
        "REML": "sds have priors, and no maximum is taken: leave it out",
        "subset": _ROWS,
        "query": _ROWS,
    }
)
"""What to do instead of an argument of another package."""

_OURS = (*_SAME, "likelihood", "keep", "priors", "family", "language")


def check_arguments(names: Iterable[str], engine: str) -> None:
    """Raise an InferenceError for an argument that is known by another name, or is written elsewhere.

    Parameters
    ----------
    names : iterable of str
        The further arguments of `fit`, meant for a sampler.
    engine : str
        A sampler takes `cores`.
    """
    passed = {"cores"} if engine in SAMPLERS else set()
    for name in names:
        if name not in passed and (hint := _hint(name)):
            raise InferenceError(f"`fit` has no argument `{name}`: {hint}")


def _hint(name: str) -> str:
    """Return what to write instead of an argument; empty if a sampler may have it."""
    for ours, theirs in _SAME.items():
        if name in theirs:
            return f"here it is called `{ours}`, such as `{ours}={_WRITTEN[ours]}`."
    if name in _ELSEWHERE:
        return f"{_ELSEWHERE[name]}."
    if name in CLAUSES:
        return f"`{name}(...)` is a clause of the formula, after a comma."
    return did_you_mean(name, _OURS)
