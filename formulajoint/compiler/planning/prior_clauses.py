"""``prior(...)`` clauses: the variable that a written prior is for, and whether it can have that prior."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod

import numpy as np

from formulajoint.arrays import IntArray
from formulajoint.compiler.planning.prior_slots import COR, MEAN, SD, VALUE, Slot
from formulajoint.compiler.planning.response_units import Units
from formulajoint.design.references import places_of, split_part
from formulajoint.design.varying import named
from formulajoint.distributions.prior import Prior, joined
from formulajoint.distributions.written import read_prior
from formulajoint.errors import FormulaError
from formulajoint.language.syntax.nodes import Chain, Expr, Name, Subscript
from formulajoint.language.syntax.text import canonical
from formulajoint.spans import Span
from formulajoint.spec.names import parts_of
from formulajoint.spec.spec import MAIN, PriorRequest
from formulajoint.wording import did_you_mean, listed


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A prior of some cells of a variable, flattened; `prior` has the variable's shape."""

    cells: IntArray
    prior: Prior
    request: PriorRequest


@dataclass(frozen=True, slots=True, eq=False)
class Written:
    """What the formula says of the prior of one variable: of all its cells, of some of them, or both."""

    slot: Slot
    whole: Prior | None = None
    parts: tuple[Part, ...] = ()

    def over(self, unwritten: Callable[[], Prior]) -> Prior:
        """Return the variable's prior; cells of which nothing is written have that of `unwritten`."""
        if not self.parts:
            return self.whole or unwritten()
        shape = self.slot.shape
        found = {int(cell): part.prior for part in self.parts for cell in part.cells}
        base = self.parts[0].prior if len(found) == prod(shape) else self.whole or unwritten()
        each = [found.get(cell, base).at(cell, shape) for cell in range(prod(shape))]
        law = joined(each, shape)
        if law is None:
            units = [" in residual sds" if own.in_sds else "" for own in each]
            laws = [f"{own.distribution.name}{unit}" for own, unit in zip(each, units, strict=True)]
            raise self._refusal("several distributions", laws)
        if isinstance(law.constant, np.ndarray):
            raise self._refusal("several constants", [str(own.constant) for own in each])
        return law

    def _refusal(self, what: str, each: Sequence[str]) -> FormulaError:
        request, name = self.parts[0].request, self.slot.spelling
        message = f"the groups of `{name}` would have {what}, {listed(dict.fromkeys(each))}"
        law = request.law.value.name
        written = f"prior({name} ~ {law}(...), {canonical(request.target)} ~ {law}(...))"
        hint = f"give all the same distribution, with other numbers where needed: `{written}`"
        return FormulaError(message, request.span, hint)


type Overrides = Mapping[Slot, Written]


def read_overrides(
    asked: Sequence[PriorRequest], slots: Sequence[Slot], known_sd: str, units: Units
) -> Overrides:
    """Return the priors that are asked for, by slot.

    Parameters
    ----------
    asked : sequence of PriorRequest
    slots : sequence of Slot
    known_sd : str
        Name of the parameter that ``se(...)`` gives, if it does.
    units : Units
        Of priors in sds of the response.

    Raises
    ------
    FormulaError
        If the target is unknown, ambiguous or named twice, or cannot have that distribution as its prior.
    """
    found: dict[Slot, Written] = {}
    for request in asked:
        slot = _slot(request, _over(request, slots), slots, known_sd)
        found[slot] = _with(found.get(slot, Written(slot)), request, units)
    return found


def _over(request: PriorRequest, slots: Sequence[Slot]) -> list[Slot]:
    """Return the variables that a request can be about: those of one factor's group terms, or all others."""
    name = "" if request.over is None else named(request.over.value)
    own = [slot for slot in slots if slot.over == name]
    if request.over is not None and not own:
        known = sorted({slot.over for slot in slots} - {""})
        hint = did_you_mean(name, known) or (
            f"group terms vary over {listed(known)}" if known else "leave `over=` out"
        )
        raise FormulaError(f"nothing varies over `{name}`", request.over.span, hint)
    return own


def _with(known: Written, request: PriorRequest, units: Units) -> Written:
    """Return what is written of a variable, with one more request."""
    slot, target = known.slot, request.target
    law = read_prior(
        slot.spelling, request.law, correlation=slot.part == COR, support=slot.support, flat=slot.improper
    )
    cells = np.arange(prod(slot.shape)).reshape(slot.shape)
    if isinstance(target, Subscript):
        places = places_of(target, slot.spelling, slot.dims)
        cells = cells[tuple(places.get(dim, slice(None)) for dim in slot.dims)]
    cells = np.ravel(cells)
    if request.law.value.scale == "sd":
        law = law.rescaled(units.of(slot, cells, request.law.span))
    if request.law.value.scale == "sigma":
        law = _in_sds(slot, law, request.law.span)
    if isinstance(target, Subscript):
        twice = any(np.intersect1d(part.cells, cells).size for part in known.parts)
        changed = replace(known, parts=(*known.parts, Part(cells, law, request)))
    else:
        twice, changed = known.whole is not None, replace(known, whole=law)
    if twice:
        name = canonical(target) if isinstance(target, Subscript) else slot.spelling
        raise FormulaError(f"`{name}` has two priors", request.span, "leave one of them out")
    return changed


def _in_sds(slot: Slot, law: Prior, at: Span) -> Prior:
    """Return a prior in residual sds, or raise a FormulaError if that has no meaning for the variable."""
    if slot.parameter != MAIN or slot.part != VALUE:
        of_pool = slot.parameter == MAIN and slot.part in (MEAN, SD)
        hint = f"write `hierarchy({slot.base}, scale=sigma)`: its mean and sd are in residual sds"
        message = f"`scale=sigma` is for priors of coefficients of the mean, and `{slot.spelling}` is another parameter"
        raise FormulaError(message, at, hint if of_pool else "leave it out")
    return replace(law, in_sds=True)


def _slot(request: PriorRequest, slots: Sequence[Slot], everywhere: Sequence[Slot], known_sd: str) -> Slot:
    """Return the variable that a request is about, one of `slots`; `everywhere` has those of group terms, too."""
    target = request.target.of if isinstance(request.target, Subscript) else request.target
    readings = [slot for slot in slots if _names(target, slot)]
    text = canonical(target)
    if len(readings) == 1:
        return readings[0]
    if readings:
        choices = " or ".join(_exact(slot) for slot in readings)
        raise FormulaError(f"`{text}` can be read in {len(readings)} ways", target.span, f"write {choices}")
    known = "`se(...)` gives the residual sds, so `sigma` is not estimated" if text == known_sd else ""
    advice = known or _of_group_term(request, target, slots, everywhere) or _advice(target, slots)
    raise FormulaError(f"`{text}` is not a parameter that can have a prior", target.span, advice)


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


def _of_group_term(
    request: PriorRequest, target: Expr, slots: Sequence[Slot], everywhere: Sequence[Slot]
) -> str:
    """Return the hint for a variable that `over=` should name, or that it rules out; empty for any other."""
    elsewhere = [slot for slot in everywhere if slot not in slots and _names(target, slot)]
    over = [slot.over for slot in elsewhere if slot.over]
    written = f"{canonical(request.target)} ~ {request.law.text}"
    if elsewhere and request.over is not None:
        return (
            f"`over=` says that the whole clause is about the group term, to which `{canonical(target)}` does not "
            f"belong: write a clause for each, `prior({written}), prior(..., over={named(request.over.value)})`"
        )
    if not over or request.over is not None:
        return ""
    return f"of a group term, name the groups: write `prior({written}, over={over[0]})`"


def _advice(target: Expr, slots: Sequence[Slot]) -> str:
    """Return the hint for a target that does not exist."""
    text, (base, _) = canonical(target), split_part(target)
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
