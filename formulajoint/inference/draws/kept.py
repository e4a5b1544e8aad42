"""What is kept of draws with ``keep="contrasts"``: variables with a value for each group are left out.

Contrasts of these are computed some draws at a time, so that no more than a block of the groups' values is in memory.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import numpy as np

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.compiler.contrast_plans import ArithmeticPlan, ContrastPlan, FamilyPlan
from formulajoint.compiler.evaluate.contrast_nodes import given_draws, node_dims, on_draws, share_draws
from formulajoint.compiler.plan import Plan
from formulajoint.inference.draws.named import Named, NamedDraws, by_chain, in_a_row

type Variables = Mapping[str, tuple[tuple[str, ...], FloatArray]]
"""Draws (chain, draw, *dims) by name, with the dims."""


def of_single_groups(plan: Plan, dims: Mapping[str, Collection[str]]) -> frozenset[str]:
    """Return the names of variables with a value for each group, without contrasts, given the dims of all."""
    nodes, groups = node_dims(plan), plan.group_dims
    return frozenset(name for name, own in dims.items() if name not in nodes and not groups.isdisjoint(own))


def without_groups(draws: NamedDraws, plan: Plan) -> NamedDraws:
    """Return draws without variables with a value for each group."""
    return draws.without(of_single_groups(plan, {name: dims for name, (dims, _) in draws.variables.items()}))


def read_by_contrasts(plan: Plan) -> frozenset[str]:
    """Return the names of the variables that the contrasts are computed from."""
    return frozenset().union(*map(_read, plan.contrasts))


def _read(contrast: ContrastPlan) -> frozenset[str]:
    in_place = (name for own in contrast.response.values() for name in own.variables)
    return _named(contrast).union(in_place)


def _named(contrast: ContrastPlan) -> frozenset[str]:
    """Return the names of the variables that a contrast names, or whose values weight or move them."""
    if isinstance(contrast, ArithmeticPlan):
        return frozenset(cells.variable for cells in contrast.cells.values())
    also = contrast.cells if isinstance(contrast, FamilyPlan) else contrast.at
    added = () if also is None else also.added
    sigmas = [] if contrast.sigma is None else [contrast.sigma]
    sigmas += [] if contrast.sigmas is None else [name for name, _ in contrast.sigmas.parts]
    return frozenset((contrast.coefficient.name, *sigmas, *(other.variable for other in added)))


def kept_of_blocks(
    plan: Plan,
    blocks: Iterable[tuple[IntArray, Variables]],
    shape: tuple[int, int],
    rng: np.random.Generator,
) -> Named:
    """Return draws of contrasts and of the variables that are not of single groups, from all of them block by block.

    Parameters
    ----------
    plan : Plan
    blocks : iterable of places and Variables
        Draws (1, S, *dims), S of them in a block, and their places among all chains in a row.
    shape : (int, int)
        Chains, and draws of each.
    rng : Generator
        For uncertain weights, on which the data have no information.
    """
    count, dims = shape[0] * shape[1], node_dims(plan)
    shares = share_draws(plan.shares, count, rng)
    found = dict(shares)
    for places, block in blocks:
        own = {name: in_a_row(values) for name, (_, values) in block.items()}
        some = {name: values[..., places] for name, values in shares.items()}
        own |= on_draws(plan.contrasts, given_draws(plan, len(places)) | own | some)
        dims |= {name: of for name, (of, _) in block.items()}
        for name in own.keys() - of_single_groups(plan, dims):
            if name not in found:
                found[name] = np.empty((*own[name].shape[:-1], count))
            found[name][..., places] = own[name]
    order = [*(name for name in dims if name not in node_dims(plan)), *node_dims(plan)]
    return {name: (dims[name], by_chain(found[name], shape)) for name in order if name in found}
