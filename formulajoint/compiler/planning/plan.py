"""Entry point of planning: the variables of a design's model, their names and their priors."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from formulajoint.compiler import names
from formulajoint.compiler.coefficients import Coefficient
from formulajoint.compiler.names import Names
from formulajoint.compiler.over import by_bar, plan_over
from formulajoint.compiler.plan import LinearPlan, Plan, ScalePlan, ScalePool
from formulajoint.compiler.planning import centring, defaults
from formulajoint.compiler.planning.bounded import refuse_unbounded
from formulajoint.compiler.planning.contrasts.clauses import plan_contrasts
from formulajoint.compiler.planning.contrasts.scale import check_units
from formulajoint.compiler.planning.notes import notes_of
from formulajoint.compiler.planning.pooling import Pooling
from formulajoint.compiler.planning.prior_clauses import read_overrides
from formulajoint.compiler.planning.prior_slots import MEAN, SD, VALUE, Slot, is_direct, slots
from formulajoint.compiler.planning.priors import Priors
from formulajoint.compiler.planning.propriety import check_response, refuse_improper
from formulajoint.compiler.planning.response_units import Units
from formulajoint.data.data import Data
from formulajoint.data.layout import Layout, Role, layout_of
from formulajoint.data.residual_cells import residual_cells
from formulajoint.design.pooling import Hierarchy
from formulajoint.design.schema import Design, Grouping, Predictor, Term
from formulajoint.design.varying import factors, over
from formulajoint.distributions.links import Link
from formulajoint.distributions.prior import Prior, prior
from formulajoint.errors import FormulaError
from formulajoint.families.choice import family_of, with_known_sds
from formulajoint.families.likelihood import Likelihood
from formulajoint.language.syntax.text import canonical
from formulajoint.spec.spec import MAIN
from formulajoint.wording import did_you_mean, listed

if TYPE_CHECKING:
    from formulajoint.contrasts.hypotheses import Hypothesis


def make_plan(design: Design, priors: str | None = None, family: str | None = None, prefix: str = "") -> Plan:
    """Return the plan of the model of `design`.

    Parameters
    ----------
    design : Design
    priors : {None, "flat"}
        None for the default priors, "flat" for the improper ones that reproduce the classical results.
    family : str, optional
        Family if the formula has no ``family(...)``.
    prefix : str, optional
        Put before the name of every variable and dim.

    Raises
    ------
    FormulaError
        If a clause does not fit the model.
    DataError
        If the posterior would be improper.
    """
    maker = _maker(design, priors, family, prefix)
    plan = maker.plan()
    check_units(plan)
    refuse_improper(by_bar(plan))
    refuse_unbounded(by_bar(plan))
    return plan


def given_priors(plan: Plan, family: str | None = None) -> dict[Slot, Prior]:
    """Return the prior of each variable of a plan that can have one in the formula."""
    maker = _maker(plan.design, "flat" if plan.flat else None, family, "")
    maker.plan()
    known = {slot: slot for slot in slots(plan.design, maker.family)}
    return {known[slot]: found for slot, found in maker.priors.given.items() if slot in known}


def _maker(design: Design, priors: str | None, family: str | None, prefix: str) -> _Maker:
    law = with_known_sds(family_of(design.spec, family, design.language), design.spec)
    check_response(design, law)
    _check_parameters(design, law)
    known_sd = law.spread if design.standard_errors is not None else ""
    overrides = read_overrides(design.spec.priors, slots(design, law), known_sd, Units(design, law))
    return _Maker(design, law, Priors(overrides, priors == "flat"), Names(prefix))


def _check_parameters(design: Design, family: Likelihood) -> None:
    for linear in design.spec.parameters[1:]:
        if linear.parameter == family.spread and design.standard_errors is not None:
            message = "`se(...)` gives the residual sds, so there is no sigma with predictors"
            hint = "leave out `sigma ~ ...`, or `se(...)`"
            raise FormulaError(message, linear.span, hint)
        if linear.parameter not in family.further:
            hint = did_you_mean(linear.parameter, family.further)
            raise FormulaError(
                f"the {family.name} family has no parameter `{linear.parameter}`",
                linear.span,
                hint
                or f"it has {listed(family.further) or 'none'}; the mean is the formula's own right-hand side",
            )


def _tests(design: Design) -> tuple[Hypothesis, ...]:
    """Return the hypotheses of the formula's ``test(...)`` clauses."""
    if not design.spec.tests:
        return ()
    from formulajoint.contrasts.hypotheses import asked  # loads SciPy, needed only for tests

    return asked(design)


def _check_tests(plan: Plan) -> None:
    """Raise a FormulaError if a test of effects on the response has no meaning."""
    asked = [pair for pair in zip(plan.design.spec.tests, plan.tests, strict=True) if pair[1].response]
    if asked:
        from formulajoint.compiler.planning.contrasts.response import check_test

        for test, said in asked:
            check_test(plan_over(plan, said.factor), said, test.scale)


@dataclass(slots=True)
class _Maker:
    """The state of planning; made and dropped by `make_plan`."""

    design: Design
    family: Likelihood
    priors: Priors
    names: Names
    scales: dict[str, defaults.Scales] = field(default_factory=dict)
    data: Data = field(init=False)
    data_over: dict[str, Data] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.data = self._data(self.design)
        for factor in factors(self.design):
            self.data_over[factor] = self._data(over(self.design, factor))

    def _data(self, design: Design) -> Data:
        return Data(design, design.predictor, self._layout(design.predictor), self._rows_of_sigma())

    def _rows_of_sigma(self) -> Grouping | None:
        """Return the rows with one residual sd each; None if all have the same one, or there are many."""
        predictor = self.design.parameter(self.family.spread)
        if predictor is None or is_direct(predictor) or not self.family.sums:
            return self._grouping("sigma")
        pooled = predictor.varying or predictor.hierarchies
        return None if pooled else residual_cells(predictor, self.design.rows.used)

    def plan(self) -> Plan:
        # The family's own parameters keep their names; a predictor with such a name gets another one.
        design = self.design
        response = self.names.variable(design.response.name)
        own = {name: self.names.variable(name) for name in self.family.further}
        direct = [self._scale(p, own[p]) for p in self.family.further if self._is_direct(p)]
        mean = self._linear(design.predictor, self.family.mean.link)
        linear = [
            self._linear(p, self.family.further[p.parameter].link)
            for p in design.parameters
            if not is_direct(p)
        ]
        parameters = {p.parameter: p for p in direct} | {p.predictor.parameter: p for p in linear}
        plan = Plan(
            design=design,
            data=self.data,
            family=self.family,
            response_name=response,
            obs_dim=self.names.rows_dim("obs"),
            mean=mean,
            further=tuple(parameters[name] for name in self.family.further),
            contrasts=(),
            shares=(),
            coords={},
            variables=frozenset(),
            auxiliary=frozenset(),
            flat=self.priors.flat,
            notes=(),
            tests=_tests(design),
            data_over=self.data_over,
        )
        _check_tests(plan)
        contrasts, shares = plan_contrasts(plan, design.spec.contrasts, self.names)
        given = self.names
        plan = replace(
            plan,
            contrasts=contrasts,
            shares=shares,
            coords=dict(given.coords),
            variables=frozenset(given.variables),
        )
        return replace(plan, auxiliary=_auxiliary(plan), notes=notes_of(by_bar(plan)))

    def _is_direct(self, parameter: str) -> bool:
        predictor = self.design.parameter(parameter)
        return predictor is None or is_direct(predictor)

    def _scales(self, predictor: Predictor) -> defaults.Scales:
        """Return the scales of a predictor; they take a pass over the rows, once."""
        if predictor.parameter not in self.scales:
            self.scales[predictor.parameter] = defaults.scales(self.design, self.family, predictor)
        return self.scales[predictor.parameter]

    def _layout(self, predictor: Predictor) -> Layout:
        """Return the layout of the columns of the mean, perhaps seen by the groups of one factor."""
        roles = list[Role]()
        scale = self._scales(self.design.predictor)
        for term in predictor.terms:
            request = _request(predictor, term.name)
            if request is not None and request.over:
                fixed = self.design.predictor.fixed(term)
                own = self.priors.of_mean(self.design.predictor, fixed, scale)
                roles.append(Role(len(term.scales), True, True, own))
                continue
            part = VALUE if request is None else MEAN
            own = self.priors.of_coefficients(self.design.predictor, term, scale, part)
            in_sds = own.in_sds if request is None else request.in_sds
            roles.append(
                Role(len(term.scales), term in predictor.per_group, request is not None, own, in_sds)
            )
        return layout_of(roles)

    def _grouping(self, parameter: str) -> Grouping | None:
        """Return the groups of a parameter that is one number for each of them."""
        predictor = self.design.parameter(parameter)
        direct = predictor is not None and is_direct(predictor) and predictor.per_group
        return predictor.grouping if predictor is not None and direct else None

    def _scale(self, name: str, variable: str) -> ScalePlan:
        predictor, grouping = self.design.parameter(name), self._grouping(name)
        dims = () if grouping is None else (self.names.group_dim(grouping),)
        parameter = self.family.further[name]
        default = partial(defaults.family_parameter, name, self.design, self.family)
        own = self.priors.of(Slot(name, None, VALUE), default, parameter.flat)
        if parameter.between:
            self._check_between(name, own)
            dims = (*dims, self.names.thresholds_dim(self.design.response.levels))
        plan = ScalePlan(variable, name, parameter.link, own, dims, grouping, between=parameter.between)
        request = None if predictor is None else _request(predictor, "Intercept")
        if request is None or predictor is None:
            return plan
        centered = request.centered
        pool = ScalePool(
            request=request,
            mean_name=self.names.variable(f"{name}_mean"),
            sd_name=self.names.variable(f"{name}_sd"),
            raw_name=self.names.variable(f"{name}_raw"),
            sd=self.priors.of(Slot(name, None, SD), partial(prior, "half_normal", 1.0)),
            centered=centring.centered_sigma(self.data, grouping) if centered is None else centered,
        )
        return replace(plan, pool=pool)

    def _check_between(self, name: str, own: Prior) -> None:
        """Raise a FormulaError if thresholds would be known: as one number they would all be equal."""
        if own.constant is not None:
            asked = next(each for each in self.design.spec.priors if canonical(each.target).startswith(name))
            hint = f"give a distribution, from which they are drawn and then sorted: `{name} ~ normal(0, 2)`"
            raise FormulaError("thresholds increase, so they have no constant in common", asked.span, hint)

    def _linear(self, predictor: Predictor, link: Link) -> LinearPlan:
        scale = self._scales(predictor)
        coefficients = {
            term.name: self._coefficient(predictor, term, scale, block.grouping)
            for block in predictor.blocks
            for term in block.terms
        }
        auto = (
            centring.centered_terms(self.data, predictor.hierarchies)
            if predictor.parameter == MAIN and predictor.hierarchies
            else {}
        )
        pooling = Pooling(predictor, self.priors, scale, self.names)
        pools = [pooling.hierarchy(request, coefficients, auto) for request in predictor.hierarchies]
        data = self.data_over if predictor.parameter == MAIN else {}
        varying = tuple(pooling.group_terms(coefficients, data))
        return LinearPlan(predictor, link, tuple(coefficients.values()), tuple(pools), varying)

    def _coefficient(
        self, predictor: Predictor, term: Term, scale: defaults.Scales, grouping: Grouping | None
    ) -> Coefficient:
        parameter = predictor.parameter
        dims = self.names.factor_dims(term)
        if grouping is not None:
            dims = (self.names.group_dim(grouping), *dims)
        own = None
        if _request(predictor, term.name) is None:
            own = self.priors.of_coefficients(predictor, term, scale, VALUE)
        return Coefficient(self.names.variable(names.coefficient(parameter, term)), term, dims, grouping, own)


def _request(predictor: Predictor, term: str) -> Hierarchy | None:
    return next((request for request in predictor.hierarchies if term in request.terms), None)


def _auxiliary(plan: Plan) -> frozenset[str]:
    """Return the variables that only the sampler needs."""
    out: set[str] = set()
    for part in plan.parameters:
        if isinstance(part, ScalePlan):
            out |= {part.pool.raw_name} if part.pool is not None else set()
            continue
        for pool in (*part.pools, *part.varying):
            for term in pool.terms:
                out |= {*term.column_names, *([term.offset_name] if term.offset_name else [])}
            out |= {pool.correlation.partial_name} if pool.correlation is not None else set()
    return frozenset(out)
