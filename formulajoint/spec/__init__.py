"""Formula -> ModelSpec: what a formula asks, typed, before any data are read."""
