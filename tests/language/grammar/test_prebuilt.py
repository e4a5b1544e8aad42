"""The parser that comes with the package is the one that Lark builds from the grammar that comes with it."""

import json
from pathlib import Path

import lark
import pytest

from formulajoint.language.grammar import prebuilt
from formulajoint.language.grammar.compose import CONTRASTS, FORMULA, PLAIN, build, grammar_folder

CASES = Path(__file__).parents[2] / "cases" / "good_formulas.txt"
TEXTS = [fragment.text for fragment in PLAIN]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / prebuilt.NAME).write_text(prebuilt.written(build(PLAIN), TEXTS), encoding="utf-8")
    return tmp_path


def test_it_is_of_the_grammar_as_it_is_now():
    built = json.loads(grammar_folder().joinpath(prebuilt.NAME).read_text(encoding="utf-8"))["built"]
    assert built["grammar"] == prebuilt._built(TEXTS)["grammar"], "run `make grammar`"


def test_it_is_the_parser_that_lark_builds(folder):
    slow = build(PLAIN)
    for place in (grammar_folder(), folder):
        fast = prebuilt.read(place, TEXTS)
        if fast is None:
            assert place == grammar_folder()
            assert json.loads((place / prebuilt.NAME).read_text())["built"]["lark"] != lark.__version__
            continue
        lines = [line for line in CASES.read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
        for text in (line.split("  =>  ")[0] for line in lines):
            assert fast.parse(text, start="formula") == slow.parse(text, start="formula")
        assert {str(rule) for rule in fast.rules} == {str(rule) for rule in slow.rules}
        assert {str(term) for term in fast.terminals} == {str(term) for term in slow.terminals}


def test_of_another_grammar_or_another_lark_it_is_not_used(folder, monkeypatch):
    assert prebuilt.read(folder, TEXTS) is not None
    assert prebuilt.read(folder, [FORMULA.text, CONTRASTS.text + "\n"]) is None
    monkeypatch.setattr(lark, "__version__", "0.0")
    assert prebuilt.read(folder, TEXTS) is None


def test_without_it_lark_builds_the_parser(tmp_path):
    assert prebuilt.read(tmp_path, TEXTS) is None
