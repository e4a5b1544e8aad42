"""A request for partial pooling as a value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf, isfinite

from formulajoint.distributions.prior import Prior, prior
from formulajoint.spans import NOWHERE, Span

HIERARCHIES: Mapping[str, Callable[[float], Prior]] = {
    "normal": lambda df: prior("normal", 0.0, 1.0),
    "student": lambda df: prior("student_t", df, 0.0, 1.0),
    "cauchy": lambda df: prior("cauchy", 0.0, 1.0),
}
"""Word of ``dist=`` -> distribution of the groups' coefficients with location zero and scale one, from ``df=``."""


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """A request for partial pooling of some per-group terms of one parameter.

    `centered` is None for ``auto``; `df` is the degrees of freedom of a Student hierarchy. `scale` is ``sigma`` if not
    the coefficients are pooled but their number of residual sds. `over` names the groups of a group term, and is empty
    for those right of the bar. `about_zero` has the terms of a group term that vary about zero, since no coefficient of
    them is shared.
    """

    parameter: str
    terms: tuple[str, ...]
    dist: str = "normal"
    cor: bool = True
    df: float = 4.0
    centered: bool | None = None
    scale: str = "none"
    span: Span = field(default=NOWHERE, repr=False, compare=False)
    over: str = ""
    about_zero: tuple[str, ...] = ()

    @property
    def in_sds(self) -> bool:
        """Whether the coefficients are pooled in residual sds: b_g = sigma_g d_g, and the d_g are pooled."""
        return self.scale == "sigma"

    @property
    def standard(self) -> Prior:
        """The distribution of the groups' coefficients with location zero and scale one."""
        return HIERARCHIES[self.dist](self.df)

    @property
    def degrees(self) -> float:
        """The degrees of freedom of `standard`; infinity for the normal distribution."""
        mixture = self.standard.mixture
        return inf if mixture is None else float(mixture.df)

    @property
    def heavy(self) -> bool:
        """Whether `standard` has heavier tails than the normal distribution."""
        return isfinite(self.degrees)
