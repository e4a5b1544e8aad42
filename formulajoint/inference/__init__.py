"""From a PyMC model to its posterior."""
