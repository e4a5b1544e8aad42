"""Traces and pairs by arviz-plots, with the cells of the tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import formulajoint as fj
from formulajoint.errors import InferenceError
from formulajoint.plots.draws import MOST_TRACES, pairs, trace
from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.draws.tables import summary


def test_a_trace_has_a_line_a_chain_with_its_draws(eight: Posterior) -> None:
    figure = trace(eight, ["treatment[s003]"])
    (ax,) = figure.axes
    drawn = [line.get_ydata() for line in ax.lines if len(line.get_ydata()) == 250]
    draws = eight.dataset["treatment"].sel(school="s003").to_numpy()
    assert len(drawn) == 4
    assert all(any(np.array_equal(chain, line) for line in drawn) for chain in draws)


def test_a_variable_is_all_its_cells(eight: Posterior) -> None:
    titles = [ax.get_title(loc="left") or ax.get_title() for ax in trace(eight, ["sigma", "treatment"]).axes]
    assert [title for title in titles if title] == ["sigma", *(f"treatment[s00{i}]" for i in range(8))]


def test_groups_within_groups_keep_their_slash() -> None:
    rng = np.random.default_rng(1)
    data = pd.DataFrame(
        {"y": rng.normal(size=40), "a": np.repeat(list("uv"), 20), "b": np.tile(list("pq"), 20)}
    )
    fit = fj.fit("y ~ 1 | a/b", data, seed=1, draws=100)
    titles = {ax.get_title(loc="left") or ax.get_title() for ax in trace(fit.draws, ["Intercept"]).axes}
    assert titles >= {"Intercept[u/p]", "Intercept[v/q]"}
    labels = {ax.get_ylabel() for ax in pairs(fit.draws, ["Intercept[u/p]", "sigma"]).axes}
    assert "sigma" in labels


def test_of_many_cells_the_worst_are_drawn(by_group_of: Callable[..., Posterior], schools: Any) -> None:
    posterior = by_group_of("score ~ treatment | school, joint()", schools(40))
    titles = {ax.get_title(loc="left") or ax.get_title() for ax in trace(posterior).axes}
    worst = summary(posterior)["ess_bulk"].sort_values().index[: MOST_TRACES - 1]
    assert titles == {"joint_treatment", *worst}


def test_the_title_says_how_many_there_are_where_only_some_are_drawn(
    by_group_of: Callable[..., Posterior], schools: Any
) -> None:
    posterior = by_group_of("score ~ treatment | school, joint()", schools(40))
    some = "(12 of 82 parameters; names=... chooses)"  # 40 + 40 + sigma + joint
    assert " ".join(trace(posterior).get_suptitle().split()).endswith(some)
    assert "of 82" not in trace(posterior, ["sigma"]).get_suptitle()
    assert pairs(posterior).get_suptitle() == "Parameters in pairs (5 of 82 parameters; names=... chooses)"


def test_the_title_says_whether_the_chains_agree(eight: Posterior) -> None:
    assert trace(eight, ["sigma"]).get_suptitle().startswith("The chains agree: largest r_hat ")
    tree = eight.tree.copy(deep=True)
    tree["posterior"]["sigma"][0] += 50.0
    title = trace(Posterior(eight.plan, tree, "nutpie"), ["sigma"]).get_suptitle().replace("\n", " ")
    assert title.startswith("The chains do not agree yet: largest r_hat ")


def test_pairs_have_each_two_once_with_divergences(eight: Posterior) -> None:
    tree = eight.tree.copy(deep=True)
    tree["sample_stats"]["diverging"][0, :5] = True
    figure = pairs(Posterior(eight.plan, tree, "nutpie"), ["joint_treatment", "sigma", "treatment[s000]"])
    clouds = [ax for ax in figure.axes if ax.collections]
    assert len(clouds) == 3
    for ax in clouds:
        sizes = sorted(len(c.get_offsets()) for c in ax.collections)
        assert sum(sizes) == 1005
        assert 5 in sizes


@pytest.mark.parametrize(("names", "count"), [(["sigma"], 1), (["treatment"], 8)])
def test_pairs_are_of_two_to_six(eight: Posterior, names: list[str], count: int) -> None:
    with pytest.raises(InferenceError, match=f"Pairs are drawn of 2 to 6 quantities, not of {count}"):
        pairs(eight, names)


def test_an_unknown_name_is_told_the_nearest(eight: Posterior) -> None:
    with pytest.raises(InferenceError, match="no variable `tretment`: did you mean `treatment`"):
        trace(eight, ["tretment"])


def test_too_many_panels_are_refused(by_group_of: Callable[..., Posterior], schools: Any) -> None:
    with pytest.raises(InferenceError, match="41 panels are too many"):
        trace(by_group_of("score ~ treatment | school", schools(41)), ["treatment"])


def test_plotly_draws_the_same(eight: Posterior) -> None:
    figure = trace(eight, ["treatment[s003]"], figsize=(6, 3), backend="plotly")
    draws = eight.dataset["treatment"].sel(school="s003").to_numpy()
    drawn = [
        np.asarray(line.y, dtype=float) for line in figure.data if line.y is not None and len(line.y) == 250
    ]
    assert all(any(np.array_equal(chain, line) for line in drawn) for chain in draws)
    assert figure.layout.title.text.startswith("The chains agree")
    assert (figure.layout.width, figure.layout.height) == (600, 300)
    assert len(pairs(eight, ["sigma", "treatment[s003]"], backend="plotly").data) >= 3


@pytest.mark.parametrize("plot", [trace, pairs])
def test_backends_are_known_and_there(
    plot: Callable[..., Any], eight: Posterior, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InferenceError, match="`backend` is one of `matplotlib`, `plotly`, not 'gnuplot'"):
        plot(eight, backend="gnuplot")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InferenceError, match=r"pip install 'formulajoint\[plotly\]'"):
        plot(eight, backend="plotly")


def test_a_constant_contrast_is_not_among_the_pairs() -> None:
    """The spread of one group is zero in every draw; arviz-plots has no density of it, and warns."""
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"y": rng.normal(size=30), "x": rng.normal(size=30), "g": "only"})
    fit = fj.fit("y ~ x | g, spread(x), joint(x)", data, seed=1, draws=100)
    labels = {ax.get_ylabel() for ax in pairs(fit.draws).axes}
    assert "joint_x" in labels
    assert "spread_x" not in labels
