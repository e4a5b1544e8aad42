"""What columns learnt within groups, and the response's unit, in words."""

from __future__ import annotations

from typing import Any

from formulajoint.compiler.plan import Plan
from formulajoint.design.recipes import GroupMoments
from formulajoint.design.schema import Design
from formulajoint.wording import span

MOST_GROUPS = 8
"""Most groups that are named with their means; of more, the range is given."""


def unit_of(plan: Plan) -> str:
    """Return ``, in sds of score within test`` if the formula makes the response's unit, else an empty text."""
    unit = plan.design.spec.unit
    return f", in {unit}" if unit else ""


def within_lines(design: Design) -> list[str]:
    """Return a line for each column centred or standardised within groups, with the groups' means and sds."""
    return [_line(design, learnt) for learnt in design.within]


def _line(design: Design, learnt: GroupMoments) -> str:
    done = "centred" if learnt.sds is None else "standardised"
    line = f"{learnt.column} {done} within {learnt.group}: {_figures(learnt)}"
    if learnt.text == design.response.name and learnt.sds is not None:
        line += "; effects are in these sds"
    return line


def _figures(learnt: GroupMoments) -> str:
    sds = learnt.sds
    if len(learnt.labels) > MOST_GROUPS:
        means = f"{len(learnt.labels)} groups, mean {span(learnt.means)}"
        return means if sds is None else f"{means}, sd {span(sds)}"
    each = [f"{label} mean {mean:.3g}" for label, mean in zip(learnt.labels, learnt.means, strict=True)]
    if sds is not None:
        each = [f"{text} sd {sd:.3g}" for text, sd in zip(each, sds, strict=True)]
    return ", ".join(each)


def within_records(design: Design) -> list[dict[str, Any]]:
    """Return what was learnt within groups, as data."""
    return [
        {
            "text": learnt.text,
            "column": learnt.column,
            "group": learnt.group,
            "means": dict(zip(learnt.labels, learnt.means.tolist(), strict=True)),
            "sds": None if learnt.sds is None else dict(zip(learnt.labels, learnt.sds.tolist(), strict=True)),
        }
        for learnt in design.within
    ]
