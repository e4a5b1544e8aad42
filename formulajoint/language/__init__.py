"""From a formula's text to its value."""
