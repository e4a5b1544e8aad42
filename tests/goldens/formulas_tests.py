"""Cases of joint tests: `test` clauses, equalities and orders, Bayes factors and why there is none."""

from __future__ import annotations

from goldens.case import Case

TESTS = (
    Case(
        "test-clauses",
        "tutoring",
        "test_score ~ treatment | school, test(treatment == 0, name=any), test(treatment[A] > treatment[B]), joint()",
        "page saved",
    ),
    Case(
        "test-shared",
        "trial",
        "y ~ x + common(z) | school, test(z == 0), test(x[A] == x[B] == x[C]), test(x[A] > x[B] > 0, name=order)",
        "report",
    ),
    Case(
        "test-orders",
        "trial",
        "y ~ x | school",
        tests=(
            "x[A] > x[B] > x[C]",
            "x[A] <= x[B] < 0, x[C] >= 1",
            "x > 0",
            "2 * x[A] > x[B] + x[C]",
            "x[A] > 3",
            "Intercept[A] > x[A]",
        ),
    ),
    Case(
        "test-orders-of-levels",
        "trial",
        "y ~ arm",
        tests=("arm[high] > arm[low] > 0", "arm[low] > arm[control]", "arm > 0"),
    ),
    Case(
        "test-orders-of-codings",
        "trial",
        "y ~ C(arm, coding=sum)",
        tests=("C(arm, coding=sum) == 0", "C(arm, coding=sum)[control] > 0"),
    ),
    Case(
        "test-equalities",
        "trial",
        "y ~ x + z | school",
        "sensitivity",
        tests=(
            "x == 0, z == 0",
            "x == z",
            "x[A] == 0",
            "x[A] + x[B] == 2 * x[C], z == 0",
            "x == x[B]",
            "Intercept == Intercept[A]",
            "x[A] == z[B] + 1",
        ),
    ),
    Case(
        "test-one-coefficient",
        "tutoring",
        "test_score ~ treatment",
        rope=0.5,
        at_least=1,
        tests=("Intercept == treatment",),
    ),
    Case(
        "test-factors",
        "trial",
        "y ~ arm | school",
        tests=(
            "arm[school=A] == arm[school=B]",
            "arm == arm[school=C]",
            "arm[A, low] == 0, arm[B, high] == 0",
        ),
    ),
    Case(
        "test-factor-references",
        "trial",
        "y ~ C(arm, ref=high) * sex",
        tests=("C(arm, ref=high)[low] == 0", "C(arm, ref=high):sex == 0", "C(arm, ref=high) == 0"),
    ),
    Case(
        "test-normal-scores",
        "trial",
        "y ~ x + z | school, sigma ~ 1 | school",
        priors="flat",
        tests=("Intercept == 0", "x == 0, z == 0", "z == z[A]", "x[A] == 2*x[B]", "x[A] + x[B] + x[C] == 0"),
    ),
    Case(
        "test-known-errors",
        "studies",
        "effect ~ 1 | study, se(error)",
        tests=("Intercept == 0", "Intercept == Intercept[Cook]", "Intercept[Cook] > Intercept[Dunn]"),
    ),
    Case(
        "test-constants",
        "trial",
        "y ~ x + z | school, prior(x ~ constant(1))",
        tests=("x == 0", "x == 1", "z == 0"),
    ),
    Case(
        "test-heavy",
        "trial",
        "y ~ x + common(z) | school, prior(z ~ cauchy(0, 1))",
        "silent",
        tests=("z == 0",),
    ),
    Case(
        "test-flat-coefficient",
        "trial",
        "y ~ x | school, prior(x ~ flat())",
        tests=("x == 0", "Intercept == Intercept[A]"),
    ),
    Case(
        "test-undetermined",
        "line",
        "y ~ x | g, sigma ~ 1 | g",
        tests=("x == 0", "x == x[a]", "Intercept == Intercept[a]"),
    ),
    Case("test-fractional-weights", "trial", "y ~ x | school, weights(s)", tests=("x == 0",)),
    Case(
        "test-pooled-classes",
        "many",
        "y ~ x | g, hierarchy(x)",
        "silent",
        tests=("x[2] == x[3], x[4] == x[5]", "x[2] > x[10]"),
    ),
    Case(
        "test-pooled-order",
        "trial",
        "y ~ x | school, hierarchy(x)",
        "silent",
        tests=("x[A] > x[B] > 0", "x > 0", "x[A] == x[B] == x[C]"),
    ),
    Case("test-of-many", "many", "y ~ x | g", rope=1.0, at_least=6, tests=("x > 0", "x == x[2]")),
    Case(
        "test-pooled-reasons",
        "trial",
        "y ~ x + z | school, hierarchy(x)",
        "silent",
        tests=("x[A] == 1", "x == z", "x[A] + x[B] == 2 * x[C]", "x == 2 * x[A]"),
    ),
    Case(
        "test-orders-of-priors",
        "trial",
        "y ~ x + common(z) | school, prior(x ~ normal(0, 2), z ~ cauchy(0, 1))",
        "silent",
        tests=("5 > x[A] > x[B] > x[C] > 0", "x[A] > x[B], x[A] > x[C]", "x[A] > 100", "x[C] < 9", "z < 1"),
    ),
    Case(
        "test-of-expressions",
        "trial",
        "y ~ log(x + 5) + I(z^2) | school",
        tests=("log(x + 5) == 0", "I(z^2) == I(z^2)[A]"),
    ),
)
