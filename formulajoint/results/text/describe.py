"""``explain()``: the model as text and as data, before anything is sampled.

It needs only a plan, no PyMC, ArviZ or pandas, so that it is immediate.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from formulajoint.compiler.coefficients import Coefficient, Pool
from formulajoint.compiler.evaluate.linear_predictor import members
from formulajoint.compiler.plan import LinearPlan, ParameterPlan, Plan, ScalePlan
from formulajoint.design.pooling import Hierarchy
from formulajoint.design.schema import Term
from formulajoint.distributions.links import IDENTITY
from formulajoint.families.choice import is_default
from formulajoint.families.likelihood import TRIALS
from formulajoint.language.syntax.text import canonical
from formulajoint.results.text.contrasts import contrast_lines, describe_contrast
from formulajoint.results.text.lines import INDENT, note_lines, page_width, table_lines, wrapped
from formulajoint.results.text.rows import data_lines, known_sds
from formulajoint.results.text.units import modelled_in_words, plain, scale_in_words
from formulajoint.results.text.within import within_lines, within_records
from formulajoint.spec.counts import counts_of
from formulajoint.spec.spec import MAIN
from formulajoint.wording import visible

MOST_CELLS = 8
"""Most levels that are named; of more, their number is given."""

EQUATION = " " * len("model: ")
"""Before the second equation of a model."""

HIERARCHIES = {"normal": "normal", "student": "Student t", "cauchy": "Cauchy"}


def explain(plan: Plan) -> str:
    """Return the model as text: data, equation, every coefficient with its prior, contrasts, notes."""
    sections = [
        formula_lines(plan),
        wrapped(data_lines(plan))
        + wrapped(equation_lines(plan), EQUATION + INDENT)
        + wrapped(within_lines(plan.design)),
        table_lines(("coefficient", "what it is", "prior"), coefficient_rows(plan)),
        wrapped(contrast_lines(plan)),
        wrapped(test_lines(plan)),
        note_lines(plan.notes),
    ]
    return "\n\n".join("\n".join(lines) for lines in sections if lines)


def model_record(plan: Plan) -> dict[str, Any]:
    """Return the content of ``explain()`` as data."""
    grouping = plan.design.predictor.grouping
    rows = plan.design.rows
    return {
        "formula": str(plan.design.formula),
        "family": plan.family.name,
        **_scale_record(plan),
        "rows": {
            "total": rows.total,
            "used": rows.read,
            "missing": dict(rows.missing),
            "weightless": rows.weightless,
        },
        "standard_errors": known_sds(plan) or None,
        "groups": None if grouping is None else {"name": grouping.name, "labels": list(grouping.labels)},
        "within_groups": within_records(plan.design),
        "unit": plan.design.spec.unit or None,
        "coefficients": [
            {"name": name, "description": what, "prior": prior}
            for name, what, prior in coefficient_rows(plan)
        ],
        "contrasts": [
            {"name": c.name, "clause": c.text, "description": describe_contrast(plan, c)}
            for c in plan.contrasts
        ],
        "hypotheses": [{"name": h.label, "hypothesis": h.text} for h in plan.tests],
        "notes": list(plan.notes),
    }


def _scale_record(plan: Plan) -> dict[str, str]:
    """Return what the mean is and the unit of coefficients, where they are on another scale than the response."""
    if plan.mean.link is IDENTITY:
        return {}
    return {
        "mean": plan.family.mean.meaning,
        "modelled": modelled_in_words(plan),
        "scale": scale_in_words(plan),
    }


def formula_lines(plan: Plan) -> list[str]:
    """Return the canonical text on one line or, if that is long, with a line for each clause.

    A family that was given beside the formula is written as its clause.
    """
    formula, asked = plan.design.formula, plan.design.spec.family
    given = [] if asked is not None or is_default(plan.family) else [f"family({plan.family.name})"]
    text = visible(", ".join([str(formula), *given]))
    if len(text) <= page_width():
        return [text]
    clauses = [*map(canonical, formula.clauses), *given]
    head = str(replace(formula, clauses=()))
    return visible(",\n".join([head, *(f"    {clause}" for clause in clauses)])).split("\n")


def trials_text(plan: Plan) -> str:
    """Return the number of trials as formulas write it, or an empty text."""
    counts = counts_of(plan.design.spec.response)
    return "" if counts is None else canonical(counts.trials)


@dataclass(frozen=True, slots=True)
class Equation:
    """Two expressions with ``=`` or ``~`` between them."""

    left: str
    sign: str
    right: str

    def __str__(self) -> str:
        return f"{self.left} {self.sign} {self.right}"


def equation_lines(plan: Plan) -> list[str]:
    """Return the model's equations, a line each."""
    first, *others = map(str, equations(plan))
    return [f"model: {first}", *(f"{EQUATION}{line}" for line in others)]


def equations(plan: Plan) -> list[Equation]:
    """Return the likelihood and the linear predictors as equations in the data's own names."""
    names = {plan.family.spread: known_sds(plan), TRIALS: trials_text(plan)}
    names |= {p.parameter: _symbol(p) for p in plan.parameters}
    law = plan.family.distribution
    right = f"{law.name}({', '.join(names[name] for name in law.args)})"
    linear = [part for part in plan.parameters if isinstance(part, LinearPlan)]
    modelled = plan.family.mean.symbol.format(of=modelled_in_words(plan))
    return [
        Equation(plan.response_name, "~", right),
        *([Equation(plan.family.mean.name, "=", modelled)] if modelled else []),
        *_of_thresholds(plan),
        *(Equation(part.link.of(part.parameter), "=", _sum(part)) for part in linear),
    ]


def _of_thresholds(plan: Plan) -> Iterator[Equation]:
    """Yield what thresholds are, ``logit(P(rating <= cut)) = threshold[cut] - mu``, or predictors of categories."""
    if plan.family.mean.by_level:
        dim = next(c.dims[-1] for _, c in members(plan.mean))
        name, first = plan.response_name, plan.design.response.levels[0]
        yield Equation(f"log(P({name} = {dim}) / P({name} = {first}))", "=", f"{plan.mean.parameter}[{dim}]")
    own = plan.family.thresholds
    part = None if own is None else plan.scale(own.name)
    if part is not None:
        left = f"{plan.mean.link.name}(P({plan.response_name} <= {part.dims[-1]}))"
        yield Equation(left, "=", f"{_symbol(part)} - {plan.mean.parameter}")


def _symbol(part: ParameterPlan) -> str:
    """Return a parameter's symbol in the likelihood: ``mu``, ``sigma[school]``."""
    return part.parameter if isinstance(part, LinearPlan) else _indexed(part.name, part.dims)


def _indexed(name: str, dims: Sequence[str]) -> str:
    return f"{name}[{', '.join(dims)}]" if dims else name


def _sum(part: LinearPlan) -> str:
    terms = [] if part.predictor.offset is None else ["offset"]
    for c in part.coefficients:
        column = "" if c.term.name == "Intercept" else f" * {c.term.name}"
        terms.append(_indexed(coefficient_symbol(c), c.dims) + column)
    for varying in (term for pool in part.varying for term in pool.terms):
        own = varying.coefficient
        column = "" if own.term.name == "Intercept" else f" * {':'.join(own.term.parts)}"
        terms.append(_indexed(varying.deviation_name, own.dims) + column)
    return " + ".join(terms) if terms else "0"


def coefficient_symbol(coefficient: Coefficient) -> str:
    """Return a coefficient's name in equations: ``b_pretest``, where its own is that of the column beside it."""
    term = coefficient.term
    is_column = bool(term.parts) and coefficient.name == plain(term.name)
    return f"b_{term.name}" if is_column else coefficient.name


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable with a prior: its name, what it is, and its law, or that of a function `of` it."""

    name: str
    what: str
    law: str
    of: str = ""

    @property
    def prior(self) -> str:
        """The law as explained: ``normal(0, 5)``, or ``log(sigma) ~ normal(0, 1)``."""
        return f"{self.of} ~ {self.law}" if self.of else self.law


def coefficient_rows(plan: Plan) -> list[tuple[str, str, str]]:
    """Return name, description and prior of every variable of the model that has one."""
    return [(each.name, each.what, each.prior) for each in variables(plan)]


def priors(plan: Plan) -> list[Equation]:
    """Return the priors as equations."""
    symbols = {
        c.name: coefficient_symbol(c)
        for part in plan.parameters
        if isinstance(part, LinearPlan)
        for c in part.coefficients
    }
    return [
        Equation(each.of.replace(each.name, symbol) if each.of else symbol, "~", each.law)
        for each in variables(plan)
        if each.law
        for symbol in [symbols.get(each.name, each.name)]
    ]


def variables(plan: Plan) -> Iterator[Variable]:
    """Yield every variable of the model."""
    for part in plan.parameters:
        if isinstance(part, LinearPlan):
            yield from _linear_variables(part, "" if plan.spread is None else plan.spread.name)
        else:
            yield from _scale_variables(part, plan.family.further[part.parameter].meaning)
    yield from (Variable(s.name, f"uncertain shares of {s.dims[0]}", s.prior) for s in plan.shares)


def _linear_variables(part: LinearPlan, sigma: str) -> Iterator[Variable]:
    """Yield the variables of a linear predictor; `sigma` is the name of the residual sd."""
    pooled = {term.coefficient.name: pool for pool in part.pools for term in pool.terms}
    for coefficient in part.coefficients:
        pool = pooled.get(coefficient.name)
        what = describe_coefficient(part, coefficient, pool)
        of = f"{coefficient.name} / {sigma}" if pool is not None and pool.request.in_sds else ""
        yield Variable(coefficient.name, what, _prior_text(coefficient, pool), of)
    for pool in part.pools:
        mean, sd = ("location", "scale") if pool.request.heavy else ("mean", "sd")
        for term in pool.terms:
            unit = ", in residual sds" if pool.request.in_sds else ""
            of = f"of {term.coefficient.name} over {pool.grouping.name}{unit}"
            yield Variable(term.mean_name, f"{mean} {of}", str(term.mean))
            yield Variable(term.sd_name, f"{sd} {of}", str(term.sd))
        yield from _correlations(pool)
    for pool in part.varying:
        yield from _group_term(part, pool)


def _group_term(part: LinearPlan, pool: Pool) -> Iterator[Variable]:
    """Yield the variables of a group term: what each group deviates by, and how far groups deviate."""
    scale, over = "scale" if pool.request.heavy else "sd", pool.grouping.name
    for term in pool.terms:
        own = term.coefficient
        from_what = "the shared one" if term.mean_name else "zero"
        intercept = own.term.name == "Intercept"
        kind = "intercept" if intercept else "slope" if not own.term.factors else "coefficients"
        whose = f"each {over}'s {kind}{'' if intercept else f' of {own.stem}'}"
        what = f"deviation of {whose} from {from_what}"
        yield Variable(
            term.deviation_name,
            f"{what}{_form(pool.request, term.centered)}",
            _law(pool.request, "0", term.sd_name),
        )
    for term in pool.terms:
        of = f"of {term.coefficient.stem} over {over}"
        yield Variable(term.sd_name, f"{scale} {of}", str(term.sd))
    yield from _correlations(pool)


def _correlations(pool: Pool) -> Iterator[Variable]:
    if pool.correlation is not None:
        over = " and ".join(term.coefficient.stem or term.coefficient.name for term in pool.terms)
        what = f"correlations of {over} over {pool.grouping.name}"
        yield Variable(pool.correlation.name, what, f"lkj({pool.correlation.eta:g})")


def describe_coefficient(part: LinearPlan, coefficient: Coefficient, pool: Pool | None) -> str:
    """Return one phrase such as ``one slope per school, not pooled``."""
    link = "" if part.parameter == MAIN else f" of {part.link.of(part.parameter)}"
    if coefficient.grouping is None:
        shared = ", shared by all groups" if part.predictor.grouping is not None else ""
        return f"{_kind(coefficient.term)}{link}{shared}"
    state = "not pooled"
    if pool is not None:
        term = next(t for t in pool.terms if t.coefficient is coefficient)
        state = _pooling(pool.request, term.centered)
    return f"{_kind(coefficient.term)}{link} per {coefficient.grouping.name}, {state}"


def _kind(term: Term) -> str:
    """Return ``one slope``, or for a factor ``2 coefficients (low - app, high - app)``."""
    if not term.factors:
        return "one intercept" if term.name == "Intercept" else "one slope"
    cells = [", ".join(cell) for cell in product(*(factor.comparisons for factor in term.factors))]
    count = "one coefficient" if len(cells) == 1 else f"{len(cells)} coefficients"
    return (
        f"{count} ({'; '.join(cells) if len(term.factors) > 1 else ', '.join(cells)})"
        if len(cells) <= MOST_CELLS
        else count
    )


def _pooling(request: Hierarchy, centered: bool) -> str:
    unit = "in residual sds " if request.in_sds else ""
    return f"pooled {unit}by a {HIERARCHIES[request.dist]} hierarchy{_form(request, centered)}"


def _form(request: Hierarchy, centered: bool) -> str:
    """Return the form of a hierarchy in the PyMC model, after a comma."""
    auto = " (auto)" if request.centered is None else ""
    return f", {'centred' if centered else 'not centred'}{auto}"


def _prior_text(coefficient: Coefficient, pool: Pool | None) -> str:
    if coefficient.prior is not None:
        return str(coefficient.prior)
    if pool is None:
        return ""
    term = next(t for t in pool.terms if t.coefficient is coefficient)
    return _law(pool.request, term.mean_name, term.sd_name)


def _law(request: Hierarchy, location: str, scale: str) -> str:
    """Return the distribution of a hierarchy as a prior is written."""
    standard = request.standard
    shape = [f"{number:g}" for number in standard.numbers[:-2]]
    return f"{standard.distribution.name}({', '.join([*shape, location, scale])})"


def _scale_variables(part: ScalePlan, what: str) -> Iterator[Variable]:
    if part.between:
        whose = (
            "the same in all rows" if part.grouping is None else f"for each {part.grouping.name}, not pooled"
        )
        yield Variable(part.name, f"{what}, {whose}, in increasing order", part.prior.of(part.name))
        return
    if part.grouping is None:
        yield Variable(part.name, f"{what}, one for all rows", part.prior.of(part.name))
        return
    over = part.grouping.name
    if (pool := part.pool) is None:
        yield Variable(part.name, f"{what}, one per {over}, not pooled", part.prior.of(part.name))
        return
    law = _law(pool.request, part.link.of(pool.mean_name), pool.sd_name)
    what_of_each = f"{what}, one per {over}, {_pooling(pool.request, pool.centered)}"
    yield Variable(part.name, what_of_each, law, part.link.of(part.name))
    yield Variable(pool.mean_name, f"the middle {part.parameter} over {over}", part.prior.of(pool.mean_name))
    spread = "scale" if pool.request.heavy else "sd"
    yield Variable(pool.sd_name, f"{spread} of {part.link.of(part.name)} over {over}", str(pool.sd))


def test_lines(plan: Plan) -> list[str]:
    """Return one line per test of the formula: ``same: whether treatment[A] == treatment[B]``."""
    return [
        f"{h.name or 'test'}: whether {h.text}{f' over {h.factor}' if h.over else ''}" for h in plan.tests
    ]
