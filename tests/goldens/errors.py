"""Wrong formulas: texts that cannot be read, and formulas that do not fit the names and the kinds of the data.

One formula a line. `error_goldens.py` asks for them, and records what the package answers; wrong values of data stand in
`errors_of_data.py`, wrong calls in `errors_of_calls.py`. The texts of tests/cases/bad_formulas.txt are not repeated here.
"""

from __future__ import annotations

SYNTAX = r"""
y ~ x |
y ~ x, , joint(x)
y ~ x joint(x)
y ~ x + + | g
y ~ (x + z
y ~ x) + z
y ~ {x + z)
y ~ I(x
y ~ x[A]
y ~ x = z
y ~ x && z
y ~ x @ z
y ~ x $ z
y ~ x ; z
y ~ x ^ z
y ~ (x + z)^1.5
y ~ (x + z)^-1
y ~ (x + z)^0
y ~ x^2^3
y ~ 3
y ~ -2 + x
y ~ "x"
y ~ `x
y ~ ``
y ~ 'x
y ~ x'
y ~ 1e999 * x
y ~ I(1e999 * x)
y ~ I(x + )
y ~ I()
y ~ I(x, z)
y ~ log()
y ~ log(x, 2)
y ~ log(x, base=2)
y ~ sine(x)
y ~ center(x)(z)
y ~ poly(x)
y ~ poly(x, degree=0)
y ~ poly(x, 1.5)
y ~ C()
y ~ C(x, ref=)
y ~ C(x, coding=effects)
y ~ C(x, reff=a)
y ~ offset()
y ~ offset(x, z)
y ~ common()
y ~ common(common(x))
y ~ x + common(x | g) | g
y ~ common(x):z | g
y ~ x:offset(z)
y ~ x, joint
y ~ x, joint(x
y ~ x, joint(x))
y ~ x, jont(x)
y ~ x, mean(x)
y ~ x, joint(weight=n)
y ~ x, joint(weights=)
y ~ x, joint(weights=n, weights=equal)
y ~ x, joint(weights=n, x)
y ~ x, joint(scale=half)
y ~ x, joint(scale=-1)
y ~ x, joint(scale=0)
y ~ x, joint(name=)
y ~ x, joint(name=1)
y ~ x, joint(weights={A: 1, A: 2})
y ~ x, joint(weights={A 1})
y ~ x, joint(weights={})
y ~ x, joint(weights=[])
y ~ x, joint(weights=[1, x])
y ~ x, joint(weights=dirichlet())
y ~ x, joint(weights=dirichlet(precision))
y ~ x, joint(weights=median(z))
y ~ x, hierarchy(dist=laplace)
y ~ x, hierarchy(cor=maybe)
y ~ x, hierarchy(centered=1)
y ~ x, hierarchy(df=0, dist=student)
y ~ x, family()
y ~ x, family(gauss)
y ~ x, family(gaussian, poisson)
y ~ x, family(gaussian, link=logg)
y ~ x, family(gaussian), family(student)
y ~ x, se()
y ~ x, se(s), se(s)
y ~ x, weights()
y ~ x, weights(2)
y ~ x, missing()
y ~ x, missing(ignore)
y ~ x, sigma ~
y ~ x, sigma ~ 1, sigma ~ x
y ~ x, sigma ~ joint(x)
y ~ x, log(sigma) ~ x
y ~ x, prior()
y ~ x, prior(x)
y ~ x, prior(x = normal(0, 1))
y ~ x, prior(x ~ 3)
y ~ x, prior(x ~ normal)
y ~ x, prior(2 ~ normal(0, 1))
y ~ x, contrast()
y ~ x, contrast(x[])
y ~ x, contrast(x[A)
y ~ x, contrast(x[A] > 0)
y ~ x, contrast("x")
y ~ x, pairwise(x, most=0)
y ~ x, pairwise(x, most=many)
y ~ x, reference(x, ref=)
y ~ x, poly(x, degree=0)
y ~ x, meandev(x, scale=sigma)
y ~ x, test()
y ~ x, test(x)
y ~ x, test(x != 0)
y ~ x, test(x > 0 < 1)
y ~ x, test(x > 0 == z)
y ~ x, test(x == "0")
y ~ x % z
y – x
y ~ x − z
y ~ “x”
"""

NAMES = r"""
y ~ tretment | school
y ~ q | school
score ~ x
y ~ x | schol
y ~ x | school/klass
y ~ log(X2)
y ~ I(x + trt * 2)
y ~ C(arms, ref=a)
y ~ x + log
y ~ x + joint
y ~ x, sigma ~ treatmant
y ~ x, weights(wt)
y ~ x | school, joint(x, weights=size)
y ~ x | school, joint(x, weights=sum(treat))
y ~ xx.mean
y ~ `School`
y ~ x - arm
y ~ -x + x
y ~ arm + z - z:arm
y ~ x*x
y ~ arm:arm
y ~ x + x^2
y ~ (x)^3
y ~ x + common(arm)
y ~ x + common(x) | school
y ~ arm:x + common(x:arm) | school
y ~ x + common(1) | school
y ~ x + common(0 + arm) | school
y ~ 0
y ~ x, sigma ~ 0
y ~ x + y
log(y) ~ x:y
y ~ x | y
y ~ x + offset(y)
y ~ x, sigma ~ y
I(y - x) ~ arm
y ~ x + school | school
y ~ x:school | school
y ~ x, sigma ~ arm | arm
y ~ log(arm)
y ~ I(x + school)
y ~ offset(arm)
y ~ C(arm, ref=d)
y ~ C(school, ref="AA")
y ~ C(arm, ref=b, coding=sum)
y ~ I(arm == "d")
y ~ I(arm > "a")
y ~ I(x == "1")
y ~ C(arm):arm
y ~ x | school, se(sd)
y ~ x | school, joint(x, weights=arm)
y ~ x, mu ~ z
prop(number, flag) ~ x
y ~ x, family(poisson)
y ~ x, family(gaussian, link=log)
y ~ x, family(student, link=log)
arm ~ x
flag ~ x, family(bernouli)
"""

PLANS = r"""
y ~ x | school, nu ~ 1
y ~ x | school, sigm ~ 1
y ~ x | school, se(w), sigma ~ 1 | school
y ~ x | school, se(w), nu ~ 1
y ~ x | school, se(w), family(student)
y ~ x | school, se(w), prior(sigma ~ half_normal(2))
y ~ x | school, se(w), hierarchy(sigma)
y ~ x | school, se(w), joint(scale=sigma)
y ~ x | school, hierarchy(xx)
y ~ x + common(z) | school, hierarchy(z)
y ~ x, hierarchy(x)
y ~ x, hierarchy()
y ~ x, joint()
y ~ x, joint(x)
y ~ x | one, hierarchy()
y ~ x | school, sigma ~ x, hierarchy(sigma)
y ~ x | school, hierarchy(sigma)
y ~ x | school, hierarchy(x), hierarchy(x)
y ~ x | school, hierarchy(), hierarchy(Intercept)
y ~ sigma | school, sigma ~ 1 | school, hierarchy(sigma)
y ~ x | school, hierarchy(x, df=3)
y ~ x | school, hierarchy(dist=cauchy, cor=true)
y ~ x | school, hierarchy(dist=student, df=-1)
y ~ x + common(z) | school, joint(z)
y ~ x | school, joint(tretment)
y ~ x + z | school, joint(name=both)
y ~ x | school, joint(x, name=sigma)
y ~ x | school, joint(x, name=chain)
y ~ x | school, joint(x, name=school)
y ~ x | school, sigma ~ x, joint(scale=sigma)
y ~ x | school, sigma ~ x, joint(weights=precision)
y ~ x | school, sigma ~ 1 | arm, joint(scale=sigma)
y ~ x | school, sigma ~ 1 | school, hierarchy(x, scale=sigma), contrast(x[A] - x.mean)
"""

PRIORS = r"""
y ~ x | school, prior(xx ~ normal(0, 1))
y ~ x | school, prior(joint_x ~ normal(0, 1))
y ~ x | school, prior(y ~ normal(0, 1))
y ~ x | school, prior(nu ~ gamma(2, 1))
y ~ x | school, prior(`sigma` ~ half_normal(1))
y ~ x | school, prior(x.mean ~ normal(0, 1))
y ~ x | school, prior(x.sd ~ half_normal(1))
y ~ x | school, hierarchy(x), prior(x ~ normal(0, 1))
y ~ x | school, sigma ~ 1 | school, prior(sigma.sd ~ half_normal(1))
y ~ x | school, sigma ~ 1 | school, hierarchy(sigma), prior(sigma.mean ~ half_normal(1))
y ~ x | school, sigma ~ z | school, hierarchy(sigma.z), prior(sigma.z ~ normal(0, 1))
y ~ x | school, sigma ~ z | school, hierarchy(sigma.z), prior(sigma.Intercept.sd ~ half_normal(1))
y ~ x | school, sigma ~ z, prior(sigma ~ half_normal(1))
y ~ x | school, prior(sigma.Intercept ~ normal(0, 1))
y ~ x | school, prior(cor ~ lkj(2))
y ~ x | school, hierarchy(dist=cauchy), prior(cor ~ lkj(2))
y ~ x | school, hierarchy(), prior(cor ~ normal(0, 1))
y ~ x | school, prior(x ~ lkj(2))
y ~ x + `x.mean` | school, hierarchy(x), prior(x.mean ~ normal(0, 1))
y ~ sigma | school, prior(sigma ~ half_normal(1))
y ~ x + `sigma.z` | school, sigma ~ z, prior(sigma.z ~ normal(0, 1))
y ~ x + cor | school, hierarchy(x, Intercept), prior(cor ~ lkj(1))
y ~ x:z + x:`z.mean` | school, hierarchy(x:z), prior(x:z.mean ~ normal(0, 1))
y ~ x | school, prior(x ~ normal(0, 1), x ~ normal(0, 2))
y ~ x | school, prior(x ~ flat()), prior(`x` ~ flat())
y ~ x:z | school, prior(x:z ~ flat(), z:x ~ flat())
y ~ x | school, prior(sigma ~ normal(0, 1))
y ~ x | school, prior(sigma ~ uniform(-1, 1))
y ~ x | school, prior(sigma ~ constant(0))
y ~ x | school, hierarchy(x), prior(x.sd ~ cauchy(0, 1))
y ~ x | school, family(student), prior(nu ~ student_t(3, 0, 1))
y ~ x | school, hierarchy(x), prior(x.sd ~ flat())
y ~ x | school, family(student), prior(nu ~ flat())
y ~ x | school, sigma ~ z, prior(sigma.z ~ flat())
y ~ x | school, sigma ~ 1 | school, hierarchy(sigma), prior(sigma ~ flat())
y ~ x | school, prior(x ~ normal())
y ~ x | school, prior(x ~ normal(0))
y ~ x | school, prior(x ~ normal(0, 1, 2))
y ~ x | school, prior(x ~ normal(sd=1, mu=0))
y ~ x | school, prior(x ~ normal(0, -1))
y ~ x | school, prior(x ~ normal(z, 1))
y ~ x | school, prior(x ~ uniform(2, 1))
y ~ x | school, prior(x ~ normall(0, 1))
y ~ x | school, prior(x ~ inverse())
"""

EXACT = r"""
y ~ x | school, family(laplace)
y ~ x | school, sigma ~ z
y ~ x | school, sigma ~ 1 | arm, hierarchy(sigma)
y ~ x | school, prior(x ~ laplace(0, 1))
y ~ common(x) | school, prior(x ~ uniform(-9, 9))
y ~ year | school, hierarchy()
y ~ far + x
y ~ x * arm | school, hierarchy()
y ~ x + arm | many, sigma ~ 1 | many, hierarchy(dist=student)
y ~ many * sex | school
"""

CONTRASTS = r"""
y ~ x | many, pairwise(x)
y ~ x | many, pairwise(x, most=324)
y ~ x, pairwise(x)
y ~ x | school, pairwise(x, over=arm)
y ~ arm | school, pairwise(arm, over=scool)
y ~ x | school, reference(x, ref=C)
y ~ arm | school, reference(arm, ref=A)
y ~ x | school, poly(x, degree=2)
y ~ 1 | school, pairwise()
y ~ x + common(arm) | school, pairwise(arm, x, name=n)
y ~ x | school, pairwise(x, name=x)
y ~ arm | school, meandev(arm, weights=precision)
y ~ arm | school, meandev(arm, weights=dirichlet(n))
y ~ arm | school, meandev(arm, weights=[1, 2])
y ~ arm | school, meandev(arm, weights={a: 1, b: 1})
y ~ arm*sex | school, meandev(arm:sex, over=arm, weights=n)
y ~ x | school, contrast(1 + 2)
y ~ x | school, contrast(x[A] + z)
y ~ x | school, contrast(x[C])
y ~ x | school, contrast(sigma[A])
y ~ x | school, contrast(nu)
y ~ x | school, contrast(x.mean)
y ~ x | school, sigma ~ arm, contrast(sigma)
y ~ 0 + arm | school, sigma ~ arm, contrast(arm + sigma.arm)
y ~ x | school, contrast(x[A], x[B], name=both)
y ~ x | school, contrast(x[A] / (1 - 1))
y ~ x | school, contrast(x[A] * 9^999)
y ~ 1 | school, contrast(.[A])
y ~ x | school, contrast(.[Z])
y ~ x | school, contrast(.)
y ~ x | school, test(.[A] == 0)
y ~ x + z | school, contrast(.[A], name=gap)
y ~ x + arm | school, contrast(arm[A])
y ~ x + arm | school, contrast(arm[c])
y ~ x + arm | school, contrast(arm[school=A, armm=b])
y ~ x + arm | school, contrast(x[sex=m])
y ~ x + arm | school, contrast(x[A, B])
y ~ x + common(z) | school, contrast(z[A])
y ~ x + arm | school, contrast(arm[A, a])
y ~ x | school, contrast(x[a])
y ~ x | school, sigma ~ 1 | school, pairwise(sigma)
y ~ x | school, hierarchy(x), pairwise(x_mean)
y ~ x | school, joint(weights={A: 1, Q: 2})
y ~ x | school, joint(weights={Aa: 1, B: 2})
y ~ x | school, joint(weights={A: 1})
y ~ x | school, joint(weights=[1, 2, 3])
y ~ x | school, joint(weights=[1])
y ~ x | school, joint(weights={A: -1, B: 2})
y ~ x | school, joint(weights=[0, 0])
y ~ x | school, joint(weights={A: 1/0, B: 1})
y ~ x | school, joint(weights=populaton)
y ~ x | school, joint(weights=sum(text))
y ~ x | school, joint(weights=1)
y ~ x | school, joint(weights='equal')
y ~ x | number, joint(weights={1: 1, 1.0: 2, 2: 1})
y ~ x | school, joint(weights=w)
y ~ x | school, joint(weights=minus)
y ~ x | school, joint(weights=sum(minus))
y ~ x | school, joint(weights=nothing)
y ~ x | school, joint(weights=dirichlet(nothing))
y ~ x | school, test(tretment == 0)
y ~ x | school, test(x[C] == 0)
y ~ x | school, test(x * x == 0)
y ~ x | school, test(x == 0, x > 0)
y ~ x | school, test(x[A] == 0, x[A] == 1)
y ~ x | school, test(x[A] > x[B], x[B] > x[A])
y ~ x | school, test(x[A] == 0), test(x[A] == 0)
y ~ x | school, test(x[A] == 0, name=a), test(x[B] == 0, name=a)
"""


def lines(texts: str) -> tuple[str, ...]:
    """Return the formulas of a list, one a line."""
    return tuple(line for line in texts.split("\n") if line)
