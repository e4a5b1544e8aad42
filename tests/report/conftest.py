"""Fits with draws that are given, and a reader of pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import ArrayLike
from xarray import DataArray, Dataset, DataTree

import formulajoint as fj
from formulajoint.compiler.evaluate.contrast_nodes import node_dims, on_draws
from formulajoint.compiler.plan import Plan, ScalePlan
from formulajoint.results.draws.posterior import Posterior

type FitOf = Callable[..., fj.Fit]


def _variables(plan: Plan) -> dict[str, tuple[str, ...]]:
    """Return every variable of a plan but contrasts, with its dims."""
    out = {c.name: c.dims for c in plan.mean.coefficients}
    out |= {name: t.dims for pool in plan.mean.pools for t in pool.terms for name in (t.mean_name, t.sd_name)}
    return out | {part.name: part.dims for part in plan.further if isinstance(part, ScalePlan)}


def fit_with_draws(
    formula: str,
    data: object,
    priors: str | None = None,
    chains: int = 4,
    draws: int = 250,
    diverging: int = 0,
    **given: ArrayLike,
) -> fj.Fit:
    """Return a fit in which every variable is noise about 1, but those `given` (chain, draw, ...)."""
    model, rng = fj.model(formula, data, priors=priors), np.random.default_rng(1)
    plan = model.plan
    shape = {
        name: (chains, draws, *(len(plan.coords[d]) for d in dims)) for name, dims in _variables(plan).items()
    }
    values = {
        name: np.broadcast_to(given.get(name, rng.normal(1, 0.2, shape[name])), shape[name]) for name in shape
    }
    rows = {name: np.moveaxis(v.reshape((chains * draws, *v.shape[2:])), 0, -1) for name, v in values.items()}
    variables = {name: (("chain", "draw", *dims), values[name]) for name, dims in _variables(plan).items()}
    for name, found in on_draws(plan.contrasts, rows).items():
        split = found.reshape((*found.shape[:-1], chains, draws))
        variables[name] = DataArray(split, dims=(*node_dims(plan)[name], "chain", "draw"))
    bad = np.arange(chains * draws).reshape(chains, draws) < diverging
    posterior = Dataset(variables, {dim: list(labels) for dim, labels in plan.coords.items()})
    stats = Dataset({"diverging": (("chain", "draw"), bad)})
    tree = DataTree.from_dict({"posterior": posterior, "sample_stats": stats})
    tree.attrs = {"tune": 500, "target_accept": 0.9, "seed": 7}
    return fj.Fit(model, Posterior(plan, tree, "nutpie"))


@pytest.fixture(scope="session")
def fit_of() -> FitOf:
    """Return `fit_with_draws`."""
    return fit_with_draws


@pytest.fixture(scope="session")
def tutoring() -> fj.Fit:
    """Return a fit of the seed data: 20 in school A, 8 in B, as it would be."""
    rng = np.random.default_rng(2)
    return fit_with_draws(
        "test_score ~ treatment | school, joint(weights=n)",
        fj.tutoring(),
        draws=1000,
        treatment=rng.normal([20, 8.3], [1.1, 0.9], (4, 1000, 2)),
    )


def grouped(labels: list[str]) -> pd.DataFrame:
    """Return six rows for each group."""
    count = 6 * len(labels)
    row = np.arange(count)
    return pd.DataFrame(
        {
            "score": 10.0 + row * 7 % 13,
            "treatment": row % 2,
            "age": row * 5 % 17,
            "school": np.repeat(labels, 6),
        }
    )


@pytest.fixture(scope="session")
def schools() -> Callable[[list[str]], pd.DataFrame]:
    """Return `grouped`."""
    return grouped


VOID = {"meta", "input", "br", "link", "img"}


@dataclass
class Read(HTMLParser):
    """A page as it is read: elements, tables by their captions, and the text of each section."""

    elements: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    tables: dict[str, list[list[str]]] = field(default_factory=dict)
    keys: dict[str, list[list[str | None]]] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    path: list[str] = field(default_factory=list)
    section: str = ""
    caption: str = ""

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.elements.append((tag, found))
        if tag == "section":
            self.section = found.get("id") or str(found.get("class"))
        if tag == "table":
            self.caption = ""
        if tag == "tr" and self.caption:
            self.tables[self.caption].append([])
            self.keys[self.caption].append([])
        if tag in ("th", "td"):
            self.tables[self.caption][-1].append("")
            self.keys[self.caption][-1].append(found.get("data-key"))
        if tag not in VOID:
            self.path.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.path.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        if "caption" in self.path:
            self.caption += data
            self.tables[self.caption] = []
            self.keys[self.caption] = []
        elif "th" in self.path or "td" in self.path:
            self.tables[self.caption][-1][-1] += data.strip()
        elif not {"style", "script"} & set(self.path):
            where = self.section if "section" in self.path else ""
            self.texts[where] = f"{self.texts.get(where, '')} {data.strip()}".strip()

    def of(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of every such element."""
        return [attrs for name, attrs in self.elements if name == tag]


def read_page(path: Path) -> Read:
    """Return a page as it is read; every element is closed."""
    page = Read()
    page.feed(path.read_text(encoding="utf-8"))
    page.close()
    assert page.path == []
    return page


@pytest.fixture(scope="session")
def read() -> Callable[[Path], Read]:
    """Return `read_page`."""
    return read_page
