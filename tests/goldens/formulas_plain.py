"""Cases without groups: Wilkinson algebra, functions of columns, factors, weights, standard errors, missing values."""

from __future__ import annotations

from goldens.case import Case

PLAIN = (
    Case("mean", "tutoring", "test_score ~ 1", "html"),
    Case("slope", "tutoring", "test_score ~ treatment", "pymc", tests=("treatment == 0", "treatment > 5")),
    Case("slope-flat", "tutoring", "test_score ~ treatment", priors="flat", tests=("treatment == 3",)),
    Case("two-columns", "kidiq", "kid_score ~ mom_hs + mom_iq", "report", tests=("mom_hs == mom_iq",)),
    Case("product", "kidiq", "kid_score ~ mom_hs * mom_iq", tests=("mom_hs == 0, mom_hs:mom_iq == 0",)),
    Case("centred-product", "kidiq", "kid_score ~ center(mom_iq) * mom_hs"),
    Case("standardized", "kidiq", "kid_score ~ standardize(mom_iq) + mom_hs", priors="flat"),
    Case(
        "functions",
        "mtcars",
        "log(mpg) ~ log(wt) + log2(wt + 1) + log10(wt) + log1p(wt) + exp(wt / 5) + expm1(wt / 5) + sqrt(wt) + abs(wt - 3)",
    ),
    Case(
        "arithmetic", "trial", "I(y / 2) ~ I(x^2 - 2 * x) + {x > 2} + {0 < z + 1 < 1} + I((x - 1) * (z + 2))"
    ),
    Case("truth-values", "trial", 'y ~ flag + {arm == "low"} + {arm != "high"}:x'),
    Case(
        "curves",
        "trial",
        "y ~ poly(w, 2) + ns(x, df=3) + sex:bs(z, df=3, degree=2)",
        "html saved",
        tests=("poly(w, 2) == 0", "ns(x, df=3)[2] == 0"),
        contrasts=("pairwise(sex:bs(z, df=3, degree=2))",),
    ),
    Case("dot", "stackloss", "stack.loss ~ .", contrasts=("contrast(Air.Flow - Water.Temp)",)),
    Case("dot-less", "stackloss", "stack.loss ~ (. - `Acid.Conc.`)^2"),
    Case("factor", "mtcars", "mpg ~ cyl", "pymc", contrasts=("pairwise(cyl)", "reference(cyl, ref=6)")),
    Case("factor-means", "mtcars", "mpg ~ 0 + cyl", tests=("cyl[4] > cyl[6] > cyl[8]", "cyl == cyl[4]")),
    Case("reference", "ordered", "breaks ~ C(tension, ref=M) * wool", contrasts=("pairwise(wool)",)),
    Case("sum-coding", "ordered", "breaks ~ C(tension, coding=sum) * wool", contrasts=("pairwise(wool)",)),
    Case("helmert-coding", "ordered", "breaks ~ C(tension, coding=helmert)"),
    Case("poly-coding", "ordered", "breaks ~ C(tension, coding=poly) + wool", priors="flat"),
    Case("codings", "trial", "y ~ C(arm, coding=sum):C(sex, coding=helmert) + C(year) + C(flag)"),
    Case(
        "factors", "ordered", "breaks ~ wool * tension", contrasts=("pairwise(wool:tension, over=tension)",)
    ),
    Case("nested-terms", "ordered", "breaks ~ wool / tension"),
    Case(
        "cells", "ordered", "breaks ~ 0 + wool:tension", tests=("wool:tension[A, L] == wool:tension[B, L]",)
    ),
    Case("joined-cells", "ordered", "breaks ~ wool:tension", "unfitted"),
    Case("factor-by-number", "trial", "y ~ arm:x + sex:arm"),
    Case("offset", "trial", "y ~ x + offset(o) + offset(log(population))"),
    Case("row-weights", "trial", "y ~ x + arm, weights(w)", contrasts=("meandev(arm)",)),
    Case("row-weights-flat", "trial", "y ~ x * sex, weights(w)", priors="flat", tests=("x:sex == 0",)),
    Case("known-errors", "studies", "effect ~ dose, se(error)", tests=("dose == 0",)),
    Case("known-errors-flat", "studies", "effect ~ dose, se(error), weights(dose)", priors="flat"),
    Case("gaps", "gaps", "y ~ x + arm, weights(w), missing(drop)", "html", contrasts=("helmert(arm)",)),
    Case("text-numbers", "many", "y ~ C(g, ref=3) + x", contrasts=("sequential(C(g, ref=3))",)),
    Case("year", "trial", "y ~ year + C(year):x"),
    Case(
        "odd-names",
        "odd",
        '`test score` ~ `x/y` + x_y + `the "best"` + größe + `größe, cm` + `a:b` + chain',
        "saved",
    ),
    Case("taken-names", "odd", "chain ~ sigma + Intercept + `Intercept`:`x.mean` + x_y, sigma ~ 1", "pymc"),
    Case("odd-levels", "odd", "`test score` ~ code + école", contrasts=('reference(école, ref="it\'s")',)),
    Case("priors-proper", "trial", "y ~ x + z, prior(x ~ normal(0, 5), z ~ constant(1), Intercept ~ flat())"),
    Case("priors-heavy", "trial", "y ~ x + z, prior(x ~ student_t(4, 0, 2), z ~ cauchy(0, 1))", "silent"),
    Case(
        "priors-of-sigma",
        "trial",
        "y ~ x, prior(sigma ~ inverse_gamma(3, 10), x ~ normal(mu=1, sigma=2^2 - 1))",
    ),
    Case("priors-of-sigma-2", "trial", "y ~ x, prior(sigma ~ half_cauchy(5))", tests=("x == 2",)),
    Case("sigma-known", "trial", "y ~ x, prior(sigma ~ constant(4))", tests=("x == 0",)),
    Case("far-from-zero", "trial", "y ~ year + x", "html"),
    Case("undetermined", "trial", "y ~ x + I(2 * x) + arm"),
    Case("held-back", "trial", "y ~ I(x / 1000) + z, prior(z ~ normal(40, 0.1))"),
    Case("kinds", "kinds", "y ~ whole + small + truth + text + mixed + sizes", "html"),
    Case("signs", "trial", "y ~ +x + (z + flag) - flag + -1"),
    Case("layout", "trial", "y ~ # a comment\n  x +\n  (arm)"),
    Case("trial-of-lists", "trial, lists", "y ~ x * arm"),
)
