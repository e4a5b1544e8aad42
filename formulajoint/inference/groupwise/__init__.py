"""The exact engine for responses other than Gaussian, with one grouping factor."""
