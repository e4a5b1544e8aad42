"""The command line: ``formulajoint fit | explain | test | predict | effects | demo``."""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import warnings
from collections.abc import Iterable
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any, NoReturn, TextIO

import typer
from typer.core import TyperCommand

import formulajoint
from formulajoint.errors import DataError, FormulaJointError, FormulaJointWarning
from formulajoint.wording import visible

EXIT_CODES = "Exit codes: 0 for success; 1 for an error in formula, data or settings; 2 for wrong usage."

app = typer.Typer(
    epilog=EXIT_CODES,
    add_completion=False,
    no_args_is_help=True,
    invoke_without_command=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

FormulaArg = Annotated[str, typer.Argument(help="Such as: score ~ treatment | school, joint(weights=n)")]
DataArg = typer.Argument(
    help="A .csv, .tsv, .csv.gz, .parquet or .xlsx file, or a pattern such as 'data/*.csv'; - is standard input."
)
RowsOption = Annotated[Path | None, typer.Option(help="Rows to average over; by default the fit's.")]
FitArg = typer.Argument(help="A fit saved by `fit --save`.")
MissingOption = Annotated[
    list[str] | None,
    typer.Option(help="A further word that means a missing value; for several: --missing . --missing absent"),
]
SheetOption = Annotated[str | None, typer.Option(help="The sheet of a spreadsheet; otherwise the first.")]
NUMBER = re.compile(r"-?\d+(\.\d*)?")
KEYWORD = re.compile(r"\bnew_groups='(\w+)'")  # arguments in the advice of errors that are options here
ROWS = re.compile(r" by `new_data=`, as in `.*`\.$")
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
PriorsOption = Annotated[
    str | None, typer.Option(help="flat: flat priors, which reproduce the classical results.")
]
FamilyOption = Annotated[str | None, typer.Option(help="Such as student or bernoulli; gaussian by default.")]
CsvOption = Annotated[Path | None, typer.Option("--save", help="Write the table to this .csv file.")]
QuietFlag = Annotated[bool, typer.Option("--quiet", "-q", help="Do not show progress.")]


@app.callback()
def about(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", is_eager=True)
    ] = False,
) -> None:
    """One line of formula to a Bayesian model and its joint contrast."""
    if version:
        typer.echo(f"formulajoint {formulajoint.__version__}")
        raise typer.Exit
    context.with_resource(warnings.catch_warnings())
    warnings.simplefilter("always", FormulaJointWarning)
    warnings.showwarning = _show_warning


class OfFiles(TyperCommand):
    """A command of files: a shell makes several arguments of a pattern without quotes."""

    allow_extra_args = True

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse `args`, or say what to do about further ones."""
        if left := super().parse_args(ctx, args):
            ctx.fail(f"unexpected extra argument(s) ({' '.join(left)}); put a pattern in quotes: 'a/*.csv'.")
        return left


@app.command(cls=OfFiles)
def fit(
    formula: FormulaArg,
    data: Annotated[Path, DataArg],
    engine: Annotated[str, typer.Option(help="auto, exact, nutpie, pymc, numpyro or blackjax.")] = "auto",
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same draws.")] = None,
    draws: Annotated[int, typer.Option(help="Draws kept per chain.")] = 1000,
    tune: Annotated[int, typer.Option(help="Adaptation steps per chain.")] = 1000,
    chains: Annotated[int, typer.Option(help="Chains.")] = 4,
    keep: Annotated[
        str, typer.Option(help="contrasts: do not keep the coefficients of each group; otherwise all.")
    ] = "all",
    priors: PriorsOption = None,
    family: FamilyOption = None,
    missing: MissingOption = None,
    sheet: SheetOption = None,
    report: Annotated[Path | None, typer.Option(help="Also write the fit as an HTML page.")] = None,
    prob: Annotated[float, typer.Option(help="Probability of the intervals.")] = 0.95,
    save: Annotated[Path | None, typer.Option(help="Write the fit to this .nc file.")] = None,
    as_json: JsonFlag = False,
    quiet: QuietFlag = False,
) -> None:
    """Fit FORMULA to DATA and print what was understood and found."""
    from formulajoint.results.draws.tables import check_prob

    check_prob(prob)
    _check_targets(save, report)
    shown = _progress(quiet)
    result = _model(formula, data, _priors(priors), family, missing, sheet).fit(
        draws=draws, tune=tune, chains=chains, engine=engine, seed=seed, progress=shown, keep=keep
    )
    if as_json:
        _print_json(result.record(prob))
    else:
        _say(result.text(prob))
    if report is not None:
        result.report(report, prob)
    if save is not None:
        result.save(save)


@app.command(cls=OfFiles)
def explain(
    formula: FormulaArg,
    data: Annotated[Path | None, DataArg] = None,
    priors: PriorsOption = None,
    family: FamilyOption = None,
    missing: MissingOption = None,
    sheet: SheetOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Say what FORMULA means: without DATA its canonical text, with DATA the whole model."""
    from formulajoint.spec.read import parse

    if data is None:
        parsed, _ = parse(formula), _priors(priors)
        _check_family(parsed, family)
        typer.echo(json.dumps({"formula": str(parsed)}) if as_json else visible(str(parsed)))
        return
    built = _model(formula, data, _priors(priors), family, missing, sheet)
    if as_json:
        _print_json(built.record())
    else:
        _say(built.explain())


@app.command("test")
def joint_test(
    fit: Annotated[Path, FitArg],
    hypothesis: Annotated[str | None, typer.Argument(help="Such as: treatment[A] > treatment[B] > 0")] = None,
    rope: Annotated[
        float | None, typer.Option(help="Half-width of the region that counts as no effect.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Test HYPOTHESIS on a saved FIT; without one, each predictor for zero in every group."""
    from formulajoint.api.verbs import load
    from formulajoint.results.joint_tests.joint_test import joint_tests
    from formulajoint.results.joint_tests.questions import hypotheses
    from formulajoint.results.text.json import test_record
    from formulajoint.results.text.printing import hypothesis_text

    draws = load(fit).draws
    tests = joint_tests(draws, hypotheses(draws.plan, hypothesis), rope)
    if as_json:
        _print_json({"tests": test_record(tests)})
    else:
        typer.echo(hypothesis_text(tests))


@app.command(cls=OfFiles)
def predict(
    fit: Annotated[Path, FitArg],
    data: Annotated[Path, DataArg],
    kind: Annotated[str, typer.Option(help="mean, response or linear.")] = "mean",
    new_groups: Annotated[str, typer.Option(help="error, draw or mean: groups that are new.")] = "error",
    prob: Annotated[float, typer.Option(help="Probability of the intervals.")] = 0.95,
    missing: MissingOption = None,
    sheet: SheetOption = None,
    save: CsvOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Predict the response of a saved FIT at the rows of DATA."""
    from formulajoint.api.verbs import load

    found = load(fit).predict(_read(data, missing, sheet), kind, prob, new_groups)  # type: ignore[arg-type]
    _show(found, as_json, save)


@app.command()
def effects(
    fit: Annotated[Path, FitArg],
    variable: Annotated[str, typer.Argument(help="A column, or several: treatment,age.")],
    by: Annotated[
        list[str] | None, typer.Option(help="Averages by a column, or several: school,arm.")
    ] = None,
    scale: Annotated[str, typer.Option(help="difference, ratio, odds_ratio or lift.")] = "difference",
    compare: Annotated[
        str, typer.Option(help="reference, pairwise, sequential, or two values: 0,1.")
    ] = "reference",
    step: Annotated[float | None, typer.Option(help="Of a number: how much more; 1 by default.")] = None,
    slope: Annotated[bool, typer.Option("--slope", help="Of a number: its slope.")] = False,
    weights: Annotated[str, typer.Option(help="n, equal, sum(size), ...: as in formulas.")] = "n",
    groups: Annotated[str, typer.Option(help="conditional, new or mean.")] = "conditional",
    rope: Annotated[
        float | None, typer.Option(help="Half-width of the region that counts as no effect.")
    ] = None,
    prob: Annotated[float, typer.Option(help="Probability of the intervals.")] = 0.95,
    data: RowsOption = None,
    save: CsvOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Compare the values of VARIABLE on the scale of the response of a saved FIT, averaged over its rows."""
    from formulajoint.api.verbs import load

    found = load(fit)
    of, cells = _columns([variable], found), _columns(by or [], found)
    options: Any = {"by": cells, "weights": weights, "groups": groups, "prob": prob, "rope": rope}
    options["new_data"] = None if data is None else _read(data, None, None)
    if not slope:
        options |= {"scale": scale, "compare": _compared(compare), "step": step}
    _show(found.slopes(of, **options) if slope else found.comparisons(of, **options), as_json, save)


def _columns(texts: Iterable[str], fit: Any) -> list[str]:
    """Return the columns between commas; the name of a column of the fit may have a comma."""
    known = getattr(fit.draws.plan.design.kept, "columns", ())
    parts = ([text] if text in known else text.split(",") for text in texts)
    return [name.strip() for each in parts for name in each]


def _compared(compare: str) -> str | list[str | float]:
    """Return what is compared: a word, or the values between commas."""
    if "," not in compare:
        return compare
    return [float(each) if NUMBER.fullmatch(each) else each for each in map(str.strip, compare.split(","))]


def _show(table: Any, as_json: bool, save: Path | None) -> None:
    """Print all rows of a table, as JSON one record a row, and write them to `save`."""
    if save is not None and save.suffix.lower() != ".csv":
        raise DataError(f"The table is written as CSV: `--save {save.with_suffix('.csv')}`.")
    if save is not None:
        table.to_csv(save)
    if as_json:
        _print_json({"rows": json.loads(table.reset_index().to_json(orient="records"))})
    else:
        typer.echo(visible(table.to_string()))


@app.command()
def demo(
    seed: Annotated[int, typer.Option(help="The same seed gives the same draws.")] = 1,
    quiet: QuietFlag = False,
) -> None:
    """Run the example: tutoring in two schools, analysed in three ways."""
    from formulajoint.api.demo import demo as run

    run(typer.echo, seed, progress=_progress(quiet))


def _say(text: str) -> None:
    """Print `text`, with styles on a terminal."""
    if not sys.stdout.isatty():
        typer.echo(text)
        return
    from rich.console import Console

    from formulajoint.results.text.terminal import styled

    Console().print(styled(text), soft_wrap=True)


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Print a warning: of this package as a note, of others with its place in the code."""
    if issubclass(category, FormulaJointWarning):
        typer.echo(f"note: {visible(str(message))}", err=True)
    else:
        text = warnings.formatwarning(message, category, filename, lineno, line)
        typer.echo(text, file=file or sys.stderr, nl=False)


def _model(
    formula: str, path: Path, priors: Any, family: str | None, missing: list[str] | None, sheet: str | None
) -> Any:
    """Return the model of a formula and files; say so if formula and file are swapped."""
    from formulajoint.api.from_files import model_of_files

    if "~" in str(path) and "~" not in formula:
        raise DataError(f"The formula comes first: formulajoint explain {str(path)!r} {formula}")
    made, notes = model_of_files(formula, path, priors, family, missing or (), sheet)
    _note(notes)
    return made


def _read(path: Path, missing: list[str] | None, sheet: str | None) -> Any:
    """Return the table in files."""
    from formulajoint.files.read import read_file

    table = read_file(path, missing or (), sheet)
    _note(table.notes.get("", ()))
    return table


def _note(notes: Iterable[str]) -> None:
    for note in notes:
        typer.echo(f"note: {visible(note)}", err=True)


def _progress(quiet: bool) -> bool:
    """Return whether to show progress: on a terminal, unless `quiet`. Then the package's log is shown there, too."""
    watched = sys.stderr.isatty() and not quiet
    if watched:
        logging.basicConfig(format="%(message)s", stream=sys.stderr)
        logging.getLogger("formulajoint").setLevel(logging.INFO)
    return watched


def _check_targets(save: Path | None, report: Path | None) -> None:
    """Raise an error, before anything is sampled, if a fit or a report cannot be written there."""
    if save is not None:
        from formulajoint.results.saved.store import target_of

        target_of(save)
    if report is not None:
        from formulajoint.report.write import place

        place(report)


def _check_family(parsed: Any, family: str | None) -> None:
    """Raise an error if there is no such family, or the formula states another."""
    if family is None:
        return
    from formulajoint.families.choice import family_of  # loads NumPy
    from formulajoint.language.vocabulary.default import default_language
    from formulajoint.spec.read import specification

    language = default_language()
    family_of(specification(parsed, language), family, language)


def _priors(value: str | None) -> Any:
    if value not in (None, "flat", "default"):
        raise DataError(f"--priors {value} is not known: use flat, or leave it out.")
    return "flat" if value == "flat" else None


def _print_json(record: dict[str, Any]) -> None:
    typer.echo(json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False))


def main() -> None:
    """Run the command line; an error that the user can mend ends with its text and exit code 1."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a name that the output's encoding lacks is shown by its code
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            app(prog_name="formulajoint")
        finally:
            sys.stdout.flush()
    except FormulaJointError as error:
        _fail(str(error))
    except MemoryError as error:
        _fail(
            f"There is not enough memory: {error or 'too many draws, chains or rows'}. Ask for fewer draws."
        )
    except BrokenPipeError:  # whoever reads the output has seen enough
        _discard_output()
        raise SystemExit(1) from None
    except OSError as error:
        _discard_output()
        _fail(f"The output cannot be written: {error.strerror or error}.")


def _fail(message: str) -> NoReturn:
    typer.echo(f"error: {ROWS.sub(' by --data.', KEYWORD.sub(r'--new-groups \1', message))}", err=True)
    raise SystemExit(1) from None


def _discard_output() -> None:
    """Make the interpreter's last flush succeed."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
