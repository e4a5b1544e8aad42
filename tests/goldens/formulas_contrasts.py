"""Cases of contrasts: families over groups and levels, arithmetic of coefficients, each in the formula and asked later."""

from __future__ import annotations

from goldens.case import Case

CONTRASTS = (
    Case(
        "pairwise",
        "trial",
        "y ~ x | school, pairwise(x)",
        "page",
        contrasts=("pairwise(x, most=3)", "pairwise(Intercept)"),
    ),
    Case(
        "families",
        "trial",
        "y ~ x | school, reference(x), reference(x, ref=B), sequential(x), meandev(x), meanotherdev(x), helmert(x), poly(x)",
    ),
    Case(
        "families-weighted",
        "trial",
        "y ~ x | school, meandev(x, weights=equal), meandev(x, weights=precision), meandev(x, weights=dirichlet(n))",
    ),
    Case(
        "families-weighted-2",
        "trial",
        "y ~ x | school, sigma ~ 1 | school, meandev(weights=precision), meandev(weights={A: 1, B: 2, C: 3}, name=given)",
    ),
    Case(
        "families-of-many",
        "many",
        "y ~ x | g, poly(x, degree=2), sequential(x), meandev(x, name=from_mean)",
        "report",
    ),
    Case(
        "families-of-ordered",
        "ordered",
        "breaks ~ 0 + wool | tension, poly(wool, over=tension), helmert(wool, over=tension), pairwise(wool)",
    ),
    Case(
        "levels-in-groups",
        "trial",
        "y ~ arm | school, pairwise(arm), meandev(arm, weights=equal), poly(arm)",
        "report",
        contrasts=("reference(arm, over=school)", "helmert(arm)", "sequential(arm)", "meanotherdev(arm)"),
    ),
    Case(
        "levels-common", "trial", "y ~ x + common(arm) | school, pairwise(arm, x), helmert(arm), meandev(arm)"
    ),
    Case(
        "levels-plain",
        "mtcars",
        "mpg ~ cyl, pairwise(cyl), reference(cyl, ref=6, name=other), poly(cyl), meandev(cyl, weights={4: 1, 6: 2, 8: 3})",
    ),
    Case(
        "levels-of-codings",
        "trial",
        "y ~ C(arm, coding=sum) + C(sex, coding=poly), pairwise(C(arm, coding=sum)), meandev(C(arm, coding=sum)), sequential(C(sex, coding=poly))",
    ),
    Case(
        "levels-of-means",
        "trial",
        "y ~ 0 + arm + sex, pairwise(arm), meandev(arm, weights=n), meandev(arm, weights=[1, 1, 2], name=listed)",
    ),
    Case(
        "interaction-over",
        "trial",
        "y ~ arm * sex | school, pairwise(arm:sex, over=arm), pairwise(arm:sex, over=school), pairwise(arm)",
        contrasts=("helmert(arm:sex, over=sex)",),
    ),
    Case(
        "simple-effects",
        "trial",
        "y ~ arm * x, pairwise(arm)",
        "html",
        contrasts=("reference(arm, ref=high)",),
    ),
    Case(
        "at-mean",
        "trial",
        "y ~ arm*z + arm:flag | school, joint(arm, at=mean), rms(arm, at=mean, weights=precision)",
        "html saved",
    ),
    Case(
        "simple-effects-centred", "trial", "y ~ arm * center(x) + arm:sex | school, pairwise(arm), joint(arm)"
    ),
    Case("simple-effects-averaged", "trial", "y ~ arm * C(sex, coding=sum), pairwise(arm)"),
    Case("text-order", "many", "y ~ x | g, sequential(x), helmert(x), poly(x, degree=1)"),
    Case(
        "arithmetic-of-groups",
        "trial",
        "y ~ x | school, contrast(x[A] - 2 * x[B], name=gap), contrast((x[A] + x[B]) / 2 - x[C]), contrast(x[A], x[C])",
        "page",
    ),
    Case(
        "ratios",
        "trial",
        "y ~ x | school, contrast(x[A] / x[B], name=ratio), contrast(x / sigma), contrast(x[A] * x[B]^3), contrast(2^(x[A] / 10))",
    ),
    Case(
        "ratios-flat",
        "trial",
        "y ~ x | school, contrast(x[A] / x[B]), contrast(x[A]^2), contrast(x[A] * x[B])",
        priors="flat",
    ),
    Case(
        "arithmetic-of-levels",
        "trial",
        "y ~ arm + common(z) | school, contrast(arm[school=A] * z), contrast(arm[A, low] - arm[A, control]), contrast(arm[arm=high] - arm[arm=low])",
        "saved",
    ),
    Case(
        "arithmetic-of-sigma",
        "trial",
        "y ~ x | school, sigma ~ 1 | school, contrast(sigma[A] / sigma[B]), contrast(x / sigma, name=sizes)",
    ),
    Case(
        "arithmetic-of-hierarchy",
        "trial",
        "y ~ x | school, hierarchy(x), contrast(x - x.mean), contrast(x.mean / x.sd), contrast(`x`.mean)",
        "silent",
    ),
    Case(
        "arithmetic-of-parameter",
        "trial",
        "y ~ x | school, sigma ~ z, contrast(sigma.z - sigma.Intercept), pairwise(x)",
        "invented",
    ),
    Case(
        "dot-of-predictors",
        "trial",
        "y ~ x * arm + common(z) | school, contrast(.[A] - 2*.[C])",
    ),
    Case(
        "asked-averages",
        "trial",
        "y ~ x + arm | school",
        contrasts=(
            "joint(x, weights=equal)",
            "joint()",
            "rms(arm, weights=population)",
            "spread(x, scale=sd)",
            "joint(weights=dirichlet(n))",
        ),
    ),
    Case(
        "asked-weights",
        "gaps",
        "y ~ x | school",
        "saved",
        contrasts=(
            "joint(x, weights=sum(treated))",
            "joint(x, weights=population)",
            "joint(x, weights=precision)",
        ),
    ),
    Case(
        "asked-arithmetic",
        "tutoring",
        "test_score ~ treatment | school",
        contrasts=(
            "contrast(treatment[A] / treatment[B])",
            "contrast(treatment[A] - treatment[B], name=gap)",
            "contrast(treatment / sigma)",
            "contrast(treatment[A], treatment[B])",
        ),
        prob=0.5,
    ),
    Case(
        "mine",
        "trial",
        "y ~ x | school, largest(x, times=2, scale=2), largest(Intercept, name=top), ends(x, half=true), ends(Intercept), joint(x, weights=root(power=1)), joint(weights=share(population, part=sum))",
        "saved",
        language="mine",
        contrasts=("largest(x, times=3, weights=root())", "ends(x)", "middle(x)"),
    ),
    Case(
        "mine-of-factors",
        "trial",
        "y ~ arm | school, largest(arm), ends(arm), ends(arm, over=school), meandev(arm)",
        language="mine",
    ),
    Case(
        "mine-of-columns",
        "trial",
        "y ~ half(x) + above_lowest(x, power=2) + x %minus% z + I(x %minus% 2) | school, weights(w)",
        "saved",
        language="mine",
    ),
    Case(
        "mine-of-graphs",
        "trial",
        "y ~ x + arm | school, middle(x), middle(arm, weights=equal)",
        "pymc",
        language="mine",
    ),
    Case(
        "mine-of-syntax",
        "trial",
        'y ~ x | school, A vs B, A vs "C"',
        "saved",
        language="syntax",
        contrasts=("B vs C",),
    ),
    Case(
        "mine-of-trimmed",
        "many",
        "y ~ x | g, trimmed(x, weights=root()), trimmed(x, cut=0.3, name=less), 10 vs 2",
        language="robust",
    ),
    Case(
        "response-of-events",
        "trial",
        "flag ~ treated + common(sex) | school, family(bernoulli), joint(treated, weights=n, scale=response), joint(sex, weights=dirichlet(n), scale=response), pairwise(sex, scale=response), test(treated == 0, scale=response), test(treated[A] > treated[B] > 0.1, scale=response)",
        "pymc saved page",
        contrasts=(
            "rms(treated, scale=response)",
            "contrast(treated[A] - treated[B], scale=response)",
            "joint(treated, weights=precision, scale=response)",
        ),
        tests=("sex == 0, scale=response",),
        rope=0.1,
    ),
    Case(
        "response-of-amounts",
        "trial",
        "y ~ x*sex | school, family(gamma), joint(x, weights=equal, scale=response), joint(sex, scale=response), pairwise(x, scale=response)",
        "html",
    ),
    Case(
        "response-of-points",
        "trial",
        "y ~ treated + z | school, joint(treated, scale=response), joint(treated), joint(z, scale=response)",
        "pymc",
    ),
)
