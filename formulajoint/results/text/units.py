"""Terms, contrasts and units as a person would write them: ``points of score per sd of pre``."""

from __future__ import annotations

import numpy as np

from formulajoint.compiler.coefficients import Coefficient
from formulajoint.compiler.contrast_plans import ArithmeticPlan, AveragePlan, ContrastPlan
from formulajoint.compiler.plan import Plan
from formulajoint.design.schema import Term
from formulajoint.distributions.links import IDENTITY
from formulajoint.language.syntax.nodes import Call, Expr
from formulajoint.results.draws.posterior import Effect
from formulajoint.results.text.comparisons import at_means, is_of, place_of
from formulajoint.spec.words import factors_written, in_words, unit_in_words


def term_in_words(plan: Plan, term: Term) -> str:
    """Return a term in words: ``pre (standardised)``, ``treated:sex``."""
    written = _written(plan)
    return (
        ":".join(in_words(written[part]) if part in written else plain(part) for part in term.parts)
        or term.name
    )


def plain(part: str) -> str:
    """Return a column's name without backticks."""
    return part.replace("`", "")


def response_in_words(plan: Plan) -> str:
    """Return the response in words."""
    return in_words(plan.design.spec.response)


def modelled_in_words(plan: Plan) -> str:
    """Return what the mean is the mean of: the response or, where events are modelled, the event ``status = case``."""
    words, levels = response_in_words(plan), plan.design.response.levels if plan.family.events else ()
    if plan.family.mean.by_level:
        return f"{words} against {plan.design.response.levels[0]}"
    stated = isinstance(plan.design.spec.response, Call)  # I(status == "case")
    return f"{words} = {levels[-1]}" if levels and not stated else words


def scale_in_words(plan: Plan) -> str:
    """Return the unit of the linear predictor: ``points of score``, ``log odds of status = case``."""
    of = f"{modelled_in_words(plan)} {plan.family.part}".strip()
    return plan.mean.link.words.format(mean=plan.family.mean.meaning, of=of)


def mean_in_words(plan: Plan) -> str:
    """Return what effects on the response are in: ``P(status = case)``, ``expected count of seizures``."""
    if plan.design.spec.unit:
        return plan.design.spec.unit
    family, response = plan.family, response_in_words(plan)
    if family.mean.symbol and family.expected is None:
        return family.mean.symbol.format(of=modelled_in_words(plan))
    counts = family.distribution.whole and not family.trials
    return f"{'expected count' if counts else 'mean'} of {response}"


def coefficient_in_words(plan: Plan, coefficient: Coefficient) -> str:
    """Return a coefficient's name; in words where it would be that of a call."""
    words = term_in_words(plan, coefficient.term)
    return coefficient.stem or coefficient.name if words == plain(coefficient.term.name) else words


def effect_label(plan: Plan, effect: Effect) -> str:
    """Return the label of a contrast's row: ``joint_arm[control - app]``, ``joint effect of pre (standardised)``."""
    contrast = _contrast(plan, effect)
    if contrast is None:
        return effect.label
    words = contrast_in_words(plan, contrast)
    return (
        effect.label
        if words == effect.variable
        else ", ".join(part for part in (words, effect.place) if part)
    )


def parameter_label(plan: Plan, effect: Effect) -> str:
    """Return the label of a coefficient's row: ``treated[A]``, or with its unit ``treated_mean, in residual sds``."""
    in_sds = (term for pool in plan.mean.pools if pool.request.in_sds for term in pool.terms)
    names = {name for term in in_sds for name in (term.mean_name, term.sd_name)}
    return f"{effect.label}, in {plan.family.residual}s" if effect.variable in names else effect.label


def effect_with_unit(plan: Plan, effect: Effect) -> str:
    """Return a contrast's label with place and unit: ``joint_treated, where sex is f, in points of score``."""
    contrast, label = _contrast(plan, effect), effect_label(plan, effect)
    if contrast is None or isinstance(contrast, ArithmeticPlan):
        return label
    average = contrast if isinstance(contrast, AveragePlan) else None
    if contrast.response:
        signed = average is None or average.function.signed
        return f"{label}{': difference' if signed else ','} in {mean_in_words(plan)}"
    place = place_in_words(plan, contrast.coefficient, average)
    return f"{label}{place}, in {unit_of(plan, contrast.coefficient, average)}"


def _contrast(plan: Plan, effect: Effect) -> ContrastPlan | None:
    return next((contrast for contrast in plan.contrasts if contrast.name == effect.variable), None)


def contrast_in_words(plan: Plan, contrast: ContrastPlan) -> str:
    """Return a contrast's name; in words, ``joint effect of pre (standardised)``, where it would be that of a call."""
    if isinstance(contrast, ArithmeticPlan):
        return contrast.name
    function = contrast.function if isinstance(contrast, AveragePlan) else contrast.family
    coefficient, term = contrast.coefficient, contrast.coefficient.term
    words = term_in_words(plan, term)
    if (
        words == plain(term.name)
        or contrast.name != f"{function.name}_{coefficient.stem or coefficient.name}"
    ):
        return contrast.name
    return f"{'joint effect' if function.name == 'joint' else function.name} of {words}"


def effect_in_words(plan: Plan, coefficient: Coefficient, average: AveragePlan | None = None) -> str:
    """Return what a coefficient is, with its unit: ``effect of treated, where sex is f, in points of score``."""
    term, unit = coefficient.term, unit_of(plan, coefficient, average)
    if average is not None and average.response:
        return f"effect of {term_in_words(plan, term)}: difference in {unit}"
    if not term.parts and plan.mean.link is not IDENTITY:
        return unit
    if not term.parts:
        return f"{response_in_words(plan)}{f', in {unit}' if average is not None else ''}"
    place = place_in_words(plan, coefficient, average)
    return f"effect of {term_in_words(plan, term)}{f'{place},' if place else ''} in {unit}"


def place_in_words(plan: Plan, coefficient: Coefficient, average: AveragePlan | None = None) -> str:
    """Return where a coefficient, or the effects that `average` is of, are: ``, where sex is f``; or empty."""
    if average is not None and average.response:
        return ", averaged over the rows"
    if average is not None and average.at is not None:
        return at_means(average.at)
    return place_of(plan, coefficient.term)


def unit_of(plan: Plan, coefficient: Coefficient, average: AveragePlan | None = None) -> str:
    """Return the unit of a coefficient in words; divided by the scale of `average`, if that is given."""
    if average is not None and average.response:
        (effects,) = average.response.values()
        return f"{mean_in_words(plan)}{f' per unit of {plain(effects.column)}' if effects.steps else ''}"
    per = _per(plan, coefficient.term)
    return f"{_of_response(plan, average)}{f' per {per}' if per else ''}"


def _of_response(plan: Plan, average: AveragePlan | None) -> str:
    response, grouping = response_in_words(plan), plan.design.predictor.grouping
    points = plan.design.spec.unit or scale_in_words(plan)
    if average is None or average.scale == "none":
        return points
    if average.scale == "sigma":
        return f"{plan.family.residual}s of {response}"
    if average.divisors is None or average.scale == "number":
        size = 1.0 if average.divisors is None else float(average.divisors[0])
        return f"times {size:g} {points}"
    return f"sds of {response} within each {grouping.name if grouping is not None else 'group'}"


def _per(plan: Plan, term: Term) -> str:
    """Return the unit of a term's numeric columns; empty for those of two values one apart, and for levels."""
    numeric = [part for part in term.parts if not any(is_of(part, factor.name) for factor in term.factors)]
    if not numeric or _is_switch(term):
        return ""
    written = _written(plan)
    return " and ".join(unit_in_words(written[p]) if p in written else f"unit of {plain(p)}" for p in numeric)


def _is_switch(term: Term) -> bool:
    """Return whether each column has two values, one apart: the coefficient is a difference of two groups of rows."""
    low, high = term.columns.min(axis=0), term.columns.max(axis=0)
    return bool(np.all(high - low == 1) and np.all((term.columns == low) | (term.columns == high)))


def _written(plan: Plan) -> dict[str, Expr]:
    return factors_written(plan.design.spec.parameters[0].predictors)
