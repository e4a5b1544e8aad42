"""Formulas as JSON: plain data, faithful, and refused where damaged."""

import copy
import json

import pytest

from formulajoint.errors import StoreError
from formulajoint.spans import Span
from formulajoint.spec.json import VERSION, from_json, to_json
from formulajoint.spec.read import parse

TEXT = 'score ~ treatment + (1 || a/b) | school, prior(`x`.sd ~ flat()), joint(weights={A: 0.3, "b c": 1}, name="g")'


def test_round_trip_through_text():
    formula = parse(TEXT)
    again = from_json(json.loads(json.dumps(to_json(formula))))
    assert again == formula
    assert again.source == TEXT
    assert again.predictors.span == formula.predictors.span == Span(8, 30)


def test_it_is_plain():
    data = to_json(parse("y ~ x"))
    assert data["version"] == VERSION
    assert data["node"] == "Formula"
    assert data["predictors"] == {"node": "Name", "id": "x", "quoted": False, "span": [4, 5]}


def damaged(path, value):
    """Return a formula's JSON with the value at `path` replaced, or taken out where it is None."""
    data = copy.deepcopy(to_json(parse("y ~ log(x) + z | g, joint(x)")))
    place = data
    for step in path[:-1]:
        place = place[step]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return data


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (damaged(["version"], 2), "of version 1 is expected, and this is of version 2"),
        (damaged(["version"], None), "this is of version None"),
        (["y ~ x"], "this is of version None"),
        (damaged(["node"], "Name"), "damaged"),
        (damaged(["node"], "Path"), "damaged"),
        (damaged(["node"], None), "damaged"),
        (damaged(["predictors"], None), "damaged"),
        (damaged(["predictors"], "x"), "damaged"),
        (damaged(["predictors", "operators"], ["-", "-"]), "damaged"),
        (damaged(["predictors", "operators"], []), "damaged"),
        (damaged(["predictors", "operands", 1, "id"], 5), "damaged"),
        (damaged(["predictors", "operands", 1, "id"], "a b"), "does not hold"),
        (damaged(["predictors", "operands", 1, "id"], "z + w"), "damaged"),
        (damaged(["predictors", "operands", 1, "more"], 1), "damaged"),
        (damaged(["predictors", "operands", 1, "span"], [1]), "damaged"),
        (damaged(["predictors", "operands", 0, "name"], "lgo"), "there is no function `lgo`"),
        (damaged(["clauses", 0, "call", "args"], "x"), "does not hold|damaged"),
        (damaged(["extensions"], ["survival"]), "needs the extension `survival`"),
    ],
)
def test_damage_is_refused(data, message):
    with pytest.raises(StoreError, match=message):
        from_json(data)


def test_depth_is_refused():
    data = to_json(parse("y ~ x"))
    for _ in range(5_000):
        data["predictors"] = {"node": "Unary", "operator": "-", "operand": data["predictors"], "span": [0, 1]}
    with pytest.raises(StoreError, match=r"damaged|does not hold"):
        from_json(data)
