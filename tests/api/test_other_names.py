"""Arguments that other packages call otherwise are told what they are called here."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

import pytest

import formulajoint as fj
from formulajoint.api.other_names import METHODS


@pytest.fixture(scope="module")
def fit() -> fj.Fit:
    return fj.fit("test_score ~ treatment | school", fj.tutoring(), seed=1, draws=50, progress=False)


ASKED: list[tuple[str, Callable[[fj.Fit], Any], str]] = [
    ("newdata", lambda fit: fit.predict(newdata=fj.tutoring()), "`new_data`"),
    ("data", lambda fit: fit.predict(data=fj.tutoring()), "`new_data`"),
    (
        "re_formula",
        lambda fit: fit.predict(re_formula=None),
        "a group that the fit has not seen, with `new_groups",
    ),
    ("datagrid", lambda fit: fit.predict(datagrid={}), "`new_data=fj.grid(fit, treatment=[0, 1])`"),
    ("datagrid", lambda fit: fit.means(datagrid={}), "`at`"),
    (
        "specs",
        lambda fit: fit.means(specs="treatment"),
        "`by='treatment', new_data=fj.grid(fit, 'balanced')`",
    ),
    ("eps", lambda fit: fit.comparisons("treatment", eps=0.1), "`fit.slopes(...)`"),
    ("eps", lambda fit: fit.slopes("treatment", eps=0.1), "leave it out"),
    ("newdata", lambda fit: fit.update(newdata=fj.tutoring()), "`new`, such as `new=rows`"),
    ("ndraws", lambda fit: fit.predict(ndraws=10), "`draws`"),
    ("type", lambda fit: fit.predict(type="response"), "`kind`"),
    ("nwe_data", lambda fit: fit.predict(nwe_data=1), "did you mean `new_data`?"),
    ("frobnicate", lambda fit: fit.predict(frobnicate=1), "it has `new_data`"),
    ("variables", lambda fit: fit.comparisons(variables="treatment"), "`variable='treatment'`"),
    ("contrast", lambda fit: fit.comparisons(contrast="treatment"), "`variable`"),
    ("comparison", lambda fit: fit.comparisons("treatment", comparison="ratio"), "`scale`"),
    ("re_formula", lambda fit: fit.comparisons("treatment", re_formula=None), "`groups`"),
    ("variables", lambda fit: fit.means(variables="treatment"), "`at`"),
    ("conditional", lambda fit: fit.means(conditional="school"), "`by`"),
    ("wrt", lambda fit: fit.slopes(wrt="treatment"), "`variable`"),
    ("conf_level", lambda fit: fit.slopes("treatment", conf_level=0.9), "`prob`"),
    ("conditional", lambda fit: fit.plot.effects(conditional="school"), "`by`"),
    ("variables", lambda fit: fit.plot.comparisons(variables="treatment"), "`variable`"),
    ("newdata", lambda fit: fj.grid(fit, newdata=fj.tutoring()), "`new_data`"),
]


@pytest.mark.parametrize(("name", "call", "advice"), ASKED)
def test_another_name_is_answered_with_ours(
    fit: fj.Fit, name: str, call: Callable[[fj.Fit], Any], advice: str
) -> None:
    with pytest.raises(fj.InferenceError) as error:
        call(fit)
    assert f"has no argument `{name}`" in str(error.value)
    assert advice in str(error.value)


def test_what_is_needed_is_named(fit: fj.Fit) -> None:
    with pytest.raises(
        fj.InferenceError, match="`comparisons` needs `variable`, such as `variable='treatment'`"
    ):
        fit.comparisons(by="school")
    assert len(fit.comparisons(variable="treatment")) == len(fit.comparisons("treatment")) == 1


def test_the_mean_of_the_hierarchy_is_predicted_as_advised() -> None:
    fit = fj.fit("test_score ~ 1 | school, hierarchy()", fj.tutoring(), seed=1, draws=50, progress=False)
    (mean,) = fit.predict({"school": ["unseen"]}, new_groups="mean")["mean"]
    assert mean == pytest.approx(fit.means(groups="mean")["mean"].item())


def test_signatures_stay() -> None:
    assert list(inspect.signature(fj.Fit.predict).parameters)[:3] == ["self", "new_data", "kind"]
    assert "Return predictions" in (fj.Fit.predict.__doc__ or "")


def test_a_column_may_have_such_a_name() -> None:
    data = fj.tutoring().rename(columns={"treatment": "type"})
    fit = fj.fit("test_score ~ type | school", data, seed=1, draws=50, progress=False)
    assert fj.grid(fit, type=[0, 1])["type"].tolist() == [0, 1]
    assert len(fit.plot.comparisons("type", compare="reference").axes) == 1


@pytest.mark.parametrize(("name", "call"), METHODS.items())
def test_methods_of_other_packages_are_answered_with_ours(fit: fj.Fit, name: str, call: str) -> None:
    assert not hasattr(fit, name)
    with pytest.raises(AttributeError, match=re.escape(call)):
        getattr(fit, name)
    ours = re.match(r"(fit|fj)\.(\w+)(?:\.(\w+))?", call)
    assert ours is not None
    there = getattr(fit if ours[1] == "fit" else fj, ours[2])
    assert ours[3] is None or hasattr(there, ours[3])


def test_a_property_that_fails_says_its_own_error(fit: fj.Fit) -> None:
    with pytest.raises(AttributeError, match="did you mean `summary`"):
        fit.sumary  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(fj.InferenceError, match=r"fit.test\('x == 0, scale=response'\)"):
        fit.test("treatment == 0", scale="response")  # type: ignore[call-arg]
    with pytest.raises(fj.InferenceError, match="scale='ratio'"):
        fit.comparisons("treatment", transform="exp")
    with pytest.raises(fj.InferenceError, match="such as odds ratios"):
        fit.summary(transform="exp")  # type: ignore[call-arg]
    with pytest.raises(fj.InferenceError, match="draws ratios"):
        fit.plot.forest(transform="exp")  # type: ignore[call-arg]


def test_draws_and_plots_print_on_one_line(fit: fj.Fit) -> None:
    assert repr(fit.draws).startswith("4 x 50 draws by exact, of `Intercept`, `treatment`")
    assert repr(fit.plot).startswith(
        "The plots of a fit, such as `fit.plot.forest()`: `comparisons`, `contrast`"
    )


def test_rows_that_the_fit_has_seen_are_warned_of_when_they_are_added(fit: fj.Fit) -> None:
    with pytest.warns(fj.FormulaJointWarning, match="same sums as the rows of the fit"):
        fit.update(fj.tutoring(), seed=1, draws=50, progress=False)
