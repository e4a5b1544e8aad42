"""From a plan to draws from its posterior."""
