"""Closed tables of names, and the hints that lead to them."""

from formulajoint.language.vocabulary.core import CLAUSES, CORE, ELSEWHERE, FUNCTIONS


def test_hints_from_other_packages_lead_somewhere():
    known = {name for table in CORE.names.values() for name in table}
    assert set(ELSEWHERE.values()) <= known
    assert not {name for name in ELSEWHERE if all(name in table for table in CORE.names.values())}


def test_usage_is_shown_as_it_is_written():
    assert CLAUSES["joint"].usage("joint") == "joint(term, ..., weights=, scale=, at=, name=)"
    assert FUNCTIONS["poly"].usage("poly") == "poly(x, degree)"
