"""Fit one synthesizer with its default settings to a Parquet table and write as many synthetic rows.

Run as ``python fit_and_sample.py MODEL TRAIN.parquet OUT.parquet SEED [--target NAME]`` in the model's environment:
that of skgmmgan for GMMGAN and GaussianMixture, one made from `requirements-<peer>.txt` beside this file for its peers.
The last line on stdout is a JSON object with the seconds of fit and of sample, without those of imports, and versions.
"""

import argparse
import json
import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_integer_dtype, is_numeric_dtype


def discrete_columns(table, target):
    """Text, categories, booleans, and a target of two numbers: a class by the rule of `tstr_score`."""
    return [
        c
        for c in table
        if is_bool_dtype(table[c]) or not is_numeric_dtype(table[c]) or (c == target and table[c].nunique() == 2)
    ]


def in_dtypes_of(train, rows):
    """Rows with the columns and dtypes of the training table; integers are rounded."""
    integers = [c for c in train if is_integer_dtype(train[c])]
    rows = rows[list(train)].astype(dict.fromkeys(integers, float)).round(dict.fromkeys(integers, 0))
    return rows.astype(train.dtypes)


# Each of the functions below imports a package and returns its fit; fit returns the function that samples n rows.


def gmmgan():
    from skgmmgan import GMMGAN

    def fit(train, target, seed):
        model = GMMGAN(random_state=seed).fit(train)
        return lambda n: model.sample(n)[0]

    return fit


def gaussian_mixture():
    sys.path.append(str(Path(__file__).parents[1]))
    from benchmark import OneHotMixture

    def fit(train, target, seed):
        model = OneHotMixture(random_state=seed).fit(train)
        return lambda n: model.sample(n)[0]

    return fit


def arf():
    from arfpy.arf import arf

    def fit(train, target, seed):
        if train.isna().any(axis=None):
            raise ValueError("arfpy takes no missing values.")
        np.random.seed(seed)  # arfpy has no seed of its own
        model = arf(train.astype(dict.fromkeys(discrete_columns(train, target), object)), verbose=False)
        model.forde()
        return model.forge

    return fit


def ctgan(name):
    import ctgan

    def fit(train, target, seed):
        discrete = discrete_columns(train, target)
        model = getattr(ctgan, name)()
        model.set_random_state(seed)
        model.fit(train.astype({c: object if c in discrete else float for c in train}), discrete)
        return model.sample

    return fit


def tabular_argn():
    sys.modules["torchvision"] = None  # unused, and a build of it for GPUs does not load beside torch for CPUs
    from mostlyai.engine import TabularARGN

    def fit(train, target, seed):
        model = TabularARGN(random_state=seed).fit(train)
        return lambda n: model.sample(n_samples=n)

    return fit


def forest_diffusion():
    from ForestDiffusion import ForestDiffusionModel

    def fit(train, target, seed):
        codes, levels = train.copy(), {}
        for c in discrete_columns(train, target):
            codes[c], levels[c] = pd.factorize(train[c], sort=True, use_na_sentinel=False)
        label = [target] if target in levels else []
        many = [c for c in levels if c not in label and len(levels[c]) > 2]
        # Categories first: the package looks for the dummies of column 3 by "3_", which those of column 13 contain too.
        names = many + [c for c in train if c not in many + label]
        model = ForestDiffusionModel(
            codes[names].to_numpy(float),
            label_y=codes[target].to_numpy() if label else None,
            cat_indexes=list(range(len(many))),
            bin_indexes=[i for i, c in enumerate(names) if c in levels and c not in many],
            int_indexes=[i for i, c in enumerate(names) if c not in levels and is_integer_dtype(train[c])],
            seed=seed,
        )

        def sample(n):
            rows = pd.DataFrame(model.generate(batch_size=n), columns=names + label)
            for c in levels:
                rows[c] = np.asarray(levels[c])[rows[c].astype(int)]
            return rows

        return sample

    return fit


MODELS = {  # how to get fit, and the packages whose versions are told
    "GMMGAN": (gmmgan, ["skgmmgan", "scikit-learn", "torch"]),
    "GaussianMixture": (gaussian_mixture, ["scikit-learn"]),
    "ARF": (arf, ["arfpy", "scikit-learn"]),
    "CTGAN": (lambda: ctgan("CTGAN"), ["ctgan", "torch"]),
    "TVAE": (lambda: ctgan("TVAE"), ["ctgan", "torch"]),
    "TabularARGN": (tabular_argn, ["mostlyai-engine", "torch"]),
    "ForestDiffusion": (forest_diffusion, ["ForestDiffusion", "xgboost"]),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", choices=MODELS)
    parser.add_argument("train", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("seed", type=int)
    parser.add_argument("--target")
    options = parser.parse_args()
    train = pd.read_parquet(options.train)
    load_fit, packages = MODELS[options.model]
    fit = load_fit()
    start = time.perf_counter()
    sample = fit(train, options.target, options.seed)
    fitted = time.perf_counter()
    rows = sample(len(train))
    sampled = time.perf_counter()
    in_dtypes_of(train, rows).to_parquet(options.out, index=False)
    figures = {
        "model": options.model,
        "seed": options.seed,
        "fit_s": fitted - start,
        "sample_s": sampled - fitted,
        "versions": {p: version(p) for p in [*packages, "numpy", "pandas"]},
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
