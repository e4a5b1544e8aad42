"""Models of events and counts with one grouping factor by the exact engine, beside Bambi, rstanarm and lme4's glmer.

    python benchmarks/glmm_peers.py [--models cbpp ...] [--peers formulajoint bambi rstanarm glmer]

Each peer is a fresh process with one thread that reads a CSV file, fits, and prints what it found. `cold` is the
processor's time from the start of the process to the end of that; `warm` that of a second fit in the same process, by
Bambi of sampling alone, with a model that nutpie has compiled. Four chains of 1,000 draws, priors and settings of each
peer's own; glmer is a point estimate (15 nodes, or Laplace's approximation with slopes by group). `ess` is the
smallest bulk effective sample size of the shared parameters. Figures go to results/glmm_peers.json at once; what is
measured again replaces what was there. Data: cbpp of lme4, epilepsy of brms, toenail of HSAUR3. The others are
simulated, the first of them in the size of the Contraception data of mlmRev.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from processes import arguments_of_peers, is_missing, keep, measured, records

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "glmm_peers.json"
PEERS = ("formulajoint", "bambi", "rstanarm", "glmer")


@dataclass(frozen=True)
class Case:
    """A model in our language, in Bambi's and in R's, and its data."""

    ours: str
    bambi: str
    r: str
    family: str
    make: Callable[[], pd.DataFrame]


def stored(name: str) -> Callable[[], pd.DataFrame]:
    """Return a reader of stored data."""
    return lambda: pd.read_csv(HERE / "data" / f"{name}.csv")


def toenail() -> pd.DataFrame:
    """Return the toenail data, with the response as 0 and 1."""
    data = stored("toenail")()
    return data.assign(severe=(data.pop("outcome") == "moderate or severe").astype(int))


def women() -> pd.DataFrame:
    """Return simulated data of 1,934 women in 60 districts."""
    rng = np.random.default_rng(3)
    district, age = rng.integers(0, 60, 1934), np.round(rng.uniform(-13.6, 19.4, 1934), 2)
    urban, children = rng.integers(0, 2, 1934), rng.integers(0, 4, 1934)
    eta = rng.normal(-1.3, 0.5, 60)[district] - 0.02 * age + 0.7 * urban + 0.5 * np.minimum(children, 2)
    used = rng.binomial(1, 1 / (1 + np.exp(-eta)))
    columns = {"use": used, "age": age, "urban": urban, "children": [f"c{n}" for n in children]}
    return pd.DataFrame(columns | {"district": [f"d{code}" for code in district]})


def slopes(groups: int, rows: int) -> Callable[[], pd.DataFrame]:
    """Return a maker of events in groups with an intercept and a slope each."""

    def make() -> pd.DataFrame:
        rng = np.random.default_rng(1)
        g = np.repeat(np.arange(groups), rows)
        b = np.array([-0.3, 0.5]) + rng.normal(size=(groups, 2)) * [0.8, 0.6]
        x = rng.normal(size=len(g))
        y = rng.binomial(1, 1 / (1 + np.exp(-(b[g, 0] + b[g, 1] * x))))
        return pd.DataFrame({"y": y, "x": x, "g": [f"g{code}" for code in g]})

    return make


SLOPES = "y ~ x + (1 + x | g)"
CASES = {
    "cbpp": Case(
        "prop(incidence, size) ~ period + (1 | herd)",
        "p(incidence, size) ~ period + (1 | herd)",
        "cbind(incidence, size - incidence) ~ period + (1 | herd)",
        "binomial",
        lambda: (
            stored("cbpp")().astype({"period": str, "herd": str}).assign(period=lambda d: "p" + d["period"])
        ),
    ),
    "epilepsy": Case(*["count ~ zAge + zBase * Trt + (1 | patient)"] * 3, "poisson", stored("epilepsy")),
    "toenail": Case(*["severe ~ time * treatment + (1 | patientID)"] * 3, "bernoulli", toenail),
    "women": Case(*["use ~ age + urban + children + (1 | district)"] * 3, "bernoulli", women),
    "rows": Case(*[SLOPES] * 3, "bernoulli", slopes(50, 200)),
    "groups": Case(*[SLOPES] * 3, "bernoulli", slopes(2000, 5)),
}


# --- the peers, each in a process of its own


def run_formulajoint(path: str, case: Case) -> dict[str, Any]:
    """Fit by the exact engine, and print; then fit again."""
    import formulajoint as fj

    formula = f"{case.ours}, family({case.family})"
    fit = fj.fit(formula, pd.read_csv(path), seed=1, engine="exact")
    print(fit)
    cold = time.process_time()
    again = fj.fit(formula, pd.read_csv(path), seed=2, engine="exact")
    warm = time.process_time() - cold
    import arviz as az

    variables = again.draws.named.variables
    shared = {name: draws.reshape(*draws.shape[:2], -1) for name, (_, draws) in variables.items()}
    shared = {name: draws for name, draws in shared.items() if draws.shape[2] < 10}
    ess = [float(az.ess(draws[:, :, at])) for draws in shared.values() for at in range(draws.shape[2])]
    means = {name: np.round(np.mean(draws, axis=(0, 1)), 4).tolist() for name, draws in shared.items()}
    evidence = {"log_evidence": fit.log_evidence.value, "error": fit.log_evidence.error}
    return {
        "cold": cold,
        "warm": warm,
        "ess": min(ess),
        "means": means,
        **evidence,
        "version": fj.__version__,
    }


def run_bambi(path: str, case: Case) -> dict[str, Any]:
    """Sample by nutpie, and print a summary; then sample again."""
    import arviz as az
    import bambi
    import nutpie

    model = bambi.Model(case.bambi, pd.read_csv(path), family=case.family)
    model.build()
    compiled = nutpie.compile_pymc_model(model.backend.model)

    def sampled(seed: int) -> Any:
        draws = nutpie.sample(compiled, draws=1000, chains=4, cores=1, seed=seed, progress_bar=False)
        names = [
            str(name) for name, own in draws.posterior.data_vars.items() if own.ndim == 2 or own.shape[2] < 10
        ]
        return az.summary(draws, var_names=names)

    print(sampled(1))
    cold = time.process_time()
    found = sampled(2)
    warm = time.process_time() - cold
    means = found["mean"].to_dict()
    return {
        "cold": cold,
        "warm": warm,
        "ess": float(found["ess_bulk"].min()),
        "means": means,
        "version": bambi.__version__,
    }


R = """
args <- commandArgs(TRUE)
data <- read.csv(args[2], stringsAsFactors = TRUE)
formula <- as.formula(args[3])
family <- if (args[4] == "poisson") poisson else binomial
if (args[1] == "glmer") {
  suppressPackageStartupMessages(library(lme4))
  nodes <- if (grepl("[+] x", args[3])) 1 else 15
  fit <- glmer(formula, data, family = family, nAGQ = nodes)
  print(summary(fit))
  means <- fixef(fit); ess <- "null"; version <- packageVersion("lme4")
} else {
  suppressPackageStartupMessages(library(rstanarm))
  fit <- stan_glmer(formula, data, family = family, chains = 4, iter = 2000, cores = 1, refresh = 0, seed = 1)
  found <- summary(fit, regex_pars = "^[^b]"); print(found)
  means <- fixef(fit); ess <- min(found[, "n_eff"]); version <- packageVersion("rstanarm")
}
used <- sum(proc.time()[c("user.self", "sys.self")])
cat(sprintf('{"cold": %.2f, "ess": %s, "means": {%s}, "version": "%s"}\\n', used, ess,
  paste(sprintf('"%s": %.4f', names(means), means), collapse = ", "), version))
"""


def command(peer: str, name: str, path: str, python_bambi: str) -> list[str]:
    """Return the command line of a peer."""
    if peer in ("glmer", "rstanarm"):
        return ["Rscript", "--vanilla", "-e", R, peer, path, CASES[name].r, CASES[name].family]
    python = python_bambi if peer == "bambi" else sys.executable
    return [python, __file__, "--as", peer, "--models", name, "--data", path]


# --- the results


def table() -> str:
    """Return the table of all that was measured."""
    lines = [
        "| model | peer | cold, s | warm, s | smallest ess | ess per second, warm |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for each in records(RESULTS):
        cells = [each["model"], each["peer"]]
        if each["status"] != "ok":
            lines.append(f"| {' | '.join(cells)} | {each.get('reason', each['status'])} | | | |")
            continue
        warm, ess = each.get("warm"), each.get("ess")
        speed = f"{ess / warm:,.0f}" if warm and ess else ""
        cells += [f"{each['cold']:.1f}", f"{warm:.2f}" if warm else "", f"{ess:,.0f}" if ess else "", speed]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def arguments() -> argparse.Namespace:
    parser = arguments_of_peers(__doc__, PEERS, limit=1800)
    parser.add_argument("--models", nargs="+", choices=list(CASES), default=list(CASES))
    return parser.parse_args()


def main() -> None:
    """Measure what is asked for, or be a peer."""
    options = arguments()
    if options.peer:
        run = {"formulajoint": run_formulajoint, "bambi": run_bambi}[options.peer]
        print(json.dumps(run(options.data, CASES[options.models[0]])), flush=True)
        return
    for name in options.models:
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/data.csv"
            CASES[name].make().to_csv(path, index=False)
            for peer in options.peers:
                if is_missing(peer, of_r=("glmer", "rstanarm")):
                    continue
                figures = measured(command(peer, name, path, options.python_bambi), options)
                day = time.strftime("%Y-%m-%d %H:%M")
                record = {"model": name, "peer": peer, **figures, "measured": day}
                keep(RESULTS, record, {"model": list(CASES), "peer": PEERS})
                print(f"{name:10} {peer:13} {figures}", flush=True)
    print("\n" + table())


if __name__ == "__main__":
    main()
