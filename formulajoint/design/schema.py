"""The values that make up a design: names, levels and numbers, without PyMC.

Shapes: N rows used, G groups, k columns of a term.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from math import prod

import numpy as np

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.design.comparisons import comparisons
from formulajoint.design.kept_rows import KeptRows
from formulajoint.design.pooling import Hierarchy
from formulajoint.design.recipes import Cells, Crossed, GroupMoments, Recipe
from formulajoint.design.weight_columns import KeptFrame
from formulajoint.errors import DataError
from formulajoint.language.formula import Formula
from formulajoint.language.vocabulary.core import CORE
from formulajoint.language.vocabulary.language import Language
from formulajoint.spans import NOWHERE, Span
from formulajoint.spec.spec import ModelSpec


@dataclass(frozen=True, slots=True)
class Factor:
    """A named axis of a coefficient: the levels of a categorical column that have a coefficient.

    `name` is the name of the column (for a basis such as ``poly(x, 2)``, the text of the call), `labels` those of the
    coefficients. The effect of each of the k `levels` is its row of `coding` (k, labels) times the coefficients. An
    axis of joined cells has neither levels nor coding, and neither has a `curve`, whose labels are those of the columns
    of a basis. `order` has the positions of the levels in their natural order, such as whole numbers by size.
    """

    name: str
    labels: tuple[str, ...]
    levels: tuple[str, ...] = ()
    coding: FloatArray | None = field(default=None, compare=False, repr=False)
    order: tuple[int, ...] = field(default=(), compare=False, repr=False)
    curve: bool = False

    @property
    def comparisons(self) -> tuple[str, ...]:
        """What each coefficient is, as shown: ``control - app``; its label where that is no plain comparison."""
        return comparisons(self.labels, self.levels, self.coding)


@dataclass(frozen=True, slots=True, eq=False)
class PartMeans:
    """One part of a term over all rows used: the mean of a number, or the shares of a factor's levels.

    Attributes
    ----------
    shares : (k,) array
        Shares of the levels; the one mean of a number, or those of the columns of a curve.
    coding : (k, c) array
        From levels to the columns in the term; one for a number, the identity for a curve.
    levels : tuple of str
        Empty for a number or a curve.
    variable : str
        The column of the levels.
    """

    shares: FloatArray
    coding: FloatArray
    levels: tuple[str, ...] = ()
    variable: str = ""

    @property
    def columns(self) -> FloatArray:
        """The means of the part's columns in the term, (c,)."""
        return np.asarray(self.shares @ self.coding)

    @property
    def full(self) -> bool:
        """Whether each level has a column of its own, so that these are levels, and no differences of levels."""
        return bool(self.coding.shape[1] == len(self.levels))


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """A term of a predictor with its columns.

    Attributes
    ----------
    name : str
        Canonical text of the term: ``treatment``, ``arm:x``, ``Intercept``.
    columns : (N, k) array
        Columns as written, not centred or scaled.
    factors : tuple of Factor
        Axes of the coefficient, none for a single column; the product of their lengths is k, the last axis varies
        fastest.
    means, scales : (k,) arrays
        Weighted column means, and s_x of the default priors: for a numeric column the sd (ddof 1) over all rows, but
        half the distance of two values; for a factor half the distance of its codes (1/2 with a reference level).
    variables : tuple of str
        Columns of the data frame whose values the term takes: not those of ``by=``.
    parts : tuple of str
        Canonical text of each factor of the interaction, in the order of the name; empty for the intercept.
    part_means : tuple of PartMeans
        Those of each part; empty if the columns are not a product of the parts' columns.
    joined : tuple of tuple of PartMeans
        The parts in each piece of a term whose columns are no product; empty for another term.
    recipe : Crossed or None
        Makes the columns of any rows. None in a fit saved by an older version.
    classes : int
        Number of categories of the response, where these are the last axis, else 0: each column stands for all of them,
        one after another, and a coefficient is added to the predictor of its own.
    """

    name: str
    columns: FloatArray
    factors: tuple[Factor, ...]
    means: FloatArray
    scales: FloatArray
    variables: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    part_means: tuple[PartMeans, ...] = ()
    span: Span = field(default=NOWHERE, repr=False)
    joined: tuple[tuple[PartMeans, ...], ...] = ()
    recipe: Crossed | None = field(default=None, repr=False)
    classes: int = 0

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the coefficient's axes."""
        return tuple(len(factor.labels) for factor in self.factors)

    def __post_init__(self) -> None:
        assert self.columns.shape[1] == prod(self.shape)


@dataclass(frozen=True, slots=True, eq=False)
class Grouping:
    """The groups right of ``|``.

    Attributes
    ----------
    name : str
        ``school``; ``district:school`` for both ``district/school`` and ``district:school``.
    variables : tuple of str
        The columns that make the groups.
    labels : tuple of str
        One label per group: ``A``; ``a1/b1`` or ``a1:b1`` as the formula joins them.
    codes : (N,) int array
        Group of each row.
    order : tuple of int
        Positions of the labels in their natural order; empty if that is the order of `labels`.
    recipe : Cells or None
        Makes the codes of any rows. None in a fit saved by an older version.
    """

    name: str
    variables: tuple[str, ...]
    labels: tuple[str, ...]
    codes: IntArray
    order: tuple[int, ...] = ()
    span: Span = field(default=NOWHERE, repr=False)
    recipe: Cells | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Terms with the same groups: one coefficient per group of `grouping`, or one for all rows if it is None.

    `pooling` has the hierarchies over some of the terms.
    """

    terms: tuple[Term, ...]
    grouping: Grouping | None = None
    pooling: tuple[Hierarchy, ...] = ()


def blocks_of(
    per_group: tuple[Term, ...], common: tuple[Term, ...], grouping: Grouping | None
) -> tuple[Block, ...]:
    """Return the block of the groups right of the bar, and that of the terms that have one coefficient for all rows."""
    shared = (Block(common),) if common or grouping is None else ()
    return shared if grouping is None else (Block(per_group, grouping), *shared)


@dataclass(frozen=True, slots=True, eq=False)
class Predictor:
    """The linear predictor of one parameter: ``mu`` for the mean, else ``sigma``, ``nu``.

    With groups right of the bar, their block comes first; a block for all rows follows if it has terms. An intercept is
    a Term named ``Intercept``, the first of its block. `varying` has a block for each factor of group terms
    ``(x | g)``: what varies over its groups, about the coefficients of `blocks`. `recipe` is that of the offset.
    """

    parameter: str
    blocks: tuple[Block, ...]
    offset: FloatArray | None = None
    span: Span = field(default=NOWHERE, repr=False)
    recipe: Recipe | None = field(default=None, repr=False)
    varying: tuple[Block, ...] = ()

    @property
    def by_factor(self) -> dict[str, Block]:
        """What varies over the groups of each factor of group terms, by the factor's name."""
        return {block.grouping.name: block for block in self.varying if block.grouping is not None}

    @property
    def terms(self) -> tuple[Term, ...]:
        """All terms, block by block."""
        return tuple(term for block in self.blocks for term in block.terms)

    @property
    def grouping(self) -> Grouping | None:
        """The groups right of the bar."""
        return self.blocks[0].grouping

    @property
    def per_group(self) -> tuple[Term, ...]:
        """The terms with a coefficient for each group right of the bar."""
        return () if self.grouping is None else self.blocks[0].terms

    @property
    def common(self) -> tuple[Term, ...]:
        """The terms with one coefficient for all rows."""
        return tuple(term for block in self.blocks if block.grouping is None for term in block.terms)

    @property
    def hierarchies(self) -> tuple[Hierarchy, ...]:
        """The hierarchies over its terms."""
        return tuple(hierarchy for block in self.blocks for hierarchy in block.pooling)

    def pooled(self, hierarchies: Iterable[Hierarchy]) -> Predictor:
        """Return the predictor with those of `hierarchies` that are over its own terms."""
        bar, *others = self.blocks
        own = tuple(hierarchy for hierarchy in hierarchies if hierarchy.parameter == self.parameter)

        def over(name: str) -> tuple[Hierarchy, ...]:
            return tuple(hierarchy for hierarchy in own if hierarchy.over == name)

        varying = tuple(replace(block, pooling=over(name)) for name, block in self.by_factor.items())
        return replace(self, blocks=(replace(bar, pooling=over("")), *others), varying=varying)

    def fixed(self, term: Term) -> Term | None:
        """Return the term of `blocks` about whose one coefficient the coefficients of a varying term vary, or None."""
        return next((other for other in self.common if other is term), None)


def varying_blocks(blocks: Iterable[Block], shared: Iterable[Term]) -> tuple[Block, ...]:
    """Return blocks of group terms in which a term with the columns of a shared one is that term.

    A term of the same name with other columns gets another name.
    """
    known = {term.name: term for term in shared}

    def own(term: Term) -> Term:
        other = known.get(term.name)
        if other is None:
            return term
        if other.columns.shape == term.columns.shape and np.array_equal(other.columns, term.columns):
            return other
        # A factor with a column for each level, beside differences of levels: another term, of another name.
        return replace(term, name=f"0 + {term.name}")

    def changed(block: Block) -> Block:
        terms = tuple(map(own, block.terms))
        names = {before.name: after.name for before, after in zip(block.terms, terms, strict=True)}
        pooling = (replace(h, terms=tuple(names[name] for name in h.terms)) for h in block.pooling)
        return replace(block, terms=terms, pooling=tuple(pooling))

    return tuple(map(changed, blocks))


@dataclass(frozen=True, slots=True)
class Rows:
    """Counts of the rows read and used; `missing` has the number of missing cells of each incomplete column.

    `weightless` counts the rows without missing values that are left out because their weight is zero. `lost` has the
    levels of which no row is left, by the name of the factor or grouping. Where the rows are made from moments,
    `counted` is the number of rows of the data that they stand for, and `fractional` says whether some weight of these
    was no whole number.
    """

    total: int
    used: int
    missing: Mapping[str, int] = field(default_factory=dict)
    weightless: int = 0
    lost: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    counted: int = 0
    fractional: bool = False

    @property
    def read(self) -> int:
        """Number of rows of the data that are used."""
        return self.counted or self.used

    @property
    def dropped(self) -> int:
        """Number of rows left out."""
        return self.total - self.read


@dataclass(frozen=True, slots=True, eq=False)
class Response:
    """The response: `name` is its canonical text, such as ``score`` or ``log(score)``; `values` is (N,).

    `variable` is the single column of the frame whose values it takes. `recipe` makes the values of any rows. `levels`
    are the two values of which one occurs, the event last, where the family is one of events: `values` is then 1 for
    the event, else 0. Where it is one of several categories, `levels` are these, and `values` their places from 0.
    `trials` are (N,) where `values` counts successes among them, with a recipe of their own.
    """

    name: str
    values: FloatArray
    variable: str
    span: Span = field(default=NOWHERE, repr=False)
    recipe: Recipe | None = field(default=None, repr=False)
    levels: tuple[str, ...] = ()
    trials: FloatArray | None = None
    trials_recipe: Recipe | None = field(default=None, repr=False)

    @property
    def scale(self) -> FloatArray:
        """The values on the scale of the mean, (N,): shares of successes."""
        return self.values if self.trials is None else self.values / self.trials


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """A formula bound to data: everything needed to build a model.

    Attributes
    ----------
    spec : ModelSpec
    response : Response
    predictor : Predictor
        That of the mean.
    parameters : tuple of Predictor
        Those of parameters with a clause of their own (``sigma ~ 1 | school``).
    row_weights : (N,) array or None
        Frequencies: a row of weight w counts as w rows.
    standard_errors : (N,) array or None
        Known residual sds, one per row; None if they are estimated.
    weight_columns : mapping of str to (N,) float array
        Columns read by ``weights=`` of contrast clauses (``sum(col)`` or ``col``).
    rows : Rows
    within : tuple of GroupMoments
        What its columns learnt within groups: ``center(x, by=school)``.
    notes : tuple of str
        Sentences on how the data were read.
    frame, kept : KeptFrame or None, KeptRows or None
        The data, for contrasts added after the fit, None in a saved fit; the columns that the formula names, for
        predictions, None in a fit made of sums or saved by an older version.
    language : Language
        Defines the names of extensions.
    """

    spec: ModelSpec
    response: Response
    predictor: Predictor
    parameters: tuple[Predictor, ...] = ()
    row_weights: FloatArray | None = None
    standard_errors: FloatArray | None = None
    weight_columns: Mapping[str, FloatArray] = field(default_factory=dict)
    rows: Rows = field(default=Rows(0, 0))
    within: tuple[GroupMoments, ...] = ()
    notes: tuple[str, ...] = ()
    frame: KeptFrame | None = field(default=None, repr=False)
    language: Language = CORE
    kept: KeptRows | None = field(default=None, repr=False)

    @property
    def formula(self) -> Formula:
        """The formula."""
        return self.spec.formula

    def require_rows(self, what: str) -> None:
        """Raise a DataError if the rows are made from moments; `what` needs those of the data."""
        if self.rows.counted:
            raise DataError(
                f"{what} needs the rows of the data, and this fit has their moments alone: counts, means and squares. "
                "Fit the rows themselves, or give a data frame where there is an argument for it."
            )

    @property
    def precisions(self) -> FloatArray | None:
        """Weight of each row in least squares, (N,): frequency over known variance; None if all rows weigh the same."""
        if self.standard_errors is None:
            return self.row_weights
        return (1.0 if self.row_weights is None else self.row_weights) / self.standard_errors**2

    @property
    def predictors(self) -> tuple[Predictor, ...]:
        """All predictors, that of the mean first."""
        return (self.predictor, *self.parameters)

    def parameter(self, name: str) -> Predictor | None:
        """Return the predictor of parameter `name`, or None if it has no clause of its own."""
        return next((p for p in self.parameters if p.parameter == name), None)
