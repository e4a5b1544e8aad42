"""Default priors that hold slopes far from least squares are named; where they do not matter nothing is said."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from formulajoint.compiler.planning.plan import make_plan
from formulajoint.design.bind import bind
from formulajoint.spec.read import parse


def notes(formula, data, priors=None):
    found = make_plan(bind(parse(formula), data), priors).notes
    return [note for note in found if "least squares" in note]


def units(range_a=1.0, range_b=1000.0, slope_a=10.0, slope_b=0.01, groups="AB", rows=30, seed=71):
    """Return groups of which the first has x in other units."""
    rng = np.random.default_rng(seed)
    g = np.repeat(list(groups), rows)
    first = g == "A"
    x = rng.uniform(0, np.where(first, range_a, range_b))
    return pd.DataFrame(
        {"g": g, "x": x, "y": 5 + np.where(first, slope_a, slope_b) * x + rng.normal(size=len(g))}
    )


def test_a_group_in_other_units():
    data = units()
    first = data[data.g == "A"]
    slope = np.polyfit(first.x, first.y, 1)[0]
    (note,) = notes("y ~ x | g", data)
    assert note.startswith("The default prior of x, normal(0, 0.0")
    assert f"holds x[A] far from least squares, {slope:.4g} (standard error 0." in note
    assert note.endswith(
        'Write a wider one, prior(x ~ normal(0, 10)), rescale x within each g, or take priors="flat".'
    )


@pytest.mark.parametrize(
    ("formula", "priors"),
    [
        ("y ~ x | g, prior(x ~ normal(0, 10))", None),
        ("y ~ x | g", "flat"),
        ("y ~ w | g", None),
        ("y ~ x | g, hierarchy(), prior(x.mean ~ normal(0, 10), x.sd ~ half_normal(10))", None),
    ],
)
def test_each_advice_ends_the_note(formula, priors):
    data = units()
    data["w"] = data.x / data.groupby("g").x.transform("std")
    assert notes(formula, data, priors) == []


def test_the_standard_error_is_that_of_the_regression():
    """Of one sigma for all rows, of each group's own, and known."""
    data = units(2.0, 50.0, 5.0, 0.2)
    data["s"] = 1.0
    a = data[data.g == "A"]
    ss = np.sum((a.x - a.x.mean()) ** 2)
    rss = {g: np.polyfit(part.x, part.y, 1, full=True)[1][0] for g, part in data.groupby("g")}
    for clause, variance in (
        ("", sum(rss.values()) / (60 - 4 - 2)),
        (", sigma ~ 1 | g", rss["A"] / (30 - 2 - 2)),
        (", se(s)", 1.0),
    ):
        (note,) = notes(f"y ~ x | g{clause}", data)
        assert f"(standard error {np.sqrt(variance / ss):.2g})" in note


def test_a_hierarchy_is_wider_than_its_mean():
    """Its sd grows where one group is ten prior sds out, but not where it is hundreds out."""
    assert notes("y ~ x | g, hierarchy()", units(2.0, 50.0, 5.0, 0.2)) == []
    (note,) = notes("y ~ x | g, hierarchy()", units())
    assert note.startswith("The default prior of x_mean, ")
    assert note.endswith("Write wider ones, prior(x.mean ~ normal(0, 10), x.sd ~ half_normal(10)).")


def test_columns_that_are_nearly_alike():
    rng = np.random.default_rng(5)
    x = rng.normal(size=40)
    u = x + 0.01 * rng.normal(size=40)
    data = pd.DataFrame({"x": x, "u": u, "y": 100 * (x - u) + 0.01 * rng.normal(size=40)})
    assert [note.split(",")[0] for note in notes("y ~ x + u", data)] == [
        "The default prior of x",
        "The default prior of u",
    ]


def test_many_groups_are_counted():
    data = pd.concat([units(seed=s).assign(g=lambda d, s=s: d.g + str(s)) for s in range(10)])
    (note,) = notes("y ~ x | g", data)
    assert "holds x[A0], x[A1], x[A2], x[A3], x[A4], x[A5] and 4 more far from least squares" in note


def test_chance_gives_a_note_in_few_data_sets():
    """x hardly varies within 40 of 60 groups, whose least-squares slopes are noise: 5 % of data sets have a note."""
    rng = np.random.default_rng(8)
    g = np.repeat(np.arange(60), 5)
    said = 0
    for _ in range(200):
        x = rng.normal(size=60)[g] * 3 + rng.normal(size=300) * np.where(g < 40, 0.02, 1.0)
        data = pd.DataFrame({"g": g.astype(str), "x": x, "y": rng.normal(size=60)[g] + rng.normal(size=300)})
        said += bool(notes("y ~ x | g", data))
    assert said / 200 < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)
