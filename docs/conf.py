"""The documentation site: pages, pages made from the package and its data, and the public interface from docstrings."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import generate  # noqa: E402
from mathml import visit_equation, visit_inline  # noqa: E402

import backfill  # noqa: E402

project = "backfill"
author = "The backfill authors"
copyright = f"{author}; text and code under Apache-2.0, data under their own terms"
release = version = backfill.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["dollarmath", "attrs_inline", "colon_fence"]
myst_heading_anchors = 3
exclude_patterns = ["README.md", "generated/parts"]
suppress_warnings = ["myst.xref_missing"]

html_theme = "furo"
html_title = f"backfill {release}"
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0072B2", "color-brand-content": "#0072B2"},
    "dark_css_variables": {"color-brand-primary": "#56B4E9", "color-brand-content": "#56B4E9"},
}
html_static_path: list[str] = []
html_show_sourcelink = False

autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_class_signature = "separated"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
default_role = "literal"


def setup(app) -> None:
    """Write the generated pages before they are read, and write equations as MathML, which needs no script."""
    generate.write(HERE / "generated")
    app.add_node(_math(), override=True, html=(visit_inline, None))
    app.add_node(_math_block(), override=True, html=(visit_equation, None))


def _math():
    from docutils.nodes import math

    return math


def _math_block():
    from docutils.nodes import math_block

    return math_block
