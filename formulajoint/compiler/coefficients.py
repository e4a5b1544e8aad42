"""The coefficients of a plan as values: of one term, and pooled by a hierarchy or a group term."""

from __future__ import annotations

from dataclasses import dataclass

from formulajoint.design.pooling import Hierarchy
from formulajoint.design.schema import Grouping, Term
from formulajoint.distributions.prior import Prior


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
