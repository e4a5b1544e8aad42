"""The exact engine of Gaussian models: coefficients in closed form given phi."""
