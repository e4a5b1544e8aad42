"""The prior of each variable: as the formula writes it, or the default."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from formulajoint.compiler.planning import defaults
from formulajoint.compiler.planning.prior_clauses import Overrides
from formulajoint.compiler.planning.prior_slots import VALUE, Slot
from formulajoint.design.schema import Predictor, Term
from formulajoint.distributions.prior import FLAT, Prior, prior
from formulajoint.spec.spec import MAIN


@dataclass(frozen=True, slots=True)
class Priors:
    """What the formula says of priors, and whether all that it does not name are flat; `given` has those given."""

    overrides: Overrides
    flat: bool
    given: dict[Slot, Prior] = field(default_factory=dict)

    def of(self, slot: Slot, default: Callable[[], Prior], flat: Prior | None = None) -> Prior:
        """Return the prior of `slot`: as written; else `flat`, if given, under priors="flat"; else the default."""

        def unwritten() -> Prior:
            return flat if self.flat and flat is not None else default()

        written = self.overrides.get(slot)
        self.given[slot] = found = unwritten() if written is None else written.over(unwritten)
        return found

    def of_coefficients(self, predictor: Predictor, term: Term, scale: defaults.Scales, part: str) -> Prior:
        """Return the prior of a term's coefficients, or of their mean under a hierarchy."""
        flat = prior("flat", origin=FLAT) if predictor.parameter == MAIN else None
        slot = Slot(predictor.parameter, term.name, part)
        return self.of(slot, partial(defaults.coefficient, term, predictor, scale), flat)

    def of_mean(self, predictor: Predictor, fixed: Term | None, scale: defaults.Scales) -> Prior:
        """Return the prior of what the coefficients of a group term vary about: a shared coefficient, or zero."""
        if fixed is None:
            return prior("constant", 0.0)
        return self.of_coefficients(predictor, fixed, scale, VALUE)
