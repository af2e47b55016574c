"""Fit and sample a table that scikit-learn bundles, print how good the rows are, and draw them.

Run as ``python docs/demo.py demo.png``.
"""

import sys
import time

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

from skgmmgan import GMMGAN
from skgmmgan.metrics import c2st_score, copy_rate, dcr_share, shape_error, trend_error, tstr_score

COLUMNS = ["mean radius", "mean area", "mean concavity", "worst smoothness"]


def load():
    """The breast cancer table of scikit-learn, 569 rows x 31 columns, its diagnosis as text."""
    bunch = load_breast_cancer(as_frame=True)
    return bunch.data.assign(diagnosis=bunch.target.map(dict(enumerate(bunch.target_names))).astype(str))


def draw(real, synthetic, path):
    """Histograms of four columns and two scatter plots, real beside synthetic."""
    figure, axes = plt.subplots(2, 3, figsize=(11, 6), layout="constrained")
    for axis, column in zip(axes[:, :2].flat, COLUMNS, strict=True):
        bins = np.linspace(real[column].min(), real[column].max(), 26)
        axis.hist(real[column], bins=bins, density=True, alpha=0.5, label="real")
        axis.hist(synthetic[column], bins=bins, density=True, alpha=0.5, label="synthetic")
        axis.set(xlabel=column, yticks=[])
    axes[0, 0].legend()
    for axis, (name, table) in zip(axes[:, 2], [("real", real), ("synthetic", synthetic)], strict=True):
        for diagnosis, rows in table.groupby("diagnosis"):
            axis.scatter(rows["mean radius"], rows["mean concavity"], s=6, label=diagnosis)
        axis.set(title=name, xlabel="mean radius", ylabel="mean concavity", xlim=(5, 30), ylim=(-0.02, 0.45))
    axes[0, 2].legend()
    figure.savefig(path, dpi=110)


def main(path):
    table = load()
    train, test = train_test_split(table, test_size=0.3, random_state=0, stratify=table["diagnosis"])
    start = time.perf_counter()
    model = GMMGAN(random_state=0, verbose=1).fit(train)
    fitted = time.perf_counter()
    rows, _ = model.sample(len(train))
    print(f"breast cancer: {train.shape[0]} training rows x {train.shape[1]} columns")
    print(f"fit {fitted - start:.1f} s, sample {time.perf_counter() - fitted:.1f} s")
    print(rows.iloc[:3, [0, 3, 6, 30]].to_string(index=False))
    figures = {
        "log-likelihood of the test rows, nats a row": model.score(test),
        "detector AUC, real or synthetic (0.5 is best)": c2st_score(train, rows, random_state=0),
        "shape error of single columns (0 is best)": shape_error(train, rows),
        "trend error of pairs of columns (0 is best)": trend_error(train, rows),
        "AUC of a classifier trained on synthetic rows": tstr_score(rows, test, "diagnosis", random_state=0),
        "AUC of a classifier trained on real rows": tstr_score(train, test, "diagnosis", random_state=0),
        "share nearer to training than to test rows (0.5 is best)": dcr_share(train, rows, test, random_state=0),
        "share of exact copies": copy_rate(train, rows),
    }
    for name, value in figures.items():
        print(f"{name:58s} {value:.3f}")
    draw(table, model.sample(len(table))[0], path)
    print(f"picture: {path}")


if __name__ == "__main__":
    main(sys.argv[1])
