"""Models of events and counts with one grouping factor by the exact engine, beside Bambi, rstanarm and lme4's glmer.

    python benchmarks/glmm_peers.py [--models cbpp ...] [--peers formulajoint bambi ...] [--repeats 1]
    python benchmarks/glmm_peers.py --write      # the table of docs/families.md, from the results

Each peer is a fresh process with one thread that reads a CSV file, fits, and prints what it found. `cold` and `warm`
are the processor's time from the start of the process to the end of that: with an empty folder of compiled code, and
with the folder that the first process left (Python packages have bytecode in both, and rstanarm is compiled when it
is installed). `again` is that of a second fit in the warm process; by Bambi of sampling alone, with the model that
nutpie has compiled, and a summary. Four chains of 1,000 draws, priors and settings of each peer's own; glmer is a
point estimate (15 nodes, or Laplace's approximation with slopes by group). `ess` is the smallest bulk effective
sample size of the shared parameters in the warm process. With `--repeats` the least time of several counts, as a busy
machine makes all of them longer. Peers with `_more` make 10,000 draws a chain, ours of what groups share alone
(``keep="contrasts"``): most of the time of a fit goes into finding where to draw. Figures go to
results/glmm_peers.json at once; what is measured again replaces what was there. Data: cbpp of lme4, epilepsy of brms,
toenail of HSAUR3. The others are simulated, the first of them in the size of the Contraception data of mlmRev.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from processes import arguments_of_peers, is_missing, keep, measured, records

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "glmm_peers.json"
PAGE = HERE.parent / "docs" / "families.md"
NAMES = {
    "formulajoint": "formulajoint",
    "bambi": "Bambi",
    "formulajoint_more": "formulajoint, 10,000 draws of what is shared",
    "bambi_more": "Bambi, 10,000 draws",
    "rstanarm": "rstanarm",
    "glmer": "glmer",
}
PEERS = tuple(NAMES)
OF_R = ("rstanarm", "glmer")
MORE = "_more"
USUAL, MANY = 1000, 10_000
"""Draws of a chain."""


@dataclass(frozen=True)
class Case:
    """A model in our language, in Bambi's and in R's, and its data."""

    ours: str
    bambi: str
    r: str
    family: str
    said: str
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
        "cbpp: 56 counts, 15 herds",
        lambda: (
            stored("cbpp")().astype({"period": str, "herd": str}).assign(period=lambda d: "p" + d["period"])
        ),
    ),
    "epilepsy": Case(
        *["count ~ zAge + zBase * Trt + (1 | patient)"] * 3,
        "poisson",
        "epilepsy: 236 visits, 59 patients",
        stored("epilepsy"),
    ),
    "toenail": Case(
        *["severe ~ time * treatment + (1 | patientID)"] * 3,
        "bernoulli",
        "toenail: 1,908 visits, 294 patients",
        toenail,
    ),
    "women": Case(
        *["use ~ age + urban + children + (1 | district)"] * 3,
        "bernoulli",
        "1,934 women, 60 districts",
        women,
    ),
    "rows": Case(*[SLOPES] * 3, "bernoulli", "10,000 rows, 50 groups, slopes", slopes(50, 200)),
    "groups": Case(*[SLOPES] * 3, "bernoulli", "10,000 rows, 2,000 groups, slopes", slopes(2000, 5)),
    "many": Case(*[SLOPES] * 3, "bernoulli", "50,000 rows, 10,000 groups, slopes", slopes(10_000, 5)),
    "million": Case(*[SLOPES] * 3, "bernoulli", "1,000,000 rows, 2,000 groups, slopes", slopes(2000, 500)),
}


# --- the peers, each in a process of its own


def run_formulajoint(path: str, case: Case, again: bool, draws: int) -> dict[str, Any]:
    """Fit by the exact engine, and print; then fit again."""
    import formulajoint as fj

    formula, keep = f"{case.ours}, family({case.family})", "all" if draws == USUAL else "contrasts"
    fit = fj.fit(formula, pd.read_csv(path), seed=1, engine="exact", draws=draws, keep=keep)
    print(fit)
    first = time.process_time()
    if not again:
        return {"processor": first}
    fj.fit(formula, pd.read_csv(path), seed=2, engine="exact", draws=draws, keep=keep)
    second = time.process_time() - first
    import arviz as az

    variables = fit.draws.named.variables
    shared = {name: draws.reshape(*draws.shape[:2], -1) for name, (_, draws) in variables.items()}
    shared = {name: draws for name, draws in shared.items() if draws.shape[2] < 10}
    ess = [float(az.ess(draws[:, :, at])) for draws in shared.values() for at in range(draws.shape[2])]
    means = {name: np.round(np.mean(draws, axis=(0, 1)), 4).tolist() for name, draws in shared.items()}
    evidence = {"log_evidence": fit.log_evidence.value, "error": fit.log_evidence.error}
    own = {"version": fj.__version__}
    return {"processor": first, "again": second, "ess": min(ess), "means": means, **evidence, **own}


def run_bambi(path: str, case: Case, again: bool, draws: int) -> dict[str, Any]:
    """Sample by nutpie, and print a summary; then sample again."""
    import arviz as az
    import bambi
    import nutpie

    model = bambi.Model(case.bambi, pd.read_csv(path), family=case.family)
    model.build()
    compiled = nutpie.compile_pymc_model(model.backend.model)

    def sampled(seed: int) -> Any:
        made = nutpie.sample(compiled, draws=draws, chains=4, cores=1, seed=seed, progress_bar=False)
        names = [
            str(name) for name, own in made.posterior.data_vars.items() if own.ndim == 2 or own.shape[2] < 10
        ]
        return az.summary(made, var_names=names)

    found = sampled(1)
    print(found)
    first = time.process_time()
    if not again:
        return {"processor": first}
    sampled(2)
    second = time.process_time() - first
    ess, means = float(found["ess_bulk"].min()), found["mean"].to_dict()
    return {"processor": first, "again": second, "ess": ess, "means": means, "version": bambi.__version__}


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
cat(sprintf('{"processor": %.2f, "ess": %s, "means": {%s}, "version": "%s"}\\n', used, ess,
  paste(sprintf('"%s": %.4f', names(means), means), collapse = ", "), version))
"""


def command(peer: str, name: str, path: str, compiled: str, again: bool, python_bambi: str) -> list[str]:
    """Return the command line of a peer, with its folder of compiled code."""
    if peer in OF_R:
        return ["Rscript", "--vanilla", "-e", R, peer, path, CASES[name].r, CASES[name].family]
    python = python_bambi if peer.startswith("bambi") else sys.executable
    folder = ["env", f"PYTENSOR_FLAGS=base_compiledir={compiled}"]
    child = [*folder, python, __file__, "--as", peer, "--models", name, "--data", path]
    return [*child, "--again"] if again else child


def cold_and_warm(peer: str, name: str, path: str, options: argparse.Namespace) -> dict[str, Any]:
    """Run a peer in fresh processes, cold and warm; return its figures, or what became of it."""
    with tempfile.TemporaryDirectory() as compiled:
        runs = [
            measured(command(peer, name, path, compiled, again, options.python_bambi), options)
            for again in ((False,) if peer in OF_R else (False, True))
        ]
    if any(each["status"] != "ok" for each in runs):
        return next(each for each in runs if each["status"] != "ok")
    found = {key: value for key, value in runs[-1].items() if key not in ("processor", "wall")}
    return {"cold": runs[0]["processor"], "warm": runs[-1]["processor"], **found}


# --- the results


def least(one: dict[str, Any] | None, two: dict[str, Any]) -> dict[str, Any]:
    """Return the figures of two runs of a peer with the least of each time."""
    if one is None or "ok" not in (one["status"], two["status"]):
        return two
    if two["status"] != "ok":
        return one
    return two | {key: min(one[key], two[key]) for key in ("cold", "warm", "again") if key in two}


def table() -> str:
    """Return the table of all that was measured."""
    found = {(each["model"], each["peer"]): each for each in records(RESULTS)}
    lines = [
        "| model | by | cold, s | warm, s | again, s | smallest ESS | ESS a second, warm | again |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for (model, peer), each in found.items():
        first = [CASES[model].said, NAMES[peer]]
        if each["status"] != "ok":
            lines.append(f"| {' | '.join(first)} | {each.get('reason', each['status'])} | | | | | |")
            continue
        times = [f"{each[key]:.1f}" if key in each else "" for key in ("cold", "warm")]
        again = f"{each['again']:.2f}" if "again" in each else ""
        ess = f"{each['ess']:,.0f}" if each["ess"] else ""
        beside = found.get((model, "bambi_more" if peer.endswith(MORE) else "bambi"))
        speeds = [_speed(each, beside, key) for key in ("warm", "again")]
        lines.append(f"| {' | '.join([*first, *times, again, ess, *speeds])} |")
    return "\n".join(lines)


def _speed(record: dict[str, Any], bambi: dict[str, Any] | None, key: str) -> str:
    """Return effective draws a second and, of our own, how many times those of Bambi they are."""
    if not record.get("ess") or key not in record:
        return ""
    own = record["ess"] / record[key]
    if not record["peer"].startswith("formulajoint") or not (bambi and bambi["status"] == "ok"):
        return f"{own:,.0f}"
    times = own / (bambi["ess"] / bambi[key])
    return (
        f"{own:,.0f} ({times:,.0f} times Bambi's)"
        if times >= 10
        else f"{own:,.0f} ({times:.1f} times Bambi's)"
    )


def write() -> None:
    """Write the table into the page."""
    begin, end = "<!-- table: made by glmm_peers.py -->", "<!-- end of table -->"
    new = re.sub(
        f"{begin}.*?{end}", lambda _: f"{begin}\n\n{table()}\n\n{end}", PAGE.read_text(), flags=re.DOTALL
    )
    PAGE.write_text(new)


def arguments() -> argparse.Namespace:
    parser = arguments_of_peers(__doc__, PEERS, limit=1800)
    parser.add_argument("--models", nargs="+", choices=list(CASES), default=list(CASES))
    parser.add_argument("--again", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--repeats", type=int, default=1, help="runs of each peer (1)")
    parser.add_argument("--write", action="store_true", help="write the table into the page")
    return parser.parse_args()


def main() -> None:
    """Measure what is asked for, or be a peer."""
    options = arguments()
    if options.peer:
        run = run_bambi if options.peer.startswith("bambi") else run_formulajoint
        draws = MANY if options.peer.endswith(MORE) else USUAL
        print(json.dumps(run(options.data, CASES[options.models[0]], options.again, draws)), flush=True)
        return
    if options.write:
        write()
        return
    best: dict[tuple[str, str], dict[str, Any]] = {}
    for name in options.models:
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/data.csv"
            CASES[name].make().to_csv(path, index=False)
            for _, peer in product(range(options.repeats), options.peers):
                if is_missing(peer, of_r=OF_R):
                    continue
                now = best[name, peer] = least(
                    best.get((name, peer)), cold_and_warm(peer, name, path, options)
                )
                day = {"load": round(os.getloadavg()[0], 1), "measured": time.strftime("%Y-%m-%d %H:%M")}
                keep(
                    RESULTS,
                    {"model": name, "peer": peer, **now, **day},
                    {"model": list(CASES), "peer": PEERS},
                )
                print(f"{name:10} {peer:13} {now}", flush=True)
    print("\n" + table())


if __name__ == "__main__":
    main()
