"""Cases with hierarchies that the exact engine covers, and the models that only NUTS fits, with invented draws."""

from __future__ import annotations

from goldens.case import Case

POOLED = (
    Case("pooled", "tutoring", "test_score ~ treatment | school, hierarchy(), joint(weights=n)", "pymc"),
    Case(
        "pooled-slopes",
        "trial",
        "y ~ x | school, hierarchy(x), joint()",
        tests=("x == 0", "x[A] == x[B]", "x[A] > x[B]"),
    ),
    Case(
        "pooled-intercepts", "trial", "y ~ x | school, hierarchy(Intercept)", "silent", tests=("x == x[A]",)
    ),
    Case(
        "pooled-one",
        "trial",
        "y ~ 1 | school, hierarchy(centered=true), spread(Intercept)",
        "sensitivity",
        tests=("Intercept == Intercept[A]",),
    ),
    Case("pooled-flat", "trial", "y ~ x | school, hierarchy(x)", priors="flat"),
    Case(
        "uncorrelated",
        "trial",
        "y ~ x | school, hierarchy(cor=false, centered=false), joint()",
        "silent pymc",
    ),
    Case("correlated", "trial", "y ~ x | school, hierarchy(centered=true)", "silent pymc"),
    Case(
        "correlated-not-centred",
        "trial",
        "y ~ x | school, hierarchy(centered=false), prior(cor ~ lkj(4))",
        "silent pymc",
    ),
    Case(
        "two-hierarchies",
        "trial",
        "y ~ x + z | school, hierarchy(Intercept), hierarchy(x, centered=false)",
        "silent",
    ),
    Case("pooled-factor", "trial", "y ~ arm | school, hierarchy(arm, cor=false), joint()", "silent"),
    Case("pooled-factor-correlated", "trial", "y ~ arm | school, hierarchy(arm)", "unfitted pymc"),
    Case(
        "pooled-common",
        "trial",
        "y ~ x + common(z) | school, hierarchy(x), joint()",
        "silent",
        tests=("z == 0",),
    ),
    Case(
        "pooled-many",
        "many",
        "y ~ x | g, hierarchy(x), joint(), rms(), pairwise(x)",
        "silent",
        tests=("x == x[2]",),
    ),
    Case(
        "student-hierarchy",
        "trial",
        "y ~ x | school, hierarchy(x, dist=student, df=7), joint()",
        "silent pymc",
    ),
    Case(
        "cauchy-hierarchy",
        "tutoring",
        "test_score ~ treatment | school, hierarchy(treatment, dist=cauchy), prior(treatment.mean ~ cauchy(0, 10), treatment.sd ~ constant(10)), joint(weights=n)",
        "saved silent",
    ),
    Case(
        "student-hierarchy-of-all",
        "trial",
        "y ~ x | school, hierarchy(dist=student, centered=true)",
        "unfitted pymc",
    ),
    Case(
        "pooled-priors",
        "trial",
        "y ~ x | school, hierarchy(x), prior(x.mean ~ normal(0, 2), x.sd ~ half_normal(1), sigma ~ exponential(1))",
        "silent",
    ),
    Case(
        "pooled-priors-2",
        "trial",
        "y ~ x | school, hierarchy(x), prior(x.sd ~ uniform(0, 5), x.mean ~ constant(2), sigma ~ gamma(2, 0.1))",
        "silent",
    ),
    Case(
        "pooled-priors-4",
        "trial",
        "y ~ x | school, hierarchy(x), prior(`x`.sd ~ constant(1), sigma ~ constant(3))",
    ),
    Case(
        "pooled-sigma-by-group",
        "trial",
        "y ~ x | school, hierarchy(x), sigma ~ 1 | school, joint(scale=sigma)",
        "silent",
    ),
    Case(
        "pooled-weights",
        "trial",
        "y ~ x + offset(o) | school, hierarchy(x), weights(w), joint(weights=precision)",
        "silent",
    ),
    Case(
        "meta",
        "studies",
        "effect ~ 1 | study, hierarchy(), se(error), joint(Intercept)",
        "page",
        tests=("Intercept == 0",),
    ),
    Case(
        "meta-eight",
        "eight",
        "y ~ 1 | school, hierarchy(centered=false), se(sigma), prior(Intercept.mean ~ normal(0, 5), Intercept.sd ~ half_cauchy(5))",
    ),
    Case("meta-student", "eight", "y ~ 1 | school, hierarchy(dist=student), se(sigma)", "silent"),
    Case("meta-regression", "studies", "effect ~ 1 + common(dose) | study, hierarchy(), se(error)", "silent"),
    Case(
        "sleep",
        "sleep",
        "Reaction ~ Days | Subject, hierarchy(), joint(Days)",
        "silent",
        tests=("Days[308] == Days[309]",),
    ),
    Case("narrow-priors", "narrow", "y ~ x | g, hierarchy(x)", "silent"),
)

INVENTED = (
    Case(
        "student",
        "tutoring",
        "test_score ~ treatment | school, family(student), joint(weights=n)",
        "invented pymc page saved",
        rope=1.0,
    ),
    Case("student-argument", "tutoring", "test_score ~ treatment", "invented", family="student"),
    Case("student-flat", "trial", "y ~ x | school", "invented pymc", priors="flat", family="student"),
    Case(
        "student-pooled",
        "trial",
        "y ~ x | school, family(student), hierarchy(), joint(), pairwise(x)",
        "invented pymc",
    ),
    Case(
        "student-nu",
        "trial",
        "y ~ x | school, family(student), nu ~ 1 | school, sigma ~ 1 | school",
        "invented pymc",
    ),
    Case(
        "student-nu-of-x",
        "trial",
        "y ~ x | school, family(student), nu ~ x, sigma ~ z, prior(nu.x ~ normal(0, 1))",
        "invented pymc",
    ),
    Case("sigma-of-x", "trial", "y ~ x | school, sigma ~ x, joint(x)", "invented pymc"),
    Case(
        "sigma-of-x-by-group",
        "trial",
        "y ~ x | school, sigma ~ x | school, joint(x), contrast(sigma.x)",
        "invented pymc",
    ),
    Case(
        "sigma-of-factor",
        "trial",
        "y ~ x | school, sigma ~ arm + common(z) | district, pairwise(x)",
        "invented pymc",
    ),
    Case(
        "sigma-pooled",
        "trial",
        "y ~ x | school, sigma ~ 1 | school, hierarchy(sigma), joint(scale=sigma)",
        "invented pymc report",
    ),
    Case(
        "sigma-pooled-student",
        "trial",
        "y ~ x | school, sigma ~ 1 | school, hierarchy(sigma, dist=student, df=3, centered=true), prior(sigma.sd ~ half_normal(0.5))",
        "invented pymc",
    ),
    Case(
        "sigma-pooled-of-x",
        "trial",
        "y ~ x | school, hierarchy(centered=true), sigma ~ x | school, hierarchy(sigma, centered=false)",
        "invented pymc",
    ),
    Case(
        "sigma-by-other",
        "trial",
        "y ~ x | school, sigma ~ 1 | arm, joint()",
        "invented pymc",
        tests=("x == 0", "x == x[A]"),
    ),
    Case(
        "laplace-prior",
        "trial",
        "y ~ x | school, prior(x ~ laplace(0, 1), Intercept ~ uniform(-100, 100)), joint()",
        "invented pymc",
        tests=("x[A] > x[B]",),
    ),
    Case(
        "other-priors",
        "trial",
        "y ~ x + z, prior(x ~ beta(1, 1), z ~ exponential(1), sigma ~ inverse_gamma(1, 1))",
        "invented pymc",
    ),
    Case(
        "two-pools-of-factors",
        "trial",
        "y ~ arm + x | school, hierarchy(Intercept, x), hierarchy(arm, dist=cauchy), sigma ~ z",
        "invented pymc",
    ),
    Case(
        "invented-factor",
        "trial",
        "y ~ arm * sex | school, family(student), weights(w), joint(arm), meandev(arm:sex, over=arm, weights=equal)",
        "invented",
        contrasts=("pairwise(arm:sex, over=sex)",),
    ),
    Case(
        "mine-of-family",
        "trial",
        "y ~ x | school, family(laplace), b ~ 1 | school, joint()",
        "invented pymc",
        language="mine",
    ),
)
