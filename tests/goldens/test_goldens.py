"""The package answers as it did when the records were made: same to the bit, or to 1e-12.

Where a change is meant to change an answer, ``python tests/goldens/record.py`` makes the records again, and the
difference of their files is what a reviewer reads.
"""

from __future__ import annotations

import pytest

from goldens import catalogue
from goldens.cases import CASES
from goldens.comparing import DIFFERENT, NEAR, SAME, compare
from goldens.environment import environment
from goldens.error_goldens import ERRORS, NONE
from goldens.writing import Record, array_line, long_text, read, written

RECORD: Record = {
    "text": ["two words", "", "  indented"],
    "draws": [array_line("x", [1.0, 2.0, 3.0, 4.0, 5.5]), array_line("k", 0.25)],
    "page": long_text("0.25 of 3"),
    "table": ['"x[A]": mean=1e-3, sd=5.25, log_bf10=9.5, log_bf10_mcse=4e-11, ess=200.0, note="2 of 3"'],
}


def stored() -> dict[str, Record]:
    paths = {name: catalogue.path_of(name) for name in catalogue.GOLDENS}
    return {name: read(path.read_text(encoding="utf-8")) for name, path in paths.items()}


def changed(old: str, new: str) -> Record:
    return read(written(RECORD).replace(old, new))


@pytest.fixture(scope="module")
def same_machine() -> None:
    before = catalogue.STAMP.read_text(encoding="utf-8").split()
    now = "\n".join(environment()).split()
    if before != now:
        pytest.skip(f"the records were made with {' '.join(before)}, and here is {' '.join(now)}")


@pytest.mark.slow
@pytest.mark.usefixtures("same_machine")
@pytest.mark.parametrize("name", catalogue.GOLDENS)
def test_answers_are_those_that_are_stored(name: str) -> None:
    verdict = catalogue.check(name)
    assert verdict.word != DIFFERENT, verdict.difference


def test_there_are_many() -> None:
    assert len(CASES) >= 150
    assert sum(len(stored()[name]) for name in ERRORS) >= 500


def test_every_record_has_a_golden() -> None:
    assert catalogue.left_over() == []


def test_every_error_is_an_error_in_words() -> None:
    kinds = {"FormulaError", "DataError", "InferenceError", "StoreError", "ExtensionError"}
    records = stored()
    wrong = [
        (name, head) for name in ERRORS for head, lines in records[name].items() if lines[0] not in kinds
    ]
    assert wrong == []
    assert NONE not in kinds


def test_a_record_is_read_as_it_was_written() -> None:
    assert read(written(RECORD)) == RECORD


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("two", "two", SAME),
        ("two", "too", DIFFERENT),
        ("sd=5.25", "sd=5.250000000000001", NEAR),
        ("mean=1e-3", "mean=1.000000001e-3", NEAR),  # on the scale of the sd, 5.25
        ("mean=1e-3", "mean=1.00000001e-3", DIFFERENT),
        ("mcse=4e-11", "mcse=4.1e-11", NEAR),  # on the scale of the log Bayes factor
        ("mcse=4e-11", "mcse=6e-11", DIFFERENT),
        ("ess=200.0", "ess=200.00000000000003", NEAR),
        ("ess=200.0", "ess=200.00001", DIFFERENT),
        ("sd=5.25", "sd=5.26", DIFFERENT),
        ("2 of 3", "3 of 3", DIFFERENT),
        ("first=1.0", "first=1.0000000000000002", NEAR),
        ("first=1.0", "first=1.1", DIFFERENT),
        ("0.25", "nan", DIFFERENT),
        ("== table", "== other", DIFFERENT),
    ],
)
def test_records_are_compared_to_the_bit_and_to_a_tolerance(old: str, new: str, word: str) -> None:
    assert compare(RECORD, changed(old, new)).word == word


def test_where_draws_are_near_printed_numbers_and_hashes_of_texts_may_change() -> None:
    """As where a sum is taken in another order: printed digits are rounded the other way, and r_hat jumps."""
    old, new = (
        dict(RECORD) | {"text": [f"a {x} b"], "JSON": [f'"r_hat": 1.00{x[-1]}1']} for x in ("0.23", "0.24")
    )
    new["page"] = long_text("0.26 of 3")
    old["text"].append(
        "warning: r_hat is above 1.01 for 2 of 6 parameters: the chains do not agree yet. Draw more (2)."
    )
    new["text"] += [
        "warning: r_hat is above 1.01 for 3 of",
        "  6 parameters: the chains do not agree",
        "yet. Draw more (2).",
    ]
    assert compare(old, new).sections == ("text", "page", "JSON")
    assert compare(old, new).word == DIFFERENT
    near = new | {"draws": [array_line("x", [1.0, 2.0, 3.0, 4.0, 5.5 + 1e-14]), *RECORD["draws"][1:]]}
    assert compare(old, near).word == NEAR
    for head, lines in (
        ("page", long_text("0.25 in 3")),
        ("text", ["a 0.26 b", *old["text"][1:]]),
        ("JSON", ['"r_hat": 1.02']),
    ):
        assert compare(old, near | {head: lines}).word == DIFFERENT


def test_an_array_with_another_hash_is_compared_by_its_numbers() -> None:
    draws = [1.0, 2.0, 3.0, 4.0, 5.5]
    near, far = array_line("x", [*draws[:4], 5.5 + 1e-13]), array_line("x", [*draws[:4], 5.6])
    words = [compare({"draws": [array_line("x", draws)]}, {"draws": [line]}).word for line in (near, far)]
    assert words == [NEAR, DIFFERENT]
