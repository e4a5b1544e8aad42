"""Responses drawn from the posterior, and checks with them."""
