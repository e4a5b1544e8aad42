"""Formulas of the plain language that no extension may change: each rule and operator of the grammar.

There are no spaces where operators meet, since that is where a new terminal would first take text from others.
"""

from __future__ import annotations

SPECIMENS: tuple[tuple[str, str], ...] = (
    ("formula", "score ~ treatment | school, joint(weights=n)"),
    ("formula", "log(score)~0+a*b-a:b+(c+d)^2-1+c/d|district/school,"),
    ("formula", "y~.+offset(z)+common(age)+(1+x|g)+(x||g/h)|g:h,sigma~1|g,sigma~x"),
    ("formula", "I(a/b)~{x/2+z-1}+{-x>=1}+I(a*-b/+c^-d--e+-f**h^2<=g)+I(+-a<--b)+I(-+a>b)+I(a!=b)+I(a==b)"),
    ("formula", 'y ~ poly(x,2)+C(arm,ref="b",coding=sum)+I(arm=="b c")+`study hours`*x.y'),
    ("formula", "(y>3)~x"),
    ("formula", "y ~ a%in%b+I(a%in%-b*c%o%d)"),
    (
        "formula",
        "y ~ x|g,hierarchy(x,dist=cauchy,cor=false),prior(x.mean~normal(-1,.5e-3),`x`.sd~flat(),cor~lkj(2))",
    ),
    ("formula", "y ~ x|g,prior(poly(x,2).mean~normal(0,5.),a:b~normal(0,1),sigma~half_normal(3))"),
    ("formula", "y ~ x|g,family(bernoulli,link=probit),weights(w),missing(error),se(s)"),
    ("formula", 'y ~ x|g,joint(x,weights={A:0.3,"B c":0.7,-1:1,a/b:2,},scale=2,name="the one")'),
    ("formula", "y ~ x|g,rms(weights=[0.3,-0.7+1,]),spread(x,weights=sum(x)),joint(x:z,weights=`n`)"),
    ("formula", 'y ~ x|g,contrast(x[A]-2*x[B]/x["C d"],(x[A]-x[B])^2,arm[school=A,arm=-1],x:z[a1/b1])'),
    ("formula", "y ~ x|g,test(x==0),test(x[A]>x[B]>=0),test(x!=1,x<2,x<=3)"),
    ("formula", "vs ~ s+n+t+e+in+of+by+mod+div+and+or+not+to+per|with,joint(vs),vs~s|t"),
    ("clause", "pairwise(treatment)"),
    ("clause", 'reference(arm,ref="b",name=gap)'),
    ("clause", "contrast(A-B,s[vs]-s[to])"),
    ("hypotheses", "treatment[A]=treatment[B]==0,x>0"),
    ("hypotheses", "a:x[A]-2*x[B]<x[C]<=1,vs!=s"),
)
"""Pairs of a start rule and a text."""
