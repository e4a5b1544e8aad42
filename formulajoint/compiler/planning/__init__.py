"""Plan a model from a design: variables, default priors, checks and notes."""
