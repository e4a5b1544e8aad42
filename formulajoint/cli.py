"""The command line: ``formulajoint fit | explain | test | demo``."""

from __future__ import annotations

import json
import logging
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

import formulajoint
from formulajoint.errors import DataError, FormulaJointError

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
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
PriorsOption = Annotated[str | None, typer.Option(help="flat: improper priors, the classical results.")]
FamilyOption = Annotated[str | None, typer.Option(help="gaussian or student.")]
QuietFlag = Annotated[bool, typer.Option("--quiet", "-q", help="Do not show progress.")]


@app.callback()
def about(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", is_eager=True)
    ] = False,
) -> None:
    """One line of formula to a Bayesian model and its joint contrast."""
    if version:
        typer.echo(f"formulajoint {formulajoint.__version__}")
        raise typer.Exit


@app.command()
def fit(
    formula: FormulaArg,
    data: Annotated[Path, typer.Argument(help="A CSV or Parquet file.")],
    engine: Annotated[str, typer.Option(help="auto, exact, nutpie, pymc, numpyro or blackjax.")] = "auto",
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same draws.")] = None,
    draws: Annotated[int, typer.Option(help="Draws kept, each chain.")] = 1000,
    tune: Annotated[int, typer.Option(help="Steps of adaptation, each chain.")] = 1000,
    chains: Annotated[int, typer.Option(help="Chains.")] = 4,
    priors: PriorsOption = None,
    family: FamilyOption = None,
    report: Annotated[Path | None, typer.Option(help="Write the fit as an HTML page, too.")] = None,
    prob: Annotated[float, typer.Option(help="Probability of the intervals.")] = 0.95,
    save: Annotated[Path | None, typer.Option(help="Write the fit to this .nc file.")] = None,
    as_json: JsonFlag = False,
    quiet: QuietFlag = False,
) -> None:
    """Fit FORMULA to DATA and print what was understood and found."""
    from formulajoint.api.verbs import model
    from formulajoint.results.draws.tables import check_prob

    check_prob(prob)
    if save is not None:
        _check_target(save)
    if report is not None:
        _check_report(report)
    result = model(formula, read_data(data), _priors(priors), family).fit(
        draws=draws, tune=tune, chains=chains, engine=engine, seed=seed, progress=_progress(quiet)
    )
    if report is not None:
        result.report(report, prob)
    if save is not None:
        result.save(save)
    if as_json:
        _print_json(result.record(prob))
    else:
        _say(result.text(prob))


@app.command()
def explain(
    formula: FormulaArg,
    data: Annotated[Path | None, typer.Argument(help="A CSV or Parquet file.")] = None,
    priors: PriorsOption = None,
    family: FamilyOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Say what FORMULA means: without DATA its canonical text, with DATA the whole model."""
    from formulajoint.spec.read import parse

    parsed = parse(formula)
    if data is None:
        typer.echo(json.dumps({"formula": str(parsed)}) if as_json else str(parsed))
        return
    from formulajoint.api.verbs import model

    built = model(parsed, read_data(data), _priors(priors), family)
    if as_json:
        _print_json(built.record())
    else:
        _say(built.explain())


@app.command("test")
def joint_test(
    fit: Annotated[Path, typer.Argument(help="A fit saved by `fit --save`.")],
    hypothesis: Annotated[str | None, typer.Argument(help="Such as: treatment[A] > treatment[B] > 0")] = None,
    rope: Annotated[float | None, typer.Option(help="Half-width of the region that is no effect.")] = None,
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


@app.command()
def demo(
    seed: Annotated[int, typer.Option(help="The same seed gives the same draws.")] = 1,
    quiet: QuietFlag = False,
) -> None:
    """Answer the question this package began with, three ways, on its ten rows."""
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


def read_data(path: Path) -> Any:
    """Return the data frame in a CSV or Parquet file.

    Raises
    ------
    DataError
        If the file does not exist, is of another kind, or cannot be read without guessing.
    """
    import pandas as pd

    if not path.is_file():
        raise DataError(f"{path} is a folder." if path.is_dir() else f"There is no file {path}.")
    readers: dict[str, Callable[[Path], pd.DataFrame]] = {
        ".csv": _read_csv,
        ".parquet": pd.read_parquet,
        ".pq": pd.read_parquet,
    }
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise DataError(f"{path} is neither .csv nor .parquet.")
    try:
        return reader(path)
    except DataError:
        raise
    except ImportError as error:
        raise DataError(f"Reading {path} needs pyarrow: pip install pyarrow.") from error
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} is not UTF-8 text ({error.reason} at byte {error.start}). Save it as UTF-8."
        ) from error
    except pd.errors.EmptyDataError as error:
        raise DataError(f"{path} is empty.") from error
    except (ValueError, OSError) as error:
        raise DataError(f"{path} cannot be read: {error}") from error


def _read_csv(path: Path) -> Any:
    """Read a CSV file, without pandas' guess that a row longer than the header begins with its name."""
    import pandas as pd

    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        try:
            frame = pd.read_csv(path, index_col=False, low_memory=False)
        except pd.errors.ParserWarning as error:
            raise DataError(f"{path} has rows with more values than its header has names.") from error
    (name, *others) = frame.columns
    mark = next((mark for mark in (";", "\t") if mark in str(name)), None)
    if mark and not others:
        raise DataError(
            f"{path} has one column, {name!r}: its values seem to be separated by {mark!r}, not by commas."
        )
    return _with_padded(frame, path)


PADDED = r"\s*0\d+\s*"
"""A label that looks like a number, ``007``: as a number it would equal ``7``."""


def _with_padded(frame: Any, path: Path) -> Any:
    """Return the frame of a CSV file; columns in which a value has leading zeros are text."""
    import pandas as pd

    whole = [place for place, kind in enumerate(frame.dtypes) if pd.api.types.is_numeric_dtype(kind)]
    texts = pd.read_csv(path, usecols=whole, index_col=False, dtype=str)
    padded = [name for name in texts if texts[name].str.fullmatch(PADDED).any()]
    return frame.assign(**{str(name): texts[name] for name in padded})


def _progress(quiet: bool) -> bool:
    """Return whether to show progress: on a terminal, unless `quiet`. Then the package's log is shown there, too."""
    watched = sys.stderr.isatty() and not quiet
    if watched:
        logging.basicConfig(format="%(message)s", stream=sys.stderr)
        logging.getLogger("formulajoint").setLevel(logging.INFO)
    return watched


def _check_target(path: Path) -> None:
    """Raise an error, before anything is sampled, if a fit cannot be saved to `path`."""
    from formulajoint.results.saved.store import target_of

    target_of(path)


def _check_report(path: Path) -> None:
    """Raise an error, before anything is sampled, if a report cannot be written to `path`."""
    from formulajoint.report.write import place

    place(path)


def _priors(value: str | None) -> Any:
    if value not in (None, "flat", "default"):
        raise DataError(f"--priors {value} is not known: use flat, or leave it out.")
    return "flat" if value == "flat" else None


def _print_json(record: dict[str, Any]) -> None:
    typer.echo(json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False))


def main() -> None:
    """Run the command line; an error of the package ends with its text and exit code 1."""
    try:
        app(prog_name="formulajoint")
    except FormulaJointError as error:
        typer.echo(f"error: {error}", err=True)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
