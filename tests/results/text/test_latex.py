"""Equations as LaTeX: one line an equation, with the data's names."""

from __future__ import annotations

import re

import pandas as pd
import pytest

import formulajoint as fj
from formulajoint.results.text.latex import escaped


def lines(formula: str, data: pd.DataFrame, priors: str | None = None) -> list[str]:
    text = fj.model(formula, data, priors=priors).explain("latex")
    head, *body, foot = text.split("\n")
    assert (head, foot) == (r"\begin{aligned}", r"\end{aligned}")
    assert all(line.endswith(r" \\") for line in body[:-1])
    return [line.removesuffix(r" \\") for line in body]


def test_the_model_of_the_question(tutoring: pd.DataFrame) -> None:
    assert lines("test_score ~ treatment | school, joint(weights=n)", tutoring) == [
        r"\text{test\_score} &\sim \operatorname{normal}(\mu, \sigma)",
        r"\mu &= \text{Intercept}_{\text{school}} + b_{\text{treatment, school}} \cdot \text{treatment}",
        r"\text{Intercept} &\sim \operatorname{normal}(8.7, 27.89)",
        r"b_{\text{treatment}} &\sim \operatorname{normal}(0, 39.44)",
        r"\sigma &\sim \operatorname{half\_student\_t}(4, 7.889)",
        r"\text{joint\_treatment} &: \text{weighted mean of treatment over school; weights n: A 0.4, B 0.6}",
    ]


def test_flat_priors_and_pooled_scales(tutoring: pd.DataFrame) -> None:
    formula = "test_score ~ treatment | school, hierarchy(treatment), sigma ~ 1 | school, hierarchy(sigma)"
    text = lines(formula, tutoring)
    assert (
        r"\operatorname{log}(\sigma) &\sim \operatorname{normal}(\operatorname{log}(\text{sigma\_mean}), \text{sigma\_sd})"
        in text
    )
    assert r"\sigma &\sim 1/\sigma" in lines("test_score ~ treatment", tutoring, priors="flat")


def test_known_standard_errors_stand_in_the_place_of_sigma(tutoring: pd.DataFrame) -> None:
    text = lines("test_score ~ 1 | school, se(`its se`)", tutoring.assign(**{"its se": 1.0}))
    assert text[0] == r"\text{test\_score} &\sim \operatorname{normal}(\mu, \text{its se})"
    assert len(text) == 3


@pytest.mark.parametrize("name", ["x (mm)", "50% & more", "a_b^2", "mu_2", "{odd}~", "größe"])
def test_names_of_any_kind_stand_as_they_are(tutoring: pd.DataFrame, name: str) -> None:
    data = tutoring.rename(columns={"treatment": name})
    text = "\n".join(lines(f"test_score ~ `{name}` | school", data))
    assert f"b_{{\\text{{{escaped(name)}, school}}}} \\cdot \\text{{{escaped(name)}}}" in text
    assert f"b_{{\\text{{{escaped(name)}}}}} &\\sim" in text
    bare = re.sub(r"\\.", "", text)  # without what is escaped
    assert bare.count("{") == bare.count("}")
    assert not set(bare) & set("%#$")


def test_another_format_is_refused(tutoring: pd.DataFrame) -> None:
    with pytest.raises(fj.InferenceError, match="`format` is 'text', 'html' or 'latex', not 'pdf'"):
        fj.model("test_score ~ treatment", tutoring).explain("pdf")  # type: ignore[arg-type]
