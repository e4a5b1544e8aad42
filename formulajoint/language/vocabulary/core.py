"""The names of the plain language: fixed tables, one for each position in which a name can stand."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from formulajoint.language.grammar.compose import PLAIN
from formulajoint.language.grammar.lower import RULES
from formulajoint.language.vocabulary.language import Language
from formulajoint.language.vocabulary.signatures import Kind, Signature, Slot

# --- slots shared by several names

X = Slot("x", Kind.ARITHMETIC)
DEGREE = Slot("degree", Kind.WHOLE, named=True)
DF = Slot("df", Kind.WHOLE, named=True)
NAME = Slot("name", Kind.LABEL)
REF = Slot("ref", Kind.LEVEL)
WEIGHTS = Slot("weights", Kind.WEIGHTS, ("n", "equal", "precision"))
SCALE = Slot("scale", Kind.POSITIVE, ("none", "sigma", "sd", "response"))
ON_RESPONSE = Slot("scale", Kind.WORD, ("none", "response"))
UNIT = Slot("scale", Kind.WORD, ("none", "sigma", "sd"))
AT = Slot("at", Kind.WORD, ("mean",))
OVER = Slot("over", Kind.GROUP)
BY = Slot("by", Kind.GROUP)
AGAINST = Slot("against", Kind.WORD, ("hierarchy",))
LINK = Slot("link", Kind.WORD, ("identity", "log", "logit", "probit", "cloglog", "inverse", "sqrt"))
CATEGORIES = Slot("levels", Kind.LEVELS)
TRUTH = ("true", "false")
R_TRUTH = ("TRUE", "FALSE")
"""The same in R."""


def _all(*slots: Slot) -> Signature:
    """Return the signature of a call that requires all of `slots`."""
    return Signature(slots, least=len(slots))


def _real(name: str) -> Slot:
    return Slot(name, Kind.NUMBER, named=True)


def _positive(name: str) -> Slot:
    return Slot(name, Kind.POSITIVE, named=True)


def _law(*slots: Slot) -> Signature:
    """Return the signature of a distribution that may be stated in units of the data."""
    return replace(_all(*slots), keywords=(UNIT,))


def _contrast(*keywords: Slot) -> Signature:
    return Signature(rest=Slot("term", Kind.TERM), keywords=(*keywords, NAME), after_fit=True)


# --- the tables

CLAUSES = {
    "hierarchy": Signature(
        rest=Slot("term", Kind.TERM),
        keywords=(
            Slot("dist", Kind.WORD, ("normal", "student", "cauchy")),
            Slot("cor", Kind.WORD, TRUTH),
            Slot("df", Kind.POSITIVE),
            Slot("centered", Kind.WORD, ("auto", *TRUTH)),
            Slot("scale", Kind.WORD, ("none", "sigma")),
            OVER,
        ),
    ),
    "family": Signature((Slot("family", Kind.FAMILY),), keywords=(LINK, CATEGORIES), least=1, once=True),
    "prior": Signature(rest=Slot("term ~ distribution", Kind.PRIOR), keywords=(OVER,), least=1),
    "se": replace(_all(Slot("column", Kind.COLUMN)), once=True),
    "weights": replace(_all(Slot("column", Kind.COLUMN)), once=True),
    "missing": replace(_all(Slot("action", Kind.WORD, ("drop", "error"))), once=True),
    "joint": _contrast(WEIGHTS, SCALE, AT, OVER),
    "rms": _contrast(WEIGHTS, SCALE, AT, OVER),
    "spread": _contrast(WEIGHTS, SCALE, AT, OVER),
    "pairwise": _contrast(ON_RESPONSE, OVER, Slot("most", Kind.WHOLE)),
    "reference": _contrast(REF, ON_RESPONSE, OVER),
    "sequential": _contrast(ON_RESPONSE, OVER),
    "meandev": _contrast(WEIGHTS, ON_RESPONSE, OVER),
    "meanotherdev": _contrast(ON_RESPONSE, OVER),
    "helmert": _contrast(ON_RESPONSE, OVER),
    "poly": _contrast(ON_RESPONSE, OVER, Slot("degree", Kind.WHOLE)),
    "contrast": replace(_contrast(ON_RESPONSE, OVER), rest=Slot("arithmetic", Kind.EFFECT), least=1),
    "test": replace(_contrast(AGAINST, ON_RESPONSE, OVER), rest=Slot("hypothesis", Kind.HYPOTHESIS), least=1),
}

ELEMENTWISE = (
    "log", "log2", "log10", "log1p", "exp", "expm1", "sqrt", "abs", "sin", "cos", "tan", "asin", "acos", "atan"
)  # fmt: skip
OF_TWO = ("pmin", "pmax")
WITHIN_GROUPS = ("center", "standardize")
FACTORS = ("factor", "as.factor")
"""R's names of `C(x)`."""

NESTED = "%in%"
"""R's operator for factors within others, as ``:``."""

FUNCTIONS = dict.fromkeys(ELEMENTWISE, _all(X)) | {
    **dict.fromkeys(WITHIN_GROUPS, replace(_all(X), keywords=(BY,))),
    **dict.fromkeys(OF_TWO, _all(Slot("a", Kind.ARITHMETIC), Slot("b", Kind.ARITHMETIC))),
    "scale": _all(X),
    "ave": _all(X, Slot("g", Kind.GROUP)),
    "I": _all(Slot("x", Kind.LOGICAL)),
    "poly": replace(_all(X, DEGREE), keywords=(Slot("raw", Kind.WORD, TRUTH),), places=("predictors",)),
    "bs": Signature((X, DF), keywords=(DEGREE,), least=1, places=("predictors",)),
    "ns": Signature((X, DF), least=1, places=("predictors",)),
    "C": Signature(
        (Slot("x", Kind.COLUMN),),
        keywords=(REF, Slot("coding", Kind.CODING)),
        least=1,
        places=("predictors",),
    ),
    **dict.fromkeys(FACTORS, replace(_all(Slot("x", Kind.COLUMN)), places=("predictors",))),
    "offset": replace(_all(X), places=("predictors",), summand=True),
    "common": replace(_all(Slot("predictors", Kind.ALGEBRA)), places=("predictors",), summand=True),
    "prop": replace(
        _all(*[Slot(name, Kind.ARITHMETIC, named=True) for name in ("successes", "trials")]),
        places=("response",),
    ),
    "cbind": replace(
        _all(*[Slot(name, Kind.ARITHMETIC) for name in ("successes", "failures")]), places=("response",)
    ),
}

DISTRIBUTIONS = {
    "normal": _law(_real("mu"), _positive("sigma")),
    "student_t": _law(_positive("nu"), _real("mu"), _positive("sigma")),
    "cauchy": _law(_real("alpha"), _positive("beta")),
    "half_normal": _law(_positive("sigma")),
    "half_cauchy": _law(_positive("beta")),
    "half_student_t": _law(_positive("nu"), _positive("sigma")),
    "exponential": _law(_positive("lam")),
    "gamma": _law(_positive("alpha"), _positive("beta")),
    "inverse_gamma": _law(_positive("alpha"), _positive("beta")),
    "log_normal": _law(_real("mu"), _positive("sigma")),
    "uniform": _law(_real("lower"), replace(_real("upper"), sample="10")),
    "beta": _all(_positive("alpha"), _positive("beta")),
    "laplace": _law(_real("mu"), _positive("b")),
    "lkj": _all(_positive("eta")),
    "flat": Signature(),
    "constant": _all(_real("value")),
}

FAMILIES = (
    "gaussian", "student", "laplace", "skew_normal",
    "lognormal", "gamma", "inverse_gaussian", "exponential", "weibull", "beta",
    "bernoulli", "binomial", "beta_binomial", "poisson", "negative_binomial", "cumulative", "categorical",
    "zero_inflated_poisson", "zero_inflated_negative_binomial", "zero_inflated_binomial",
    "hurdle_poisson", "hurdle_negative_binomial", "hurdle_binomial", "hurdle_gamma", "hurdle_lognormal",
)  # fmt: skip

CODINGS = ("treatment", "sum", "helmert", "poly")

WEIGHT_SCHEMES = {
    "sum": _all(Slot("column", Kind.COLUMN)),
    "dirichlet": _all(Slot("counts", Kind.COUNTS, ("n", "equal"))),
}

ELSEWHERE = {
    "zscore": "standardize",
    "ln": "log",
    "categorical": "C",
    "p": "prop",
    "proportion": "prop",
    "partial": "hierarchy",
    "pool": "hierarchy",
    "average": "joint",
    "mean": "joint",
    "link": "family",
    "hypothesis": "test",
    "student": "student_t",
    "t": "student_t",
    "lognormal": "log_normal",
    "fixed": "constant",
    "dirac": "constant",
    "normal": "gaussian",
    "logistic": "bernoulli",
    "negbinomial": "negative_binomial",
    "dummy": "treatment",
    "polynomial": "poly",
    "deviation": "sum",
    "contr.treatment": "treatment",
    "contr.sum": "sum",
    "contr.helmert": "helmert",
    "contr.poly": "poly",
}
"""Names used by other packages -> our name, for hints."""

CORE = Language(
    fragments=PLAIN,
    rules=MappingProxyType(dict(RULES)),
    names=MappingProxyType(
        {
            "clause": MappingProxyType(CLAUSES),
            "function": MappingProxyType(FUNCTIONS),
            "distribution": MappingProxyType(DISTRIBUTIONS),
            "family": MappingProxyType(dict.fromkeys(FAMILIES, Signature())),
            "coding": MappingProxyType(dict.fromkeys(CODINGS, Signature())),
            "weight scheme": MappingProxyType(WEIGHT_SCHEMES),
            "operator": MappingProxyType({NESTED: Signature()}),
        }
    ),
)
"""The plain language, without extensions."""
