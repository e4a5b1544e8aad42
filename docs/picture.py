"""Draw README's picture: the output of a fit on the package's own data, as SVG.

python docs/picture.py          # writes docs/demo.svg
"""

import io
import re
from pathlib import Path

from rich.console import Console
from rich.text import Text

import formulajoint as fj

FORMULA = "test_score ~ treatment | school, joint(weights=n)"


def picture() -> str:
    """Return the picture: fit, print into a recording console, and take what it shows."""
    fit = fj.fit(FORMULA, fj.tutoring(), seed=1, progress=False)
    console = Console(record=True, width=100, file=io.StringIO(), color_system="truecolor")
    console.print(Text.assemble((">>> ", "bold green"), "import formulajoint as fj"))
    console.print(Text.assemble((">>> ", "bold green"), f'fj.fit("{FORMULA}", fj.tutoring(), seed=1)'))
    first, rest = str(fit).split("\n", 1)
    text = Text(f"{first}\n{rest}")
    text.highlight_regex(r"joint_treatment +[^\n]*", "bold cyan")
    text.highlight_regex(r"(?m)^(contrast|parameter) [^\n]*|^-[- ]*$", "dim")
    console.print(text)
    svg = console.export_svg(title="formulajoint", unique_id="formulajoint")
    # rich asks for a web font, which a picture in a repository should not, and ends lines with blanks
    local = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    return "\n".join(line.rstrip() for line in local.splitlines()) + "\n"


if __name__ == "__main__":
    Path(__file__).with_name("demo.svg").write_text(picture(), encoding="utf-8")
