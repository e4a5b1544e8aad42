"""The guide to extending the language leaves out no decorator, and has the syntax of the examples; test_docs.py runs it."""

from pathlib import Path

import pytest

GUIDE = Path(__file__).parents[1] / "docs" / "extending.md"


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
