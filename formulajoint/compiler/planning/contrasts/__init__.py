"""Which contrast nodes a plan has."""
