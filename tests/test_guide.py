"""The guide to extending the language is true: its code is run, and prints what the guide says it prints."""

import contextlib
import io
import re
from pathlib import Path

import pytest

from formulajoint.language import default

GUIDE = Path(__file__).parents[1] / "docs" / "extending.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks():
    return [(found[1], found[2]) for found in BLOCK.finditer(GUIDE.read_text(encoding="utf-8"))]


def test_the_guide(tmp_path, monkeypatch):
    """In an empty folder and a fresh language; a block of text is what the code before it printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(default, "_default", default._Default(installed=()))
    namespace = {"__name__": "guide"}
    printed = ""
    for kind, text in blocks():
        match kind:
            case "python":
                assert printed == "", "the guide does not show what its code prints"
                with contextlib.redirect_stdout(io.StringIO()) as out:
                    exec(compile(text, str(GUIDE), "exec"), namespace)
                printed = out.getvalue()
            case "lark":
                Path("vs.lark").write_text(text, encoding="utf-8")
            case "text":
                assert printed == text
                printed = ""
    assert printed == ""


def test_the_guide_shows_each_decorator():
    text = GUIDE.read_text(encoding="utf-8")
    for name in ("contrast", "contrast_family", "weights", "column", "operator", "family"):
        assert f"@fj.{name}" in text


@pytest.mark.parametrize("copy", ["examples/plugin/formulajoint_robust/vs.lark", "docs/extending.md"])
def test_the_examples_share_their_syntax(copy):
    root = GUIDE.parents[1]
    statements = [
        line
        for line in (root / "examples/vs.lark").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("//")
    ]
    assert all(line in (root / copy).read_text(encoding="utf-8") for line in statements)
