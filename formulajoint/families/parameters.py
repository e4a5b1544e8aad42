"""Parameters that several families have."""

from __future__ import annotations

from formulajoint.distributions.links import IDENTITY, LOG, Link
from formulajoint.distributions.prior import Prior, prior
from formulajoint.families.likelihood import USUAL, Parameter, Widths


def mean(*links: Link, what: str = "mean", symbol: str = "", widths: Widths = USUAL) -> Parameter:
    """Return the mean, with the links that a formula may choose, the default first; `what` it is."""
    return Parameter("mu", links[0], links, what, widths=widths, symbol=symbol)


def scale(sd: float) -> Prior:
    """Return the default prior of a scale in units of the response."""
    return prior("half_student_t", 4.0, sd)


MU = mean(IDENTITY)

SIGMA = Parameter("sigma", LOG, (), "residual scale", scale)

SHAPE = Parameter("shape", LOG, (), "shape", lambda sd: prior("log_normal", 1.0, 1.5))
"""Between 0.14 and 51 with prior probability 0.95."""

PHI = Parameter("phi", LOG, (), "precision", lambda sd: prior("log_normal", 2.0, 1.5))
"""Between 0.39 and 140 with prior probability 0.95."""
