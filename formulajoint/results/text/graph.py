"""A model's graph: Graphviz source as text, and the drawing that a notebook shows, which needs no program."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # loads PyMC
    from formulajoint.compiler.pymc.graph import GraphNode

LETTER, LINE, HIGH, GAP, BETWEEN = 7.3, 16, 14, 26, 52
"""Width of a letter and height of a line; a node's margin, and the gaps between nodes and between rows; in pixels."""

SWEEPS = 8
"""Passes that order the nodes of each row by their neighbours in the row before."""


class Graph(str):
    """Graphviz source as text, which a notebook shows as a drawing."""

    __slots__ = ("nodes",)
    nodes: tuple[GraphNode, ...]

    def __new__(cls, nodes: tuple[GraphNode, ...]) -> Graph:
        """Return the graph of a model's variables."""
        graph = super().__new__(cls, source(nodes))
        graph.nodes = nodes
        return graph

    def __reduce__(self) -> tuple[type[Graph], tuple[tuple[GraphNode, ...]]]:
        return Graph, (self.nodes,)

    def _repr_svg_(self) -> str:
        return drawing(self.nodes)


# --- as source

_SHAPES: Mapping[str, str] = {
    "free": "shape=ellipse",
    "computed": "shape=box",
    "observed": "shape=ellipse style=filled",
    "data": 'shape=box style="rounded, filled"',
}


def source(nodes: Sequence[GraphNode]) -> str:
    """Return Graphviz source: nodes with the same dims stand in one box, edges lead from parents to children."""
    plates: dict[tuple[str, ...], list[GraphNode]] = defaultdict(list)
    for node in nodes:
        plates[node.dims].append(node)
    lines = ["digraph {"]
    for dims, inside in plates.items():
        title = _quoted(" x ".join(dims))
        own = [f"\t{_quoted(n.name)} [label={_quoted(_label(n), '~')} {_SHAPES[n.kind]}]" for n in inside]
        box = f"\tsubgraph {_quoted('cluster' + ' x '.join(dims))} {{\n\t\tlabel={title} style=rounded"
        lines += [box, *(f"\t{line}" for line in own), "\t}"] if dims else own
    lines += [f"\t{_quoted(parent)} -> {_quoted(n.name)}" for n in nodes for parent in n.parents]
    return "\n".join([*lines, "}"])


def _label(node: GraphNode) -> str:
    return f"{node.name}\n~ {node.law}" if node.law else node.name


def _quoted(text: str, safe: str = "") -> str:
    """Return a name as Graphviz reads it: in quotes unless it is a plain word."""
    if text.isidentifier() and text.isascii() and not safe:
        return text
    clean = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{clean}"'


# --- as a drawing


@dataclass(slots=True)
class _Box:
    """A node with its place, or a bend of an edge that passes its row."""

    lines: tuple[str, ...]
    kind: str
    row: int
    x: float = 0.0

    @property
    def width(self) -> float:
        return max((len(line) for line in self.lines), default=0) * LETTER + (24 if self.lines else 0)

    @property
    def height(self) -> float:
        return len(self.lines) * LINE + HIGH


def drawing(nodes: Sequence[GraphNode]) -> str:
    """Return the graph as SVG: rows from what depends on nothing down to the response and the contrasts."""
    rows = _rows(nodes)
    boxes = {n.name: _Box((*_label(n).split("\n"), *_of_dims(n)), n.kind, rows[n.name]) for n in nodes}
    paths = [_path(boxes, parent, n.name) for n in nodes for parent in n.parents]
    _place(boxes, paths)
    heights = [
        max(box.height for box in boxes.values() if box.row == row) for row in range(max(rows.values()) + 1)
    ]
    middles = [sum(heights[:row]) + row * BETWEEN + heights[row] / 2 + 4 for row in range(len(heights))]
    left = min(box.x - box.width / 2 for box in boxes.values()) - 4
    right = max(box.x + box.width / 2 for box in boxes.values()) + 4
    body = [_edge([boxes[key] for key in path], middles, heights) for path in paths]
    body += [_drawn(box, middles[box.row]) for box in boxes.values() if box.lines]
    width, height = right - left, middles[-1] + heights[-1] / 2 + 4
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="{left:.0f} 0 {width:.0f} {height:.0f}" font-family="sans-serif" font-size="12" '
        'text-anchor="middle" role="img" aria-label="graph of the model">'
    )
    tip = (
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0 8 4 0 8z" fill="#6b7280"/></marker></defs>'
    )
    return "\n".join([head, tip, *body, "</svg>"])


def _of_dims(node: GraphNode) -> tuple[str, ...]:
    return (" × ".join(node.dims),) if node.dims else ()


def _rows(nodes: Sequence[GraphNode]) -> dict[str, int]:
    """Return each node's row: below all its parents, and those without parents right above what depends on them."""
    parents = {node.name: node.parents for node in nodes}
    rows: dict[str, int] = {}
    while len(rows) < len(parents):  # one more row each time: a model's graph has no cycles
        free = [n for n, own in parents.items() if n not in rows and all(parent in rows for parent in own)]
        rows |= {name: max((rows[parent] + 1 for parent in parents[name]), default=0) for name in free}
    for name in [name for name, own in parents.items() if not own]:
        rows[name] = min((rows[n] - 1 for n, own in parents.items() if name in own), default=0)
    return rows


def _path(boxes: dict[str, _Box], parent: str, child: str) -> list[str]:
    """Return the boxes that an edge passes; in rows between its ends it gets a bend of its own, added to `boxes`."""
    start, end = boxes[parent].row, boxes[child].row
    bends = [f"{parent}\n{child}\n{row}" for row in range(start + 1, end)]
    boxes |= {key: _Box((), "", row) for key, row in zip(bends, range(start + 1, end), strict=True)}
    return [parent, *bends, child]


def _place(boxes: dict[str, _Box], paths: Iterable[Sequence[str]]) -> None:
    """Give each box its place in its row: near its neighbours, without overlaps."""
    near: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        for one, other in pairwise(path):
            near[one].append(other)
            near[other].append(one)
    rows: dict[int, list[str]] = defaultdict(list)
    for key, box in boxes.items():
        rows[box.row].append(key)
    for keys in rows.values():
        _apart([boxes[key] for key in keys], [0.0] * len(keys))
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        for row in sorted(rows, reverse=not down):
            beside = {k: [boxes[n].x for n in near[k] if (boxes[n].row < row) == down] for k in rows[row]}
            wished = {k: sum(xs) / len(xs) if xs else boxes[k].x for k, xs in beside.items()}
            rows[row].sort(key=wished.__getitem__)
            _apart([boxes[k] for k in rows[row]], [wished[k] for k in rows[row]])


def _apart(row: Sequence[_Box], wished: Sequence[float]) -> None:
    """Put the boxes of a row near the places wished for, in this order and without overlaps."""
    edge = float("-inf")
    for box, x in zip(row, wished, strict=True):
        box.x = max(x, edge + box.width / 2 + GAP)
        edge = box.x + box.width / 2
    shift = sum(x - box.x for box, x in zip(row, wished, strict=True)) / len(row)
    for box in row:
        box.x += shift


def _edge(path: Sequence[_Box], middles: Sequence[float], heights: Sequence[float]) -> str:
    """Return an edge as a curve from the lower rim of a box to the upper rim of another, upright in rows between."""
    points = []
    for place, box in enumerate(path):
        middle, half = middles[box.row], (box.height if box.lines else heights[box.row]) / 2
        points += [(box.x, middle - half)] if place > 0 else []
        points += [(box.x, middle + half)] if place + 1 < len(path) else []
    curve = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    for (x0, y0), (x1, y1) in pairwise(points):
        half = (y0 + y1) / 2
        curve += f"C{x0:.1f} {half:.1f} {x1:.1f} {half:.1f} {x1:.1f} {y1:.1f}"
    return f'<path d="{curve}" fill="none" stroke="#6b7280" marker-end="url(#tip)"/>'


def _drawn(box: _Box, middle: float) -> str:
    """Return a box with its text: an ellipse for what is random, grey if it is observed; a rectangle if computed."""
    fill = "#e7e9ee" if box.kind in ("observed", "data") else "white"
    round_by = box.height / 2 if box.kind in ("free", "observed") else 2
    shape = (
        f'<rect rx="{round_by:.1f}" x="{box.x - box.width / 2:.1f}" y="{middle - box.height / 2:.1f}" '
        f'width="{box.width:.1f}" height="{box.height:.1f}" fill="{fill}" stroke="#1f2430"/>'
    )
    top = middle - (len(box.lines) - 1) * LINE / 2 + 4
    looks = ['fill="#1f2430" font-weight="bold"', *['fill="#4b5563"'] * len(box.lines)]
    texts = [
        f'<text x="{box.x:.1f}" y="{top + number * LINE:.1f}" {look}>{escape(line)}</text>'
        for number, (line, look) in enumerate(zip(box.lines, looks, strict=False))
    ]
    return shape + "".join(texts)
