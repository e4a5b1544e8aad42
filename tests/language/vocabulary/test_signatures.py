"""Calls matched to signatures."""

import pytest

from formulajoint.errors import FormulaError
from formulajoint.language.syntax.nodes import Call, Keyword, Name, Number
from formulajoint.language.vocabulary.signatures import Kind, Signature, Slot, matched

MU, SIGMA = Slot("mu", Kind.NUMBER, named=True), Slot("sigma", Kind.POSITIVE, named=True)
NORMAL = Signature((MU, SIGMA), least=2)
TERM, NAME = Slot("term", Kind.TERM), Slot("name", Kind.LABEL)
JOINT = Signature(rest=TERM, keywords=(NAME,))
zero, five = Number("0"), Number("5")


@pytest.mark.parametrize(
    "call",
    [
        Call("normal", (zero, five)),
        Call("normal", (zero,), (Keyword("sigma", five),)),
        Call("normal", (), (Keyword("sigma", five), Keyword("mu", zero))),
    ],
)
def test_arguments_by_place_and_by_name(call):
    assert {slot.name: value for slot, value in matched(call, NORMAL)} == {"mu": zero, "sigma": five}


def test_any_number_of_terms():
    call = Call("joint", (Name("x"), Name("z")), (Keyword("name", Name("gap")),))
    assert matched(call, JOINT) == [(TERM, Name("x")), (TERM, Name("z")), (NAME, Name("gap"))]


@pytest.mark.parametrize(
    ("call", "signature", "message"),
    [
        (Call("normal", (zero,)), NORMAL, "`normal` needs `sigma`"),
        (Call("normal"), NORMAL, "`normal` needs `mu`, `sigma`"),
        (Call("normal", (zero, five, five)), NORMAL, "`normal` takes 2 arguments, and got 3"),
        (Call("normal", (zero, five), (Keyword("mu", zero),)), NORMAL, "`normal` is given `mu` twice"),
        (Call("joint", (), (Keyword("nme", zero),)), JOINT, "`joint` has no argument `nme`"),
        (Call("joint", (), (Keyword("term", zero),)), JOINT, "`joint` has no argument `term`"),
        (
            Call("log", (), (Keyword("x", zero),)),
            Signature((Slot("x", Kind.ARITHMETIC),), least=1),
            "`log` has no argument `x`",
        ),
    ],
)
def test_what_does_not_match(call, signature, message):
    with pytest.raises(FormulaError) as caught:
        matched(call, signature)
    assert caught.value.message == message
