"""Forty real data sets with a formula for each: sigmas by group, shared coefficients, hierarchies.

The files are those of R's packages (lme4, nlme, MASS, faraway, agridat, SASmixed and others), one CSV file a data set,
named by package and object; those without a package are of R's own datasets, of emmeans (pigs) and of this package.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from random_models import Model

REAL = (
    ("iris", "`Petal.Length` ~ 1, sigma ~ 1 | Species"),
    ("mtcars", "mpg ~ wt, sigma ~ 1 | cyl"),
    ("pigs", "logconc ~ percent, sigma ~ 1 | source"),
    ("toothgrowth", "len ~ dose, sigma ~ 1 | supp"),
    ("warpbreaks", "breaks ~ wool, sigma ~ 1 | tension"),
    ("tutoring", "test_score ~ treatment | school, sigma ~ 1 | school"),
    ("sleepstudy", "Reaction ~ Days | Subject, hierarchy()"),
    ("HSAUR3.pottery", "Al2O3 ~ 1, sigma ~ 1 | kiln"),
    ("MASS.michelson", "Speed ~ 1, sigma ~ 1 | Expt"),
    ("MASS.immer", "Y1 ~ 1, sigma ~ 1 | Loc"),
    ("MASS.gehan", "time ~ 1 + common(treat) | pair, hierarchy()"),
    ("SASmixed.AvgDailyGain", "adg ~ 1 + common(InitWt) | Treatment, sigma ~ 1 | Treatment"),
    ("MASS.coop", "Conc ~ 1, sigma ~ 1 | Spc"),
    ("SASmixed.HR", "HR ~ Time | Patient, hierarchy()"),
    ("SASmixed.TeachingII", "score ~ 1 + common(IQ) | Method, sigma ~ 1 | Method"),
    ("SASmixed.Weights", "strength ~ 1 + common(Time) | Program, sigma ~ 1 | Program"),
    ("agridat.harvey.lsmeans", "adg ~ 1 + common(weight) | sire, sigma ~ 1 | sire"),
    ("agridat.nass.sorghum", "yield ~ center(year) | state, hierarchy()"),
    ("agridat.kirk.potato", "yield ~ 1 | gen, hierarchy()"),
    ("boot.tau", "rate ~ 1, sigma ~ 1 | decay"),
    ("carData.Pottery", "Mg ~ 1, sigma ~ 1 | Site"),
    ("carData.Soils", "pH ~ 1 + common(N) | Depth, sigma ~ 1 | Depth"),
    ("carData.Blackmore", "exercise_t ~ I(age - 8) | subject, hierarchy()"),
    ("faraway.pulp", "bright ~ 1, sigma ~ 1 | operator"),
    ("faraway.pipeline", "Lab ~ Field, sigma ~ 1 | Batch"),
    ("faraway.rabbit", "gain ~ 1 | treat, hierarchy(dist=cauchy)"),
    ("faraway.penicillin", "yield ~ 1 | blend, hierarchy(dist=student)"),
    ("faraway.oatvar", "yield ~ 1 | variety, hierarchy(dist=cauchy)"),
    ("lattice.USRegionalMortality", "Rate ~ 1, sigma ~ 1 | Cause"),
    ("lme4.cake", "angle ~ 1 + common(temp) | recipe, hierarchy(Intercept), sigma ~ 1 | recipe"),
    ("medicaldata.opt", "`GA.at.outcome` ~ 1 + common(Group) | Clinic, sigma ~ 1 | Clinic"),
    ("mlmRev.Exam", "normexam ~ standLRT | school, hierarchy()"),
    ("nlme.Orthodont", "distance ~ age, sigma ~ 1 | Sex"),
    ("nlme.Oxboys", "height ~ age | Subject, hierarchy(cor=false)"),
    ("nlme.PBG", "deltaBP ~ log(dose), sigma ~ 1 | Rabbit"),
    ("nlme.Relaxin", "cAMP ~ conc, sigma ~ 1 | Run"),
    ("nlme.BodyWeight", "weight ~ Time, sigma ~ 1 | Diet"),
    ("nlme.Machines", "score ~ 1, sigma ~ 1 | Machine"),
    ("pingouin.rm_corr", "PacO2 ~ 1 + common(pH) | Subject, sigma ~ 1 | Subject"),
    ("metadat.dat.raudenbush1985", "yi ~ 1 | study, hierarchy(), se(se)"),
)
"""The name of a file, without its ending, and a formula."""


def read_model(folders: Sequence[Path], number: int) -> Model:
    """Return a model of a real data set, whose file lies in one of the folders."""
    name, formula = REAL[number]
    found = next((folder / f"{name}.csv" for folder in folders if (folder / f"{name}.csv").exists()), None)
    if found is None:
        raise FileNotFoundError(f"There is no {name}.csv in {', '.join(map(str, folders))}.")
    structure = "sigma by group" if "sigma ~" in formula else "one sigma"
    return Model(number, f"real data, {structure}", formula, pd.read_csv(found), name)
