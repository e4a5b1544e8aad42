"""Draws of a fit: tables, contrasts, convergence, diagnostics."""
