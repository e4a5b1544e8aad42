"""A fit as one self-contained HTML page: what it says, and what is drawn on it."""
