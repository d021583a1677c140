"""How Sphinx makes the site; why so: docs/design/0012-site.md."""

import sys
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.ext.autosummary import autosummary_toc
from sphinx_gallery.sorting import ExplicitOrder

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

project = "grapheme-torch"
author = "the grapheme-torch authors"
copyright = "2026, the grapheme-torch authors"
html_title = "grapheme-torch"

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx.ext.mathjax",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
    "sphinx-mathjax-offline",
    "notebook_pages",
]
exclude_patterns = [
    "scripts",
    "_templates",
    "_extensions",
    "**/.ipynb_checkpoints",
    # Of an example only the page that the gallery makes of it is a source.
    "gallery/*.ipynb",
    "gallery/**/*.ipynb",
    "gallery/**/*.py",
]
templates_path = ["_templates"]

# Markdown: a forge shows the pages too, so that links go to files; mathematics is in dollars.
myst_enable_extensions = ["dollarmath", "amsmath", "deflist", "colon_fence"]
myst_heading_anchors = 3
myst_dmath_double_inline = True

# Docstrings: Google sections; a word in single backticks is code, as it is in Markdown.
default_role = "code"
autosummary_generate = True
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "exclude-members": "prepare_data_per_node"}
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"\.py$",
    "ignore_pattern": r"data/|__init__",
    # A folder is a section if it has a README or a header: examples/data has neither, on purpose.
    "subsection_order": ExplicitOrder(["../examples/extending"]),
    "within_subsection_order": "FileNameSortKey",
    "download_all_examples": False,
    "remove_config_comments": True,
    "show_memory": False,
    "min_reported_time": 1e6,
    "abort_on_example_error": True,
}

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_show_sphinx = False
html_copy_source = False
html_theme_options = {"navigation_with_keys": True}
copybutton_prompt_text = "$ "


def _forget_pages_of_names(app: Sphinx, tree: nodes.document) -> None:
    """Leaves the pages of functions out of the navigation, which would list 180 on every page."""
    for toc in list(tree.findall(autosummary_toc)):
        toc.parent.remove(toc)


def _tell_the_level_of_captions(
    app: Sphinx, page: str, template: str, context: dict[str, Any], tree: nodes.document | None
) -> None:
    """Sphinx calls the captions of the navigation headings, and does not say of which level."""
    for part in {"furo_navigation_tree", "body"} & context.keys():
        context[part] = context[part].replace(
            'class="caption" role="heading"', 'class="caption" role="heading" aria-level="2"'
        )


def setup(app: Sphinx) -> None:
    """Called by Sphinx; first, so that the collectors of the navigation come after it."""
    app.connect("doctree-read", _forget_pages_of_names, priority=100)
    app.connect("html-page-context", _tell_the_level_of_captions, priority=900)  # after the theme
