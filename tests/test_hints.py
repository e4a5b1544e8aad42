"""Hints lead on: what a hint tells to write is accepted, in the user's own formula."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import formulajoint as fj

CASES = Path(__file__).parent / "cases/bad_formulas.txt"
WRITTEN = re.compile(r"(?:write|or) (?:`` (.+?) ``|`([^`]+)`)")
PIECES = ("y ~ {}", "{}", "y ~ x, {}", "y ~ x {}", "y ~ x | {}", "y ~ x{}", "y ~ I(x {} z)", "y ~ x {} z")
PIECES += ("y ~ x | g, joint(x, {})", "y ~ x, contrast({})", "y ~ x, test({})", "y ~ x, test(x {} z)")
PIECES += ("y ~ x, prior({})", "y ~ x, prior(x ~ {})", "y ~ x, joint(weights={})", "y ~ x, contrast(x[{}])")
PIECES += ("y ~ x, joint(weights={{{}}})", "y ~ {}x{}", "y ~ x, contrast(x{})", 'y ~ x, contrast(x["{}"])')
"""Where a piece of a formula can stand."""


@cache
def mistakes() -> list[tuple[str, fj.FormulaError]]:
    """Return wrong formulas with their errors."""
    found = []
    formulas, _, _ = CASES.read_text(encoding="utf-8").partition("\n[hypothesis")
    for block in formulas.split("\n\n"):
        lines = [line for line in block.splitlines() if line and not line.startswith(("#", "["))]
        try:
            fj.parse(lines[0] if lines else "y ~ x")
        except fj.FormulaError as error:
            found.append((lines[0], error))
    return found


def pieces(hint: str) -> list[str]:
    return [one or two for one, two in WRITTEN.findall(hint)]


def accepted(text: str) -> bool:
    try:
        fj.parse(text)
    except fj.FormulaError:
        return False
    return True


def test_what_a_hint_tells_to_write_is_read() -> None:
    """In the place of the mistake, or where such a piece stands."""
    wrong, count = [], 0
    for formula, error in mistakes():
        for piece in filter('"'.__ne__, pieces(error.hint)):  # half of what it stands for
            count += 1
            there = formula[: error.span.start] + piece + formula[error.span.end :]
            if not any(map(accepted, [there, *(place.replace("{}", piece) for place in PIECES)])):
                wrong.append((formula, piece))
    assert not wrong
    assert count > 130


def test_no_hint_is_a_template() -> None:
    """Such as `C(x, ref=, coding=)`, which cannot be copied."""
    of_calls = [(f, p) for f, error in mistakes() for p in pieces(error.hint) if re.search(r"=\s*[,)]", p)]
    assert not of_calls


# A call with wrong arguments is said again as it should be.
CALLS = [
    ("y ~ poly(x)", "y ~ poly(x, 2)"),
    ("y ~ center(x, g)", "y ~ center(x, by=g)"),
    ("y ~ common(x, z)", "y ~ common(x + z)"),
    ("y ~ C(x, coding=sum, base=3)", "y ~ C(x, coding=sum)"),
    ("y ~ x, prior(x ~ normal(0))", "y ~ x, prior(x ~ normal(0, 1))"),
    ("y ~ x, prior(x ~ normal(mu=0, sd=3))", "y ~ x, prior(x ~ normal(mu=0, sigma=3))"),
    ("y ~ x, prior(x ~ student_t(3))", "y ~ x, prior(x ~ student_t(3, 0, 1))"),
    ("y ~ x, prior(x ~ uniform(0))", "y ~ x, prior(x ~ uniform(0, 10))"),
    ("y ~ x, family(student, log)", "y ~ x, family(student, link=log)"),
    ("y ~ x | g, pairwise(x, weights=n)", "y ~ x | g, pairwise(x)"),
    ("y ~ x, test()", "y ~ x, test(x == 0)"),
]


@pytest.mark.parametrize(("wrong", "right"), CALLS)
def test_a_call_is_mended(wrong: str, right: str) -> None:
    with pytest.raises(fj.FormulaError) as told:
        fj.parse(wrong)
    (piece,) = pieces(told.value.hint)
    head = piece.partition("(")[0]
    start = re.search(rf"\b{head}\(", wrong).start()  # type: ignore[union-attr]
    assert right == wrong[:start] + piece + ")" * (wrong.endswith("))"))
    assert accepted(right)


RNG = np.random.default_rng(1)
DATA = pd.DataFrame(
    {
        "y": RNG.normal(size=96),
        "x": RNG.normal(size=96),
        "arm": np.tile(["a", "b", "c"], 32),
        "sex": np.repeat(["m", "f"], 48),
        "school": np.tile(["A", "A", "A", "B", "B", "B"], 16),
    }
)

NAMES = [
    "y ~ x | school, hierarchy(), pairwise(x_mean)",
    "y ~ x | school, hierarchy(), joint(x_sd)",
    "y ~ x | school, hierarchy(), joint(x.mean)",
    "y ~ x | school, hierarchy(), contrast(x_mean)",
    "y ~ x | school, hierarchy(), prior(x_mean ~ normal(0, 1))",
    'y ~ C(arm, ref="b") * sex | school, joint(arm:sex)',
    'y ~ C(arm, ref="b") * sex | school, pairwise(sex:arm)',
    'y ~ C(arm, ref="b") | school, joint(arm)',
    'y ~ C(arm, ref="b") | school, test(arm == 0)',
    'y ~ C(arm, ref="b") | school, contrast(arm[A, c])',
    "y ~ log(x + 9) | school, joint(x)",
    "y ~ arm | school, contrast(arm[A])",
    "y ~ x | school, pairwise(x, over=scool)",
    "y ~ x | schol",
]


@pytest.mark.parametrize("formula", NAMES)
def test_a_hint_about_names_is_accepted(formula: str) -> None:
    """Followed again and again until the model is made: each hint changes the formula's own text."""
    text = formula
    for _ in range(3):
        try:
            fj.model(text, DATA)
        except fj.FormulaError as error:
            found = pieces(error.hint) or re.findall("did you mean `([^`]+)`", error.hint)
            text = text[: error.span.start] + found[0] + text[error.span.end :]
        else:
            return
    pytest.fail(text)


def test_a_contrast_in_a_hypothesis_is_tested_after_the_fit() -> None:
    formula = "y ~ x | school, joint(x)"
    with pytest.raises(fj.FormulaError, match="leave it out here; after the fit, write") as told:
        fj.model(f"{formula}, test(joint_x == 0)", DATA)
    (call,) = pieces(told.value.hint)
    assert call == 'fit.test("joint_x == 0")'
    assert len(fj.fit(formula, DATA, seed=1, draws=50).test("joint_x == 0")) == 1


ELSEWHERE = {
    "t": "student",
    "zip": "zero_inflated_poisson",
    "zinb": "zero_inflated_negative_binomial",
    "ordinal": "cumulative",
    "ordered": "cumulative",
    "logit": "bernoulli",
    "multinomial": "categorical",
    "nbinom": "negative_binomial",
    "geometric": "negative_binomial",
    "zero_one_inflated_beta": "beta_binomial",
}


@pytest.mark.parametrize(("name", "ours"), ELSEWHERE.items())
def test_families_of_other_packages_are_answered_with_ours(name: str, ours: str) -> None:
    with pytest.raises(fj.FormulaError) as told:
        fj.parse(f"y ~ x, family({name})")
    assert re.search(rf"\b{ours}\b", told.value.hint)
    with pytest.raises(fj.FormulaError) as argument:
        fj.model("y ~ x", DATA, family=name)
    assert argument.value.hint == told.value.hint
    assert accepted(f"y ~ x, family({ours})")


def test_a_link_in_the_argument_and_a_response_that_needs_a_family() -> None:
    with pytest.raises(fj.FormulaError, match=r"family\(bernoulli, link=probit\)"):
        fj.model("sex ~ x", DATA, family="bernoulli(link=probit)")
    with pytest.raises(fj.DataError, match=r"family\(cumulative\)`, of others `family\(categorical\)"):
        fj.model("arm ~ x", DATA)
    with pytest.raises(fj.DataError, match=r"counts as an event: `I\(n == 100\)`"):
        fj.model("n ~ x, family(bernoulli)", DATA.assign(n=100 * (DATA["sex"] == "m")))
    with pytest.raises(fj.DataError, match="Divide percentages by 100"):
        fj.model("p ~ x, family(beta)", DATA.assign(p=np.arange(96.0) + 1))


def test_a_prior_of_a_coefficient_beside_one_of_a_group_term_needs_a_clause_of_its_own() -> None:
    wrong = "prior(x ~ normal(0, 1), Intercept.sd ~ half_normal(1), over=school)"
    with pytest.raises(fj.FormulaError) as told:
        fj.model(f"y ~ x + (1 | school), {wrong}", DATA)
    assert "`prior(x ~ normal(0, 1)), prior(..., over=school)`" in told.value.hint
    right = "prior(x ~ normal(0, 1)), prior(Intercept.sd ~ half_normal(1), over=school)"
    fj.model(f"y ~ x + (1 | school), {right}", DATA)


def test_names_of_other_parameters_in_tables_are_explained_where_they_are_tested() -> None:
    counts = DATA.assign(n=np.arange(96) % 5)
    formula = "n ~ x, zi ~ arm, family(zero_inflated_poisson)"
    with pytest.raises(fj.FormulaError, match=r"`contrast\(zi.arm\)` takes it"):
        fj.model(f"{formula}, test(zi_arm == 0)", counts)
    fj.model(f"{formula}, contrast(zi.arm[b])", counts)
    with pytest.raises(fj.FormulaError, match=r'`fit.posterior\["threshold"\]` has the draws'):
        fj.model("arm ~ x, family(cumulative, levels=[a, b, c]), test(threshold == 0)", DATA)


def test_the_heading_names_a_family_that_stands_beside_the_formula() -> None:
    counts = DATA.assign(n=np.arange(96) % 5)
    assert fj.model("n ~ x", counts, family="poisson").explain().startswith("n ~ x, family(poisson)\n")
    assert fj.model("n ~ x, family(poisson)", counts).explain().startswith("n ~ x, family(poisson)\n")
    assert fj.model("y ~ x", DATA).explain().startswith("y ~ x\n")
