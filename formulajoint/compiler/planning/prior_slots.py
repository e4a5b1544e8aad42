"""The variables of a model that can have a prior in the formula."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from formulajoint.design.schema import Design, Grouping, Predictor, Term
from formulajoint.distributions.distribution import POSITIVE, REAL, Interval
from formulajoint.families.likelihood import Likelihood
from formulajoint.spec.names import INTERCEPT
from formulajoint.spec.spec import MAIN

VALUE, MEAN, SD, COR = "", ".mean", ".sd", "cor"


@dataclass(frozen=True, slots=True)
class Slot:
    """A variable that can have a prior in the formula.

    Attributes
    ----------
    parameter : str
        ``mu`` for the main predictor.
    term : str or None
        None for a parameter without predictors, and for correlations.
    part : {"", ".mean", ".sd", "cor"}
        For a hierarchy, its location or scale.
    factors : tuple of str
        Sorted factors of the term.
    support : tuple of float
        Interval in which its prior must be.
    improper : bool
        Whether its prior may be flat.
    link : str
        Name of the link of the parameter's linear predictor.
    grouping : Grouping or None
        The groups with a value each.
    dims : mapping of str to tuple of str
        The variable's dims with their labels, the groups first.
    over : str
        The factor of a group term; empty for what does not vary in one.
    """

    parameter: str
    term: str | None
    part: str
    over: str = ""
    factors: tuple[str, ...] = field(default=(), compare=False)
    support: Interval = field(default=REAL, compare=False)
    improper: bool = field(default=False, compare=False)
    link: str = field(default="", compare=False)
    grouping: Grouping | None = field(default=None, compare=False)
    dims: Mapping[str, tuple[str, ...]] = field(default_factory=dict, compare=False)

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the variable's dims."""
        return tuple(map(len, self.dims.values()))

    @property
    def base(self) -> str:
        """The text before ``.mean`` or ``.sd`` in ``prior(...)``."""
        if self.part == COR:
            return COR
        if self.term is None:
            return self.parameter
        return self.term if self.parameter == MAIN else f"{self.parameter}.{self.term}"

    @property
    def spelling(self) -> str:
        """The name in ``prior(...)``."""
        return self.base if self.part == COR else self.base + self.part


def is_direct(predictor: Predictor) -> bool:
    """Return whether a parameter's only predictor is an intercept, shared or per group: ``sigma ~ 1 | g``."""
    alone = predictor.offset is None and not predictor.varying
    return alone and [term.name for term in predictor.terms] == ["Intercept"]


def slots(design: Design, family: Likelihood) -> list[Slot]:
    """Return every variable of the model that can have a prior in the formula."""
    pooled = {(p.parameter, term) for p in design.predictors for h in p.hierarchies for term in h.terms}
    out: list[Slot] = []
    for predictor in (design.predictor, *(p for p in design.parameters if not is_direct(p))):
        for term in predictor.terms:
            parts = (MEAN, SD) if (predictor.parameter, term.name) in pooled else (VALUE,)
            if family.thresholds is not None and predictor.parameter == MAIN and term.name == INTERCEPT:
                parts = (SD,)  # the thresholds stand for its mean
            out += [_slot_of(predictor, term, part, family) for part in parts]
        for over, block in predictor.by_factor.items():
            out += [_slot_of(predictor, term, SD, family, over) for term in block.terms]
    for name, own in family.further.items():
        predictor_ = design.parameter(name)
        if predictor_ is None or is_direct(predictor_):
            is_pooled = (name, "Intercept") in pooled
            improper = family.may_be_flat(name) and not is_pooled
            grouping = None if predictor_ is None or is_pooled else predictor_.grouping
            dims = _dims(grouping)
            out.append(
                Slot(
                    name,
                    None,
                    VALUE,
                    support=own.support,
                    improper=improper,
                    grouping=grouping,
                    dims=dims,
                )
            )
            out += [Slot(name, None, SD, support=POSITIVE)] if is_pooled else []
    if any(h.cor for p in design.predictors for h in p.hierarchies):
        out.append(Slot(MAIN, None, COR))
    correlated = {h.over for p in design.predictors for b in p.varying for h in b.pooling if h.cor}
    return [*out, *(Slot(MAIN, None, COR, over) for over in sorted(correlated))]


def _slot_of(predictor: Predictor, term: Term, part: str, family: Likelihood, over: str = "") -> Slot:
    """Return the slot of a term's coefficients, or of their location or scale in a hierarchy."""
    parameter, factors = predictor.parameter, {factor.name: factor.labels for factor in term.factors}
    grouping = predictor.grouping if part == VALUE and term in predictor.per_group else None
    link = family.further[parameter].link if parameter in family.further else family.mean.link
    improper = parameter == MAIN and part != SD  # ``propriety`` then checks that the posterior exists
    support = POSITIVE if part == SD else REAL
    names, dims = tuple(sorted(term.parts)), _dims(grouping) | factors
    return Slot(parameter, term.name, part, over, names, support, improper, link.name, grouping, dims)


def _dims(grouping: Grouping | None) -> dict[str, tuple[str, ...]]:
    return {} if grouping is None else {grouping.name: grouping.labels}
