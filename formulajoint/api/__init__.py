"""What users hold: models, fits and the verbs that make them."""
