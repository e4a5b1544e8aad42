"""A plan's equations as LaTeX, with the data's own names: what ``explain(format="latex")`` returns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from formulajoint.compiler.plan import LinearPlan, Plan
from formulajoint.results.text.contrasts import contrast_meanings
from formulajoint.results.text.describe import Equation, equations, priors, trials_text
from formulajoint.results.text.rows import known_sds
from formulajoint.results.text.within import within_lines
from formulajoint.wording import visible

GREEK: Mapping[str, str] = MappingProxyType(
    {name: f"\\{name}" for name in ("mu", "sigma", "nu", "phi", "alpha")}
)

SIGNS: Mapping[str, str] = MappingProxyType({"*": r" \cdot ", "~": r" \sim ", "<=": r"\le", "...": r"\dots"})

SPECIAL: Mapping[str, str] = MappingProxyType(
    {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    | {sign: f"\\{sign}" for sign in "{}$&#%_"}
)


class Latex(str):
    """LaTeX as text, which a notebook shows as equations."""

    __slots__ = ()

    def _repr_latex_(self) -> str:
        return f"$$\n{self}\n$$"


def explain_latex(plan: Plan) -> Latex:
    """Return likelihood, predictors, priors and contrasts as one ``aligned`` block, for math mode."""
    lines = [_line(each, plan) for each in (*equations(plan), *priors(plan))]
    lines += [f"&\\text{{{escaped(line)}}}" for line in within_lines(plan.design)]
    lines += [_contrast(c.name, what) for c, what in contrast_meanings(plan)]
    return Latex("\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}")


def _line(equation: Equation, plan: Plan) -> str:
    """Return an equation, aligned at its ``=`` or ``~``."""
    relation = "=" if equation.sign == "=" else r"\sim"
    return f"{mathematics(equation.left, plan)} &{relation} {mathematics(equation.right, plan)}"


def _contrast(name: str, what: str) -> str:
    return f"\\text{{{escaped(name)}}} &: \\text{{{escaped(what)}}}"


def mathematics(text: str, plan: Plan) -> str:
    """Return an expression as LaTeX: names upright, indices as subscripts, functions as operators."""
    known = "|".join(re.escape(name) for name in sorted(_names(plan), key=len, reverse=True))
    name = rf"(?P<of>b_)?(?P<name>{known})(?:\[(?P<index>[^\]]*)\])?(?!\w)"
    pattern = rf"{name}|(?P<word>[^\W\d]\w*)|(?P<sign>\.\.\.|<=|[*~])|(?P<rest>.)"
    return "".join(_token(match) for match in re.finditer(pattern, text)).replace("  ", " ")


def _token(match: re.Match[str]) -> str:
    name, index, word, sign = (match[group] for group in ("name", "index", "word", "sign"))
    if match["of"] is not None:  # a coefficient, beside the column of the same name
        return (
            f"b_{{\\text{{{escaped(', '.join(part for part in (name.replace('`', ''), index) if part))}}}}}"
        )
    if name is not None:
        own = GREEK.get(name, f"\\text{{{escaped(name.replace('`', ''))}}}")
        return own if index is None else f"{own}_{{\\text{{{escaped(index)}}}}}"
    if word is not None:
        return GREEK.get(word, f"\\operatorname{{{escaped(word)}}}")
    return SIGNS[sign] if sign is not None else match["rest"]


def _names(plan: Plan) -> set[str]:
    linear = [part for part in plan.parameters if isinstance(part, LinearPlan)]
    terms = {c.term.name for part in linear for c in part.coefficients}
    known = {known_sds(plan), trials_text(plan), *plan.design.response.levels} - {""}
    return {plan.response_name, *terms, *plan.variables, *(p.name for p in plan.family.parameters), *known}


def escaped(text: str) -> str:
    """Return `text` escaped for use within LaTeX's ``\\text``."""
    return "".join(SPECIAL.get(character, character) for character in visible(text).replace("\n", "\\n"))
