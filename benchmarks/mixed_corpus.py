"""How many formulas of real mixed models are read? Those of the registry of mixedbench, as the field writes them.

A formula is read if it parses and if `specification` says what it asks; that needs no data. A remark in words that
stands beside a formula in the registry is left out. Each formula that is refused is printed with its message.

    python benchmarks/mixed_corpus.py [FILE]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import formulajoint as fj
from formulajoint.spec.read import specification

FILE = Path(__file__).parents[1] / "tests" / "data" / "mixed_formulas.txt"


@dataclass(frozen=True)
class Written:
    """A line of the corpus."""

    id: str
    family: str
    formula: str
    remark: str = ""


def corpus(file: Path = FILE) -> Iterator[Written]:
    """Yield the lines of the corpus."""
    for line in file.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            yield Written(*line.split("\t"))


def refusal(formula: str) -> fj.FormulaError | None:
    """Return why `formula` is not read; None if it is."""
    try:
        specification(fj.parse(formula, fj.CORE), fj.CORE)
    except fj.FormulaError as error:
        return error
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", nargs="?", type=Path, default=FILE)
    lines = list(corpus(parser.parse_args().file))
    refused = [(line, error) for line in lines if (error := refusal(line.formula)) is not None]
    for line, error in refused:
        print(f"{line.id}\n    {line.formula}\n    {error.message}; {error.hint}\n")
    read, remarks = len(lines) - len(refused), sum(bool(line.remark) for line in lines)
    print(f"{read} of {len(lines)} formulas are read: {read / len(lines):.1%}. {len(refused)} are refused.")
    print(f"{remarks} have a remark in words, which is left out.")


if __name__ == "__main__":
    main()
