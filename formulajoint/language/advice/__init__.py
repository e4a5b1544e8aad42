"""Why the parser stopped, and what to write instead."""
