"""From a design to a plan: variables, default priors, checks and notes."""
