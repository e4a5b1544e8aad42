"""Parameters and means at rows of other data frames, against NumPy by hand from the draws."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

import formulajoint as fj
from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.predictions.evaluate import Evaluation, evaluation

type MadeUp = Callable[..., Posterior]

ROWS = np.arange(30)
DATA = pd.DataFrame(
    {
        "y": 3.0 + ROWS * 7 % 13,
        "k": ROWS * 5 % 7,
        "hit": ROWS % 2,
        "part": 0.1 + 0.8 * (ROWS * 7 % 13) / 13,
        "s": ROWS % 3,
        "n": 3 + ROWS % 4,
        "x": 1.0 + ROWS * 3 % 11,
        "z": np.cos(ROWS),
        "arm": np.array(["control", "low", "high"])[ROWS % 3],
        "on": ROWS % 4 < 2,
        "school": np.array(["a", "b", "c"])[ROWS // 10],
        "room": np.array(["p", "q"])[ROWS // 5 % 2],
        "error": 1.0 + ROWS % 2,
    }
)
NEW = pd.DataFrame(
    {
        "x": [2.0, 20.0, -1.0, 3.5],
        "z": [0.5, 0.0, -2.0, 1.0],
        "arm": ["high", "control", "low", "high"],
        "on": [True, False, True, True],
        "school": ["c", "a", "a", "b"],
        "room": ["q", "p", "q", "p"],
        "n": [10, 1, 5, 2],
        "error": [3.0, 2.0, 1.0, 1.0],
    }
)
SCHOOL, ARM = [2, 0, 0, 1], [2, 0, 1, 2]  # places in the orders a, b, c and control, low, high


def at_new(
    posterior: Posterior, data: pd.DataFrame = NEW, **options: object
) -> tuple[Evaluation, np.ndarray]:
    found = evaluation(posterior, data, **options)
    return found, found.mean(found.rows)


def flat(posterior: Posterior, name: str) -> np.ndarray:
    """Return the draws of a variable, (S, ...)."""
    values = posterior.named.values(name)
    return values.reshape((-1, *values.shape[2:]))


def test_groups_factors_interactions_and_offsets(made_up: MadeUp) -> None:
    data = DATA.assign(arm=pd.Categorical(DATA["arm"], ["control", "low", "high"]))
    posterior = made_up("y ~ x * arm + common(on) + offset(2 * z) | school", data)
    _, mean = at_new(posterior)
    b, slopes = flat(posterior, "Intercept")[:, SCHOOL], flat(posterior, "x")[:, SCHOOL]
    arms = [np.pad(flat(posterior, name), ((0, 0), (0, 0), (1, 0))) for name in ("arm", "x:arm")]
    own, turned = (np.stack([a[:, g, k] for g, k in zip(SCHOOL, ARM, strict=True)], axis=1) for a in arms)
    x = NEW["x"].to_numpy()
    expected = b + own + (slopes + turned) * x + 2 * NEW["z"].to_numpy()
    expected += flat(posterior, "on")[:, None] * NEW["on"].to_numpy()
    assert mean.T == pytest.approx(expected)


def test_what_columns_learnt_stays_that_of_the_fit(made_up: MadeUp) -> None:
    posterior = made_up(
        "y ~ standardize(x) + poly(z, 2, raw=true) + C(arm, coding=sum) + center(x, by=school)", DATA
    )
    _, mean = at_new(posterior)
    x, z = NEW["x"].to_numpy(), NEW["z"].to_numpy()
    own = DATA.groupby("school")["x"].mean()[NEW["school"]].to_numpy()
    names = [v for v in posterior.named.variables if v not in ("sigma", "Intercept")]
    scaled, curve, arm, centred = (flat(posterior, name) for name in names)
    codes = np.array([[0, 1], [1, 0], [-1, -1], [0, 1]])  # the order is control, high, low
    expected = flat(posterior, "Intercept")[:, None] + arm @ codes.T
    expected += scaled[:, None] * (x - DATA["x"].mean()) / DATA["x"].std() + centred[:, None] * (x - own)
    assert mean.T == pytest.approx(expected + curve @ np.array([z, z**2]))


def test_group_terms_nested_and_crossed(made_up: MadeUp) -> None:
    posterior = made_up("y ~ x + (1 + x | school/room) + (0 + z | arm), sigma ~ x + (1 | school)", DATA)
    found, mean = at_new(posterior)
    x, z, pairs = NEW["x"].to_numpy(), NEW["z"].to_numpy(), [5, 0, 1, 2]
    expected = flat(posterior, "Intercept")[:, None] + flat(posterior, "x")[:, None] * x
    for over, at in (("school", SCHOOL), ("school:room", pairs)):
        expected += flat(posterior, f"Intercept|{over}")[:, at] + flat(posterior, f"x|{over}")[:, at] * x
    assert mean.T == pytest.approx(expected + flat(posterior, "z|arm")[:, [1, 0, 2, 1]] * z)
    log_sigma = flat(posterior, "sigma_Intercept")[:, None] + flat(posterior, "sigma_x")[:, None] * x
    log_sigma = log_sigma + flat(posterior, "sigma_Intercept|school")[:, SCHOOL]
    assert found.at(found.rows).parameters["sigma"].T == pytest.approx(np.exp(log_sigma))


@pytest.mark.parametrize(
    ("text", "inverse"),
    [
        ("k ~ x + offset(z), family(poisson)", np.exp),
        ("k ~ x + offset(z), family(poisson, link=sqrt)", lambda eta: eta * abs(eta)),
        ("hit ~ x + offset(z), family(bernoulli)", special.expit),
        ("hit ~ x + offset(z), family(bernoulli, link=probit)", special.ndtr),
        ("prop(s, n) ~ x + offset(z), family(binomial, link=cloglog)", lambda eta: -np.expm1(-np.exp(eta))),
        ("part ~ x + offset(z), family(beta)", special.expit),
        ("y ~ x + offset(z), family(gamma, link=inverse)", lambda eta: 1 / eta),
    ],
)
def test_links(made_up: MadeUp, text: str, inverse: Callable[[np.ndarray], np.ndarray]) -> None:
    posterior = made_up(text, DATA)
    _, mean = at_new(posterior, response=False)
    eta = flat(posterior, "Intercept")[:, None] + flat(posterior, "x")[:, None] * NEW["x"].to_numpy()
    assert mean.T == pytest.approx(inverse(eta + NEW["z"].to_numpy()))


def zero_truncated(law: object) -> np.ndarray:
    return law.mean() / law.sf(0)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "mean"),
    [
        ("y ~ 1, family(lognormal)", lambda p: stats.lognorm(p["sigma"], scale=p["mu"]).mean()),
        ("k ~ 1, family(zero_inflated_poisson)", lambda p: (1 - p["zi"]) * p["mu"]),
        ("k ~ 1, family(hurdle_poisson)", lambda p: (1 - p["hu"]) * zero_truncated(stats.poisson(p["mu"]))),
        (
            "k ~ 1, family(hurdle_negative_binomial)",
            lambda p: (
                (1 - p["hu"]) * zero_truncated(stats.nbinom(p["shape"], p["shape"] / (p["shape"] + p["mu"])))
            ),
        ),
        (
            "prop(s, n) ~ 1, family(hurdle_binomial)",
            lambda p: (
                (1 - p["hu"])
                * zero_truncated(stats.binom(NEW["n"].to_numpy(), p["mu"]))
                / NEW["n"].to_numpy()
            ),
        ),
        ("y ~ 1, family(hurdle_gamma)", lambda p: (1 - p["hu"]) * p["mu"]),
        ("y ~ 1, family(student)", lambda p: p["mu"]),
    ],
)
def test_the_mean_of_the_response(
    made_up: MadeUp, text: str, mean: Callable[[dict[str, np.ndarray]], np.ndarray]
) -> None:
    names = {"lognormal": ["sigma"], "student": ["sigma", "nu"], "zero": ["zi"]}
    family = text.partition("family(")[2].rstrip(")")
    further = names.get(
        family.partition("_")[0], ["hu", *(["shape"] if family.endswith(("l", "gamma")) else [])]
    )
    further = [name for name in further if not (name == "shape" and family == "hurdle_binomial")]
    share = special.expit(np.random.default_rng(3).normal(size=(4, 200)))
    posterior = made_up(text, DATA, **{name: share + 0.2 * (name not in ("zi", "hu")) for name in further})
    found, mean_found = at_new(posterior)
    parameters = {name: values.T for name, values in found.at(found.rows).parameters.items()}
    assert mean_found.T == pytest.approx(np.broadcast_to(mean(parameters), (800, 4)))


def test_known_standard_errors_are_read_for_responses_only(made_up: MadeUp) -> None:
    posterior = made_up("y ~ x, se(error)", DATA)
    found, _ = at_new(posterior)
    assert np.array_equal(found.at(found.rows).parameters["sigma"][:, 0], NEW["error"])
    assert at_new(posterior, NEW.drop(columns="error"), response=False)[1].shape == (4, 800)
    with pytest.raises(fj.DataError, match="no column `error`, which the model reads"):
        at_new(posterior, NEW.drop(columns="error"))


def test_rows_with_missing_values_are_left_out(made_up: MadeUp) -> None:
    posterior = made_up("y ~ x + arm | school", DATA)
    whole = at_new(posterior)[1]
    found, mean = at_new(posterior, NEW.assign(x=[2.0, np.nan, -1.0, 3.5], school=["c", "a", None, "b"]))
    assert found.rows.places.tolist() == [0, 3]
    assert np.array_equal(mean, whole[[0, 3]])
    assert at_new(posterior, NEW.assign(arm=None))[1].shape == (0, 800)


def test_blocks_cover_the_rows(made_up: MadeUp) -> None:
    found, mean = at_new(made_up("y ~ x | school", DATA))
    parts = [found.mean(rows) for rows in found.blocks(most=1700)]
    assert [len(part) for part in parts] == [2, 2]
    assert np.array_equal(np.vstack(parts), mean)


# --- groups that the fit has not seen

STRANGE = NEW.assign(school=["new", "a", "new", "other"])


def test_new_groups_are_refused_by_name_and_row(made_up: MadeUp) -> None:
    posterior = made_up("y ~ x | school, hierarchy()", DATA)
    with pytest.raises(fj.DataError, match=r"`school` is `new`, `other` in rows 0, 2, 3 .*new_groups='draw'"):
        at_new(posterior, STRANGE)
    with pytest.raises(fj.InferenceError, match="`new_groups` must be one of"):
        at_new(posterior, STRANGE, new_groups="none")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "y ~ x | school",
            "`Intercept`, `x` are not pooled: nothing is known of them in a new group. Pool them, `hierarchy()`",
        ),
        (
            "y ~ x | school, hierarchy(Intercept)",
            "`x` is not pooled: nothing is known of it in a new group. Pool it, `hierarchy(x)`",
        ),
        ("y ~ common(x) | school, sigma ~ 1 | school, hierarchy()", "`sigma` is not pooled"),
    ],
)
def test_new_groups_that_are_not_pooled_cannot_be_drawn(made_up: MadeUp, text: str, said: str) -> None:
    """Whatever is asked of new groups: advice on drawing them would lead to this error."""
    posterior = made_up(text, DATA)
    for new_groups in ("error", "draw", "mean"):
        with pytest.raises(fj.DataError, match=re.escape(said)):
            at_new(posterior, STRANGE, new_groups=new_groups)


def test_the_mean_of_the_hierarchy(made_up: MadeUp) -> None:
    posterior = made_up("y ~ x | school, hierarchy()", DATA)
    _, mean = at_new(posterior, STRANGE, new_groups="mean")
    expected = [flat(posterior, f"{name}_mean") for name in ("Intercept", "x")]
    assert mean[2] == pytest.approx(expected[0] - expected[1])
    assert mean[1] == pytest.approx(at_new(posterior)[1][1])


def test_new_groups_are_drawn_together_from_their_correlated_hierarchy(made_up: MadeUp) -> None:
    rho, chains = 0.8, (4, 1000)
    posterior = made_up(
        "y ~ x + (1 + x | school)",
        DATA,
        draws=1000,
        Intercept=np.full(chains, 10.0),
        x=np.full(chains, 1.0),
        **{
            "Intercept|school_sd": np.full(chains, 2.0),
            "x|school_sd": np.full(chains, 0.5),
            "school_cor": np.broadcast_to([[1, rho], [rho, 1]], (*chains, 2, 2)),
        },
    )
    rows = pd.DataFrame({"x": [0.0, 1.0, 0.0], "school": ["new", "new", "other"]})
    _, mean = at_new(posterior, rows, new_groups="draw")
    intercept, slope, other = mean[0], mean[1] - mean[0], mean[2]
    error = 5 / np.sqrt(4000)
    assert [intercept.mean(), intercept.std()] == pytest.approx([10, 2], abs=2 * error)
    assert [slope.mean(), slope.std()] == pytest.approx([1, 0.5], abs=0.5 * error)
    assert np.corrcoef([intercept, slope, other])[0, 1:] == pytest.approx([rho, 0], abs=error)


def test_a_new_group_pooled_in_residual_sds(made_up: MadeUp) -> None:
    chains = (4, 1000)
    posterior = made_up(
        "y ~ x | school, sigma ~ 1 | arm, hierarchy(x, scale=sigma), hierarchy(Intercept)",
        DATA.assign(arm=DATA["school"]),
        draws=1000,
        sigma=np.broadcast_to([1.0, 2.0, 4.0], (*chains, 3)),
        x_mean=np.full(chains, 3.0),
        x_sd=np.full(chains, 0.5),
    )
    rows = pd.DataFrame({"x": [0.0, 1.0], "school": "new", "arm": "c"})
    _, mean = at_new(posterior, rows, new_groups="draw")
    slope = mean[1] - mean[0]
    assert [slope.mean(), slope.std()] == pytest.approx([12, 2], abs=2 * 5 / np.sqrt(4000))


def test_a_new_groups_residual_sd_is_drawn(made_up: MadeUp) -> None:
    chains = (4, 1000)
    posterior = made_up(
        "y ~ x + (1 | school), sigma ~ 1 | school, hierarchy(sigma)",
        DATA,
        draws=1000,
        sigma_mean=np.full(chains, 2.0),
        sigma_sd=np.full(chains, 0.3),
    )
    found, _ = at_new(posterior, STRANGE, new_groups="draw")
    log_sigma = np.log(found.at(found.rows).parameters["sigma"][[0, 2, 3]])
    assert np.array_equal(log_sigma[0], log_sigma[1])
    error = 5 * 0.3 / np.sqrt(4000)
    assert [log_sigma[0].mean(), log_sigma[0].std()] == pytest.approx([np.log(2), 0.3], abs=error)
    assert np.corrcoef(log_sigma[1:])[0, 1] == pytest.approx(0, abs=5 / np.sqrt(4000))
