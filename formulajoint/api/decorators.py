"""Decorators that add to the language of this process: a function becomes a clause, a column function, a family.

Each takes the function alone, ``@fj.contrast``, or arguments, ``@fj.contrast(meaning="trimmed mean")``, and returns the
function unchanged. The addition is registered under the function's module and name, so that running a notebook's cell
again replaces it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from formulajoint.contrasts.custom import Contrast, ContrastFamily
from formulajoint.contrasts.schemes import WeightScheme
from formulajoint.design.functions import ColumnFunction, Operator
from formulajoint.families.custom import Family
from formulajoint.language.vocabulary.default import register
from formulajoint.language.vocabulary.language import Extension, Named

type Function = Callable[..., Any]
type Decorator = Callable[[Function], Function]


def contrast(function: Function | None = None, *, name: str = "", meaning: str = "") -> Any:
    """Make a clause from a function of effects and weights that returns a contrast: ``trimmed(treatment, cut=0.2)``.

    Parameters
    ----------
    function, name, meaning
        As for `Contrast`.

    Examples
    --------
    >>> import formulajoint as fj
    >>> @fj.contrast(meaning="middle of the range")
    ... def midrange(effects, weights):
    ...     return (effects.min(axis=0) + effects.max(axis=0)) / 2
    >>> print(fj.parse("score ~ treatment | school, midrange(treatment)"))
    score ~ treatment | school, midrange(treatment)
    """
    return _decorator(lambda f: Contrast(f, name, meaning), function)


def contrast_family(function: Function | None = None, *, name: str = "", meaning: str = "") -> Any:
    """Make a clause with several entries from a function of levels that returns labelled weights.

    Parameters
    ----------
    function, name, meaning
        As for `ContrastFamily`.
    """
    return _decorator(lambda f: ContrastFamily(f, name, meaning), function)


def weights(function: Function | None = None, *, name: str = "") -> Any:
    """Make a weight scheme from a function of `Groups`, and columns, that returns weights: ``weights=root()``.

    Parameters
    ----------
    function, name
        As for `WeightScheme`.
    """
    return _decorator(lambda f: WeightScheme(f, name), function)


def column(
    function: Function | None = None, *, learn: Function | None = None, name: str = "", domain: str = ""
) -> Any:
    """Make a function of columns: ``score ~ share(pages)``.

    Parameters
    ----------
    function, learn, name, domain
        As for `ColumnFunction`.
    """
    return _decorator(lambda f: ColumnFunction(f, learn, name, domain), function)


def operator(name: str) -> Decorator:
    """Make an operator between columns: ``@fj.operator("%minus%")`` makes ``x %minus% z`` valid.

    Parameters
    ----------
    name
        As for `Operator`.
    """
    decorate: Decorator = _decorator(lambda f: Operator(name, f), None)
    return decorate


def family(
    function: Function | None = None,
    *,
    parameters: Mapping[str, str] | None = None,
    link: str = "identity",
    name: str = "",
    above: float = -float("inf"),
    below: float = float("inf"),
    whole: bool = False,
    scipy: Function | None = None,
    links: Mapping[str, str] | None = None,
    log_density: Function | None = None,
) -> Any:
    """Make a family from a function of mean and parameters that returns a PyMC distribution: ``family(laplace)``.

    Parameters
    ----------
    function, parameters, link, name, above, below, whole, scipy, links, log_density
        As for `Family`.
    """

    def made(of: Function) -> Family:
        return Family(
            of,
            parameters or {},
            link,
            name,
            above,
            below,
            whole,
            scipy,
            links=links or {},
            log_density=log_density,
        )

    return _decorator(made, function)


def _decorator(made_of: Callable[[Function], Named], function: Function | None) -> Any:
    """Return the decorator that registers what is `made_of` a function, or apply it if `function` is given."""

    def decorate(decorated: Function) -> Function:
        named = made_of(decorated)
        qualified = getattr(decorated, "__qualname__", named.name)
        register(Extension(f"{decorated.__module__}.{qualified}", [named]))
        return decorated

    return decorate if function is None else decorate(function)
