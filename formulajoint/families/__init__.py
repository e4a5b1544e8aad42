"""Likelihoods of the response as values, and the choice among them."""
