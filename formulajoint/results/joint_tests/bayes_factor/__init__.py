"""Bayes factors of equalities and of orders."""
