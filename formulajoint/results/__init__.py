"""What is read from a posterior: tables and text."""
