"""The language's own families, each declared once."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from formulajoint.distributions.declared import NORMAL, STUDENT_T
from formulajoint.distributions.links import IDENTITY, LOG
from formulajoint.distributions.prior import FLAT, Prior, prior
from formulajoint.families.likelihood import Likelihood, Parameter

MU = Parameter("mu", IDENTITY, (IDENTITY,))


def _scale(sd: float) -> Prior:
    return prior("half_student_t", 4.0, sd)


GAUSSIAN = Likelihood(
    "gaussian",
    NORMAL,
    (MU, Parameter("sigma", LOG, (), "residual sd", _scale, prior("inverse", origin=FLAT))),
    spread="sigma",
    sums=True,
    improper=True,
)

STUDENT = Likelihood(
    "student",
    STUDENT_T,
    (
        MU,
        Parameter("sigma", LOG, (), "residual scale", _scale),
        Parameter("nu", LOG, (), "degrees of freedom", lambda sd: prior("gamma", 2.0, 0.1)),
    ),
    spread="sigma",
    improper=True,
)

DEFAULT = GAUSSIAN
"""The family where none is named."""

FAMILIES: Mapping[str, Likelihood] = MappingProxyType({family.name: family for family in (GAUSSIAN, STUDENT)})
"""All of them, by name."""
