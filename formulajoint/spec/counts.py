"""Successes among trials, as a response states them."""

from __future__ import annotations

from typing import NamedTuple

from formulajoint.language.syntax.nodes import Call, Chain, Expr


class Counts(NamedTuple):
    """The successes and the trials, as arithmetic of columns."""

    successes: Expr
    trials: Expr


def counts_of(response: Expr) -> Counts | None:
    """Return what ``prop(successes, trials)`` and ``cbind(successes, failures)`` state; None for another response.

    Examples
    --------
    >>> from formulajoint.language.syntax.text import canonical
    >>> from formulajoint.spec.read import parse
    >>> canonical(counts_of(parse("cbind(s, n - s) ~ x").response).trials)
    'n'
    """
    match response:
        case Call(name="prop"):
            named = {keyword.name: keyword.value for keyword in response.keywords}
            given = dict(zip(("successes", "trials"), response.args, strict=False)) | named
            return Counts(given["successes"], given["trials"])
        case Call(name="cbind", args=(successes, Chain(operators=("-",), operands=(trials, same)))) if (
            same == successes
        ):
            return Counts(successes, trials)
        case Call(name="cbind", args=(successes, failures)):
            return Counts(successes, Chain(("+",), (successes, failures), response.span))
    return None
