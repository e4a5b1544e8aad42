"""The exact engine for several grouping factors, nested or crossed."""
