"""Contrasts: named functions of the groups' coefficients."""
