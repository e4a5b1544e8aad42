"""What to do about coefficients of other parameters than the mean, by their names in tables, such as ``zi_x``."""

from __future__ import annotations

from formulajoint.design.schema import Design
from formulajoint.families.named import LIKELIHOODS
from formulajoint.language.syntax.nodes import Expr, Subscript
from formulajoint.language.syntax.text import canonical


def of_another(design: Design, expr: Expr) -> str:
    """Return the hint for a name in tables of what belongs to another parameter; empty for any other name."""
    variable = canonical(expr.of if isinstance(expr, Subscript) else expr)
    known = {
        f"{each.parameter}_{term.name}": f"{each.parameter}.{term.name}"
        for each in design.predictors[1:]
        for term in each.terms
    }
    asked = design.spec.family
    family = None if asked is None else LIKELIHOODS.find(asked.name.value, design.language)
    if variable not in known and (family is None or variable not in family.further):
        return ""
    if variable in known:
        return f"tests and contrast families take coefficients of the mean; `contrast({known[variable]})` takes it"
    return (
        f'tests and contrast families take coefficients of the mean; `fit.posterior["{variable}"]` has the draws '
        f"of `{variable}`, and `fit.summary()` its interval"
    )
