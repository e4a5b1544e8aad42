"""The model's graph as Graphviz source."""

from __future__ import annotations

import pytest

import formulajoint as fj


def test_every_variable_is_in_the_graph() -> None:
    pytest.importorskip("graphviz")
    model = fj.model("test_score ~ treatment | school, joint()", fj.tutoring())
    source = model.graph()
    assert source.startswith("digraph")
    for name in ("Intercept", "treatment", "sigma", "joint_treatment", "test_score"):
        assert f"\t{name} [label=" in source


def test_without_graphviz_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("formulajoint.api.model.find_spec", lambda _: None)
    with pytest.raises(fj.InferenceError, match="pip install graphviz"):
        fj.model("test_score ~ treatment", fj.tutoring()).graph()
