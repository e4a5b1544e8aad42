"""The command line: ``formulajoint fit | explain | demo``."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from formulajoint.errors import DataError, FormulaJointError

app = typer.Typer(
    help="One line of formula to a Bayesian model and its joint contrast.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

FormulaArg = Annotated[str, typer.Argument(help="Such as: score ~ treatment | school, joint(weights=n)")]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
PriorsOption = Annotated[str | None, typer.Option(help="flat: improper priors, the classical results.")]
FamilyOption = Annotated[str | None, typer.Option(help="gaussian or student.")]


@app.command()
def fit(
    formula: FormulaArg,
    data: Annotated[Path, typer.Argument(help="A CSV or Parquet file.")],
    engine: Annotated[str, typer.Option(help="auto, nutpie, pymc, numpyro or blackjax.")] = "auto",
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same draws.")] = None,
    draws: Annotated[int, typer.Option(help="Draws kept, each chain.")] = 1000,
    tune: Annotated[int, typer.Option(help="Steps of adaptation, each chain.")] = 1000,
    chains: Annotated[int, typer.Option(help="Chains.")] = 4,
    priors: PriorsOption = None,
    family: FamilyOption = None,
    as_json: JsonFlag = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")] = False,
) -> None:
    """Fit FORMULA to DATA and print what was understood and found."""
    from formulajoint.api.verbs import model

    progress = not quiet and sys.stderr.isatty()
    result = model(formula, read_data(data), _priors(priors), family).fit(
        draws=draws, tune=tune, chains=chains, engine=engine, seed=seed, progress=progress
    )
    if as_json:
        _print_json(result.record())
    else:
        typer.echo(str(result))


@app.command()
def explain(
    formula: FormulaArg,
    data: Annotated[Path | None, typer.Argument(help="A CSV or Parquet file.")] = None,
    priors: PriorsOption = None,
    family: FamilyOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Say what FORMULA means: without DATA its canonical text, with DATA the whole model."""
    from formulajoint.language.parse import parse

    parsed = parse(formula)
    if data is None:
        typer.echo(json.dumps({"formula": str(parsed)}) if as_json else str(parsed))
        return
    from formulajoint.api.verbs import model

    built = model(parsed, read_data(data), _priors(priors), family)
    if as_json:
        _print_json(built.record())
    else:
        typer.echo(built.explain())


@app.command()
def demo(
    seed: Annotated[int, typer.Option(help="The same seed gives the same draws.")] = 1,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")] = False,
) -> None:
    """Answer the question this package began with, three ways, on its ten rows."""
    from formulajoint.api.demo import demo as run

    run(typer.echo, seed, progress=not quiet and sys.stderr.isatty())


def read_data(path: Path) -> Any:
    """Return the data frame in a CSV or Parquet file.

    Raises
    ------
    DataError
        Where the file is not there, is of another kind, or cannot be read.
    """
    import pandas as pd

    if not path.is_file():
        raise DataError(f"There is no file {path}.")
    readers: dict[str, Callable[[Path], pd.DataFrame]] = {
        ".csv": pd.read_csv,
        ".parquet": pd.read_parquet,
        ".pq": pd.read_parquet,
    }
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise DataError(f"{path} is neither .csv nor .parquet.")
    try:
        return reader(path)
    except ImportError as error:
        raise DataError(f"Reading {path} needs pyarrow: pip install pyarrow.") from error
    except (ValueError, OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}") from error


def _priors(value: str | None) -> Any:
    if value not in (None, "flat", "default"):
        raise DataError(f"--priors {value} is not known: use flat, or leave it out.")
    return "flat" if value == "flat" else None


def _print_json(record: dict[str, Any]) -> None:
    typer.echo(json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False))


def main() -> None:
    """Run the command line; an error the user can mend ends with its text and exit code 1."""
    try:
        app()
    except FormulaJointError as error:
        typer.echo(f"error: {error}", err=True)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
