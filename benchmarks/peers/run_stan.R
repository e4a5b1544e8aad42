# rstanarm and brms: the same formula, priors and settings by default.  Rscript run_stan.R DATA MODEL PACKAGE

source(file.path(Sys.getenv("PEERS"), "figures.R"))
package <- args[3]
suppressPackageStartupMessages(library(package, character.only = TRUE))

data <- read_data()
pooled <- args[2] == "hierarchy"
formula <- if (pooled) y ~ x + (x | g) else y ~ 0 + g + g:x
settings <- list(formula, data = data, chains = chains, cores = cores, iter = 2 * draws, seed = seed, refresh = 0)
fit <- if (package == "brms") do.call(brm, settings) else do.call(if (pooled) stan_glmer else stan_glm, settings)

found <- as.array(fit)  # (draw, chain, parameter)
names <- dimnames(found)[[3]]
of <- function(brms, rstanarm) found[, , grepl(if (package == "brms") brms else rstanarm, names), drop = FALSE]
one <- function(brms, rstanarm) of(brms, rstanarm)[, , 1]
if (pooled) {
  intercepts <- sweep(of("^r_g\\[.*,Intercept\\]$", "^b\\[\\(Intercept\\) g:"), 1:2, one("^b_Intercept$", "^\\(Intercept\\)$"), "+")
  slopes <- sweep(of("^r_g\\[.*,x\\]$", "^b\\[x g:"), 1:2, one("^b_x$", "^x$"), "+")
  others <- of("^(b_Intercept|b_x|sd_g__.*|cor_g__.*|sigma)$", "^(\\(Intercept\\)|x|Sigma\\[.*\\]|sigma)$")
} else {
  intercepts <- of("^b_g[^:]*$", "^g[^:]*$")
  slopes <- of("^b_g.*:x$", "^g.*:x$")
  others <- of("^sigma$", "^sigma$")
}
slopes_matrix <- matrix(slopes, ncol = dim(slopes)[3])
contrast <- weighted(data, slopes_matrix)
cat("joint_x", mean(contrast), sd(contrast), quantile(contrast, c(0.025, 0.975)), "\n")
stamp <- table_is_out()

elapsed <- rowSums(rstan::get_elapsed_time(if (package == "brms") fit$fit else fit$stanfit))  # of each chain
cells <- array(c(intercepts, slopes, others, contrast), c(dim(found)[1:2], 2 * dim(slopes)[3] + dim(others)[3] + 1))
do.call(report, c(list(stamp, c(package, "rstan"), reading = attr(data, "seconds"), sampler = "NUTS by default",
                       sampling_seconds = max(elapsed, sum(elapsed) / cores),
                       estimate = mean(contrast), sd = sd(contrast)), diagnostics(cells)))
