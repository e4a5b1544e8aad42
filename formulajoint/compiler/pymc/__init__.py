"""Build a PyMC model from a plan."""
