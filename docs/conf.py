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

# Headings can be linked to, as on the code host; a decision's number is part of its name; psql's \connect is no SQL; a page may
# link to a Markdown file beside the data it is about (tests/unit/test_documentation_links.py knows whether it is there).
myst_heading_anchors = 3
suppress_warnings = ["myst.header", "misc.highlighting_failure", "myst.xref_missing"]

# Asked by `make docs-links`, where there is a network. DOIs are redirected and publishers turn programs away.
linkcheck_timeout = 20
linkcheck_retries = 2
linkcheck_allowed_redirects = {r"https://doi\.org/.*": r"https://.*"}
linkcheck_ignore = [r"http://127\.0\.0\.1", r"https://.*\.example(\.\w+)?/?.*"]

napoleon_google_docstring = False
napoleon_use_rtype = False
autodoc_typehints = "none"
