"""Read a distribution written in a formula as a prior."""

from __future__ import annotations

from formulajoint.distributions.declared import DISTRIBUTIONS
from formulajoint.distributions.distribution import POSITIVE, REAL, SHARE, Interval
from formulajoint.distributions.prior import WRITTEN, Prior, prior
from formulajoint.errors import FormulaError
from formulajoint.spec.spec import Given, Law


def read_prior(
    name: str, asked: Given[Law], correlation: bool = False, support: Interval = REAL, flat: bool = True
) -> Prior:
    """Return the prior that is asked for a parameter.

    Parameters
    ----------
    name : str
        Name of the parameter, for errors.
    asked : Given[Law]
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
        return FormulaError(message, asked.span, hint)

    law = asked.value
    distribution = DISTRIBUTIONS[law.name]
    if distribution.matrix != correlation:
        wanted = "`lkj(eta)`" if correlation else "a distribution of single numbers"
        raise refuse(f"`{law.name}` cannot be the prior of `{name}`, which takes {wanted}")
    numbers = [law.numbers[argument] for argument in distribution.args]
    found = prior(law.name, *numbers, origin=WRITTEN)
    low, high = found.support
    if found.constant is None and not low < high:
        raise refuse("the lower bound of `uniform` must be below the upper")
    if not found.fits(*support):
        where, laws = _within(*support)
        raise refuse(f"`{name}` is {where}, but `{asked.text}` is not", f"use {laws} or constant")
    if not (found.proper or flat):
        raise refuse(f"`{name}` needs a proper prior: nothing shows that its posterior would exist")
    return found


def _within(low: float, high: float) -> tuple[str, str]:
    """Return the bounds of a parameter in words, and the distributions that fit them."""
    if (low, high) == POSITIVE:
        laws = "half_normal, half_student_t, half_cauchy, exponential, gamma, inverse_gamma, log_normal"
        return "above zero", laws
    return f"between {low:g} and {high:g}", "beta, uniform" if (low, high) == SHARE else "uniform"
