"""Draws under the names of the model."""
