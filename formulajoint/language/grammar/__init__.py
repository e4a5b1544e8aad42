"""The grammar, checks on what may extend it, and the conversion of Lark's trees to nodes."""
