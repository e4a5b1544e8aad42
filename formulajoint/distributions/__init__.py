"""Prior distributions and links as values, with NumPy only."""
