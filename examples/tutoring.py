"""Is there an effect of tutoring in any school, and how large is it over both?

Two schools, ten pupils. The effect is plain in each school, but very different, so a hierarchical mean of two schools
cannot be told from zero. The joint contrast answers the question that was asked: over these pupils, how large?
"""

import formulajoint as fj

data = fj.tutoring()
print(data.to_string(index=False), "\n")

# 1. Each school by itself; the effect over both weighted by pupils. Flat priors give the classical figures back.
separate = fj.fit("test_score ~ treatment | school, joint(weights=n)", data, priors="flat", seed=1)
print(separate)
joint = separate.contrasts().loc["joint_treatment"]
print(
    f"\n=> Over the pupils of both schools tutoring is worth {joint['mean']:.1f} points, "
    f"{joint.hdi_low:.1f} to {joint.hdi_high:.1f}.\n"
)

# 2. A Cauchy hierarchy: its mean speaks of a next school, of which two schools say little; the contrast of these two.
pooled = fj.fit(
    """
    test_score ~ treatment | school,
        hierarchy(treatment, dist=cauchy),
        prior(treatment.mean ~ cauchy(0, 10), treatment.sd ~ constant(10),
              Intercept ~ normal(0, 100), sigma ~ half_cauchy(10)),
        joint(weights=n)
    """,
    data,
    seed=1,
)
print(pooled)
mean, joint = pooled.summary().loc["treatment_mean"], pooled.contrasts().loc["joint_treatment"]
print(
    f"\n=> The hierarchy's mean is {mean['mean']:.1f}, {mean.hdi_low:.1f} to {mean.hdi_high:.1f}; "
    f"the joint contrast is {joint['mean']:.1f}, {joint.hdi_low:.1f} to {joint.hdi_high:.1f}.\n"
)

# 3. If school A gave a maths test and school B an English test, points cannot be averaged, but
# standardised effects can.
standardised = fj.fit(
    "test_score ~ treatment | school, sigma ~ 1 | school, joint(weights=n, scale=sigma)", data, seed=1
)
print(standardised)
joint = standardised.contrasts().loc["joint_treatment"]
print(
    f"\n=> In residual sds of each school's own test the effect over both is {joint['mean']:.1f}, "
    f"{joint.hdi_low:.1f} to {joint.hdi_high:.1f}."
)
