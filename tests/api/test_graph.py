"""The model's graph: Graphviz source, and a drawing that needs no program."""

from __future__ import annotations

import copy
import pickle
import re
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest

import formulajoint as fj
from formulajoint.results.text.graph import Graph

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def graph() -> Graph:
    return fj.model("test_score ~ treatment | school, joint()", fj.tutoring()).graph()


def boxes(graph: Graph) -> list[tuple[float, float, float, float]]:
    drawn = ET.fromstring(graph._repr_svg_())
    rects = drawn.findall(f"{SVG}rect")
    return [tuple(float(rect.attrib[side]) for side in ("x", "y", "width", "height")) for rect in rects]


def test_every_variable_is_in_the_source(graph: Graph) -> None:
    assert graph.startswith("digraph")
    for name in ("Intercept", "treatment", "sigma", "joint_treatment", "test_score"):
        assert f"\t{name} [label=" in graph
    for edge in ("Intercept -> test_score", "treatment -> joint_treatment", "sigma -> test_score"):
        assert f"\t{edge}" in graph


def test_graphviz_reads_the_same_edges_as_from_pymc(graph: Graph) -> None:
    pytest.importorskip("graphviz")
    import pymc as pm

    model = fj.model("test_score ~ treatment | school, joint()", fj.tutoring())
    theirs = set(re.findall(r"^\t(\S+ -> \S+)$", pm.model_to_graphviz(model.pymc).source, re.M))
    assert set(re.findall(r"^\t(\S+ -> \S+)$", graph, re.M)) == theirs


def test_a_notebook_draws_every_variable_with_prior_and_dims(graph: Graph) -> None:
    drawn = ET.fromstring(graph._repr_svg_())
    texts = [text.text for text in drawn.iter(f"{SVG}text")]
    assert len(boxes(graph)) == 5
    assert {"Intercept", "treatment", "sigma", "joint_treatment", "test_score"} <= set(texts)
    assert {"~ normal(0, 39.44)", "school (2)", "obs (10)"} <= set(texts)
    assert len(drawn.findall(f"{SVG}path")) == 4


def test_boxes_do_not_overlap_and_lie_within_the_drawing() -> None:
    rng = np.random.default_rng(1)
    data = pd.DataFrame(rng.normal(size=(80, 3)), columns=["y", "x", "z < 1"])
    data = data.assign(arm=np.tile(list("abcd"), 20), g=np.repeat(list("pqrs"), 20))
    formula = "y ~ x + arm + `z < 1` | g, hierarchy(x, arm), sigma ~ x, joint(x), rms(x), pairwise(x)"
    graph = fj.model(formula, data).graph()
    left, top, width, height = map(float, ET.fromstring(graph._repr_svg_()).attrib["viewBox"].split())
    found = boxes(graph)
    for number, (x, y, w, h) in enumerate(found):
        assert left <= x <= x + w <= left + width
        assert top <= y <= y + h <= top + height
        for x1, y1, w1, h1 in found[:number]:
            assert x + w <= x1 or x1 + w1 <= x or y + h <= y1 or y1 + h1 <= y


def test_a_graph_is_a_text_that_can_be_copied_and_pickled(graph: Graph) -> None:
    for other in (copy.deepcopy(graph), pickle.loads(pickle.dumps(graph))):
        assert other == graph
        assert other._repr_svg_() == graph._repr_svg_()
