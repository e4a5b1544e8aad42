"""From a design to a PyMC model."""
