"""What inference, results and planning ask of the rows of the data, which are read once."""
