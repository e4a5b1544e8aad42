"""Plan the contrast nodes of a model."""
