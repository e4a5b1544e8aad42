"""Draws under the names, dims and coords of the PyMC model, the same for every engine."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.compiler.coefficients import Coefficient, Pool
from formulajoint.compiler.evaluate.contrast_nodes import given_draws, node_dims, on_draws, share_draws
from formulajoint.compiler.plan import Plan, ScalePlan
from formulajoint.distributions.prior import Prior
from formulajoint.inference.draws.kept import kept_of_blocks, read_by_contrasts, without_groups
from formulajoint.inference.draws.named import Named, NamedDraws, by_chain, in_a_row
from formulajoint.inference.gaussian.draws import Draws, Phi
from formulajoint.inference.importance.sampled import Sampled
from formulajoint.inference.latent.columns import own_columns
from formulajoint.inference.latent.linear_sds import places_of, shape_of
from formulajoint.inference.latent.phi import correlation_root
from formulajoint.inference.latent.structure import Block, Structure
from formulajoint.inference.settings import ALL, Settings

log = logging.getLogger("formulajoint")

type Variable = tuple[str, tuple[str, ...], FloatArray]
"""A variable's name, its dims after chain and draw, and its draws."""


def all_draws(plan: Plan, phi: Phi, rng: np.random.Generator) -> Named:
    """Return draws of all variables of the plan and its contrasts.

    Parameters
    ----------
    plan : Plan
    phi : Phi
        Draws of phi for the plan.
    rng : Generator
        For uncertain weights, on which the data have no information.
    """
    structure = phi.kernel.structure
    return with_contrasts(plan, variables(plan, structure, phi.with_coefficients()), rng)


def kept_draws(plan: Plan, phi: Phi, rng: np.random.Generator) -> Named:
    """Return draws of the variables that are not of single groups, and of the contrasts; as `all_draws`."""
    structure = phi.kernel.structure
    grouped = {coefficient.name for coefficient in plan.mean.coefficients if coefficient.grouped}
    wanted = grouped & read_by_contrasts(plan)
    named = (
        (some, {name: (dims, values) for name, dims, values in variables(plan, structure, draws, wanted)})
        for some, draws in phi.in_blocks(own=bool(wanted))
    )
    return kept_of_blocks(plan, named, phi.shape, rng)


def named_draws(
    plan: Plan,
    variables: Iterable[Variable],
    found: Sampled,
    settings: Settings,
    started: float,
) -> NamedDraws:
    """Return draws of a plan's variables with its contrasts, those that are kept; `started` is when sampling began."""
    with_nodes = with_contrasts(plan, variables, noise_of_contrasts(settings))
    made = packed(plan, with_nodes, found, settings, started)
    return made if settings.keep == ALL else without_groups(made, plan)


def noise_of_contrasts(settings: Settings) -> np.random.Generator:
    """Return random numbers for uncertain weights, other than those of phi and of coefficients."""
    return np.random.default_rng(None if settings.seed is None else [int(settings.seed), 1])


def with_contrasts(plan: Plan, found: Iterable[Variable], rng: np.random.Generator) -> Named:
    """Return draws of a plan's variables with its contrasts."""
    variables = {name: (dims, values) for name, dims, values in found}
    return variables | _contrasts(plan, variables, rng)


def packed(plan: Plan, variables: Named, found: Sampled, settings: Settings, started: float) -> NamedDraws:
    """Return draws under the names of the plan.

    Parameters
    ----------
    plan : Plan
    variables : mapping of str to (dims, array)
    found : Sampled
        What was found of the parameters that do not integrate out.
    settings : Settings
    started : float
        When sampling began, by ``time.perf_counter``.
    """
    seconds = time.perf_counter() - started
    log.info(
        "exact drew %d x %d in %.2f s, k-hat %.2f", settings.chains, settings.draws, seconds, found.k_hat
    )
    about = {
        "inference_library": "formulajoint",
        "inference_library_version": _version(),
        "sampling_time": seconds,
        "sample_dims": ["chain", "draw"],
    }
    used = {dim for dims, _ in variables.values() for dim in dims}
    coords = {dim: np.array(labels, dtype=object) for dim, labels in plan.coords.items() if dim in used}
    attrs: dict[str, str | int] = {"engine": "exact", **settings.seeded, **settings.kept}
    return NamedDraws(variables, coords, statistics(found), attrs, about)


@cache
def _version() -> str:
    """Return the package's version, which takes milliseconds to look up; a checkout may never have been installed."""
    try:
        return version("formulajoint")
    except PackageNotFoundError:
        return "0+uninstalled"


def statistics(found: Sampled) -> Named:
    """Return what the exact engine tells of its draws, by name."""
    return {
        "k_hat": ((), found.k_hat),
        "importance_ess": (("chain",), np.min(found.ess, axis=0)),
        "log_evidence": ((), found.log_integral),
        "log_evidence_error": ((), found.error),
        "modes": ((), found.modes),
        "disagreement": ((), found.disagreement),
    }


def variables(
    plan: Plan, structure: Structure, draws: Draws, wanted: Collection[str] | None = None
) -> Iterator[Variable]:
    """Yield the draws of each variable; of the coefficients of single groups only those `wanted`, if that is given."""
    for coefficient, values in _coefficients(plan, structure, draws, wanted):
        yield coefficient.name, coefficient.dims, values
    if wanted is None:
        yield from _deviations(plan, structure, draws)
    for pool, block in zip(plan.mean.pools, structure.blocks, strict=True):
        yield from _pool(pool, block, structure, draws, own=wanted is None)
    sigma = plan.spread
    if sigma is not None and (sigma.pool is not None or not is_constant(sigma.prior)):
        sigmas = draws.values[..., : structure.sigmas]
        yield sigma.name, sigma.dims, sigmas if sigma.dims else sigmas[..., 0]
        yield from _sigma_pool(sigma, structure, draws)
    yield from linear_sigmas(plan, draws.values)


def linear_sigmas(plan: Plan, values: FloatArray) -> Iterator[Variable]:
    """Yield the coefficients of sigma, where it has predictors, from phi (chain, draw, cells)."""
    linear, rows = plan.linear_spread, plan.data.sigma
    if linear is None or rows is None:
        return
    for own, places in places_of(linear, len(rows)):
        if not is_constant(own.prior):
            yield own.name, own.dims, values[..., places].reshape(*values.shape[:2], *shape_of(own))


def _sigma_pool(sigma: ScalePlan, structure: Structure, draws: Draws) -> Iterator[Variable]:
    """Yield the middle and the sd of the sigmas' hierarchy, and the variable that PyMC samples in their place."""
    pool, own = sigma.pool, structure.sigma_pool
    if pool is None or own is None:
        return
    middle, sd = own.of(draws.values)
    if not is_constant(sigma.prior):
        yield pool.mean_name, (), np.exp(middle)
    if not is_constant(pool.sd):
        yield pool.sd_name, (), sd
    logs = np.log(draws.values[..., : structure.sigmas])
    yield pool.raw_name, sigma.dims, logs if pool.centered else (logs - middle[..., None]) / sd[..., None]


def is_constant(prior: Prior | None) -> bool:
    """Return whether a variable is a constant."""
    return prior is not None and prior.constant is not None


def _coefficients(
    plan: Plan, structure: Structure, draws: Draws, wanted: Collection[str] | None
) -> Iterator[tuple[Coefficient, FloatArray]]:
    """Yield the draws of each term's coefficients (chain, draw, ...)."""
    both, own, shared = draws.values.shape[:2], 0, structure.means
    for coefficient in plan.mean.coefficients:
        shape = tuple(len(plan.coords[dim]) for dim in coefficient.dims)
        count = coefficient.term.columns.shape[1]
        if is_constant(coefficient.prior):
            continue
        if coefficient.grouped:
            if wanted is None or coefficient.name in wanted:
                values = np.moveaxis(draws.beta[:, :, own : own + count], 2, 3)  # (chain, draw, G, k)
                yield coefficient, values.reshape(*both, *shape)
            own += count
        else:
            yield coefficient, draws.theta[..., shared : shared + count].reshape(*both, *shape)
            shared += count


def _deviations(plan: Plan, structure: Structure, draws: Draws) -> Iterator[Variable]:
    """Yield what varies in group terms: the groups' coefficients less the shared ones."""
    start = {coefficient.name: at for coefficient, at in own_columns(plan)}
    for term in (term for pool in plan.mean.pools for term in pool.terms if term.deviation_name):
        if term.mean_name:
            coefficient, at = term.coefficient, start[term.coefficient.name]
            columns = range(at, at + coefficient.term.columns.shape[1])
            away = [draws.beta[:, :, j] - _mean(structure, draws, j)[..., None] for j in columns]
            shape = (*away[0].shape, *coefficient.term.shape)
            yield term.deviation_name, coefficient.dims, np.stack(away, axis=-1).reshape(shape)


def _pool(pool: Pool, block: Block, structure: Structure, draws: Draws, own: bool) -> Iterator[Variable]:
    """Yield the means, sds and correlations of a hierarchy, and the variables that PyMC needs to continue from them.

    Those with a value for each group only if `own`.
    """
    both, at = draws.values.shape[:2], 0
    sds = draws.values[..., block.sds]
    for term in pool.terms:
        count = term.coefficient.term.columns.shape[1]
        shape = (*both, *term.coefficient.term.shape)
        columns = block.columns[at : at + count]
        if not is_constant(term.mean):
            yield (
                term.mean_name,
                term.dims,
                draws.theta[..., structure.theta_of_column[columns]].reshape(shape),
            )
        if not is_constant(term.sd):
            yield term.sd_name, term.dims, sds[..., at : at + count].reshape(shape)
        for name, column in zip(term.column_names if own else (), columns, strict=False):
            yield name, (pool.group_dim,), draws.beta[:, :, column]
        at += count
    if pool.correlation is not None:
        shares = draws.values[..., block.partials]
        root = correlation_root(shares, len(block.columns))
        yield pool.correlation.name, pool.correlation.dims, root @ np.swapaxes(root, -1, -2)
        yield pool.correlation.partial_name, (pool.correlation.partial_dim,), shares
    if own:
        yield from _offsets(pool, block, structure, draws)


def _offsets(pool: Pool, block: Block, structure: Structure, draws: Draws) -> Iterator[Variable]:
    """Yield the standardised distances from a hierarchy's mean, which PyMC samples in place of coefficients."""
    if all(term.centered for term in pool.terms):
        return
    mean = np.stack([_mean(structure, draws, column) for column in block.columns], axis=-1)
    root = structure.root(draws.values)[..., block.columns[:, None], block.columns[None, :]]
    beta, unit = draws.beta[:, :, block.columns], structure.unit(draws.values)
    if pool.request.in_sds and unit is not None:
        beta = beta / unit[:, :, None]
    away = beta - mean[..., None]  # (chain, draw, m, G)
    distances, at = np.moveaxis(np.linalg.solve(root, away), 2, 3), 0
    for term in pool.terms:
        count = term.coefficient.term.columns.shape[1]
        if term.offset_name is not None:
            own = distances[..., at : at + count]
            shape = (*own.shape[:3], *term.coefficient.term.shape)
            yield term.offset_name, term.coefficient.dims, own.reshape(shape)
        at += count


def _mean(structure: Structure, draws: Draws, column: int) -> FloatArray:
    """Return the mean of a hierarchy's column (chain, draw)."""
    place = structure.theta_of_column[column]
    return draws.theta[..., place] if place >= 0 else np.full(draws.theta.shape[:2], structure.base[column])


def _contrasts(
    plan: Plan, variables: Mapping[str, tuple[tuple[str, ...], FloatArray]], rng: np.random.Generator
) -> dict[str, tuple[tuple[str, ...], FloatArray]]:
    """Return the contrast nodes, and the weights that differ from draw to draw, by name."""
    if not plan.contrasts:
        return {}
    both = next(iter(variables.values()))[1].shape[:2]
    count, dims = int(np.prod(both)), node_dims(plan)
    known = given_draws(plan, count) | {name: in_a_row(values) for name, (_, values) in variables.items()}
    shares = share_draws(plan.shares, count, rng)
    found = shares | on_draws(plan.contrasts, known | shares)
    return {name: (dims[name], by_chain(values, both)) for name, values in found.items()}
