"""Joint tests: hypotheses, their figures and their classical counterparts."""
