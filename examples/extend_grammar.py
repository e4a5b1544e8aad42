"""How to add new syntax to the language.

The clause `A vs B` is short for the difference between two groups' coefficients, for each predictor except the
intercept. It needs a fragment of grammar, `vs.lark`, and one function that returns the clause it is short for.
"""

from pathlib import Path

import formulajoint as fj


def versus(node):
    """Return the clause that `A vs B` is short for; `.` means each per-group predictor in turn."""
    left, right = node.written
    return node.clause(f"contrast(.[{left}] - .[{right}])")


syntax = fj.Extension(
    "versus",
    fragments=[fj.Fragment.read(Path(__file__).with_name("vs.lark"))],
    rules={"versus": versus},
)
language = fj.CORE.extend(syntax)

formula = fj.parse("test_score ~ treatment | school, A vs B", language=language)
print(f"{formula.source}\nmeans\n{formula}\n")

fit = fj.fit(formula, fj.tutoring(), seed=1)
gap = fit.contrasts().loc["contrast_treatment"]
print(
    f"=> Tutoring is worth {gap['mean']:.1f} points more in A than in B, {gap.hdi_low:.1f} to {gap.hdi_high:.1f}."
)

# A column may still be called `vs`, and the plain language has not changed.
print(f"=> {fj.parse('vs ~ treatment | school, joint(treatment)', language=language)} is read as before.")
try:
    fj.parse("test_score ~ treatment | school, A vs B", language=fj.CORE)
except fj.FormulaError as error:
    print(f"=> The plain language says: {error.message}.")
