"""How to reproduce a fit: the code, the versions, the engine, and the time."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from formulajoint.families.choice import is_default
from formulajoint.results.draws.posterior import Posterior
from formulajoint.results.external.adopted import ADOPTED

PACKAGES = ("formulajoint", "pymc", "pytensor", "arviz", "numpy", "scipy", "pandas", "xarray")
"""Packages that the figures depend on, besides the engine."""

FROM = """\
import formulajoint as fj
import pandas as pd

data = pd.read_csv(...)
model = fj.model(
{call}
)
fit = model.fit_from(idata)  # the draws of model.pymc
print(fit)"""

CODE = """\
import formulajoint as fj
import pandas as pd

data = pd.read_csv(...)
fit = fj.fit(
{call}
)
print(fit)"""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Code that makes the same fit from the same data, the versions it ran on, and a sentence on the draws."""

    code: str
    versions: tuple[tuple[str, str], ...]
    drawn: str


def recipe(posterior: Posterior) -> Recipe:
    """Return how to reproduce a fit."""
    return Recipe(_code(posterior), tuple(_versions(posterior.engine)), _drawn(posterior))


def _code(posterior: Posterior) -> str:
    plan, tree = posterior.plan, posterior.tree
    sizes = tree["posterior"].sizes
    lines = [f"{str(plan.design.formula)!r},", "data,"]
    lines += ['priors="flat",'] if plan.flat else []
    unsaid = not is_default(plan.family) and "family(" not in str(plan.design.formula)
    lines += [f'family="{plan.family.name}",'] if unsaid else []
    if ADOPTED in tree.attrs:
        return FROM.format(call=_indented(lines))
    given = {name: tree.attrs[name] for name in ("tune", "target_accept", "seed") if name in tree.attrs}
    settings = {"engine": posterior.engine, "chains": sizes["chain"], "draws": sizes["draw"]} | given
    lines += [f"{name}={value!r}," for name, value in settings.items()]
    return CODE.format(call=_indented(lines))


def _indented(lines: Iterable[str]) -> str:
    return "\n".join(f"    {line}" for line in lines)


def _versions(engine: str) -> list[tuple[str, str]]:
    out = [("python", platform.python_version())]
    for name in dict.fromkeys((*PACKAGES, engine)):
        try:
            out.append((name, version(name)))
        except PackageNotFoundError:
            continue  # an engine that is not a package, or a checkout that was never installed
    return out


def _drawn(posterior: Posterior) -> str:
    """Return a phrase with the number of draws, the engine and the time."""
    sizes, made = posterior.tree["posterior"].sizes, posterior.tree["posterior"].attrs.get("created_at", "")
    when = f", {str(made)[:16].replace('T', ' ')} UTC" if str(made).endswith("+00:00") else ""
    return f"{sizes['chain']} chains of {sizes['draw']} draws by {posterior.engine}{when}"
