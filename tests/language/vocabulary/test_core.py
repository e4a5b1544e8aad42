"""Closed tables of names, and the hints that lead to them."""

from formulajoint.language.syntax.nodes import Call, Name
from formulajoint.language.vocabulary.core import CLAUSES, CORE, ELSEWHERE, FUNCTIONS


def test_hints_from_other_packages_lead_somewhere():
    known = {name for table in CORE.names.values() for name in table}
    assert set(ELSEWHERE.values()) <= known
    assert not {name for name in ELSEWHERE if all(name in table for table in CORE.names.values())}


def test_a_call_is_completed():
    assert CLAUSES["joint"].accepted(Call("joint")) == "joint()"
    assert FUNCTIONS["poly"].accepted(Call("poly", (Name("age"),))) == "poly(age, 2)"
