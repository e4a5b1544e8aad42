"""Refuse formulas that the language can state but this release cannot fit, with a message that says so."""

from __future__ import annotations

from collections.abc import Mapping

from formulajoint.errors import FormulaError
from formulajoint.families.choice import family_of
from formulajoint.language.syntax.nodes import Call, Chain, Expr, GroupTerm, Rest
from formulajoint.language.syntax.text import canonical
from formulajoint.language.vocabulary.language import Language
from formulajoint.language.vocabulary.refused import COUNTS
from formulajoint.spans import Span
from formulajoint.spec.algebra import expand
from formulajoint.spec.names import walk
from formulajoint.spec.spec import ModelSpec

FUNCTIONS: Mapping[str, str] = {
    "prop": COUNTS,
    "cbind": COUNTS,
}


def refuse_unavailable(spec: ModelSpec, language: Language) -> None:
    """Raise a FormulaError for functions, group terms and families that cannot be fitted yet."""
    for expr in (spec.response, *(linear.predictors for linear in spec.parameters)):
        for part in walk(expr):
            if isinstance(part, GroupTerm):
                raise _refusal(f"the group term `{canonical(part)}`", part.span, _instead(spec, part))
            if isinstance(part, Call) and part.name in FUNCTIONS:
                raise _refusal(f"`{part.name}(...)`", part.span, FUNCTIONS[part.name])
    family_of(spec, None, language)


def _refusal(what: str, at: Span, hint: str) -> FormulaError:
    return FormulaError(f"{what} is not available yet", at, hint)


# --- group terms, as groups right of a bar


def _instead(spec: ModelSpec, part: GroupTerm) -> str:
    """Return what to write instead of a group term: the user's formula, if it has one such term and no groups yet."""
    mean = spec.parameters[0]
    written = mean.predictors
    operands = (
        written.operands if isinstance(written, Chain) and set(written.operators) == {"+"} else (written,)
    )
    others = [operand for operand in operands if operand is not part]
    alone = len(others) < len(operands) and not any(
        isinstance(p, GroupTerm | Rest) for o in others for p in walk(o)
    )
    if not alone or mean.group is not None:
        return (
            "one set of groups can have coefficients of its own: write it right of a bar, `| g, hierarchy()`"
        )
    by_group, fixed = _names(part.predictors), _names(*others)
    shared = [name for name in fixed if name not in by_group]
    left = [*(by_group if "1" in by_group else ["0", *by_group])]
    left += [f"common({' + '.join(shared)})"] if shared else []
    left += [canonical(o) for o in others if isinstance(o, Call) and o.name == "offset"]
    pooled = "hierarchy()" if part.correlated else "hierarchy(cor=false)"
    outer = canonical(part.group.names[0])
    text, at = mean.span.source, mean.span
    clauses = (
        "" if spec.priors or spec.questions else text[at.end :]
    )  # they may name terms that are now shared
    new = f"{text[: at.start]}{' + '.join(left)} | {outer}, {pooled}{clauses}"
    lost = "" if len(part.group.names) == 1 else f", without the groups within {outer}"
    more = ", then the clauses on its terms" if spec.priors or spec.questions else ""
    return f"write `{new}`{lost}{more}"


def _names(*predictors: Expr) -> list[str]:
    """Return the terms of a sum of predictors, expanded: ``1``, ``x``, ``x:z``."""
    ones: list[Expr] = [p for p in predictors if not (isinstance(p, Call) and p.name == "offset")]
    if not ones:
        return ["1"]
    whole = ones[0] if len(ones) == 1 else Chain(("+",) * (len(ones) - 1), tuple(ones))
    return [":".join(product.keys) or "1" for product in expand(whole, (), False).own]
