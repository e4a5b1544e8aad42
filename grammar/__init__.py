"""The syntax of the formula language, as Lark grammars."""
