"""Levels of a factor written where the grammar reads arithmetic: ``ref=a1/b1``, ``{-1: 0.5}``."""

from __future__ import annotations

from formulajoint.language.syntax import nodes


def level_of(value: nodes.Expr) -> nodes.Level | None:
    """Return `value` read as a level, or None if it cannot be one."""
    match value:
        case nodes.Name(id=text, quoted=quoted):
            return nodes.Level(text, quoted, value.span)
        case nodes.Text(value=text):
            return nodes.Level(text, True, value.span)
        case nodes.Number(text=text):
            return nodes.Level(text, False, value.span)
        case nodes.Unary(operator=sign, operand=nodes.Number(text=text)):
            return nodes.Level(sign + text, False, value.span)
        case nodes.Chain(operators=("/" | ":", *_)):
            return _joined(value)
    return None


def _joined(chain: nodes.Chain) -> nodes.Level | None:
    """Return ``a1/b1`` or ``a1:b1`` as one level."""
    parts = [level_of(operand) for operand in chain.operands]
    in_parentheses = any(
        isinstance(part, nodes.Chain) and part.operators[0] == "/" for part in chain.operands
    )
    if not set(chain.operators) <= {"/", ":"} or not all(parts) or in_parentheses:
        return None
    levels = [part for part in parts if part]
    text = levels[0].text + "".join(
        f"{op}{x.text}" for op, x in zip(chain.operators, levels[1:], strict=True)
    )
    return nodes.Level(text, any(level.quoted for level in levels), chain.span)
