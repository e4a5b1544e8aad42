"""What the figures of a fit show: titles, labels, texts and the data that is drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import formulajoint as fj
from goldens import reach
from goldens.fits import draws_sections
from goldens.frames import frame
from goldens.writing import Lines, Record, array_line

mpl.use("Agg")


def figure_lines(figure: Figure) -> Lines:
    """Return what a figure shows."""
    title = " ".join(figure.get_suptitle().split())
    lines = [f"title: {title}", f"size: {figure.get_size_inches().tolist()}"]
    for place, ax in enumerate(figure.axes):
        lines += [f"axes {place}: {line}" for line in _axes_lines(ax)]
    plt.close(figure)
    return lines


def _axes_lines(ax: Axes) -> Lines:
    texts = [text.get_text() for text in ax.texts if text.get_text()]
    labels = [text.get_text() for axis in (ax.xaxis, ax.yaxis) for text in axis.get_ticklabels()]
    lines = [
        f"title {ax.get_title()!r}, x {ax.get_xlabel()!r}, y {ax.get_ylabel()!r}",
        f"ticks {labels}",
        *(f"text {text!r}" for text in texts),
    ]
    legend = ax.get_legend()
    if legend is not None:
        lines.append(f"legend {[text.get_text() for text in legend.get_texts()]}")
    lines += [array_line(f"line {line.get_label()}", line.get_xydata()) for line in ax.lines]
    for collection in ax.collections:
        paths = [path.vertices for path in collection.get_paths()]
        lines += [array_line(f"{type(collection).__name__} path", path) for path in paths[:3]]
        lines.append(array_line(f"{type(collection).__name__} offsets", collection.get_offsets()))
    lines += [array_line("patch", patch.get_path().vertices) for patch in ax.patches[:5]]
    return [line if line.startswith("array ") else line.replace("\n", " / ") for line in lines]


def fits() -> dict[str, fj.Fit]:
    """Return the fits that are drawn."""
    settings: dict[str, Any] = {"draws": 100, "chains": 2, "seed": 1, "engine": "exact"}
    seed = fj.model("test_score ~ treatment | school, joint(weights=n)", frame("tutoring"), language=fj.CORE)
    pooled = fj.model("y ~ x | g, hierarchy(x), joint(), rms()", frame("many"), language=fj.CORE)
    return {"seed": seed.fit(**settings), "pooled": pooled.fit(**settings)}


def drawn(seed: fj.Fit, pooled: fj.Fit) -> dict[str, Callable[[], Figure]]:
    """Return functions that draw."""
    student, shared, differing, known = (
        fj.model(text, frame("trial"), language=fj.CORE)
        for text in (
            "y ~ x | school, family(student), joint()",
            "y ~ x + common(z + arm) | school, hierarchy(x), weights(w)",
            "y ~ x + offset(o) | school, sigma ~ x + arm | school",
            "y ~ x + common(z) | school, se(s), prior(z ~ constant(1))",
        )
    )
    return {
        "forest of two groups": lambda: seed.plot.forest(),
        "forest of many groups": lambda: pooled.plot.forest("x", prob=0.8, sort="mean"),
        "contrast": lambda: seed.plot.contrast(rope=1.0),
        "contrast that is asked": lambda: seed.plot.contrast("pairwise(treatment)"),
        "joint test": lambda: seed.plot.joint(),
        "joint test of an equality": lambda: seed.plot.joint("treatment[A] == treatment[B]"),
        "sensitivity": lambda: seed.plot.sensitivity(factors=(0.5, 1, 2)),
        "shrinkage": lambda: pooled.plot.shrinkage(),
        "predictive check": lambda: seed.plot.ppc(count=20),
        "predictive check as densities": lambda: pooled.plot.ppc("kde", count=20, seed=3),
        "shrinkage beside a common slope": lambda: reach.invented(shared, 2, 50).plot.shrinkage(),
        "predictive check of a sigma that differs": lambda: reach.invented(differing, 2, 50).plot.ppc(
            count=20
        ),
        "predictive check of known errors": lambda: reach.invented(known, 2, 50).plot.ppc("hist", count=20),
        "predictive check of Student's t": lambda: reach.invented(student, 2, 50).plot.ppc("ecdf", count=20),
    }


def figures() -> Record:
    """Return what the figures show."""
    found = fits()
    draws = [f"{name}: {line}" for name, fit in found.items() for line in draws_sections(fit)["draws"]]
    return {"draws": draws} | {name: figure_lines(draw()) for name, draw in drawn(**found).items()}
