"""The tables of a file of results, as Markdown.

python benchmarks/tables.py [FILE]              # print them
python benchmarks/tables.py --write README.md   # put them between the marks in a text
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
MARKS = ("<!-- tables: made by tables.py -->", "<!-- end of tables -->")
HEAD = (
    "| peer | seconds | × | processor seconds | × | smallest ESS | ESS per second | × | of the fit | × | of sampling "
    "| × | peak memory | contrast (sd) | load |"
)
ALIKE = 2.0
"""Largest difference in the machine's load before a start at which seconds are compared."""
KEY = (
    "Seconds are measured from the start of a fresh process until the contrast table is printed. Processor seconds are "
    "the sum over all its threads and children in that time. The fit is the time from the data in memory to the table, "
    "including loading and compiling. Sampling is the time that the sampler itself reports, including tuning. × is the "
    "peer's seconds divided by formulajoint's, or formulajoint's ESS per second divided by the peer's. It is empty if "
    "the load of the machine was different, so that only processor seconds can be compared."
)


def as_text(results: dict) -> str:
    """Return all tables: one a case, and how time grows."""
    cases = list(dict.fromkeys(record["case"] for record in results["records"]))
    blocks = ["\n".join(_about(results))]
    for case in sorted(cases, key=lambda name: _of(results, name)[0]["rows"]):
        blocks.append("\n".join(_case(case, _of(results, case))))
    blocks.append("\n".join(_growth(results)))
    return "\n\n".join(blocks) + "\n"


def _of(results: dict, case: str) -> list[dict]:
    return [record for record in results["records"] if record["case"] == case]


def _about(results: dict) -> Iterator[str]:
    machine = results["machine"]
    yield (
        f"{machine.get('processor', 'unknown processor')}, {machine['cores_used']} cores, "
        f"{machine.get('memory_gb', '?')} GiB, {machine['system']}, Python {machine['python']}."
    )
    versions: dict[str, str] = {}
    for record in results["records"]:
        versions |= record.get("versions", {})
    yield (
        ", ".join(f"{name} {number}" for name, number in sorted(versions.items(), key=lambda v: v[0].lower()))
        + "."
    )
    days = sorted({record["measured"] for record in results["records"]})
    loads = [record["load_before"] for record in results["records"]]
    yield f"Measured {days[0]} to {days[-1]}; load of the machine before a start {min(loads)} to {max(loads)}."
    yield "\n" + KEY


def _case(case: str, records: list[dict]) -> Iterator[str]:
    rows, groups = records[0]["rows"], records[0]["groups"]
    ours = next((r for r in records if r["peer"] == "formulajoint" and r["status"] == "ok"), None)
    yield f"**{case}**: {rows:,} rows, {groups:,} groups\n"
    yield HEAD
    yield "|---|" + "---:|" * (HEAD.count("|") - 2)
    for record in sorted(records, key=_place):
        yield "| " + " | ".join(_row(record, ours)) + " |"


def _place(record: dict) -> tuple:
    """Return what rows are sorted by: formulajoint, then the fastest first."""
    return record["peer"] != "formulajoint", record.get("seconds", float("inf"))


def _row(record: dict, ours: dict | None) -> list[str]:
    name = record["peer"] + (f", {record['cache']} cache" if record["cache"] else "")
    if record["status"] != "ok":
        limit = f" in {record['limit']:.0f} s" if "limit" in record else ""
        why = f" ({record['reason']})" if "reason" in record else ""
        return [name, f"{record['status']}{limit}{why}", *[""] * (HEAD.count("|") - 3)]
    sd = f" ({record['sd']:.3g})" if record.get("sd") is not None else ""
    near = ours if ours and abs(ours["load_before"] - record["load_before"]) <= ALIKE else None
    return [
        name,
        *_with_ratio(record["seconds"], near and near["seconds"]),
        *_with_ratio(record["processor_seconds"], ours and ours["processor_seconds"]),
        f"{record['ess_min']:,.0f}" if "ess_min" in record else "",
        *_rates(record, near, "seconds"),
        *_rates(record, near, "fit_seconds"),
        *_rates(record, near, "sampling_seconds"),
        f"{record['peak_bytes'] / 1e9:.2f} GB",
        f"{record['estimate']:.5g}{sd}",
        f"{record['load_before']:.1f}",
    ]


def _with_ratio(value: float, ours: float | None) -> list[str]:
    return [f"{value:.1f}", "" if ours is None else f"{value / ours:.1f}"]


def _rates(record: dict, ours: dict | None, seconds: str) -> list[str]:
    rate, our_rate = _rate(record, seconds), ours and _rate(ours, seconds)
    if rate is None:
        return ["", ""]
    return [f"{rate:,.3g}", f"{our_rate / rate:,.0f}" if our_rate else ""]


def _rate(record: dict, seconds: str) -> float | None:
    return record["ess_min"] / record[seconds] if "ess_min" in record and seconds in record else None


def _growth(results: dict) -> Iterator[str]:
    """Yield seconds by size for every peer."""
    sizes = {
        r["case"]: f"{r['rows']:,} / {r['groups']:,}"
        for r in results["records"]
        if r["case"].startswith("1e")
    }
    cases = sorted(sizes, key=float)
    names = list(dict.fromkeys((r["peer"], r["cache"]) for r in results["records"]))
    yield "Seconds to the table by rows / groups\n"
    yield "| peer | " + " | ".join(sizes[case] for case in cases) + " |"
    yield "|---|" + "---:|" * len(cases)
    for peer, cache in names:
        cells = []
        for case in cases:
            found = [r for r in _of(results, case) if (r["peer"], r["cache"]) == (peer, cache)]
            ok = found and found[0]["status"] == "ok"
            cells.append(f"{found[0]['seconds']:.1f}" if ok else found[0]["status"] if found else "")
        if any(cells):
            yield f"| {peer}{f', {cache} cache' if cache else ''} | " + " | ".join(cells) + " |"


def write(path: Path, text: str) -> None:
    """Put the tables between the marks in a file."""
    first, last = MARKS
    found = re.compile(f"{re.escape(first)}.*?{re.escape(last)}", re.DOTALL)
    path.write_text(found.sub(lambda _: f"{first}\n\n{text}\n{last}", path.read_text()))


def main() -> None:
    """Print the tables, or write them into a text."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("results", type=Path, nargs="?", default=HERE / "results" / "peers.json")
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    text = as_text(json.loads(options.results.read_text()))
    if options.write:
        write(options.write, text)
    else:
        print(text)


if __name__ == "__main__":
    main()
