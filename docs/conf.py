"""How Sphinx makes the documentation site: `make docs` writes it to build/docs; every warning is an error."""

import sys
from importlib.metadata import version as version_of
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

project = "balance-risk"
author = "Balance@Work"
version = release = version_of("balance-risk")
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "furo"
html_title = "balance-risk"
html_copy_source = False
exclude_patterns = ["images"]

# Headings can be linked to, as on the code host; a decision's number is part of its name.
myst_heading_anchors = 3
suppress_warnings = ["myst.header"]

napoleon_google_docstring = False
napoleon_use_rtype = False
autodoc_typehints = "none"
