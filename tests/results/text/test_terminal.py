"""Printed text in a terminal: the same characters, some of them styled."""

from __future__ import annotations

import io

from rich.console import Console

import formulajoint as fj
from formulajoint.results.text.terminal import styled

TEXT = """y ~ x | g

contrast  mean
--------  ----
joint_x   -1.0

note: a note that goes on
      in the next line
warning: a warning
sampled by somebody"""


def spans(text: str) -> list[tuple[str, str]]:
    return [(text[span.start : span.end], str(span.style)) for span in styled(text).spans]


def test_what_is_styled():
    assert spans(TEXT) == [
        ("contrast  mean", "bold"),
        ("--------  ----", "dim"),
        ("note: a note that goes on", "cyan"),
        ("      in the next line", "cyan"),
        ("warning: a warning", "bold yellow"),
    ]


def test_the_words_are_those_of_the_plain_text():
    assert styled(TEXT).plain == TEXT
    assert spans("") == []


def test_a_fit_in_a_terminal_and_in_a_log():
    fit = fj.fit("test_score ~ treatment | school, joint()", fj.tutoring(), seed=1, draws=100)
    for colour in (True, False):
        console = Console(
            file=io.StringIO(), force_terminal=colour, color_system="standard" if colour else None, width=200
        )
        console.print(fit, soft_wrap=True)
        printed = console.file.getvalue()
        assert ("\x1b[1mcontrast" in printed) == colour
        if not colour:
            assert printed.rstrip("\n") == str(fit)


def test_a_model_too():
    model = fj.model("test_score ~ treatment | school", fj.tutoring())
    assert model.__rich__().plain == model.explain()
