"""The measurements of predictions, as Markdown: coverage of intervals, uniform PIT, and the cost of averages.

    python benchmarks/prediction_tables.py                            # print the tables
    python benchmarks/prediction_tables.py --write docs/checking.md   # put them between the marks in a text

`prediction_coverage.py`, `predictive_pit.py` and `comparisons_speed.py` write their figures into one file by `record`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results/predictions.json"
MARKS = ("<!-- made by benchmarks/prediction_tables.py -->", "<!-- end of tables -->")


def record(part: str, name: str, found: dict[str, Any], path: Path = RESULTS) -> None:
    """Write one line of a table into the file of results, in place of an older one."""
    results = json.loads(path.read_text()) if path.exists() else {}
    results.setdefault(part, {})[name] = found
    path.write_text(json.dumps(results, indent=1) + "\n")


def tables(results: dict[str, Any]) -> str:
    """Return all tables."""
    return "\n\n".join("\n".join(part(results)) for part in (_coverage, _pit, _speed)) + "\n"


def _coverage(results: dict[str, Any]) -> Iterator[str]:
    yield "| model | data sets | 95 % intervals hold, known groups | new groups | uniform places, p: known | new |"
    yield "|---|---:|---:|---:|---:|---:|"
    for one in results["coverage"].values():
        known, new = one["known groups"], one["new groups"]
        yield (
            f"| `{one['formula'].replace('|', '\\|')}` | {one['sets']} | {_share(known)} | {_share(new)} | "
            f"{known['p']:.2g} | {new['p']:.2g} |"
        )


def _share(one: dict[str, float]) -> str:
    return f"{100 * one['share']:.1f} % (se {100 * one['se']:.1f})"


def _pit(results: dict[str, Any]) -> Iterator[str]:
    left_out = "refused by the exact engine; of earlier data also responses alike, or a category missing"
    yield f"| family | data sets | {left_out} | uniform PIT, p | smallest and largest tenth |"
    yield "|---|---:|---:|---:|---:|"
    for name, one in results["pit"].items():
        ends = f"{100 * min(one['tenths']):.1f} % and {100 * max(one['tenths']):.1f} %"
        yield f"| {name} | {one['sets']} | {one['refused']} | {one['p']:.2g} | {ends} |"


def _speed(results: dict[str, Any]) -> Iterator[str]:
    yield "| data of the fit | what | s of the processor | peak of memory |"
    yield "|---|---|---:|---:|"
    for one in results["speed"].values():
        seconds, memory = (
            ("", f"more than {one['above_gb']:g} GB: out of memory")
            if "above_gb" in one
            else (f"{one['seconds']:.1f}", f"{one['peak_gb']:.2f} GB")
        )
        yield f"| {one['size']} | {one['what']} | {seconds} | {memory} |"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--write", type=Path, help="a text with the marks")
    given = parser.parse_args()
    made = tables(json.loads(RESULTS.read_text()))
    if given.write is None:
        print(made)
    else:
        before, _, rest = given.write.read_text().partition(MARKS[0])
        after = rest.partition(MARKS[1])[2]
        given.write.write_text(f"{before}{MARKS[0]}\n\n{made}\n{MARKS[1]}{after}")
