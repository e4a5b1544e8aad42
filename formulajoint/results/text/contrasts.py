"""Contrasts in words: ``weighted mean of treatment over school, divided by the residual sd``."""

from __future__ import annotations

from collections.abc import Iterator

from formulajoint.compiler.contrast_plans import ArithmeticPlan, AveragePlan, ContrastPlan, FamilyPlan
from formulajoint.compiler.over import plan_of
from formulajoint.compiler.plan import Plan
from formulajoint.results.text.comparisons import at_means, cells_in_words, order_of, place_of
from formulajoint.results.text.units import coefficient_in_words, mean_in_words
from formulajoint.results.text.within import MOST_GROUPS, unit_of
from formulajoint.wording import span


def contrast_lines(plan: Plan) -> list[str]:
    """Return one line per contrast: its description and its weights."""
    return [f"{c.name}: {what}" for c, what in contrast_meanings(plan)]


def contrast_meanings(plan: Plan) -> Iterator[tuple[ContrastPlan, str]]:
    """Yield each contrast with its description and its weights."""
    for c in plan.contrasts:
        yield c, describe_contrast(plan, c) + (f"; {_weights(plan, c)}" if c.weights else "")


def describe_contrast(plan: Plan, contrast: ContrastPlan) -> str:
    """Return one phrase such as ``weighted mean of treatment over school, divided by the residual sd``."""
    plan = plan_of(plan, contrast)
    match contrast:
        case AveragePlan():
            return _describe_average(plan, contrast)
        case FamilyPlan():
            entries = (
                "one entry" if len(contrast.matrix.labels) == 1 else f"{len(contrast.matrix.labels)} entries"
            )
            of = _compared(plan, contrast) if contrast.cells is None else cells_in_words(contrast)
            what = f"{contrast.family.meaning} of {of}, {entries}"
            if contrast.response:
                return what + order_of(contrast) + _on_response(plan, contrast)
            return what + order_of(contrast) + place_of(plan, contrast.coefficient.term) + unit_of(plan)
        case ArithmeticPlan():
            return contrast.text + _on_response(plan, contrast)


def _on_response(plan: Plan, contrast: ContrastPlan) -> str:
    """Return how effects on the response are made: ``, in P(case), 1 less 0, averaged over the rows``; or empty."""
    if not contrast.response:
        return ""
    found = list(contrast.response.values())
    said = dict.fromkeys(own.compared for own in found if own.compared)
    groups = dict.fromkeys(own.grouping.name for own in found if own.grouping is not None)
    of_groups = f" of each {' and '.join(groups)}" if groups else ""
    return ", ".join(["", f"in {mean_in_words(plan)}", *said, f"averaged over the rows{of_groups}"])


def _compared(plan: Plan, contrast: FamilyPlan) -> str:
    """Return ``treatment over school``, or for a factor's own levels ``arm between its levels in each school``."""
    words, term = coefficient_in_words(plan, contrast.coefficient), contrast.coefficient.term
    if contrast.over not in {factor.name for factor in term.factors}:
        return f"{words} over {contrast.over}"
    grouping = contrast.coefficient.grouping
    where = f" in each {grouping.name}" if grouping is not None else ""
    levels = "its levels" if len(term.parts) == 1 else f"levels of {contrast.over}"
    return f"{words} between {levels}{where}"


def _describe_average(plan: Plan, contrast: AveragePlan) -> str:
    grouping = plan.design.predictor.grouping
    sigma = plan.spread
    own = "each group's" if sigma is not None and sigma.grouping is not None else "the"
    scale = {
        "none": "",
        "sigma": f", divided by {own} {plan.family.residual}",
        "sd": f", divided by each group's sd of {plan.response_name}",
        "number": "" if contrast.divisors is None else f", divided by {contrast.divisors[0]:g}",
        "response": _on_response(plan, contrast),
    }[contrast.scale]
    over = grouping.name if grouping is not None else ""
    what = f"{contrast.function.meaning} of {coefficient_in_words(plan, contrast.coefficient)} over {over}{scale}"
    unit = unit_of(plan) if contrast.scale == "none" else ""
    if contrast.response:
        return what
    place = place_of(plan, contrast.coefficient.term) if contrast.at is None else at_means(contrast.at)
    return what + place + unit


def _weights(plan: Plan, contrast: ContrastPlan) -> str:
    grouping = plan_of(plan, contrast).design.predictor.grouping
    if contrast.weights is None:
        return ""
    values, scheme = contrast.weights.values, contrast.weights.scheme
    if contrast.weights.products:
        return f"weights {scheme}, by the sigmas of each group's rows draw by draw"
    if contrast.weights.over_sigma:
        return f"weights {scheme}, divided by each group's sigma^2 draw by draw"
    labels = grouping.labels if grouping is not None else ()
    if isinstance(contrast, FamilyPlan) and contrast.of_levels:
        labels = contrast.levels
    if values.ndim > 1 or len(labels) > MOST_GROUPS:
        return f"weights {scheme}: {span(values)} each"
    named = ", ".join(f"{label} {w:.3g}" for label, w in zip(labels, values, strict=True))
    if contrast.weights_name is not None:
        return f"weights {scheme}, uncertain, on average {named}"
    return f"weights {scheme}: {named}"
