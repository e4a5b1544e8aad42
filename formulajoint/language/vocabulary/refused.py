"""Functions that formulas of other packages have and the language does not: what they are, and what to write."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

SPLINE = "write a spline, `ns(x, df=4)` or `bs(x, df=5)`"
NEW_COLUMN = "add a column for it to the data"
GROUPS = "write `(1 | g)`, whose groups are independent"

COUNTS = "for counts of successes write `prop(successes, trials)`, with `family(binomial)`"
"""What to write for a response that counts successes."""

type Refused = tuple[str, str]
"""What the function is, as the end of a sentence, and what to write instead."""


def _each(names: str, what: str, instead: str) -> dict[str, Refused]:
    return dict.fromkeys(names.split(), (what, instead))


REFUSED: Mapping[str, Refused] = MappingProxyType(
    {
        **_each(
            "Surv",
            "is a survival time, and times that may be censored cannot be fitted yet",
            "where every time was observed, the response is `log(time)`",
        ),
        **_each("s te ti t2", "is a penalised smooth of mgcv, which is not part of the language", SPLINE),
        **_each("gp", "is a Gaussian process, which is not part of the language", SPLINE),
        **_each("lo cr cc cs tp pspline", "is a smooth that is not part of the language", SPLINE),
        **_each(
            "rcs",
            "is a restricted cubic spline with knots at other quantiles than those of `ns`",
            "write `ns(x, df=4)` for `rcs(x, 5)`: as many columns, and linear beyond the outer knots, too",
        ),
        **_each(
            "mo",
            "is a monotonic effect of brms, which is not part of the language",
            "write `C(x)`: one coefficient per level, whose order `test(C(x)[2] < C(x)[3])` can test",
        ),
        **_each(
            "mm mmc",
            "makes rows belong to several groups, which is not part of the language",
            "choose one group for each row",
        ),
        **_each("gr", "relates groups by a covariance matrix, which is not part of the language", GROUPS),
        **_each(
            "ar ar1 ma arma cosy unstr sar car fcor ou toep cs1 rr propto mat",
            "states how rows or groups are correlated, which is not part of the language",
            GROUPS,
        ),
        **_each("diag", "asks for uncorrelated effects", "write two bars: `(x || g)`"),
        **_each("us", "asks for correlated effects, which is what `(x | g)` does", "write `(x | g)`"),
        **_each(
            "me mi",
            "models errors or gaps of a predictor, which is not part of the language",
            "rows with missing values are dropped; fill gaps in the data beforehand",
        ),
        **_each(
            "bf brmsformula brm lf nlf formula as.formula lm glm aov lmer glmer glmmTMB lme gls gam stan_glm stan_lmer "
            "stan_glmer Model",
            "takes a formula elsewhere, and here the formula stands alone",
            "write `y ~ x + (1 | g)`; predictors of sigma follow it, `, sigma ~ x`",
        ),
        **_each("mvbind mvbf", "makes several responses, and a model has one", "fit a model for each"),
        **_each(
            "SSasymp SSasympOff SSasympOrig SSbiexp SSfol SSfpl SSgompertz SSlogis SSmicmen SSweibull",
            "is a curve with parameters of its own, and models here are linear in their coefficients",
            SPLINE,
        ),
        **_each(
            "ordered as.ordered",
            "makes R code a column by polynomials",
            "write `C(x, coding=poly)`; the order of the levels is that of a category column",
        ),
        **_each("interaction", "makes a factor of all combinations", "write `a:b`"),
        **_each("relevel", "chooses the reference level", 'write `C(x, ref="b")`'),
        **_each("dummy", "makes an indicator of one level", 'write `I(x == "b")`'),
        **_each("ifelse", "chooses by a condition", "a condition alone is `I(x > 3)`, 1 where it holds"),
        **_each("mean", "is a number, not a column", "for x minus its mean, write `center(x)`"),
        **_each("sd", "is a number, not a column", "for x in sds, write `standardize(x)`"),
        **_each("demean", "takes the mean of groups away", "write `center(x, by=g)`"),
        **_each(
            "min max median sum var length n nrow cumsum lag lead diff rank rev round floor ceiling sign cut "
            "droplevels as.numeric as.integer as.character numeric nchar paste substr is.na c rep seq",
            "is not part of the language",
            NEW_COLUMN,
        ),
        **_each("Q", "quotes a name in Python's formulas", "write the name in backticks"),
    }
)
"""Function's name -> what it is, and what to write."""

CENSORED = "censored and truncated responses cannot be fitted yet"
BESIDE_RESPONSE: Mapping[str, str] = MappingProxyType(
    {
        "se": "known standard errors are a clause: `y ~ x, se(column)`",
        "weights": "row weights are a clause: `y ~ x, weights(column)`",
        "trials": COUNTS,
        "cens": CENSORED,
        "trunc": CENSORED,
        "subset": "leave the other rows out of the data",
        "mi": "rows with missing values are dropped; fill gaps in the data beforehand",
        "rate": "write `offset(log(time))` among the predictors",
    }
)
"""What brms writes beside the response, as in ``y | se(x) ~ z`` -> what to write."""

FURTHER = ""
"""Stands for a further argument without a name."""

FOREIGN: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("scale", "scale"): "write `center(x)` for x minus its mean, in its own units",
        ("scale", "center"): "write `scale(x)` for x minus its mean, in sds",
        ("ave", "FUN"): "it takes means only; add other summaries to the data as a column",
        **dict.fromkeys(
            [(name, argument) for name in ("bs", "ns") for argument in ("knots", "Boundary.knots", "k")],
            "write `df=`, the number of columns: the inner knots are at quantiles, the outer ones at the ends",
        ),
        **dict.fromkeys(
            [(name, "intercept") for name in ("bs", "ns")],
            "the intercept is the model's own: `0 +` leaves it out",
        ),
        **dict.fromkeys([("log", "base"), ("log", FURTHER)], "write `log2(x)` or `log10(x)`"),
        ("C", FURTHER): 'write `C(x, coding=sum)`, or `C(x, ref="b")` for the reference level',
        **dict.fromkeys(
            [(name, "levels") for name in ("factor", "as.factor", "C")],
            'the levels have the order of a category column; `C(x, ref="b")` chooses the reference',
        ),
        **dict.fromkeys([(name, "labels") for name in ("factor", "as.factor")], NEW_COLUMN),
        **dict.fromkeys([(name, "ordered") for name in ("factor", "as.factor")], "write `C(x, coding=poly)`"),
    }
)
"""Function and an argument that it has elsewhere -> what to write."""
