# lme4: a point estimate of the same model by REML, or least squares by group where nothing is pooled.

source(file.path(Sys.getenv("PEERS"), "figures.R"))
suppressPackageStartupMessages(library(lme4))

data <- read_data()
if (args[2] == "hierarchy") {
  slopes <- coef(lmer(y ~ x + (x | g), data))$g[, "x"]
} else {
  slopes <- coef(lmList(y ~ x | g, data))[, "x"]
}
estimate <- weighted(data, slopes)
cat("joint_x", estimate, "\n")
stamp <- table_is_out()
report(stamp, "lme4", reading = attr(data, "seconds"), sampler = "point estimate", estimate = estimate)
