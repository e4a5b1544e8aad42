"""Cases with a regression in each group, not pooled: averages, their weights and scales, common terms, sigmas by group."""

from __future__ import annotations

from goldens.case import Case

GROUPS = (
    Case(
        "seed",
        "tutoring",
        "test_score ~ treatment | school, joint(weights=n)",
        "page saved pymc html sensitivity",
        rope=2.0,
        at_least=1,
        prob=0.8,
        tests=(
            "treatment == treatment[A]",
            "treatment[A] > treatment[B] > 0",
            "treatment[A] - 2*treatment[B] == 3",
        ),
    ),
    Case(
        "seed-flat", "tutoring", "test_score ~ treatment | school, joint(weights=n)", priors="flat", rope=1.0
    ),
    Case("intercepts", "tutoring", "test_score ~ 1 | school, joint(Intercept), spread(Intercept)"),
    Case("one-intercept", "tutoring", "test_score ~ 0 + common(1) + treatment | school, joint()"),
    Case("only-shared", "tutoring", "test_score ~ 0 + common(1) | school"),
    Case("averages", "trial", "y ~ x | school, joint(x), rms(x), spread(x)"),
    Case("averages-of-all", "trial", "y ~ x + z | school, joint(), rms(Intercept, z), spread(weights=equal)"),
    Case(
        "weights-precision",
        "trial",
        "y ~ x | school, joint(weights=precision), spread(x, weights=precision)",
        priors="flat",
    ),
    Case("weights-precision-sigma", "trial", "y ~ x | school, sigma ~ 1 | school, joint(weights=precision)"),
    Case("weights-of-a-factor", "trial", "y ~ arm | school, joint(weights=precision), rms(arm)"),
    Case("weights-sum", "trial", "y ~ x | school, joint(weights=sum(treated)), rms(weights=sum(w))"),
    Case(
        "weights-column",
        "trial",
        "y ~ x | school, joint(weights=population), joint(weights=`population`, name=again)",
    ),
    Case(
        "weights-map",
        "trial",
        'y ~ x | school, joint(weights={A: 0.3, "B": 0.2, C: 1/2}), joint(weights={A: 1, B: 0, C: 3})',
    ),
    Case(
        "weights-list", "trial", "y ~ x | school, joint(weights=[1, 2, 3,]), spread(weights=[0.2, 0.3, 0.5])"
    ),
    Case(
        "weights-dirichlet",
        "trial",
        "y ~ x | school, joint(weights=dirichlet(n)), rms(weights=dirichlet(n)), joint(weights=dirichlet(equal))",
        "saved report",
    ),
    Case(
        "weights-dirichlet-2",
        "trial",
        "y ~ x | school, joint(weights=dirichlet(sum(treated))), joint(weights=dirichlet({A: 30, B: 70, C: 10})), spread(weights=dirichlet(population))",
    ),
    Case(
        "weights-n-weighted",
        "trial",
        "y ~ x | school, weights(w), joint(weights=n), joint(weights=precision)",
    ),
    Case(
        "scales",
        "trial",
        "y ~ x | school, joint(scale=none), joint(scale=sigma), joint(scale=sd), joint(scale=2.5), rms(scale=sd)",
    ),
    Case(
        "scale-own-sigma",
        "tutoring",
        "test_score ~ treatment | school, sigma ~ 1 | school, joint(weights=n, scale=sigma)",
        "page",
    ),
    Case(
        "names",
        "trial",
        'y ~ x | school, joint(x, name=gap), joint(x, weights=equal, name="the gap"), joint(x), joint(x)',
    ),
    Case(
        "factor-by-group",
        "trial",
        "y ~ arm | school, joint(), spread(weights=precision)",
        tests=("arm == 0", "arm[school=A] == arm[school=B]", "arm[A, low] - arm[A, control] == 0"),
    ),
    Case(
        "means-by-group",
        "trial",
        "y ~ 0 + arm | school, joint()",
        tests=("arm[arm=low] == arm[arm=control]",),
    ),
    Case(
        "common-age",
        "trial",
        "y ~ x + common(z) | school, joint(x)",
        "sensitivity",
        tests=("z == 0", "x == 0, z == 0", "x == z"),
    ),
    Case(
        "common-factor",
        "trial",
        "y ~ x + common(arm + sex:z) | school, joint(x)",
        contrasts=("pairwise(arm)",),
    ),
    Case("common-group-factor", "trial", "y ~ x + common(school) | district"),
    Case("nested-groups", "trial", "y ~ x | district/school, joint()", contrasts=("pairwise(x)",)),
    Case("crossed-groups", "trial", "y ~ x | school:year, joint(weights=n)"),
    Case(
        "many-groups",
        "many",
        "y ~ x | g, joint(), rms(), spread()",
        "page",
        tests=("x == x[10]", "x[2] == x[3] == x[10]"),
    ),
    Case(
        "one-group", "schools", "test_score ~ treatment | all, joint()", "report", tests=("treatment == 0",)
    ),
    Case(
        "sigma-by-group",
        "trial",
        "y ~ x | school, sigma ~ 1 | school",
        "page",
        priors="flat",
        tests=("x == x[A]", "x[A] + x[B] == 2*x[C]"),
    ),
    Case(
        "sigma-by-group-factor",
        "trial",
        "y ~ arm | school, sigma ~ 1 | school, joint(scale=sigma)",
        tests=("arm == 0",),
    ),
    Case(
        "sigma-by-group-common",
        "trial",
        "y ~ x + common(z) | school, sigma ~ 1 | school, joint(scale=sigma)",
        "silent",
    ),
    Case("sigma-by-district", "trial", "y ~ x | school, sigma ~ 1 | district, joint()"),
    Case("sigma-common", "trial", "y ~ x | school, sigma ~ 0 + common(1) | school"),
    Case(
        "known-errors-by-group",
        "trial",
        "y ~ x | school, se(s), weights(w), joint(weights=precision)",
        "saved",
    ),
    Case(
        "meta-fixed",
        "studies",
        "effect ~ 1 | study, se(error), joint(Intercept, weights=precision)",
        priors="flat",
    ),
    Case("offset-by-group", "trial", "y ~ x + offset(o) | school, joint()"),
    Case("centred-by-group", "trial", "log(y) ~ center(x) + standardize(z) | school, joint()"),
    Case(
        "within-groups",
        "trial",
        "standardize(y, by=district) ~ center(x, by=school) + common(z) | school, weights(w), joint()",
        "html report saved",
    ),
    Case("gaps-by-group", "gaps", "y ~ x + arm | school, weights(w), joint()", "html saved"),
    Case("kinds-by-group", "kinds", "y ~ small + common(text) | shelf, joint(weights=n)"),
    Case("units", "units", "y ~ x | g, joint()", "html"),
    Case("few-rows", "line", "y ~ x | g, joint(weights=equal)", tests=("x == 0",)),
    Case(
        "odd-groups",
        "odd",
        '`test score` ~ `x/y` | école, joint(`x/y`, name=größe_überall), joint(weights={α: 1, β: 2, "it\'s": 3})',
        "report",
    ),
    Case("odd-groups-2", "odd", "`größe, cm` ~ `x.mean` | `my group`/code, joint()"),
    Case(
        "priors-by-group",
        "trial",
        "y ~ x + z | school, prior(x ~ constant(2), z ~ normal(0, 3), Intercept ~ normal(40, 10)), joint()",
    ),
    Case("trial-of-polars", "trial, polars", "y ~ x + arm | school, joint(weights=sum(treated))"),
    Case("trial-of-arrow", "trial, arrow", "y ~ x + flag | school, joint(weights=population)"),
    Case(
        "pigs",
        "pigs",
        "log(conc) ~ percent | source, joint(weights=precision)",
        priors="flat",
        tests=("percent == percent[fish]",),
    ),
)
