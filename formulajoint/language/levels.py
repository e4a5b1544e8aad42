"""Levels written where the grammar reads arithmetic: ``ref=a1/b1``, ``{-1: 0.5}``."""

from __future__ import annotations

from formulajoint.language import ir


def level_of(value: ir.Expr) -> ir.Level | None:
    """Return `value` read as a level, or None where it cannot be one."""
    match value:
        case ir.Name(id=text, quoted=quoted):
            return ir.Level(text, quoted, value.span)
        case ir.Text(value=text):
            return ir.Level(text, True, value.span)
        case ir.Number(text=text):
            return ir.Level(text, False, value.span)
        case ir.Unary(operator=sign, operand=ir.Number(text=text)):
            return ir.Level(sign + text, False, value.span)
        case ir.Chain(operators=("/" | ":", *_)):
            return _joined(value)
    return None


def _joined(chain: ir.Chain) -> ir.Level | None:
    """Return ``a1/b1`` or ``a1:b1`` as one level."""
    parts = [level_of(operand) for operand in chain.operands]
    in_parentheses = any(isinstance(part, ir.Chain) and part.operators[0] == "/" for part in chain.operands)
    if not set(chain.operators) <= {"/", ":"} or not all(parts) or in_parentheses:
        return None
    levels = [part for part in parts if part]
    text = levels[0].text + "".join(
        f"{op}{x.text}" for op, x in zip(chain.operators, levels[1:], strict=True)
    )
    return ir.Level(text, any(level.quoted for level in levels), chain.span)
