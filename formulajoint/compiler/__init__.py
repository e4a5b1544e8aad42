"""Plan a model from a design, and build it in PyMC."""
