"""The entry: text -> Formula, checked, and Formula -> ModelSpec. The same readers serve questions to a finished fit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from formulajoint.errors import FormulaError
from formulajoint.language.formula import Formula
from formulajoint.language.grammar.scan import check_length
from formulajoint.language.parse import syntax
from formulajoint.language.syntax import nodes
from formulajoint.language.syntax.text import canonical
from formulajoint.language.vocabulary.core import AGAINST, CORE, ON_RESPONSE, OVER
from formulajoint.language.vocabulary.default import chosen, present
from formulajoint.language.vocabulary.language import Language
from formulajoint.language.vocabulary.signatures import Kind, Slot
from formulajoint.spans import Span
from formulajoint.spec.arguments import Context
from formulajoint.spec.clauses import (
    Called,
    family_request,
    pooling_request,
    prior_requests,
    question,
    read_clause,
    rows_request,
)
from formulajoint.spec.coefficients import read_hypothesis
from formulajoint.spec.predictors import READERS, check_group, check_predictors, check_response
from formulajoint.spec.spec import (
    AS_ESTIMATED,
    MAIN,
    Comparisons,
    Given,
    Linear,
    ModelSpec,
    PriorRequest,
    Question,
)


def parse(text: str, language: Language | None = None) -> Formula:
    """Return the formula that `text` states.

    Parameters
    ----------
    text : str
        Such as ``score ~ treatment | school, joint(weights=n)``.
    language : Language, optional
        By default the plain language with all extensions that are installed or registered by decorators; ``CORE`` is
        the plain one.

    Raises
    ------
    FormulaError
        With the place in `text` and what to write instead.
    """
    language = chosen(language)
    formula: Formula = syntax(text, "formula", language)
    context = Context(language)
    _read(context, formula)
    check_length(str(formula))
    return replace(formula, extensions=tuple(sorted(context.used - {""})))


def specification(formula: Formula, language: Language) -> ModelSpec:
    """Return what `formula` asks, in the language in which it was parsed."""
    return _read(Context(language), formula)


def parse_clause(text: str, language: Language | None = None) -> Question:
    """Return what the one contrast clause in `text` asks of a fit, such as ``pairwise(treatment)``."""
    language = present(chosen(language))
    context = Context(language)
    clause: nodes.Parameter | nodes.Clause = syntax(text, "clause", language)
    asked = read_clause(context, clause)
    if isinstance(asked, Called) and asked.signature.after_fit:
        return question(asked)
    message = f"`{clause.name}` changes the model, so it cannot be added to a fit"
    raise FormulaError(message, clause.span, "put it into the formula, and fit again")


def is_contrast_clause(text: str, language: Language | None = None) -> bool:
    """Return whether `text` is a clause such as ``pairwise(treatment)``, and not a hypothesis."""
    language = present(chosen(language))
    try:
        clause: nodes.Parameter | nodes.Clause = syntax(text, "clause", language)
    except FormulaError:
        return False
    return isinstance(clause, nodes.Clause) and clause.name in language.names["clause"]


def parse_hypotheses(text: str, language: Language | None = None) -> tuple[nodes.Chain, ...]:
    """Return the hypotheses of `text`, which commas join with AND; ``=`` is read as ``==``."""
    language = present(chosen(language))
    return _hypotheses(syntax(text, "hypotheses", language), language)


def parse_test(text: str, language: Language | None = None) -> Comparisons:
    """Return the hypotheses of `text`, with what it names: ``x == 0, against=hierarchy, scale=response``."""
    language = present(chosen(language))
    stated: tuple[nodes.Expr, ...] = syntax(text, "hypotheses", language)
    against = [found for part in stated if (found := _word(part, AGAINST)) is not None]
    scale = [found for part in stated if (found := _word(part, ON_RESPONSE)) is not None]
    over = [groups for part in stated if (groups := _factor(part, language)) is not None]
    options = [*against, *scale, *over]
    said = [part for part in stated if all(part.span != option.span for option in options)]
    for word, given in (("against", against), ("scale", scale), ("over", over)):
        if len(given) > 1 or (given and not said):
            raise FormulaError(f"`{word}=` may be given once, after a hypothesis", given[-1].span)
    return Comparisons(
        _hypotheses(said, language),
        against=against[0] if against else None,
        over=over[0] if over else None,
        scale=scale[0] if scale else AS_ESTIMATED,
    )


def _hypotheses(stated: Iterable[nodes.Expr], language: Language) -> tuple[nodes.Chain, ...]:
    slot = Slot("hypothesis", Kind.HYPOTHESIS)
    return tuple(read_hypothesis(Context(language), slot, part) for part in stated)


def _word(part: nodes.Expr, slot: Slot) -> Given[str] | None:
    """Return the word that a part of the text of a test gives to `slot`, or None if it is a hypothesis."""
    match part:
        case nodes.Chain(("==",), (nodes.Name(name, False), nodes.Name(word, False) as value)) if (
            name == slot.name
        ):
            if word not in slot.words:
                message = f"`{name}` must be `{'` or `'.join(slot.words)}`, not `{word}`"
                raise FormulaError(message, value.span, f"write `{name}={slot.words[-1]}`")
            return Given(word, word, part.span)
    return None


def _factor(part: nodes.Expr, language: Language) -> Given[nodes.Group] | None:
    """Return the groups that a part of the text of a test names, or None if it is a hypothesis."""
    match part:
        case nodes.Chain(("==",), (nodes.Name("over", False), value)) if not isinstance(value, nodes.Number):
            return Given(READERS[Kind.GROUP](Context(language), OVER, value), canonical(value), part.span)
    return None


def parse_factor(text: str, language: Language) -> nodes.Expr:
    """Return the factor of a term that `text` states, such as ``poly(x, 2)``."""
    return parse(f"y ~ {text}", language).predictors


def parse_prior(text: str) -> PriorRequest:
    """Return the one prior that `text` states in the plain language, such as ``sigma ~ half_normal(1)``."""
    formula = parse(f"y ~ 1, prior({text})", CORE)
    found = specification(formula, CORE).priors
    if len(found) != 1 or len(formula.clauses) != 1:
        raise FormulaError("expected one distribution, such as `half_normal(1)`", formula.response.span)
    return found[0]


def _read(context: Context, formula: Formula) -> ModelSpec:
    check_response(context, formula.response)
    check_predictors(context, formula.predictors)
    if formula.group:
        check_group(formula.group)
    mean = Linear(MAIN, formula.predictors, formula.group, formula.predictors.span)
    stated = [read_clause(context, clause) for clause in formula.clauses]
    _check_repeats(stated)
    called = [clause for clause in stated if isinstance(clause, Called)]
    families = [family_request(clause) for clause in called if clause.name == "family"]
    return ModelSpec(
        formula=formula,
        parameters=(mean, *(clause for clause in stated if isinstance(clause, Linear))),
        family=families[0] if families else None,
        pooling=tuple(pooling_request(clause) for clause in called if clause.name == "hierarchy"),
        priors=tuple(
            prior for clause in called if clause.name == "prior" for prior in prior_requests(clause)
        ),
        rows=rows_request(called),
        questions=tuple(question(clause) for clause in called if clause.signature.after_fit),
    )


# --- what may be stated only once


def _check_repeats(stated: Iterable[Linear | Called]) -> None:
    seen: set[tuple[str, str]] = set()
    for what, name, span in (thing for clause in stated for thing in _unique_things(clause)):
        if (what, name) in seen:
            raise FormulaError(f"{what} `{name}` appears twice", span, "leave one of them out")
        seen.add((what, name))


def _unique_things(clause: Linear | Called) -> Iterator[tuple[str, str, Span]]:
    """Yield what a formula may state only once: the kind of thing, its name, and its span."""
    if isinstance(clause, Linear):
        yield "the parameter", clause.parameter, clause.span
        return
    if clause.signature.once:
        yield "the clause", clause.name, clause.span
    label = clause.given.named.get("name") if clause.signature.after_fit else None
    if label is not None:
        yield "the test" if clause.name == "test" else "the contrast", label.value, label.span
    for request in prior_requests(clause) if clause.name == "prior" else ():
        over = "" if request.over is None else f" over {request.over.text}"
        yield "the prior of", f"{canonical(request.target)}{over}", request.span
