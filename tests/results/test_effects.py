"""The groups' effects in the units of the weighted mean beside them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.effects import group_effects, over_all
from formulajoint.results.findings import Findings

type MadeUp = Callable[..., Posterior]


@pytest.mark.parametrize(
    ("clauses", "divisor"),
    [
        ("joint()", lambda p, y: np.ones((4, 200, 2))),
        ("sigma ~ 1 | school, joint(scale=sigma)", lambda p, y: p.named.values("sigma")),
        ("joint(scale=sigma)", lambda p, y: np.stack([p.named.values("sigma")] * 2, axis=-1)),
        ("joint(scale=sd)", lambda p, y: np.broadcast_to(y.std().to_numpy(), (4, 200, 2))),
        ("joint(scale=10)", lambda p, y: np.full((4, 200, 2), 10.0)),
    ],
)
def test_effects_are_divided_draw_by_draw_as_in_the_mean(
    made_up: MadeUp, tutoring: pd.DataFrame, clauses: str, divisor: Callable[[Posterior, object], np.ndarray]
) -> None:
    sigma = np.exp(np.random.default_rng(3).normal(size=(4, 200, 2 if "| school, joint" in clauses else 1)))
    posterior = made_up(
        f"test_score ~ treatment | school, {clauses}",
        tutoring,
        sigma=sigma if sigma.shape[-1] == 2 else sigma[..., 0],
    )
    found = Findings(posterior)
    of = group_effects(found, posterior.plan.mean.coefficients[1])
    scaled = posterior.named.values("treatment") / divisor(
        posterior, tutoring.groupby("school")["test_score"]
    )
    assert of.middles == pytest.approx(scaled.mean(axis=(0, 1)))
    assert of.rows["sd"].to_numpy() == pytest.approx(scaled.reshape((-1, 2)).std(axis=0, ddof=1))
    assert of.bands["mean"].to_numpy() == pytest.approx(of.middles)
    (joint,) = over_all(found, of)
    assert joint.estimates.effects[0].variable == "joint_treatment"


def test_means_in_other_units_are_not_drawn_beside_the_effects(
    made_up: MadeUp, tutoring: pd.DataFrame
) -> None:
    clauses = "hierarchy(treatment), joint(scale=sigma), joint(name=points), joint(name=again, scale=sigma)"
    posterior = made_up(f"test_score ~ treatment | school, {clauses}", tutoring)
    found = Findings(posterior)
    of = group_effects(found, posterior.plan.mean.coefficients[1])
    shown = [each.estimates.effects[0].variable for each in over_all(found, of)]
    assert shown == ["joint_treatment", "again"], "the mean of a hierarchy in points is in points"


@pytest.mark.parametrize(("scale", "pooled"), [("sigma", ["treatment_mean"]), ("none", []), ("2", [])])
def test_the_mean_of_a_hierarchy_in_residual_sds_stands_beside_effects_in_these(
    made_up: MadeUp, tutoring: pd.DataFrame, scale: str, pooled: list[str]
) -> None:
    clauses = f"hierarchy(treatment, scale=sigma), joint(scale={scale})"
    posterior = made_up(f"test_score ~ treatment | school, {clauses}", tutoring)
    found = Findings(posterior)
    of = group_effects(found, posterior.plan.mean.coefficients[1])
    shown = [each.estimates.effects[0].variable for each in over_all(found, of)]
    assert shown == ["joint_treatment", *pooled]


def test_effects_in_residual_sds_have_moments_where_those_in_points_have_none(
    made_up: MadeUp, tutoring: pd.DataFrame
) -> None:
    formula = "test_score ~ treatment | school, sigma ~ 1 | school, joint({})"
    for scale, exists in (("scale=none", False), ("scale=sigma", True)):
        posterior = made_up(formula.format(scale), tutoring, priors="flat", sigma=np.ones((4, 200, 2)))
        of = group_effects(Findings(posterior), posterior.plan.mean.coefficients[1])
        assert of.rows["sd"].notna().all() == exists
        assert of.bands["low"].notna().all() == exists
