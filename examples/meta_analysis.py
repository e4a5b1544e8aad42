"""Does coaching raise test scores?

Eight schools ran an experiment each. Only their estimates and standard errors are known, not the pupils' scores (Rubin,
Journal of Educational Statistics 1981). `se(...)` uses the standard errors as given, so no residual sd is estimated.
"""

import formulajoint as fj

schools = {
    "school": list("ABCDEFGH"),
    "effect": [28, 8, -3, 7, -1, 1, 18, 12],
    "error": [15, 10, 16, 11, 9, 11, 10, 18],
}

# 1. Fixed effect: these eight schools, not pooled, averaged with weights 1 / error^2.
fixed = fj.fit(
    "effect ~ 1 | school, se(error), joint(Intercept, weights=precision)", schools, priors="flat", seed=1
)
joint = fixed.contrasts().loc["joint_Intercept"]
print(
    f"Over these schools coaching is worth {joint['mean']:.1f} points, {joint.hdi_low:.1f} to {joint.hdi_high:.1f}."
)

# 2. Do the schools differ? Cochran's Q is the classical counterpart of this joint test.
same = fixed.test("Intercept == Intercept[A]").iloc[0]
print(
    f"Cochran's Q is {same['statistic']:.2f} on {same['df_num']} degrees of freedom: p = {same['p_value']:.2f}.\n"
)

# 3. Random effects: the eight schools are a sample of schools like these.
random = fj.fit(
    "effect ~ 1 | school, hierarchy(), se(error), test(Intercept == Intercept[A])", schools, seed=1
)
print(random)
mean, between = random.summary().loc[["Intercept_mean", "Intercept_sd"]].itertuples()
print(
    f"\n=> Over schools like these it is worth {mean.mean:.1f} points, {mean.hdi_low:.1f} to {mean.hdi_high:.1f}; "
    f"they differ by an sd of {between.mean:.1f}, {between.hdi_low:.1f} to {between.hdi_high:.1f}."
)
