"""Draw the pictures of README and docs/report.md: a printed fit as SVG, and the first screen of its report.

python docs/picture.py          # writes docs/demo.svg and, where Chromium is installed, docs/report.png
"""

import io
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from unittest.mock import patch

from rich.console import Console
from rich.text import Text

import formulajoint as fj

HERE = Path(__file__).parent

FORMULA = "test_score ~ treatment | school, joint(weights=n)"

WIDTH = 108
"""Characters of a line of the picture."""


def picture() -> str:
    """Return the picture: fit, print into a recording console, and take what it shows."""
    fit = fj.fit(FORMULA, fj.tutoring(), seed=1, progress=False)
    with patch.dict(os.environ, COLUMNS=str(WIDTH)):  # tables are wrapped to the picture's width, too
        text = Text(f"{fit}\n")  # without a last empty line, what hangs below the last letters is clipped
    console = Console(record=True, width=WIDTH, file=io.StringIO(), color_system="truecolor")
    console.print(Text.assemble((">>> ", "bold green"), "import formulajoint as fj"))
    console.print(Text.assemble((">>> ", "bold green"), f'fj.fit("{FORMULA}", fj.tutoring(), seed=1)'))
    text.highlight_regex(r"joint_treatment +[^\n]*", "bold cyan")
    text.highlight_regex(r"(?m)^(contrast|parameter) [^\n]*|^-[- ]*$", "dim")
    console.print(text)
    svg = console.export_svg(title="formulajoint", unique_id="formulajoint")
    # rich asks for a web font, which a picture in a repository should not, and ends lines with blanks
    local = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    return "\n".join(line.rstrip() for line in local.splitlines()) + "\n"


def report_picture(target: Path) -> None:
    """Write the first screen of the report as PNG, by a browser if there is one."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        print("no Chromium was found: docs/report.png stays as it is")
        return
    fit = fj.fit(FORMULA, fj.tutoring(), seed=1, progress=False)
    with tempfile.TemporaryDirectory() as folder:
        page = fit.report(Path(folder) / "report.html")
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1366,768"]
        subprocess.run(
            [browser, *flags, f"--screenshot={target}", page.as_uri()], check=True, capture_output=True
        )


if __name__ == "__main__":
    (HERE / "demo.svg").write_text(picture(), encoding="utf-8")
    report_picture(HERE / "report.png")
