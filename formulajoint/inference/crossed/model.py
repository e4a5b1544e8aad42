"""A plan with several grouping factors as rows and priors.

    y = X b + sum over factors f of Z_f beta_f + e,    beta_fg = mean_fg + D_fg v_fg,    v_fg ~ N(0, 1),

where b are the shared coefficients, D_f the prior of what varies over the groups of f given phi, and e has the residual
sd. Rows are in units of their known standard errors, if these are known, and multiplied by the root of their weights.

Shapes: N rows, k shared columns, p columns of a factor, G groups of it, S points phi.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from formulajoint.arrays import FloatArray, IntArray
from formulajoint.compiler.coefficients import Coefficient, Pool, PooledTerm
from formulajoint.compiler.plan import Plan
from formulajoint.data.rows import Cells, cells_of, frequencies, in_units, less_offset
from formulajoint.design.schema import Grouping
from formulajoint.distributions.prior import Prior
from formulajoint.inference.latent.columns import location_and_scale
from formulajoint.inference.latent.mixtures import gammas
from formulajoint.inference.latent.phi import Cell, Scales, correlation_root
from formulajoint.inference.latent.structure import Block, block_of, sigmas_of


@dataclass(frozen=True, slots=True, eq=False)
class Shared:
    """The coefficients of one term that all rows share, with the name of their variable.

    Attributes
    ----------
    name, dims, shape : str, tuple of str, tuple of int
        Of the variable.
    columns : slice or None
        Their columns among those of X; None if they are constants.
    values : (k,) array
        The constants, or the means of the priors.
    """

    name: str
    dims: tuple[str, ...]
    shape: tuple[int, ...]
    columns: slice | None
    values: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Hierarchy:
    """A pool of a plan: what varies together over the groups of a factor.

    Attributes
    ----------
    pool : Pool
    factor : int
        Its factor.
    block : Block
        Its columns among those of the factor, and its parameters among phi.
    means : tuple of Shared or None
        For each term what its coefficients vary about; None for zero.
    mixed : slice
        Places of the w among phi, column by column; empty where it is normal (``latent/mixtures.py``).
    """

    pool: Pool
    factor: int
    block: Block
    means: tuple[Shared | None, ...]
    mixed: slice

    @property
    def heavy(self) -> bool:
        """Whether it is not normal."""
        return bool(self.mixed.stop > self.mixed.start)

    def stretch(self, values: FloatArray) -> FloatArray | None:
        """Return what the w multiply the sds of its coefficients by, (S, G, columns); None where it is normal."""
        w = values[:, self.mixed]
        return w.reshape(len(w), len(self.block.columns), -1).swapaxes(1, 2) ** -0.5 if self.heavy else None


@dataclass(frozen=True, slots=True, eq=False)
class Factor:
    """What varies over the groups of one factor.

    Attributes
    ----------
    name : str
    codes : (N,) int array
    groups : int
    columns : (N, p) array
    hierarchies : tuple of Hierarchy
    mean, fixed : (p, G) arrays
        Mean and sd of coefficients that are not pooled, else 0.
    kept, members : int arrays or None
        Of classes of groups in null models, and the groups beside them (``ties.py``): the columns of D that are not
        zero, and a group of each class.
    """

    name: str
    codes: IntArray
    groups: int
    columns: FloatArray
    hierarchies: tuple[Hierarchy, ...]
    mean: FloatArray
    fixed: FloatArray
    kept: IntArray | None = None
    members: IntArray | None = None

    @property
    def width(self) -> int:
        """The number of columns."""
        return int(self.columns.shape[1])

    @property
    def size(self) -> int:
        """The number of coefficients."""
        return self.width * self.groups

    def root(self, values: FloatArray) -> FloatArray:
        """Return D at parameters phi (S, cells): (S, 1, p, p), or (S, G, p, p) where it differs by group."""
        alone = np.flatnonzero(np.any(self.fixed != 0, axis=1))
        by_group = len(alone) > 0 or any(each.heavy for each in self.hierarchies)
        out = np.zeros((len(values), self.groups if by_group else 1, self.width, self.width))
        for j in alone:
            out[:, :, j, j] = self.fixed[j]
        for each in self.hierarchies:
            block, stretch = each.block, each.stretch(values)
            sd, at = values[:, None, block.sds], block.columns
            if stretch is not None:
                sd = sd * (stretch if self.members is None else stretch[:, self.members])
            if block.correlated:
                root = correlation_root(values[:, None, block.partials], len(at))
                out[:, :, at[:, None], at[None, :]] = sd[..., :, None] * root
            else:
                out[:, :, at, at] = sd
        if self.kept is not None:
            out[:, :, :, np.setdiff1d(np.arange(self.width), self.kept)] = 0.0
        return out


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """Rows and priors.

    Attributes
    ----------
    y : (N,) array
        The response less all that is known.
    columns : (N, k) array
        X.
    mean, sd : (k,) arrays
        Of the priors of b; an infinite sd is a flat prior.
    mixed : mapping of int to int
        Elements of b with a Student or Cauchy prior, and the place of the w of each among phi (``latent/mixtures.py``).
    factors : tuple of Factor
    scales : Scales
        phi: the sigmas, what they depend on, the w of b, then pool by pool the sds, the partial correlations and the w
        of Student coefficients.
    sigmas : Cells
        The sigma of each row.
    shared : mapping of str to Shared
        By the name of the variable.
    hierarchies : tuple of Hierarchy
    own : tuple of (Coefficient, slice)
        Coefficients that are not pooled, and their columns among those of the first factor.
    weights : (N,) array
        Of the rows.
    log_unit : float
        Constant added to the log density of the data.
    """

    y: FloatArray
    columns: FloatArray
    mean: FloatArray
    sd: FloatArray
    mixed: dict[int, int]
    factors: tuple[Factor, ...]
    scales: Scales
    sigmas: Cells
    shared: dict[str, Shared]
    hierarchies: tuple[Hierarchy, ...]
    own: tuple[tuple[Coefficient, slice], ...]
    weights: FloatArray
    log_unit: float

    @property
    def rows(self) -> float:
        """The sum of the row weights."""
        return float(np.sum(self.weights))


def model_of(plan: Plan) -> Model:
    """Return a plan as rows and priors."""
    weights, errors = frequencies(plan.design), plan.design.standard_errors
    unit = np.sqrt(weights)
    made = _Made(plan, in_units(less_offset(plan.design), plan.design) * unit, in_units(unit, plan.design))
    for coefficient in plan.mean.coefficients:
        made.add(coefficient)
    for pool in plan.mean.pools:
        made.pool(pool, [_about(made, term) for term in pool.terms])
    for pool in plan.mean.varying:
        for term in pool.terms:
            made.vary(pool.grouping, term.coefficient)
        made.pool(pool, [made.shared.get(term.mean_name) for term in pool.terms])
    return Model(
        y=made.y,
        columns=np.stack(made.columns, axis=1) if made.columns else np.empty((len(made.y), 0)),
        mean=np.array(made.mean, dtype=float),
        sd=np.array(made.sd, dtype=float),
        mixed=made.mixed,
        factors=tuple(each.factor() for each in made.factors.values()),
        scales=Scales(tuple(made.cells)),
        sigmas=cells_of(plan.data.sigma, plan.design.rows.used),
        shared=made.shared,
        hierarchies=tuple(made.hierarchies),
        own=tuple(made.own),
        weights=weights,
        log_unit=0.0 if errors is None else -float(weights @ np.log(errors)),
    )


def _about(made: _Made, term: PooledTerm) -> Shared:
    """Add the means of a hierarchy of the groups right of the bar to the shared coefficients."""
    return made.share(term.mean_name, term.coefficient, term.mean)


@dataclass(slots=True)
class _OfFactor:
    """A factor while it is put together."""

    grouping: Grouping
    columns: list[FloatArray] = field(default_factory=list)
    mean: list[FloatArray] = field(default_factory=list)
    fixed: list[FloatArray] = field(default_factory=list)
    start: dict[str, int] = field(default_factory=dict)
    hierarchies: list[Hierarchy] = field(default_factory=list)

    def factor(self) -> Factor:
        return Factor(
            self.grouping.name,
            self.grouping.codes,
            len(self.grouping),
            np.stack(self.columns, axis=1),
            tuple(self.hierarchies),
            np.array(self.mean),
            np.array(self.fixed),
        )


class _Made:
    """A model while it is put together."""

    def __init__(self, plan: Plan, y: FloatArray, unit: FloatArray) -> None:
        self.y, self.unit = y, unit
        self.columns: list[FloatArray] = []
        self.mean: list[float] = []
        self.sd: list[float] = []
        self.mixed: dict[int, int] = {}
        self.shared: dict[str, Shared] = {}
        self.factors: dict[str, _OfFactor] = {}
        self.hierarchies: list[Hierarchy] = []
        self.own: list[tuple[Coefficient, slice]] = []
        self.cells: list[Cell] = sigmas_of(plan)
        self.pooled = plan.mean.pooled

    def add(self, coefficient: Coefficient) -> None:
        """Add a coefficient of the plan's terms."""
        if coefficient.grouping is None:
            assert coefficient.prior is not None  # only coefficients by group are pooled
            self.share(coefficient.name, coefficient, coefficient.prior)
        elif coefficient.name in self.pooled:
            self.vary(coefficient.grouping, coefficient)
        else:
            self._own(coefficient, coefficient.grouping)

    def share(self, name: str, coefficient: Coefficient, prior: Prior) -> Shared:
        """Add coefficients that all rows share."""
        shape = coefficient.term.shape
        dims = coefficient.dims if coefficient.grouping is None else coefficient.dims[1:]
        mean, sd, df = (np.ravel(each).astype(float) for each in location_and_scale(prior, shape))
        if not np.any(sd):
            out = Shared(name, dims, shape, None, mean)
            self.y = self.y - self.unit * (coefficient.term.columns @ mean)
        else:
            first = len(self.columns)
            self.columns += list((coefficient.term.columns * self.unit[:, None]).T)
            self.mean += list(mean)
            self.sd += list(sd)
            for column in np.flatnonzero(np.isfinite(df)):
                self.mixed[first + int(column)] = len(self.cells)
                self.cells += gammas(float(df[column]), 1)
            out = Shared(name, dims, shape, slice(first, len(self.columns)), mean)
        self.shared[name] = out
        return out

    def vary(self, grouping: Grouping, coefficient: Coefficient) -> _OfFactor:
        """Add columns whose coefficients vary over a factor, with nothing that is fixed."""
        factor = self.factors.setdefault(grouping.name, _OfFactor(grouping))
        factor.start[coefficient.name] = len(factor.columns)
        for column in coefficient.term.columns.T:
            factor.columns.append(column * self.unit)
            factor.mean.append(np.zeros(len(grouping)))
            factor.fixed.append(np.zeros(len(grouping)))
        return factor

    def pool(self, pool: Pool, means: Sequence[Shared | None]) -> None:
        """Add the prior of what varies together."""
        factor = self.factors[pool.grouping.name]
        block, more = block_of(pool, factor.start, len(self.cells))
        self.cells += more
        first = len(self.cells)
        if pool.request.heavy:
            self.cells += gammas(pool.request.degrees, len(block.columns) * len(pool.grouping))
        at = list(self.factors).index(pool.grouping.name)
        found = Hierarchy(pool, at, block, tuple(means), slice(first, len(self.cells)))
        factor.hierarchies.append(found)
        self.hierarchies.append(found)

    def _own(self, coefficient: Coefficient, grouping: Grouping) -> None:
        """Add coefficients by group that are not pooled."""
        assert coefficient.prior is not None
        shape = (len(grouping), *coefficient.term.shape)
        mean, sd, _ = location_and_scale(coefficient.prior, shape)
        mean, sd = (np.reshape(each, (len(grouping), -1)).astype(float) for each in (mean, sd))
        self.y = self.y - self.unit * np.sum(coefficient.term.columns * mean[grouping.codes], axis=1)
        if np.any(sd):
            factor = self.vary(grouping, coefficient)
            first = factor.start[coefficient.name]
            for j in range(mean.shape[1]):
                factor.mean[first + j], factor.fixed[first + j] = mean[:, j], sd[:, j]
            self.own.append((coefficient, slice(first, first + mean.shape[1])))
