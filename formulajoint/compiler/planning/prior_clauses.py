"""``prior(...)`` clauses: the variable that a written prior is for, and whether it can have that prior."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from formulajoint.design.references import split_part
from formulajoint.distributions.distribution import REAL, Interval
from formulajoint.distributions.prior import Prior
from formulajoint.distributions.written import read_prior
from formulajoint.errors import FormulaError
from formulajoint.language.syntax.nodes import Chain, Expr, Name, Subscript
from formulajoint.language.syntax.text import canonical
from formulajoint.spans import Span
from formulajoint.spec.names import parts_of
from formulajoint.spec.spec import MAIN, PriorRequest
from formulajoint.wording import did_you_mean, listed

VALUE, MEAN, SD, COR = "", ".mean", ".sd", "cor"


@dataclass(frozen=True, slots=True)
class Slot:
    """A variable that can have a prior in the formula.

    Attributes
    ----------
    parameter : str
        ``mu`` for the main predictor.
    term : str or None
        None for a parameter without predictors, and for correlations.
    part : {"", ".mean", ".sd", "cor"}
        For a hierarchy, its location or scale.
    factors : tuple of str
        Sorted factors of the term.
    support : tuple of float
        Interval in which its prior must be.
    improper : bool
        Whether its prior may be flat.
    link : str
        Name of the link of the parameter's linear predictor.
    """

    parameter: str
    term: str | None
    part: str
    factors: tuple[str, ...] = field(default=(), compare=False)
    support: Interval = field(default=REAL, compare=False)
    improper: bool = field(default=False, compare=False)
    link: str = field(default="", compare=False)

    @property
    def base(self) -> str:
        """The text before ``.mean`` or ``.sd`` in ``prior(...)``."""
        if self.part == COR:
            return COR
        if self.term is None:
            return self.parameter
        return self.term if self.parameter == MAIN else f"{self.parameter}.{self.term}"

    @property
    def spelling(self) -> str:
        """The name in ``prior(...)``."""
        return self.base if self.part == COR else self.base + self.part


type Overrides = Mapping[Slot, Prior]


def read_overrides(asked: Sequence[PriorRequest], slots: Sequence[Slot], known_sd: str = "") -> Overrides:
    """Return the priors that are asked for, by slot.

    Parameters
    ----------
    asked : sequence of PriorRequest
    slots : sequence of Slot
    known_sd : str
        Name of the parameter that ``se(...)`` gives, if it does.

    Raises
    ------
    FormulaError
        If the target is unknown, ambiguous or named twice, or cannot have that distribution as its prior.
    """
    found: dict[Slot, Prior] = {}
    for request in asked:
        slot = _slot(request.target, slots, known_sd)
        if slot in found:
            message = f"`{slot.spelling}` has two priors"
            raise FormulaError(message, request.span, "leave one of them out")
        found[slot] = read_prior(
            slot.spelling,
            request.law,
            correlation=slot.part == COR,
            support=slot.support,
            flat=slot.improper,
        )
        if request.law.value.scale == "sigma":
            found[slot] = _in_sds(slot, found[slot], request.law.span)
    return found


def _in_sds(slot: Slot, law: Prior, at: Span) -> Prior:
    """Return a prior in residual sds, or raise a FormulaError if that has no meaning for the variable."""
    if slot.parameter != MAIN or slot.part != VALUE:
        of_pool = slot.parameter == MAIN and slot.part in (MEAN, SD)
        hint = f"write `hierarchy({slot.base}, scale=sigma)`: its mean and sd are in residual sds"
        message = (
            f"`scale=sigma` states the prior of a coefficient of the mean, and `{slot.spelling}` is none"
        )
        raise FormulaError(message, at, hint if of_pool else "leave it out")
    if law.constant is not None:
        raise FormulaError("a constant in residual sds is not available", at, "write a number in points")
    return replace(law, in_sds=True)


def _slot(target: Expr, slots: Sequence[Slot], known_sd: str) -> Slot:
    readings = [slot for slot in slots if _names(target, slot)]
    text = canonical(target)
    if len(readings) == 1:
        return readings[0]
    if readings:
        choices = " or ".join(_exact(slot) for slot in readings)
        raise FormulaError(f"`{text}` can be read in {len(readings)} ways", target.span, f"write {choices}")
    known = "`se(...)` gives the residual sds: none is estimated" if text == known_sd else ""
    advice = known or _advice(target, slots)
    raise FormulaError(f"there is no `{text}` to give a prior to", target.span, advice)


def _names(target: Expr, slot: Slot) -> bool:
    """Return whether `target` can be read as the name of `slot`."""
    if slot.part in (VALUE, COR):
        return _is_base(target, slot)
    base, part = split_part(target)
    return base is not None and slot.part == f".{part}" and _is_base(base, slot)


def _is_base(expr: Expr, slot: Slot) -> bool:
    """Return whether `expr` names the term or parameter of `slot`."""
    if slot.term is None:
        return expr == Name(slot.base)
    term = expr if slot.parameter == MAIN else _without(slot.parameter, expr)
    return term is not None and parts_of(term) == list(slot.factors)


def _without(parameter: str, expr: Expr) -> Expr | None:
    """Return ``x`` of ``sigma.x`` and ``x:z`` of ``sigma.x:z``, or None if `expr` does not begin with the parameter."""
    match expr:
        case Name(quoted=False) if expr.id.startswith(f"{parameter}."):
            return replace(expr, id=expr.id.removeprefix(f"{parameter}."))
        case Chain(operators=(":", *_)):
            first = _without(parameter, expr.operands[0])
            return replace(expr, operands=(first, *expr.operands[1:])) if first else None
    return None


def _exact(slot: Slot) -> str:
    """Return the unambiguous way to write `slot`."""
    if slot.parameter != MAIN or slot.term is None:
        return f"rename the column to mean `{slot.spelling}`"
    name = ":".join(factor if "(" in factor or "`" in factor else f"`{factor}`" for factor in slot.factors)
    return f"`` ({name}){slot.part} ``" if slot.part and ":" in name else f"`` {name}{slot.part} ``"


def _advice(target: Expr, slots: Sequence[Slot]) -> str:
    """Return the hint for a target that does not exist."""
    text, (base, _) = canonical(target), split_part(target)
    if isinstance(target, Subscript):
        return f"a prior is the same for all levels: write `{canonical(target.of)}`"
    if text == COR:
        return "only a normal hierarchy of two columns or more has correlations"
    if any(slot.part == MEAN and _is_base(target, slot) for slot in slots):
        return f"`{text}` is pooled: give priors to its location and scale, `{text}.mean` and `{text}.sd`"
    of = [slot for slot in slots if base is not None and _is_base(base, slot)]
    if any(slot.part == SD for slot in of):  # sigma.mean
        return f"write `{of[0].base} ~ ...` for where the groups' `{of[0].base}` is expected"
    if of:
        return f"`{of[0].base}` is not pooled: write the prior of `{of[0].base}`, or add `hierarchy({of[0].base})`"
    return _advice_on_parameters(text, slots)


def _advice_on_parameters(text: str, slots: Sequence[Slot]) -> str:
    own = [slot for slot in slots if slot.parameter == text and slot.term]
    if own:
        spelled = listed(slot.spelling for slot in own)
        return f"`{text}` has predictors: give priors to {spelled}, on its {own[0].link} scale"
    for slot in slots:
        if slot.term is None and text == f"{slot.base}.Intercept":
            return f"`{slot.base}` has no predictors: write `{slot.base}`"
    spellings = [slot.spelling for slot in slots]
    return did_you_mean(text, spellings) or f"priors can be given to {listed(spellings)}"
