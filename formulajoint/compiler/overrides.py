"""``prior(...)`` clauses: which variable a written prior is for, and whether it can be one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from formulajoint.compiler.priors import LAWS, WRITTEN, Prior, prior
from formulajoint.design.hierarchy import MAIN, same_term
from formulajoint.errors import BugError, FormulaError, did_you_mean, listed
from formulajoint.language.ir import Attribute, Call, Clause, Distributed, Expr, Formula, Name, Number, Unary
from formulajoint.language.text import canonical

VALUE, MEAN, SD, COR = "", ".mean", ".sd", "cor"


@dataclass(frozen=True, slots=True)
class Slot:
    """A variable that may be given a prior.

    Attributes
    ----------
    parameter : str
        ``mu`` for the main predictor.
    term : str or None
        None for a parameter that has no predictors, and for correlations.
    part : {"", ".mean", ".sd", "cor"}
        Of a hierarchy, its location and scale.
    """

    parameter: str
    term: str | None
    part: str

    @property
    def base(self) -> str:
        """What is written before ``.mean`` or ``.sd``."""
        if self.part == COR:
            return COR
        if self.term is None:
            return self.parameter
        return self.term if self.parameter == MAIN else f"{self.parameter}.{self.term}"

    @property
    def spelling(self) -> str:
        """How ``prior(...)`` names it."""
        return self.base if self.part == COR else self.base + self.part

    @property
    def scale(self) -> bool:
        """Whether it is a scale, so that its prior lives on positive numbers."""
        return self.part == SD or (self.part == VALUE and self.term is None)


type Overrides = Mapping[Slot, Prior]


def read_overrides(formula: Formula, slots: Sequence[Slot]) -> Overrides:
    """Return the priors that the formula writes, by the slot each is for.

    Raises
    ------
    FormulaError
        Where the target is unknown, ambiguous or named twice, or the distribution cannot be its prior.
    """
    found: dict[Slot, Prior] = {}
    for clause in formula.clauses:
        if not (isinstance(clause, Clause) and clause.name == "prior"):
            continue
        for item in clause.call.args:
            if not isinstance(item, Distributed):
                raise BugError("prior(...) holds something other than `target ~ distribution`")
            slot = _slot(item.target, formula, slots)
            if slot in found:
                raise FormulaError(f"`{slot.spelling}` is given two priors", formula.source, item.span)
            found[slot] = _checked(slot, item.distribution, formula)
    return found


def _slot(target: Expr, formula: Formula, slots: Sequence[Slot]) -> Slot:
    readings = [slot for slot in slots if _names(target, slot)]
    text = canonical(target)
    if len(readings) == 1:
        return readings[0]
    if readings:
        choices = " or ".join(_exact(slot) for slot in readings)
        raise FormulaError(
            f"`{text}` can be read in {len(readings)} ways", formula.source, target.span, f"write {choices}"
        )
    raise FormulaError(
        f"there is no `{text}` to give a prior to", formula.source, target.span, _advice(text, slots)
    )


def _names(target: Expr, slot: Slot) -> bool:
    """Tell whether `target` can be read as the name of `slot`."""
    if isinstance(target, Attribute):
        return slot.part == f".{target.name}" and same_term(slot.base, canonical(target.of))
    text = canonical(target)
    if isinstance(target, Name) and target.quoted:
        return slot.part == VALUE and slot.parameter == MAIN and same_term(slot.base, text)
    if slot.part in (VALUE, COR):
        return same_term(slot.base, text)
    return text.endswith(slot.part) and same_term(slot.base, text.removesuffix(slot.part))


def _exact(slot: Slot) -> str:
    return f"`` `{slot.base}`{slot.part} ``"


def _advice(text: str, slots: Sequence[Slot]) -> str:
    pooled = [s for s in slots if s.part == MEAN and same_term(s.base, text)]
    if pooled:
        return f"`{text}` is pooled: give priors to its location and scale, `{text}.mean` and `{text}.sd`"
    base, dot, part = text.rpartition(".")
    if dot and part in ("mean", "sd") and any(s.part == VALUE and same_term(s.base, base) for s in slots):
        return f"`{base}` is not pooled: write the prior of `{base}`, or add `hierarchy({base})`"
    spellings = [slot.spelling for slot in slots]
    return did_you_mean(text, spellings) or f"priors can be given to {listed(spellings)}"


def _checked(slot: Slot, call: Call, formula: Formula) -> Prior:
    """Return the prior that `call` writes, or explain why `slot` cannot have it."""

    def refuse(message: str, hint: str = "", at: Expr = call) -> FormulaError:
        return FormulaError(message, formula.source, at.span, hint)

    law = LAWS[call.name]
    if (law.support == "correlation") != (slot.part == COR):
        wanted = "`lkj(eta)`" if slot.part == COR else "a distribution of single numbers"
        raise refuse(f"`{call.name}` cannot be the prior of `{slot.spelling}`, which takes {wanted}")
    values = _arguments(call, formula)
    for name, (value, at) in values.items():
        if name in law.positive and value <= 0:
            raise refuse(f"`{name}` of `{call.name}` must be above zero", at=at)
    numbers = {name: value for name, (value, _) in values.items()}
    if call.name == "uniform" and not numbers["lower"] < numbers["upper"]:
        raise refuse("the lower bound of `uniform` must be below the upper")
    if slot.scale and not _is_positive(call.name, numbers):
        raise refuse(
            f"`{slot.spelling}` is above zero, but `{call.name}` also lives below",
            "use half_normal, half_student_t, half_cauchy, exponential, gamma, inverse_gamma, log_normal or constant",
        )
    if slot.part == SD and call.name == "flat":
        raise refuse(
            f"`{slot.spelling}` needs a proper prior: groups alone do not bound it", "use half_normal"
        )
    return prior(call.name, *(numbers[name] for name in law.args), origin=WRITTEN)


def _is_positive(law: str, numbers: Mapping[str, float]) -> bool:
    if law == "constant":
        return numbers["value"] > 0
    if law == "uniform":
        return numbers["lower"] >= 0
    return law == "flat" or LAWS[law].support == "positive"


def _arguments(call: Call, formula: Formula) -> dict[str, tuple[float, Expr]]:
    """Return each argument's number and where it stands."""
    written = dict(zip(LAWS[call.name].args, call.args, strict=False))
    written |= {keyword.name: keyword.value for keyword in call.keywords}
    missing = [name for name in LAWS[call.name].args if name not in written]
    if missing:
        raise FormulaError(f"`{call.name}` needs {listed(missing)}", formula.source, call.span)
    return {name: (_number(value, formula), value) for name, value in written.items()}


def _number(expr: Expr, formula: Formula) -> float:
    inner = expr.operand if isinstance(expr, Unary) else expr
    if not isinstance(inner, Number):
        raise FormulaError(
            f"`{canonical(expr)}` is not a number", formula.source, expr.span, "priors take plain numbers"
        )
    return -inner.value if isinstance(expr, Unary) and expr.operator == "-" else inner.value
