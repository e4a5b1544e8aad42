"""The variables of a PyMC model, and which of them each depends on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pymc as pm
from pymc.model_graph import ModelGraph, NodeType

from formulajoint.compiler.plan import Plan

type Kind = Literal["free", "computed", "observed", "data"]

_KINDS: dict[NodeType, Kind] = {
    NodeType.FREE_RV: "free",
    NodeType.DETERMINISTIC: "computed",
    NodeType.POTENTIAL: "computed",
    NodeType.OBSERVED_RV: "observed",
    NodeType.DATA: "data",
}


@dataclass(frozen=True, slots=True)
class GraphNode:
    """A variable of a model.

    Attributes
    ----------
    name : str
    law : str
        Its distribution as text, such as ``normal(0, 5)``; empty for what is computed.
    dims : tuple of str
        Each dim with its length: ``school (2)``.
    kind : {"free", "computed", "observed", "data"}
    parents : tuple of str
        The variables it depends on.
    """

    name: str
    law: str
    dims: tuple[str, ...]
    kind: Kind
    parents: tuple[str, ...]


def graph_nodes(model: pm.Model, plan: Plan) -> tuple[GraphNode, ...]:
    """Return the variables of `model`, which is that of `plan`, in the model's order."""
    graph = ModelGraph(model)
    parents, laws = graph.make_compute_graph(), _laws(plan)
    order = {name: place for place, name in enumerate(model.named_vars)}
    found = []
    for plate in graph.get_plates():
        pairs = zip(plate.dim_info.names, plate.dim_info.lengths, strict=True)
        dims = tuple(f"{name} ({length})" if name else str(length) for name, length in pairs)
        for each in plate.variables:
            name, kind = str(each.var.name), _KINDS[each.node_type]
            law = "" if kind in ("computed", "data") else laws.get(name) or _own_name(each.var)
            found.append(
                GraphNode(name, law, dims, kind, tuple(sorted(parents[name], key=order.__getitem__)))
            )
    return tuple(sorted(found, key=lambda node: order[node.name]))


def _laws(plan: Plan) -> dict[str, str]:
    """Return the distributions of variables as the formula would write them."""
    laws = {name: prior.of(name) for name, prior in plan.priors}
    laws |= {share.name: share.prior for share in plan.shares}
    parameters = ", ".join(each.name for each in plan.family.parameters)
    return laws | {plan.response_name: f"{plan.family.name}({parameters})"}


def _own_name(variable: object) -> str:
    """Return PyMC's name of a distribution: of what only serves the sampler, and of pooled coefficients."""
    op = getattr(getattr(variable, "owner", None), "op", None)
    return str(getattr(op, "name", None) or type(op).__name__.removesuffix("RV")).lower()
