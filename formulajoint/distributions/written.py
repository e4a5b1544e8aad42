"""Read a distribution written in a formula as a prior."""

from __future__ import annotations

from formulajoint.distributions.declared import DISTRIBUTIONS
from formulajoint.distributions.distribution import POSITIVE, REAL, SHARE, Interval
from formulajoint.distributions.prior import WRITTEN, Prior, prior
from formulajoint.errors import FormulaError
from formulajoint.language.syntax.constants import constant
from formulajoint.language.syntax.nodes import Call
from formulajoint.language.syntax.text import canonical
from formulajoint.language.vocabulary import core
from formulajoint.language.vocabulary.signatures import arguments


def read_prior(
    name: str, call: Call, correlation: bool = False, support: Interval = REAL, flat: bool = True
) -> Prior:
    """Return the prior of a parameter that `call` states.

    Parameters
    ----------
    name : str
        Name of the parameter, for errors.
    call : Call
        Such as ``normal(0, 1)``.
    correlation : bool
        Whether the parameter is a correlation matrix.
    support : tuple of float
        Bounds of the parameter.
    flat : bool
        Whether its prior may be flat.

    Raises
    ------
    FormulaError
        If the distribution cannot be the prior of this parameter.
    """

    def refuse(message: str, hint: str = "") -> FormulaError:
        return FormulaError(message, call.span, hint)

    distribution = DISTRIBUTIONS[call.name]
    if distribution.matrix != correlation:
        wanted = "`lkj(eta)`" if correlation else "a distribution of single numbers"
        raise refuse(f"`{call.name}` cannot be the prior of `{name}`, which takes {wanted}")
    written = arguments(call, core.DISTRIBUTIONS[call.name])
    numbers = [constant(written[argument]) for argument in distribution.args]
    found = prior(call.name, *numbers, origin=WRITTEN)
    low, high = found.support
    if found.constant is None and not low < high:
        raise refuse("the lower bound of `uniform` must be below the upper")
    if not found.fits(*support):
        where, laws = _within(*support)
        raise refuse(f"`{name}` is {where}, but `{canonical(call)}` is not", f"use {laws} or constant")
    if not (found.proper or flat):
        raise refuse(f"`{name}` needs a proper prior: nothing shows that its posterior would exist")
    return found


def _within(low: float, high: float) -> tuple[str, str]:
    """Return the bounds of a parameter in words, and the distributions that fit them."""
    if (low, high) == POSITIVE:
        laws = "half_normal, half_student_t, half_cauchy, exponential, gamma, inverse_gamma, log_normal"
        return "above zero", laws
    return f"between {low:g} and {high:g}", "beta, uniform" if (low, high) == SHARE else "uniform"
