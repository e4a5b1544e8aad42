"""What people look at: each plot a function from draws to a matplotlib Figure, usable alone."""
