"""The names that a formula may use, by position, and their signatures."""
