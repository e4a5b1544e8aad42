"""What the picture of a contrast draws."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import formulajoint as fj
from formulajoint.errors import InferenceError
from formulajoint.plots.contrast import contrast
from formulajoint.results.draws.contrast import with_contrast
from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.draws.tables import contrasts, summary
from formulajoint.results.joint_tests.figures import simultaneous_band
from formulajoint.spec.read import parse_clause


def line(ax: Axes, label: str) -> Any:
    return next(a for a in (*ax.lines, *ax.collections) if a.get_label().startswith(label))


def labels(ax: Axes) -> list[str]:
    return [text for text in ax.get_legend_handles_labels()[1] if not text.startswith("_")]


def test_interval_and_density_are_those_of_the_draws(eight: Posterior) -> None:
    (ax,) = contrast(eight, "joint_treatment", prob=0.8).axes
    row = contrasts(eight, 0.8).loc["joint_treatment"]
    (segment,) = line(ax, "80% HDI").get_segments()
    assert segment[:, 0].tolist() == [row["hdi_low"], row["hdi_high"]]
    x, height = line(ax, "posterior").get_data()
    assert np.trapezoid(height, x) == pytest.approx(1, abs=0.02)
    assert np.trapezoid(x * height, x) == pytest.approx(row["mean"], abs=0.1 * row["sd"])


def test_the_first_contrast_is_drawn_and_its_sign_said(eight: Posterior) -> None:
    figure = contrast(eight)
    row = contrasts(eight).loc["joint_treatment"]
    assert row["p_direction"] > 0.999
    text = " ".join(figure.get_suptitle().split())
    assert text.startswith("joint_treatment: ")
    assert text.endswith("above zero with probability > 0.999 (1 of 2 contrasts; name=... chooses)")


def test_of_a_root_mean_square_no_sign_is_said(eight: Posterior) -> None:
    assert "probability" not in contrast(eight, "rms_treatment").get_suptitle()


def test_the_heights_at_zero_are_the_bayes_factor(
    by_group_of: Callable[..., Posterior], schools: Any
) -> None:
    posterior = by_group_of(
        "score ~ treatment | school, joint(weights={s000: 1, s001: 3})", schools(2, effect=1)
    )
    (ax,) = contrast(posterior).axes
    before, after = line(ax, "densities at zero").get_ydata()
    fit = fj.Fit(fj.JointModel(posterior.plan), posterior)
    row = fit.test("0.25*treatment[s000] + 0.75*treatment[s001] == 0").iloc[0]
    assert np.log(before / after) == pytest.approx(row["log_bf10"])
    x, height = line(ax, "prior normal").get_data()
    assert np.interp(0, x, height) == pytest.approx(before, rel=1e-3)


@pytest.mark.parametrize("fixture", ["pooled"])
def test_without_a_known_ratio_no_heights_are_drawn(request: pytest.FixtureRequest, fixture: str) -> None:
    (ax,) = contrast(request.getfixturevalue(fixture)).axes
    assert labels(ax) == ["posterior", "95% HDI"]


def test_a_region_of_no_effect_is_shaded_with_its_probability(eight: Posterior) -> None:
    (ax,) = contrast(eight, rope=3.5).axes
    share = float((abs(eight.dataset["joint_treatment"]) < 3.5).mean())
    (text,) = [text for text in labels(ax) if text.startswith("within 3.5 of zero: ")]
    assert float(text.rpartition(" ")[2]) == pytest.approx(share, abs=0.01)
    (region,) = [patch for patch in ax.patches if patch.get_label().startswith("within")]
    assert (region.get_x(), region.get_width()) == (-3.5, 7.0)


def test_a_variable_of_few_values_has_a_panel_for_each_on_one_scale(
    by_group_of: Callable[..., Posterior], schools: Any
) -> None:
    posterior = by_group_of("score ~ treatment | school", schools(3))
    axes = contrast(posterior, "treatment").axes
    table = summary(posterior)
    assert [ax.get_xlabel() for ax in axes] == [name for name in table.index if name.startswith("treatment[")]
    for ax in axes:
        (segment,) = line(ax, "95% HDI").get_segments()
        assert segment[:, 0].tolist() == table.loc[ax.get_xlabel(), ["hdi_low", "hdi_high"]].tolist()
    assert len({ax.get_xlim() for ax in axes}) == 1


def test_deviations_of_eight_groups_are_rows_on_one_axis(eight: Posterior) -> None:
    posterior = with_contrast(eight, parse_clause("meandev(treatment)"))
    figure = contrast(posterior)
    (ax,) = figure.axes
    assert line(ax, "groups").get_offsets()[:, 0].tolist() == contrasts(posterior)["mean"].tolist()
    assert [text.get_text() for text in ax.get_yticklabels()] == [f"s00{i} - mean" for i in range(8)]
    assert ax.get_xlabel().endswith(", in points of score")


def test_hundreds_of_pairs_are_a_triangle_of_colours(
    by_group_of: Callable[..., Posterior], schools: Any
) -> None:
    posterior = by_group_of("score ~ treatment | school", schools(24, spread=8.0))
    posterior = with_contrast(posterior, parse_clause("pairwise(treatment, most=276)"))
    figure = contrast(posterior)
    table, means = contrasts(posterior), summary(posterior)["mean"]
    ax, _ = figure.axes
    (image,) = ax.images
    names = sorted((f"s{i:03d}" for i in range(24)), key=lambda name: -means[f"treatment[{name}]"])
    drawn = np.ma.getdata(image.get_array())
    (name,) = {label.partition("[")[0] for label in table.index}
    for (i, first), (j, second) in [((0, names[0]), (5, names[5])), ((3, names[3]), (20, names[20]))]:
        low, high = sorted([first, second])
        own = table.loc[f"{name}[{low} - {high}]", "mean"]
        assert drawn[i, j] == pytest.approx(own if low == first else -own)
    assert np.ma.count(image.get_array()) == 276
    assert image.norm.vmax == -image.norm.vmin == np.abs(table["mean"]).max()
    band = simultaneous_band(np.moveaxis(posterior.dataset[name].to_numpy(), -1, 2), 0.95)
    apart = int(((band.low > 0) | (band.high < 0)).sum())
    assert apart > 1
    assert len(line(ax, "apart").get_offsets()) == apart
    assert f"{apart} of 276 differ from zero" in figure.get_suptitle()


def test_axes_of_ones_own(eight: Posterior) -> None:
    figure = Figure()
    ax = figure.subplots()
    assert contrast(eight, ax=ax) is figure
    assert "above zero" in ax.get_title(loc="left")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (
            {"name": "joint_tretment"},
            "no contrast or variable `joint_tretment`: did you mean `joint_treatment`?",
        ),
        ({"rope": 0}, "`rope` must be above zero, not 0"),
        ({"prob": 95}, "`prob` must lie between 0 and 1"),
    ],
)
def test_mistakes_are_answered_in_words(eight: Posterior, arguments: dict[str, Any], reason: str) -> None:
    with pytest.raises(InferenceError) as error:
        contrast(eight, **arguments)
    assert reason in str(error.value)


def test_many_values_are_rows_with_hdi_and_band(eight: Posterior) -> None:
    posterior = with_contrast(eight, parse_clause("pairwise(treatment)"))
    figure = contrast(posterior, prob=0.8)
    (ax,) = figure.axes
    table = contrasts(posterior, 0.8)
    assert len(table) == 28
    assert line(ax, "groups").get_offsets()[:, 0].tolist() == table["mean"].tolist()
    ends = np.array([segment[:, 0] for segment in line(ax, "hdi").get_segments()])
    assert np.array_equal(ends, table[["hdi_low", "hdi_high"]])
    band = simultaneous_band(
        np.moveaxis(posterior.dataset[table.index[0].partition("[")[0]].to_numpy(), -1, 2), 0.8
    )
    ends = np.array([segment[:, 0] for segment in line(ax, "band").get_segments()])
    assert ends == pytest.approx(np.column_stack([band.low, band.high]))
    apart = int(((band.low > 0) | (band.high < 0)).sum())
    assert f"{apart or 'none'} of 28 differ" in " ".join(figure.get_suptitle().split())


def test_a_region_of_no_effect_is_shaded_behind_many_values(eight: Posterior) -> None:
    posterior = with_contrast(eight, parse_clause("pairwise(treatment)"))
    figure = contrast(posterior, rope=1.5)
    (region,) = [patch for patch in figure.axes[0].patches if patch.get_label() == "within 1.5 of zero"]
    assert (region.get_x(), region.get_width()) == (-1.5, 3.0)
    (key,) = figure.legends
    assert "within 1.5 of zero" in [text.get_text() for text in key.get_texts()]


def test_a_ratio_has_a_median_and_no_endless_axis(eight: Posterior) -> None:
    clause = "contrast(treatment[s000] / treatment[s001])"
    posterior = with_contrast(eight, parse_clause(clause))
    figure = contrast(posterior)
    row = contrasts(posterior).iloc[0]
    assert np.isnan(row["mean"])
    assert ": median " in figure.get_suptitle()
    x, _ = line(figure.axes[0], "posterior").get_data()
    assert np.ptp(x) < 3.2 * (row["hdi_high"] - row["hdi_low"])


def test_without_contrasts_a_name_is_asked_for(by_group_of: Callable[..., Posterior], schools: Any) -> None:
    with pytest.raises(InferenceError, match="The formula asks for no contrast"):
        contrast(by_group_of("score ~ treatment | school", schools(2)))
