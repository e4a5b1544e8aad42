"""Figures in notebooks: each is shown once, also where matplotlib's own display has not been set up yet."""

from __future__ import annotations

from functools import partial
from io import BytesIO
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.figure import Figure


class Drawing(Figure):
    """A figure that displays itself: the first of a notebook, too, for which pyplot has opened no figure before."""

    def _repr_png_(self) -> bytes:
        return _png(self)

    def __repr__(self) -> str:
        return super().__repr__().replace("Drawing", "Figure")


def show_once(figure: Figure) -> None:
    """Let a notebook show the user's own figure once.

    A cell that ends with a plot on the user's axes would show it twice: as the cell's result, and as one of the figures
    that pyplot has open, all of which a notebook shows at the end of a cell.
    """
    if not isinstance(figure, Drawing):
        own: Any = figure
        own._ipython_display_ = partial(_close, figure)
        own._repr_png_ = partial(_png, figure)


def _close(figure: Figure) -> None:
    """Let pyplot forget a figure that is now shown, and leave that to IPython, which this exception asks for."""
    if "inline" in plt.get_backend():  # elsewhere this would close a window
        plt.close(figure)
    raise NotImplementedError


def _png(figure: Figure) -> bytes:
    file = BytesIO()
    figure.savefig(file, format="png", bbox_inches="tight")
    return file.getvalue()
