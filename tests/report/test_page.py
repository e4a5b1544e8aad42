"""The page as it is read: its figures are those of the fit's tables, and nothing in the data is markup."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import formulajoint as fj
from formulajoint.results.joint_tests.questions import hypotheses
from formulajoint.results.text.figures import direction, numbers, probability
from formulajoint.results.text.printing import everywhere

type FitOf = Callable[..., fj.Fit]
type Reader = Callable[[Path], Any]
type Schools = Callable[[list[str]], pd.DataFrame]


@pytest.fixture(scope="module")
def seed(tutoring: fj.Fit, read: Reader, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return the page of the seed data."""
    return read(tutoring.report(tmp_path_factory.mktemp("report") / "report.html"))


def page_of(fit: fj.Fit, read: Reader, folder: Path) -> Any:
    return read(fit.report(folder / "report.html"))


# --- the first screen


def test_the_first_screen_answers_the_three_questions(seed: Any, tutoring: fj.Fit) -> None:
    text, row = seed.texts["answers"], tutoring.contrasts().iloc[0]
    mean, _, interval = numbers(row)
    assert "Is there an effect of treatment in any school? Yes, beyond reasonable doubt" in text
    assert f"How large is it over all of them? {mean} points of test_score 95% HDI {interval}" in text
    assert "How sure is that? Above zero with probability > 0.999" in text
    assert "weights n: A 0.4, B 0.6" in text
    assert "the effect is above zero in 2 of 2" in text


def test_problems_come_before_the_answers(fit_of: FitOf, read: Reader, tmp_path: Path) -> None:
    fit = fit_of("test_score ~ treatment | school, joint(weights=n)", fj.tutoring(), diverging=3)
    page = page_of(fit, read, tmp_path)
    places = list(page.texts)
    assert places.index("problems") < places.index("answers")
    assert "3 of 1000 draws diverged" in page.texts["problems"]
    assert page.texts["answers"].count("provisional:") == 3
    assert "No problem was found" not in page.texts["diagnostics"]


def test_no_problem_is_told_where_there_is_none(seed: Any) -> None:
    assert "problems" not in seed.texts
    assert "provisional" not in seed.texts["answers"]
    assert "No problem was found with the draws" in seed.texts["diagnostics"]


def test_more_schools_than_can_be_named_are_counted(
    fit_of: FitOf, read: Reader, tmp_path: Path, schools: Schools
) -> None:
    page = page_of(
        fit_of("score ~ treatment | school", schools([f"s{i}" for i in range(121)])), read, tmp_path
    )
    assert "121 schools, sorted by mean" in page.texts["answers"]
    assert len(page.tables["treatment by group"]) == 122


# --- figures


def test_contrasts_and_parameters_are_those_of_the_tables(seed: Any, tutoring: fj.Fit) -> None:
    (row,) = seed.tables["Contrasts"][1:]
    found = tutoring.contrasts().iloc[0]
    assert row[:5] == ["joint_treatment", *numbers(found), direction(found["p_direction"], found["ess_bulk"])]
    assert [float(key) for key in seed.keys["Contrasts"][1][1:4]] == pytest.approx(
        list(found[["mean", "sd", "hdi_low"]])
    )
    shown = {row[0]: row[1:4] for row in seed.tables["All parameters"][1:]}
    assert shown == {name: list(numbers(row)) for name, row in tutoring.summary().iterrows()}


def test_groups_are_those_of_summary_and_bands(seed: Any, tutoring: fj.Fit) -> None:
    heads, *rows = seed.tables["treatment by group"]
    assert heads[:3] == ["school", "rows", "weight"]
    bands = tutoring.bands()
    for row, keys, school, size in zip(rows, seed.keys["treatment by group"][1:], "AB", (4, 6), strict=True):
        shown, band = dict(zip(heads, row, strict=True)), bands.loc[f"treatment[{school}]"]
        own = tutoring.summary().loc[f"treatment[{school}]"]
        assert [shown["school"], shown["rows"], shown["weight"]] == [school, str(size), f"{size / 10:g}"]
        assert [shown["mean"], shown["sd"], shown["95% HDI"]] == list(numbers(own))
        low, high = map(float, shown["95% band"].strip("()").split(", "))
        assert (low, high) == pytest.approx((band["low"], band["high"]), abs=0.006)
        assert shown["band excludes 0"] == "yes, above"
        assert float(keys[heads.index("95% band")]) == pytest.approx(band["low"])


def test_groups_are_said_to_be_apart_from_zero_by_the_band(
    fit_of: FitOf, read: Reader, tmp_path: Path, schools: Schools
) -> None:
    noise = np.random.default_rng(3).normal(size=(4, 250, 3))
    fit = fit_of(
        "score ~ treatment | school", schools(["A", "B", "C"]), treatment=noise + np.array([-9, 1, 9])
    )
    heads, *rows = page_of(fit, read, tmp_path).tables["treatment by group"]
    assert [row[heads.index("band excludes 0")] for row in rows] == ["yes, below", "no", "yes, above"]


def test_joint_tests_are_those_of_the_table(seed: Any, tutoring: fj.Fit) -> None:
    (row,), found = seed.tables["Joint tests"][1:], tutoring.test().iloc[0]
    (said,) = hypotheses(tutoring.model.plan, "treatment == 0")
    assert (
        row[0] == f"treatment == 0{everywhere(tutoring.model.plan, said)}" == "treatment == 0 in every school"
    )
    assert row[1] == probability(found["contour"], found["contour_mcse"])
    assert row[4] == f"{found['log_bf10']:.2f}"
    assert row[5] == "an effect"
    assert row[6].startswith("F(2, 6) = 412.5, p = 3.8e-07")
    assert f"treatment == 0: {found['note']}" in seed.texts["test"]
    factors = [float(row[3]) for row in seed.tables["Bayes factors under narrower and wider priors"][1:]]
    assert factors == pytest.approx(list(tutoring.sensitivity()["log_bf10"]), abs=0.005)


def test_marks_stand_where_the_figures_say(seed: Any, tutoring: fj.Fit) -> None:
    """Distances between marks, in percent, are those between the figures, whatever the axis."""
    dots = [float(str(c["cx"]).rstrip("%")) for c in seed.of("circle") if str(c.get("cx", "")).endswith("%")]
    lines = [line for line in seed.of("line") if line.get("class") == "hdi" and str(line["x1"]).endswith("%")]
    zero = next(float(str(line["x1"]).rstrip("%")) for line in seed.of("line") if line.get("class") == "null")
    summary = tutoring.summary().loc[["treatment[A]", "treatment[B]"]]
    scale = (dots[0] - dots[1]) / (summary["mean"].iloc[0] - summary["mean"].iloc[1])
    assert dots[0] - zero == pytest.approx(scale * summary["mean"].iloc[0], abs=0.02)
    widths = [float(str(line["x2"]).rstrip("%")) - float(str(line["x1"]).rstrip("%")) for line in lines[:2]]
    assert widths == pytest.approx(list(scale * (summary["hdi_high"] - summary["hdi_low"])), abs=0.03)


def test_the_share_of_a_bar_is_told(seed: Any) -> None:
    tips = [attrs["data-tip"] for tag, attrs in seed.elements if tag == "g" and "data-tip" in attrs]
    shares = [float(str(tip).partition(" %")[0]) for tip in tips if "of the draws" in str(tip)]
    assert len(shares) > 20
    assert sum(shares) == pytest.approx(200, abs=3)  # two histograms: the contrast, the distances


# --- the rest of the page


def test_model_data_priors_and_recipe_are_told(seed: Any, tutoring: fj.Fit) -> None:
    assert "mu = Intercept[school] + b_treatment[school] * treatment" in seed.texts["model"]
    assert seed.tables["Columns used"][1:] == [
        ["test_score", "response", "0"],
        ["treatment", "predictor of mu", "0"],
        ["school", "group", "0"],
    ]
    assert {row[0]: row[2] for row in seed.tables["Priors"][1:]} == tutoring.model.priors
    code = seed.texts["reproduce"]
    for part in (
        "'test_score ~ treatment | school, joint(weights=n)'",
        "seed=7",
        "tune=500",
        "engine='nutpie'",
    ):
        assert part in code
    assert f"formulajoint {fj.__version__}" in code


def test_missing_values_are_counted(fit_of: FitOf, read: Reader, tmp_path: Path, schools: Schools) -> None:
    data = schools(["A", "B"]).astype({"age": float})
    data.loc[[0, 7], "age"] = np.nan
    page = page_of(fit_of("score ~ treatment + common(age) | school", data), read, tmp_path)
    assert ["age", "predictor of mu", "2"] in page.tables["Columns used"]
    assert "10 of 12 rows (2 miss a value: age in 2)" in page.texts["data"]


def test_columns_that_weigh_rows_are_told(
    fit_of: FitOf, read: Reader, tmp_path: Path, schools: Schools
) -> None:
    data = schools(["A", "B"]).assign(times=2, error=1.5)
    page = page_of(fit_of("score ~ treatment | school, weights(times), se(error)", data), read, tmp_path)
    assert ["times", "weights of the rows", "0"] in page.tables["Columns used"]
    assert ["error", "known standard errors", "0"] in page.tables["Columns used"]
    assert "residual sds known: error, 1.5" in page.texts["data"]


def test_columns_of_offsets_are_told(fit_of: FitOf, read: Reader, tmp_path: Path, schools: Schools) -> None:
    data = schools(["A", "B"]).assign(days=2.5, extra=1.0)
    text = "score ~ treatment + offset(log(days)) + offset(extra) | school"
    rows = page_of(fit_of(text, data), read, tmp_path).tables["Columns used"]
    assert ["days", "offset of mu", "0"] in rows
    assert ["extra", "offset of mu", "0"] in rows


def test_contrasts_that_are_not_drawn_are_counted(
    fit_of: FitOf, read: Reader, tmp_path: Path, schools: Schools
) -> None:
    text = "score ~ treatment | school, pairwise(treatment)"
    for count, said in ((3, False), (6, True)):
        page = page_of(fit_of(text, schools(list("ABCDEF")[:count])), read, tmp_path)
        assert ("6 of 15 are drawn; fit.plot.contrast(name) draws each." in page.texts["contrasts"]) is said


@pytest.mark.parametrize(
    ("formula", "title", "sections"),
    [
        ("score ~ treatment", "What score depends on", {"parameters", "model"}),
        ("score ~ 1 | school", "How large is score in each school?", {"answers", "groups"}),
        (
            "score ~ treatment | school",
            "Is there an effect of treatment on score in any school",
            {"answers", "test"},
        ),
        (
            "score ~ treatment + age | school, hierarchy(treatment), joint(age), pairwise(treatment)",
            "Is there an effect of age on score in any school",  # that of the average comes first
            {"answers", "contrasts", "test", "groups"},
        ),
    ],
)
def test_every_kind_of_model_has_a_page(
    fit_of: FitOf,
    read: Reader,
    tmp_path: Path,
    schools: Schools,
    formula: str,
    title: str,
    sections: set[str],
) -> None:
    page = page_of(fit_of(formula, schools(["A", "B", "C"])), read, tmp_path)
    assert title in page.texts[""]
    assert sections <= page.texts.keys()
    anchors = {str(a["href"]).removeprefix("#") for a in page.of("a")}
    assert anchors <= {str(attrs.get("id")) for _, attrs in page.elements}


def test_levels_of_a_factor_are_told_apart(
    fit_of: FitOf, read: Reader, tmp_path: Path, schools: Schools
) -> None:
    data = schools(["A", "B"])
    data["arm"] = ["no", "few", "many"] * 4
    fit = fit_of("score ~ arm | school, joint(arm, weights=n)", data)
    page = page_of(fit, read, tmp_path)
    heads, *rows = page.tables["arm by group"]
    assert heads[:2] == ["school", "arm"]
    assert [row[:2] for row in rows] == [
        [school, level] for school in "AB" for level in ("many - few", "no - few")
    ]
    own = fit.summary().loc["arm[B, many - few]"]
    assert rows[2][heads.index("mean")] == numbers(own)[0]
    means = [numbers(row)[0] for _, row in fit.contrasts().iterrows()]
    assert f"many - few {means[0]}, no - few {means[1]} points of score" in page.texts["answers"]


def test_figures_that_do_not_exist_are_blank(fit_of: FitOf, read: Reader, tmp_path: Path) -> None:
    formula = "test_score ~ treatment | school, sigma ~ 1 | school, joint(weights=n)"
    page = page_of(fit_of(formula, fj.tutoring(), priors="flat"), read, tmp_path)
    assert "from how far out it lies in the posterior of each school" in page.texts["answers"]
    assert "There are no intervals that hold for every school at once" in page.texts["answers"]
    assert page.tables["Joint tests"][1][4] == ""
    assert page.tables["Contrasts"][1][2] == ""


# --- many groups


@pytest.mark.parametrize("count", [2, 8, 100, 1000])
def test_pages_of_many_groups_are_complete_and_not_too_large(
    fit_of: FitOf, read: Reader, tmp_path: Path, schools: Schools, count: int
) -> None:
    labels = [f"school {i:04}" for i in range(count)]
    page = page_of(
        fit_of("score ~ treatment | school, joint()", schools(labels), "flat", draws=25), read, tmp_path
    )
    assert [row[0] for row in page.tables["treatment by group"][1:]] == labels
    assert (tmp_path / "report.html").stat().st_size < 100_000 + 1600 * count
    height = next(float(str(svg["height"])) for svg in page.of("svg") if svg.get("width") == "100%")
    assert height <= 460  # pixels: the drawing fits the first screen


def test_what_is_left_out_is_told(fit_of: FitOf, read: Reader, tmp_path: Path, schools: Schools) -> None:
    labels = [f"{i:02}" for i in range(30)]
    page = page_of(
        fit_of("score ~ treatment | school, pairwise(treatment, most=435)", schools(labels), "flat"),
        read,
        tmp_path,
    )
    assert len(page.tables["Contrasts"]) == 201
    assert (
        "235 further rows are not shown here: fit.contrasts() returns all of them" in page.texts["contrasts"]
    )


# --- safe to open


EVIL = [
    "<script>alert(1)</script>",
    "\"' onmouseover='alert(2)' x=\"",
    "</style><img src=x onerror=alert(3)>",
    "{{ 7 * 7 }}",
]


def test_labels_are_text_and_never_markup(
    fit_of: FitOf, read: Reader, tmp_path: Path, schools: Schools
) -> None:
    page = page_of(fit_of("score ~ treatment | school, joint(weights=n)", schools(EVIL)), read, tmp_path)
    assert sorted(row[0] for row in page.tables["treatment by group"][1:]) == sorted(EVIL)
    assert len(page.of("script")) == 1
    assert page.of("img") == []
    assert not any(name.startswith("on") for _, attrs in page.elements for name in attrs)


def test_columns_are_text_and_never_markup(
    fit_of: FitOf, read: Reader, tmp_path: Path, schools: Schools
) -> None:
    data = schools(["A", "B"]).rename(columns={"treatment": "<b>x</b>"})
    page = page_of(fit_of("score ~ `<b>x</b>` | school", data), read, tmp_path)
    assert "effect of <b>x</b> on score" in page.texts[""].replace("`", "")
    assert page.of("b") == []


def test_nothing_is_fetched(seed: Any) -> None:
    links = [
        attrs[name]
        for _, attrs in seed.elements
        for name in ("src", "href", "data", "action")
        if name in attrs
    ]
    assert all(str(link).startswith("#") for link in links)
    assert seed.of("link") == seed.of("iframe") == []
    policy = next(m["content"] for m in seed.of("meta") if m.get("http-equiv") == "Content-Security-Policy")
    assert str(policy).startswith("default-src 'none'; ")


def test_styles_fetch_nothing(tutoring: fj.Fit, tmp_path: Path) -> None:
    text = tutoring.report(tmp_path / "report.html").read_text(encoding="utf-8")
    style = text[text.index("<style>") : text.index("</style>")]
    assert not re.search(r"@import|url\(|https?:", style)
    assert not re.search(r"https?://", text)


def test_every_drawing_is_told_in_words_and_reached_by_keys(seed: Any) -> None:
    charts = [attrs for _, attrs in seed.elements if "data-chart" in attrs]
    assert len(charts) == 3
    assert all(chart["aria-label"] and chart["tabindex"] == "0" for chart in charts)
    assert "A: 20.0" in str(charts[0]["aria-label"])
    assert {svg.get("aria-hidden") for svg in seed.of("svg")} <= {"true", None}
    assert len([th for th in seed.of("th") if not th.get("scope")]) == 0


# --- contrast of colours


def test_colours_can_be_read_on_their_paper() -> None:
    """The ratios of WCAG 2.2: text 4.5, marks 3."""
    style = (Path(fj.__file__).parent / "report/templates/report.css").read_text(encoding="utf-8")
    colours = dict(re.findall(r"--(\w+): light-dark\(([^)]*)\)", style))
    for side in (0, 1):
        tone = {name: pair.split(", ")[side] for name, pair in colours.items()}
        for paper in ("paper", "raised", "warn"):
            assert contrast(tone["ink"], tone[paper]) >= 7
        for paper in ("paper", "raised"):
            assert contrast(tone["soft"], tone[paper]) >= 4.5
            assert contrast(tone["blue"], tone[paper]) >= 4.5
        assert contrast(tone["joint"], tone["paper"]) >= 3
        assert contrast(tone["pale"], tone["paper"]) >= 3


def contrast(one: str, other: str) -> float:
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    digits = colour.removeprefix("#")
    digits = "".join(2 * d for d in digits) if len(digits) == 3 else digits
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


def test_other_predictors_are_pointed_to(
    seed: Any, fit_of: FitOf, read: Reader, tmp_path: Path, schools: Schools
) -> None:
    assert "The answers are about" not in " ".join(seed.texts.values())
    fit = fit_of("score ~ treatment + age | school, joint(age)", schools(["A", "B", "C"]))
    found = read(fit.report(tmp_path / "report.html"))
    assert "The answers are about age; treatment is further down." in " ".join(found.texts.values())


def test_a_test_over_the_groups_of_a_group_term_is_called_as_in_print(tmp_path: Path) -> None:
    """`x == 0 in every g`: that it is over g is said once."""
    rng = np.random.default_rng(1)
    data = pd.DataFrame(
        {"y": rng.normal(size=60), "x": rng.normal(size=60), "g": np.tile(list("abcdef"), 10)}
    )
    fit = fj.fit("y ~ x + (1 + x | g), joint(x, over=g)", data, seed=1, draws=100, chains=2)
    page = fit.report(tmp_path / "report.html").read_text(encoding="utf-8")
    assert "x == 0 in every g" in page
    assert "over=g in every g" not in page
