"""Arguments of the wrong kind are answered in words."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import formulajoint as fj
from formulajoint.api.fit import Fit
from formulajoint.api.model import JointModel
from formulajoint.errors import FormulaJointError
from formulajoint.results.draws.posterior import Posterior

MISUSES: dict[str, tuple[Callable[[Fit], object], str]] = {
    "a number for a hypothesis": (lambda fit: fit.test(0), "A hypothesis is a text such as 'treatment == 0', not 0"),
    "prob for a hypothesis": (lambda fit: fit.bands(0.9), "A hypothesis is a text such as 'treatment == 0', not 0.9"),
    "two numbers for a rope": (lambda fit: fit.test(rope=(-1, 1)), "`rope` must be above zero, not (-1, 1)"),
    "a rope of nothing": (lambda fit: fit.test(rope=0), "`rope` must be above zero, not 0"),
    "units without a rope": (lambda fit: fit.test(standardized=True), "give a rope, such as rope=0.1, too"),
    "a path that is none": (lambda fit: fit.save(5), "A file name must be a text or a path, not 5"),
    "a report's path that is none": (lambda fit: fit.report(5), "A file name must be a text or a path, not 5"),
    "a fit's path that is none": (lambda fit: fj.load(5), "A file name must be a text or a path, not 5"),
    "a report as PDF": (lambda fit: fit.report("fit.pdf"), "fit.pdf does not end in .html"),
    "a contrast without weights": (lambda fit: fit.weights("pairwise_treatment"), "nothing is weighted"),
    "no number": (
        lambda fit: fit.contrast("contrast(treatment[A]^0.5)"),
        "draws: `treatment[A]^0.5` has no value there",
    ),
    "a drawing of no number": (lambda fit: fit.plot.contrast("contrast(treatment[A]^0.5)"), "is not a number in"),
    "a division by zero": (lambda fit: fit.contrast("contrast(treatment[A] / (1 - 1))"), "this divides by zero"),
    "an infinite number": (lambda fit: fit.contrast("contrast(treatment[A] * 9^999)"), "not a finite number"),
    "a fit for draws": (lambda fit: fj.joint(fit), "ask it by `fit.contrast(...)` and `fit.test(...)`"),
    "a text for draws": (lambda fit: fj.joint("x"), "Draws are an array of numbers, not str"),
    "no draws": (lambda fit: fj.joint(np.zeros((0, 3))), "not of shape (0, 3)"),
    "a number for a name": (lambda fit: fit.weights(3), "There is no contrast `3`"),
    "no text for a formula": (lambda fit: fj.parse(3), "the formula must be a string, not int"),
    "a misspelt argument": (lambda fit: fj.fit("y ~ x", {}, prior="flat"), "no argument `prior`: `priors='flat'` makes all priors flat"),
    "brms' argument": (lambda fit: fj.fit("y ~ x", {}, iter=2000), "no argument `iter`: brms counts its warmup among `iter`"),
}  # fmt: skip


@pytest.mark.parametrize("case", MISUSES)
def test_misuse_is_answered_in_words(
    case: str, made_up: Callable[..., Posterior], tutoring: pd.DataFrame
) -> None:
    posterior = made_up("test_score ~ treatment | school, joint(), pairwise()", tutoring, draws=100)
    call, message = MISUSES[case]
    with pytest.raises(FormulaJointError, match=re.escape(message)):
        call(Fit(JointModel(posterior.plan), posterior))
