"""Results from a posterior: tables, tests, predictions, text and files."""
