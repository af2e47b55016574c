"""Imports run one way, and optional dependencies stay out until they are used."""

import ast
from pathlib import Path

import pytest

import skgmmgan

FOLDER = Path(skgmmgan.__file__).parent
ORDER = [
    {"_plain", "_spelling"},
    {"_transforms", "_pandas", "_polars"},
    {"_numbers", "_clocks", "_containers"},
    {"_table"},
    {"_columns", "_orders", "_network", "_labels", "_conditions"},
    {"_dependencies", "_prior"},
    {"_relations", "_ranges", "_lookups", "_pairs"},
    {"_differences", "_inequalities", "_one_hot", "_restrictions"},
    {"_rounded"},
    {"_formulas", "_calendar"},
    {"_codec", "_broken", "_strata"},
    {"_unknowns"},
    {"_generator", "_discriminator"},
    {"_model", "_em"},
    {"_steps", "_conditional", "_class_mixtures"},
    {"_refinement"},
    {"_training"},
    {"_base"},
    {"_gmmgan", "_classifier"},
    {"_saving", "_files"},
    {"over_sampling", "pipeline", "_comparison"},
    {"_neighbors", "_rules", "_display"},
    {"_table_displays", "_model_displays"},
    {"metrics"},
    {"plotting"},
    {"report"},
    {"__main__", "__init__"},
]
WITH_TORCH = {
    *("_network", "_prior", "_generator", "_discriminator", "_model", "_em"),
    *("_steps", "_refinement", "_training", "_conditional", "_base"),
}


def imported_by(node):
    """Modules that a statement imports, the package's own with a leading dot."""
    if isinstance(node, ast.ImportFrom):
        yield "." * node.level + (node.module or "")
    elif isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)


def imported(path):
    """Modules that a file imports, wherever it does."""
    for node in ast.walk(ast.parse(path.read_text())):
        yield from imported_by(node)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_imports_run_one_way(path):
    rank = next(i for i, names in enumerate(ORDER) if path.stem in names)
    below = set().union(*ORDER[:rank])
    own = {name[1:] for name in imported(path) if name.startswith(".")}
    assert own <= below


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_modules_without_torch(path):
    has_torch = any(module.split(".")[0] == "torch" for module in imported(path))
    assert path.stem in WITH_TORCH or not has_torch


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_optional_dependencies_are_imported_where_they_are_used(path):
    top = ast.parse(path.read_text()).body
    at_import = {module.split(".")[0] for node in top for module in imported_by(node)}
    optional = {"pandas", "matplotlib", "tqdm", "imblearn", "narwhals", "polars", "pyarrow", "skops", "click"}
    assert at_import & optional <= {"over_sampling": {"imblearn"}}.get(path.stem, set())
