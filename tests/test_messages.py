"""What users read is in plain words: no riddles where a sentence would do."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import formulajoint as fj

PACKAGE = Path(fj.__file__).parent

RIDDLES = {
    r"(?<!\bthere )\b(is|are) (no(?! longer\b)|none)\b": "write `is not`",
    r"\b(has|have) none\b|\bthere (is|are) none\b|\bin none of\b": "say what there is not",
    r"\bspeaks? (for|of)\b": "write `favours`, or `is about`",
    r"\bstands? twice\b": "write `appears twice`",
    r" < 1/ESS\b": "say that no draw was there",
    r"\brests on the priors alone\b": "write `is its prior`",
    r"\b(one|sd|sigma|value|coefficient|entry) a (group|row|level|school)\b": "write `per`",
}
"""Patterns that outsiders did not understand at first reading, with what to write."""


def texts(module: Path) -> Iterator[tuple[int, str]]:
    """Yield line and text of each string of a module that is not a docstring."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone:
            yield node.lineno, node.value


@pytest.mark.parametrize("pattern", RIDDLES)
def test_no_message_is_a_riddle(pattern: str) -> None:
    found = [
        f"{module.relative_to(PACKAGE)}, line {line}: {text!r}"
        for module in sorted(PACKAGE.rglob("*.py"))
        for line, text in texts(module)
        if re.search(pattern, text, re.IGNORECASE)
    ]
    assert not found, f"{RIDDLES[pattern]}: " + "\n".join(found)


@pytest.mark.parametrize(
    "text", ["`A` is no clause", "there are none", "one residual sd a group", "contour < 1/ESS = 0.0003"]
)
def test_the_patterns_find_what_was_a_riddle(text: str) -> None:
    assert any(re.search(pattern, text, re.IGNORECASE) for pattern in RIDDLES)
