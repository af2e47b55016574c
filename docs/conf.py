"""Sphinx configuration."""

from importlib.metadata import version as installed

from sphinx_gallery.sorting import ExplicitOrder

project = "skgmmgan"
author = "the skgmmgan developers"
release = version = installed("skgmmgan")
extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
autosummary_generate = True
autodoc_default_options = {"members": True, "exclude-members": "set_score_request"}
numpydoc_show_class_members = False
html_theme = "pydata_sphinx_theme"
html_title = "skgmmgan"
exclude_patterns = ["_build", "benchmarks", "gallery"]
gallery = "quickstart components oversampling privacy anomalies semi_supervised transfer modes images text speech"
sphinx_gallery_conf = {
    "examples_dirs": "gallery",
    "gallery_dirs": "auto_examples",
    "within_subsection_order": ExplicitOrder([f"plot_{name}.py" for name in gallery.split()]),
    "capture_repr": ("_repr_html_",),
    "download_all_examples": False,
    "show_signature": False,
    "parallel": 2,
    "write_computation_times": False,
}
nitpicky = False
