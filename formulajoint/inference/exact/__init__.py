"""Gaussian models without a random walk: coefficients in closed form, the few scales by importance sampling."""
