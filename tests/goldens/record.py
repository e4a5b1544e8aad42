"""Record all that the package answers, or check that it answers the same as before.

    python tests/goldens/record.py                  records all again
    python tests/goldens/record.py --check          compares with what is stored; exit code 1 where anything differs
    python tests/goldens/record.py --only 'test-*'  some of them only; a text without * is looked for in the names
    python tests/goldens/record.py --full FOLDER    writes records into another folder, with long texts in full

A change that must change no answer is made like this: `--check` before it, to see that the records are those of this
machine; the change; `--check` after it. Where a record has only the hash of a long text, `--full` before and after, and
`diff` of the two folders, show the lines. `tests/goldens/reach.py` is the only module that knows the package's inside.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # `goldens`
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the package beside these tests

from goldens import catalogue, writing
from goldens.comparing import DIFFERENT, NEAR
from goldens.environment import environment


def main() -> int:
    """Run the command, and return its exit code."""
    arguments = parsed()
    names = catalogue.chosen(arguments.only)
    if not names:
        print(f"No golden matches {arguments.only!r}.")
        return 1
    started = time.process_time()
    if arguments.full is not None:
        code = in_full(names, arguments.full)
    elif arguments.check:
        code = check(names)
    else:
        code = record(names, everything=arguments.only == "*")
    print(f"{len(names)} records, {time.process_time() - started:.0f} s of one core")
    return code


def parsed() -> argparse.Namespace:
    """Return the arguments of the command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="*", metavar="PATTERN", help="names of records, such as 'test-*'")
    parser.add_argument("--check", action="store_true", help="compare with what is stored")
    parser.add_argument(
        "--full", type=Path, metavar="FOLDER", help="write long texts in full, into this folder"
    )
    return parser.parse_args()


def record(names: list[str], everything: bool) -> int:
    """Write records in the place of those that are stored."""
    catalogue.DATA.mkdir(exist_ok=True)
    for name in names:
        catalogue.store(name)
    if everything:
        catalogue.STAMP.write_text("\n".join([*environment(), ""]), encoding="utf-8")
        for path in catalogue.left_over():
            path.unlink()
    return 0


def check(names: list[str]) -> int:
    """Compare records with those that are stored, print what differs, and return 1 where anything does."""
    before, now = catalogue.STAMP.read_text(encoding="utf-8").split("\n"), [*environment(), ""]
    if before != now:
        print("The records were made with", ", ".join(sorted(set(before) - set(now))), "and here is")
        print("   ", ", ".join(sorted(set(now) - set(before))))
    words: Counter[str] = Counter()
    for name in names:
        verdict = catalogue.check(name)
        words[verdict.word] += 1
        if verdict.word == NEAR:
            print(f"{name}: {NEAR} in {', '.join(verdict.sections)}")
        if verdict.word == DIFFERENT:
            print(f"{name}: {DIFFERENT} in {', '.join(verdict.sections)}\n{verdict.difference}\n")
    for path in catalogue.left_over():
        print(f"{path.name} belongs to no golden")
    print(", ".join(f"{count} {word}" for word, count in sorted(words.items(), reverse=True)))
    return 1 if words[DIFFERENT] or catalogue.left_over() else 0


def in_full(names: list[str], folder: Path) -> int:
    """Write records into another folder, with long texts in the place of their hashes."""
    writing.IN_FULL.set(True)
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / f"{name}.txt").write_text(writing.written(catalogue.made(name)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
