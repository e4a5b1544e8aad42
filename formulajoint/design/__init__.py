"""Bind a formula to a data frame: columns, levels, groups, rows."""
