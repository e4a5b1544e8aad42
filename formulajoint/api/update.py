"""A model of further rows: the same formula, with the priors of the first fit as numbers."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import prod

import numpy as np

from formulajoint.aggregates.from_rows import of_kept
from formulajoint.aggregates.make import design_of, moments_of
from formulajoint.aggregates.moments import Moments
from formulajoint.api.model import JointModel
from formulajoint.compiler.plan import Plan
from formulajoint.compiler.planning.plan import given_priors, make_plan
from formulajoint.compiler.planning.prior_slots import Slot
from formulajoint.distributions.prior import DEFAULT, Prior
from formulajoint.errors import DataError, warn
from formulajoint.language.formula import Formula
from formulajoint.spec.read import parse


def updated(model: JointModel, new: object) -> JointModel:
    """Return the model of a model's data and new ones, rows or moments, with the model's priors as numbers."""
    plan, language = model.plan, model.design.language
    family = None if model.design.spec.family is not None else plan.family.name
    first = _moments(model, family)
    second = new if isinstance(new, Moments) else moments_of(model.formula, new, language, family, first)
    if second == first:
        warn(
            "The new rows have the same sums as the rows of the fit. If they are the same rows, they count twice: give "
            "only rows that the fit has not seen."
        )
    both, formula = first + second, with_priors(plan, family)
    design = design_of(formula, both, language, family)
    return JointModel(make_plan(design, "flat" if plan.flat else None, family), both)


def _moments(model: JointModel, family: str | None) -> Moments:
    """Return the moments of a model's data; in a fit from a file, of the rows that the file holds."""
    if isinstance(model.data, Moments):
        return model.data
    if model.data is not None:
        return moments_of(model.formula, model.data, model.design.language, family)
    found = of_kept(model.design, family)
    if found is None:
        raise DataError(
            "This fit comes from a file and was made of sums, which the file does not hold, so it cannot be updated. "
            "Save the moments beside the fit, `fj.moments(formula, data).save(path)`, or `fit.model.data.save(path)` "
            "of an updated fit. Then load them, add those of the new rows, and fit the sum."
        )
    return found


def with_priors(plan: Plan, family: str | None = None) -> Formula:
    """Return the formula of a plan with each default prior written as numbers."""
    found = given_priors(plan, family)
    clauses = [
        text for slot, prior in found.items() if prior.origin == DEFAULT for text in _clauses(slot, prior)
    ]
    formula = plan.design.formula
    return parse(f"{formula}, {', '.join(clauses)}", plan.design.language) if clauses else formula


def _clauses(slot: Slot, prior: Prior) -> Iterator[str]:
    """Yield the clauses that state a prior: one, or one for each cell where cells differ."""
    over = f", over={slot.over}" if slot.over else ""
    if prior.constant is not None or not prior.proper:
        return
    if not any(isinstance(value, np.ndarray) for value in prior.numbers):
        yield f"prior({slot.spelling} ~ {_law(prior)}{over})"
        return
    for cell, labels in zip(range(prod(slot.shape)), product(*slot.dims.values()), strict=True):
        at = ", ".join(f'"{label}"' for label in labels)
        yield f"prior({slot.base}[{at}]{slot.part} ~ {_law(prior.at(cell, slot.shape))}{over})"


def _law(prior: Prior) -> str:
    numbers = [repr(float(value)) for value in prior.numbers]
    return f"{prior.distribution.name}({', '.join([*numbers, *(['scale=sigma'] if prior.in_sds else [])])})"
