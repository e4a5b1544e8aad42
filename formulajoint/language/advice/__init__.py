"""Advice on syntax errors: what is wrong, and what to write instead."""
