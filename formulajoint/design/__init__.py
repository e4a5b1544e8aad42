"""From a formula and a data frame to the numbers of a model."""
