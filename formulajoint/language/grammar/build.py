"""Write the prebuilt parser of the plain grammar: run ``make grammar`` after a change in grammar/."""

from __future__ import annotations

from pathlib import Path

from formulajoint.language.grammar import prebuilt
from formulajoint.language.grammar.compose import PLAIN, build, grammar_folder, texts


def main() -> None:
    """Write the parser beside the grammar, unless the file there already fits this grammar and this Lark."""
    if prebuilt.read(grammar_folder(), texts(PLAIN)) is None:
        text = prebuilt.written(build(PLAIN), texts(PLAIN))
        Path(str(grammar_folder()), prebuilt.NAME).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
