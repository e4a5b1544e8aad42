"""NUTS: any model that PyMC can build."""
