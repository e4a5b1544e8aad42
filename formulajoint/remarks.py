"""Why a value is missing, and notes on values that exist: programs ask the code, readers get the text."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Note:
    """A note on values.

    Attributes
    ----------
    code : str
        One word for the kind of note.
    text : str
        A phrase without a capital or a period.
    about : tuple of str
        Names of the values.
    """

    code: str
    text: str
    about: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Missing:
    """The reason a value is missing.

    Attributes
    ----------
    code : str
        One word for the kind of reason.
    reason : str
        A phrase without a capital or a period: ``flat priors have no density``.
    """

    code: str
    reason: str

    def of(self, what: str) -> Missing:
        """Return the same with the value in its reason: ``no Bayes factor: flat priors have no density``."""
        return replace(self, reason=f"no {what}: {self.reason}")

    def note(self, code: str) -> Note:
        """Return the reason as a note."""
        return Note(code, self.reason)
