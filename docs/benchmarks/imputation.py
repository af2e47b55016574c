"""Missing cells filled by GMMGAN, IterativeImputer and KNNImputer, on a folder of Parquet tables.

Run as ``python docs/benchmarks/imputation.py FOLDER [--rows 5000] [--tables magic adult]``. Rows are split as in
benchmark.py; of 1,000 test rows one cell in five is masked at random. `error` is, over the masked cells of a column,
the root mean squared error of numbers in standard deviations or the share of wrong categories, averaged over columns;
`shape` is the distance between the distributions of filled and true cells (Kolmogorov-Smirnov or total variation),
which an imputer that fills in means cannot keep low. `GMMGAN, 20 draws` fills in the mean or the most frequent category
of 20 draws. For scikit-learn's imputers categories are ordinal codes, rounded afterwards.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
from benchmark import tables
from sklearn.compose import make_column_transformer
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer
from sklearn.preprocessing import OrdinalEncoder, StandardScaler

from skgmmgan import GMMGAN
from skgmmgan.metrics import shape_error

TEST_ROWS = 1000
MASKED = 0.2
DRAWS = 20


class OrdinalImputer:
    """An imputer of scikit-learn on standardised numbers and ordinal codes."""

    def __init__(self, imputer):
        self.imputer = imputer

    def fit(self, X):
        self.text = [c for c in X if not pd.api.types.is_numeric_dtype(X[c])]
        self.numbers = [c for c in X if c not in self.text]
        codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
        self.encoder = make_column_transformer((StandardScaler(), self.numbers), (codes, self.text))
        self.imputer.fit(self.encoder.fit_transform(X))
        return self

    def impute(self, X):
        Z = self.imputer.transform(self.encoder.transform(X))
        k = len(self.numbers)
        numbers = self.encoder.named_transformers_["standardscaler"].inverse_transform(Z[:, :k])
        filled = pd.DataFrame(numbers, columns=self.numbers, index=X.index)
        if self.text:
            encoder = self.encoder.named_transformers_["ordinalencoder"]
            most = [len(c) - 1 for c in encoder.categories_]
            filled[self.text] = encoder.inverse_transform(np.clip(np.rint(Z[:, k:]), 0, most))
        return filled[X.columns]


def average(tables):
    """Mean of numbers, most frequent category."""
    stacked = pd.concat(tables)
    numbers = stacked.select_dtypes("number").groupby(level=0).mean()
    text = stacked.select_dtypes(exclude="number").groupby(level=0).agg(lambda x: x.mode().iloc[0])
    return numbers.join(text)[list(tables[0].columns)]


def compare(true, filled, gaps):
    """Mean error and mean shape error over the masked cells of each column."""
    errors, shapes = [], []
    for column in true:
        a, b = true.loc[gaps[column], column], filled.loc[gaps[column], column]
        if pd.api.types.is_numeric_dtype(a):
            spread = true[column].std() or 1.0
            errors.append(np.sqrt(np.mean((a.to_numpy(float) - b.to_numpy(float)) ** 2)) / spread)
            a, b = a.astype(float), b.astype(float)
        else:
            errors.append(np.mean(a.to_numpy() != b.to_numpy()))
        shapes.append(shape_error(a.to_frame(), b.to_frame()))
    return np.mean(errors), np.mean(shapes)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tables", nargs="*")
    parser.add_argument("--rows", type=int, default=5000)
    options = parser.parse_args()
    print(f"{'table':10s}{'imputer':20s}{'error':>8s}{'shape':>8s}{'fit s':>8s}{'fill s':>8s}")
    for table, train, test, _ in tables(options.folder, options.tables, options.rows):
        true = test.head(TEST_ROWS).reset_index(drop=True)
        gaps = pd.DataFrame(np.random.default_rng(0).uniform(size=true.shape) < MASKED, columns=true.columns)
        gaps &= true.notna()
        gappy = true.mask(gaps)
        imputers = {
            "GMMGAN": GMMGAN(random_state=0),
            "IterativeImputer": OrdinalImputer(IterativeImputer(random_state=0)),
            "  with sampling": OrdinalImputer(IterativeImputer(random_state=0, sample_posterior=True)),
            "KNNImputer": OrdinalImputer(KNNImputer()),
        }
        for name, imputer in imputers.items():
            start = time.perf_counter()
            imputer.fit(train)
            fitted = time.perf_counter()
            results = {name: imputer.impute(gappy)}
            seconds = time.perf_counter() - fitted
            if isinstance(imputer, GMMGAN):
                results[f"GMMGAN, {DRAWS} draws"] = average(imputer.impute(gappy, n_draws=DRAWS))
            for label, filled in results.items():
                error, shape = compare(true, filled, gaps)
                times = f"{fitted - start:8.1f}{seconds:8.1f}"
                print(f"{table:10s}{label:20s}{error:8.3f}{shape:8.3f}{times}", flush=True)


if __name__ == "__main__":
    main()
