"""The nodes of a formula, one per construct of the text, and their canonical text."""
