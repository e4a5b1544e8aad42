"""A fit as one self-contained HTML page: its text and its charts."""
