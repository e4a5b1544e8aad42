"""The model as data: every variable with its name, dims and prior, without PyMC.

``explain()`` prints a plan and ``build`` turns it into a ``pm.Model``; both give the same model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.contrasts.at_means import AtMeans
from formulajoint.contrasts.cells import CellContrast
from formulajoint.contrasts.level_families import ContrastMatrix, LevelFamily
from formulajoint.contrasts.registry import ContrastFunction
from formulajoint.contrasts.weights import Weights
from formulajoint.data.data import Data
from formulajoint.design.schema import Design, Grouping, Hierarchy, Predictor, Term
from formulajoint.distributions.links import Link
from formulajoint.distributions.prior import Prior
from formulajoint.families.likelihood import Likelihood
from formulajoint.language.syntax.nodes import Expr

if TYPE_CHECKING:  # SciPy, needed only for tests
    from formulajoint.contrasts.hypotheses import Hypothesis

MOST_COUNTS = 8
"""At most this many counts of a Dirichlet are printed."""


@dataclass(frozen=True, slots=True, eq=False)
class Coefficient:
    """The coefficients of one term.

    Attributes
    ----------
    name : str
        Name of the variable.
    term : Term
    dims : tuple of str
        The groups' dim first, if there is one coefficient per group.
    grouping : Grouping or None
        The groups with a coefficient each; None if there is one for all rows.
    prior : Prior or None
        None if a hierarchy gives it.
    stem : str
        In names of contrasts of it, what stands for its own; empty where that is `name`.
    """

    name: str
    term: Term
    dims: tuple[str, ...]
    grouping: Grouping | None
    prior: Prior | None
    stem: str = ""

    @property
    def grouped(self) -> bool:
        """Whether there is one coefficient per group."""
        return self.grouping is not None


@dataclass(frozen=True, slots=True, eq=False)
class PooledTerm:
    """One term of a hierarchy: ``b_g ~ dist(mean, sd)``.

    Attributes
    ----------
    coefficient : Coefficient
    mean_name, sd_name : str
        Names of the location and the scale.
    offset_name : str or None
        Name of the standardised distances in the non-centred form; None in the centred form.
    mean, sd : Prior
    dims : tuple of str
        Dims of location and scale: the term's factors.
    column_names : tuple of str
        Names of the variables, one per column, of a centred correlated term of several columns.
    deviation_name : str
        Of a term that varies in a group term: name of the groups' deviations from the mean; empty for a hierarchy. The
        coefficients are mean plus deviations. The mean is the coefficient `mean_name` that all rows share or, if that
        is empty, zero.
    """

    coefficient: Coefficient
    mean_name: str
    sd_name: str
    offset_name: str | None
    mean: Prior
    sd: Prior
    dims: tuple[str, ...]
    column_names: tuple[str, ...] = ()
    deviation_name: str = ""

    @property
    def centered(self) -> bool:
        """Whether the coefficients themselves are variables, not their standardised distances."""
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
        """The LKJ concentration: 1 is uniform, larger values favour small correlations."""
        return float(self.prior.args["eta"])


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """A hierarchy over some terms, with its correlations if it has any."""

    request: Hierarchy
    grouping: Grouping
    group_dim: str
    terms: tuple[PooledTerm, ...]
    correlation: Correlation | None


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
    """A family parameter without predictors: one for all rows, or one per group."""

    name: str
    parameter: str
    link: Link
    prior: Prior
    dims: tuple[str, ...] = ()
    grouping: Grouping | None = None
    pool: ScalePool | None = None


type ParameterPlan = LinearPlan | ScalePlan


@dataclass(frozen=True, slots=True, eq=False)
class AveragePlan:
    """A contrast node: the average of a coefficient over the groups.

    Attributes
    ----------
    name, dims, text : str, tuple of str, str
        Of the node; the clause as written.
    function : ContrastFunction
    coefficient : Coefficient
    weights : Weights
    weights_name : str or None
        Name of the weights if they differ from draw to draw.
    scale : {"none", "sigma", "sd", "number"}
        Divisor of each group's coefficient.
    divisors : (G,) array or None
        The divisors for ``sd`` and a number.
    sigma, sigma_of_group : str or None, (G,) int array or None
        Name of the residual sd, if the scale or the weights need it, and which one each group has if there are several.
    options : mapping of str to value
        Other arguments of the function.
    at : AtMeans or None
        None for the coefficients themselves, where the other columns are zero.
    factor : str
        The factor of group terms whose groups it is about; empty for the model's own groups.
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
    sigma_of_group: IntArray | None
    options: Mapping[str, float | bool | str]
    at: AtMeans | None
    factor: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class FamilyPlan:
    """A contrast node with one entry per row of a contrast matrix, over the groups or a factor's levels.

    Attributes
    ----------
    name, dims, text : str, tuple of str, str
        Of the node, the entries' dim first; the clause as written.
    family, coefficient : LevelFamily, Coefficient
    over, levels, order : str, tuple of str, tuple of str
        The compared axis, the grouping or a factor; its levels; these in the order in which the family takes them.
    axis : int
        Position of the compared axis among the coefficient's dims.
    coding : (k, c) array or None
        From a factor's c coefficients to its k levels.
    matrix : ContrastMatrix
    weights : Weights or None
        Weights of the mean from which ``meandev`` takes deviations; None for other families.
    weights_name, sigma, sigma_of_group : str or None, str or None, (G,) int array or None
        Of weights that differ from draw to draw, as in `AveragePlan`.
    cells : CellContrast or None
        For cells of an interaction: what takes the place of the coefficient, its coding and the matrix.
    factor : str
        As for `AveragePlan`.
    """

    name: str
    dims: tuple[str, ...]
    text: str
    family: LevelFamily
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
    sigma_of_group: IntArray | None = None
    cells: CellContrast | None = None
    factor: str = ""

    @property
    def of_levels(self) -> bool:
        """Whether levels of factors are compared, and not groups."""
        return self.coding is not None or self.cells is not None

    @property
    def weights_differ(self) -> bool:
        """Whether the weights differ between draws or columns, so that no single contrast matrix holds them."""
        return self.weights is not None and (self.weights_name is not None or self.weights.values.ndim > 1)


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """The cells of a variable that a name in an arithmetic contrast selects, laid along the node's dims.

    Attributes
    ----------
    variable : str
    order : tuple of int
        The variable's axes in the order of the node's dims; axes indexed by a level come first.
    index : tuple of int, slice or None
        Index of the reordered axes: a level, all levels, or None for a dim that the variable lacks (length one).
    """

    variable: str
    order: tuple[int, ...]
    index: tuple[int | slice | None, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ArithmeticPlan:
    """A contrast node: arithmetic of coefficients.

    Attributes
    ----------
    name : str
    dims : tuple of str
    text : str
        The arithmetic as written.
    expr : Expr
    cells : mapping of Expr to Cells
        The cells of every name in `expr`.
    degree : float
        Most coefficients, which can be large, multiplied in a term; infinite (no mean) if a divisor can be zero.
    factor : str
        As for `AveragePlan`.
    """

    name: str
    dims: tuple[str, ...]
    text: str
    expr: Expr
    cells: Mapping[Expr, Cells]
    degree: float
    weights: None = None  # every contrast plan has `weights`
    weights_name: None = None
    factor: str = ""


type ContrastPlan = AveragePlan | FamilyPlan | ArithmeticPlan


@dataclass(frozen=True, slots=True, eq=False)
class SharesPlan:
    """Uncertain shares of the groups: Dirichlet with these counts, independent of the data."""

    name: str
    dims: tuple[str]
    counts: FloatArray
    text: str

    @property
    def prior(self) -> str:
        """The distribution as text."""
        counts = ", ".join(f"{count:g}" for count in self.counts[:MOST_COUNTS])
        return f"dirichlet({counts}{', ...' if len(self.counts) > MOST_COUNTS else ''})"


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

    def scale(self, parameter: str) -> ScalePlan | None:
        """Return the plan of a family parameter without predictors, or None."""
        found = (plan for plan in self.further if isinstance(plan, ScalePlan) and plan.parameter == parameter)
        return next(found, None)

    @property
    def spread(self) -> ScalePlan | None:
        """The plan of the family's spread, such as sigma, if it is estimated and has no predictors."""
        return self.scale(self.family.spread)

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
