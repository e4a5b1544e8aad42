"""The nodes of a formula, one for each construct of the text, and their canonical text."""
