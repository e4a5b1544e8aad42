"""Checks of a model against its data, and comparisons of models."""
