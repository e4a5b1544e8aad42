"""The command line, called as a function, and as a process where the process is the point."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

import formulajoint as fj
from formulajoint.cli import app, main

FORMULA = "score ~ treatment | school, joint(weights=n)"
FEW = ["--draws", "30", "--tune", "30", "--chains", "2", "--seed", "1", "--engine", "pymc", "--quiet"]

type File = Callable[[str, str], str]


@pytest.fixture(scope="session")
def data() -> pd.DataFrame:
    return fj.tutoring().rename(columns={"test_score": "score"})


@pytest.fixture(scope="session")
def csv(data: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("cli") / "data.csv"
    data.to_csv(path, index=False)
    return str(path)


@pytest.fixture
def file(tmp_path: Path) -> File:
    """Return a function that writes a file and returns its path."""

    def write(name: str, text: str) -> str:
        (tmp_path / name).write_text(text, encoding="utf-8")
        return str(tmp_path / name)

    return write


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, arguments)


def output(*arguments: str) -> str:
    done = run(*arguments)
    assert done.exit_code == 0, done.output
    assert done.stderr == ""
    return done.stdout


def process(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "formulajoint.cli", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=Path(fj.__file__).parents[1],
        check=False,
    )


def refused(*arguments: str) -> str:
    """Return what is printed on an error the user can mend, as `main` prints it."""
    done = run(*arguments)
    assert isinstance(done.exception, fj.FormulaJointError), done.exception
    assert done.stdout == ""
    return str(done.exception)


# --- explain


def test_explain_without_data_prints_the_canonical_formula() -> None:
    assert output("explain", "score~treatment   |school ,joint( weights = n )") == f"{FORMULA}\n"


def test_explain_without_data_as_json() -> None:
    assert json.loads(output("explain", "score ~ 1|school", "--json")) == {"formula": "score ~ 1 | school"}


def test_explain_with_data_prints_the_whole_model(csv: str, data: pd.DataFrame) -> None:
    assert output("explain", FORMULA, csv) == f"{fj.model(FORMULA, data)}\n"


@pytest.mark.parametrize(
    ("options", "keywords"),
    [
        (["--priors", "flat"], {"priors": "flat"}),
        (["--priors", "default"], {}),
        (["--family", "student"], {"family": "student"}),
    ],
)
def test_options_are_the_arguments_of_the_verbs(
    csv: str, data: pd.DataFrame, options: list[str], keywords: dict[str, str]
) -> None:
    expected = fj.model(FORMULA, data, **keywords)  # type: ignore[arg-type]
    assert output("explain", FORMULA, csv, *options) == f"{expected}\n"
    assert json.loads(output("explain", FORMULA, csv, "--json", *options)) == expected.record()


@pytest.mark.parametrize("name", ["data.parquet", "data.pq", "DATA.PARQUET"])
def test_parquet_is_as_good_as_csv(csv: str, data: pd.DataFrame, tmp_path: Path, name: str) -> None:
    data.to_parquet(tmp_path / name)
    assert output("explain", FORMULA, str(tmp_path / name)) == output("explain", FORMULA, csv)


# --- fit


@pytest.fixture(scope="module")
def fit(data: pd.DataFrame) -> fj.Fit:
    """Return the fit that `FEW` asks for."""
    return fj.fit(FORMULA, data, draws=30, tune=30, chains=2, seed=1, engine="pymc", progress=False)


def test_fit_prints_the_fit(csv: str, fit: fj.Fit) -> None:
    assert output("fit", FORMULA, csv, *FEW) == f"{fit}\n"


def test_fit_as_json_is_the_record_of_the_fit(csv: str, fit: fj.Fit) -> None:
    assert json.loads(output("fit", FORMULA, csv, *FEW, "--json")) == fit.record()


def test_fit_writes_a_report_beside_what_it_prints(csv: str, fit: fj.Fit, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    assert output("fit", FORMULA, csv, *FEW, "--report", str(path)) == f"{fit}\n"
    assert "<h1>Is there an effect of treatment on score in any school" in path.read_text(encoding="utf-8")


def test_a_report_that_cannot_be_written_is_told_before_the_fit(csv: str, tmp_path: Path) -> None:
    nowhere = str(tmp_path / "nowhere" / "report.html")
    assert "there is no folder" in refused("fit", FORMULA, csv, "--engine", "nonsense", "--report", nowhere)


def test_prob_is_that_of_every_interval(csv: str, data: pd.DataFrame) -> None:
    options = ["--draws", "50", "--chains", "2", "--seed", "1", "--prob", "0.8"]
    fit = fj.fit(FORMULA, data, draws=50, chains=2, seed=1)
    text = output("fit", FORMULA, csv, *options)
    assert text == f"{fit.text(0.8)}\n"
    assert text.count("80% HDI") == 3  # an answer, contrasts, parameters
    assert "95% HDI" not in text
    record = json.loads(output("fit", FORMULA, csv, *options, "--json"))
    assert record == fit.record(0.8)
    assert record["interval"]["probability"] == 0.8


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    """Return the package's log, and leave it as it was."""
    logger = logging.getLogger("formulajoint")
    level = logger.level
    yield logger
    logger.setLevel(level)


@pytest.mark.parametrize(
    ("stream", "options", "shown"),
    [(Terminal, [], True), (Terminal, ["-q"], False), (io.StringIO, [], False)],
)
def test_progress_is_shown_on_a_terminal_unless_quiet(
    csv: str,
    log: logging.Logger,
    monkeypatch: pytest.MonkeyPatch,
    stream: type[io.StringIO],
    options: list[str],
    shown: bool,
) -> None:
    def fit(self: fj.JointModel, **settings: Any) -> None:
        log.info("working, progress %s", settings["progress"])
        raise fj.InferenceError("stopped")

    monkeypatch.setattr(fj.JointModel, "fit", fit)
    monkeypatch.setattr(sys, "argv", ["formulajoint", "fit", FORMULA, csv, *options])
    monkeypatch.setattr(sys, "stderr", stream())
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # pytest's are no user's
    with pytest.raises(SystemExit):
        main()
    assert sys.stderr.getvalue() == ("working, progress True\n" if shown else "") + "error: stopped\n"


@pytest.mark.slow
def test_fit_writes_to_stdout_alone(csv: str) -> None:
    done = process("fit", FORMULA, csv, *FEW, "--json", "--priors", "flat")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    record = json.loads(done.stdout)
    assert record["engine"] == "pymc"
    assert {row["prior"] for row in record["coefficients"]} == {"flat()", "1/sigma"}


@pytest.fixture
def saved(fit: fj.Fit, tmp_path: Path) -> str:
    fit.save(tmp_path / "fit.nc")
    return str(tmp_path / "fit.nc")


def test_a_fit_is_saved(csv: str, fit: fj.Fit, tmp_path: Path) -> None:
    path = tmp_path / "fit.nc"
    assert output("fit", FORMULA, csv, *FEW, "--save", str(path)) == f"{fit}\n"
    assert fj.load(path).record() == fit.record()


def test_where_it_cannot_be_saved_is_told_before_anything_is_sampled(csv: str) -> None:
    assert refused("fit", FORMULA, csv, "--draws", "0", "--save", "no/such/fit.nc").startswith(
        f"{Path('no/such/fit.nc')} cannot be written: there is no folder"
    )


def test_a_hypothesis_is_tested_on_a_saved_fit(saved: str, fit: fj.Fit) -> None:
    hypothesis = "treatment[A] > treatment[B]"
    record = json.loads(output("test", saved, hypothesis, "--rope", "2", "--json"))
    row = fit.test(hypothesis, 2).iloc[0]
    (found,) = record["tests"]
    assert found["hypothesis"] == hypothesis
    assert found["p_all_positive"] == row["p_all_positive"]
    assert found["p_in_rope"] == row["p_in_rope"]
    text = output("test", saved, hypothesis)
    assert text.startswith(f"{hypothesis}\n  rank ")
    assert f"P(all > 0)               {row['p_all_positive']:.4g} (mcse " in text
    assert "classical test" not in text  # an order has none
    assert "note: order: P(all > 0)" in text


def test_without_a_hypothesis_each_slope_is_tested(saved: str, fit: fj.Fit) -> None:
    text = output("test", saved)
    row = fit.test().iloc[0]
    assert text.startswith("treatment == 0\n")
    assert f"log BF10                 {row['log_bf10']:.4g}" in text
    assert f"classical test           F(2, 6) = {row['statistic']:.4g}" in text


def test_a_wrong_hypothesis_is_pointed_at(saved: str) -> None:
    assert "^^^^^^^^" in refused("test", saved, "tretment == 0")


def test_a_file_that_is_no_fit_is_refused(csv: str) -> None:
    assert "is not a NetCDF file" in refused("test", csv)


@pytest.mark.slow
def test_a_saved_fit_predicts_the_rows_of_a_file(saved: str, csv: str, fit: fj.Fit, tmp_path: Path) -> None:
    rows = json.loads(output("predict", saved, csv, "--json"))["rows"]
    assert [row["mean"] for row in rows] == pytest.approx(fit.predict()["mean"].tolist())
    target = tmp_path / "predictions.csv"
    shown = output("predict", saved, csv, "--kind", "response", "--save", str(target))
    assert shown.split()[:4] == ["mean", "sd", "hdi_low", "hdi_high"]
    assert len(pd.read_csv(target)) == 10


def test_effects_of_a_saved_fit(saved: str, fit: fj.Fit, tmp_path: Path) -> None:
    rows = json.loads(output("effects", saved, "treatment", "--by", "school", "--json"))["rows"]
    expected = fit.comparisons("treatment", by="school")
    assert [(row["school"], row["contrast"]) for row in rows] == expected.index.tolist()
    assert [row["mean"] for row in rows] == pytest.approx(expected["mean"].tolist())
    assert "exact" in output("effects", saved, "treatment", "--slope")
    target = tmp_path / "effects.csv"
    output("effects", saved, "treatment", "--save", str(target))
    assert pd.read_csv(target)["mean"].tolist() == pytest.approx(
        fit.comparisons("treatment")["mean"].tolist()
    )
    assert "effects.csv`" in refused(
        "effects", saved, "treatment", "--save", str(target.with_suffix(".xlsx"))
    )
    assert "did you mean `treatment`?" in run("effects", saved, "treatmnt").exception.args[0]


def test_effects_of_and_by_several_columns(tmp_path: Path) -> None:
    data = fj.tutoring().assign(arm=list("abbaabbaab"), age=[3.0, 1, 4, 1, 5, 9, 2, 6, 5, 8])
    fit = fj.fit("test_score ~ treatment + age + arm | school", data, draws=50, seed=1, progress=False)
    target = str(tmp_path / "fit.nc")
    fit.save(target)
    rows = json.loads(output("effects", target, "treatment,age", "--by", "school,arm", "--json"))["rows"]
    expected = fit.comparisons(["treatment", "age"], by=["school", "arm"])
    assert [row["mean"] for row in rows] == pytest.approx(expected["mean"].tolist())
    assert {(row["school"], row["arm"]) for row in rows} == {("A", "a"), ("A", "b"), ("B", "a"), ("B", "b")}
    assert output("effects", target, "age", "--by", "school", "--by", "arm") == output(
        "effects", target, "age", "--by", "school, arm"
    )
    done = process("effects", target, "age", "--by", "school", "arm")
    assert done.returncode == 2
    assert "(arm)" in done.stderr
    assert "`sex` is not one of them: it holds `" in refused("effects", target, "age", "--by", "school,sex")


def test_effects_of_a_fit_of_sums_take_rows_from_a_file(data: pd.DataFrame, csv: str, tmp_path: Path) -> None:
    target = tmp_path / "sums.nc"
    fit = fj.fit(FORMULA, fj.moments(FORMULA, data), draws=50, seed=1, progress=False)
    fit.save(target)
    (row,) = json.loads(output("effects", str(target), "treatment", "--data", csv, "--json"))["rows"]
    assert row["mean"] == pytest.approx(fit.comparisons("treatment", new_data=data)["mean"].item())
    done = process("effects", str(target), "treatment")
    assert done.returncode == 1
    assert done.stderr.endswith("give rows by --data.\n")


def test_two_values_are_compared(saved: str, fit: fj.Fit) -> None:
    (row,) = json.loads(output("effects", saved, "treatment", "--compare", "1,0", "--json"))["rows"]
    assert row["mean"] == pytest.approx(fit.comparisons("treatment", compare=(1, 0))["mean"].item())
    assert "cannot be 'b'" in refused("effects", saved, "treatment", "--compare", "a,b")


def test_all_rows_are_printed_and_a_note_tells_of_missing_values(saved: str, file: File) -> None:
    rows = "".join(f"{number % 2},A\n" for number in range(80))
    done = run("predict", saved, file("new.csv", f"treatment,school\n,B\n{rows}"))
    assert done.exit_code == 0
    assert len(done.stdout.splitlines()) == 83
    assert done.stderr == "note: 1 of 81 rows have missing values, and so have their predictions.\n"


def test_advice_names_the_option(tmp_path: Path, file: File) -> None:
    target, rows = tmp_path / "pooled.nc", file("new.csv", "treatment,school\n1,C\n")
    pooled = fj.fit("test_score ~ treatment | school, hierarchy()", fj.tutoring(), draws=50, seed=1)
    pooled.save(target)
    done = process("predict", str(target), rows)
    assert done.returncode == 1
    assert "With --new-groups draw new groups" in done.stderr
    assert output("predict", str(target), rows, "--new-groups", "draw")


def test_new_groups_of_a_fit_that_is_not_pooled_are_advised_to_pool(saved: str, file: File) -> None:
    done = run("predict", saved, file("new.csv", "treatment,school\n1,C\n"))
    assert "`Intercept`, `treatment` are not pooled" in done.exception.args[0]


def test_demo_answers_the_question_three_ways() -> None:
    text = output("demo", "--quiet", "--seed", "3")
    assert text.count("\n=> ") == 3
    answers = [line for line in text.splitlines() if line.startswith("=> ")]
    assert "20 points in school A and 8 in school B; over the pupils of both, 13.0" in answers[0]
    assert "is about a next school and includes zero; the joint contrast, 13.0" in answers[1]
    assert "in residual sds of each school's own test" in answers[2]


# --- errors that the user can mend: a sentence on stderr, exit code 1, no traceback


def test_an_unknown_column_is_pointed_at_with_the_nearest_name(csv: str) -> None:
    done = process("explain", "score ~ tretment | school", csv)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        "error: the data have no column `tretment`\n"
        "\n"
        "    score ~ tretment | school\n"
        "            ^^^^^^^^\n"
        "\n"
        "did you mean `treatment`?\n"
    )


@pytest.mark.parametrize("command", ["fit", "explain"])
def test_main_prints_errors_without_a_traceback(
    csv: str, command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["formulajoint", command, "score ~ (treatment", csv])
    with pytest.raises(SystemExit) as stop:
        main()
    out, err = capsys.readouterr()
    assert stop.value.code == 1
    assert out == ""
    assert err.startswith("error: this `(` is never closed\n")
    assert "    score ~ (treatment\n            ^\n" in err
    assert "Traceback" not in err


def test_a_mistake_of_ours_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("formulajoint.cli.app", lambda prog_name: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main()


def test_a_missing_file_is_named() -> None:
    assert refused("explain", "y ~ x", "no/such/file.csv") == f"There is no file {Path('no/such/file.csv')}."


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    assert "folder.csv is a folder. Give a pattern" in refused("fit", "y ~ x", str(tmp_path / "folder.csv"))


def test_another_kind_of_file_is_refused(file: File) -> None:
    assert refused("fit", "y ~ x", file("data.sav", "")).endswith("Save the table as .csv.")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "data.csv is empty."),
        ("\n\n", "data.csv is empty."),
        ("y,x\n", "The data have no rows."),
        ('y,x\n1,"2\n3,4\n', "data.csv cannot be read: "),
        ("y,x\n1,2\n3,4,5\n", "data.csv cannot be read: "),
        ("y,x\n1,2,3\n4,5,6\n", "data.csv has rows with more values than its header has names."),
    ],
)
def test_a_csv_that_cannot_be_read_without_guessing_is_refused(file: File, text: str, reason: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as users have them
        message = refused("explain", "y ~ x", file("data.csv", text))
    assert reason in message
    assert message.count("data.csv") <= 1, "the file is named once"


@pytest.mark.parametrize(
    "text", ["\ufeffy,x\n1,2\n3,5\n9,9\n", "y,x,\n1,2,\n3,5,\n9,9,\n", "y,x\r\n1,2\r\n3,5\r\n9,9\r\n"]
)
def test_marks_of_other_programs_do_no_harm(file: File, text: str) -> None:
    clean = output("explain", "y ~ x", file("clean.csv", "y,x\n1,2\n3,5\n9,9\n"))
    assert output("explain", "y ~ x", file("data.csv", text)) == clean


def test_a_broken_parquet_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data.parquet").write_bytes(b"PAR1 and nothing of the kind")
    assert "data.parquet cannot be read: " in refused("fit", "y ~ x", str(tmp_path / "data.parquet"))


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--engine", "nutpy"], "There is no engine `nutpy`: did you mean `nutpie`?"),
        (["--draws", "0"], "`draws` must be a whole number of 1 or more, not 0."),
        (["--tune", "-1"], "`tune` must be a whole number of 0 or more, not -1."),
        (["--chains", "0"], "`chains` must be a whole number of 1 or more, not 0."),
        (
            ["--chains", "1000000000"],
            "1,000,000,000 chains of 1,000 draws are more than 100,000,000 draws in all.",
        ),
        (["--draws", "100000000000"], "4 chains of 100,000,000,000 draws are more than"),
        (["--seed", "-1"], "`seed` must be a whole number of 0 or more, not -1."),
        (["--priors", "wide"], "--priors wide is not known: use flat, or leave it out."),
        (["--prob", "95"], "`prob` must lie between 0 and 1, not 95.0: 95 % is 0.95."),
        (["--family", "poison"], "there is no family `poison`"),
    ],
)
def test_an_option_without_sense_is_refused_by_name(csv: str, options: list[str], reason: str) -> None:
    assert refused("fit", FORMULA, csv, *options).startswith(reason)


def test_facts_about_a_file_go_to_stderr(file: File) -> None:
    done = run("explain", "y ~ x", file("data.csv", "y;x\n1,5;2\n3;5\n9,25;9\n"))
    assert done.exit_code == 0
    assert "data.csv has semicolons between its values" in done.stderr
    assert "note: y has decimal commas: 1,5 is read as 1.5." in done.stdout


@pytest.mark.parametrize(
    "options",
    [["--missing", ".", "--missing", "-99"], ["--missing", "-99", "--missing=."]],
)
def test_words_for_missing_values(file: File, options: list[str]) -> None:
    path = file("data.csv", "y,x,g\n1,2,a\n3,-99,a\n9,9,a\n.,1,b\n7,2,b\n8,5,b\n")
    assert "data: 4 of 6 rows (2 miss a value: y in 1, x in 1)" in output(
        "explain", "y ~ x | g", path, *options
    )


def test_a_formula_in_the_place_of_the_file(csv: str) -> None:
    for command in ("explain", "fit"):
        assert refused(command, csv, FORMULA).startswith("The formula comes first")


def test_explain_without_data_refuses_priors_that_are_not_known() -> None:
    assert refused("explain", "y ~ x", "--priors", "foo").startswith("--priors foo is not known")


@pytest.mark.parametrize(
    ("formula", "family", "said"),
    [
        ("y ~ x", "foo", "there is no family `foo`"),
        ("y ~ x", "poison", "there is no family `poison`"),
        ("y ~ x, family(student)", "gaussian", "the formula says `family(student)`, but the argument says"),
    ],
)
def test_explain_without_data_refuses_families_that_are_not_known(
    formula: str, family: str, said: str
) -> None:
    assert refused("explain", formula, "--family", family).startswith(said)
    assert output("explain", formula, "--family", "student") == f"{formula}\n"


def test_the_fit_is_printed_before_it_is_saved(
    csv: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def save(self: fj.Fit, path: Path) -> None:
        raise fj.StoreError("the disk is full")

    monkeypatch.setattr(fj.Fit, "save", save)
    done = run("fit", FORMULA, csv, *FEW, "--save", str(tmp_path / "fit.nc"))
    assert isinstance(done.exception, fj.StoreError)
    assert "joint_treatment" in done.stdout


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (
            MemoryError("Unable to allocate 1 TiB"),
            "error: There is not enough memory: Unable to allocate 1 TiB.",
        ),
        (
            OSError(28, "No space left on device"),
            "error: The output cannot be written: No space left on device.",
        ),
    ],
)
def test_faults_of_the_machine_are_told(
    fault: Exception, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def app(prog_name: str) -> None:
        raise fault

    monkeypatch.setattr("formulajoint.cli.app", app)
    monkeypatch.setattr("formulajoint.cli._discard_output", lambda: None)
    err = io.StringIO()
    monkeypatch.setattr(sys, "stderr", err)
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 1
    assert err.getvalue().startswith(message)


def test_what_the_output_cannot_hold(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "formulajoint.cli", "explain", "y ~ \u8eab | g"]
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252"}
    done = subprocess.run(command, capture_output=True, env=environment, check=True)
    assert done.stdout.split() == [b"y", b"~", rb"\u8eab", b"|", b"g"]
    if Path("/dev/full").exists():
        with open("/dev/full", "wb") as full:
            done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False)
        assert done.returncode == 1
        assert done.stderr == b"error: The output cannot be written: No space left on device.\n"


# --- usage: exit code 2


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["fit", FORMULA], "Missing argument 'data'"),
        (["explain"], "Missing argument 'formula'"),
        (["fit", FORMULA, "a.csv", "--draws", "many"], "Invalid value for '--draws'"),
        (
            ["explain", FORMULA, "a.csv", "b.csv"],
            "unexpected extra argument(s) (b.csv); put a pattern in quotes: 'a/*.csv'.",
        ),
        (["predict", "fit.nc", "a.csv", "b.csv"], "put a pattern in quotes"),
        (["fit", FORMULA, "a.csv", "--drawz", "3"], "No such option: --drawz"),
        (["fti"], "No such command 'fti'"),
    ],
)
def test_wrong_usage_says_what_and_ends_with_two(arguments: list[str], reason: str) -> None:
    done = run(*arguments)
    assert done.exit_code == 2
    assert reason in done.stderr
    assert "Traceback" not in done.output


@pytest.mark.parametrize("arguments", [[], ["--help"]])
def test_help_names_the_commands(arguments: list[str]) -> None:
    text = run(*arguments).output
    assert [word for word in ("fit", "explain", "test", "demo") if f"\n  {word} " not in text] == []


def test_help_says_what_the_exit_codes_mean() -> None:
    text = " ".join(output("--help").split())
    assert "0 for success; 1 for an error in formula, data or settings; 2 for wrong usage" in text


def test_the_version_is_that_of_the_package() -> None:
    assert output("--version") == f"formulajoint {fj.__version__}\n"


# --- at once


@pytest.mark.parametrize(
    ("arguments", "heavy"),
    [
        (["--help"], {"pandas", "numpy", "lark", "narwhals"}),
        (["explain", "y ~ x"], {"pandas", "numpy", "narwhals"}),
        (["explain", "y ~ x", "data.csv"], set()),
    ],
)
def test_nothing_is_loaded_that_the_answer_does_not_need(
    file: File, arguments: list[str], heavy: set[str]
) -> None:
    heavy = heavy | {
        "pymc",
        "pytensor",
        "scipy",
        "xarray",
        "arviz",
        "arviz_stats",
        "nutpie",
        "numba",
        "matplotlib",
    }
    path = file("data.csv", "y,x\n1,2\n3,5\n9,9\n")
    arguments = [path if argument == "data.csv" else argument for argument in arguments]
    code = (
        "import sys\nfrom formulajoint.cli import main\n"
        f"sys.argv = ['formulajoint', *{arguments!r}]\n"
        "try:\n    main()\nexcept SystemExit as stop:\n    assert not stop.code, stop.code\n"
        f"print('loaded:', *sorted({heavy!r} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=Path(fj.__file__).parents[1],
        check=True,
    )
    assert done.stdout.endswith("\nloaded:\n"), done.stdout
