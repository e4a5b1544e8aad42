"""From a plan to a PyMC model."""
