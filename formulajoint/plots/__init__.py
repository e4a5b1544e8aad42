"""Plots: each a function from draws to a matplotlib Figure, usable alone."""
