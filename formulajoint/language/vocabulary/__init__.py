"""The names that a formula may use, by position, and how they are called."""
