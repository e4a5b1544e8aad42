"""Evaluate contrast nodes, in the model and on draws."""
