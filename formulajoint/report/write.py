"""The page as one self-contained file, written atomically."""

from __future__ import annotations

import base64
import hashlib
import os
from os import PathLike
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from formulajoint.errors import StoreError
from formulajoint.report.page import page
from formulajoint.results.findings import Findings
from formulajoint.results.saved.atomic import path_of, write_whole

SUFFIXES = (".html", ".htm")


def html(found: Findings) -> str:
    """Return the page of a fit.

    Names and labels of the data are always text: the template escapes them, and the page's own policy lets a browser
    run only the page's script, and fetch nothing.
    """
    environment = Environment(
        loader=PackageLoader("formulajoint.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    script, style = (_source(environment, f"report.{kind}") for kind in ("js", "css"))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    template = environment.get_template("report.html")
    return template.render(page=page(found), script=script, style=style, script_hash=digest)


def _source(environment: Environment, name: str) -> str:
    """Return the content of a file beside the template."""
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]


def place(path: str | PathLike[str]) -> Path:
    """Return the absolute path at which a file called `path` is written.

    Raises
    ------
    StoreError
        If no file can be written there.
    """
    target = Path(os.path.realpath(path_of(path)))
    if os.path.isdir(target):  # unlike `Path.is_dir`, accepts names that are too long
        raise StoreError(f"{path} is a folder: name a file in it, such as {Path(path) / 'report.html'}.")
    if not os.path.isdir(target.parent):
        raise StoreError(f"{path} cannot be written: there is no folder {target.parent}.")
    if target.suffix.lower() not in SUFFIXES:
        raise StoreError(
            f"{path} does not end in .html: a report is an HTML page, which a browser prints to PDF."
        )
    return target


def write(path: str | PathLike[str], found: Findings) -> Path:
    """Write the page of a fit to the file `path`, completely or not at all, and return its path.

    Raises
    ------
    StoreError
        If it cannot be written; an existing file stays.
    """
    target = place(path)
    write_whole(target, html(found).encode())
    return target
