"""What a golden case is: a formula over data, and what is asked of its model and its fit."""

from __future__ import annotations

from dataclasses import dataclass

WORDS = {
    "unfitted": "The model only is recorded.",
    "invented": "Draws are invented by `reach.invented`, because only NUTS fits the model.",
    "diverging": "Some of the invented draws count as divergent.",
    "pymc": "The PyMC model is built, and its variables are recorded.",
    "saved": "The fit is saved and loaded, and answers again.",
    "sensitivity": "The table of Bayes factors under other priors is recorded.",
    "report": "The report page, the HTML of the fit and its text with emphasis are recorded by their hashes.",
    "page": "As with `report`, and the text of the page.",
    "html": "As with `report` but for the page; the HTML of model and fit with their text, the JSON of formula and model.",
    "silent": "The fit is not printed and not tested, because its tests take long.",
}
"""Words of `Case.also`, and what each asks for."""


@dataclass(frozen=True)
class Case:
    """A formula over data.

    Attributes
    ----------
    name : str
        Names the file of the record.
    frame : str
        Key of `frames.FRAMES`.
    formula : str
    also : str
        Words of `WORDS`, with blanks between them.
    priors, family : str or None
        Arguments of ``fj.model``.
    language : str
        Key of `languages.LANGUAGES`; empty for the plain language.
    contrasts : tuple of str
        Clauses for ``fit.contrast``.
    tests : tuple of str
        Hypotheses for ``fit.test`` and ``fit.bands``.
    rope : float or None
        Region of no effect, with which the printed tests are asked again.
    at_least : int or None
        As for ``fit.test``, beside `rope`.
    prob : float or None
        Probability of the intervals, with which text and tables are asked again.
    """

    name: str
    frame: str
    formula: str
    also: str = ""
    priors: str | None = None
    family: str | None = None
    language: str = ""
    contrasts: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    rope: float | None = None
    at_least: int | None = None
    prob: float | None = None

    def __post_init__(self) -> None:
        assert set(self.also.split()) <= WORDS.keys(), self.also

    def wants(self, word: str) -> bool:
        """Tell whether `also` has the word."""
        return word in self.also.split()
