"""Models and fits as text, HTML, LaTeX and JSON."""
