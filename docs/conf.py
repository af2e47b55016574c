"""Sphinx configuration."""

from importlib.metadata import version as installed

project = "skgmmgan"
author = "the skgmmgan developers"
release = version = installed("skgmmgan")
extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
]
autosummary_generate = True
numpydoc_show_class_members = False
html_theme = "pydata_sphinx_theme"
html_title = "skgmmgan"
exclude_patterns = ["_build", "benchmarks"]
nitpicky = False
