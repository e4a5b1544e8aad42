"""Importance sampling of any log density of a few numbers."""
