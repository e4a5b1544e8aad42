"""How Sphinx makes the pages: `make docs`, without a network."""

import logging
from importlib import metadata

from pygments.lexers.special import TextLexer
from sphinx.highlighting import lexers

logging.getLogger("arviz").setLevel(logging.WARNING)

project = "formulajoint"
author = "The formulajoint developers"
copyright = author
release = metadata.version("formulajoint")

extensions = ["myst_parser", "sphinx.ext.autodoc", "numpydoc"]
exclude_patterns = ["_build"]
myst_heading_anchors = 3
myst_links_external_new_tab = False
smartquotes = False
default_role = "py:obj"  # `model` in a docstring: a link where there is such a name, else as written

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the sections of the docstrings say them
numpydoc_show_class_members = False
numpydoc_validation_checks = {"PR02", "PR03"}  # what is described is there, in this order

lexers["lark"] = TextLexer()  # Pygments does not know Lark's notation

html_theme = "furo"
html_title = f"formulajoint {release}"
html_static_path = ["_static"]
html_css_files = ["formulajoint.css"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {"top_of_page_buttons": []}
