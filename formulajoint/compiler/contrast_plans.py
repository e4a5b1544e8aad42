"""The contrast nodes of a plan as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.compiler.coefficients import Coefficient
from formulajoint.contrasts.at_means import AtMeans
from formulajoint.contrasts.registry import ContrastFunction
from formulajoint.contrasts.weights import Weights
from formulajoint.language.syntax.nodes import Expr

if TYPE_CHECKING:
    from formulajoint.compiler.evaluate.response_effects import ResponseEffects  # it holds a plan
    from formulajoint.contrasts.cells import CellContrast
    from formulajoint.contrasts.level_families import ContrastMatrix, LevelFamily

MOST_COUNTS = 8
"""At most this many counts of a Dirichlet are printed."""


@dataclass(frozen=True, slots=True, eq=False)
class Sigmas:
    """A few residual sds as functions of variables.

    Attributes
    ----------
    parts : tuple of (str, (A, n) array)
        The variables, of n numbers each, and their columns: what each residual sd or its log is a sum of.
    offset : (A,) array
    log : bool
        Whether the sums are logs.
    """

    parts: tuple[tuple[str, FloatArray], ...]
    offset: FloatArray
    log: bool


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
    scale : {"none", "sigma", "sd", "number", "response"}
        Divisor of each group's coefficient; ``response`` for effects on the mean of the response.
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
    sigmas : Sigmas or None
        The residual sds, if a group's rows have several and the weights need them.
    response : mapping of str to ResponseEffects
        What stands in the place of coefficients, by their names: effects on the response, if they are asked.
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
    sigmas: Sigmas | None = None
    response: Mapping[str, ResponseEffects] = field(default_factory=dict)


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
    factor, response : str, mapping
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
    sigmas: Sigmas | None = None
    response: Mapping[str, ResponseEffects] = field(default_factory=dict)

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
    factor, response : str, mapping
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
    response: Mapping[str, ResponseEffects] = field(default_factory=dict)


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
