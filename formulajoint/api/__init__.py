"""The user interface: models, fits and the functions that make them."""
