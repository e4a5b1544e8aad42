"""The model as data: every variable with its name, dims and prior, without PyMC.

``explain()`` prints a plan and ``build`` turns it into a ``pm.Model``; both give the same model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from formulajoint.compiler.coefficients import Coefficient, Pool, PooledTerm
from formulajoint.compiler.contrast_plans import ContrastPlan, SharesPlan
from formulajoint.data.data import Data
from formulajoint.design.pooling import Hierarchy
from formulajoint.design.schema import Design, Grouping, Predictor
from formulajoint.distributions.links import Link
from formulajoint.distributions.prior import Prior
from formulajoint.families.likelihood import Likelihood

if TYPE_CHECKING:  # SciPy, needed only for tests
    from formulajoint.contrasts.hypotheses import Hypothesis


@dataclass(frozen=True, slots=True, eq=False)
class LinearPlan:
    """A parameter with predictors: ``link(parameter) = sum of columns times coefficients``.

    `varying` has the group terms: their deviations are further coefficients of the same columns.
    """

    predictor: Predictor
    link: Link
    coefficients: tuple[Coefficient, ...]
    pools: tuple[Pool, ...]
    varying: tuple[Pool, ...] = ()

    @property
    def parameter(self) -> str:
        """The name of the parameter."""
        return self.predictor.parameter

    @property
    def of_groups(self) -> frozenset[str]:
        """The variables of group terms with a value for each group: coefficients and deviations."""
        terms = [term for pool in self.varying for term in pool.terms]
        return frozenset(name for t in terms for name in (t.coefficient.name, t.deviation_name))

    @property
    def pooled(self) -> dict[str, PooledTerm]:
        """The pooled terms, by the name of their coefficient."""
        return {term.coefficient.name: term for pool in self.pools for term in pool.terms}


@dataclass(frozen=True, slots=True, eq=False)
class ScalePool:
    """Groups' own values, pooled on the link's scale: ``log s_g ~ dist(log mean, sd)``; `mean_name` has the prior."""

    request: Hierarchy
    mean_name: str
    sd_name: str
    raw_name: str
    sd: Prior
    centered: bool


@dataclass(frozen=True, slots=True, eq=False)
class ScalePlan:
    """A family parameter without predictors: one for all rows, or one per group.

    Thresholds are several numbers for each; the last dim is then that of the numbers.
    """

    name: str
    parameter: str
    link: Link
    prior: Prior
    dims: tuple[str, ...] = ()
    grouping: Grouping | None = None
    pool: ScalePool | None = None
    between: bool = False


type ParameterPlan = LinearPlan | ScalePlan


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A whole model.

    Attributes
    ----------
    design, data, family : Design, Data, Likelihood
    response_name, obs_dim : str
    mean : LinearPlan
    further : tuple of LinearPlan or ScalePlan
        The family's other parameters, in its order.
    contrasts : tuple of ContrastPlan
    shares : tuple of SharesPlan
        Uncertain weights of the contrasts.
    coords : mapping of dim to labels
    variables : frozenset of str
        Every name in use, including variables fixed as constants.
    auxiliary : frozenset of str
        Variables that only the sampler needs, left out of tables.
    flat : bool
        Whether ``priors="flat"``.
    notes : tuple of str
        Sentences on defaults that matter, for the reader of the fit.
    tests : tuple of Hypothesis
        Those of the formula's ``test(...)`` clauses; they add no variables.
    data_over : mapping of str to Data
        The rows by the groups of each factor of group terms of the mean (``compiler/over.py``).
    """

    design: Design
    data: Data
    family: Likelihood
    response_name: str
    obs_dim: str
    mean: LinearPlan
    further: tuple[ParameterPlan, ...]
    contrasts: tuple[ContrastPlan, ...]
    shares: tuple[SharesPlan, ...]
    coords: Mapping[str, tuple[str, ...]]
    variables: frozenset[str]
    auxiliary: frozenset[str]
    flat: bool
    notes: tuple[str, ...]
    tests: tuple[Hypothesis, ...] = ()
    data_over: Mapping[str, Data] = field(default_factory=dict)

    @property
    def parameters(self) -> tuple[ParameterPlan, ...]:
        """All parameters of the likelihood, the mean first."""
        return (self.mean, *self.further)

    @property
    def group_dims(self) -> frozenset[str]:
        """The dims whose labels are groups."""
        out: set[str] = set()
        for part in self.parameters:
            if isinstance(part, ScalePlan):
                out |= set(part.dims[:1]) if part.grouping is not None else set()
                continue
            out |= {c.dims[0] for c in part.coefficients if c.grouped}
            out |= {pool.group_dim for pool in (*part.pools, *part.varying)}
        return frozenset(out)

    def scale(self, parameter: str) -> ScalePlan | None:
        """Return the plan of a family parameter without predictors, or None."""
        found = (plan for plan in self.further if isinstance(plan, ScalePlan) and plan.parameter == parameter)
        return next(found, None)

    @property
    def spread(self) -> ScalePlan | None:
        """The plan of the family's spread, such as sigma, if it is estimated and has no predictors."""
        return self.scale(self.family.spread)

    @property
    def linear_spread(self) -> LinearPlan | None:
        """The plan of the family's spread if it has predictors."""
        found = (part for part in self.further if isinstance(part, LinearPlan))
        return next((part for part in found if part.parameter == self.family.spread), None)

    @property
    def priors(self) -> tuple[tuple[str, Prior], ...]:
        """Every prior of the model, with the name of its variable."""
        out: list[tuple[str, Prior]] = []
        for part in self.parameters:
            if isinstance(part, ScalePlan):
                out.append((part.name if part.pool is None else part.pool.mean_name, part.prior))
                out += [] if part.pool is None else [(part.pool.sd_name, part.pool.sd)]
                continue
            out += [(c.name, c.prior) for c in part.coefficients if c.prior is not None]
            for pool in (*part.pools, *part.varying):
                for term in pool.terms:
                    out += [] if term.deviation_name else [(term.mean_name, term.mean)]
                    out.append((term.sd_name, term.sd))
                if pool.correlation is not None:
                    out.append((pool.correlation.name, pool.correlation.prior))
        return tuple(out)
