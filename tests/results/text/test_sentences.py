"""The sentences: none says more than its figures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array

from formulajoint.contrasts.hypotheses import Hypothesis
from formulajoint.inference.one_kind import Against
from formulajoint.inference.quadrature import LogIntegral
from formulajoint.remarks import Missing, Note
from formulajoint.results.draws.posterior import Effect
from formulajoint.results.draws.tables import Estimates
from formulajoint.results.joint_tests.bayes_factor.verdict import COSTS, Verdict
from formulajoint.results.joint_tests.classical import Classical
from formulajoint.results.joint_tests.disagreements import DISAGREE as DISAGREEMENT
from formulajoint.results.joint_tests.disagreements import WEAK
from formulajoint.results.joint_tests.figures import Figure
from formulajoint.results.joint_tests.joint_test import JointTest
from formulajoint.results.joint_tests.shares import FEW_DRAWS, NO_CONTOUR
from formulajoint.results.text.any_effect import (
    AT_EDGE,
    BY_BANDS,
    BY_MEAN,
    DISAGREE,
    EDGE,
    FOR_NONE,
    GRADES,
    LATER,
    NOT_ANSWERED,
    OPEN,
    VERDICT,
    any_effect,
    by_contour,
    not_tested,
)
from formulajoint.results.text.sentences import Apart, Subject, how_large, how_large_without, how_sure

type Kind = Literal["for", "against", "depends"]
type Notes = tuple[Note, ...]

ABOUT = Subject("treatment", "treatment", "school", 0.95, "points of test_score")
NONE = float("nan")
(DECISIVE, STRONG, MODERATE) = (grade for _, grade in GRADES)


def joint_row(
    contour: float,
    log_bf10: float = NONE,
    mcse: float = 0.0001,
    p_value: float = NONE,
    notes: Notes = (),
    verdict: Verdict | None = None,
) -> JointTest:
    none = Missing("none", "none")
    return JointTest(
        hypothesis=Hypothesis("treatment == 0", csr_array(np.eye(2)), np.zeros(2), False, ("treatment",)),
        rank=2,
        shares={} if math.isnan(contour) else {"contour": Figure(contour, mcse)},
        bayes_factor=none if math.isnan(log_bf10) else LogIntegral(log_bf10, 0.0),
        classical=none if math.isnan(p_value) else Classical("F", 9.5, 2, 6.0, p_value),
        notes=notes,
        verdict=verdict,
    )


@pytest.mark.parametrize(
    ("contour", "mcse", "expected"),
    [
        (0.0, 0.0003, DECISIVE),
        (0.0, 0.002, STRONG),  # 500 effective draws cannot tell 0.001 from less
        (0.0, 0.02, MODERATE),
        (0.0, 0.2, OPEN),
        (0.0009, 0.0003, STRONG),  # it may be above 0.001
        (0.003, 0.0008, STRONG),
        (0.03, 0.002, MODERATE),
        (0.047, 0.007, EDGE),  # another seed may say 0.051
        (0.051, 0.002, EDGE),
        (0.0492, 0.0005, EDGE),
        (0.06, 0.004, OPEN),
        (0.0085, 0.0008, MODERATE),
        (0.4, 0.01, OPEN),
        (1.0, 0.0003, OPEN),
        (0.0, NONE, "Too few draws to tell"),
        (NONE, NONE, ""),
    ],
)
def test_a_grade_is_that_of_all_that_the_draws_allow(contour: float, mcse: float, expected: str) -> None:
    assert by_contour(contour, mcse) == expected


@pytest.mark.parametrize(
    ("contour", "kind", "low", "expected"),
    [
        (0.0, "for", 9.9, DECISIVE),
        (0.0, "depends", -3.0, DECISIVE),
        (0.0, "", NONE, DECISIVE),
        (0.002, "against", -9.0, DISAGREE),
        (0.3, "against", -9.0, FOR_NONE),
        (0.3, "depends", -3.0, OPEN),
        (0.3, "", NONE, OPEN),
        (0.3, "for", 5.5, DECISIVE),  # many small effects of one kind
        (0.3, "for", 1.2, MODERATE),
        (NONE, "", NONE, "Not answered by this fit"),
        (NONE, "for", 9.9, DECISIVE),
        (NONE, "for", 3.5, STRONG),
        (NONE, "for", 1.5, MODERATE),
        (NONE, "depends", -3.0, OPEN),
        (NONE, "against", -2.0, FOR_NONE),
    ],
)
def test_contour_and_verdict_are_read_together(contour: float, kind: Kind, low: float, expected: str) -> None:
    verdict = Verdict(kind, low, low + 1) if kind else None
    test = joint_row(contour, 0.0 if kind else NONE, 0.0003, verdict=verdict)
    assert any_effect(ABOUT, test).short == expected


def test_the_figure_that_answers_stands_first() -> None:
    """An effect that only the Bayes factor shows is not introduced by a contour probability of 0.3."""
    test = joint_row(0.3, 9.934, 0.0003, verdict=Verdict("for", 9.0, 10.0))
    answer = any_effect(ABOUT, test)
    assert answer.line == f"{DECISIVE} (log BF10 9.9, contour probability 0.3000)"
    assert answer.text.startswith(
        "By the Bayes factor the data favour an effect by 20,600 to 1. The share of"
    )
    clear = any_effect(ABOUT, joint_row(0.0, 9.934, 0.0003, verdict=Verdict("for", 9.0, 10.0)))
    assert clear.line == f"{DECISIVE} (contour probability < 0.0003, log BF10 9.9)"


def test_a_mean_that_leans_to_one_side_is_not_said_to_be_no_effect() -> None:
    """A wide prior favours none where the mean is above zero with probability 0.973: the figures disagree."""
    test = joint_row(0.3, -5.2, 0.0003, verdict=Verdict("against", -6.6, -3.8))
    answer = any_effect(ABOUT, test, contrasts(("", 1.8, 0.973)))
    assert answer.short == DISAGREE
    assert "Yet the weighted mean is above zero with probability 0.973." in answer.text
    for share in (0.94, NONE):
        assert any_effect(ABOUT, test, contrasts(("", 1.8, share))).short == FOR_NONE


def test_what_the_mean_shows_is_not_denied_by_a_test_that_looks_in_every_direction() -> None:
    """Of 120 effects a contour of 0.39 says little; one of two means is above zero with probability 0.997."""
    means = contrasts(("online", 1.2, 0.85), ("in person", 2.9, 0.997))
    depends = Verdict("depends", -0.5, 5.0)
    for test in (joint_row(0.39, 2.2, verdict=depends), joint_row(NONE, 2.2, verdict=depends)):
        answer = any_effect(ABOUT, test, means)
        assert answer.short == BY_MEAN
        assert "Yet the weighted mean of in person is above zero with probability 0.997." in answer.text
        assert any_effect(ABOUT, test, means.at([0])).short == OPEN
    assert any_effect(ABOUT, joint_row(0.0), means).short == DECISIVE


def test_a_test_that_takes_a_while_does_not_answer() -> None:
    test = replace(joint_row(NONE, -478.9), verdict=Missing(COSTS, "it takes a while"))
    answer = any_effect(ABOUT, test)
    assert answer.short == NOT_ANSWERED
    assert answer.line.endswith("takes a while: fit.test() runs it")


def test_a_verdict_that_takes_a_while_is_pending() -> None:
    """The print and the report never contradict each other: the one names what the other has computed."""
    test = replace(joint_row(0.3, -5.2, 0.0003), verdict=Missing(COSTS, "it takes a while"))
    answer = any_effect(ABOUT, test)
    assert answer.line == f"{OPEN} (contour probability 0.3000); {VERDICT}"
    assert "This is not evidence of no effect" not in answer.text
    shown = any_effect(ABOUT, replace(test, shares={"contour": Figure(0.0, 0.0001)}))
    assert VERDICT not in shown.line


def test_a_bayes_factor_of_effects_of_one_kind_that_takes_a_while_may_show_more() -> None:
    """The report, which computes it, may answer otherwise: the print says so, whatever else shows an effect."""
    slow = Missing(COSTS, "it takes a while")
    test = replace(joint_row(0.3, -2.0, 0.0003), verdict=slow, one_kind=slow)
    for means, short in ((None, OPEN), (contrasts(("", 1.0, 0.999)), BY_MEAN)):
        answer = any_effect(ABOUT, test, means)
        assert answer.line == f"{short} (contour probability 0.3000); {LATER}"
        assert LATER[1:] in answer.text


def test_which_effects_a_bayes_factor_compares_is_told_where_another_points_elsewhere() -> None:
    kind = Against(LogIntegral(2.23, 0.0), None, None)
    test = replace(joint_row(0.069, -1.99, verdict=Verdict("for", 1.29, 2.39)), one_kind=kind)
    text = any_effect(ABOUT, test).text
    assert text.startswith(
        "By the Bayes factor of effects of one kind (one for all groups, or all from one distribution) the data favour "
        "an effect by 9.3 to 1. For effects that each have the model's own prior log BF10 is -1.99. The share of"
    )
    same = replace(test, bayes_factor=LogIntegral(1.0, 0.0))
    assert "own prior" not in any_effect(ABOUT, same).text


def test_a_contour_near_a_limit_is_said_to_be_at_its_edge() -> None:
    """0.047 with a standard error of 0.007 is another grade with another seed."""
    near = joint_row(0.047, mcse=0.007)
    assert any_effect(ABOUT, near).line == (
        f"{EDGE} (contour probability 0.047, too near 0.05 for these draws to tell)"
    )
    assert any_effect(ABOUT, near, contrasts(("", 1.0, 0.999))).short == AT_EDGE[BY_MEAN]
    weaker = any_effect(ABOUT, joint_row(0.0098, mcse=0.0008))
    assert weaker.line == f"{MODERATE} (contour probability 0.0098, too near 0.01 for these draws to tell)"
    assert "too near" not in any_effect(ABOUT, joint_row(0.03, mcse=0.002)).line


def test_what_bands_show_is_not_denied_by_the_joint_test() -> None:
    found = apart("B", total=6)
    answer = any_effect(ABOUT, joint_row(0.09, mcse=0.005), None, found)
    assert answer.short == BY_BANDS
    assert "Yet by simultaneous bands the effect is above zero in 1 of 6 (B)." in answer.text
    assert any_effect(ABOUT, joint_row(0.05, mcse=0.005), None, found).short == AT_EDGE[BY_BANDS]
    assert any_effect(ABOUT, joint_row(0.09, mcse=0.005), None, apart(total=6)).short == OPEN
    against = joint_row(0.09, -2.0, 0.005, verdict=Verdict("against", -3.0, -2.0))
    assert any_effect(ABOUT, against, None, found).short == DISAGREE
    assert any_effect(ABOUT, against, None, apart(total=6)).short == FOR_NONE


def test_a_bayes_factor_of_unknown_verdict_decides_only_without_a_contour() -> None:
    assert any_effect(ABOUT, joint_row(NONE, 9.9)).short == DECISIVE
    assert any_effect(ABOUT, joint_row(0.3, 9.9)).short == OPEN
    assert any_effect(ABOUT, joint_row(0.3, -9.9)).short == OPEN


def test_what_an_answer_rests_on_is_told() -> None:
    text = any_effect(ABOUT, joint_row(0.0, 9.934, 0.0009)).text
    assert "No draw is as far" in text
    assert "contour probability < 0.0009." in text
    assert "favour an effect by 20,600 to 1" in text
    assert "is 0.25" in any_effect(ABOUT, joint_row(0.25, mcse=0.01)).text
    assert "more than 1,000,000 to 1" in any_effect(ABOUT, joint_row(0.0, 800.0)).text
    assert "favours neither side" in any_effect(ABOUT, joint_row(0.25, 0.2)).text
    assert "favour no effect by 7.4 to 1" in any_effect(ABOUT, joint_row(0.25, -2.0)).text
    depends = any_effect(ABOUT, joint_row(0.25, -2.0, verdict=Verdict("depends", -4.0, 1.0)))
    assert "depends on the scale of the prior: log BF10 is from -4.00 to 1.00" in depends.text
    assert depends.line.endswith(", the Bayes factor depends on the prior)")


def test_the_bayes_factor_is_that_of_effects_of_one_kind() -> None:
    own = joint_row(0.0, -95.0, verdict=Verdict("for", 8.0, 9.0))
    test = replace(own, one_kind=Against(LogIntegral(8.45, 0.0), None, None))
    assert any_effect(ABOUT, test).line.endswith("log BF10 8.4)")
    assert "favour an effect by 4,680 to 1" in any_effect(ABOUT, test).text


def test_figures_that_disagree_are_explained() -> None:
    notes = (
        Note(DISAGREEMENT, "the contour shows an effect where"),
        Note(WEAK, "under a hierarchy the contour is weak"),
    )
    text = any_effect(ABOUT, joint_row(0.002, -2.0, notes=notes)).text
    assert text.endswith("The contour shows an effect where. Under a hierarchy the contour is weak.")


def test_an_open_question_is_not_called_no_effect() -> None:
    assert any_effect(ABOUT, joint_row(0.4)).text.endswith("This is not evidence of no effect.")
    decided = any_effect(ABOUT, joint_row(0.4, -2.0, verdict=Verdict("against", -3.0, -2.0)))
    assert "not evidence of no effect" not in decided.text


def test_the_reason_for_no_answer_is_told_and_the_classical_test() -> None:
    notes = (
        Note(NO_CONTOUR, "no contour or band: the posterior has no covariance"),
        Note("no Bayes factor", "no Bayes factor: flat priors have no density"),
    )
    text = any_effect(ABOUT, joint_row(NONE, p_value=0.013, notes=notes)).text
    assert text == (
        "There is no contour or band: the posterior has no covariance. "
        "The classical test: F(2, 6) = 9.5, p = 0.013."
    )


def test_too_few_draws_are_told() -> None:
    few = Note(FEW_DRAWS, "60 effective draws are few for a covariance of rank 100: draw more", ("contour",))
    notes = (Note("prior", "prior sd 3"), few)
    assert (
        "Caution: 60 effective draws are few for a covariance of rank 100: draw more."
        in any_effect(ABOUT, joint_row(0.0, notes=notes)).text
    )
    order = "P(all < 0): fewer than 10 such draws, so only the order of magnitude is known: draw more"
    other = Note(FEW_DRAWS, order, ("p_all_negative",))
    assert "Mind" not in any_effect(ABOUT, joint_row(0.0, notes=(other,))).text


# --- how large, how sure


def contrasts(*rows: tuple[str, float, float], name: str = "joint_treatment") -> Estimates:
    """Return entries of a contrast by cell, mean and p_direction; an empty cell is none."""
    effects = tuple(Effect(name, (cell,) if cell else ()) for cell, _, _ in rows)
    table = pd.DataFrame([row[1:] for row in rows], columns=["mean", "p_direction"], dtype=float)
    sign = table["mean"]
    table = table.assign(sd=1.0, median=sign, hdi_low=sign - 2, hdi_high=sign + 2, ess_bulk=400.0)
    return Estimates(effects, table.set_index(pd.Index([effect.label for effect in effects], dtype=str)))


ENDS = contrasts(("B", -8.0, 1.0), ("A", 20.0, 1.0), name="treatment")
NO_ENDS = contrasts(name="treatment")


def without(found: Estimates, *columns: str) -> Estimates:
    """Return estimates with blank columns."""
    return replace(found, table=found.table.assign(**dict.fromkeys(columns, NONE)))


def test_the_size_is_told_with_its_interval_its_meaning_and_the_groups() -> None:
    answer = how_large(ABOUT, contrasts(("", 13.0, 1.0)), "weighted mean of treatment", ENDS)
    assert answer.short == "13.00 points of test_score"
    assert answer.line == "13.00 points of test_score, 95% HDI (11.00, 15.00)"
    assert answer.text.startswith("95% HDI (11.00, 15.00). It is the weighted mean of treatment.")
    assert answer.text.endswith("By school it goes from -8.00 in B to 20.00 in A.")


def test_a_mean_that_does_not_exist_is_not_told() -> None:
    rows = without(contrasts(("", 13.0, 1.0)), "mean", "sd")
    answer = how_large(ABOUT, rows, "mean", NO_ENDS)
    assert answer.short == "13.00 (median) points of test_score"
    assert "By school" not in answer.text


def test_levels_are_named_and_of_many_the_first() -> None:
    rows = contrasts(*((level, size, 0.9) for size, level in enumerate("abcde")))
    answer = how_large(ABOUT, rows, "mean", ENDS)
    assert answer.short == "a 0.00, b 1.00, c 2.00 points of test_score"
    assert answer.line.startswith("a 0.00 (-2.00, 2.00), b 1.00 (-1.00, 3.00), c")
    assert answer.line.endswith("each with its 95% HDI; 2 more levels below")
    assert "Further levels, 2, are in the table." in answer.text


def test_without_a_contrast_no_number_is_made_up() -> None:
    answer = how_large_without(ABOUT, ENDS)
    assert answer.short == "No average over groups was requested"
    assert (
        answer.line
        == "By school from -8.00 in B to 20.00 in A, points of test_score; for a mean write joint(treatment)"
    )
    assert "add joint(treatment)" in answer.text
    assert how_large_without(ABOUT, NO_ENDS).line == "For a mean write joint(treatment)"


def apart(above: Sequence[str] = "", below: Sequence[str] = "", total: int = 3) -> Apart:
    return Apart(tuple(above), tuple(below), total)


@pytest.mark.parametrize(
    ("share", "mean", "expected"),
    [
        (1.0, 13.0, "Above zero with probability > 0.998"),  # 400 draws cannot tell more
        (0.83, -2.0, "Below zero with probability 0.830"),
    ],
)
def test_sureness_is_bounded_by_the_draws(share: float, mean: float, expected: str) -> None:
    assert how_sure(ABOUT, contrasts(("", mean, share)), apart("A", total=1)).short == expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (apart("AB", total=2), "the effect is above zero in 2 of 2."),
        (apart("A", "B"), "the effect is above zero in 1 and below zero in 1 of 3 (A, B)."),
        (apart("ABCD", total=9), "the effect is above zero in 4 of 9."),
        (apart(["A, low - high", "B, low - high"]), "in 2 of 3 (A, low - high; B, low - high)."),
        (apart(total=3), "none of the 3 effects can be told from zero by itself."),
        (apart(total=1), "the effect cannot be told from zero."),
        (apart("A", total=1), "the effect is above zero."),
        (apart("", "A", total=1), "the effect is below zero."),
    ],
)
def test_groups_apart_from_zero_are_counted(found: Apart, expected: str) -> None:
    answer = how_sure(ABOUT, contrasts(), found)
    assert expected in answer.text
    assert answer.short.startswith("Different from zero in ")


def test_a_mean_that_hides_opposite_signs_is_told() -> None:
    hidden = how_sure(ABOUT, contrasts(("", 1.0, 0.9)), apart("B", "A"))
    assert "Their mean hides that they point both ways." in hidden.text
    assert "the mean hides that they point both ways" in hidden.line


def test_no_band_is_told() -> None:
    answer = how_sure(ABOUT, contrasts(), Missing("no band", "there are no intervals for all at once"))
    assert answer.text == "There are no intervals for all at once."
    assert answer.short == answer.line == "Not told by this fit"
    signed = how_sure(ABOUT, contrasts(("", 1.0, 0.9)), Missing("no band", "there are none"))
    assert signed.line == "Above zero with probability 0.900"


def test_a_line_has_the_question_the_answer_and_its_first_figure() -> None:
    where = replace(ABOUT, words="treatment (centred)", place=", where sex is f")
    answer = any_effect(where, joint_row(0.25, mcse=0.01))
    assert answer.question == "Is there an effect of treatment (centred), where sex is f, in any school?"
    assert answer.line == f"{OPEN} (contour probability 0.25)"
    assert any_effect(ABOUT, joint_row(NONE, p_value=0.013)).line.endswith("(F(2, 6) = 9.5, p = 0.013)")


def test_a_test_that_was_not_made_is_not_an_answer() -> None:
    answer = not_tested(ABOUT, 300)
    assert answer.question == any_effect(ABOUT, joint_row(0.25)).question
    assert answer.line == "Not tested here; for 300 groups the test takes a while: fit.test() runs it"
