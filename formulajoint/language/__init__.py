"""Parse a formula's text, check it, and return it as a `Formula`."""
