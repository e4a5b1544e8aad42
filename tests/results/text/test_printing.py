"""A fit as text."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import formulajoint as fj
from formulajoint.api.fit import Fit
from formulajoint.api.model import JointModel
from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.text.figures import decimals, direction, numbers, probability

type MadeUp = Callable[..., Posterior]

ONE = "test_score ~ treatment | school, joint(weights=n)"


def text_of(posterior: Posterior) -> str:
    return str(Fit(JointModel(posterior.plan), posterior))


# --- rounding


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (0.05, 2),
        (0.0999, 2),
        (0.1, 1),
        (0.5, 1),
        (1.0, 0),
        (3.0, 0),
        (250.0, 0),
        (0.00012, 4),
        (1e-30, 30),
        (0.0, 2),
        (float("nan"), 2),
        (float("inf"), 2),
    ],
)
def test_decimals_end_where_the_error_begins(error: float, expected: int) -> None:
    assert decimals(error) == expected


def row(**given: float) -> pd.Series:
    return pd.Series(
        {"mean": 12.98765, "sd": 2.0, "hdi_low": 8.4321, "hdi_high": 16.789, "ess_bulk": 400} | given
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ("13.0", "2.0", "(8.4, 16.8)")),  # the error of the mean is 2 / sqrt(400) = 0.1
        ({"ess_bulk": 40000}, ("12.99", "2.00", "(8.43, 16.79)")),
        ({"ess_bulk": 3}, ("13", "2", "(8, 17)")),
        ({"sd": float("nan")}, ("13.0", "", "(8.4, 16.8)")),  # the interval gives the width
        ({"mean": float("nan"), "sd": float("nan")}, ("", "", "(8.4, 16.8)")),
        ({"ess_bulk": float("nan")}, ("13", "2", "(8, 17)")),
        ({"mean": -0.001, "hdi_low": -0.04}, ("0.0", "2.0", "(0.0, 16.8)")),  # no -0.0
        (
            {"mean": 1.2345e-8, "sd": 3e-9, "hdi_low": -4e-10, "hdi_high": 2e-8},  # the error is 1.5e-10
            ("1.23e-08", "3.0e-09", "(-4e-10, 2.00e-08)"),
        ),
        (
            {"sd": 3e-9, "hdi_low": 12.98765, "hdi_high": 12.98765},
            ("12.98765000", "3.0e-09", "(12.98765000, 12.98765000)"),
        ),
        (
            {"mean": 1e-300, "sd": 3e-9, "hdi_low": 0.0},
            ("0.00000000", "3.0e-09", "(0.00000000, 16.78900000)"),
        ),
        ({"sd": 0.0, "hdi_low": 1.0, "hdi_high": 1.0, "mean": 1.0}, ("1.00", "0.00", "(1.00, 1.00)")),
    ],
)
def test_a_row_shows_what_its_monte_carlo_error_supports(
    given: dict[str, float], expected: tuple[str, str, str]
) -> None:
    assert numbers(row(**given)) == expected


@pytest.mark.parametrize(
    ("share", "ess", "expected"),
    [
        (0.5, 4000, "0.500"),
        (0.9994, 4000, "0.999"),
        (0.9996, 4000, "> 0.999"),
        (1.0, 4000, "> 0.999"),
        (1.0, 50, "> 0.98"),  # fifty draws cannot tell 0.99 from 1
        (1.0, float("nan"), "1.000"),
    ],
)
def test_a_sign_that_no_draw_contradicts_is_only_bounded(share: float, ess: float, expected: str) -> None:
    assert direction(share, ess) == expected


# --- the whole


def test_a_fit_says_what_was_understood_and_found(made_up: MadeUp, tutoring: pd.DataFrame) -> None:
    normal = np.random.default_rng(3).normal(size=(4, 1000, 2))  # chain, draw, school
    posterior = made_up(
        "test_score ~ treatment | school, sigma ~ 1 | school, joint(weights=n)",
        tutoring,
        priors="flat",
        draws=1000,
        Intercept=normal + np.array([2, 3]),
        treatment=normal + np.array([20, 8]),
        sigma=0.1 * normal + np.array([1.0, 1.1]),
        joint_treatment=13 + 0.5 * normal[..., 0],
    )
    assert text_of(posterior) == FIT.strip()


FIT = """
Is there an effect of treatment in any school? Yes, beyond reasonable doubt (contour
    probability < 1.6e-06).
How large is it over all of them? 13.008 points of test_score, 95% HDI (12.053, 13.995).
How sure is that? Above zero with probability > 0.999.

test_score ~ treatment | school, sigma ~ 1 | school, joint(weights=n)

data: 10 rows; 2 groups of school (A 4, B 6)
Intercept: one intercept per school, not pooled
treatment: one slope per school, not pooled
sigma: residual sd, one per school, not pooled

contrast         mean    sd  95% HDI           p_direction
---------------  ------  --  ----------------  -----------
joint_treatment  13.008      (12.053, 13.995)  > 0.999
  joint_treatment: weighted mean of treatment over school; weights n: A 0.4, B 0.6

joint test                      contour    P(all > 0)  log BF10  classical test
------------------------------  ---------  ----------  --------  ------------------------------------------
treatment == 0 in every school  < 1.6e-06  > 0.999               normal scores chi2(2) = 23.94, p = 6.3e-06
  contour: share of the posterior that lies farther out than the hypothesis; reads like a p-value
  treatment == 0: contour by scores, group by group, an upper bound: in 2 groups no draw is beyond
                  the null; no band: the posterior has no covariance; no Bayes factor: flat priors
                  have no density; P(all < 0): no such draw, so below 0.0003

parameter     mean   sd     95% HDI         ess_bulk  r_hat
------------  -----  -----  --------------  --------  -----
treatment[A]  20.02         (18.11, 21.99)  4062      1.000
treatment[B]  7.99   1.00   (6.04, 9.92)    3807      1.000
sigma[A]      1.002         (0.811, 1.199)  4062      1.000
sigma[B]      1.099  0.100  (0.904, 1.292)  3807      1.000
Intercept[A]  2.02          (0.11, 3.99)    4062      1.000
Intercept[B]  2.99   1.00   (1.04, 4.92)    3807      1.000

note: With flat priors and so few rows `treatment[A]`, `sigma[A]`, `Intercept[A]`, `joint_treatment`
      have no sd (a blank mean does not exist either): their tails are too heavy. Intervals exist.
sampled by nutpie: smallest ess_bulk 3807, largest r_hat 1.000
"""


def test_warnings_and_answers_stand_first_and_notes_at_the_end(
    made_up: MadeUp, tutoring: pd.DataFrame
) -> None:
    posterior = made_up("test_score ~ treatment | school, hierarchy()", tutoring, draws=1000, diverging=2)
    text = text_of(posterior)
    assert "treatment_mean: " not in text, "what pools a coefficient is told with the coefficient"
    top, _, rest = text.partition("\n\n")
    assert top.startswith("warning: 2 of 4000 draws diverged")
    assert "\nIs there an effect of treatment in any school? " in top
    end = rest.partition("\n\nnote: ")[2].splitlines()
    assert end[0].startswith("There are 2 groups of school: ")
    assert any(line.startswith("sampled by nutpie: smallest ess_bulk ") for line in end)
    assert end[-1].endswith("mind the warnings at the top")
    assert all(len(line) <= 100 for line in end)


def test_joint_tests_of_many_groups_are_left_to_be_asked_for(made_up: MadeUp) -> None:
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"y": rng.normal(size=804), "x": rng.normal(size=804), "g": np.arange(804) // 4})
    note = "note: For 201 groups joint tests take a while: run fit.test() for `x == 0`."
    assert note in text_of(made_up("y ~ x | g", frame, draws=1000))
    assert "take a while" not in text_of(made_up("y ~ x | g", frame.iloc[:800], draws=1000))
    assert "take a while" not in text_of(made_up("y ~ 1 + common(x) | g", frame, draws=1000))
    assert "take a while" not in text_of(made_up("y ~ x | g, test(x == 0)", frame, draws=1000))


def test_of_more_than_a_hundred_groups_a_print_has_the_bayes_factor_alone(made_up: MadeUp) -> None:
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"y": rng.normal(size=404), "x": rng.normal(size=404), "g": np.arange(404) // 4})
    text = text_of(made_up("y ~ x | g", frame, draws=1000))
    assert "no contour or band of so many effects in a printed fit: `fit.test()` has them" in " ".join(
        text.split()
    )
    (line,) = [line for line in text.splitlines() if line.startswith("x == 0 in every g")]
    found = fj.fit("y ~ x | g", frame, seed=1).test().iloc[0]
    assert f" {found['log_bf10_hierarchy']:.2f} " in line
    assert found["contour"] > 0.05


def test_a_long_table_is_cut_with_a_count_and_groups_stand_last(made_up: MadeUp) -> None:
    frame = pd.DataFrame({"y": np.arange(60.0) ** 2, "x": [0, 1, 2] * 20, "g": np.repeat(np.arange(20), 3)})
    text = text_of(made_up("y ~ x | g, joint()", frame))
    _, _, table = text.partition("\nparameter ")
    assert [line.partition(" ")[0] for line in table.splitlines()[2:5]] == [
        "sigma",
        "x[0]",
        "x[1]",
    ]
    assert table.count("\nIntercept[") + table.count("\nx[") == 23
    assert "\n... and 17 more rows: fit.summary() has all\n" in table  # 20 + 20 + sigma less 24
    short = text_of(made_up("y ~ x | g", frame.iloc[:33]))  # 23 rows
    assert "... and" not in short
    assert short.index("\nsigma  ") > short.index("\nx[10]")


def test_of_a_thousand_pairs_the_first_are_printed_with_a_count(made_up: MadeUp) -> None:
    frame = pd.DataFrame({"y": np.arange(60.0) ** 2, "x": [0, 1, 2] * 20, "g": np.repeat(np.arange(20), 3)})
    posterior = made_up("y ~ x | g, joint(), pairwise(x, over=g, most=190), meandev(x, over=g)", frame)
    text = text_of(posterior)
    assert [text.count(f"\n{name}") for name in ("joint_x ", "pairwise_x[", "meandev_x[")] == [1, 24, 20]
    assert "\n... and 166 more rows of pairwise_x in contrasts()\n  joint_x: " in text
    html = Fit(JointModel(posterior.plan), posterior)._repr_html_()
    assert html.count(">pairwise_x[") == 24
    assert "<li>... and 166 more rows of pairwise_x in contrasts()</li>" in html


def test_each_contrast_is_explained_once_though_it_has_many_cells(
    made_up: MadeUp, clinics: pd.DataFrame
) -> None:
    text = text_of(made_up("outcome ~ arm | clinic, joint(weights=equal), spread()", clinics))
    assert text.count("  joint_arm: weighted mean of arm over clinic; weights equal: ") == 1
    assert text.count("  spread_arm: weighted standard deviation of arm over clinic; weights n: ") == 1
    assert "\njoint_arm[low - control]  " in text


@pytest.mark.parametrize("draws", [1, 3, 50])
def test_no_nan_is_ever_printed(made_up: MadeUp, tutoring: pd.DataFrame, draws: int) -> None:
    text = text_of(made_up(ONE, tutoring.iloc[[0, 1, 2, 4, 9]], priors="flat", chains=1, draws=draws))
    assert "nan" not in text
    assert "With flat priors" not in text_of(made_up(ONE, tutoring, chains=1, draws=draws))


@pytest.mark.parametrize(
    ("share", "mcse", "expected"),
    [
        (0.0, 0.0005, "< 0.0005"),
        (1.0, 0.0005, "> 0.999"),
        (1.0, 0.02, "> 0.98"),
        (0.25, 0.007, "0.250"),
        (0.0004, 0.0003, "0.0004"),
        (0.0, 0.0, "0.00"),  # a constant that is not the null: no draw could be
        (0.5, float("nan"), "0.50"),
    ],
)
def test_a_share_of_draws_has_the_digits_that_its_error_supports(
    share: float, mcse: float, expected: str
) -> None:
    assert probability(share, mcse) == expected


@pytest.mark.parametrize("width", [80, 120])
def test_in_a_terminal_no_word_is_cut(
    made_up: MadeUp, clinics: pd.DataFrame, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    posterior = made_up("outcome ~ arm * severe | clinic, joint(arm, weights=equal), spread(arm)", clinics)
    wide = text_of(posterior)
    monkeypatch.setenv("COLUMNS", str(width))
    text = text_of(posterior)
    assert max(map(len, text.splitlines())) <= width
    assert sorted(text.replace("-", "").split()) == sorted(wide.replace("-", "").split())
    assert max(map(len, Fit(JointModel(posterior.plan), posterior).model.explain().splitlines())) <= width
