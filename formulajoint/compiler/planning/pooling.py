"""Hierarchies and group terms: coefficients of groups that come from one distribution."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from formulajoint.compiler import names
from formulajoint.compiler.coefficients import Coefficient, Correlation, Pool, PooledTerm
from formulajoint.compiler.names import Names
from formulajoint.compiler.planning import centring, defaults
from formulajoint.compiler.planning.prior_slots import COR, MEAN, SD, Slot
from formulajoint.compiler.planning.priors import Priors
from formulajoint.data.data import Data
from formulajoint.design.pooling import Hierarchy
from formulajoint.design.schema import Block, Grouping, Predictor, Term
from formulajoint.distributions.prior import prior
from formulajoint.spec.spec import MAIN

ETA = 2.0
"""Default LKJ concentration: slightly disfavours correlations near one."""


@dataclass(frozen=True, slots=True)
class Pooling:
    """Plans what is pooled of one linear predictor."""

    predictor: Predictor
    priors: Priors
    scale: defaults.Scales
    names: Names

    # --- hierarchies of the groups right of the bar

    def hierarchy(
        self, request: Hierarchy, coefficients: Mapping[str, Coefficient], auto: Mapping[str, bool]
    ) -> Pool:
        """Return one hierarchy over some of the coefficients; `auto` says which the centred form suits."""
        grouping = coefficients[request.terms[0]].grouping
        assert grouping is not None  # checked by resolve_hierarchies
        scale = defaults.in_sds(self.scale) if request.in_sds else self.scale
        members = []
        for name in request.terms:
            centered = auto.get(name, False) if request.centered is None else request.centered
            members.append(self._member(request, coefficients[name], scale, centered))
        terms = {name: coefficient.term for name, coefficient in coefficients.items()}
        return self._pool(request, grouping, members, terms)

    def _member(
        self, request: Hierarchy, coefficient: Coefficient, scale: defaults.Scales, centered: bool
    ) -> PooledTerm:
        term, parameter = coefficient.term, self.predictor.parameter
        base = names.coefficient(parameter, term)
        mean = self.priors.of_coefficients(self.predictor, term, scale, MEAN)
        default = partial(defaults.hierarchy_sd, term, self.predictor, scale)
        by_column = centered and request.cor and term.columns.shape[1] > 1
        sd = self.priors.of(Slot(parameter, term.name, SD), default)
        return PooledTerm(
            coefficient=coefficient,
            mean_name=self.names.variable(f"{base}_mean"),
            sd_name=self.names.variable(f"{base}_sd"),
            offset_name=None if centered else self.names.variable(f"{base}_offset"),
            mean=mean,
            sd=sd,
            dims=coefficient.dims[1:],
            column_names=tuple(map(self.names.variable, names.columns(term))) if by_column else (),
        )

    # --- group terms

    def group_terms(self, shared: Mapping[str, Coefficient], data: Mapping[str, Data]) -> Iterator[Pool]:
        """Yield a pool for each set of correlated terms.

        Parameters
        ----------
        shared : mapping of str to Coefficient
            Those that all rows share, by term.
        data : mapping of str to Data
            The rows by the groups of each factor, where the centred form can be judged.
        """
        for block in self.predictor.varying:
            yield from self._block(block, shared, data)

    def _block(
        self, block: Block, shared: Mapping[str, Coefficient], data: Mapping[str, Data]
    ) -> Iterator[Pool]:
        grouping = block.grouping
        assert grouping is not None  # a group term has groups
        rows = data.get(grouping.name)
        auto = {} if rows is None else centring.centered_terms(rows, block.pooling)
        terms = {term.name: term for term in block.terms}
        for request in block.pooling:
            members = []
            for name in request.terms:
                fixed = self.predictor.fixed(terms[name])
                about = None if fixed is None else shared[fixed.name]
                centered = auto.get(name, False) if request.centered is None else request.centered
                members.append(self._varying(request, grouping, terms[name], about, centered))
            yield self._pool(request, grouping, members, terms)

    def _varying(
        self, request: Hierarchy, grouping: Grouping, term: Term, about: Coefficient | None, centered: bool
    ) -> PooledTerm:
        """Return a term of a group term, which varies about the coefficient `about` or about zero."""
        base, unique = names.varying(self.predictor.parameter, term), self.names.variable
        deviation = unique(f"{base}|{request.over}")
        total = deviation if about is None else unique(f"{base}_by_{request.over}")
        dims = (self.names.group_dim(grouping), *self.names.factor_dims(term))
        slot = Slot(self.predictor.parameter, term.name, SD, request.over)
        by_column = centered and request.cor and term.columns.shape[1] > 1
        columns = (f"{column}_by_{request.over}" for column in names.columns(term))
        return PooledTerm(
            coefficient=Coefficient(total, term, dims, grouping, None, names.plain(base)),
            mean_name="" if about is None else about.name,
            sd_name=unique(f"{base}|{request.over}_sd"),
            offset_name=None if centered else unique(f"{base}|{request.over}_offset"),
            mean=self.priors.of_mean(self.predictor, None if about is None else about.term, self.scale),
            sd=self.priors.of(slot, partial(defaults.hierarchy_sd, term, self.predictor, self.scale)),
            dims=dims[1:],
            column_names=tuple(map(unique, columns)) if by_column else (),
            deviation_name=deviation,
        )

    # --- both

    def _pool(
        self,
        request: Hierarchy,
        grouping: Grouping,
        members: list[PooledTerm],
        terms: Mapping[str, Term],
    ) -> Pool:
        labels = tuple(label for name in request.terms for label in names.columns(terms[name]))
        correlation = self._correlation(request, grouping, labels) if request.cor else None
        return Pool(request, grouping, self.names.group_dim(grouping), tuple(members), correlation)

    def _correlation(self, request: Hierarchy, grouping: Grouping, labels: tuple[str, ...]) -> Correlation:
        base = grouping.name if request.parameter == MAIN else f"{request.parameter}_{grouping.name}"
        name = self.names.variable(f"{base}_cor")
        pairs = tuple(f"{a}, {b}" for j, a in enumerate(labels) for b in labels[j + 1 :])
        stem = name.removeprefix(self.names.prefix)
        return Correlation(
            name=name,
            partial_name=self.names.variable(f"{stem}_partial"),
            partial_dim=self.names.dim(f"{stem}_pair", pairs),
            dims=(self.names.dim(f"{stem}_row", labels), self.names.dim(f"{stem}_column", labels)),
            labels=labels,
            prior=self.priors.of(Slot(MAIN, None, COR, request.over), partial(prior, "lkj", ETA)),
        )
