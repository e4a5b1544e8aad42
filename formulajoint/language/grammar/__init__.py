"""The grammar, what may extend it, and Lark's tree lowered to nodes."""
