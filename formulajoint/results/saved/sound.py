"""Whether what a saved fit holds can be the content of a fit: shapes, bounds, labels.

A seal proves that bytes are those that were sealed, not that `save` made them. What is refused here would otherwise
end in an error far from its cause, or in a wrong table.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

import numpy as np

from formulajoint.arrays import FloatArray
from formulajoint.compiler.contrast_plans import ArithmeticPlan, AveragePlan, ContrastPlan
from formulajoint.compiler.evaluate.contrast_nodes import node_dims, variable_dims
from formulajoint.compiler.plan import LinearPlan, Plan
from formulajoint.design.pooling import HIERARCHIES, Hierarchy
from formulajoint.design.recipes import Basis, Crossed, GroupMoments
from formulajoint.design.schema import Design, Factor, Grouping, PartMeans, Term
from formulajoint.errors import StoreError
from formulajoint.inference.draws.named import NamedDraws
from formulajoint.results.draws.posterior import Posterior
from formulajoint.wording import listed

STATISTICS = ("k_hat", "disagreement", "modes", "log_evidence", "log_evidence_error")
"""Statistics of a sampler that are one number."""


# --- the design


def check_design(design: Design) -> None:
    """Raise a StoreError unless shapes, codes, counts and names of a design belong together."""
    for what, holds in _facts(design):
        if not holds:
            raise StoreError(f"its design is damaged: {what}.")


def _facts(design: Design) -> Iterator[tuple[str, bool]]:
    """Yield what must hold of a design, each with whether it does."""
    rows, n = design.rows, design.rows.used
    counts = (*rows.missing.values(), rows.weightless)
    yield (
        f"{n} rows used of {rows.total}",
        0 < n <= rows.total and all(0 <= count <= rows.total for count in counts),
    )
    yield f"values of `{design.response.name}`", _numbers(design.response.values, n)
    yield "trials", _optional(design.response.trials, n, positive=True)
    yield "row weights", _optional(design.row_weights, n, positive=True)
    yield "standard errors", _optional(design.standard_errors, n, positive=True)
    for name, values in design.weight_columns.items():
        yield f"column `{name}`", _numbers(values, n)
    names = [predictor.parameter for predictor in design.predictors]
    yield "its parameters", len(set(names)) == len(names)
    for predictor in design.predictors:
        yield f"offset of `{predictor.parameter}`", _optional(predictor.offset, n)
        if predictor.grouping is not None:
            yield f"groups `{predictor.grouping.name}`", _are_groups(predictor.grouping, n)
        for block in predictor.varying:
            yield "its group terms", block.grouping is not None and _are_groups(block.grouping, n)
            yield (
                "what varies in its group terms",
                {name for h in block.pooling for name in h.terms} == {term.name for term in block.terms},
            )
        for block in (*predictor.blocks, *predictor.varying):
            for term in block.terms:
                yield f"term `{term.name}`", _is_term(term, n)
            for hierarchy in block.pooling:
                yield f"hierarchy of `{predictor.parameter}`", _is_hierarchy(hierarchy)
    if design.kept is not None:
        yield "its rows", design.kept.places.shape == (n,)
        for name, column in design.kept.columns.items():
            yield f"column `{name}`", column.values.shape == (n,)
    for learnt in design.within:
        yield f"`{learnt.text}`", _are_moments(learnt)


def _numbers(values: FloatArray, *shape: int) -> bool:
    return values.shape == shape and bool(np.isfinite(values).all())


def _optional(values: FloatArray | None, n: int, positive: bool = False) -> bool:
    return values is None or (_numbers(values, n) and not (positive and (values <= 0).any()))


def _are_groups(grouping: Grouping, n: int) -> bool:
    count, codes = len(grouping.labels), grouping.codes
    return (
        len(set(grouping.labels)) == count > 0
        and codes.shape == (n,)
        and np.array_equal(np.unique(codes), np.arange(count))
        and _is_order(grouping.order, count)
        and (grouping.recipe is None or grouping.recipe.labels == grouping.labels)
    )


def _is_order(order: tuple[int, ...], count: int) -> bool:
    return not order or sorted(order) == list(range(count))


def _is_term(term: Term, n: int) -> bool:
    count = len(term.columns.T)
    parts = (*term.part_means, *(part for piece in term.joined for part in piece))
    return (
        _numbers(term.columns, n, count)
        and _numbers(term.means, count)
        and _numbers(term.scales, count)
        and all(map(_is_factor, term.factors))
        and all(map(_is_part, parts))
        and (term.recipe is None or _width(term.recipe) * max(1, term.classes) == count)
    )


def _width(recipe: Crossed) -> int:
    """Return the number of columns that the recipe of a term makes; -1 if codings and levels do not fit."""
    total = 0
    for piece in recipe.pieces:
        each = [
            part.curve.width if isinstance(part, Basis) else _coded(part.matrix, len(part.levels))
            for part in piece
        ]
        if min(each, default=1) < 0:
            return -1
        total += prod(each)
    return total


def _coded(matrix: FloatArray, levels: int) -> int:
    return matrix.shape[1] if matrix.ndim == 2 and _numbers(matrix, levels, matrix.shape[1]) else -1


def _is_factor(factor: Factor) -> bool:
    count, levels = len(factor.labels), len(factor.levels)
    return (
        len(set(factor.labels)) == count > 0
        and len(set(factor.levels)) == levels
        and _is_order(factor.order, levels)
        and (factor.coding is None or _numbers(factor.coding, levels, count))
    )


def _is_part(part: PartMeans) -> bool:
    return (
        part.coding.ndim == 2
        and _numbers(part.coding, *part.coding.shape)
        and _numbers(part.shares, len(part.coding))
        and len(part.levels) in (0, len(part.coding))
    )


def _is_hierarchy(hierarchy: Hierarchy) -> bool:
    return hierarchy.dist in HIERARCHIES and hierarchy.df > 0 and hierarchy.scale in ("none", "sigma")


def _are_moments(learnt: GroupMoments) -> bool:
    count = len(learnt.labels)
    return _numbers(learnt.means, count) and _optional(learnt.sds, count, positive=True)


# --- the draws


def check_draws(posterior: Posterior) -> None:
    """Raise a StoreError unless the draws are those of the plan's variables."""
    _check_variables(posterior.plan, posterior.named)
    _check_statistics(posterior.named)


def _check_variables(plan: Plan, named: NamedDraws) -> None:
    dims = variable_dims(plan) | node_dims(plan)
    fixed = {c.name for c in plan.mean.coefficients if c.prior is not None and c.prior.constant is not None}
    nodes = {contrast.name for contrast in plan.contrasts}
    free = {c.name for c in plan.contrasts if _may_be_infinite(c)}
    for name in sorted((nodes | {c.name for c in plan.mean.coefficients} - fixed) - named.left_out):
        if name not in named.variables:
            raise StoreError(f"its draws of `{name}` are missing.")
    shape = named.shape
    for name, (own, values) in named.variables.items():
        labels = tuple(len(named.coords[dim]) for dim in own)
        if 0 in shape or values.shape != (*shape, *labels) or own != dims.get(name, own):
            raise StoreError(f"its draws of `{name}` are of another shape.")
        if values.dtype.kind not in "fiub" or not (name in free or np.isfinite(values).all()):
            raise StoreError(f"its draws of `{name}` are not all numbers.")
    for dim, texts in named.coords.items():
        known = plan.coords.get(dim)
        if known is not None and tuple(map(str, texts)) != tuple(known):
            raise StoreError(f"its draws have other labels of `{dim}` than its design.")
    for part in plan.further:
        if isinstance(part, LinearPlan) or part.name not in named.variables.keys() - named.left_out:
            continue
        values, bounds = named.values(part.name), part.link
        if not ((bounds.low < values) & (values < bounds.high)).all():
            raise StoreError(f"its draws of `{part.name}` are out of bounds.")


def _may_be_infinite(contrast: ContrastPlan) -> bool:
    """Return whether a contrast may be no number in some draws: a quotient, an extension's, a mean."""
    own = isinstance(contrast, AveragePlan) and not contrast.function.plain
    return own or isinstance(contrast, ArithmeticPlan) or bool(contrast.response)


def _check_statistics(named: NamedDraws) -> None:
    wrong = [name for name in STATISTICS if name in named.statistics and not _is_number(named, name)]
    for name, shape in (("diverging", named.shape), ("importance_ess", named.shape[:1])):
        if name in named.statistics:
            values = np.asarray(named.statistics[name][1])
            if values.shape != shape or values.dtype.kind not in "biuf" or not (values >= 0).all():
                wrong.append(name)
    if wrong:
        raise StoreError(f"its statistics of the sampler are damaged: {listed(wrong)}.")


def _is_number(named: NamedDraws, name: str) -> bool:
    value = np.asarray(named.statistics[name][1])
    if value.shape != () or value.dtype.kind not in "biuf" or np.isnan(value):
        return False
    return bool(value >= 0) or name in ("k_hat", "log_evidence")
