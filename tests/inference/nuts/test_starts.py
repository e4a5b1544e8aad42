"""Models whose log density is finite nowhere are refused before a sampler starts, with the reason."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pymc as pm
import pytest

import formulajoint as fj
from formulajoint.errors import InferenceError
from formulajoint.inference.nuts import starts

SIGNS = pd.DataFrame({"x": [1, -1, 0.5, -2, 2], "y": [2, 3, 1, 4, 1]})


def test_an_identity_link_that_leaves_no_positive_rate_is_refused_with_what_to_do() -> None:
    with pytest.raises(InferenceError, match=r"identity link the rate of `poisson` must be above 0") as found:
        fj.fit("y ~ 0 + x, family(poisson, link=identity)", SIGNS, seed=1)
    assert "`family(poisson)`" in str(found.value)


def test_a_response_that_an_own_family_cannot_have_is_named() -> None:
    counts = fj.Family(lambda mu: pm.Poisson.dist(mu), link="log", whole=True, name="own_counts")
    rows = pd.DataFrame({"x": np.arange(9) / 9, "y": [1, 0, 2, 1, -1, 3, 2, 4, 3]})
    language = fj.CORE.extend(fj.Extension("own", [counts]))
    with pytest.raises(
        InferenceError, match=r"`y` is impossible under the family `own_counts` in 1 of the 9 rows"
    ):
        fj.fit("y ~ x, family(own_counts)", rows, language=language, seed=1)


def test_at_exit_workers_of_nutpie_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    left = [True, True, False]
    monkeypatch.setattr(starts, "_are_workers_left", lambda: left.pop(0))
    starts._wait(step=0.0)
    assert not left
