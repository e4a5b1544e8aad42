"""Is there an effect of tutoring in any school, and how large is it over both?

The data are ten pupils in two schools. The effect is clear in each school, but very different, so the interval of a
hierarchical mean over two schools includes zero. The joint contrast answers the question: how large is the effect over
these pupils?
"""

import formulajoint as fj

data = fj.tutoring()
print(data.to_string(index=False), "\n")

# 1. The schools are not pooled; the effect over both is weighted by pupils. Flat priors give the classical figures.
separate = fj.fit("test_score ~ treatment | school, joint(weights=n)", data, priors="flat", seed=1)
print(separate)
joint = separate.contrasts().loc["joint_treatment"]
print(
    f"\n=> Over the pupils of both schools tutoring is worth {joint['mean']:.1f} points, "
    f"{joint.hdi_low:.1f} to {joint.hdi_high:.1f}.\n"
)

# 2. A Cauchy hierarchy: its mean describes a next school, about which two schools say little; the joint contrast
# describes these two schools.
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

# 3. If school A gave a maths test and school B an English test, points cannot be averaged, but standardised
# effects can.
standardised = fj.fit(
    "test_score ~ treatment | school, sigma ~ 1 | school, joint(weights=n, scale=sigma)", data, seed=1
)
print(standardised)
joint = standardised.contrasts().loc["joint_treatment"]
print(
    f"\n=> In residual sds of each school's own test the effect over both is {joint['mean']:.1f}, "
    f"{joint.hdi_low:.1f} to {joint.hdi_high:.1f}."
)
