"""Read a distribution written in a formula as a prior."""

from __future__ import annotations

from collections.abc import Mapping

from formulajoint.distributions.prior import LAWS, WRITTEN, Prior, prior
from formulajoint.errors import FormulaError
from formulajoint.language.syntax.constants import constant
from formulajoint.language.syntax.nodes import Call
from formulajoint.language.syntax.text import canonical
from formulajoint.language.vocabulary.core import DISTRIBUTIONS
from formulajoint.language.vocabulary.signatures import arguments


def read_prior(
    name: str, call: Call, correlation: bool = False, positive: bool = False, flat: bool = True
) -> Prior:
    """Return the prior of a parameter that `call` states.

    Parameters
    ----------
    name : str
        Name of the parameter, for errors.
    call : Call
        Such as ``normal(0, 1)``.
    correlation, positive : bool
        Whether the parameter is a correlation matrix, or above zero.
    flat : bool
        Whether its prior may be flat.

    Raises
    ------
    FormulaError
        If the distribution cannot be the prior of this parameter.
    """

    def refuse(message: str, hint: str = "") -> FormulaError:
        return FormulaError(message, call.span, hint)

    law = LAWS[call.name]
    if (law.support == "correlation") != correlation:
        wanted = "`lkj(eta)`" if correlation else "a distribution of single numbers"
        raise refuse(f"`{call.name}` cannot be the prior of `{name}`, which takes {wanted}")
    written = arguments(call, DISTRIBUTIONS[call.name])
    numbers = {argument: constant(value) for argument, value in written.items()}
    if call.name == "uniform" and not numbers["lower"] < numbers["upper"]:
        raise refuse("the lower bound of `uniform` must be below the upper")
    if positive and not _is_positive(call.name, numbers):
        raise refuse(
            f"`{name}` is above zero, but `{canonical(call)}` is not",
            "use half_normal, half_student_t, half_cauchy, exponential, gamma, inverse_gamma, log_normal or constant",
        )
    if call.name == "flat" and not flat:
        raise refuse(f"`{name}` needs a proper prior: nothing shows that its posterior would exist")
    return prior(call.name, *(numbers[argument] for argument in law.args), origin=WRITTEN)


def _is_positive(law: str, numbers: Mapping[str, float]) -> bool:
    if law == "constant":
        return numbers["value"] > 0
    if law == "uniform":
        return numbers["lower"] >= 0
    return law == "flat" or LAWS[law].support == "positive"
