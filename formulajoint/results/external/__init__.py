"""Contrasts and tests of draws of other packages."""
