"""The tables of what was checked of families, from the files of results, as Markdown.

python benchmarks/families_checked.py                                  # print them
python benchmarks/families_checked.py --write docs/families-checked.md # put them between the marks in a page
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mixed_events import FAR, HEAD, row
from scipy import stats

RESULTS = Path(__file__).parent / "results"
FEWEST = 20
"""Groups from which on a distance above `FAR` asks for an explanation."""


LEAST = 200
"""Data sets of a family whose calibration is shown; fewer are on the way."""


def json_of(name: str) -> dict[str, Any]:
    """Return a file of results."""
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))


def table_in(name: str) -> str:
    """Return the lines of a file of results that are a table."""
    lines = (RESULTS / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if line.startswith("|"))


def sets_of(counts: dict[str, list[int]]) -> int:
    """Return how many data sets counts of ranks are of."""
    return sum(next(iter(counts.values())))


def worst(counts: dict[str, list[int]]) -> tuple[float, str]:
    """Return the smallest p-value of chi-square of ranks in even bins, and the parameter."""
    return min((float(stats.chisquare(own).pvalue), parameter) for parameter, own in counts.items())


def calibrated(results: dict[str, Any], key: str, aside: str) -> Iterator[str]:
    """Yield a table of counts of ranks, and a sentence about all p-values."""
    results = {
        name: own for name, own in results.items() if sets_of(own[key]) + own.get("refused", 0) >= LEAST
    }
    yield f"| family | data sets | {aside} | parameters | smallest p | of |\n|---|---:|---:|---:|---:|---|"
    for name, own in results.items():
        counts = own[key]
        p, parameter = worst(counts)
        yield f"| {name} | {sets_of(counts)} | {own[aside]} | {len(counts)} | {p:.2g} | `{parameter}` |"
    every = [float(stats.chisquare(each).pvalue) for own in results.values() for each in own[key].values()]
    yield (
        f"\nThe smallest of {len(every)} p-values is {min(every):.2g}. Of as many that are uniform the smallest is "
        f"below that with a probability of {1 - (1 - min(every)) ** len(every):.2f}."
    )


def mixed() -> Iterator[str]:
    """Yield the table of real models, and the names of those that are far away."""
    found = json_of("mixed_events")
    yield HEAD + "\n|---|---|---:|---|---|---:|---:|---|---|---:|---:|"
    yield from map(row, found.values())
    fitted = [each for each in found.values() if "far" in each]
    many = [each for each in fitted if int(each["groups"]) >= FEWEST]
    away = ", ".join(each["id"] for each in many if each["far"] > FAR) or "none"
    yield (
        f"\n{len(fitted)} models were fitted, {len(many)} of them with at least {FEWEST} groups. Of these have a "
        f"coefficient farther than {FAR} standard errors from its estimate: {away}."
    )


def toenail() -> Iterator[str]:
    """Yield the fixed effects of the model in which Laplace's approximation is far off."""
    yield "| coefficient | posterior mean (sd) | glmer, 15 nodes (se) | glmer, Laplace |\n|---|---:|---:|---:|"
    for name, (mean, sd, estimate, se, laplace) in json_of("mixed_events")["lme4/toenail/1"][
        "effects"
    ].items():
        yield f"| `{name}` | {mean:.3f} ({sd:.3f}) | {estimate:.3f} ({se:.3f}) | {laplace:.3f} |"


BLOCKS: Mapping[str, Callable[[], Iterable[str]]] = {
    "known": lambda: [table_in("known_posteriors")],
    "mixed": mixed,
    "toenail": toenail,
    "groupwise": lambda: calibrated(json_of("calibration_groupwise"), "ranks", "refused"),
    "nuts": lambda: calibrated(json_of("calibration_nuts"), "counts", "divergences"),
    "agreement": lambda: [table_in("agreement_nuts")],
    "errors": lambda: [table_in("honest_errors_families")],
}
"""Tables, by the names that their marks have."""


def with_tables(page: str) -> str:
    """Return a page with each table between its marks."""
    for name, lines in BLOCKS.items():
        first, last = f"<!-- table {name}: made by families_checked.py -->", "<!-- end of table -->"
        before, mark, rest = page.partition(first)
        if not mark:
            raise SystemExit(f"the page has no mark {first}")
        page = "\n".join([before + mark, "", *lines(), "", last + rest.partition(last)[2]])
    return page


def main() -> None:
    """Print the tables, or write them into a page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    if given.write:
        given.write.write_text(with_tables(given.write.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        print("\n\n".join("\n".join(lines()) for lines in BLOCKS.values()))


if __name__ == "__main__":
    main()
