"""The model as data: every variable with its name, dims and prior, before PyMC is imported.

``explain()`` prints a plan, ``build`` turns one into a ``pm.Model``, and the two agree to the letter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from formulajoint.arrays import FloatArray
from formulajoint.compiler.families import Family
from formulajoint.contrasts.level_families import ContrastMatrix
from formulajoint.contrasts.registry import ContrastFunction
from formulajoint.contrasts.weights import Weights
from formulajoint.design.schema import Design, Grouping, Hierarchy, Predictor, Term
from formulajoint.distributions.prior import Prior
from formulajoint.language.syntax.nodes import Expr

if TYPE_CHECKING:  # SciPy, of which a model without tests has no need
    from formulajoint.contrasts.hypotheses import Hypothesis


@dataclass(frozen=True, slots=True, eq=False)
class Coefficient:
    """The coefficients of one term.

    Attributes
    ----------
    name : str
        The variable.
    term : Term
    dims : tuple of str
        The groups' dim first, where there is one coefficient a group.
    grouped : bool
    prior : Prior or None
        None where a hierarchy gives it.
    """

    name: str
    term: Term
    dims: tuple[str, ...]
    grouped: bool
    prior: Prior | None


@dataclass(frozen=True, slots=True, eq=False)
class PooledTerm:
    """One term of a hierarchy: ``b_g ~ dist(mean, sd)``.

    Attributes
    ----------
    coefficient : Coefficient
    mean_name, sd_name : str
        Variables of the location and the scale.
    offset_name : str or None
        Variable of the standardised distances, where the form is not centred.
    mean, sd : Prior
    dims : tuple of str
        Of location and scale: the term's factors.
    column_names : tuple of str
        Of the variables, one a column, that a centred correlated term of several columns is made of.
    """

    coefficient: Coefficient
    mean_name: str
    sd_name: str
    offset_name: str | None
    mean: Prior
    sd: Prior
    dims: tuple[str, ...]
    column_names: tuple[str, ...] = ()

    @property
    def centered(self) -> bool:
        """Whether the coefficients are variables as they are, not by their standardised distances."""
        return self.offset_name is None


@dataclass(frozen=True, slots=True, eq=False)
class Correlation:
    """The correlations of a hierarchy's p columns: LKJ(eta), by partial correlations."""

    name: str
    partial_name: str
    partial_dim: str
    dims: tuple[str, str]
    labels: tuple[str, ...]
    prior: Prior

    @property
    def eta(self) -> float:
        """The concentration: 1 is uniform, more is nearer to no correlation."""
        return float(self.prior.args["eta"])


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """A hierarchy over some terms, with its correlation where it has one."""

    request: Hierarchy
    group_dim: str
    terms: tuple[PooledTerm, ...]
    correlation: Correlation | None


@dataclass(frozen=True, slots=True, eq=False)
class LinearPlan:
    """A parameter with predictors: ``link(parameter) = sum of columns times coefficients``."""

    predictor: Predictor
    link: str
    coefficients: tuple[Coefficient, ...]
    pools: tuple[Pool, ...]

    @property
    def pooled(self) -> dict[str, PooledTerm]:
        """What is said of a term that a hierarchy pools, by the name of its coefficient."""
        return {term.coefficient.name: term for pool in self.pools for term in pool.terms}


@dataclass(frozen=True, slots=True, eq=False)
class ScalePool:
    """Groups' own scales pooled on the log scale: ``log sigma_g ~ dist(log mean, sd)``.

    The parameter's own prior is then the prior of ``mean``.
    """

    request: Hierarchy
    mean_name: str
    sd_name: str
    raw_name: str
    sd: Prior
    centered: bool


@dataclass(frozen=True, slots=True, eq=False)
class ScalePlan:
    """A family parameter without predictors, one for all rows or one a group."""

    name: str
    parameter: str
    prior: Prior
    dims: tuple[str, ...] = ()
    grouping: Grouping | None = None
    pool: ScalePool | None = None


@dataclass(frozen=True, slots=True, eq=False)
class AveragePlan:
    """A contrast node that averages a coefficient over the groups.

    Attributes
    ----------
    name : str
        The variable.
    dims : tuple of str
    text : str
        The clause as written.
    function : ContrastFunction
    coefficient : Coefficient
    weights : Weights
    weights_name : str or None
        Variable of the weights where they differ from draw to draw.
    scale : {"none", "sigma", "sd", "number"}
        What each group's coefficient is divided by.
    divisors : (G,) array or None
        For ``sd`` and a number.
    sigma : str or None
        Variable of the residual sd, where the scale or the weights read it; `sigma_rank` is its number of dims.
    options : mapping of str to value
        Further arguments of the function.
    """

    name: str
    dims: tuple[str, ...]
    text: str
    function: ContrastFunction
    coefficient: Coefficient
    weights: Weights
    weights_name: str | None
    scale: str
    divisors: FloatArray | None
    sigma: str | None
    sigma_rank: int
    options: Mapping[str, float | bool | str]


@dataclass(frozen=True, slots=True, eq=False)
class FamilyPlan:
    """A contrast node with an entry for each row of a contrast matrix, over the groups or over a factor's levels.

    Attributes
    ----------
    name : str
        The variable.
    dims : tuple of str
        The entries' dim first.
    text : str
        The clause as written.
    family : str
        Such as ``pairwise``.
    coefficient : Coefficient
    over : str
        What is compared: the grouping, or a factor.
    levels : tuple of str
        Of what is compared.
    order : tuple of str
        The levels as the family takes them one after another.
    axis : int
        Its place among the coefficient's dims.
    coding : (k, c) array or None
        From a factor's c coefficients to its k levels.
    matrix : ContrastMatrix
    weights : Weights or None
        Those of the mean from which ``meandev`` takes deviations, where there are weights.
    weights_name : str or None
        Variable of the weights where they differ from draw to draw.
    sigma : str or None
        Variable of the residual sd, where the weights read it.
    """

    name: str
    dims: tuple[str, ...]
    text: str
    family: str
    coefficient: Coefficient
    over: str
    levels: tuple[str, ...]
    order: tuple[str, ...]
    axis: int
    coding: FloatArray | None
    matrix: ContrastMatrix
    weights: Weights | None = None
    weights_name: str | None = None
    sigma: str | None = None

    @property
    def weights_differ(self) -> bool:
        """Whether the weights are not the same numbers in every draw and column, so that no one matrix holds them."""
        return self.weights is not None and (self.weights_name is not None or self.weights.values.ndim > 1)


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """What one name of an arithmetic contrast stands for: some cells of a variable, laid along the node's dims.

    Attributes
    ----------
    variable : str
    order : tuple of int
        The variable's axes in the order of the node's dims; axes that are indexed away come first.
    index : tuple of int, slice or None
        Of the reordered axes: a level, all levels, or an axis of length one for a dim that the variable has not.
    """

    variable: str
    order: tuple[int, ...]
    index: tuple[int | slice | None, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ArithmeticPlan:
    """A contrast node that is arithmetic of coefficients.

    Attributes
    ----------
    name : str
        The variable.
    dims : tuple of str
    text : str
        The arithmetic as written.
    expr : Expr
    cells : mapping of Expr to Cells
        Of every name in `expr`.
    degree : float
        How many factors that can be large are multiplied at most; infinite where one that can be zero divides, so
        that there is no mean.
    """

    name: str
    dims: tuple[str, ...]
    text: str
    expr: Expr
    cells: Mapping[Expr, Cells]
    degree: float
    weights: None = None  # for those who ask every contrast for its weights
    weights_name: None = None


type ContrastPlan = AveragePlan | FamilyPlan | ArithmeticPlan


@dataclass(frozen=True, slots=True, eq=False)
class SharesPlan:
    """Uncertain shares of the groups: a Dirichlet with these counts, of which the data say nothing."""

    name: str
    dims: tuple[str]
    counts: FloatArray
    text: str

    @property
    def prior(self) -> str:
        """The distribution, as text."""
        counts = ", ".join(f"{count:g}" for count in self.counts[:MOST_COUNTS])
        return f"dirichlet({counts}{', ...' if len(self.counts) > MOST_COUNTS else ''})"


MOST_COUNTS = 8
"""A Dirichlet is printed with so many counts at most."""


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A whole model.

    Attributes
    ----------
    design : Design
    family : Family
    response_name : str
    obs_dim : str
    mean : LinearPlan
    parameters : tuple of LinearPlan or ScalePlan
        Of the family, in its order.
    contrasts : tuple of ContrastPlan
    shares : tuple of SharesPlan
        The uncertain weights of the contrasts.
    coords : mapping of dim to labels
    variables : frozenset of str
        Every name that is spoken for, that of a variable given as a constant among them.
    auxiliary : frozenset of str
        Variables that only serve the sampler, left out of tables.
    flat : bool
        Whether ``priors="flat"`` was asked for.
    notes : tuple of str
        What the reader should know about the defaults chosen.
    tests : tuple of Hypothesis
        Of the formula's ``test(...)`` clauses; they make no variables.
    """

    design: Design
    family: Family
    response_name: str
    obs_dim: str
    mean: LinearPlan
    parameters: tuple[LinearPlan | ScalePlan, ...]
    contrasts: tuple[ContrastPlan, ...]
    shares: tuple[SharesPlan, ...]
    coords: Mapping[str, tuple[str, ...]]
    variables: frozenset[str]
    auxiliary: frozenset[str]
    flat: bool
    notes: tuple[str, ...]
    tests: tuple[Hypothesis, ...] = ()

    def scale(self, parameter: str) -> ScalePlan | None:
        """Return the plan of a family parameter that has no predictors, or None."""
        for plan in self.parameters:
            if isinstance(plan, ScalePlan) and plan.parameter == parameter:
                return plan
        return None

    @property
    def priors(self) -> tuple[tuple[str, Prior], ...]:
        """Every prior of the model by the variable it is of."""
        out: list[tuple[str, Prior]] = []
        for part in (self.mean, *self.parameters):
            if isinstance(part, ScalePlan):
                out.append((part.name if part.pool is None else part.pool.mean_name, part.prior))
                out += [] if part.pool is None else [(part.pool.sd_name, part.pool.sd)]
                continue
            out += [(c.name, c.prior) for c in part.coefficients if c.prior is not None]
            for pool in part.pools:
                for term in pool.terms:
                    out += [(term.mean_name, term.mean), (term.sd_name, term.sd)]
                if pool.correlation is not None:
                    out.append((pool.correlation.name, pool.correlation.prior))
        return tuple(out)
