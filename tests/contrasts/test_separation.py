"""Hypotheses by strata: what each part says is what the hypothesis says, no more and no less."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from formulajoint.contrasts.hypotheses import hypothesis
from formulajoint.contrasts.layout import layout
from formulajoint.contrasts.separation import Part, by_strata
from formulajoint.design.bind import bind
from formulajoint.spec.read import parse, parse_hypotheses

RNG = np.random.default_rng(2)
FRAME = pd.DataFrame({"y": RNG.normal(size=40), "x": RNG.normal(size=40), "z": RNG.normal(size=40)})
FRAME = FRAME.assign(g=list("ABCDE") * 8, arm=RNG.choice(list("abc"), 40))


def parts_of(text: str, formula: str = "y ~ x + z + arm | g") -> tuple[tuple[Part, ...] | None, object]:
    design = bind(parse(formula), FRAME)
    said = hypothesis(design, parse_hypotheses(text))
    sizes = [block.term.columns.shape[1] for block in layout(design)]
    strata = np.concatenate([np.repeat(np.arange(5), size) for size in sizes])
    return by_strata(said, strata), said


ALONE = ["x == 0", "x[A] == 1, z[A] == 2 * x[A], arm[g=B] == 0", "x[A] == z[A] + 3"]
JOINED = {
    "x[A] + x[B] == 1, x[A] - x[B] == 3": [0],
    "x == x[A]": [1],
    "x[A] == 2 * x[B] - 4": [1],
    "x[A] == x[B], x[C] == x[D]": [1, 1],
    "x[A] == x[B], x[C] == 0": [0, 1],
    "arm == arm[g=A]": [2],
    "Intercept == Intercept[A], x == x[A]": [2],
    "x == x[A], z[B] == 5": [1],
    "x[A] == x[B], x[B] == 7": [0],
    "2 * x[A] + z[A] == x[B] + 1": [1],
}


@pytest.mark.parametrize("text", [*ALONE, *JOINED])
def test_parts_say_what_the_hypothesis_says(text: str) -> None:
    """Any point of the parts' null fulfils the hypothesis, and they have as many restrictions in all."""
    parts, said = parts_of(text)
    assert parts is not None
    assert [part.free.shape[1] for part in parts] == JOINED.get(text, [0])
    rows = np.vstack([part.rows.toarray() for part in parts])
    for _ in range(3):
        away = [part.free @ RNG.normal(size=part.free.shape[1]) for part in parts]
        values = np.concatenate([part.null + own for part, own in zip(parts, away, strict=True)])
        b, *_ = np.linalg.lstsq(rows, values)
        np.testing.assert_allclose(rows @ b, values, atol=1e-9)
        np.testing.assert_allclose(said.rows @ b, said.null, atol=1e-9)
    assert sum(part.rank for part in parts) == np.linalg.matrix_rank(said.rows.toarray())


@pytest.mark.parametrize("text", [*ALONE, *JOINED])
def test_rows_belong_to_one_stratum_and_strata_to_one_part(text: str) -> None:
    parts, _ = parts_of(text)
    assert parts is not None
    design = bind(parse("y ~ x + z + arm | g"), FRAME)
    sizes = [block.term.columns.shape[1] for block in layout(design)]
    strata = np.concatenate([np.repeat(np.arange(5), size) for size in sizes])
    for part in parts:
        for row, stratum in zip(part.rows.toarray(), part.strata, strict=True):
            assert set(strata[row != 0]) == {stratum}
    each = [set(part.strata.tolist()) for part in parts]
    assert sum(map(len, each)) == len(set().union(*each))


@pytest.mark.parametrize(
    "text", ["x[A] + x[B] + x[C] == 0", "x[A] - x[B] == x[C] - x[D]", "x[A] == x[B] + x[C], x[D] == 0"]
)
def test_other_comparisons_have_no_parts(text: str) -> None:
    assert parts_of(text)[0] is None
