"""Rows as sums: what the likelihood needs of them, by cell; added, saved, and fitted in place of the rows."""
