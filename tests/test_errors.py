"""What notebooks show of an error: the user's own lines and the message, and no lines of this package."""

from __future__ import annotations

import subprocess
import sys
import traceback

import numpy as np
import pytest

import formulajoint as fj


def shown(error: BaseException) -> str:
    return "\n".join(error._render_traceback_())  # type: ignore[attr-defined]  # IPython's hook


def test_a_notebook_shows_the_users_line_and_the_message_with_its_caret() -> None:
    with pytest.raises(fj.FormulaError) as raised:
        fj.model("test_score ~ treatmnt | school", fj.tutoring())
    lines = shown(raised.value).splitlines()
    assert lines[0].startswith("test_errors.py, line ")
    assert lines[0].endswith('fj.model("test_score ~ treatmnt | school", fj.tutoring())')
    assert lines[1] == "FormulaError: the data have no column `treatmnt`"
    assert lines[-3].strip() == "^" * len("treatmnt")
    assert len(lines) == 7


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        (lambda: fj.fit("test_score ~ treatment", fj.tutoring(), draws=-1), fj.InferenceError),
        (lambda: fj.model("test_score ~ treatment", fj.tutoring().assign(treatment=np.inf)), fj.DataError),
        (lambda: fj.load("missing.nc"), fj.StoreError),
        (lambda: fj.joint_test(np.ones(3)), fj.FormulaJointError),
    ],
)
def test_all_errors_are_short(call, kind) -> None:
    with pytest.raises(kind) as raised:
        call()
    text = shown(raised.value)
    assert str(raised.value) in text
    assert len(text.splitlines()) < 8
    assert "formulajoint/" not in text


def test_the_line_of_a_users_function_that_failed_is_shown() -> None:
    def halved(effects, weights):
        return effects.halves

    language = fj.CORE.extend(fj.Extension("mine", [fj.Contrast(halved)]))
    with pytest.raises(fj.ExtensionError) as raised:
        fj.fit("test_score ~ treatment | school, halved(treatment)", fj.tutoring(), language=language, seed=1)
    text = shown(raised.value)
    assert "return effects.halves" in text
    assert "AttributeError" in text


def test_a_bug_shows_everything() -> None:
    with pytest.raises(fj.BugError) as raised:
        raise fj.BugError("impossible")
    assert shown(raised.value).startswith("Traceback (most recent call last):")


def test_python_itself_prints_its_traceback_as_ever() -> None:
    code = "import formulajoint as fj; fj.model('test_score ~ treatmnt | school', fj.tutoring())"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False).stderr
    assert said.startswith("Traceback (most recent call last):")
    assert said.rstrip().endswith("did you mean `treatment`?")


def test_python_formats_errors_as_ever() -> None:
    with pytest.raises(fj.FormulaError) as raised:
        fj.parse("y ~ ")
    assert "in parse" in "".join(traceback.format_exception(raised.value))
