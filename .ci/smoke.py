"""What must work with all versions that pyproject.toml allows: both engines, tests, tables, plots, files, commands.

Run by `.ci/versions` with the Python of an environment, in an empty folder.
"""

import importlib.metadata
import importlib.util
import subprocess
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import pandas as pd

import formulajoint as fj

FORMULA = "test_score ~ treatment | school, joint(weights=n), pairwise(treatment), test(treatment == 0)"


def by_the_exact_engine():
    """Fit, say, save, load, report and draw."""
    fit = fj.fit(FORMULA, fj.tutoring(), seed=1, draws=200, progress=False)
    assert fit.draws.named.trust.independent
    said = fit.text()
    assert "Is there an effect of treatment" in said
    assert list(fit.contrasts().index)[:1] == ["joint_treatment"]
    assert fit.test("treatment[A] == treatment[B]").shape[0] == 1
    fit.save("fit.nc")
    assert fj.load("fit.nc").text() == said
    assert list(fit.idata.children) == ["posterior", "sample_stats", "observed_data"]
    fit.report("report.html")
    assert Path("report.html").stat().st_size > 10_000
    for name in ("forest", "contrast", "joint", "ppc", "trace", "pairs", "prior_posterior"):
        getattr(fit.plot, name)()
        matplotlib.pyplot.close("all")


def by_nuts():
    """Compile and sample."""
    fit = fj.fit(
        FORMULA, fj.tutoring(), engine="nutpie", seed=1, draws=100, tune=200, chains=2, progress=False
    )
    assert fit.summary().shape[0] > 4
    fit.save("nuts.nc")
    assert fj.load("nuts.nc").summary().equals(fit.summary())


def other_frames_and_files():
    """Read a file."""
    pd.DataFrame({"y": [1.5, 2, 4, 3, 5, 9], "x": [0, 1, 0, 1, 0, 1], "g": list("aabbcc")}).to_csv(
        "data.csv", index=False
    )
    assert "3 groups of g" in command("explain", "y ~ x | g, hierarchy()", "data.csv")


def lazy_frames():
    """Fit a file and a lazy frame by those engines that are installed."""
    formula, settings = "y ~ x | g, hierarchy()", {"seed": 1, "draws": 100, "progress": False}
    expected = fj.fit(formula, pd.read_csv("data.csv"), **settings).summary()["mean"]
    frames = {
        "duckdb": lambda engine: engine.read_csv("data.csv"),
        "polars": lambda engine: engine.scan_csv("data.csv"),
    }
    for name in filter(importlib.util.find_spec, frames):
        lazy = frames[name](importlib.import_module(name))
        found = fj.fit(formula, lazy, **settings).summary()["mean"]
        assert abs(found - expected).max() < 1e-6, (name, found, expected)


def command(*arguments):
    """Return what the command prints."""
    program = [sys.executable, "-m", "formulajoint.cli", *arguments]
    done = subprocess.run(program, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def the_command_line():
    """Call the commands."""
    assert command("--version").startswith("formulajoint ")
    assert command("explain", "y ~ x|g") == "y ~ x | g\n"
    assert "demo" in command("--help")
    assert "joint" in command("test", "fit.nc", "treatment == 0") + command("demo")


for step in (by_the_exact_engine, by_nuts, other_frames_and_files, lazy_frames, the_command_line):
    step()
    print("ok:", step.__name__.replace("_", " "), flush=True)
found = ("typer", "xarray", "nutpie", "pandas", "pymc", "arviz", "numpy")
found += tuple(filter(importlib.util.find_spec, ("duckdb", "polars")))
print(", ".join(f"{name} {importlib.metadata.version(name)}" for name in found))
