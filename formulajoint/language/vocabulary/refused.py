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
            "where every time was observed, write `time ~ x, family(weibull)`, or exponential, gamma or lognormal",
        ),
        **_each(
            "cens trunc",
            "marks censored or truncated responses, which cannot be fitted yet",
            "where every time was observed, write `time ~ x, family(weibull)`, or exponential, gamma or lognormal",
        ),
        **_each(
            "exposure",
            "states over how long or how many a count was taken",
            "write `offset(log(x))` among the predictors",
        ),
        **_each("s te ti t2", "is a penalised smooth of mgcv, which is not part of the language", SPLINE),
        **_each("gp", "is a Gaussian process, which is not part of the language", SPLINE),
        **_each("lo cr cc tp pspline", "is a smooth that is not part of the language", SPLINE),
        **_each(
            "cs",
            "is a category-specific effect of brms, or a smooth of mgcv, and neither is part of the language",
            "for a coefficient of each category write `family(categorical)`; for a curve a spline, `ns(x, df=4)`",
        ),
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

_NO_ZEROS_AND_ONES = (
    "is not there. `beta` takes shares above 0 and below 1; where successes are counted among trials, zeros and all, "
    "write `prop(successes, trials)` with `family(beta_binomial)`"
)
_ONE_BY_ONE = "is not there. `cumulative` is the family of ordered categories"

FAMILIES_ELSEWHERE: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("t", "student_t", "studentt"), "is called `student` here"),
        **dict.fromkeys(("zip", "zi_poisson", "zipoisson"), "is called `zero_inflated_poisson` here"),
        **dict.fromkeys(
            ("zinb", "zero_inflated_negbinomial", "zinbinom"),
            "is called `zero_inflated_negative_binomial` here",
        ),
        "zib": "is called `zero_inflated_binomial` here",
        "hurdle_negbinomial": "is called `hurdle_negative_binomial` here",
        **dict.fromkeys(
            ("nbinom", "nb", "negbin", "negbinom", "nbinom2", "neg_binomial", "negativebinomial"),
            "is called `negative_binomial` here",
        ),
        **dict.fromkeys(
            ("ordinal", "ordered", "ordered_logistic", "ordered_logit", "polr", "clm", "cumulative_logit"),
            "is called `cumulative` here",
        ),
        "ordered_probit": "is `family(cumulative, link=probit)` here",
        **dict.fromkeys(("logit", "logistic"), "is called `bernoulli` here: the logit is its usual link"),
        "probit": "is a link: write `family(bernoulli, link=probit)`",
        "cloglog": "is a link: write `family(bernoulli, link=cloglog)`",
        **dict.fromkeys(
            ("multinomial", "multinom", "mlogit", "softmax"),
            "is called `categorical` here, a row for each response",
        ),
        "geometric": "is not there. It is the negative binomial whose shape is 1: "
        "`family(negative_binomial), prior(shape ~ constant(1))`",
        **dict.fromkeys(
            ("zero_inflated_beta", "zero_one_inflated_beta", "zoib", "hurdle_beta"), _NO_ZEROS_AND_ONES
        ),
        **dict.fromkeys(("sratio", "cratio", "acat"), _ONE_BY_ONE),
        "asym_laplace": "is not there. `laplace` is the family of the median",
        "tweedie": "is not there. `hurdle_gamma` takes amounts with zeros",
        **dict.fromkeys(
            ("cox", "coxph"),
            "is not there. Times that were all observed have `weibull`, `exponential` and `gamma`",
        ),
        **dict.fromkeys(
            ("quasipoisson", "quasi_poisson"),
            "is not a distribution. `negative_binomial` has counts that vary more",
        ),
        **dict.fromkeys(
            ("quasibinomial", "quasi_binomial"),
            "is not a distribution. `beta_binomial` has successes that vary more",
        ),
    }
)
"""Names of families elsewhere -> what they are called here, or what is nearest."""

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
