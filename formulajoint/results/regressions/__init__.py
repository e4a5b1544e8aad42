"""Least squares: of all coefficients, of what is estimable, and by group."""
